package outline

// widest is how far, in points, a direction is looked for at most on either side.
const widest = 32

// direction is that of a curve that leaves a point, forwards (1) or backwards (-1): at a corner that of its own side,
// elsewhere the same as on the other side, so that curves join smoothly.
func (r *ring) direction(i, way int) Point {
	i = r.index(i)
	if r.corner[i] {
		return r.slope(i, way)
	}
	if r.tangents[i] == (Point{}) {
		r.tangents[i] = r.slope(i, 0)
	}
	return r.tangents[i].times(float64(way))
}

// slope is the direction of the parabola through a point that lies closest to its neighbours: to as many as lie on one,
// since the more there are, the less the ripple matters. side is 1 or -1 for neighbours after or before the point
// only, and 0 for both.
func (r *ring) slope(i, side int) Point {
	var before, after int
	if side >= 0 {
		after = r.free(i, 1)
	}
	if side <= 0 {
		before = r.free(i, -1)
	}
	if side == 0 {
		before = min(before, after)
		after = before
	}
	for count := max(before, after); count >= 3; count = count * 2 / 3 {
		if d, ok := r.parabola(i, min(before, count), min(after, count)); ok {
			if side < 0 {
				d = d.times(-1)
			}
			return d.unit()
		}
	}
	if side == 0 {
		return r.departure(i, 1).minus(r.departure(i, -1)).unit()
	}
	return r.departure(i, side)
}

// free counts the neighbours up to the next corner.
func (r *ring) free(i, way int) int {
	most := min(widest, (len(r.points)-1)/2)
	for k := 1; k <= most; k++ {
		if r.corner[r.index(i+k*way)] {
			return k
		}
	}
	return most
}

// parabola fits p(s) = p(0) + b·s + c·s² to the neighbours of a point, s being the way along the contour, and gives b.
func (r *ring) parabola(i, before, after int) (Point, bool) {
	origin := r.at(i)
	var s2, s3, s4 float64
	var p1, p2 Point
	way := 0.0
	add := func(s float64, d Point) {
		s2, s3, s4 = s2+s*s, s3+s*s*s, s4+s*s*s*s
		p1, p2 = p1.plus(d.times(s)), p2.plus(d.times(s*s))
	}
	for k := 1; k <= after; k++ {
		way += r.at(i + k).distance(r.at(i + k - 1))
		add(way, r.at(i+k).minus(origin))
	}
	way = 0
	for k := 1; k <= before; k++ {
		way += r.at(i - k).distance(r.at(i - k + 1))
		add(-way, r.at(i-k).minus(origin))
	}
	det := s2*s4 - s3*s3
	if det <= 1e-9*s2*s4 {
		return Point{}, false
	}
	b := p1.times(s4).minus(p2.times(s3)).times(1 / det)
	c := p2.times(s2).minus(p1.times(s3)).times(1 / det)
	fits := func(s float64, d Point) bool {
		return d.distance(b.times(s).plus(c.times(s*s))) <= r.within.tolerance
	}
	way = 0
	for k := 1; k <= after; k++ {
		way += r.at(i + k).distance(r.at(i + k - 1))
		if !fits(way, r.at(i+k).minus(origin)) {
			return Point{}, false
		}
	}
	way = 0
	for k := 1; k <= before; k++ {
		way += r.at(i - k).distance(r.at(i - k + 1))
		if !fits(-way, r.at(i-k).minus(origin)) {
			return Point{}, false
		}
	}
	return b, true
}
