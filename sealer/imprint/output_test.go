package imprint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"yinxin/fixtures"
)

func TestOutputIsDeterministicAndMeasuresItsMillimetres(t *testing.T) {
	data, _ := stampedForm(t, fixtures.FormOptions{Seed: 51})
	r, again := process(t, data, Options{Width: 42}), process(t, data, Options{Width: 42})
	if !bytes.Equal(r.Template, again.Template) || !bytes.Equal(r.Picture, again.Picture) {
		t.Error("the same scan gave different bytes")
	}
	first, _ := json.Marshal(r)
	second, _ := json.Marshal(again)
	if !bytes.Equal(first, second) {
		t.Error("the same scan gave different measures")
	}
	for _, c := range []struct {
		name             string
		file             []byte
		pixels           int
		perMetre         uint32
		leastKB, greatKB int
	}{
		{"template", r.Template, 992, 23622, 15, 60},
		{"picture", r.Picture, 496, 11811, 8, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			configuration, err := png.DecodeConfig(bytes.NewReader(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if configuration.Width != c.pixels || configuration.Height != c.pixels {
				t.Errorf("%d × %d pixels, not %d", configuration.Width, configuration.Height, c.pixels)
			}
			if depth, colourType := c.file[24], c.file[25]; depth != 4 || colourType != 3 {
				t.Errorf("%d bits of colour type %d, want 4 bits of a palette", depth, colourType)
			}
			at := bytes.Index(c.file, []byte("pHYs"))
			if at < 0 || at > bytes.Index(c.file, []byte("PLTE")) {
				t.Fatal("no pHYs chunk before the palette")
			}
			if x, y := binary.BigEndian.Uint32(c.file[at+4:]), binary.BigEndian.Uint32(c.file[at+8:]); x != c.perMetre || y != c.perMetre || c.file[at+12] != 1 {
				t.Errorf("pHYs %d × %d per unit %d", x, y, c.file[at+12])
			}
			if kB := len(c.file) / 1000; kB < c.leastKB || kB > c.greatKB {
				t.Errorf("%d kB", kB)
			}
			for i, entry := range configuration.ColorModel.(color.Palette) {
				if color.NRGBAModel.Convert(entry) != (color.NRGBA{0xE6, 0x00, 0x12, uint8(17 * i)}) && i > 0 {
					t.Errorf("palette entry %d is %v", i, entry)
				}
			}
			mask := alphaOf(t, c.file)
			middle := c.pixels / 2
			if mask.AlphaAt(middle, middle).A != 255 || mask.AlphaAt(0, 0).A != 0 || mask.AlphaAt(middle, middle*7/4).A != 0 {
				t.Error("star, corner and bottom are not ink, nothing, nothing")
			}
			// The ring touches the edge of the canvas: no margin.
			for _, p := range []image.Point{{middle, 1}, {middle, c.pixels - 2}, {1, middle}, {c.pixels - 2, middle}} {
				if mask.AlphaAt(p.X, p.Y).A < 200 {
					t.Errorf("no ring at %v", p)
				}
			}
		})
	}
}

// Print runs through the imprint of the box: what is left of it would be seen on a screen.
func TestNoShadeOfPrintIsLeftBetweenTheStrokes(t *testing.T) {
	for _, dpi := range []int{300, 600} {
		data, _ := stampedForm(t, fixtures.FormOptions{Seed: 2, DPI: dpi, Crossing: true})
		mask := alphaOf(t, process(t, data, Options{Width: 42}).Template)
		thin := 0
		for y := range mask.Rect.Dy() {
			for x := range mask.Rect.Dx() {
				if a := mask.AlphaAt(x, y).A; a == 0 || a > 127 {
					continue
				}
				edge := false
				for dy := -3; dy <= 3; dy++ {
					for dx := -3; dx <= 3; dx++ {
						edge = edge || mask.AlphaAt(x+dx, y+dy).A > 110
					}
				}
				if !edge {
					thin++
				}
			}
		}
		if thin > 0 {
			t.Errorf("%d dpi: %d pixels of a shade away from any stroke", dpi, thin)
		}
	}
}

func TestMeasuresNameTheirUnits(t *testing.T) {
	data, _ := stampedForm(t, fixtures.FormOptions{Seed: 52, Crossing: true})
	text, err := json.Marshal(process(t, data, Options{Width: 42}))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"diameterMM", "angleDegrees", "xDPI", "bridgedAreaMM2", "gates", "verdict", "leftPixels"} {
		if !strings.Contains(string(text), `"`+key+`":`) {
			t.Errorf("no %s in %s", key, text)
		}
	}
}
