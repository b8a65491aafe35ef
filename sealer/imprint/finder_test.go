package imprint

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"

	"rsc.io/qr"

	"yinxin/fixtures"
)

// drawCode draws a QR code with modules of so many pixels, with its quiet zone.
func drawCode(t testing.TB, img draw.Image, x0, y0, module int) {
	t.Helper()
	code, err := qr.Encode("YX1 A2026-000042 1/2", qr.M)
	if err != nil {
		t.Fatal(err)
	}
	for y := -4; y < code.Size+4; y++ {
		for x := -4; x < code.Size+4; x++ {
			shade := color.Gray{255}
			if code.Black(x, y) {
				shade.Y = 0
			}
			at := image.Pt(x0+x*module, y0+y*module)
			draw.Draw(img, image.Rectangle{at, at.Add(image.Pt(module, module))}, image.NewUniform(shade), image.Point{}, draw.Src)
		}
	}
}

// A page that shows a code and hardly any print lies as the code says.
func TestACodeShowsTheWayUp(t *testing.T) {
	for _, c := range []struct{ dpi, module int }{{150, 3}, {200, 4}, {300, 6}} {
		img := image.NewRGBA(image.Rect(0, 0, c.dpi*827/100, c.dpi*1169/100))
		draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
		drawCode(t, img, c.dpi*6, c.dpi, c.module)
		for n := range 4 {
			g := glanceAt(quarters(img, n), Scale{X: float64(c.dpi), Y: float64(c.dpi)}, 1, hues[Red])
			angle, ok := g.codeAngle()
			if off := math.Remainder(angle-float64(90*n), 360); !ok || math.Abs(off) > 1 {
				t.Errorf("%d dpi turned by %d°: %.2f° %v", c.dpi, 90*n, angle, ok)
			}
			if turn, from := g.turn(nil, 0); turn != (360-90*n)%360 || from != fromCode {
				t.Errorf("%d dpi turned by %d°: turn %d from %s", c.dpi, 90*n, turn, from)
			}
		}
	}
}

// Where print tells, a code on the form, even one that was pasted upside down, changes nothing.
func TestACodeBesidePrintChangesNothing(t *testing.T) {
	img, boxes, _ := formPicture(t, fixtures.FormOptions{Seed: 61, DPI: 200})
	upside := quarters(img, 2)
	drawCode(t, upside, 60, 60, 4)
	coded := quarters(upside, 2)
	for n := range 4 {
		want := mustLay(t, quarters(img, n), 200, Options{Boxes: boxes}).sheet
		got := mustLay(t, quarters(coded, n), 200, Options{Boxes: boxes}).sheet
		if got.Turn != want.Turn || got.TurnFrom != want.TurnFrom || math.Abs(got.Skew-want.Skew) > .03 {
			t.Errorf("turned by %d°: %+v, without the code %+v", 90*n, got, want)
		}
	}
}
