package scan

import (
	"image"
	"image/color"
	"image/draw"
)

// RGB is a picture of red, green and blue without transparency: three bytes a pixel where image.RGBA takes four, which is 35 MB of a
// page of A4 at 600 dpi. It may stand on the bytes of the file that it was read from: look, do not write.
type RGB struct {
	Pix    []uint8 // red, green, blue, row by row from the top
	Stride int     // bytes from a row to the next
	Rect   image.Rectangle
}

func newRGB(width, height int) *RGB {
	return &RGB{Pix: make([]uint8, 3*width*height), Stride: 3 * width, Rect: image.Rect(0, 0, width, height)}
}

// ColorModel is that of image.RGBA.
func (p *RGB) ColorModel() color.Model { return color.RGBAModel }

// Bounds are the whole picture, which begins at 0, 0.
func (p *RGB) Bounds() image.Rectangle { return p.Rect }

// At is a color.RGBA.
func (p *RGB) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(p.Rect) {
		return color.RGBA{}
	}
	i := y*p.Stride + 3*x
	return color.RGBA{p.Pix[i], p.Pix[i+1], p.Pix[i+2], 255}
}

// RGBA64At is what image/draw asks for.
func (p *RGB) RGBA64At(x, y int) color.RGBA64 {
	if !(image.Point{X: x, Y: y}).In(p.Rect) {
		return color.RGBA64{}
	}
	i := y*p.Stride + 3*x
	return color.RGBA64{R: uint16(p.Pix[i]) * 0x101, G: uint16(p.Pix[i+1]) * 0x101, B: uint16(p.Pix[i+2]) * 0x101, A: 0xffff}
}

// Opaque is what encoders ask for.
func (p *RGB) Opaque() bool { return true }

// Row is the pixels [x0, x1) of a row.
func (p *RGB) Row(y, x0, x1 int) []uint8 { return p.Pix[y*p.Stride+3*x0 : y*p.Stride+3*x1] }

// RGBA copies the picture into the type that the encoders of the standard library read without a call for each pixel.
func (p *RGB) RGBA() *image.RGBA {
	out := image.NewRGBA(p.Rect)
	for y := range p.Rect.Dy() {
		to := out.Pix[y*out.Stride:][:out.Stride]
		for from := p.Row(y, 0, p.Rect.Dx()); len(from) >= 3; from, to = from[3:], to[4:] {
			to[0], to[1], to[2], to[3] = from[0], from[1], from[2], 255
		}
	}
	return out
}

// lay puts another picture into this one, its upper left corner at that of an area within, as far as both reach.
func (p *RGB) lay(area image.Rectangle, img image.Image) {
	from := img.Bounds()
	width, height := min(area.Dx(), from.Dx()), min(area.Dy(), from.Dy())
	if source, ok := img.(*RGB); ok {
		for y := range height {
			copy(p.Row(area.Min.Y+y, area.Min.X, area.Min.X+width), source.Row(y, 0, width))
		}
		return
	}
	line := image.NewRGBA(image.Rect(0, 0, width, 1))
	for y := range height {
		draw.Draw(line, line.Rect, img, from.Min.Add(image.Pt(0, y)), draw.Src)
		to := p.Row(area.Min.Y+y, area.Min.X, area.Min.X+width)
		for x := range width {
			copy(to[3*x:3*x+3], line.Pix[4*x:])
		}
	}
}
