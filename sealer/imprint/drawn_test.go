package imprint

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"
)

// drawn is a seal drawn from bars, without any font. Its characters are random strokes.
type drawn struct {
	size
	shape    Shape
	border   float64 // mm
	corner   float64
	negative bool
	glyphs   []drawnGlyph
	figures  []func(x, y float64) bool // star, emblem, inner ring
	colour   Colour
}

// drawnGlyph is a character: strokes in an em square that is scaled, turned and put somewhere.
type drawnGlyph struct {
	x, y, w, h, turn float64
	strokes          [][5]float64 // x1, y1, x2, y2, half width; ems
}

func strokesOf(lot *rand.Rand) [][5]float64 {
	var all [][5]float64
	for _, y := range []float64{-.43, -.05, .4} {
		all = append(all, [5]float64{-.44 + .2*lot.Float64(), y, .44 - .2*lot.Float64(), y + .04*(lot.Float64()-.5), .05})
	}
	x := -.3 + .2*lot.Float64()
	all = append(all, [5]float64{x, -.4, x, .42, .05}, [5]float64{.3, -.43, .3 * lot.Float64(), .42, .05},
		[5]float64{-.2 * lot.Float64(), -.05, .42, .38, .045})
	return all
}

func (g drawnGlyph) holds(x, y float64) bool {
	dx, dy := x-g.x, y-g.y
	reach := .75 * math.Max(g.w, g.h)
	if dx*dx+dy*dy > reach*reach {
		return false
	}
	sin, cos := math.Sincos(-g.turn * degree)
	u, v := (dx*cos-dy*sin)/g.w, (dx*sin+dy*cos)/g.h
	for _, s := range g.strokes {
		ax, ay := s[2]-s[0], s[3]-s[1]
		t := clamp(((u-s[0])*ax+(v-s[1])*ay)/(ax*ax+ay*ay), 0, 1)
		if math.Hypot(u-s[0]-t*ax, v-s[1]-t*ay) < s[4] {
			return true
		}
	}
	return false
}

// grid writes characters in columns and rows from a left upper corner, each in a field of w × h mm.
func (d *drawn) grid(lot *rand.Rand, columns, rows int, left, top, w, h, fill float64) {
	for i := range columns {
		for j := range rows {
			d.glyphs = append(d.glyphs, drawnGlyph{left + (float64(i)+.5)*w, top + (float64(j)+.5)*h, fill * w, fill * h, 0, strokesOf(lot)})
		}
	}
}

// arc writes characters along the upper part of the rim, spread over so many degrees.
func (d *drawn) arc(lot *rand.Rand, n int, span, em, in float64) {
	for i := range n {
		a := (float64(i)/float64(n-1) - .5) * span
		sin, cos := math.Sincos(a * degree)
		// The foot stands on an ellipse inside the rim; the character leans with its normal.
		hw, hh := d.w/2-in, d.h/2-in
		nx, ny := sin/hw, -cos/hh
		d.glyphs = append(d.glyphs, drawnGlyph{hw * sin, -hh * cos, .8 * em, em, math.Atan2(nx, -ny) / degree, strokesOf(lot)})
	}
}

func (d *drawn) star(outer float64) {
	s := star{outer: outer, inner: outer * math.Sin(18*degree) / math.Sin(54*degree)}
	d.figures = append(d.figures, func(x, y float64) bool { return s.holds(x, y, 0) })
}

// emblem is symmetric about its upright axis only: a gate, a wheel below it and ears on both sides.
func (d *drawn) emblem(r float64) {
	d.figures = append(d.figures, func(x, y float64) bool {
		x, y = math.Abs(x)/r, y/r
		ring := math.Hypot(x, y-.1)
		return ring > .82 && ring < .95 && y < .75 || math.Hypot(x, y-.62) < .2 || y > -.1 && y < .02 && x < .55 ||
			y > .02 && y < .3 && math.Mod(x+.05, .2) < .1 && x < .5 || y > -.35 && y < -.28 && x < .4 || math.Hypot(x, y+.6) < .16
	})
}

func (d *drawn) inked(x, y float64) bool {
	r := rim{shape: d.shape, halfW: d.w / 2, halfH: d.h / 2, corner: d.corner}
	depth := -r.outside(x, y)
	if depth < 0 {
		return false
	}
	inside := depth < d.border
	for _, g := range d.glyphs {
		inside = inside || g.holds(x, y)
	}
	for _, f := range d.figures {
		inside = inside || f(x, y)
	}
	return inside != (d.negative && depth >= d.border) || d.negative && depth < d.border
}

// mask is the truth: coverage at 600 dpi on the canvas of the seal.
func (d *drawn) mask() *image.Alpha {
	w, h := d.pixels(templateDPI / millimetresPerInch)
	m := image.NewAlpha(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			hits := 0
			for i := range 4 {
				if d.inked((float64(x)+.25+.5*float64(i%2)-float64(w)/2)*25.4/600, (float64(y)+.25+.5*float64(i/2)-float64(h)/2)*25.4/600) {
					hits++
				}
			}
			m.Pix[y*m.Stride+x] = uint8(255 * hits / 4)
		}
	}
	return m
}

// stamping is how a drawn seal comes to a sheet: its middle in mm, its turn in degrees clockwise.
type stamping struct{ x, y, turn float64 }

// solidInks are absorbances of red, green and blue light.
var solidInks = map[Colour][3]float64{Red: {.25, .92, .9}, Blue: {.9, .72, .22}, Purple: {.55, .9, .25}, Green: {.88, .3, .72}}

// sheetOf stamps the seal on paper of a size in mm. The ink is mottled and has pinholes, the paper has grain; extra
// may add black (coverage 0 to 1) and other ink.
func sheetOf(d *drawn, dpi float64, paper size, stamps []stamping, extra func(x, y float64) (black, ink float64)) *image.RGBA {
	perMM := dpi / millimetresPerInch
	w, h := paper.pixels(perMM)
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	lot := rand.New(rand.NewPCG(42, 7))
	const grains = 256
	noise := make([]float64, grains*grains)
	for i := range noise {
		noise[i] = lot.Float64()
	}
	grain := func(x, y, perMM float64) float64 {
		return noise[(int(x*perMM)&(grains-1))*grains+int(y*perMM)&(grains-1)]
	}
	u := solidInks[d.colour]
	if d.colour == "" {
		u = solidInks[Red]
	}
	const fine = 2
	for py := range h {
		for px := range w {
			x0, y0 := (float64(px)+.5)/perMM, (float64(py)+.5)/perMM
			var ink, black float64
			for _, s := range stamps {
				if math.Hypot(x0-s.x, y0-s.y) > .75*math.Hypot(d.w, d.h) {
					continue
				}
				sin, cos := math.Sincos(-s.turn * degree)
				hits := 0
				for i := range fine * fine {
					x := (float64(px)+(float64(i%fine)+.5)/float64(fine))/perMM - s.x
					y := (float64(py)+(float64(i/fine)+.5)/float64(fine))/perMM - s.y
					if d.inked(x*cos-y*sin, x*sin+y*cos) {
						hits++
					}
				}
				if hits > 0 {
					a := float64(hits) / float64(fine*fine)
					a *= 1 - .12*grain(x0+s.x, y0, 3) - .06*grain(x0, y0+s.y, 7)
					if grain(x0+3*s.x, y0+s.y, 5) > .99 {
						a *= .3
					}
					ink = math.Max(ink, a)
				}
			}
			if extra != nil {
				b, i := extra(x0, y0)
				black, ink = b, math.Max(ink, i)
			}
			level := func(k int) uint8 {
				v := .88 * (1 - ink*u[k]) * (1 - .96*black)
				return uint8(clamp(255*encodedSRGB(v)+3*(grain(x0*91, y0*77, 13)-.5)+.5, 0, 255))
			}
			img.SetRGBA(px, py, color.RGBA{level(0), level(1), level(2), 255})
		}
	}
	return img
}

func asJPEG(t testing.TB, img image.Image, dpi float64, quality int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return withEXIF(out.Bytes(), 1, uint32(dpi))
}
