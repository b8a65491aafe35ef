package scan

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// exifBlock is a TIFF structure with orientation and resolution.
func exifBlock(order binary.AppendByteOrder, orientation int, dpi uint32, unit uint16) []byte {
	block := []byte("II*\x00")
	if order.String() == "BigEndian" {
		block = []byte("MM\x00*")
	}
	block = order.AppendUint32(block, 8)
	block = order.AppendUint16(block, 4)
	short := func(tag, value uint16) {
		block = order.AppendUint16(block, tag)
		block = order.AppendUint16(block, 3)
		block = order.AppendUint32(block, 1)
		block = order.AppendUint16(block, value)
		block = order.AppendUint16(block, 0)
	}
	rational := func(tag uint16) {
		block = order.AppendUint16(block, tag)
		block = order.AppendUint16(block, 5)
		block = order.AppendUint32(block, 1)
		block = order.AppendUint32(block, 8+2+4*12+4)
	}
	short(0x0112, uint16(orientation))
	rational(0x011A)
	rational(0x011B)
	short(0x0128, unit)
	block = order.AppendUint32(block, 0)
	block = order.AppendUint32(block, dpi)
	return order.AppendUint32(block, 1)
}

func segment(marker byte, body []byte) []byte {
	return append([]byte{0xff, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
}

func jfif(unit byte, x, y uint16) []byte {
	body := append([]byte("JFIF\x00\x01\x02"), unit)
	body = binary.BigEndian.AppendUint16(body, x)
	body = binary.BigEndian.AppendUint16(body, y)
	return segment(0xe0, append(body, 0, 0))
}

func exif(order binary.AppendByteOrder, orientation int, dpi uint32, unit uint16) []byte {
	return segment(0xe1, append([]byte("Exif\x00\x00"), exifBlock(order, orientation, dpi, unit)...))
}

// chunk is a chunk of a PNG whose checksum fixCRC writes.
func chunk(kind string, body []byte) []byte {
	c := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	return append(append(append(c, kind...), body...), 0, 0, 0, 0)
}

func TestEveryStatementAboutTheScaleIsRead(t *testing.T) {
	plainJPEG, plainPNG := jpegOf(t, pattern(20, 20)), pngOf(t, pattern(20, 20))
	inJPEG := func(segments ...[]byte) []byte {
		return slices.Concat(plainJPEG[:2], slices.Concat(segments...), plainJPEG[2:])
	}
	inPNG := func(chunks ...[]byte) []byte {
		return fixCRC(slices.Concat(plainPNG[:33], slices.Concat(chunks...), plainPNG[33:]))
	}
	phys := func(x, y uint32, unit byte) []byte {
		return chunk("pHYs", append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, x), y), unit))
	}
	for name, c := range map[string]struct {
		data        []byte
		want        []Resolution
		orientation int
	}{
		"JFIF in dots per inch":        {inJPEG(jfif(1, 300, 200)), []Resolution{{300, 200, "JFIF"}}, 1},
		"JFIF in dots per centimetre":  {inJPEG(jfif(2, 236, 236)), []Resolution{{599.44, 599.44, "JFIF"}}, 1},
		"JFIF with an aspect ratio":    {inJPEG(jfif(0, 1, 1)), nil, 1},
		"an absurd JFIF":               {inJPEG(jfif(1, 1, 1)), nil, 1},
		"EXIF, little endian":          {inJPEG(exif(binary.LittleEndian, 6, 300, 2)), []Resolution{{300, 300, "EXIF"}}, 6},
		"EXIF, big endian, centimetre": {inJPEG(exif(binary.BigEndian, 3, 100, 3)), []Resolution{{254, 254, "EXIF"}}, 3},
		"both":                         {inJPEG(jfif(1, 72, 72), exif(binary.BigEndian, 8, 600, 2)), []Resolution{{72, 72, "JFIF"}, {600, 600, "EXIF"}}, 8},
		"an absurd orientation":        {inJPEG(exif(binary.BigEndian, 9, 600, 2)), []Resolution{{600, 600, "EXIF"}}, 1},
		"pHYs":                         {inPNG(phys(11811, 23622, 1)), []Resolution{{300, 600, "pHYs"}}, 1},
		"pHYs without a unit":          {inPNG(phys(11811, 11811, 0)), nil, 1},
		"eXIf":                         {inPNG(chunk("eXIf", exifBlock(binary.BigEndian, 5, 400, 2))), []Resolution{{400, 400, "EXIF"}}, 5},
		"pHYs behind a cut eXIf":       {inPNG(chunk("eXIf", exifBlock(binary.BigEndian, 5, 400, 2)[:30]), phys(7874, 7874, 1)), []Resolution{{200, 200, "pHYs"}}, 1},
	} {
		p := opened(t, name, c.data).Pages[0]
		same := func(a, b Resolution) bool {
			return math.Abs(a.X-b.X) < .01 && math.Abs(a.Y-b.Y) < .01 && a.Source == b.Source
		}
		if !slices.EqualFunc(p.Resolutions, c.want, same) || p.Orientation != c.orientation {
			t.Errorf("%s: %+v", name, p)
		}
		if len(c.want) > 0 && p.DPIX != p.Resolutions[0].X || len(c.want) == 0 && p.DPIX != 0 {
			t.Errorf("%s: %g dpi", name, p.DPIX)
		}
	}
}

func TestWholeDotsPerInchComeBackFromMetres(t *testing.T) {
	for _, dpi := range []float64{150, 200, 300, 400, 600, 1200} {
		if got := perMetre(uint32(math.Round(dpi / .0254))); got != dpi {
			t.Errorf("%g dpi: %g", dpi, got)
		}
	}
}

// TestTheWayUpOfAPageOfPDF: what the placement and the page's /Rotate say together.
func TestTheWayUpOfAPageOfPDF(t *testing.T) {
	plain := simplePDF(t, pattern(40, 60))
	for _, c := range []struct {
		placed, rotate string
		want           int
	}{
		{"595 0 0 842 0 0", "", 1}, {"0 842 -595 0 595 0", "", 8}, {"0 -842 595 0 0 842", "", 6}, {"-595 0 0 -842 595 842", "", 3},
		{"595 0 0 842 0 0", "/Rotate 90", 6}, {"595 0 0 842 0 0", "/Rotate -90", 8}, {"0 842 -595 0 595 0", "/Rotate 90", 1}, {"594 10 -10 840 0 0", "/Rotate 180", 3},
	} {
		data := bytes.Replace(plain, []byte("q 595 0 0 842 0 0 cm"), []byte("q "+c.placed+" cm"), 1)
		data = bytes.Replace(data, []byte("/Type/Page/Parent"), []byte(c.rotate+"/Type/Page/Parent"), 1)
		if p := opened(t, "", data).Pages[0]; p.Orientation != c.want {
			t.Errorf("%s %s: orientation %d, not %d", c.placed, c.rotate, p.Orientation, c.want)
		}
	}
}
