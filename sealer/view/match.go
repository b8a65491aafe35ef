package view

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"yinxin/sealer/pdf"
)

const (
	maxKeyword = 200  // runes after normalisation
	maxMatches = 1000 // in one answer
	maxChars   = 1 << 20
	// lineReach is how many line heights away the next line of a broken keyword may stand. It separates a keyword that
	// wraps from letters of unrelated fragments that follow each other in the file.
	lineReach = 4
)

// textLayer is the text of one page as the file has it: characters in reading order as PDFium sees it, with spaces and
// line ends that it put in.
type textLayer struct {
	runes  []rune
	box    func(i int) (pdf.Rect, bool) // of a character, in user space; false if it shows nothing
	rotate int                          // of the page: 0, 90, 180, 270
	page   pdf.Rect                     // what of user space is displayed
}

// matches finds the keyword, in normal form, and gives the places from top to bottom and from left to right as the page
// is displayed. Text that is drawn twice to look bold counts once.
func (t textLayer) matches(page int, needle []rune, fold bool) []Match {
	var found []Match
	for _, span := range t.spans(needle, fold) {
		m, ok := t.match(span)
		if !ok || !t.shown(m.Rect) || slices.ContainsFunc(lastOf(found, 200), func(other Match) bool { return samePlace(m.Rect, other.Rect) }) {
			continue
		}
		m.Page = page
		if found = append(found, m); len(found) > maxMatches {
			break
		}
	}
	t.sort(found)
	return found
}

// shown reports whether the middle of r is displayed: text outside the crop box cannot be what a person refers to.
func (t textLayer) shown(r pdf.Rect) bool {
	x, y := (r.X1+r.X2)/2, (r.Y1+r.Y2)/2
	return t.page.X1 <= x && x <= t.page.X2 && t.page.Y1 <= y && y <= t.page.Y2
}

func lastOf(m []Match, n int) []Match { return m[max(0, len(m)-n):] }

// spans are the places of the needle as indexes of the first and last character, without overlaps.
func (t textLayer) spans(needle []rune, fold bool) [][2]int {
	var text []rune
	var source []int // of every rune in text: the character that it came from
	for i, r := range t.runes {
		text = appendNormal(text, r, fold)
		for len(source) < len(text) {
			source = append(source, i)
		}
	}
	var spans [][2]int
	for i := 0; i+len(needle) <= len(text); i++ {
		if text[i] == needle[0] && slices.Equal(text[i:i+len(needle)], needle) {
			spans = append(spans, [2]int{source[i], source[i+len(needle)-1]})
			i += len(needle) - 1
		}
	}
	return spans
}

// match puts the boxes of a span together, line by line; not ok when its characters do not belong together.
func (t textLayer) match(span [2]int) (Match, bool) {
	var m Match
	var last pdf.Rect
	for i := span[0]; i <= span[1]; i++ {
		if len(appendNormal(nil, t.runes[i], false)) == 0 {
			continue
		}
		box, ok := t.box(i)
		if !ok {
			continue
		}
		switch {
		case len(m.Lines) == 0:
			m.Lines = []pdf.Rect{box}
		case sameLine(last, box):
			line := &m.Lines[len(m.Lines)-1]
			*line = union(*line, box)
		case near(last, box):
			m.Lines = append(m.Lines, box)
		default:
			return m, false
		}
		last = box
	}
	if len(m.Lines) == 0 {
		return m, false
	}
	m.Rect = m.Lines[0]
	for _, line := range m.Lines[1:] {
		m.Rect = union(m.Rect, line)
	}
	m.Text = strings.Join(strings.Fields(string(t.runes[span[0]:span[1]+1])), " ")
	return m, true
}

func union(a, b pdf.Rect) pdf.Rect {
	return pdf.Rect{X1: min(a.X1, b.X1), Y1: min(a.Y1, b.Y1), X2: max(a.X2, b.X2), Y2: max(a.Y2, b.Y2)}
}

// overlap is the common length of two intervals, negative when there is a gap.
func overlap(a1, a2, b1, b2 float64) float64 { return min(a2, b2) - max(a1, b1) }

// sameLine reports whether b continues the line of a: beside it at any distance, as forms set words apart, or directly
// above or below it, as in vertical writing.
func sameLine(a, b pdf.Rect) bool {
	if overlap(a.Y1, a.Y2, b.Y1, b.Y2) > min(a.Height(), b.Height())/2 {
		return true
	}
	gap := -overlap(a.Y1, a.Y2, b.Y1, b.Y2)
	return overlap(a.X1, a.X2, b.X1, b.X2) > min(a.Width(), b.Width())/2 && gap < max(a.Height(), b.Height())/2
}

// near reports whether b can stand on the next line after a, whichever way the lines run.
func near(a, b pdf.Rect) bool {
	dx, dy := math.Abs(a.X1+a.X2-b.X1-b.X2)/2, math.Abs(a.Y1+a.Y2-b.Y1-b.Y2)/2
	return dy <= lineReach*max(a.Height(), b.Height()) || dx <= lineReach*max(a.Width(), b.Width())
}

// samePlace reports whether two matches lie on each other for the most part.
func samePlace(a, b pdf.Rect) bool {
	w, h := overlap(a.X1, a.X2, b.X1, b.X2), overlap(a.Y1, a.Y2, b.Y1, b.Y2)
	return w > 0 && h > 0 && w*h > 0.6*min(a.Width()*a.Height(), b.Width()*b.Height())
}

// sort orders matches as a reader of the displayed page meets them: rows from the top, in a row from the left.
func (t textLayer) sort(m []Match) {
	type place struct{ right, down, height float64 }
	at := func(r pdf.Rect) place {
		x, y := (r.X1+r.X2)/2, (r.Y1+r.Y2)/2
		switch t.rotate {
		case 90:
			return place{y, x, r.Width()}
		case 180:
			return place{-x, y, r.Height()}
		case 270:
			return place{-y, -x, r.Width()}
		}
		return place{x, -y, r.Height()}
	}
	slices.SortStableFunc(m, func(a, b Match) int { return cmp.Compare(at(a.Lines[0]).down, at(b.Lines[0]).down) })
	for i := 0; i < len(m); {
		first, j := at(m[i].Lines[0]), i+1
		for j < len(m) && at(m[j].Lines[0]).down-first.down < first.height/2 {
			j++
		}
		slices.SortStableFunc(m[i:j], func(a, b Match) int { return cmp.Compare(at(a.Lines[0]).right, at(b.Lines[0]).right) })
		i = j
	}
}
