package outline

import (
	"bytes"
	"compress/zlib"
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/truetype"
)

var red = color.NRGBA{R: 0xE6, B: 0x12, A: 255}

// sealPicture is a seal as a template is encoded: one colour, sixteen levels of opacity or another number.
func sealPicture(t testing.TB, d fixtures.SealDesign, dpi, levels int) *image.Paletted {
	t.Helper()
	mask, err := fixtures.DrawSeal(d, dpi)
	if err != nil {
		if _, missing := truetype.Find(); missing != nil {
			t.Skip("no Chinese font is installed")
		}
		t.Fatal(err)
	}
	return inked(mask, levels)
}

// inked colours coverage with a number of levels of opacity.
func inked(mask *image.Alpha, levels int) *image.Paletted {
	var palette color.Palette
	for i := range levels {
		c := red
		c.A = uint8(i * 255 / (levels - 1))
		palette = append(palette, c)
	}
	m := image.NewPaletted(mask.Rect, palette)
	for i, v := range mask.Pix {
		m.Pix[i] = uint8((int(v)*(levels-1) + 127) / 255)
	}
	return m
}

func traced(t testing.TB, m image.Image) *Outline {
	t.Helper()
	o, err := Trace(m)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// deflated is how many bytes something takes in a PDF.
func deflated(t testing.TB, data []byte) int {
	t.Helper()
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, zlib.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

func TestASealIsTracedWithinHundredthsOfAMillimetre(t *testing.T) {
	official, special := fixtures.OfficialSeal("吉林省长春市南关区档案馆"), fixtures.SpecialSeal("吉林省档案馆", "业务专用章")
	for _, c := range []struct {
		name             string
		design           fixtures.SealDesign
		dpi, levels      int
		max, mean, least float64 // mm, mm, IoU
		bytes            int
	}{
		{"official, 600 dpi", official, 600, 16, .032, .003, .995, 15_000},
		{"special, 600 dpi", special, 600, 16, .032, .003, .995, 13_000},
		{"official, 600 dpi, 256 levels", official, 600, 256, .032, .003, .995, 15_000},
		{"official, 600 dpi, hard edges", official, 600, 2, .035, .008, .995, 19_000},
		{"official, 300 dpi", official, 300, 16, .05, .006, .988, 10_000},
		{"official, 1200 dpi", official, 1200, 16, .02, .0015, .997, 22_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := sealPicture(t, c.design, c.dpi, c.levels)
			o := traced(t, m)
			d, err := o.Deviation(m)
			if err != nil {
				t.Fatal(err)
			}
			mm := 25.4 / float64(c.dpi)
			size := deflated(t, o.PDF("/DeviceRGB"))
			t.Logf("%d paths, %d lines and curves, %d bytes; max %.4f mm, mean %.5f mm, IoU %.4f",
				len(o.Layers[0].Paths), o.Segments(), size, d.Max*mm, d.Mean*mm, d.IoU)
			if d.Max*mm > c.max || d.Mean*mm > c.mean || d.IoU < c.least || size > c.bytes {
				t.Errorf("want at most max %g mm, mean %g mm, %d bytes, and at least IoU %g", c.max, c.mean, c.bytes, c.least)
			}
			if d.Mean == 0 || d.IoU == 1 {
				t.Error("nothing traced is exact: the deviation was not measured")
			}
		})
	}
}

// TestTheOutlineIsTruerThanItsPixels compares outlines of a seal at 300 dpi with the seal drawn at 1200 dpi: what they say
// between the pixels is right, corners included. Without their tips it would be .9869.
func TestTheOutlineIsTruerThanItsPixels(t *testing.T) {
	design := fixtures.OfficialSeal("吉林省长春市南关区档案馆")
	fine := sealPicture(t, design, 1200, 256)
	o := traced(t, sealPicture(t, design, 300, 16))
	big := &Outline{Width: fine.Rect.Dx(), Height: fine.Rect.Dy()}
	sx, sy := float64(big.Width)/float64(o.Width), float64(big.Height)/float64(o.Height)
	grow := func(p Point) Point { return Point{p.X * sx, p.Y * sy} }
	var l Layer
	for _, p := range o.Layers[0].Paths {
		q := Path{Start: grow(p.Start)}
		for _, s := range p.Segments {
			q.Segments = append(q.Segments, Segment{s.Line, grow(s.C1), grow(s.C2), grow(s.End)})
		}
		l.Paths = append(l.Paths, q)
	}
	drawn := big.fill(l)
	both, either := 0, 0
	for i, v := range fine.Pix {
		a, b := v > 127, drawn.Pix[i] > 127
		if a && b {
			both++
		}
		if a || b {
			either++
		}
	}
	iou := float64(both) / float64(either)
	t.Logf("IoU at 1200 dpi: %.4f", iou)
	if iou < .9875 {
		t.Errorf("IoU %.4f", iou)
	}
}

// TestTheDeviationSeesADifference measures an outline against a picture in which a stroke is missing.
func TestTheDeviationSeesADifference(t *testing.T) {
	m := disc(200, 80, 40)
	o := traced(t, m)
	for y := 95; y < 105; y++ {
		for x := 170; x < 185; x++ {
			m.SetColorIndex(x, y, 0)
		}
	}
	d, err := o.Deviation(m)
	if err != nil {
		t.Fatal(err)
	}
	if d.Max < 3 || d.IoU > .9999 {
		t.Errorf("max %.2f px, IoU %.5f", d.Max, d.IoU)
	}
}

// disc is a disc around the middle of a picture, with a hole in it when inner is not 0.
func disc(side int, outer, inner float64) *image.Paletted {
	mask := image.NewAlpha(image.Rect(0, 0, side, side))
	middle := float64(side) / 2
	cover := func(x, y, radius float64) float64 {
		return math.Max(0, math.Min(1, radius-math.Hypot(x+.5-middle, y+.5-middle)+.5))
	}
	for y := range side {
		for x := range side {
			c := cover(float64(x), float64(y), outer)
			if inner > 0 {
				c -= cover(float64(x), float64(y), inner)
			}
			mask.SetAlpha(x, y, color.Alpha{A: uint8(c*255 + .5)})
		}
	}
	return inked(mask, 256)
}

func TestARingIsAHandfulOfCurvesRoundAHole(t *testing.T) {
	o := traced(t, disc(1000, 495, 470))
	if n := len(o.Layers[0].Paths); n != 2 {
		t.Fatalf("%d paths", n)
	}
	if n := o.Segments(); n > 40 {
		t.Errorf("%d segments", n)
	}
	for i, p := range o.Layers[0].Paths {
		want := [2]float64{495, 470}[i]
		p.flatten(func(a, _ Point) {
			if r := a.distance(Point{500, 500}); math.Abs(r-want) > .2 {
				t.Errorf("path %d is %.2f from the middle", i, r)
			}
		})
	}
}

func TestARectangleKeepsItsCorners(t *testing.T) {
	m := image.NewPaletted(image.Rect(0, 0, 100, 60), color.Palette{color.NRGBA{}, red})
	for y := range 60 {
		for x := range 100 {
			m.SetColorIndex(x, y, 1) // to the very edge of the picture
		}
	}
	o := traced(t, m)
	lines := 0
	for _, s := range o.Layers[0].Paths[0].Segments {
		if !s.Line {
			t.Errorf("a curve to %v", s.End)
		}
		lines++
	}
	if lines > 8 {
		t.Errorf("%d lines", lines)
	}
	d, err := o.Deviation(m)
	if err != nil || d.Max > .01 {
		t.Errorf("the edge is %.3f px away: %v", d.Max, err)
	}
}

// TestInkLiesOnOneSide counts how often the paths run round a place: once where ink is and not at all elsewhere. So it does
// not matter by which rule they are filled.
func TestInkLiesOnOneSide(t *testing.T) {
	m := sealPicture(t, fixtures.OfficialSeal("吉林省长春市南关区档案馆"), 300, 16)
	o := traced(t, m)
	wrong := 0
	for y := 3; y < o.Height; y += 7 {
		crossings := map[int]int{} // by column of pixels: the sum of what crosses the row left of it
		at := float64(y) + .513
		for _, p := range o.Layers[0].Paths {
			p.flatten(func(a, b Point) {
				if a.Y <= at == (b.Y <= at) {
					return
				}
				way := 1
				if b.Y > a.Y {
					way = -1
				}
				x := a.X + (b.X-a.X)*(at-a.Y)/(b.Y-a.Y)
				crossings[int(math.Ceil(x-.5))] += way
			})
		}
		winding := 0
		for x := range o.Width {
			winding += crossings[x]
			if winding != 0 && winding != 1 {
				t.Fatalf("the paths run %d times round pixel %d, %d", winding, x, y)
			}
			if inside := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA).A > 127; inside != (winding == 1) {
				wrong++
			}
		}
	}
	if wrong > o.Width*o.Height/7/500 {
		t.Errorf("%d pixels are on the wrong side", wrong)
	}
}

func TestTracingAgainGivesTheSame(t *testing.T) {
	m := sealPicture(t, fixtures.SpecialSeal("吉林省档案馆", "业务专用章"), 300, 16)
	first := traced(t, m)
	again := image.NewNRGBA(m.Bounds())
	draw.Draw(again, m.Bounds(), m, image.Point{}, draw.Src)
	second := traced(t, again)
	if !bytes.Equal(first.PDF("/DeviceRGB"), second.PDF("/DeviceRGB")) || !bytes.Equal(first.SVG(40, 40), second.SVG(40, 40)) {
		t.Error("the same pixels in another kind of image give another outline")
	}
}

func TestColoursAreLayers(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 120, 40))
	colours := []color.NRGBA{{R: 230, A: 255}, {B: 200, A: 255}, {G: 160, A: 255}}
	for i, c := range colours {
		for y := 5; y < 35; y++ {
			for x := 5 + 40*i; x < 35+40*i-5*i; x++ {
				c.R += byte(x % 2) // shades that nobody sees
				m.SetNRGBA(x, y, c)
				c.R -= byte(x % 2)
			}
		}
	}
	o := traced(t, m)
	if len(o.Layers) != 3 {
		t.Fatalf("%d layers", len(o.Layers))
	}
	for i, l := range o.Layers {
		if !alike(l.Colour, [3]byte{colours[i].R, colours[i].G, colours[i].B}) || len(l.Paths) != 1 {
			t.Errorf("layer %d has %v and %d paths", i, l.Colour, len(l.Paths))
		}
	}
	if d, err := o.Deviation(m); err != nil || d.IoU < .999 || d.Max > .5 {
		t.Errorf("%+v, %v", d, err)
	}
}

func BenchmarkTrace(b *testing.B) {
	m := sealPicture(b, fixtures.OfficialSeal("吉林省长春市南关区档案馆"), 600, 16)
	for b.Loop() {
		traced(b, m)
	}
}
