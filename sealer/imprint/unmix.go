package imprint

import (
	"math"
	"slices"
)

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
	paperTile    = 3.0
	bridgeSigma  = .16
	solidSigma   = .55
	speckArea    = .03 // mm²
	leastReddish = 1.18
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

// paperTone is the light of the bare paper, pixel by pixel, and its usual level.
type paperTone struct {
	red, green, light *plane
	levelR, levelG    float64
}

// paperWhite measures the paper and interpolates between tiles. Only pixels that are bright and not reddish count: a
// seal with white characters on a red ground has no paper inside.
func paperWhite(c *crop) paperTone {
	w, h := c.red.w, c.red.h
	tileX, tileY := paperTile*c.perMMX, paperTile*c.perMMY
	tw, th := max(1, int(math.Ceil(float64(w)/tileX))), max(1, int(math.Ceil(float64(h)/tileY)))
	sources := []*plane{c.red, c.green}
	if c.light != nil {
		sources = append(sources, c.light)
	}
	tiles := make([]*plane, len(sources))
	for i := range tiles {
		tiles[i] = newPlane(tw, th)
	}
	known := make([]bool, tw*th)
	for ty := range th {
		for tx := range tw {
			x0, x1 := int(float64(tx)*tileX), min(w, int(float64(tx+1)*tileX))
			y0, y1 := int(float64(ty)*tileY), min(h, int(float64(ty+1)*tileY))
			white, ok := tileWhite(sources, x0, y0, x1, y1)
			known[ty*tw+tx] = ok
			for i := range tiles {
				tiles[i].v[ty*tw+tx] = white[i]
			}
		}
	}
	var tone paperTone
	for i, full := range []**plane{&tone.red, &tone.green, &tone.light}[:len(tiles)] {
		fillUnknown(tiles[i], slices.Clone(known))
		*full = stretched(tiles[i], w, h, tileX, tileY)
	}
	tone.levelR, tone.levelG = sum(tiles[0])/float64(tw*th), sum(tiles[1])/float64(tw*th)
	return tone
}

// tileWhite is the median light of the bright, colourless pixels of a tile, channel by channel; the first two are red
// and green. Every second pixel of every second row is enough.
func tileWhite(sources []*plane, x0, y0, x1, y1 int) (white [3]float32, ok bool) {
	var all [256]int
	var levels [3][256]int
	count := 0
	for y := y0; y < y1; y += 2 {
		r, g := sources[0].row(y), sources[1].row(y)
		for x := x0; x < x1; x += 2 {
			count++
			if r[x] <= g[x]*leastReddish {
				all[level256(g[x])]++
			}
		}
	}
	bright := .8 * float32(percentileOf(all[:], .95)) / 255
	free := 0
	for y := y0; y < y1; y += 2 {
		r, g := sources[0].row(y), sources[1].row(y)
		for x := x0; x < x1; x += 2 {
			if r[x] <= g[x]*leastReddish && g[x] >= bright {
				for i, s := range sources {
					levels[i][level256(s.v[y*s.w+x])]++
				}
				free++
			}
		}
	}
	// Without a tenth of the tile, or in the dark, what is left is edges and print.
	if free*10 < count || count == 0 || bright < .04 {
		return white, false
	}
	for i := range sources {
		white[i] = float32(medianOf(levels[i][:]))
	}
	return white, true
}

func level256(v float32) int { return int(min(max(v*255+.5, 0), 255)) }

func percentileOf(histogram []int, share float64) int {
	total := 0
	for _, n := range histogram {
		total += n
	}
	left := int(share * float64(total))
	for v, n := range histogram {
		if left -= n; left < 0 {
			return v
		}
	}
	return 0
}

// medianOf is the median of a histogram of levels as light, interpolated inside the level.
func medianOf(histogram []int) float64 {
	total := 0
	for _, n := range histogram {
		total += n
	}
	left := float64(total) / 2
	for v, n := range histogram {
		if float64(n) >= left && n > 0 {
			return (float64(v) - .5 + left/float64(n)) / 255
		}
		left -= float64(n)
	}
	return 1
}

// fillUnknown gives unknown tiles the mean of their known neighbours, from the edges of the known inwards.
func fillUnknown(p *plane, known []bool) {
	for range p.w + p.h {
		next := slices.Clone(known)
		missing := false
		for y := 0; y < p.h; y++ {
			for x := 0; x < p.w; x++ {
				if known[y*p.w+x] {
					continue
				}
				sum, n := float32(0), float32(0)
				for dy := -1; dy <= 1; dy++ {
					for dx := -1; dx <= 1; dx++ {
						if nx, ny := x+dx, y+dy; nx >= 0 && ny >= 0 && nx < p.w && ny < p.h && known[ny*p.w+nx] {
							sum += p.v[ny*p.w+nx]
							n++
						}
					}
				}
				if n > 0 {
					p.v[y*p.w+x] = sum / n
					next[y*p.w+x] = true
				} else {
					missing = true
				}
			}
		}
		known = next
		if !missing {
			return
		}
	}
	for i := range p.v {
		if !known[i] {
			p.v[i] = 1
		}
	}
}

// stretched interpolates tile values to pixels.
func stretched(tiles *plane, w, h int, tileX, tileY float64) *plane {
	result := newPlane(w, h)
	columns := make([]int, w)
	shares := make([]float32, w)
	for x := range columns {
		position := clamp((float64(x)+.5)/tileX-.5, 0, float64(tiles.w-1))
		columns[x] = min(int(position), max(0, tiles.w-2))
		shares[x] = float32(position - float64(columns[x]))
	}
	mixed := make([]float32, tiles.w)
	for y := 0; y < h; y++ {
		position := clamp((float64(y)+.5)/tileY-.5, 0, float64(tiles.h-1))
		top := min(int(position), max(0, tiles.h-2))
		share := float32(position - float64(top))
		upper, lower := tiles.row(top), tiles.row(min(top+1, tiles.h-1))
		for x := range mixed {
			mixed[x] = max(upper[x]+(lower[x]-upper[x])*share, .01)
		}
		row := result.row(y)
		for x := range row {
			i := columns[x]
			row[x] = mixed[i] + (mixed[min(i+1, tiles.w-1)]-mixed[i])*shares[x]
		}
	}
	return result
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
