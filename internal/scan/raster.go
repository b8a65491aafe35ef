package scan

import (
	"bufio"
	"encoding/binary"
	"image"
	"io"
)

// raster is a picture that is stored as rows of samples, in a PDF stream or in the strips of a TIFF file.
type raster struct {
	width, height int
	components    int    // 1 grey or palette, 3 RGB, 4 CMYK; further ones of TIFF are passed over, see extra
	extra         int    // samples of each pixel behind the components
	bits          int    // 1, 2, 4, 8 or 16
	palette       []byte // three for each index; nil: grey
	inverted      bool   // 0 is white; of inks: 0 is full
	little        bool   // the lower byte of sixteen bits comes first
	alpha         alpha  // what the first sample behind three components means
	predictor     int    // 1 none, 2 TIFF, 10 and more PNG
}

// alpha says whether a sample behind the components is how much of them covers the paper (TIFF 6.0, ExtraSamples).
type alpha int

const (
	opaque     alpha = iota
	associated       // the components are multiplied with it
	unassociated
)

// new gives an empty picture.
func (r raster) new() image.Image {
	if r.components == 1 && r.palette == nil {
		return image.NewGray(image.Rect(0, 0, r.width, r.height))
	}
	return newRGB(r.width, r.height)
}

// rowBytes is the length of a row without the predictor's own byte.
func (r raster) rowBytes() int { return (r.width*(r.components+r.extra)*r.bits + 7) / 8 }

// perPixel is what a pixel takes in memory.
func (r raster) perPixel() float64 {
	if r.components == 1 && r.palette == nil {
		return 1
	}
	return 3
}

func (r raster) valid() bool {
	switch r.bits {
	case 1, 2, 4, 8, 16:
	default:
		return false
	}
	return (r.components == 1 || r.components == 3 || r.components == 4) && r.extra >= 0 && r.extra <= 4 && (r.palette == nil || r.components == 1)
}

// room is what reading the parts of a picture takes: they may be many and small.
type room struct {
	in          *bufio.Reader
	row, before []byte
	kind        [1]byte          // of a row's filter
	unpackers   map[int]unpacker // by the number of their compression in TIFF
}

// unpacker is a reader that can begin anew.
type unpacker interface {
	io.Reader
	reset(in io.Reader)
}

// rows gives two rows of so many bytes, the second of them empty.
func (s *room) rows(length int) (row, before []byte) {
	if len(s.row) != length {
		s.row, s.before = make([]byte, length), make([]byte, length)
	}
	clear(s.before)
	return s.row, s.before
}

// reader buffers a source of so many bytes, unless it is one that has them at hand.
func (s *room) reader(source io.Reader, size int) io.Reader {
	inner := source
	if m, ok := source.(meter); ok {
		inner = m.in
	}
	if _, ok := inner.(unpacker); ok {
		return source
	}
	if s.in == nil || s.in.Size() < min(64<<10, size) {
		s.in = bufio.NewReaderSize(source, min(64<<10, size))
	}
	s.in.Reset(source)
	return s.in
}

// fill reads a part of a picture made by new, of r.width pixels in a row, and no more of the source than it needs. The part may
// stand out over the right and the lower edge.
func (r raster) fill(img image.Image, part image.Rectangle, source io.Reader, space *room) error {
	length := r.rowBytes()
	in := space.reader(source, (length+1)*part.Dy())
	row, before := space.rows(length)
	direct, _ := img.(*RGB) // rows are read into their place where they are stored as they stand there
	if !r.asStored() || part.Dx() != r.width || part.Max.X > img.Bounds().Max.X {
		direct = nil
	}
	for y := part.Min.Y; y < min(part.Max.Y, img.Bounds().Max.Y); y++ {
		if direct != nil {
			row = direct.Row(y, part.Min.X, part.Max.X)
		}
		if r.predictor >= 10 {
			if _, err := io.ReadFull(in, space.kind[:]); err != nil {
				return ErrBroken.Because(err)
			}
		}
		if _, err := io.ReadFull(in, row); err != nil {
			return ErrBroken.Because(err)
		}
		if r.little && r.bits == 16 {
			for i := 0; i+1 < len(row); i += 2 {
				row[i], row[i+1] = row[i+1], row[i]
			}
		}
		switch {
		case r.predictor >= 10:
			r.undoPNG(space.kind[0], row, before)
		case r.predictor == 2:
			r.undoTIFF(row)
		}
		if direct != nil {
			before = row
			continue
		}
		r.put(img, image.Rect(part.Min.X, y, part.Max.X, y+1), row)
		row, before = before, row
	}
	return nil
}

// undoPNG takes back the filter of a row (PNG specification, clause 9).
func (r raster) undoPNG(kind byte, row, before []byte) {
	step := max(1, (r.components+r.extra)*r.bits/8)
	undoPNG(kind, row, before[:len(row)], min(step, len(row)))
}

// undoPNG takes back the filter of a row whose pixels have so many bytes; kinds that there are not are none.
func undoPNG(kind byte, row, before []byte, step int) {
	switch kind {
	case 1:
		addLeft(row, step)
	case 2:
		addAbove(row, before)
	case 3:
		if step == 3 {
			average3(row, before)
			return
		}
		for i := range step {
			row[i] += before[i] / 2
		}
		left := row[:len(row)-step]
		for i, v := range left {
			row[i+step] += byte((int(v) + int(before[i+step])) / 2)
		}
	case 4:
		if step == 3 { // the three do not wait for each other
			paeth3(row, before)
			return
		}
		for first := range step {
			left, corner := 0, 0
			for i := first; i < len(row); i += step {
				up := int(before[i])
				left = (int(row[i]) + paeth(left, up, corner)) & 255
				row[i], corner = byte(left), up
			}
		}
	}
}

// addAbove adds to each byte the one above it, eight at a time: the highest bit of each, which would carry into the next one, by itself.
func addAbove(row, before []byte) {
	const high = 0x8080808080808080
	for before = before[:len(row)]; len(row) >= 8 && len(before) >= 8; row, before = row[8:], before[8:] {
		a, b := binary.LittleEndian.Uint64(row), binary.LittleEndian.Uint64(before)
		binary.LittleEndian.PutUint64(row, (a&^high+b&^high)^(a^b)&high)
	}
	for i, up := range before {
		row[i] += up
	}
}

// average3 takes back the filter of averages of pixels of three bytes.
func average3(row, before []byte) {
	var r, g, b int
	before = before[:len(row)]
	for i := 0; i < len(row)-2; i += 3 {
		r = (int(row[i]) + (r+int(before[i]))>>1) & 255
		g = (int(row[i+1]) + (g+int(before[i+1]))>>1) & 255
		b = (int(row[i+2]) + (b+int(before[i+2]))>>1) & 255
		row[i], row[i+1], row[i+2] = byte(r), byte(g), byte(b)
	}
}

// addLeft adds to each byte the one so many before it.
func addLeft(row []byte, step int) {
	if step == 3 {
		var r, g, b byte
		for ; len(row) >= 3; row = row[3:] {
			r, g, b = r+row[0], g+row[1], b+row[2]
			row[0], row[1], row[2] = r, g, b
		}
		return
	}
	for i, v := range row[:len(row)-step] {
		row[i+step] += v
	}
}

// paeth3 takes back the filter of Paeth of pixels of three bytes.
func paeth3(row, before []byte) {
	var r, g, b, cornerR, cornerG, cornerB int
	before = before[:len(row)]
	for i := 0; i < len(row)-2; i += 3 {
		upR, upG, upB := int(before[i]), int(before[i+1]), int(before[i+2])
		r = (int(row[i]) + paeth(r, upR, cornerR)) & 255
		g = (int(row[i+1]) + paeth(g, upG, cornerG)) & 255
		b = (int(row[i+2]) + paeth(b, upB, cornerB)) & 255
		row[i], row[i+1], row[i+2] = byte(r), byte(g), byte(b)
		cornerR, cornerG, cornerB = upR, upG, upB
	}
}

// paeth is the one of left, above and corner that is nearest to left + above - corner: the lower neighbour where the corner lies so
// high that three times it is the sum of both and the higher one, or more; the higher neighbour where it lies as low; the corner
// in between. Said so, it takes neither absolute values nor branches: what is noise has none that can be foreseen.
func paeth(left, above, corner int) int {
	low, high, bound := min(left, above), max(left, above), 3*corner-left-above
	nearest := corner
	if high <= bound {
		nearest = low
	}
	if bound <= low {
		nearest = high
	}
	return nearest
}

// undoTIFF takes back horizontal differencing (TIFF 6.0, section 14) of samples of eight bits, and of sixteen in the order of
// PDF.
func (r raster) undoTIFF(row []byte) {
	step := r.components + r.extra
	switch r.bits {
	case 8:
		addLeft(row, min(step, len(row)))
	case 16:
		for i := 2 * step; i+1 < len(row); i += 2 {
			v := uint16(row[i])<<8 + uint16(row[i+1]) + uint16(row[i-2*step])<<8 + uint16(row[i-2*step+1])
			row[i], row[i+1] = byte(v>>8), byte(v)
		}
	}
}

// asStored reports whether rows of the source are rows of RGB.
func (r raster) asStored() bool {
	return r.components == 3 && r.extra == 0 && r.bits == 8 && !r.inverted
}

// put writes a row into the picture, at the upper left corner of a rectangle, as far as both reach.
func (r raster) put(img image.Image, at image.Rectangle, row []byte) {
	x0, y, width := at.Min.X, at.Min.Y, min(at.Max.X, img.Bounds().Max.X)-at.Min.X
	if grey, ok := img.(*image.Gray); ok {
		line := grey.Pix[y*grey.Stride+x0:][:width]
		if r.bits == 8 && r.extra == 0 && !r.inverted {
			copy(line, row)
			return
		}
		for x := range line {
			line[x] = r.grey(row, x*(1+r.extra))
		}
		return
	}
	line := img.(*RGB).Row(y, x0, x0+width)
	if r.asStored() {
		copy(line, row)
		return
	}
	each := r.components + r.extra
	for x := range width {
		p := line[3*x : 3*x+3]
		switch {
		case r.palette != nil:
			if i := 3 * r.sample(row, x*each); i+3 <= len(r.palette) {
				copy(p, r.palette[i:i+3])
			}
		case r.components == 3:
			p[0], p[1], p[2] = r.grey(row, x*each), r.grey(row, x*each+1), r.grey(row, x*each+2)
			if r.alpha != opaque {
				r.alpha.onPaper(p, r.grey(row, x*each+3))
			}
		default:
			k := 255 - int(r.grey(row, x*each+3))
			for c := range 3 {
				p[c] = byte((255 - int(r.grey(row, x*each+c))) * k / 255)
			}
		}
	}
}

// onPaper lays a pixel over white.
func (a alpha) onPaper(p []byte, share byte) {
	s := int(share)
	for c := range 3 {
		v := int(p[c])
		if a == unassociated {
			v = (v*s + 127) / 255
		}
		p[c] = byte(min(255, v+255-s))
	}
}

// sample is the value of the i-th sample of a row; of sixteen bits the upper eight.
func (r raster) sample(row []byte, i int) int {
	switch r.bits {
	case 8:
		return int(row[i])
	case 16:
		return int(row[2*i])
	}
	at := i * r.bits
	return int(row[at/8]>>(8-r.bits-at%8)) & (1<<r.bits - 1)
}

// grey is a sample stretched to eight bits.
func (r raster) grey(row []byte, i int) byte {
	v := r.sample(row, i)
	if r.bits < 8 {
		v = v * 255 / (1<<r.bits - 1)
	}
	if r.inverted {
		v = 255 - v
	}
	return byte(v)
}
