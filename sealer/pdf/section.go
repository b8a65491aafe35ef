package pdf

import (
	"bytes"
	"context"
)

// Kind is the form of a cross-reference section.
type Kind int

const (
	// Table is a classic cross-reference table.
	Table Kind = iota
	// StreamXref is a cross-reference stream.
	StreamXref
	// Hybrid is a table whose trailer names a cross-reference stream besides (/XRefStm).
	Hybrid
)

// EntryState is what a cross-reference entry says of its object.
type EntryState int

const (
	// Free is an object that does not exist, or no longer.
	Free EntryState = iota
	// InFile is an object at an offset of the file.
	InFile
	// Compressed is an object in an object stream.
	Compressed
)

// XrefEntry is one entry of a cross-reference section.
type XrefEntry struct {
	Num, Gen int
	State    EntryState
	Offset   int64 // InFile: from the first byte of the file
	Stream   int   // Compressed: number of the object stream
	Index    int   // Compressed: index in it
}

// Section is one cross-reference section. A revision of a file usually has one; a linearised one has two.
type Section struct {
	// Start is where the section stands: "xref", or the object that is its stream.
	Start   int64
	Kind    Kind
	Trailer Dict
	// End is one past the %%EOF, and its end of line, of the revision that the section belongs to; 0 when there is no
	// startxref with %%EOF that leads to it.
	End int64

	document *Document
	section  *section
}

// Objects calls fn for every entry of this section alone, in no promised order. In a hybrid section the entries of
// its stream come too, after those of the table; an object that the table calls free and the stream does not is
// reported once, as the stream has it.
func (s Section) Objects(ctx context.Context, fn func(XrefEntry) error) error {
	steps := 0
	each := func(e XrefEntry) error {
		if steps++; steps&0xFFF == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return fn(e)
	}
	hidden := s.section.hidden
	err := s.section.entries.each(s.document, func(e XrefEntry) error {
		if hidden != nil && e.State == Free {
			if _, ok, err := hidden.lookup(s.document, e.Num); ok || err != nil {
				return err
			}
		}
		return each(e)
	})
	if err != nil || hidden == nil {
		return err
	}
	return hidden.each(s.document, func(e XrefEntry) error {
		first, ok, err := s.section.entries.lookup(s.document, e.Num)
		if err != nil || ok && first.State != Free {
			return err
		}
		return each(e)
	})
}

// Sections lists the cross-reference sections, newest first.
func (d *Document) Sections() []Section {
	out := make([]Section, len(d.sections))
	var below revisionMark
	for i := len(d.sections) - 1; i >= 0; i-- {
		own := d.mark(i)
		out[i] = d.listed(i, own, below)
		below = own
	}
	return out
}

// RevisionEnd is the End of the newest section.
func (d *Document) RevisionEnd() int64 { return d.newest(1)[0].End }

// newest is the first n of Sections.
func (d *Document) newest(n int) []Section {
	out := make([]Section, n)
	for i := range out {
		out[i] = d.listed(i, d.mark(i), d.mark(i+1))
	}
	return out
}

// revisionMark is what stands after a section: which section a startxref there names, and where its revision ends.
type revisionMark struct{ target, end int64 }

func (d *Document) mark(i int) revisionMark {
	if i >= len(d.sections) {
		return revisionMark{}
	}
	target, end := d.revisionEnd(d.sections[i].after)
	return revisionMark{target, end}
}

// listed is section i. The startxref after a section names the section that its revision begins with: itself, or in a
// linearised file the one near the start of the file, which comes just before it in the chain.
func (d *Document) listed(i int, own, below revisionMark) Section {
	s := d.sections[i]
	out := Section{Start: s.start, Kind: s.kind, Trailer: s.trailer, document: d, section: s}
	switch {
	case own.end != 0 && own.target == s.start, own.end != 0 && i > 0 && own.target == d.sections[i-1].start:
		out.End = own.end
	case below.end != 0 && below.target == s.start:
		out.End = below.end
	}
	return out
}

// revisionEnd reads "startxref n %%EOF" after a section that ends at off. It returns the section named, as an offset
// of the file, and one past the end of line after %%EOF; zeros when something else stands there.
func (d *Document) revisionEnd(off int64) (target, end int64) {
	w, _, err := d.window(off, 256)
	if err != nil {
		return 0, 0
	}
	p := newParser(w, off, true, d.limits)
	// Present after a stream, absent after a trailer.
	if _, err := p.keyword("endobj"); err != nil {
		return 0, 0
	}
	if ok, err := p.keyword("startxref"); err != nil || !ok {
		return 0, 0
	}
	n, ok, err := p.integer()
	if err != nil || !ok {
		return 0, 0
	}
	for p.pos < len(w) && isSpace(w[p.pos]) {
		p.pos++
	}
	if !bytes.HasPrefix(w[p.pos:], []byte("%%EOF")) {
		return 0, 0
	}
	p.pos += 5
	if p.pos < len(w) && w[p.pos] == '\r' {
		p.pos++
	}
	if p.pos < len(w) && w[p.pos] == '\n' {
		p.pos++
	}
	return n + d.bias, off + int64(p.pos)
}
