package imprint

import "math"

// describeEdge measures the rim along its normal at every ray: whether ink is there, how sharp its outer edge is, how
// wide the border is.
func (l *layer) describeEdge(r *rim) {
	step := .25 / math.Max(l.perMMX, l.perMMY)
	r.present = make([]bool, edgeRays)
	var edges, borders []float64
	sin, cos := math.Sincos(r.angle * degree)
	for ray := range r.present {
		u, v := r.foot(ray)
		nu, nv := r.normal(u, v)
		x, y := r.onPage(u, v)
		nx, ny := nu*cos-nv*sin, nu*sin+nv*cos
		outer10, outer90, inner := math.NaN(), math.NaN(), math.NaN()
		top := 0.0
		for d := rimCatch; d > -rimCatch; d -= step {
			top = math.Max(top, l.inkAt(x+d*nx, y+d*ny))
		}
		r.present[ray] = top >= .5
		if top < .7 {
			continue
		}
		for d := .6; d > -3; d -= step {
			v := l.inkAt(x+d*nx, y+d*ny)
			switch {
			case math.IsNaN(outer10) && v >= .1*top:
				outer10 = d
			case math.IsNaN(outer90) && v >= .9*top:
				outer90 = d
			case !math.IsNaN(outer90) && v < .5*top:
				inner = d
			}
			if !math.IsNaN(inner) {
				break
			}
		}
		if !math.IsNaN(outer90) {
			edges = append(edges, outer10-outer90)
		}
		if !math.IsNaN(inner) {
			borders = append(borders, -inner)
		}
	}
	r.edgeWidth, r.border = median(edges), median(borders)
	r.gap, r.missing = gaps(r.present)
}

// gaps is the longest run of rays without the rim, in degrees, and the share of all.
func gaps(present []bool) (longestDegrees, missing float64) {
	count, run, longest := 0, 0, 0
	for i := range 2 * len(present) { // twice round, for a gap across the start
		if present[i%len(present)] {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
		if i < len(present) {
			count++
		}
	}
	n := float64(len(present))
	return 360 * float64(min(longest, len(present))) / n, float64(count) / n
}

// negativeShare is the share of ink inside the rim above which the ground is what prints. Characters and a ring cover
// a quarter to a third, a ground with its characters cut out one half and more.
const negativeShare = .48

// settlePolarity tells a seal whose ground prints by how much of its inside is ink.
func (l *layer) settlePolarity(r *rim, wanted Polarity) {
	ink, all := 0, 0
	step := max(1, int(math.Min(l.perMMX, l.perMMY)/4)) // a quarter of a millimetre
	for y := 0; y < l.alpha.h; y += step {
		row, trust := l.alpha.row(y), l.trust.row(y)
		for x := 0; x < l.alpha.w; x += step {
			if trust[x] < .5 {
				continue
			}
			if u, v := r.own((float64(x)+.5)/l.perMMX, (float64(y)+.5)/l.perMMY); r.outside(u, v) < -.3 {
				all++
				if row[x] >= .5 {
					ink++
				}
			}
		}
	}
	l.negative = float64(ink) > negativeShare*float64(all)
	if wanted != AnyPolarity {
		l.negative = wanted == Negative
	}
	if l.negative {
		r.border = 0
	}
}
