package pdf

import (
	"context"
	"strconv"

	"yinxin/internal/fault"
)

// level is one node on the way of a walk.
type level struct {
	kids Array
	next int
	h    pageInheritance
	ref  Ref
}

// leaf is a page that a walk meets.
type leaf struct {
	number int
	ref    Ref
	node   Dict
	above  pageInheritance
}

// walkPages visits the page tree in order and returns page n, nil when there are fewer, and the number of pages seen.
func (d *Document) walkPages(n int) (found *Page, total int, err error) {
	total, err = d.eachPage(func(l leaf) (bool, error) {
		if l.number != n {
			return true, nil
		}
		page, err := d.page(n, l.ref, l.node, l.above)
		found = &page
		return false, err
	})
	return found, total, err
}

// eachPage calls fn for the pages in the order of the tree until it returns false, and returns the number of pages seen.
// A node that contains itself is refused.
func (d *Document) eachPage(fn func(leaf) (more bool, err error)) (int, error) {
	ref, root, err := d.pagesRoot()
	if err != nil {
		return 0, err
	}
	kids, isNode, err := d.kids(root)
	if err != nil {
		return 0, err
	}
	if !isNode {
		return 0, errDamagedPages.Saying("页面树中没有页面", "the page tree has no pages")
	}
	first := level{kids: kids, ref: ref}
	first.h.take(root)
	stack := []level{first}
	open := map[Ref]bool{ref: true}
	total := 0
	for visited := 0; len(stack) > 0; visited++ {
		if visited > d.limits.PageNodes {
			return 0, errTooLarge.Sayingf("页面树的节点超过 %d 个", "the page tree has more than %d nodes", d.limits.PageNodes)
		}
		top := &stack[len(stack)-1]
		if top.next == len(top.kids) {
			delete(open, top.ref)
			stack = stack[:len(stack)-1]
			continue
		}
		kid, kidRef, err := d.kid(top.kids[top.next])
		if err != nil {
			return 0, err
		}
		top.next++
		if kid == nil {
			continue
		}
		kids, isNode, err := d.kids(kid)
		if err != nil {
			return 0, err
		}
		if !isNode {
			total++
			if more, err := fn(leaf{total, kidRef, kid, top.h}); err != nil || !more {
				return total, err
			}
			continue
		}
		if open[kidRef] {
			return 0, errDamagedPages.Saying("有节点包含自己", "a node contains itself").At(fault.Object(kidRef.Num, kidRef.Gen))
		}
		if len(stack) > maxPageDepth {
			return 0, errTooDeep.Saying("页面树", "the page tree")
		}
		open[kidRef] = true
		next := level{kids: kids, h: top.h, ref: kidRef}
		next.h.take(kid)
		stack = append(stack, next)
	}
	return total, nil
}

// EachPage calls fn for every page in order, with the resources that it has or inherits (not resolved). It goes down
// the tree once, where Page does so for every page. fn may return an error to stop, which EachPage returns. Kids that
// are no dictionaries are passed over; a node that contains itself is pdf.damaged-pages.
func (d *Document) EachPage(ctx context.Context, fn func(p Page, resources Object) error) error {
	_, err := d.eachPage(func(l leaf) (bool, error) {
		if l.number&0xFF == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		page, err := d.page(l.number, l.ref, l.node, l.above)
		if err != nil {
			return false, err
		}
		l.above.take(l.node)
		return true, fn(page, l.above.resources)
	})
	return err
}

// maxRangedPages is the longest document of which pages are named by ranges: the tree is then walked as a whole.
const maxRangedPages = 200_000

// pageList is all pages of a document, as far as they are needed to read any of them.
type pageList struct {
	document *Document
	pages    []listed
}

type listed struct {
	ref   Ref
	above pageInheritance
}

// listPages walks the page tree once. What it costs grows with the number of pages, so only requests that name pages by
// range come here.
func (d *Document) listPages(ctx context.Context) (*pageList, error) {
	l := &pageList{document: d}
	_, err := d.eachPage(func(f leaf) (bool, error) {
		if len(l.pages) == maxRangedPages {
			return false, errTooLarge.Sayingf("超过 %d 页", "more than %d pages", maxRangedPages)
		}
		l.pages = append(l.pages, listed{f.ref, f.above})
		if f.number&0xFF == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		return true, nil
	})
	return l, err
}

// page reads page n of the list.
func (l *pageList) page(n int) (Page, error) {
	if n < 1 || n > len(l.pages) {
		return Page{}, noSuchPage(strconv.Itoa(n), len(l.pages))
	}
	found := l.pages[n-1]
	if found.ref == (Ref{}) {
		return Page{}, errDamagedPages.Saying("该页不是独立的对象", "the page is not an object of its own").At(fault.Page(n))
	}
	node, _, err := l.document.kid(found.ref)
	if err != nil {
		return Page{}, err
	}
	return l.document.page(n, found.ref, node, found.above)
}
