package pdf

import (
	"math"
	"strconv"
)

// Corner is what a placement counts from: a corner of a page as it is displayed.
type Corner int

const (
	BottomLeft Corner = iota
	BottomRight
	TopLeft
	TopRight
	// Centre counts from the bottom left corner of the page to the centre of the seal.
	Centre
)

// Placement says where a seal stands.
type Placement struct {
	Page int // from 1; negative from the end, -1 is the last page
	// Pages, if not empty, names the pages instead of Page: the seal stands on each of them.
	Pages PageRange `json:",omitempty"`
	From  Corner
	// X and Y are millimetres from that corner of the page as displayed (crop box, rotation and user unit applied) to
	// the nearest corner of the seal.
	X, Y float64
}

const (
	pointsPerMM = 72 / 25.4
	// edgeTolerance lets a seal stand exactly at the edge although millimetres and points do not convert exactly.
	edgeTolerance = 0.01 * pointsPerMM
	maxMM         = 5000
)

// place finds the rectangle of a seal of width times height millimetres on the page as displayed, in units of user
// space.
func (p Page) place(at Placement, width, height float64) (Rect, error) {
	for _, v := range []float64{at.X, at.Y} {
		if math.IsNaN(v) || math.Abs(v) > maxMM {
			return Rect{}, errOutsidePage.With("x %g mm, y %g mm", at.X, at.Y)
		}
	}
	scale := p.unitsPerMM()
	w, h := width*scale, height*scale
	shownWidth, shownHeight := p.shownSize()
	left, bottom := at.X*scale, at.Y*scale
	switch at.From {
	case BottomLeft:
	case BottomRight:
		left = shownWidth - left - w
	case TopLeft:
		bottom = shownHeight - bottom - h
	case TopRight:
		left = shownWidth - left - w
		bottom = shownHeight - bottom - h
	case Centre:
		left -= w / 2
		bottom -= h / 2
	default:
		return Rect{}, errBadRequest.With("corner %d", at.From)
	}
	r := Rect{left, bottom, left + w, bottom + h}
	return r, p.within(r)
}

// within refuses a rectangle, in units of user space on the page as displayed, that leaves the page.
func (p Page) within(r Rect) error {
	shownWidth, shownHeight := p.shownSize()
	slack := edgeTolerance / p.UserUnit
	if r.X1 >= -slack && r.Y1 >= -slack && r.X2 <= shownWidth+slack && r.Y2 <= shownHeight+slack {
		return nil
	}
	x, y := p.DisplaySize()
	scale := p.unitsPerMM()
	return errOutsidePage.With("the page is %.1f × %.1f mm, the seal %.1f × %.1f mm", x, y, r.Width()/scale, r.Height()/scale)
}

// appendNumber writes a coordinate with four decimals, which is 0.00004 mm.
func appendNumber(dst []byte, v float64) []byte {
	dst = strconv.AppendFloat(dst, v, 'f', 4, 64)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	if dst[len(dst)-1] == '.' {
		dst = dst[:len(dst)-1]
	}
	return dst
}
