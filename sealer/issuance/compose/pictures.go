package compose

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"

	"yinxin/internal/paper"
	"yinxin/internal/scan"
)

// bind makes a PDF of the pictures of files.
func bind(names []string, files [][]byte) ([]byte, error) {
	var all [][]byte
	for i, name := range names {
		pages, err := pictures(name, files[i])
		if err != nil {
			return nil, fmt.Errorf("file %d: %w", i+1, err)
		}
		all = append(all, pages...)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return merge(all)
}

// pictures makes a PDF of each picture of a file.
func pictures(name string, data []byte) ([][]byte, error) {
	file, err := scan.Open(name, data, scan.DefaultLimits)
	if err != nil {
		return nil, err
	}
	pages := make([][]byte, 0, len(file.Pages))
	for i, p := range file.Pages {
		// Decoded in any case: a picture of which a part is missing is no copy.
		img, err := file.Picture(i)
		if err != nil {
			return nil, fmt.Errorf("picture %d: %w", i+1, err)
		}
		stored := data
		if file.Format != scan.JPEG || p.Orientation > 1 {
			if stored, err = upright(img, p); err != nil {
				return nil, fmt.Errorf("picture %d: %w", i+1, err)
			}
		}
		page, err := onPage(stored, sizeOf(p))
		if err != nil {
			return nil, fmt.Errorf("picture %d: %w", i+1, err)
		}
		pages = append(pages, page)
	}
	return pages, nil
}

func onPage(picture []byte, size types.Dim) ([]byte, error) {
	place := pdfcpu.DefaultImportConfig()
	place.Pos, place.Scale, place.PageDim, place.UserDim = types.Center, 1, &size, true
	var out bytes.Buffer
	if err := api.ImportImages(nil, &out, []io.Reader{bytes.NewReader(picture)}, place, settings()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// The sizes that are believed, in points: from a stamp to a sheet of A2.
const smallest, largest = 72.0, 1700.0

// sizeOf is the size of the page for a picture, in points: its true one, or A4 the way the picture lies.
func sizeOf(p scan.Page) types.Dim {
	d := types.Dim{}
	if p.DPIX > 0 && p.DPIY > 0 {
		d = types.Dim{Width: float64(p.Width) * 72 / p.DPIX, Height: float64(p.Height) * 72 / p.DPIY}
	}
	wide := p.Width > p.Height
	if d.Width < smallest || d.Width > largest || d.Height < smallest || d.Height > largest {
		d = types.Dim{Width: paper.A4Width, Height: paper.A4Height}
		if wide {
			d.Width, d.Height = d.Height, d.Width
		}
	}
	if p.Orientation >= 5 {
		d.Width, d.Height = d.Height, d.Width
	}
	return d
}

// upright turns a picture as its file says, and codes it without loss.
func upright(img image.Image, page scan.Page) ([]byte, error) {
	var out bytes.Buffer
	coder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := coder.Encode(&out, turned{img, page}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// turned is a picture as its orientation says that it is to be shown (EXIF 2.3, tag 274). Pictures without colour stay so.
type turned struct {
	image.Image
	page scan.Page
}

func (t turned) ColorModel() color.Model {
	if t.page.Grey {
		return color.GrayModel
	}
	return color.RGBAModel // without opacity: paper is behind
}

func (t turned) Opaque() bool { return true }

func (t turned) Bounds() image.Rectangle {
	b := t.Image.Bounds()
	if t.page.Orientation >= 5 {
		return image.Rect(0, 0, b.Dy(), b.Dx())
	}
	return image.Rect(0, 0, b.Dx(), b.Dy())
}

func (t turned) At(x, y int) color.Color {
	b := t.Image.Bounds()
	w, h := b.Dx()-1, b.Dy()-1
	switch t.page.Orientation {
	case 2:
		x = w - x
	case 3:
		x, y = w-x, h-y
	case 4:
		y = h - y
	case 5:
		x, y = y, x
	case 6:
		x, y = y, h-x
	case 7:
		x, y = w-y, h-x
	case 8:
		x, y = w-y, x
	}
	c := t.Image.At(b.Min.X+x, b.Min.Y+y)
	if _, _, _, a := c.RGBA(); a == 0xffff {
		return t.ColorModel().Convert(c)
	}
	r, g, bl, a := c.RGBA()
	white := 0xffff - a
	return t.ColorModel().Convert(color.RGBA64{uint16(r + white), uint16(g + white), uint16(bl + white), 0xffff})
}
