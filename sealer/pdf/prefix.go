package pdf

import (
	"context"
	"slices"
)

// Prefix opens the first end bytes of the file as a document of its own. Cross-reference sections that were read for
// this document, and cannot mean anything else in the shorter one, are not read again: a file with many signatures has
// all earlier sections in every later state.
func (d *Document) Prefix(ctx context.Context, end int64) (*Document, error) {
	if end < 0 || end > d.size {
		return nil, errTruncated.Sayingf("需要 %d 字节，只有 %d 字节", "%d bytes asked for, %d there", end, d.size)
	}
	p := &Document{reader: d.reader, size: end, limits: d.limits, whole: d}
	p.scanLeft, p.workLeft, p.xrefLeft = d.limits.ScanBytes, d.limits.WorkBytes+8*end, d.limits.XrefBytes
	if err := p.readHeader(); err != nil {
		return nil, err
	}
	if err := p.readCrossReference(ctx); err != nil {
		return nil, err
	}
	p.whole = nil
	return p, nil
}

// settled gives the sections from the one at start to the end of the chain, when the longer document has them and
// every one of them stands wholly in this one. The newest section is always read anew: its source is kept.
func (d *Document) settled(start int64) []*section {
	if d.whole == nil || len(d.sections) == 0 || d.whole.bias != d.bias {
		return nil
	}
	i := slices.IndexFunc(d.whole.sections, func(s *section) bool { return s.start == start })
	if i < 0 {
		return nil
	}
	rest := d.whole.sections[i:]
	if slices.ContainsFunc(rest, func(s *section) bool { return !s.fixed || s.start >= d.size || s.after >= d.size }) {
		return nil
	}
	return rest
}

// layoutKeys are the entries of a cross-reference stream that say how to read it.
var layoutKeys = []Name{"Type", "Length", "Filter", "DecodeParms", "W", "Index", "Size", "Prev"}

// fixedLayout says that what a cross-reference stream holds follows from its own bytes alone. A length or a filter
// that is an object elsewhere can be another one in another state of the file.
func fixedLayout(s *Stream) bool {
	for _, key := range layoutKeys {
		if s.Dict.count(key) > 1 {
			return false
		}
		fixed := true
		eachReference(s.Dict.Get(key), func(Ref) { fixed = false })
		if !fixed {
			return false
		}
	}
	length, ok := s.Dict.Get("Length").(Integer)
	return ok && int64(length) == s.Length
}
