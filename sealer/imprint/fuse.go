package imprint

import (
	"cmp"
	"math"
	"slices"
)

// templateDPI and pictureDPI are the resolutions of the two results.
const (
	templateDPI = 600
	pictureDPI  = 300
)

// fused is the template before it is made into pictures: coverage by ink on a canvas of exactly the declared size.
type fused struct {
	coverage  *plane
	bridged   float64 // mm²
	completed float64 // mm²
	filled    []Filled
}

// How a pixel of the canvas came to be ink, where not seen in the best imprint itself.
const (
	howBridged   = "bridged"
	howCompleted = "completed"
)

const mostFilled = 64

// fuse resamples every view once, straight from the pixels of the scan to the canvas, and mixes them: weight is how
// well the place was seen (no print over it), how complete the strokes around are, and ink. views[0] is the best one.
func fuse(views []*view, c comparison, declared, gain, smooth float64) fused {
	perMM := templateDPI / millimetresPerInch
	size := int(math.Round(declared * perMM))
	half := float64(size) / 2
	reach := square(half + .1*perMM)
	result := fused{coverage: newPlane(size, size)}
	bridged, completed := newPlane(size, size), newPlane(size, size)
	maps := make([]affine, len(views))
	for i, v := range views {
		maps[i] = v.affine()
	}
	complete := []*plane{c.completeA, c.completeB}
	workScale := workDPI / float64(templateDPI)
	for y := range size {
		cv := (float64(y) + .5 - half)
		row := result.coverage.row(y)
		for x := range row {
			cu := (float64(x) + .5 - half)
			if cu*cu+cv*cv > reach {
				continue // outside the seal: whatever is there is not the seal's
			}
			u, v := cu/perMM, cv/perMM
			ink, weights := 0.0, 0.0
			var best, bestTrust, trust float64
			for i, view := range views {
				m := maps[i]
				px, py := m.a*u+m.b*v+m.c, m.d*u+m.e*v+m.f
				a := view.alpha.cubic(px, py)
				t := view.trust.at(px, py)
				weight := 1.0
				if len(views) > 1 {
					k := complete[i].at((cu*workScale)+float64(complete[i].w)/2-.5, (cv*workScale)+float64(complete[i].h)/2-.5)
					weight = (.02 + t) * square(square(k)) * (.6 + clamp(a, 0, 1))
				}
				ink += weight * a
				weights += weight
				trust = math.Max(trust, t)
				if i == 0 {
					best, bestTrust = a, t
				}
			}
			if weights == 0 {
				continue
			}
			value := ink / weights
			row[x] = float32(value)
			if value < .5 {
				continue
			}
			if trust < .5 {
				bridged.row(y)[x] = 1
			} else if best < .3 || bestTrust < .5 {
				completed.row(y)[x] = 1
			}
		}
	}
	if smooth > 0 {
		result.coverage = result.coverage.blurred(smooth, smooth)
	}
	for i, v := range result.coverage.v {
		result.coverage.v[i] = min(max(.5+(v-.5)*float32(gain), 0), 1)
	}
	result.bridged = result.note(bridged, howBridged, perMM)
	result.completed = result.note(completed, howCompleted, perMM)
	slices.SortStableFunc(result.filled, func(a, b Filled) int { return cmp.Compare(b.Area, a.Area) })
	result.filled = result.filled[:min(len(result.filled), mostFilled)]
	return result
}

// note lists the spots of a mask that are large enough to see, and returns the area of all of it.
func (f *fused) note(mask *plane, how string, perMM float64) float64 {
	perMM2 := perMM * perMM
	total := 0.0
	eachSpot(mask, .5, func(pixels []int) {
		area := float64(len(pixels)) / perMM2
		total += area
		if area < speckArea {
			return
		}
		x, y := 0, 0
		for _, i := range pixels {
			x, y = x+i%mask.w, y+i/mask.w
		}
		n := float64(len(pixels))
		f.filled = append(f.filled, Filled{How: how, Area: rounded(area, 3),
			X: rounded((float64(x)/n+.5)/perMM, 2), Y: rounded((float64(y)/n+.5)/perMM, 2)})
	})
	return total
}

func rounded(v float64, digits int) float64 {
	scale := math.Pow(10, float64(digits))
	return math.Round(v*scale) / scale
}

// cubic is the value between pixels by Catmull-Rom's cubic, which keeps edges as sharp as the scan has them.
func (p *plane) cubic(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	x0, y0 := int(fx), int(fy)
	if x0 < 1 || y0 < 1 || x0+2 >= p.w || y0+2 >= p.h {
		return p.at(x, y)
	}
	first := (y0-1)*p.w + x0 - 1
	a, b, c, d := p.v[first:first+4], p.v[first+p.w:first+p.w+4], p.v[first+2*p.w:first+2*p.w+4], p.v[first+3*p.w:first+3*p.w+4]
	if flat := b[1]; flat == b[2] && flat == c[1] && flat == c[2] && flat == a[0] && flat == d[3] {
		return float64(flat) // bare paper
	}
	wx, wy := cubicWeights(float32(x-fx)), cubicWeights(float32(y-fy))
	sum := wy[0] * (wx[0]*a[0] + wx[1]*a[1] + wx[2]*a[2] + wx[3]*a[3])
	sum += wy[1] * (wx[0]*b[0] + wx[1]*b[1] + wx[2]*b[2] + wx[3]*b[3])
	sum += wy[2] * (wx[0]*c[0] + wx[1]*c[1] + wx[2]*c[2] + wx[3]*c[3])
	sum += wy[3] * (wx[0]*d[0] + wx[1]*d[1] + wx[2]*d[2] + wx[3]*d[3])
	return float64(sum)
}

func cubicWeights(t float32) [4]float32 {
	return [4]float32{
		t * (-.5 + t*(1-.5*t)),
		1 + t*t*(-2.5+1.5*t),
		t * (.5 + t*(2-1.5*t)),
		t * t * (-.5 + .5*t),
	}
}
