package sheet

import (
	"image"
	"image/color"
	"io"

	"yinxin/internal/paper"
)

const (
	pageWidth, pageHeight = 210.0, 297.0 // mm, A4
	points                = 72 / 25.4    // per mm
)

// surface is what the page is drawn on. Each call of page begins the next one.
type surface interface {
	page()
	text(x, y, size float64, c color.RGBA, s string, heavy bool) // y is the baseline
	fill(x, y, w, h float64, c color.RGBA)
	frame(x, y, w, h, thickness float64, c color.RGBA)
	picture(m image.Image, x, y, w, h float64)
	seal(s *seal, x, y, w, h float64)
	width(s string, size float64) float64
	wrap(s string, size, most float64) []string
}

var (
	_ surface = (*reader)(nil)
	_ surface = (*printed)(nil)
	_ surface = (*painted)(nil)
)

// reader only collects what is written: a face is cut to its characters before anything can be measured with it.
type reader struct{ texts []string }

func (r *reader) page()                                                {}
func (r *reader) text(_, _, _ float64, _ color.RGBA, s string, _ bool) { r.texts = append(r.texts, s) }
func (r *reader) fill(_, _, _, _ float64, _ color.RGBA)                {}
func (r *reader) frame(_, _, _, _, _ float64, _ color.RGBA)            {}
func (r *reader) picture(_ image.Image, _, _, _, _ float64)            {}
func (r *reader) seal(_ *seal, _, _, _, _ float64)                     {}
func (r *reader) width(s string, size float64) float64                 { return float64(len(s)) / 3 * size / points }
func (r *reader) wrap(s string, size, most float64) []string           { return []string{s} }

// printed is a PDF.
type printed struct {
	document *paper.Document
	face     *paper.Face
	current  *paper.Page
}

func newPrinted(face *paper.Face) *printed {
	return &printed{document: paper.NewDocument(face), face: face}
}

func (p *printed) page() { p.current = p.document.Add(pageWidth*points, pageHeight*points) }

func (p *printed) text(x, y, size float64, c color.RGBA, s string, heavy bool) {
	p.current.Text(x*points, (pageHeight-y)*points, size, c, s, heavy)
}

func (p *printed) fill(x, y, w, h float64, c color.RGBA) {
	p.current.Fill(x*points, (pageHeight-y-h)*points, w*points, h*points, c)
}

func (p *printed) frame(x, y, w, h, thickness float64, c color.RGBA) {
	p.current.Frame(x*points, (pageHeight-y-h)*points, w*points, h*points, thickness*points, c)
}

func (p *printed) picture(m image.Image, x, y, w, h float64) {
	p.current.Show(p.document.Picture(m), x*points, (pageHeight-y-h)*points, w*points, h*points)
}

// seal is drawn as paths, sharp at any zoom, where the seal has an outline.
func (p *printed) seal(s *seal, x, y, w, h float64) {
	if s.vector == nil {
		p.picture(s.picture, x, y, w, h)
		return
	}
	p.current.Draw("q %.4f 0 0 %.4f %.4f %.4f cm\n%s\nQ\n", w*points, h*points, x*points, (pageHeight-y-h)*points, s.vector.Path())
}

func (p *printed) width(s string, size float64) float64 { return p.face.Width(s, size) / points }

func (p *printed) wrap(s string, size, most float64) []string {
	return p.face.Wrap(s, size, most*points)
}

// PDF writes the sheet as a PDF that is printed in its true size. Errors: those of package truetype for a font that cannot
// be used, imprint.bad-template for a Result without pictures, and those of w.
func PDF(w io.Writer, d Data) error {
	face, l, err := d.prepare()
	if err != nil {
		return err
	}
	p := newPrinted(face)
	l.draw(p)
	return p.document.Write(w, paper.Meta{Title: d.Title, Language: "zh-CN", TrueSize: true})
}
