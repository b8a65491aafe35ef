package pdf

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"yinxin/internal/fault"
)

// errEnough ends a walk early.
var errEnough = errors.New("enough")

// prepared refuses new objects that the earlier document already referred to. A reference to nothing is legal and
// shows nothing; defining its object later changes what a signed page shows without touching the page (shadow attack,
// replace).
func (c *comparison) prepared() error {
	if !c.comparer.searched {
		d := dangling{doc: c.before, numbers: map[int]bool{}}
		if err := d.search(c.ctx); err != nil {
			return err
		}
		d.forget()
		d.doc = nil
		c.comparer.searched, c.comparer.dangling = true, d
	}
	d := c.comparer.dangling
	if d.doubt != (Ref{}) {
		c.refuseDoubt(d.doubt)
	}
	for _, ref := range d.unreadable {
		if o, err := c.after.Object(ref); err == nil && o != nil {
			c.refuseDoubt(ref)
		}
	}
	numbers := make([]int, 0, len(c.fresh))
	for num := range c.fresh {
		if d.numbers[num] || d.tooMany {
			numbers = append(numbers, num)
		}
	}
	slices.Sort(numbers)
	for _, num := range numbers {
		c.refuse(ChangeHidden, Ref{Num: num}, 0,
			fmt.Sprintf("盖章前已有内容引用对象 %d，后来才加入它，显示内容可能改变。", num),
			fmt.Sprintf("Earlier content already referred to object %d, which was added later and may change what is shown.", num))
	}
	return nil
}

func (c *comparison) refuseDoubt(ref Ref) {
	c.refuse(ChangeHidden, ref, 0,
		fmt.Sprintf("对象 %d 原先无法完整读取，后来加入的内容可能改变它。", ref.Num),
		fmt.Sprintf("Object %d could not be read to its end before, and what was added later may change it.", ref.Num))
}

// dangling collects the object numbers that a document refers to and does not have.
type dangling struct {
	doc     *Document
	numbers map[int]bool
	tooMany bool
	// unreadable are objects that are not where the cross-reference says, as careless producers leave them behind. They
	// must stay so: an entry can point beyond the end, to where something is appended later.
	unreadable []Ref
	// doubt is an object that costs too much to read, or a stream that claims to run past the end of the document: more
	// bytes could give it another meaning.
	doubt Ref
	seen  int
}

const (
	maxDangling   = 100_000
	maxUnreadable = 1000
)

// search visits every object of the document once, one at a time, so that memory does not grow with the file.
func (d *dangling) search(ctx context.Context) error {
	d.refs(d.doc.Trailer())
	for _, s := range d.doc.Sections() {
		err := s.Objects(ctx, func(e XrefEntry) error {
			current, ok, err := inUse(d.doc, e.Num)
			if err != nil || !ok || e.State == Free || current != e {
				return err // freed, or overridden by a later section
			}
			d.seen++
			if d.seen > maxPreparedObjects {
				d.tooMany = true
				return errEnough
			}
			if d.seen%256 == 0 {
				d.forget()
			}
			return d.object(Ref{e.Num, e.Gen})
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		if d.tooMany || d.doubt != (Ref{}) {
			return nil
		}
	}
	return nil
}

// keptStreamBytes is how much of decoded object streams stays in memory during a search.
const keptStreamBytes = 4 << 20

// forget drops what the document's caches gathered: the search passes every object once and would fill them.
func (d *dangling) forget() {
	clear(d.doc.cache)
	total := 0
	for i := len(d.doc.streams) - 1; i >= 0; i-- {
		if total += len(d.doc.streams[i].data); total > keptStreamBytes && i < len(d.doc.streams)-1 {
			d.doc.streams = slices.Clone(d.doc.streams[i+1:])
			return
		}
	}
}

// object notes what one object refers to.
func (d *dangling) object(ref Ref) error {
	o, err := d.doc.Object(ref)
	if fault.Has(err, errRead) {
		return err
	}
	if f, ok := fault.Of(err); ok && f.Kind == fault.Invalid && len(d.unreadable) < maxUnreadable {
		d.unreadable = append(d.unreadable, ref)
		return nil
	}
	if err != nil {
		d.doubt = ref
		return errEnough
	}
	s, ok := o.(*Stream)
	if !ok {
		d.refs(o)
		return nil
	}
	d.refs(s.Dict)
	length, err := d.doc.Resolve(s.Dict.Get("Length"))
	n, isInteger := length.(Integer)
	if err != nil || (isInteger && (n < 0 || int64(n) > d.doc.Size()-s.Start)) {
		d.doubt = ref
		return errEnough
	}
	return nil
}

// refs notes the references in an object that lead to nothing.
func (d *dangling) refs(o Object) {
	stack := []Object{o}
	for len(stack) > 0 {
		o, stack = stack[len(stack)-1], stack[:len(stack)-1]
		switch v := o.(type) {
		case Ref:
			if _, ok, err := inUse(d.doc, v.Num); err == nil && !ok {
				if len(d.numbers) >= maxDangling {
					d.tooMany = true
					return
				}
				d.numbers[v.Num] = true
			}
		case Array:
			stack = append(stack, v...)
		case Dict:
			for _, e := range v {
				stack = append(stack, e.Value)
			}
		}
	}
}
