package pdf

import (
	"context"

	"yinxin/internal/fault"
)

// EachPage calls fn for every page in order, with the resources that it has or inherits (not resolved). It goes down
// the tree once, where Page does so for every page. fn may return an error to stop, which EachPage returns. Kids that
// are no dictionaries are passed over; a node that contains itself is pdf.damaged-pages.
func (d *Document) EachPage(ctx context.Context, fn func(p Page, resources Object) error) error {
	type state struct {
		level
		resources Object
	}
	ref, root, err := d.pagesRoot()
	if err != nil {
		return err
	}
	kids, isNode, err := d.kids(root)
	if err != nil {
		return err
	}
	if !isNode {
		return errDamagedPages.With("the page tree has no pages")
	}
	first := state{level: level{kids: kids, ref: ref}, resources: root.Get("Resources")}
	first.h.take(root)
	stack := []state{first}
	open := map[Ref]bool{ref: true}
	number := 0
	for visited := 0; len(stack) > 0; visited++ {
		if visited > d.limits.PageNodes {
			return errTooLarge.With("the page tree has more than %d nodes", d.limits.PageNodes)
		}
		if visited&0xFF == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		top := &stack[len(stack)-1]
		if top.next == len(top.kids) {
			delete(open, top.ref)
			stack = stack[:len(stack)-1]
			continue
		}
		kid, kidRef, err := d.kid(top.kids[top.next])
		if err != nil {
			return err
		}
		top.next++
		if kid == nil {
			continue
		}
		resources := top.resources
		if o := kid.Get("Resources"); o != nil {
			resources = o
		}
		kids, isNode, err := d.kids(kid)
		if err != nil {
			return err
		}
		if !isNode {
			number++
			page, err := d.page(number, kidRef, kid, top.h)
			if err != nil {
				return err
			}
			if err := fn(page, resources); err != nil {
				return err
			}
			continue
		}
		if open[kidRef] {
			return errDamagedPages.With("a node contains itself").At(fault.Object(kidRef.Num, kidRef.Gen))
		}
		if len(stack) > maxPageDepth {
			return errTooDeep.With("the page tree")
		}
		open[kidRef] = true
		next := state{level: level{kids: kids, h: top.h, ref: kidRef}, resources: resources}
		next.h.take(kid)
		stack = append(stack, next)
	}
	return nil
}
