package imprint

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"

	"yinxin/internal/fault"
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
	return append([]byte{0xFF, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
}

// withEXIF puts an EXIF segment after the start of a JPEG.
func withEXIF(file []byte, orientation int, dpi uint32) []byte {
	body := append([]byte("Exif\x00\x00"), exifBlock(binary.LittleEndian, orientation, dpi, 2)...)
	return withSegments(file, segment(0xE1, body))
}

func withSegments(file []byte, segments ...[]byte) []byte {
	result := append([]byte(nil), file[:2]...)
	for _, s := range segments {
		result = append(result, s...)
	}
	return append(result, file[2:]...)
}

func jfif(unit byte, x, y uint16) []byte {
	body := append([]byte("JFIF\x00\x01\x02"), unit)
	body = binary.BigEndian.AppendUint16(body, x)
	body = binary.BigEndian.AppendUint16(body, y)
	return segment(0xE0, append(body, 0, 0))
}

func exif(order binary.AppendByteOrder, dpi uint32, unit uint16) []byte {
	return segment(0xE1, append([]byte("Exif\x00\x00"), exifBlock(order, 1, dpi, unit)...))
}

// headerOnly is a JPEG of which readers of metadata need no more: a frame header of the given size.
func headerOnly(width, height int, segments ...[]byte) []byte {
	file := []byte{0xFF, 0xD8}
	for _, s := range segments {
		file = append(file, s...)
	}
	frame := []byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), 3,
		1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0}
	return append(append(file, segment(0xC0, frame)...), 0xFF, 0xD9)
}

func TestTheScaleComesFromTheFileAndIsNeverGuessed(t *testing.T) {
	for _, c := range []struct {
		name   string
		file   []byte
		option float64
		x, y   float64
		source string
		page   string
		code   string
	}{
		{name: "JFIF in dots per inch", file: headerOnly(2480, 3508, jfif(1, 300, 300)), x: 300, y: 300, source: "JFIF", page: "A4"},
		{name: "JFIF in dots per centimetre", file: headerOnly(1000, 1000, jfif(2, 236, 236)), x: 599.44, y: 599.44, source: "JFIF"},
		{name: "EXIF, little endian", file: headerOnly(2480, 3508, exif(binary.LittleEndian, 300, 2)), x: 300, y: 300, source: "EXIF", page: "A4"},
		{name: "EXIF, big endian, centimetres", file: headerOnly(900, 900, exif(binary.BigEndian, 118, 3)), x: 299.72, y: 299.72, source: "EXIF"},
		{name: "a stale JFIF beside an EXIF that fits the page", file: headerOnly(4960, 7016, jfif(1, 72, 72), exif(binary.BigEndian, 600, 2)),
			x: 600, y: 600, source: "EXIF", page: "A4"},
		{name: "different scales along both sides", file: headerOnly(1700, 1100, jfif(1, 204, 196)), x: 204, y: 196, source: "JFIF"},
		{name: "the caller's word counts more", file: headerOnly(2480, 3508, jfif(1, 72, 72)), option: 300, x: 300, y: 300, source: "option", page: "A4"},
		{name: "no statement", file: headerOnly(2480, 3508), code: "imprint.no-scale"},
		{name: "JFIF with an aspect ratio only", file: headerOnly(1000, 1000, jfif(0, 1, 1)), code: "imprint.no-scale"},
		{name: "an absurd statement", file: headerOnly(1000, 1000, jfif(1, 1, 1)), code: "imprint.no-scale"},
		{name: "a page of A4 that claims 72 dpi", file: headerOnly(2480, 3508, jfif(1, 72, 72)), code: "imprint.scale-contradicts"},
		{name: "sides that no scanner has", file: headerOnly(1000, 1000, jfif(1, 600, 100)), code: "imprint.scale-contradicts"},
		{name: "an absurd option", file: headerOnly(1000, 1000, jfif(1, 300, 300)), option: 7, code: "imprint.bad-scale"},
		{name: "not a number", file: headerOnly(1000, 1000, jfif(1, 300, 300)), option: math.NaN(), code: "imprint.bad-scale"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, ok := readMetadata(c.file)
			if !ok {
				t.Fatal("the header was not read")
			}
			s, err := readScale(m, Options{DPI: c.option})
			if c.code != "" {
				if fault.CodeOf(err) != c.code {
					t.Fatalf("%v, want %s", err, c.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(s.X-c.x) > .01 || math.Abs(s.Y-c.y) > .01 || s.Source != c.source || s.Page != c.page {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestAPhysChunkIsReadAsWholeDotsPerInch(t *testing.T) {
	for _, dpi := range []float64{150, 200, 300, 400, 600, 1200} {
		file := asPNG(t, image.NewRGBA(image.Rect(0, 0, 4, 4)), dpi)
		m, ok := readMetadata(file)
		if !ok || len(m.resolutions) != 1 || m.resolutions[0] != (resolution{dpi, dpi, "pHYs"}) {
			t.Errorf("%g dpi: %+v", dpi, m)
		}
	}
}

func TestScansOfAJPEGAreCounted(t *testing.T) {
	var out bytes.Buffer
	picture := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range picture.Pix {
		picture.Pix[i] = uint8(i * 7)
	}
	picture.Set(1, 1, color.White)
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		t.Fatal(err)
	}
	m, ok := readMetadata(out.Bytes())
	if !ok || m.scans != 1 || m.width != 64 || m.height != 64 || m.components != 3 || m.progressive {
		t.Errorf("%+v", m)
	}
}

func FuzzReadMetadata(f *testing.F) {
	f.Add(headerOnly(2480, 3508, jfif(1, 300, 300), exif(binary.BigEndian, 300, 2)))
	f.Add(headerOnly(1, 1, exif(binary.LittleEndian, 0, 3)))
	f.Add([]byte(pngSignature + "\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x00\x00\x00\x00" +
		"\x00\x00\x00\x09pHYs\x00\x00\x2e\x23\x00\x00\x2e\x23\x01\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, ok := readMetadata(data)
		if !ok {
			return
		}
		for _, r := range m.resolutions {
			if !validDPI(r.x) || !validDPI(r.y) {
				t.Errorf("resolution %+v", r)
			}
		}
		if m.width <= 0 || m.height <= 0 || m.orientation < 1 || m.orientation > 8 {
			t.Errorf("%+v", m)
		}
		if s, err := readScale(m, Options{}); err == nil && !(s.X > 0 && s.Y > 0) {
			t.Errorf("%+v", s)
		}
	})
}
