package truetype

import (
	"encoding/binary"
	"math"
)

// Limits on fonts: the largest Chinese fonts have 30 MB and 65,535 glyphs.
const (
	maxFile   = 64 << 20
	maxTables = 64
)

// Font is a TrueType font. It is immutable and safe for concurrent use; it keeps the bytes that it was parsed from.
type Font struct {
	tables map[string][]byte

	unitsPerEm int
	glyphs     int
	longLoca   bool
	metrics    int // glyphs with an advance of their own
	bounds     [4]int
	ascent     int
	descent    int
	name       string
	characters cmap
}

// Parse reads the tables of a font; of a collection, the first font. Errors: font.bad-font, font.too-large,
// font.not-embeddable.
func Parse(data []byte) (*Font, error) {
	if len(data) > maxFile {
		return nil, errTooLarge.With("%d bytes", len(data))
	}
	start, ok := u32(data, 0)
	offset := 0
	if ok && start == 0x74746366 { // "ttcf"
		first, there := u32(data, 12)
		if !there || int64(first) >= int64(len(data)) {
			return nil, errBadFont.Saying("字体集是空的", "an empty collection")
		}
		offset = int(first)
		start, ok = u32(data, offset)
	}
	if !ok || start != 0x00010000 && start != 0x74727565 { // "true"
		return nil, errBadFont.With("not TrueType")
	}
	f := &Font{tables: map[string][]byte{}}
	count, _ := u16(data, offset+4)
	if count > maxTables {
		return nil, errBadFont.With("%d tables", count)
	}
	for i := range int(count) {
		record := offset + 12 + 16*i
		at, ok1 := u32(data, record+8)
		length, ok2 := u32(data, record+12)
		if !ok1 || !ok2 {
			return nil, errBadFont.Saying("表目录中断", "the table directory breaks off")
		}
		if int64(at)+int64(length) > int64(len(data)) {
			return nil, errBadFont.Sayingf("文件中没有表 %q", "table %q is not in the file", data[record:record+4])
		}
		f.tables[string(data[record:record+4])] = data[at : int(at)+int(length)]
	}
	if err := f.read(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *Font) read() error {
	for _, name := range []string{"head", "hhea", "maxp", "loca", "glyf", "hmtx", "cmap"} {
		if f.tables[name] == nil {
			return errBadFont.Sayingf("没有表 %q", "no table %q", name)
		}
	}
	head, hhea, maxp := f.tables["head"], f.tables["hhea"], f.tables["maxp"]
	if len(head) < 54 || len(hhea) < 36 || len(maxp) < 32 {
		return errBadFont.Saying("有表过短", "a table is too short")
	}
	f.unitsPerEm = int(binary.BigEndian.Uint16(head[18:]))
	if f.unitsPerEm < 16 || f.unitsPerEm > 16384 {
		return errBadFont.Sayingf("每 em %d 单位", "%d units per em", f.unitsPerEm)
	}
	for i := range f.bounds {
		f.bounds[i] = int(int16(binary.BigEndian.Uint16(head[36+2*i:])))
	}
	f.longLoca = binary.BigEndian.Uint16(head[50:]) != 0
	f.ascent = int(int16(binary.BigEndian.Uint16(hhea[4:])))
	f.descent = int(int16(binary.BigEndian.Uint16(hhea[6:])))
	f.metrics = int(binary.BigEndian.Uint16(hhea[34:]))
	f.glyphs = int(binary.BigEndian.Uint16(maxp[4:]))
	if f.glyphs == 0 || f.metrics == 0 || f.metrics > f.glyphs {
		return errBadFont.With("%d glyphs, %d widths", f.glyphs, f.metrics)
	}
	entry := 2
	if f.longLoca {
		entry = 4
	}
	if len(f.tables["loca"]) < entry*(f.glyphs+1) || len(f.tables["hmtx"]) < 4*f.metrics+2*(f.glyphs-f.metrics) {
		return errBadFont.Sayingf("有表过短，容不下 %d 个字形", "a table is too short for %d glyphs", f.glyphs)
	}
	// OS/2 fsType, bit 1: restricted licence; bit 8: no subsetting.
	if flags, ok := u16(f.tables["OS/2"], 8); ok && (flags&0xF == 2 || flags&0x100 != 0) {
		return errNotEmbeddable.New()
	}
	f.name = postScriptName(f.tables["name"])
	var err error
	f.characters, err = readCmap(f.tables["cmap"])
	return err
}

// glyph is the outline of a glyph as it stands in the font; empty for a space.
func (f *Font) glyph(g int) ([]byte, error) {
	var from, to int64
	loca := f.tables["loca"]
	if f.longLoca {
		from, to = int64(binary.BigEndian.Uint32(loca[4*g:])), int64(binary.BigEndian.Uint32(loca[4*g+4:]))
	} else {
		from, to = 2*int64(binary.BigEndian.Uint16(loca[2*g:])), 2*int64(binary.BigEndian.Uint16(loca[2*g+2:]))
	}
	if from > to || to > int64(len(f.tables["glyf"])) {
		return nil, errBadFont.Sayingf("文件中没有字形 %d", "glyph %d is not in the file", g)
	}
	return f.tables["glyf"][from:to], nil
}

// metric is advance and left side bearing of a glyph.
func (f *Font) metric(g int) (advance, bearing int) {
	hmtx := f.tables["hmtx"]
	if g < f.metrics {
		return int(binary.BigEndian.Uint16(hmtx[4*g:])), int(int16(binary.BigEndian.Uint16(hmtx[4*g+2:])))
	}
	advance = int(binary.BigEndian.Uint16(hmtx[4*(f.metrics-1):]))
	return advance, int(int16(binary.BigEndian.Uint16(hmtx[4*f.metrics+2*(g-f.metrics):])))
}

// thousandths converts font units to thousandths of an em, as PDF counts glyph space.
func (f *Font) thousandths(units int) int {
	return int(math.Round(float64(units) * 1000 / float64(f.unitsPerEm)))
}

// Name is the PostScript name of the font, made of characters that a PDF name can have without escapes.
func (f *Font) Name() string { return f.name }

// Ascent and Descent are how far the font reaches above and below the baseline (negative), in thousandths of an em.
func (f *Font) Ascent() int { return f.thousandths(f.ascent) }

// Descent is negative where the font reaches below the baseline, in thousandths of an em.
func (f *Font) Descent() int { return f.thousandths(f.descent) }

// Bounds is the box around all glyphs: left, bottom, right, top in thousandths of an em.
func (f *Font) Bounds() [4]int {
	var b [4]int
	for i, v := range f.bounds {
		b[i] = f.thousandths(v)
	}
	return b
}

// postScriptName finds name 6 in the naming table.
func postScriptName(table []byte) string {
	count, _ := u16(table, 2)
	storage, _ := u16(table, 4)
	for i := range int(count) {
		record := 6 + 12*i
		platform, _ := u16(table, record)
		id, _ := u16(table, record+6)
		length, _ := u16(table, record+8)
		offset, ok := u16(table, record+10)
		from := int(storage) + int(offset)
		if !ok || id != 6 || from+int(length) > len(table) {
			continue
		}
		text := table[from : from+int(length)]
		var name []byte
		for j, c := range text {
			// Platform 1 has one byte for each of these characters, the others two.
			if platform != 1 && j%2 == 0 {
				continue
			}
			if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' {
				name = append(name, c)
			}
		}
		if len(name) > 0 {
			return string(name[:min(len(name), 63)])
		}
	}
	return "Font"
}

// u16 and u32 read big-endian numbers; false when they are not there.
func u16(b []byte, at int) (uint16, bool) {
	if at < 0 || at+2 > len(b) {
		return 0, false
	}
	return binary.BigEndian.Uint16(b[at:]), true
}

func u32(b []byte, at int) (uint32, bool) {
	if at < 0 || at+4 > len(b) {
		return 0, false
	}
	return binary.BigEndian.Uint32(b[at:]), true
}
