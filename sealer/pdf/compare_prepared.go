package pdf

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"yinxin/internal/fault"
)

// errEnough ends a walk early.
var errEnough = errors.New("enough")

// prepared refuses what was laid out before signing to show something else later (shadow attack, replace). A reference
// to nothing is legal and shows nothing; defining its object later changes what a signed page shows without touching
// the page. An object used in two places may change in one of them and not in the other.
func (c *comparison) prepared() error {
	if !c.comparer.searched {
		r := usage{doc: c.before, dangling: map[int]bool{}, uses: make([]uint16, c.before.objectEnd())}
		if err := r.search(c.ctx); err != nil {
			return err
		}
		r.forget()
		r.doc = nil
		c.comparer.searched, c.comparer.usage = true, r
	}
	c.shared()
	c.unusedDefaults()
	if err := c.danglers(); err != nil {
		return err
	}
	return c.followReferences()
}

// shared refuses a change of an object that stands elsewhere too: what is in order for a list of fields, a metadata
// stream or the appearance of a field need not be where else the same object is used.
func (c *comparison) shared() {
	places := map[int]int{}
	for _, num := range c.slots {
		places[num]++
	}
	for _, t := range c.changed {
		num := t.ref.Num
		if n := places[num]; n > 0 && (c.comparer.usage.used(num) > n || c.comparer.usage.tooMany) {
			page := c.pageOf(num)
			c.refuse(ChangeHidden, t.ref, page,
				fmt.Sprintf("被改动的对象 %d 同时用于别处，显示内容可能改变。", num),
				fmt.Sprintf("Object %d was changed, which is in use elsewhere too and may change what is shown.", num))
		}
	}
}

// followReferences keeps the count of references for the next comparison: those in changed and new objects.
func (c *comparison) followReferences() error {
	r := &c.comparer.usage
	for _, t := range c.changed {
		r.count(t.was, false)
		r.count(t.is, true)
		r.defaults.note(t.is)
	}
	for num := range c.fresh {
		e, ok, err := inUse(c.after, num)
		if err != nil || !ok {
			return err
		}
		o, err := c.after.Object(Ref{num, e.Gen})
		if err != nil {
			return err
		}
		r.count(o, true)
		r.defaults.note(o)
	}
	r.count(c.before.Trailer(), false)
	r.count(c.after.Trailer(), true)
	return nil
}

// danglers refuses new objects that the earlier document already referred to.
func (c *comparison) danglers() error {
	d := &c.comparer.usage
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
		if d.dangling[num] || d.tooMany {
			numbers = append(numbers, num)
		}
	}
	slices.Sort(numbers)
	for _, num := range numbers {
		c.refuse(ChangeHidden, Ref{Num: num}, c.pageOf(num),
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

// usage knows how often a document refers to each of its objects, and the numbers that it refers to and does not
// have.
type usage struct {
	doc      *Document
	uses     []uint16 // by object number; the highest value stands for all above
	dangling map[int]bool
	tooMany  bool
	defaults defaults
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
func (d *usage) search(ctx context.Context) error {
	d.refs(d.doc.Trailer())
	for _, s := range d.doc.sections {
		d.layout(s)
	}
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

// layout notes what the place and form of a cross-reference stream depend on. The stream need not be listed anywhere, so
// that the search would not come upon it; and what it says of every object would change with its length.
func (d *usage) layout(s *section) {
	for _, dict := range []Dict{s.trailer, s.hiddenDict} {
		for _, key := range layoutKeys {
			eachReference(dict.Get(key), func(r Ref) {
				if _, ok, err := inUse(d.doc, r.Num); (err != nil || !ok) && len(d.dangling) < maxDangling {
					d.dangling[r.Num] = true
				}
			})
		}
	}
}

// keptStreamBytes is how much of decoded object streams stays in memory during a search.
const keptStreamBytes = 4 << 20

// forget drops what the document's caches gathered: the search passes every object once and would fill them.
func (d *usage) forget() {
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
func (d *usage) object(ref Ref) error {
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
	d.refs(o)
	d.defaults.note(o)
	s, ok := o.(*Stream)
	if !ok {
		return nil
	}
	length, err := d.doc.Resolve(s.Dict.Get("Length"))
	n, isInteger := length.(Integer)
	if err != nil || (isInteger && (n < 0 || int64(n) > d.doc.Size()-s.Start)) {
		d.doubt = ref
		return errEnough
	}
	return nil
}

// refs notes the references in an object.
func (d *usage) refs(o Object) {
	// Counted afterwards: an object that refers to another twice must not make it look as if it had been looked at.
	defer d.count(o, true)
	eachReference(o, func(r Ref) {
		if d.tooMany || d.dangling[r.Num] || r.Num >= 0 && d.used(r.Num) > 0 {
			return // looked at before
		}
		if _, ok, err := inUse(d.doc, r.Num); err == nil && !ok {
			d.tooMany = len(d.dangling) >= maxDangling
			d.dangling[r.Num] = true
		}
	})
}

// count adds the references in an object to the uses, or takes them off. The dictionary of a cross-reference stream is
// a trailer: that of the newest section counts as such, and those before it mean nothing any more.
func (d *usage) count(o Object, add bool) {
	if s, ok := o.(*Stream); ok && s.Dict.Get("Type") == Name("XRef") {
		return
	}
	eachReference(o, func(r Ref) {
		if r.Num < 0 || r.Num > DefaultLimits.Objects {
			return
		}
		if r.Num >= len(d.uses) {
			if !add {
				return
			}
			d.uses = append(d.uses, make([]uint16, r.Num+1-len(d.uses))...)
		}
		switch n := d.uses[r.Num]; {
		case n == math.MaxUint16:
		case add:
			d.uses[r.Num]++
		case n > 0:
			d.uses[r.Num]--
		}
	})
}

func (d *usage) used(num int) int {
	if num >= len(d.uses) {
		return 0
	}
	return int(d.uses[num])
}

// eachReference calls fn for every reference in an object, without following any.
func eachReference(o Object, fn func(Ref)) {
	stack := []Object{o}
	for len(stack) > 0 {
		o, stack = stack[len(stack)-1], stack[:len(stack)-1]
		if ref, ok := o.(Ref); ok {
			fn(ref)
		} else {
			stack = appendValues(stack, o)
		}
	}
}

// appendValues puts on a stack what stands directly in an object: the values of an array or a dictionary, the dictionary
// of a stream. Walks keep such a stack, since recursion would let a file choose its depth.
func appendValues(stack []Object, o Object) []Object {
	switch v := o.(type) {
	case Array:
		return append(stack, v...)
	case *Stream:
		return append(stack, v.Dict)
	case Dict:
		for _, e := range v {
			stack = append(stack, e.Value)
		}
	}
	return stack
}
