package pdf

import "fmt"

// whereabouts tell on which page the objects of a document show. They only serve sentences and the search for the
// page of a list of annotations, so what cannot be read is left out: nothing is permitted because of them alone.
type whereabouts struct {
	page       map[int]int  // object number to page number, the first page that uses the object
	annotation map[int]bool // objects that annotations reach
	lists      map[int]Ref  // arrays of annotations that are objects of their own, and their page
	catalog    map[int]Name // objects that the catalog reaches, and by which of its entries
}

// places makes the whereabouts of the earlier document when they are first asked for.
func (c *comparison) places() *whereabouts {
	if c.where == nil {
		c.where = locateObjects(c.before)
	}
	return c.where
}

// pageOf is the page on which an object shows, 0 when that is not known: of the earlier document, and of the later one
// for what is new.
func (c *comparison) pageOf(num int) int {
	if n := c.places().page[num]; n > 0 {
		return n
	}
	if c.whereNow == nil {
		c.whereNow = locateObjects(c.after)
	}
	return c.whereNow.page[num]
}

// locateObjects goes through the first pages of a document, as far as a bounded walk goes.
func locateObjects(d *Document) *whereabouts {
	w := &whereabouts{page: map[int]int{}, annotation: map[int]bool{}, lists: map[int]Ref{}, catalog: map[int]Name{}}
	count, err := d.PageCount()
	budget := 5 * maxClosure
	for n := 1; err == nil && n <= min(count, maxNamedPages) && budget > 0; n++ {
		var p Page
		if p, err = d.Page(n); err != nil {
			break
		}
		w.page[p.Ref.Num] = n
		if list, ok := p.Dict.Get("Annots").(Ref); ok && p.Ref.Num != 0 {
			if _, known := w.lists[list.Num]; !known {
				w.lists[list.Num] = p.Ref
			}
		}
		w.walk(d, n, p.Dict.Get("Annots"), true, &budget)
		w.walk(d, n, p.Dict, false, &budget)
		w.inherited(d, n, p.Dict, &budget)
	}
	w.walkCatalog(d)
	return w
}

// inherited walks the resources that a page has from the nodes above it.
func (w *whereabouts) inherited(d *Document, page int, dict Dict, budget *int) {
	for range 50 {
		parent, err := resolveDict(d, dict.Get("Parent"))
		if err != nil || parent == nil || dict.Has("Resources") {
			return
		}
		w.walk(d, page, parent.Get("Resources"), false, budget)
		dict = parent
	}
}

// walk notes what one value of a page reaches. Fields above the widgets of the page belong to it, their other widgets
// do not.
func (w *whereabouts) walk(d *Document, page int, o Object, annotations bool, budget *int) {
	stack := []Object{o}
	for len(stack) > 0 && *budget > 0 {
		*budget--
		o, stack = stack[len(stack)-1], stack[:len(stack)-1]
		switch v := o.(type) {
		case Ref:
			if _, seen := w.page[v.Num]; seen {
				continue
			}
			next, err := d.Object(v)
			if err != nil || isPageNode(next) {
				continue
			}
			w.page[v.Num] = page
			if annotations {
				w.annotation[v.Num] = true
			}
			stack = append(stack, next)
		case Dict:
			for _, e := range v {
				if parent, ok := e.Value.(Ref); ok && annotations && e.Key == "Parent" {
					w.field(d, page, parent)
				} else if e.Key != "Parent" && e.Key != "P" {
					stack = append(stack, e.Value)
				}
			}
		default:
			stack = appendValues(stack, v)
		}
	}
}

// field notes the fields above a widget.
func (w *whereabouts) field(d *Document, page int, ref Ref) {
	for range 50 {
		if _, seen := w.page[ref.Num]; seen {
			return
		}
		field, err := resolveDict(d, ref)
		if err != nil || field == nil || isPageNode(field) {
			return
		}
		w.page[ref.Num], w.annotation[ref.Num] = page, true
		var ok bool
		if ref, ok = field.Get("Parent").(Ref); !ok {
			return
		}
	}
}

// walkCatalog notes what the entries of the catalog reach, other than its pages.
func (w *whereabouts) walkCatalog(d *Document) {
	catalog, _, err := d.Catalog()
	if err != nil {
		return
	}
	for _, entry := range catalog {
		if entry.Key == "Pages" {
			continue
		}
		budget := 1000
		stack := []Object{entry.Value}
		for len(stack) > 0 && budget > 0 {
			budget--
			var o Object
			o, stack = stack[len(stack)-1], stack[:len(stack)-1]
			ref, ok := o.(Ref)
			if !ok {
				stack = appendValues(stack, o)
				continue
			}
			if _, seen := w.catalog[ref.Num]; seen {
				continue
			}
			next, err := d.Object(ref)
			if err != nil || isPageNode(next) {
				continue
			}
			w.catalog[ref.Num] = entry.Key
			stack = append(stack, next)
		}
	}
}

func isPageNode(o Object) bool {
	d, ok := o.(Dict)
	return ok && (d.Get("Type") == Name("Page") || d.Get("Type") == Name("Pages"))
}

// onPage puts the page into a Chinese sentence.
func onPage(page int, format string) string {
	if page == 0 {
		return fmt.Sprintf(format, "某一页")
	}
	return fmt.Sprintf(format, fmt.Sprintf("第 %d 页", page))
}

// onPageEN puts the page into an English sentence, with a space after it.
func onPageEN(page int, format string) string {
	if page == 0 {
		return fmt.Sprintf(format, "of a page ")
	}
	return fmt.Sprintf(format, fmt.Sprintf("of page %d ", page))
}
