package scan

import (
	"bytes"
	"image"
	"path"
	"strings"
)

// Format is what a file is.
type Format string

// The formats.
const (
	PDF  Format = "pdf"
	JPEG Format = "jpeg"
	PNG  Format = "png"
	TIFF Format = "tiff"
)

// MediaType is the type for HTTP.
func (f Format) MediaType() string {
	if f == PDF {
		return "application/pdf"
	}
	return "image/" + string(f)
}

// Limits bound what is opened.
type Limits struct {
	Bytes  int   // of the file
	Pages  int   // of the file
	Pixels int64 // of each picture
	// Decoded bounds the memory that decoding one picture takes, in bytes; 0 means 400 MiB.
	Decoded int64
}

// DefaultLimits let in what office scanners make of forms and cards: a page of A4 at 600 dpi has 35 megapixels, one of A3
// 70.
var DefaultLimits = Limits{Bytes: 64 << 20, Pages: 40, Pixels: 75_000_000}

const mostDecoded = 400 << 20

// File is a file that was looked into. It keeps the bytes that it was opened from, and is safe for concurrent use.
type File struct {
	Format Format
	Pages  []Page
	data   []byte
	limits Limits
	inner  decoder
}

// Page is what is known of a page before its picture is decoded.
type Page struct {
	Width, Height int     // pixels as stored; zero where the page has no picture
	DPIX, DPIY    float64 // dots per inch along rows and columns: the first of Resolutions; zero where the file does not say
	// Resolutions are all statements of the file about the page's scale: programs that rotate or convert a picture often
	// renew one and leave the other. For a PDF the size on the page comes first.
	Resolutions []Resolution
	// Orientation is how the stored picture is to be shown, as EXIF and TIFF count it: 1 as it is, 3 turned by 180°, 6 by 90°
	// clockwise, 8 by 90° counter-clockwise, 2, 4, 5 and 7 mirrored. Picture does not apply it.
	Orientation int
	// Grey is a picture without colour: bilevel or shades of grey.
	Grey bool
}

// decoder decodes the picture of a page, counted from 0.
type decoder interface {
	picture(page int) (image.Image, error)
}

// Open looks into a file. Name may be empty; otherwise its ending must be one of the format. Errors: attachment.unknown-format,
// attachment.not-what-it-says, attachment.too-large, attachment.too-many-pages, attachment.too-many-pixels,
// attachment.broken, attachment.encrypted, attachment.unsupported-coding.
func Open(name string, data []byte, l Limits) (*File, error) {
	if len(data) > l.Bytes {
		return nil, ErrTooLarge.With("%d MB > %d MB", (len(data)+1<<20-1)>>20, l.Bytes>>20)
	}
	format, ok := sniff(data)
	if !ok {
		return nil, ErrUnknown.New()
	}
	if !named(name, format) {
		return nil, ErrName.With("%s", strings.ToUpper(string(format)))
	}
	if l.Decoded == 0 {
		l.Decoded = mostDecoded
	}
	f := &File{Format: format, data: data, limits: l}
	var err error
	switch format {
	case JPEG:
		err = f.openJPEG()
	case PNG:
		err = f.openPNG()
	case TIFF:
		err = f.openTIFF()
	case PDF:
		err = f.openPDF()
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Picture decodes the picture of a page, counted from 0, as it is stored: an orientation that the file only mentions is not
// applied: *image.Gray, *image.YCbCr, *RGB, or what image/png and image/jpeg make of others. It may stand on the bytes of the file: do not
// write into either. Errors: attachment.no-picture, attachment.unsupported-coding, attachment.broken, attachment.too-many-pixels.
func (f *File) Picture(page int) (image.Image, error) {
	if page < 0 || page >= len(f.Pages) || f.Pages[page].Width == 0 && f.Format != PDF {
		return nil, ErrNoPicture.New()
	}
	return f.inner.picture(page)
}

// sniff tells the format by the first bytes.
func sniff(data []byte) (Format, bool) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return JPEG, true
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return PNG, true
	case bytes.HasPrefix(data, []byte("II*\x00")), bytes.HasPrefix(data, []byte("MM\x00*")),
		bytes.HasPrefix(data, []byte("II+\x00")), bytes.HasPrefix(data, []byte("MM\x00+")):
		return TIFF, true
	case bytes.HasPrefix(bytes.TrimLeft(data[:min(len(data), 64)], "\xef\xbb\xbf\x00\t\n\f\r "), []byte("%PDF-")):
		return PDF, true
	}
	return "", false
}

// named reports whether the ending of a name is one of the format. A name without an ending says nothing.
func named(name string, f Format) bool {
	ending := strings.ToLower(path.Ext(strings.TrimSpace(name)))
	switch ending {
	case "", ".":
		return true
	case ".pdf":
		return f == PDF
	case ".jpg", ".jpeg", ".jpe", ".jfif":
		return f == JPEG
	case ".png":
		return f == PNG
	case ".tif", ".tiff":
		return f == TIFF
	}
	return false
}

// checkSize holds the size of a picture, and the bytes that decoding takes, against the limits.
func (f *File) checkSize(width, height int, bytesPerPixel float64) error {
	if width <= 0 || height <= 0 {
		return ErrBroken.New()
	}
	pixels := int64(width) * int64(height)
	if width > 1<<20 || height > 1<<20 || pixels > f.limits.Pixels || float64(pixels)*bytesPerPixel > float64(f.limits.Decoded) {
		return ErrPixels.With("%d × %d", width, height)
	}
	return nil
}
