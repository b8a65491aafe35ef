package imprint

import (
	"math"
	"slices"
)

const gapDirections = 720

// band reads the zone of the arc text around the seal: per direction, clockwise from the top of the page, the values
// from textInner to textOuter of the way to the rim.
type band struct {
	values [gapDirections][]float32
	step   float64 // mm between values
}

func (l *layer) textBand(r rim) band {
	const step = .1
	border := math.Max(r.border, .02*r.meanRadius()) + .3
	n := int((textOuter - textInner) * math.Min(r.halfW, r.halfH) / step)
	b := band{step: step}
	all := make([]float32, gapDirections*n)
	for i := range b.values {
		b.values[i] = all[i*n : (i+1)*n : (i+1)*n]
		x1, y1 := r.onPage(r.foot(i*edgeRays/gapDirections - edgeRays/4))
		length := math.Hypot(x1-r.x, y1-r.y)
		for k := range n {
			d := textInner*length + float64(k)*step
			if d > math.Min(textOuter*length, length-border) {
				break
			}
			b.values[i][k] = float32(l.figureAt(r.x+(x1-r.x)*d/length, r.y+(y1-r.y)*d/length))
		}
	}
	b.withoutRings(n)
	return b
}

// withoutRings clears what is ink almost all the way round: an inner ring is no text.
func (b band) withoutRings(n int) {
	ring := make([]bool, n)
	for k := range ring {
		hits := 0
		for i := range b.values {
			if b.values[i][k] > .5 {
				hits++
			}
		}
		ring[k] = hits > gapDirections*3/4
	}
	for k := range ring {
		near := ring[k] || k > 0 && ring[k-1] || k+1 < n && ring[k+1] || k > 1 && ring[k-2] || k+2 < n && ring[k+2]
		if !near {
			continue
		}
		for i := range b.values {
			b.values[i][k] = 0
		}
	}
}

// gap finds the widest empty part of the zone of the arc text: its middle in degrees clockwise from the top, and
// its width. A line of digits in the gap is thinner than the name. Width 0 means that no gap stands out.
func (b band) gap() (middle, width float64) {
	ink := make([]bool, gapDirections)
	depth := make([]float64, gapDirections) // how far ink reaches from the outside towards the middle
	for i, values := range b.values {
		hits := 0
		for k, v := range values {
			if v <= .5 {
				continue
			}
			if hits++; hits == 1 {
				depth[i] = float64(len(values) - k)
			}
		}
		ink[i] = float64(hits) > .02*float64(len(values))+1
	}
	withoutSpecks(ink)
	middle, width = widestGap(ink)
	if width > surelyGap {
		return middle, width
	}
	// Digits in the gap stand on the outside and are not as tall. Flat characters between tall ones are bridged.
	const bridge = 2 * 9 // directions: to either side
	depth = extremes(extremes(depth, bridge, math.Max), bridge, math.Min)
	tallest := slices.Max(depth)
	for i, d := range depth {
		ink[i] = d > .8*tallest
	}
	withoutSpecks(ink)
	if low, wide := widestGap(ink); wide > width {
		return low, wide
	}
	return middle, width
}

// surelyGap is the width of a gap, in degrees, that is none between two characters.
const surelyGap = 45

// withoutSpecks clears runs of directions that are too short for a stroke.
func withoutSpecks(ink []bool) {
	const shortest = 4 // two degrees
	n := len(ink)
	start := slices.Index(ink, false)
	if start < 0 {
		return
	}
	run := 0
	for i := start; i <= start+n; i++ {
		if ink[i%n] {
			run++
			continue
		}
		for k := i - run; run < shortest && k < i; k++ {
			ink[k%n] = false
		}
		run = 0
	}
}

// extremes is the largest or smallest value within a reach to either side, around the circle.
func extremes(values []float64, reach int, pick func(a, b float64) float64) []float64 {
	n := len(values)
	result := make([]float64, n)
	for i := range result {
		result[i] = values[i]
		for d := -reach; d <= reach; d++ {
			result[i] = pick(result[i], values[(i+d+n)%n])
		}
	}
	return result
}

// widestGap finds the longest run without ink, if it stands out.
func widestGap(ink []bool) (middle, width float64) {
	directions := len(ink)
	start := 0 // a direction with ink, so that no run of emptiness lies across it
	for start < directions && !ink[start] {
		start++
	}
	if start == directions {
		return 0, 0
	}
	best, second, bestEnd, run, inked := 0, 0, 0, 0, 0
	for i := start; i <= start+directions; i++ {
		if !ink[i%directions] {
			run++
			continue
		}
		inked++
		if run > best {
			second, best, bestEnd = best, run, i
		} else {
			second = max(second, run)
		}
		run = 0
	}
	gap := float64(best) * 360 / float64(directions)
	// Text along an arc fills the rest evenly; the corners of a block of characters that reach into the zone do not.
	even := float64(inked) > .4*float64(directions-best) && float64(second)*360/float64(directions) < 40
	if gap < 18 || float64(best) < 1.25*float64(second) || !even {
		return 0, 0
	}
	return wrapped((float64(bestEnd) - float64(best)/2) * 360 / float64(directions)), gap
}
