package imprint

import (
	"math"
	"testing"

	"yinxin/fixtures"
)

func TestStrokesShowHowCharactersStand(t *testing.T) {
	var strokes []stroke
	for i := range 40 {
		noise := .3 * math.Sin(float64(7*i)) // degrees
		s := stroke{length: 2, unsure: .2, angle: 3.2 + noise}
		if i%3 == 0 {
			s.angle = math.Remainder(93.2+noise, 180)
		}
		if i%5 == 0 { // 撇, 捺
			s.angle = -48 + float64(i)
		}
		strokes = append(strokes, s)
	}
	q, ok := squared(strokes, 1, 4, level)
	if !ok || math.Abs(q.angle-3.2) > .1 || q.unsure > .2 || q.share < .6 {
		t.Errorf("%+v %v", q, ok)
	}
	if q, ok := squared(strokes, 30, 4, level); ok && q.share > leastSquare {
		t.Errorf("far from it: %+v", q)
	}
	if _, ok := squared(strokes[:3], 1, 4, level); ok {
		t.Error("three strokes are enough")
	}
}

func TestRadiiOfTheArcAreEvenlySpaced(t *testing.T) {
	var all []radius
	for k := -5.0; k <= 5; k++ {
		all = append(all, radius{k, .4 - .05*k + .03*math.Sin(9*k), .1})
	}
	all[2].off, all[7].off = 6, -4 // a character with a stroke that leans
	first, slope, unsure, ok := evenly(all)
	if !ok || math.Abs(first-.4) > .1 || math.Abs(slope+.05) > .03 || unsure > .2 {
		t.Errorf("%.3f %.3f ±%.3f %v", first, slope, unsure, ok)
	}
	if _, _, _, ok := evenly(all[:3]); ok {
		t.Error("three characters are enough")
	}
}

// Characters 3 mm apart are three marks that have the size of the seal only together.
func TestCharactersApartAreOneSealWithoutAFrame(t *testing.T) {
	design := fixtures.SealDesign{Text: "云山市", Shape: fixtures.RectangularSeal, Width: 50, Height: 14, Border: -1}
	data, truth := stampedForm(t, fixtures.FormOptions{Seed: 5, Crop: true, Seal: design, Rotation: 4})
	r := process(t, data, Options{Width: 50, Height: 14, Shape: Frameless})
	if r.Measures.Fused != 2 || r.Verdict == StampAgain {
		t.Errorf("%d imprints, %s", r.Measures.Fused, r.Verdict)
	}
	for i, f := range r.Imprints {
		if i > 1 {
			t.Fatalf("%d marks", len(r.Imprints))
		}
		if off := math.Abs(f.Angle - truth.Imprints[i].Angle); off > .2 || off > 4*f.AngleError {
			t.Errorf("印模%d: off by %.3f° ±%.3f", i+1, off, f.AngleError)
		}
	}
}

// A seal with neither star nor emblem nor sides has its characters alone.
func TestCharactersGiveTheAngleOfARoundSeal(t *testing.T) {
	for _, design := range []fixtures.SealDesign{
		{Text: "临江省云山市人民政府", Line: "财务专用章", Diameter: 40},
		{Text: "云山市档案馆", Number: "2901020012345", Diameter: 42},
	} {
		data, truth := stampedForm(t, fixtures.FormOptions{Seed: 6, Crop: true, Seal: design, Rotation: -5})
		r := process(t, data, Options{Width: design.Diameter})
		for i, f := range r.Imprints[:2] {
			if off := math.Abs(f.Angle - truth.Imprints[i].Angle); off > .35 || f.AngleError > .3 {
				t.Errorf("%s, 印模%d: off by %.3f° ±%.3f, from %s", design.Text, i+1, off, f.AngleError, f.AngleFrom)
			}
		}
	}
}

// inkIn is a layer of 10 × 10 mm at 20 pixels per millimetre, with ink where it is said to be.
func inkIn(inked func(x, y float64) bool) *layer {
	const perMM, side = 20, 200
	l := &layer{crop: &crop{perMMX: perMM, perMMY: perMM}, alpha: newPlane(side, side), trust: newPlane(side, side), ink: 1}
	for i := range l.alpha.v {
		l.trust.v[i] = 1
		if inked((float64(i%side)+.5)/perMM, (float64(i/side)+.5)/perMM) {
			l.alpha.v[i] = 1
		}
	}
	return l
}

func TestTipsOfStrokesBelongToASealWithoutAFrame(t *testing.T) {
	for _, c := range []struct {
		name       string
		from, to   float64 // of the tip, in mm from the middle
		wide, want float64 // mm
	}{
		{"a tip", 3, 3.15, .1, 3.15},
		{"a tip that widens beyond", 3, 3.4, .1, 3.25},
		{"a speck beside the stroke", 3.1, 3.2, .1, 3},
		{"no tip", 3, 3, 0, 3},
	} {
		l := inkIn(func(x, y float64) bool {
			x, y = x-5, y-5
			return math.Abs(x) < 3 && math.Abs(y) < 2 || x >= 3 && x > c.from && x < c.to && math.Abs(y) < c.wide/2
		})
		got := l.tip(rim{x: 5, y: 5}, 1, 0, 2.99, 3, .015)
		if math.Abs(got-c.want) > .03 {
			t.Errorf("%s: the ink ends at %.3f mm, not %.2f", c.name, got, c.want)
		}
	}
}
