package pdf

import (
	"bytes"

	"yinxin/internal/fault"
)

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
			return 0, errTooLarge.Saying("数据流过多", "too many streams")
		}
		s.lengths = append(s.lengths, laterLength{data.Start, end, ref, owner})
		return end + int64(len("endstream")), nil
	}
	return end + int64(len("endstream")), s.plain(data.Start, end, owner)
}

// endstreamAt passes white space and the word endstream at off and returns where it ends, -1 when it is not there.
func (s *salvage) endstreamAt(off int64) (int64, error) {
	// A look far ahead must not cost the part of the file in memory: of many streams with wrong lengths each would.
	w, ok := s.found.has(off, 32)
	if !ok {
		if err := s.d.spend(windowBytes); err != nil {
			return 0, err
		}
		var err error
		if w, _, err = s.d.window(off, 32); err != nil {
			return 0, err
		}
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
			return 0, errIncomplete.Saying("数据流中断", "the stream is cut off").At(fault.Object(owner.Num, owner.Gen))
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
			return errDoubtful.Sayingf("对象 %d 的数据流长度不正确，其中第 %d 字节处似有另一个对象", "the stream of object %d has no correct length and seems to hold an object at byte %d",
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
			return errDoubtful.Sayingf("对象 %d 的数据流有两个结尾：第 %d 字节和第 %d 字节", "the stream of object %d has two ends, at byte %d and at byte %d", l.owner.Num, l.end, word).
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
	if err := s.d.spend(windowBytes); err != nil {
		return 0, err
	}
	_, l, _, err := s.d.readIndirect(s.objects[i].offset + s.d.bias)
	if err != nil {
		return 0, s.unreadable(err, fault.Object(ref.Num, ref.Gen))
	}
	if n, ok := l.object.(Integer); ok {
		return int64(n), nil
	}
	return -1, nil
}
