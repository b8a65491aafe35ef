package imprint

import (
	"math"
	"slices"
)

// Sheet is how the paper lies on the scan. What could not be seen is zero, and the From fields say so.
type Sheet struct {
	// Turn is by how many degrees clockwise the picture, as the file says that it is displayed, was turned to stand upright: 0,
	// 90, 180 or 270. TurnFrom is what showed it: "print" (Chinese characters), "code" (the finder patterns of a QR code), "boxes",
	// "rows" (of text; which way round by the imprints) or "none": then the picture counts as upright.
	Turn     int    `json:"turnDegrees"`
	TurnFrom string `json:"turnFrom"`
	// Skew is how far the sheet lies askew then, degrees clockwise; SkewFrom is "boxes", "lines" (rules and rows of text) or
	// "none": a crop with nothing to go by, whose own edges count as the sheet's.
	Skew     float64 `json:"skewDegrees"`
	SkewFrom string  `json:"skewFrom"`
	// Left and Top are where the upper left corner of the sheet is seen, in millimetres from that of the scan; Width and Height
	// are its size. All are zero where the sheet fills the scan.
	Left   float64 `json:"leftMM,omitempty"`
	Top    float64 `json:"topMM,omitempty"`
	Width  float64 `json:"widthMM,omitempty"`
	Height float64 `json:"heightMM,omitempty"`
	// BoxesX and BoxesY are how large the printed boxes measure against what they should, at the resolution that the file states:
	// 1 is exact. A form that was printed to fit the page is smaller both ways, a feeder that slips stretches one. Zero where no
	// boxes were given or none were seen.
	BoxesX float64 `json:"boxesX,omitempty"`
	BoxesY float64 `json:"boxesY,omitempty"`
	// Stretched says that the scale was corrected along one side because of it.
	Stretched bool `json:"stretched,omitempty"`
	// ShiftX and ShiftY are where the boxes begin to count from: the place of the page's origin on the scan, in millimetres.
	originX, originY float64
	scaleX, scaleY   float64 // of the print: millimetres on the scan for one of the page
}

// What showed the turn and the skew.
const (
	fromPrint = "print"
	fromCode  = "code"
	fromBoxes = "boxes"
	fromLines = "lines"
)

// onPage is where a place of the scan is on the page, both in millimetres.
func (t Sheet) onPage(x, y float64) (px, py float64) {
	sin, cos := math.Sincos(t.Skew * degree)
	x, y = x-t.originX, y-t.originY
	return (x*cos + y*sin) / t.scaleX, (y*cos - x*sin) / t.scaleY
}

// laid finds how the sheet lies and turns the session's picture upright. The scale is corrected where the printed boxes show that a
// feeder stretched it.
func (s *session) laid() error {
	s.sheet = Sheet{TurnFrom: fromNone, SkewFrom: fromNone, scaleX: 1, scaleY: 1}
	g := glanceAt(s.img, s.scale, s.orientation, hues[s.options.colour()])
	if g.w < 8 || g.h < 8 {
		return nil
	}
	if angle, ok := g.skew(); ok { // the same after a quarter turn
		s.sheet.Skew, s.sheet.SkewFrom = angle, fromLines
	}
	turn, from := g.turn(s.options.Boxes, s.sheet.Skew)
	if from == fromRows && s.scale.Page == "" {
		turn, from = 0, fromNone // a crop has too little print to tell by its rows
	}
	if turn != 0 {
		stored := s.scaleAsStored()
		s.orientation = turnedBy(s.orientation, turn)
		page := s.scale.Page
		s.scale = stored.oriented(s.orientation)
		s.scale.Page = page
		g = g.turned(turn)
	}
	s.sheet.Turn, s.sheet.TurnFrom = turn, from
	if err := s.borders(g); err != nil {
		return err
	}
	s.useBoxes(g)
	s.sheet.Skew = rounded(s.sheet.Skew, 3)
	return s.photographed(g)
}

// turn finds by how many degrees clockwise the picture has to be turned, and what shows it.
func (g *glance) turn(boxes []Box, skew float64) (degrees int, from string) {
	if turn, ok := g.printTurn(skew); ok {
		return turn, fromPrint
	}
	if angle, ok := g.codeAngle(); ok {
		return upright(angle), fromCode
	}
	if len(boxes) > 0 {
		best, second, turn := 0.0, 0.0, 0
		for _, t := range []int{0, 90, 180, 270} {
			score := g.turned(t).frames(boxes, skew, 0, 0).seen
			if score > best {
				best, second, turn = score, best, t
			} else {
				second = math.Max(second, score)
			}
		}
		if best >= leastSeen && best > second+.1 {
			return turn, fromBoxes
		}
	}
	if g.lying(skew) {
		return 90, fromRows
	}
	return 0, fromNone
}

// upright is the turn that takes an angle of the print back to less than 45 degrees.
func upright(angle float64) int { return ((-int(math.Round(angle/90))*90)%360 + 360) % 360 }

// turned is the glance after a turn clockwise.
func (g *glance) turned(degrees int) *glance {
	if degrees == 0 {
		return g
	}
	t := *g
	t.orient(turnedBy(1, degrees))
	if degrees != 180 {
		t.perMMX, t.perMMY = g.perMMY, g.perMMX
	}
	return &t
}

// turnedBy is the orientation of a picture that is turned clockwise after it was oriented.
func turnedBy(orientation, degrees int) int {
	further := map[int]int{90: 6, 180: 3, 270: 8}[degrees]
	if further == 0 {
		return orientation
	}
	const w, h = 3, 2 // three corners of a picture tell the eight orientations apart
	midW, midH := w, h
	if orientation >= 5 {
		midW, midH = h, w
	}
	for o := 1; o <= 8; o++ {
		same := true
		for _, c := range [3][2]int{{0, 0}, {w - 1, 0}, {0, h - 1}} {
			x, y := orientPoint(c[0], c[1], w, h, orientation)
			x, y = orientPoint(x, y, midW, midH, further)
			ox, oy := orientPoint(c[0], c[1], w, h, o)
			same = same && x == ox && y == oy
		}
		if same {
			return o
		}
	}
	return orientation
}

// lying reports that rows of text run from top to bottom: lines of text are parted by paper, the characters in them hardly. Scans below 190 dpi
// do not show thin rules as lines, which then count as text.
func (g *glance) lying(skew float64) bool {
	if g.coarse {
		return false
	}
	rows, columns := g.parting(skew), g.turned(90).parting(skew)
	return columns > 1.7*rows && columns > .12
}

// parting is how much of the length of a page's printed part is paper between lines, in strips of 30 mm, where print of less than
// 8 mm in the direction of the lines is text and the rest rules.
func (g *glance) parting(skew float64) float64 {
	strip, rule := int(30*g.perMMX), int(8*g.perMMX)
	if strip < 8 {
		return 0
	}
	rise := make([]int, strip) // of a row of text over the strip
	for x := range rise {
		rise[x] = int(math.Round(float64(x) / g.perMMX * math.Tan(skew*degree) * g.perMMY))
	}
	total, strips := 0.0, 0
	for x0 := 0; x0+strip <= g.w; x0 += strip {
		inked := make([]bool, g.h)
		first, last, any := 0, 0, 0
		for y := range g.h {
			run, dark := 0, 0
			for x, up := range rise {
				if py := y + up; py >= 0 && py < g.h && g.v[py*g.w+x0+x] < g.dark {
					run++
					continue
				}
				if run > 0 && run < rule {
					dark += run
				}
				run = 0
			}
			if inked[y] = dark > 2; inked[y] {
				if any == 0 {
					first = y
				}
				last = y
				any++
			}
		}
		if float64(any) < 10*g.perMMY {
			continue
		}
		total += pauses(inked[first:last+1], g.perMMY)
		strips++
	}
	if strips == 0 {
		return 0
	}
	return total / float64(strips)
}

// pauses is the share of paper between lines of text: pauses of .6 to 6 mm.
func pauses(inked []bool, perMM float64) float64 {
	paper, run := 0, 0
	for _, ink := range inked {
		if !ink {
			run++
			continue
		}
		if mm := float64(run) / perMM; mm >= .6 && mm <= 6 {
			paper += run
		}
		run = 0
	}
	return float64(paper) / float64(len(inked))
}

// borders finds the sheet within grey margins or the black of an open lid, and holds its size against the resolution.
func (s *session) borders(g *glance) error {
	left, right := g.border(s.sheet.Skew, -1, 0), g.border(s.sheet.Skew, 1, 0)
	top, bottom := g.border(s.sheet.Skew, 0, -1), g.border(s.sheet.Skew, 0, 1)
	if left+right+top+bottom == 0 {
		return nil
	}
	width, height := s.scale.millimetres()
	sheet := s.scale
	sheet.Width = int(math.Round((width - left - right) * s.scale.X / millimetresPerInch))
	sheet.Height = int(math.Round((height - top - bottom) * s.scale.Y / millimetresPerInch))
	t := &s.sheet
	t.Left, t.Top, t.Width, t.Height = rounded(left, 1), rounded(top, 1), rounded(width-left-right, 1), rounded(height-top-bottom, 1)
	t.originX, t.originY = left, top
	if s.scale.Page != "" || s.options.DPI != 0 {
		return nil
	}
	s.scale.Page = sheet.paper()
	short, long := math.Min(t.Width, t.Height), math.Max(t.Width, t.Height)
	// Seen from all sides, with the sides of A paper and the size of none: the resolution is a wrong one.
	if s.scale.Page == "" && min(left, right, top, bottom) > 0 && math.Abs(long/short/math.Sqrt2-1) < .01 {
		return errScaleContradicts.With("%s %g dpi = %.0f × %.0f mm; A4: %.0f dpi?", s.scale.Source, s.scale.X, t.Width, t.Height, s.scale.X*short/210)
	}
	return nil
}

// border is how wide the strip beside the sheet is on one side, in millimetres; 0 where there is none. A strip narrower than 1 mm is the
// shadow of the paper's own edge.
func (g *glance) border(skew float64, dx, dy int) float64 {
	const lines, deepest = 41, .45 // of the side
	length, depth := g.h, g.w
	if dy != 0 {
		length, depth = g.w, g.h
	}
	per, perAlong := g.perMMX, g.perMMY
	if dy != 0 {
		per, perAlong = g.perMMY, g.perMMX
	}
	paper, wide := uint8(.86*g.white), int(2*per)
	tan := math.Tan(skew * degree)
	var found []float64
	for i := range lines {
		along := (i + 1) * length / (lines + 1)
		bright := 0
		for d := range int(deepest * float64(depth)) {
			x, y := d, along
			switch {
			case dx > 0:
				x = g.w - 1 - d
			case dy < 0:
				x, y = along, d
			case dy > 0:
				x, y = along, g.h-1-d
			}
			if g.v[y*g.w+x] < paper {
				bright = 0
				continue
			}
			if bright++; bright >= wide {
				// What the skew moves the edge by here, against the middle of the side, is taken out.
				off := (float64(along) - float64(length)/2) / perAlong * tan
				if dx > 0 || dy < 0 {
					off = -off
				}
				found = append(found, float64(d+1-bright)/per+off)
				break
			}
		}
	}
	if len(found) < lines/2 {
		return 0
	}
	slices.Sort(found)
	at := found[len(found)/2]
	// Print near the edge begins at some rows, the edge of the paper at all.
	if at < 1 || found[len(found)*3/4]-found[len(found)/4] > 2 {
		return 0
	}
	return at
}

// lean is how far the best imprint leans on the page. Rows of text show that a page lies on its side, and not on which one: there
// imprints that all stand on their heads show that it is the other one.
func (s *session) lean(used []*view) float64 {
	angle := math.Remainder(used[0].pose.angle-s.sheet.Skew, 360)
	if s.sheet.TurnFrom != fromRows || slices.ContainsFunc(used, func(v *view) bool { return math.Abs(math.Remainder(v.pose.angle, 360)) < 135 }) {
		return angle
	}
	s.sheet.Turn = 360 - s.sheet.Turn
	return math.Remainder(angle+180, 360)
}
