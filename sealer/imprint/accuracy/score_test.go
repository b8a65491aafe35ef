package accuracy

import (
	"image"
	"math"
	"reflect"
	"testing"

	"yinxin/fixtures"
	"yinxin/sealer/imprint"
)

// turned lays a mask on a canvas of the same size, turned clockwise, enlarged and moved.
func turned(m *image.Alpha, degrees, scale, x, y float64) *image.Alpha {
	out := image.NewAlpha(m.Rect)
	sin, cos := math.Sincos(-degrees * math.Pi / 180)
	w, h := float64(m.Rect.Dx()), float64(m.Rect.Dy())
	for py := range m.Rect.Dy() {
		for px := range m.Rect.Dx() {
			dx, dy := (float64(px)+.5-w/2-x)/scale, (float64(py)+.5-h/2-y)/scale
			u, v := cos*dx-sin*dy+w/2-.5, sin*dx+cos*dy+h/2-.5
			x0, y0 := int(math.Floor(u)), int(math.Floor(v))
			fx, fy := u-math.Floor(u), v-math.Floor(v)
			at := func(x, y int) float64 { return float64(m.AlphaAt(x, y).A) }
			out.Pix[py*out.Stride+px] = uint8((at(x0, y0)*(1-fx)+at(x0+1, y0)*fx)*(1-fy) + (at(x0, y0+1)*(1-fx)+at(x0+1, y0+1)*fx)*fy + .5)
		}
	}
	return out
}

func mask(t *testing.T, d fixtures.SealDesign) *image.Alpha {
	t.Helper()
	needsFont(t)
	m, err := fixtures.DrawSeal(d, 600)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAKnownTurnIsMeasured(t *testing.T) {
	for _, d := range []fixtures.SealDesign{fixtures.OfficialSeal("临江省云山市档案馆"), fixtures.NameSeal("王小明印", 22), fixtures.InvoiceSeal("临江省云山市档案馆", "29010200MA12345678")} {
		truth := mask(t, d)
		for _, c := range []struct{ degrees, scale, x, y float64 }{{0, 1, 0, 0}, {.3, 1, 0, 0}, {-.12, 1, 2.4, -1.2}, {.2, 1.006, 0, 0}, {1.7, .995, -1, 3}, {72, 1, 0, 0}, {180.2, 1, 1, 0}} {
			if d.Shape == fixtures.OvalSeal && c.degrees == 72 {
				continue // it leaves the canvas
			}
			got := turn(turned(truth, c.degrees, c.scale, c.x, c.y), truth)
			if off := math.Abs(math.Remainder(got-c.degrees, 360)); off > .02 { // turned frames are cut by the canvas
				t.Errorf("%s, %+v: %.3f°", d.Text, c, got)
			}
		}
	}
}

func TestEdgesWithinATenthOfAMillimetre(t *testing.T) {
	truth := mask(t, fixtures.OfficialSeal("临江省云山市档案馆"))
	const reach = 0.1 * 600 / 25.4
	if v := edges(truth, truth, reach); v != 1 {
		t.Errorf("with itself %.4f", v)
	}
	if v := edges(turned(truth, 0, 1, 2, 0), truth, reach); v < .999 {
		t.Errorf("moved by .085 mm: %.4f", v)
	}
	far := edges(turned(truth, 0, 1, 5, 0), truth, reach)
	if far > .8 || far < .2 {
		t.Errorf("moved by .21 mm: %.4f", far)
	}
	if v := edges(image.NewAlpha(truth.Rect), truth, reach); v != 0 {
		t.Errorf("with nothing %.4f", v)
	}
}

func TestTheRangesOfSeedsShareNothingAndTheWholeRunIsLargeEnough(t *testing.T) {
	seen := map[uint64]Seeds{}
	for _, seeds := range []Seeds{Tuning, HeldOut} {
		number, kinds, texts := map[Group]int{}, map[Group]map[string]bool{}, map[Group]int{}
		for _, c := range Cases(seeds, 1) {
			if was, ok := seen[c.Form.Seed]; ok {
				t.Fatalf("seed %d of %s is also of %s", c.Form.Seed, seeds, was)
			}
			seen[c.Form.Seed] = seeds
			number[c.Group]++
			if kinds[c.Group] == nil {
				kinds[c.Group] = map[string]bool{}
			}
			kinds[c.Group][c.Kind] = true
			if c.Form.Second != nil && c.Form.Second.Text != c.Form.Seal.Text {
				texts[c.Group]++
			}
		}
		if number[Good]+number[Damaged] < 300 || number[Different] < 200 || texts[Different] != number[Different] || number[WrongSize] < 50 || number[Copied] < 50 {
			t.Errorf("%s: %v, %d pairs differ", seeds, number, texts[Different])
		}
		for _, g := range []Group{Good, Damaged, Different, WrongSize, Copied} {
			if len(kinds[g]) != len(kindsOfSeals) {
				t.Errorf("%s, %s: %d kinds of %d", seeds, g, len(kinds[g]), len(kindsOfSeals))
			}
		}
	}
	if !reflect.DeepEqual(Cases(Tuning, .1), Cases(Tuning, .1)) {
		t.Error("the cases differ from time to time")
	}
}

func TestTheTableCountsWhatPassesAndWhatDoesNot(t *testing.T) {
	scores := []Score{
		{Group: Good, DPI: 300, Verdict: imprint.Usable, Acceptable: true, Scored: true, Overlap: .96, Edges: 1, Angle: -.2, Size: .01},
		{Group: Good, DPI: 300, Verdict: imprint.Warn, Acceptable: true, Scored: true, Overlap: .92, Edges: .98, Angle: .1, Size: -.03},
		{Group: Good, DPI: 300, Code: "imprint.incomplete"},
		{Group: Good, DPI: 600, Verdict: imprint.StampAgain},
		{Group: Different, DPI: 300, Verdict: imprint.Warn},
	}
	all := Summary(scores)
	if len(all) != 3 {
		t.Fatalf("%+v", all)
	}
	f := all[0]
	if f.Forms != 3 || f.Scored != 2 || f.Usable != 1 || f.Warned != 1 || f.Refused != 1 || math.Abs(f.Overlap-.94) > 1e-9 || f.Least != .92 || f.AngleMax != .2 || f.SizeMax != .03 {
		t.Errorf("%+v", f)
	}
	if all[1].Group != Different || all[1].Refused != 1 {
		t.Errorf("a warning that no reason makes good does not count as refused: %+v", all[1])
	}
	if lines := Worst(scores, Good, 10); len(lines) != 2 {
		t.Errorf("%q", lines)
	}
}
