package pdf

import (
	"slices"
	"strings"
)

// covers remembers that an appearance was added to a page, and says whether what was added there since the first
// signature, all together, leaves most of the page to be seen: many small seals beside each other replace a page as one
// large does.
func (c *comparison) covers(page Ref, r, box Rect) bool {
	r = Rect{max(r.X1, box.X1), max(r.Y1, box.Y1), min(r.X2, box.X2), min(r.Y2, box.Y2)}
	if r.Width() <= 0 || r.Height() <= 0 {
		return true
	}
	k := c.comparer
	if k.covered == nil {
		k.covered = map[Ref][]Rect{}
	}
	if len(k.covered[page]) > maxCovering {
		return false
	}
	if !slices.Contains(k.covered[page], r) {
		k.covered[page] = append(k.covered[page], r)
	}
	most := maxCoverage * box.Width() * box.Height()
	sum := 0.0
	for _, r := range k.covered[page] {
		sum += r.Width() * r.Height()
	}
	if sum <= most {
		return true
	}
	return areaOf(k.covered[page]) <= most
}

// maxCovering is how many appearances may be added to one page: no more are measured for what they cover together.
const maxCovering = 300

// areaOf is the area that rectangles cover together.
func areaOf(rects []Rect) float64 {
	var edges []float64
	for _, r := range rects {
		edges = append(edges, r.X1, r.X2)
	}
	slices.Sort(edges)
	byHeight := slices.SortedFunc(slices.Values(rects), func(a, b Rect) int {
		switch {
		case a.Y1 < b.Y1:
			return -1
		case a.Y1 > b.Y1:
			return 1
		}
		return 0
	})
	area := 0.0
	for i := 1; i < len(edges); i++ {
		left, width := edges[i-1], edges[i]-edges[i-1]
		if width <= 0 {
			continue
		}
		height, top := 0.0, byHeight[0].Y1
		for _, r := range byHeight {
			if r.X1 <= left && r.X2 > left && r.Y2 > top {
				height += r.Y2 - max(top, r.Y1)
				top = r.Y2
			}
		}
		area += width * height
	}
	return area
}

// coverage ends an English sentence with the page most of which something covers.
func coverage(page int, sentence string) string {
	return strings.TrimSuffix(onPageEN(page, sentence+" most %s"), " ") + "."
}
