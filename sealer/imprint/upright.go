package imprint

import "math"

// pose is where a seal sits in its crop and how it is turned.
type pose struct {
	x, y    float64 // middle of the outer circle, millimetres
	radius  float64 // millimetres
	angle   float64 // degrees clockwise from upright, -180 to 180
	from    string  // "star", "gap" or "none"
	unsure  float64 // estimated error of the angle in degrees
	star    star    // where one was fitted
	doubted bool    // the star is there but which point is up could not be told from the arc text
}

const degree = math.Pi / 180

// Shares of the outer radius between which parts of a round seal lie. The star of a 42-mm seal measures 14 mm.
const (
	starInner = .10
	starOuter = .36
	textInner = .70
	textOuter = .93
)

// findUpright measures the angle: the star says it up to fifths of a turn, the gap between the end and the beginning
// of the arc text, which is at the bottom, says which fifth.
func (l *layer) findUpright(c circle) pose {
	p := pose{x: c.x, y: c.y, radius: c.radius, from: "none", unsure: 180}
	inner := c.radius - math.Max(c.border, .02*c.radius) - .3
	gap, gapWidth := l.textGap(c, inner)
	if up, strength := l.fifthHarmonic(c); strength > .35 {
		star := l.fitStar(c, up)
		if star.ok {
			up, p.star = star.angle, star
		}
		p.from = "star"
		p.unsure = star.unsure
		if !star.ok {
			p.unsure = 1
		}
		toward := 0.0 // without a gap, the page is trusted
		if gapWidth > 0 {
			toward = gap + 180
		} else {
			p.doubted = true
		}
		p.angle = nearestTurn(up, toward, 72)
		if gapWidth > 0 && math.Abs(wrapped(p.angle-toward)) > 27 {
			p.doubted = true // the gap lies between two points of the star
		}
		return p
	}
	if gapWidth > 0 {
		p.angle, p.from, p.unsure = wrapped(gap+180), "gap", 2
	}
	return p
}

// wrapped brings an angle into -180 to 180 degrees.
func wrapped(a float64) float64 { return math.Remainder(a, 360) }

// nearestTurn is the angle among a + k·period that is nearest to the wanted one.
func nearestTurn(a, wanted, period float64) float64 {
	return wrapped(wanted + math.Remainder(a-wanted, period))
}

// polar gives a position on the page from an angle in degrees clockwise from the top.
func (c circle) polar(radius, angle float64) (x, y float64) {
	sin, cos := math.Sincos(angle * degree)
	return c.x + radius*sin, c.y - radius*cos
}

// fifthHarmonic is the phase of the star: the angle of one of its points, and how strongly the middle of the seal
// repeats five times a turn, 0 to 1.
func (l *layer) fifthHarmonic(c circle) (angle, strength float64) {
	const directions = 360
	re, im, all := 0.0, 0.0, 0.0
	for share := starInner; share < starOuter; share += .02 {
		r := share * c.radius
		var sin5, cos5, low, high float64
		low = 1
		for i := range directions {
			a := float64(i) * 360 / directions
			x, y := c.polar(r, a)
			v := l.inkAt(x, y)
			s, k := math.Sincos(5 * a * degree)
			sin5, cos5 = sin5+v*s, cos5+v*k
			low, high = math.Min(low, v), math.Max(high, v)
		}
		// A circle inside the star's body has no harmonic and says nothing against the star.
		re, im = re+r*cos5, im+r*sin5
		if high-low > .5 {
			all += r * math.Hypot(cos5, sin5)
		}
	}
	if all == 0 {
		return 0, 0
	}
	// Rings must agree in phase, and the fifth harmonic must dominate its neighbours.
	agree := math.Hypot(re, im) / all
	return math.Atan2(im, re) / degree / 5, agree * l.harmonicShare(c, 5)
}

// harmonicShare compares the energy of a harmonic in the star's ring with that of its neighbours.
func (l *layer) harmonicShare(c circle, wanted int) float64 {
	const directions = 360
	profile := make([]float64, directions)
	for i := range profile {
		for share := .16; share < .32; share += .02 {
			x, y := c.polar(share*c.radius, float64(i)*360/directions)
			profile[i] += l.inkAt(x, y)
		}
	}
	energy := func(n int) float64 {
		re, im := 0.0, 0.0
		for i, v := range profile {
			s, k := math.Sincos(float64(n*i) * 2 * math.Pi / directions)
			re, im = re+v*k, im+v*s
		}
		return re*re + im*im
	}
	all := 0.0
	for n := 2; n <= 8; n++ {
		all += energy(n)
	}
	if all == 0 {
		return 0
	}
	return energy(wanted) / all
}

// textGap finds the widest empty part of the ring of arc text: its middle in degrees clockwise from the top, and its
// width. Width 0 means that no gap stands out.
func (l *layer) textGap(c circle, inner float64) (middle, width float64) {
	const directions = 720
	ink := make([]bool, directions)
	for i := range ink {
		a := float64(i) * 360 / directions
		hits, samples := 0, 0
		for r := textInner * c.radius; r < math.Min(textOuter*c.radius, inner); r += .1 {
			x, y := c.polar(r, a)
			if l.inkAt(x, y) > .5 {
				hits++
			}
			samples++
		}
		ink[i] = float64(hits) > .02*float64(samples)+1
	}
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
	gap := float64(best) * 360 / directions
	if gap < 18 || float64(best) < 1.25*float64(second) {
		return 0, 0
	}
	return wrapped((float64(bestEnd) - float64(best)/2) * 360 / directions), gap
}
