package pdf

import "context"

// EachPage calls fn for every page in order, with the resources that it has or inherits (not resolved). It goes down
// the tree once, where Page does so for every page. fn may return an error to stop, which EachPage returns. Kids that
// are no dictionaries are passed over; a node that contains itself is pdf.damaged-pages.
func (d *Document) EachPage(ctx context.Context, fn func(p Page, resources Object) error) error {
	_, err := d.eachPage(func(l leaf) (bool, error) {
		if l.number&0x3F == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		page, err := d.page(l.number, l.ref, l.node, l.above)
		if err != nil {
			return false, err
		}
		l.above.take(l.node)
		err = fn(page, l.above.resources)
		return err == nil, err
	})
	return err
}
