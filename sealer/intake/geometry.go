package intake

import (
	"math"
	"strings"

	"yinxin/sealer/pdf"
)

// matrix maps (x, y) to (a·x + c·y + e, b·x + d·y + f), as ISO 32000-1, 8.3.3 writes it.
type matrix struct{ a, b, c, d, e, f float64 }

var identity = matrix{a: 1, d: 1}

// then is m followed by n.
func (m matrix) then(n matrix) matrix {
	return matrix{
		m.a*n.a + m.b*n.c, m.a*n.b + m.b*n.d,
		m.c*n.a + m.d*n.c, m.c*n.b + m.d*n.d,
		m.e*n.a + m.f*n.c + n.e, m.e*n.b + m.f*n.d + n.f,
	}
}

func (m matrix) apply(x, y float64) (float64, float64) {
	return m.a*x + m.c*y + m.e, m.b*x + m.d*y + m.f
}

// box is the bounding box of a rectangle after m.
func (m matrix) box(r pdf.Rect) pdf.Rect {
	x, y := m.apply(r.X1, r.Y1)
	out := pdf.Rect{X1: x, Y1: y, X2: x, Y2: y}
	for _, corner := range [3][2]float64{{r.X2, r.Y1}, {r.X1, r.Y2}, {r.X2, r.Y2}} {
		x, y := m.apply(corner[0], corner[1])
		out = extend(out, x, y)
	}
	return out
}

// upright says that m keeps rectangles upright: no slant, and turned by quarters at most.
func (m matrix) upright() bool {
	const slack = 1e-3
	size := math.Abs(m.a) + math.Abs(m.b) + math.Abs(m.c) + math.Abs(m.d)
	return math.Abs(m.b)+math.Abs(m.c) <= slack*size || math.Abs(m.a)+math.Abs(m.d) <= slack*size
}

func extend(r pdf.Rect, x, y float64) pdf.Rect {
	return pdf.Rect{X1: min(r.X1, x), Y1: min(r.Y1, y), X2: max(r.X2, x), Y2: max(r.Y2, y)}
}

func union(a, b pdf.Rect) pdf.Rect {
	return pdf.Rect{X1: min(a.X1, b.X1), Y1: min(a.Y1, b.Y1), X2: max(a.X2, b.X2), Y2: max(a.Y2, b.Y2)}
}

// common is what two rectangles have in common; without an area when they are apart.
func common(a, b pdf.Rect) pdf.Rect {
	r := pdf.Rect{X1: max(a.X1, b.X1), Y1: max(a.Y1, b.Y1), X2: min(a.X2, b.X2), Y2: min(a.Y2, b.Y2)}
	r.X2, r.Y2 = max(r.X1, r.X2), max(r.Y1, r.Y2)
	return r
}

func area(r pdf.Rect) float64 { return r.Width() * r.Height() }

// holds says that a point lies in a rectangle.
func holds(r pdf.Rect, x, y float64) bool { return x >= r.X1 && x <= r.X2 && y >= r.Y1 && y <= r.Y2 }

func centre(r pdf.Rect) (x, y float64) { return (r.X1 + r.X2) / 2, (r.Y1 + r.Y2) / 2 }

// finite says that a box can be reckoned with.
func finite(r pdf.Rect) bool {
	const most = 1e9
	return r.X1 > -most && r.Y1 > -most && r.X2 < most && r.Y2 < most
}

// group is several places that make one finding.
type group struct {
	count  int
	length int // bytes of text
	box    pdf.Rect
	sample strings.Builder
}

// take adds a place.
func (g *group) take(r pdf.Rect) {
	if g.count == 0 {
		g.box = r
	} else {
		g.box = union(g.box, r)
	}
	g.count++
}

func (g *group) detail() string { return g.sample.String() }

// note adds text as an example, where it can be read without knowing the font.
func (g *group) note(text string) {
	if g.sample.Len() < 40 {
		g.sample.WriteString(text)
	}
}
