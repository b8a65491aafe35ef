package imprint

import (
	"bytes"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"testing"

	"yinxin/fixtures"
)

func gateOf(t *testing.T, r *Result, name string) Gate {
	t.Helper()
	for _, g := range r.Gates {
		if g.Name == name {
			if g.ZH == "" || g.EN == "" || g.Unit == "" {
				t.Errorf("gate %s says nothing: %+v", name, g)
			}
			return g
		}
	}
	t.Fatalf("there is no gate %s", name)
	return Gate{}
}

func TestGatesSayWhatIsWrongWithAnImprint(t *testing.T) {
	replaced := fixtures.OfficialSeal("临江省云山市档案局")
	other := fixtures.OfficialSeal("临江省白石县教育局")
	seal := fixtures.OfficialSeal("临江省云山市档案馆")
	good, _ := stampedForm(t, fixtures.FormOptions{Seed: 31, Seal: seal})
	for _, c := range []struct {
		name     string
		form     fixtures.FormOptions
		declared float64
		gate     string
		verdict  Verdict // of the gate
	}{
		{"a seal declared 4 mm too small is refused", fixtures.FormOptions{}, 38, "size", StampAgain},
		{"a seal declared 1.2 mm too large is refused", fixtures.FormOptions{}, 43.2, "size", StampAgain},
		{"a seal declared .7 mm too small warns", fixtures.FormOptions{}, 41.3, "size", Warn},
		{"a pale imprint is refused", fixtures.FormOptions{Ink: fixtures.Ink{Strength: .4}}, 42, "ink", StampAgain},
		{"a rather pale imprint warns", fixtures.FormOptions{Ink: fixtures.Ink{Strength: .65}}, 42, "ink", Warn},
		{"bled ink warns", fixtures.FormOptions{Ink: fixtures.Ink{Bleed: .15}}, 42, "bleeding", Warn},
		{"a gap in the ring warns", fixtures.FormOptions{Ink: fixtures.Ink{EdgeGap: 50}}, 42, "edge", Warn},
		{"strokes missing in both imprints warn", fixtures.FormOptions{Ink: fixtures.Ink{Gaps: .2}}, 42, "strokes", Warn},
		{"an imprint askew warns", fixtures.FormOptions{Rotation: 22}, 42, "upright", Warn},
		{"an imprint upside down warns", fixtures.FormOptions{Rotation: 178}, 42, "upright", Warn},
		{"a resolution of 200 dpi warns", fixtures.FormOptions{DPI: 200}, 42, "resolution", Warn},
		{"a resolution of 120 dpi is refused", fixtures.FormOptions{DPI: 120}, 42, "resolution", StampAgain},
		{"a seal with its last character replaced is refused", fixtures.FormOptions{Second: &replaced}, 42, "same-seal", StampAgain},
		{"another seal is refused", fixtures.FormOptions{Second: &other}, 42, "same-seal", StampAgain},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := good
			if c.gate != "size" {
				c.form.Seed, c.form.Seal = 31, seal
				data, _ = stampedForm(t, c.form)
			}
			r := process(t, data, Options{Width: c.declared})
			if g := gateOf(t, r, c.gate); g.Verdict != c.verdict {
				t.Errorf("gate %+v, want %s", g, c.verdict)
			}
			whole := c.verdict
			if c.gate == "strokes" { // a dot that one imprint lacks could be a gap or another character
				whole = StampAgain
			}
			if r.Verdict != whole || r.Acceptable() != (whole == Warn && c.gate != "size") {
				t.Errorf("verdict %s, acceptable %v, want %s: %+v", r.Verdict, r.Acceptable(), whole, r.Gates)
			}
			for _, g := range r.Gates {
				if g.Name != c.gate && g.Verdict != Usable {
					t.Logf("also %s: %s %v", g.Name, g.Verdict, g.Value)
				}
			}
		})
	}
}

func TestBledInkIsTakenBackAndSaid(t *testing.T) {
	data, truth := stampedForm(t, fixtures.FormOptions{Seed: 32, Ink: fixtures.Ink{Bleed: .1}})
	r := process(t, data, Options{Width: 42})
	if r.Measures.Eroded < .07 || r.Measures.Eroded > .14 {
		t.Errorf("eroded by %.3f mm, bled by .1 mm", r.Measures.Eroded)
	}
	if v := overlap(alphaOf(t, r.Template), truth.Mask); v < .92 {
		t.Errorf("IoU %.4f; without the repair it is .78", v)
	}
}

func TestGapsAreFilledFromTheOtherImprintAndLogged(t *testing.T) {
	data, truth := stampedForm(t, fixtures.FormOptions{Seed: 33, Ink: fixtures.Ink{EdgeGap: 50}})
	r := process(t, data, Options{Width: 42})
	if v := overlap(alphaOf(t, r.Template), truth.Mask); v < .955 {
		t.Errorf("IoU %.4f", v)
	}
	// 50 degrees of a ring 1.1 mm wide are 19.6 mm².
	if a := r.Measures.CompletedArea; a < 15 || a > 25 {
		t.Errorf("%.1f mm² completed", a)
	}
	if len(r.Measures.Filled) == 0 || r.Measures.Filled[0].How != howCompleted || r.Measures.Filled[0].Area < 10 {
		t.Errorf("filled %+v", r.Measures.Filled)
	}
}

// firstBox cuts the first imprint with some paper out of a form.
func firstBox(t *testing.T, data []byte, truth fixtures.Truth) image.Image {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	perMM := float64(truth.DPI) / millimetresPerInch
	i := truth.Imprints[0]
	half := int((i.Design.Diameter/2 + 3) * perMM)
	area := image.Rect(int(i.X*perMM)-half, int(i.Y*perMM)-half, int(i.X*perMM)+half, int(i.Y*perMM)+half)
	crop := image.NewRGBA(image.Rect(0, 0, area.Dx(), area.Dy()))
	draw.Draw(crop, crop.Rect, img, area.Min, draw.Src)
	return crop
}

func asPNG(t *testing.T, img image.Image, dpi float64) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	if dpi == 0 {
		return out.Bytes()
	}
	return withResolution(out.Bytes(), dpi)
}

func TestACropOfOneImprintIsUsableWithAWarning(t *testing.T) {
	data, truth := stampedForm(t, fixtures.FormOptions{Seed: 34})
	crop := asPNG(t, firstBox(t, data, truth), 300)
	r := process(t, crop, Options{Width: 42})
	if r.Verdict != Warn || r.Measures.Fused != 1 || gateOf(t, r, "agreement").Verdict != Warn || !r.Acceptable() {
		t.Errorf("verdict %s with %d imprints: %+v", r.Verdict, r.Measures.Fused, r.Gates)
	}
	if v := overlap(alphaOf(t, r.Template), truth.Mask); v < .93 {
		t.Errorf("IoU %.4f", v)
	}
}

func TestInkUnderPrintIsBridgedAndLogged(t *testing.T) {
	data, truth := stampedForm(t, fixtures.FormOptions{Seed: 35, Crossing: true})
	crop := asPNG(t, firstBox(t, data, truth), 300)
	r := process(t, crop, Options{Width: 42})
	if r.Measures.BridgedArea <= 0 || r.Imprints[0].Hidden <= r.Measures.BridgedArea {
		t.Errorf("bridged %.2f mm² of %.2f hidden", r.Measures.BridgedArea, r.Imprints[0].Hidden)
	}
	if v := overlap(alphaOf(t, r.Template), truth.Mask); v < .9 {
		t.Errorf("IoU %.4f", v)
	}
}

func TestEveryOrientationOfTheFileGivesTheSameTemplate(t *testing.T) {
	data, truth := stampedForm(t, fixtures.FormOptions{Seed: 36, Format: "png"})
	crop := firstBox(t, data, truth)
	want := process(t, asPNG(t, crop, 300), Options{Width: 42})
	b := crop.Bounds()
	for orientation := 2; orientation <= 8; orientation++ {
		w, h := b.Dx(), b.Dy()
		if orientation >= 5 {
			w, h = h, w
		}
		stored := image.NewRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				sx, sy := orientPoint(x, y, w, h, orientation)
				stored.Set(x, y, crop.At(sx, sy))
			}
		}
		var out bytes.Buffer
		if err := jpeg.Encode(&out, stored, &jpeg.Options{Quality: 98}); err != nil {
			t.Fatal(err)
		}
		r := process(t, withEXIF(out.Bytes(), orientation, 300), Options{Width: 42})
		if v := overlap(alphaOf(t, r.Template), alphaOf(t, want.Template)); v < .96 {
			t.Errorf("orientation %d: IoU %.4f with the upright file", orientation, v)
		}
		if d := r.Measures.Angle - want.Measures.Angle; d > .2 || d < -.2 {
			t.Errorf("orientation %d: angle %.3f°, not %.3f°", orientation, r.Measures.Angle, want.Measures.Angle)
		}
	}
}
