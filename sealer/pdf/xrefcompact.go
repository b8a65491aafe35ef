package pdf

import (
	"sort"

	"yinxin/internal/fault"
)

// compact is a cross-reference that had to be read whole: entries of irregular length, or numbers listed twice. One
// that was built anew is kept the same way.
type compact struct {
	entries []compactEntry // by num, each once
	doubled bool           // a number was listed twice, and not alike
}

type compactEntry struct {
	offset int64 // as the file counts; of state 'c' the number of the object stream << 32 | the index in it
	num    int32
	gen    uint16
	state  byte // 'n', 'f', or 'c' for an object in an object stream
}

const compactEntryBytes = 16

// scanTable reads a table token by token from body; trailer is where the word trailer stands.
func (d *Document) scanTable(body int64) (c *compact, trailer int64, err error) {
	c = &compact{}
	off := body
	for {
		first, count, entry, done, err := d.subsection(off)
		if err != nil {
			return nil, 0, err
		}
		if done {
			c.sort()
			return c, entry, nil
		}
		off = entry
		for i := range count {
			at, gen, state, next, err := d.scanEntry(off)
			if err != nil {
				return nil, 0, err
			}
			if state == 't' {
				// The subsection claims more entries than it has.
				break
			}
			if i == 0 && first == 1 && state == 'f' && gen == 65535 && at == 0 {
				first = 0
			}
			if d.xrefLeft -= compactEntryBytes; d.xrefLeft < 0 {
				return nil, 0, errTooLarge.Saying("交叉引用过长", "the cross-reference is too long")
			}
			c.entries = append(c.entries, compactEntry{at, int32(first + i), uint16(min(gen, 65535)), state})
			off = next
		}
	}
}

// scanEntry reads one entry of any spacing at off; state 't' says that the word trailer stands there.
func (d *Document) scanEntry(off int64) (at, gen int64, state byte, next int64, err error) {
	w, _, err := d.window(off, maxEntryBytes)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	p := newParser(w, off, true, d.limits)
	if p.skip() == nil && p.buf[p.pos] == 't' {
		return 0, 0, 't', p.offset(p.pos), nil
	}
	at, ok1, err1 := p.integer()
	gen, ok2, err2 := p.integer()
	if err1 == nil && err2 == nil && ok1 && ok2 && p.skip() == nil {
		if t, err := p.token(); err == nil && len(t) == 1 && (t[0] == 'n' || t[0] == 'f') {
			return at, gen, t[0], p.offset(p.pos), nil
		}
	}
	return 0, 0, 0, 0, errDamagedXref.Saying("一个条目", "an entry").At(fault.Offset(off))
}

// sort orders the entries and keeps the first of each number, as other readers do.
func (c *compact) sort() {
	sort.SliceStable(c.entries, func(i, j int) bool { return c.entries[i].num < c.entries[j].num })
	kept := c.entries[:0]
	for _, e := range c.entries {
		if len(kept) == 0 || kept[len(kept)-1].num != e.num {
			kept = append(kept, e)
		} else if kept[len(kept)-1] != e {
			c.doubled = true
		}
	}
	c.entries = kept
}

// isDoubled says that entries had a number twice.
func isDoubled(e entries) bool {
	c, ok := e.(*compact)
	return ok && c.doubled
}

func (c *compact) lookup(d *Document, num int) (XrefEntry, bool, error) {
	i := sort.Search(len(c.entries), func(i int) bool { return int(c.entries[i].num) >= num })
	if i == len(c.entries) || int(c.entries[i].num) != num {
		return XrefEntry{}, false, nil
	}
	return c.entry(d, i), true, nil
}

func (c *compact) entry(d *Document, i int) XrefEntry {
	e := c.entries[i]
	if e.state == 'c' {
		return XrefEntry{Num: int(e.num), State: Compressed, Stream: int(e.offset >> 32), Index: int(uint32(e.offset))}
	}
	return d.entry(int(e.num), e.offset, int64(e.gen), e.state)
}

func (c *compact) each(d *Document, fn func(XrefEntry) error) error {
	for i := range c.entries {
		if err := fn(c.entry(d, i)); err != nil {
			return err
		}
	}
	return nil
}

func (c *compact) end() int {
	if len(c.entries) == 0 {
		return 0
	}
	return int(c.entries[len(c.entries)-1].num) + 1
}
