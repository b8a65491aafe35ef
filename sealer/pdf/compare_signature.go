package pdf

import (
	"encoding/asn1"
	"slices"

	"yinxin/internal/oid"
)

// What the field and widget of a further signature may hold. Actions (/A, /AA), optional content and the like are
// not among it: they could change what the page shows.
var widgetKeys = []Name{"Type", "Subtype", "FT", "T", "TU", "TM", "V", "F", "Ff", "Rect", "P", "AP", "AS", "MK", "DA",
	"Lock", "SV", "Border", "BS", "H", "M", "NM", "Parent", "Kids", "Contents", "StructParent", "Lang"}

// newField judges a field that a later revision added to the form: it must be a signature field that is signed.
func (c *comparison) newField(ref Ref) error {
	o, err := c.after.Object(ref)
	if err != nil {
		return err
	}
	field, ok := o.(Dict)
	if !ok || field.Get("FT") != Name("Sig") {
		c.refuse(ChangeForm, ref, c.pageOf(ref.Num), "加入了签名域以外的表单域。", "A form field that is no signature field was added.")
		c.vetted[ref.Num] = true
		return nil
	}
	c.vetted[ref.Num] = true
	sound, stamp, err := c.signatureValue(field.Get("V"))
	if err != nil {
		return err
	}
	if !sound {
		c.refuse(ChangeSignature, ref, c.pageOf(ref.Num), "加入了没有有效签名数据的签名域。", "A signature field without a signature was added.")
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
	c.account(slot{}, nil, kids)
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
		// A signature without any place on a page. Should a page list it all the same, that is found later.
		c.addWidget(&newWidget{ref: ref, stamp: stamp})
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
	c.addWidget(&newWidget{ref: ref, dict: dict, stamp: stamp})
	c.draws(dict)
	if page, ok := dict.Get("P").(Ref); ok {
		return c.comparePage(page)
	}
	return nil
}

func (c *comparison) addWidget(w *newWidget) {
	if c.isWidget == nil {
		c.isWidget = map[Ref]bool{}
	}
	c.widgets, c.isWidget[w.ref] = append(c.widgets, w), true
}

func (c *comparison) refuseWidget(ref Ref) {
	c.refuse(ChangeSignature, ref, c.pageOf(ref.Num), "加入的签名域含有不允许的内容。", "A signature field was added that holds what it must not.")
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
	claims := t == Name("DocTimeStamp") && dict.Get("SubFilter") == Name("ETSI.RFC3161")
	return sound && (t == nil || t == Name("Sig") || claims), claims && isToken(contents.Value), err
}

// isToken says whether the contents of a signature are a time-stamp token: signed data over a TSTInfo (RFC 3161, 2.4.2).
// A seal that only calls itself a time stamp must not come where a time stamp may.
func isToken(der []byte) bool {
	var info struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil || !info.Type.Equal(oid.SignedData) && !info.Type.Equal(oid.SignedDataGM) {
		return false
	}
	var signed asn1.RawValue
	if _, err := asn1.Unmarshal(info.Content.Bytes, &signed); err != nil || signed.Tag != asn1.TagSequence {
		return false
	}
	rest := signed.Bytes
	for range 2 { // version, digestAlgorithms
		var skipped asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &skipped); err != nil {
			return false
		}
	}
	var encapsulated asn1.RawValue
	if _, err := asn1.Unmarshal(rest, &encapsulated); err != nil {
		return false
	}
	var content asn1.ObjectIdentifier
	_, err := asn1.Unmarshal(encapsulated.Bytes, &content)
	return err == nil && content.Equal(oid.TSTInfo)
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
			// Widths of a font are many numbers, which reach nothing.
			for _, e := range v {
				switch e.(type) {
				case Ref, Array, Dict:
					stack = append(stack, e)
				}
			}
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
// PostScript, and no objects (readers that rebuild a document take those).
func drawsAlone(d Dict) bool {
	return d.Get("Type") != Name("ObjStm") && d.Get("Type") != Name("XRef") && !d.Has("F") && !d.Has("Ref") && !d.Has("OPI") && d.Get("Subtype") != Name("PS") && d.Get("Subtype2") != Name("PS")
}
