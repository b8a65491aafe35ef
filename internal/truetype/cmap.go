package truetype

import (
	"encoding/binary"
	"sort"
)

// cmap maps characters to glyphs: a subtable of format 4 or 12.
type cmap struct {
	format uint16
	table  []byte
	count  int // segments or groups
}

// readCmap picks the subtable that knows most characters: full Unicode before its first plane.
func readCmap(table []byte) (cmap, error) {
	count, _ := u16(table, 2)
	best, rank := cmap{}, 0
	for i := range int(count) {
		platform, _ := u16(table, 4+8*i)
		encoding, _ := u16(table, 6+8*i)
		offset, ok := u32(table, 8+8*i)
		if !ok || int64(offset) >= int64(len(table)) {
			break
		}
		unicode := platform == 0 && encoding != 5 || platform == 3 && (encoding == 1 || encoding == 10)
		if !unicode {
			continue
		}
		if c, ok := readSubtable(table[offset:]); ok && int(c.format) > rank {
			best, rank = c, int(c.format)
		}
	}
	if rank == 0 {
		return best, errBadFont.Saying("没有 Unicode 字符", "no Unicode characters")
	}
	return best, nil
}

func readSubtable(t []byte) (cmap, bool) {
	format, _ := u16(t, 0)
	switch format {
	case 4:
		double, ok := u16(t, 6)
		segments := int(double) / 2
		return cmap{4, t, segments}, ok && segments > 0 && 16+8*segments <= len(t)
	case 12:
		groups, ok := u32(t, 12)
		return cmap{12, t, int(groups)}, ok && 16+12*int64(groups) <= int64(len(t))
	}
	return cmap{}, false
}

// glyph is the number of a character's glyph, 0 when there is none.
func (c cmap) glyph(r rune) int {
	if r < 0 {
		return 0
	}
	if c.format == 12 {
		return c.inGroups(uint32(r))
	}
	if r > 0xFFFF {
		return 0
	}
	code := int(r)
	at := func(offset int) int { return int(binary.BigEndian.Uint16(c.table[offset:])) }
	ends, starts := 14, 16+2*c.count
	deltas, ranges := starts+2*c.count, starts+4*c.count
	i := sort.Search(c.count, func(i int) bool { return at(ends+2*i) >= code })
	if i == c.count || at(starts+2*i) > code {
		return 0
	}
	offset := at(ranges + 2*i)
	if offset == 0 {
		return (code + at(deltas+2*i)) & 0xFFFF
	}
	g, ok := u16(c.table, ranges+2*i+offset+2*(code-at(starts+2*i)))
	if !ok || g == 0 {
		return 0
	}
	return (int(g) + at(deltas+2*i)) & 0xFFFF
}

func (c cmap) inGroups(code uint32) int {
	at := func(i, field int) uint32 { return binary.BigEndian.Uint32(c.table[16+12*i+4*field:]) }
	i := sort.Search(c.count, func(i int) bool { return at(i, 1) >= code })
	if i == c.count || at(i, 0) > code {
		return 0
	}
	return int(at(i, 2)&0xFFFF) + int(code-at(i, 0))
}
