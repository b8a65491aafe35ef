package pdf

import (
	"fmt"
	"math"
	"slices"
)

// compareCatalogs compares the document catalogs entry by entry. Only the interactive form may differ, and only as
// compareForms lets it.
func (c *comparison) compareCatalogs() error {
	old, oldRef, err := c.before.Catalog()
	if err != nil {
		return err
	}
	now, nowRef, err := c.after.Catalog()
	if err != nil {
		return err
	}
	if oldRef != nowRef {
		c.refuse(ChangeCatalog, nowRef, 0, "文档目录被整个换掉。", "The whole document catalog was exchanged.")
		return nil
	}
	c.vetted[nowRef.Num] = true
	for _, key := range unionKeys(old, now) {
		if key == "AcroForm" || equalDirect(old.Get(key), now.Get(key), maxCompareDepth) {
			continue
		}
		kind := ChangeCatalog
		switch key {
		case "Pages":
			kind = ChangePageTree
		case "Metadata":
			kind = ChangeMetadata
		}
		c.refuse(kind, nowRef, 0,
			fmt.Sprintf("文档目录的 /%s 被改动。", printable(key)),
			fmt.Sprintf("The document catalog's /%s was changed.", printable(key)))
	}
	return c.compareForms(old.Get("AcroForm"), now.Get("AcroForm"))
}

// resolveDict follows o to a dictionary; nil when it is something else.
func resolveDict(d *Document, o Object) (Dict, error) {
	v, err := d.Resolve(o)
	if err != nil {
		return nil, err
	}
	dict, _ := v.(Dict)
	return dict, nil
}

// accountFor marks the object that holds a compared value as explained: the object where the value stood before, or
// a new one. A reference to another object that existed before explains nothing about that object.
func (c *comparison) accountFor(old, now Object) {
	ref, ok := now.(Ref)
	if ok && (old == now || c.fresh[ref.Num]) {
		c.vetted[ref.Num] = true
	}
}

// compareForms compares the interactive forms. Where there was none, one with signature fields may come.
func (c *comparison) compareForms(oldObject, nowObject Object) error {
	old, err := resolveDict(c.before, oldObject)
	if err != nil {
		return err
	}
	now, err := resolveDict(c.after, nowObject)
	if err != nil {
		return err
	}
	c.accountFor(oldObject, nowObject)
	if now == nil && old != nil {
		c.refuse(ChangeForm, Ref{}, 0, "表单被删除。", "The form was removed.")
		return nil
	}
	if key, dup := now.Duplicate(); dup && !equalDicts(old, now, maxCompareDepth) {
		c.refuse(ChangeForm, Ref{}, 0, fmt.Sprintf("表单重复写了 /%s。", printable(key)),
			fmt.Sprintf("The form has /%s twice.", printable(key)))
		return nil
	}
	for _, key := range unionKeys(old, now) {
		was, is := old.Get(key), now.Get(key)
		if key == "Fields" {
			if err := c.compareFields(was, is); err != nil {
				return err
			}
			continue
		}
		if equalDirect(was, is, maxCompareDepth) {
			continue
		}
		allowed, err := c.formEntryAllowed(old == nil, key, was, is)
		if err != nil {
			return err
		}
		if !allowed {
			c.refuse(ChangeForm, Ref{}, 0, fmt.Sprintf("表单的 /%s 被改动。", printable(key)),
				fmt.Sprintf("The form's /%s was changed.", printable(key)))
		}
	}
	return nil
}

// formEntryAllowed says whether an entry of the form may change as it did: the flags that say there are signatures,
// and in a form that is new the default resources, which no earlier field can use.
func (c *comparison) formEntryAllowed(newForm bool, key Name, was, is Object) (bool, error) {
	switch key {
	case "SigFlags":
		w, _ := was.(Integer)
		i, ok := is.(Integer)
		return ok && i >= 0 && i <= 3 && i&w == w, nil
	case "DA":
		_, ok := is.(String)
		return newForm && ok, nil
	case "DR":
		if !newForm {
			return false, nil
		}
		return c.closure(is)
	case "NeedAppearances":
		return newForm && is == false, nil
	}
	return false, nil
}

// compareFields compares the form's list of fields: only new signature fields may be added.
func (c *comparison) compareFields(oldObject, nowObject Object) error {
	added, ok, err := c.added(oldObject, nowObject)
	if err != nil {
		return err
	}
	if !ok {
		c.refuse(ChangeForm, Ref{}, 0, "表单域被删除或改换。", "Form fields were removed or exchanged.")
		return nil
	}
	for _, o := range added {
		ref, isRef := o.(Ref)
		if !isRef || !c.fresh[ref.Num] {
			c.refuse(ChangeForm, ref, 0, "表单中加入了原有的对象。", "An object that existed before was added to the form.")
			continue
		}
		if err := c.newField(ref); err != nil {
			return err
		}
	}
	return nil
}

// added gives the elements that an array has gained. ok is false when one was lost, or the order changed, or it is
// not an array any more.
func (c *comparison) added(oldObject, nowObject Object) (gained Array, ok bool, err error) {
	o, err := c.before.Resolve(oldObject)
	if err != nil {
		return nil, false, err
	}
	n, err := c.after.Resolve(nowObject)
	if err != nil {
		return nil, false, err
	}
	old, wasArray := o.(Array)
	now, isArray := n.(Array)
	if o == nil && n == nil {
		return nil, true, nil
	}
	if !isArray || (o != nil && !wasArray) {
		return nil, false, nil
	}
	c.accountFor(oldObject, nowObject)
	i := 0
	for _, e := range now {
		if i < len(old) && equalDirect(old[i], e, maxCompareDepth) {
			i++
			continue
		}
		gained = append(gained, e)
	}
	return gained, i == len(old), nil
}

// comparePage compares a page that came up: its /Annots may have gained the widgets of new signatures.
func (c *comparison) comparePage(ref Ref) error {
	was, err := resolveDict(c.before, ref)
	if err != nil {
		return err
	}
	is, err := resolveDict(c.after, ref)
	if err != nil {
		return err
	}
	c.vetted[ref.Num] = true
	for _, key := range unionKeys(was, is) {
		if key == "Annots" || equalDirect(was.Get(key), is.Get(key), maxCompareDepth) {
			continue
		}
		c.refusePage(key, ref)
	}
	if key, dup := is.Duplicate(); dup && !equalDicts(was, is, maxCompareDepth) {
		c.refusePage(key, ref)
	}
	gained, ok, err := c.added(was.Get("Annots"), is.Get("Annots"))
	if err != nil {
		return err
	}
	if !ok {
		page := pageNumber(c.after, ref)
		c.refuse(ChangeAnnotation, ref, page, onPage(page, "%s的批注或印章被删除或改换。"),
			onPageEN(page, "Annotations or seals %swere removed or exchanged."))
		return nil
	}
	for _, o := range gained {
		if r, isRef := o.(Ref); !isRef || !c.widgets[r.Num] {
			page := pageNumber(c.after, ref)
			c.refuse(ChangeAnnotation, r, page, onPage(page, "%s加入了批注。"), onPageEN(page, "An annotation was added %s."))
		}
	}
	return nil
}

// refusePage records that an entry of a page was changed.
func (c *comparison) refusePage(key Name, ref Ref) {
	page := pageNumber(c.after, ref)
	kind := ChangePage
	if key == "Contents" || key == "Resources" {
		kind = ChangeContent
	}
	c.refuse(kind, ref, page,
		onPage(page, "%s的 /"+printable(key)+" 被改动。"), onPageEN(page, "The /"+printable(key)+" %swas changed."))
}

// onPage puts the page into a Chinese sentence.
func onPage(page int, format string) string {
	if page == 0 {
		return fmt.Sprintf(format, "某一页")
	}
	return fmt.Sprintf(format, fmt.Sprintf("第 %d 页", page))
}

// onPageEN puts the page into an English sentence.
func onPageEN(page int, format string) string {
	if page == 0 {
		return fmt.Sprintf(format, "of a page ")
	}
	return fmt.Sprintf(format, fmt.Sprintf("of page %d ", page))
}

// PageNumber is the number of the page that ref is, from 1; 0 when that cannot be found with little work.
func (d *Document) PageNumber(ref Ref) int { return pageNumber(d, ref) }

// pageNumber counts at which place of the page tree a page stands, from 1; 0 when that cannot be found with little
// work. It climbs from the page and adds up the /Count of what stands before it.
func pageNumber(d *Document, page Ref) int {
	number, budget := 1, maxPageSearch
	child := page
	for range 50 {
		node, err := resolveDict(d, child)
		if err != nil || node == nil {
			return 0
		}
		parentRef, ok := node.Get("Parent").(Ref)
		if !ok {
			if child == page {
				return 0
			}
			return number
		}
		parent, err := resolveDict(d, parentRef)
		if err != nil || parent == nil {
			return 0
		}
		before, ok := pagesBefore(d, parent, child, &budget)
		if !ok {
			return 0
		}
		number += before
		child = parentRef
	}
	return 0
}

// pagesBefore adds up the pages of a node that stand before one of its kids.
func pagesBefore(d *Document, parent Dict, child Ref, budget *int) (int, bool) {
	o, err := d.Resolve(parent.Get("Kids"))
	kids, ok := o.(Array)
	if err != nil || !ok {
		return 0, false
	}
	i := slices.Index(kids, Object(child))
	if i < 0 || i > *budget {
		return 0, false
	}
	*budget -= i
	// In a flat tree every kid is a page: then the place is the number, and no kid has to be read.
	if count, ok := parent.Get("Count").(Integer); ok && int(count) == len(kids) {
		return i, true
	}
	total := 0
	for _, k := range kids[:i] {
		node, err := resolveDict(d, k)
		if err != nil {
			return 0, false
		}
		count := 1
		if n, ok := node.Get("Count").(Integer); ok && node.Has("Kids") {
			if n < 0 || n > math.MaxInt32 {
				return 0, false
			}
			count = int(n)
		}
		total += count
	}
	return total, true
}
