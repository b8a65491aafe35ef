package outline

import "math"

// ring is a contour with its corners and the way along it measured.
type ring struct {
	points   []Point
	corner   []bool
	along    []float64 // from the first point, one more than points: the last is the way round
	within   precision
	tangents []Point // directions that were asked for, zero where not yet
}

func newRing(c []Point, corner []bool, within precision) *ring {
	r := &ring{points: c, corner: corner, within: within, along: make([]float64, len(c)+1), tangents: make([]Point, len(c))}
	for i, p := range c {
		r.along[i+1] = r.along[i] + p.distance(c[(i+1)%len(c)])
	}
	return r
}

func (r *ring) index(i int) int {
	n := len(r.points)
	return ((i % n) + n) % n
}

func (r *ring) at(i int) Point { return r.points[r.index(i)] }

// reach is how far from a point its direction is looked for, in pixels: longer than the steps of a picture without
// intermediate opacities, shorter than the strokes of a character.
const reach = 2.5

// departure is the direction in which the contour leaves a point, forwards or backwards.
func (r *ring) departure(i, way int) Point {
	from := r.at(i)
	q := from
	for k := 1; k <= len(r.points)/2; k++ {
		q = r.at(i + k*way)
		if q.distance(from) >= reach {
			break
		}
	}
	return q.minus(from).unit()
}

// cornerTurn is the least turn of a corner. The steps of a picture without intermediate opacities turn by less within
// reach, and so do arcs of more than five pixels.
const cornerTurn = 38 * math.Pi / 180

// markCorners finds the points where the direction changes at once: each turns more than its neighbours within reach.
func (r *ring) markCorners() {
	turns := make([]float64, len(r.points))
	for i := range turns {
		before, after := r.departure(i, -1).times(-1), r.departure(i, 1)
		turns[i] = math.Abs(math.Atan2(before.cross(after), before.dot(after)))
	}
	for i, turn := range turns {
		r.corner[i] = turn >= cornerTurn && r.sharpest(turns, i)
	}
}

func (r *ring) sharpest(turns []float64, i int) bool {
	for _, way := range [2]int{-1, 1} {
		for k := 1; k < len(turns); k++ {
			j := r.index(i + k*way)
			if r.points[j].distance(r.points[i]) >= reach {
				break
			}
			if turns[j] > turns[i] || turns[j] == turns[i] && j < i {
				return false
			}
		}
	}
	return true
}

// Pixels cut the tip off a corner. Where both sides are straight between tipBegin and tipEnd pixels from it, it is put
// back where they meet, if that is less than tipReach away.
const (
	tipBegin = 1.1
	tipEnd   = 4.5
	tipReach = 1
)

// sharpened puts the tips back on corners.
func (r *ring) sharpened() *ring {
	drop := make([]bool, len(r.points))
	moved := make(map[int]Point)
	for i, is := range r.corner {
		if !is {
			continue
		}
		tip, ok := r.tip(i)
		if !ok {
			continue
		}
		moved[i] = tip
		for _, way := range [2]int{-1, 1} {
			for k := 1; k < len(r.points)/2; k++ {
				j := r.index(i + k*way)
				if r.corner[j] || r.points[j].distance(r.points[i]) >= tipBegin {
					break
				}
				drop[j] = true
			}
		}
	}
	if len(moved) == 0 {
		return r
	}
	points, corner := make([]Point, 0, len(r.points)), make([]bool, 0, len(r.points))
	for i, p := range r.points {
		if drop[i] {
			continue
		}
		if tip, ok := moved[i]; ok {
			p = tip
		}
		points, corner = append(points, p), append(corner, r.corner[i])
	}
	return newRing(points, corner, r.within)
}

// tip is where the sides of a corner meet.
func (r *ring) tip(i int) (Point, bool) {
	a, u, ok := r.side(i, -1)
	if !ok {
		return Point{}, false
	}
	b, v, ok := r.side(i, 1)
	if !ok {
		return Point{}, false
	}
	sine := u.cross(v)
	if math.Abs(sine) < .3 {
		return Point{}, false
	}
	tip := a.plus(u.times(b.minus(a).cross(v) / sine))
	return tip, tip.distance(r.at(i)) < tipReach
}

// side is the line that one side of a corner lies on: a point of it and its direction.
func (r *ring) side(i, way int) (middle, direction Point, ok bool) {
	var side []Point
	for k := 1; k < len(r.points)/2; k++ {
		p := r.at(i + k*way)
		distance := p.distance(r.at(i))
		if distance > tipEnd || r.corner[r.index(i+k*way)] {
			break
		}
		if distance >= tipBegin {
			side = append(side, p)
		}
	}
	if len(side) < 3 {
		return Point{}, Point{}, false
	}
	for _, p := range side {
		middle = middle.plus(p.times(1 / float64(len(side))))
	}
	var xx, xy, yy float64
	for _, p := range side {
		d := p.minus(middle)
		xx, xy, yy = xx+d.X*d.X, xy+d.X*d.Y, yy+d.Y*d.Y
	}
	sin, cos := math.Sincos(math.Atan2(2*xy, xx-yy) / 2)
	direction = Point{cos, sin}
	for _, p := range side {
		if math.Abs(direction.cross(p.minus(middle))) > r.within.tolerance {
			return middle, direction, false
		}
	}
	return middle, direction, true
}

// smoothed takes the ripple out of a contour: four times each point moves halfway to the middle of its neighbours,
// unless that takes it too far from where it was. Corners stay.
func (r *ring) smoothed() *ring {
	n := len(r.points)
	points := r.points
	for range 4 {
		next := make([]Point, n)
		for i, p := range points {
			next[i] = p
			if r.corner[i] {
				continue
			}
			q := p.times(.5).plus(points[(i+n-1)%n].plus(points[(i+1)%n]).times(.25))
			if q.distance(r.points[i]) <= r.within.shift {
				next[i] = q
			}
		}
		points = next
	}
	return newRing(points, r.corner, r.within)
}
