package imprint

import (
	"encoding/binary"
	"math"
)

// metadata is what the readers of JPEG and PNG take from a file without decoding pixels.
type metadata struct {
	format        string // "jpeg" or "png"
	width, height int    // pixels as stored
	components    int    // colour components of a JPEG frame
	progressive   bool
	scans         int // SOS segments of a JPEG
	orientation   int // EXIF, 1 to 8
	resolutions   []resolution
}

// resolution is one statement of the file about its scale, in dots per inch along the stored rows and columns.
type resolution struct {
	x, y   float64
	source string
}

// A file that states an absurd scale is treated as one that states none.
const (
	leastDPI    = 50
	greatestDPI = 4800
)

const millimetresPerInch = 25.4

func (m *metadata) addResolution(x, y float64, source string) {
	if validDPI(x) && validDPI(y) {
		m.resolutions = append(m.resolutions, resolution{x, y, source})
	}
}

func validDPI(v float64) bool { return !math.IsNaN(v) && v >= leastDPI && v <= greatestDPI }

// readMetadata recognises the format by its first bytes and reads the headers. ok is false for other formats and
// for headers that make no sense.
func readMetadata(data []byte) (m metadata, ok bool) {
	switch {
	case len(data) >= 3 && data[0] == 0xFF && data[1] == 0xD8 && data[2] == 0xFF:
		return readJPEG(data)
	case len(data) >= len(pngSignature) && string(data[:len(pngSignature)]) == pngSignature:
		return readPNG(data)
	}
	return metadata{}, false
}

// readJPEG walks the segments of a JPEG file (ITU-T T.81, annex B): the frame header, JFIF density (ITU-T T.871) and
// EXIF resolution, and the number of scans. Entropy-coded data are skipped by looking for the next marker.
func readJPEG(data []byte) (metadata, bool) {
	m := metadata{format: "jpeg", orientation: 1}
	for at := 2; at+1 < len(data); {
		if data[at] != 0xFF {
			at++ // entropy-coded data
			continue
		}
		marker := data[at+1]
		switch {
		case marker == 0xFF:
			at++
			continue
		case marker == 0x00 || marker == 0x01 || marker >= 0xD0 && marker <= 0xD8:
			at += 2
			continue
		case marker == 0xD9:
			return m, m.width > 0 && m.height > 0
		}
		if at+4 > len(data) {
			break
		}
		length := int(binary.BigEndian.Uint16(data[at+2:]))
		if length < 2 || at+2+length > len(data) {
			break
		}
		m.jpegSegment(marker, data[at+4:at+2+length])
		at += 2 + length
	}
	return m, m.width > 0 && m.height > 0
}

func (m *metadata) jpegSegment(marker byte, body []byte) {
	switch {
	case marker == 0xDA:
		m.scans++
	case marker == 0xE0 && len(body) >= 12 && string(body[:5]) == "JFIF\x00":
		x, y := float64(binary.BigEndian.Uint16(body[8:])), float64(binary.BigEndian.Uint16(body[10:]))
		switch body[7] {
		case 1:
			m.addResolution(x, y, "JFIF")
		case 2: // dots per centimetre
			m.addResolution(x*2.54, y*2.54, "JFIF")
		}
	case marker == 0xE1 && len(body) >= 6 && string(body[:6]) == "Exif\x00\x00":
		m.readEXIF(body[6:])
	case marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
		if len(body) >= 6 && m.width == 0 {
			m.progressive = marker == 0xC2
			m.height, m.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
			m.components = int(body[5])
		}
	}
}

const pngSignature = "\x89PNG\r\n\x1a\n"

// readPNG walks the chunks of a PNG file (ISO/IEC 15948): IHDR, pHYs and eXIf.
func readPNG(data []byte) (metadata, bool) {
	m := metadata{format: "png", orientation: 1}
	for at := len(pngSignature); at+12 <= len(data); {
		length := int64(binary.BigEndian.Uint32(data[at:]))
		kind := string(data[at+4 : at+8])
		if length > int64(len(data)-at-12) {
			break
		}
		body := data[at+8 : at+8+int(length)]
		switch {
		case kind == "IHDR" && len(body) == 13:
			w, h := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
			if w == 0 || h == 0 || w > math.MaxInt32 || h > math.MaxInt32 {
				return m, false
			}
			m.width, m.height = int(w), int(h)
		case kind == "pHYs" && len(body) == 9 && body[8] == 1: // unit: per metre
			x, y := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
			m.addResolution(perMetre(x), perMetre(y), "pHYs")
		case kind == "eXIf":
			m.readEXIF(body)
		case kind == "IEND":
			return m, m.width > 0
		}
		at += 12 + int(length)
	}
	return m, m.width > 0
}

// perMetre turns the whole dots per metre of a pHYs chunk into dots per inch. The rounding of the chunk (300 dpi is
// written as 11811, 299.9994 dpi) is taken back where it hides a whole number.
func perMetre(v uint32) float64 {
	dpi := float64(v) * millimetresPerInch / 1000
	if whole := math.Round(dpi); math.Abs(float64(v)-whole*1000/millimetresPerInch) <= 1 {
		return whole
	}
	return dpi
}

// readEXIF reads XResolution, YResolution, ResolutionUnit and Orientation from the first image directory of a TIFF
// structure (TIFF 6.0, section 2; Exif 2.3, 4.6.4 A).
func (m *metadata) readEXIF(tiff []byte) {
	if len(tiff) < 8 {
		return
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return
	}
	start := int64(order.Uint32(tiff[4:]))
	if start < 8 || start+2 > int64(len(tiff)) {
		return
	}
	count := int(order.Uint16(tiff[start:]))
	rational := func(entry []byte) float64 {
		at := int64(order.Uint32(entry[8:]))
		if order.Uint16(entry[2:]) != 5 || at+8 > int64(len(tiff)) {
			return 0
		}
		return float64(order.Uint32(tiff[at:])) / float64(order.Uint32(tiff[at+4:]))
	}
	var x, y float64
	unit := uint16(2) // inches are the default
	for i := 0; i < count; i++ {
		at := start + 2 + int64(i)*12
		if at+12 > int64(len(tiff)) {
			break
		}
		entry := tiff[at : at+12]
		switch order.Uint16(entry) {
		case 0x0112:
			if v := order.Uint16(entry[8:]); v >= 1 && v <= 8 {
				m.orientation = int(v)
			}
		case 0x011A:
			x = rational(entry)
		case 0x011B:
			y = rational(entry)
		case 0x0128:
			unit = order.Uint16(entry[8:])
		}
	}
	switch unit {
	case 2:
		m.addResolution(x, y, "EXIF")
	case 3: // dots per centimetre
		m.addResolution(x*2.54, y*2.54, "EXIF")
	}
}
