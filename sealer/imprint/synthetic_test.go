package imprint

import (
	"context"
	"image"
	"image/color"
	"math"
	"testing"
)

// ringAndStar draws a ring of 42 mm, a star and six bars for an arc text, turned clockwise, without any font.
func ringAndStar(dpi, angle float64) *image.RGBA {
	perMM := dpi / millimetresPerInch
	side := int(50 * perMM)
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	shape := star{outer: 7, inner: 7 * math.Sin(18*degree) / math.Sin(54*degree), angle: angle}
	inked := func(x, y float64) bool {
		r := math.Hypot(x, y)
		if r < 21 && r > 19.9 {
			return true
		}
		if r > 14 && r < 18.5 {
			around := wrapped(math.Atan2(x, -y)/degree - angle)
			return math.Abs(around) < 125 && math.Abs(math.Remainder(around, 50)) < 12
		}
		return r < 7 && shape.holds(x, y, 0)
	}
	fine := max(1, int(1200/dpi))
	for py := range side {
		for px := range side {
			hits := 0
			for i := range fine * fine {
				x := (float64(px)+(float64(i%fine)+.5)/float64(fine))/perMM - 25
				y := (float64(py)+(float64(i/fine)+.5)/float64(fine))/perMM - 25
				if inked(x, y) {
					hits++
				}
			}
			a := float64(hits) / float64(fine*fine)
			level := func(u float64) uint8 { return uint8(255*encodedSRGB(.9*(1-a*u)) + .5) }
			img.SetRGBA(px, py, color.RGBA{level(.25), level(.92), level(.9), 255})
		}
	}
	return img
}

func TestADrawnSealIsMeasuredAtAnyAngleAndResolution(t *testing.T) {
	for _, dpi := range []float64{200, 300, 600, 1200} {
		for _, angle := range []float64{-100, -7.5, 0, 33, 180} {
			if dpi != 300 && angle != 33 {
				continue // drawing is slow
			}
			r := process(t, asPNG(t, ringAndStar(dpi, angle), dpi), Options{Width: 42})
			f := r.Imprints[0]
			if d := math.Abs(f.Diameter - 42); d > .02 {
				t.Errorf("%g dpi, %g°: diameter %.3f mm", dpi, angle, f.Diameter)
			}
			if d := math.Abs(math.Remainder(f.Angle-angle, 360)); d > .03 || f.AngleFrom != "star" {
				t.Errorf("%g dpi, %g°: angle %.3f° from %s", dpi, angle, f.Angle, f.AngleFrom)
			}
			if d := math.Hypot(f.X-25, f.Y-25); d > .02 {
				t.Errorf("%g dpi, %g°: centre off by %.3f mm", dpi, angle, d)
			}
			if math.Abs(f.Border-1.1) > .06 {
				t.Errorf("%g dpi, %g°: border %.3f mm", dpi, angle, f.Border)
			}
		}
	}
}

func TestRegistrationFindsAKnownTurn(t *testing.T) {
	img := ringAndStar(300, 0)
	s := &session{img: img, scale: Scale{X: 300, Y: 300, Width: img.Rect.Dx(), Height: img.Rect.Dy()}, declared: size{42, 42}, options: Options{Width: 42}}
	m := &mark{stored: locate(img, s.scale, hues[Red], s.declared, false)[0]}
	m.excerpt, m.shown = excerptOf(img, m.stored, s.scale), m.stored
	s.analyse([]*mark{m})
	for _, known := range []float64{0, .4, -1.3, 71, 144} {
		a, b := newView(m.layer, m.pose, s.declared), newView(m.layer, m.pose, s.declared)
		b.pose.angle, b.pose.unsure = wrapped(b.pose.angle+known), 1000
		b.pose.x += .05
		register(a, b, s.declared)
		if d := math.Abs(wrapped(a.pose.angle - b.pose.angle)); d > .01 {
			t.Errorf("turned by %g°: %.4f° left", known, d)
		}
		if d := math.Abs(a.pose.x - b.pose.x); d > .005 {
			t.Errorf("turned by %g°: %.4f mm left", known, d)
		}
	}
}

func TestErosionTakesTheRimOff(t *testing.T) {
	p := newPlane(60, 60)
	for y := range 60 {
		for x := range 60 {
			p.v[y*60+x] = float32(clamp(20.3-math.Hypot(float64(x)-30, float64(y)-30)+.5, 0, 1))
		}
	}
	area := sum(p.eroded(2.5))
	if want := math.Pi * square(17.8); math.Abs(area/want-1) > .02 {
		t.Errorf("area %.1f, want %.1f", area, want)
	}
}

func TestAHostileSceneOfManyRedMarksEndsSoon(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 2400, 2400))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for y := range 2400 {
		for x := range 2400 {
			if (x/7+y/5)%3 == 0 {
				img.SetRGBA(x, y, color.RGBA{220, 20, 30, 255})
			}
		}
	}
	if _, err := Process(context.Background(), asPNG(t, img, 300), Options{Width: 42}); err == nil {
		t.Error("a chequered sheet was taken for a seal")
	}
}
