// Package outline traces the picture of a seal to closed paths of lines and cubic Bézier curves: sharp at any
// enlargement, and without the transparency that PDF/A-1 forbids.
//
// Call [Trace] with a decoded picture, then [Outline.PDF] or [Outline.SVG]; [Outline.Deviation] measures how far the
// paths are from the picture that they were traced from.
//
//	o, err := outline.Trace(picture)
//	content := o.PDF("/DeviceRGB") // paints the unit square
//
// The edge of the ink is where the opacity crosses one half, found between the pixels (contour.go). It is cut at
// corners, whose tips the pixels have cut off and which are put back (corner.go), and each stretch becomes as few curves
// as stay within a tenth of a pixel of it (fit.go). Ink lies on the same side of every path, so holes are holes by the
// nonzero and by the even-odd rule.
//
// What it promises: the same pixels give the same paths; time and memory are bounded for any picture; but for the tips of
// corners, less than a pixel each, nothing is drawn that the picture does not show. What it does not do: keep degrees of
// opacity (ink is there or not), or repair: a ring that is broken in the picture is broken in the outline. It knows no
// file format, clock or database.
//
// Coordinates are pixels from the upper left corner of the picture, y downwards; (0.5, 0.5) is the middle of the first
// pixel. Lengths in the result are pixels: times 25.4 / dpi they are millimetres.
package outline
