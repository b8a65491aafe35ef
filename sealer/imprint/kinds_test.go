package imprint

import (
	"math"
	"math/rand/v2"
	"testing"
)

// kinds are seals of every kind that the package handles.
func kinds() map[string]*drawn {
	lot := rand.New(rand.NewPCG(3, 5))
	all := map[string]*drawn{}
	kind := func(name string, d drawn) *drawn {
		all[name] = &d
		return &d
	}
	d := kind("round with a star", drawn{size: size{42, 42}, shape: Round, border: 1.1})
	d.arc(lot, 9, 250, 6, 5.2)
	d.star(7)
	d = kind("round with a star and a line", drawn{size: size{40, 40}, shape: Round, border: 1.1})
	d.arc(lot, 9, 230, 6, 5.2)
	d.star(6.6)
	d.grid(lot, 5, 1, -10, 8.5, 4, 4.4, .9)
	d = kind("round without a star", drawn{size: size{38, 38}, shape: Round, border: 1})
	d.arc(lot, 9, 240, 5.6, 5)
	d.grid(lot, 5, 1, -9.5, -2, 3.8, 5, .9)
	d = kind("round with an emblem", drawn{size: size{45, 45}, shape: Round, border: 1.2})
	d.arc(lot, 11, 260, 6, 5.4)
	d.emblem(9)
	d = kind("round with an inner ring and a number", drawn{size: size{42, 42}, shape: Round, border: 1.1})
	d.arc(lot, 9, 230, 4.6, 5.2)
	d.star(6)
	d.figures = append(d.figures, func(x, y float64) bool { r := math.Hypot(x, y); return r > 12.6 && r < 12.9 })
	for i := range 13 {
		a := (180 + float64(i-6)*6.5) * degree
		d.glyphs = append(d.glyphs, drawnGlyph{18.6 * math.Sin(a), -18.6 * math.Cos(a), 1, 1.5, a/degree + 180, strokesOf(lot)})
	}
	d = kind("oval", drawn{size: size{45, 30}, shape: Ellipse, border: 1})
	d.arc(lot, 9, 220, 4.6, 4.4)
	d.grid(lot, 6, 1, -10.5, -.5, 3.5, 4, .9)
	d = kind("square name seal", drawn{size: size{18, 18}, shape: Rectangle, border: .8, corner: .6})
	d.grid(lot, 2, 2, -7.6, -7.6, 7.6, 7.6, .92)
	d = kind("rectangle of one row", drawn{size: size{40, 14}, shape: Rectangle, border: .9, corner: .2})
	d.grid(lot, 5, 1, -18, -5, 7.2, 10, .86)
	d = kind("rectangle of two rows with round corners", drawn{size: size{50, 24}, shape: Rectangle, border: 1, corner: 3})
	d.grid(lot, 6, 2, -21, -9.5, 7, 9.5, .84)
	d = kind("tall rectangle", drawn{size: size{12, 30}, shape: Rectangle, border: .8, corner: .3})
	d.grid(lot, 1, 3, -4.5, -13.5, 9, 9, .9)
	d = kind("square with a red ground", drawn{size: size{20, 20}, shape: Rectangle, border: 1.2, corner: .8, negative: true})
	d.grid(lot, 2, 2, -8.4, -8.4, 8.4, 8.4, .92)
	d = kind("round with a red ground", drawn{size: size{30, 30}, shape: Round, border: 1.5, negative: true})
	d.grid(lot, 2, 2, -9, -9, 9, 9, .92)
	d = kind("no frame", drawn{size: size{17, 17}, shape: Frameless})
	d.grid(lot, 2, 2, -8.5, -8.5, 8.5, 8.5, 1.02)
	return all
}

func TestEveryKindOfSealIsMeasuredAndCutOut(t *testing.T) {
	const dpi = 300
	for name, d := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			truth := d.mask()
			margin := size{d.w + 26, d.h + 26}
			for _, turn := range []float64{-1.7, 11} {
				img := sheetOf(d, dpi, size{2*margin.w + 10, margin.h}, []stamping{{margin.w / 2, margin.h / 2, turn}, {margin.w * 1.5, margin.h / 2, -.4 * turn}}, nil)
				o := Options{Width: d.w, Height: d.h}
				if d.shape == Round {
					o.Height = 0
				}
				r, err := Process(t.Context(), asJPEG(t, img, dpi, 88), o)
				if err != nil {
					t.Fatalf("%g°: %v", turn, err)
				}
				m := r.Measures
				iou := overlap(alphaOf(t, r.Template), truth)
				t.Logf("%g°: %s %s %.3f × %.3f, IoU %.4f, mean error %.4f, border %.2f, verdict %s", turn, m.Shape, m.Polarity, m.Width, m.Height, iou, meanError(alphaOf(t, r.Template), truth), r.Imprints[0].Border, r.Verdict)
				if m.Shape != d.shape || (m.Polarity == Negative) != d.negative {
					t.Errorf("%g°: taken for %s, %s", turn, m.Shape, m.Polarity)
				}
				if m.Fused != 2 {
					t.Errorf("%g°: %d imprints: %+v", turn, m.Fused, r.Gates)
				}
				most := .05
				if d.shape == Frameless {
					most = .3
				}
				for _, f := range r.Imprints {
					want := turn
					if f.X > margin.w {
						want *= -.4
					}
					t.Logf("   angle %.3f° off by %.3f (±%.3f, %s, doubted %t), residual %.3f, missing %.3f, size %.3f %.3f", f.Angle, wrapped(f.Angle-want), f.AngleError, f.AngleFrom, f.AngleDoubted, f.Residual, f.EdgeMissing, f.Width-d.w, f.Height-d.h)
					if math.Abs(f.Width-d.w) > most || math.Abs(f.Height-d.h) > most {
						t.Errorf("%g°: %.3f × %.3f mm, not %g × %g", turn, f.Width, f.Height, d.w, d.h)
					}
				}
				if iou < .93 {
					t.Errorf("%g°: IoU %.4f", turn, iou)
				}
				if a := turnOf(alphaOf(t, r.Template), truth); math.Abs(a) > .25 {
					t.Errorf("%g°: the template stands %.3f° from upright", turn, a)
				}
			}
		})
	}
}
