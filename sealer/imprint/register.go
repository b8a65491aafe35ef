package imprint

import "math"

// workDPI is the resolution at which two imprints are compared and registered.
const workDPI = 300.0

// view looks at a layer through its pose: canvas millimetres around the middle of the upright seal, scaled to the
// declared size, to pixels of the layer.
type view struct {
	*layer
	pose           pose
	scaleX, scaleY float64 // millimetres of the scan per millimetre of the canvas, across and along the seal
}

func newView(l *layer, p pose, declared size) *view {
	return &view{layer: l, pose: p, scaleX: 2 * p.halfW / declared.w, scaleY: 2 * p.halfH / declared.h}
}

// affine maps canvas millimetres to layer pixels: x = a·u + b·v + c, y = d·u + e·v + f.
type affine struct{ a, b, c, d, e, f float64 }

func (v *view) affine() affine {
	sin, cos := math.Sincos(v.pose.angle * degree)
	return affine{
		a: cos * v.scaleX * v.perMMX, b: -sin * v.scaleY * v.perMMX, c: v.pose.x*v.perMMX - .5,
		d: sin * v.scaleX * v.perMMY, e: cos * v.scaleY * v.perMMY, f: v.pose.y*v.perMMY - .5,
	}
}

// pixels is the canvas of a size at a resolution.
func (s size) pixels(perMM float64) (w, h int) {
	return int(math.Round(s.w * perMM)), int(math.Round(s.h * perMM))
}

// onCanvas samples a plane of the layer on the canvas of the declared size.
func (v *view) onCanvas(source *plane, declared size, perMM float64) *plane {
	m := v.affine()
	result := roughPlane(declared.pixels(perMM))
	halfW, halfH := float64(result.w)/2, float64(result.h)/2
	for y := range result.h {
		row := result.row(y)
		cv := (float64(y) + .5 - halfH) / perMM
		for x := range row {
			cu := (float64(x) + .5 - halfW) / perMM
			row[x] = source.sample(m.a*cu+m.b*cv+m.c, m.d*cu+m.e*cv+m.f)
		}
	}
	return result
}

// turn is a small motion of one canvas against another.
type turn struct {
	angle, x, y float64 // degrees clockwise, millimetres
	scale       float64 // growth: 0 is none
}

// shift changes the pose so that what stood displaced by t on the canvas stands in place.
func (v *view) shift(t turn) {
	m := v.affine()
	px, py := m.a*t.x+m.b*t.y+m.c, m.d*t.x+m.e*t.y+m.f
	v.pose.x, v.pose.y = (px+.5)/v.perMMX, (py+.5)/v.perMMY
	v.pose.angle = wrapped(v.pose.angle + t.angle)
	v.scaleX, v.scaleY = v.scaleX*(1+t.scale), v.scaleY*(1+t.scale)
}

// register brings two views into agreement. A coarse correlation corrects a view whose upright is a wrong fifth or
// unknown; then least squares on the ink find angle, shift and growth; both views move by the doubt in each.
func register(a, b *view, declared size) {
	perMM := workDPI / millimetresPerInch
	if step := correlate(a, b, declared); math.Abs(step) > 3 {
		if a.pose.unsure > b.pose.unsure || a.pose.doubted && !b.pose.doubted {
			a.pose.angle, a.pose.doubted, a.pose.unsure = wrapped(a.pose.angle-step), b.pose.doubted, 5
		} else {
			b.pose.angle, b.pose.doubted, b.pose.unsure = wrapped(b.pose.angle+step), a.pose.doubted, 5
		}
	}
	reference := a.onCanvas(a.alpha, declared, perMM)
	sigma := 2.0
	smooth := reference.blurred(sigma, sigma)
	var total turn
	start := *b
	for pass := range 8 {
		if pass == 3 {
			sigma = .7
			spare(smooth)
			smooth = reference.blurred(sigma, sigma)
		}
		moving := b.onCanvas(b.alpha, declared, perMM)
		soft := moving.blurred(sigma, sigma)
		t, ok := leastTurn(smooth, soft, perMM)
		spare(moving, soft)
		if !ok || math.Abs(t.angle) > 5 || math.Hypot(t.x, t.y) > 2 || math.Abs(t.scale) > .05 {
			*b = start // nothing to hold on to: the two are not the same
			return
		}
		b.shift(t)
		total = turn{total.angle + t.angle, total.x + t.x, total.y + t.y, total.scale + t.scale}
		if pass >= 3 && math.Abs(t.angle) < .002 && math.Hypot(t.x, t.y) < .002 {
			break
		}
	}
	// b now agrees with a. Both take back the share of the way that a's own doubt makes: the angle by how sure each
	// is, middle and size by halves.
	wa, wb := 1/square(math.Max(a.pose.unsure, .01)), 1/square(math.Max(b.pose.unsure, .01))
	back := turn{-total.angle * wb / (wa + wb), -total.x / 2, -total.y / 2, -total.scale / 2}
	a.shift(back)
	b.shift(back)
}

func square(v float64) float64 { return v * v }

// correlate is the turn, in degrees, by which b stands clockwise of a on the canvas, to half a degree.
func correlate(a, b *view, declared size) float64 {
	const directions = 720
	rings := func(v *view) [][]float64 {
		m := v.affine()
		var all [][]float64
		for share := .15; share < .92; share += .045 {
			rw, rh := share*declared.w/2, share*declared.h/2
			ring := make([]float64, directions)
			mean := 0.0
			for i := range ring {
				sin, cos := math.Sincos(2 * math.Pi * float64(i) / directions)
				u, w := rw*sin, -rh*cos
				ring[i] = v.alpha.at(m.a*u+m.b*w+m.c, m.d*u+m.e*w+m.f)
				mean += ring[i] / directions
			}
			for i := range ring {
				ring[i] = (ring[i] - mean) * share
			}
			all = append(all, ring)
		}
		return all
	}
	ra, rb := rings(a), rings(b)
	best, bestAt := math.Inf(-1), 0
	for shift := range directions {
		sum := 0.0
		for k, x := range ra {
			y := rb[k]
			for i, v := range x[:directions-shift] {
				sum += v * y[i+shift]
			}
			for i, v := range x[directions-shift:] {
				sum += v * y[i]
			}
		}
		if sum > best {
			best, bestAt = sum, shift
		}
	}
	return wrapped(float64(bestAt) * 360 / directions)
}

// leastTurn is one Gauss-Newton step: how moving must be read so that it becomes the reference.
func leastTurn(reference, moving *plane, perMM float64) (turn, bool) {
	rows := make([][]float64, 4)
	for i := range rows {
		rows[i] = make([]float64, 5)
	}
	halfW, halfH := float64(moving.w)/2, float64(moving.h)/2
	var sums [14]float64
	for y := 1; y+1 < moving.h; y++ {
		row, up, down, ref := moving.row(y), moving.row(y-1), moving.row(y+1), reference.row(y)
		cy := (float64(y) + .5 - halfH) / perMM
		for x := 1; x+1 < moving.w; x++ {
			gx, gy := float64(row[x+1]-row[x-1])/2*perMM, float64(down[x]-up[x])/2*perMM
			if gx == 0 && gy == 0 {
				continue
			}
			difference := float64(ref[x] - row[x])
			// What one of them lacks, a gap or a word written over it, must not pull.
			weight := 1 / (1 + square(difference/.3))
			cx := (float64(x) + .5 - halfW) / perMM
			ga, gs := (gy*cx-gx*cy)*degree, gx*cx+gy*cy
			wa, wx, wy, ws := weight*ga, weight*gx, weight*gy, weight*gs
			sums[0] += wa * ga
			sums[1] += wa * gx
			sums[2] += wa * gy
			sums[3] += wa * gs
			sums[4] += wx * gx
			sums[5] += wx * gy
			sums[6] += wx * gs
			sums[7] += wy * gy
			sums[8] += wy * gs
			sums[9] += ws * gs
			sums[10] += wa * difference
			sums[11] += wx * difference
			sums[12] += wy * difference
			sums[13] += ws * difference
		}
	}
	next := 0
	for i := range 4 {
		for j := i; j < 4; j++ {
			rows[i][j], rows[j][i] = sums[next], sums[next]
			next++
		}
	}
	for i := range 4 {
		rows[i][4] = sums[10+i]
	}
	x, ok := solve(rows)
	if !ok {
		return turn{}, false
	}
	return turn{angle: x[0], x: x[1], y: x[2], scale: x[3]}, true
}
