package form

import (
	"math"
	"slices"

	"rsc.io/qr"
)

// placed is a sheet that was found on a scan.
type placed struct {
	transform
	marks    int     // how many of the four squares were found
	residual float64 // mm between where the QR code is and where the squares say that it is
}

// straighten finds the sheet by its code and the squares in its corners. False where the code does not lie like one on
// paper: seen in a mirror, or smaller or larger than any scan shows it.
func straighten(p plane, c foundCode) (placed, bool) {
	code, err := qr.Encode(codeText(c.number), qr.Q)
	if err != nil {
		return placed{}, false
	}
	inner := 3.5 * codeSide / float64(code.Size) // from the edge to the middle of a finder pattern
	far := codeSide - inner
	finders := []pair{
		{Point{codeBox.X + inner, codeBox.Y + inner}, c.finders[0]},
		{Point{codeBox.X + far, codeBox.Y + inner}, c.finders[1]},
		{Point{codeBox.X + inner, codeBox.Y + far}, c.finders[2]},
	}
	u, v := sub(c.finders[1], c.finders[0]), sub(c.finders[2], c.finders[0])
	if u.X*v.Y-u.Y*v.X <= 0 {
		return placed{}, false
	}
	t, ok := similar(finders)
	if across, _ := t.scale(); !ok || across < 2 || across > 60 {
		return placed{}, false
	}
	found := findMarks(p, t, finders)
	result := placed{transform: t, marks: len(found)}
	switch len(found) {
	case 4, 3:
		if result.transform, ok = through(found); !ok {
			return placed{}, false
		}
	case 2, 1:
		if result.transform, ok = similar(append(found, finders...)); !ok {
			return placed{}, false
		}
	}
	across, _ := result.scale()
	for _, f := range finders {
		d := sub(result.apply(f.sheet), f.scan)
		result.residual = max(result.residual, math.Hypot(d.X, d.Y)/across)
	}
	return result, !math.IsNaN(result.residual)
}

func sub(a, b Point) Point { return Point{a.X - b.X, a.Y - b.Y} }

// findMarks looks for the squares, the one nearest to the code first: each that is found makes the next guess better.
func findMarks(p plane, t transform, finders []pair) []pair {
	middle := Point{codeBox.X + codeSide/2, codeBox.Y + codeSide/2}
	order := slices.Clone(marks[:])
	distance := func(m Point) float64 { return math.Hypot(m.X-middle.X, m.Y-middle.Y) }
	slices.SortFunc(order, func(a, b Point) int { return int(distance(a) - distance(b)) })
	var found []pair
	for _, m := range order {
		// The code alone tells the direction to within two degrees at worst.
		reach := 3 + 0.03*distance(m)
		if len(found) > 1 {
			reach = 4
		}
		if at, ok := findSquare(p, t.apply(m), t, reach); ok {
			found = append(found, pair{m, at})
			if better, ok := similar(append(slices.Clone(found), finders...)); ok {
				t = better
			}
		}
	}
	return found
}

// findSquare finds the middle of a dark square of markSide near a place of the scan; reach is in millimetres.
func findSquare(p plane, near Point, t transform, reach float64) (Point, bool) {
	across, down := t.scale()
	side := markSide * (across + down) / 2
	half := reach*across + side
	if !(half < 5000 && math.Abs(near.X) < 1e6 && math.Abs(near.Y) < 1e6) { // not a number, either
		return Point{}, false
	}
	left, top := int(max(0, near.X-half)), int(max(0, near.Y-half))
	right, bottom := int(min(float64(p.width), near.X+half)), int(min(float64(p.height), near.Y+half))
	if right-left < int(side) || bottom-top < int(side) {
		return Point{}, false
	}
	w := window{plane: p, left: left, top: top, width: right - left, height: bottom - top}
	if !w.levels() {
		return Point{}, false
	}
	best, found := Point{}, false
	for _, b := range w.blobs() {
		if !b.isSquare(side) {
			continue
		}
		at := w.middle(b)
		if !found || math.Hypot(at.X-near.X, at.Y-near.Y) < math.Hypot(best.X-near.X, best.Y-near.Y) {
			best, found = at, true
		}
	}
	return best, found
}

// window is a part of a scan in which a square is looked for.
type window struct {
	plane
	left, top     int
	width, height int
	dark, bright  int
}

// levels finds how dark print and how bright paper is; false where there is only one of them.
func (w *window) levels() bool {
	var histogram [256]int
	for y := range w.height {
		for _, v := range w.row(y) {
			histogram[v]++
		}
	}
	level := func(share float64) int {
		most, sum := int(share*float64(w.width*w.height)), 0
		for v, n := range histogram {
			if sum += n; sum > most {
				return v
			}
		}
		return 255
	}
	w.dark, w.bright = level(0.01), level(0.75)
	return w.bright-w.dark >= 40
}

func (w *window) row(y int) []uint8 {
	from := (w.top+y)*w.plane.width + w.left
	return w.pix[from : from+w.width]
}

// blob is a connected dark area within a window.
type blob struct {
	left, top, right, bottom int // the last two belong to it
	area                     int
}

// isSquare accepts what a printed square of a side becomes on paper and glass, turned by up to some fifteen degrees.
func (b blob) isSquare(side float64) bool {
	width, height, area := float64(b.right-b.left+1), float64(b.bottom-b.top+1), float64(b.area)
	return area > 0.55*side*side && area < 1.6*side*side && width > 0.75*side && width < 1.5*side && height > 0.75*side && height < 1.5*side &&
		area > 0.6*width*height && width < 1.3*height && height < 1.3*width
}

// blobs are the dark areas that do not touch the edge of the window.
func (w *window) blobs() []blob {
	threshold := uint8((w.dark + w.bright) / 2)
	seen := make([]bool, w.width*w.height)
	var all []blob
	var stack []int
	for start := range seen {
		if seen[start] || w.row(start / w.width)[start%w.width] >= threshold {
			continue
		}
		seen[start] = true
		stack = append(stack[:0], start)
		b := blob{w.width, w.height, 0, 0, 0}
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			x, y := i%w.width, i/w.width
			b = blob{min(b.left, x), min(b.top, y), max(b.right, x), max(b.bottom, y), b.area + 1}
			for _, n := range [4][2]int{{x - 1, y}, {x + 1, y}, {x, y - 1}, {x, y + 1}} {
				if n[0] < 0 || n[1] < 0 || n[0] >= w.width || n[1] >= w.height {
					continue
				}
				if j := n[1]*w.width + n[0]; !seen[j] && w.row(n[1])[n[0]] < threshold {
					seen[j] = true
					stack = append(stack, j)
				}
			}
		}
		if b.left > 0 && b.top > 0 && b.right < w.width-1 && b.bottom < w.height-1 {
			all = append(all, b)
		}
	}
	return all
}

// middle is the centre of a blob's ink, in pixels of the scan: partly covered pixels count in part.
func (w *window) middle(b blob) Point {
	var sum, x, y float64
	for j := max(0, b.top-2); j <= min(w.height-1, b.bottom+2); j++ {
		row := w.row(j)
		for i := max(0, b.left-2); i <= min(w.width-1, b.right+2); i++ {
			ink := float64(w.bright-int(row[i])) / float64(w.bright-w.dark)
			if ink = min(ink, 1); ink < 0.15 {
				continue // the grain of paper
			}
			sum, x, y = sum+ink, x+ink*(float64(i)+0.5), y+ink*(float64(j)+0.5)
		}
	}
	return Point{float64(w.left) + x/sum, float64(w.top) + y/sum}
}
