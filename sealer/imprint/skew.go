package imprint

import "math"

// greatestSkew is how far a sheet may lie askew, in degrees. Feeders stay below two, a hand on the glass below five.
const greatestSkew = 6.0

// edge is a place where print begins, in millimetres.
type edge struct{ along, across float64 }

// edges are where print begins below paper (rules and rows of text) or, for columns, right of it.
func (g *glance) edges(columns bool) []edge {
	step, stepX, stepY := g.w, 0, 1
	if columns {
		step, stepX, stepY = 1, 1, 0
	}
	var all []edge
	for y := stepY; y < g.h; y++ {
		for x := stepX; x < g.w; x++ {
			i := y*g.w + x
			if g.v[i] >= g.dark || g.v[i-step] < g.dark {
				continue
			}
			// Where between the two cells the light crosses the threshold.
			share := (float64(g.v[i-step]) - float64(g.dark)) / (float64(g.v[i-step]) - float64(g.v[i]))
			px, py := (float64(x)+.5)/g.perMMX, (float64(y)+.5)/g.perMMY
			if columns {
				all = append(all, edge{py, px - (1-share)/g.perMMX})
			} else {
				all = append(all, edge{px, py - (1-share)/g.perMMY})
			}
		}
	}
	return all
}

// thinned is every n-th edge, so that at most so many are left: they tell as much.
func thinned(edges []edge, most int) []edge {
	n := len(edges)/most + 1
	if n == 1 {
		return edges
	}
	kept := make([]edge, 0, most)
	for i := 0; i < len(edges); i += n {
		kept = append(kept, edges[i])
	}
	return kept
}

// leaning finds the slope at which edges fall into the fewest lines: the degrees by which lines along the axis rise with it, and how
// much better that is than the usual, 1 being nothing.
func leaning(edges []edge) (angle, sure float64) {
	if len(edges) < 200 {
		return 0, 1
	}
	const bin = .15 // mm
	low, high := math.Inf(1), math.Inf(-1)
	for _, e := range edges {
		reach := math.Abs(e.along) * math.Tan(greatestSkew*degree)
		low, high = math.Min(low, e.across-reach), math.Max(high, e.across+reach)
	}
	bins := make([]float32, int((high-low)/bin)+3)
	score := func(edges []edge, angle float64) float64 {
		clear(bins)
		slope := math.Tan(angle * degree)
		for _, e := range edges {
			at := (e.across - e.along*slope - low) / bin
			i := int(at)
			share := float32(at - float64(i))
			bins[i] += 1 - share
			bins[i+1] += share
		}
		total := float32(0)
		for _, n := range bins {
			total += n * n
		}
		return float64(total)
	}
	few, most := thinned(edges, 6_000), thinned(edges, 20_000)
	best, usual, n := 0.0, 0.0, 0
	for a := -greatestSkew; a <= greatestSkew+1e-9; a += .2 {
		v := score(few, a)
		usual += v
		n++
		if v > best {
			best, angle = v, a
		}
	}
	sure = best * float64(n) / usual
	for _, step := range []float64{.05, .01} {
		middle, top := angle, 0.0
		for i := -4; i <= 4; i++ {
			if v := score(most, clamp(middle+float64(i)*step, -greatestSkew, greatestSkew)); v > top {
				top, angle = v, clamp(middle+float64(i)*step, -greatestSkew, greatestSkew)
			}
		}
	}
	return angle, sure
}

// leastSure is how much the best slope must stand out.
const leastSure = 1.5

// skew is how far the sheet lies askew, in degrees clockwise, by its rules and rows of text; ok is false where it shows none.
func (g *glance) skew() (angle float64, ok bool) {
	rows, sureRows := leaning(g.edges(false))
	columns, sureColumns := leaning(g.edges(true))
	switch {
	case sureRows < leastSure && sureColumns < leastSure:
		return 0, false
	case sureColumns < leastSure || sureRows >= leastSure && math.Abs(rows+columns) > 1 && sureRows >= sureColumns:
		return rows, true
	case sureRows < leastSure || math.Abs(rows+columns) > 1:
		return -columns, true
	}
	a, b := sureRows-1, sureColumns-1
	return (a*rows - b*columns) / (a + b), true
}
