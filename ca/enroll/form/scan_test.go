package form

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color/palette"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"

	"yinxin/internal/fault"
	"yinxin/internal/scan"
)

func TestScansFindTheirWayBack(t *testing.T) {
	a := sample()
	var all []scanning
	for i, skew := range []float64{-3, -1.3, 0, 1.7, 3} {
		all = append(all, scanning{dpi: 200 + i%2*100, skew: skew, turn: i % 4, margin: float64(i) * 4, noise: 6, quality: 60, says: i%2 == 0})
	}
	all = append(all,
		scanning{dpi: 200, skew: 3, noise: 14, quality: 35, says: true, lies: 72},
		scanning{dpi: 150, skew: -2, noise: 6, quality: 60},
		scanning{dpi: 300, skew: 1, turn: 3, noise: 6, quality: 60, overQR: true},
		scanning{dpi: 300, skew: 1, noise: 2, print: 0.96, says: true},
		scanning{dpi: 200, skew: -1, noise: 6, quality: 60, lost: 1},
	)
	if !testing.Short() {
		all = append(all, scanning{dpi: 600, skew: -3, turn: 1, margin: 5, noise: 6, quality: 60, says: true})
	}
	for _, s := range all {
		name := fmt.Sprintf("%+v", s)
		data, where := scanOf(t, a, s)
		p := recognised(t, "", data)[0]
		if p.Number != a.Number || !p.Precise {
			t.Errorf("%s: number %q, %d marks, residual %.2f mm", name, p.Number, p.Marks, p.Residual)
			continue
		}
		perMM := float64(s.dpi) / 25.4
		worst := worstError(p, where, perMM)
		t.Logf("%-110s error %.3f mm, residual %.3f mm, %d marks, %.1f dpi by %s, print %.3f, skew %.2f", name, worst, p.Residual, p.Marks, p.DPI, p.DPISource, p.PrintScale, p.Skew)
		if worst > 0.5 {
			t.Errorf("%s: the boxes are %.2f mm off", name, worst)
		}
		if p.Turn != (360-90*s.turn)%360 || math.Abs(p.Skew-s.skew) > 0.1 {
			t.Errorf("%s: turn %d, skew %.2f", name, p.Turn, p.Skew)
		}
		if want := float64(s.dpi); s.says && s.lies == 0 && (math.Abs(p.DPI/want-1) > 1e-4 || p.DPISource != "file") || (!s.says || s.lies != 0) && (math.Abs(p.DPI/want-1) > 0.003 || p.DPISource != "marks") {
			t.Errorf("%s: %.2f dpi by %s", name, p.DPI, p.DPISource)
		}
	}
}

func TestPagesThatCannotBeMatched(t *testing.T) {
	a := sample()
	blank, _ := scanOf(t, Application{}, scanning{dpi: 100, bare: true})
	mirrored, _ := scanOf(t, a, scanning{dpi: 150, bare: true})
	img, err := png.Decode(bytes.NewReader(mirrored))
	if err != nil {
		t.Fatal(err)
	}
	flipped := image.NewRGBA(img.Bounds())
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			flipped.Set(img.Bounds().Dx()-1-x, y, img.At(x, y))
		}
	}
	for name, data := range map[string][]byte{"a form without a number": blank, "a mirror": pngFile(t, flipped, 150), "a speck": pngFile(t, image.NewGray(image.Rect(0, 0, 3, 3)), 0),
		"black": pngFile(t, image.NewGray(image.Rect(0, 0, 900, 900)), 0)} {
		if p := recognised(t, "", data)[0]; p.Number != "" || p.Problem != "" || p.Width == 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	// A form that was never printed is no scan of one.
	if p := recognised(t, "form.pdf", drawn(t, a))[0]; p.Problem != scan.ErrNoPicture.Code || p.Number != "" {
		t.Errorf("the form itself: %+v", p)
	}
	f, err := scan.Open("", blank, scan.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	gone, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Recognise(gone, f); err == nil || fault.CodeOf(err) != "internal" {
		t.Errorf("nobody waits: %v", err)
	}
}

// TestAPageWithoutMarksIsNotPrecise: somebody must look.
func TestAPageWithoutMarksIsNotPrecise(t *testing.T) {
	a := sample()
	for _, lost := range []int{2, 4} {
		data, where := scanOf(t, a, scanning{dpi: 200, skew: 1, noise: 5, lost: lost})
		p := recognised(t, "", data)[0]
		if p.Number != a.Number || p.Precise || p.Marks != 4-lost {
			t.Errorf("%d marks lost: %q, %d marks, precise %v", lost, p.Number, p.Marks, p.Precise)
		}
		if worst := worstError(p, where, 200/25.4); worst > 3 {
			t.Errorf("%d marks lost: the boxes are %.1f mm off", lost, worst)
		}
	}
}

// TestABoxIsCutOut compares the picture of a box with the scan, whichever way it lay.
func TestABoxIsCutOut(t *testing.T) {
	a := sample()
	for turn := range 4 {
		data, _ := scanOf(t, a, scanning{dpi: 100, turn: turn, says: true})
		f, err := scan.Open("", data, scan.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		pages, err := Recognise(context.Background(), f)
		if err != nil || pages[0].Number == "" {
			t.Fatalf("%v %+v", err, pages[0])
		}
		p := pages[0]
		cut, err := p.Cut(f, p.Both)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := scan.Open("box.png", cut, scan.DefaultLimits)
		if err != nil || math.Abs(picture.Pages[0].DPIX-100) > 0.1 {
			t.Fatalf("%v %+v", err, picture)
		}
		img, err := picture.Picture(0)
		if err != nil {
			t.Fatal(err)
		}
		// 178 × 64 mm at 100 dpi; the stars of the two seals stand where they were stamped.
		if b := img.Bounds(); math.Abs(float64(b.Dx())-701) > 3 || math.Abs(float64(b.Dy())-252) > 3 {
			t.Errorf("turn %d: %v", turn, b)
		}
		for _, star := range []Point{{61, 245}, {149, 247}} {
			x, y := int((star.X-16)/25.4*100), int((star.Y-214)/25.4*100)
			if r, g, _, _ := img.At(x, y).RGBA(); r>>8 < 150 || g>>8 > 120 {
				t.Errorf("turn %d: no star at %d, %d", turn, x, y)
			}
		}
		p.Both[0].X, p.Both[1].X, p.Both[2].X, p.Both[3].X = 9000, 9100, 9100, 9000
		if _, err := p.Cut(f, p.Both); !fault.Has(err, errNotOnScan) {
			t.Errorf("a box beside the scan: %v", err)
		}
		if _, err := (ScannedPage{Page: 1}).Cut(f, p.Both); !fault.Has(err, errNotOnScan) {
			t.Errorf("a page that was not recognised: %v", err)
		}
	}
}

// TestPagesOfOneFileAreToldApart has the form among other pages, in a PDF and in a PNG of every kind of pixel.
func TestPagesOfOneFileAreToldApart(t *testing.T) {
	a := sample()
	scan, where := scanOf(t, a, scanning{dpi: 150, skew: 1, turn: 3, noise: 4, quality: 70})
	card := pngFile(t, image.NewGray(image.Rect(0, 0, 600, 400)), 150)
	var pdf bytes.Buffer
	if err := api.ImportImages(nil, &pdf, []io.Reader{bytes.NewReader(card), bytes.NewReader(scan), bytes.NewReader(card)}, nil, nil); err != nil {
		t.Fatal(err)
	}
	pages := recognised(t, "申请材料.pdf", pdf.Bytes())
	if len(pages) != 3 || pages[0].Number != "" || pages[2].Number != "" || pages[1].Number != a.Number || pages[1].Page != 2 || !pages[1].Precise {
		t.Fatalf("%+v", pages)
	}
	if worst := worstError(pages[1], where, 150/25.4); worst > 0.5 {
		t.Errorf("%.2f mm off", worst)
	}
	decoded, err := jpeg.Decode(bytes.NewReader(scan))
	if err != nil {
		t.Fatal(err)
	}
	for name, img := range map[string]draw.Image{"NRGBA": image.NewNRGBA(decoded.Bounds()), "grey": image.NewGray(decoded.Bounds()), "RGBA64": image.NewRGBA64(decoded.Bounds()),
		"palette": image.NewPaletted(decoded.Bounds(), palette.WebSafe)} {
		draw.Draw(img, img.Bounds(), decoded, image.Point{}, draw.Src)
		if p := recognised(t, "", pngFile(t, img, 150))[0]; p.Number != a.Number || !p.Precise || worstError(p, where, 150/25.4) > 0.5 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
