package form

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/draw"
	"image/png"
	"math"

	"yinxin/internal/scan"
)

// around is how much of the surroundings of a box is cut out with it, in millimetres: seals are stamped over the line.
const around = 2.0

// Cut gives the picture of a box and two millimetres around it: a PNG, upright but not straightened, that says its resolution,
// as sealer/imprint takes it. f is the file that the page was recognised in. Errors: form.not-on-the-scan where the box lies
// outside of the picture or the page was not recognised, and those of scan.File.Picture.
func (s ScannedPage) Cut(f *scan.File, r Region) ([]byte, error) {
	if s.Number == "" || !(s.DPI > 0) {
		return nil, errNotOnScan.New()
	}
	area, ok := s.around(r)
	if !ok {
		return nil, errNotOnScan.New()
	}
	img, err := f.Picture(s.Page - 1)
	if err != nil {
		return nil, err
	}
	b := img.Bounds()
	area = area.Intersect(image.Rect(0, 0, b.Dx(), b.Dy()))
	if area.Dx() < 10 || area.Dy() < 10 {
		return nil, errNotOnScan.New()
	}
	cut := image.NewRGBA(image.Rect(0, 0, area.Dx(), area.Dy()))
	draw.Draw(cut, cut.Rect, img, area.Min.Add(b.Min), draw.Src)
	return pngOf(turned(cut, s.Turn), s.DPI)
}

// around is the part of the scan that holds a box and its surroundings, before it is cut off at the edge of the picture;
// false where that cannot be.
func (s ScannedPage) around(r Region) (image.Rectangle, bool) {
	x0, y0, x1, y1 := r.bounds()
	margin := around / 25.4 * s.DPI
	x0, y0, x1, y1 = x0-margin, y0-margin, x1+margin, y1+margin
	if !(x0 > -1e6 && y0 > -1e6 && x1 < 1e6 && y1 < 1e6) {
		return image.Rectangle{}, false
	}
	return image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1)), int(math.Ceil(y1))), true
}

func (r Region) bounds() (x0, y0, x1, y1 float64) {
	x0, y0, x1, y1 = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range r {
		x0, y0, x1, y1 = min(x0, c.X), min(y0, c.Y), max(x1, c.X), max(y1, c.Y)
	}
	return x0, y0, x1, y1
}

// Within is where a box of the form stands on the picture that Cut gives of another one, in millimetres from its upper
// left corner.
func (s ScannedPage) Within(cut, r Region) (Box, bool) {
	area, ok := s.around(cut)
	if !ok || !(s.DPI > 0) || s.Width <= 0 || s.Height <= 0 {
		return Box{}, false
	}
	area = area.Intersect(image.Rect(0, 0, s.Width, s.Height))
	left, top, right, bottom := r.bounds()
	left, right = left-float64(area.Min.X), right-float64(area.Min.X)
	top, bottom = top-float64(area.Min.Y), bottom-float64(area.Min.Y)
	w, h := float64(area.Dx()), float64(area.Dy())
	switch s.Turn { // clockwise, as the picture is
	case 90:
		left, top, right, bottom = h-bottom, left, h-top, right
	case 180:
		left, top, right, bottom = w-right, h-bottom, w-left, h-top
	case 270:
		left, top, right, bottom = top, w-right, bottom, w-left
	}
	mm := 25.4 / s.DPI
	return Box{X: left * mm, Y: top * mm, Width: (right - left) * mm, Height: (bottom - top) * mm}, true
}

// turned turns a picture clockwise by 0, 90, 180 or 270 degrees.
func turned(img *image.RGBA, degrees int) *image.RGBA {
	if degrees == 0 {
		return img
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	size := image.Rect(0, 0, h, w)
	if degrees == 180 {
		size = image.Rect(0, 0, w, h)
	}
	out := image.NewRGBA(size)
	for y := range h {
		for x := range w {
			tx, ty := h-1-y, x // 90
			switch degrees {
			case 180:
				tx, ty = w-1-x, h-1-y
			case 270:
				tx, ty = y, w-1-x
			}
			copy(out.Pix[out.PixOffset(tx, ty):][:4], img.Pix[img.PixOffset(x, y):][:4])
		}
	}
	return out
}

// pngOf writes a PNG that says its resolution (pHYs, pixels per metre), which the standard library does not.
func pngOf(img image.Image, dpi float64) ([]byte, error) {
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("picture of a box: %w", err)
	}
	const behindHeader = 8 + 25
	perMetre := uint32(math.Round(dpi / 0.0254))
	chunk := append([]byte{0, 0, 0, 9}, "pHYs"...)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = append(chunk, 1)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	data := out.Bytes()
	return append(append(append(make([]byte, 0, len(data)+len(chunk)), data[:behindHeader]...), chunk...), data[behindHeader:]...), nil
}
