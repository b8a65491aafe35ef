package pdf

import (
	"fmt"
	"math"
)

// newWidget is a widget of a further signature that is sound in itself; dict is nil when it has no place.
type newWidget struct {
	ref   Ref
	dict  Dict
	stamp bool
}

const (
	// maxCoverage is the part of a page that one appearance may cover. A seal of 50 mm covers 4 % of a sheet A4; what
	// covers most of a page replaces it.
	maxCoverage = 0.5
	// maxSealArea and maxSealSide bound what a signature may cover that comes with a place of its own choice, in square
	// millimetres and millimetres. Seals measure up to 58 mm; the blocks of other producers are wide and low.
	maxSealArea = 100 * 100
	maxSealSide = 200
)

// placeWidgets judges where the new signatures stand, by the pages that list them: what a widget says of its page is
// only a hint for readers.
func (c *comparison) placeWidgets() error {
	for _, w := range c.widgets {
		pages := c.gained[w.ref.Num]
		if len(pages) > 1 || (len(pages) == 1 && w.dict == nil) {
			c.refuseWidget(w.ref)
			continue
		}
		dict := w.dict
		if len(pages) == 1 {
			dict = dict.Clone()
			dict.Set("P", pages[0])
		}
		if err := c.placeWidget(w, dict); err != nil {
			return err
		}
	}
	return nil
}

// placeWidget judges the place of one widget and records its signature.
func (c *comparison) placeWidget(w *newWidget, dict Dict) error {
	ch := Change{Kind: ChangeSignatureAdded, Object: w.ref}
	if dict != nil {
		rect, page, ok := c.addedPlace(w.ref, dict)
		ch.Page = page
		switch _, written := rectangle(c.after, dict.Get("Rect")); {
		case !written:
			c.refuseWidget(w.ref)
			return nil
		case !ok:
			c.refuse(ChangeSignature, w.ref, page, onPage(page, "加入的签章遮盖了%s的大部分。"),
				coverage(page, "A signature was added that covers"))
			return nil
		case tooLarge(rect):
			c.refuse(ChangeSignature, w.ref, page, onPage(page, "%s加入的签章比任何印章都大")+onPlace(0, rect)+"。",
				toPage(page, "A signature larger than any seal was added")+atPlace(0, rect)+".")
			return nil
		}
		ch.ZH, ch.EN = onPlace(page, rect), atPlace(page, rect)
		// A document time stamp shows nothing: with a place on the page it counts as any other signature.
		w.stamp = w.stamp && rect.Width()*rect.Height() == 0
	}
	if w.stamp {
		ch.Kind, ch.ZH, ch.EN = ChangeTimeStamp, "加入了时间戳。", "A time stamp was added."
	} else {
		ch.ZH, ch.EN = "加入了另一个签章"+ch.ZH+"。", "Another signature was added"+ch.EN+"."
	}
	return c.permit(ch, "")
}

// tooLarge says that a rectangle, in millimetres, is larger than a seal or the block of a signature.
func tooLarge(r Rect) bool {
	return r.Width()*r.Height() > maxSealArea || max(r.Width(), r.Height()) > maxSealSide
}

// place finds the rectangle of an annotation, in millimetres of its page, and the number of the page. It is not ok
// when the annotation covers most of the page.
func (c *comparison) place(ref Ref, dict Dict) (rect Rect, page int, ok bool) {
	return c.locate(ref, dict, false)
}

// addedPlace is place for a signature or a seal that was added: it is not ok either when all that were added cover most of
// the page together.
func (c *comparison) addedPlace(ref Ref, dict Dict) (rect Rect, page int, ok bool) {
	return c.locate(ref, dict, true)
}

func (c *comparison) locate(ref Ref, dict Dict, added bool) (rect Rect, page int, ok bool) {
	on, hasPage := dict.Get("P").(Ref)
	if hasPage {
		page = c.number(on)
	}
	if page == 0 {
		if page = c.pageOf(ref.Num); page > 0 {
			if p, err := c.after.Page(page); err == nil {
				on, hasPage = p.Ref, true
			}
		}
	}
	r, isRect := rectangle(c.after, dict.Get("Rect"))
	if !isRect || !hasPage {
		return Rect{}, page, true
	}
	box, unit := c.sheet(on)
	if r.Width()*r.Height() > 0 {
		w := max(0, min(r.X2, box.X2)-max(r.X1, box.X1))
		h := max(0, min(r.Y2, box.Y2)-max(r.Y1, box.Y1))
		ok = box.Width()*box.Height() > 0 && w*h <= maxCoverage*box.Width()*box.Height() && (!added || c.covers(on, r, box))
	} else {
		ok = true
	}
	mm := unit * 25.4 / 72
	return Rect{(r.X1 - box.X1) * mm, (r.Y1 - box.Y1) * mm, (r.X2 - box.X1) * mm, (r.Y2 - box.Y1) * mm}, page, ok
}

// sheet is the part of a page that shows, and the size of its unit in points.
func (c *comparison) sheet(page Ref) (Rect, float64) {
	dict, err := resolveDict(c.after, page)
	unit := 1.0
	if v, err := c.after.Resolve(dict.Get("UserUnit")); err == nil {
		if u, ok := Number(v); ok && u > 0 && u < 1e6 {
			unit = u
		}
	}
	var media, crop Object
	for range 50 {
		if err != nil || dict == nil {
			break
		}
		if media == nil {
			media = dict.Get("MediaBox")
		}
		if crop == nil {
			crop = dict.Get("CropBox")
		}
		dict, err = resolveDict(c.after, dict.Get("Parent"))
	}
	box, ok := rectangle(c.after, media)
	if !ok {
		box = defaultMediaBox
	}
	if visible, ok := rectangle(c.after, crop); ok && visible.Width()*visible.Height() > 0 {
		box = intersect(visible, box)
	}
	return box, unit
}

// onPlace says in Chinese where something stands, in brackets.
func onPlace(page int, r Rect) string {
	where := ""
	if r.Width()*r.Height() > 0 {
		where = fmt.Sprintf("距左 %.0f 毫米、距下 %.0f 毫米，%.0f×%.0f 毫米", r.X1, r.Y1, r.Width(), r.Height())
	}
	switch {
	case page > 0 && where != "":
		return fmt.Sprintf("（第 %d 页，%s）", page, where)
	case page > 0:
		return fmt.Sprintf("（第 %d 页）", page)
	case where != "":
		return "（" + where + "）"
	}
	return ""
}

// atPlace says in English where something stands.
func atPlace(page int, r Rect) string {
	where := ""
	if page > 0 {
		where = fmt.Sprintf(" on page %d", page)
	}
	if r.Width()*r.Height() > 0 {
		where += fmt.Sprintf(", %.0f mm from the left and %.0f mm from below, %.0f by %.0f mm", r.X1, r.Y1, r.Width(), r.Height())
	}
	return where
}

// rectangle reads four numbers, direct or not, as a rectangle.
func rectangle(d *Document, o Object) (Rect, bool) {
	v, err := d.Resolve(o)
	array, ok := v.(Array)
	if err != nil || !ok || len(array) != 4 {
		return Rect{}, false
	}
	var n [4]float64
	for i, e := range array {
		v, err := d.Resolve(e)
		if err != nil {
			return Rect{}, false
		}
		if n[i], ok = Number(v); !ok || math.Abs(n[i]) > 1e9 {
			return Rect{}, false
		}
	}
	return Rect{min(n[0], n[2]), min(n[1], n[3]), max(n[0], n[2]), max(n[1], n[3])}, true
}
