package imprint

import "math"

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
	// colorants is how much of the unevenness does not follow in another colour of light, and deviation how much that is.
	colorants, deviation float64
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
	coarse := l // grain and the edges of strokes are coarser than the pixels of fine scans
	if l.fine() {
		coarse = l.halved()
	}
	core := coarse.core()
	t := texture{core: float64(count(core)) / (coarse.perMMX * coarse.perMMY)}
	if t.core < leastCore || l.ink == 0 {
		return t
	}
	depth := depths(core, coarse.alpha.w, coarse.alpha.h)
	sum, n := 0.0, 0
	for i, v := range coarse.uneven(core, depth, coarse.strong)[0].v {
		if core[i] {
			sum, n = sum+float64(v)*float64(v), n+1
		}
	}
	if n > 0 {
		t.grain = math.Sqrt(sum/float64(n)) / l.ink
	}
	if l.fine() {
		t.colorants, t.deviation = l.colorants(core)
		depth = depths(doubled(core, coarse.alpha.w, l.alpha.w, l.alpha.h), l.alpha.w, l.alpha.h)
	} else {
		t.colorants, t.deviation = l.colorants(halvedMask(core, l.alpha.w, l.alpha.h))
	}
	t.screen, t.lpi = l.screen(depth)
	return t
}

// fine says that pixels are finer than the texture of ink.
func (l *layer) fine() bool { return math.Min(l.perMMX, l.perMMY) > 16 }

func count(mask []bool) int {
	n := 0
	for _, in := range mask {
		if in {
			n++
		}
	}
	return n
}

// halved is a layer at half the resolution: what texture needs of it.
func (l *layer) halved() *layer {
	return &layer{crop: &crop{strong: l.strong.halved(), perMMX: l.perMMX / 2, perMMY: l.perMMY / 2},
		alpha: l.alpha.halved(), trust: l.trust.halved(), ink: l.ink}
}

// halved is the mean of every four pixels.
func (p *plane) halved() *plane {
	half := newPlane(p.w/2, p.h/2)
	for y := range half.h {
		upper, lower := p.row(2*y), p.row(2*y+1)
		for x := range half.w {
			half.v[y*half.w+x] = (upper[2*x] + upper[2*x+1] + lower[2*x] + lower[2*x+1]) / 4
		}
	}
	return half
}

// doubled is a mask of half the resolution at the full one, w × h pixels.
func doubled(half []bool, halfW, w, h int) []bool {
	full := make([]bool, w*h)
	for y := range h / 2 * 2 {
		from, to := half[y/2*halfW:(y/2+1)*halfW], full[y*w:(y+1)*w]
		for x, v := range from {
			to[2*x], to[2*x+1] = v, v
		}
	}
	return full
}

// uneven is the band of channels between grainFine and grainBroad inside a mask.
func (l *layer) uneven(mask []bool, depth []uint8, channels ...*plane) []*plane {
	flat := make([]*plane, len(channels))
	for i, c := range channels {
		flat[i] = withoutProfile(c, depth)
	}
	fine, broad := l.inside(mask, grainFine, flat...), l.inside(mask, grainBroad, flat...)
	for k := range fine {
		for i := range fine[k].v {
			fine[k].v[i] -= broad[k].v[i]
		}
	}
	spare(flat...)
	spare(broad...)
	return fine
}

// inside is the mean of channels around each place of a mask, by what lies in the mask alone.
func (l *layer) inside(mask []bool, sigma float64, channels ...*plane) []*plane {
	seen := roughPlane(channels[0].w, channels[0].h)
	for i, in := range mask {
		seen.v[i] = 0
		if in {
			seen.v[i] = 1
		}
	}
	shares := seen.blurred(sigma*l.perMMX, sigma*l.perMMY)
	var means []*plane
	for _, c := range channels {
		for i, in := range mask {
			seen.v[i] = 0
			if in {
				seen.v[i] = c.v[i]
			}
		}
		values := seen.blurred(sigma*l.perMMX, sigma*l.perMMY)
		for i, share := range shares.v {
			if mask[i] && share > 1e-3 {
				values.v[i] /= share
			} else {
				values.v[i] = 0
			}
		}
		means = append(means, values)
	}
	spare(seen, shares)
	return means
}

// screen looks for the raster of a printer: the power spectrum of the ink inside the strokes, averaged over small
// squares, has a peak there, while that of ink on paper falls evenly. It is the peak's height over the median of all
// frequencies of about the same length, 1 being what chance makes of so many squares, and its frequency in lines per inch.
// depth is as depths makes it.
func (l *layer) screen(depth []uint8) (peak, lpi float64) {
	side := 32
	if l.fine() {
		side = 64
	}
	spectrum := newSpectrum(side)
	channels := []*plane{l.strong, l.clear}
	if l.light != nil { // colour has fewer samples, in blocks of its own
		channels = []*plane{l.light}
	}
	for _, channel := range channels {
		channel = withoutProfile(channel, depth) // a new one
		spectrum.begin()
		for y := 0; y+side <= channel.h; y += side / 2 {
			for x := 0; x+side <= channel.w; x += side / 2 {
				spectrum.add(channel, depth, x, y)
			}
		}
		spare(channel)
		power, patches := spectrum.end()
		if patches < 4 {
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
	const most = 3 * deepest
	stride := w + 2 // a frame of what is outside around the mask
	d := make([]uint8, stride*(h+2))
	for y := range h {
		above, row := d[y*stride:(y+1)*stride], d[(y+1)*stride:(y+2)*stride]
		for x, in := range mask[y*w : (y+1)*w] {
			if in {
				row[x+1] = min(most, row[x]+3, above[x+1]+3, above[x]+4, above[x+2]+4)
			}
		}
	}
	result := make([]uint8, len(mask))
	for y := h - 1; y >= 0; y-- {
		below, row, to := d[(y+2)*stride:(y+3)*stride], d[(y+1)*stride:(y+2)*stride], result[y*w:(y+1)*w]
		for x := w; x > 0; x-- {
			if v := row[x]; v > 0 {
				v = min(v, row[x+1]+3, below[x]+3, below[x+1]+4, below[x-1]+4)
				row[x], to[x-1] = v, (v+2)/3
			}
		}
	}
	return result
}

const deepest = 60

// withoutProfile is a channel less the mean of all places as deep in a mask, 0 outside: what remains is the ink's own, and not
// the blur of the edges, which is the same for all imprints of a seal and has the directions of its strokes.
func withoutProfile(channel *plane, depth []uint8) *plane {
	var sums [deepest + 1]float64
	var counts [deepest + 1]int
	for i, d := range depth {
		if d > 0 {
			sums[d], counts[d] = sums[d]+float64(channel.v[i]), counts[d]+1
		}
	}
	var means [deepest + 1]float32
	for d, n := range counts {
		if n > 0 {
			means[d] = float32(sums[d] / float64(n))
		}
	}
	result := roughPlane(channel.w, channel.h)
	for i, d := range depth {
		result.v[i] = 0
		if d > 0 {
			result.v[i] = channel.v[i] - means[d]
		}
	}
	return result
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
	depth := depths(core, inkA.w, inkA.h)
	uneven := canvas.uneven(core, depth, inkA, inkB)
	var aa, bb, ab, dd float64
	for i, in := range core {
		if in {
			x, y := float64(uneven[0].v[i])/a.ink, float64(uneven[1].v[i])/b.ink
			aa, bb, ab, dd = aa+x*x, bb+y*y, ab+x*y, dd+square(x-y)
		}
	}
	t.difference = math.Sqrt(dd / float64(n))
	if aa > 0 && bb > 0 {
		t.correlation = ab / math.Sqrt(aa*bb)
	}
	return t
}
