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
			if !c.arePages(t.ref, was, is) {
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

// arePages says whether an object was a page and is one. Careless producers leave out /Type: then its place in the page
// tree counts.
func (c *comparison) arePages(ref Ref, was, is Dict) bool {
	if was.Has("Type") || is.Has("Type") {
		return was.Get("Type") == Name("Page") && is.Get("Type") == Name("Page")
	}
	return was.Has("Parent") && !was.Has("Kids") && !is.Has("Kids") && pageNumber(c.before, ref) > 0
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
	if !c.arePages(ref, was, is) {
		return nil // no page: what was changed there stays unexplained
	}
	c.pages[ref.Num], c.vetted[ref.Num] = true, true
	for _, e := range union(was, is) {
		if e.key != "Annots" && !equalDirect(e.was, e.is, maxCompareDepth) {
			c.refusePage(e.key, ref)
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
		page := c.number(ref)
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
	if c.isWidget[r] {
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
	number := c.number(page)
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
	page := c.number(ref)
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
// work.
func pageNumber(d *Document, page Ref) int {
	return (&pageCounter{doc: d, budget: maxPageSearch}).number(page)
}

// number is pageNumber in the later document.
func (c *comparison) number(page Ref) int {
	if c.counter == nil {
		c.counter = &pageCounter{doc: c.after, budget: 10 * maxPageSearch, before: map[Ref]map[Ref]int{}}
	}
	return c.counter.number(page)
}

// pageCounter gives pages their numbers. It climbs from the page and adds up the /Count of what stands before it; of
// nodes with many kids it keeps the sums, so that many pages cost no more than one.
type pageCounter struct {
	doc    *Document
	budget int                 // nodes and kids that may still be visited
	before map[Ref]map[Ref]int // by node and kid; nil to keep nothing
}

func (p *pageCounter) number(page Ref) int {
	number := 1
	child := page
	for range 50 {
		node, err := resolveDict(p.doc, child)
		if err != nil || node == nil {
			return 0
		}
		parent, ok := node.Get("Parent").(Ref)
		if !ok {
			if child == page {
				return 0
			}
			return number
		}
		before, ok := p.pagesBefore(parent, child)
		if !ok {
			return 0
		}
		number += before
		child = parent
	}
	return 0
}

// pagesBefore adds up the pages of a node that stand before one of its kids.
func (p *pageCounter) pagesBefore(parent, child Ref) (int, bool) {
	sums, known := p.before[parent]
	if !known {
		node, err := resolveDict(p.doc, parent)
		if err != nil || node == nil {
			return 0, false
		}
		o, err := p.doc.Resolve(node.Get("Kids"))
		kids, ok := o.(Array)
		if err != nil || !ok {
			return 0, false
		}
		count, _ := node.Get("Count").(Integer)
		flat := int(count) == len(kids)
		if p.before == nil {
			i := slices.Index(kids, Object(child))
			if i < 0 {
				return 0, false
			}
			kids = kids[:i+1]
		}
		if sums, ok = p.sums(kids, flat); !ok {
			return 0, false
		}
		if p.before != nil {
			p.before[parent] = sums
		}
	}
	before, ok := sums[child]
	return before, ok
}

// sums gives the pages before each kid. In a flat tree every kid is a page: then the place is the number, and no kid
// has to be read.
func (p *pageCounter) sums(kids Array, flat bool) (map[Ref]int, bool) {
	out := make(map[Ref]int, len(kids))
	total := 0
	for i, k := range kids {
		if p.budget--; p.budget < 0 {
			return nil, false
		}
		ref, ok := k.(Ref)
		if _, twice := out[ref]; ok && !twice {
			out[ref] = total
		}
		count := 1
		if !flat && i+1 < len(kids) {
			node, err := resolveDict(p.doc, k)
			if err != nil {
				return nil, false
			}
			if n, ok := node.Get("Count").(Integer); ok && node.Has("Kids") {
				if n < 0 || n > math.MaxInt32 {
					return nil, false
				}
				count = int(n)
			}
		}
		total += count
	}
	return out, true
}
