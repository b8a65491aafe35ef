package truetype

import (
	"encoding/binary"
	"math"
	"slices"
	"sort"
)

// maxCharacters and maxParts bound a subset: a few lines of text.
const (
	maxCharacters = 1000
	maxParts      = 4000
)

// Subset is a font with few glyphs, ready to be embedded.
type Subset struct {
	// Data is the font file.
	Data []byte
	// Characters are those of the subset in ascending order; the glyph of Characters[i] has the number i+1.
	Characters []rune
	// Widths are the advances of all glyphs in thousandths of an em, from glyph 0.
	Widths []int
}

// Glyph is the number of a character's glyph, 0 for one that is not in the subset.
func (s *Subset) Glyph(r rune) int {
	i, found := slices.BinarySearch(s.Characters, r)
	if !found {
		return 0
	}
	return i + 1
}

// Subset makes a font of the given characters. Errors: font.no-glyph, which names the character, font.bad-font,
// font.too-large.
func (f *Font) Subset(characters []rune) (*Subset, error) {
	s := &Subset{Characters: slices.Compact(slices.Sorted(slices.Values(characters)))}
	if len(s.Characters) > maxCharacters {
		return nil, errTooLarge.With("%d characters", len(s.Characters))
	}
	b := builder{font: f, old: []int{0}, parts: map[int]part{}}
	for _, r := range s.Characters {
		g := f.characters.glyph(r)
		if g <= 0 || g >= f.glyphs {
			return nil, errNoGlyph.With("%q U+%04X", r, r)
		}
		b.old = append(b.old, g)
	}
	b.outlines = make([][]byte, len(b.old))
	for i := range b.old {
		size, err := b.outline(i)
		if err != nil {
			return nil, err
		}
		b.largest.cover(size)
	}
	for _, g := range b.old {
		advance, _ := f.metric(g)
		s.Widths = append(s.Widths, f.thousandths(advance))
	}
	s.Data = b.file(s.Characters)
	return s, nil
}

// builder numbers the glyphs of a subset anew: those of characters first, then the parts of composed ones.
type builder struct {
	font     *Font
	old      []int // number in the font, by number in the subset
	outlines [][]byte
	parts    map[int]part // by number in the font
	open     []int        // glyphs of the font that are being composed
	largest  size
}

// part is a glyph that others are composed of.
type part struct {
	number int // in the subset
	size   size
}

// size is what a reader must make room for: points and contours of the glyph with all its parts, how many parts it has
// itself, and how deep parts have parts.
type size struct{ points, contours, parts, depth int }

func (s *size) cover(other size) {
	s.points, s.contours = max(s.points, other.points), max(s.contours, other.contours)
	s.parts, s.depth = max(s.parts, other.parts), max(s.depth, other.depth)
}

// outline reads a glyph and the parts that it is composed of.
func (b *builder) outline(n int) (size, error) {
	g := b.old[n]
	data, err := b.font.glyph(g)
	if err != nil || len(data) == 0 {
		return size{}, err
	}
	if len(data) > maxGlyph {
		return size{}, errTooLarge.With("glyph %d of %d bytes", g, len(data))
	}
	if len(data) < 10 {
		return size{}, errBadFont.Sayingf("字形 %d 中断", "glyph %d breaks off", g)
	}
	contours := int(int16(binary.BigEndian.Uint16(data)))
	if contours == 0 {
		return size{}, nil
	}
	if contours > 0 {
		outline, points, ok := simple(data, contours)
		if !ok {
			return size{}, errBadFont.Sayingf("字形 %d 中断", "glyph %d breaks off", g)
		}
		b.outlines[n] = outline
		return size{points: points, contours: contours}, nil
	}
	whole := size{}
	b.open = append(b.open, g)
	outline, err := composed(data, func(g int) (int, error) {
		p, err := b.part(g)
		whole.points += p.size.points
		whole.contours += p.size.contours
		whole.depth = max(whole.depth, p.size.depth+1)
		whole.parts++
		return p.number, err
	})
	b.open = b.open[:len(b.open)-1]
	if err == nil && (whole.depth > maxNesting || whole.points > math.MaxUint16 || whole.contours > math.MaxUint16) {
		err = errTooLarge.Sayingf("字形 %d 有 %d 个部件", "glyph %d of %d parts", g, whole.parts)
	}
	b.outlines[n] = outline
	return whole, err
}

// part numbers a glyph that another one is composed of.
func (b *builder) part(g int) (part, error) {
	if g >= b.font.glyphs {
		return part{}, errBadFont.Sayingf("没有字形 %d", "there is no glyph %d", g)
	}
	// A glyph that is part of itself would send a reader round in circles.
	if len(b.open) > maxNesting || slices.Contains(b.open, g) {
		return part{}, errBadFont.Sayingf("字形 %d 包含自己", "glyph %d is part of itself", g)
	}
	if p, ok := b.parts[g]; ok {
		return p, nil
	}
	p := part{number: len(b.old)}
	if p.number >= maxParts {
		return part{}, errTooLarge.Sayingf("字形超过 %d 个", "more than %d glyphs", maxParts)
	}
	b.old, b.outlines = append(b.old, g), append(b.outlines, nil)
	var err error
	p.size, err = b.outline(p.number)
	b.parts[g] = p
	return p, err
}

// file puts the tables together.
func (b *builder) file(characters []rune) []byte {
	f, n := b.font, len(b.old)
	var glyf, loca, hmtx []byte
	for i, outline := range b.outlines {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		glyf = append(glyf, outline...)
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
		advance, bearing := f.metric(b.old[i])
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(advance))
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(int16(bearing)))
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	head := slices.Clone(f.tables["head"][:54])
	binary.BigEndian.PutUint32(head, 0x00010000)
	clear(head[8:12])                        // the checksum of the file, filled in below
	binary.BigEndian.PutUint16(head[50:], 1) // long offsets in loca
	binary.BigEndian.PutUint32(head[12:], 0x5F0F3CF5)
	hhea := slices.Clone(f.tables["hhea"][:36])
	binary.BigEndian.PutUint32(hhea, 0x00010000)
	clear(hhea[24:34]) // reserved, and the format of the metrics, which is 0
	binary.BigEndian.PutUint16(hhea[34:], uint16(n))
	maxp := []byte{0, 1, 0, 0}
	// One zone; no twilight points, storage, functions, definitions, stack or instructions, since there are none.
	for _, v := range [14]int{n, b.largest.points, b.largest.contours, b.largest.points, b.largest.contours, 1, 0, 0, 0, 0, 0,
		0, b.largest.parts, b.largest.depth} {
		maxp = binary.BigEndian.AppendUint16(maxp, uint16(v))
	}
	post := make([]byte, 32)
	binary.BigEndian.PutUint32(post, 0x00030000) // no glyph names
	return assemble(map[string][]byte{"cmap": characterTable(characters), "glyf": glyf, "head": head, "hhea": hhea,
		"hmtx": hmtx, "loca": loca, "maxp": maxp, "post": post})
}

// characterTable is a cmap with one subtable of format 12: glyphs have the order of the characters, so each run of
// characters is a group.
func characterTable(characters []rune) []byte {
	var groups []byte
	count := 0
	for i := 0; i < len(characters); {
		j := i
		for j+1 < len(characters) && characters[j+1] == characters[j]+1 {
			j++
		}
		groups = binary.BigEndian.AppendUint32(groups, uint32(characters[i]))
		groups = binary.BigEndian.AppendUint32(groups, uint32(characters[j]))
		groups = binary.BigEndian.AppendUint32(groups, uint32(i+1))
		count++
		i = j + 1
	}
	table := []byte{0, 0, 0, 1, 0, 3, 0, 10, 0, 0, 0, 12, 0, 12, 0, 0}
	table = binary.BigEndian.AppendUint32(table, uint32(16+len(groups)))
	table = binary.BigEndian.AppendUint32(table, 0)
	table = binary.BigEndian.AppendUint32(table, uint32(count))
	return append(table, groups...)
}

// assemble writes a font file: the directory, then the tables, each from a multiple of four bytes.
func assemble(tables map[string][]byte) []byte {
	names := make([]string, 0, len(tables))
	for name := range tables {
		names = append(names, name)
	}
	sort.Strings(names)
	n := len(names)
	power := 1
	selector := 0
	for power*2 <= n {
		power, selector = power*2, selector+1
	}
	out := binary.BigEndian.AppendUint32(nil, 0x00010000)
	for _, v := range [4]int{n, 16 * power, selector, 16 * (n - power)} {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	at := 12 + 16*n
	headAt := 0
	for _, name := range names {
		data := tables[name]
		if name == "head" {
			headAt = at
		}
		out = append(out, name...)
		out = binary.BigEndian.AppendUint32(out, checksum(data))
		out = binary.BigEndian.AppendUint32(out, uint32(at))
		out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
		at += (len(data) + 3) &^ 3
	}
	for _, name := range names {
		out = append(out, tables[name]...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	binary.BigEndian.PutUint32(out[headAt+8:], 0xB1B0AFBA-checksum(out))
	return out
}

// checksum is the sum of the big-endian words of a table, padded with zeros.
func checksum(data []byte) uint32 {
	var sum uint32
	for len(data) >= 4 {
		sum += binary.BigEndian.Uint32(data)
		data = data[4:]
	}
	var rest [4]byte
	copy(rest[:], data)
	return sum + binary.BigEndian.Uint32(rest[:])
}
