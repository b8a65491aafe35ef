package pdf

import (
	"fmt"

	"yinxin/internal/fault"
)

// addAnnotations adds the annotations of all places to their pages, one page after the other, after looking at what
// stands there already.
func (p *plan) addAnnotations() error {
	if len(p.spots) == 1 {
		return onThePage(p.annotate([]int{0}), p.spots[0].page.Number)
	}
	byPage := make(map[int][]int, 1)
	var order []int
	for i := range p.spots {
		n := p.spots[i].page.Ref.Num
		if byPage[n] == nil {
			order = append(order, n)
		}
		byPage[n] = append(byPage[n], i)
	}
	for _, n := range order {
		if err := p.annotate(byPage[n]); err != nil {
			return onThePage(err, p.spots[byPage[n][0]].page.Number)
		}
	}
	return nil
}

// annotate adds the annotations of some places, which stand on one page.
func (p *plan) annotate(spots []int) error {
	d := p.document
	page := &p.spots[spots[0]].page
	for _, i := range spots[1:] {
		if p.spots[i].page.Number != page.Number {
			return errAmbiguous.Sayingf("第 %d 页和第 %d 页是同一个对象", "pages %d and %d are one object", page.Number, p.spots[i].page.Number).
				At(fault.Object(page.Ref.Num, page.Ref.Gen))
		}
	}
	if err := p.checkOverlap(page, spots); err != nil {
		return err
	}
	var added []Ref
	for _, i := range spots {
		if p.field == nil || p.spots[i].Object != p.field.widget {
			added = append(added, p.spots[i].Object)
		}
	}
	if len(added) == 0 {
		return nil
	}
	ref, l, raw, err := d.source(page.Ref)
	if err != nil {
		return err
	}
	if l == nil {
		return errDamagedPages.New()
	}
	if _, ok := l.object.(Dict); !ok {
		return errDamagedPages.Saying("该页不是字典", "the page is not a dictionary")
	}
	change, err := d.addToList(raw, page.Dict, "Annots", added...)
	if err != nil {
		return at(err, ref)
	}
	body, err := spliceDict(raw, d.limits, change)
	if err != nil {
		return at(err, ref)
	}
	return p.rewrite(ref, body)
}

// The flags of annotations (ISO 32000-2, 12.5.3).
const (
	flagInvisible      = 1 << 0
	flagHidden         = 1 << 1
	flagPrint          = 1 << 2
	flagNoView         = 1 << 5
	flagReadOnly       = 1 << 6
	flagLocked         = 1 << 7
	flagLockedContents = 1 << 9

	widgetFlags = flagPrint | flagLocked
	stampFlags  = flagPrint | flagReadOnly | flagLocked | flagLockedContents
)

// checkOverlap refuses places that cover each other, a form field, or an earlier seal: a signature field is a form
// field, and the further places of an earlier seal are locked stamps.
func (p *plan) checkOverlap(page *Page, spots []int) error {
	if p.request.AllowOverlap {
		return nil
	}
	margin := edgeTolerance / page.UserUnit
	for i, a := range spots {
		for _, b := range spots[:i] {
			if p.spots[a].Kind != markWatermark && p.spots[b].Kind != markWatermark &&
				p.spots[a].Rect.overlaps(p.spots[b].Rect, margin) {
				return errOverlap.Saying("两个盖章位置重叠", "two places of this seal cover each other").At(fault.Page(page.Number))
			}
		}
	}
	o, err := p.document.Resolve(page.Dict.Get("Annots"))
	if err != nil {
		return err
	}
	list, _ := o.(Array)
	for _, o := range list {
		ref, _ := o.(Ref)
		if p.field != nil && ref == p.field.widget && ref != (Ref{}) {
			continue
		}
		rect, what, err := p.document.occupied(o)
		if err != nil {
			return err
		}
		for _, i := range spots {
			if what != nil && p.spots[i].Kind != markWatermark && p.spots[i].Rect.overlaps(rect, margin) {
				return what.At(fault.Place{Page: page.Number, Object: ref.String()})
			}
		}
	}
	return nil
}

// occupied gives the rectangle of an annotation that a seal must not cover, and the refusal that names it; nil for any
// other.
func (d *Document) occupied(o Object) (Rect, *fault.Fault, error) {
	o, err := d.Resolve(o)
	if err != nil {
		return Rect{}, nil, err
	}
	annotation, _ := o.(Dict)
	kind, err := d.Resolve(annotation.Get("Subtype"))
	if err != nil {
		return Rect{}, nil, err
	}
	flags, err := d.integerOr(annotation.Get("F"), 0)
	if err != nil {
		return Rect{}, nil, err
	}
	var what *fault.Fault
	switch {
	case flags&(flagHidden|flagNoView) != 0:
		return Rect{}, nil, nil
	case kind == Name("Widget"):
		if what, err = d.occupant(annotation); err != nil {
			return Rect{}, nil, err
		}
	case kind == Name("Stamp") && flags&stampFlags == stampFlags:
		what = errOverlap.Saying("已有的印章", "an earlier seal")
	default:
		return Rect{}, nil, nil
	}
	rect, ok, err := d.rect(annotation.Get("Rect"))
	if !ok {
		what = nil
	}
	return rect, what, err
}

// occupant names what a widget belongs to, as far as its own dictionary says: its field may stand above it.
func (d *Document) occupant(widget Dict) (*fault.Fault, error) {
	kind, err := d.Resolve(widget.Get("FT"))
	if err != nil {
		return nil, err
	}
	value, err := d.Resolve(widget.Get("V"))
	if err != nil {
		return nil, err
	}
	title, err := d.Resolve(widget.Get("T"))
	if err != nil {
		return nil, err
	}
	name := ""
	if s, ok := title.(String); ok {
		name = fmt.Sprintf(" %.80q", s.Text())
	}
	switch {
	case kind == Name("Sig") && value != nil:
		return errOverlap.Saying("已有的印章或签名"+name, "an earlier seal or signature"+name), nil
	case kind == Name("Sig"):
		return errOverlap.Saying("空的签名域"+name+"，可在其中盖章", "the empty signature field"+name+", which can take the seal"), nil
	}
	return errOverlap.Saying("表单域"+name, "the form field"+name), nil
}
