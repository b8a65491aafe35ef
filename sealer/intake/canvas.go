package intake

import "yinxin/sealer/pdf"

// canvas is what the content of a page was found to show: texts and areas as boxes in user space.
type canvas struct {
	page  pdf.Page
	marks int // how many texts, and how many areas, are kept

	texts  []mark
	areas  []pdf.Rect // painted in another colour than white: white text on them can be read
	images float64    // area of the images, inside the page, of the largest
	full   bool       // something was left out

	covered, invisible, white, transparent, tiny, outside group
}

// mark is a piece of text that is shown.
type mark struct {
	box     pdf.Rect
	covered bool
}

// minCover is the shortest side, in points, of what can cover text: lines, rules and underscores do not.
const minCover = 4

// imageShare is how much of the page its largest image takes, from 0 to 1.
func (c *canvas) imageShare(p pdf.Page) float64 {
	if total := area(p.CropBox); total > 0 {
		return c.images / total
	}
	return 0
}

// text records a piece of visible text.
func (c *canvas) text(box pdf.Rect) {
	if len(c.texts) >= c.marks {
		c.full = true
		return
	}
	c.texts = append(c.texts, mark{box: box})
}

// paint records an area that is not white.
func (c *canvas) paint(box pdf.Rect) {
	if box = common(box, c.page.MediaBox); area(box) == 0 {
		return
	}
	if len(c.areas) >= c.marks {
		c.full = true
		return
	}
	c.areas = append(c.areas, box)
}

// onPaint says that a point was painted before.
func (c *canvas) onPaint(x, y float64) bool {
	for i := len(c.areas) - 1; i >= 0; i-- {
		if holds(c.areas[i], x, y) {
			return true
		}
	}
	return false
}

// cover records an opaque area over what was painted before. It returns how many texts it was compared with.
func (c *canvas) cover(box pdf.Rect) int {
	if box.Width() < minCover || box.Height() < minCover {
		return 0
	}
	for i := range c.texts {
		t := &c.texts[i]
		if x, y := centre(t.box); !t.covered && holds(box, x, y) {
			t.covered = true
		}
	}
	return len(c.texts)
}

// textsUnder counts the visible texts with their centre in a box.
func (c *canvas) textsUnder(box pdf.Rect) (n int) {
	for i := range c.texts {
		if x, y := centre(c.texts[i].box); !c.texts[i].covered && holds(box, x, y) {
			n++
		}
	}
	return n
}
