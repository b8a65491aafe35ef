package scan

import (
	"image"
	"testing"
)

// FuzzOpen opens anything and decodes what is let in: no panic, no picture over the limits.
func FuzzOpen(f *testing.F) {
	img := pattern(24, 16)
	pdf := simplePDF(f, img)
	spaces := deflated(f, " ", 1)
	for _, data := range [][]byte{scannedPDF("/Fl/AHx", 16, 16, spaces), scannedPDF("/Fl/RL/A85", 16, 16, spaces), scannedPDF("/Fl/DCT", 16, 16, deflated(f, "\xff\xd8\xff", 1)), jpegOf(f, img), pngOf(f, img), tiffOf(f, img, nil), pdf, oneBitTIFF(f, bilevel(24, 16)), ring(f), manyScans(f),
		bombPNG(f), scannedPDF("/FlateDecode", 16, 16, bomb(f)[:200]), scannedPDF("/LZWDecode/RunLengthDecode", 16, 16, []byte{0x80, 0x0b, 0x60, 0x50}),
		[]byte("%PDF-1.5\n1 0 obj <</Type/ObjStm/N 2/First 8/Length 40>> stream\n2 0 3 9 <</Kids 1>> [1 2 R]\nendstream endobj"),
		[]byte("%PDF-1.4 1 0 obj <</Type/Catalog/Pages 2 0 R>> 2 0 obj <</Kids[3 0 R]>> 3 0 obj <</Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>> 4 0 obj <<>> stream\n600 0 0 900 0 0 cm /I Do\nendstream " +
			"5 0 obj <</Subtype/Image/Width 8/Height 8/ColorSpace[/Indexed/DeviceRGB 1 <000000ffffff>]/BitsPerComponent 1/Filter[/AHx/CCF]/DecodeParms[null<</K -1/Columns 8>>]>> stream\n26a0>\nendstream trailer <</Root 1 0 R>>")} {
		f.Add(data)
	}
	limits := Limits{Bytes: 1 << 20, Pages: 5, Pixels: 200_000}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Open("", data, limits)
		if err != nil {
			return
		}
		if len(file.Pages) == 0 || len(file.Pages) > limits.Pages {
			t.Fatalf("%d pages", len(file.Pages))
		}
		for i, page := range file.Pages {
			var img image.Image
			if img, err = file.Picture(i); err != nil {
				continue
			}
			if b := img.Bounds(); b.Dx() != page.Width || b.Dy() != page.Height || int64(b.Dx())*int64(b.Dy()) > limits.Pixels {
				t.Fatalf("page %d is %v, not %+v", i, b, page)
			}
		}
	})
}
