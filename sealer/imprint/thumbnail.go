package imprint

import (
	"image"
	"image/color"
	"math"
)

// ThumbnailSide is the larger side of a thumbnail in pixels where nothing else is asked for: a row of a list on screens
// of twice the usual density.
const ThumbnailSide = 128

// Thumbnail makes a small picture of a template for lists: PNG, palette with alpha, the larger side of so many pixels,
// which are averages of the template's. Error: imprint.bad-template.
func Thumbnail(template []byte, side int) ([]byte, error) {
	picture, err := DecodeTemplate(template)
	if err != nil {
		return nil, err
	}
	if side < 1 || side > mostTemplateSide {
		return nil, ErrBadTemplate.With("%d", side)
	}
	b := picture.Bounds()
	scale := float64(side) / float64(max(b.Dx(), b.Dy()))
	w, h := max(1, int(math.Round(float64(b.Dx())*scale))), max(1, int(math.Round(float64(b.Dy())*scale)))
	alpha, colour := opacity(picture)
	// No resolution: a thumbnail is seen, not measured.
	return encode(averaged(alpha, w, h), colour, 0)
}

// opacity splits a template into its alpha and the colour of its ink: that of its most opaque pixel.
func opacity(m image.Image) (*plane, color.NRGBA) {
	b := m.Bounds()
	p := newPlane(b.Dx(), b.Dy())
	var ink color.NRGBA
	for y := range p.h {
		row := p.row(y)
		for x := range row {
			c := color.NRGBAModel.Convert(m.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			row[x] = float32(c.A) / 255
			if c.A > ink.A {
				ink = c
			}
		}
	}
	ink.A = 255
	return p, ink
}

// averaged shrinks a plane: each pixel is the mean of the area of the other that it covers.
func averaged(p *plane, w, h int) *plane {
	across := newPlane(w, p.h)
	for y := range p.h {
		shrink(across.row(y), p.row(y))
	}
	result := newPlane(w, h)
	column, shrunk := make([]float32, p.h), make([]float32, h)
	for x := range w {
		for y := range column {
			column[y] = across.v[y*w+x]
		}
		shrink(shrunk, column)
		for y, v := range shrunk {
			result.v[y*w+x] = v
		}
	}
	return result
}

// shrink is averaged in one dimension.
func shrink(to, from []float32) {
	ratio := float64(len(from)) / float64(len(to))
	for i := range to {
		begin, end := float64(i)*ratio, float64(i+1)*ratio
		total := 0.0
		for k := int(begin); k < len(from) && float64(k) < end; k++ {
			share := math.Min(end, float64(k+1)) - math.Max(begin, float64(k))
			total += share * float64(from[k])
		}
		to[i] = float32(total / ratio)
	}
}
