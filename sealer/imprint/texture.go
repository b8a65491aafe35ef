package imprint

import (
	"math"
	"math/cmplx"
	"slices"
)

// Lengths in millimetres, over which the ink of a real imprint is uneven.
const (
	coreMargin = .15 // from the edge of a stroke: inside, only ink and paper make differences
	grainFine  = .06 // deviation: what is finer is the noise of the scanner
	grainBroad = .60 // deviation: what is broader is pressure
	leastCore  = 4.0 // mm² of solid ink without which nothing can be said
)

// texture is how uneven the ink of one imprint is inside its strokes.
type texture struct {
	core   float64 // mm² looked at
	grain  float64 // deviation of the absorbance, as a share of that of solid ink
	screen float64 // highest peak of the spectrum over the median of its ring, as a share of what chance makes
	lpi    float64 // where: lines per inch
}

// core marks solid ink that was seen and is not near an edge or print.
func (l *layer) core() []bool {
	edge := make([]bool, len(l.alpha.v))
	closed := l.alpha.blurred(.1*l.perMMX, .1*l.perMMY) // over the holes between dots
	for i, v := range closed.v {
		edge[i] = v < .6 || l.trust.v[i] < .95
	}
	r := max(1, int(math.Round(coreMargin*math.Min(l.perMMX, l.perMMY))))
	edge = dilated(edge, l.alpha.w, l.alpha.h, r)
	for i, v := range edge {
		edge[i] = !v
	}
	return edge
}

// texture measures the unevenness of the ink. Ink from a pad lies on the fibres of the paper thicker here and thinner
// there. A printer lays dots in a raster, which shows as a peak of the spectrum, or flat.
func (l *layer) texture() texture {
	core := l.core()
	t := texture{core: float64(count(core)) / (l.perMMX * l.perMMY)}
	if t.core < leastCore || l.ink == 0 {
		return t
	}
	t.screen, t.lpi = l.screen(core)
	fine, mask := l, core
	if math.Min(l.perMMX, l.perMMY) > 16 { // grain is coarser than these pixels
		fine, mask = l.halved(core)
	}
	sum, n := 0.0, 0
	for i, v := range fine.uneven(fine.strong, mask).v {
		if mask[i] {
			sum, n = sum+float64(v)*float64(v), n+1
		}
	}
	if n > 0 {
		t.grain = math.Sqrt(sum/float64(n)) / l.ink
	}
	return t
}

func count(mask []bool) int {
	n := 0
	for _, in := range mask {
		if in {
			n++
		}
	}
	return n
}

// halved is the absorbed light of a layer at half the resolution, and a mask of the pixels all of which are in the given one.
func (l *layer) halved(mask []bool) (*layer, []bool) {
	w, h := l.strong.w/2, l.strong.h/2
	half := &layer{crop: &crop{strong: newPlane(w, h), perMMX: l.perMMX / 2, perMMY: l.perMMY / 2}}
	small := make([]bool, w*h)
	for y := range h {
		for x := range w {
			i := 2*y*l.strong.w + 2*x
			j := i + l.strong.w
			half.strong.v[y*w+x] = (l.strong.v[i] + l.strong.v[i+1] + l.strong.v[j] + l.strong.v[j+1]) / 4
			small[y*w+x] = mask[i] && mask[i+1] && mask[j] && mask[j+1]
		}
	}
	return half, small
}

// uneven is the band of a channel between grainFine and grainBroad inside a mask.
func (l *layer) uneven(channel *plane, mask []bool) *plane {
	channel = withoutProfile(channel, mask)
	fine, broad := l.inside(channel, mask, grainFine), l.inside(channel, mask, grainBroad)
	for i := range fine.v {
		fine.v[i] -= broad.v[i]
	}
	return fine
}

// inside is the mean of a channel around each place of a mask, by what lies in the mask alone.
func (l *layer) inside(channel *plane, mask []bool, sigma float64) *plane {
	values, weights := newPlane(channel.w, channel.h), newPlane(channel.w, channel.h)
	for i, in := range mask {
		if in {
			values.v[i], weights.v[i] = channel.v[i], 1
		}
	}
	values, weights = values.blurred(sigma*l.perMMX, sigma*l.perMMY), weights.blurred(sigma*l.perMMX, sigma*l.perMMY)
	for i, w := range weights.v {
		if mask[i] && w > 1e-3 {
			values.v[i] /= w
		} else {
			values.v[i] = 0
		}
	}
	return values
}

// screen looks for the raster of a printer: the power spectrum of the ink inside the strokes, averaged over small
// squares, has a peak there, while that of ink on paper falls evenly. It is the peak's height over the median of all
// frequencies of about the same length, 1 being what chance makes of so many squares, and its frequency in lines per inch.
func (l *layer) screen(core []bool) (peak, lpi float64) {
	side := 32
	if math.Min(l.perMMX, l.perMMY) > 16 {
		side = 64
	}
	power := make([]float64, side*side)
	channels := []*plane{l.strong, l.clear}
	if l.light != nil { // colour has fewer samples, in blocks of its own
		channels = []*plane{l.light}
	}
	for _, channel := range channels {
		channel = withoutProfile(channel, core)
		clear(power)
		patches := 0
		for y := 0; y+side <= channel.h; y += side / 2 {
			for x := 0; x+side <= channel.w; x += side / 2 {
				if addPower(power, channel, core, x, y, side) {
					patches++
				}
			}
		}
		if patches < 8 {
			continue
		}
		p, fx, fy := spectralPeak(power, side)
		// Few squares make high peaks of nothing: the highest of the sums of so many exponential lots. Squares overlap
		// by half, so that they count for half as many.
		lots := float64(patches) / 2
		if p /= 1 + 3.4/math.Sqrt(lots) + 3/lots; p > peak {
			peak, lpi = p, math.Hypot(fx*l.perMMX, fy*l.perMMY)*millimetresPerInch
		}
	}
	return peak, lpi
}

// depths is how deep every pixel of a mask lies in it, in pixels and from 1 to deepest; 0 outside. The steps are those of
// the chamfer distance: 3 to a neighbour, 4 across a corner.
func depths(mask []bool, w, h int) []uint8 {
	d := make([]uint16, len(mask))
	for i, in := range mask {
		if in {
			d[i] = 3 * deepest
		}
	}
	reach := func(i, x, y, dx, dy int, cost uint16) {
		if x+dx < 0 || x+dx >= w || y+dy < 0 || y+dy >= h {
			d[i] = min(d[i], cost)
		} else if next := d[i+dy*w+dx] + cost; next < d[i] {
			d[i] = next
		}
	}
	for i := range d {
		x, y := i%w, i/w
		reach(i, x, y, -1, 0, 3)
		reach(i, x, y, 0, -1, 3)
		reach(i, x, y, -1, -1, 4)
		reach(i, x, y, 1, -1, 4)
	}
	result := make([]uint8, len(mask))
	for i := len(d) - 1; i >= 0; i-- {
		x, y := i%w, i/w
		reach(i, x, y, 1, 0, 3)
		reach(i, x, y, 0, 1, 3)
		reach(i, x, y, 1, 1, 4)
		reach(i, x, y, -1, 1, 4)
		result[i] = uint8((d[i] + 2) / 3)
	}
	return result
}

const deepest = 60

// withoutProfile is a channel less the mean of all places as deep in the mask: what remains is the ink's own, and not
// the blur of the edges, which is the same for all imprints of a seal and has the directions of its strokes.
func withoutProfile(channel *plane, mask []bool) *plane {
	depth := depths(mask, channel.w, channel.h)
	var sums [deepest + 1]float64
	var counts [deepest + 1]int
	for i, d := range depth {
		sums[d], counts[d] = sums[d]+float64(channel.v[i]), counts[d]+1
	}
	result := newPlane(channel.w, channel.h)
	for i, d := range depth {
		if d > 0 {
			result.v[i] = channel.v[i] - float32(sums[d]/float64(counts[d]))
		}
	}
	return result
}

// addPower adds the power spectrum of one square.
func addPower(power []float64, channel *plane, core []bool, x0, y0, side int) bool {
	square := make([]complex128, side*side)
	n, mean := 0, 0.0
	for y := range side {
		row := (y0+y)*channel.w + x0
		for i := row; i < row+side; i++ {
			if core[i] {
				n++
				mean += float64(channel.v[i])
			}
		}
	}
	if n < side*side/6 {
		return false
	}
	mean /= float64(n)
	energy := 0.0
	for y := range side {
		wy := math.Sin(math.Pi * (float64(y) + .5) / float64(side))
		for x := range side {
			i := (y0+y)*channel.w + x0 + x
			if !core[i] {
				continue
			}
			v := (float64(channel.v[i]) - mean) * wy * math.Sin(math.Pi*(float64(x)+.5)/float64(side))
			square[y*side+x] = complex(v, 0)
			energy += v * v
		}
	}
	if energy == 0 {
		return false
	}
	transform2(square, side)
	for i, v := range square {
		power[i] += real(v*cmplx.Conj(v)) / energy
	}
	return true
}

// spectralPeak is the largest ratio of a frequency's power to the median of the ring of frequencies it lies on.
// Frequencies are in cycles per pixel. Those of JPEG's blocks are left out, and long waves, which strokes make.
func spectralPeak(power []float64, side int) (peak, fx, fy float64) {
	const least = .1
	rings := make([][]float64, side)
	ring := func(u, v int) int { return int(math.Hypot(float64(u), float64(v))/2 + .5) }
	each := func(do func(u, v int, p float64)) {
		for v := -side / 2; v < side/2; v++ {
			for u := 0; u < side/2; u++ {
				if math.Hypot(float64(u), float64(v)) < least*float64(side) || blocky(u, v, side) {
					continue
				}
				do(u, v, power[((v+side)%side)*side+u])
			}
		}
	}
	each(func(u, v int, p float64) { rings[ring(u, v)] = append(rings[ring(u, v)], p) })
	for i := range rings {
		slices.Sort(rings[i])
	}
	each(func(u, v int, p float64) {
		r := rings[ring(u, v)]
		if len(r) < 5 {
			return
		}
		if m := r[len(r)/2]; m > 0 && p/m > peak {
			peak, fx, fy = p/m, float64(u)/float64(side), float64(v)/float64(side)
		}
	})
	return peak, fx, fy
}

// blocky says that a frequency is one of those that JPEG makes in even areas: along an axis, where the edges of its
// blocks lie, and at the fineness of single pixels. Screens stand at an angle to the scanner's rows, one at least of
// each print.
func blocky(u, v, side int) bool {
	return u <= 1 || v >= -1 && v <= 1 || u >= side/2-1 || v >= side/2-1 || v <= 1-side/2
}

// transform2 is the discrete Fourier transform of a square whose side is a power of two, in place.
func transform2(square []complex128, side int) {
	line := make([]complex128, side)
	for y := range side {
		transform(square[y*side : (y+1)*side])
	}
	for x := range side {
		for y := range side {
			line[y] = square[y*side+x]
		}
		transform(line)
		for y := range side {
			square[y*side+x] = line[y]
		}
	}
}

// transform is Cooley and Tukey's, for powers of two.
func transform(v []complex128) {
	n := len(v)
	for i, j := 1, 0; i < n; i++ {
		bit := n >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		j ^= bit
		if i < j {
			v[i], v[j] = v[j], v[i]
		}
	}
	for size := 2; size <= n; size <<= 1 {
		root := cmplx.Rect(1, -2*math.Pi/float64(size))
		for start := 0; start < n; start += size {
			w := complex(1, 0)
			for k := start; k < start+size/2; k++ {
				a, b := v[k], v[k+size/2]*w
				v[k], v[k+size/2] = a+b, a-b
				w *= root
			}
		}
	}
}

// twin compares the unevenness of the ink inside the strokes of two imprints.
type twin struct {
	core        float64 // mm² looked at
	correlation float64 // about 0 for two pressings, near 1 when one is a copy of the other
	difference  float64 // deviation of what is not the same, as a share of the absorbance of solid ink
}

// twins holds two registered imprints against each other. Two pressings are never the same to the fibre of the paper;
// of a picture used twice nothing differs but the noise of the scanner.
func twins(a, b *view, declared size) twin {
	const perMM = workDPI / millimetresPerInch
	sample := func(v *view) (*plane, []bool) {
		ink, trust := v.onCanvas(v.strong, declared, perMM), v.onCanvas(v.trust, declared, perMM)
		alpha := v.onCanvas(v.alpha, declared, perMM)
		edge := make([]bool, len(ink.v))
		for i := range edge {
			edge[i] = alpha.v[i] < .5 || trust.v[i] < .95
		}
		return ink, edge
	}
	inkA, edge := sample(a)
	inkB, edgeB := sample(b)
	for i, e := range edgeB {
		edge[i] = edge[i] || e
	}
	core := dilated(edge, inkA.w, inkA.h, int(math.Round(coreMargin*perMM)))
	for i, e := range core {
		core[i] = !e
	}
	n := count(core)
	t := twin{core: float64(n) / (perMM * perMM)}
	if t.core < leastCore || a.ink == 0 || b.ink == 0 {
		return t
	}
	canvas := &layer{crop: &crop{perMMX: perMM, perMMY: perMM}}
	ua, ub := canvas.uneven(inkA, core), canvas.uneven(inkB, core)
	var aa, bb, ab, dd float64
	for i, in := range core {
		if in {
			x, y := float64(ua.v[i])/a.ink, float64(ub.v[i])/b.ink
			aa, bb, ab, dd = aa+x*x, bb+y*y, ab+x*y, dd+square(x-y)
		}
	}
	t.difference = math.Sqrt(dd / float64(n))
	if aa > 0 && bb > 0 {
		t.correlation = ab / math.Sqrt(aa*bb)
	}
	return t
}
