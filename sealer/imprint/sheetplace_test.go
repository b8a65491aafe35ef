package imprint

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/internal/scan"
)

// formPicture is a stamped form as pixels, with its boxes.
func formPicture(t testing.TB, o fixtures.FormOptions) (*image.RGBA, []Box, fixtures.Truth) {
	t.Helper()
	o.Format = "png"
	data, truth := stampedForm(t, o)
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	rgba := image.NewRGBA(img.Bounds())
	draw.Draw(rgba, rgba.Rect, img, image.Point{}, draw.Src)
	var boxes []Box
	for _, i := range truth.Imprints[:2] {
		boxes = append(boxes, Box{i.Box.X, i.Box.Y, i.Box.Width, i.Box.Height})
	}
	return rgba, boxes, truth
}

// quarters turns a picture clockwise.
func quarters(img *image.RGBA, n int) *image.RGBA {
	for range n {
		w, h := img.Rect.Dx(), img.Rect.Dy()
		out := image.NewRGBA(image.Rect(0, 0, h, w))
		for y := range h {
			for x := range w {
				copy(out.Pix[out.PixOffset(h-1-y, x):][:4], img.Pix[img.PixOffset(x, y):][:4])
			}
		}
		img = out
	}
	return img
}

// resampled is a picture whose sides are so many times as long.
func resampled(img *image.RGBA, fx, fy float64) *image.RGBA {
	w, h := int(math.Round(float64(img.Rect.Dx())*fx)), int(math.Round(float64(img.Rect.Dy())*fy))
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			sampleInto(out.Pix[out.PixOffset(x, y):][:4], img, (float64(x)+.5)/fx-.5, (float64(y)+.5)/fy-.5)
		}
	}
	return out
}

// sampleInto writes the pixel at a place, interpolated; outside it is black.
func sampleInto(p []uint8, img *image.RGBA, x, y float64) {
	ix, iy := int(math.Floor(x)), int(math.Floor(y))
	fx, fy := x-float64(ix), y-float64(iy)
	for c := range 3 {
		v := 0.0
		for _, k := range [4]struct {
			x, y int
			w    float64
		}{{ix, iy, (1 - fx) * (1 - fy)}, {ix + 1, iy, fx * (1 - fy)}, {ix, iy + 1, (1 - fx) * fy}, {ix + 1, iy + 1, fx * fy}} {
			if image.Pt(k.x, k.y).In(img.Rect) {
				v += k.w * float64(img.Pix[img.PixOffset(k.x, k.y)+c])
			} else if near := image.Pt(max(0, min(k.x, img.Rect.Max.X-1)), max(0, min(k.y, img.Rect.Max.Y-1))); math.Abs(float64(near.X-k.x)) <= 1 && math.Abs(float64(near.Y-k.y)) <= 1 {
				v += k.w * float64(img.Pix[img.PixOffset(near.X, near.Y)+c])
			}
		}
		p[c] = uint8(v + .5)
	}
	p[3] = 255
}

// onGround lays a picture on a larger ground.
func onGround(img *image.RGBA, ground color.Color, left, top, right, bottom int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, img.Rect.Dx()+left+right, img.Rect.Dy()+top+bottom))
	draw.Draw(out, out.Rect, image.NewUniform(ground), image.Point{}, draw.Src)
	draw.Draw(out, img.Rect.Add(image.Pt(left, top)), img, image.Point{}, draw.Src)
	return out
}

// pngAt is a PNG that says its resolution, quickly packed.
func pngAt(t testing.TB, img image.Image, dpi float64) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return withResolution(out.Bytes(), dpi)
}

// lay opens a picture as Process does, up to the sheet.
func lay(t testing.TB, img image.Image, dpi float64, o Options) (*session, error) {
	t.Helper()
	if o.Width == 0 {
		o.Width = 42
	}
	file, err := scan.Open("", pngAt(t, img, dpi), limits)
	if err != nil {
		t.Fatal(err)
	}
	return readPage(file, 1, size{o.Width, o.Width}, o)
}

func mustLay(t testing.TB, img image.Image, dpi float64, o Options) *session {
	t.Helper()
	s, err := lay(t, img, dpi, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHowTheSheetLiesIsMeasured(t *testing.T) {
	for _, skew := range []float64{0, -4.9} {
		img, boxes, _ := formPicture(t, fixtures.FormOptions{Seed: 61, DPI: 200, Skew: skew})
		for n := range 4 {
			turned := quarters(img, n)
			s := mustLay(t, turned, 200, Options{Boxes: boxes})
			if s.sheet.Turn != (360-90*n)%360 || s.sheet.TurnFrom != fromPrint || s.sheet.SkewFrom != fromBoxes || math.Abs(s.sheet.Skew-skew) > .03 {
				t.Errorf("turned by %d°, askew by %g°, boxes known: %+v", 90*n, skew, s.sheet)
			}
			if math.Abs(s.sheet.BoxesX-1) > .001 || math.Abs(s.sheet.BoxesY-1) > .001 || s.sheet.Stretched {
				t.Errorf("askew by %g°: boxes %+v", skew, s.sheet)
			}
			if s.scale.Page != "A4" || s.scale.Width != img.Rect.Dx() || s.scale.Height != img.Rect.Dy() {
				t.Errorf("%+v", s.scale)
			}
			s = mustLay(t, turned, 200, Options{})
			if s.sheet.Turn != (360-90*n)%360 || s.sheet.TurnFrom != fromPrint || s.sheet.SkewFrom != fromLines || math.Abs(s.sheet.Skew-skew) > .05 {
				t.Errorf("turned by %d°, askew by %g°: %+v", 90*n, skew, s.sheet)
			}
		}
	}
}

// Where nothing can be read, the boxes tell the way up.
func TestBoxesShowTheTurnOfACoarseScan(t *testing.T) {
	img, boxes, _ := formPicture(t, fixtures.FormOptions{Seed: 61, DPI: 100})
	for n := range 4 {
		g := glanceAt(quarters(img, n), Scale{X: 100, Y: 100}, 1, hues[Red])
		if turn, from := g.turn(boxes, 0); turn != (360-90*n)%360 || from != fromBoxes {
			t.Errorf("turned by %d°: %d from %s", 90*n, turn, from)
		}
	}
}

// Print that is read from behind is no print that is known; its rows run the same way.
func TestRowsShowThatAPageLiesOnItsSide(t *testing.T) {
	img, _, _ := formPicture(t, fixtures.FormOptions{Seed: 61, DPI: 200})
	behind := image.NewRGBA(img.Rect)
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			copy(behind.Pix[behind.PixOffset(img.Rect.Dx()-1-x, y):][:4], img.Pix[img.PixOffset(x, y):][:4])
		}
	}
	for n := range 4 {
		if s := mustLay(t, quarters(behind, n), 200, Options{}); n%2 == 1 != (s.sheet.TurnFrom == fromRows) {
			t.Errorf("turned by %d°: %+v", 90*n, s.sheet)
		}
	}
}

func TestACropHasNothingToGoBy(t *testing.T) {
	s := mustLay(t, ringAndStar(300, 10), 300, Options{})
	if s.sheet.TurnFrom != fromNone || s.sheet.SkewFrom != fromNone || s.sheet.Turn != 0 || s.sheet.Skew != 0 {
		t.Errorf("%+v", s.sheet)
	}
}

func TestAFeedersStretchIsTakenOut(t *testing.T) {
	img, boxes, _ := formPicture(t, fixtures.FormOptions{Seed: 62, Skew: .8})
	for _, c := range []struct {
		name   string
		fx, fy float64 // of the scan against its resolution
		print  float64 // of the form
		x, y   float64 // dpi
	}{
		{"none", 1, 1, 1, 300, 300},
		{"the feed is 0.8 % long", 1, 1.008, 1, 300, 302.4},
		{"the feed is 0.5 % short", 1, .995, 1, 300, 298.5},
		{"fed on its side", 1.006, 1, 1, 301.8, 300},
		{"printed at 97 %, and the feed is 0.6 % long", .97, .97 * 1.006, .97, 300, 301.8},
	} {
		s := mustLay(t, resampled(img, c.fx, c.fy), 300, Options{Boxes: boxes})
		if math.Abs(s.scale.X-c.x) > .25 || math.Abs(s.scale.Y-c.y) > .25 {
			t.Errorf("%s: %.2f × %.2f dpi, not %g × %g: %+v", c.name, s.scale.X, s.scale.Y, c.x, c.y, s.sheet)
		}
		if s.sheet.Stretched != (c.fx != c.fy) || math.Abs(s.sheet.BoxesX-c.fx) > .001 || math.Abs(s.sheet.BoxesY-c.fy) > .001 {
			t.Errorf("%s: %+v", c.name, s.sheet)
		}
	}
}

func TestBordersAroundTheSheetAreSeen(t *testing.T) {
	img, boxes, truth := formPicture(t, fixtures.FormOptions{Seed: 63, DPI: 150})
	perMM := 150 / millimetresPerInch
	for _, c := range []struct {
		name   string
		ground color.Color
		mm     [4]float64 // left, top, right, bottom
	}{
		{"the black of an open lid", color.RGBA{9, 9, 11, 255}, [4]float64{12, 8, 30, 25}},
		{"a grey margin below and right", color.RGBA{168, 168, 166, 255}, [4]float64{0, 0, 6, 55}},
		{"a narrow black border", color.RGBA{0, 0, 0, 255}, [4]float64{2, 2, 2, 2}},
	} {
		px := func(mm float64) int { return int(math.Round(mm * perMM)) }
		wide := onGround(img, c.ground, px(c.mm[0]), px(c.mm[1]), px(c.mm[2]), px(c.mm[3]))
		s := mustLay(t, wide, 150, Options{Boxes: boxes})
		if s.scale.Page != "A4" || math.Abs(s.sheet.Width-210) > 1 || math.Abs(s.sheet.Height-297) > 1 || math.Abs(s.sheet.Left-c.mm[0]) > .5 || math.Abs(s.sheet.Top-c.mm[1]) > .5 {
			t.Errorf("%s: %+v %+v", c.name, s.scale, s.sheet)
		}
		i := truth.Imprints[1]
		if x, y := s.sheet.onPage(i.X+c.mm[0], i.Y+c.mm[1]); math.Hypot(x-i.X, y-i.Y) > .3 {
			t.Errorf("%s: 印模2 is at %.2f, %.2f of the page, not at %.2f, %.2f", c.name, x, y, i.X, i.Y)
		}
		if len(s.located()) != 2 {
			t.Errorf("%s: %d marks", c.name, len(s.located()))
		}
	}
	// All of the sheet is seen, and it is none at this resolution.
	if _, err := lay(t, onGround(img, color.Black, 40, 40, 40, 40), 240, Options{}); fault.CodeOf(err) != "imprint.scale-contradicts" {
		t.Errorf("a page of A4 of 131 × 186 mm: %v", err)
	}
	if s := mustLay(t, img, 150, Options{}); s.sheet.Width != 0 {
		t.Errorf("a sheet that fills the scan: %+v", s.sheet)
	}
}

func TestTheLeanIsMeasuredAgainstThePage(t *testing.T) {
	img, boxes, truth := formPicture(t, fixtures.FormOptions{Seed: 64, Skew: 3.5, Rotation: 6})
	for n := range 4 {
		for _, known := range [][]Box{boxes, nil} {
			turned := quarters(img, n)
			r := process(t, pngAt(t, turned, 300), Options{Width: truth.Imprints[0].Design.Diameter, Boxes: known})
			least := math.Inf(1)
			for _, i := range truth.Imprints {
				least = math.Min(least, math.Abs(r.Measures.Angle-(i.Angle-3.5)))
			}
			want := (360 - 90*n) % 360
			if r.Measures.Sheet.Turn != want || least > .2 {
				t.Errorf("turned by %d°, %d boxes known: %+v, lean %.2f°, off by %.2f°", 90*n, len(known), r.Measures.Sheet, r.Measures.Angle, least)
			}
		}
	}
}

func TestTurnsOfOrientationsCompose(t *testing.T) {
	// A picture of 3 × 2 cells, displayed by an orientation and turned, is the picture displayed by the composed one.
	g := &glance{w: 3, h: 2, v: []uint8{1, 2, 3, 4, 5, 6}, perMMX: 1, perMMY: 1}
	for o := 1; o <= 8; o++ {
		shown := *g
		shown.orient(o)
		for _, degrees := range []int{0, 90, 180, 270} {
			direct := *g
			direct.orient(turnedBy(o, degrees))
			want := shown.turned(degrees)
			if fmt.Sprint(direct.w, direct.h, direct.v) != fmt.Sprint(want.w, want.h, want.v) {
				t.Errorf("orientation %d turned by %d°: %v, not %v", o, degrees, direct.v, want.v)
			}
		}
	}
	if turnedBy(1, 90) != 6 || turnedBy(6, 270) != 1 || turnedBy(3, 180) != 1 || turnedBy(2, 180) != 4 {
		t.Error("turns do not compose")
	}
}
