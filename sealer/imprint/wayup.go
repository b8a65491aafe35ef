package imprint

import (
	"image"
	"math"

	"yinxin/sealer/imprint/wayup"
)

// Sizes of printed characters, in millimetres: 5 to 26 points.
const (
	leastPrint    = 1.8
	greatestPrint = 9.5
	letterSpace   = 1.6 // between characters of a line at most
)

// What one character may say: other scripts, digits and pieces of characters are wrong with confidence.
const mostOdds = 4.0

// When print says which way up it is: at least so many characters of a page or of a seal, so much surer of one turn than of any other, all
// together and each, and each as sure of it as whole characters are.
const (
	leastOnPage     = 6
	leastOnSeal     = 2
	leastMarginPage = 15.0
	leastMarginSeal = 4.5
	leastMarginEach = .5
	leastOddsEach   = -1.25
)

// printTurn is the turn clockwise, in degrees, that brings the print of a page upright.
func (g *glance) printTurn(skew float64) (degrees int, ok bool) {
	degrees, margin := g.likelyTurn(skew, leastOnPage)
	return degrees, margin > leastMarginPage
}

// likelyTurn is the turn clockwise that brings print upright most likely, in degrees, and by how much it is likelier than any other one;
// 0 where there are too few characters or where they are none.
func (g *glance) likelyTurn(skew float64, least int) (degrees int, margin float64) {
	for quarter, shown := range [2]*glance{g, g.turned(90)} {
		odds, n := shown.level(skew).printOdds()
		best := 0
		for i, v := range odds {
			if v > odds[best] {
				best = i
			}
		}
		ahead := math.Inf(1)
		for i, v := range odds {
			if i != best {
				ahead = math.Min(ahead, odds[best]-v)
			}
		}
		count := float64(n)
		if n >= least && ahead > margin && ahead > leastMarginEach*count && odds[best] > leastOddsEach*count {
			degrees, margin = (90*(best+quarter))%360, ahead
		}
		if margin > leastMarginPage {
			break
		}
	}
	return degrees, margin
}

// printOdds is how likely each quarter turn clockwise is to bring level print upright, as logarithms that add up over the characters that
// were looked at, and their number.
func (g *glance) printOdds() (odds [4]float64, characters int) {
	for _, line := range g.textLines() {
		for _, b := range g.charactersIn(line) {
			cells := wayup.Shrink(b.Dx(), b.Dy(), func(x, y int) float32 { return g.darkness(b.Min.X+x, b.Min.Y+y) })
			for i, v := range cells.Turns() {
				odds[i] += math.Max(v, -mostOdds)
			}
			characters++
		}
	}
	return odds, characters
}

// level is the print with the sheet's skew taken out. Thin strokes of coarse scans are grey.
func (g *glance) level(skew float64) *glance {
	t := *g
	t.dark = uint8(.72 * g.white)
	if math.Abs(skew) < .2 {
		return &t
	}
	t.v = make([]uint8, len(g.v))
	sin, cos := math.Sincos(skew * degree)
	midX, midY := float64(g.w)/2, float64(g.h)/2
	for y := range t.h {
		row := t.v[y*t.w : (y+1)*t.w]
		for x := range row {
			dx, dy := float64(x)-midX, (float64(y)-midY)*g.perMMX/g.perMMY
			px, py := midX+dx*cos-dy*sin-.5, midY+(dx*sin+dy*cos)*g.perMMY/g.perMMX-.5
			row[x] = g.near(px+.5, py+.5)
		}
	}
	return &t
}

// near is the light between four cells, in 16ths.
func (g *glance) near(x, y float64) uint8 {
	ix, iy := int(x*16), int(y*16)
	if ix < 0 || iy < 0 || ix>>4+1 >= g.w || iy>>4+1 >= g.h {
		return uint8(g.white)
	}
	fx, fy := ix&15, iy&15
	i := iy>>4*g.w + ix>>4
	upper := int(g.v[i])*(16-fx) + int(g.v[i+1])*fx
	lower := int(g.v[i+g.w])*(16-fx) + int(g.v[i+g.w+1])*fx
	return uint8((upper*(16-fy) + lower*fy) >> 8)
}

// darkness of a cell, 0 for paper and 1 for black.
func (g *glance) darkness(x, y int) float32 {
	if x < 0 || y < 0 || x >= g.w || y >= g.h {
		return 0
	}
	return max(0, 1-float32(g.v[y*g.w+x])/float32(g.white))
}

// textLines are pieces of lines of print that run along the rows: characters that stand close to each other.
func (g *glance) textLines() []image.Rectangle {
	ink := make([]bool, len(g.v))
	for i, v := range g.v {
		ink[i] = v < g.dark
	}
	g.dropRules(ink)
	joined := make([]bool, len(ink))
	gap := int(letterSpace * g.perMMX)
	for y := range g.h {
		last := -gap - 1
		for x := range g.w {
			if !ink[y*g.w+x] {
				continue
			}
			from := x
			if x-last <= gap {
				from = last
			}
			for i := from; i <= x; i++ {
				joined[y*g.w+i] = true
			}
			last = x
		}
	}
	var lines []image.Rectangle
	for _, c := range components(joined, ink, g.w, g.h) {
		if h := float64(c.bounds.Dy()) / g.perMMY; h >= leastPrint && h <= greatestPrint {
			lines = append(lines, c.bounds)
		}
	}
	return lines
}

// dropRules takes away what is longer than any stroke of print. Rules that were level only after the sheet was turned back are grey in
// places.
func (g *glance) dropRules(ink []bool) {
	grey := uint8(.85 * g.white)
	drop := func(n, length, step int, first func(i int) int, most int) {
		for i := range n {
			run, at := 0, first(i)
			for k := 0; k <= length; k++ {
				if k < length && g.v[at+k*step] < grey {
					run++
					continue
				}
				if run > most {
					for j := k - run; j < k; j++ {
						ink[at+j*step] = false
					}
				}
				run = 0
			}
		}
	}
	drop(g.h, g.w, 1, func(y int) int { return y * g.w }, int(greatestPrint*g.perMMX))
	drop(g.w, g.h, g.w, func(x int) int { return x }, int(greatestPrint*g.perMMY))
}

// charactersIn parts a line: what is inked up to a pause, joined to squares. Where characters touch, the column with the least ink parts
// them.
func (g *glance) charactersIn(line image.Rectangle) []image.Rectangle {
	ink := make([]int, line.Dx()+1) // of each column
	for y := line.Min.Y; y < line.Max.Y; y++ {
		for x, v := range g.v[y*g.w+line.Min.X : y*g.w+line.Max.X] {
			if v < g.dark {
				ink[x]++
			}
		}
	}
	em := int(math.Round(float64(line.Dy()) / g.perMMY * g.perMMX))
	var all []image.Rectangle
	for x := 0; x < line.Dx(); {
		if ink[x] == 0 {
			x++
			continue
		}
		end := x + 1
		for e := x + 2; e <= min(line.Dx(), x+em*9/8); e++ {
			if ink[end] != 0 && (e-x < em*3/4 || ink[e] <= ink[end]) || ink[e] == 0 && ink[e-1] != 0 {
				end = e
			}
		}
		if end-x >= em*5/8 {
			b := g.tight(image.Rect(line.Min.X+x, line.Min.Y, line.Min.X+end, line.Max.Y))
			if b.Dy()*8 >= line.Dy()*5 {
				all = append(all, b)
			}
		}
		x = end
	}
	return all
}

// tight takes empty rows off.
func (g *glance) tight(b image.Rectangle) image.Rectangle {
	empty := func(y int) bool {
		for _, v := range g.v[y*g.w+b.Min.X : y*g.w+b.Max.X] {
			if v < g.dark {
				return false
			}
		}
		return true
	}
	for b.Dy() > 1 && empty(b.Min.Y) {
		b.Min.Y++
	}
	for b.Dy() > 1 && empty(b.Max.Y-1) {
		b.Max.Y--
	}
	return b
}

// sealSide is how high and wide a seal without a middle is held to be at least, in millimetres, when its characters are looked at: one to
// four of them are as large as print then, and its frame is a rule.
const sealSide = 10.5

// charactersTurn is by how many degrees clockwise the characters of a seal have to be turned to stand upright when the seal is turned back
// by an angle, and by how much that is likelier than any other turn. Seal script is other than print and says nothing.
func (l *layer) charactersTurn(p *pose, angle float64) (degrees int, margin float64) {
	const perMM = 10.0
	scale := sealSide / (2 * math.Min(p.halfW, p.halfH))
	g := &glance{w: int(2 * p.halfW * scale * perMM), h: int(2 * p.halfH * scale * perMM), perMMX: perMM, perMMY: perMM, white: 255}
	g.v = make([]uint8, g.w*g.h)
	sin, cos := math.Sincos(angle * degree)
	for y := range g.h {
		for x := range g.w {
			u, v := (float64(x)+.5)/perMM/scale-p.halfW, (float64(y)+.5)/perMM/scale-p.halfH
			ink := clamp(l.figureAt(p.x+u*cos-v*sin, p.y+u*sin+v*cos), 0, 1)
			g.v[y*g.w+x] = uint8(255 * (1 - ink))
		}
	}
	return g.likelyTurn(0, leastOnSeal)
}
