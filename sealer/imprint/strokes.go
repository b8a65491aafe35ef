package imprint

import (
	"cmp"
	"math"
	"slices"
)

// stroke is a straight piece of the edge of a stroke: most strokes of printed characters run level or upright.
type stroke struct {
	x, y   float64 // middle, in millimetres of the crop
	angle  float64 // of the piece, degrees clockwise from the right, -90 to 90
	length float64 // mm
	unsure float64 // standard error of the angle, degrees
}

const (
	leastStroke  = .9   // mm: shorter edges are corners and serifs
	mostBent     = .035 // mm that an edge may stray from a straight line
	mostFray     = .10  // mm that ink frays from the edge of a stroke; what lies further away is a serif
	cornerTrim   = .10  // mm at both ends of an edge that the ink has rounded
	frayLength   = .16  // mm along an edge within which its fraying is the same
	leastFray    = .008 // mm of fraying that is always there
	strokeSpread = .25  // degrees by which strokes of a typeface lean by themselves
	mostChains   = 20000
)

// strokes are the straight edges within a rectangle of the crop, in millimetres, where a place is wanted.
func (l *layer) strokes(left, top, right, bottom float64, wanted func(x, y float64) bool) []stroke {
	level := edgeTracer{l: l, wanted: wanted, perAlong: l.perMMX, perAcross: l.perMMY, stride: 1, across: l.alpha.w}
	level.from, level.to = span(left, right, l.perMMX, l.alpha.w)
	level.first, level.last = span(top, bottom, l.perMMY, l.alpha.h)
	upright := edgeTracer{l: l, wanted: wanted, perAlong: l.perMMY, perAcross: l.perMMX, stride: l.alpha.w, across: 1, columns: true}
	upright.from, upright.to = span(top, bottom, l.perMMY, l.alpha.h)
	upright.first, upright.last = span(left, right, l.perMMX, l.alpha.w)
	level.trace()
	upright.trace()
	return append(level.found, upright.found...)
}

// span is a stretch of millimetres as pixels, from one to before the other.
func span(low, high, perMM float64, n int) (from, to int) {
	return max(0, int(low*perMM)), min(n, int(high*perMM)+1)
}

// edgeTracer follows edges along the rows of a picture, or along its columns.
type edgeTracer struct {
	l                   *layer
	wanted              func(x, y float64) bool
	perAlong, perAcross float64 // pixels per millimetre
	stride, across      int     // in the plane, of a step along and across
	from, to            int     // along
	first, last         int     // across
	columns             bool
	found               []stroke
}

// chain is an edge that is being followed: places across it, one per pixel along.
type chain struct {
	start  int
	rising bool
	at     []float32
}

// trace walks along and joins to every chain the crossing of one half that lies next to its end.
func (t *edgeTracer) trace() {
	var open, next []*chain
	var crossings []chainEnd
	for i := t.from; i < t.to; i++ {
		crossings = t.crossings(crossings[:0], i)
		next = next[:0]
		k := 0
		for _, c := range open { // both in the order of their place across
			end := c.at[len(c.at)-1]
			for k < len(crossings) && crossings[k].at < end-1.5 {
				k++
			}
			best := -1
			for j := k; j < len(crossings) && crossings[j].at <= end+1.5; j++ {
				x := &crossings[j]
				if !x.taken && x.rising == c.rising && (best < 0 || abs32(x.at-end) < abs32(crossings[best].at-end)) {
					best = j
				}
			}
			if best < 0 {
				t.close(c)
				continue
			}
			crossings[best].taken = true
			c.at = append(c.at, crossings[best].at)
			next = append(next, c)
		}
		for _, x := range crossings {
			if !x.taken && len(next) < mostChains {
				next = append(next, &chain{start: i, rising: x.rising, at: []float32{x.at}})
			}
		}
		slices.SortStableFunc(next, func(a, b *chain) int { return cmp.Compare(a.at[len(a.at)-1], b.at[len(b.at)-1]) })
		open, next = next, open
	}
	for _, c := range open {
		t.close(c)
	}
}

// chainEnd is a crossing of one half.
type chainEnd struct {
	at            float32
	rising, taken bool
}

func abs32(v float32) float32 { return max(v, -v) }

// crossings lists where a line across passes one half, on free paper, in pixels.
func (t *edgeTracer) crossings(found []chainEnd, along int) []chainEnd {
	alpha, trust := t.l.alpha.v, t.l.trust.v
	at := along*t.stride + t.first*t.across
	for j := t.first; j+1 < t.last; j, at = j+1, at+t.across {
		a, b := alpha[at], alpha[at+t.across]
		if (a >= .5) == (b >= .5) || trust[at] < .8 || trust[at+t.across] < .8 {
			continue
		}
		found = append(found, chainEnd{at: float32(j) + (.5-a)/(b-a), rising: b > a})
	}
	return found
}

// close takes the straight pieces of a chain.
func (t *edgeTracer) close(c *chain) {
	trim := int(cornerTrim * t.perAlong)
	t.straight(c, trim, len(c.at)-trim)
}

// straight fits a line to a part of a chain; where it bends, the parts before and after the bend.
func (t *edgeTracer) straight(c *chain, from, to int) {
	n := to - from
	length := float64(n) / t.perAlong
	if length < leastStroke {
		return
	}
	var sy, sxy float64
	middle := float64(n-1) / 2
	for k, v := range c.at[from:to] {
		sy += float64(v)
		sxy += (float64(k) - middle) * float64(v)
	}
	slope := sxy * 12 / (float64(n) * (float64(n)*float64(n) - 1))
	mean := sy / float64(n)
	squares, worst, bend := 0.0, 0.0, 0
	for k, v := range c.at[from:to] {
		off := (float64(v) - mean - slope*(float64(k)-middle)) / t.perAcross
		squares += off * off
		if math.Abs(off) > worst {
			worst, bend = math.Abs(off), k
		}
	}
	residual := math.Sqrt(squares / float64(n))
	if residual > mostBent {
		bend = min(max(bend, n/8, 1), n-1-n/8) // a bend at the very end takes a little off
		t.straight(c, from, from+bend)
		t.straight(c, from+bend, to)
		return
	}
	slope, mean, residual = t.withoutSerifs(c.at[from:to], slope, mean)
	steep := slope * t.perAlong / t.perAcross
	if math.Abs(steep) > 1.05 {
		return // followed better the other way
	}
	along, across := (float64(c.start+from)+middle+.5)/t.perAlong, (mean+.5)/t.perAcross
	s := stroke{x: along, y: across, angle: math.Atan(steep) / degree, length: length * math.Hypot(1, steep)}
	if t.columns {
		s.x, s.y = across, along
		s.angle = math.Remainder(90-s.angle, 180)
	}
	if !t.wanted(s.x, s.y) {
		return
	}
	s.unsure = math.Max(residual, leastFray) * math.Sqrt(12*math.Max(frayLength, 1/t.perAlong)/s.length) / s.length / degree
	t.found = append(t.found, s)
}

// withoutSerifs fits the line anew to places across it, with less weight for what strays: serifs stand on one side of strokes, at the
// same end of most, and would lean them all the same way. The residual is in millimetres.
func (t *edgeTracer) withoutSerifs(at []float32, slope, mean float64) (newSlope, newMean, residual float64) {
	middle := float64(len(at)-1) / 2
	reach := mostFray * t.perAcross
	for range 8 {
		var w, wk, wkk, wv, wkv, ww float64
		for k, v := range at {
			x := float64(k) - middle
			off := float64(v) - mean - slope*x
			if u := off / reach; math.Abs(u) < 1 {
				a := square(1 - u*u)
				w, wk, wkk, wv, wkv, ww = w+a, wk+a*x, wkk+a*x*x, wv+a*float64(v), wkv+a*x*float64(v), ww+a*off*off
			}
		}
		det := w*wkk - wk*wk
		if det < 1e-9 {
			break
		}
		slope, mean = (w*wkv-wk*wv)/det, (wkk*wv-wk*wkv)/det
		residual = math.Sqrt(ww/w) / t.perAcross
	}
	return slope, mean, residual
}

// squareness is the turn at which most strokes run level or upright.
type squareness struct {
	angle  float64 // degrees
	unsure float64 // standard error
	share  float64 // of the length of all strokes within a degree or two of it
}

// squared finds the turn, near a wanted one, at which most of the length of strokes is level or upright. The turn of a
// stroke is held against an own direction: of a character on an arc that is where it stands.
func squared(strokes []stroke, near, within float64, own func(s stroke) float64) (squareness, bool) {
	const kernel, step = .7, .1 // degrees
	offs := make([]float64, len(strokes))
	all := 0.0
	for i, s := range strokes {
		offs[i] = math.Remainder(s.angle-own(s)-near, 90)
		all += s.length
	}
	if all < leastStrokes {
		return squareness{}, false
	}
	best, most := 0.0, 0.0
	for a := -within; a <= within+step/2; a += step {
		total := 0.0
		for i, s := range strokes {
			if d := math.Remainder(offs[i]-a, 90) / kernel; math.Abs(d) < 3 {
				total += s.length / (1 + 4*s.unsure) * math.Exp(-d*d/2)
			}
		}
		if total > most {
			best, most = a, total
		}
	}
	if math.Abs(best) > within-step {
		return squareness{}, false // the best one lies further away
	}
	result := squareness{angle: best}
	for pass := range 8 {
		limit := 3.0
		if pass > 2 {
			limit = 2
		}
		var sums [2]struct{ weight, off, square, length float64 } // of level and of upright strokes
		for i, s := range strokes {
			d := math.Remainder(offs[i]-result.angle, 90)
			reach := limit * math.Hypot(math.Max(s.unsure, .1), 2*strokeSpread)
			if math.Abs(d) >= reach {
				continue
			}
			u := d / reach
			w := square(1-u*u) / (square(s.unsure) + square(strokeSpread))
			k := &sums[0]
			if q := math.Round((s.angle - own(s) - near - result.angle) / 90); math.Mod(q, 2) != 0 {
				k = &sums[1]
				w *= uprightness(d, math.Hypot(s.unsure, uprightSpread))
			}
			k.weight += w
			k.off += w * d
			k.square += square(w * d)
			k.length += s.length
		}
		weight := sums[0].weight + sums[1].weight
		if weight == 0 {
			return squareness{}, false
		}
		result.angle += (sums[0].off + sums[1].off) / weight
		result.share = (sums[0].length + sums[1].length) / all
		// Both sides of a stroke and the pieces of one edge are not strangers to each other: half as many witnesses.
		result.unsure = math.Sqrt(2*(sums[0].square+sums[1].square)) / weight
		if sums[0].length > leastStrokes/2 && sums[1].length > leastStrokes/2 {
			// A hand or a brush leans level and upright strokes differently.
			apart := math.Abs(sums[0].off/sums[0].weight - sums[1].off/sums[1].weight)
			result.unsure = math.Max(result.unsure, apart/4)
		}
	}
	result.angle = wrapped(near + result.angle)
	result.unsure = math.Max(result.unsure, .01)
	return result, true
}

// leastStrokes is the length of straight edges, in millimetres, that says something.
const leastStrokes = 12.0

// leastSquare is the share of strokes that must run level or upright; slanting hands have fewer, and so have single characters of an arc,
// which stand up to each other. The error of the angle is never below that of
// a typeface's own strokes.
const (
	leastSquare      = .45
	leastSquareOnArc = .40
	leastSquareError = .04
)

// anywhere and level are for characters that stand in rows.
func anywhere(x, y float64) bool { return true }
func level(s stroke) float64     { return 0 }

// squareRows is the angle, near a wanted one, at which the strokes of the characters in the middle of a round seal, and of those in the gap
// of the arc text, run level or upright. The feet of tall characters on the arc reach below it.
func (l *layer) squareRows(r rim, wanted, within, gap, gapWidth float64) (angle, unsure float64, ok bool) {
	reach := r.bounds()
	inside := func(x, y float64) bool {
		u, v := r.own(x, y)
		d := math.Hypot(u/r.halfW, v/r.halfH)
		return d < rowsInner || d < textInner-.02 && (gapWidth == 0 || math.Abs(wrapped(math.Atan2(x-r.x, r.y-y)/degree-gap)) < gapWidth/2)
	}
	q, ok := squared(l.strokes(r.x-reach.w, r.y-reach.h, r.x+reach.w, r.y+reach.h, inside), wanted, within, level)
	return q.angle, math.Hypot(q.unsure, oneLine), ok && q.share > leastSquare
}

// Standard errors, in degrees, that characters have in common: those of 3 to 6 mm all around an arc, and the few of one line, by serifs and by
// strokes that bend.
const (
	smallPrint = .15
	oneLine    = .30
)

// Of the nearly upright strokes of Chinese characters a part falls to the left (撇), by up to some degrees; hardly any falls to the right.
const (
	fallingShare  = .25
	fallingReach  = 2.0 // degrees
	uprightSpread = .15 // degrees by which upright strokes lean by themselves
)

// uprightness is how likely it is that a nearly upright stroke which leans by so much is upright and does not fall to the left.
func uprightness(off, unsure float64) float64 {
	u := off / unsure
	upright := (1 - fallingShare) * math.Exp(-u*u/2) / (unsure * math.Sqrt(2*math.Pi))
	falls := fallingShare / fallingReach * math.Erfc(-u/math.Sqrt2) / 2
	return upright / (upright + falls + 1e-9)
}
