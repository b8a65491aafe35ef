package imprint

import "math"

// How the fused ink is smoothed along the edges of its strokes, in pixels of the template.
const (
	alongScale = 4.0 // deviation at which the direction of an edge is seen
	alongReach = 12  // half of the way along the edge
	alike      = .7  // least coherence of directions, 0 to 1: below, curves and corners would be rounded off
)

// Where the ink around, blurred coarsely, is far enough from one half there is no edge. Distances from one half; deviations in
// pixels of the template.
const (
	coarse     = 3.0
	edgeWithin = .28 // up to here there may be one
	noEdge     = .38 // from here on there is none
	wideGrain  = 1.2
)

// softened takes the grain of single pixels out: at edges with a kernel of 1-6-1 eighths both ways, half a pixel wide, since a
// wider one rounds off more than it takes out now that edges are smoothed along themselves; away from them, where there is
// nothing to round off, with a wider one, so that neither pinholes of large areas nor specks of paper get an edge of their own.
func (p *plane) softened() *plane {
	around, wide := p.blurred(coarse, coarse), p.blurred(wideGrain, wideGrain)
	p.soften()
	for i, v := range p.v {
		from := float32(math.Abs(float64(around.v[i]) - .5))
		t := min(max((from-edgeWithin)/(noEdge-edgeWithin), 0), 1)
		p.v[i] = v + t*(wide.v[i]-v)
	}
	spare(around)
	spare(wide)
	return p
}

// soften is the narrow kernel.
func (p *plane) soften() {
	above, own := make([]float32, p.w), make([]float32, p.w)
	for y := range p.h {
		row := p.row(y)
		left := row[0]
		for x := 1; x+1 < p.w; x++ {
			v := row[x]
			row[x] = (left + 6*v + row[x+1]) / 8
			left = v
		}
	}
	copy(above, p.row(0))
	for y := 1; y+1 < p.h; y++ {
		row, below := p.row(y), p.row(y+1)
		copy(own, row)
		for x, v := range own {
			row[x] = (above[x] + 6*v + below[x]) / 8
		}
		above, own = own, above
	}
}

// smoothedAlong takes the frays of the ink off the edges of strokes: every place at an edge becomes the mean along the
// edge. Fibres of paper draw ink to either side by some hundredths of a millimetre within a tenth; strokes are straight
// or bend slowly. Where directions meet, at corners and crossings, nothing is smoothed.
func (p *plane) smoothedAlong() *plane {
	const cell = 2 // pixels that have one direction
	halfW := (p.w + cell - 1) / cell
	xx, xy, yy := newPlane(halfW, (p.h+cell-1)/cell), newPlane(halfW, (p.h+cell-1)/cell), newPlane(halfW, (p.h+cell-1)/cell)
	soft := p.blurred(1, 1)
	for y := 1; y+1 < p.h; y++ {
		row, above, below := soft.row(y), soft.row(y-1), soft.row(y+1)
		a, b, c := xx.row(y/cell), xy.row(y/cell), yy.row(y/cell)
		for x := 1; x+1 < p.w; x++ {
			gx, gy := row[x+1]-row[x-1], below[x]-above[x]
			if gx == 0 && gy == 0 {
				continue
			}
			i := x / cell
			a[i] += gx * gx
			b[i] += gx * gy
			c[i] += gy * gy
		}
	}
	spare(soft)
	const sigma = alongScale / float64(cell)
	xx, xy, yy = xx.blurred(sigma, sigma), xy.blurred(sigma, sigma), yy.blurred(sigma, sigma)
	result := newPlane(p.w, p.h)
	copy(result.v, p.v)
	var weights [alongReach + 1]float32
	for i := range weights {
		weights[i] = float32(math.Exp(-square(float64(i)/alongReach) * 2))
	}
	for y := alongReach + 1; y < p.h-alongReach-2; y++ {
		for x := alongReach + 1; x < p.w-alongReach-2; x++ {
			i, k := y*p.w+x, y/cell*halfW+x/cell
			a, b, c := xx.v[k], xy.v[k], yy.v[k]
			if a+c < .01*cell*cell {
				continue // no edge near
			}
			d, e := a-c, 2*b
			difference := float32(math.Sqrt(float64(d*d + e*e)))
			coherence := difference / (a + c)
			if coherence < alike {
				continue
			}
			// The edge runs across the gradient: half of the angle of (d, e), turned by a quarter.
			ty := float32(math.Sqrt(float64(max(0, (1+d/difference)/2))))
			tx := float32(math.Sqrt(float64(max(0, (1-d/difference)/2))))
			if e > 0 {
				tx = -tx
			}
			sum, total := p.v[i], float32(1)
			for k := 1; k <= alongReach; k++ {
				w := weights[k]
				sum += w * (p.between(float32(x)+float32(k)*tx, float32(y)+float32(k)*ty) + p.between(float32(x)-float32(k)*tx, float32(y)-float32(k)*ty))
				total += 2 * w
			}
			share := step32(alike, .9, coherence)
			result.v[i] += share * (sum/total - p.v[i])
		}
	}
	return result
}

// sample is the bilinear value at a position that may lie outside. Whether it lies inside is asked after rounding, which
// may have put it on the edge.
func (p *plane) sample(px, py float64) float32 {
	if x, y := float32(px), float32(py); x >= 0 && y >= 0 && x < float32(p.w-1) && y < float32(p.h-1) {
		return p.between(x, y)
	}
	return float32(p.at(px, py))
}

// between is the bilinear value at a position that is known to lie inside.
func (p *plane) between(x, y float32) float32 {
	x0, y0 := int(x), int(y)
	tx, ty := x-float32(x0), y-float32(y0)
	i := y0*p.w + x0
	upper := p.v[i] + (p.v[i+1]-p.v[i])*tx
	lower := p.v[i+p.w] + (p.v[i+p.w+1]-p.v[i+p.w])*tx
	return upper + (lower-upper)*ty
}
