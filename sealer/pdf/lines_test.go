package pdf_test

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
	"yinxin/internal/truetype"
	"yinxin/sealer/pdf"
)

func chineseFont(t testing.TB) *truetype.Font {
	t.Helper()
	path, err := truetype.Find()
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
		run := exec.Command(tooltest.Find(t, "pdftotext"), "-layout", path, "-")
		text, err := run.Output()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), dateLine) || !strings.Contains(string(text), numberLine) {
			t.Errorf("%s: pdftotext finds %q", r.name, text)
		}
		fonts, err := exec.Command(tooltest.Find(t, "pdffonts"), path).Output()
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`\n[A-Z]{6}\+\S+\s+CID TrueType\s+Identity-H\s+yes yes yes`).Match(fonts) {
			t.Errorf("%s: pdffonts says %s", r.name, fonts)
		}
		if complaint, err := exec.Command(tooltest.Find(t, "qpdf"), "--check", path).CombinedOutput(); err != nil {
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
	text, err := exec.Command(tooltest.Find(t, "pdftotext"), save(t, path), "-").Output()
	if err != nil || strings.Contains(string(text), dateLine) {
		t.Errorf("the lines are on the pages: %v", err)
	}
	// With a whole seal besides, its lines are there.
	withLines.Placements = []pdf.Placement{{Page: 1, From: pdf.BottomLeft, X: 30, Y: 40}}
	text, err = exec.Command(tooltest.Find(t, "pdftotext"), save(t, seal(t, data, withLines)), "-").Output()
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
