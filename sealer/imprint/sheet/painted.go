package sheet

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	ximage "golang.org/x/image/draw"

	"yinxin/internal/paper"
)

// paintedDPI is the resolution of the sheet as a picture: fine enough for its small print.
const paintedDPI = 200

// painted is a picture; pages stand below each other.
type painted struct {
	face   *paper.Face
	font   *sfnt.Font
	buffer sfnt.Buffer
	pages  []*image.RGBA
}

func newPainted(face *paper.Face, font []byte) (*painted, error) {
	parsed, err := sfnt.Parse(font)
	if err != nil {
		return nil, errFont.Because(err)
	}
	return &painted{face: face, font: parsed}, nil
}

func px(mm float64) float64 { return mm / 25.4 * paintedDPI }

func (p *painted) current() *image.RGBA { return p.pages[len(p.pages)-1] }

func (p *painted) page() {
	m := image.NewRGBA(image.Rect(0, 0, int(math.Round(px(pageWidth))), int(math.Round(px(pageHeight)))))
	draw.Draw(m, m.Rect, image.White, image.Point{}, draw.Src)
	p.pages = append(p.pages, m)
}

// text fills the outlines of the characters; what the font lacks is a question mark, as in the PDF.
func (p *painted) text(x, y, size float64, c color.RGBA, s string, heavy bool) {
	em := size / 72 * paintedDPI
	passes := []float64{0}
	if heavy {
		passes = []float64{0, em / 38} // thickened, as in the PDF: the font has one weight
	}
	m := p.current()
	line := image.Rect(int(px(x)-em/4), int(px(y)-1.2*em), int(px(x)+p.face.Width(s, size)/72*paintedDPI+em/2), int(px(y)+.5*em))
	z := vector.NewRasterizer(line.Dx(), line.Dy())
	for _, offset := range passes {
		at := px(x) + offset - float64(line.Min.X)
		for _, r := range s {
			index, err := p.font.GlyphIndex(&p.buffer, r)
			if err != nil || index == 0 {
				index, _ = p.font.GlyphIndex(&p.buffer, p.face.Shown(r))
			}
			if segments, err := p.font.LoadGlyph(&p.buffer, index, fixed.Int26_6(em*64), nil); err == nil {
				trace(z, segments, float32(at), float32(px(y)-float64(line.Min.Y)))
			}
			at += p.face.Width(string(r), size) / 72 * paintedDPI
		}
	}
	ink := image.NewAlpha(image.Rectangle{Max: line.Size()}) // a line may run off the page, which the rasteriser does not expect
	z.Draw(ink, ink.Rect, image.Opaque, image.Point{})
	draw.DrawMask(m, line, image.NewUniform(c), image.Point{}, ink, image.Point{}, draw.Over)
}

func trace(z *vector.Rasterizer, segments sfnt.Segments, x, y float32) {
	at := func(p fixed.Point26_6) (float32, float32) { return x + float32(p.X)/64, y + float32(p.Y)/64 }
	for _, s := range segments {
		ax, ay := at(s.Args[0])
		bx, by := at(s.Args[1])
		cx, cy := at(s.Args[2])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			z.ClosePath()
			z.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			z.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			z.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			z.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	z.ClosePath()
}

func rectangle(x, y, w, h float64) image.Rectangle {
	r := func(v float64) int { return int(math.Round(px(v))) }
	return image.Rect(r(x), r(y), max(r(x)+1, r(x+w)), max(r(y)+1, r(y+h)))
}

func (p *painted) fill(x, y, w, h float64, c color.RGBA) {
	draw.Draw(p.current(), rectangle(x, y, w, h), image.NewUniform(c), image.Point{}, draw.Over)
}

func (p *painted) frame(x, y, w, h, thickness float64, c color.RGBA) {
	p.fill(x, y, w, thickness, c)
	p.fill(x, y+h-thickness, w, thickness, c)
	p.fill(x, y, thickness, h, c)
	p.fill(x+w-thickness, y, thickness, h, c)
}

func (p *painted) picture(m image.Image, x, y, w, h float64) {
	ximage.CatmullRom.Scale(p.current(), rectangle(x, y, w, h), m, m.Bounds(), ximage.Over, nil)
}

func (p *painted) seal(s *seal, x, y, w, h float64) { p.picture(s.picture, x, y, w, h) }

func (p *painted) width(s string, size float64) float64 { return p.face.Width(s, size) / points }

func (p *painted) wrap(s string, size, most float64) []string {
	return p.face.Wrap(s, size, most*points)
}

// PNG writes the sheet as a picture of 200 dpi, its pages below each other. Errors: those of PDF.
func PNG(w io.Writer, d Data) error {
	face, l, err := d.prepare()
	if err != nil {
		return err
	}
	p, err := newPainted(face, d.Font)
	if err != nil {
		return err
	}
	l.draw(p)
	all := p.pages[0]
	if len(p.pages) > 1 {
		size := p.pages[0].Rect
		all = image.NewRGBA(image.Rect(0, 0, size.Dx(), size.Dy()*len(p.pages)))
		for i, page := range p.pages {
			draw.Draw(all, page.Rect.Add(image.Pt(0, i*size.Dy())), page, image.Point{}, draw.Src)
		}
	}
	return png.Encode(w, all)
}
