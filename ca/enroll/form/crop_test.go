package form

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"

	"yinxin/internal/scan"
)

// TestABoxIsFoundAgainOnWhatWasCutOut marks the middle of a box on a scan that lies in each of the four ways, cuts out
// the place of both boxes and looks where the mark is there.
func TestABoxIsFoundAgainOnWhatWasCutOut(t *testing.T) {
	const dpi = 254 // ten pixels per millimetre
	corners := func(x0, y0, x1, y1 float64) Region { return Region{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}} }
	box, both := corners(120, 100, 180, 150), corners(40, 100, 180, 220)
	for _, cut := range []Region{both, corners(5, 5, 400, 150)} { // the second goes beyond the margin of the picture
		for _, turn := range []int{0, 90, 180, 270} {
			img := image.NewRGBA(image.Rect(0, 0, 300, 400))
			img.Set(150, 125, color.RGBA{255, 0, 0, 255})
			var file bytes.Buffer
			if err := png.Encode(&file, img); err != nil {
				t.Fatal(err)
			}
			f, err := scan.Open("", file.Bytes(), scan.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			page := ScannedPage{Page: 1, Number: "YX2026-000001", DPI: dpi, Width: 300, Height: 400, Turn: turn}
			data, err := page.Cut(f, cut)
			if err != nil {
				t.Fatal(err)
			}
			picture, err := png.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			var at image.Point
			for y := range picture.Bounds().Dy() {
				for x := range picture.Bounds().Dx() {
					if r, _, _, _ := picture.At(x, y).RGBA(); r > 0 {
						at = image.Pt(x, y)
					}
				}
			}
			b, ok := page.Within(cut, box)
			dx, dy := (b.X+b.Width/2)*10-float64(at.X), (b.Y+b.Height/2)*10-float64(at.Y)
			if !ok || math.Abs(dx) > 1 || math.Abs(dy) > 1 || math.Abs(math.Max(b.Width, b.Height)-6) > .01 || math.Abs(math.Min(b.Width, b.Height)-5) > .01 {
				t.Errorf("turned by %d: %+v, and the mark at %v", turn, b, at)
			}
		}
	}
	for _, page := range []ScannedPage{{}, {DPI: dpi}, {Width: 300, Height: 400}} {
		if _, ok := page.Within(both, box); ok {
			t.Errorf("%+v has a box", page)
		}
	}
	if _, ok := (ScannedPage{DPI: dpi, Width: 300, Height: 400}).Within(corners(math.NaN(), 0, 1, 1), box); ok {
		t.Error("no place has a box")
	}
}
