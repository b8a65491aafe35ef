package pdf

import "slices"

// signKeys are the entries that signing an empty field may set, fillKeys those that another field's new value may.
var (
	signKeys = []Name{"V", "AP", "AS", "M", "MK", "DA"}
	fillKeys = []Name{"V", "AP", "AS", "M", "I", "TI"}
)

// Flags of form fields (ISO 32000-2, tables 227, 229 and 233).
const (
	fieldReadOnly   = 1 << 0
	fieldPushbutton = 1 << 16
	fieldCombo      = 1 << 17
	fieldEdit       = 1 << 18
	fieldMultiple   = 1 << 21
)

// fillings accounts for fields that got a value: empty signature fields that were signed, and others that were filled.
// The field gains its value, it or its widgets an appearance, and nothing else of them changes.
func (c *comparison) fillings() error {
	filled := map[Ref]bool{}
	for _, t := range c.changed {
		was, ok1 := t.was.(Dict)
		is, ok2 := t.is.(Dict)
		if c.vetted[t.ref.Num] || !ok1 || !ok2 {
			continue
		}
		field := t.ref
		if parent, ok := is.Get("Parent").(Ref); ok && !is.Has("T") {
			field = parent // a widget apart from its field
		}
		old, err := resolveDict(c.before, field)
		if err != nil {
			return err
		}
		switch inherited(c.before, old, "FT") {
		case Name("Sig"):
			if was.Get("V") == nil && onlyDiffer(was, is, signKeys) {
				err = c.signing(t.ref, field, was, is)
			}
		case Name("Tx"), Name("Btn"), Name("Ch"):
			if !filled[field] {
				filled[field] = true
				err = c.filling(field, old)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// onlyDiffer says that nothing but what certain keys name differs.
func onlyDiffer(was, is Dict, keys []Name) bool {
	if _, dup := is.Duplicate(); dup {
		return false
	}
	for _, e := range union(was, is) {
		if !slices.Contains(keys, e.key) && !equalDirect(e.was, e.is, maxCompareDepth) {
			return false
		}
	}
	return true
}

// signing judges one object of an empty signature field that was signed: the field, its widget, or both in one.
func (c *comparison) signing(ref, field Ref, was, is Dict) error {
	old, err := resolveDict(c.before, field)
	if err != nil {
		return err
	}
	now, err := resolveDict(c.after, field)
	if err != nil {
		return err
	}
	if old.Get("V") != nil || now.Get("V") == nil {
		return nil
	}
	sound, stamp, err := c.signatureValue(now.Get("V"))
	if err != nil {
		return err
	}
	shown, err := c.appearance(ref, was.Get("AP"), is.Get("AP"))
	if err != nil {
		return err
	}
	reached, err := c.closure(is.Get("MK"))
	if err != nil || !sound || !shown || !reached {
		return err // stays unexplained
	}
	c.vetted[ref.Num] = true
	rect, page, ok := c.addedPlace(ref, is)
	if !ok {
		c.refuse(ChangeSignature, ref, page, onPage(page, "加入的签章遮盖了%s的大部分。"),
			coverage(page, "A signature was added that covers"))
		return nil
	}
	c.signed = append(c.signed, now)
	c.draws(is)
	ch := Change{Kind: ChangeSignatureFilled, Page: page, Object: ref, ZH: "预留的签名域已签名" + onPlace(page, rect) + "。",
		EN: "An empty signature field was signed" + atPlace(page, rect) + "."}
	if stamp && rect.Width()*rect.Height() == 0 {
		ch.Kind, ch.ZH, ch.EN = ChangeTimeStamp, "预留的签名域加入了时间戳。", "A time stamp was put into an empty signature field."
	}
	return c.permit(ch, fieldName(c.after, now))
}

// filling judges a field of the form that got another value, with all its widgets.
func (c *comparison) filling(ref Ref, was Dict) error {
	is, err := resolveDict(c.after, ref)
	if err != nil {
		return err
	}
	kind, _ := inherited(c.before, was, "FT").(Name)
	flags, err := c.before.integerOr(inherited(c.before, was, "Ff"), 0)
	if err != nil {
		return err
	}
	if is == nil || flags&fieldReadOnly != 0 || !onlyDiffer(was, is, fillKeys) {
		return nil
	}
	inForm, err := c.inForm(ref)
	if err != nil || !inForm {
		return err
	}
	if sound, err := c.fieldValue(kind, flags, was, is); err != nil || !sound {
		return err
	}
	widgets, err := c.fieldWidgets(ref, is)
	if err != nil || len(widgets) == 0 {
		return err
	}
	page := 0
	for _, w := range widgets {
		on, sound, err := c.filledWidget(w, kind)
		if err != nil || !sound {
			return err
		}
		if page == 0 {
			page = on
		}
	}
	for _, w := range append(widgets, ref) {
		if c.touched[w.Num] != nil {
			c.vetted[w.Num] = true
		}
	}
	name := fieldName(c.before, was)
	return c.permit(Change{Kind: ChangeFormFilled, Page: page, Object: ref,
		ZH: onPage(page, "填写了%s的表单域") + quoted("“", name, "”") + "。",
		EN: "A form field" + quoted(" “", name, "”") + onPageEN(page, " %swas filled in.")}, name)
}

// quoted is a name of the file in quotation marks, cut to what a sentence can hold; nothing for no name.
func quoted(open, name, shut string) string {
	if name == "" {
		return ""
	}
	out := make([]rune, 0, 40)
	for _, r := range name {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			r = '?'
		}
		if len(out) == 40 {
			out[39] = '…'
			break
		}
		out = append(out, r)
	}
	return open + string(out) + shut
}

// inForm says that a field hangs below the form's list of fields, as its own parents and their kids have it.
func (c *comparison) inForm(ref Ref) (bool, error) {
	form, err := c.before.form()
	if err != nil {
		return false, err
	}
	for range maxFieldDepth {
		field, err := resolveDict(c.before, ref)
		if err != nil || field == nil {
			return false, err
		}
		list := form.Get("Fields")
		parent, nested := field.Get("Parent").(Ref)
		if nested {
			above, err := resolveDict(c.before, parent)
			if err != nil {
				return false, err
			}
			list = above.Get("Kids")
		}
		listed, err := c.listed(parent, list)
		if err != nil || !listed[ref] {
			return false, err
		}
		if !nested {
			return true, nil
		}
		ref = parent
	}
	return false, nil
}

// listed gives the references in the list of fields of the form, or of a field; they are kept, as many fields may stand
// in one list.
func (c *comparison) listed(holder Ref, list Object) (map[Ref]bool, error) {
	if known, ok := c.lists[holder]; ok {
		return known, nil
	}
	o, err := c.before.Resolve(list)
	if err != nil {
		return nil, err
	}
	kids, _ := o.(Array)
	refs := make(map[Ref]bool, len(kids))
	for _, o := range kids {
		if r, ok := o.(Ref); ok {
			refs[r] = true
		}
	}
	if c.lists == nil {
		c.lists = map[Ref]map[Ref]bool{}
	}
	c.lists[holder] = refs
	return refs, nil
}

// refsOf gives the references in an array.
func refsOf(a Array) []Ref {
	out := make([]Ref, 0, len(a))
	for _, o := range a {
		if r, ok := o.(Ref); ok {
			out = append(out, r)
		}
	}
	return out
}

// fieldValue says that a field got another value, one that its type can have.
func (c *comparison) fieldValue(kind Name, flags int64, was, is Dict) (bool, error) {
	old, err := c.before.Resolve(was.Get("V"))
	if err != nil {
		return false, err
	}
	if equalDirect(old, is.Get("V"), maxCompareDepth) || !is.Has("V") && !was.Has("V") {
		return false, nil
	}
	switch v := is.Get("V").(type) {
	case nil:
		return true, nil
	case Name:
		return kind == "Btn" && flags&fieldPushbutton == 0, nil
	case String:
		if kind != "Ch" {
			return kind == "Tx", nil
		}
		return c.offered(flags, was, v)
	case Array:
		if kind != "Ch" || flags&fieldMultiple == 0 || len(v) > 1000 {
			return false, nil
		}
		for _, o := range v {
			s, ok := o.(String)
			if !ok {
				return false, nil
			}
			if ok, err := c.offered(flags, was, s); err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	}
	return false, nil
}

// offered says that a choice field offers a value, or lets any be typed in.
func (c *comparison) offered(flags int64, field Dict, v String) (bool, error) {
	if flags&(fieldCombo|fieldEdit) == fieldCombo|fieldEdit {
		return true, nil
	}
	o, err := c.before.Resolve(inherited(c.before, field, "Opt"))
	if err != nil {
		return false, err
	}
	options, _ := o.(Array)
	for _, o := range options {
		if o, err = c.before.Resolve(o); err != nil {
			return false, err
		}
		if pair, ok := o.(Array); ok && len(pair) > 0 {
			o = pair[0] // what is exported; the second is what shows
		}
		if s, ok := o.(String); ok && s.Text() == v.Text() {
			return true, nil
		}
	}
	return false, nil
}
