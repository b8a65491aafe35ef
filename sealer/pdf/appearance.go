package pdf

import (
	"bytes"
	"compress/zlib"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"strconv"
)

// Appearance is the picture of a seal, encoded once as PDF image and soft mask and then used for any number of
// documents. It is immutable and safe for concurrent use.
type Appearance struct {
	width, height float64 // mm
	// The image object in two parts, with the number of the soft mask to be written between them; the mask is empty
	// for an opaque picture, and then so is imageTail.
	imageHead, imageTail []byte
	mask                 []byte
}

const (
	maxPictureSide = 8192
	maxSealMM      = 1000
)

// NewAppearance encodes a PNG that shall measure width × height millimetres on the page. Pixels keep their colours and
// their opacity. Error: pdf.bad-picture.
func NewAppearance(picture []byte, widthMM, heightMM float64) (*Appearance, error) {
	for _, v := range []float64{widthMM, heightMM} {
		if math.IsNaN(v) || v <= 0 || v > maxSealMM {
			return nil, errBadPicture.With("%g × %g mm", widthMM, heightMM)
		}
	}
	config, err := png.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return nil, errBadPicture.Because(err)
	}
	if config.Width > maxPictureSide || config.Height > maxPictureSide {
		return nil, errBadPicture.With("%d × %d pixels", config.Width, config.Height)
	}
	decoded, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, errBadPicture.Because(err)
	}
	a := &Appearance{width: widthMM, height: heightMM}
	s := sampled(decoded)
	if err := a.encodeMask(s); err != nil {
		return nil, err
	}
	return a, a.encodeImage(s)
}

// Size is the size on the page in millimetres.
func (a *Appearance) Size() (width, height float64) { return a.width, a.height }

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
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
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

// encodeMask makes the soft mask, with as few bits as its levels allow.
func (a *Appearance) encodeMask(s samples) error {
	bits := 1
	opaque := true
	for _, v := range s.alpha {
		opaque = opaque && v == 255
		for bits < 8 && int(v)%(255/(1<<bits-1)) != 0 {
			bits *= 2
		}
	}
	if opaque {
		return nil
	}
	levels := make([]byte, len(s.alpha))
	for i, v := range s.alpha {
		levels[i] = byte(int(v) / (255 / (1<<bits - 1)))
	}
	object, err := imageObject(s, "/DeviceGray", bits, 1, pack(levels, s.width, bits))
	a.mask = object.join()
	return err
}

// encodeImage makes the image: indexed when the colours are few.
func (a *Appearance) encodeImage(s samples) error {
	var object imageSource
	var err error
	if colours, indexes, ok := s.palette(); ok {
		bits := 1
		for 1<<bits < len(colours)/3 {
			bits *= 2
		}
		space := []byte("[/Indexed/DeviceRGB " + strconv.Itoa(len(colours)/3-1) + "<")
		const digits = "0123456789ABCDEF"
		for _, c := range colours {
			space = append(space, digits[c>>4], digits[c&15])
		}
		object, err = imageObject(s, string(space)+">]", bits, 1, pack(indexes, s.width, bits))
	} else {
		object, err = imageObject(s, "/DeviceRGB", 8, 3, s.colour)
	}
	if err != nil {
		return err
	}
	if a.mask == nil {
		a.imageHead = object.join()
		return nil
	}
	a.imageHead = append(object.dict, "/SMask "...)
	a.imageTail = append([]byte(" 0 R"), object.data...)
	return nil
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

func (o imageSource) join() []byte { return append(append([]byte(nil), o.dict...), o.data...) }

// imageObject compresses rows of samples, with or without a predictor, whichever is shorter.
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
	dict = append(dict, "/ColorSpace"...)
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

// objects is how many object numbers the picture takes. The first is an XObject that paints the unit square.
func (a *Appearance) objects() int {
	if a.mask == nil {
		return 1
	}
	return 2
}

// size is about how many bytes the objects take, not less than they do.
func (a *Appearance) size() int {
	return len(a.imageHead) + len(a.imageTail) + len(a.mask) + 64*a.objects()
}

// write writes the objects under the numbers from first on.
func (a *Appearance) write(w *writer, first int) {
	w.begin(Ref{Num: first})
	w.buf = append(w.buf, a.imageHead...)
	if a.mask != nil {
		w.integer(int64(first + 1))
	}
	w.buf = append(w.buf, a.imageTail...)
	w.end()
	if a.mask != nil {
		w.begin(Ref{Num: first + 1})
		w.buf = append(w.buf, a.mask...)
		w.end()
	}
}
