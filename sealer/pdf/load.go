package pdf

import (
	"bytes"
	"io"

	"yinxin/internal/fault"
)

// located is an object with its place.
type located struct {
	object Object
	gen    int
	// start and end delimit the value in the file (of a stream: its dictionary); -1 in an object stream, where raw
	// holds the value's bytes instead.
	start, end int64
	raw        []byte
}

const (
	// The cache keeps objects of about this much memory; of those with a longer source, such as the kids of a flat
	// page tree, the last one.
	cacheBytes  = 4 << 20
	cacheLonger = 64 << 10
	// maxLoading bounds loads inside loads: a stream needs its /Length, an object its object stream.
	maxLoading = 8
	maxChain   = 32
)

// Object returns the object that ref names, nil when it is missing, free or of another generation. The result is not
// a Ref unless the file stores one as an object of its own.
func (d *Document) Object(ref Ref) (Object, error) {
	l, err := d.locate(ref)
	if l == nil {
		return nil, err
	}
	return l.object, nil
}

// Resolve follows references until something else is reached; nil when the chain ends nowhere.
func (d *Document) Resolve(o Object) (Object, error) {
	for range maxChain {
		ref, ok := o.(Ref)
		if !ok {
			return o, nil
		}
		var err error
		if o, err = d.Object(ref); err != nil {
			return nil, err
		}
	}
	return nil, errTooDeep.Saying("引用一环套一环", "a chain of references")
}

// Entry is what the cross-reference says of an object number: the newest section that mentions it decides.
func (d *Document) Entry(num int) (XrefEntry, bool, error) {
	for _, s := range d.sections {
		if err := d.spend(lookupCost); err != nil {
			return XrefEntry{}, false, err
		}
		e, ok, err := s.lookup(d, num)
		if ok || err != nil {
			return e, ok, err
		}
	}
	return XrefEntry{}, false, nil
}

// locate loads the object that ref names; nil without error when there is none.
func (d *Document) locate(ref Ref) (*located, error) {
	if ref.Num <= 0 {
		return nil, nil
	}
	l, ok := d.cache[ref.Num]
	if !ok && d.largeNum == ref.Num {
		l, ok = d.large, true
	}
	if ok {
		if l.gen != ref.Gen {
			return nil, nil
		}
		return l, nil
	}
	entry, ok, err := d.Entry(ref.Num)
	if err != nil {
		return nil, err
	}
	if !ok || entry.State == Free || entry.Gen != ref.Gen {
		return nil, nil
	}
	if d.loading >= maxLoading {
		return nil, errTooDeep.At(fault.Object(ref.Num, ref.Gen))
	}
	d.loading++
	defer func() { d.loading-- }()
	if entry.State == Compressed {
		l, err = d.loadCompressed(entry)
	} else {
		l, err = d.loadAt(entry)
	}
	if err != nil {
		return nil, at(err, ref)
	}
	if l != nil {
		d.keep(ref.Num, l)
	}
	return l, nil
}

// lookupCost is what asking one section costs, in parsed bytes.
const lookupCost = 8

// spend counts work against the budget of the document, in bytes parsed or decoded. Honest files are read a few times
// over at most; a hostile one can ask for the same long object from everywhere.
func (d *Document) spend(n int64) error {
	if d.workLeft -= n; d.workLeft < 0 {
		return errTooLarge.Saying("读取它所需的处理量过大", "reading it takes too much work")
	}
	return nil
}

// at adds the object to an error that does not say where it stands.
func at(err error, ref Ref) error {
	if f, ok := fault.Of(err); ok && f.Place == (fault.Place{}) {
		return f.At(fault.Object(ref.Num, ref.Gen))
	}
	return err
}

func (d *Document) keep(num int, l *located) {
	size := l.end - l.start + int64(len(l.raw))
	if size > cacheLonger {
		d.large, d.largeNum = l, num
		return
	}
	cost := 6*size + 256 // read, an object takes some times the room of its source
	if d.cached += cost; d.cached > cacheBytes {
		clear(d.cache)
		d.cached = cost
	}
	if d.cache == nil {
		d.cache = make(map[int]*located, 16)
	}
	d.cache[num] = l
}

// loadAt reads the object that an entry places in the file, and insists that it stands there.
func (d *Document) loadAt(e XrefEntry) (*located, error) {
	if e.Offset >= d.size {
		return nil, errDamagedXref.Sayingf("对象 %d 所指的位置超出文件末尾", "object %d would stand behind the end of the file", e.Num).At(fault.Offset(e.Offset))
	}
	ref, l, _, err := d.readIndirect(e.Offset)
	if err != nil {
		return nil, err
	}
	if ref.Num != e.Num || ref.Gen != e.Gen {
		return nil, errDamagedXref.Sayingf("对象 %d 不在交叉引用所指的位置", "object %d is not where the cross-reference says", e.Num).At(fault.Offset(e.Offset))
	}
	return l, nil
}

// readIndirect reads "n g obj" and the object after it at a file offset. after is where the parser stopped: past the
// value, or for a stream past its data.
func (d *Document) readIndirect(off int64) (ref Ref, l *located, after int64, err error) {
	for n := 512; ; n *= 4 {
		w, final, err := d.window(off, n)
		if err != nil {
			return Ref{}, nil, 0, err
		}
		p := newParser(w, off, final, d.limits)
		ref, l, stream, err := p.indirect()
		if err := d.spend(int64(p.pos)); err != nil {
			return Ref{}, nil, 0, err
		}
		if err == errShort {
			if n = max(n, len(w)); n > d.limits.ObjectBytes {
				return Ref{}, nil, 0, d.tooLong(off)
			}
			n = max(n, signatureBytes/4) // what does not fit a small window is nearly always a signature
			continue
		}
		if err == nil && p.pos > d.limits.ObjectBytes {
			return Ref{}, nil, 0, d.tooLong(off)
		}
		if err != nil {
			return Ref{}, nil, 0, err
		}
		if !stream {
			return ref, l, p.offset(p.pos), nil
		}
		s := &Stream{Dict: l.object.(Dict), Start: p.offset(p.pos)}
		if err := d.measure(s); err != nil {
			return Ref{}, nil, 0, at(err, ref)
		}
		l.object = s
		return ref, l, s.Start + s.Length, nil
	}
}

// signatureBytes holds a signature dictionary with a seal of usual size.
const signatureBytes = 64 << 10

func (d *Document) tooLong(off int64) error {
	return errTooLarge.Sayingf("有对象超过 %d 字节", "one object is longer than %d bytes", d.limits.ObjectBytes).At(fault.Offset(off))
}

// indirect reads "n g obj" and the value; stream reports that stream data begin at pos.
func (p *parser) indirect() (ref Ref, l *located, stream bool, err error) {
	num, ok, err := p.integer()
	if err != nil {
		return ref, nil, false, err
	}
	gen, ok2, err := p.integer()
	if err != nil {
		return ref, nil, false, err
	}
	if !ok || !ok2 || num > 1<<31-1 || gen > 65535 {
		return ref, nil, false, errDamagedXref.Saying("这里没有对象", "no object here").At(fault.Offset(p.base))
	}
	ref = Ref{int(num), int(gen)}
	if ok, err := p.keyword("obj"); err != nil || !ok {
		if err == nil {
			err = errDamagedXref.Saying("这里没有对象", "no object here").At(fault.Offset(p.base))
		}
		return ref, nil, false, err
	}
	if err := p.skip(); err != nil {
		return ref, nil, false, err
	}
	start := p.pos
	if p.buf[p.pos] == 'e' {
		// "1 0 obj endobj" is an empty object: null.
		if ok, err := p.keyword("endobj"); err != nil || ok {
			return ref, &located{gen: int(gen), start: p.offset(start), end: p.offset(start)}, false, err
		}
	}
	o, err := p.value()
	if err != nil {
		return ref, nil, false, err
	}
	l = &located{object: o, gen: int(gen), start: p.offset(start), end: p.offset(p.pos)}
	if _, ok := o.(Dict); !ok {
		return ref, l, false, nil
	}
	end := p.pos
	stream, err = p.keyword("stream")
	if err == errShort {
		return ref, nil, false, err
	}
	if err != nil || !stream {
		p.pos = end
		return ref, l, false, nil
	}
	// Spaces before the end of the line are a common mistake; the data begin after LF, CR LF, or a lone CR.
	for p.pos < len(p.buf) && p.buf[p.pos] == ' ' {
		p.pos++
	}
	if p.pos+1 >= len(p.buf) && !p.final {
		return ref, nil, false, errShort
	}
	if p.pos < len(p.buf) && p.buf[p.pos] == '\r' {
		p.pos++
	}
	if p.pos < len(p.buf) && p.buf[p.pos] == '\n' {
		p.pos++
	}
	return ref, l, true, nil
}

// measure finds the length of a stream: its /Length when endstream follows there, else by looking for endstream.
func (d *Document) measure(s *Stream) error {
	length, err := d.Resolve(s.Dict.Get("Length"))
	if err != nil && !isTooDeep(err) {
		return err
	}
	if n, ok := length.(Integer); ok && n >= 0 && int64(n) <= d.size-s.Start {
		w, _, err := d.window(s.Start+int64(n), 32)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(bytes.TrimLeft(w[:min(len(w), 32)], "\r\n \t\x00"), []byte("endstream")) {
			s.Length = int64(n)
			return nil
		}
	}
	return d.measureByScan(s)
}

func isTooDeep(err error) bool { return fault.Has(err, errTooDeep) }

// measureByScan looks for endstream. The bytes scanned count against a budget of the whole document, since each
// object of a hostile file could ask for a scan to its end.
func (d *Document) measureByScan(s *Stream) error {
	const chunk = 64 << 10
	word := []byte("endstream")
	buf := make([]byte, chunk)
	for off := s.Start; off < d.size; off += chunk - int64(len(word)) {
		n := min(int64(chunk), d.size-off)
		if d.scanLeft -= n; d.scanLeft < 0 {
			return errTooLarge.Saying("长度不正确的数据流过多", "too many streams without a correct length").At(fault.Offset(s.Start))
		}
		if err := d.readFull(buf[:n], off); err != nil {
			return err
		}
		i := bytes.Index(buf[:n], word)
		if i < 0 {
			continue
		}
		s.Length = off + int64(i) - s.Start
		return d.trimEndOfLine(s)
	}
	return errDamagedStream.Saying("缺少 endstream", "endstream is missing").At(fault.Offset(s.Start))
}

// trimEndOfLine takes the end of line before endstream off the data.
func (d *Document) trimEndOfLine(s *Stream) error {
	n := min(s.Length, 2)
	var last [2]byte
	if err := d.readFull(last[2-n:], s.Start+s.Length-n); err != nil {
		return err
	}
	switch {
	case n == 2 && last == [2]byte{'\r', '\n'}:
		s.Length -= 2
	case n >= 1 && (last[1] == '\n' || last[1] == '\r'):
		s.Length--
	}
	return nil
}

// RawStream reads the encoded data of a stream.
func (d *Document) RawStream(s *Stream) io.Reader {
	return io.NewSectionReader(d.reader, s.Start, s.Length)
}

// raw returns a copy of the bytes of a located value.
func (d *Document) raw(l *located) ([]byte, error) {
	if l.start < 0 {
		return l.raw, nil
	}
	n := int(l.end - l.start)
	w, _, err := d.window(l.start, n)
	if err != nil {
		return nil, err
	}
	return append([]byte(nil), w[:n]...), nil
}
