package pdf

import (
	"fmt"
	"math"

	"yinxin/internal/fault"
)

// Straddle describes a straddle seal (骑缝章): one seal cut into strips, one strip on each page of a group, each
// touching the same edge of the paper. Fanned out, the pages show the whole seal, and none can be exchanged unseen.
//
// The order is that of a stack that lies face up with page 1 on top and is fanned towards the edge: on the right edge
// page 1 has the leftmost strip, on the left edge the rightmost, on the top edge the lowest, on the bottom edge the
// uppermost.
//
// On paper that is printed on both sides, odd pages are fronts and even pages backs, turned like the leaves of a book.
// The backs carry a seal of their own, that of the stack turned over and fanned again: on the left and right edge it
// stands on the opposite edge of the page as displayed, which is the same edge of the paper, with the strips in the
// same order by sheet; on the top and bottom edge on the same edge, in the reverse order.
type Straddle struct {
	Edge  Edge
	Sides Sides
	// Group is how many pages share one seal: sheets, where both sides are printed. The last group may be smaller; a
	// page that is left over alone has no strip, and a note says so. 0 makes groups of even size, none of a single page
	// where there are two, as large as strips of 3 mm allow.
	Group int
	// Pages limits the seal to some pages; empty for all. SkipFirst leaves out that many pages at the front: a cover.
	// Where both sides are printed, a sheet whose front is left out is left out whole.
	Pages     PageRange
	SkipFirst int
	// Align says from where the seal stands along the edge, and Offset how many millimetres: from the middle downwards or
	// to the right, from the start or the end inwards.
	Align  Align
	Offset float64
}

// Edge is an edge of a page as displayed.
type Edge int

const (
	RightEdge Edge = iota
	LeftEdge
	TopEdge
	BottomEdge
)

func (e Edge) horizontal() bool { return e == TopEdge || e == BottomEdge }

// Sides says how the paper is printed.
type Sides int

const (
	SingleSided Sides = iota // every page is the front of a sheet
	DoubleSided              // fronts and backs carry strips
	FrontsOnly               // printed on both sides, only the fronts carry strips
)

// Align is a place along an edge.
type Align int

const (
	AlignMiddle Align = iota
	AlignStart        // the top of a vertical edge, the left of a horizontal one
	AlignEnd
)

const (
	minStripMM  = 1.5 // thinner ones are no use on paper
	goodStripMM = 3.0
)

func (s Straddle) check() error {
	bad := func(field string) error { return errBadRequest.At(fault.Field("straddle." + field)) }
	switch {
	case s.Edge < RightEdge || s.Edge > BottomEdge:
		return bad("edge")
	case s.Sides < SingleSided || s.Sides > FrontsOnly:
		return bad("sides")
	case s.Align < AlignMiddle || s.Align > AlignEnd:
		return bad("align")
	case s.Group < 0 || s.Group == 1:
		return bad("group")
	case s.SkipFirst < 0:
		return bad("skipFirst")
	case math.IsNaN(s.Offset) || math.Abs(s.Offset) > maxMM:
		return bad("offset")
	}
	return nil
}

// strip is the part of a straddle seal on one page.
type strip struct {
	page      int
	edge      Edge
	index, of int // from the left, or from below
}

// strips spreads the seal over pages, which are in rising order; length is the side of the seal that is cut, in
// millimetres.
func (s Straddle) strips(pages []int, length float64) ([]strip, []Note, error) {
	largest := max(2, int(length/goodStripMM))
	if s.Group > 0 {
		largest = s.Group
	}
	fronts, backs := s.sides(pages)
	var out []strip
	var notes []Note
	add := func(pages []int, back bool) error {
		sizes := groupSizes(len(pages), largest, s.Group == 0, length)
		notes = append(notes, groupNote(sizes, back, length)...)
		for _, size := range sizes {
			group := pages[:size]
			pages = pages[size:]
			if size == 1 {
				notes = append(notes, singleNote(group[0]))
				continue
			}
			if thin := length / float64(size); thin < minStripMM {
				return errThinStrips.Sayingf("%d 条，每条 %.2f 毫米", "%d strips of %.2f mm", size, thin)
			}
			for i, page := range group {
				out = append(out, s.strip(page, i, size, back))
			}
		}
		return nil
	}
	if err := add(fronts, false); err != nil {
		return nil, nil, err
	}
	if s.Sides == DoubleSided {
		if err := add(backs, true); err != nil {
			return nil, nil, err
		}
	}
	if len(out) > maxPlaces {
		return nil, nil, errTooManyPlaces.With("%d pages", len(out))
	}
	return out, notes, nil
}

// sides parts the pages into fronts and backs and leaves out the cover.
func (s Straddle) sides(pages []int) (fronts, backs []int) {
	for _, n := range pages {
		front := n
		if s.Sides != SingleSided && n%2 == 0 {
			front--
		}
		switch {
		case front <= s.SkipFirst:
		case front == n:
			fronts = append(fronts, n)
		default:
			backs = append(backs, n)
		}
	}
	return fronts, backs
}

// strip is the part of page i of a group.
func (s Straddle) strip(page, i, of int, back bool) strip {
	edge, index := s.Edge, i
	if edge == LeftEdge || edge == BottomEdge {
		index = of - 1 - i
	}
	if back {
		switch edge {
		case RightEdge:
			edge = LeftEdge
		case LeftEdge:
			edge = RightEdge
		default:
			index = of - 1 - index
		}
	}
	return strip{page, edge, index, of}
}

// groupSizes divides n pages into groups.
func groupSizes(n, largest int, even bool, length float64) []int {
	if n == 0 {
		return nil
	}
	count := (n + largest - 1) / largest
	if even && n > 1 && n/count < 2 && length/3 >= minStripMM {
		count = n / 2
	}
	sizes := make([]int, count)
	for i := range sizes {
		switch {
		case even:
			sizes[i] = n / count
			if i < n%count {
				sizes[i]++
			}
		default:
			sizes[i] = min(largest, n-i*largest)
		}
	}
	return sizes
}

func singleNote(page int) Note {
	return Note{Code: NoteSinglePage, Page: page,
		ZH: fmt.Sprintf("第 %d 页单独成组，不加盖骑缝章。", page),
		EN: fmt.Sprintf("Page %d is alone in its group and has no part of the straddle seal.", page)}
}

// groupNote says how pages were grouped.
func groupNote(sizes []int, back bool, length float64) []Note {
	if len(sizes) == 0 || len(sizes) == 1 && sizes[0] == 1 {
		return nil
	}
	zh, en, groups := "页", "pages", "groups"
	if back {
		zh, en = "个背面", "backs"
	}
	if len(sizes) == 1 {
		groups = "group"
	}
	largest, smallest := sizes[0], sizes[len(sizes)-1]
	many := fmt.Sprint(largest)
	if smallest != largest {
		many = fmt.Sprintf("%d–%d", smallest, largest)
	}
	return []Note{{Code: NoteGroups,
		ZH: fmt.Sprintf("骑缝章分 %d 组，每组 %s %s，最窄的一份宽 %.1f 毫米。", len(sizes), many, zh, length/float64(largest)),
		EN: fmt.Sprintf("The straddle seal has %d %s of %s %s; the thinnest strip is %.1f mm wide.", len(sizes), groups, many, en,
			length/float64(largest))}}
}

// place finds where a strip stands on its page as displayed, and which part of the seal it shows, both in units of user
// space. Neighbouring strips share their boundary digit for digit.
func (s strip) place(p Page, straddle Straddle, widthMM, heightMM float64) (stands, box Rect, err error) {
	scale := p.unitsPerMM()
	// Rounded as it is written, so that the box is not shown one unit of the last digit larger or smaller.
	width, height := boundary(widthMM*scale, 1, 1), boundary(heightMM*scale, 1, 1)
	shownWidth, shownHeight := p.shownSize()
	offset := straddle.Offset * scale
	if s.edge.horizontal() {
		box = Rect{0, boundary(height, s.index, s.of), width, boundary(height, s.index+1, s.of)}
		left := 0.0
		switch straddle.Align {
		case AlignStart:
			left = offset
		case AlignEnd:
			left = shownWidth - offset - width
		default:
			left = (shownWidth-width)/2 + offset
		}
		left = boundary(left, 1, 1)
		bottom := 0.0
		if s.edge == TopEdge {
			bottom = shownHeight - box.Height()
		}
		stands = Rect{left, bottom, left + width, bottom + box.Height()}
		return stands, box, p.within(stands)
	}
	box = Rect{boundary(width, s.index, s.of), 0, boundary(width, s.index+1, s.of), height}
	bottom := 0.0
	switch straddle.Align {
	case AlignStart:
		bottom = shownHeight - offset - height
	case AlignEnd:
		bottom = offset
	default:
		bottom = (shownHeight-height)/2 - offset
	}
	bottom = boundary(bottom, 1, 1)
	left := 0.0
	if s.edge == RightEdge {
		left = shownWidth - box.Width()
	}
	stands = Rect{left, bottom, left + box.Width(), bottom + height}
	return stands, box, p.within(stands)
}

// boundary is where strip i of n begins, with the four decimals that are written.
func boundary(length float64, i, n int) float64 {
	return math.Round(length*float64(i)/float64(n)*1e4) / 1e4
}
