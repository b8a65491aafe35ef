package imprint

import (
	"image"
	"math"
)

// glanceDPI is the resolution at which the sheet is looked at: a module of a printed QR code has four cells.
const glanceDPI = 150.0

// glance is the page as displayed, in small: in the channel that the ink absorbs least, so that seals vanish and print stays.
type glance struct {
	w, h           int
	v              []uint8
	perMMX, perMMY float64 // cells per millimetre
	white          float64 // of the paper
	dark           uint8   // print is darker
	coarse         bool    // the scan is below 190 dpi
}

// glanceAt averages the scan down to about 150 dpi. Every second row of fine scans is enough.
func glanceAt(img image.Image, shown Scale, orientation int, h hue) *glance {
	b := img.Bounds()
	stored := shown.oriented(orientation) // turning a side twice is none
	cell := max(1, int(math.Round(math.Min(stored.X, stored.Y)/glanceDPI)))
	w, ht := b.Dx()/cell, b.Dy()/cell
	if w == 0 || ht == 0 {
		return &glance{v: nil, perMMX: 1, perMMY: 1}
	}
	g := &glance{w: w, h: ht, v: make([]uint8, w*ht)}
	if source, ok := img.(*image.YCbCr); ok {
		g.fromYCbCr(source, cell, h)
	} else {
		g.fromRows(img, cell, h)
	}
	g.orient(orientation)
	g.perMMX, g.perMMY = shown.X/float64(cell)/millimetresPerInch, shown.Y/float64(cell)/millimetresPerInch
	g.coarse = math.Min(shown.X, shown.Y) < 190
	g.levels()
	return g
}

func (g *glance) fromYCbCr(img *image.YCbCr, cell int, h hue) {
	averageCells(g.v, g.w, g.h, img.Y, img.YStride, g.w*cell, g.h*cell, cell, cell)
	hs, vs := subsampling(img.SubsampleRatio)
	factors := fromYCbCr[h.clear]
	for y := range g.h {
		cy := (y*cell + cell/2) / vs * img.CStride
		row := g.v[y*g.w : (y+1)*g.w]
		for x := range row {
			// One sample of colour is enough: it only has to lift the ink out of the print.
			c := cy + (x*cell+cell/2)/hs
			light := float32(row[x]) + factors[0]*(float32(img.Cb[c])-128) + factors[1]*(float32(img.Cr[c])-128)
			row[x] = uint8(min(max(light, 0), 255))
		}
	}
}

func (g *glance) fromRows(img image.Image, cell int, h hue) {
	line := make([]uint8, 3*g.w*cell)
	sums := make([]uint32, g.w)
	step := 1
	if cell >= 4 {
		step = 2
	}
	for y := range g.h {
		clear(sums)
		rows := uint32(0)
		for dy := 0; dy < cell; dy += step {
			readRow(img, y*cell+dy, 0, g.w*cell, line)
			for x := range sums {
				for i := 3*x*cell + h.clear; i < 3*(x+1)*cell; i += 3 {
					sums[x] += uint32(line[i])
				}
			}
			rows++
		}
		for x, sum := range sums {
			g.v[y*g.w+x] = uint8(sum / (rows * uint32(cell)))
		}
	}
}

// orient turns the cells as the picture is displayed.
func (g *glance) orient(orientation int) {
	if orientation <= 1 {
		return
	}
	w, h := g.w, g.h
	if orientation >= 5 {
		w, h = h, w
	}
	v := make([]uint8, len(g.v))
	for y := range g.h {
		for x, light := range g.v[y*g.w : (y+1)*g.w] {
			tx, ty := orientPoint(x, y, g.w, g.h, orientation)
			v[ty*w+tx] = light
		}
	}
	g.v, g.w, g.h = v, w, h
}

// levels finds how bright paper is, and below what light is print.
func (g *glance) levels() {
	g.white = float64(percentile(g.v, .8))
	g.dark = uint8(.62 * g.white)
}

// at is the light at a place in millimetres from the upper left corner of the scan, interpolated; paper outside of it.
func (g *glance) at(x, y float64) float64 {
	px, py := x*g.perMMX-.5, y*g.perMMY-.5
	ix, iy := int(math.Floor(px)), int(math.Floor(py))
	if ix < 0 || iy < 0 || ix+1 >= g.w || iy+1 >= g.h {
		return g.white
	}
	fx, fy := px-float64(ix), py-float64(iy)
	row := g.v[iy*g.w+ix:]
	upper := float64(row[0])*(1-fx) + float64(row[1])*fx
	lower := float64(row[g.w])*(1-fx) + float64(row[g.w+1])*fx
	return upper*(1-fy) + lower*fy
}
