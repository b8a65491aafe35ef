package imprint

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"yinxin/fixtures"
)

// printedByDiffusion prints a picture of red on white as many inkjet printers do, which fixtures do not: in magenta and
// yellow, the error of every dot spread over its neighbours, so that dots keep clear of each other. Dots are perDot
// pixels wide and run by half of it.
func printedByDiffusion(picture *image.RGBA, perDot int, tone float64) *image.RGBA {
	b := picture.Bounds()
	light := make([][3]float64, b.Dx()*b.Dy())
	for i := range light {
		light[i] = [3]float64{.9, .9, .88}
	}
	w, h := b.Dx()/perDot, b.Dy()/perDot
	for layer, absorbance := range [][3]float64{{.10, .86, .42}, {.03, .10, .84}} {
		wanted := make([]float64, w*h)
		for i := range wanted {
			c := picture.RGBAAt(i%w*perDot, i/w*perDot)
			wanted[i] = (tone - .07*float64(layer)) * (255 - float64(c.G)) / 255
		}
		dots := newPlane(b.Dx(), b.Dy())
		for i := range wanted {
			x, y := i%w, i/w
			on := 0.0
			if wanted[i] > .5 {
				on = 1
			}
			rest := wanted[i] - on
			for _, n := range [4][3]float64{{1, 0, 7. / 16}, {-1, 1, 3. / 16}, {0, 1, 5. / 16}, {1, 1, 1. / 16}} {
				if to := x + int(n[0]); to >= 0 && to < w && y+int(n[1]) < h {
					wanted[(y+int(n[1]))*w+to] += rest * n[2]
				}
			}
			for k := range perDot * perDot {
				dots.row(y*perDot + k/perDot)[x*perDot+k%perDot] = float32(on)
			}
		}
		dots = dots.blurred(.5*float64(perDot), .5*float64(perDot))
		for i, v := range dots.v {
			for c := range 3 {
				light[i][c] *= 1 - absorbance[c]*math.Min(1, 1.15*float64(v))
			}
		}
	}
	result := image.NewRGBA(b)
	for i, l := range light {
		at := color.RGBA{A: 255}
		for c, channel := range []*uint8{&at.R, &at.G, &at.B} {
			*channel = uint8(255*encodedSRGB(l[c]) + .5)
		}
		result.SetRGBA(i%b.Dx(), i/b.Dx(), at)
	}
	return result
}

func scanOf(t *testing.T, img *image.RGBA, factor, quality int, dpi uint32) []byte {
	t.Helper()
	b := img.Bounds()
	small := image.NewRGBA(image.Rect(0, 0, b.Dx()/factor, b.Dy()/factor))
	for i := range small.Pix {
		x, y, c := i/4%small.Rect.Dx(), i/4/small.Rect.Dx(), i%4
		sum := 0
		for k := range factor * factor {
			sum += int(img.Pix[img.PixOffset(x*factor+k%factor, y*factor+k/factor)+c])
		}
		small.Pix[i] = uint8(sum / (factor * factor))
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return withEXIF(out.Bytes(), 1, dpi)
}

func TestPrintOfSeveralInksIsSeen(t *testing.T) {
	picture := ringAndStar(1200, 5)
	for _, c := range []struct {
		perDot, factor int // of pixels of 1200 dpi: dots of 600 and 300 dpi, scans of 600 and 300 dpi
		quality        int
		tone           float64
	}{{2, 2, 90, .8}, {4, 2, 85, .8}, {2, 4, 90, .7}, {4, 4, 80, .8}, {2, 4, 75, .85}} {
		printed := printedByDiffusion(picture, c.perDot, c.tone)
		r := process(t, scanOf(t, printed, c.factor, c.quality, uint32(1200/c.factor)), Options{Width: 42})
		f := r.Imprints[0]
		t.Logf("%+v: %.3f, %.4f, %v", c, f.Colorants, f.ColorantsDeviation, gateOf(t, r, GateColorants).Verdict)
		if f.Colorants < colorantsRefuse {
			t.Errorf("%+v: %.3f of the unevenness has a colour of its own", c, f.Colorants)
		}
		if signs := []string{GateColorants, GateGrain, GateScreen}; !slices.ContainsFunc(signs, func(name string) bool { return gateOf(t, r, name).Verdict != Usable }) {
			t.Errorf("%+v: %.3f, %.4f: %+v", c, f.Colorants, f.ColorantsDeviation, r.Gates)
		}
	}
}

func TestCopiesInTwoColoursAreRefused(t *testing.T) {
	for _, c := range []struct {
		dpi  int
		kind fixtures.CopyKind
		tone float64
		want Verdict
	}{{300, fixtures.Inkjet, .8, StampAgain}, {600, fixtures.Inkjet, .9, StampAgain}, {300, fixtures.Inkjet, .6, StampAgain}, {300, fixtures.Genuine, 0, Usable}, {600, fixtures.Genuine, 0, Usable}} {
		data, _ := stampedForm(t, fixtures.FormOptions{Seed: 41, DPI: c.dpi, Crop: true, Quality: 85, Copy: fixtures.Copy{Kind: c.kind, Tone: c.tone}, Scanner: fixtures.Scanner{Fringe: .03}})
		if g := gateOf(t, process(t, data, Options{Width: 42}), GateColorants); g.Verdict != c.want {
			t.Errorf("%d dpi, %s, tone %.1f: %+v", c.dpi, c.kind, c.tone, g)
		}
	}
}

// TestWhatFollowsIsOneInk holds the measure against light whose ink is known.
func TestWhatFollowsIsOneInk(t *testing.T) {
	const side = 300
	rng := rand.New(rand.NewPCG(1, 1))
	noise := func() *plane {
		p := newPlane(side, side)
		for i := range p.v {
			p.v[i] = float32(rng.NormFloat64())
		}
		return p.blurred(1, 1)
	}
	a, b := noise(), noise()
	mask := make([]bool, side*side)
	for i := range mask {
		mask[i] = i%side < side/2
	}
	light := func(at func(i int) float32) *plane {
		p := newPlane(side, side)
		for i := range p.v {
			if p.v[i] = .9; i%side <= side/2 {
				p.v[i] = .2 + .1*at(i)
			}
		}
		return p
	}
	for _, c := range []struct {
		name        string
		third       func(i int) float32
		least, most float64
	}{
		{"one ink", func(i int) float32 { return .5 * a.v[i] }, 0, .1},
		{"one ink, colours half a cell out of register", func(i int) float32 { return (a.v[i] + a.v[max(0, i-1)]) / 2 }, 0, .25},
		{"two inks", func(i int) float32 { return b.v[i] }, .95, 1},
		{"two inks that share half", func(i int) float32 { return (a.v[i] + b.v[i]) / 2 }, .45, .8},
	} {
		strong, third := light(func(i int) float32 { return a.v[i] }), light(c.third)
		l := &layer{crop: &crop{perMMX: 2 * 5.9, perMMY: 2 * 5.9, cells: func() (*plane, *plane) { return strong, third }}, alpha: newPlane(2*side, 2*side)}
		share, deviation := l.colorants(mask)
		if share < c.least || share > c.most || c.least > 0 && deviation < .005 {
			t.Errorf("%s: %.3f, %.4f", c.name, share, deviation)
		}
	}
}
