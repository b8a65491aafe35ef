package imprint

import "math"

// mirror is the axis about which the middle of the seal is symmetric, near upright or turned by half: an emblem is.
// The disc is compared with its own mirror image for every axis; likeness is from 0 to 1.
func (l *layer) mirror(r rim, toward float64) (angle, likeness float64) {
	const directions = 720
	var rings [][]float64
	for share := .08; share < .55; share += .03 {
		ring := make([]float64, directions)
		mean := 0.0
		for i := range ring {
			x, y := r.polar(share*r.halfW, float64(i)*360/directions)
			ring[i] = l.figureAt(x, y)
			mean += ring[i] / directions
		}
		for i := range ring {
			ring[i] = (ring[i] - mean) * math.Sqrt(share)
		}
		rings = append(rings, ring)
	}
	energy := 0.0
	for _, ring := range rings {
		for _, v := range ring {
			energy += v * v
		}
	}
	if energy < 1 {
		return 0, 0
	}
	// Sum of the directions i and shift-i: the axis lies at half the shift.
	at := func(shift int) float64 {
		total := 0.0
		for _, ring := range rings {
			for i, v := range ring {
				total += v * ring[((shift-i)%directions+directions)%directions]
			}
		}
		return total / energy
	}
	const within = 12 // degrees from where the gap or the page says the top is
	middle := int(math.Round(2 * toward * directions / 360))
	most, best := 0.0, 0
	for shift := middle - 4*within; shift <= middle+4*within; shift++ {
		if v := at(shift); v > most {
			most, best = v, shift
		}
	}
	before, after := at(best-1), at(best+1)
	peak := float64(best)
	if bend := before - 2*most + after; bend < 0 {
		peak += clamp((before-after)/(2*bend), -.5, .5)
	}
	return wrapped(peak * 360 / directions / 2), most
}
