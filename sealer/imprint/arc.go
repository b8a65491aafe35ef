package imprint

import "math"

// leastRhythm is the share of the ink of the arc text that must follow the rhythm of its characters.
const leastRhythm = .3

// rhythm is the angle at which the characters of the arc text stand symmetrically: they are evenly spaced, so that the
// phase of their rhythm says where the middle of each is, and with that the middle of all up to half a step. Near is
// the angle that the gap says, which chooses among these. All characters speak, where the gap hears the first and the
// last one only.
func (b band) rhythm(near float64) (angle, strength float64) {
	mass := make([]float64, gapDirections)
	total := 0.0
	for i, values := range b.values {
		for _, v := range values {
			mass[i] += math.Min(float64(v), 1)
		}
		total += mass[i]
	}
	if total == 0 {
		return near, 0
	}
	best, at := 0.0, 0.0
	var phase float64
	for cycles := 11.0; cycles <= 36; cycles += .25 { // per turn
		re, im := 0.0, 0.0
		for i, m := range mass {
			a := wrapped(float64(i)*360/gapDirections - near)
			sin, cos := math.Sincos(cycles * a * degree)
			re, im = re+m*cos, im+m*sin
		}
		if power := math.Hypot(re, im) / total; power > best {
			best, at, phase = power, cycles, math.Atan2(im, re)/degree
		}
	}
	step := 360 / at
	return wrapped(near + math.Remainder(phase/at, step/2)), best
}
