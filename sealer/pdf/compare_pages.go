package pdf

import (
	"fmt"
	"math"
	"slices"
)

// comparePages compares every page that was written again, and those whose list of annotations was.
func (c *comparison) comparePages() error {
	for _, t := range c.changed {
		if c.vetted[t.ref.Num] {
			continue
		}
		page := t.ref
		switch is := t.is.(type) {
		case Dict:
			was, _ := t.was.(Dict)
			if was.Get("Type") != Name("Page") || is.Get("Type") != Name("Page") {
				continue
			}
		case Array:
			// A list of annotations that is an object of its own, of a page that was not written again.
			var ok bool
			if page, ok = c.places().lists[t.ref.Num]; !ok {
				continue
			}
		default:
			continue
		}
		if err := c.comparePage(page); err != nil {
			return err
		}
	}
	return nil
}

// comparePage compares a page that came up: its /Annots may have gained annotations, which are judged later.
func (c *comparison) comparePage(ref Ref) error {
	if c.pages[ref.Num] {
		return nil
	}
	was, err := resolveDict(c.before, ref)
	if err != nil {
		return err
	}
	is, err := resolveDict(c.after, ref)
	if err != nil {
		return err
	}
	if was.Get("Type") != Name("Page") || is.Get("Type") != Name("Page") {
		return nil // no page: what was changed there stays unexplained
	}
	c.pages[ref.Num], c.vetted[ref.Num] = true, true
	for _, key := range unionKeys(was, is) {
		if key != "Annots" && !equalDirect(was.Get(key), is.Get(key), maxCompareDepth) {
			c.refusePage(key, ref)
		}
	}
	if key, dup := is.Duplicate(); dup && !equalDicts(was, is, maxCompareDepth) {
		c.refusePage(key, ref)
	}
	gained, ok, err := c.added(slot{ref.Num, "Annots"}, was.Get("Annots"), is.Get("Annots"))
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
		if r, isRef := o.(Ref); isRef && c.fresh[r.Num] {
			c.gained[r.Num] = append(c.gained[r.Num], ref)
			if err := c.gainedAnnotation(r, ref); err != nil {
				return err
			}
		} else {
			c.refuseAnnotation(r, ref, o)
		}
	}
	return nil
}

// gainedAnnotation sorts a new annotation: widgets of new signatures and what may be a part of a seal are judged once
// all pages were compared; any other is refused.
func (c *comparison) gainedAnnotation(r, page Ref) error {
	if slices.ContainsFunc(c.widgets, func(w *newWidget) bool { return w.ref == r }) {
		return nil
	}
	dict, err := resolveDict(c.after, r)
	if err != nil {
		return err
	}
	c.vetted[r.Num] = true
	if dict.Get("Subtype") == Name("Stamp") {
		c.parts = append(c.parts, sealPart{r, page, dict})
		return nil
	}
	c.refuseAnnotation(r, page, dict)
	return nil
}

// refuseAnnotation records that an annotation was added to a page.
func (c *comparison) refuseAnnotation(r, page Ref, annotation Object) {
	number := pageNumber(c.after, page)
	zh, en := "", ""
	if dict, _ := annotation.(Dict); dict != nil {
		if t, ok := dict.Get("Subtype").(Name); ok {
			zh, en = "（"+printable(t)+"）", " ("+printable(t)+")"
		}
	}
	c.refuse(ChangeAnnotation, r, number, onPage(number, "%s加入了批注"+zh+"。"),
		toPage(number, "An annotation was added")+en+".")
}

// toPage ends an English sentence with the page that something was added to.
func toPage(page int, sentence string) string {
	if page == 0 {
		return sentence + " to a page"
	}
	return fmt.Sprintf("%s to page %d", sentence, page)
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
