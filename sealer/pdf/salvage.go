package pdf

import (
	"bytes"
	"context"

	"yinxin/internal/fault"
)

// salvage is what reading a whole file without its cross-reference finds.
type salvage struct {
	d     *Document
	ctx   context.Context
	found found

	objects       []compactEntry // offsets as the file counts them, without the bias
	objectStreams []int32
	catalogs      []Ref
	trailers      []Dict
	remains       []*section // sections of the old cross-reference that can be read, in the order of the file
	xrefStreams   numbers
	referred      numbers
	root          Ref  // what the trailers name
	hybrid        bool // a trailer says that a stream belongs to its table

	lengths []laterLength
}

// laterLength is a stream whose /Length is another object, which may come later in the file.
type laterLength struct {
	start, end int64 // of the data, to the first endstream
	length     Ref
	owner      Ref
}

const (
	maxRemains = 256
	// maxTrailers bounds the trailers that are kept; an honest file has one or two for each revision.
	maxTrailers = 10_000
	// headBytes is how long "12 0 obj" may be.
	headBytes = 64
)

// scan reads the file from the header to the end and notes every object and trailer.
func (s *salvage) scan() error {
	for pos := s.d.header; ; {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		hit, word, err := s.next(pos)
		if err != nil {
			return err
		}
		if hit < 0 {
			return s.checkLengths()
		}
		switch word {
		case 'o':
			pos, err = s.object(hit)
		case 't':
			pos, err = s.trailer(hit)
		case 'x':
			pos, err = s.table(hit)
		}
		if err != nil {
			return err
		}
	}
}

// next finds the next "n g obj" ('o'), "trailer" ('t') or "xref" ('x') from pos, which is no part of a longer word;
// -1 at the end of the file.
func (s *salvage) next(pos int64) (hit int64, word byte, err error) {
	for from := pos; ; {
		w, final, err := s.found.from(from, 2*headBytes)
		if err != nil {
			return 0, 0, err
		}
		i := findHead(w)
		gap := w
		if i >= 0 {
			gap = w[:i]
		}
		if t := findWord(gap, "trailer"); t >= 0 {
			i, word, gap = t, 't', gap[:t]
		} else if i >= 0 {
			word = 'o'
		}
		if x := findWord(gap, "xref"); x >= 0 {
			i, word = x, 'x'
		}
		if i >= 0 {
			return from + int64(i), word, nil
		}
		if final {
			return -1, 0, nil
		}
		from += int64(len(w) - headBytes)
	}
}

// findHead finds "n g obj" in w and returns where its number begins, -1 when there is none.
func findHead(w []byte) int {
	for at := 0; ; {
		i := bytes.Index(w[at:], []byte("obj"))
		if i < 0 {
			return -1
		}
		i += at
		at = i + 3
		if at < len(w) && isRegular(w[at]) {
			continue
		}
		gen := backNumber(w, i)
		if gen < 0 {
			continue
		}
		num := backNumber(w, gen)
		if num < 0 || at-num > headBytes-2 || num > 0 && isRegular(w[num-1]) && !bytes.HasSuffix(w[:num], []byte("endobj")) {
			continue
		}
		return num
	}
}

// backNumber passes white space and digits, at least one of each, back from end and returns where the digits begin.
func backNumber(w []byte, end int) int {
	i := end
	for i > 0 && isSpace(w[i-1]) {
		i--
	}
	digits := i
	for digits > 0 && isDigit(w[digits-1]) {
		digits--
	}
	if i == end || digits == i || end-digits > headBytes/2 {
		return -1
	}
	return digits
}

// findWord finds a word that is no part of a longer one, except that something may follow it at once.
func findWord(w []byte, word string) int {
	for at := 0; ; {
		i := bytes.Index(w[at:], []byte(word))
		if i < 0 {
			return -1
		}
		if i += at; i == 0 || !isRegular(w[i-1]) {
			return i
		}
		at = i + len(word)
	}
}

// object reads the definition at off and returns where it ends.
func (s *salvage) object(off int64) (int64, error) {
	ref, l, stream, after, err := s.read(off)
	if err != nil {
		return 0, s.unreadable(err, fault.Offset(off))
	}
	if ref.Num > s.d.limits.Objects {
		return 0, errAbsurdSize.With("object %d", ref.Num).At(fault.Offset(off))
	}
	if dict, ok := l.object.(Dict); ok && stream {
		data := &Stream{Dict: dict, Start: after}
		if after, err = s.passStream(data, ref); err != nil {
			return 0, err
		}
		l.object = data
		if data.Dict.Get("Type") == Name("XRef") {
			if err := s.xrefStream(off, data, ref); err != nil {
				return 0, err
			}
		}
	}
	if ref.Num == 0 {
		return after, nil // nothing can refer to it
	}
	s.look(l.object, ref)
	return after, s.define(compactEntry{offset: off - s.d.bias, num: int32(ref.Num), gen: uint16(ref.Gen), state: 'n'})
}

// read reads "n g obj" and its value. Of a stream, after is where the data begin.
func (s *salvage) read(off int64) (ref Ref, l *located, stream bool, after int64, err error) {
	d := s.d
	for n := 4096; ; n *= 4 {
		w, final, err := s.found.from(off, n)
		if err != nil {
			return ref, nil, false, 0, err
		}
		p := newParser(w, off, final, d.limits)
		ref, l, stream, err = p.indirect()
		if err := d.spend(int64(p.pos)); err != nil {
			return ref, nil, false, 0, err
		}
		if err == errShort {
			if n = max(n, len(w)); n > d.limits.ObjectBytes {
				return ref, nil, false, 0, d.tooLong(off)
			}
			continue
		}
		if err != nil {
			return ref, nil, false, 0, err
		}
		if source := w[l.start-off : l.end-off]; findHead(source) >= 0 || findWord(source, "endobj") >= 0 {
			return ref, nil, false, 0, errDoubtful.With("object %d seems to hold another object", ref.Num).At(fault.Offset(off))
		}
		if !stream {
			if err = s.ends(p, ref); err == errShort {
				n = max(n, len(w))
				continue
			}
		}
		return ref, l, stream, p.offset(p.pos), err
	}
}

// ends checks that a value is followed by the end of its object, or by what comes after one whose endobj was left out.
func (s *salvage) ends(p parser, ref Ref) error {
	if p.skip() != nil {
		if p.final {
			return nil
		}
		return errShort
	}
	rest := p.buf[p.pos:]
	for _, word := range []string{"endobj", "xref", "trailer", "startxref"} {
		if bytes.HasPrefix(rest, []byte(word)) {
			return nil
		}
	}
	if isDigit(rest[0]) && findHead(rest[:min(len(rest), headBytes)]) == 0 {
		return nil
	}
	return errIncomplete.With("something follows the value of object %d", ref.Num).At(fault.Offset(p.offset(p.pos)))
}

// passStream finds the end of a stream and returns where the word endstream ends.
func (s *salvage) passStream(data *Stream, owner Ref) (int64, error) {
	d := s.d
	length, fixed := data.Dict.Get("Length").(Integer)
	if fixed && length >= 0 && int64(length) <= d.size-data.Start {
		end := data.Start + int64(length)
		if word, err := s.endstreamAt(end); err != nil || word >= 0 {
			data.Length = int64(length)
			return word, err
		}
	}
	end, err := s.findEndstream(data.Start, owner)
	if err != nil {
		return 0, err
	}
	data.Length = end - data.Start
	if ref, ok := data.Dict.Get("Length").(Ref); ok && !fixed {
		if d.xrefLeft -= 48; d.xrefLeft < 0 {
			return 0, errTooLarge.With("too many streams")
		}
		s.lengths = append(s.lengths, laterLength{data.Start, end, ref, owner})
		return end + int64(len("endstream")), nil
	}
	return end + int64(len("endstream")), s.plain(data.Start, end, owner)
}

// endstreamAt passes white space and the word endstream at off and returns where it ends, -1 when it is not there.
func (s *salvage) endstreamAt(off int64) (int64, error) {
	w, _, err := s.found.from(off, 32)
	if err != nil {
		return 0, err
	}
	w = w[:min(len(w), 32)]
	rest := bytes.TrimLeft(w, "\r\n \t\x00")
	if !bytes.HasPrefix(rest, []byte("endstream")) {
		return -1, nil
	}
	return off + int64(len(w)-len(rest)+len("endstream")), nil
}

// findEndstream looks for the first endstream from off.
func (s *salvage) findEndstream(off int64, owner Ref) (int64, error) {
	word := []byte("endstream")
	for {
		if err := s.ctx.Err(); err != nil {
			return 0, err
		}
		w, final, err := s.found.from(off, 2*headBytes)
		if err != nil {
			return 0, err
		}
		if i := bytes.Index(w, word); i >= 0 {
			return off + int64(i), nil
		}
		if final {
			return 0, errIncomplete.With("the stream is cut off").At(fault.Object(owner.Num, owner.Gen))
		}
		off += int64(len(w) - len(word))
	}
}

// plain refuses a stream without a correct length whose data seem to hold an object, or whose length would lead beyond
// the end of the file: what follows belongs to it or not, as one likes.
func (s *salvage) plain(start, end int64, owner Ref) error {
	for off := start; off < end; {
		w, _, err := s.found.from(off, 2*headBytes)
		if err != nil {
			return err
		}
		w = w[:min(int64(len(w)), end-off)]
		if i := findHead(w); i >= 0 {
			return errDoubtful.With("the stream of object %d has no correct length and seems to hold an object at byte %d",
				owner.Num, off+int64(i)).At(fault.Object(owner.Num, owner.Gen))
		}
		if int64(len(w)) == end-off {
			break
		}
		off += int64(len(w) - headBytes)
	}
	return nil
}

// checkLengths compares where streams were taken to end, at the first endstream, with what their /Length objects say.
// A length that leads to another endstream is doubt: whether what stands between is data depends on an object that a
// reader may find or not.
func (s *salvage) checkLengths() error {
	s.sort()
	for _, l := range s.lengths {
		n, err := s.lengthOf(l.length)
		if err != nil {
			return err
		}
		word := int64(-1)
		if n >= 0 && n <= s.d.size-l.start {
			if word, err = s.endstreamAt(l.start + n); err != nil {
				return err
			}
		}
		if word < 0 {
			if err := s.plain(l.start, l.end, l.owner); err != nil {
				return err
			}
		} else if word != l.end+int64(len("endstream")) {
			return errDoubtful.With("the stream of object %d has two ends, at byte %d and at byte %d", l.owner.Num, l.end, word).
				At(fault.Object(l.owner.Num, l.owner.Gen))
		}
	}
	return nil
}

// lengthOf reads the integer object that a /Length refers to; -1 when there is none.
func (s *salvage) lengthOf(ref Ref) (int64, error) {
	i, ok := s.find(ref.Num)
	if !ok || int(s.objects[i].gen) != ref.Gen || i+1 < len(s.objects) && int(s.objects[i+1].num) == ref.Num {
		return -1, nil
	}
	_, l, _, _, err := s.read(s.objects[i].offset + s.d.bias)
	if err != nil {
		return 0, err
	}
	if n, ok := l.object.(Integer); ok {
		return int64(n), nil
	}
	return -1, nil
}

// trailer reads "trailer << … >>" at off. One that cannot be read is part of the damage.
func (s *salvage) trailer(off int64) (int64, error) {
	after := off + int64(len("trailer"))
	var t section
	if err := s.d.readTrailer(&t, off); err != nil {
		f, ok := fault.Of(err)
		if !ok || f.Kind == fault.TooLarge || f.Kind == fault.Internal {
			return 0, err
		}
		return after, nil
	}
	return t.after, s.noteTrailer(t.trailer)
}

func (s *salvage) noteTrailer(t Dict) error {
	if len(s.trailers) == maxTrailers {
		return errTooLarge.With("more than %d trailers", maxTrailers)
	}
	s.hybrid = s.hybrid || t.Has("XRefStm")
	// Only what is merged later: a trailer can be long.
	var kept Dict
	for _, key := range []Name{"Root", "Info", "ID", "Encrypt"} {
		if o := t.Get(key); o != nil {
			kept.Set(key, o)
		}
	}
	s.trailers = append(s.trailers, kept)
	return nil
}

// table keeps a table of the old cross-reference as far as it can be read. Its trailer is found by itself.
func (s *salvage) table(off int64) (int64, error) {
	body := off + int64(len("xref"))
	return body, s.keepRemains(func() (*section, error) { return s.d.readTable(off, body) })
}

// xrefStream keeps a cross-reference stream like a table and its trailer.
func (s *salvage) xrefStream(off int64, data *Stream, ref Ref) error {
	s.xrefStreams.add(ref.Num, s.d.limits.Objects)
	if err := s.noteTrailer(data.Dict); err != nil {
		return err
	}
	return s.keepRemains(func() (*section, error) {
		rows, err := s.d.readXrefStream(data)
		return &section{start: off, kind: StreamXref, entries: rows}, err
	})
}

func (s *salvage) keepRemains(read func() (*section, error)) error {
	if len(s.remains) == maxRemains {
		return errTooLarge.With("more than %d cross-reference sections", maxRemains)
	}
	old, err := read()
	if err == nil {
		old.hidden = nil // the stream of a hybrid section is found by itself
		if old.kind == Hybrid {
			old.kind = Table
		}
		s.remains = append(s.remains, old)
		return nil
	}
	if f, ok := fault.Of(err); !ok || f.Kind == fault.TooLarge || f.Kind == fault.Internal {
		return err
	}
	return nil
}

// define notes a definition.
func (s *salvage) define(e compactEntry) error {
	if s.d.xrefLeft -= compactEntryBytes; s.d.xrefLeft < 0 {
		return errTooLarge.With("more objects than can be looked through")
	}
	s.objects = append(s.objects, e)
	return nil
}

// found is the part of the file that is in memory.
type found struct {
	d    *Document
	size int // bytes read at once
	base int64
	data []byte
}

// from returns the file from off, at least n bytes unless it ends before, and whether the end is among them. The bytes
// are valid until the next call.
func (f *found) from(off int64, n int) (w []byte, final bool, err error) {
	d := f.d
	if off > d.size {
		return nil, true, nil
	}
	need := min(int64(n), d.size-off)
	if off < f.base || off+need > f.base+int64(len(f.data)) {
		length := min(max(int64(f.size), need), d.size-off)
		if int64(cap(f.data)) < length {
			f.data = make([]byte, length)
		}
		f.data, f.base = f.data[:length], off
		if err := d.readFull(f.data, off); err != nil {
			f.data = f.data[:0]
			return nil, false, err
		}
	}
	w = f.data[off-f.base:]
	return w, off+int64(len(w)) == d.size, nil
}

// look notes what kind of object it is and what it refers to.
func (s *salvage) look(o Object, ref Ref) {
	dict, _ := o.(Dict)
	if stream, ok := o.(*Stream); ok {
		dict = stream.Dict
		o = dict
		if dict.Get("Type") == Name("ObjStm") {
			s.objectStreams = append(s.objectStreams, int32(ref.Num))
		}
	} else if dict.Get("Type") == Name("Catalog") {
		s.catalogs = append(s.catalogs, ref)
	}
	s.referred.addRefs(o, s.d.limits.Objects)
}
