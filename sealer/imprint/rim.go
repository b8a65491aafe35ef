package imprint

import "math"

// size is a width and a height in millimetres.
type size struct{ w, h float64 }

func (s size) larger() float64 { return math.Max(s.w, s.h) }

// rim is the fitted outer edge of a seal, in millimetres from the crop's upper left corner.
type rim struct {
	shape        Shape
	x, y         float64 // middle
	halfW, halfH float64 // along its own axes; the radius twice for a circle
	corner       float64 // radius of a rectangle's corners
	angle        float64 // of the axis of halfW, degrees clockwise from the right; 0 for a circle
	unsure       float64 // standard error of angle, degrees
	residual     float64 // root mean square over the points that fit
	edgeWidth    float64 // 10 to 90 per cent
	border       float64 // median width of the ring or frame; 0 for a solid ground or none
	gap          float64 // longest missing part, degrees
	missing      float64 // missing share
	present      []bool  // per ray, clockwise from the right on the page
	ok           bool
}

// meanRadius is the radius of the circle, or of one between the sides.
func (r rim) meanRadius() float64 { return (r.halfW + r.halfH) / 2 }

// polar gives a position on the page from an angle in degrees clockwise from the top.
func (r rim) polar(radius, angle float64) (x, y float64) {
	sin, cos := math.Sincos(angle * degree)
	return r.x + radius*sin, r.y - radius*cos
}

// own turns a position on the page into one along the rim's own axes, around its middle.
func (r rim) own(x, y float64) (u, v float64) {
	dx, dy := x-r.x, y-r.y
	if r.angle == 0 {
		return dx, dy
	}
	sin, cos := math.Sincos(r.angle * degree)
	return dx*cos + dy*sin, dy*cos - dx*sin
}

// onPage is the inverse of own.
func (r rim) onPage(u, v float64) (x, y float64) {
	sin, cos := math.Sincos(r.angle * degree)
	return r.x + u*cos - v*sin, r.y + u*sin + v*cos
}

// outside is how far a position along the rim's own axes lies beyond the rim, in millimetres; negative inside. For an
// ellipse it is exact to the first order, near the rim.
func (r rim) outside(u, v float64) float64 {
	switch r.shape {
	case Round:
		return math.Hypot(u, v) - r.halfW
	case Ellipse:
		f := math.Hypot(u/r.halfW, v/r.halfH)
		if f < 1e-6 {
			return -math.Min(r.halfW, r.halfH)
		}
		return (f - 1) * f / math.Hypot(u/square(r.halfW), v/square(r.halfH))
	}
	du, dv := math.Abs(u)-(r.halfW-r.corner), math.Abs(v)-(r.halfH-r.corner)
	if du <= 0 || dv <= 0 {
		return math.Max(du, dv) - r.corner
	}
	return math.Hypot(du, dv) - r.corner
}

// scaled is the same rim upright around the middle of a canvas, with the declared size.
func (r rim) scaled(declared size) rim {
	r.corner *= declared.larger() / (2 * math.Max(r.halfW, r.halfH))
	r.x, r.y, r.angle, r.halfW, r.halfH = 0, 0, 0, declared.w/2, declared.h/2
	return r
}

// normal is the outward direction at a position along the rim's own axes, near the rim.
func (r rim) normal(u, v float64) (nu, nv float64) {
	const small = 1e-4
	nu = r.outside(u+small, v) - r.outside(u-small, v)
	nv = r.outside(u, v+small) - r.outside(u, v-small)
	length := math.Hypot(nu, nv)
	if length == 0 {
		return 1, 0
	}
	return nu / length, nv / length
}

// foot is where the ray of a number leaves the rim, along its own axes. Rays are counted clockwise from the right on
// the page.
func (r rim) foot(ray int) (u, v float64) {
	sin, cos := math.Sincos(2*math.Pi*float64(ray)/edgeRays - r.angle*degree)
	switch r.shape {
	case Round:
		return r.halfW * cos, r.halfW * sin
	case Ellipse:
		d := 1 / math.Hypot(cos/r.halfW, sin/r.halfH)
		return d * cos, d * sin
	}
	low, high := 0.0, math.Hypot(r.halfW, r.halfH)
	for range 24 {
		middle := (low + high) / 2
		if r.outside(middle*cos, middle*sin) > 0 {
			high = middle
		} else {
			low = middle
		}
	}
	return low * cos, low * sin
}
