package imprint

import (
	"image"
	"image/draw"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"yinxin/fixtures"
)

func TestPrintShowsTheWayUp(t *testing.T) {
	for _, o := range []fixtures.FormOptions{
		{Seed: 71, DPI: 300, Skew: -3.7},
		{Seed: 72, DPI: 200, Skew: 2},
		{Seed: 73, DPI: 150},
		{Seed: 74, DPI: 150, Layout: fixtures.BoxesBelow, Skew: 1},
		{Seed: 75, DPI: 200, Layout: fixtures.NoBoxes},
		{Seed: 76, DPI: 300, Crop: true},
	} {
		img, _, _ := formPicture(t, o)
		scale := Scale{X: float64(o.DPI), Y: float64(o.DPI)}
		for n := range 4 {
			g := glanceAt(quarters(img, n), scale, 1, hues[Red])
			if turn, ok := g.printTurn(o.Skew); !ok || turn != (360-90*n)%360 {
				odds, characters := g.level(o.Skew).printOdds()
				t.Errorf("%+v turned by %d°: %d %v, %.1f of %d", o, 90*n, turn, ok, odds, characters)
			}
		}
	}
}

// What is no Chinese says little by little; it must not say the wrong thing.
func TestLatinPrintIsNotMistaken(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 1654, 2339))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []float64{22, 31, 45} {
		face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72})
		if err != nil {
			t.Fatal(err)
		}
		d := font.Drawer{Dst: img, Src: image.Black, Face: face}
		for i := range 28 {
			d.Dot = fixed.P(160, 200+i*70)
			d.DrawString("Pack my box with five dozen liquor jugs, 1234567890 times; THEN STOP.")
		}
		for n := range 4 {
			g := glanceAt(quarters(img, n), Scale{X: 200, Y: 200}, 1, hues[Red])
			if turn, ok := g.printTurn(0); ok && turn != (360-90*n)%360 {
				odds, characters := g.level(0).printOdds()
				t.Errorf("%g pixels turned by %d°: %d, %.1f of %d", size, 90*n, turn, odds, characters)
			}
		}
		draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	}
}

// A name seal that was stamped on its side, on a form that stands upright, is not cut out without a warning.
func TestTheCharactersOfASealShowThatItLies(t *testing.T) {
	wide := fixtures.SealDesign{Text: "临江省档案馆合同专用章", Shape: fixtures.RectangularSeal, Width: 45, Height: 25, Lines: 2}
	ground := fixtures.NameSeal("张建国印", 18)
	ground.Negative = true
	for _, c := range []struct {
		design fixtures.SealDesign
		turns  []float64
	}{{fixtures.NameSeal("王小明印", 20), []float64{0, 90}}, {ground, []float64{0, 270}}, {wide, []float64{0, 180}}} {
		for _, turned := range c.turns {
			data, _ := stampedForm(t, fixtures.FormOptions{Seed: 5, Crop: true, Seal: c.design, Rotation: turned + 4})
			r := process(t, data, Options{Width: c.design.Width, Height: c.design.Height, Shape: Rectangle})
			if doubted := r.Imprints[0].AngleDoubted; doubted != (turned != 0) || doubted == (r.Verdict == Usable) {
				t.Errorf("%s turned by %g°: doubted: %v, %s", c.design.Text, turned, doubted, r.Verdict)
			}
		}
	}
}
