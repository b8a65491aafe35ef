package outline

import (
	"math"
	"slices"
)

// precision is how closely a contour is followed, in pixels.
type precision struct {
	// tolerance is how far a curve may be from the smoothed contour, and shift how far smoothing may move a point.
	tolerance, shift float64
}

// Measured on seals at 600 dpi, where a tenth of a pixel is 4 µm: twice the curves would be needed to be better by a
// third, and the ripple of marching squares on slanting edges is as large.
var (
	// soft is for pictures with degrees of opacity at the rim of strokes.
	soft = precision{tolerance: 0.1, shift: 0.18}
	// hard is for pictures of nothing but solid and empty pixels: their edges are stairs of half a pixel, which are
	// not in the seal.
	hard = precision{tolerance: 0.2, shift: 0.36}
)

const (
	// longest is how many points one curve replaces at most. It bounds what a try costs.
	longest = 1024
	// rounds is how often the parameters of the points are improved before a curve is given up.
	rounds = 4
)

// fitContour replaces a contour by lines and curves.
func fitContour(c []Point, within precision) Path {
	if len(c) < 8 {
		return polygon(c)
	}
	r := newRing(c, make([]bool, len(c)), within)
	r.markCorners()
	r = r.sharpened().smoothed()
	start := max(0, slices.Index(r.corner, true))
	path := Path{Start: r.at(start)}
	end := start + len(r.points)
	for at := start; at < end; {
		// A stretch goes to the next corner.
		stop := at + 1
		for stop < end && !r.corner[r.index(stop)] {
			stop++
		}
		for at < stop {
			s, next := r.advance(at, stop)
			path.Segments = append(path.Segments, s)
			at = next
		}
	}
	return path
}

func polygon(c []Point) Path {
	p := Path{Start: c[0]}
	for i := range c {
		p.Segments = append(p.Segments, Segment{Line: true, End: c[(i+1)%len(c)]})
	}
	return p
}

// advance finds the line or curve from point at that reaches furthest towards stop, and where it ends. A line is
// preferred unless a curve reaches a fifth further: it takes a third of the space.
func (r *ring) advance(at, stop int) (Segment, int) {
	stop = min(stop, at+longest)
	straight := furthest(at, stop, func(to int) bool { return r.straight(at, to) })
	var best Segment
	leave := r.direction(at, 1)
	curved := furthest(at, stop, func(to int) bool {
		if to-at < 3 {
			return true // a line, when it comes to nothing more
		}
		s, ok := fitCubic(r, at, to, leave, r.direction(to, -1))
		if ok {
			best = s
		}
		return ok
	})
	if curved-at < 3 || 10*(curved-at) <= 12*(straight-at) || best.End != r.at(curved) {
		return Segment{Line: true, End: r.at(straight)}, straight
	}
	return best, curved
}

// furthest finds how far ok holds: by doubling, then by halving. The last successful call is for the result.
func furthest(from, stop int, ok func(to int) bool) int {
	good, step := from+1, 2
	bad := stop + 1
	for good < stop {
		to := min(from+step, stop)
		if to > good && !ok(to) {
			bad = to
			break
		}
		good = max(good, to)
		step *= 2
	}
	for good+1 < bad {
		to := (good + bad) / 2
		if ok(to) {
			good = to
		} else {
			bad = to
		}
	}
	return good
}

// straight reports whether the points between two lie on the line between them.
func (r *ring) straight(from, to int) bool {
	a, d := r.at(from), r.at(to).minus(r.at(from))
	tolerance := r.within.tolerance
	length := d.length()
	if length == 0 {
		return false
	}
	for i := from + 1; i < to; i++ {
		p := r.at(i).minus(a)
		if math.Abs(d.cross(p)) > tolerance*length || d.dot(p) < -tolerance*length || d.dot(p) > (length+tolerance)*length {
			return false
		}
	}
	return true
}

// fitCubic finds the curve between two points with given directions at its ends that comes closest to the points
// between them: least squares for the lengths of its handles, the points' parameters improved in between by Newton's
// method.
func fitCubic(r *ring, from, to int, leave, arrive Point) (Segment, bool) {
	a, b := r.at(from), r.at(to)
	base := r.along[from%len(r.points)]
	way := func(i int) float64 {
		n := len(r.points)
		return r.along[i%n] + float64(i/n-from/n)*r.along[n] - base
	}
	whole := way(to)
	if whole <= 0 {
		return Segment{}, false
	}
	t := make([]float64, to-from-1)
	for i := range t {
		t[i] = way(from+1+i) / whole
	}
	tolerance := r.within.tolerance
	var s Segment
	for round := range rounds {
		var ok bool
		if s, ok = solve(r, from, t, a, b, leave, arrive, whole); !ok {
			return s, false
		}
		worst := 0.0
		for i := range t {
			var distance float64
			t[i], distance = improve(a, s, r.at(from+1+i), t[i])
			worst = math.Max(worst, distance)
		}
		if worst <= tolerance*tolerance {
			return s, true
		}
		if round == 0 && worst > 100*tolerance*tolerance {
			return s, false
		}
	}
	return s, false
}

// solve finds the lengths of the handles by least squares.
func solve(r *ring, from int, t []float64, a, b, leave, arrive Point, whole float64) (Segment, bool) {
	var c00, c01, c11, x0, x1 float64
	turn := leave.dot(arrive)
	for i, t := range t {
		u := 1 - t
		b0, b1, b2, b3 := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		rest := r.at(from + 1 + i).minus(a.times(b0 + b1)).minus(b.times(b2 + b3))
		c00 += b1 * b1
		c01 += b1 * b2 * turn
		c11 += b2 * b2
		x0 += b1 * leave.dot(rest)
		x1 += b2 * arrive.dot(rest)
	}
	chord := a.distance(b)
	first, second := chord/3, chord/3
	if det := c00*c11 - c01*c01; det > 1e-9*c00*c11 {
		first, second = (x0*c11-x1*c01)/det, (c00*x1-c01*x0)/det
	}
	// Handles that point back, or longer than the way itself, make loops between the points.
	if first < 0 || second < 0 || first > whole || second > whole {
		return Segment{}, false
	}
	return Segment{C1: a.plus(leave.times(first)), C2: b.plus(arrive.times(second)), End: b}, true
}

// improve moves a parameter to where the curve is closest to p, and gives the square of the distance before that.
func improve(a Point, s Segment, p Point, t float64) (better, squared float64) {
	u := 1 - t
	d1, d2, d3 := s.C1.minus(a), s.C2.minus(s.C1), s.End.minus(s.C2)
	at := a.times(u * u * u).plus(s.C1.times(3 * u * u * t)).plus(s.C2.times(3 * u * t * t)).plus(s.End.times(t * t * t))
	speed := d1.times(3 * u * u).plus(d2.times(6 * u * t)).plus(d3.times(3 * t * t))
	bend := d2.minus(d1).times(6 * u).plus(d3.minus(d2).times(6 * t))
	off := at.minus(p)
	squared = off.dot(off)
	slope := speed.dot(speed) + off.dot(bend)
	if slope <= 0 {
		return t, squared
	}
	return math.Max(0, math.Min(1, t-off.dot(speed)/slope)), squared
}
