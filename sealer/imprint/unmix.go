package imprint

import "math"

// layer is the ink of one mark, taken apart from paper and black print.
type layer struct {
	*crop
	// alpha is the coverage by ink: 0 paper, 1 solid ink as strong as around there.
	alpha *plane
	// trust says how much of alpha was seen: 1 on free paper, 0 under solid black, where alpha is carried over from
	// around.
	trust *plane
	// ink is the median absorbance of solid ink in its strong channel (green light of red ink), 0 to 1.
	ink float64
	// negative says that the ground prints and the characters are paper.
	negative bool
}

// Lengths in millimetres.
const (
	bridgeSigma = .16
	solidSigma  = .55
	speckArea   = .03 // mm²
)

// unmix separates the ink from paper and print by the ratio of the light that it absorbs least to the light that it
// absorbs most, red and green of red ink: grey and black cancel in it. Where the clear channel shows no black, one channel alone is used, the one that has the full resolution of the scan: the strong one, or the lightness of a JPEG whose colour is subsampled. (Blurred colour leaks over edges, and more light is lost
// outside a stroke than is gained inside: strokes in green would come out a few hundredths of a millimetre too fat.)
func unmix(c *crop) *layer {
	l := &layer{crop: c, alpha: newPlane(c.clear.w, c.clear.h), trust: newPlane(c.clear.w, c.clear.h)}
	white := paperWhite(c)
	tc, ts := c.clear, c.strong // reused for the transmittance: the light itself is not needed any more
	white.clear.divide(tc)
	white.strong.divide(ts)
	solidC, solidS := solidInk(tc, ts)
	l.ink = float64(solidS)
	if solidS < .08 {
		return l // not ink
	}
	single := coverageByStrong(solidS)
	sharp := ts
	if c.light != nil {
		white.light.divide(c.light)
		sharp = c.light
		if c.hue == hues[Red] {
			single = coverageByLight(white.levelC, white.levelS, solidC, solidS)
		} else {
			single = coverageByGrey(white.levelS, solidLight(tc, ts, c.light, solidS))
		}
	}
	l.separate(tc, ts, sharp, single, solidC, solidS)
	l.bridge()
	l.level()
	l.despeckle()
	return l
}

// tinted says of transmittances in the clear and the strong channel whether they are clearly of ink and not black.
func tinted(c, s float32) bool { return c > s*1.35 && c > .45 }

// solidInk is the absorbance of solid ink in both channels: the median of the stronger pixels that are tinted.
func solidInk(tc, ts *plane) (clear, strong float32) {
	var all [256]int
	for i, c := range tc.v {
		if s := ts.v[i]; tinted(c, s) {
			all[level256(1-s)]++
		}
	}
	least := .7 * float32(percentileOf(all[:], .9)) / 255
	if least == 0 {
		return 0, 0
	}
	var strongs, clears [256]int
	for i, c := range tc.v {
		if s := ts.v[i]; tinted(c, s) && 1-s >= least {
			strongs[level256(1-s)]++
			clears[level256(1-c)]++
		}
	}
	return float32(clamp(medianOf(clears[:]), 0, .5)), float32(medianOf(strongs[:]))
}

// solidLight is the lightness of solid ink as a share of the paper's.
func solidLight(tc, ts, light *plane, solidS float32) float64 {
	var levels [256]int
	for i, c := range tc.v {
		if s := ts.v[i]; tinted(c, s) && 1-s >= .85*solidS {
			levels[level256(light.v[i])]++
		}
	}
	return clamp(medianOf(levels[:]), .05, .98)
}

// singleSteps is the fineness of the tables from the transmittance of one channel to coverage.
const singleSteps = 1024

// mostAlpha lets ink be stronger than the usual solid ink before it is levelled.
const mostAlpha = 1.3

// coverageByStrong is the coverage by ink per transmittance of linear light, in steps of 1/singleSteps.
func coverageByStrong(solid float32) []float32 {
	table := make([]float32, singleSteps+1)
	for i := range table {
		table[i] = min((1-float32(i)/singleSteps)/solid, mostAlpha)
	}
	return table
}

// coverageByGrey is the same for encoded lightness of ink of any hue, taken for grey: paper of a linear level, and
// the encoded lightness of solid ink as a share of the paper's.
func coverageByGrey(paper, solid float64) []float32 {
	linear := func(encoded float64) float64 { return math.Pow((encoded+.055)/1.055, 2.4) }
	table := make([]float32, singleSteps+1)
	bare := encodedSRGB(paper)
	absorbed := 1 - linear(solid*bare)/paper
	for i := range table {
		table[i] = float32(clamp((1-linear(float64(i)/singleSteps*bare)/paper)/absorbed, 0, mostAlpha))
	}
	return table
}

// coverageByLight is the same for red ink: ink of every coverage is mixed with the paper in linear light and
// encoded. Blue is taken to behave like green, as it does for red ink; its share of lightness is a ninth.
func coverageByLight(paperR, paperG float64, solidR, solidG float32) []float32 {
	lightness := func(a float64) float64 {
		return .299*encodedSRGB(paperR*(1-a*float64(solidR))) + .701*encodedSRGB(paperG*math.Max(0, 1-a*float64(solidG)))
	}
	table := make([]float32, singleSteps+1)
	bare := lightness(0)
	a := mostAlpha
	for i := range table {
		for a > 0 && lightness(a)/bare < float64(i)/singleSteps {
			a -= .001
		}
		table[i] = float32(max(a, 0))
	}
	return table
}

// encodedSRGB is the encoding function of sRGB (IEC 61966-2-1).
func encodedSRGB(v float64) float64 {
	if v <= .0031308 {
		return 12.92 * v
	}
	return 1.055*math.Pow(v, 1/2.4) - .055
}

// separate writes alpha and trust from the transmittances.
//
// With black print or shadow of transmittance k over ink of coverage a: T_C = k(1 − a·u_C), T_S = k(1 − a·u_S). Their
// ratio ρ has no k, and a = (ρ − 1)/(ρ·u_S − u_C).
func (l *layer) separate(tc, ts, sharp *plane, single []float32, solidC, solidS float32) {
	for i, c := range tc.v {
		alone := single[int(min(sharp.v[i], 1)*singleSteps+.5)]
		if c >= .80 { // neither black nor in its shadow, as most of a scan
			l.alpha.v[i], l.trust.v[i] = alone, 1
			continue
		}
		ratio := c / ts.v[i]
		byRatio := float32(0)
		if ratio > 1 {
			byRatio = min(max((ratio-1)/max(ratio*solidS-solidC, .02), 0), mostAlpha)
		}
		clear := c / max(1-min(alone, 1)*solidC, .3)
		share := step32(.55, .80, clear)
		l.alpha.v[i] = share*alone + (1-share)*byRatio
		k := c / max(1-min(byRatio, 1)*solidC, .3)
		l.trust.v[i] = step32(.10, .32, k)
	}
}

func step32(low, high, v float32) float32 {
	t := min(max((v-low)/(high-low), 0), 1)
	return t * t * (3 - 2*t)
}

// bridge carries ink over the places where black hides it, from what is trusted around there.
func (l *layer) bridge() {
	n := l.cell(bridgeSigma / 2)
	ink, seen := newPlane((l.alpha.w+n-1)/n, (l.alpha.h+n-1)/n), newPlane((l.alpha.w+n-1)/n, (l.alpha.h+n-1)/n)
	hidden := false
	for y := range l.alpha.h {
		alpha, trust, first := l.alpha.row(y), l.trust.row(y), y/n*ink.w
		for x, t := range trust {
			i := first + x/n
			ink.v[i] += t * alpha[x]
			seen.v[i] += t
			hidden = hidden || t <= .999
		}
	}
	if !hidden {
		return
	}
	sigmaX, sigmaY := bridgeSigma*l.perMMX/float64(n), bridgeSigma*l.perMMY/float64(n)
	ink, seen = ink.blurred(sigmaX, sigmaY), seen.blurred(sigmaX, sigmaY)
	for i, t := range seen.v {
		if t > .02*float32(n*n) {
			ink.v[i] /= t
		} else {
			ink.v[i] = 0
		}
	}
	tiled{ink, float64(n), float64(n)}.eachRow(l.alpha.w, l.alpha.h, func(y int, around []float32) {
		alpha := l.alpha.row(y)
		for x, t := range l.trust.row(y) {
			if t <= .999 {
				alpha[x] = t*alpha[x] + (1-t)*around[x]
			}
		}
	})
}

// cell is how many pixels may be taken together where something is smoothed, so that they measure no more than so many
// millimetres.
func (l *layer) cell(mm float64) int { return max(1, int(mm*math.Min(l.perMMX, l.perMMY))) }

// level divides by the strength of solid ink around each place, so that one half means the edge of a stroke where
// the seal was pressed hard and where it was not.
func (l *layer) level() {
	w, h := l.alpha.w, l.alpha.h
	n := l.cell(solidSigma / 3)
	ink, seen := newPlane((w+n-1)/n, (h+n-1)/n), newPlane((w+n-1)/n, (h+n-1)/n)
	reach := max(1, int(math.Round(.12*math.Min(l.perMMX, l.perMMY))))
	share := 1 / float32(n*n)
	for y := reach; y < h-reach; y++ {
		row, above, below, trust := l.alpha.row(y), l.alpha.row(y-reach), l.alpha.row(y+reach), l.trust.row(y)
		first := y / n * ink.w
		for x := reach; x < w-reach; x++ {
			// Only the core of a stroke says how strong the ink is; its edge is a mixture.
			a := row[x]
			if a < .35 || min(row[x-reach], row[x+reach], above[x], below[x]) < .85*a {
				continue
			}
			t := trust[x] * a * a * a * a * share
			i := first + x/n
			ink.v[i] += t * a
			seen.v[i] += t
		}
	}
	sigmaX, sigmaY := solidSigma*l.perMMX/float64(n), solidSigma*l.perMMY/float64(n)
	ink, seen = ink.blurred(sigmaX, sigmaY), seen.blurred(sigmaX, sigmaY)
	const prior = .02 // pulls places without cores towards 1
	for i, t := range seen.v {
		ink.v[i] = min(max((ink.v[i]+prior)/(t+prior), .45), 1.25)
	}
	tiled{ink, float64(n), float64(n)}.eachRow(w, h, func(y int, solid []float32) {
		row := l.alpha.row(y)
		for x, s := range solid {
			row[x] = min(row[x]/s, 1.15)
		}
	})
}

// despeckle removes spots of ink smaller than speckArea.
func (l *layer) despeckle() {
	limit := int(speckArea * l.perMMX * l.perMMY)
	w := l.alpha.w
	eachSpot(l.alpha, .5, func(pixels []int) {
		if len(pixels) > limit {
			return
		}
		for _, i := range pixels {
			x, y := i%w, i/w
			for dy := max(0, y-1); dy <= min(l.alpha.h-1, y+1); dy++ {
				for dx := max(0, x-1); dx <= min(w-1, x+1); dx++ {
					l.alpha.v[dy*w+dx] = min(l.alpha.v[dy*w+dx], .3)
				}
			}
		}
	})
}

// eachSpot calls do with the pixels of every 4-connected part of a plane at or above a level. The slice is reused.
func eachSpot(p *plane, least float32, do func(pixels []int)) {
	seen := make([]bool, len(p.v))
	var spot []int
	for start, v := range p.v {
		if v < least || seen[start] {
			continue
		}
		spot = append(spot[:0], start)
		seen[start] = true
		for next := 0; next < len(spot); next++ {
			i := spot[next]
			x := i % p.w
			if x > 0 && p.v[i-1] >= least && !seen[i-1] {
				seen[i-1] = true
				spot = append(spot, i-1)
			}
			if x+1 < p.w && p.v[i+1] >= least && !seen[i+1] {
				seen[i+1] = true
				spot = append(spot, i+1)
			}
			if i >= p.w && p.v[i-p.w] >= least && !seen[i-p.w] {
				seen[i-p.w] = true
				spot = append(spot, i-p.w)
			}
			if i+p.w < len(p.v) && p.v[i+p.w] >= least && !seen[i+p.w] {
				seen[i+p.w] = true
				spot = append(spot, i+p.w)
			}
		}
		do(spot)
	}
}
