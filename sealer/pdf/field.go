package pdf

import (
	"context"

	"yinxin/internal/fault"
)

// SignatureField is a signature field of the form with its value.
type SignatureField struct {
	Name    string // fully qualified, partial names joined by periods
	Field   Ref    // zero when the field is not an indirect object
	Widgets []Ref
	Value   Ref  // zero when the field is empty or its value a direct object
	Dict    Dict // the signature dictionary, nil when the field is empty
	// DictStart and DictEnd delimit the signature dictionary in the file; -1 when it is empty or in an object stream.
	DictStart, DictEnd int64
	Lock               Dict // the lock dictionary of the field, if any
	// Problems say in English what is odd about field and value, for the operator; ByteRange and Contents have their
	// own errors.
	Problems []string

	fileSize int64
}

// node is a form field with what it inherits.
type node struct {
	object Object
	name   string
	kind   Object // FT
	value  Object // V
	flags  Object // Ff
	lock   Object
	seed   Object // SV
	depth  int
}

const maxFieldDepth = 64

// form returns the interactive form, nil when there is none.
func (d *Document) form() (Dict, error) {
	catalog, _, err := d.Catalog()
	if err != nil {
		return nil, err
	}
	o, err := d.Resolve(catalog.Get("AcroForm"))
	if err != nil {
		return nil, err
	}
	form, _ := o.(Dict)
	return form, nil
}

// SignatureFields lists the signature fields of the form in its order, empty ones included.
func (d *Document) SignatureFields(ctx context.Context) ([]SignatureField, error) {
	var out []SignatureField
	err := d.walkFields(ctx, func(n node, dict Dict) error {
		kind, err := d.Resolve(n.kind)
		if err != nil || kind != Name("Sig") {
			return err
		}
		f, err := d.signatureField(n, dict)
		if err != nil {
			return err
		}
		out = append(out, f)
		return nil
	})
	return out, err
}

// walkFields calls fn for every terminal field of the form.
func (d *Document) walkFields(ctx context.Context, fn func(n node, dict Dict) error) error {
	form, err := d.form()
	if err != nil || form == nil {
		return err
	}
	roots, err := d.Resolve(form.Get("Fields"))
	if err != nil {
		return err
	}
	list, _ := roots.(Array)
	if len(list) > d.limits.Fields {
		return errTooManyFields.Sayingf("超过 %d 个", "more than %d", d.limits.Fields)
	}
	stack := make([]node, 0, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		stack = append(stack, node{object: list[i]})
	}
	seen := make(map[Ref]bool, len(list))
	for visited := 0; len(stack) > 0; visited++ {
		if visited&0xFF == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if visited > d.limits.Fields {
			return errTooManyFields.Sayingf("超过 %d 个", "more than %d", d.limits.Fields)
		}
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if ref, ok := n.object.(Ref); ok {
			// A field listed twice, or a circle, is visited once.
			if seen[ref] {
				continue
			}
			seen[ref] = true
		}
		o, err := d.Resolve(n.object)
		if err != nil {
			return err
		}
		dict, ok := o.(Dict)
		if !ok {
			continue
		}
		if err := d.inheritField(&n, dict); err != nil {
			return err
		}
		kids, terminal, err := d.fieldKids(dict)
		if err != nil {
			return err
		}
		if terminal {
			if err := fn(n, dict); err != nil {
				return err
			}
			continue
		}
		if n.depth++; n.depth > maxFieldDepth || len(stack)+len(kids) > d.limits.Fields {
			return errTooManyFields.Saying("表单嵌套过深", "the form is nested too deeply")
		}
		for i := len(kids) - 1; i >= 0; i-- {
			kid := n
			kid.object = kids[i]
			stack = append(stack, kid)
		}
	}
	return nil
}

// inheritField takes what a field says itself over what it inherits.
func (d *Document) inheritField(n *node, dict Dict) error {
	if o := dict.Get("FT"); o != nil {
		n.kind = o
	}
	if o := dict.Get("V"); o != nil {
		n.value = o
	}
	if o := dict.Get("Ff"); o != nil {
		n.flags = o
	}
	if o := dict.Get("Lock"); o != nil {
		n.lock = o
	}
	if o := dict.Get("SV"); o != nil {
		n.seed = o
	}
	o, err := d.Resolve(dict.Get("T"))
	if err != nil {
		return err
	}
	if t, ok := o.(String); ok {
		if n.name != "" {
			n.name += "."
		}
		// Names of hostile depth and length would add up to the square of the file.
		if text := t.Text(); len(n.name)+len(text) <= 4096 {
			n.name += text
		}
	}
	return nil
}

// fieldKids returns the kids of a field that are fields; the field is terminal when its kids are widgets only.
func (d *Document) fieldKids(dict Dict) (kids Array, terminal bool, err error) {
	o, err := d.Resolve(dict.Get("Kids"))
	if err != nil {
		return nil, false, err
	}
	kids, _ = o.(Array)
	if len(kids) == 0 {
		return nil, true, nil
	}
	// Kids are either all fields or all widgets; a field has a partial name.
	kid, _, err := d.kid(kids[0])
	if err != nil {
		return nil, false, err
	}
	return kids, kid == nil || !kid.Has("T") && !kid.Has("Kids"), nil
}

func (d *Document) signatureField(n node, dict Dict) (SignatureField, error) {
	f := SignatureField{Name: n.name, DictStart: -1, DictEnd: -1, fileSize: d.size}
	f.Field, _ = n.object.(Ref)
	problem := func(what string) { f.Problems = append(f.Problems, what) }
	if k, ok := dict.Duplicate(); ok {
		problem("the field has the key " + string(k) + " twice")
	}
	if err := d.fieldWidgets(&f, dict); err != nil {
		return f, err
	}
	if len(f.Widgets) > 1 {
		problem("the field has more than one widget")
	}
	lock, err := d.Resolve(n.lock)
	if err != nil {
		return f, err
	}
	f.Lock, _ = lock.(Dict)
	if err := d.fieldValue(&f, n, dict); err != nil {
		return f, err
	}
	if f.Dict == nil {
		return f, nil
	}
	if k, ok := f.Dict.Duplicate(); ok {
		problem("the signature has the key " + string(k) + " twice")
	}
	if f.DictStart < 0 {
		problem("the signature is in an object stream")
	}
	return f, nil
}

// fieldWidgets collects the widgets of a terminal field: its kids, or itself.
func (d *Document) fieldWidgets(f *SignatureField, dict Dict) error {
	o, err := d.Resolve(dict.Get("Kids"))
	if err != nil {
		return err
	}
	if kids, _ := o.(Array); len(kids) > 0 {
		for _, k := range kids {
			if ref, ok := k.(Ref); ok {
				f.Widgets = append(f.Widgets, ref)
			}
		}
		return nil
	}
	if f.Field != (Ref{}) {
		f.Widgets = []Ref{f.Field}
	}
	return nil
}

// fieldValue fills in the signature dictionary and where it stands.
func (d *Document) fieldValue(f *SignatureField, n node, dict Dict) error {
	o := n.value
	for range maxChain {
		ref, ok := o.(Ref)
		if !ok {
			break
		}
		f.Value = ref
		l, err := d.locate(ref)
		if err != nil {
			return err
		}
		if l == nil {
			f.Problems = append(f.Problems, "the value of the field is missing")
			f.Value = Ref{}
			return nil
		}
		o = l.object
		f.DictStart, f.DictEnd = l.start, l.end
	}
	switch v := o.(type) {
	case nil:
		f.Value, f.DictStart, f.DictEnd = Ref{}, -1, -1
	case Dict:
		f.Dict = v
		if f.Value == (Ref{}) {
			return d.directValue(f, dict)
		}
	default:
		f.Problems = append(f.Problems, "the value of the field is not a dictionary")
		f.DictStart, f.DictEnd = -1, -1
	}
	return nil
}

// directValue finds where a signature dictionary inside its field stands.
func (d *Document) directValue(f *SignatureField, dict Dict) error {
	f.Problems = append(f.Problems, "the signature is not an indirect object")
	if f.Field == (Ref{}) || !dict.Has("V") {
		return nil
	}
	l, err := d.locate(f.Field)
	if err != nil || l == nil || l.start < 0 {
		return err
	}
	raw, err := d.raw(l)
	if err != nil {
		return err
	}
	span, err := findEntry(raw, "V", d.limits)
	if err != nil || span.count != 1 {
		return err
	}
	f.DictStart, f.DictEnd = l.start+int64(span.start), l.start+int64(span.end)
	return nil
}

// ByteRange returns the byte range when it has exactly the shape of an honest one: four integers, direct, no key of
// the signature twice, the first part from the first byte of the file, and the gap exactly the hexadecimal string of
// this signature's /Contents. The range may end before the file does; the caller compares. Error: pdf.bad-byte-range.
func (s SignatureField) ByteRange() ([4]int64, error) {
	var r [4]int64
	bad := func(zh, en string) ([4]int64, error) {
		return [4]int64{}, errByteRange.Saying(zh, en).At(fault.Field(s.Name))
	}
	if s.Dict == nil {
		return bad("签名域是空的", "the field is empty")
	}
	if _, twice := s.Dict.Duplicate(); twice {
		return bad("有键出现两次", "a key stands twice")
	}
	list, ok := s.Dict.Get("ByteRange").(Array)
	if !ok {
		return bad("缺失，或为间接引用", "missing or indirect")
	}
	if len(list) != 4 {
		return bad("不是四个数", "not four numbers")
	}
	for i, o := range list {
		n, ok := o.(Integer)
		if !ok || n < 0 || int64(n) > s.fileSize {
			return bad("有数缺失、为负或超出文件", "a number is missing, negative or beyond the file")
		}
		r[i] = int64(n)
	}
	contents, err := s.Contents()
	if err != nil {
		return [4]int64{}, err
	}
	switch {
	case r[0] != 0:
		return bad("不是从第一个字节开始", "it does not begin at the first byte")
	case r[1] != contents.Start || r[2] != contents.End:
		return bad("空出的部分不是本签名的 Contents", "the gap is not the Contents of this signature")
	case r[2]+r[3] > s.fileSize:
		return bad("结尾超出文件", "it ends beyond the file")
	}
	return r, nil
}

// Contents returns /Contents when it is a direct hexadecimal string without white space inside, in a signature
// dictionary that stands in the file. Error: pdf.bad-contents.
func (s SignatureField) Contents() (String, error) {
	bad := func(zh, en string) (String, error) {
		return String{}, errContents.Saying(zh, en).At(fault.Field(s.Name))
	}
	if s.Dict == nil {
		return bad("签名域是空的", "the field is empty")
	}
	if _, twice := s.Dict.Duplicate(); twice {
		return bad("有键出现两次", "a key stands twice")
	}
	contents, ok := s.Dict.Get("Contents").(String)
	switch {
	case !ok:
		return bad("缺失，或为间接引用", "missing or indirect")
	case !contents.Hex:
		return bad("不是十六进制字符串", "not a hexadecimal string")
	case contents.Start < 0 || contents.Start < s.DictStart || contents.End > s.DictEnd:
		return bad("不在文件中", "not in the file")
	case contents.End-contents.Start != int64(2*len(contents.Value)+2):
		return bad("尖括号内不只有十六进制数字", "more than hexadecimal digits between the brackets")
	case len(contents.Value) == 0:
		return bad("是空的", "empty")
	}
	return contents, nil
}
