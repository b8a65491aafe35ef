package form

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"rsc.io/qr"
)

// codePlane draws the code of a number with so many pixels for each module, softly.
func codePlane(t testing.TB, number string, module int) plane {
	t.Helper()
	code, err := qr.Encode(codeText(number), qr.Q)
	if err != nil {
		t.Fatal(err)
	}
	side := (code.Size + 8) * module
	p := plane{side, side, make([]uint8, side*side)}
	for y := range side {
		for x := range side {
			sum := 0
			for _, d := range [5][2]int{{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
				if !code.Black((x+d[0])/module-4, (y+d[1])/module-4) || x+d[0] < 4*module || y+d[1] < 4*module {
					sum += 240
				}
			}
			p.pix[y*side+x] = uint8(sum/5 + 10)
		}
	}
	return p
}

// TestEveryNumberCanBeRead: the pattern of a code depends on its number, and some patterns are harder than others.
func TestEveryNumberCanBeRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		number := fmt.Sprintf("YX2026%04d-%05d", rng.IntN(10000), rng.IntN(100000))
		if i%3 == 1 {
			number = fmt.Sprintf("A-%d", 10+rng.IntN(1000))
		} else if i%3 == 2 {
			number = fmt.Sprintf("%016X-%015X", rng.Uint64(), rng.Uint64()>>4)
		}
		if got, ok := findCode(codePlane(t, number, 5)); !ok || got.number != number {
			t.Errorf("%s: %q %v", number, got.number, ok)
		}
	}
}

// TestAPageFullOfPatternsEndsSoon: the library compares every three of them.
func TestAPageFullOfPatternsEndsSoon(t *testing.T) {
	const unit, width, height = 2, 1650, 2300
	p := plane{width, height, bytes.Repeat([]byte{255}, width*height)}
	for y := range height {
		for x := range width {
			// A finder pattern of 7 × 7 modules, two apart: rings of 7, 5 and 3.
			i, j := x/unit%9, y/unit%9
			ring := min(i, j, 6-i, 6-j)
			if i < 7 && j < 7 && ring != 1 {
				p.pix[y*width+x] = 0
			}
		}
	}
	started := time.Now()
	if c, ok := findCode(p); ok {
		t.Errorf("found %q", c.number)
	}
	if took := time.Since(started); took > 60*time.Second {
		t.Errorf("took %v", took)
	} else {
		t.Log(took)
	}
}

func TestMapsGoThroughTheirPairs(t *testing.T) {
	want := transform{7.8, 0.3, 120, -0.2, 7.9, 80, 1e-5, -2e-5, 1}
	var pairs []pair
	for _, m := range marks {
		pairs = append(pairs, pair{m, want.apply(m)})
	}
	got, ok := through(pairs)
	for _, p := range []Point{{0, 0}, {105, 148}, {200, 10}} {
		if d := sub(got.apply(p), want.apply(p)); !ok || math.Hypot(d.X, d.Y) > 1e-6 {
			t.Errorf("four pairs: %v off at %v", d, p)
		}
	}
	want[6], want[7] = 0, 0
	for i := range pairs {
		pairs[i].scan = want.apply(pairs[i].sheet)
	}
	got, ok = through(pairs[:3])
	if d := sub(got.apply(Point{50, 250}), want.apply(Point{50, 250})); !ok || math.Hypot(d.X, d.Y) > 1e-6 {
		t.Errorf("three pairs: %v", d)
	}
	turned := transform{3, -1, 40, 1, 3, 70, 0, 0, 1}
	for i := range pairs {
		pairs[i].scan = turned.apply(pairs[i].sheet)
	}
	got, ok = similar(pairs[:2])
	if d := sub(got.apply(Point{50, 250}), turned.apply(Point{50, 250})); !ok || math.Hypot(d.X, d.Y) > 1e-6 {
		t.Errorf("two pairs: %v", d)
	}
	if across, down := turned.scale(); math.Abs(across-math.Sqrt(10)) > 1e-9 || math.Abs(down-across) > 1e-9 || math.Abs(turned.angle()-math.Atan2(1, 3)*180/math.Pi) > 1e-9 {
		t.Errorf("scale %g × %g, angle %g", across, down, turned.angle())
	}
	if _, ok := through([]pair{{}, {}, {}}); ok {
		t.Error("three pairs in one place make a map")
	}
	if _, ok := similar([]pair{{}, {}}); ok {
		t.Error("two pairs in one place make a map")
	}
}

// FuzzFindCode takes any pixels: no panic, no number that was not there.
func FuzzFindCode(f *testing.F) {
	p := codePlane(f, "YX-1", 3)
	f.Add(p.pix, p.width)
	f.Add([]byte{1, 2, 3}, 1)
	f.Fuzz(func(t *testing.T, pix []byte, width int) {
		if width <= 0 || len(pix) < width || len(pix) > 1<<16 {
			return
		}
		p := plane{width, len(pix) / width, pix[:len(pix)/width*width]}
		if c, ok := findCode(p); ok {
			straighten(p, c)
		}
		// Squares are looked for wherever a code says that they are.
		straighten(p, foundCode{"YX-1", [3]Point{{1, 1}, {float64(width) / 2, 2}, {2, float64(p.height) / 2}}})
	})
}
