package imprint

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	edgeRays      = 720
	searchBeyond  = 1.8 // mm outside the rough rim where a ray starts
	rimNear       = .15 // mm from the rim for an edge point to be of it
	rimCatch      = .45 // mm: the ring is there, if not exact
	mostMissing   = .5  // share of the rim without ink beyond which there is no rim
	leastEvidence = .3  // share of rays that must lie on the rim
	leastFramed   = .45 // the same of the other shapes, which have more freedom to follow strokes
	surelyFramed  = .75 // share of rays on the rim of a frame beyond doubt
	offFrame      = .6  // mm from the declared size from which a frame is doubted
)

// edgePoint is where a ray meets the outer edge.
type edgePoint struct {
	x, y  float64
	found bool
}

// millimetre positions and pixels of the crop: the first pixel's middle is half a pixel from the corner.
func (c *crop) pixel(x, y float64) (float64, float64) { return x*c.perMMX - .5, y*c.perMMY - .5 }

func (l *layer) inkAt(x, y float64) float64 {
	px, py := l.pixel(x, y)
	return l.alpha.at(px, py)
}

// figureAt is the coverage by what the seal shows: ink, or paper where the ground prints.
func (l *layer) figureAt(x, y float64) float64 {
	if l.negative {
		return 1 - l.inkAt(x, y)
	}
	return l.inkAt(x, y)
}

// fitRim fits the outer edge of the seal as each of the shapes and keeps the one that explains most of it; the first
// of two that are as good. A seal without a frame is what is left when no frame fits. Where the mark is too large for
// the declared seal, something else may stand beside it: then the place in it that holds most ink is tried as well.
func (l *layer) fitRim(shapes []Shape, declared size, wanted Polarity) rim {
	best, most := l.fitFramed(shapes, declared)
	if most < surelyFramed && l.exceeds(declared) {
		whole := *l.crop
		l.narrow(declared)
		if r, evidence := l.fitFramed(shapes, declared); evidence > most+.08 {
			best, most = r, evidence
		}
		if !slices.Contains(shapes, Frameless) {
			*l.crop = whole
		}
	}
	// Strokes at the edge of a seal without a frame may look like parts of one, in the wrong place.
	if slices.Contains(shapes, Frameless) && (!best.ok || most < surelyFramed && best.off(declared) > offFrame) {
		if r := l.fitFrameless(declared); r.ok && (!best.ok || r.off(declared) < best.off(declared)-offFrame/2) {
			best = r
		}
	}
	if best.ok {
		l.settlePolarity(&best, wanted)
	}
	return best
}

// fitFramed keeps the best of the shapes with an edge of their own.
func (l *layer) fitFramed(shapes []Shape, declared size) (best rim, most float64) {
	for _, shape := range shapes {
		if shape == Frameless {
			continue
		}
		if r, evidence := l.fitShape(shape, declared); r.ok && evidence > most+.08 {
			best, most = r, evidence
		}
	}
	return best, most
}

// exceeds says whether the mark is larger than the declared seal, even one that leans.
func (l *layer) exceeds(declared size) bool {
	const lean = .27 // sine of 15 degrees
	return l.mark.w > 1.05*declared.w+lean*declared.h || l.mark.h > 1.05*declared.h+lean*declared.w
}

// narrow takes as the mark the place of the declared size that holds most ink.
func (l *layer) narrow(declared size) {
	const cell = .35 // mm
	stepX, stepY := cell*l.perMMX, cell*l.perMMY
	w, h := int(float64(l.alpha.w)/stepX), int(float64(l.alpha.h)/stepY)
	inked := make([]bool, w*h)
	for y := range h {
		for x := range w {
			inked[y*w+x] = l.alpha.v[int((float64(y)+.5)*stepY)*l.alpha.w+int((float64(x)+.5)*stepX)] >= .5
		}
	}
	ww, wh := int(1.04*declared.w/cell), int(1.04*declared.h/cell)
	window, ok := fullest(inked, w, h, ww, wh)
	if !ok {
		return
	}
	r := tightened(inked, w, window.bounds)
	l.markX, l.markY = float64(r.Min.X+r.Max.X)/2*stepX-.5, float64(r.Min.Y+r.Max.Y)/2*stepY-.5
	l.mark = size{float64(r.Dx()) * cell, float64(r.Dy()) * cell}
}

// off is how far the size is from the declared one, in millimetres.
func (r rim) off(declared size) float64 {
	return math.Max(math.Abs(2*r.halfW-declared.w), math.Abs(2*r.halfH-declared.h))
}

// fitShape fits one shape to a fraction of a pixel: rays from outside to the first half-way point, a first guess that
// stray marks cannot move, then least squares with Tukey's weights. The evidence is the share of rays on the rim.
func (l *layer) fitShape(shape Shape, declared size) (rim, float64) {
	x, y := (l.markX+.5)/l.perMMX, (l.markY+.5)/l.perMMY
	reach := size{l.mark.w/2 + searchBeyond, l.mark.h/2 + searchBeyond}
	if shape == Round {
		reach = size{l.mark.larger()/2 + searchBeyond, l.mark.larger()/2 + searchBeyond}
	}
	var best rim
	evidence := 0.0
	// The second pass casts its rays from the centre that the first one found.
	for pass := range 2 {
		points := l.castRays(x, y, reach)
		var ok bool
		switch {
		case pass > 0:
			ok = true
		case shape == Round:
			best, ok = circleByLot(points, l.mark.larger())
		case shape == Ellipse:
			best, ok = ellipseByStarts(points, x, y, declared)
		default:
			best, ok = rectangleBySides(points, x, y)
		}
		if !ok {
			return rim{}, 0
		}
		if best = refineRim(best, points); !best.ok {
			return rim{}, 0
		}
		x, y = best.x, best.y
		reach = best.bounds()
		reach.w, reach.h = reach.w+searchBeyond, reach.h+searchBeyond
		evidence = best.evidence(points)
	}
	best.settleAxes(declared)
	l.describeEdge(&best)
	least := leastEvidence
	if shape != Round {
		least = leastFramed
	}
	best.ok = best.missing < mostMissing && evidence >= least
	return best, evidence
}

// bounds is half the width and the height of the upright rectangle around the rim.
func (r rim) bounds() size {
	if r.shape == Round {
		return size{r.halfW, r.halfH}
	}
	sin, cos := math.Sincos(r.angle * degree)
	if r.shape == Ellipse {
		return size{math.Hypot(r.halfW*cos, r.halfH*sin), math.Hypot(r.halfW*sin, r.halfH*cos)}
	}
	sin, cos = math.Abs(sin), math.Abs(cos)
	return size{r.halfW*cos + r.halfH*sin, r.halfW*sin + r.halfH*cos}
}

// settleAxes names the axes as the declared size does: the wider one across where the seal is wider than tall. The
// angle becomes the one nearest to level.
func (r *rim) settleAxes(declared size) {
	if r.shape == Round {
		return
	}
	turn := func() { r.halfW, r.halfH, r.angle = r.halfH, r.halfW, r.angle+90 }
	if declared.w == declared.h {
		for math.Remainder(r.angle, 180) <= -45 || math.Remainder(r.angle, 180) > 45 {
			turn()
		}
	} else if (r.halfW > r.halfH) != (declared.w > declared.h) {
		turn()
	}
	r.angle = math.Remainder(r.angle, 180)
}

// evidence is the share of all rays whose edge lies on the rim.
func (r rim) evidence(points []edgePoint) float64 {
	on := 0
	for _, p := range points {
		if p.found && math.Abs(r.outside(r.own(p.x, p.y))) < rimNear {
			on++
		}
	}
	return float64(on) / edgeRays
}

// castRays walks from the sides of a box around the middle inwards until the ink begins.
func (l *layer) castRays(x, y float64, reach size) []edgePoint {
	points := make([]edgePoint, edgeRays)
	step := .6 / math.Max(l.perMMX, l.perMMY)
	for ray := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(ray) / edgeRays)
		from := math.Min(reach.w/math.Max(math.Abs(cos), 1e-9), reach.h/math.Max(math.Abs(sin), 1e-9))
		until := math.Max(1.5, .3*math.Min(reach.w, reach.h))
		from = math.Min(from, math.Max(reach.w, reach.h)*math.Sqrt2)
		before := 0.0
		for r := from; r > until; r -= step {
			v := l.inkAt(x+r*cos, y+r*sin)
			if v >= .5 && l.lastingInk(x, y, cos, sin, r) {
				at := r
				if v > before {
					at += step * (v - .5) / (v - before)
				}
				points[ray] = edgePoint{x + at*cos, y + at*sin, true}
				break
			}
			before = v
		}
	}
	return points
}

// lastingInk tells the ring from a speck: ink goes on for a quarter of a millimetre.
func (l *layer) lastingInk(x, y, cos, sin, r float64) bool {
	return l.inkAt(x+(r-.12)*cos, y+(r-.12)*sin) > .4 && l.inkAt(x+(r-.25)*cos, y+(r-.25)*sin) > .4
}

func onlyFound(points []edgePoint) []edgePoint {
	var found []edgePoint
	for _, p := range points {
		if p.found {
			found = append(found, p)
		}
	}
	return found
}

// circleByLot draws triples of points and keeps the circle that most points lie on. The generator is seeded with a
// constant: the same scan gives the same circle.
func circleByLot(points []edgePoint, markMM float64) (rim, bool) {
	found := onlyFound(points)
	if len(found) < edgeRays/8 {
		return rim{}, false
	}
	lot := rand.New(rand.NewPCG(1999, 25))
	var best rim
	most := 0
	for range 300 {
		a, b, c := found[lot.IntN(len(found))], found[lot.IntN(len(found))], found[lot.IntN(len(found))]
		candidate, ok := circleThrough(a, b, c)
		if !ok || candidate.halfW < markMM*.3 || candidate.halfW > markMM*.75 {
			continue
		}
		count := 0
		for _, p := range found {
			if math.Abs(math.Hypot(p.x-candidate.x, p.y-candidate.y)-candidate.halfW) < rimNear {
				count++
			}
		}
		if count > most {
			best, most = candidate, count
		}
	}
	return best, float64(most) >= leastEvidence*edgeRays
}

func circleThrough(a, b, c edgePoint) (rim, bool) {
	bx, by, cx, cy := b.x-a.x, b.y-a.y, c.x-a.x, c.y-a.y
	d := 2 * (bx*cy - by*cx)
	if math.Abs(d) < 1e-6 {
		return rim{}, false
	}
	bb, cc := bx*bx+by*by, cx*cx+cy*cy
	ux, uy := (cy*bb-by*cc)/d, (bx*cc-cx*bb)/d
	radius := math.Hypot(ux, uy)
	return rim{shape: Round, x: a.x + ux, y: a.y + uy, halfW: radius, halfH: radius}, true
}

// ellipseByStarts lets least squares run from ellipses of the declared size at many angles and keeps the one that
// most points lie on. Where none is convincing, something else lies before the rim: then the starts are the places
// around at which such an ellipse passes near most points. The declared size is only where the search starts.
func ellipseByStarts(points []edgePoint, x, y float64, declared size) (rim, bool) {
	if len(onlyFound(points)) < edgeRays/8 {
		return rim{}, false
	}
	var best rim
	most := 0.0
	try := func(start rim) {
		if r := refineRim(start, points); r.ok {
			if e := r.evidence(points); e > most {
				best, most = r, e
			}
		}
	}
	start := rim{shape: Ellipse, x: x, y: y, halfW: declared.w / 2, halfH: declared.h / 2}
	for start.angle = -90; start.angle < 90; start.angle += 7.5 {
		try(start)
	}
	if most < surelyFramed {
		near := start
		nearest := 0
		for start.angle = -90; start.angle < 90; start.angle += 5 {
			for start.y = y - 4; start.y <= y+4; start.y++ {
				for start.x = x - 4; start.x <= x+4; start.x++ {
					count := 0
					for i := 0; i < len(points); i += 3 {
						if p := points[i]; p.found && math.Abs(start.outside(start.own(p.x, p.y))) < .7 {
							count++
						}
					}
					if count > nearest {
						near, nearest = start, count
					}
				}
			}
		}
		try(near)
	}
	return best, most >= leastEvidence
}

// rectangleBySides tries every angle: at the right one the points gather on four straight lines.
func rectangleBySides(points []edgePoint, x, y float64) (rim, bool) {
	const bin = .12 // mm
	found := onlyFound(points)
	var best rim
	most := 0
	var bins [4][1024]int
	for angle := -45.0; angle < 45; angle += .75 {
		sin, cos := math.Sincos(angle * degree)
		clear(bins[:])
		for _, p := range found {
			dx, dy := p.x-x, p.y-y
			u, v := dx*cos+dy*sin, dy*cos-dx*sin
			for side, d := range [4]float64{u, -u, v, -v} {
				if i := int(d / bin); d > 2 && i < len(bins[side]) {
					bins[side][i]++
				}
			}
		}
		total := 0
		var at [4]float64
		for side := range bins {
			high := 0
			for i := 1; i+1 < len(bins[side]); i++ {
				if n := bins[side][i-1] + bins[side][i] + bins[side][i+1]; n > high {
					high, at[side] = n, (float64(i)+.5)*bin
				}
			}
			total += high
		}
		if total > most {
			most = total
			r := rim{shape: Rectangle, angle: angle, x: x, y: y, halfW: (at[0] + at[1]) / 2, halfH: (at[2] + at[3]) / 2, corner: .3}
			r.x, r.y = r.onPage((at[0]-at[1])/2, (at[2]-at[3])/2)
			best = r
		}
	}
	return best, float64(most) >= leastEvidence*edgeRays && math.Min(best.halfW, best.halfH) > 2
}
