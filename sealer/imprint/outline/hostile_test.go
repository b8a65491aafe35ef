package outline

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"yinxin/internal/fault"
)

// vast is a picture that says it is large and holds no pixels.
type vast struct{ side int }

func (vast) ColorModel() color.Model   { return color.NRGBAModel }
func (v vast) Bounds() image.Rectangle { return image.Rect(0, 0, v.side, v.side) }
func (vast) At(int, int) color.Color   { return color.NRGBA{} }

// noise is a picture of random pixels.
func noise(side int, levels int) *image.Paletted {
	mask := image.NewAlpha(image.Rect(0, 0, side, side))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range mask.Pix {
		mask.Pix[i] = byte(random.IntN(256))
	}
	return inked(mask, levels)
}

func TestHostilePicturesAreRefusedSoon(t *testing.T) {
	shades := image.NewNRGBA(image.Rect(0, 0, 300, 300))
	for i := range shades.Pix {
		shades.Pix[i] = byte(i*i>>4) | byte(i%4/3*255)
	}
	stripes := image.NewNRGBA(image.Rect(0, 0, 50, 10))
	for x := range 50 {
		for y := range 10 {
			stripes.SetNRGBA(x, y, color.NRGBA{R: byte(x / 10 * 60), A: 255})
		}
	}
	for _, c := range []struct {
		name, code string
		picture    image.Image
	}{
		{"no pixels", "outline.empty", image.NewNRGBA(image.Rectangle{})},
		{"nothing to see", "outline.empty", image.NewNRGBA(image.Rect(0, 0, 20, 20))},
		{"nothing half opaque", "outline.empty", inked(&image.Alpha{Pix: []byte{100, 120, 90, 3}, Stride: 2, Rect: image.Rect(0, 0, 2, 2)}, 256)},
		{"too large", "outline.too-large", vast{5000}},
		{"larger than an integer", "outline.too-large", vast{1 << 31}},
		{"noise", "outline.too-complex", noise(2000, 2)},
		{"a photograph", "outline.too-many-colours", shades},
		{"five colours", "outline.too-many-colours", stripes},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			_, err := Trace(c.picture)
			if fault.CodeOf(err) != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestTheWorstThatIsTracedTakesSeconds: long contours without end, just below the limit.
func TestTheWorstThatIsTracedTakesSeconds(t *testing.T) {
	wave := image.NewAlpha(image.Rect(0, 0, 4000, 4000))
	for y := range 4000 {
		for x := range 4000 {
			v := 128 + 120*math.Sin(float64(x)/9+6*math.Sin(float64(y)/70))
			wave.Pix[y*4000+x] = byte(v)
		}
	}
	start := time.Now()
	o, err := Trace(inked(wave, 256))
	if err != nil && fault.CodeOf(err) != "outline.too-complex" {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
	if err == nil {
		t.Logf("%d segments in %v", o.Segments(), time.Since(start))
	} else {
		t.Logf("%v in %v", err, time.Since(start))
	}
}

// sound checks what holds for any outline.
func sound(t *testing.T, o *Outline) {
	t.Helper()
	inside := func(p Point) bool {
		// A handle is no longer than its curve, so it may reach out of the picture, but not far.
		return p.X > -longest && p.Y > -longest && p.X < float64(o.Width+longest) && p.Y < float64(o.Height+longest)
	}
	for _, l := range o.Layers {
		if len(l.Paths) == 0 {
			t.Error("a layer without paths")
		}
		for _, p := range l.Paths {
			n := len(p.Segments)
			if n == 0 || n == 1 && p.Segments[0].Line || p.Segments[n-1].End != p.Start {
				t.Errorf("a path of %d segments does not end where it began", n)
			}
			for _, s := range p.Segments {
				if !inside(s.End) || !s.Line && (!inside(s.C1) || !inside(s.C2)) {
					t.Errorf("a segment leads out of the picture: %+v", s)
				}
			}
		}
	}
}

func TestCheckedPixelsAreSound(t *testing.T) {
	for _, side := range []int{1, 2, 3, 10, 100} {
		for _, levels := range []int{2, 4, 256} {
			if o, err := Trace(noise(side, levels)); err == nil {
				sound(t, o)
			} else if fault.CodeOf(err) != "outline.empty" {
				t.Errorf("%d pixels, %d levels: %v", side, levels, err)
			}
		}
	}
	m := image.NewPaletted(image.Rect(0, 0, 64, 64), color.Palette{color.NRGBA{}, red})
	for i := range m.Pix {
		m.Pix[i] = uint8((i + i/64) % 2)
	}
	sound(t, traced(t, m))
}

// FuzzTrace traces small pictures: the first byte is the width, each further one a pixel.
func FuzzTrace(f *testing.F) {
	f.Add([]byte{4, 0, 255, 255, 0, 0, 255, 255, 0})
	f.Add([]byte{3, 128, 127, 200, 0, 255, 0, 129, 1, 90})
	small := disc(40, 18, 9)
	f.Add(append([]byte{40}, small.Pix...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 || data[0] == 0 || len(data) > 1<<14 {
			return
		}
		width := int(data[0])
		height := (len(data) - 1) / width
		m := image.NewNRGBA(image.Rect(0, 0, width, height))
		for i := range width * height {
			v := data[i+1]
			m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+3] = v&1*200, v&2*60, v
		}
		o, err := Trace(m)
		if err != nil {
			if _, known := fault.Of(err); !known {
				t.Fatalf("not one of our errors: %v", err)
			}
			return
		}
		sound(t, o)
		if _, err := o.Deviation(m); err != nil {
			t.Fatal(err)
		}
	})
}
