package pdf

import "math"

// A page is displayed with its crop box cut out, turned clockwise by /Rotate, and each unit of user space /UserUnit
// points long (ISO 32000-2, 7.7.3.3). Three systems meet here: user space; units of user space from the bottom left of
// the page as displayed, called shown; and millimetres from there, which is what people speak of.

// maxCoordinate bounds the coordinates of a page: beyond it numbers with four decimals lose their meaning.
const maxCoordinate = 1e9

// DisplaySize is the size of the page as displayed, in millimetres.
func (p Page) DisplaySize() (width, height float64) {
	width, height = p.shownSize()
	scale := p.unitsPerMM()
	return width / scale, height / scale
}

// Displayed converts a rectangle in user space to millimetres from the bottom left of the page as displayed.
func (p Page) Displayed(r Rect) Rect { return p.toShown(r).scaled(1 / p.unitsPerMM()) }

// InUserSpace converts a rectangle in millimetres from the bottom left of the page as displayed to user space.
func (p Page) InUserSpace(mm Rect) Rect { return p.fromShown(mm.scaled(p.unitsPerMM())) }

func (p Page) unitsPerMM() float64 { return pointsPerMM / p.UserUnit }

// shownSize is the size of the page as displayed, in units of user space.
func (p Page) shownSize() (width, height float64) {
	if p.Rotate%180 != 0 {
		return p.CropBox.Height(), p.CropBox.Width()
	}
	return p.CropBox.Width(), p.CropBox.Height()
}

// fromShown turns a rectangle back to where it stands in user space.
func (p Page) fromShown(r Rect) Rect {
	w, h := p.CropBox.Width(), p.CropBox.Height()
	switch p.Rotate {
	case 90:
		r = Rect{w - r.Y2, r.X1, w - r.Y1, r.X2}
	case 180:
		r = Rect{w - r.X2, h - r.Y2, w - r.X1, h - r.Y1}
	case 270:
		r = Rect{r.Y1, h - r.X2, r.Y2, h - r.X1}
	}
	return r.moved(p.CropBox.X1, p.CropBox.Y1)
}

// toShown is the inverse of fromShown.
func (p Page) toShown(r Rect) Rect {
	r = r.moved(-p.CropBox.X1, -p.CropBox.Y1)
	w, h := p.CropBox.Width(), p.CropBox.Height()
	switch p.Rotate {
	case 90:
		return Rect{r.Y1, w - r.X2, r.Y2, w - r.X1}
	case 180:
		return Rect{w - r.X2, h - r.Y2, w - r.X1, h - r.Y1}
	case 270:
		return Rect{h - r.Y2, r.X1, h - r.Y1, r.X2}
	}
	return r
}

func (r Rect) moved(x, y float64) Rect { return Rect{r.X1 + x, r.Y1 + y, r.X2 + x, r.Y2 + y} }

func (r Rect) scaled(f float64) Rect { return Rect{r.X1 * f, r.Y1 * f, r.X2 * f, r.Y2 * f} }

// overlaps reports whether two rectangles share more than a margin.
func (r Rect) overlaps(o Rect, margin float64) bool {
	return min(r.X2, o.X2)-max(r.X1, o.X1) > margin && min(r.Y2, o.Y2)-max(r.Y1, o.Y1) > margin
}

// writable reports whether a rectangle can be written down: its coordinates are finite and of a sensible size.
func (r Rect) writable() bool {
	for _, v := range [4]float64{r.X1, r.Y1, r.X2, r.Y2} {
		if math.IsNaN(v) || math.Abs(v) > maxCoordinate {
			return false
		}
	}
	return true
}
