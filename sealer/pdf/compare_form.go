package pdf

import "fmt"

// catalogRules are the entries of the catalog that may differ, each as its own rule lets it.
var catalogRules = map[Name]func(c *comparison, at slot, old, now Object) error{
	"AcroForm":   (*comparison).compareForms,
	"DSS":        (*comparison).compareSecurityStore,
	"Extensions": (*comparison).compareExtensions,
	"Version":    (*comparison).compareVersion,
	"Metadata":   (*comparison).compareMetadata,
	"Perms":      (*comparison).compareCertification,
}

// compareCatalogs compares the document catalogs entry by entry.
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
	if key, dup := now.Duplicate(); dup && !equalDicts(old, now, maxCompareDepth) {
		c.refuse(ChangeCatalog, nowRef, 0, fmt.Sprintf("文档目录重复写了 /%s。", printable(key)),
			fmt.Sprintf("The document catalog has /%s twice.", printable(key)))
		return nil
	}
	for _, e := range union(old, now) {
		if rule := catalogRules[e.key]; rule != nil {
			if err := rule(c, slot{nowRef.Num, e.key}, e.was, e.is); err != nil {
				return err
			}
		} else if !equalDirect(e.was, e.is, maxCompareDepth) {
			c.refuseCatalog(e.key, nowRef)
		}
	}
	return nil
}

// refuseCatalog records that an entry of the catalog was changed.
func (c *comparison) refuseCatalog(key Name, catalog Ref) {
	kind := ChangeCatalog
	if key == "Pages" {
		kind = ChangePageTree
	}
	c.refuse(kind, catalog, 0,
		fmt.Sprintf("文档目录的 /%s 被改动。", printable(key)),
		fmt.Sprintf("The document catalog's /%s was changed.", printable(key)))
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

// compareForms compares the interactive forms. Where there was none, one with signature fields may come.
func (c *comparison) compareForms(at slot, oldObject, nowObject Object) error {
	old, err := resolveDict(c.before, oldObject)
	if err != nil {
		return err
	}
	now, err := resolveDict(c.after, nowObject)
	if err != nil {
		return err
	}
	c.account(at, oldObject, nowObject)
	if now == nil && old != nil {
		c.refuse(ChangeForm, Ref{}, 0, "表单被删除。", "The form was removed.")
		return nil
	}
	if key, dup := now.Duplicate(); dup && !equalDicts(old, now, maxCompareDepth) {
		c.refuse(ChangeForm, Ref{}, 0, fmt.Sprintf("表单重复写了 /%s。", printable(key)),
			fmt.Sprintf("The form has /%s twice.", printable(key)))
		return nil
	}
	for _, e := range union(old, now) {
		key, was, is := e.key, e.was, e.is
		if key == "Fields" {
			if err := c.compareFields(slot{at.holder, "AcroForm.Fields"}, was, is); err != nil {
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
		c.formDefault = !newForm
		return ok && was == nil, nil
	case "DR":
		if newForm {
			return c.closure(is)
		}
		return c.resourcesGrew(was, is)
	case "NeedAppearances":
		return newForm && is == false, nil
	}
	return false, nil
}

// compareFields compares the form's list of fields: only new signature fields may be added.
func (c *comparison) compareFields(at slot, oldObject, nowObject Object) error {
	added, ok, err := c.added(at, oldObject, nowObject)
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
			c.refuse(ChangeForm, ref, c.pageOf(ref.Num), "表单中加入了原有的对象。", "An object that existed before was added to the form.")
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
func (c *comparison) added(at slot, oldObject, nowObject Object) (gained Array, ok bool, err error) {
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
	c.account(at, oldObject, nowObject)
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
