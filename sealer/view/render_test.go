package view

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
	"yinxin/internal/truetype"
)

// grey is the darkness of every pixel, 0 to 255.
func grey(img image.Image) ([]int, image.Point) {
	b := img.Bounds()
	var g []int
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, gr, bl, _ := img.At(x, y).RGBA()
			g = append(g, 255-int(r+gr+bl)/3/257)
		}
	}
	return g, b.Size()
}

// blocks is the mean darkness of squares of 10 pixels: readers differ in smoothing, not in where things are.
func blocks(img image.Image) (mean map[image.Point]float64, ink float64) {
	g, size := grey(img)
	mean = map[image.Point]float64{}
	for i, v := range g {
		mean[image.Pt(i%size.X/10, i/size.X/10)] += float64(v) / 100
		ink += float64(v) / float64(len(g))
	}
	return mean, ink
}

func decode(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// other renders the first page with another program.
func other(t *testing.T, data []byte, dpi string) image.Image {
	t.Helper()
	tooltest.Find(t, "pdftoppm")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "a.pdf"), filepath.Join(dir, "a")
	if err := os.WriteFile(in, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command("pdftoppm", "-r", dpi, "-cropbox", "-f", "1", "-l", "1", "-png", "-singlefile", in, out).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, text)
	}
	drawn, err := os.ReadFile(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, drawn)
}

func compare(t *testing.T, data []byte, got image.Image) {
	t.Helper()
	want := other(t, data, "100")
	a, b := got.Bounds().Size(), want.Bounds().Size()
	if max(a.X-b.X, b.X-a.X) > 1 || max(a.Y-b.Y, b.Y-a.Y) > 1 {
		t.Errorf("%v pixels, pdftoppm has %v", a, b)
		return
	}
	ours, ink := blocks(got)
	theirs, otherInk := blocks(want)
	difference, squares := 0.0, 0
	for p, v := range ours {
		d := v - theirs[p]
		if d < 0 {
			d = -d
		}
		difference += d
		squares++
	}
	if difference /= float64(squares); ink < 0.1 || difference > 0.25*ink || ink > 1.3*otherInk || otherInk > 1.3*ink {
		t.Errorf("darkness %.2f and %.2f, mean difference %.2f", ink, otherInk, difference)
	} else {
		t.Logf("darkness %.2f and %.2f, mean difference %.2f", ink, otherInk, difference)
	}
}

func TestPagesLookAsInPoppler(t *testing.T) {
	v := newViewer(t, "", Config{})
	files := map[string][]byte{}
	for _, s := range []fixtures.Shape{fixtures.ShapeTable, fixtures.ShapeObjectStreams, fixtures.ShapeHybrid, fixtures.ShapeLinearisedUpdated, fixtures.ShapeRevisions,
		fixtures.ShapeHeaderOffset, fixtures.ShapeRotated90, fixtures.ShapeRotated180, fixtures.ShapeRotated270, fixtures.ShapeCropBox,
		fixtures.ShapeMediaOrigin, fixtures.ShapeMediaReversed, fixtures.ShapeInheritedNested, fixtures.ShapeAnnotsInline, fixtures.ShapeFormWithFields, fixtures.ShapeEncryptedAES256} {
		data, err := fixtures.PDF(s, fixtures.PDFOptions{Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		files[string(s)] = data
	}
	if data, err := fixtures.ArchivalCopy(1, 1); err == nil {
		files["archival copy"] = data
		files["chinese text"] = newChinese(t, statement).page(a4, newChinese(t, statement).at(72, 700, 24, "云山市档案馆"))
	}
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			r, n := reader(data)
			p, err := v.Render(t.Context(), r, n, 1, 100)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, data, decode(t, p.PNG))
		})
	}
}

// colour is the mean colour of a square around a point.
func colour(img image.Image, x, y int) (r, g, b int) {
	for dy := -2; dy <= 2; dy++ {
		for dx := -2; dx <= 2; dx++ {
			cr, cg, cb, _ := img.At(x+dx, y+dy).RGBA()
			r, g, b = r+int(cr>>8), g+int(cg>>8), b+int(cb>>8)
		}
	}
	return r / 25, g / 25, b / 25
}

// A seal is the widget of a signature field; the parts of a straddle seal are stamp annotations.
func TestSealsAreShownWithTransparencyOnWhite(t *testing.T) {
	form := stream("/Type /XObject /Subtype /Form /BBox [0 0 100 100] /Resources << /ExtGState << /G << /ca 0.5 >> >> >>", "/G gs 1 0 0 rg 0 0 100 100 re f")
	annotation := func(subtype, rect, more string) string {
		return "<< /Type /Annot /Subtype " + subtype + " /Rect " + rect + " /F 132 /AP << /N 5 0 R >> " + more + " >>"
	}
	data := build("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] /SigFlags 3 >> >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 720 360] /Contents 4 0 R /Annots [6 0 R 7 0 R 8 0 R] >>", stream("", "0 0 1 rg 360 0 360 360 re f"), form,
		annotation("/Widget", "[50 200 150 300]", "/FT /Sig /T (seal)"), annotation("/Stamp", "[400 200 500 300]", ""), annotation("/Stamp", "[200 20 300 120]", "/F 2"))
	v := newViewer(t, "", Config{})
	r, n := reader(data)
	p, err := v.Render(t.Context(), r, n, 1, 72)
	if err != nil {
		t.Fatal(err)
	}
	if p.Width != 720 || p.Height != 360 {
		t.Fatal(p.Width, p.Height)
	}
	img := decode(t, p.PNG)
	for name, x := range map[string]struct{ x, y, r, g, b int }{
		"paper": {20, 20, 255, 255, 255}, "widget on white": {100, 110, 255, 128, 128}, "content": {700, 20, 0, 0, 255},
		"stamp on blue": {450, 110, 128, 0, 128}, "outside the widget": {160, 110, 255, 255, 255},
	} {
		if r, g, b := colour(img, x.x, x.y); max(r-x.r, x.r-r, g-x.g, x.g-g, b-x.b, x.b-b) > 3 {
			t.Errorf("%s: %d %d %d", name, r, g, b)
		}
	}
}

func TestAFontThatIsOnlyNamedComesFromTheOperator(t *testing.T) {
	path, err := truetype.Find()
	if err != nil {
		t.Skip("no Chinese font: ", err)
	}
	data := onePage(a4+" /Resources << /Font << /F 5 0 R >> >>", "BT /F 48 Tf 72 700 Td <6863684899867AE0> Tj ET",
		"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [6 0 R] >>",
		"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /DW 1000 /FontDescriptor 7 0 R >>",
		"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>")
	r, n := reader(data)
	var ink [2]float64
	for i, fonts := range [][]string{nil, {filepath.Join(t.TempDir(), "missing.ttf"), path}} {
		v := newViewer(t, "", Config{Fonts: fonts})
		p, err := v.Render(t.Context(), r, n, 1, 72)
		if err != nil {
			t.Fatal(err)
		}
		_, ink[i] = blocks(decode(t, p.PNG))
		if m, err := v.Find(t.Context(), r, n, Query{Text: "档案"}); err != nil || len(m) != 1 || !near1(m[0].Rect.X1, 72, 1) || !near1(m[0].Rect.X2, 168, 1) {
			t.Errorf("%v, %v", m, err)
		}
	}
	if ink[0] > 0.05 || ink[1] < 0.2 {
		t.Errorf("darkness without the font %.3f, with it %.3f", ink[0], ink[1])
	}
}

func TestWhatCannotBeShownIsRefused(t *testing.T) {
	v := newViewer(t, "", Config{MaxPixels: 1_000_000})
	plain, err := fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{})
	if err != nil {
		t.Fatal(err)
	}
	locked := lockedPDF(t, plain)
	for name, x := range map[string]struct {
		data []byte
		page int
		dpi  float64
		code string
	}{
		"no PDF":                   {[]byte("not a PDF at all"), 1, 100, "view.unreadable"},
		"nothing":                  {nil, 1, 100, "view.unreadable"},
		"no pages":                 {build("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 0 /Kids [] >>"), 1, 100, "view.unreadable"},
		"a page too many":          {plain, 3, 100, "view.no-page"},
		"page zero":                {plain, 0, 100, "view.no-page"},
		"over the limit of pixels": {plain, 1, 150, "view.too-large"},
		"a page of seven metres":   {onePage("/MediaBox [0 0 20000 20000]", ""), 1, 72, "view.too-large"},
		"too coarse":               {plain, 1, 5, "view.resolution"},
		"too fine":                 {plain, 1, 5000, "view.resolution"},
		"a password":               {locked, 1, 100, "view.encrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			if x.data == nil && name == "a password" {
				t.Skip("qpdf is not installed")
			}
			r, n := reader(x.data)
			_, err := v.Render(t.Context(), r, n, x.page, x.dpi)
			f, ok := fault.Of(err)
			if !ok || f.Code != x.code {
				t.Errorf("%v, want %s", err, x.code)
			}
		})
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.alive != 1 || len(v.idle) != 1 || v.idle[0].served < 6 {
		t.Errorf("refusals cost workers: %d alive, %d idle", v.alive, len(v.idle))
	}
}

// lockedPDF needs a password to be opened.
func lockedPDF(t *testing.T, plain []byte) []byte {
	if _, err := exec.LookPath("qpdf"); err != nil {
		return nil
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "a.pdf"), filepath.Join(dir, "b.pdf")
	if err := os.WriteFile(in, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command("qpdf", "--encrypt", "user", "owner", "256", "--", in, out).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
