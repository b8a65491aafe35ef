package paper

import (
	"bytes"
	"fmt"
	"image/color"
)

// A4 in points.
const A4Width, A4Height = 595.28, 841.89

// Colours that every document needs.
var (
	Black = color.RGBA{A: 255}
	White = color.RGBA{255, 255, 255, 255}
)

// Page is one page of a Document.
type Page struct {
	width, height float64
	face          *Face
	content       bytes.Buffer
}

// Colour is the operands of a colour operator.
func Colour(c color.RGBA) string {
	return fmt.Sprintf("%.3f %.3f %.3f", float64(c.R)/255, float64(c.G)/255, float64(c.B)/255)
}

// Text writes one line with its baseline at y. Heavy text is thickened: the font has one weight.
func (p *Page) Text(x, y, size float64, c color.RGBA, s string, heavy bool) {
	mode := "0 Tr"
	if heavy {
		mode = fmt.Sprintf("2 Tr %.2f w %s RG", size/38, Colour(c))
	}
	p.Draw("BT /F %.2f Tf %s %s rg %.2f %.2f Td <", size, mode, Colour(c), x, y)
	for _, r := range s {
		p.Draw("%04X", p.face.glyph(r))
	}
	p.Draw("> Tj ET\n")
}

// Fill fills a rectangle with its lower left corner at x, y.
func (p *Page) Fill(x, y, w, h float64, c color.RGBA) {
	p.Draw("%s rg %.2f %.2f %.2f %.2f re f\n", Colour(c), x, y, w, h)
}

// Frame strokes a rectangle; the stroke lies half inside, half outside of it.
func (p *Page) Frame(x, y, w, h, thickness float64, c color.RGBA) {
	p.Draw("%s RG %.2f w %.2f %.2f %.2f %.2f re S\n", Colour(c), thickness, x, y, w, h)
}

// Show shows a picture of the document in a rectangle.
func (p *Page) Show(picture int, x, y, w, h float64) {
	p.Draw("q %.2f 0 0 %.2f %.2f %.2f cm /I%d Do Q\n", w, h, x, y, picture)
}

// Draw writes operators of a content stream (ISO 32000-1, 8.2). They must leave the state as it was, colours and width of
// lines excepted.
func (p *Page) Draw(format string, args ...any) { fmt.Fprintf(&p.content, format, args...) }

// Content is what was drawn, as a content stream.
func (p *Page) Content() string { return p.content.String() }

// Squares fills those squares of a grid of size × size that are black, with the grid's lower left corner at x, y; column and
// row count from its upper left corner. It is how a QR code is drawn.
func (p *Page) Squares(x, y, side float64, size int, black func(column, row int) bool, c color.RGBA) {
	unit := side / float64(size)
	p.Draw("%s rg\n", Colour(c))
	for row := range size {
		for from := 0; from < size; from++ {
			to := from
			for to < size && black(to, row) {
				to++
			}
			if to > from {
				// One path for all: neighbours that are filled one by one show hairlines.
				p.Draw("%.3f %.3f %.3f %.3f re\n", x+float64(from)*unit, y+float64(size-1-row)*unit, float64(to-from)*unit, unit)
				from = to
			}
		}
	}
	p.Draw("f\n")
}
