package pdf

import (
	"fmt"
	"slices"
)

// fillings accounts for empty signature fields that were signed: the field gains its value, it or its one widget an
// appearance, and nothing else of them changes.
func (c *comparison) fillings() error {
	for _, t := range c.changed {
		if c.vetted[t.ref.Num] {
			continue
		}
		was, ok1 := t.was.(Dict)
		is, ok2 := t.is.(Dict)
		if !ok1 || !ok2 || was.Get("V") != nil || !c.onlyFilled(was, is) {
			continue
		}
		field := t.ref
		if !is.Has("V") {
			// The widget of a field that is apart from it: its field must be signed in the same update.
			parent, ok := is.Get("Parent").(Ref)
			if !ok {
				continue
			}
			field = parent
		}
		if err := c.filling(t, field, is); err != nil {
			return err
		}
	}
	return nil
}

// onlyFilled says that nothing but what signing sets differs.
func (c *comparison) onlyFilled(was, is Dict) bool {
	if _, dup := is.Duplicate(); dup {
		return false
	}
	for _, key := range unionKeys(was, is) {
		if !slices.Contains(fillKeys, key) && !equalDirect(was.Get(key), is.Get(key), maxCompareDepth) {
			return false
		}
	}
	return true
}

// filling judges one object of an empty field that was signed.
func (c *comparison) filling(t touch, field Ref, is Dict) error {
	old, err := resolveDict(c.before, field)
	if err != nil {
		return err
	}
	now, err := resolveDict(c.after, field)
	if err != nil {
		return err
	}
	if old.Get("V") != nil || now.Get("V") == nil || inherited(c.before, old, "FT") != Name("Sig") {
		return nil
	}
	sound, stamp, err := c.signatureValue(now.Get("V"))
	if err != nil {
		return err
	}
	reached, err := c.closure(Array{is.Get("AP"), is.Get("MK")})
	if err != nil {
		return err
	}
	if !sound || !reached {
		return nil // stays unexplained
	}
	c.vetted[t.ref.Num] = true
	page := 0
	if ref, ok := is.Get("P").(Ref); ok {
		page = pageNumber(c.after, ref)
		if r, ok := rectangle(c.after, is.Get("Rect")); ok && c.coverage(ref, r) > maxCoverage {
			c.refuse(ChangeSignature, t.ref, page, onPage(page, "加入的签章遮盖了%s的大部分。"),
				onPageEN(page, "A signature was added that covers most %s."))
			return nil
		} else if r.Width()*r.Height() != 0 {
			stamp = false
		}
	}
	if stamp {
		c.stamps[t.ref] = true
	}
	c.signed = append(c.signed, now)
	c.filled = append(c.filled, fieldName(c.after, now))
	c.permit(ChangeSignatureFilled, t.ref, page, "预留的签名域已签名。", "An empty signature field was signed.")
	return nil
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

// leftovers compares pages that were written again for themselves and refuses everything that no permitted change
// accounts for.
func (c *comparison) leftovers() error {
	for _, t := range c.changed {
		was, ok1 := t.was.(Dict)
		is, ok2 := t.is.(Dict)
		if !c.vetted[t.ref.Num] && ok1 && ok2 && was.Get("Type") == Name("Page") && is.Get("Type") == Name("Page") {
			if err := c.comparePage(t.ref); err != nil {
				return err
			}
		}
	}
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
		if len(c.changes) >= maxChangesListed {
			return nil
		}
	}
	return nil
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
		if t := s.Dict.Get("Type"); t == Name("XRef") || t == Name("ObjStm") {
			return nil
		}
	}
	c.refuse(ChangeHidden, ref, 0,
		fmt.Sprintf("加入了用途不明的对象 %d。", num), fmt.Sprintf("Object %d was added for no known purpose.", num))
	return nil
}

// refuseObject records a changed object that nothing accounts for, with the best name that can be given to it.
func (c *comparison) refuseObject(t touch) {
	if len(c.changes) >= maxChangesListed {
		return
	}
	if c.pageOf == nil {
		c.pageOf, c.annotation = mapPages(c.before)
	}
	page := c.pageOf[t.ref.Num]
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
		c.refuse(ChangeMetadata, t.ref, 0, "文档的元数据被改动。", "The metadata of the document was changed.")
	case c.before.Trailer().Get("Info") == Object(t.ref):
		c.refuse(ChangeMetadata, t.ref, 0, "文档信息（标题、作者等）被改动。", "The document information (title, author and so on) was changed.")
	case dict.Get("Type") == Name("Sig") || dict.Has("ByteRange"):
		c.refuse(ChangeSignature, t.ref, 0, "原有的签名数据被改动。", "The data of an earlier signature was changed.")
	case dict.Get("Type") == Name("Annot") || dict.Get("Subtype") == Name("Widget") || c.annotation[num]:
		c.refuse(ChangeAnnotation, t.ref, page, onPage(page, "%s的批注、表单域或印章被改动。"),
			onPageEN(page, "An annotation, form field or seal %swas changed."))
	case dict.Has("FT"):
		c.refuse(ChangeForm, t.ref, 0, "表单域被改动。", "A form field was changed.")
	case page > 0:
		c.refuse(ChangeContent, t.ref, page, onPage(page, "%s的内容被改动。"), onPageEN(page, "The content %swas changed."))
	default:
		c.refuse(ChangeObject, t.ref, 0, fmt.Sprintf("对象 %d 被改动。", num), fmt.Sprintf("Object %d was changed.", num))
	}
}

// mapPages tells on which page the objects are that pages use: of the first pages, and as far as a bounded walk goes.
// It only serves sentences, so what cannot be read is left out.
func mapPages(d *Document) (pageOf map[int]int, annotation map[int]bool) {
	pageOf, annotation = map[int]int{}, map[int]bool{}
	count, err := d.PageCount()
	if err != nil {
		return pageOf, annotation
	}
	budget := maxClosure
	for n := 1; n <= min(count, maxNamedPages) && budget > 0; n++ {
		p, err := d.Page(n)
		if err != nil {
			return pageOf, annotation
		}
		pageOf[p.Ref.Num] = n
		mapPage(d, n, p.Dict.Get("Contents"), pageOf, nil, &budget)
		mapPage(d, n, p.Dict.Get("Annots"), pageOf, annotation, &budget)
		mapPage(d, n, p.Dict.Get("Resources"), pageOf, nil, &budget)
	}
	return pageOf, annotation
}

// mapPage walks what one entry of a page reaches.
func mapPage(d *Document, page int, o Object, pageOf map[int]int, annotation map[int]bool, budget *int) {
	stack := []Object{o}
	for len(stack) > 0 && *budget > 0 {
		*budget--
		o, stack = stack[len(stack)-1], stack[:len(stack)-1]
		switch v := o.(type) {
		case Ref:
			if _, seen := pageOf[v.Num]; seen {
				continue
			}
			next, err := d.Object(v)
			if err != nil || isPageNode(next) {
				continue
			}
			pageOf[v.Num] = page
			if annotation != nil {
				annotation[v.Num] = true
			}
			stack = append(stack, next)
		case Array:
			stack = append(stack, v...)
		case *Stream:
			stack = append(stack, v.Dict)
		case Dict:
			for _, e := range v {
				if e.Key != "Parent" && e.Key != "P" {
					stack = append(stack, e.Value)
				}
			}
		}
	}
}

func isPageNode(o Object) bool {
	d, ok := o.(Dict)
	return ok && (d.Get("Type") == Name("Page") || d.Get("Type") == Name("Pages"))
}
