package pdf

import (
	"fmt"
	"slices"

	"yinxin/internal/fault"
)

// leftovers refuses everything that no permitted change accounts for.
func (c *comparison) leftovers() error {
	for _, t := range c.changed {
		if !c.vetted[t.ref.Num] {
			c.refuseObject(t)
		}
	}
	numbers := make([]int, 0, len(c.fresh))
	for num := range c.fresh {
		if !c.vetted[num] {
			numbers = append(numbers, num)
		}
	}
	slices.Sort(numbers)
	for _, num := range numbers {
		if err := c.leftover(num); err != nil {
			return err
		}
		if len(c.refused) >= maxChangesListed {
			return nil
		}
	}
	return nil
}

// informationKeys are those of the document information dictionary (ISO 32000-2, 14.3.3).
var informationKeys = []Name{"Title", "Author", "Subject", "Keywords", "Creator", "Producer", "CreationDate", "ModDate", "Trapped"}

// isInformation says whether a dictionary holds nothing but statements about a document, in texts of its own: some
// programs that add validation data leave one behind that nothing refers to. It cannot show, whoever refers to it later.
func isInformation(d Dict) bool {
	for _, e := range d {
		switch e.Value.(type) {
		case String, Name:
		default:
			return false
		}
		if !slices.Contains(informationKeys, e.Key) {
			return false
		}
	}
	return true
}

// isEmptyForm says whether a stream is a form without content: poppler leaves two behind when it signs. It draws nothing,
// whoever refers to it later.
func isEmptyForm(s *Stream) bool {
	if s.Length != 0 || s.Dict.Get("Length") != Integer(0) || s.Dict.Get("Subtype") != Name("Form") {
		return false
	}
	for _, e := range s.Dict {
		if !slices.Contains([]Name{"Type", "Subtype", "FormType", "Length", "BBox", "Matrix", "Resources"}, e.Key) {
			return false
		}
	}
	return true
}

// leftover judges a new object that no permitted change reached: the streams that make up the cross-reference are
// fine, anything else is hidden.
func (c *comparison) leftover(num int) error {
	e, ok, err := inUse(c.after, num)
	if err != nil || !ok {
		return err
	}
	ref := Ref{num, e.Gen}
	o, err := c.after.Object(ref)
	if err != nil {
		return err
	}
	if s, ok := o.(*Stream); ok && e.State == InFile {
		switch s.Dict.Get("Type") {
		case Name("XRef"):
			return nil
		case Name("ObjStm"):
			if stray, err := c.strayIn(num); err != nil || stray == 0 {
				return err
			} else {
				ref.Num = stray
			}
		}
	}
	switch v := o.(type) {
	case Dict:
		if isInformation(v) {
			return nil
		}
	case *Stream:
		if isEmptyForm(v) {
			return nil
		}
	}
	c.refuse(ChangeHidden, ref, c.pageOf(num),
		fmt.Sprintf("加入了用途不明的对象 %d。", num), fmt.Sprintf("Object %d was added for no known purpose.", num))
	return nil
}

// strayIn gives an object of a new object stream that the cross-reference does not place there, 0 when there is none.
// Readers that rebuild a document take every object of every stream.
func (c *comparison) strayIn(num int) (int, error) {
	stream, err := c.after.objectStream(num)
	if f, ok := fault.Of(err); ok && f.Kind == fault.Invalid {
		return num, nil
	}
	if err != nil {
		return 0, err
	}
	for _, n := range stream.numbers {
		e, ok, err := c.after.Entry(int(n))
		if err != nil {
			return 0, err
		}
		if !ok || e.State != Compressed || e.Stream != num {
			return max(1, int(n)), nil
		}
	}
	return 0, nil
}

// refuseObject records a changed object that nothing accounts for, with the best name that can be given to it.
func (c *comparison) refuseObject(t *touch) {
	if len(c.refused) >= maxChangesListed {
		return
	}
	page := c.pageOf(t.ref.Num)
	dict, _ := t.is.(Dict)
	if dict == nil {
		dict, _ = t.was.(Dict)
	}
	if s, ok := t.was.(*Stream); ok {
		dict = s.Dict
	}
	num := t.ref.Num
	switch {
	case dict.Get("Type") == Name("Pages"):
		c.refuse(ChangePageTree, t.ref, 0, "页面的数量或顺序被改动。", "The number or the order of the pages was changed.")
	case dict.Get("Type") == Name("Metadata"):
		c.refuse(ChangeMetadata, t.ref, page, "页面或图形的元数据被改动。", "The metadata of a page or of something on it was changed.")
	case dict.Get("Type") == Name("Sig") || dict.Has("ByteRange"):
		c.refuse(ChangeSignature, t.ref, page, "原有的签名数据被改动。", "The data of an earlier signature was changed.")
	case dict.Get("Type") == Name("Annot") || dict.Get("Subtype") == Name("Widget") || c.places().annotation[num]:
		c.refuse(ChangeAnnotation, t.ref, page, onPage(page, "%s的批注、表单域或印章被改动。"),
			onPageEN(page, "An annotation, form field or seal %swas changed."))
	case dict.Has("FT"):
		c.refuse(ChangeForm, t.ref, page, "表单域被改动。", "A form field was changed.")
	case page > 0:
		c.refuse(ChangeContent, t.ref, page, onPage(page, "%s的内容被改动。"), onPageEN(page, "The content %swas changed."))
	case c.places().catalog[num] == "AcroForm":
		c.refuse(ChangeForm, t.ref, 0, fmt.Sprintf("表单使用的对象 %d 被改动。", num), fmt.Sprintf("Object %d, which the form uses, was changed.", num))
	case c.places().catalog[num] != "":
		key := printable(c.places().catalog[num])
		c.refuse(ChangeCatalog, t.ref, 0, fmt.Sprintf("文档目录 /%s 下的对象 %d 被改动。", key, num),
			fmt.Sprintf("Object %d, under the document catalog's /%s, was changed.", num, key))
	default:
		c.refuse(ChangeObject, t.ref, 0, fmt.Sprintf("对象 %d 被改动。", num), fmt.Sprintf("Object %d was changed.", num))
	}
}

// inherited looks a field entry up, in the field or above it.
func inherited(d *Document, field Dict, key Name) Object {
	for range 50 {
		if v := field.Get(key); v != nil {
			return v
		}
		parent, err := resolveDict(d, field.Get("Parent"))
		if err != nil || parent == nil {
			return nil
		}
		field = parent
	}
	return nil
}

// fieldName is the full name of a field: the names on the way down, with dots.
func fieldName(d *Document, field Dict) string {
	name := ""
	for range 50 {
		if t, ok := field.Get("T").(String); ok {
			if name != "" {
				name = "." + name
			}
			name = t.Text() + name
		}
		parent, err := resolveDict(d, field.Get("Parent"))
		if err != nil || parent == nil {
			break
		}
		field = parent
	}
	return name
}
