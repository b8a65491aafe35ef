package pdf

import (
	"math"
	"strconv"
)

// Corner is a corner of a page as it is displayed.
type Corner int

const (
	BottomLeft Corner = iota
	BottomRight
	TopLeft
	TopRight
)

// Placement says where a seal stands.
type Placement struct {
	Page int // from 1; -1 is the last page
	From Corner
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

// placed is a seal on a page, in the units of the page's user space.
type placed struct {
	rect          Rect    // of the widget
	width, height float64 // of the seal when upright
	rotate        int
}

// DisplaySize is the size of the page as displayed, in millimetres.
func (p Page) DisplaySize() (width, height float64) {
	width = p.CropBox.Width() * p.UserUnit / pointsPerMM
	height = p.CropBox.Height() * p.UserUnit / pointsPerMM
	if p.Rotate%180 != 0 {
		width, height = height, width
	}
	return width, height
}

// place finds the rectangle of a seal of width times height millimetres. It stands upright on the page as displayed,
// so on a rotated page it lies in user space.
func (p Page) place(at Placement, width, height float64) (placed, error) {
	for _, v := range []float64{at.X, at.Y} {
		if math.IsNaN(v) || math.Abs(v) > maxMM {
			return placed{}, errOutsidePage.With("x %g mm, y %g mm", at.X, at.Y)
		}
	}
	scale := pointsPerMM / p.UserUnit
	w, h := width*scale, height*scale
	pageWidth, pageHeight := p.CropBox.Width(), p.CropBox.Height()
	shownWidth, shownHeight := pageWidth, pageHeight
	if p.Rotate%180 != 0 {
		shownWidth, shownHeight = pageHeight, pageWidth
	}
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
	default:
		return placed{}, errBadRequest.With("corner %d", at.From)
	}
	slack := edgeTolerance / p.UserUnit
	if left < -slack || bottom < -slack || left+w > shownWidth+slack || bottom+h > shownHeight+slack {
		shownX, shownY := p.DisplaySize()
		return placed{}, errOutsidePage.With("the page is %.1f × %.1f mm, the seal %.1f × %.1f mm", shownX, shownY, width, height)
	}
	out := placed{width: w, height: h, rotate: p.Rotate}
	switch p.Rotate {
	case 90:
		out.rect = Rect{pageWidth - bottom - h, left, pageWidth - bottom, left + w}
	case 180:
		out.rect = Rect{pageWidth - left - w, pageHeight - bottom - h, pageWidth - left, pageHeight - bottom}
	case 270:
		out.rect = Rect{bottom, pageHeight - left - w, bottom + h, pageHeight - left}
	default:
		out.rect = Rect{left, bottom, left + w, bottom + h}
	}
	out.rect.X1 += p.CropBox.X1
	out.rect.X2 += p.CropBox.X1
	out.rect.Y1 += p.CropBox.Y1
	out.rect.Y2 += p.CropBox.Y1
	return out, nil
}

// matrix turns an upright form against the rotation of the page (ISO 32000-1, 12.5.5, algorithm 8.1 does the rest).
func (p placed) matrix() string {
	switch p.rotate {
	case 90:
		return "/Matrix[0 1 -1 0 0 0]"
	case 180:
		return "/Matrix[-1 0 0 -1 0 0]"
	case 270:
		return "/Matrix[0 -1 1 0 0 0]"
	}
	return ""
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
