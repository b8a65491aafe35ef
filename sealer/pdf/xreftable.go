package pdf

import (
	"sort"

	"yinxin/internal/fault"
)

// table is a classic cross-reference table that stays in the file: an entry is read when it is asked for.
type table struct {
	ranges []tableRange // by first, disjoint
}

type tableRange struct {
	first, count int
	offset       int64 // of the first entry
	stride       int64 // bytes from one entry to the next: 20, or what a careless producer wrote
}

// maxEntryBytes is how long an entry can be: digits of any leading zeros, and white space.
const maxEntryBytes = 64

// readTable reads a table whose word "xref" ends at body.
func (d *Document) readTable(off, body int64) (*section, error) {
	s := &section{start: off, kind: Table}
	ranges, trailer, lazy, err := d.tableRanges(body)
	if err != nil {
		return nil, err
	}
	if lazy && disjoint(ranges) {
		s.entries = &table{ranges}
	} else {
		compact, end, err := d.scanTable(body)
		if err != nil {
			return nil, err
		}
		s.entries, s.doubled, trailer = compact, compact.doubled, end
	}
	if err := d.readTrailer(s, trailer); err != nil {
		return nil, err
	}
	s.fixed = true
	if hidden, ok := s.trailer.Get("XRefStm").(Integer); ok {
		s.fixed = false
		at := int64(hidden) + d.bias
		_, l, _, err := d.readIndirect(at)
		if err != nil {
			return nil, damagedXref(err, at)
		}
		stream, ok := l.object.(*Stream)
		if !ok || stream.Dict.Get("Type") != Name("XRef") {
			return nil, errDamagedXref.With("/XRefStm").At(fault.Offset(at))
		}
		if s.hidden, err = d.readXrefStream(stream); err != nil {
			return nil, damagedXref(err, at)
		}
		s.kind, s.hiddenDict, s.doubled = Hybrid, stream.Dict, s.doubled || isDoubled(s.hidden)
	}
	return s, nil
}

// disjoint sorts ranges by their first number and reports whether no number is in two of them.
func disjoint(ranges []tableRange) bool {
	less := func(i, j int) bool { return ranges[i].first < ranges[j].first }
	if !sort.SliceIsSorted(ranges, less) {
		sort.SliceStable(ranges, less)
	}
	for i := 1; i < len(ranges); i++ {
		if ranges[i].first < ranges[i-1].first+ranges[i-1].count {
			return false
		}
	}
	return true
}

// tableRanges walks the heads of the subsections without reading their entries. lazy is false when entries do not
// have a constant length; trailer is where the word trailer stands.
func (d *Document) tableRanges(off int64) (ranges []tableRange, trailer int64, lazy bool, err error) {
	for {
		first, count, entry, done, err := d.subsection(off)
		if err != nil {
			return nil, 0, false, err
		}
		if done {
			return ranges, entry, true, nil
		}
		if count == 0 {
			off = entry
			continue
		}
		stride, ok, err := d.stride(entry, count)
		if err != nil || !ok {
			return nil, 0, false, err
		}
		if first == 1 {
			// A known mistake: the table begins with the head of the free list, so its first number must be 0.
			if e, err := d.tableEntry(entry, 1); err == nil && e.State == Free && e.Gen == 65535 && e.Offset == 0 {
				first = 0
			}
		}
		if d.xrefLeft -= 32; d.xrefLeft < 0 {
			return nil, 0, false, errTooLarge.Saying("交叉引用的段过多", "the cross-reference has too many parts")
		}
		ranges = append(ranges, tableRange{first, count, entry, stride})
		off = entry + int64(count)*stride
	}
}

// subsection reads "first count" and returns where the first entry stands; done, and where it stands, when the word
// trailer comes instead.
func (d *Document) subsection(off int64) (first, count int, entry int64, done bool, err error) {
	w, final, err := d.window(off, 128)
	if err != nil {
		return 0, 0, 0, false, damagedXref(err, off)
	}
	p := newParser(w, off, final, d.limits)
	if err := p.skip(); err != nil {
		return 0, 0, 0, false, damagedXref(err, off)
	}
	if p.buf[p.pos] == 't' {
		return 0, 0, p.offset(p.pos), true, nil
	}
	a, ok1, err1 := p.integer()
	b, ok2, err2 := p.integer()
	if err1 != nil || err2 != nil || !ok1 || !ok2 {
		return 0, 0, 0, false, errDamagedXref.Saying("子段的开头", "the head of a subsection").At(fault.Offset(off))
	}
	if err := p.skip(); err != nil {
		return 0, 0, 0, false, damagedXref(err, off)
	}
	if a > int64(d.limits.Objects) || b > int64(d.limits.Objects) {
		return 0, 0, 0, false, errAbsurdSize.Sayingf("%d 个对象，从编号 %d 起", "%d objects from number %d", b, a)
	}
	return int(a), int(b), p.offset(p.pos), false, nil
}

// stride finds the length of the entries of a subsection: 20 bytes, or 19 or 21 when every sign says so. The last
// entry and what follows it are looked at; an entry between that does not fit is damage, found when it is read.
func (d *Document) stride(entry int64, count int) (int64, bool, error) {
	for _, stride := range []int64{20, 19, 21} {
		last := entry + int64(count-1)*stride
		if last+18 > d.size {
			continue
		}
		if _, err := d.tableEntry(entry, 0); err != nil {
			return 0, false, nil
		}
		if _, err := d.tableEntry(last, 0); err != nil {
			continue
		}
		if ok, err := d.subsectionEnds(last + stride); ok || err != nil {
			return stride, ok, err
		}
	}
	return 0, false, nil
}

// subsectionEnds reports whether the head of a subsection or the trailer begins at off, after an end of line.
func (d *Document) subsectionEnds(off int64) (bool, error) {
	if off > d.size {
		return false, nil
	}
	back := int64(1)
	w, final, err := d.window(off-back, 64)
	if err != nil {
		return false, err
	}
	if !isSpace(w[0]) {
		return false, nil
	}
	p := newParser(w, off-back, final, d.limits)
	if p.skip() != nil {
		return false, nil
	}
	if p.buf[p.pos] == 't' {
		return true, nil
	}
	// A head has two numbers; an entry would have three parts.
	_, ok1, err1 := p.integer()
	_, ok2, err2 := p.integer()
	if err1 != nil || err2 != nil || !ok1 || !ok2 {
		return false, nil
	}
	if p.skip() != nil {
		return false, nil
	}
	c := p.buf[p.pos]
	return c != 'n' && c != 'f', nil
}

// tableEntry reads the entry "oooooooooo ggggg n" at off.
func (d *Document) tableEntry(off int64, num int) (XrefEntry, error) {
	w, _, err := d.window(off, 18)
	if err != nil {
		return XrefEntry{}, err
	}
	if len(w) < 18 || w[10] != ' ' || w[16] != ' ' {
		return XrefEntry{}, errDamagedXref.Saying("一个条目", "an entry").At(fault.Offset(off))
	}
	at, ok1 := parseUnsigned(w[:10])
	gen, ok2 := parseUnsigned(w[11:16])
	if !ok1 || !ok2 || w[17] != 'n' && w[17] != 'f' {
		return XrefEntry{}, errDamagedXref.Saying("一个条目", "an entry").At(fault.Offset(off))
	}
	return d.entry(num, at, gen, w[17]), nil
}

// entry makes an entry from the parts of a table. An object in use at offset 0 cannot be: it counts as free, as in
// other readers.
func (d *Document) entry(num int, at, gen int64, state byte) XrefEntry {
	e := XrefEntry{Num: num, Gen: int(min(gen, 65535))}
	if state == 'n' && at > 0 {
		e.State, e.Offset = InFile, at+d.bias
	}
	return e
}

func (t *table) lookup(d *Document, num int) (XrefEntry, bool, error) {
	i := sort.Search(len(t.ranges), func(i int) bool { return t.ranges[i].first > num }) - 1
	if i < 0 || num >= t.ranges[i].first+t.ranges[i].count {
		return XrefEntry{}, false, nil
	}
	r := t.ranges[i]
	e, err := d.tableEntry(r.offset+int64(num-r.first)*r.stride, num)
	return e, err == nil, err
}

func (t *table) each(d *Document, fn func(XrefEntry) error) error {
	for _, r := range t.ranges {
		for i := range r.count {
			e, err := d.tableEntry(r.offset+int64(i)*r.stride, r.first+i)
			if err != nil {
				return err
			}
			if err := fn(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *table) end() int {
	if len(t.ranges) == 0 {
		return 0
	}
	last := t.ranges[len(t.ranges)-1]
	return last.first + last.count
}
