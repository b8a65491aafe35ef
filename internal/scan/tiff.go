package scan

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/draw"
	"io"
)

// The tags of TIFF 6.0 that are read.
const (
	tagWidth         = 256
	tagHeight        = 257
	tagBits          = 258
	tagCompression   = 259
	tagPhotometric   = 262
	tagFillOrder     = 266
	tagStripOffsets  = 273
	tagSamples       = 277
	tagRowsPerStrip  = 278
	tagStripCounts   = 279
	tagXResolution   = 282
	tagYResolution   = 283
	tagPlanar        = 284
	tagT4Options     = 292
	tagUnit          = 296
	tagPredictor     = 317
	tagColourMap     = 320
	tagTileWidth     = 322
	tagJPEGTables    = 347
	mostTIFFEntries  = 512
	mostTIFFValues   = 1 << 17 // strips of a page: one for each row at most, in practice
	mostColourMap    = 3 << 16
	mostStripsOfJPEG = 4096
)

// tiffFile is a TIFF file: its byte order and where its first directory stands.
type tiffFile struct {
	data  []byte
	order binary.ByteOrder
	first uint32
}

func readTIFFHeader(data []byte) (tiffFile, bool) {
	t := tiffFile{data: data, order: binary.LittleEndian}
	if len(data) < 8 {
		return t, false
	}
	if data[0] == 'M' {
		t.order = binary.BigEndian
	}
	t.first = t.order.Uint32(data[4:])
	return t, true
}

// directory is one image file directory: its entries by tag.
type directory struct {
	t       tiffFile
	entries map[uint16][]byte // twelve bytes each
	next    uint32
}

func (t tiffFile) directory(at uint32) (directory, bool) {
	d := directory{t: t, entries: map[uint16][]byte{}}
	if int64(at)+2 > int64(len(t.data)) || at < 8 {
		return d, false
	}
	count := int(t.order.Uint16(t.data[at:]))
	end := int64(at) + 2 + 12*int64(count)
	if count == 0 || count > mostTIFFEntries || end > int64(len(t.data)) {
		return d, false
	}
	for i := range count {
		entry := t.data[int(at)+2+12*i:][:12]
		d.entries[t.order.Uint16(entry)] = entry
	}
	if end+4 <= int64(len(t.data)) {
		d.next = t.order.Uint32(t.data[end:])
	}
	return d, true
}

// field gives the bytes of an entry's values, their type's size, and how many there are.
func (d directory) field(tag uint16, most int) (values []byte, size, count int) {
	entry, ok := d.entries[tag]
	if !ok {
		return nil, 0, 0
	}
	sizes := map[uint16]int{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}
	size = sizes[d.t.order.Uint16(entry[2:])]
	n := int64(d.t.order.Uint32(entry[4:]))
	if size == 0 || n == 0 || n > int64(most) {
		return nil, 0, 0
	}
	length := n * int64(size)
	if length <= 4 {
		return entry[8 : 8+length], size, int(n)
	}
	at := int64(d.t.order.Uint32(entry[8:]))
	if at+length > int64(len(d.t.data)) {
		return nil, 0, 0
	}
	return d.t.data[at : at+length], size, int(n)
}

// numbers are the values of an entry of whole numbers.
func (d directory) numbers(tag uint16) []uint32 {
	values, size, count := d.field(tag, mostTIFFValues)
	all := make([]uint32, 0, count)
	for i := range count {
		switch size {
		case 1:
			all = append(all, uint32(values[i]))
		case 2:
			all = append(all, uint32(d.t.order.Uint16(values[2*i:])))
		case 4:
			all = append(all, d.t.order.Uint32(values[4*i:]))
		}
	}
	return all
}

func (d directory) number(tag uint16, otherwise int) int {
	if n := d.numbers(tag); len(n) > 0 && n[0] <= 1<<30 {
		return int(n[0])
	}
	return otherwise
}

// resolution reads dots per inch; unit 3 is the centimetre.
func (d directory) resolution() (x, y float64) {
	read := func(tag uint16) float64 {
		values, size, _ := d.field(tag, 1)
		if size != 8 || d.t.order.Uint32(values[4:]) == 0 {
			return 0
		}
		v := float64(d.t.order.Uint32(values)) / float64(d.t.order.Uint32(values[4:]))
		switch d.number(tagUnit, 2) {
		case 2:
			return resolution(v)
		case 3:
			return resolution(v * 2.54)
		}
		return 0
	}
	return read(tagXResolution), read(tagYResolution)
}

// openTIFF follows the directories, each of which is a page.
func (f *File) openTIFF() error {
	t, ok := readTIFFHeader(f.data)
	if !ok {
		return ErrBroken.New()
	}
	inner := tiffPages{file: f}
	seen := map[uint32]bool{}
	for at := t.first; at != 0; {
		if seen[at] {
			return ErrBroken.New() // directories in a ring
		}
		seen[at] = true
		if len(f.Pages) == f.limits.Pages {
			return ErrPages.With("> %d", f.limits.Pages)
		}
		d, ok := t.directory(at)
		if !ok {
			return ErrBroken.New()
		}
		x, y := d.resolution()
		page := Page{d.number(tagWidth, 0), d.number(tagHeight, 0), x, y}
		if err := f.checkSize(page.Width, page.Height, 1); err != nil {
			return err
		}
		f.Pages, inner.directories = append(f.Pages, page), append(inner.directories, d)
		at = d.next
	}
	if len(f.Pages) == 0 {
		return ErrBroken.New()
	}
	f.inner = inner
	return nil
}

// tiffPages decodes pages of strips.
type tiffPages struct {
	file        *File
	directories []directory
}

func (p tiffPages) picture(page int) (image.Image, error) {
	d := p.directories[page]
	strips, err := d.strips()
	if err != nil {
		return nil, err
	}
	compression := d.number(tagCompression, 1)
	if compression == 7 {
		return p.ofJPEG(d, strips)
	}
	r, err := d.raster()
	if err != nil {
		return nil, err
	}
	if err := p.file.checkSize(r.width, r.height, r.perPixel()); err != nil {
		return nil, err
	}
	img := r.new()
	rows := d.rowsPerStrip(r.height)
	for i, strip := range strips {
		from := i * rows
		if from >= r.height {
			break
		}
		to := min(from+rows, r.height)
		source, err := d.unpacked(compression, strip, r, to-from)
		if err != nil {
			return nil, err
		}
		if err := r.fill(img, from, to, source); err != nil {
			return nil, err
		}
	}
	return img, nil
}

func (d directory) rowsPerStrip(height int) int {
	rows := d.number(tagRowsPerStrip, height)
	if rows <= 0 || rows > height {
		return height
	}
	return rows
}

// strips are the coded parts of the picture, which must be enough for all rows. Tiles, which no scanner writes, are not
// supported.
func (d directory) strips() ([][]byte, error) {
	if d.number(tagTileWidth, 0) != 0 || d.number(tagPlanar, 1) != 1 {
		return nil, ErrCoding.New()
	}
	offsets, counts := d.numbers(tagStripOffsets), d.numbers(tagStripCounts)
	height := d.number(tagHeight, 0)
	rows := d.rowsPerStrip(height)
	if len(offsets) == 0 || len(offsets) != len(counts) || len(offsets) < (height+rows-1)/rows {
		return nil, ErrBroken.New()
	}
	strips := make([][]byte, len(offsets))
	for i := range offsets {
		end := int64(offsets[i]) + int64(counts[i])
		if end > int64(len(d.t.data)) {
			return nil, ErrBroken.New()
		}
		strips[i] = d.t.data[offsets[i]:end]
	}
	return strips, nil
}

// raster reads what the samples mean.
func (d directory) raster() (raster, error) {
	r := raster{width: d.number(tagWidth, 0), height: d.number(tagHeight, 0), components: 1, bits: d.number(tagBits, 1), predictor: d.number(tagPredictor, 1)}
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
	for _, b := range d.numbers(tagBits) {
		if int(b) != r.bits {
			return r, ErrCoding.New()
		}
	}
	if !r.valid() || r.predictor > 2 || r.predictor == 2 && r.bits != 8 || r.bits == 16 && d.t.order == binary.ByteOrder(binary.LittleEndian) {
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

// unpacked gives the samples of a strip of so many rows.
func (d directory) unpacked(compression int, strip []byte, r raster, rows int) (io.Reader, error) {
	in := bytes.NewReader(strip)
	switch compression {
	case 1:
		return in, nil
	case 5:
		return unLZW(in), nil
	case 8, 32946:
		return inflate(in), nil
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

// ofJPEG puts a page together whose strips are JPEG data (TIFF Technical Note 2), with the tables of all of them in a field
// of its own.
func (p tiffPages) ofJPEG(d directory, strips [][]byte) (image.Image, error) {
	tables, _, _ := d.field(tagJPEGTables, 1<<16)
	width, height := d.number(tagWidth, 0), d.number(tagHeight, 0)
	rows := d.rowsPerStrip(height)
	if len(strips) > mostStripsOfJPEG {
		return nil, ErrCoding.New()
	}
	if err := p.file.checkSize(width, height, 4); err != nil {
		return nil, err
	}
	whole := image.NewRGBA(image.Rect(0, 0, width, height))
	for i, strip := range strips {
		if i*rows >= height {
			break
		}
		data := withTables(tables, strip)
		facts, err := p.file.checkJPEG(data)
		if err != nil {
			return nil, err
		}
		if facts.width != width || facts.height < min(rows, height-i*rows) || facts.height > rows+16 {
			return nil, ErrBroken.New()
		}
		img, err := decodeJPEG(data)
		if err != nil {
			return nil, err
		}
		draw.Draw(whole, image.Rect(0, i*rows, width, min((i+1)*rows, height)), img, image.Point{}, draw.Src)
	}
	return whole, nil
}

// withTables puts the segments of abbreviated tables behind the start of a picture.
func withTables(tables, strip []byte) []byte {
	if len(tables) < 4 || len(strip) < 2 {
		return strip
	}
	data := append([]byte{}, tables[:len(tables)-2]...) // without the end of image
	return append(data, strip[2:]...)
}
