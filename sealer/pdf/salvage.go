package pdf

import (
	"bytes"
	"context"

	"yinxin/internal/bitset"
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
	xrefStreams   bitset.Set
	referred      bitset.Set
	root          Ref // what the trailers name
	attempts      int
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
	// maxAttempts bounds the tables and trailers that are looked at; an honest file has one or two for each revision.
	maxAttempts = 10_000
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
	// Little is looked at first, then more: what is sought mostly stands near, and of many words each would cost all that
	// is in memory.
	reach := 4 * headBytes
	for from := pos; ; reach = min(4*reach, 1<<20) {
		w, final, err := s.found.from(from, 2*headBytes)
		if err != nil {
			return 0, 0, err
		}
		if len(w) > reach {
			w, final = w[:reach], false
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
		return 0, errAbsurdSize.Sayingf("对象 %d", "object %d", ref.Num).At(fault.Offset(off))
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
			return ref, nil, false, 0, errDoubtful.Sayingf("对象 %d 中似有另一个对象", "object %d seems to hold another object", ref.Num).At(fault.Offset(off))
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
	return errIncomplete.Sayingf("对象 %d 的值之后还有内容", "something follows the value of object %d", ref.Num).At(fault.Offset(p.offset(p.pos)))
}

// define notes a definition.
func (s *salvage) define(e compactEntry) error {
	if s.d.xrefLeft -= compactEntryBytes; s.d.xrefLeft < 0 {
		return errTooLarge.Saying("对象过多，无法逐一查看", "more objects than can be looked through")
	}
	s.objects = append(s.objects, e)
	return nil
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
	s.refer(o)
}

// refer notes every number that an object refers to.
func (s *salvage) refer(o Object) {
	switch v := o.(type) {
	case Ref:
		s.referred.Add(v.Num, s.d.limits.Objects)
	case Array:
		for _, o := range v {
			s.refer(o)
		}
	case Dict:
		for _, e := range v {
			s.refer(e.Value)
		}
	}
}
