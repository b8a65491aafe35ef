package scan

import (
	"bytes"
	"encoding/binary"
	"image"
	"io"
)

// part is a strip or a tile: the rectangle of the picture that it covers, which may stand out over the right and the lower
// edge for a tile, and its coded bytes. Plane is the sample that it holds where samples are kept apart.
type part struct {
	at    image.Rectangle
	plane int
	coded []byte
}

// grid is how a picture is cut: into strips over its whole width, or into tiles.
type grid struct {
	width, height         int // of the picture
	partWidth, partHeight int
	offsets, counts       []uint64
	planes                int
}

func (d directory) grid() grid {
	g := grid{width: d.number(tagWidth, 0), height: d.number(tagHeight, 0), planes: 1}
	g.partWidth, g.partHeight = d.number(tagTileWidth, 0), d.number(tagTileHeight, 0)
	if g.partWidth > 0 {
		g.offsets, g.counts = d.numbers(tagTileOffsets), d.numbers(tagTileCounts)
		if len(g.offsets) == 0 { // old writers use the tags of strips for tiles
			g.offsets, g.counts = d.numbers(tagStripOffsets), d.numbers(tagStripCounts)
		}
	} else {
		g.partWidth, g.partHeight = g.width, d.number(tagRowsPerStrip, g.height)
		if g.partHeight <= 0 || g.partHeight > g.height {
			g.partHeight = g.height
		}
		g.offsets, g.counts = d.numbers(tagStripOffsets), d.numbers(tagStripCounts)
	}
	if d.number(tagPlanar, 1) == 2 {
		g.planes = d.number(tagSamples, 1)
	}
	return g
}

// parts are the coded parts of the picture, which must be enough for all of it (TIFF 6.0, sections 3 and 15).
func (d directory) parts() ([]part, error) {
	g := d.grid()
	if g.partWidth <= 0 || g.partHeight <= 0 || g.partWidth > 1<<16 || g.partHeight > 1<<20 || g.planes < 1 || g.planes > 8 {
		return nil, ErrBroken.New()
	}
	// A tile may be larger than the picture, but not by much: its row is read as a whole.
	if g.partWidth > g.width+1<<12 || g.partHeight > g.height+1<<12 {
		return nil, ErrBroken.New()
	}
	across, down := (g.width+g.partWidth-1)/g.partWidth, (g.height+g.partHeight-1)/g.partHeight
	if len(g.offsets) != len(g.counts) || len(g.offsets) < across*down*g.planes {
		return nil, ErrBroken.New()
	}
	parts := make([]part, 0, across*down*g.planes)
	for i := range across * down * g.planes {
		place := i % (across * down)
		x, y := place%across*g.partWidth, place/across*g.partHeight
		p := part{at: image.Rect(x, y, x+g.partWidth, y+g.partHeight), plane: i / (across * down)}
		if d.number(tagTileWidth, 0) == 0 {
			p.at.Max.Y = min(p.at.Max.Y, g.height) // the last strip is as long as what is left
		}
		total, offset, count := uint64(len(d.t.data)), g.offsets[i], g.counts[i]
		if offset > total || count > total-offset {
			return nil, ErrBroken.New()
		}
		p.coded = d.t.data[offset : offset+count]
		parts = append(parts, p)
	}
	return parts, nil
}

// ofSamples decodes a picture of samples that mean light or ink by themselves, or an index.
func (p tiffPages) ofSamples(d directory, parts []part) (image.Image, error) {
	r, err := d.raster()
	if err != nil {
		return nil, err
	}
	if d.number(tagPlanar, 1) == 2 && r.components+r.extra > 1 {
		return p.ofPlanes(d, r, parts)
	}
	if err := p.file.checkSize(r.width, r.height, r.perPixel()); err != nil {
		return nil, err
	}
	if err := d.enough(parts, r.rowBytes()*r.height, r.rowBytes()); err != nil {
		return nil, err
	}
	if stored, ok := d.stored(r, parts); ok {
		return stored, nil
	}
	img := r.new()
	return img, d.fill(img, r, parts, new(room))
}

// fill decodes parts into a picture.
func (d directory) fill(img image.Image, r raster, parts []part, space *room) error {
	for _, part := range parts {
		r.width = part.at.Dx()
		source, err := d.unpacked(part.coded, r, part.at.Dy(), space)
		if err != nil {
			return err
		}
		if err := r.fill(img, part.at, source, space); err != nil {
			return err
		}
	}
	return nil
}

// ofPlanes decodes a picture whose samples are kept apart, each kind as a picture of shades, and joins them.
func (p tiffPages) ofPlanes(d directory, r raster, parts []part) (image.Image, error) {
	if err := p.file.checkSize(r.width, r.height, r.perPixel()+float64(r.components+r.extra)); err != nil {
		return nil, err
	}
	if err := d.enough(parts, r.rowBytes()*r.height, r.rowBytes()); err != nil {
		return nil, err
	}
	one := r
	one.components, one.extra, one.alpha, one.inverted = 1, 0, opaque, false
	planes := make([]*image.Gray, r.components+r.extra)
	for i := range planes {
		planes[i] = image.NewGray(image.Rect(0, 0, r.width, r.height))
	}
	space := new(room)
	for i, coded := range parts {
		if coded.plane < len(planes) {
			if err := d.fill(planes[coded.plane], one, parts[i:i+1], space); err != nil {
				return nil, err
			}
		}
	}
	whole := r
	whole.bits, whole.little = 8, false
	img := whole.new()
	row := make([]byte, whole.rowBytes())
	for y := range r.height {
		for i, plane := range planes {
			for x, v := range plane.Pix[y*plane.Stride : y*plane.Stride+r.width] {
				row[x*len(planes)+i] = v
			}
		}
		whole.put(img, image.Rect(0, y, r.width, y+1), row)
	}
	return img, nil
}

// raster reads what the samples mean.
func (d directory) raster() (raster, error) {
	r := raster{width: d.number(tagWidth, 0), height: d.number(tagHeight, 0), components: 1, bits: d.number(tagBits, 1), predictor: d.number(tagPredictor, 1),
		little: d.t.order == binary.ByteOrder(binary.LittleEndian)}
	samples := d.number(tagSamples, 1)
	switch d.number(tagPhotometric, 1) {
	case 0:
		r.inverted = true
	case 1:
	case 2:
		r.components = 3
	case 3:
		var err error
		if r.palette, err = d.palette(); err != nil {
			return r, err
		}
	case 5:
		r.components = 4
	default:
		return r, ErrCoding.New()
	}
	r.extra = samples - r.components
	if kind := d.number(tagExtraSamples, 0); r.extra > 0 && r.components == 3 && (kind == 1 || kind == 2) {
		r.alpha = alpha(kind)
	}
	for _, b := range d.numbers(tagBits) {
		if int(b) != r.bits {
			return r, ErrCoding.New()
		}
	}
	if !r.valid() || r.predictor > 2 || r.predictor == 2 && r.bits != 8 && r.bits != 16 || d.number(tagSampleFormat, 1) != 1 {
		return r, ErrCoding.New()
	}
	return r, nil
}

// palette reads the colour map: all reds, all greens, all blues, of sixteen bits.
func (d directory) palette() ([]byte, error) {
	values, size, count := d.field(tagColourMap, mostColourMap)
	if size != 2 || count%3 != 0 {
		return nil, ErrBroken.New()
	}
	n := count / 3
	palette := make([]byte, 0, count)
	for i := range n {
		for c := range 3 {
			palette = append(palette, byte(d.t.order.Uint16(values[2*(c*n+i):])>>8))
		}
	}
	return palette, nil
}

// enough refuses parts that cannot become so many bytes, in rows of such a length, so that no memory is taken for what cannot come.
func (d directory) enough(parts []part, samples, row int) error {
	coded := 0
	for _, p := range parts {
		coded += len(p.coded)
	}
	ratio := 1
	switch d.number(tagCompression, 1) {
	case 3, 4: // a row takes a bit at least
		ratio = 8 * row
	case 5: // codes of 9 bits and more stand for less than 4096 bytes each
		ratio = 4096
	case 8, 32946:
		ratio = mostDeflateRatio
	case 32773: // two bytes for 128
		ratio = 64
	}
	if coded < samples/ratio {
		return ErrBroken.New()
	}
	return nil
}

// stored is a picture whose bytes stand in the file as they are, strip behind strip: it takes no memory of its own.
func (d directory) stored(r raster, parts []part) (*RGB, bool) {
	if d.number(tagCompression, 1) != 1 || d.number(tagTileWidth, 0) != 0 || r.predictor != 1 || !r.asStored() {
		return nil, false
	}
	begin, length := d.grid().offsets[0], uint64(0)
	for i, offset := range d.grid().offsets[:len(parts)] {
		if offset != begin+length || len(parts[i].coded) != parts[i].at.Dy()*r.rowBytes() {
			return nil, false
		}
		length += uint64(len(parts[i].coded))
	}
	return &RGB{Pix: d.t.data[begin : begin+length : begin+length], Stride: r.rowBytes(), Rect: image.Rect(0, 0, r.width, r.height)}, true
}

// unpacked gives the samples of a part of so many rows.
func (d directory) unpacked(coded []byte, r raster, rows int, space *room) (io.Reader, error) {
	in := bytes.NewReader(coded)
	switch compression := d.number(tagCompression, 1); compression {
	case 1:
		return in, nil
	case 5:
		return space.unpacker(compression, in), nil
	case 8, 32946:
		return space.unpacker(8, in), nil
	case 32773:
		return &unPack{in: in}, nil
	case 3, 4:
		if r.bits != 1 || r.components != 1 || r.extra != 0 || compression == 3 && d.number(tagT4Options, 0)&5 != 0 {
			return nil, ErrCoding.New()
		}
		// Two dimensions and padded ends of lines, of Group 3, are not supported: they are those of fax machines.
		// With photometric 0, as fax has it, 0 is white, and raster turns it around.
		return unFax(in, fax{group4: compression == 4, lsb: d.number(tagFillOrder, 1) == 2, width: r.width, height: rows, blackIs1: true}), nil
	}
	return nil, ErrCoding.New()
}
