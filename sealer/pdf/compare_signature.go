package pdf

import (
	"fmt"
	"slices"
)

// What the field and widget of a further signature may hold. Actions (/A, /AA), optional content and the like are
// not among it: they could change what the page shows.
var widgetKeys = []Name{"Type", "Subtype", "FT", "T", "TU", "TM", "V", "F", "Ff", "Rect", "P", "AP", "AS", "MK", "DA",
	"Lock", "SV", "Border", "BS", "H", "M", "NM", "Parent", "Kids", "Contents", "StructParent", "Lang"}

// fillKeys are the entries that signing an empty field may set.
var fillKeys = []Name{"V", "AP", "AS", "M", "MK", "DA"}

// newField judges a field that a later revision added to the form: it must be a signature field that is signed.
func (c *comparison) newField(ref Ref) error {
	o, err := c.after.Object(ref)
	if err != nil {
		return err
	}
	field, ok := o.(Dict)
	if !ok || field.Get("FT") != Name("Sig") {
		c.refuse(ChangeForm, ref, 0, "加入了签名域以外的表单域。", "A form field that is no signature field was added.")
		c.vetted[ref.Num] = true
		return nil
	}
	c.vetted[ref.Num] = true
	sound, stamp, err := c.signatureValue(field.Get("V"))
	if err != nil {
		return err
	}
	if !sound {
		c.refuse(ChangeSignature, ref, 0, "加入了没有有效签名数据的签名域。", "A signature field without a signature was added.")
		return nil
	}
	c.signed = append(c.signed, field)
	widgets := []Ref{ref}
	if kids := field.Get("Kids"); kids != nil {
		widgets, ok, err = c.newKids(kids)
		if err != nil {
			return err
		}
		if !ok || !c.keysAllowed(field, false) {
			c.refuseWidget(ref)
			return nil
		}
	}
	for _, w := range widgets {
		if err := c.newWidget(w, ref, stamp); err != nil {
			return err
		}
	}
	return nil
}

// newKids gives the widgets of a new field: all new, and few (PDF 2.0 wants exactly one).
func (c *comparison) newKids(kids Object) ([]Ref, bool, error) {
	o, err := c.after.Resolve(kids)
	if err != nil {
		return nil, false, err
	}
	c.accountFor(nil, kids)
	array, _ := o.(Array)
	if len(array) == 0 || len(array) > 100 {
		return nil, false, nil
	}
	var refs []Ref
	for _, k := range array {
		r, ok := k.(Ref)
		if !ok || !c.fresh[r.Num] || slices.Contains(refs, r) {
			return nil, false, nil
		}
		refs = append(refs, r)
	}
	return refs, true, nil
}

// keysAllowed says whether a new field or widget holds nothing but what is understood, each once.
func (c *comparison) keysAllowed(d Dict, widget bool) bool {
	if _, dup := d.Duplicate(); dup {
		return false
	}
	for _, e := range d {
		if !slices.Contains(widgetKeys, e.Key) {
			return false
		}
	}
	if !widget {
		return true
	}
	t := d.Get("Type")
	return (t == nil || t == Name("Annot")) && d.Get("Subtype") == Name("Widget")
}

// newWidget judges a widget of a new signature field and the page that it stands on.
func (c *comparison) newWidget(ref, field Ref, stamp bool) error {
	dict, err := resolveDict(c.after, ref)
	if err != nil {
		return err
	}
	c.vetted[ref.Num] = true
	isField := ref == field
	parent := dict.Get("Parent")
	if dict == nil || (isField && parent != nil) || (!isField && (parent != Object(field) || dict.Has("Kids"))) {
		c.refuseWidget(ref)
		return nil
	}
	if isField && !dict.Has("Subtype") && !dict.Has("Rect") && c.keysAllowed(dict, false) {
		c.permitSignature(ref, 0, "", "", stamp) // a signature without any place on a page
		return nil
	}
	reached := true
	for _, key := range []Name{"AP", "MK", "BS", "Border", "Lock", "SV"} {
		if ok, err := c.closure(dict.Get(key)); err != nil {
			return err
		} else if !ok {
			reached = false
		}
	}
	if !reached || !c.keysAllowed(dict, true) {
		c.refuseWidget(ref)
		return nil
	}
	c.widgets[ref.Num] = true
	return c.placeWidget(ref, dict, stamp)
}

// placeWidget finds the page of a sound new widget, compares the page, and records the signature.
func (c *comparison) placeWidget(ref Ref, dict Dict, stamp bool) error {
	page, ok := dict.Get("P").(Ref)
	if !ok {
		c.permitSignature(ref, 0, "", "", stamp)
		return nil
	}
	if c.fresh[page.Num] {
		c.refuseWidget(ref)
		return nil
	}
	if err := c.comparePage(page); err != nil {
		return err
	}
	number := pageNumber(c.after, page)
	rect, ok := rectangle(c.after, dict.Get("Rect"))
	if !ok {
		c.refuseWidget(ref)
		return nil
	}
	// A document time stamp shows nothing: with a place on the page it counts as any other signature.
	stamp = stamp && rect.Width()*rect.Height() == 0
	if covered := c.coverage(page, rect); covered > maxCoverage {
		c.refuse(ChangeSignature, ref, number, onPage(number, "加入的签章遮盖了%s的大部分。"),
			onPageEN(number, "A signature was added that covers most %s."))
		return nil
	}
	where := ""
	whereEN := ""
	if rect.Width() > 0 && rect.Height() > 0 {
		const mm = 25.4 / 72
		where = fmt.Sprintf("，位置距左 %.0f 毫米、距下 %.0f 毫米，%.0f×%.0f 毫米",
			rect.X1*mm, rect.Y1*mm, rect.Width()*mm, rect.Height()*mm)
		whereEN = fmt.Sprintf(", %.0f mm from the left and %.0f mm from below, %.0f by %.0f mm",
			rect.X1*mm, rect.Y1*mm, rect.Width()*mm, rect.Height()*mm)
	}
	c.permitSignature(ref, number, where, whereEN, stamp)
	return nil
}

func (c *comparison) permitSignature(ref Ref, page int, where, whereEN string, stamp bool) {
	what, whatEN := "加入了另一个签章", "Another signature was added"
	if stamp {
		what, whatEN = "加入了时间戳", "A time stamp was added"
		c.stamps[ref] = true
	}
	on, onEN := "", ""
	if page > 0 {
		on, onEN = fmt.Sprintf("（第 %d 页%s）", page, where), fmt.Sprintf(" on page %d%s", page, whereEN)
	}
	c.permit(ChangeSignatureAdded, ref, page, what+on+"。", whatEN+onEN+".")
}

func (c *comparison) refuseWidget(ref Ref) {
	c.refuse(ChangeSignature, ref, 0, "加入的签名域含有不允许的内容。", "A signature field was added that holds what it must not.")
}

// maxCoverage is the part of a page that the appearance of one further signature may cover. A seal of 50 mm covers
// 4 % of a sheet A4; what covers most of a page replaces it.
const maxCoverage = 0.5

// coverage is how much of a page a rectangle covers, from 0 to 1.
func (c *comparison) coverage(page Ref, r Rect) float64 {
	dict, err := resolveDict(c.after, page)
	for range 50 {
		if err != nil || dict == nil {
			return 1
		}
		if box, ok := rectangle(c.after, dict.Get("MediaBox")); ok && box.Width() > 0 && box.Height() > 0 {
			w := max(0, min(r.X2, box.X2)-max(r.X1, box.X1))
			h := max(0, min(r.Y2, box.Y2)-max(r.Y1, box.Y1))
			return w * h / (box.Width() * box.Height())
		}
		dict, err = resolveDict(c.after, dict.Get("Parent"))
	}
	return 1
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
		if n[i], ok = Number(v); !ok {
			return Rect{}, false
		}
	}
	return Rect{min(n[0], n[2]), min(n[1], n[3]), max(n[0], n[2]), max(n[1], n[3])}, true
}

// signatureValue says whether the value of a field is a new signature dictionary with the entries that make a
// signature, and whether it is a document time stamp. That it is genuine is for the verifier to say.
func (c *comparison) signatureValue(v Object) (sound, stamp bool, err error) {
	if ref, ok := v.(Ref); ok {
		if !c.fresh[ref.Num] {
			return false, false, nil
		}
		c.vetted[ref.Num] = true
	}
	dict, err := resolveDict(c.after, v)
	if err != nil || dict == nil {
		return false, false, err
	}
	contents, hasContents := dict.Get("Contents").(String)
	_, hasRange := dict.Get("ByteRange").(Array)
	if _, dup := dict.Duplicate(); dup || !hasContents || !hasRange || len(contents.Value) == 0 {
		return false, false, nil
	}
	sound, err = c.closure(dict.Get("Reference"))
	if err != nil || !sound {
		return false, false, err
	}
	sound, err = c.closure(dict.Get("Prop_Build"))
	t := dict.Get("Type")
	stamp = t == Name("DocTimeStamp") && dict.Get("SubFilter") == Name("ETSI.RFC3161")
	return sound && (t == nil || t == Name("Sig") || stamp), stamp, err
}

// closure visits what a value of a new signature reaches and accounts for every new object there. It stops at
// objects that existed before: they are compared on their own. False: it holds something that draws from outside or
// from nowhere.
func (c *comparison) closure(o Object) (bool, error) {
	stack := []Object{o}
	for steps := 0; len(stack) > 0; steps++ {
		if steps > maxClosure {
			return false, nil
		}
		o, stack = stack[len(stack)-1], stack[:len(stack)-1]
		switch v := o.(type) {
		case Ref:
			next, ok, err := c.enter(v)
			if err != nil || !ok {
				return false, err
			}
			if next != nil {
				stack = append(stack, next)
			}
		case Array:
			stack = append(stack, v...)
		case Dict:
			if _, dup := v.Duplicate(); dup {
				return false, nil
			}
			for _, e := range v {
				stack = append(stack, e.Value)
			}
		case *Stream:
			if !drawsAlone(v.Dict) {
				return false, nil
			}
			stack = append(stack, v.Dict)
		}
	}
	return true, nil
}

// enter gives the object behind a reference that closure met when it is new and was not visited. A reference to
// nothing is refused: what it shows could be put there later.
func (c *comparison) enter(ref Ref) (Object, bool, error) {
	e, exists, err := inUse(c.after, ref.Num)
	if err != nil || !exists || e.Gen != ref.Gen {
		return nil, false, err
	}
	if !c.fresh[ref.Num] || c.entered[ref.Num] {
		return nil, true, nil
	}
	c.entered[ref.Num] = true
	c.vetted[ref.Num] = true
	o, err := c.after.Object(ref)
	return o, true, err
}

// drawsAlone says that a stream holds its data itself: no external file (/F), no reference XObject (/Ref), no
// PostScript.
func drawsAlone(d Dict) bool {
	return !d.Has("F") && !d.Has("Ref") && !d.Has("OPI") && d.Get("Subtype") != Name("PS") && d.Get("Subtype2") != Name("PS")
}
