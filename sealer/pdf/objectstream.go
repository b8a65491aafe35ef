package pdf

import "yinxin/internal/fault"

// objectStream is a decoded object stream (ISO 32000-1, 7.5.7) with the index from its head.
type objectStream struct {
	num     int
	data    []byte
	numbers []int32
	offsets []int32 // into data
}

// loadCompressed reads an object out of its object stream.
func (d *Document) loadCompressed(e XrefEntry) (*located, error) {
	s, err := d.objectStream(e.Stream)
	if err != nil {
		return nil, err
	}
	i := e.Index
	if i < 0 || i >= len(s.numbers) || int(s.numbers[i]) != e.Num {
		// Careless producers write a wrong index: the number decides, as in other readers.
		for i = 0; i < len(s.numbers) && int(s.numbers[i]) != e.Num; i++ {
		}
		if i == len(s.numbers) {
			return nil, nil
		}
	}
	p := newParser(s.data, -1, true, d.limits)
	p.pos = int(s.offsets[i])
	if err := p.skip(); err != nil {
		return nil, err
	}
	start := p.pos
	o, err := p.value()
	if err != nil {
		return nil, err
	}
	if err := d.spend(int64(p.pos - start)); err != nil {
		return nil, err
	}
	return &located{object: o, start: -1, end: -1, raw: s.data[start:p.pos:p.pos]}, nil
}

// keptStreams is how many bytes of decoded object streams are kept besides the last: producers put one or two hundred
// objects in a stream, so that this is dozens of them.
const keptStreams = 2 << 20

// objectStream returns a decoded object stream. The most recent ones are kept.
func (d *Document) objectStream(num int) (*objectStream, error) {
	for i, s := range d.streams {
		if s.num == num {
			last := len(d.streams) - 1
			copy(d.streams[i:], d.streams[i+1:])
			d.streams[last] = s
			return s, nil
		}
	}
	entry, ok, err := d.Entry(num)
	if err != nil {
		return nil, err
	}
	if !ok || entry.State != InFile {
		return nil, errDamagedXref.Saying("缺少对象流", "the object stream is missing").At(fault.Object(num, 0))
	}
	o, err := d.Object(Ref{num, entry.Gen})
	if err != nil {
		return nil, err
	}
	stream, ok := o.(*Stream)
	if !ok || stream.Dict.Get("Type") != Name("ObjStm") {
		return nil, errDamagedXref.Saying("不是对象流", "not an object stream").At(fault.Object(num, entry.Gen))
	}
	s, err := d.decodeObjectStream(num, stream)
	if err != nil {
		return nil, at(err, Ref{num, entry.Gen})
	}
	total := int64(0)
	for i := len(d.streams) - 1; i >= 0; i-- {
		if total += int64(len(d.streams[i].data)); total > keptStreams {
			d.streams = append([]*objectStream(nil), d.streams[i+1:]...)
			break
		}
	}
	d.streams = append(d.streams, s)
	return s, nil
}

func (d *Document) decodeObjectStream(num int, stream *Stream) (*objectStream, error) {
	data, err := d.StreamData(stream, d.limits.ObjectStreamBytes)
	if err != nil {
		return nil, err
	}
	count, err := d.integer(stream.Dict.Get("N"))
	if err != nil {
		return nil, err
	}
	first, err := d.integer(stream.Dict.Get("First"))
	if err != nil {
		return nil, err
	}
	// Each pair of numbers takes four bytes at least, so what the stream claims is bounded by what it has.
	if first < 0 || first > int64(len(data)) || count < 0 || count > first/4+1 {
		return nil, errDamagedStream.Saying("对象流的开头", "the head of the object stream")
	}
	s := &objectStream{num: num, data: data, numbers: make([]int32, 0, count), offsets: make([]int32, 0, count)}
	p := newParser(data[:first], -1, true, d.limits)
	for range count {
		n, ok, err := p.integer()
		if err != nil || !ok {
			break
		}
		off, ok, err := p.integer()
		if err != nil || !ok {
			break
		}
		if n > int64(d.limits.Objects) || off > int64(len(data))-first {
			return nil, errDamagedStream.Saying("对象流的开头", "the head of the object stream")
		}
		s.numbers = append(s.numbers, int32(n))
		s.offsets = append(s.offsets, int32(first+off))
	}
	return s, nil
}

// integer resolves an object that must be an integer.
func (d *Document) integer(o Object) (int64, error) {
	o, err := d.Resolve(o)
	if err != nil {
		return 0, err
	}
	n, ok := o.(Integer)
	if !ok {
		return 0, errDamagedObject.Saying("缺少整数", "an integer is missing")
	}
	return int64(n), nil
}
