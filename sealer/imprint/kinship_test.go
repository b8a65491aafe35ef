package imprint

import (
	"math"
	"testing"

	"yinxin/fixtures"
)

// drawnInk is a canvas of 10 mm with ink where a drawing says so, in millimetres.
func drawnInk(coverage func(x, y float64) float64) inked {
	const side = 118 // pixels
	p, trust := newPlane(side, side), newPlane(side, side)
	for i := range p.v {
		p.v[i] = float32(coverage((float64(i%side)+.5)/likePerMM, (float64(i/side)+.5)/likePerMM))
		trust.v[i] = 1
	}
	return inked{p, trust}
}

// bar is a stroke of .5 mm across the middle; from and to bound it.
func bar(from, to float64) func(x, y float64) float64 {
	return func(x, y float64) float64 {
		if x > from && x < to && y > 4.75 && y < 5.25 || (y < 2 || y > 8) && math.Mod(y, 1) < .5 { // and lines that both have
			return 1
		}
		return 0
	}
}

// within is a drawing with another value in a rectangle.
func within(d func(x, y float64) float64, left, top, right, bottom, value float64) func(x, y float64) float64 {
	return func(x, y float64) float64 {
		if x > left && x < right && y > top && y < bottom {
			return value
		}
		return d(x, y)
	}
}

// TestWhatIsLackingIsWeighed holds what speaks for another seal against what a pressing makes.
func TestWhatIsLackingIsWeighed(t *testing.T) {
	block := func(x, y float64) float64 {
		if x > 2 && x < 8 && y > 3 && y < 7 {
			return 1
		}
		return 0
	}
	for _, c := range []struct {
		name     string
		a, b     func(x, y float64) float64
		negative bool
		want     Outcome
	}{
		{"the same", bar(2, 8), bar(2, 8), false, Same},
		{"a hole of .36 mm² in a broad stroke", block, within(block, 4, 4, 4.6, 4.6, 0), false, Same},
		{"the same hole where the ground prints", block, within(block, 4, 4, 4.6, 4.6, 0), true, CannotTell},
		{"a stroke that took badly for 1 mm", bar(2, 8), within(bar(2, 8), 4, 4, 5, 6, .3), false, Same},
		{"a stroke whose last millimetre is clean paper", bar(2, 8), bar(2, 7), false, CannotTell},
		{"a stroke of which 1 mm is clean paper", bar(2, 8), within(bar(2, 8), 4, 4, 5, 6, 0), false, CannotTell},
		{"the same strokes in both directions where the ground prints", within(block, 4, 4, 5, 4.5, 0), within(block, 4, 5.5, 5, 6, 0), true, CannotTell},
		{"strokes of both that the other one lacks", within(bar(2, 8), 4, 6, 5, 6.5, 1), within(bar(2, 8), 4, 3.5, 5, 4, 1), false, Different},
	} {
		k := liken(drawnInk(c.a), drawnInk(c.b), c.negative, nil)
		if k.outcome != c.want {
			t.Errorf("%s: %s, %.3f mm², %+v", c.name, k.outcome, k.mismatch, k.places)
		}
		if (len(k.places) == 0) != (c.want == Same) {
			t.Errorf("%s: %+v", c.name, k.places)
		}
	}
}

// TestLookAlikesAreNeverTheSame holds pairs of characters against each other that differ by a dot or by the length of a
// stroke. docs/imprint.md says which are too small to be seen.
func TestLookAlikesAreNeverTheSame(t *testing.T) {
	seed := uint64(820_000)
	for _, c := range []struct {
		pair string
		seal func(character string) fixtures.SealDesign
	}{
		{"未末 土士 己已 大太 日曰 王玉 天夭", func(s string) fixtures.SealDesign { return fixtures.OfficialSeal("临江省" + s + "县档案馆") }},
		{"人入 干千 目自 木本", func(s string) fixtures.SealDesign {
			return fixtures.InvoiceSeal("临江省云山市"+s+"县公共资源中心", "29010200MA12345678")
		}},
	} {
		for i, r := 0, []rune(c.pair); i < len(r); i += 3 {
			first, second := c.seal(string(r[i])), c.seal(string(r[i+1]))
			seed++
			data, _ := stampedForm(t, fixtures.FormOptions{Seed: seed, Seal: first, Second: &second, Crop: true, Quality: 80, Rotation: 3})
			o := Options{}
			o.Width, o.Height = first.Size()
			if first.Shape == fixtures.RoundSeal {
				o.Height = 0
			}
			if r := process(t, data, o); r.Measures.Outcome == Same || r.Acceptable() {
				t.Errorf("%s and %s: %s, %.3f mm²", first.Text, second.Text, r.Measures.Outcome, r.Measures.Mismatch)
			}
		}
	}
}
