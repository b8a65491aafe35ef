package agent

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
	"yinxin/sealer/terminal/manifest"
)

// mark is a place where the seal stands, in mm from the bottom left of the page as displayed.
type mark manifest.Mark

// precision is how much a mark of the manifest may differ from the file, in mm: it is rounded to the hundredth.
const precision = 0.02

// compareMarks compares the places that the update adds with those of the manifest. Every page is looked at: a place that
// the manifest does not name is one that nobody would be shown.
func (k *checked) compareMarks(ctx context.Context, before *pdf.Document, field pdf.SignatureField, existed bool) error {
	places, err := k.added(ctx, before)
	if err != nil {
		return err
	}
	left := make([]mark, 0, len(k.Marks))
	for _, m := range k.Marks {
		left = append(left, mark(m))
	}
	if existed {
		if left, err = k.takeField(left, field); err != nil {
			return err
		}
	}
	for _, p := range places {
		i := slices.IndexFunc(left, func(m mark) bool { return m.near(p) })
		if i < 0 {
			return ErrDocument.At(fault.Page(p.Page)).Saying("清单没有这处印章", "the manifest does not name this place of the seal")
		}
		left = slices.Delete(left, i, i+1)
	}
	if len(left) > 0 {
		return ErrDocument.At(fault.Page(left[0].Page)).Saying("文件没有清单所列的这处印章", "the file does not have this place of the seal")
	}
	return nil
}

func (m mark) near(other mark) bool {
	near := func(a, b float64) bool { return math.Abs(a-b) <= precision }
	return m.Page == other.Page && near(m.X, other.X) && near(m.Y, other.Y) && near(m.Width, other.Width) && near(m.Height, other.Height)
}

// added lists the annotations that a page has and did not have before, with the place in mm. Those without a size show
// nothing.
func (k *checked) added(ctx context.Context, before *pdf.Document) ([]mark, error) {
	was, err := before.PageCount()
	if err != nil || was != k.pages {
		return nil, ErrDocument.At(fault.Field("pages"))
	}
	var list []mark
	for n := 1; n <= k.pages; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		page, err := k.doc.Page(n)
		if err != nil {
			return nil, ErrDocument.Because(err)
		}
		old, err := before.Page(n)
		if err != nil {
			return nil, ErrDocument.Because(err)
		}
		had, err := annotations(before, old)
		if err != nil {
			return nil, err
		}
		known := make(map[pdf.Object]bool, len(had))
		for _, ref := range had {
			known[ref] = true
		}
		has, err := annotations(k.doc, page)
		if err != nil {
			return nil, err
		}
		for _, ref := range has {
			if known[ref] {
				continue
			}
			m, err := k.place(page, ref)
			if err != nil {
				return nil, err
			}
			if m.Width > 0 && m.Height > 0 {
				list = append(list, m)
			}
		}
	}
	return list, nil
}

func annotations(doc *pdf.Document, page pdf.Page) ([]pdf.Object, error) {
	o, err := doc.Resolve(page.Dict.Get("Annots"))
	if err != nil {
		return nil, ErrDocument.At(fault.Page(page.Number)).Because(err)
	}
	array, _ := o.(pdf.Array)
	list := make([]pdf.Object, 0, len(array))
	for _, a := range array {
		if ref, ok := a.(pdf.Ref); ok { // the comparison lets no other be added
			list = append(list, ref)
		}
	}
	return list, nil
}

// place is where an annotation stands, in mm of the page as displayed.
func (k *checked) place(page pdf.Page, annotation pdf.Object) (mark, error) {
	o, err := k.doc.Resolve(annotation)
	dict, ok := o.(pdf.Dict)
	if err != nil || !ok {
		return mark{}, ErrDocument.At(fault.Page(page.Number)).Because(err)
	}
	r, err := k.rectangle(dict.Get("Rect"))
	if err != nil {
		return mark{}, err
	}
	shown := page.Displayed(r)
	return mark{page.Number, shown.X1, shown.Y1, shown.Width(), shown.Height()}, nil
}

func (k *checked) rectangle(o pdf.Object) (pdf.Rect, error) {
	o, err := k.doc.Resolve(o)
	array, ok := o.(pdf.Array)
	if err != nil || !ok || len(array) != 4 {
		return pdf.Rect{}, ErrDocument.At(fault.Field("Rect")).Because(err)
	}
	var n [4]float64
	for i, e := range array {
		v, err := k.doc.Resolve(e)
		f, ok := pdf.Number(v)
		if err != nil || !ok {
			return pdf.Rect{}, ErrDocument.At(fault.Field("Rect")).Because(err)
		}
		n[i] = f
	}
	return pdf.Rect{X1: min(n[0], n[2]), Y1: min(n[1], n[3]), X2: max(n[0], n[2]), Y2: max(n[1], n[3])}, nil
}

// takeField takes the mark of an existing field out of the list: the seal stands inside the field's rectangle, which was
// there before. A field that shows nothing has none.
func (k *checked) takeField(marks []mark, field pdf.SignatureField) ([]mark, error) {
	for _, widget := range field.Widgets {
		number := 0
		if o, err := k.doc.Resolve(widget); err == nil {
			if d, ok := o.(pdf.Dict); ok {
				if page, ok := d.Get("P").(pdf.Ref); ok {
					number = k.doc.PageNumber(page)
				}
			}
		}
		for i, m := range marks {
			if number != 0 && m.Page != number {
				continue
			}
			page, err := k.doc.Page(m.Page)
			if err != nil {
				return nil, ErrDocument.Because(err)
			}
			listed, err := annotations(k.doc, page)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(listed, pdf.Object(widget)) {
				continue
			}
			around, err := k.place(page, widget)
			if err != nil {
				return nil, err
			}
			if around.contains(m) {
				return slices.Delete(marks, i, i+1), nil
			}
		}
	}
	return marks, nil
}

func (m mark) contains(other mark) bool {
	return other.X >= m.X-precision && other.Y >= m.Y-precision && other.X+other.Width <= m.X+m.Width+precision &&
		other.Y+other.Height <= m.Y+m.Height+precision
}

// maxMarksTold bounds how many places one line names.
const maxMarksTold = 6

// whereMarks says for a person where the seal stands.
func whereMarks(marks []manifest.Mark) string {
	if len(marks) == 0 {
		return "不显示 shown nowhere"
	}
	var parts []string
	for i, m := range marks {
		if i == maxMarksTold {
			parts = append(parts, fmt.Sprintf("… 共 %d 处 places", len(marks)))
			break
		}
		parts = append(parts, fmt.Sprintf("第 %d 页 page %d（%.0f, %.0f）%.0f×%.0f mm", m.Page, m.Page, m.X, m.Y, m.Width, m.Height))
	}
	return strings.Join(parts, "；")
}
