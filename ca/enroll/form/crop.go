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
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range r {
		x0, y0, x1, y1 = min(x0, c.X), min(y0, c.Y), max(x1, c.X), max(y1, c.Y)
	}
	margin := around / 25.4 * s.DPI
	x0, y0, x1, y1 = x0-margin, y0-margin, x1+margin, y1+margin
	if !(x0 > -1e6 && y0 > -1e6 && x1 < 1e6 && y1 < 1e6) {
		return nil, errNotOnScan.New()
	}
	img, err := f.Picture(s.Page - 1)
	if err != nil {
		return nil, err
	}
	b := img.Bounds()
	area := image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1)), int(math.Ceil(y1))).Intersect(image.Rect(0, 0, b.Dx(), b.Dy()))
	if area.Dx() < 10 || area.Dy() < 10 {
		return nil, errNotOnScan.New()
	}
	cut := image.NewRGBA(image.Rect(0, 0, area.Dx(), area.Dy()))
	draw.Draw(cut, cut.Rect, img, area.Min.Add(b.Min), draw.Src)
	return pngOf(turned(cut, s.Turn), s.DPI)
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
