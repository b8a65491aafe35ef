package pdf

import "yinxin/internal/fault"

// trailer reads "trailer << … >>" at off. One that cannot be read is part of the damage.
func (s *salvage) trailer(off int64) (int64, error) {
	after := off + int64(len("trailer"))
	if err := s.attempt(); err != nil {
		return 0, err
	}
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

// attempt counts the parts of the old cross-reference that were tried to be read.
func (s *salvage) attempt() error {
	if s.attempts++; s.attempts > maxAttempts {
		return errTooLarge.Sayingf("交叉引用超过 %d 段", "more than %d parts of a cross-reference", maxAttempts)
	}
	return nil
}

func (s *salvage) noteTrailer(t Dict) error {
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
	s.xrefStreams.Add(ref.Num, s.d.limits.Objects)
	if err := s.noteTrailer(data.Dict); err != nil {
		return err
	}
	return s.keepRemains(func() (*section, error) {
		rows, err := s.d.readXrefStream(data)
		return &section{start: off, kind: StreamXref, entries: rows}, err
	})
}

func (s *salvage) keepRemains(read func() (*section, error)) error {
	if err := s.attempt(); err != nil {
		return err
	}
	if len(s.remains) == maxRemains {
		return errTooLarge.Sayingf("交叉引用超过 %d 节", "more than %d cross-reference sections", maxRemains)
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

// found is the part of the file that is in memory.
type found struct {
	d    *Document
	size int // bytes read at once
	base int64
	data []byte
}

// has returns the file from off when n bytes of it are in memory.
func (f *found) has(off, n int64) ([]byte, bool) {
	if off < f.base || off+n > f.base+int64(len(f.data)) {
		return nil, false
	}
	return f.data[off-f.base:], true
}

// from returns the file from off, at least n bytes unless it ends before, and whether the end is among them. The bytes
// are valid until the next call.
func (f *found) from(off int64, n int) (w []byte, final bool, err error) {
	d := f.d
	if off > d.size {
		return nil, true, nil
	}
	need := min(int64(n), d.size-off)
	if _, ok := f.has(off, need); !ok {
		length := min(max(int64(f.size), need), d.size-off)
		if int64(cap(f.data)) < length {
			f.data = make([]byte, length)
		}
		if err := d.spend(length); err != nil {
			return nil, false, err
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
