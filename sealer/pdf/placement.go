package pdf

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Corner is what a placement counts from: a corner of a page as it is displayed.
type Corner int

const (
	BottomLeft Corner = iota
	BottomRight
	TopLeft
	TopRight
	// Centre counts from the bottom left corner of the page to the centre of the seal, without the lines below it.
	Centre
)

// Placement says where a seal stands.
type Placement struct {
	Page int // from 1; negative from the end, -1 is the last page
	// Pages, if not empty, names the pages instead of Page: the seal stands on each of them.
	Pages PageRange `json:",omitempty"`
	From  Corner
	// X and Y are millimetres from that corner of the page as displayed (crop box, rotation and user unit applied) to
	// the nearest corner of the seal with its lines.
	X, Y float64
	// MoveInside moves a seal that would leave the page to where it just stands on it, if the page is large enough.
	MoveInside bool `json:",omitempty"`
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
		return Rect{}, errBadRequest.Sayingf("角 %d", "corner %d", at.From)
	}
	if at.MoveInside && w <= shownWidth && h <= shownHeight {
		left = min(max(left, 0), shownWidth-w)
		bottom = min(max(bottom, 0), shownHeight-h)
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
	return p.outside(r)
}

// outside says where a rectangle that leaves the page would stand, and by how much it leaves it.
func (p Page) outside(r Rect) error {
	width, height := p.DisplaySize()
	scale := p.unitsPerMM()
	x1, y1, x2, y2 := r.X1/scale, r.Y1/scale, r.X2/scale, r.Y2/scale
	var zh, en []string
	for _, side := range []struct {
		over   float64
		zh, en string
	}{{-x1, "左边", "left"}, {x2 - width, "右边", "right"}, {-y1, "下边", "lower"}, {y2 - height, "上边", "upper"}} {
		if side.over > 0.01 {
			zh = append(zh, fmt.Sprintf("%s超出 %.1f 毫米", side.zh, side.over))
			en = append(en, fmt.Sprintf("%.1f mm over the %s edge", side.over, side.en))
		}
	}
	return errOutsidePage.Saying(
		fmt.Sprintf("印章 %.1f × %.1f 毫米，将位于距左 %.1f、距下 %.1f 毫米处，%s；页面 %.1f × %.1f 毫米", x2-x1, y2-y1, x1, y1, strings.Join(zh, "、"), width, height),
		fmt.Sprintf("the seal of %.1f × %.1f mm would stand %.1f mm from the left and %.1f mm from below, %s; the page is %.1f × %.1f mm", x2-x1, y2-y1, x1, y1, strings.Join(en, " and "), width, height))
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
