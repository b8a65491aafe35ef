package imprint

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/internal/scan"
)

// pngHeader is a PNG of the given size with nothing in it.
func pngHeader(width, height uint32, depth, colourType byte) []byte {
	chunk := func(kind string, body []byte) []byte {
		c := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
		c = append(append(c, kind...), body...)
		return binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
	}
	header := binary.BigEndian.AppendUint32(nil, width)
	header = binary.BigEndian.AppendUint32(header, height)
	header = append(header, depth, colourType, 0, 0, 0)
	file := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", header)...)
	return append(append(file, chunk("IDAT", []byte{0x78, 0x9c, 1, 0, 0})...), chunk("IEND", nil)...)
}

// paper is a blank sheet with some noise and black bars for text.
func paper(width, height int) *image.RGBA {
	sheet := image.NewRGBA(image.Rect(0, 0, width, height))
	lot := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < len(sheet.Pix); i += 4 {
		v := uint8(238 + lot.IntN(8))
		sheet.Pix[i], sheet.Pix[i+1], sheet.Pix[i+2], sheet.Pix[i+3] = v, v, v-4, 255
	}
	for y := 100; y+40 < height; y += 60 {
		for x := 80; x+30 < width; x += 38 {
			for dy := range 24 {
				for dx := range 3 + (x+y)%20 {
					sheet.Set(x+dx, y+dy, color.RGBA{30, 30, 34, 255})
				}
			}
		}
	}
	return sheet
}

func encodedJPEG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return withSegments(out.Bytes(), jfif(1, 300, 300))
}

func TestBadInputIsRefusedWithACode(t *testing.T) {
	text := paper(900, 1200)
	good := encodedJPEG(t, text)
	goodPNG := asPNG(t, text, 300)
	manyScans := headerOnly(500, 500, jfif(1, 300, 300))
	for range 65 {
		manyScans = append(manyScans[:len(manyScans)-2], append(segment(0xDA, make([]byte, 10)), 0, 0, 0xFF, 0xD9)...)
	}
	manyScans = append(manyScans, 0xFF, 0xD9)
	grey := image.NewGray(image.Rect(0, 0, 600, 600))
	red := paper(900, 900)
	for y := range 500 { // a red square is no seal
		for x := range 500 {
			red.Set(200+x, 200+y, color.RGBA{210, 30, 40, 255})
		}
	}
	round := Options{Width: 42}
	for _, c := range []struct {
		name string
		data []byte
		o    Options
		code string
	}{
		{"nothing", nil, round, "imprint.not-an-image"},
		{"text", []byte("印章"), round, "imprint.not-an-image"},
		{"a PDF of nothing", []byte("%PDF-1.7\n"), round, "imprint.truncated"},
		{"the first bytes of a JPEG", good[:20], round, "imprint.truncated"},
		{"a TIFF whose directory is followed by itself", []byte("II*\x00\x08\x00\x00\x00\x02\x00\x00\x01\x03\x00\x01\x00\x00\x00\x10\x00\x00\x00\x01\x01\x03\x00\x01\x00\x00\x00\x10\x00\x00\x00\x08\x00\x00\x00"), round, "imprint.truncated"},
		{"a TIFF of 65,535 × 65,535", []byte("II*\x00\x08\x00\x00\x00\x02\x00\x00\x01\x03\x00\x01\x00\x00\x00\xff\xff\x00\x00\x01\x01\x03\x00\x01\x00\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00"), round, "imprint.too-large"},
		{"a page that is not there", good, Options{Width: 42, Page: 2}, "imprint.no-page"},
		{"half a JPEG", good[:len(good)/2], round, "imprint.truncated"},
		{"a JPEG without its last bytes", good[:len(good)-200], round, "imprint.truncated"},
		{"half a PNG", goodPNG[:len(goodPNG)/2], round, "imprint.truncated"},
		{"a PNG of 200,000 × 200,000", pngHeader(200_000, 200_000, 8, 2), Options{Width: 42, DPI: 600}, "imprint.too-large"},
		{"a PNG of 2³¹ × 2³¹", pngHeader(math.MaxInt32, math.MaxInt32, 8, 2), Options{Width: 42, DPI: 600}, "imprint.too-large"},
		{"a PNG of 14,000 × 14,000 in 16 bits", pngHeader(14_000, 14_000, 16, 6), Options{Width: 42, DPI: 600}, "imprint.too-large"},
		{"a tiny PNG that claims 190 megapixels", pngHeader(13_000, 14_000, 8, 2), Options{Width: 42, DPI: 600}, "imprint.truncated"},
		{"a tiny JPEG that claims 195 megapixels", headerOnly(15_000, 13_000), Options{Width: 42, DPI: 600}, "imprint.truncated"},
		{"a JPEG of 65,535 × 65,535", headerOnly(65_535, 65_535), Options{Width: 42, DPI: 600}, "imprint.too-large"},
		{"a JPEG of very many scans", manyScans, round, "imprint.too-large"},
		{"a grey scan", asPNG(t, grey, 300), round, "imprint.no-colour"},
		{"a page with black text only", good, round, "imprint.none-found"},
		{"a page with black text only, as PNG", goodPNG, round, "imprint.none-found"},
		{"a red square", encodedJPEG(t, red), round, "imprint.incomplete"},
		{"one pixel", asPNG(t, paper(1, 1), 300), round, "imprint.none-found"},
		{"no scale", asPNG(t, text, 0), round, "imprint.no-scale"},
		{"a declared size of nothing", good, Options{}, "imprint.bad-size"},
		{"a declared size of a metre", good, Options{Width: 1000}, "imprint.bad-size"},
		{"a declared size that is not a number", good, Options{Width: math.NaN()}, "imprint.bad-size"},
		{"a shape that no seal has", good, Options{Width: 40, Height: 30, Shape: "heart"}, "imprint.bad-option"},
		{"a colour that print has", good, Options{Width: 40, Colour: "black"}, "imprint.bad-option"},
		{"a round seal of two sizes", good, Options{Width: 40, Height: 30, Shape: Round}, "imprint.bad-size"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Process(context.Background(), c.data, c.o)
			runtime.ReadMemStats(&after)
			if fault.CodeOf(err) != c.code {
				t.Errorf("%v, want %s", err, c.code)
			}
			if taken := after.TotalAlloc - before.TotalAlloc; taken > 100<<20 {
				t.Errorf("took %d MiB", taken>>20)
			}
		})
	}
}

func TestAnEndedContextIsNoticed(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Process(ctx, encodedJPEG(t, paper(600, 600)), Options{Width: 42}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestOtherPixelFormatsGiveTheSameTemplate(t *testing.T) {
	data, truth := stampedForm(t, fixtures.FormOptions{Seed: 41, Format: "png"})
	crop := firstBox(t, data, truth)
	want := alphaOf(t, process(t, asPNG(t, crop, 300), Options{Width: 42}).Template)
	b := crop.Bounds()
	clear, deep := image.NewNRGBA(b), image.NewRGBA64(b)
	clear.Set(0, 0, color.NRGBA{0, 0, 0, 0}) // transparent: paper
	for y := range b.Dy() {
		for x := range b.Dx() {
			deep.Set(x, y, crop.At(x, y))
			if x+y > 0 {
				clear.Set(x, y, crop.At(x, y))
			}
		}
	}
	for name, img := range map[string]image.Image{"with alpha": clear, "16 bits": deep} {
		got := alphaOf(t, process(t, asPNG(t, img, 300), Options{Width: 42}).Template)
		if v := overlap(got, want); v < .999 {
			t.Errorf("%s: IoU %.4f", name, v)
		}
	}
}

func FuzzProcess(f *testing.F) {
	f.Add(headerOnly(64, 64, jfif(1, 300, 300)), 42.0)
	f.Add(pngHeader(64, 64, 8, 2), 20.0)
	var small bytes.Buffer
	if err := jpeg.Encode(&small, ringAndStar(75, 10), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(small.Bytes(), 42.0)
	for _, format := range []string{fixtures.JPEG, fixtures.PNG, fixtures.TIFFLZW, fixtures.TIFFJPEG, fixtures.PDFJPEG, fixtures.PDFDeflate} {
		data, truth, err := fixtures.StampedForm(fixtures.FormOptions{Seed: 9, DPI: 100, Crop: true, Format: format})
		if err != nil {
			break // no font
		}
		f.Add(data, truth.Imprints[0].Design.Diameter)
	}
	f.Fuzz(func(t *testing.T, data []byte, declared float64) {
		small := limits
		small.Pixels, small.Pages = 1<<20, 2
		if _, err := scan.Open("", data, small); err != nil {
			return
		}
		r, err := Process(context.Background(), data, Options{Width: declared, DPI: 75})
		if err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Errorf("not a fault: %v", err)
			}
			return
		}
		if len(r.Template) == 0 || len(r.Picture) == 0 || r.Verdict == "" {
			t.Error("a result without pictures")
		}
	})
}

// TestEveryFormatOfFileGivesATemplate: the same form in other files.
func TestEveryFormatOfFileGivesATemplate(t *testing.T) {
	for _, c := range []struct{ format, source string }{{fixtures.TIFFLZW, "TIFF"}, {fixtures.TIFFJPEG, "TIFF"}, {fixtures.PDFJPEG, "PDF"}} {
		data, truth := stampedForm(t, fixtures.FormOptions{Seed: 42, Format: c.format})
		r := process(t, data, Options{Width: truth.Imprints[0].Design.Diameter})
		if v := overlap(alphaOf(t, r.Template), truth.Mask); v < .94 || r.Measures.Scale.Source != c.source || r.Measures.Page != 1 {
			t.Errorf("%s: IoU %.4f, %+v", c.format, v, r.Measures.Scale)
		}
	}
}
