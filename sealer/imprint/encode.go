package imprint

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math"
)

// Seal red: what full magenta and yellow of the offset press give on a screen.
const (
	sealRed   = 0xE6
	sealGreen = 0x00
	sealBlue  = 0x12
)

// inks are the colours of templates, one for each colour of ink: what two full inks of the offset press give on a screen.
// The ink of the scan is not copied, because it says more of the scanner and of the ink pad than of the seal.
var inks = map[Colour]color.NRGBA{
	Red:    {sealRed, sealGreen, sealBlue, 255},
	Blue:   {0x1D, 0x20, 0x88, 255}, // cyan and magenta
	Green:  {0x00, 0x99, 0x44, 255}, // cyan and yellow
	Purple: {0x92, 0x07, 0x83, 255}, // magenta and half as much cyan
}

// alphaLevels fit a palette of 4 bits. Only the rim of strokes is neither 0 nor solid, and there a level is
// 1/15 of a pixel, far below what the scan knows.
const alphaLevels = 16

// rimPixels is how far from solid ink thin coverage can be part of its edge, in pixels of the template.
const rimPixels = 2

// withoutHaze takes away specks, and thin coverage that borders on no ink: what is left of print that was cancelled, and
// shades of the paper. Nobody would see it on paper; enlarged on a screen it looks like dirt.
func (p *plane) withoutHaze() *plane {
	ink := make([]bool, len(p.v))
	for i, v := range p.v {
		ink[i] = v >= .5
	}
	eachSpot(p, .5, func(pixels []int) {
		if float64(len(pixels)) < speckArea*square(templateDPI/millimetresPerInch) {
			for _, i := range pixels {
				ink[i] = false
			}
		}
	})
	near := dilated(ink, p.w, p.h, rimPixels)
	result := newPlane(p.w, p.h)
	for i, v := range p.v {
		if near[i] {
			result.v[i] = v
		}
	}
	return result
}

// picture reads the coverage at another resolution; both canvases show the same millimetres around the same middle.
func (f fused) picture(declared size, dpi float64) *plane {
	if dpi == templateDPI {
		return f.coverage
	}
	result := newPlane(declared.pixels(dpi / millimetresPerInch))
	ratio := templateDPI / dpi
	middleX, middleY := float64(f.coverage.w)/2-.5, float64(f.coverage.h)/2-.5
	for y := range result.h {
		row := result.row(y)
		sy := (float64(y)+.5-float64(result.h)/2)*ratio + middleY
		for x := range row {
			sx := (float64(x)+.5-float64(result.w)/2)*ratio + middleX
			q := ratio / 4
			row[x] = float32(f.coverage.at(sx-q, sy-q)+f.coverage.at(sx+q, sy-q)+f.coverage.at(sx-q, sy+q)+f.coverage.at(sx+q, sy+q)) / 4
		}
	}
	return result
}

// encode writes coverage as a PNG: one colour, a palette of sixteen alphas, and the resolution unless that is 0.
func encode(coverage *plane, ink color.NRGBA, dpi float64) ([]byte, error) {
	palette := make(color.Palette, alphaLevels)
	for i := range palette {
		palette[i] = color.NRGBA{ink.R, ink.G, ink.B, uint8(i * 255 / (alphaLevels - 1))}
	}
	img := image.NewPaletted(image.Rect(0, 0, coverage.w, coverage.h), palette)
	for i, v := range coverage.v {
		img.Pix[i] = uint8(v*(alphaLevels-1) + .5)
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.DefaultCompression}
	if err := encoder.Encode(&out, img); err != nil {
		return nil, err
	}
	if dpi == 0 {
		return out.Bytes(), nil
	}
	return withResolution(out.Bytes(), dpi), nil
}

// withResolution puts a pHYs chunk (ISO/IEC 15948, 11.3.5.3) after the header; package image/png writes none.
func withResolution(file []byte, dpi float64) []byte {
	const headerEnd = 8 + 12 + 13
	perMetre := uint32(math.Round(dpi * 1000 / millimetresPerInch))
	chunk := append([]byte{0, 0, 0, 9}, "pHYs"...)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = append(chunk, 1)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	result := append([]byte(nil), file[:headerEnd]...)
	result = append(result, chunk...)
	return append(result, file[headerEnd:]...)
}
