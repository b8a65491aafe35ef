package imprint

import (
	"math"
	"testing"
)

// TestAPlaneIsSampledUpToItsEdge asks for positions that single precision rounds on to the edge.
func TestAPlaneIsSampledUpToItsEdge(t *testing.T) {
	p := newPlane(992, 3)
	for i := range p.v {
		p.v[i] = float32(i % p.w)
	}
	right, bottom := float64(p.w-1), float64(p.h-1)
	for _, at := range [][2]float64{{math.Nextafter(right, 0), 0}, {right - 1e-6, bottom - 1e-9}, {0, math.Nextafter(bottom, 0)}, {right, bottom}, {-1, -1}, {right + 5, bottom + 5}} {
		v := p.sample(at[0], at[1])
		if want := min(max(at[0], 0), right); at[0] >= 0 && at[0] <= right && math.Abs(float64(v)-want) > .01 {
			t.Errorf("at %v: %v, not %v", at, v, want)
		}
	}
}

// A pinhole in the middle of ink is no edge; at an edge nothing is smoothed more widely than by the narrow kernel.
func TestGrainIsTakenOutAwayFromEdgesAndEdgesKeepTheirPlace(t *testing.T) {
	draw := func() *plane {
		p := newPlane(80, 80)
		for y := range 80 {
			for x := 40; x < 80; x++ {
				p.row(y)[x] = 1
			}
		}
		p.row(40)[60], p.row(40)[61], p.row(41)[60], p.row(41)[61] = 0, 0, 0, 0
		return p
	}
	narrow, got := draw(), draw().softened()
	narrow.soften()
	for x := 38; x < 43; x++ {
		if got.row(20)[x] != narrow.row(20)[x] {
			t.Errorf("beside the edge, at %d: %.2f instead of %.2f", x, got.row(20)[x], narrow.row(20)[x])
		}
	}
	if before, after := narrow.row(40)[60], got.row(40)[60]; before > .5 || after < .5 {
		t.Errorf("a pinhole of %.2f is one of %.2f", before, after)
	}
}
