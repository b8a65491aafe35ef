package imprint

import "math"

// leastRhythm is the share of the ink of the arc text that must follow the rhythm of its characters.
const leastRhythm = .3

// beat is the rhythm of the characters of the arc text, in degrees clockwise from the top of the page.
type beat struct {
	middle   float64 // of all characters
	one      float64 // the middle of one of them
	step     float64 // from one to the next
	strength float64 // share of the ink that follows it
}

// rhythm is where the characters of the arc text stand: they are evenly spaced, so that the phase of their rhythm says where the middle
// of each is, and with that the middle of all up to half a step. Near is the angle that the gap says, which chooses among these, half how
// far from it there are characters. All characters speak, where the gap hears the first and the last one only.
func (b band) rhythm(near, half float64) beat {
	mass := make([]float64, gapDirections)
	total := 0.0
	for i, values := range b.values {
		if math.Abs(wrapped(float64(i)*360/gapDirections-near)) > half+2 {
			continue // a number in the gap
		}
		for _, v := range values {
			mass[i] += math.Min(float64(v), 1)
		}
		total += mass[i]
	}
	if total == 0 {
		return beat{middle: near}
	}
	best, at := 0.0, 0.0
	var phase float64
	for cycles := 11.0; cycles <= 36; cycles += .25 { // per turn
		re, im := 0.0, 0.0
		for i, m := range mass {
			a := wrapped(float64(i)*360/gapDirections - near)
			sin, cos := math.Sincos(cycles * a * degree)
			re, im = re+m*cos, im+m*sin
		}
		if power := math.Hypot(re, im) / total; power > best {
			best, at, phase = power, cycles, math.Atan2(im, re)/degree
		}
	}
	step := 360 / at
	return beat{middle: wrapped(near + math.Remainder(phase/at, step/2)), one: wrapped(near + phase/at), step: step, strength: best}
}

// leastOnArc is how many characters of the arc text must show which way they stand.
const leastOnArc = 4

// arcUpright is the angle of the seal by the strokes of the arc text: each character stands upright on its own radius, so that its level and
// upright strokes give that radius more finely than where its ink begins and ends. The radii are evenly spaced, and the angle of the seal
// is the middle of all, up to half a step. Half is how far from the middle of the text characters are looked at, in degrees.
func (l *layer) arcUpright(r rim, b beat, half float64) (angle, unsure float64, ok bool) {
	reach := r.bounds()
	onBand := func(x, y float64) bool {
		d := math.Hypot(x-r.x, y-r.y) / r.halfW
		return d > textInner-.04 && d < textOuter+.02
	}
	at := func(s stroke) float64 { return math.Atan2(s.x-r.x, r.y-s.y) / degree }
	slots := map[int][]stroke{}
	for _, s := range l.strokes(r.x-reach.w, r.y-reach.h, r.x+reach.w, r.y+reach.h, onBand) {
		k := math.Round(wrapped(at(s)-b.one) / b.step)
		if middle := b.one + k*b.step; math.Abs(wrapped(middle-b.middle)) < half {
			slots[int(k)] = append(slots[int(k)], s)
		}
	}
	var found []radius
	for k := -36; k <= 36; k++ { // in order: sums must not depend on the map's
		middle := b.one + float64(k)*b.step
		q, ok := squared(slots[k], 0, 9, func(stroke) float64 { return middle })
		if ok && q.share > leastSquareOnArc {
			found = append(found, radius{float64(k), q.angle, math.Max(q.unsure, leastSquareError)})
		}
	}
	first, slope, unsure, ok := evenly(found)
	if !ok {
		return 0, 0, false
	}
	step := b.step + slope
	// Once it is known how each character stands, all strokes speak together, those of characters with few of them, too.
	var all []stroke
	for k := -36; k <= 36; k++ {
		all = append(all, slots[k]...)
	}
	onRadius := func(s stroke) float64 { return b.one + step*math.Round(wrapped(at(s)-b.one)/b.step) }
	if q, ok := squared(all, first, 1.5, onRadius); ok {
		first, unsure = q.angle, q.unsure
	}
	// The middle of the text lies on a radius or between two.
	return nearestTurn(b.one+first, b.middle, step/2), math.Hypot(unsure, smallPrint), true
}

// radius is by how much a character stands otherwise than its place in the rhythm says, in degrees.
type radius struct{ k, off, unsure float64 }

// evenly fits off = first + slope · k to radii, some of which are wrong. The error is that of the middle of them.
func evenly(all []radius) (first, slope, unsure float64, ok bool) {
	const spread = .25 // degrees by which engravers miss
	for pass := range 6 {
		var n, w, wk, wkk, wo, wko, ww float64
		for _, r := range all {
			d := math.Abs(r.off - first - slope*r.k)
			limit := 4 * math.Hypot(r.unsure, spread)
			if pass > 0 && d > limit {
				continue
			}
			a := 1 / (square(r.unsure) + square(spread))
			if pass == 0 {
				a /= 1 + square(r.off/2)
			}
			n, w, wk, wkk, wo, wko, ww = n+1, w+a, wk+a*r.k, wkk+a*r.k*r.k, wo+a*r.off, wko+a*r.k*r.off, ww+a*a*square(d)
		}
		det := w*wkk - wk*wk
		if n < leastOnArc || det < 1e-9 {
			return 0, 0, 0, false
		}
		first, slope = (wo*wkk-wk*wko)/det, (w*wko-wk*wo)/det
		unsure = math.Max(math.Sqrt(ww)/w, 1/math.Sqrt(w))
	}
	return first, slope, unsure, true
}
