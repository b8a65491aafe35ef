package scan

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Resolution is one statement of a file about its scale, in dots per inch along the rows and the columns as stored.
type Resolution struct {
	X, Y   float64
	Source string // "JFIF", "EXIF", "pHYs", "TIFF" or "PDF": the size at which a picture is placed on its page
}

const millimetresPerInch = 25.4

// said is what the headers of a picture say besides its size.
type said struct {
	resolutions []Resolution
	orientation int // 1 to 8; 0: nothing was said
}

// resolution keeps what scanners say; anything else is not known.
func (s *said) resolution(x, y float64, source string) {
	plausible := func(v float64) bool { return v >= 20 && v <= 10000 }
	if plausible(x) && plausible(y) {
		s.resolutions = append(s.resolutions, Resolution{x, y, source})
	}
}

// page puts a page together.
func (s said) page(width, height int, grey bool) Page {
	p := Page{Width: width, Height: height, Grey: grey, Resolutions: s.resolutions, Orientation: max(s.orientation, 1)}
	if len(s.resolutions) > 0 {
		p.DPIX, p.DPIY = s.resolutions[0].X, s.resolutions[0].Y
	}
	return p
}

// jfif reads the density of a JFIF segment (ITU-T T.871, 10.1): unit 1 is dots per inch, 2 dots per centimetre; 0 is an
// aspect ratio only.
func (s *said) jfif(body []byte) {
	if len(body) < 12 || !bytes.HasPrefix(body, []byte("JFIF\x00")) {
		return
	}
	x, y := float64(binary.BigEndian.Uint16(body[8:])), float64(binary.BigEndian.Uint16(body[10:]))
	switch body[7] {
	case 1:
		s.resolution(x, y, "JFIF")
	case 2:
		s.resolution(x*2.54, y*2.54, "JFIF")
	}
}

// exif reads the first directory of a TIFF structure (Exif 2.3, 4.6.4 A).
func (s *said) exif(block []byte) {
	t, ok := readTIFFHeader(block)
	if !ok {
		return
	}
	if d, ok := t.directory(t.first); ok {
		s.directory(d, "EXIF")
	}
}

// directory reads scale and orientation of TIFF 6.0, sections 4 and 8.
func (s *said) directory(d directory, source string) {
	x, y := d.resolution()
	s.resolution(x, y, source)
	if v := d.number(tagOrientation, 0); v >= 1 && v <= 8 && s.orientation == 0 {
		s.orientation = v
	}
}

// chunks reads pHYs and eXIf of a PNG file (ISO/IEC 15948, 11.3.5.3 and the third edition's 11.3.3.2). eXIf may stand behind the
// pixels.
func (s *said) chunks(data []byte) {
	for at := 8; at+12 <= len(data); {
		length := int64(binary.BigEndian.Uint32(data[at:]))
		if length > int64(len(data)-at-12) {
			return
		}
		body := data[at+8 : at+8+int(length)]
		switch string(data[at+4 : at+8]) {
		case "pHYs":
			if length == 9 && body[8] == 1 { // per metre
				s.resolution(perMetre(binary.BigEndian.Uint32(body)), perMetre(binary.BigEndian.Uint32(body[4:])), "pHYs")
			}
		case "eXIf":
			s.exif(body)
		case "IEND":
			return
		}
		at += 12 + int(length)
	}
}

// perMetre turns whole dots per metre into dots per inch. The rounding of the chunk (300 dpi is written as 11811, which is
// 299.9994 dpi) is taken back where it hides a whole number.
func perMetre(v uint32) float64 {
	dpi := float64(v) * millimetresPerInch / 1000
	if whole := math.Round(dpi); math.Abs(float64(v)-whole*1000/millimetresPerInch) <= 1 {
		return whole
	}
	return dpi
}
