package imprint

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
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
	const dpi, turn, other = 300, 11, -4.4
	for name, d := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			truth := d.mask()
			field := size{d.w + 14, d.h + 14}
			img := sheetOf(d, dpi, size{2 * field.w, field.h}, []stamping{{field.w / 2, field.h / 2, turn}, {field.w * 1.5, field.h / 2, other}}, nil)
			r := process(t, asJPEG(t, img, dpi, 88), optionsFor(d))
			m := r.Measures
			if m.Shape != d.shape || (m.Polarity == Negative) != d.negative || m.Fused != 2 {
				t.Errorf("taken for %d of %s, %s: %+v", m.Fused, m.Shape, m.Polarity, r.Gates)
			}
			// The characters here are random strokes: rows of them say the angle less well than those of a font, whose strokes fall to
			// the left and hardly to the right.
			sizeOff, angleOff, leastIoU := .05, .1, .95
			switch {
			case d.shape == Frameless:
				sizeOff, angleOff, leastIoU = .45, .7, .7
			case r.Imprints[0].AngleFrom == fromRows:
				angleOff, leastIoU = .9, .85
			}
			for _, f := range r.Imprints {
				want := float64(turn)
				if f.X > field.w {
					want = other
				}
				if math.Abs(f.Width-d.w) > sizeOff || math.Abs(f.Height-d.h) > sizeOff {
					t.Errorf("%.3f × %.3f mm, not %g × %g", f.Width, f.Height, d.w, d.h)
				}
				if off := wrapped(f.Angle - want); math.Abs(off) > angleOff {
					t.Errorf("angle off by %.3f° (±%.3f, %s)", off, f.AngleError, f.AngleFrom)
				}
			}
			if v := overlap(alphaOf(t, r.Template), truth); v < leastIoU {
				t.Errorf("IoU %.4f", v)
			}
			b := alphaOf(t, r.Template).Bounds()
			if w, h := d.pixels(templateDPI / millimetresPerInch); b.Dx() != w || b.Dy() != h {
				t.Errorf("the template is %v, not %d × %d", b, w, h)
			}
		})
	}
}

func TestInkOfEveryColourIsFoundByOption(t *testing.T) {
	d := *kinds()["square name seal"]
	truth := d.mask()
	for _, colour := range []Colour{Blue, Purple, Green} {
		d.colour = colour
		file := asJPEG(t, sheetOf(&d, 300, size{64, 32}, []stamping{{16, 16, 3}, {48, 16, -2}}, nil), 300, 88)
		r := process(t, file, optionsFor(&d))
		if v := overlap(alphaOf(t, r.Template), truth); v < .95 || r.Measures.Fused != 2 {
			t.Errorf("%s: IoU %.4f of %d imprints", colour, v, r.Measures.Fused)
		}
		if _, err := Process(t.Context(), file, Options{Width: 18, Height: 18}); colour != Purple && err == nil {
			t.Errorf("%s ink was taken for red", colour)
		}
	}
}

func TestBoxesSayWhichMarksAreMeant(t *testing.T) {
	d := kinds()["square name seal"]
	img := sheetOf(d, 300, size{108, 36}, []stamping{{18, 18, 0}, {54, 18, 2}, {90, 18, -3}}, nil)
	o := optionsFor(d)
	o.Boxes = []Box{{40, 4, 28, 28}, {76, 4, 28, 28}}
	r := process(t, asJPEG(t, img, 300, 90), o)
	if len(r.Imprints) != 3 {
		t.Fatalf("%d marks", len(r.Imprints))
	}
	for i, f := range r.Imprints {
		if f.Used != (i > 0) || f.Box != i {
			t.Errorf("mark %d: box %d, used %t", i, f.Box, f.Used)
		}
	}
}

// A red line of a letterhead runs through the seal, a thumb was pressed beside it, and black words run under it.
func TestOtherRedMarksDoNotMoveTheSeal(t *testing.T) {
	for _, name := range []string{"round with a star", "square name seal", "oval"} {
		d := kinds()[name]
		field := size{d.w + 40, d.h + 24}
		extra := func(x, y float64) (black, ink float64) {
			if math.Abs(y-field.h/2-.3*d.h-.02*x) < .3 {
				ink = .9
			}
			if u, v := (x-d.w-22)/7, (y-field.h/2)/9; u*u+v*v < 1 && math.Mod(math.Hypot(7*u+3, 9*v-2), .9) < .45 {
				ink = .8
			}
			if math.Abs(y-field.h/2+.1*d.h) < 1 && math.Mod(x, 2.2) < .6 {
				black = 1
			}
			return black, ink
		}
		img := sheetOf(d, 300, field, []stamping{{d.w/2 + 8, field.h / 2, 2}}, extra)
		r := process(t, asJPEG(t, img, 300, 90), optionsFor(d))
		m := r.Measures
		if m.Shape != d.shape || math.Abs(m.WidthDifference) > .06 || math.Abs(m.HeightDifference) > .06 || math.Abs(m.Angle-2) > .2 {
			t.Errorf("%s: %s, off by %.3f × %.3f mm, %.3f°", name, m.Shape, m.WidthDifference, m.HeightDifference, m.Angle-2)
		}
	}
}

func TestTheSameScanGivesTheSameBytesOnAnyNumberOfCores(t *testing.T) {
	d := kinds()["oval"]
	file := asJPEG(t, sheetOf(d, 300, size{120, 46}, []stamping{{30, 23, 3}, {90, 23, -2}}, nil), 300, 85)
	var first *Result
	for _, cores := range []int{1, 2, 3} {
		before := runtime.GOMAXPROCS(cores)
		r := process(t, file, optionsFor(d))
		runtime.GOMAXPROCS(before)
		if first == nil {
			first = r
		} else if !bytes.Equal(r.Template, first.Template) || !bytes.Equal(r.Picture, first.Picture) || !reflect.DeepEqual(r.Measures, first.Measures) || !reflect.DeepEqual(r.Gates, first.Gates) {
			t.Errorf("%d cores give another result", cores)
		}
	}
}

func optionsFor(d *drawn) Options {
	o := Options{Width: d.w, Height: d.h, Colour: d.colour}
	if d.shape == Round {
		o.Height = 0
	}
	return o
}
