package imprint

import (
	"image"
	"image/color"
)

// excerpt is the part of a scan that the method reads for a mark, copied so that the page itself can go: a page of A4 at 600 dpi
// takes 50 to 140 MB.
type excerpt struct {
	img  image.Image // its first pixel at (0, 0): *image.YCbCr, or *image.RGBA without transparency
	at   image.Point // where it begins on the scan, in pixels as stored
	page image.Point // size of the scan in pixels as stored
}

// excerptOf copies a mark with its margin and a little more: whole blocks of colour samples on every side, so that colour between
// them comes out the same.
func excerptOf(img image.Image, mark image.Rectangle, stored Scale) excerpt {
	const block = 16
	b := img.Bounds()
	area := areaOf(b, mark, stored)
	area = image.Rect(area.Min.X/block*block-block, area.Min.Y/block*block-block, (area.Max.X/block+2)*block, (area.Max.Y/block+2)*block).Intersect(b)
	e := excerpt{at: area.Min, page: b.Size()}
	size := image.Rect(0, 0, area.Dx(), area.Dy())
	source, ok := img.(*image.YCbCr)
	if !ok {
		rgb := image.NewRGBA(size)
		line := make([]uint8, 3*area.Dx())
		for y := range area.Dy() {
			readRow(img, area.Min.Y+y, area.Min.X, area.Max.X, line)
			for x := range area.Dx() {
				rgb.SetRGBA(x, y, color.RGBA{line[3*x], line[3*x+1], line[3*x+2], 255})
			}
		}
		e.img = rgb
		return e
	}
	sub := source.SubImage(area).(*image.YCbCr)
	hs, vs := subsampling(source.SubsampleRatio)
	cw, ch := (area.Dx()+hs-1)/hs, (area.Dy()+vs-1)/vs
	e.img = &image.YCbCr{Y: plain(sub.Y, sub.YStride, area.Dx(), area.Dy()), Cb: plain(sub.Cb, sub.CStride, cw, ch), Cr: plain(sub.Cr, sub.CStride, cw, ch),
		YStride: area.Dx(), CStride: cw, SubsampleRatio: source.SubsampleRatio, Rect: size}
	return e
}

// plain copies w × h samples that stand in longer rows.
func plain(samples []uint8, stride, w, h int) []uint8 {
	result := make([]uint8, w*h)
	for y := range h {
		copy(result[y*w:(y+1)*w], samples[y*stride:])
	}
	return result
}

// subsampling is how evidence names the planes of the excerpt; empty where it has none.
func (e excerpt) subsampling() string {
	if source, ok := e.img.(*image.YCbCr); ok {
		return subsamplingNames[source.SubsampleRatio]
	}
	return ""
}

// files are the pictures by which evidence keeps the excerpt.
func (e excerpt) files() []part {
	source, ok := e.img.(*image.YCbCr)
	if !ok {
		return []part{{"", e.img}}
	}
	grey := func(samples []uint8, stride int) image.Image {
		return &image.Gray{Pix: samples, Stride: stride, Rect: image.Rect(0, 0, stride, len(samples)/stride)}
	}
	return []part{{planeSuffixes[0], grey(source.Y, source.YStride)}, {planeSuffixes[1], grey(source.Cb, source.CStride)}, {planeSuffixes[2], grey(source.Cr, source.CStride)}}
}
