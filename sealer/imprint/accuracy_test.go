package imprint

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"math"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
)

// stampedForm draws a form; without a Chinese font the test is skipped.
func stampedForm(t testing.TB, o fixtures.FormOptions) ([]byte, fixtures.Truth) {
	t.Helper()
	data, truth, err := fixtures.StampedForm(o)
	if fault.CodeOf(err) == "font.not-found" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data, truth
}

func process(t testing.TB, data []byte, o Options) *Result {
	t.Helper()
	r, err := Process(context.Background(), data, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTemplatesAgreeWithTheTruth(t *testing.T) {
	unit := fixtures.OfficialSeal("临江省云山市人民政府")
	for _, c := range []struct {
		name     string
		form     fixtures.FormOptions
		leastIoU float64
		angle    float64 // degrees
	}{
		{"a good form at 300 dpi", fixtures.FormOptions{Seed: 11}, .955, .1},
		{"a good form at 300 dpi as PNG", fixtures.FormOptions{Seed: 12, Format: "png"}, .955, .1},
		{"a JPEG of low quality", fixtures.FormOptions{Seed: 13, Quality: 55}, .955, .1},
		{"a good form at 600 dpi", fixtures.FormOptions{Seed: 14, DPI: 600}, .96, .1},
		{"a sheet that lay askew", fixtures.FormOptions{Seed: 16, Skew: -3}, .955, .1},
		{"words and a rule through the first box", fixtures.FormOptions{Seed: 17, Crossing: true}, .95, .15},
		{"the unit's own seal on the form", fixtures.FormOptions{Seed: 18, UnitSeal: &unit}, .955, .1},
		{"a special seal with a line below the star", fixtures.FormOptions{Seed: 19,
			Seal: fixtures.SpecialSeal("临江省云山市档案馆", "业务专用章")}, .95, .1},
		{"a seal of 58 mm", fixtures.FormOptions{Seed: 20,
			Seal: fixtures.SealDesign{Text: "临江省云山市档案馆", Diameter: 58, Star: true}}, .96, .1},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, truth := stampedForm(t, c.form)
			declared := truth.Imprints[0].Design.Diameter
			r := process(t, data, Options{Width: declared})
			if r.Verdict != Usable || r.Measures.Fused != 2 {
				t.Errorf("verdict %s, %d imprints fused: %+v", r.Verdict, r.Measures.Fused, r.Gates)
			}
			used := 0
			for _, f := range r.Imprints {
				if !f.Used {
					continue
				}
				used++
				near := nearest(truth, f)
				if d := math.Hypot(f.X-near.X, f.Y-near.Y); d > .05 {
					t.Errorf("%s: found %.3f mm from its place", near.Label, d)
				}
				if d := math.Abs(math.Remainder(f.Angle-near.Angle, 360)); d > 2*c.angle {
					t.Errorf("%s: angle %.3f°, not %.3f°", near.Label, f.Angle, near.Angle)
				}
				if d := math.Abs(f.Diameter - declared); d > .05 {
					t.Errorf("%s: diameter %.3f mm, not %g mm", near.Label, f.Diameter, declared)
				}
				if near.Label != truth.Imprints[0].Label && near.Label != truth.Imprints[1].Label {
					t.Errorf("%s was used", near.Label)
				}
			}
			if used != 2 {
				t.Errorf("%d imprints are marked as used", used)
			}
			template := alphaOf(t, r.Template)
			if v := overlap(template, truth.Mask); v < c.leastIoU {
				t.Errorf("IoU %.4f, want %.3f", v, c.leastIoU)
			}
			if turned := turnOf(template, truth.Mask); math.Abs(turned) > c.angle {
				t.Errorf("the template stands %.3f° from upright", turned)
			}
			t.Logf("IoU %.4f, mean error %.4f, diameter %.3f", overlap(template, truth.Mask), meanError(template, truth.Mask), r.Measures.Diameter)
		})
	}
}

func nearest(truth fixtures.Truth, f Found) fixtures.Imprint {
	best := truth.Imprints[0]
	for _, i := range truth.Imprints {
		if math.Hypot(f.X-i.X, f.Y-i.Y) < math.Hypot(f.X-best.X, f.Y-best.Y) {
			best = i
		}
	}
	return best
}

// TestSeedsNeverTunedFor is a small sample of forms whose seeds were not looked at while the limits were chosen.
func TestSeedsNeverTunedFor(t *testing.T) {
	if testing.Short() {
		t.Skip("draws many forms")
	}
	for seed := uint64(9001); seed <= 9004; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rotation := float64(seed%5)*6 - 12
			data, truth := stampedForm(t, fixtures.FormOptions{Seed: seed, Rotation: rotation, Crossing: seed%2 == 0})
			r := process(t, data, Options{Width: truth.Imprints[0].Design.Diameter})
			if v := overlap(alphaOf(t, r.Template), truth.Mask); v < .95 {
				t.Errorf("IoU %.4f", v)
			}
			if r.Verdict != Usable {
				t.Errorf("%s: %+v", r.Verdict, r.Gates)
			}
		})
	}
}

func alphaOf(t testing.TB, file []byte) *image.Alpha {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	mask := image.NewAlpha(b)
	for y := range b.Dy() {
		for x := range b.Dx() {
			_, _, _, a := img.At(x, y).RGBA()
			mask.Pix[y*mask.Stride+x] = uint8(a >> 8)
		}
	}
	return mask
}

// overlap is intersection over union where alpha is above one half.
func overlap(a, b *image.Alpha) float64 {
	and, or := 0, 0
	for y := range b.Rect.Dy() {
		for x := range b.Rect.Dx() {
			p, q := a.AlphaAt(x, y).A > 127, b.AlphaAt(x, y).A > 127
			if p && q {
				and++
			}
			if p || q {
				or++
			}
		}
	}
	return float64(and) / float64(or)
}

func meanError(a, b *image.Alpha) float64 {
	total := 0.0
	for i := range b.Pix {
		total += math.Abs(float64(a.Pix[i])-float64(b.Pix[i])) / 255
	}
	return total / float64(len(b.Pix))
}

// turnOf is how far a template stands turned against the truth, in degrees clockwise, by least squares.
func turnOf(a, b *image.Alpha) float64 {
	toPlane := func(m *image.Alpha) *plane {
		p := newPlane(m.Rect.Dx(), m.Rect.Dy())
		for i, v := range m.Pix {
			p.v[i] = float32(v) / 255
		}
		return p.blurred(1.5, 1.5)
	}
	step, _ := leastTurn(toPlane(b), toPlane(a), templateDPI/millimetresPerInch)
	return step.angle
}
