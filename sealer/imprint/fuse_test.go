package imprint

import (
	"math"
	"testing"
)

// TestTheSealFillsItsCanvas: 20 mm are 472.44 pixels. The canvas has 472, and the whole seal is on them, for it is laid on paper 20 mm wide.
func TestTheSealFillsItsCanvas(t *testing.T) {
	const perMM, side, border = 40, 1000, 1.0
	declared := size{20, 20}
	frame := rim{shape: Rectangle, x: 12.5, y: 12.5, halfW: 10, halfH: 10}
	l := &layer{crop: &crop{perMMX: perMM, perMMY: perMM}, alpha: newPlane(side, side), trust: newPlane(side, side), ink: 1}
	for i := range l.alpha.v {
		depth := -frame.outside(frame.own((float64(i%side)+.5)/perMM, (float64(i/side)+.5)/perMM))
		l.trust.v[i] = 1
		l.alpha.v[i] = float32(clamp((border-depth)*10+.5, 0, 1)) // what is outside does not fit on the canvas
	}
	v := newView(l, pose{x: 12.5, y: 12.5, halfW: 10, halfH: 10}, declared)
	f := fuse([]*view{v}, comparison{}, finish{declared: declared, rim: frame.scaled(declared), gain: 4})
	if f.coverage.w != 472 || f.coverage.h != 472 {
		t.Fatalf("%d × %d", f.coverage.w, f.coverage.h)
	}
	for _, way := range []string{"across", "down"} {
		wide := 0.0
		for i := range 100 {
			if way == "across" {
				wide += float64(f.coverage.row(236)[i])
			} else {
				wide += float64(f.coverage.row(i)[236])
			}
		}
		if want := border / 20 * 472; math.Abs(wide-want) > .12 {
			t.Errorf("%s, the frame is %.2f pixels wide, not %.2f", way, wide, want)
		}
	}
}
