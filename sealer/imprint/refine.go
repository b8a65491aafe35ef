package imprint

import (
	"math"
	"slices"
)

// mostUnknowns of a rim: middle, halves, angle and corner.
const mostUnknowns = 6

// gradient is how the distance from the rim of a position along the rim's own axes changes with the middle (along the
// page's axes), the halves, the angle in degrees and the corner. Its length is the number of unknowns of the shape.
func (r rim) gradient(u, v float64, g *[mostUnknowns]float64) int {
	nu, nv := r.normal(u, v)
	sin, cos := math.Sincos(r.angle * degree)
	g[0], g[1] = -(nu*cos - nv*sin), -(nu*sin + nv*cos)
	if r.shape == Round {
		g[2] = -1
		return 3
	}
	const small = 1e-4
	at := r.outside(u, v)
	wider, taller := r, r
	wider.halfW += small
	taller.halfH += small
	g[2], g[3] = (wider.outside(u, v)-at)/small, (taller.outside(u, v)-at)/small
	g[4] = (nu*v - nv*u) * degree
	if r.shape == Ellipse {
		return 5
	}
	rounder := r
	rounder.corner += small
	g[5] = (rounder.outside(u, v) - at) / small
	return 6
}

// refineRim is Gauss-Newton on the distances from the rim. Tukey's weight takes out what is more than a shrinking
// limit away.
func refineRim(r rim, points []edgePoint) rim {
	limit := .5
	if r.shape == Ellipse {
		limit = 1.5
	}
	var g [mostUnknowns]float64
	for pass := range 16 {
		rows := make([][]float64, r.gradient(r.halfW, 0, &g))
		for i := range rows {
			rows[i] = make([]float64, len(rows)+1)
			rows[i][i] = 1e-9
		}
		n := len(rows)
		if n == mostUnknowns {
			rows[5][5] = 1 // few points tell of the corner: hold it where none does
		}
		weights, squares := 0.0, 0.0
		for _, p := range points {
			if !p.found {
				continue
			}
			u, v := r.own(p.x, p.y)
			distance := r.outside(u, v)
			if math.Abs(distance) >= limit {
				continue
			}
			t := distance / limit
			weight := (1 - t*t) * (1 - t*t)
			r.gradient(u, v, &g)
			for i := range n {
				for j := range n {
					rows[i][j] += weight * g[i] * g[j]
				}
				rows[i][n] -= weight * g[i] * distance
			}
			weights += weight
			squares += weight * distance * distance
		}
		r.ok = false
		if weights < leastEvidence*edgeRays/2 {
			return r
		}
		residual := math.Sqrt(squares / weights)
		if n > 3 {
			r.unsure = unsureAngle(rows, residual)
		}
		step, ok := solve(rows)
		if !ok {
			return r
		}
		r.move(step)
		if !(math.Min(r.halfW, r.halfH) > 2 && math.Max(r.halfW, r.halfH) < greatestMM) {
			return r
		}
		r.residual, r.ok = residual, true
		limit = clamp(5*residual, .08, limit)
		if pass > 3 && math.Abs(step[0]) < 1e-6 && math.Abs(step[1]) < 1e-6 && math.Abs(step[2]) < 1e-6 {
			break
		}
	}
	return r
}

func (r *rim) move(step []float64) {
	r.x, r.y, r.halfW = r.x+step[0], r.y+step[1], r.halfW+step[2]
	if r.shape == Round {
		r.halfH = r.halfW
		return
	}
	r.halfH += step[3]
	r.angle = math.Remainder(r.angle+clamp(step[4], -10, 10), 180)
	if r.shape == Rectangle {
		r.corner = clamp(r.corner+clamp(step[5], -.5, .5), 0, .45*math.Min(r.halfW, r.halfH))
	}
}

// unsureAngle is the standard error of the angle from the normal equations. Neighbouring rays see the same grain of
// ink: about one in five is a new witness.
func unsureAngle(normal [][]float64, residual float64) float64 {
	n := len(normal)
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = slices.Clone(normal[i])
		rows[i][n] = 0
	}
	rows[4][n] = 1
	x, ok := solve(rows)
	if !ok || !(x[4] > 0) {
		return 180
	}
	return residual * math.Sqrt(5*x[4])
}

// solve is Gauss elimination with pivoting; every row holds its coefficients and the right side.
func solve(rows [][]float64) ([]float64, bool) {
	n := len(rows)
	for i := range n {
		pivot := i
		for j := i + 1; j < n; j++ {
			if math.Abs(rows[j][i]) > math.Abs(rows[pivot][i]) {
				pivot = j
			}
		}
		rows[i], rows[pivot] = rows[pivot], rows[i]
		if !(math.Abs(rows[i][i]) > 1e-12) {
			return nil, false
		}
		for j := i + 1; j < n; j++ {
			f := rows[j][i] / rows[i][i]
			for k := i; k <= n; k++ {
				rows[j][k] -= f * rows[i][k]
			}
		}
	}
	x := make([]float64, n)
	for i := n - 1; i >= 0; i-- {
		x[i] = rows[i][n]
		for j := i + 1; j < n; j++ {
			x[i] -= rows[i][j] * x[j]
		}
		x[i] /= rows[i][i]
	}
	return x, true
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
