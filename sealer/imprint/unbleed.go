package imprint

import "math"

const (
	bledExcess  = .03   // mm of size above the declared one from which ink may have crept,
	bledShare   = .0018 // and the share of the size that an error of the scale may add to it
	bledBorder  = 1.15
	mostErosion = .3 // mm on every side
)

// usualBorder is the width of the ring by local practice, 1.0 to 1.2 mm (1.1 mm at 42 mm).
func usualBorder(declared float64) float64 { return clamp(1.1*declared/42, 1.0, 1.2) }

// bled is how far the ink has crept outwards on every side, in millimetres; 0 when there is no sign of it. A seal
// that is too large by a little may also be a scan of the wrong scale: then the ring is as thin as ever and the edges
// are sharp.
func (m *mark) bled(declared size, softLimit float64) float64 {
	d := m.difference(declared)
	excess := (d.w + d.h) / 2
	wide := m.rim.shape == Round && m.rim.border > bledBorder*usualBorder(declared.larger())
	if excess <= bledExcess+bledShare*declared.larger() || !wide && m.rim.edgeWidth <= softLimit {
		return 0
	}
	return math.Min(excess/2, mostErosion)
}

// eroded takes a rim of the given width in pixels off the ink. Coverage must be sharp: its values between 0 and 1
// say where in the pixel the edge runs.
func (p *plane) eroded(rim float64) *plane {
	result := newPlane(p.w, p.h)
	reach := int(math.Ceil(rim + 1))
	paper := make([]bool, len(p.v))
	for i, v := range p.v {
		paper[i] = v < .5
	}
	near := dilated(paper, p.w, p.h, reach)
	for y := range p.h {
		row := result.row(y)
		for x := range row {
			if p.v[y*p.w+x] < .5 {
				continue
			}
			if !near[y*p.w+x] {
				row[x] = 1
				continue
			}
			nearest := rim + 1
			for dy := -reach; dy <= reach; dy++ {
				if y+dy < 0 || y+dy >= p.h {
					continue
				}
				line := p.row(y + dy)
				for dx := max(-reach, -x); dx <= min(reach, p.w-1-x); dx++ {
					// An outer pixel that is covered by v has its middle half minus v of a pixel beyond the edge.
					if v := line[x+dx]; v < .5 {
						nearest = math.Min(nearest, math.Sqrt(float64(dx*dx+dy*dy))-.5+float64(v))
					}
				}
			}
			row[x] = float32(clamp(nearest-rim+.5, 0, 1))
		}
	}
	return result
}

// trimmed is the plane without a border of the given width.
func (p *plane) trimmed(border int) *plane {
	result := newPlane(p.w-2*border, p.h-2*border)
	for y := range result.h {
		copy(result.row(y), p.row(y + border)[border:border+result.w])
	}
	return result
}
