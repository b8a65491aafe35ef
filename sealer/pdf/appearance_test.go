package pdf_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
	"yinxin/sealer/pdf/truetype"
)

// template is the picture of a seal as imprint processing makes it: one colour, sixteen degrees of opacity.
func template(t testing.TB, design fixtures.SealDesign, dpi int) []byte {
	t.Helper()
	if _, err := fixtures.FontPath(); err != nil {
		t.Skip("no Chinese font is installed")
	}
	mask, err := fixtures.DrawSeal(design, dpi)
	if err != nil {
		t.Fatal(err)
	}
	var palette color.Palette
	for i := range 16 {
		palette = append(palette, color.NRGBA{R: 0xE6, B: 0x12, A: uint8(17 * i)})
	}
	m := image.NewPaletted(mask.Rect, palette)
	for i, v := range mask.Pix {
		m.Pix[i] = uint8((int(v)*15 + 127) / 255)
	}
	return encode(m)
}

func official(t testing.TB, dpi int) *pdf.Appearance {
	t.Helper()
	a, err := pdf.NewAppearance(template(t, fixtures.OfficialSeal("吉林省长春市南关区档案馆"), dpi), 42, 42)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func as(t testing.TB, a *pdf.Appearance, r pdf.Rendering) *pdf.Appearance {
	t.Helper()
	a, err := a.As(r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func chineseFont(t testing.TB) *truetype.Font {
	t.Helper()
	path, err := fixtures.FontPath()
	if err != nil {
		t.Skip("no Chinese font is installed")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	font, err := truetype.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return font
}

const dateLine, numberLine = "2026年11月26日", "编号 吉档〔2026〕123号"

func lettered(t testing.TB, a *pdf.Appearance) *pdf.Appearance {
	t.Helper()
	a, err := a.WithLines([]pdf.Line{{Text: dateLine}, {Text: numberLine, Size: 3}}, chineseFont(t))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// shown draws the first page of a file.
func shown(t testing.TB, renderer string, data []byte, dpi int) *image.NRGBA {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shown.pdf")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "page")
	run := exec.Command(tool(t, "pdftoppm"), "-r", fmt.Sprint(dpi), "-png", "-singlefile", path, out)
	if renderer == "mutool" {
		run = exec.Command(tool(t, "mutool"), "draw", "-q", "-r", fmt.Sprint(dpi), "-o", out+".png", path, "1")
	}
	if complaint, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", renderer, err, complaint)
	}
	f, err := os.Open(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	n := image.NewNRGBA(m.Bounds())
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			n.Set(x, y, m.At(x, y))
		}
	}
	return n
}

// sealed is a page with a seal, upright, 30 and 40 mm from the lower left corner.
func sealedPage(t testing.TB, a *pdf.Appearance) []byte {
	t.Helper()
	r := request(t)
	r.Appearance = a
	return seal(t, file{objects: onePage("")}.bytes(), r)
}

var renderings = []struct {
	name string
	pdf.Rendering
}{
	{"soft image", pdf.Rendering{}},
	{"soft image, calibrated", pdf.Rendering{Calibrated: true}},
	{"outline", pdf.Rendering{Style: pdf.VectorOutline}},
	{"outline, calibrated", pdf.Rendering{Style: pdf.VectorOutline, Calibrated: true}},
	{"hard image", pdf.Rendering{Style: pdf.HardImage}},
	{"hard image, calibrated", pdf.Rendering{Style: pdf.HardImage, Calibrated: true}},
}

// difference is the mean difference of two pictures, 0 to 1, over the pixels that are not white in both.
func difference(t *testing.T, a, b *image.NRGBA) float64 {
	t.Helper()
	if a.Rect != b.Rect {
		t.Fatalf("%v and %v", a.Rect, b.Rect)
	}
	sum, count := 0.0, 0
	for i := 0; i < len(a.Pix); i += 4 {
		if a.Pix[i+1] == 255 && b.Pix[i+1] == 255 {
			continue
		}
		sum += math.Abs(float64(a.Pix[i+1])-float64(b.Pix[i+1])) / 255
		count++
	}
	if count < 1000 {
		t.Fatal("nothing is shown")
	}
	return sum / float64(count)
}

func TestEveryRenderingShowsTheSameSeal(t *testing.T) {
	for _, renderer := range []string{"pdftoppm", "mutool"} {
		base := official(t, 300)
		want := shown(t, renderer, sealedPage(t, base), 300)
		for _, r := range renderings {
			t.Run(r.name+", "+renderer, func(t *testing.T) {
				a := as(t, base, r.Rendering)
				data := sealedPage(t, a)
				got := difference(t, want, shown(t, renderer, data, 300))
				t.Logf("differs by %.4f; the file has %d bytes", got, len(data))
				// Renderers move images to whole pixels and curves not, which shows at every edge.
				if got > .12 {
					t.Errorf("differs by %.4f", got)
				}
				left, top, width, height, _, pageHeight := redBox(t, renderer, save(t, data), 1)
				for _, v := range [4][2]float64{{left, 30}, {pageHeight - top - height, 40}, {width, 42}, {height, 42}} {
					if math.Abs(v[0]-v[1]) > 2*25.4/renderDPI {
						t.Errorf("%.2f mm instead of %.0f", v[0], v[1])
					}
				}
			})
		}
	}
}

func TestOnlyTheSoftImageIsTransparent(t *testing.T) {
	base := official(t, 300)
	for _, r := range renderings {
		for _, a := range []*pdf.Appearance{as(t, base, r.Rendering), as(t, lettered(t, base), r.Rendering)} {
			data := sealedPage(t, a)
			soft := r.Style == pdf.SoftImage
			if a.Transparent() != soft || bytes.Contains(data, []byte("/SMask")) != soft {
				t.Errorf("%s: transparent %v", r.name, a.Transparent())
			}
			for _, word := range []string{"/Group", "/ExtGState", "/LZWDecode", "/Interpolate", "/OPI", "/Ref "} {
				if bytes.Contains(data, []byte(word)) {
					t.Errorf("%s: there is %s", r.name, word)
				}
			}
			device := bytes.Contains(data, []byte("/DeviceRGB")) || bytes.Contains(inflated(t, data), []byte("/DeviceRGB"))
			if device == r.Calibrated {
				t.Errorf("%s: the colours are the device's: %v", r.name, device)
			}
			if r.Rendering != a.Rendering() {
				t.Errorf("%s says that it is %v", r.name, a.Rendering())
			}
		}
	}
}

// inflated is the file with its streams uncompressed.
func inflated(t *testing.T, data []byte) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "plain.pdf")
	run := exec.Command(tool(t, "qpdf"), "--qdf", "--no-original-object-ids", save(t, data), out)
	if complaint, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, complaint)
	}
	plain, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestAnOutlineIsSmallerThanTheImage(t *testing.T) {
	for _, dpi := range []int{300, 600} {
		base := official(t, dpi)
		image := len(sealedPage(t, base))
		traced := len(sealedPage(t, as(t, base, pdf.Rendering{Style: pdf.VectorOutline})))
		t.Logf("%d dpi: file of %d bytes with the image, %d with the outline", dpi, image, traced)
		if traced >= image {
			t.Errorf("%d dpi: %d bytes, %d with the image", dpi, traced, image)
		}
	}
}

func TestLinesStandUnderASealOfTrueSize(t *testing.T) {
	a := lettered(t, official(t, 300))
	width, height := a.Size()
	x, y := a.SealPlace()
	sealWidth, sealHeight := a.SealSize()
	if width != 42 || height < 48 || height > 56 || sealWidth != 42 || sealHeight != 42 || x != 0 || math.Abs(y-(height-42)) > 1e-9 {
		t.Fatalf("%g × %g mm, the seal at %g, %g", width, height, x, y)
	}
	for _, rotate := range []int{0, 90} {
		r := request(t)
		r.Appearance = a
		data := seal(t, file{objects: onePage(fmt.Sprintf("/Rotate %d", rotate))}.bytes(), r)
		path := save(t, data)
		left, top, redWidth, redHeight, _, pageHeight := redBox(t, "pdftoppm", path, 1)
		for _, v := range [4][2]float64{{left, 30}, {pageHeight - top - redHeight, 40 + y}, {redWidth, 42}, {redHeight, 42}} {
			if math.Abs(v[0]-v[1]) > 2*25.4/renderDPI {
				t.Errorf("rotated by %d: the seal is at or of %.2f mm instead of %.2f", rotate, v[0], v[1])
			}
		}
		// The text is black and stands under the seal, in the middle.
		m := shown(t, "pdftoppm", data, renderDPI)
		black := image.Rectangle{}
		for y := range m.Rect.Dy() {
			for x := range m.Rect.Dx() {
				if c := m.NRGBAAt(x, y); c.R < 100 && c.G < 100 {
					black = black.Union(image.Rect(x, y, x+1, y+1))
				}
			}
		}
		mm := func(pixels int) float64 { return float64(pixels) * 25.4 / renderDPI }
		if middle := mm(black.Min.X+black.Max.X) / 2; math.Abs(middle-(30+21)) > 1 {
			t.Errorf("rotated by %d: the middle of the text is at %.2f mm", rotate, middle)
		}
		if above, under := mm(black.Min.Y), mm(black.Max.Y); above < pageHeight-40-y || under > pageHeight-40+.2 || mm(black.Dy()) < 6 {
			t.Errorf("rotated by %d: the text is from %.2f to %.2f mm of %.2f", rotate, above, under, pageHeight)
		}
	}
}

func TestTheTextCanBeFoundAndIsEmbedded(t *testing.T) {
	base := official(t, 300)
	for _, r := range renderings {
		path := save(t, sealedPage(t, as(t, lettered(t, base), r.Rendering)))
		run := exec.Command(tool(t, "pdftotext"), "-layout", path, "-")
		text, err := run.Output()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), dateLine) || !strings.Contains(string(text), numberLine) {
			t.Errorf("%s: pdftotext finds %q", r.name, text)
		}
		fonts, err := exec.Command(tool(t, "pdffonts"), path).Output()
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`\n[A-Z]{6}\+\S+\s+CID TrueType\s+Identity-H\s+yes yes yes`).Match(fonts) {
			t.Errorf("%s: pdffonts says %s", r.name, fonts)
		}
		if complaint, err := exec.Command(tool(t, "qpdf"), "--check", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", r.name, err, complaint)
		}
	}
}

// TestAStraddleSealIsCutWithoutItsLines: the strips are those of the seal, and no text is on their pages.
func TestAStraddleSealIsCutWithoutItsLines(t *testing.T) {
	data, err := fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Pages: 3})
	if err != nil {
		t.Fatal(err)
	}
	r := request(t)
	r.Placements = nil
	r.Straddle = &pdf.Straddle{}
	plain, withLines := r, r
	plain.Appearance = official(t, 300)
	withLines.Appearance = lettered(t, plain.Appearance)
	want := shown(t, "pdftoppm", seal(t, data, plain), renderDPI)
	path := seal(t, data, withLines)
	if difference(t, want, shown(t, "pdftoppm", path, renderDPI)) > .001 {
		t.Error("the strip of a seal with lines is another one")
	}
	text, err := exec.Command(tool(t, "pdftotext"), save(t, path), "-").Output()
	if err != nil || strings.Contains(string(text), dateLine) {
		t.Errorf("the lines are on the pages: %v", err)
	}
	// With a whole seal besides, its lines are there.
	withLines.Placements = []pdf.Placement{{Page: 1, From: pdf.BottomLeft, X: 30, Y: 40}}
	text, err = exec.Command(tool(t, "pdftotext"), save(t, seal(t, data, withLines)), "-").Output()
	if err != nil || strings.Count(string(text), dateLine) != 1 {
		t.Errorf("the lines are not on the page once: %v %q", err, text)
	}
}

func TestALineCanStandInsideTheSeal(t *testing.T) {
	font := chineseFont(t)
	a, err := official(t, 300).WithLines([]pdf.Line{{Text: dateLine, Size: 3.2, Inside: true, Below: 11, Colour: color.NRGBA{B: 255}}}, font)
	if err != nil {
		t.Fatal(err)
	}
	if width, height := a.Size(); width != 42 || height != 42 {
		t.Errorf("%g × %g mm", width, height)
	}
	m := shown(t, "pdftoppm", sealedPage(t, a), renderDPI)
	blue := image.Rectangle{}
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			if c := m.NRGBAAt(x, y); c.R < 120 && c.B > 200 {
				blue = blue.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	middle := float64(blue.Min.Y+blue.Max.Y) / 2 * 25.4 / renderDPI
	if want := 297 - 40 - 21 + 11.0; math.Abs(middle-want) > .5 || blue.Dx() < 90 {
		t.Errorf("the line is at %.2f mm and %d pixels wide, want %.2f", middle, blue.Dx(), want)
	}
}

func TestLinesThatCannotBeWrittenAreRefused(t *testing.T) {
	font := chineseFont(t)
	base := official(t, 300)
	many := make([]pdf.Line, 9)
	for i := range many {
		many[i].Text = "年"
	}
	for _, c := range []struct {
		name, code string
		lines      []pdf.Line
		font       *truetype.Font
	}{
		{"no font", "pdf.no-font", []pdf.Line{{Text: "年"}}, nil},
		{"no lines", "pdf.bad-lines", nil, font},
		{"too many lines", "pdf.bad-lines", many, font},
		{"an empty line", "pdf.bad-lines", []pdf.Line{{}}, font},
		{"too long", "pdf.bad-lines", []pdf.Line{{Text: strings.Repeat("年", 101)}}, font},
		{"not text", "pdf.bad-lines", []pdf.Line{{Text: "\xff\xfe"}}, font},
		{"too small", "pdf.bad-lines", []pdf.Line{{Text: "年", Size: .2}}, font},
		{"no size", "pdf.bad-lines", []pdf.Line{{Text: "年", Size: math.NaN()}}, font},
		{"too wide", "pdf.bad-lines", []pdf.Line{{Text: strings.Repeat("年", 100), Size: 50}}, font},
		{"too wide inside", "pdf.bad-lines", []pdf.Line{{Text: strings.Repeat("年", 20), Inside: true}}, font},
		{"below the seal", "pdf.bad-lines", []pdf.Line{{Text: "年", Inside: true, Below: 20}}, font},
		{"nowhere", "pdf.bad-lines", []pdf.Line{{Text: "年", Inside: true, Below: math.Inf(1)}}, font},
		{"a character that the font lacks", "font.no-glyph", []pdf.Line{{Text: "2026年𰻝"}}, font},
		{"a line break", "font.no-glyph", []pdf.Line{{Text: "2026\n年"}}, font},
	} {
		_, err := base.WithLines(c.lines, c.font)
		if fault.CodeOf(err) != c.code {
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		}
		if f, _ := fault.Of(err); c.code == "font.no-glyph" && !strings.Contains(f.Detail(), "U+") {
			t.Errorf("%s: the character is not named: %v", c.name, err)
		}
	}
}

func TestARenderingIsMadeOnceWhoeverAsks(t *testing.T) {
	base := lettered(t, official(t, 300))
	var made [8]*pdf.Appearance
	var wait sync.WaitGroup
	for i := range made {
		wait.Go(func() {
			made[i], _ = base.As(pdf.Rendering{Style: pdf.VectorOutline})
		})
	}
	wait.Wait()
	for _, a := range made {
		if a == nil || a != made[0] {
			t.Fatal("not the same rendering")
		}
	}
	if again, err := made[0].As(pdf.Rendering{}); err != nil || again != base {
		t.Errorf("the way back leads elsewhere: %v", err)
	}
	other := lettered(t, official(t, 300))
	for _, r := range renderings {
		if !bytes.Equal(sealedPage(t, as(t, base, r.Rendering)), sealedPage(t, as(t, other, r.Rendering))) {
			t.Errorf("%s: the same seal gives other bytes", r.name)
		}
	}
}

func TestHostilePicturesAreRefused(t *testing.T) {
	good := redDisc()
	large := bytes.Clone(good)
	copy(large[16:], []byte{0, 0, 0x1F, 0xFF, 0, 0, 0x1F, 0xFF}) // the checksum is wrong as well
	for _, c := range []struct {
		name    string
		picture []byte
	}{
		{"nothing", nil}, {"text", []byte("a picture")}, {"half", good[:len(good)/2]},
		{"too large", large}, {"too many pixels", encode(image.NewPaletted(image.Rect(0, 0, 4000, 4000), color.Palette{color.NRGBA{}}))},
	} {
		start := time.Now()
		if _, err := pdf.NewAppearance(c.picture, 42, 42); fault.CodeOf(err) != "pdf.bad-picture" {
			t.Errorf("%s: %v", c.name, err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: took %v", c.name, took)
		}
	}
	noise := image.NewNRGBA(image.Rect(0, 0, 1600, 1600))
	seed := uint32(1)
	for i := range noise.Pix {
		seed = seed*1664525 + 1013904223
		noise.Pix[i] = byte(seed >> 24)
	}
	a, err := pdf.NewAppearance(encode(noise), 42, 42)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.As(pdf.Rendering{Style: pdf.VectorOutline}); fault.CodeOf(err) != "outline.too-many-colours" {
		t.Errorf("noise: %v", err)
	}
	if _, err := a.As(pdf.Rendering{Style: 9}); fault.CodeOf(err) != "pdf.bad-request" {
		t.Errorf("a style that does not exist: %v", err)
	}
	flat, err := a.For(pdf.PDFA{Part: 1, Level: "B"})
	if err != nil || flat.Rendering() != (pdf.Rendering{Style: pdf.HardImage, Calibrated: true}) || flat.Transparent() {
		t.Errorf("noise for PDF/A-1: %v", err)
	}
}
