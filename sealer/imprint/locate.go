package imprint

import (
	"image"
	"image/color"
	"math"
	"slices"
)

// Marks smaller or larger than these are no seals (国发〔1999〕25号: 60 mm is the largest official one).
const (
	leastMM    = 7.0
	greatestMM = 70.0
)

const (
	overviewDPI    = 75.0
	mostCandidates = 8
)

// overview is the page in small: lightness (Y of BT.601) and tint per cell, as stored.
type overview struct {
	cell        int // pixels of the scan per cell
	w, h        int
	light, tint []uint8
	hue         hue
}

// makeOverview averages the scan down to about 75 dpi.
func makeOverview(img image.Image, s Scale, ink hue) *overview {
	b := img.Bounds()
	cell := max(1, int(math.Round(math.Min(s.X, s.Y)/overviewDPI)))
	o := &overview{cell: cell, w: (b.Dx() + cell - 1) / cell, h: (b.Dy() + cell - 1) / cell, hue: ink}
	o.light, o.tint = make([]uint8, o.w*o.h), make([]uint8, o.w*o.h)
	if source, ok := img.(*image.YCbCr); ok {
		o.fromYCbCr(source)
	} else {
		o.fromRows(img)
	}
	return o
}

func (o *overview) fromYCbCr(img *image.YCbCr) {
	b := img.Bounds()
	averageCells(o.light, o.w, o.h, img.Y, img.YStride, b.Dx(), b.Dy(), o.cell, o.cell)
	o.tint = o.chroma(img, img.Cr)
	if o.hue == hues[Red] {
		return
	}
	cb := o.chroma(img, img.Cb)
	for i, cr := range o.tint {
		o.tint[i] = o.hue.tint(cb[i], cr)
	}
}

// tint is how much a colour is of the ink's hue, 128 for grey.
func (h hue) tint(cb, cr uint8) uint8 {
	return uint8(clamp(128+h.cb*(float64(cb)-128)+h.cr*(float64(cr)-128)+.5, 0, 255))
}

// chroma averages one plane of colour.
func (o *overview) chroma(img *image.YCbCr, samples []uint8) []uint8 {
	result := make([]uint8, o.w*o.h)
	b := img.Bounds()
	hs, vs := subsampling(img.SubsampleRatio)
	// A cell that is not a whole number of chroma samples reads the nearest ones; an overview needs no more.
	cw, ch := (b.Dx()+hs-1)/hs, (b.Dy()+vs-1)/vs
	if o.cell%hs == 0 && o.cell%vs == 0 {
		averageCells(result, o.w, o.h, samples, img.CStride, cw, ch, o.cell/hs, o.cell/vs)
		return result
	}
	for y := 0; y < o.h; y++ {
		for x := 0; x < o.w; x++ {
			cx, cy := min(x*o.cell/hs, cw-1), min(y*o.cell/vs, ch-1)
			result[y*o.w+x] = samples[cy*img.CStride+cx]
		}
	}
	return result
}

// averageCells writes the mean of every cell of src, reading every second row of large cells.
func averageCells(dst []uint8, dw, dh int, src []uint8, stride, sw, sh, cellX, cellY int) {
	sums := make([]uint32, dw)
	step := 1
	if cellY >= 4 {
		step = 2
	}
	for y := 0; y < dh; y++ {
		clear(sums)
		rows := 0
		for sy := y * cellY; sy < min((y+1)*cellY, sh); sy += step {
			row := src[sy*stride : sy*stride+sw]
			for x := range sums {
				from, to := min(x*cellX, sw), min((x+1)*cellX, sw)
				sum := uint32(0)
				for _, v := range row[from:to] {
					sum += uint32(v)
				}
				sums[x] += sum
			}
			rows++
		}
		for x, sum := range sums {
			if n := rows * (min((x+1)*cellX, sw) - min(x*cellX, sw)); n > 0 {
				dst[y*dw+x] = uint8(sum / uint32(n))
			}
		}
	}
}

func (o *overview) fromRows(img image.Image) {
	b := img.Bounds()
	line := make([]uint8, 3*b.Dx())
	sums := make([][3]uint32, o.w)
	step := 1
	if o.cell >= 4 {
		step = 2
	}
	for y := 0; y < o.h; y++ {
		clear(sums)
		rows := 0
		for sy := y * o.cell; sy < min((y+1)*o.cell, b.Dy()); sy += step {
			readRow(img, sy, 0, b.Dx(), line)
			for x := range sums {
				s := &sums[x]
				for i := 3 * x * o.cell; i < 3*min((x+1)*o.cell, b.Dx()); i += 3 {
					s[0] += uint32(line[i])
					s[1] += uint32(line[i+1])
					s[2] += uint32(line[i+2])
				}
			}
			rows++
		}
		for x, s := range sums {
			n := uint32(rows * (min((x+1)*o.cell, b.Dx()) - x*o.cell))
			light, cb, cr := color.RGBToYCbCr(uint8(s[0]/n), uint8(s[1]/n), uint8(s[2]/n))
			o.light[y*o.w+x], o.tint[y*o.w+x] = light, o.hue.tint(cb, cr)
		}
	}
}

// locate finds marks of the ink's hue and of the size of a seal and returns their bounds in stored pixels, in no
// special order. Tint is judged against lightness as well: the colour fringes of black lines would otherwise tie the
// seal to them. Apart says that the characters of the seal may stand too far apart to be one mark.
func locate(img image.Image, s Scale, ink hue, declared size, apart bool) []image.Rectangle {
	o := makeOverview(img, s, ink)
	cast, white := percentile(o.tint, .5), percentile(o.light, .8)
	red := make([]bool, len(o.tint))
	for i, r := range o.tint {
		// Print on tinted paper takes the tint with the light.
		expected := 128 + (float64(cast)-128)*math.Min(1, float64(o.light[i])/math.Max(1, float64(white)))
		excess := float64(r) - expected
		red[i] = excess > 6 && excess > .2*(float64(white)-float64(o.light[i]))
	}
	perMM := math.Min(s.X, s.Y) / float64(o.cell) / millimetresPerInch
	like := likeness{perMM: perMM, declared: declared}
	found := like.standing(red, o.w, o.h, nil)
	if apart {
		found = like.together(red, o.w, o.h, found)
	}
	rest := withoutLines(without(red, o.w, found), o.w, o.h, int(2*perMM), int(1.25*math.Hypot(declared.w, declared.h)*perMM))
	found = like.standing(rest, o.w, o.h, found)
	found = append(found, like.insideLarger(without(rest, o.w, found), o.w, o.h)...)
	slices.SortStableFunc(found, func(a, b component) int { return b.count - a.count })
	found = found[:min(len(found), mostCandidates)]
	rectangles := make([]image.Rectangle, len(found))
	for i, c := range found {
		r := c.bounds
		rectangles[i] = image.Rect(r.Min.X*o.cell, r.Min.Y*o.cell, r.Max.X*o.cell, r.Max.Y*o.cell).Intersect(img.Bounds())
	}
	return rectangles
}

// likeness knows what the mark of a seal of the declared size looks like from afar.
type likeness struct {
	perMM    float64 // cells per millimetre
	declared size
}

func (k likeness) plausible(c component) bool {
	w, h := float64(c.bounds.Dx())/k.perMM, float64(c.bounds.Dy())/k.perMM
	// Strokes cover a quarter of a seal; a few red specks in a wide frame are none.
	covered := float64(c.count) / float64(max(1, c.bounds.Dx()*c.bounds.Dy()))
	longer := math.Max(k.declared.w/k.declared.h, k.declared.h/k.declared.w)
	return math.Min(w, h) >= .8*leastMM && math.Max(w, h) <= 1.2*greatestMM && math.Max(w/h, h/w) <= 1.5*longer && covered > .05
}

// standing adds to what was found the plausible marks that stand alone. One that swallowed its neighbour at the wide
// distance may come apart at a narrower one.
func (k likeness) standing(red []bool, w, h int, found []component) []component {
	for _, bridge := range []float64{1.3, .7, .3} {
		grown := dilated(red, w, h, int(math.Round(bridge*k.perMM)))
		for _, c := range components(grown, red, w, h) {
			if k.plausible(c) && !slices.ContainsFunc(found, func(f component) bool { return f.bounds.Overlaps(c.bounds) }) {
				found = append(found, c)
			}
		}
	}
	return found
}

// together joins characters that have the declared size only together: up to half a character of paper may be between them.
func (k likeness) together(red []bool, w, h int, found []component) []component {
	const lean = .18 // sine of ten degrees
	alike := func(have int, side, other float64) bool {
		mm := float64(have) / k.perMM
		return mm > .9*side-1 && mm < 1.04*side+lean*other
	}
	fits := func(c component) bool {
		cw, ch, d := c.bounds.Dx(), c.bounds.Dy(), k.declared
		return alike(cw, d.w, d.h) && alike(ch, d.h, d.w) || alike(cw, d.h, d.w) && alike(ch, d.w, d.h)
	}
	for _, share := range []float64{.1, .16, .24} {
		grown := dilated(red, w, h, int(math.Round(share*math.Min(k.declared.w, k.declared.h)*k.perMM)))
		for _, c := range components(grown, red, w, h) {
			over := func(f component) bool { return f.bounds.Overlaps(c.bounds) }
			if k.plausible(c) && fits(c) && !slices.ContainsFunc(found, func(f component) bool { return over(f) && fits(f) }) {
				found = append(slices.DeleteFunc(found, over), c)
			}
		}
	}
	return found
}

// without is a mask without what was found.
func without(mask []bool, w int, found []component) []bool {
	rest := slices.Clone(mask)
	for _, c := range found {
		clearCells(rest, w, c.bounds)
	}
	return rest
}

// insideLarger looks for seals in what is left once the marks that may be seals are taken out: a seal that touches
// another mark is the window of the declared size that holds the most ink.
func (k likeness) insideLarger(rest []bool, w, h int) []component {
	side := size{k.declared.w * 1.04 * k.perMM, k.declared.h * 1.04 * k.perMM}
	ww, wh := int(math.Ceil(side.w)), int(math.Ceil(side.h))
	var windows []component
	for range 4 {
		best, ok := fullest(rest, w, h, ww, wh)
		if !ok {
			break
		}
		best.bounds = tightened(rest, w, best.bounds)
		windows = append(windows, best)
		clearCells(rest, w, best.bounds)
	}
	return windows
}

// fullest is the window of ww × wh cells in which most are set; at least a tenth.
func fullest(mask []bool, w, h, ww, wh int) (component, bool) {
	best := component{}
	sums := summed(mask, w, h)
	for y := 0; y+wh <= h; y++ {
		for x := 0; x+ww <= w; x++ {
			n := sums[(y+wh)*(w+1)+x+ww] - sums[y*(w+1)+x+ww] - sums[(y+wh)*(w+1)+x] + sums[y*(w+1)+x]
			if int(n) > best.count {
				best = component{bounds: image.Rect(x, y, x+ww, y+wh), count: int(n)}
			}
		}
	}
	return best, float64(best.count) >= .1*float64(ww*wh)
}

// summed is the sums of a mask over all rectangles from its corner, with a row and a column of zeros before them.
func summed(mask []bool, w, h int) []int32 {
	sums := make([]int32, (w+1)*(h+1))
	for y := range h {
		row := int32(0)
		for x := range w {
			if mask[y*w+x] {
				row++
			}
			sums[(y+1)*(w+1)+x+1] = sums[y*(w+1)+x+1] + row
		}
	}
	return sums
}

func clearCells(mask []bool, w int, r image.Rectangle) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		clear(mask[y*w+r.Min.X : y*w+r.Max.X])
	}
}

// tightened is the part of a window that holds what is set in it.
func tightened(mask []bool, w int, r image.Rectangle) image.Rectangle {
	tight := image.Rectangle{Min: r.Max, Max: r.Min}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if mask[y*w+x] {
				tight.Min = image.Pt(min(tight.Min.X, x), min(tight.Min.Y, y))
				tight.Max = image.Pt(max(tight.Max.X, x+1), max(tight.Max.Y, y+1))
			}
		}
	}
	return tight
}

func percentile(values []uint8, share float64) uint8 {
	var histogram [256]int
	for _, v := range values {
		histogram[v]++
	}
	left := int(share * float64(len(values)))
	for v, n := range histogram {
		if left -= n; left < 0 {
			return uint8(v)
		}
	}
	return 255
}

// dilated grows a mask by a square of the given half-width.
func dilated(mask []bool, w, h, radius int) []bool {
	wide := make([]bool, len(mask))
	for y := range h {
		from, to := mask[y*w:(y+1)*w], wide[y*w:(y+1)*w]
		done := 0 // everything before has been set
		for x, in := range from {
			if !in {
				continue
			}
			for done = max(done, x-radius); done <= min(w-1, x+radius); done++ {
				to[done] = true
			}
		}
	}
	result := make([]bool, len(mask))
	last := make([]int, w) // row after the last one that is to be set in a column
	for y := -radius; y < h; y++ {
		if next := y + radius; next < h {
			for x, in := range wide[next*w : (next+1)*w] {
				if in {
					last[x] = next + radius + 1
				}
			}
		}
		if y < 0 {
			continue
		}
		row := result[y*w : (y+1)*w]
		for x, until := range last {
			row[x] = y < until
		}
	}
	return result
}

func spread(get func(int) bool, set func(int), n, radius int) {
	done := 0 // everything below has been set
	for i := 0; i < n; i++ {
		if !get(i) {
			continue
		}
		for j := max(done, i-radius); j < min(n, i+radius+1); j++ {
			set(j)
		}
		done = min(n, i+radius+1)
	}
}

// component is a connected part of a mask.
type component struct {
	bounds image.Rectangle // of the cells that are set in the second mask
	count  int             // how many those are
}

// components labels the 4-connected parts of grown and measures them by the cells of red inside.
func components(grown, red []bool, w, h int) []component {
	seen := make([]bool, len(grown))
	var stack []int
	var found []component
	for start := range grown {
		if !grown[start] || seen[start] {
			continue
		}
		c := component{bounds: image.Rect(w, h, 0, 0)}
		c.bounds = image.Rectangle{Min: image.Pt(w, h)}
		seen[start] = true
		stack = append(stack[:0], start)
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			x, y := i%w, i/w
			if red[i] {
				c.count++
				c.bounds.Min = image.Pt(min(c.bounds.Min.X, x), min(c.bounds.Min.Y, y))
				c.bounds.Max = image.Pt(max(c.bounds.Max.X, x+1), max(c.bounds.Max.Y, y+1))
			}
			for _, n := range [4]struct {
				ok bool
				i  int
			}{{x > 0, i - 1}, {x+1 < w, i + 1}, {y > 0, i - w}, {y+1 < h, i + w}} {
				if n.ok && grown[n.i] && !seen[n.i] {
					seen[n.i] = true
					stack = append(stack, n.i)
				}
			}
		}
		found = append(found, c)
	}
	return found
}
