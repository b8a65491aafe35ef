package imprint

import "math"

// pose is where a seal sits in its crop and how it is turned.
type pose struct {
	x, y         float64 // middle of the rim, millimetres
	halfW, halfH float64 // across and along the upright seal, millimetres
	angle        float64 // degrees clockwise from upright, -180 to 180
	from         string  // what said so
	unsure       float64 // standard error of the angle in degrees
	star         star    // where one was fitted
	doubted      bool    // which of several turns is up could not be told from the seal and was taken from the page
}

// What the angle was measured by.
const (
	fromStar   = "star"
	fromEmblem = "emblem"
	fromGap    = "gap"
	fromRows   = "rows"
	fromAxes   = "axes"
	fromSides  = "sides"
	fromNone   = "none"
)

const degree = math.Pi / 180

// Shares of the way from the middle to the rim between which parts of a seal lie. The star of a 42-mm seal measures
// 14 mm.
const (
	starInner = .10
	starOuter = .36
	rowsInner = .45
	textInner = .70
	textOuter = .93
)

// Strengths of the fifth harmonic: of a star if its edges can be fitted, and of one even if they cannot. The middle of
// a seal with little in it has a harmonic by chance.
const (
	perhapsStar = .35
	surelyStar  = .75
	leastStar   = .12 // its outer radius as a share of the seal's
)

// mostLean is how far, in degrees, rows of text are looked for from upright on the page when nothing else says where up
// is.
const mostLean = 30.0

// Standard errors, in degrees, of the middle of the gap of the arc text: the first and the last character do not end
// at the same distance from their middles.
const (
	gapUnsure    = 1.2
	arcUnsure    = .4 // of the rhythm of the characters
	emblemUnsure = .05
)

// leastEmblem is the likeness of the middle of a seal and its mirror image from which it is an emblem. Characters reach
// .72 by chance, and the axis that they give is off by a degree.
const leastEmblem = .76

// findUpright measures the angle. Every shape has something that says it finely but leaves several turns open: a star
// five, an emblem or rows of text two, an ellipse two, a rectangle two or four. The gap between the end and the
// beginning of the arc text, which is at the bottom, says which; without one, the page does.
func (l *layer) findUpright(r rim, declared size) pose {
	p := pose{x: r.x, y: r.y, halfW: r.halfW, halfH: r.halfH, from: fromNone, unsure: 180, doubted: true}
	switch r.shape {
	case Rectangle, Frameless:
		l.uprightBySides(&p, r, declared)
	case Ellipse:
		l.uprightByAxes(&p, r)
	default:
		l.uprightInCircle(&p, r)
	}
	return p
}

// uprightInCircle: star, else emblem, else rows of text, else the gap alone.
func (l *layer) uprightInCircle(p *pose, r rim) {
	band := l.textBand(r)
	gap, gapWidth := band.gap()
	toward, sure, within := 0.0, math.Inf(1), mostLean // without a gap, the page is trusted
	if gapWidth > 0 {
		toward, sure, within = wrapped(gap+180), gapUnsure, 8
		if beat := band.rhythm(toward, 180-gapWidth/2); beat.strength > leastRhythm {
			toward, sure = beat.middle, arcUnsure
			if arc, unsure, ok := l.arcUpright(r, beat, 180-gapWidth/2); ok && math.Abs(wrapped(arc-toward)) < 3 {
				toward, sure = arc, unsure
			}
		}
		p.angle, p.from, p.unsure, p.doubted = toward, fromGap, sure, false
	}
	up, strength := l.fifthHarmonic(r)
	var star star
	if strength > perhapsStar {
		star = l.fitStar(r, up)
	}
	if star.ok || strength > surelyStar && star.outer > leastStar*r.halfW {
		fine := 1.0
		if star.ok {
			up, p.star, fine = star.angle, star, star.unsure
		}
		angle := nearestTurn(up, toward, 72)
		p.doubted = gapWidth == 0 || math.Abs(wrapped(angle-toward)) > 27 // the gap lies between two points
		p.angle, p.unsure, p.from = angle, fine, fromStar
		if !p.doubted {
			p.weighIn(toward, sure)
		}
		return
	}
	// Half of an emblem is the mirror image of the other one; rows of characters are less alike.
	axis, symmetry := l.mirror(r, toward)
	var rows, unsure float64
	ok, near, far := false, toward, 1.5
	// The strokes of the arc text are finer than how empty rows are, which are not asked then; strokes in rows may speak.
	byArc := sure < rowsUnsure
	if !byArc {
		rows, unsure, ok = l.rowAngle(r, size{.6 * r.halfW, .72 * r.halfH}, toward, within)
		near, far = rows, 3
	}
	if ok || byArc {
		if angle, error, square := l.squareRows(r, near, far, gap, gapWidth); square {
			rows, unsure, ok = angle, error, true
		}
	}
	// Rows that contradict a surer arc are none.
	if ok && (byArc || unsure > sure) && math.Abs(wrapped(rows-toward)) > 3*math.Hypot(unsure, sure) {
		ok = false
	}
	// Where both are there, the arc text decides between them.
	byRows := ok && gapWidth > 0 && math.Abs(wrapped(rows-toward))+.3 < math.Abs(wrapped(axis-toward))
	switch {
	case symmetry >= leastEmblem && !byRows:
		p.angle, p.unsure, p.from, p.doubted = axis, emblemUnsure, fromEmblem, gapWidth == 0
		p.weighIn(toward, sure)
	case ok:
		p.angle, p.unsure, p.from, p.doubted = rows, unsure, fromRows, gapWidth == 0
		p.weighIn(toward, sure)
	}
}

// weighIn draws the angle towards what the arc text says, by how sure both are. A whole star is ten times surer and
// hardly moves; one with a gap in it does. Where both are far apart, one of them is wrong, and the finer one stays.
func (p *pose) weighIn(other, unsure float64) {
	off := wrapped(other - p.angle)
	if math.Abs(off) > 3*math.Hypot(p.unsure, unsure)+.3 {
		return
	}
	a, b := 1/square(math.Max(p.unsure, .01)), 1/square(unsure)
	p.angle = wrapped(p.angle + off*b/(a+b))
	p.unsure = 1 / math.Sqrt(a+b)
}

// uprightByAxes: the axes of the ellipse and, where there are some, the rows of text in it; the gap of the arc text
// says which of both ways is up.
func (l *layer) uprightByAxes(p *pose, r rim) {
	gap, gapWidth := l.textBand(r).gap()
	toward := 0.0
	if gapWidth > 0 {
		toward = wrapped(gap + 180)
	}
	p.angle, p.unsure, p.from = nearestTurn(r.angle, toward, 180), math.Max(r.unsure, .02), fromAxes
	p.doubted = gapWidth == 0 && math.Abs(p.angle) > 30 || gapWidth > 0 && math.Abs(wrapped(p.angle-toward)) > 60
	l.weighRows(p, r, size{.55 * r.halfW, .5 * r.halfH})
}

// weighRows takes the rows of text into account where they agree with the outline.
func (l *layer) weighRows(p *pose, r rim, half size) {
	if p.unsure < rowsUnsure/4 {
		return
	}
	rows, unsure, ok := l.rowAngle(r, half, p.angle, 2)
	if ok {
		p.weighIn(rows, unsure)
	}
}

// uprightBySides: the sides say it up to a half turn, of a square up to a quarter; the page says the
// rest, and the characters whether that is to be doubted.
func (l *layer) uprightBySides(p *pose, r rim, declared size) {
	period := 180.0
	if declared.w == declared.h {
		period = 90
	}
	p.angle, p.unsure, p.from = nearestTurn(r.angle, 0, period), math.Max(r.unsure, .02), fromSides
	p.doubted = math.Abs(p.angle) > period/2-20
	if quarter := math.Round(wrapped(p.angle-r.angle) / 90); math.Mod(quarter, 2) != 0 {
		p.halfW, p.halfH = p.halfH, p.halfW
	}
	if r.shape == Frameless {
		p.from = fromRows
	}
	// The page is believed more than a few characters, which may be of a script that print has not.
	if turn, margin := l.charactersTurn(p, p.angle); margin > leastMarginSeal && math.Mod(float64(turn), period) == 0 {
		p.doubted = turn != 0
	}
}

// wrapped brings an angle into -180 to 180 degrees.
func wrapped(a float64) float64 { return math.Remainder(a, 360) }

// nearestTurn is the angle among a + k·period that is nearest to the wanted one.
func nearestTurn(a, wanted, period float64) float64 {
	return wrapped(wanted + math.Remainder(a-wanted, period))
}

// fifthHarmonic is the phase of the star: the angle of one of its points, and how strongly the middle of the seal
// repeats five times a turn, 0 to 1.
func (l *layer) fifthHarmonic(c rim) (angle, strength float64) {
	const directions = 360
	re, im, all := 0.0, 0.0, 0.0
	for share := starInner; share < starOuter; share += .02 {
		r := share * c.halfW
		var sin5, cos5, low, high float64
		low = 1
		for i := range directions {
			a := float64(i) * 360 / directions
			x, y := c.polar(r, a)
			v := l.figureAt(x, y)
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
func (l *layer) harmonicShare(c rim, wanted int) float64 {
	const directions = 360
	profile := make([]float64, directions)
	for i := range profile {
		for share := .16; share < .32; share += .02 {
			x, y := c.polar(share*c.halfW, float64(i)*360/directions)
			profile[i] += l.figureAt(x, y)
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
