package pdf

import (
	"bytes"
	"io"

	"yinxin/internal/fault"
)

// maxFilters bounds the chain of filters on one stream.
const maxFilters = 8

// StreamData decodes a stream: FlateDecode and LZWDecode with predictors, ASCIIHexDecode, ASCII85Decode,
// RunLengthDecode. More than max decoded bytes is pdf.too-large, an image filter or another unknown one
// pdf.unsupported-filter. When the data break off, what was decoded is returned with pdf.damaged-stream.
func (d *Document) StreamData(s *Stream, max int64) ([]byte, error) {
	return d.streamData(s, max, 4*s.Length)
}

// streamData is StreamData for about expected bytes, which sizes the first buffer.
func (d *Document) streamData(s *Stream, max, expected int64) ([]byte, error) {
	filters, parameters, err := d.filters(s)
	if err != nil {
		return nil, err
	}
	if err := d.spend(s.Length); err != nil {
		return nil, err
	}
	var source io.Reader = io.NewSectionReader(d.reader, s.Start, s.Length)
	if len(filters) == 0 {
		if held := d.held(s.Start, s.Length); held != nil && s.Length <= max {
			return held, nil
		}
		return readLimited(source, max, s.Length)
	}
	var data []byte
	for i, filter := range filters {
		limit := max
		if i+1 < len(filters) {
			limit = 4*max + 64<<10 // what a text encoding takes around the last filter
		}
		if data, err = d.decode(filter, parameters[i], source, limit, expected); err != nil {
			break
		}
		if err := d.spend(int64(len(data))); err != nil {
			return nil, err
		}
		source = bytes.NewReader(data)
	}
	if err != nil && !fault.Has(err, errDamagedStream) {
		return nil, err
	}
	return data, err
}

// filters returns the filters of a stream with the parameters of each.
func (d *Document) filters(s *Stream) ([]Name, []Dict, error) {
	f, err := d.Resolve(s.Dict.Get("Filter"))
	if err != nil || f == nil {
		return nil, nil, err
	}
	parms, err := d.Resolve(s.Dict.Get("DecodeParms"))
	if err != nil {
		return nil, nil, err
	}
	list, ok := f.(Array)
	if !ok {
		list = Array{f}
	}
	parmList, ok := parms.(Array)
	if !ok {
		parmList = Array{parms}
	}
	if len(list) > maxFilters {
		return nil, nil, errUnsupportedFilter.With("%d filters", len(list))
	}
	names := make([]Name, len(list))
	parameters := make([]Dict, len(list))
	for i := range list {
		o, err := d.Resolve(list[i])
		if err != nil {
			return nil, nil, err
		}
		if names[i], ok = o.(Name); !ok {
			return nil, nil, errDamagedStream.Saying("过滤器不是名称", "a filter is not a name")
		}
		if i < len(parmList) {
			o, err := d.Resolve(parmList[i])
			if err != nil {
				return nil, nil, err
			}
			parameters[i], _ = o.(Dict)
		}
	}
	return names, parameters, nil
}

// decode applies one filter.
func (d *Document) decode(filter Name, parameters Dict, source io.Reader, limit, expected int64) ([]byte, error) {
	switch filter {
	case "FlateDecode", "Fl", "LZWDecode", "LZW":
		p, err := d.predictor(parameters)
		if err != nil {
			return nil, err
		}
		// Rows carry one byte more than their data while a predictor is on.
		limit, whole := p.encodedLimit(limit), limit
		var data []byte
		if filter == "FlateDecode" || filter == "Fl" {
			data, err = d.flateDecode(source, limit, expected)
		} else {
			early, e := d.integerOr(parameters.Get("EarlyChange"), 1)
			if e != nil {
				return nil, e
			}
			data, err = lzwDecode(source, limit, early != 0)
		}
		if err != nil && !fault.Has(err, errDamagedStream) {
			return nil, err
		}
		data, e := p.undo(data)
		if e != nil {
			return nil, e
		}
		if int64(len(data)) > whole {
			return nil, errTooLarge.Sayingf("有数据流超过 %d 字节", "a stream of more than %d bytes", whole)
		}
		return data, err
	case "ASCIIHexDecode", "AHx":
		return asciiHexDecode(source, limit)
	case "ASCII85Decode", "A85":
		return ascii85Decode(source, limit)
	case "RunLengthDecode", "RL":
		return runLengthDecode(source, limit)
	}
	return nil, errUnsupportedFilter.With("%s", filter)
}

// integerOr resolves an integer that has a default.
func (d *Document) integerOr(o Object, standard int64) (int64, error) {
	o, err := d.Resolve(o)
	if err != nil {
		return 0, err
	}
	if n, ok := o.(Integer); ok {
		return int64(n), nil
	}
	return standard, nil
}

// readLimited reads everything from r, at most max bytes; hint is how many to expect.
func readLimited(r io.Reader, max, hint int64) ([]byte, error) {
	if hint < 512 {
		hint = 512
	}
	out := make([]byte, 0, min(hint, max, 8<<20)+1)
	for {
		if len(out) == cap(out) {
			out = append(out, 0)[:len(out)]
		}
		n, err := r.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		if int64(len(out)) > max {
			return nil, errTooLarge.Sayingf("有数据流超过 %d 字节", "a stream of more than %d bytes", max)
		}
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, errDamagedStream.Because(err)
		}
	}
}

// flateDecode inflates zlib data. The checksum at the end is not compared: producers get it wrong and other readers
// do not look at it.
func (d *Document) flateDecode(source io.Reader, limit, expected int64) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(source, head[:]); err != nil {
		return nil, errDamagedStream.Saying("没有数据", "no data")
	}
	if head[0]&15 != 8 || head[1]&32 != 0 || (int(head[0])<<8|int(head[1]))%31 != 0 {
		return nil, errDamagedStream.Saying("不是 zlib 数据", "not zlib data")
	}
	if _, ok := source.(io.ByteReader); !ok {
		source = newBlockReader(source)
	}
	return readLimited(d.inflate(source), limit, expected)
}

// blockReader is a small buffered reader of bytes.
type blockReader struct {
	source io.Reader
	buf    [4096]byte
	start  int
	end    int
}

func newBlockReader(r io.Reader) *blockReader { return &blockReader{source: r} }

func (b *blockReader) fill() error {
	for tries := 0; b.start == b.end; tries++ {
		n, err := b.source.Read(b.buf[:])
		b.start, b.end = 0, n
		if n == 0 && err != nil {
			return err
		}
		if tries > 100 {
			return io.ErrNoProgress
		}
	}
	return nil
}

func (b *blockReader) ReadByte() (byte, error) {
	if b.start == b.end {
		if err := b.fill(); err != nil {
			return 0, err
		}
	}
	b.start++
	return b.buf[b.start-1], nil
}

func (b *blockReader) Read(p []byte) (int, error) {
	if b.start == b.end {
		if err := b.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.buf[b.start:b.end])
	b.start += n
	return n, nil
}
