package truetype

import "encoding/binary"

// Limits on glyphs: the most complicated Chinese characters have about 40 contours and 500 points.
const (
	maxGlyph      = 64 << 10
	maxComponents = 64
	maxNesting    = 6
)

// Flags of the points of a simple glyph and of the parts of a composed one.
const (
	shortX, shortY = 2, 4
	repeated       = 8
	sameX, sameY   = 16, 32

	wordArguments   = 1
	oneScale        = 8
	moreParts       = 0x20
	twoScales       = 0x40
	matrix          = 0x80
	hasInstructions = 0x100
)

// simple checks a glyph of contours and returns it without its instructions, and how many points it has.
func simple(data []byte, contours int) (outline []byte, points int, ok bool) {
	head := 10 + 2*contours
	instructions, ok := u16(data, head)
	if !ok {
		return nil, 0, false
	}
	for i := range contours {
		end := int(binary.BigEndian.Uint16(data[10+2*i:])) + 1
		if end <= points {
			return nil, 0, false
		}
		points = end
	}
	from := head + 2 + int(instructions)
	at, xs, ys := from, 0, 0
	for have := 0; have < points; {
		if at >= len(data) {
			return nil, 0, false
		}
		flag, times := data[at], 1
		at++
		if flag&repeated != 0 {
			if at >= len(data) {
				return nil, 0, false
			}
			times += int(data[at])
			at++
		}
		if have += times; have > points {
			return nil, 0, false
		}
		xs += times * width(flag, shortX, sameX)
		ys += times * width(flag, shortY, sameY)
	}
	end := at + xs + ys
	if end > len(data) {
		return nil, 0, false
	}
	out := make([]byte, 0, head+2+end-from)
	out = append(out, data[:head]...)
	out = append(out, 0, 0)
	return append(out, data[from:end]...), points, true
}

// width is how many bytes a coordinate takes.
func width(flag, short, same byte) int {
	switch {
	case flag&short != 0:
		return 1
	case flag&same != 0:
		return 0
	}
	return 2
}

// composed checks a glyph of other glyphs and returns it without its instructions, each part numbered anew.
func composed(data []byte, number func(part int) (int, error)) ([]byte, error) {
	out := append([]byte(nil), data[:10]...)
	at := 10
	for range maxComponents {
		flags, _ := u16(data, at)
		part, ok := u16(data, at+2)
		if !ok {
			return nil, errBadFont.Saying("字形中断", "a glyph breaks off")
		}
		size := 6
		if flags&wordArguments != 0 {
			size += 2
		}
		switch {
		case flags&oneScale != 0:
			size += 2
		case flags&twoScales != 0:
			size += 4
		case flags&matrix != 0:
			size += 8
		}
		if at+size > len(data) {
			return nil, errBadFont.Saying("字形中断", "a glyph breaks off")
		}
		n, err := number(int(part))
		if err != nil {
			return nil, err
		}
		out = binary.BigEndian.AppendUint16(out, flags&^hasInstructions)
		out = binary.BigEndian.AppendUint16(out, uint16(n))
		out = append(out, data[at+4:at+size]...)
		at += size
		if flags&moreParts == 0 {
			return out, nil
		}
	}
	return nil, errTooLarge.Sayingf("字形的部件超过 %d 个", "a glyph of more than %d parts", maxComponents)
}
