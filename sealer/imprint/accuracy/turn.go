package accuracy

import (
	"image"
	"math"
)

// turn is how far a template stands turned against the truth, in degrees clockwise: the nearest of many angles first,
// for templates that stand on their head, then by least squares together with shift and scale, so that neither
// passes for a turn.
func turn(template, truth *image.Alpha) float64 {
	moving, still := shrunk(template), shrunk(truth)
	best, least := 0.0, math.Inf(1)
	for degrees := -180.0; degrees < 180; degrees += 3 {
		if d := moving.distance(still, pose{turn: degrees * math.Pi / 180, scale: 1}, 3); d < least {
			best, least = degrees, d
		}
	}
	p := pose{turn: best * math.Pi / 180, scale: 1}
	for range 6 {
		p = moving.closer(still, p)
	}
	// The pose lays the truth's grid on the template: its turn is the template's.
	return p.turn * 180 / math.Pi
}

// pose maps a place of the truth to the template: turned around the middle, scaled, moved by pixels.
type pose struct{ turn, scale, x, y float64 }

// grey is a mask at a third of its resolution, blurred a little by that.
type grey struct {
	w, h int
	v    []float64
}

func shrunk(m *image.Alpha) *grey {
	const by = 3
	g := &grey{w: m.Rect.Dx() / by, h: m.Rect.Dy() / by}
	g.v = make([]float64, g.w*g.h)
	for y := range g.h * by {
		for x := range g.w * by {
			g.v[y/by*g.w+x/by] += float64(m.Pix[y*m.Stride+x]) / (255 * by * by)
		}
	}
	return g
}

func (g *grey) at(x, y float64) float64 {
	x0, y0 := int(math.Floor(x)), int(math.Floor(y))
	if x0 < 0 || y0 < 0 || x0+1 >= g.w || y0+1 >= g.h {
		return 0
	}
	u, v := x-float64(x0), y-float64(y0)
	i := y0*g.w + x0
	return (g.v[i]*(1-u)+g.v[i+1]*u)*(1-v) + (g.v[i+g.w]*(1-u)+g.v[i+g.w+1]*u)*v
}

func (p pose) place(x, y, w, h float64) (u, v float64) {
	sin, cos := math.Sincos(p.turn)
	x, y = x-(w-1)/2, y-(h-1)/2
	return p.scale*(cos*x-sin*y) + (w-1)/2 + p.x, p.scale*(sin*x+cos*y) + (h-1)/2 + p.y
}

// distance is the sum of squared differences over every step-th pixel.
func (g *grey) distance(still *grey, p pose, step int) float64 {
	sum := 0.0
	for y := 0; y < g.h; y += step {
		for x := 0; x < g.w; x += step {
			u, v := p.place(float64(x), float64(y), float64(g.w), float64(g.h))
			d := g.at(u, v) - still.v[y*g.w+x]
			sum += d * d
		}
	}
	return sum
}

// closer is one step of Gauss and Newton.
func (g *grey) closer(still *grey, p pose) pose {
	var a [4][5]float64
	w, h := float64(g.w), float64(g.h)
	sin, cos := math.Sincos(p.turn)
	for y := range g.h {
		for x := range g.w {
			u, v := p.place(float64(x), float64(y), w, h)
			gx, gy := (g.at(u+1, v)-g.at(u-1, v))/2, (g.at(u, v+1)-g.at(u, v-1))/2
			if gx == 0 && gy == 0 {
				continue
			}
			cx, cy := float64(x)-(w-1)/2, float64(y)-(h-1)/2
			rx, ry := cos*cx-sin*cy, sin*cx+cos*cy
			d := still.v[y*g.w+x] - g.at(u, v)
			weight := 1 / (1 + d*d/0.09) // gaps must not pull
			j := [4]float64{p.scale * (gy*rx - gx*ry), gx*rx + gy*ry, gx, gy}
			for r := range j {
				for c := range j {
					a[r][c] += weight * j[r] * j[c]
				}
				a[r][4] += weight * j[r] * d
			}
		}
	}
	for r := range 4 {
		if math.Abs(a[r][r]) < 1e-9 {
			return p
		}
		for below := r + 1; below < 4; below++ {
			k := a[below][r] / a[r][r]
			for c := r; c < 5; c++ {
				a[below][c] -= k * a[r][c]
			}
		}
	}
	var step [4]float64
	for r := 3; r >= 0; r-- {
		step[r] = a[r][4]
		for c := r + 1; c < 4; c++ {
			step[r] -= a[r][c] * step[c]
		}
		step[r] /= a[r][r]
	}
	return pose{p.turn + step[0], p.scale + step[1], p.x + step[2], p.y + step[3]}
}
