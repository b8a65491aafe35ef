package imprint

import (
	"cmp"
	"math"
	"slices"
)

// finderMark is a finder pattern of a QR code (ISO/IEC 18004, 6.3.3): dark, light, dark, light, dark in 1:1:3:1:1.
type finderMark struct {
	x, y   float64 // cells
	module float64 // cells
	hits   int     // rows through it that show the pattern
}

const (
	mostFinders    = 48
	leastRowHits   = 3
	greatestModule = 24 // cells: 4 mm
)

// codeAngle finds a QR code and how far it is turned, in degrees clockwise from upright, by the corner that has no finder pattern:
// the lower right one.
func (g *glance) codeAngle() (angle float64, ok bool) {
	marks := g.finders()
	best := math.Inf(1)
	for i, corner := range marks {
		for j, right := range marks {
			for k, below := range marks {
				if i == j || i == k || j == k {
					continue
				}
				ux, uy := (right.x-corner.x)/g.perMMX, (right.y-corner.y)/g.perMMY
				vx, vy := (below.x-corner.x)/g.perMMX, (below.y-corner.y)/g.perMMY
				a, b := math.Hypot(ux, uy), math.Hypot(vx, vy)
				module := (corner.module + right.module + below.module) / 3
				uneven := math.Max(math.Abs(a/b-1), math.Abs(ux*vx+uy*vy)/(a*b))
				spread := math.Max(math.Max(corner.module, right.module), below.module) / math.Min(math.Min(corner.module, right.module), below.module)
				modules := a * g.perMMX / module
				if ux*vy-uy*vx <= 0 || uneven > .12 || spread > 1.4 || modules < 12 || modules > 180 {
					continue
				}
				if uneven+spread < best {
					best, angle, ok = uneven+spread, math.Atan2(uy, ux)/degree, true
				}
			}
		}
	}
	return angle, ok
}

// finders are the places where rows and columns show the pattern, those that most rows go through first.
func (g *glance) finders() []finderMark {
	var marks []finderMark
	var runs [5]int
	for y := range g.h {
		row := g.v[y*g.w : (y+1)*g.w]
		count, run := 0, 0
		clear(runs[:])
		for x := 0; x <= len(row); x++ {
			if x < len(row) && (x == 0 || (row[x] < g.dark) == (row[x-1] < g.dark)) {
				run++
				continue
			}
			copy(runs[:], runs[1:])
			runs[4] = run
			count++
			if count >= 5 && row[x-1] < g.dark {
				if module, like := likeFinder(runs); like {
					g.note(&marks, float64(x)-float64(runs[4]+runs[3])-float64(runs[2])/2, y, module)
				}
			}
			run = 1
		}
	}
	marks = slices.DeleteFunc(marks, func(m finderMark) bool { return m.hits < leastRowHits })
	slices.SortStableFunc(marks, func(a, b finderMark) int { return cmp.Compare(b.hits, a.hits) })
	return marks[:min(len(marks), mostFinders)]
}

// likeFinder accepts runs that are half a module off.
func likeFinder(runs [5]int) (module float64, like bool) {
	total := runs[0] + runs[1] + runs[2] + runs[3] + runs[4]
	module = float64(total) / 7
	if module < 1.5 || module > greatestModule {
		return 0, false
	}
	for i, n := range runs {
		want := 1.0
		if i == 2 {
			want = 3
		}
		if math.Abs(float64(n)-want*module) > module*.35*math.Sqrt(want)+.8 {
			return 0, false
		}
	}
	return module, true
}

// note looks for the pattern in the column through the middle and adds it to the marks.
func (g *glance) note(marks *[]finderMark, x float64, y int, module float64) {
	middle, size, ok := g.column(int(x), y)
	if !ok || size > 1.5*module || module > 1.5*size {
		return
	}
	for i := range *marks {
		m := &(*marks)[i]
		if math.Abs(m.x-x) < 2*module && math.Abs(m.y-middle) < 2*module {
			n := float64(m.hits)
			m.x, m.y, m.module = (m.x*n+x)/(n+1), (m.y*n+middle)/(n+1), (m.module*n+(module+size)/2)/(n+1)
			m.hits++
			return
		}
	}
	if len(*marks) < 8*mostFinders {
		*marks = append(*marks, finderMark{x, middle, (module + size) / 2, 1})
	}
}

// column reads five runs up and down from a dark cell.
func (g *glance) column(x, y int) (middle, module float64, ok bool) {
	if x < 0 || x >= g.w || g.v[y*g.w+x] >= g.dark {
		return 0, 0, false
	}
	var up, down [3]int
	walk := func(step int, runs *[3]int) bool {
		at := y
		for i := range runs {
			for at >= 0 && at < g.h && (g.v[at*g.w+x] < g.dark) == (i != 1) && runs[i] <= 4*greatestModule {
				runs[i]++
				at += step
			}
			if runs[i] == 0 {
				return false
			}
		}
		return true
	}
	if !walk(-1, &up) || !walk(1, &down) {
		return 0, 0, false
	}
	module, ok = likeFinder([5]int{up[2], up[1], up[0] + down[0] - 1, down[1], down[2]})
	return float64(y) + float64(down[0]-up[0])/2 + .5, module, ok
}
