package imprint

import "math"

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
	ground := float32(0)
	if l.negative {
		ground = 1
	}
	for i := range b.values {
		b.values[i] = all[i*n : (i+1)*n : (i+1)*n]
		x1, y1 := r.onPage(r.foot(i*edgeRays/gapDirections - edgeRays/4))
		length := math.Hypot(x1-r.x, y1-r.y)
		for k := range n {
			d := textInner*length + float64(k)*step
			if d > math.Min(textOuter*length, length-border) {
				break
			}
			v := float32(l.inkAt(r.x+(x1-r.x)*d/length, r.y+(y1-r.y)*d/length))
			b.values[i][k] = v + ground*(1-2*v)
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

// textGap finds the widest empty part of the zone of the arc text: its middle in degrees clockwise from the top, and
// its width. A line of digits in the gap is thinner than the name. Width 0 means that no gap stands out.
func (l *layer) textGap(r rim) (middle, width float64) {
	b := l.textBand(r)
	mass := make([]float64, gapDirections)
	ink := make([]bool, gapDirections)
	for i, values := range b.values {
		for _, v := range values {
			if v > .5 {
				mass[i]++
			}
		}
		ink[i] = mass[i] > .02*float64(len(values))+1
	}
	if middle, width = widestGap(ink); width > 0 {
		return middle, width
	}
	// Thin text in the gap: compare the ink in a window of one character.
	const window = 16 // directions to either side: 8 degrees
	smooth := make([]float64, gapDirections)
	most := 0.0
	for i := range smooth {
		for d := -window; d <= window; d++ {
			smooth[i] += mass[(i+d+gapDirections)%gapDirections] / (2*window + 1)
		}
		most = math.Max(most, smooth[i])
	}
	for i := range ink {
		ink[i] = smooth[i] > .42*most
	}
	return widestGap(ink)
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
	best, second, bestEnd, run := 0, 0, 0, 0
	for i := start; i <= start+directions; i++ {
		if !ink[i%directions] {
			run++
			continue
		}
		if run > best {
			second, best, bestEnd = best, run, i
		} else {
			second = max(second, run)
		}
		run = 0
	}
	gap := float64(best) * 360 / float64(directions)
	if gap < 18 || float64(best) < 1.25*float64(second) {
		return 0, 0
	}
	return wrapped((float64(bestEnd) - float64(best)/2) * 360 / float64(directions)), gap
}
