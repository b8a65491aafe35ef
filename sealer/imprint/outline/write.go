package outline

import (
	"math"
	"strconv"
)

// grid is how many steps a pixel is divided into where coordinates are written: a step at 600 dpi is 4 µm.
const grid = 10

// step is a coordinate on the grid.
type step struct{ x, y int64 }

func (p Point) step() step {
	return step{int64(math.Round(p.X * grid)), int64(math.Round(p.Y * grid))}
}

// PDF is a content stream that paints the picture into the unit square, without transparency (ISO 32000-1, 8.5). The
// caller sets the colour space: space is the operand of cs, "/DeviceRGB" or a name from the resources. The graphics
// state is left as it was.
func (o *Outline) PDF(space string) []byte {
	out := []byte("q ")
	out = appendReal(out, 1/float64(o.Width*grid))
	out = append(out, " 0 0 -"...)
	out = appendReal(out, 1/float64(o.Height*grid))
	out = append(out, " 0 1 cm "...)
	out = append(out, space...)
	out = append(out, " cs\n"...)
	for _, l := range o.Layers {
		for _, v := range [3]byte{l.Colour.R, l.Colour.G, l.Colour.B} {
			out = strconv.AppendFloat(out, math.Round(float64(v)/255*1e4)/1e4, 'f', -1, 64)
			out = append(out, ' ')
		}
		out = append(out, "sc\n"...)
		for _, p := range l.Paths {
			out = p.appendPDF(out)
		}
		out = append(out, "f\n"...)
	}
	return append(out, 'Q')
}

func (p Path) appendPDF(out []byte) []byte {
	point := func(s step) {
		out = strconv.AppendInt(out, s.x, 10)
		out = append(out, ' ')
		out = strconv.AppendInt(out, s.y, 10)
		out = append(out, ' ')
	}
	start := p.Start.step()
	point(start)
	out = append(out, "m\n"...)
	at := start
	for i, s := range p.Segments {
		c1, c2, end := s.C1.step(), s.C2.step(), s.End.step()
		switch {
		case s.Line && i == len(p.Segments)-1:
			// h closes with a line.
		case s.Line:
			if end != at {
				point(end)
				out = append(out, "l\n"...)
			}
		case c1 == at:
			point(c2)
			point(end)
			out = append(out, "v\n"...)
		case c2 == end:
			point(c1)
			point(end)
			out = append(out, "y\n"...)
		default:
			point(c1)
			point(c2)
			point(end)
			out = append(out, "c\n"...)
		}
		at = end
	}
	return append(out, "h\n"...)
}

// appendReal writes a small number with ten significant digits; PDF has no exponents.
func appendReal(dst []byte, v float64) []byte {
	return strconv.AppendFloat(dst, v, 'f', 10-int(math.Floor(math.Log10(v))), 64)
}

// SVG is a file that shows the picture with the given size in millimetres (SVG 1.1, 8.3).
func (o *Outline) SVG(widthMM, heightMM float64) []byte {
	out := []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="`)
	out = strconv.AppendFloat(out, widthMM, 'f', -1, 64)
	out = append(out, `mm" height="`...)
	out = strconv.AppendFloat(out, heightMM, 'f', -1, 64)
	out = append(out, `mm" viewBox="0 0 `...)
	out = strconv.AppendInt(out, int64(o.Width)*grid, 10)
	out = append(out, ' ')
	out = strconv.AppendInt(out, int64(o.Height)*grid, 10)
	out = append(out, "\" preserveAspectRatio=\"none\">\n"...)
	const digits = "0123456789abcdef"
	for _, l := range o.Layers {
		out = append(out, `<path fill="#`...)
		for _, v := range [3]byte{l.Colour.R, l.Colour.G, l.Colour.B} {
			out = append(out, digits[v>>4], digits[v&15])
		}
		out = append(out, `" d="`...)
		for _, p := range l.Paths {
			out = p.appendSVG(out)
		}
		out = append(out, "\"/>\n"...)
	}
	return append(out, "</svg>\n"...)
}

// appendSVG writes a path with coordinates relative to the last point, which are short.
func (p Path) appendSVG(out []byte) []byte {
	at := p.Start.step()
	out = append(out, 'M')
	out = strconv.AppendInt(out, at.x, 10)
	out = append(out, ' ')
	out = strconv.AppendInt(out, at.y, 10)
	relative := func(s step, first bool) {
		if !first {
			out = append(out, ' ')
		}
		out = strconv.AppendInt(out, s.x-at.x, 10)
		out = append(out, ' ')
		out = strconv.AppendInt(out, s.y-at.y, 10)
	}
	for i, s := range p.Segments {
		end := s.End.step()
		switch {
		case s.Line && i == len(p.Segments)-1:
		case s.Line:
			out = append(out, 'l')
			relative(end, true)
		default:
			out = append(out, 'c')
			relative(s.C1.step(), true)
			relative(s.C2.step(), false)
			relative(end, false)
		}
		at = end
	}
	return append(out, 'z')
}
