package imprint

import "math"

const (
	rowLittle  = .06  // of the usual ink of a row: it still counts as empty by one half
	rowBin     = .1   // mm: width of a row in which ink is counted
	rowReach   = .76  // share of the radius up to which a line of text below the middle goes
	mostRowInk = 6000 // positions of ink that are counted
	rowsLeast  = .12  // share of empty rows that must be won over the mean of all angles
	rowsUnsure = .25  // degrees: standard error of the angle by rows, measured
)

// inkPositions lists where there is ink, or paper where the ground prints, in a rectangle around the middle of a rim,
// turned by an angle, in millimetres from the middle along the page.
func (l *layer) inkPositions(r rim, half size, angle float64) [][2]float32 {
	sin, cos := math.Sincos(angle * degree)
	step := math.Max(math.Sqrt(4*half.w*half.h/(4*mostRowInk)), .7/math.Max(l.perMMX, l.perMMY))
	var found [][2]float32
	for v := -half.h; v <= half.h; v += step {
		for u := -half.w; u <= half.w; u += step {
			if r.shape == Round && math.Hypot(u, v) > rowReach*r.halfW {
				continue // the arc text stands there
			}
			dx, dy := u*cos-v*sin, u*sin+v*cos
			if l.figureAt(r.x+dx, r.y+dy) >= .5 && l.seen(r.x+dx, r.y+dy) {
				found = append(found, [2]float32{float32(dx), float32(dy)})
			}
		}
	}
	return found
}

// seen says whether a place is free of print.
func (l *layer) seen(x, y float64) bool {
	px, py := l.pixel(x, y)
	return l.trust.at(px, py) > .8
}

// emptiness is how many rows, across positions turned back by an angle, hold no ink; a row with little counts in part.
func emptiness(found [][2]float32, rows []float32, angle, reach float64) float64 {
	clear(rows)
	sin, cos := math.Sincos(angle * degree)
	s, c, offset := float32(sin/rowBin), float32(cos/rowBin), float32(reach/rowBin)
	for _, p := range found {
		at := p[1]*c - p[0]*s + offset
		i := int(at)
		if at < 0 || i+1 >= len(rows) {
			continue
		}
		share := at - float32(i)
		rows[i] += 1 - share
		rows[i+1] += share
	}
	usual := float32(len(found)) / float32(len(rows))
	total := float32(0)
	for _, n := range rows {
		total += 1 / (1 + square32(n/(rowLittle*usual+.01)))
	}
	return float64(total) / float64(len(rows))
}

func square32(v float32) float32 { return v * v }

// rowAngle is the angle, near a wanted one, at which rows of text leave the most empty rows between them. (How steep
// the profile of the rows is, is biased by slanted strokes.) Half is half of the rectangle around the middle in which
// rows are looked for.
func (l *layer) rowAngle(r rim, half size, wanted, within float64) (angle, unsure float64, ok bool) {
	found := l.inkPositions(r, half, wanted)
	if len(found) < 200 {
		return 0, 0, false
	}
	reach := math.Hypot(half.w, half.h)
	rows := make([]float32, int(2*reach/rowBin)+2)
	most, mean, n := 0.0, 0.0, 0.0
	var coarse float64
	for a := -within; a <= within; a += .5 {
		e := emptiness(found, rows, wanted+a, reach)
		mean, n = mean+e, n+1
		if e > most {
			most, coarse = e, a
		}
	}
	if math.Abs(coarse) > within-.75 {
		return 0, 0, false // the best one lies further away
	}
	// The middle of the top of the hill, by weight.
	const fine = .05
	var values [61]float64
	top := 0.0
	for i := range values {
		values[i] = emptiness(found, rows, wanted+coarse+float64(i-30)*fine, reach)
		top = math.Max(top, values[i])
	}
	floor := math.Max(mean/n, top-.25*(top-mean/n))
	sum, weights := 0.0, 0.0
	for i, e := range values {
		if e > floor {
			w := square(e - floor)
			sum, weights = sum+w*float64(i-30)*fine, weights+w
		}
	}
	if top-mean/n < rowsLeast*.3 || weights == 0 {
		return 0, 0, false
	}
	return wrapped(wanted + coarse + sum/weights), rowsUnsure, true
}

// fitFrameless measures a seal of characters alone: the angle at which its rows and its columns are emptiest, and the
// edges of its ink there. Characters do not all reach the edge of their square, so the size is that of the ink and
// may fall short of the die by some tenths of a millimetre.
func (l *layer) fitFrameless(declared size) rim {
	r := rim{shape: Frameless, x: (l.markX + .5) / l.perMMX, y: (l.markY + .5) / l.perMMY}
	half := size{l.mark.w/2 + .5, l.mark.h/2 + .5}
	found := l.inkPositions(r, half, 0)
	if len(found) < 100 {
		return r
	}
	reach := math.Hypot(half.w, half.h)
	rows := make([]float32, int(2*reach/rowBin)+2)
	both := func(a float64) float64 {
		return math.Max(emptiness(found, rows, a, reach), 0) + math.Max(emptiness(found, rows, a-90, reach), 0)
	}
	best, most := 0.0, 0.0
	for a := -20.0; a <= 20; a += .5 {
		if e := both(a); e > most {
			best, most = a, e
		}
	}
	floor, sum, weights := math.Inf(1), 0.0, 0.0
	var values [61]float64
	for i := range values {
		values[i] = both(best + float64(i-30)*.05)
		floor, most = math.Min(floor, values[i]), math.Max(most, values[i])
	}
	floor = math.Max(floor, most-.25*(most-floor))
	for i, e := range values {
		if e > floor {
			w := square(e - floor)
			sum, weights = sum+w*float64(i-30)*.05, weights+w
		}
	}
	r.angle, r.unsure = best, .5
	if weights > 0 {
		r.angle += sum / weights
	}
	if q, ok := squared(l.strokes(r.x-half.w, r.y-half.h, r.x+half.w, r.y+half.h, anywhere), r.angle, 4, level); ok && q.share > leastSquare {
		r.angle, r.unsure = q.angle, math.Max(q.unsure, leastSquareError)
	}
	if !l.boundInk(&r, half) {
		return r
	}
	r.settleAxes(declared)
	l.describeInkEdge(&r)
	r.present = make([]bool, edgeRays)
	for i := range r.present {
		r.present[i] = true // there is no border to miss
	}
	r.ok = true
	return r
}

// boundInk moves the four sides of the rim to where the ink ends, at half of its strength: from the mark outwards while
// there is ink within a millimetre, as characters stand together.
func (l *layer) boundInk(r *rim, half size) bool {
	step := .3 / math.Max(l.perMMX, l.perMMY)
	start := *r
	// inked says whether a line across, at a distance from the middle, meets more than a speck.
	inked := func(along, across, d, length float64) bool {
		run := 0.0
		for t := -length; t <= length; t += step {
			x, y := start.onPage(d*along-t*across, d*across+t*along)
			if l.inkAt(x, y) < .5 || !l.seen(x, y) {
				run = 0
			} else if run += step; run >= .2 { // mm in a row
				return true
			}
		}
		return false
	}
	side := func(along, across, from, length float64) (float64, bool) {
		last, found := 0.0, false
		for d := .3 * from; d < from || d-last < 1; d += step {
			if inked(along, across, d, length) {
				last, found = d, true
			} else if d > from && !found {
				break
			}
		}
		return l.tip(start, along, across, last, length, step) + step/2, found
	}
	const wider = .6 // mm
	right, a := side(1, 0, half.w, half.h+wider)
	left, b := side(-1, 0, half.w, half.h+wider)
	bottom, c := side(0, 1, half.h, half.w+wider)
	top, d := side(0, -1, half.h, half.w+wider)
	if !a || !b || !c || !d {
		return false
	}
	r.x, r.y = start.onPage((right-left)/2, (bottom-top)/2)
	r.halfW, r.halfH = (right+left)/2, (bottom+top)/2
	return math.Min(r.halfW, r.halfH) > 1.5
}

// tip follows the strokes that reach a line across, at a distance from the middle, on to their ends, which are rounder and
// thinner than what is told from a speck: the distance of the farthest.
func (l *layer) tip(r rim, along, across, from, length, step float64) float64 {
	const (
		stroke   = .2  // mm in a row on the first line
		farthest = .25 // mm
	)
	ink := func(d, t float64) bool {
		x, y := r.onPage(d*along-t*across, d*across+t*along)
		return l.inkAt(x, y) >= .5 && l.seen(x, y)
	}
	n := int(2*length/step) + 1
	row, next := make([]bool, n), make([]bool, n)
	run := 0
	for i := range row {
		if !ink(from, float64(i)*step-length) {
			run = 0
		} else if run++; float64(run)*step >= stroke {
			for j := i - run + 1; j <= i; j++ {
				row[j] = true
			}
		}
	}
	for d := from + step; d < from+farthest; d += step {
		reached := false
		for i := range next {
			beside := row[i] || i > 0 && row[i-1] || i+1 < n && row[i+1]
			next[i] = beside && ink(d, float64(i)*step-length)
			reached = reached || next[i]
		}
		if !reached {
			return d - step
		}
		row, next = next, row
	}
	return from + farthest
}

// describeInkEdge measures how sharp the edges of strokes are where there is no border: across rows of pixels, from 10
// to 90 per cent.
func (l *layer) describeInkEdge(r *rim) {
	var widths []float64
	step := .25 / math.Max(l.perMMX, l.perMMY)
	for v := -.9 * r.halfH; v < .9*r.halfH; v += .4 {
		last10 := math.NaN()
		for u := -r.halfW - .5; u < r.halfW; u += step {
			x, y := r.onPage(u, v)
			switch ink := l.inkAt(x, y); {
			case ink < .1:
				last10 = u
			case ink >= .9 && !math.IsNaN(last10):
				if u-last10 < .5 {
					widths = append(widths, u-last10)
				}
				last10 = math.NaN()
			}
		}
	}
	r.edgeWidth = median(widths)
}
