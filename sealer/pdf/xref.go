package pdf

import (
	"bytes"
	"context"
	"slices"

	"yinxin/internal/fault"
)

// section is one cross-reference section as it is kept in memory: ranges of object numbers, not objects.
type section struct {
	start   int64
	kind    Kind
	trailer Dict
	raw     []byte // source of the trailer dictionary, kept for the newest section only
	after   int64  // one past the trailer dictionary, or past the data of the stream
	fixed   bool   // means the same in every state of the file that has it whole
	entries entries
	hidden  entries // the stream of a hybrid section, else nil
	// hiddenDict is the dictionary of that stream.
	hiddenDict Dict
	// doubled says that an object is listed twice, and not alike: readers disagree on which entry counts.
	doubled bool
}

// entries looks up objects of one table or stream.
type entries interface {
	lookup(d *Document, num int) (XrefEntry, bool, error)
	each(d *Document, fn func(XrefEntry) error) error
	// end is one more than the highest object number.
	end() int
}

// lookup finds an object in the section. In a hybrid one, what the table calls free may stand in the stream
// (ISO 32000-1, 7.5.8.4).
func (s *section) lookup(d *Document, num int) (XrefEntry, bool, error) {
	e, ok, err := s.entries.lookup(d, num)
	if s.hidden == nil || err != nil || ok && e.State != Free {
		return e, ok, err
	}
	if h, found, err := s.hidden.lookup(d, num); found || err != nil {
		return h, found, err
	}
	return e, ok, nil
}

func (s *section) end() int {
	n := s.entries.end()
	if s.hidden != nil {
		n = max(n, s.hidden.end())
	}
	return n
}

// readCrossReference finds the last startxref and reads the chain of sections that it begins.
//
// A damaged cross-reference is refused, except for sealing: see OpenRecovering.
func (d *Document) readCrossReference(ctx context.Context) error {
	target, err := d.lastStartxref()
	if err != nil {
		return err
	}
	start, err := d.chooseBias(target)
	if err != nil {
		return err
	}
	if err := d.readChain(ctx, start); err != nil {
		return err
	}
	for _, s := range d.sections {
		if root, ok := s.trailer.Get("Root").(Ref); ok {
			d.root = root
			return nil
		}
	}
	return errDamagedXref.Saying("文件尾没有指明文档目录（catalog）", "no trailer names the catalog")
}

// lastStartxref finds the last startxref near the end of the file and reads its number.
func (d *Document) lastStartxref() (int64, error) {
	word := []byte("startxref")
	for n := int64(1024); ; n = int64(d.limits.TailBytes) {
		off := max(0, d.size-n)
		w, _, err := d.window(off, int(d.size-off))
		if err != nil {
			return 0, err
		}
		i := bytes.LastIndex(w, word)
		if i < 0 {
			if off == 0 || n >= int64(d.limits.TailBytes) {
				return 0, errTruncated.New()
			}
			continue
		}
		d.tail = off + int64(i)
		p := newParser(w, off, true, d.limits)
		p.pos = i + len(word)
		target, ok, err := p.integer()
		if err != nil || !ok {
			return 0, errTruncated.At(fault.Offset(d.tail))
		}
		return target, nil
	}
}

// chooseBias decides what the offsets of the file count from. Bytes before the header are either counted by the
// producer or were put there later; where the last section stands tells which.
func (d *Document) chooseBias(target int64) (int64, error) {
	for _, bias := range []int64{d.header, 0} {
		if target > 0 && target+bias < d.size && d.sectionStands(target+bias) {
			d.bias = bias
			return target + bias, nil
		}
		if d.header == 0 {
			break
		}
	}
	if target >= d.size {
		return 0, errTruncated.Sayingf("交叉引用所指位置为 %d，文件只有 %d 字节", "the cross-reference would stand at %d, the file has %d bytes", target, d.size)
	}
	return 0, errDamagedXref.At(fault.Offset(target))
}

// sectionStands reports whether a table or an object begins at off.
func (d *Document) sectionStands(off int64) bool {
	w, _, err := d.window(off, 64)
	if err != nil {
		return false
	}
	p := newParser(w[:min(len(w), 64)], off, true, d.limits)
	if ok, err := p.xrefWord(); ok || err != nil {
		return ok
	}
	_, ok1, err1 := p.integer()
	_, ok2, err2 := p.integer()
	ok3, err3 := p.keyword("obj")
	return err1 == nil && err2 == nil && err3 == nil && ok1 && ok2 && ok3
}

// xrefWord passes "xref" after white space; a digit may follow it at once.
func (p *parser) xrefWord() (bool, error) {
	start := p.pos
	if err := p.skip(); err != nil {
		return false, err
	}
	if bytes.HasPrefix(p.buf[p.pos:], []byte("xref")) {
		p.pos += 4
		return true, nil
	}
	p.pos = start
	return false, nil
}

// readChain reads the section at start and those that /Prev leads to.
func (d *Document) readChain(ctx context.Context, start int64) error {
	seen := make(map[int64]bool, 4)
	for next := start; next >= 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if seen[next] {
			return errDamagedXref.Saying("交叉引用的各节循环", "the sections form a circle").At(fault.Offset(next))
		}
		seen[next] = true
		if len(d.sections) >= d.limits.Sections {
			return errTooLarge.Sayingf("交叉引用超过 %d 节", "more than %d cross-reference sections", d.limits.Sections)
		}
		if rest := d.settled(next); rest != nil && !slices.ContainsFunc(rest[1:], func(s *section) bool { return seen[s.start] }) {
			d.sections = append(d.sections, rest...)
			return nil
		}
		s, err := d.readSection(next)
		if err != nil {
			return err
		}
		d.sections = append(d.sections, s)
		switch prev := s.trailer.Get("Prev").(type) {
		case nil:
			next = -1
		case Integer:
			// Some producers write /Prev 0 for none.
			next = int64(prev) + d.bias
			if prev == 0 {
				next = -1
			} else if prev < 0 || next >= d.size {
				return errDamagedXref.With("/Prev %d", prev).At(fault.Offset(s.start))
			}
		case Real:
			next = int64(prev) + d.bias
			if prev <= 0 || next >= d.size {
				return errDamagedXref.With("/Prev").At(fault.Offset(s.start))
			}
		default:
			return errDamagedXref.Saying("/Prev 不是数字", "/Prev is not a number").At(fault.Offset(s.start))
		}
	}
	return nil
}

// readSection reads the table or stream at off.
func (d *Document) readSection(off int64) (*section, error) {
	w, _, err := d.window(off, 64)
	if err != nil {
		return nil, err
	}
	p := newParser(w, off, true, d.limits)
	isTable, err := p.xrefWord()
	if err != nil {
		return nil, errDamagedXref.Because(err).At(fault.Offset(off))
	}
	if isTable {
		return d.readTable(off, p.offset(p.pos))
	}
	return d.readStreamSection(off)
}

// readStreamSection reads a section that is a cross-reference stream.
func (d *Document) readStreamSection(off int64) (*section, error) {
	_, l, after, err := d.readIndirect(off)
	if err != nil {
		return nil, damagedXref(err, off)
	}
	stream, ok := l.object.(*Stream)
	if !ok || stream.Dict.Get("Type") != Name("XRef") {
		return nil, errDamagedXref.At(fault.Offset(off))
	}
	e, err := d.readXrefStream(stream)
	if err != nil {
		return nil, damagedXref(err, off)
	}
	s := &section{start: off, kind: StreamXref, trailer: stream.Dict, entries: e, fixed: fixedLayout(stream), doubled: isDoubled(e)}
	if len(d.sections) == 0 {
		if s.raw, err = d.raw(l); err != nil {
			return nil, err
		}
	}
	// The word endstream follows the data, after an end of line.
	s.after = after
	w, _, err := d.window(after, 32)
	if err != nil {
		return nil, err
	}
	p := newParser(w, after, true, d.limits)
	if ok, err := p.keyword("endstream"); err == nil && ok {
		s.after = p.offset(p.pos)
	}
	return s, nil
}

// damagedXref keeps limits and failures to read, and makes everything else a damaged cross-reference.
func damagedXref(err error, off int64) error {
	if f, ok := fault.Of(err); ok && (f.Kind == fault.TooLarge || f.Kind == fault.Internal || f.Code == errDamagedXref.Code) {
		return err
	}
	return errDamagedXref.Because(err).At(fault.Offset(off))
}

// readTrailer reads "trailer << … >>" at off into the section.
func (d *Document) readTrailer(s *section, off int64) error {
	for n := 512; ; n *= 2 {
		w, final, err := d.window(off, n)
		if err != nil {
			return err
		}
		p := newParser(w, off, final, d.limits)
		ok, err := p.keyword("trailer")
		var o Object
		start := 0
		if err == nil && !ok {
			// "trailer<<" is one token to its delimiter, so anything else is damage.
			return errDamagedXref.Saying("此处应为 trailer", "trailer expected").At(fault.Offset(off))
		}
		if err == nil {
			if err = p.skip(); err == nil {
				start = p.pos
				o, err = p.value()
			}
		}
		if err == errShort {
			if n = max(n, len(w)); n > d.limits.ObjectBytes {
				return errTooLarge.Sayingf("文件尾超过 %d 字节", "a trailer longer than %d bytes", d.limits.ObjectBytes)
			}
			continue
		}
		if err != nil {
			return damagedXref(err, off)
		}
		if s.trailer, ok = o.(Dict); !ok {
			return errDamagedXref.Saying("文件尾不是字典", "the trailer is not a dictionary").At(fault.Offset(off))
		}
		if len(d.sections) == 0 {
			s.raw = append([]byte(nil), w[start:p.pos]...)
		}
		s.after = p.offset(p.pos)
		return nil
	}
}

// ListedTwice reports whether a cross-reference section lists an object twice and not alike, or its trailer has a key
// twice, and where the newest such section stands: readers disagree on which entry counts, so that one may show what
// another does not.
func (d *Document) ListedTwice() (offset int64, found bool) {
	for _, s := range d.sections {
		_, twice := s.trailer.Duplicate()
		if twice || s.doubled {
			return s.start, true
		}
	}
	return 0, false
}
