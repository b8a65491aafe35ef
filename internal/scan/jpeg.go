package scan

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
)

// jpegFacts are what the segments of a JPEG file say (ITU-T T.81 annex B).
type jpegFacts struct {
	width, height int
	components    int
	progressive   bool
	scans         int
	dpiX, dpiY    float64
}

const (
	mostScans = 64 // each scan of a progressive picture walks over all of it once more
	// A block of 8 × 8 samples takes at least one bit: a picture that says more pixels than this per byte is none.
	mostJPEGPixelsPerByte = 1024
)

// readJPEG walks over the segments. False where they make no picture.
func readJPEG(data []byte) (jpegFacts, bool) {
	var f jpegFacts
	at := 2
	for at+4 <= len(data) {
		if data[at] != 0xff {
			return f, false
		}
		marker := data[at+1]
		if marker == 0xff { // fill
			at++
			continue
		}
		if marker == 0xd9 {
			break
		}
		if marker >= 0xd0 && marker <= 0xd8 || marker == 0x01 {
			at += 2
			continue
		}
		length := int(binary.BigEndian.Uint16(data[at+2:]))
		if length < 2 || at+2+length > len(data) {
			break
		}
		f.segment(marker, data[at+4:at+2+length])
		at += 2 + length
		if marker == 0xda {
			f.scans++
			at = afterScan(data, at)
		}
	}
	return f, f.width > 0 && f.height > 0 && f.scans > 0
}

// afterScan finds the marker behind entropy-coded data.
func afterScan(data []byte, at int) int {
	for at < len(data) {
		next := bytes.IndexByte(data[at:], 0xff)
		if next < 0 || at+next+1 >= len(data) {
			return len(data)
		}
		at += next
		if m := data[at+1]; m != 0 && (m < 0xd0 || m > 0xd7) && m != 0xff {
			return at
		}
		at++
		if data[at] != 0xff {
			at++
		}
	}
	return at
}

func (f *jpegFacts) segment(marker byte, body []byte) {
	switch {
	case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc && len(body) >= 6:
		f.height, f.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
		f.components, f.progressive = int(body[5]), marker == 0xc2
	case marker == 0xe0 && len(body) >= 12 && bytes.HasPrefix(body, []byte("JFIF\x00")):
		f.density(body[7], float64(binary.BigEndian.Uint16(body[8:])), float64(binary.BigEndian.Uint16(body[10:])))
	case marker == 0xe1 && f.dpiX == 0 && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
		if t, ok := readTIFFHeader(body[6:]); ok {
			if d, ok := t.directory(t.first); ok {
				f.dpiX, f.dpiY = d.resolution()
			}
		}
	}
}

// density reads the units of JFIF: 1 dots per inch, 2 dots per centimetre.
func (f *jpegFacts) density(unit byte, x, y float64) {
	switch unit {
	case 1:
		f.dpiX, f.dpiY = resolution(x), resolution(y)
	case 2:
		f.dpiX, f.dpiY = resolution(x*2.54), resolution(y*2.54)
	}
}

// checkJPEG reads the header and holds it against the limits.
func (f *File) checkJPEG(data []byte) (jpegFacts, error) {
	facts, ok := readJPEG(data)
	if !ok {
		return facts, ErrBroken.New()
	}
	perPixel := int64(max(facts.components, 1))
	if facts.progressive {
		perPixel *= 5 // image/jpeg keeps every coefficient in four bytes
	}
	if err := f.checkSize(facts.width, facts.height, perPixel); err != nil {
		return facts, err
	}
	if facts.scans > mostScans {
		return facts, ErrTooLarge.With("%d > %d", facts.scans, mostScans)
	}
	if int64(facts.width)*int64(facts.height)/mostJPEGPixelsPerByte > int64(len(data)) {
		return facts, ErrBroken.New()
	}
	config, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return facts, decodeError(err)
	}
	if config.Width != facts.width || config.Height != facts.height {
		return facts, ErrBroken.New()
	}
	return facts, nil
}

func (f *File) openJPEG() error {
	facts, err := f.checkJPEG(f.data)
	if err != nil {
		return err
	}
	f.Pages = []Page{{facts.width, facts.height, facts.dpiX, facts.dpiY}}
	f.inner = plainJPEG{f.data}
	return nil
}

// plainJPEG is a JPEG file that was checked.
type plainJPEG struct{ data []byte }

func (p plainJPEG) picture(int) (image.Image, error) { return decodeJPEG(p.data) }

func decodeJPEG(data []byte) (image.Image, error) {
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, decodeError(err)
	}
	return img, nil
}
