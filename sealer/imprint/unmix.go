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
	// ink is the median absorbance of green light by solid ink, 0 to 1.
	ink float64
}

// Lengths in millimetres.
const (
	bridgeSigma = .16
	solidSigma  = .55
	speckArea   = .03 // mm²
)

// unmix separates the ink from paper and print by the ratio of red to green light, in which grey and black cancel.
// Where red light shows no black, one channel alone is used, the one that has the full resolution of the scan: green,
// or the lightness of a JPEG whose colour is subsampled. (Blurred colour leaks over edges, and more light is lost
// outside a stroke than is gained inside: strokes in green would come out a few hundredths of a millimetre too fat.)
func unmix(c *crop) *layer {
	l := &layer{crop: c, alpha: newPlane(c.red.w, c.red.h), trust: newPlane(c.red.w, c.red.h)}
	white := paperWhite(c)
	tr, tg := c.red, c.green // reused for the transmittance: the light itself is not needed any more
	divide(tr, white.red)
	divide(tg, white.green)
	solidR, solidG := solidInk(tr, tg)
	l.ink = float64(solidG)
	if solidG < .08 {
		return l // not ink
	}
	single := coverageByGreen(solidG)
	sharp := tg
	if c.light != nil {
		divide(c.light, white.light)
		sharp, single = c.light, coverageByLight(white.levelR, white.levelG, solidR, solidG)
	}
	l.separate(tr, tg, sharp, single, solidR, solidG)
	l.bridge()
	l.level()
	l.despeckle()
	return l
}

func divide(light, white *plane) {
	for i, v := range light.v {
		light.v[i] = min(max(v/white.v[i], .004), 1.2)
	}
}

// solidInk is the absorbance of red and green light by solid ink: the median of the stronger pixels that are clearly
// red and not black.
func solidInk(tr, tg *plane) (red, green float32) {
	var greens [256]int
	for i, r := range tr.v {
		if g := tg.v[i]; r > g*1.35 && r > .45 {
			greens[level256(1-g)]++
		}
	}
	strong := .7 * float32(percentileOf(greens[:], .9)) / 255
	var strongGreens, reds [256]int
	for i, r := range tr.v {
		if g := tg.v[i]; r > g*1.35 && r > .45 && 1-g >= strong {
			strongGreens[level256(1-g)]++
			reds[level256(1-r)]++
		}
	}
	if strong == 0 {
		return 0, 0
	}
	return float32(clamp(medianOf(reds[:]), 0, .5)), float32(medianOf(strongGreens[:]))
}

// singleSteps is the fineness of the tables from the transmittance of one channel to coverage.
const singleSteps = 1024

// mostAlpha lets ink be stronger than the usual solid ink before it is levelled.
const mostAlpha = 1.3

// coverageByGreen is the coverage by ink per transmittance of linear green light, in steps of 1/singleSteps.
func coverageByGreen(solidG float32) []float32 {
	table := make([]float32, singleSteps+1)
	for i := range table {
		table[i] = min((1-float32(i)/singleSteps)/solidG, mostAlpha)
	}
	return table
}

// coverageByLight is the same for encoded lightness: ink of every coverage is mixed with the paper in linear light and
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
// With black print or shadow of transmittance k over ink of coverage a: T_R = k(1 − a·u_R), T_G = k(1 − a·u_G). Their
// ratio ρ has no k, and a = (ρ − 1)/(ρ·u_G − u_R).
func (l *layer) separate(tr, tg, sharp *plane, single []float32, solidR, solidG float32) {
	for i, r := range tr.v {
		ratio := r / tg.v[i]
		byRatio := float32(0)
		if ratio > 1 {
			byRatio = min(max((ratio-1)/max(ratio*solidG-solidR, .02), 0), mostAlpha)
		}
		alone := single[int(min(sharp.v[i], 1)*singleSteps+.5)]
		clear := r / max(1-min(alone, 1)*solidR, .3)
		share := step32(.55, .80, clear)
		l.alpha.v[i] = share*alone + (1-share)*byRatio
		k := r / max(1-min(byRatio, 1)*solidR, .3)
		l.trust.v[i] = step32(.10, .32, k)
	}
}

func step32(low, high, v float32) float32 {
	t := min(max((v-low)/(high-low), 0), 1)
	return t * t * (3 - 2*t)
}

// bridge carries ink over the places where black hides it, from what is trusted around there.
func (l *layer) bridge() {
	weighted := newPlane(l.alpha.w, l.alpha.h)
	for i, t := range l.trust.v {
		weighted.v[i] = t * l.alpha.v[i]
	}
	sigmaX, sigmaY := bridgeSigma*l.perMMX, bridgeSigma*l.perMMY
	ink, seen := weighted.blurred(sigmaX, sigmaY), l.trust.blurred(sigmaX, sigmaY)
	for i, t := range l.trust.v {
		if t > .999 {
			continue
		}
		around := float32(0)
		if seen.v[i] > .02 {
			around = ink.v[i] / seen.v[i]
		}
		l.alpha.v[i] = t*l.alpha.v[i] + (1-t)*around
	}
}

// level divides by the strength of solid ink around each place, so that one half means the edge of a stroke where
// the seal was pressed hard and where it was not.
func (l *layer) level() {
	w, h := l.alpha.w, l.alpha.h
	weights, weighted := newPlane(w, h), newPlane(w, h)
	reach := max(1, int(math.Round(.12*math.Min(l.perMMX, l.perMMY))))
	for y := reach; y < h-reach; y++ {
		row, above, below := l.alpha.row(y), l.alpha.row(y-reach), l.alpha.row(y+reach)
		for x := reach; x < w-reach; x++ {
			// Only the core of a stroke says how strong the ink is; its edge is a mixture.
			a := row[x]
			if a < .35 || min(row[x-reach], row[x+reach], above[x], below[x]) < .85*a {
				continue
			}
			t := l.trust.v[y*w+x] * a * a * a * a
			weights.v[y*w+x] = t
			weighted.v[y*w+x] = t * a
		}
	}
	sigmaX, sigmaY := solidSigma*l.perMMX, solidSigma*l.perMMY
	ink, seen := weighted.blurred(sigmaX, sigmaY), weights.blurred(sigmaX, sigmaY)
	const prior = .02 // pulls places without cores towards 1
	for i := range l.alpha.v {
		solid := (ink.v[i] + prior) / (seen.v[i] + prior)
		l.alpha.v[i] = min(l.alpha.v[i]/min(max(solid, .45), 1.25), 1.15)
	}
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
