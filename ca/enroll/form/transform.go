package form

import "math"

// transform maps millimetres of the sheet to pixels of the scan: a projective map, row by row.
type transform [9]float64

func (t transform) apply(p Point) Point {
	w := t[6]*p.X + t[7]*p.Y + t[8]
	return Point{(t[0]*p.X + t[1]*p.Y + t[2]) / w, (t[3]*p.X + t[4]*p.Y + t[5]) / w}
}

// pair is a place on the sheet and where it was found on the scan.
type pair struct{ sheet, scan Point }

// similar is the turning, scaling and shifting that brings the pairs together with the least squares.
func similar(pairs []pair) (transform, bool) {
	var s, c Point
	n := float64(len(pairs))
	for _, p := range pairs {
		s.X, s.Y, c.X, c.Y = s.X+p.sheet.X/n, s.Y+p.sheet.Y/n, c.X+p.scan.X/n, c.Y+p.scan.Y/n
	}
	var dot, cross, norm float64
	for _, p := range pairs {
		x, y, u, v := p.sheet.X-s.X, p.sheet.Y-s.Y, p.scan.X-c.X, p.scan.Y-c.Y
		dot, cross, norm = dot+x*u+y*v, cross+x*v-y*u, norm+x*x+y*y
	}
	if norm == 0 {
		return transform{}, false
	}
	a, b := dot/norm, cross/norm
	return transform{a, -b, c.X - a*s.X + b*s.Y, b, a, c.Y - b*s.X - a*s.Y, 0, 0, 1}, true
}

// through is the map through three pairs (affine) or four (projective).
func through(pairs []pair) (transform, bool) {
	unknowns := 6
	if len(pairs) == 4 {
		unknowns = 8
	}
	var rows [][]float64
	for _, p := range pairs {
		x, y, u, v := p.sheet.X, p.sheet.Y, p.scan.X, p.scan.Y
		first := []float64{x, y, 1, 0, 0, 0, -x * u, -y * u}
		second := []float64{0, 0, 0, x, y, 1, -x * v, -y * v}
		rows = append(rows, append(first[:unknowns:unknowns], u), append(second[:unknowns:unknowns], v))
	}
	solution, ok := solve(rows)
	if !ok {
		return transform{}, false
	}
	t := transform{8: 1}
	copy(t[:8], solution)
	return t, true
}

// solve solves linear equations by elimination; each row ends with its right side.
func solve(rows [][]float64) ([]float64, bool) {
	n := len(rows)
	for column := range n {
		best := column
		for i := column; i < n; i++ {
			if math.Abs(rows[i][column]) > math.Abs(rows[best][column]) {
				best = i
			}
		}
		rows[column], rows[best] = rows[best], rows[column]
		if math.Abs(rows[column][column]) < 1e-9 {
			return nil, false
		}
		for i := range n {
			if i == column {
				continue
			}
			f := rows[i][column] / rows[column][column]
			for j := column; j <= n; j++ {
				rows[i][j] -= f * rows[column][j]
			}
		}
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = rows[i][n] / rows[i][i]
	}
	return out, true
}

// scale is pixels per millimetre across and down the sheet, at its middle.
func (t transform) scale() (across, down float64) {
	const step = 20.0
	middle := Point{sheetWidth / 2, sheetHeight / 2}
	side := func(dx, dy float64) float64 {
		a, b := t.apply(Point{middle.X - dx, middle.Y - dy}), t.apply(Point{middle.X + dx, middle.Y + dy})
		return math.Hypot(b.X-a.X, b.Y-a.Y) / (2 * step)
	}
	return side(step, 0), side(0, step)
}

// angle is how far the sheet lies turned on the scan, degrees clockwise, -180 to 180.
func (t transform) angle() float64 {
	a, b := t.apply(Point{marks[0].X, marks[0].Y}), t.apply(Point{marks[1].X, marks[1].Y})
	c, d := t.apply(Point{marks[2].X, marks[2].Y}), t.apply(Point{marks[3].X, marks[3].Y})
	return math.Atan2(b.Y-a.Y+d.Y-c.Y, b.X-a.X+d.X-c.X) * 180 / math.Pi
}
