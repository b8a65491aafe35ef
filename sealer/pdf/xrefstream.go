package pdf

import (
	"slices"
	"sort"

	"yinxin/internal/fault"
)

// xrefRows is a decoded cross-reference stream (ISO 32000-1, 7.5.8): its rows as they are, and where each range of
// object numbers begins in them.
type xrefRows struct {
	data   []byte
	width  [3]int
	ranges []rowRange // by first, disjoint
}

type rowRange struct{ first, count, row int }

// readXrefStream decodes the entries of a cross-reference stream.
func (d *Document) readXrefStream(s *Stream) (entries, error) {
	x := &xrefRows{}
	w, ok := s.Dict.Get("W").(Array)
	if !ok || len(w) < 3 {
		return nil, errDamagedXref.With("/W")
	}
	rowBytes := 0
	for i, o := range w {
		n, ok := o.(Integer)
		if !ok || n < 0 || n > 8 || i > 7 {
			return nil, errDamagedXref.With("/W")
		}
		if i < 3 {
			x.width[i] = int(n)
		} else if n != 0 {
			return nil, errDamagedXref.With("/W")
		}
		rowBytes += int(n)
	}
	if rowBytes == 0 {
		return nil, errDamagedXref.With("/W")
	}
	rows, err := x.index(s.Dict, d.limits)
	if err != nil {
		return nil, err
	}
	need := int64(rows) * int64(rowBytes)
	if d.xrefLeft -= need + int64(24*len(x.ranges)); d.xrefLeft < 0 {
		return nil, errTooLarge.Saying("交叉引用过长", "the cross-reference is too long")
	}
	// A little more than the index needs is harmless; much more is not a cross-reference.
	x.data, err = d.streamData(s, need+4096, min(need+need/8, 1032*s.Length))
	if err != nil && (int64(len(x.data)) < need || !fault.Has(err, errDamagedStream)) {
		return nil, err
	}
	x.clip(len(x.data) / rowBytes)
	x.data = slices.Clip(x.data)
	if x.overlap() {
		return d.unfold(x, rows)
	}
	sort.Slice(x.ranges, func(i, j int) bool { return x.ranges[i].first < x.ranges[j].first })
	return x, nil
}

// index reads /Index, [0 /Size] when absent, and returns the number of rows that it describes.
func (x *xrefRows) index(dict Dict, l Limits) (int, error) {
	size, _ := dict.Get("Size").(Integer)
	list := Array{Integer(0), size}
	if o := dict.Get("Index"); o != nil {
		var ok bool
		if list, ok = o.(Array); !ok || len(list)%2 != 0 {
			return 0, errDamagedXref.With("/Index")
		}
	}
	rows := 0
	for i := 0; i < len(list); i += 2 {
		first, ok1 := list[i].(Integer)
		count, ok2 := list[i+1].(Integer)
		if !ok1 || !ok2 || first < 0 || count < 0 {
			return 0, errDamagedXref.With("/Index")
		}
		if int64(first) > int64(l.Objects) || int64(count) > int64(l.Objects) || rows+int(count) > l.Objects {
			return 0, errAbsurdSize.Sayingf("%d 个对象，从编号 %d 起", "%d objects from number %d", count, first)
		}
		if count > 0 {
			x.ranges = append(x.ranges, rowRange{int(first), int(count), rows})
		}
		rows += int(count)
	}
	return rows, nil
}

// clip drops what the index claims beyond the rows that are there.
func (x *xrefRows) clip(rows int) {
	kept := x.ranges[:0]
	for _, r := range x.ranges {
		if r.count = min(r.count, rows-r.row); r.count > 0 {
			kept = append(kept, r)
		}
	}
	x.ranges = kept
}

// overlap says that a number is in two of the ranges.
func (x *xrefRows) overlap() bool {
	sorted := slices.SortedFunc(slices.Values(x.ranges), func(a, b rowRange) int { return a.first - b.first })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].first < sorted[i-1].first+sorted[i-1].count {
			return true
		}
	}
	return false
}

// unfold keeps the rows one by one, in the order of the file: of a number that is listed twice the first counts, as in
// other readers.
func (d *Document) unfold(x *xrefRows, rows int) (*compact, error) {
	if d.xrefLeft -= int64(rows) * compactEntryBytes; d.xrefLeft < 0 {
		return nil, errTooLarge.Saying("交叉引用过长", "the cross-reference is too long")
	}
	c := &compact{}
	err := x.each(d, func(e XrefEntry) error {
		kept := compactEntry{num: int32(e.Num), gen: uint16(e.Gen), state: 'f'}
		switch e.State {
		case InFile:
			kept.offset, kept.state = e.Offset-d.bias, 'n'
		case Compressed:
			kept.offset, kept.state = int64(e.Stream)<<32|int64(e.Index), 'c'
		}
		c.entries = append(c.entries, kept)
		return nil
	})
	c.sort()
	return c, err
}

func (x *xrefRows) lookup(d *Document, num int) (XrefEntry, bool, error) {
	i := sort.Search(len(x.ranges), func(i int) bool { return x.ranges[i].first > num }) - 1
	for ; i >= 0 && x.ranges[i].count == 0; i-- {
	}
	if i < 0 || num >= x.ranges[i].first+x.ranges[i].count {
		return XrefEntry{}, false, nil
	}
	r := x.ranges[i]
	return x.entry(d, num, r.row+num-r.first), true, nil
}

// entry reads a row: type (1 when its column is absent), then offset and generation, or object stream and index.
func (x *xrefRows) entry(d *Document, num, row int) XrefEntry {
	data := x.data[row*(x.width[0]+x.width[1]+x.width[2]):]
	column := func(width int) uint64 {
		var v uint64
		for _, c := range data[:width] {
			v = v<<8 | uint64(c)
		}
		data = data[width:]
		return v
	}
	kind := uint64(1)
	if x.width[0] > 0 {
		kind = column(x.width[0])
	}
	second, third := column(x.width[1]), column(x.width[2])
	e := XrefEntry{Num: num}
	switch kind {
	case 0:
		e.Gen = int(min(third, 65535))
	case 1:
		e.Gen = int(min(third, 65535))
		if second > 0 && second < 1<<62 {
			e.State, e.Offset = InFile, int64(second)+d.bias
		}
	case 2:
		e.State, e.Stream, e.Index = Compressed, int(min(second, 1<<31-1)), int(min(third, 1<<31-1))
	}
	// Any other type is a reference to the null object (ISO 32000-1, 7.5.8.3): free.
	return e
}

func (x *xrefRows) each(d *Document, fn func(XrefEntry) error) error {
	for _, r := range x.ranges {
		for i := range r.count {
			if err := fn(x.entry(d, r.first+i, r.row+i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *xrefRows) end() int {
	end := 0
	for _, r := range x.ranges {
		end = max(end, r.first+r.count)
	}
	return end
}
