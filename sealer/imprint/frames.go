package imprint

import (
	"math"
	"slices"
)

// leastSeen is the share of the boxes' sides that must be dark for them to have been found.
const leastSeen = .6

// reachOfBoxes is how far from their place boxes are looked for, in millimetres: sheets lie crooked, printers shift.
const reachOfBoxes = 14.0

// side is a side of printed boxes: at a place across itself, from and to a place along itself, in millimetres on the page.
type side struct{ across, from, to float64 }

// sides are the horizontal and the vertical sides of the boxes, each once.
func sides(boxes []Box) (rows, columns []side) {
	add := func(all *[]side, s side) {
		for i := range *all {
			if o := &(*all)[i]; math.Abs(o.across-s.across) < .3 {
				o.from, o.to = math.Min(o.from, s.from), math.Max(o.to, s.to)
				return
			}
		}
		*all = append(*all, s)
	}
	for _, b := range boxes {
		for _, y := range []float64{b.Top, b.Top + b.Height} {
			add(&rows, side{y, b.Left, b.Left + b.Width})
		}
		for _, x := range []float64{b.Left, b.Left + b.Width} {
			add(&columns, side{x, b.Top, b.Top + b.Height})
		}
	}
	return rows, columns
}

// framing is where boxes were found: where the page's origin lies in the coordinates of the sheet, which are those of the scan turned
// back by the skew, how large the print is both ways, and what share of the sides is there.
type framing struct {
	dx, dy       float64
	sizeX, sizeY float64
	seen         float64
}

// frames looks for the boxes around a place of the page's origin, for print from nine tenths of its size to a little more than it.
func (g *glance) frames(boxes []Box, skew, originX, originY float64) framing {
	rows, columns := sides(boxes)
	sin, cos := math.Sincos(skew * degree)
	level := uint8(.8 * g.white)
	dark := func(u, v float64) bool { // in the coordinates of the sheet
		x, y := int((u*cos-v*sin)*g.perMMX), int((u*sin+v*cos)*g.perMMY)
		return x >= 0 && y >= 0 && x < g.w && y < g.h && g.v[y*g.w+x] < level
	}
	step := 1 / math.Max(g.perMMX, g.perMMY)
	var f framing
	var seenX, seenY float64
	f.sizeY, f.dy, seenY = sized(rows, step, originX, originY, dark)
	if seenY < leastSeen/2 {
		return framing{}
	}
	f.sizeX, f.dx, seenX = sized(columns, step, f.dy, originX, func(v, u float64) bool { return dark(u, v) })
	if math.Abs(f.sizeX/f.sizeY-1) > greatestStretch {
		return framing{}
	}
	f.seen = math.Min(seenX, seenY)
	return f
}

// sized tries sizes of the print, the true one first.
func sized(sides []side, step, along, near float64, dark func(along, across float64) bool) (size, by, seen float64) {
	const fine, enough = .005, .97
	for i := range 30 { // 1, .995, 1.005, .99, 1.01, … to 1.03, and .9
		this := 1 - float64((i+1)/2)*fine
		if i%2 == 0 {
			this = 1 + float64(i/2)*fine
		}
		if i > 12 {
			this = 1 - float64(i-6)*fine
		}
		if this < .9 {
			break
		}
		if at, n := shift(sides, this, step, along, near, dark); n > seen+.02 {
			size, by, seen = this, at, n
		}
		if seen >= enough {
			break
		}
	}
	return size, by, seen
}

// shift finds by how much the sides have to be moved across themselves for most of them to be dark. Along is where the page begins
// along them, roughly.
func shift(sides []side, size, step, along, near float64, dark func(along, across float64) bool) (by, seen float64) {
	const samples = 24
	for d := -reachOfBoxes; d <= reachOfBoxes; d += step {
		least := 1.0
		for _, s := range sides {
			hits := 0
			for i := range samples {
				at := along + size*(s.from+(s.to-s.from)*(.15+.7*float64(i)/(samples-1)))
				across := near + d + size*s.across
				if dark(at, across) || dark(at, across-step) || dark(at, across+step) {
					hits++
				}
			}
			least = math.Min(least, float64(hits)/samples)
			if least <= seen {
				break
			}
		}
		if least > seen || least == seen && math.Abs(d) < math.Abs(by-near) {
			by, seen = near+d, least
		}
	}
	return by, seen
}

// line is a side as it was measured: across = at + slope · along, in the coordinates of the sheet.
type line struct{ at, slope, middle float64 }

// useBoxes measures the printed boxes, where they are known and seen: where the page begins, how it lies, and whether a feeder
// stretched it.
func (s *session) useBoxes(g *glance) {
	t := &s.sheet
	boxes := s.options.Boxes
	if len(boxes) == 0 {
		return
	}
	f := g.frames(boxes, t.Skew, t.originX, t.originY)
	if f.seen < leastSeen {
		return
	}
	rows, columns := sides(boxes)
	sin, cos := math.Sincos(t.Skew * degree)
	light := func(u, v float64) float64 { return g.at(u*cos-v*sin, u*sin+v*cos) }
	measure := func(sides []side, size, along, across float64, light func(along, across float64) float64) (lines []line, at []float64) {
		for _, s := range sides {
			if l, ok := centred(s, size, along, across, g.white, light); ok {
				lines, at = append(lines, l), append(at, s.across)
			}
		}
		return lines, at
	}
	across, atRows := measure(rows, f.sizeY, f.dx, f.dy, light)
	down, atColumns := measure(columns, f.sizeX, f.dy, f.dx, func(v, u float64) float64 { return light(u, v) })
	scaleY, originY, okY := printScale(across, atRows)
	scaleX, originX, okX := printScale(down, atColumns)
	if !okX || !okY {
		return
	}
	t.BoxesX, t.BoxesY = rounded(scaleX, 5), rounded(scaleY, 5)
	// A side that leans by less than the feeder can shear is the sheet's own.
	t.Skew += (meanSlope(across) - meanSlope(down)) / 2 / degree
	t.SkewFrom = fromBoxes
	t.originX, t.originY = originX*cos-originY*sin, originX*sin+originY*cos
	t.scaleX, t.scaleY = scaleX, scaleY
	s.unstretch()
}

// centred finds the middle of a printed line along a side: every millimetre the centre of what is dark within .9 mm of where it
// should be, and a line through those that most agree with.
func centred(s side, size, along, across, white float64, light func(along, across float64) float64) (line, bool) {
	const reach, fine = .9, .06 // mm
	var us, vs []float64
	from, to := along+size*s.from, along+size*s.to
	middle := across + size*s.across
	for u := from + 2; u <= to-2; u++ {
		var sum, weight float64
		for v := -reach; v <= reach; v += fine {
			if d := white*.9 - light(u, middle+v); d > 0 {
				sum, weight = sum+d*v, weight+d
			}
		}
		if weight > .15*white {
			us, vs = append(us, u), append(vs, middle+sum/weight)
		}
	}
	if float64(len(us)) < .4*(to-from) {
		return line{}, false
	}
	centre := (from + to) / 2
	at, slope := medianLine(us, vs, centre)
	return line{at, slope, centre}, true
}

// medianLine is a line through points of which some are strays (characters that touch the rule, a seal's edge): Theil and Sen's.
func medianLine(us, vs []float64, centre float64) (at, slope float64) {
	var slopes, rests []float64
	half := len(us) / 2
	for i := range half {
		slopes = append(slopes, (vs[i+half]-vs[i])/(us[i+half]-us[i]))
	}
	slope = medianOfAll(slopes)
	for i := range us {
		rests = append(rests, vs[i]-slope*(us[i]-centre))
	}
	return medianOfAll(rests), slope
}

func medianOfAll(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// printScale fits a scale and an origin to the places of lines: place = origin + scale · place on the page.
func printScale(lines []line, at []float64) (scale, origin float64, ok bool) {
	if len(lines) < 2 || slices.Max(at)-slices.Min(at) < 20 {
		return 0, 0, false
	}
	var sx, sy, sxx, sxy float64
	n := float64(len(lines))
	for i, l := range lines {
		sx, sy, sxx, sxy = sx+at[i], sy+l.at, sxx+at[i]*at[i], sxy+at[i]*l.at
	}
	scale = (n*sxy - sx*sy) / (n*sxx - sx*sx)
	return scale, (sy - scale*sx) / n, scale > .85 && scale < 1.15
}

func meanSlope(lines []line) float64 {
	total := 0.0
	for _, l := range lines {
		total += l.slope
	}
	return total / float64(len(lines))
}

// Limits of what a feeder does to a page: less is not measured, more is another form.
const (
	leastStretch    = .0015
	greatestStretch = .02
	trueSize        = .004
)

// unstretch corrects the scale along the side that a feeder stretched. The side along which the print has its true size is right; on a
// form that was printed smaller or larger it is the one across the feed, which is the longer way of the sheet.
func (s *session) unstretch() {
	t := &s.sheet
	ratio := t.scaleY / t.scaleX
	if math.Abs(ratio-1) < leastStretch || math.Abs(ratio-1) > greatestStretch || s.options.DPI != 0 && s.scale.X != s.scale.Y {
		return
	}
	width, height := s.scale.millimetres()
	offX, offY := math.Abs(t.scaleX-1), math.Abs(t.scaleY-1)
	alongY := height >= width
	if math.Min(offX, offY) < trueSize {
		alongY = offY >= offX
	}
	t.Stretched = true
	if alongY {
		s.scale.Y *= ratio
		t.originY, t.scaleY = t.originY/ratio, t.scaleX
	} else {
		s.scale.X /= ratio
		t.originX, t.scaleX = t.originX*ratio, t.scaleY
	}
}
