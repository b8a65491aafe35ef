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
