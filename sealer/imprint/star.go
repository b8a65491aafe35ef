package imprint

import "math"

// star is a five-pointed star fitted to the ink: ten straight edges between an outer and an inner circle.
type star struct {
	x, y, outer, inner float64 // millimetres
	angle              float64 // of one point, degrees clockwise from the top
	unsure             float64 // standard error of the angle, degrees
	ok                 bool
}

const (
	starSamples = 40 // per edge
	pinhole     = .4 // mm: ink that is missing on a shorter way is no end
	starReach   = .6 // mm on both sides of an edge in which its ink is looked for
)

// fitStar fits the ten edges of the star to a fraction of a pixel, starting from the phase of the fifth harmonic.
// Their whole length speaks, so a gap in one arm does not turn the seal as it turns the harmonic. The model only
// measures: nothing of it is drawn.
func (l *layer) fitStar(c rim, phase float64) star {
	s := star{x: c.x, y: c.y, angle: phase}
	s.outer, s.inner = l.starReach(c, phase)
	if s.outer < leastStar*c.halfW || s.inner < .25*s.outer || s.inner > .75*s.outer {
		return s
	}
	for pass := range 8 {
		reach := starReach
		if pass >= 3 {
			reach = starReach / 2
		}
		next, ok := l.refineStar(s, reach)
		if !ok {
			return s
		}
		s = next
	}
	// A star off the middle of its seal, or far from the shape of a star, is something else.
	s.ok = math.Hypot(s.x-c.x, s.y-c.y) < .08*c.halfW && s.unsure < .5
	return s
}

// starReach finds how far the ink goes along the points and along the notches of the star.
func (l *layer) starReach(c rim, phase float64) (outer, inner float64) {
	length := func(offset float64) float64 {
		var ends []float64
		for i := range 5 {
			angle := phase + offset + 72*float64(i)
			end := 0.0
			for r := .05 * c.halfW; r < .5*c.halfW && r-end < pinhole+.05*c.halfW; r += .03 {
				x, y := c.polar(r, angle)
				if l.figureAt(x, y) >= .5 {
					end = r
				}
			}
			ends = append(ends, end)
		}
		return median(ends)
	}
	return length(0), length(36)
}

// corners of the star, alternating point and notch, clockwise from the point at angle.
func (s star) corners() (corners [11][2]float64) {
	for i := range corners {
		r := s.outer
		if i%2 == 1 {
			r = s.inner
		}
		sin, cos := math.Sincos((s.angle + 36*float64(i)) * degree)
		corners[i] = [2]float64{s.x + r*sin, s.y - r*cos}
	}
	return corners
}

// refineStar is one Gauss-Newton step with Tukey's weights on the distances of the half-way points from the edges.
func (l *layer) refineStar(s star, reach float64) (star, bool) {
	corners := s.corners()
	rows := make([][]float64, 5)
	for i := range rows {
		rows[i] = make([]float64, 6)
	}
	// The derivative of an edge's distance by the five unknowns, by differences of the model.
	var moved [5]star
	const small = 1e-4
	for i := range moved {
		moved[i] = s
	}
	moved[0].x += small
	moved[1].y += small
	moved[2].outer += small
	moved[3].inner += small
	moved[4].angle += small
	var movedCorners [5][11][2]float64
	for i := range moved {
		movedCorners[i] = moved[i].corners()
	}
	weights, squares, edges := 0.0, 0.0, 0
	for e := range 10 {
		a, b := corners[e], corners[e+1]
		length := math.Hypot(b[0]-a[0], b[1]-a[1])
		nx, ny := (b[1]-a[1])/length, -(b[0]-a[0])/length // outwards
		hits := 0
		for i := range starSamples {
			t := .15 + .70*(float64(i)+.5)/starSamples // corners are rounded by ink
			mx, my := a[0]+t*(b[0]-a[0]), a[1]+t*(b[1]-a[1])
			distance, ok := l.crossing(mx, my, nx, ny, reach)
			if !ok {
				continue
			}
			hits++
			u := distance / (reach * 1.05)
			weight := (1 - u*u) * (1 - u*u)
			var gradient [5]float64
			for k := range gradient {
				ma, mb := movedCorners[k][e], movedCorners[k][e+1]
				gradient[k] = ((ma[0]+t*(mb[0]-ma[0])-mx)*nx + (ma[1]+t*(mb[1]-ma[1])-my)*ny) / small
			}
			for j := range 5 {
				for k := range 5 {
					rows[j][k] += weight * gradient[j] * gradient[k]
				}
				rows[j][5] += weight * gradient[j] * distance
			}
			weights += weight
			squares += weight * distance * distance
		}
		if hits >= starSamples/2 {
			edges++
		}
	}
	if edges < 5 {
		return s, false
	}
	turning := rows[4][4]
	step, ok := solve(rows)
	if !ok || math.Abs(step[4]) > 20 {
		return s, false
	}
	s.x, s.y, s.outer, s.inner, s.angle = s.x+step[0], s.y+step[1], s.outer+step[2], s.inner+step[3], s.angle+step[4]
	// Neighbouring samples see the same grain of ink; about one in five is a new witness.
	s.unsure = math.Sqrt(squares / weights * 5 / turning)
	return s, s.inner > 0 && s.outer > s.inner
}

// crossing is where ink ends along a normal, in millimetres from its foot; nearest to the foot.
func (l *layer) crossing(x, y, nx, ny, reach float64) (float64, bool) {
	step := .5 / math.Max(l.perMMX, l.perMMY)
	n := int(reach / step)
	best, found := 0.0, false
	before := l.figureAt(x-float64(n)*step*nx, y-float64(n)*step*ny)
	for i := -n + 1; i <= n; i++ {
		d := float64(i) * step
		v := l.figureAt(x+d*nx, y+d*ny)
		if before >= .5 && v < .5 {
			at := d - step*(.5-v)/(before-v)
			if !found || math.Abs(at) < math.Abs(best) {
				best, found = at, true
			}
		}
		before = v
	}
	return best, found
}

// holds says whether a position lies inside the star by at least the margin, in millimetres.
func (s star) holds(x, y, margin float64) bool {
	dx, dy := x-s.x, y-s.y
	around := math.Abs(math.Remainder(math.Atan2(dx, -dy)/degree-s.angle, 72)) * degree
	radius := math.Hypot(dx, dy)
	// One edge, from the point (outer, 0) to the notch at 36 degrees; the star lies on the side of the middle.
	sin, cos := math.Sincos(36 * degree)
	ex, ey := s.inner*cos-s.outer, s.inner*sin
	px, py := radius*math.Cos(around)-s.outer, radius*math.Sin(around)
	return (ex*py-ey*px)/math.Hypot(ex, ey) > margin
}
