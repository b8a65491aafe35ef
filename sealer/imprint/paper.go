package imprint

import (
	"math"
	"slices"
)

// paperTile is the side of the tiles in which the white of the paper is measured, in millimetres.
const paperTile = 3.0

// leastTinted is the ratio of the clear to the strong channel, over that of the paper, above which a pixel is not bare
// paper.
const leastTinted = 1.18

// paperTone is the light of the bare paper, and its usual level.
type paperTone struct {
	clear, strong, light tiled
	levelC, levelS       float64
}

// tiled is a value per tile, which changes evenly from the middle of one to that of the next. Sides of tiles are in pixels.
type tiled struct {
	*plane
	sideX, sideY float64
}

// paperWhite measures the paper and interpolates between tiles. Only pixels that are bright and without the ink's tint count: a
// seal with white characters on a red ground has no paper inside.
func paperWhite(c *crop) paperTone {
	w, h := c.clear.w, c.clear.h
	tileX, tileY := paperTile*c.perMMX, paperTile*c.perMMY
	tw, th := max(1, int(math.Ceil(float64(w)/tileX))), max(1, int(math.Ceil(float64(h)/tileY)))
	sources := []*plane{c.clear, c.strong}
	if c.light != nil {
		sources = append(sources, c.light)
	}
	least := leastTinted * paperRatio(c)
	tiles := make([]*plane, len(sources))
	for i := range tiles {
		tiles[i] = newPlane(tw, th)
	}
	known := make([]bool, tw*th)
	for ty := range th {
		for tx := range tw {
			x0, x1 := int(float64(tx)*tileX), min(w, int(float64(tx+1)*tileX))
			y0, y1 := int(float64(ty)*tileY), min(h, int(float64(ty+1)*tileY))
			white, ok := tileWhite(sources, x0, y0, x1, y1, least)
			known[ty*tw+tx] = ok
			for i := range tiles {
				tiles[i].v[ty*tw+tx] = white[i]
			}
		}
	}
	var tone paperTone
	for i, of := range []*tiled{&tone.clear, &tone.strong, &tone.light}[:len(tiles)] {
		fillUnknown(tiles[i], slices.Clone(known))
		*of = tiled{tiles[i], tileX, tileY}
	}
	tone.levelC, tone.levelS = sum(tiles[0])/float64(tw*th), sum(tiles[1])/float64(tw*th)
	if c.gain != 0 {
		tone.levelS /= c.gain // the light that there was
	}
	return tone
}

// paperRatio is the ratio of the clear to the strong channel of the paper, which may be coloured: of the bright pixels
// around the mark.
func paperRatio(c *crop) float32 {
	const finest = 128 // levels per one
	var lights [256]int
	var ratios [2 * finest]int
	marginX, marginY := int(.7*cropMargin*c.perMMX), int(.7*cropMargin*c.perMMY)
	around := func(do func(clear, strong float32)) {
		for y := 0; y < c.clear.h; y += 2 {
			clear, strong := c.clear.row(y), c.strong.row(y)
			for x := 0; x < c.clear.w; x += 2 {
				if x < marginX || y < marginY || x >= c.clear.w-marginX || y >= c.clear.h-marginY {
					do(clear[x], strong[x])
				}
			}
		}
	}
	around(func(clear, strong float32) { lights[level256(strong)]++ })
	bright := .8 * float32(percentileOf(lights[:], .95)) / 255
	around(func(clear, strong float32) {
		if strong >= bright && strong > 0 {
			ratios[min(int(clear/strong*finest), len(ratios)-1)]++
		}
	})
	return (float32(percentileOf(ratios[:], .5)) + .5) / finest
}

// tileWhite is the median light of the bright, colourless pixels of a tile, channel by channel; the first two are
// the clear and the strong one. Every second pixel of every second row is enough.
func tileWhite(sources []*plane, x0, y0, x1, y1 int, least float32) (white [3]float32, ok bool) {
	var all [256]int
	var levels [3][256]int
	count := 0
	for y := y0; y < y1; y += 2 {
		r, g := sources[0].row(y), sources[1].row(y)
		for x := x0; x < x1; x += 2 {
			count++
			if r[x] <= g[x]*least {
				all[level256(g[x])]++
			}
		}
	}
	bright := .8 * float32(percentileOf(all[:], .95)) / 255
	free := 0
	for y := y0; y < y1; y += 2 {
		r, g := sources[0].row(y), sources[1].row(y)
		for x := x0; x < x1; x += 2 {
			if r[x] <= g[x]*least && g[x] >= bright {
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

// divide makes light transmittance: it is divided by the paper's.
func (t tiled) divide(light *plane) {
	t.eachRow(light.w, light.h, func(y int, white []float32) {
		row := light.row(y)[:len(white)]
		for x, v := range row {
			row[x] = min(max(v/max(white[x], .01), .004), 1.2)
		}
	})
}

// eachRow interpolates the values to the pixels of a plane, row by row. The row is reused.
func (t tiled) eachRow(w, h int, do func(y int, values []float32)) {
	columns := make([]int, w)
	shares := make([]float32, w)
	for x := range columns {
		position := clamp((float64(x)+.5)/t.sideX-.5, 0, float64(t.w-1))
		columns[x] = min(int(position), max(0, t.w-2))
		shares[x] = float32(position - float64(columns[x]))
	}
	mixed, row := make([]float32, t.w+1), make([]float32, w)
	for y := range h {
		position := clamp((float64(y)+.5)/t.sideY-.5, 0, float64(t.h-1))
		top := min(int(position), max(0, t.h-2))
		share := float32(position - float64(top))
		upper, lower := t.row(top), t.row(min(top+1, t.h-1))
		for x, v := range upper {
			mixed[x] = v + (lower[x]-v)*share
		}
		mixed[t.w] = mixed[t.w-1]
		for x, i := range columns {
			row[x] = mixed[i] + (mixed[i+1]-mixed[i])*shares[x]
		}
		do(y, row)
	}
}
