package registration

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"yinxin/ca/enroll"
	"yinxin/internal/scan"
)

// TestAPageOfItsOwnKeepsItsResolution reads back what is cut out, noise that PNG cannot make small included.
func TestAPageOfItsOwnKeepsItsResolution(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, c := range map[string]struct {
		size   int
		noise  bool
		format scan.Format
	}{"plain": {800, false, scan.PNG}, "noise": {2200, true, scan.JPEG}} {
		img := image.NewRGBA(image.Rect(0, 0, c.size, c.size))
		for y := range c.size {
			for x := range c.size {
				v := uint32(0xfafafa)
				if c.noise {
					v = random.Uint32()
				}
				img.SetRGBA(x, y, color.RGBA{uint8(v), uint8(v >> 8), uint8(v >> 16), 255})
			}
		}
		content, err := encoded(img, 300, 300)
		if err != nil {
			t.Fatal(err)
		}
		if len(content) > enroll.MaxAttachment {
			t.Errorf("%s: %d bytes cannot be kept", name, len(content))
		}
		f, err := scan.Open("", content, scan.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if p := f.Pages[0]; f.Format != c.format || p.Width != c.size || math.Abs(p.DPIX-300) > 0.1 || math.Abs(p.DPIY-300) > 0.1 {
			t.Errorf("%s: %s %+v", name, f.Format, p)
		}
	}
}

func TestAResolutionThatCannotBeIsNotPassedOn(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 10, 10))
	for _, dpi := range []float64{0, -1, math.NaN(), 1e9} {
		for name, write := range map[string]func(image.Image, float64, float64) ([]byte, error){"png": pngOf, "jpeg": jpegOf} {
			content, err := write(img, dpi, 300)
			if err != nil {
				t.Fatal(err)
			}
			f, err := scan.Open("", content, scan.DefaultLimits)
			if err != nil || f.Pages[0].DPIX != 0 || f.Pages[0].DPIY != 0 {
				t.Errorf("%s of %v dpi: %v %+v", name, dpi, err, f)
			}
		}
	}
}
