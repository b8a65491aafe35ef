package imprint

import (
	"context"
	"image"
	"math"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
)

// gaussian is a picture out of focus; sigma is in pixels.
func gaussian(img *image.RGBA, sigma float64) *image.RGBA {
	var planes [3]*plane
	for c := range planes {
		planes[c] = newPlane(img.Rect.Dx(), img.Rect.Dy())
		for i := range planes[c].v {
			planes[c].v[i] = float32(img.Pix[4*i+c])
		}
		planes[c] = planes[c].blurred(sigma, sigma)
	}
	out := image.NewRGBA(img.Rect)
	for i := range planes[0].v {
		for c := range 3 {
			out.Pix[4*i+c] = uint8(planes[c].v[i] + .5)
		}
		out.Pix[4*i+3] = 255
	}
	return out
}

// lightOf is a picture in other light: f gives what the linear light of a channel is multiplied by at a place, 0 to 1 across and down.
func lightOf(img *image.RGBA, f func(x, y float64, c int) float64) *image.RGBA {
	out := image.NewRGBA(img.Rect)
	table := linearTable()
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := range h {
		for x := range w {
			i := img.PixOffset(x, y)
			for c := range 3 {
				out.Pix[i+c] = uint8(255*encodedSRGB(math.Min(1, float64(table[int(img.Pix[i+c])*linearSteps])*f(float64(x)/float64(w), float64(y)/float64(h), c))) + .5)
			}
			out.Pix[i+3] = 255
		}
	}
	return out
}

// keystoned is a picture whose lower side is wider than the upper one by a share.
func keystoned(img *image.RGBA, k float64) *image.RGBA {
	out := image.NewRGBA(img.Rect)
	w, h := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	for y := range img.Rect.Dy() {
		f := 1 + k*(float64(y)/h-.5)
		for x := range img.Rect.Dx() {
			sampleInto(out.Pix[out.PixOffset(x, y):][:4], img, (float64(x)-w/2)*f+w/2, float64(y))
		}
	}
	return out
}

func TestBadPhotographsAreRefusedWithAReason(t *testing.T) {
	img, boxes, truth := formPicture(t, fixtures.FormOptions{Seed: 71, Skew: 1})
	even := func(share float64) func(x, y float64, c int) float64 {
		return func(float64, float64, int) float64 { return share }
	}
	tinted := func(r, g, b float64) func(x, y float64, c int) float64 {
		return func(_, _ float64, c int) float64 { return [3]float64{r, g, b}[c] }
	}
	for _, c := range []struct {
		name string
		img  *image.RGBA
		code string // empty: as good as a scan
	}{
		{"half of the light", lightOf(img, even(.4)), ""},
		{"a tenth of the light", lightOf(img, even(.1)), "imprint.too-dark"},
		{"light from one side", lightOf(img, func(x, y float64, _ int) float64 { return 1 - .75*(x+y)/2 }), ""},
		{"the shadow of a head", lightOf(img, func(x, y float64, _ int) float64 {
			return 1 - .9*math.Exp(-(square(x-.4)+square(y-.3))/.2)
		}), "imprint.uneven-light"},
		{"out of focus", gaussian(img, 2), "imprint.blurred"},
		{"seen at an angle", keystoned(img, .025), "imprint.perspective"},
		{"yellow paper", lightOf(img, tinted(1, .93, .65)), ""},
		{"a bulb", lightOf(img, tinted(1, .6, .25)), ""},
		{"a blue lamp", lightOf(img, tinted(.7, .88, 1)), ""},
	} {
		r, err := Process(context.Background(), encodedJPEG(t, c.img), Options{Width: 42, Boxes: boxes})
		if (err == nil) != (c.code == "") || err != nil && fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil {
			continue
		}
		if v := overlap(alphaOf(t, r.Template), truth.Mask); v < .95 || r.Verdict != Usable {
			t.Errorf("%s: %s, IoU %.4f: %+v", c.name, r.Verdict, v, r.Gates)
		}
	}
}

// TestScansAreNoPhotographs: what the limits hold against good scans, at every resolution that is accepted.
func TestScansAreNoPhotographs(t *testing.T) {
	for _, o := range []fixtures.FormOptions{{Seed: 72, DPI: 200}, {Seed: 73, DPI: 300, Skew: -4}, {Seed: 74, DPI: 600}} {
		img, _, _ := formPicture(t, o)
		dpi := float64(o.DPI)
		scale := Scale{X: dpi, Y: dpi, Width: img.Rect.Dx(), Height: img.Rect.Dy()}
		g := glanceAt(img, scale, 1, hues[Red])
		width, ok := sharpness(img, scale, hues[Red], g)
		if !ok || width > .8*greatestEdge || g.keystone() > greatestKeystone/2 || g.evenness() < .8 {
			t.Errorf("%d dpi: edges %.3f mm, keystone %.2f°, evenness %.2f", o.DPI, width, g.keystone(), g.evenness())
		}
		t.Logf("%d dpi: edges %.3f mm, keystone %.2f°, evenness %.2f", o.DPI, width, g.keystone(), g.evenness())
	}
}
