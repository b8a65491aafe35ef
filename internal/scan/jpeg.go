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
	samples       float64 // of all components, for a pixel: 1.5 where colour is subsampled two by two
	progressive   bool
	scans         int
	adobe         int // the colour transform that an Adobe segment states; -1: there is none
	said
}

const (
	// Each scan of a progressive picture walks over all of it once more, and may be a few bytes long. Programs write
	// ten; 64 are let through where the picture is small, and as many as make a thousand million pixels where it is large.
	mostScans, leastScans, mostScanned = 64, 16, 1_000_000_000
	// A block of 8 × 8 samples takes at least one bit: a picture that says more pixels than this per byte is none.
	mostJPEGPixelsPerByte = 1024
)

// readJPEG walks over the segments. False where they make no picture.
func readJPEG(data []byte) (jpegFacts, bool) {
	f := jpegFacts{adobe: -1}
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
		f.samples = samplesPerPixel(body[6:])
	case marker == 0xe0:
		f.jfif(body)
	case marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
		f.exif(body[6:])
	case marker == 0xee && len(body) >= 12 && bytes.HasPrefix(body, []byte("Adobe")):
		f.adobe = int(body[11])
	}
}

// samplesPerPixel adds up the shares of the components of a frame: three bytes each, with the factors in the second one.
func samplesPerPixel(components []byte) float64 {
	sum, across, down := 0, 1, 1
	for ; len(components) >= 3; components = components[3:] {
		h, v := int(components[1]>>4), int(components[1]&15)
		sum, across, down = sum+h*v, max(across, h), max(down, v)
	}
	return max(1, float64(sum)/float64(across*down))
}

// scansAllowed is how many scans a picture of this size may have.
func scansAllowed(width, height int) int {
	return max(leastScans, min(mostScans, mostScanned/max(1, width*height)))
}

// checkJPEG reads the header and holds it against the limits.
func (f *File) checkJPEG(data []byte) (jpegFacts, error) {
	facts, ok := readJPEG(data)
	perPixel := facts.samples
	if facts.progressive {
		perPixel *= 5 // image/jpeg keeps every coefficient in four bytes
	}
	if facts.components == 4 || facts.adobe == 0 {
		perPixel += 4 // and puts other colours than those of JFIF together anew
	}
	if err := f.checkSize(facts.width, facts.height, perPixel); err != nil {
		return facts, err
	}
	if !ok {
		return facts, ErrBroken.New()
	}
	if most := scansAllowed(facts.width, facts.height); facts.scans > most {
		return facts, ErrTooLarge.With("%d > %d", facts.scans, most)
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
	f.Pages = []Page{facts.page(facts.width, facts.height, facts.components == 1)}
	f.inner = plainJPEG{f.data, facts}
	return nil
}

// plainJPEG is a JPEG file that was checked. Of four components it holds inks, stored as Adobe does: 255 is none.
type plainJPEG struct {
	data  []byte
	facts jpegFacts
}

func (p plainJPEG) picture(int) (image.Image, error) {
	return decodeJPEG(p.data, p.facts, jpegColours{})
}

// jpegColours is what the file around JPEG data says of their components.
type jpegColours struct {
	rgb      bool // three components are red, green and blue
	inkIs255 bool // of four components, which are inks
}

// decodeJPEG decodes data that were checked. Pictures of inks become red, green and blue.
func decodeJPEG(data []byte, facts jpegFacts, c jpegColours) (image.Image, error) {
	if facts.adobe < 0 && (facts.components == 4 || facts.components == 3 && c.rgb) {
		// Without this segment image/jpeg takes three components for lightness and colour, and knows no four.
		adobe := []byte("\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00")
		data = append(adobe, data[2:]...)
	}
	img, err := anyJPEG(data, facts)
	if err != nil {
		return nil, decodeError(err)
	}
	if b := img.Bounds(); b.Dx() != facts.width || b.Dy() != facts.height || b.Min != (image.Point{}) {
		return nil, ErrBroken.New() // frame headers that contradict each other
	}
	if inks, ok := img.(*image.CMYK); ok {
		return printed(inks, c.inkIs255), nil
	}
	return img, nil
}

// anyJPEG decodes JPEG of any kind.
func anyJPEG(data []byte, facts jpegFacts) (image.Image, error) {
	if facts.scans == 1 && !facts.progressive && facts.components == 3 {
		if img, ok := decodeBaseline(data, facts.width, facts.height); ok {
			return img, nil
		}
	}
	return jpeg.Decode(bytes.NewReader(data))
}

// printed turns inks into light, in the same memory, three bytes where four were. image/jpeg takes all of them for inverted, as Adobe stores them.
func printed(inks *image.CMYK, again bool) *RGB {
	flip := byte(0)
	if again {
		flip = 255
	}
	width := inks.Rect.Dx()
	for i := range width * inks.Rect.Dy() {
		from := inks.Pix[i/width*inks.Stride+4*(i%width):][:4]
		p := [4]byte(from)
		k := 255 - int(p[3]^flip)
		for c := range 3 {
			inks.Pix[3*i+c] = byte((255 - int(p[c]^flip)) * k / 255)
		}
	}
	return &RGB{Pix: inks.Pix[:3*width*inks.Rect.Dy()], Stride: 3 * width, Rect: inks.Rect}
}
