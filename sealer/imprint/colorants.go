package imprint

import (
	"image"
	"math"
)

// Printers mix red of magenta and yellow, laid down by themselves: where one dot of magenta is missing, yellow need not
// be. Ink from a pad is one mixture, thicker here and thinner there: light of every colour that it absorbs rises and falls
// together. So the part of the unevenness of one colour that does not follow that of another is a sign of a printer, at
// any resolution at which the colours' dots do not melt into one, and whatever the screen.

// cells reads the light that the ink absorbs most, and that of the third channel, neither absorbed most nor least,
// averaged over small squares of a scan; nil for what is no scan.
type cells func() (strong, third *plane)

// cellPixels is the side of a cell in pixels: JPEG keeps one sample of colour for so many.
const cellPixels = 2

// cellsOf reads the cells of an area of a scan, step pixels wide, in linear light as displayed.
func cellsOf(img image.Image, area image.Rectangle, step, orientation int, h hue) cells {
	return func() (strong, third *plane) {
		source, isYCbCr := img.(*image.YCbCr)
		strong, third = newPlane(area.Dx()/step, area.Dy()/step), newPlane(area.Dx()/step, area.Dy()/step)
		sums := make([][3]float32, strong.w)
		line := make([]uint8, 3*area.Dx())
		table := linearTable()
		share := 1 / float32(step*step)
		channels := [2]int{h.strong, 3 - h.strong - h.clear}
		for y := range strong.h {
			clear(sums)
			for i := range step {
				if row := area.Min.Y + y*step + i; isYCbCr {
					sumYCbCr(sums, source, row, area.Min.X, step)
				} else {
					readRow(img, row, area.Min.X, area.Max.X, line)
					for x := range strong.w * step {
						at := &sums[x/step]
						at[0], at[1], at[2] = at[0]+float32(line[3*x]), at[1]+float32(line[3*x+1]), at[2]+float32(line[3*x+2])
					}
				}
			}
			for i, p := range []*plane{strong, third} {
				k, row := channels[i], p.row(y)
				for x, v := range sums {
					encoded := v[k] * share
					if isYCbCr {
						encoded = v[0]*share + fromYCbCr[k][0]*(v[1]*share-128) + fromYCbCr[k][1]*(v[2]*share-128)
					}
					row[x] = table[int(min(max(encoded*linearSteps+.5, 0), float32(len(table)-1)))]
				}
			}
		}
		return strong.oriented(orientation), third.oriented(orientation)
	}
}

// sumYCbCr adds one row of pixels to the sums of its cells.
func sumYCbCr(sums [][3]float32, img *image.YCbCr, y, left, step int) {
	hs, vs := subsampling(img.SubsampleRatio)
	light := img.Y[y*img.YStride+left:]
	cb, cr := img.Cb[y/vs*img.CStride:], img.Cr[y/vs*img.CStride:]
	x := 0
	for i := range sums {
		at := &sums[i]
		for range step {
			c := (left + x) / hs
			at[0], at[1], at[2] = at[0]+float32(light[x]), at[1]+float32(cb[c]), at[2]+float32(cr[c])
			x++
		}
	}
}

const (
	colorantsDPI   = 250 // less is too coarse: cells are as wide as strokes
	colorantsFine  = .5  // cells: deviation below which JPEG keeps no colour of its own
	colorantsBroad = .5  // mm: deviation beyond which colour changes with paper and light
)

// colorants is how much of the unevenness of the ink in one colour of light does not follow that in another, 0 to 1, and
// how much that is as a share of the paper's light. What follows with a displacement or a blur of its own, as the
// scanner's lenses and sensors make it, is counted as following. mask marks the cells of solid ink.
func (l *layer) colorants(mask []bool) (share, deviation float64) {
	if l.cells == nil || math.Min(l.perMMX, l.perMMY)*millimetresPerInch < colorantsDPI {
		return 0, 0
	}
	strong, third := l.cells()
	strong, third = strong.blurred(colorantsFine, colorantsFine), third.blurred(colorantsFine, colorantsFine)
	if len(mask) != len(strong.v) {
		return 0, 0
	}
	paperS, paperT := brightOf(strong), brightOf(third)
	small := &layer{crop: &crop{perMMX: l.perMMX / cellPixels, perMMY: l.perMMY / cellPixels}}
	own := small.inside(mask, colorantsBroad, strong, third)
	for i, in := range mask {
		if in {
			own[0].v[i], own[1].v[i] = strong.v[i]-own[0].v[i], third.v[i]-own[1].v[i]
		}
	}
	ownS, ownT := own[0], own[1]
	w := strong.w
	follows := func(i int) [4]float64 {
		s, left, right, above, below := strong.v[i], strong.v[i-1], strong.v[i+1], strong.v[i-w], strong.v[i+w]
		return [4]float64{float64(ownS.v[i]), float64(right - left), float64(below - above), float64(left + right + above + below - 4*s)}
	}
	rows := make([][]float64, 4)
	for i := range rows {
		rows[i] = make([]float64, 5)
	}
	each := func(do func(i int)) {
		for y := 1; y+1 < strong.h; y++ {
			for i := y*w + 1; i < y*w+w-1; i++ {
				if mask[i] {
					do(i)
				}
			}
		}
	}
	var unevenS, unevenT float64
	n := 0
	each(func(i int) {
		f, v := follows(i), float64(ownT.v[i])
		for a, x := range f {
			for b, y := range f {
				rows[a][b] += x * y
			}
			rows[a][4] += x * v
		}
		unevenS, unevenT, n = unevenS+f[0]*f[0], unevenT+v*v, n+1
	})
	if n == 0 {
		return 0, 0
	}
	x, ok := solve(rows)
	if !ok {
		return 0, 0
	}
	rest := 0.0
	each(func(i int) {
		f := follows(i)
		rest += square(float64(ownT.v[i]) - x[0]*f[0] - x[1]*f[1] - x[2]*f[2] - x[3]*f[3])
	})
	scale := 1 / math.Sqrt(float64(n))
	deviation = math.Sqrt(rest) * scale / paperT
	return deviation / math.Max(math.Sqrt(unevenT)*scale/paperT, math.Sqrt(unevenS)*scale/paperS), deviation
}

// halvedMask marks the squares of four pixels that are all in a mask.
func halvedMask(mask []bool, w, h int) []bool {
	half := make([]bool, w/2*(h/2))
	for y := range h / 2 {
		for x := range w / 2 {
			i := 2*y*w + 2*x
			half[y*(w/2)+x] = mask[i] && mask[i+1] && mask[i+w] && mask[i+w+1]
		}
	}
	return half
}

// brightOf is about the light of paper.
func brightOf(p *plane) float64 {
	var all [256]int
	for _, v := range p.v {
		all[level256(v)]++
	}
	return math.Max(1, float64(percentileOf(all[:], .9))) / 255
}
