package pdf

import (
	"bytes"
	"compress/zlib"
	"image"
	"image/color"
	"io"
	"strconv"
)

// samples are the pixels of a picture, colour and opacity apart.
type samples struct {
	width, height int
	colour        []byte // red, green, blue
	alpha         []byte
}

func sampled(m image.Image) samples {
	b := m.Bounds()
	s := samples{width: b.Dx(), height: b.Dy()}
	s.colour = make([]byte, 0, 3*s.width*s.height)
	s.alpha = make([]byte, 0, s.width*s.height)
	at := func(x, y int) color.NRGBA { return color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA) }
	switch m := m.(type) {
	case *image.Paletted:
		table := make([]color.NRGBA, len(m.Palette))
		for i, c := range m.Palette {
			table[i] = color.NRGBAModel.Convert(c).(color.NRGBA)
		}
		at = func(x, y int) color.NRGBA { return table[m.Pix[m.PixOffset(x, y)]] }
	case *image.NRGBA:
		at = m.NRGBAAt
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := at(x, y)
			s.colour = append(s.colour, c.R, c.G, c.B)
			s.alpha = append(s.alpha, c.A)
		}
	}
	return s
}

// palette lists the colours that can be seen; false when there are more than 256. What cannot be seen takes the index
// of its neighbour, which compresses best.
func (s samples) palette() (colours, indexes []byte, ok bool) {
	known := make(map[[3]byte]byte, 16)
	indexes = make([]byte, len(s.alpha))
	last := byte(0)
	for i, a := range s.alpha {
		if a != 0 {
			c := [3]byte(s.colour[3*i:])
			n, ok := known[c]
			if !ok {
				if len(known) == 256 {
					return nil, nil, false
				}
				n = byte(len(known))
				known[c] = n
				colours = append(colours, c[:]...)
			}
			last = n
		}
		indexes[i] = last
	}
	if len(colours) == 0 {
		colours = []byte{255, 255, 255}
	}
	return colours, indexes, true
}

// maskLevels gives the opacities with as few bits as they allow; false when all pixels are opaque.
func (s samples) maskLevels() (levels []byte, bits int, ok bool) {
	bits = 1
	opaque := true
	for _, v := range s.alpha {
		opaque = opaque && v == 255
		for bits < 8 && int(v)%(255/(1<<bits-1)) != 0 {
			bits *= 2
		}
	}
	if opaque {
		return nil, 0, false
	}
	levels = make([]byte, len(s.alpha))
	for i, v := range s.alpha {
		levels[i] = byte(int(v) / (255 / (1<<bits - 1)))
	}
	return levels, bits, true
}

// softMask is the image of the opacities (ISO 32000-1, 11.6.5.3); false when all pixels are opaque.
func (s samples) softMask() (imageSource, bool, error) {
	levels, bits, ok := s.maskLevels()
	if !ok {
		return imageSource{}, false, nil
	}
	mask, err := imageObject(s, "/ColorSpace/DeviceGray", bits, 1, pack(levels, s.width, bits))
	return mask, true, err
}

// hardMask is the image of what is less than half opaque and shall not be painted (ISO 32000-1, 8.9.6.3); false when
// there is none.
func (s samples) hardMask() (imageSource, bool, error) {
	hidden := make([]byte, len(s.alpha))
	any := false
	for i, v := range s.alpha {
		if v < 128 {
			hidden[i] = 1
			any = true
		}
	}
	if !any {
		return imageSource{}, false, nil
	}
	mask, err := imageObject(s, "/ImageMask true", 1, 1, pack(hidden, s.width, 1))
	return mask, true, err
}

// image is the image of the colours: indexed when they are few. space is the colour space of red, green and blue.
func (s samples) image(space string) (imageSource, error) {
	colours, indexes, ok := s.palette()
	if !ok {
		return imageObject(s, "/ColorSpace"+space, 8, 3, s.colour)
	}
	bits := 1
	for 1<<bits < len(colours)/3 {
		bits *= 2
	}
	table := []byte("/ColorSpace[/Indexed" + space + " " + strconv.Itoa(len(colours)/3-1) + "<")
	const digits = "0123456789ABCDEF"
	for _, c := range colours {
		table = append(table, digits[c>>4], digits[c&15])
	}
	return imageObject(s, string(table)+">]", bits, 1, pack(indexes, s.width, bits))
}

// pack puts samples of fewer than eight bits together; each row begins at a byte.
func pack(values []byte, width, bits int) []byte {
	if bits == 8 {
		return values
	}
	out := make([]byte, 0, (width*bits+7)/8*(len(values)/max(width, 1)))
	for start := 0; start < len(values); start += width {
		var acc, have int
		for _, v := range values[start : start+width] {
			if acc, have = acc<<bits|int(v), have+bits; have == 8 {
				out = append(out, byte(acc))
				acc, have = 0, 0
			}
		}
		if have > 0 {
			out = append(out, byte(acc<<(8-have)))
		}
	}
	return out
}

// imageSource is the source of an image object: its open dictionary, and the rest.
type imageSource struct{ dict, data []byte }

// imageObject compresses rows of samples, with or without a predictor, whichever is shorter. space is the entry that says
// what samples mean.
func imageObject(s samples, space string, bits, colours int, rows []byte) (imageSource, error) {
	plain, err := deflate(rows)
	if err != nil {
		return imageSource{}, err
	}
	rowBytes := (s.width*bits*colours + 7) / 8
	predicted, err := deflate(predictUp(rows, rowBytes))
	if err != nil {
		return imageSource{}, err
	}
	var dict []byte
	dict = append(dict, "<</Type/XObject/Subtype/Image/Width "...)
	dict = strconv.AppendInt(dict, int64(s.width), 10)
	dict = append(dict, "/Height "...)
	dict = strconv.AppendInt(dict, int64(s.height), 10)
	dict = append(dict, space...)
	dict = append(dict, "/BitsPerComponent "...)
	dict = strconv.AppendInt(dict, int64(bits), 10)
	dict = append(dict, "/Filter/FlateDecode"...)
	if len(predicted)+64 < len(plain) {
		dict = append(dict, "/DecodeParms<</Predictor 12/Colors "...)
		dict = strconv.AppendInt(dict, int64(colours), 10)
		dict = append(dict, "/BitsPerComponent "...)
		dict = strconv.AppendInt(dict, int64(bits), 10)
		dict = append(dict, "/Columns "...)
		dict = strconv.AppendInt(dict, int64(s.width), 10)
		dict = append(dict, ">>"...)
		plain = predicted
	}
	dict = append(dict, "/Length "...)
	dict = strconv.AppendInt(dict, int64(len(plain)), 10)
	var data []byte
	data = append(data, ">>\nstream\n"...)
	data = append(data, plain...)
	data = append(data, "\nendstream"...)
	return imageSource{dict, data}, nil
}

// predictUp applies the PNG filter Up to every row.
func predictUp(rows []byte, rowBytes int) []byte {
	out := make([]byte, 0, len(rows)+len(rows)/max(rowBytes, 1)+1)
	for start := 0; start < len(rows); start += rowBytes {
		out = append(out, 2)
		for i, v := range rows[start : start+rowBytes] {
			if start > 0 {
				v -= rows[start-rowBytes+i]
			}
			out = append(out, v)
		}
	}
	return out
}

func deflate(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, bytes.NewReader(data)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
