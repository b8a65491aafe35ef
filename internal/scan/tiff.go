package scan

import (
	"encoding/binary"
	"image"
	"math"
)

// The tags of TIFF 6.0 that are read.
const (
	tagSubfile       = 254
	tagWidth         = 256
	tagHeight        = 257
	tagBits          = 258
	tagCompression   = 259
	tagPhotometric   = 262
	tagFillOrder     = 266
	tagStripOffsets  = 273
	tagOrientation   = 274
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
	tagTileHeight    = 323
	tagTileOffsets   = 324
	tagTileCounts    = 325
	tagExtraSamples  = 338
	tagSampleFormat  = 339
	tagJPEGTables    = 347
	tagSubsampling   = 530
	mostTIFFEntries  = 512
	mostTIFFValues   = 1 << 17 // strips of a page: one for each row at most, in practice
	mostColourMap    = 3 << 16
	mostPartsOfJPEG  = 16384 // strips or tiles; each has a header of its own to read
	mostDirectories  = 1000  // of a file, small copies of pages among them
	reducedOrMask    = 1 | 4 // of tagSubfile
	noColour, isMask = 1, 4
)

// tiffFile is a TIFF file: its byte order and where its first directory stands. BigTIFF (version 43) has offsets and
// counts of eight bytes instead of four.
type tiffFile struct {
	data  []byte
	order binary.ByteOrder
	big   bool
	first uint64
}

func readTIFFHeader(data []byte) (tiffFile, bool) {
	t := tiffFile{data: data, order: binary.LittleEndian}
	if len(data) < 8 {
		return t, false
	}
	switch string(data[:2]) {
	case "II":
	case "MM":
		t.order = binary.BigEndian
	default:
		return t, false
	}
	switch t.order.Uint16(data[2:]) {
	case 42:
		t.first = uint64(t.order.Uint32(data[4:]))
		return t, true
	case 43:
		if len(data) < 16 || t.order.Uint16(data[4:]) != 8 {
			return t, false
		}
		t.big, t.first = true, t.order.Uint64(data[8:])
		return t, true
	}
	return t, false
}

// word reads an offset or a count: four bytes, or eight of BigTIFF. The place is known to be inside.
func (t tiffFile) word(at []byte) uint64 {
	if t.big {
		return t.order.Uint64(at)
	}
	return uint64(t.order.Uint32(at))
}

// sizes are the lengths of a directory's parts: of the count of entries, of an entry, of an offset.
func (t tiffFile) sizes() (count, entry, offset uint64) {
	if t.big {
		return 8, 20, 8
	}
	return 2, 12, 4
}

// directory is one image file directory: its entries by tag.
type directory struct {
	t       tiffFile
	entries map[uint16][]byte // twelve bytes each, twenty of BigTIFF
	next    uint64
}

func (t tiffFile) directory(at uint64) (directory, bool) {
	d := directory{t: t, entries: map[uint16][]byte{}}
	countSize, entrySize, offsetSize := t.sizes()
	length := uint64(len(t.data))
	if at < 8 || at > length || length-at < countSize {
		return d, false
	}
	count := uint64(t.order.Uint16(t.data[at:]))
	if t.big {
		count = t.order.Uint64(t.data[at:])
	}
	if count == 0 || count > mostTIFFEntries || (length-at-countSize)/entrySize < count {
		return d, false
	}
	at += countSize
	for range count {
		entry := t.data[at : at+entrySize]
		d.entries[t.order.Uint16(entry)] = entry
		at += entrySize
	}
	if length-at >= offsetSize {
		d.next = t.word(t.data[at:])
	}
	return d, true
}

// field gives the bytes of an entry's values, their type's size, and how many there are.
func (d directory) field(tag uint16, most int) (values []byte, size, count int) {
	entry, ok := d.entries[tag]
	if !ok {
		return nil, 0, 0
	}
	sizes := map[uint16]int{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 16: 8}
	size = sizes[d.t.order.Uint16(entry[2:])]
	n := d.t.word(entry[4:])
	if size == 0 || n == 0 || n > uint64(most) {
		return nil, 0, 0
	}
	_, _, inline := d.t.sizes()
	length := n * uint64(size)
	value := entry[4+inline:]
	if length <= inline {
		return value[:length], size, int(n)
	}
	at := d.t.word(value)
	if total := uint64(len(d.t.data)); at > total || total-at < length {
		return nil, 0, 0
	}
	return d.t.data[at : at+length], size, int(n)
}

// numbers are the values of an entry of whole numbers.
func (d directory) numbers(tag uint16) []uint64 {
	values, size, count := d.field(tag, mostTIFFValues)
	all := make([]uint64, 0, count)
	for i := range count {
		switch size {
		case 1:
			all = append(all, uint64(values[i]))
		case 2:
			all = append(all, uint64(d.t.order.Uint16(values[2*i:])))
		case 4:
			all = append(all, uint64(d.t.order.Uint32(values[4*i:])))
		case 8:
			all = append(all, d.t.order.Uint64(values[8*i:]))
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

// resolution reads dots per inch; unit 3 is the centimetre, unit 1 an aspect ratio only.
func (d directory) resolution() (x, y float64) {
	read := func(tag uint16) float64 {
		values, size, _ := d.field(tag, 1)
		if size != 8 || d.t.order.Uint32(values[4:]) == 0 {
			return 0
		}
		v := float64(d.t.order.Uint32(values)) / float64(d.t.order.Uint32(values[4:]))
		switch d.number(tagUnit, 2) {
		case 2:
			return v
		case 3:
			// 300 dpi are written as 118.11 in a centimetre: the rounding is taken back.
			if whole := math.Round(v * 2.54); math.Abs(whole/2.54-v) < .006 {
				return whole
			}
			return v * 2.54
		}
		return 0
	}
	return read(tagXResolution), read(tagYResolution)
}

// openTIFF follows the directories, each of which is a page, or a small copy or a mask of one.
func (f *File) openTIFF() error {
	t, ok := readTIFFHeader(f.data)
	if !ok {
		return ErrBroken.New()
	}
	inner := tiffPages{file: f}
	seen := map[uint64]bool{}
	for at := t.first; at != 0; {
		if seen[at] || len(seen) == mostDirectories {
			return ErrBroken.New() // directories in a ring
		}
		seen[at] = true
		d, ok := t.directory(at)
		if !ok {
			return ErrBroken.New()
		}
		at = d.next
		if d.number(tagSubfile, 0)&reducedOrMask != 0 && (len(f.Pages) > 0 || at != 0) {
			continue
		}
		if len(f.Pages) == f.limits.Pages {
			return ErrPages.With("> %d", f.limits.Pages)
		}
		page := d.page()
		if err := f.checkSize(page.Width, page.Height, 1); err != nil {
			return err
		}
		f.Pages, inner.directories = append(f.Pages, page), append(inner.directories, d)
	}
	if len(f.Pages) == 0 {
		return ErrBroken.New()
	}
	f.inner = inner
	return nil
}

func (d directory) page() Page {
	var facts said
	facts.directory(d, "TIFF")
	photometric := d.number(tagPhotometric, 1)
	return facts.page(d.number(tagWidth, 0), d.number(tagHeight, 0), photometric <= noColour || photometric == isMask)
}

// tiffPages decodes pages.
type tiffPages struct {
	file        *File
	directories []directory
}

func (p tiffPages) picture(page int) (image.Image, error) {
	d := p.directories[page]
	parts, err := d.parts()
	if err != nil {
		return nil, err
	}
	if d.number(tagCompression, 1) == 7 {
		return p.ofJPEG(d, parts)
	}
	if d.number(tagPhotometric, 1) == 6 {
		return p.ofYCbCr(d, parts)
	}
	return p.ofSamples(d, parts)
}
