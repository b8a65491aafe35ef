package pdf

import (
	"fmt"
	"strconv"

	"yinxin/internal/fault"
)

// Page is a page with what it inherits.
type Page struct {
	Number int // from 1
	Ref    Ref // zero when the page is not an indirect object, which is an error of its producer
	Dict   Dict
	// MediaBox and CropBox in user space units, inherited, normalised; CropBox lies inside MediaBox.
	MediaBox, CropBox Rect
	Rotate            int     // degrees clockwise when displayed: 0, 90, 180 or 270
	UserUnit          float64 // size of a user space unit in points, 1 unless the page says otherwise
}

// defaultMediaBox is what readers assume of a page that has no box which can be read.
var defaultMediaBox = Rect{0, 0, 612, 792}

// pageInheritance is the page attributes that come from nodes above (ISO 32000-1, 7.7.3.4).
type pageInheritance struct{ mediaBox, cropBox, rotate, resources Object }

func (h *pageInheritance) take(node Dict) {
	if o := node.Get("MediaBox"); o != nil {
		h.mediaBox = o
	}
	if o := node.Get("CropBox"); o != nil {
		h.cropBox = o
	}
	if o := node.Get("Rotate"); o != nil {
		h.rotate = o
	}
	if o := node.Get("Resources"); o != nil {
		h.resources = o
	}
}

// pagesRoot is the root of the page tree.
func (d *Document) pagesRoot() (Ref, Dict, error) {
	catalog, _, err := d.Catalog()
	if err != nil {
		return Ref{}, nil, err
	}
	ref, _ := catalog.Get("Pages").(Ref)
	o, err := d.Resolve(catalog.Get("Pages"))
	if err != nil {
		return Ref{}, nil, err
	}
	root, ok := o.(Dict)
	if !ok {
		return Ref{}, nil, errDamagedPages.Saying("缺少页面树", "the page tree is missing")
	}
	return ref, root, nil
}

// PageCount is the number of pages, as the root of the page tree says; when it says nothing credible, the tree is
// walked.
func (d *Document) PageCount() (int, error) {
	if d.pageTotal > 0 {
		return d.pageTotal, nil
	}
	_, root, err := d.pagesRoot()
	if err != nil {
		return 0, err
	}
	if n, err := d.integerOr(root.Get("Count"), -1); err == nil && n > 0 && n < int64(d.objectEnd()) {
		d.pageTotal = int(n)
		return d.pageTotal, nil
	}
	_, total, err := d.walkPages(-1)
	if err != nil {
		return 0, err
	}
	d.pageTotal = total
	return total, nil
}

// objectEnd is one more than the highest object number of any section.
func (d *Document) objectEnd() int {
	end := 0
	for _, s := range d.sections {
		end = max(end, s.end())
	}
	return end
}

// noSuchPage says how many pages there are.
func noSuchPage(asked string, total int) *fault.Fault {
	return errNoSuchPage.Saying(fmt.Sprintf("要的是 %s，文件共 %d 页", asked, total), fmt.Sprintf("asked for %s, the file has %d", asked, total))
}

// Page returns page n, counted from 1. The way down the tree goes by /Count, so a page of a huge document costs a few
// reads; where the counts are wrong the tree is walked. Errors: pdf.no-such-page, pdf.damaged-pages.
func (d *Document) Page(n int) (Page, error) {
	if n < 1 {
		return Page{}, errNoSuchPage.With("%d", n)
	}
	page, ok, err := d.descend(n)
	if err != nil {
		return Page{}, err
	}
	if ok {
		return page, nil
	}
	p, total, err := d.walkPages(n)
	if err != nil {
		return Page{}, err
	}
	if p == nil {
		d.pageTotal = total
		return Page{}, noSuchPage(strconv.Itoa(n), total)
	}
	return *p, nil
}

// maxPageDepth is how deep a page tree may be; a circle of nodes ends there.
const maxPageDepth = 1000

// countedKids is up to how many kids of a node are looked at one by one.
const countedKids = 4096

// descend goes down the tree by /Count. It reports false when the counts do not lead to a page.
func (d *Document) descend(n int) (Page, bool, error) {
	ref, node, err := d.pagesRoot()
	if err != nil {
		return Page{}, false, err
	}
	var h pageInheritance
	left := n
	steps := 0
	for range maxPageDepth {
		kids, isNode, err := d.kids(node)
		if err != nil {
			return Page{}, false, err
		}
		if !isNode {
			if left != 1 {
				return Page{}, false, nil
			}
			page, err := d.page(n, ref, node, h)
			return page, err == nil, err
		}
		h.take(node)
		count, err := d.integerOr(node.Get("Count"), -1)
		if err != nil {
			return Page{}, false, err
		}
		if count < int64(left) {
			return Page{}, false, nil
		}
		i := 0
		if count == int64(len(kids)) && len(kids) > countedKids {
			// Every kid holds one page, or else some hold none: in a flat tree of this size that is not worth looking at
			// every kid before.
			i, left = left-1, 1
		}
		found := false
		for ; i < len(kids) && !found; i++ {
			if steps++; steps > d.limits.PageNodes {
				return Page{}, false, errTooLarge.Sayingf("页面树的节点超过 %d 个", "the page tree has more than %d nodes", d.limits.PageNodes)
			}
			kid, kidRef, err := d.kid(kids[i])
			if err != nil {
				return Page{}, false, err
			}
			below := int64(1)
			if kid == nil {
				return Page{}, false, nil
			}
			if isPagesNode(kid) {
				if below, err = d.integerOr(kid.Get("Count"), -1); err != nil {
					return Page{}, false, err
				}
				if below < 0 {
					return Page{}, false, nil
				}
			}
			if int64(left) <= below {
				ref, node, found = kidRef, kid, true
				break
			}
			left -= int(below)
		}
		if !found {
			return Page{}, false, nil
		}
	}
	return Page{}, false, errDamagedPages.Saying("页面树没有尽头", "the page tree does not end")
}

// isPagesNode tells a node from a page: by its kids, since /Type is often wrong.
func isPagesNode(node Dict) bool { return node.Has("Kids") }

// kids returns the kids of a node; a dictionary without them is a page.
func (d *Document) kids(node Dict) (Array, bool, error) {
	if !isPagesNode(node) {
		return nil, false, nil
	}
	o, err := d.Resolve(node.Get("Kids"))
	if err != nil {
		return nil, true, err
	}
	kids, _ := o.(Array)
	return kids, true, nil
}

// kid resolves one kid; nil when it is not a dictionary.
func (d *Document) kid(o Object) (Dict, Ref, error) {
	ref, _ := o.(Ref)
	o, err := d.Resolve(o)
	if err != nil {
		return nil, ref, err
	}
	kid, _ := o.(Dict)
	return kid, ref, nil
}

// page makes a Page of a leaf.
func (d *Document) page(n int, ref Ref, node Dict, h pageInheritance) (Page, error) {
	h.take(node)
	p := Page{Number: n, Ref: ref, Dict: node, UserUnit: 1}
	var err error
	media, ok, err := d.rect(h.mediaBox)
	if err != nil {
		return Page{}, err
	}
	if !ok {
		media = defaultMediaBox
	}
	crop, ok, err := d.rect(h.cropBox)
	if err != nil {
		return Page{}, err
	}
	if !ok {
		crop = media
	}
	p.MediaBox, p.CropBox = media, intersect(crop, media)
	rotate, err := d.Resolve(h.rotate)
	if err != nil {
		return Page{}, err
	}
	if r, ok := Number(rotate); ok && r == float64(int(r)/90*90) {
		p.Rotate = (int(r)%360 + 360) % 360
	}
	unit, err := d.Resolve(node.Get("UserUnit"))
	if err != nil {
		return Page{}, err
	}
	if u, ok := Number(unit); ok && u > 0 && u < 1e6 {
		p.UserUnit = u
	}
	return p, nil
}

// rect resolves a rectangle and normalises it; false when there is none, or none with an area.
func (d *Document) rect(o Object) (Rect, bool, error) {
	o, err := d.Resolve(o)
	if err != nil {
		return Rect{}, false, err
	}
	a, ok := o.(Array)
	if !ok || len(a) < 4 {
		return Rect{}, false, nil
	}
	var v [4]float64
	for i := range v {
		o, err := d.Resolve(a[i])
		if err != nil {
			return Rect{}, false, err
		}
		if v[i], ok = Number(o); !ok {
			return Rect{}, false, nil
		}
	}
	r := Rect{min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3])}
	return r, r.Width() > 0 && r.Height() > 0, nil
}

// intersect cuts a to b; where nothing is left, b.
func intersect(a, b Rect) Rect {
	r := Rect{max(a.X1, b.X1), max(a.Y1, b.Y1), min(a.X2, b.X2), min(a.Y2, b.Y2)}
	if r.Width() <= 0 || r.Height() <= 0 {
		return b
	}
	return r
}
