package imprint

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	edgeRays      = 720
	searchBeyond  = 1.8 // mm outside the rough radius where a ray starts
	circleNear    = .15 // mm from the circle for an edge point to be of it
	circleCatch   = .45 // mm: the ring is there, if not exact
	mostMissing   = .5  // share of the ring without ink beyond which there is no ring
	leastEvidence = .3  // share of rays that must lie on the circle
)

// circle is the fitted outer edge, in millimetres from the crop's upper left corner.
type circle struct {
	x, y, radius float64
	residual     float64 // root mean square over the points that fit
	edgeWidth    float64 // 10 to 90 per cent
	border       float64
	gap          float64 // longest missing part, degrees
	missing      float64 // missing share
	present      []bool  // per ray, clockwise from the right on the page
	ok           bool
}

// edgePoint is where a ray meets the outer edge.
type edgePoint struct {
	x, y  float64
	ray   int
	found bool
}

// millimetre positions and pixels of the crop: the first pixel's middle is half a pixel from the corner.
func (c *crop) pixel(x, y float64) (float64, float64) { return x*c.perMMX - .5, y*c.perMMY - .5 }

func (l *layer) inkAt(x, y float64) float64 {
	px, py := l.pixel(x, y)
	return l.alpha.at(px, py)
}

// fitCircle fits the outer edge of the seal to a fraction of a pixel: rays from outside to the first half-way point,
// three-point circles by lot against stray marks, then least squares with Tukey's weights.
func (l *layer) fitCircle() circle {
	x, y := (l.markX+.5)/l.perMMX, (l.markY+.5)/l.perMMY
	radius := l.markMM / 2
	var best circle
	// The second pass casts its rays from the centre that the first one found.
	for range 2 {
		points := l.castRays(x, y, radius+searchBeyond, math.Max(2, radius*.35))
		c, ok := circleByLot(points, l.markMM)
		if !ok {
			return circle{}
		}
		if best = refineCircle(c, points); !best.ok {
			return circle{}
		}
		x, y, radius = best.x, best.y, best.radius
	}
	l.describeEdge(&best)
	best.ok = best.missing < mostMissing
	return best
}

func (l *layer) castRays(x, y, from, until float64) []edgePoint {
	points := make([]edgePoint, edgeRays)
	step := .6 / math.Max(l.perMMX, l.perMMY)
	for ray := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(ray) / edgeRays)
		points[ray].ray = ray
		before := 0.0
		for r := from; r > until; r -= step {
			v := l.inkAt(x+r*cos, y+r*sin)
			if v >= .5 && l.lastingInk(x, y, cos, sin, r) {
				at := r
				if v > before {
					at += step * (v - .5) / (v - before)
				}
				points[ray] = edgePoint{x + at*cos, y + at*sin, ray, true}
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

// circleByLot draws triples of points and keeps the circle that most points lie on. The generator is seeded with a
// constant: the same scan gives the same circle.
func circleByLot(points []edgePoint, markMM float64) (circle, bool) {
	var found []edgePoint
	for _, p := range points {
		if p.found {
			found = append(found, p)
		}
	}
	if len(found) < edgeRays/8 {
		return circle{}, false
	}
	lot := rand.New(rand.NewPCG(1999, 25))
	var best circle
	most := 0
	for range 300 {
		a, b, c := found[lot.IntN(len(found))], found[lot.IntN(len(found))], found[lot.IntN(len(found))]
		candidate, ok := circleThrough(a, b, c)
		if !ok || candidate.radius < markMM*.3 || candidate.radius > markMM*.75 {
			continue
		}
		count := 0
		for _, p := range found {
			if math.Abs(math.Hypot(p.x-candidate.x, p.y-candidate.y)-candidate.radius) < circleNear {
				count++
			}
		}
		if count > most {
			best, most = candidate, count
		}
	}
	return best, float64(most) >= leastEvidence*edgeRays
}

func circleThrough(a, b, c edgePoint) (circle, bool) {
	bx, by, cx, cy := b.x-a.x, b.y-a.y, c.x-a.x, c.y-a.y
	d := 2 * (bx*cy - by*cx)
	if math.Abs(d) < 1e-6 {
		return circle{}, false
	}
	bb, cc := bx*bx+by*by, cx*cx+cy*cy
	ux, uy := (cy*bb-by*cc)/d, (bx*cc-cx*bb)/d
	return circle{x: a.x + ux, y: a.y + uy, radius: math.Hypot(ux, uy)}, true
}

// refineCircle is Gauss-Newton on the distances from the circle. Tukey's weight takes out what is more than a
// shrinking limit away.
func refineCircle(c circle, points []edgePoint) circle {
	limit := .5
	for range 12 {
		var a [3][3]float64
		var b [3]float64
		weights, squares := 0.0, 0.0
		for _, p := range points {
			if !p.found {
				continue
			}
			dx, dy := p.x-c.x, p.y-c.y
			distance := math.Hypot(dx, dy)
			residual := distance - c.radius
			if math.Abs(residual) >= limit || distance == 0 {
				continue
			}
			t := residual / limit
			weight := (1 - t*t) * (1 - t*t)
			gradient := [3]float64{-dx / distance, -dy / distance, -1}
			for i := range 3 {
				for j := range 3 {
					a[i][j] += weight * gradient[i] * gradient[j]
				}
				b[i] -= weight * gradient[i] * residual
			}
			weights += weight
			squares += weight * residual * residual
		}
		step, ok := solve3(a, b)
		if !ok || weights < leastEvidence*edgeRays/2 {
			c.ok = false
			return c
		}
		c.x, c.y, c.radius = c.x+step[0], c.y+step[1], c.radius+step[2]
		c.residual = math.Sqrt(squares / weights)
		c.ok = true
		limit = clamp(5*c.residual, .08, limit)
	}
	return c
}

func solve3(a [3][3]float64, b [3]float64) ([3]float64, bool) {
	rows := make([][]float64, 3)
	for i := range rows {
		rows[i] = []float64{a[i][0], a[i][1], a[i][2], b[i]}
	}
	x, ok := solve(rows)
	if !ok {
		return [3]float64{}, false
	}
	return [3]float64{x[0], x[1], x[2]}, true
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

// describeEdge measures the ring along every ray: whether it is there, how sharp its outer edge is, how wide it is.
func (l *layer) describeEdge(c *circle) {
	step := .25 / math.Max(l.perMMX, l.perMMY)
	c.present = make([]bool, edgeRays)
	var edges, borders []float64
	for ray := range c.present {
		sin, cos := math.Sincos(2 * math.Pi * float64(ray) / edgeRays)
		outer10, outer90, inner := math.NaN(), math.NaN(), math.NaN()
		top := 0.0
		for r := c.radius + circleCatch; r > c.radius-circleCatch; r -= step {
			top = math.Max(top, l.inkAt(c.x+r*cos, c.y+r*sin))
		}
		c.present[ray] = top >= .5
		if top < .7 {
			continue
		}
		for r := c.radius + .6; r > c.radius-3; r -= step {
			v := l.inkAt(c.x+r*cos, c.y+r*sin)
			switch {
			case math.IsNaN(outer10) && v >= .1*top:
				outer10 = r
			case math.IsNaN(outer90) && v >= .9*top:
				outer90 = r
			case !math.IsNaN(outer90) && v < .5*top:
				inner = r
			}
			if !math.IsNaN(inner) {
				break
			}
		}
		if !math.IsNaN(outer90) {
			edges = append(edges, outer10-outer90)
		}
		if !math.IsNaN(inner) {
			borders = append(borders, c.radius-inner)
		}
	}
	c.edgeWidth, c.border = median(edges), median(borders)
	missing, run, longest := 0, 0, 0
	for i := range 2 * edgeRays { // twice round, for a gap across the start
		if c.present[i%edgeRays] {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
		if i < edgeRays {
			missing++
		}
	}
	c.gap = 360 * float64(min(longest, edgeRays)) / edgeRays
	c.missing = float64(missing) / edgeRays
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
