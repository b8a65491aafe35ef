package pdf

import "slices"

// fieldWidgets gives the widgets of a terminal field: its kids, or itself.
func (c *comparison) fieldWidgets(ref Ref, field Dict) ([]Ref, error) {
	o, err := c.before.Resolve(field.Get("Kids"))
	if err != nil {
		return nil, err
	}
	kids, _ := o.(Array)
	if len(kids) == 0 {
		return []Ref{ref}, nil
	}
	return refsOf(kids), nil
}

// filledWidget says that a widget of a filled field changed in nothing but what shows the value, and on which page it
// stands. A button shows one of the states that it had; the others may be drawn anew, inside their rectangle: what an
// appearance draws is fitted to /Rect and cut off there (ISO 32000-2, 12.5.5).
func (c *comparison) filledWidget(ref Ref, kind Name) (page int, sound bool, err error) {
	was, err := resolveDict(c.before, ref)
	if err != nil {
		return 0, false, err
	}
	is, err := resolveDict(c.after, ref)
	if err != nil {
		return 0, false, err
	}
	if was.Get("Subtype") != Name("Widget") || !onlyDiffer(was, is, fillKeys) {
		return 0, false, nil
	}
	_, page, sound = c.place(ref, is)
	if !sound {
		return page, false, nil
	}
	if kind == "Btn" {
		state := is.Get("AS")
		_, isName := state.(Name)
		return page, equalDirect(was.Get("AP"), is.Get("AP"), maxCompareDepth) && (isName || state == nil), nil
	}
	if is.Has("AS") && !equalDirect(was.Get("AS"), is.Get("AS"), 1) {
		return page, false, nil
	}
	sound, err = c.appearance(ref, was.Get("AP"), is.Get("AP"))
	return page, sound, err
}

// formKeys are what a form that draws an appearance may hold. Optional content and structure are not among it.
var formKeys = []Name{"Type", "Subtype", "FormType", "BBox", "Matrix", "Resources", "Length", "Filter", "DecodeParms", "Group",
	"Name", "LastModified"}

// appearance says whether the appearance of a widget changed as filling and signing let it: the normal one is another
// form, or the same object with another content.
func (c *comparison) appearance(widget Ref, oldObject, nowObject Object) (bool, error) {
	old, err := resolveDict(c.before, oldObject)
	if err != nil {
		return false, err
	}
	now, err := resolveDict(c.after, nowObject)
	if err != nil {
		return false, err
	}
	if now == nil {
		return nowObject == nil, nil
	}
	c.account(slot{widget.Num, "AP"}, oldObject, nowObject)
	if !onlyDiffer(old, now, []Name{"N"}) {
		return false, nil
	}
	ref, ok := now.Get("N").(Ref)
	if !ok {
		return equalDirect(old.Get("N"), now.Get("N"), maxCompareDepth), nil
	}
	if ref != old.Get("N") && !c.fresh[ref.Num] {
		return false, nil
	}
	if !c.fresh[ref.Num] && c.touched[ref.Num] == nil {
		return true, nil
	}
	o, err := c.after.Object(ref)
	if err != nil {
		return false, err
	}
	form, ok := o.(*Stream)
	if !ok || !c.isForm(form.Dict) {
		return false, nil
	}
	c.account(slot{widget.Num, "AP.N"}, old.Get("N"), ref)
	return c.closure(form)
}

// isForm says whether a stream's dictionary is that of a form that draws inside its box.
func (c *comparison) isForm(d Dict) bool {
	if _, dup := d.Duplicate(); dup {
		return false
	}
	for _, e := range d {
		if !slices.Contains(formKeys, e.Key) {
			return false
		}
	}
	_, ok := rectangle(c.after, d.Get("BBox"))
	return ok && d.Get("Subtype") == Name("Form")
}
