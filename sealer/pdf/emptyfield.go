package pdf

import (
	"context"
	"fmt"
	"strings"

	"yinxin/internal/fault"
)

// emptyField is an existing signature field that a seal goes into.
type emptyField struct {
	ref    Ref
	dict   Dict
	widget Ref // the field itself where both are one object; zero when it has none
	look   Dict
}

// noSuchField refuses a field that is not there, and names those that could be signed.
func (p *plan) noSuchField(ctx context.Context, place fault.Place) error {
	fields, err := p.document.SignatureFields(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, f := range fields {
		if f.Dict == nil && len(names) < 5 {
			names = append(names, fmt.Sprintf("%.80q", f.Name))
		}
	}
	if len(names) == 0 {
		return errNoSuchField.Saying("文件没有空的签名域", "there is no empty signature field").At(place)
	}
	return errNoSuchField.Saying("空的签名域有："+strings.Join(names, "、"), "empty signature fields: "+strings.Join(names, ", ")).At(place)
}

// useField finds out whether the named field can be signed, and where it shows the seal.
func (p *plan) useField(ctx context.Context, named []node) error {
	d := p.document
	name := p.request.Field
	place := fault.Field(name)
	switch len(named) {
	case 0:
		return p.noSuchField(ctx, place)
	case 1:
	default:
		return errAmbiguous.Sayingf("有 %d 个域用这个名称", "%d fields have this name", len(named)).At(place)
	}
	n := named[0]
	f := &emptyField{}
	kind, err := d.Resolve(n.kind)
	if err != nil {
		return err
	}
	if kind != Name("Sig") {
		return errNoSuchField.Saying("这个表单域不是签名域", "the field is not for signatures").At(place)
	}
	value, err := d.Resolve(n.value)
	if err != nil {
		return err
	}
	if value != nil {
		return errFieldSigned.At(place)
	}
	var ok bool
	if f.ref, ok = n.object.(Ref); !ok {
		return errDamagedObject.Saying("该域不是独立的对象", "the field is not an object of its own").At(place)
	}
	if f.dict, err = resolveDict(d, f.ref); err != nil {
		return err
	}
	flags, err := d.integerOr(n.flags, 0)
	if err != nil {
		return err
	}
	if flags&1 != 0 {
		return errLocked.Saying("该域为只读", "the field is read-only").At(place)
	}
	if err := p.obeyLock(n); err != nil {
		return err
	}
	if err := p.obeySeed(n); err != nil {
		return err
	}
	p.field = f
	return p.findWidget()
}

// obeyLock takes over the lock that the field brings along.
func (p *plan) obeyLock(n node) error {
	dict, err := resolveDict(p.document, n.lock)
	if err != nil || dict == nil {
		return err
	}
	if p.request.Lock != nil {
		return errBadRequest.Saying("该域自带锁定", "the field has a lock of its own").At(fault.Field("lock"))
	}
	lock, ok, err := p.document.readLock(dict)
	if ok {
		p.request.Lock = &lock
	}
	return err
}

// findWidget finds the widget of the field: the field itself, or its only kid.
func (p *plan) findWidget() error {
	d, f := p.document, p.field
	o, err := d.Resolve(f.dict.Get("Kids"))
	if err != nil {
		return err
	}
	kids, _ := o.(Array)
	switch {
	case len(kids) > 1:
		return errAmbiguous.Sayingf("该域有 %d 个控件", "the field has %d widgets", len(kids)).At(fault.Field(p.name))
	case len(kids) == 1:
		var ok bool
		if f.widget, ok = kids[0].(Ref); !ok {
			return errDamagedObject.Saying("该控件不是独立的对象", "the widget is not an object of its own").At(fault.Field(p.name))
		}
		if f.look, err = resolveDict(d, f.widget); err != nil {
			return err
		}
	case f.dict.Has("Rect") || f.dict.Has("Subtype"):
		f.widget, f.look = f.ref, f.dict
	}
	if f.look == nil {
		return p.invisibleField()
	}
	rect, ok, err := d.rect(f.look.Get("Rect"))
	if err != nil {
		return err
	}
	flags, err := d.integerOr(f.look.Get("F"), 0)
	if err != nil {
		return err
	}
	if !ok || flags&(flagHidden|flagNoView) != 0 {
		return p.invisibleField()
	}
	if flags&flagPrint == 0 {
		p.notes = append(p.notes, Note{Code: NoteNotPrinted, ZH: "签名域未设为打印，打印件上不会出现印章。",
			EN: "The signature field is not set to print: the seal will not be on paper."})
	}
	return p.placeInField(rect)
}

// invisibleField takes a field that shows nothing. Further places are refused then: what stands on the pages belongs to a
// signature because the widget of that signature shows the same.
func (p *plan) invisibleField() error {
	if p.request.visible() {
		return errBadRequest.Saying("该域不显示内容，印章不能移到别处", "the field shows nothing, so the seal cannot stand elsewhere").At(fault.Field(p.name))
	}
	p.field.widget, p.field.look = Ref{}, nil
	p.notes = append(p.notes, Note{Code: NoteHiddenField, ZH: "签名域不显示，签章不可见。",
		EN: "The signature field shows nothing: the seal is not visible."})
	return nil
}

// fieldTolerance is how many millimetres a field may be smaller than the seal: fields are drawn in whole points. The seal
// shrinks by that much, which nobody can measure.
const fieldTolerance = 0.1

// placeInField puts the seal into the middle of the field's rectangle.
func (p *plan) placeInField(rect Rect) error {
	a := p.request.Appearance
	if a == nil {
		return errBadRequest.At(fault.Field("appearance"))
	}
	page, err := p.document.pageOfWidget(p.field)
	if err != nil {
		return err
	}
	shown := page.toShown(rect)
	widthMM, heightMM := a.Size()
	scale := page.unitsPerMM()
	width, height := widthMM*scale, heightMM*scale
	fit := min(1, shown.Width()/width, shown.Height()/height)
	if slack := fieldTolerance * scale; width > shown.Width()+slack || height > shown.Height()+slack {
		if !p.request.FitField {
			return errFieldTooSmall.Saying(
				fmt.Sprintf("签名域 %.1f × %.1f 毫米，印章 %.1f × %.1f 毫米", shown.Width()/scale, shown.Height()/scale, widthMM, heightMM),
				fmt.Sprintf("the field is %.1f × %.1f mm, the seal %.1f × %.1f mm", shown.Width()/scale, shown.Height()/scale, widthMM, heightMM)).At(fault.Place{Field: p.name, Page: page.Number})
		}
		p.notes = append(p.notes, Note{Code: NoteFitted, Page: page.Number,
			ZH: fmt.Sprintf("签名域较小，印章缩小为 %.1f × %.1f 毫米。", widthMM*fit, heightMM*fit),
			EN: fmt.Sprintf("The signature field is small: the seal was made %.1f by %.1f mm.", widthMM*fit, heightMM*fit)})
	}
	width, height = width*fit, height*fit
	x, y := (shown.Width()-width)/2, (shown.Height()-height)/2
	seal := Rect{x, y, x + width, y + height}.moved(shown.X1, shown.Y1)
	if err := page.within(seal); err != nil {
		return onThePage(err, page.Number)
	}
	err = p.addSpot(spot{Mark: Mark{Kind: MarkField, Object: p.field.widget}, page: page}, shown,
		look{box: Rect{0, 0, shown.Width(), shown.Height()}, x: x, y: y, width: width, height: height, rotate: page.Rotate})
	if err != nil {
		return err
	}
	// What is shown is the seal, not the whole field.
	last := &p.spots[len(p.spots)-1]
	last.Rect, last.Shown = page.fromShown(seal), seal.scaled(1/scale)
	return nil
}

// pageOfWidget finds the page that shows a widget: the one it names, if that lists it, else by a walk over all pages.
func (d *Document) pageOfWidget(f *emptyField) (Page, error) {
	lists := func(page Dict) (bool, error) {
		o, err := d.Resolve(page.Get("Annots"))
		if err != nil {
			return false, err
		}
		list, _ := o.(Array)
		for _, o := range list {
			if o == f.widget {
				return true, nil
			}
		}
		return false, nil
	}
	if ref, ok := f.look.Get("P").(Ref); ok {
		dict, err := resolveDict(d, ref)
		if err != nil {
			return Page{}, err
		}
		if ok, err := lists(dict); err != nil {
			return Page{}, err
		} else if ok {
			if page, err := d.Page(pageNumber(d, ref)); err == nil && page.Ref == ref {
				return page, nil
			}
		}
	}
	var found Page
	_, err := d.eachPage(func(l leaf) (bool, error) {
		ok, err := lists(l.node)
		if ok && err == nil {
			found, err = d.page(l.number, l.ref, l.node, l.above)
		}
		return !ok, err
	})
	if err == nil && found.Number == 0 {
		err = errDamagedObject.Saying("没有页面显示该签名域", "no page shows the signature field").At(fault.Object(f.widget.Num, f.widget.Gen))
	}
	return found, err
}

// fillField puts the signature and the appearance into the field; everything else of it stays.
func (p *plan) fillField() error {
	f := p.field
	value := edit{"V", references(Ref{Num: p.signature})}
	var shows []edit
	if f.widget != (Ref{}) {
		number := p.looks.list[p.spots[0].look].number
		shows = []edit{{"AP", append(append([]byte("<</N "), references(Ref{Num: number})...), ">>"...)}}
	}
	if f.widget == f.ref {
		return p.splice(f.ref, append(shows, value)...)
	}
	if err := p.splice(f.ref, value); err != nil || shows == nil {
		return err
	}
	return p.splice(f.widget, shows...)
}

// splice rewrites an object with some entries changed.
func (p *plan) splice(ref Ref, edits ...edit) error {
	_, l, raw, err := p.document.source(ref)
	if err != nil {
		return err
	}
	if l == nil {
		return errDamagedObject.At(fault.Object(ref.Num, ref.Gen))
	}
	body, err := spliceDict(raw, p.document.limits, edits...)
	if err != nil {
		return at(err, ref)
	}
	return p.rewrite(ref, body)
}
