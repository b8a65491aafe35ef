package sheet_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
	"yinxin/internal/truetype"
	"yinxin/sealer/imprint"
	"yinxin/sealer/imprint/sheet"
)

// data is a sheet of a form whose second imprint has print across it.
func data(t *testing.T) sheet.Data {
	t.Helper()
	d, err := prepared()
	if err != nil {
		t.Skip(err)
	}
	return d
}

var prepared = sync.OnceValues(func() (d sheet.Data, err error) {
	path, err := truetype.Find()
	if err != nil {
		return d, err
	}
	if d.Font, err = os.ReadFile(path); err != nil {
		return d, err
	}
	form, _, err := fixtures.StampedForm(fixtures.FormOptions{Seed: 71, Crossing: true, Ink: fixtures.Ink{Gaps: .05}})
	if err != nil {
		return d, err
	}
	d.Title = "申请表 71.jpg"
	if d.Result, err = imprint.Process(context.Background(), form, imprint.Options{Width: 42}); err != nil {
		return d, err
	}
	if d.Evidence, err = d.Result.Evidence(); err != nil {
		return d, err
	}
	d.Vector, err = sheet.Trace(d.Result)
	return d, err
})

func drawn(t *testing.T, d sheet.Data) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := sheet.PDF(&out, d); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestTheSheetSaysWhatWasMeasured(t *testing.T) {
	d := data(t)
	file := drawn(t, d)
	if !bytes.Equal(file, drawn(t, d)) {
		t.Error("the same data gave another file")
	}
	name := tooltest.File(t, "sheet.pdf", file)
	tooltest.Run(t, "qpdf", "--check", name)
	text := string(tooltest.Run(t, "pdftotext", "-layout", name, "-"))
	words := []string{"印模核对单", "申请表 71.jpg", "直径 42 毫米", "300 dpi", "由另一处印模补足"}
	for _, g := range d.Result.Gates {
		words = append(words, g.ZH)
	}
	// A sentence may be broken into lines, and columns stand between.
	plain := strings.NewReplacer(" ", "", "\n", "").Replace(text)
	for _, w := range words {
		if !strings.Contains(plain, strings.ReplaceAll(w, " ", "")) {
			t.Errorf("the sheet does not say %q:\n%s", w, text)
		}
	}
}

// The template on the printed sheet measures its millimetres.
func TestTheTemplateStandsOnTheSheetInTrueSize(t *testing.T) {
	d := data(t)
	d.Evidence = nil // the scan is red, too
	out := filepath.Join(t.TempDir(), "sheet")
	tooltest.Run(t, "pdftoppm", "-r", "300", "-png", "-singlefile", tooltest.File(t, "sheet.pdf", drawn(t, d)), out)
	file, err := os.ReadFile(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	page, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	// The first red thing from above is the template in true size; the enlarged one stands below it.
	var box image.Rectangle
	for y, empty := 0, 0; y < page.Bounds().Dy() && empty < 60; y++ {
		row := image.Rectangle{}
		for x := range page.Bounds().Dx() {
			c := color.NRGBAModel.Convert(page.At(x, y)).(color.NRGBA)
			if c.R > 150 && c.G < 100 && c.B < 100 && c.R > 0xB8 { // the ink, not the words of a verdict
				row = row.Union(image.Rect(x, y, x+1, y+1))
			}
		}
		if box = box.Union(row); row.Empty() && !box.Empty() {
			empty++
		} else {
			empty = 0
		}
		if box.Dy() > 600 {
			break
		}
	}
	for _, side := range []int{box.Dx(), box.Dy()} {
		if mm := float64(side) / 300 * 25.4; math.Abs(mm-42) > .2 {
			t.Errorf("%.2f mm on paper, at %v", mm, box)
		}
	}
}

func TestTheSheetAsAPictureIsThePage(t *testing.T) {
	d := data(t)
	var out bytes.Buffer
	if err := sheet.PNG(&out, d); err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "sheet")
	tooltest.Run(t, "pdftoppm", "-r", "200", "-png", "-singlefile", tooltest.File(t, "sheet.pdf", drawn(t, d)), name)
	file, err := os.ReadFile(name + ".png")
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds().Dx() != want.Bounds().Dx() || got.Bounds().Dy() != want.Bounds().Dy() {
		t.Fatalf("%v, and the page is %v", got.Bounds(), want.Bounds())
	}
	// Means of squares of 1 mm: text is drawn by two different rasterisers.
	const square = 8
	far := 0
	for y := 0; y+square <= got.Bounds().Dy(); y += square {
		for x := 0; x+square <= got.Bounds().Dx(); x += square {
			if math.Abs(mean(got, x, y, square)-mean(want, x, y, square)) > 60 {
				far++
			}
		}
	}
	if all := got.Bounds().Dx() / square * (got.Bounds().Dy() / square); far*200 > all {
		t.Errorf("%d of %d squares differ", far, all)
	}
}

func mean(m image.Image, x, y, side int) float64 {
	sum := 0.0
	for dy := range side {
		for dx := range side {
			sum += float64(color.GrayModel.Convert(m.At(x+dx, y+dy)).(color.Gray).Y)
		}
	}
	return sum / float64(side*side)
}

// Whatever comes in, there is a sheet: names that no font has, hundreds of gates, sizes and shapes of every kind.
func TestNothingOddKeepsTheSheetFromBeingDrawn(t *testing.T) {
	good := data(t)
	for name, change := range map[string]func(d *sheet.Data){
		"no evidence": func(d *sheet.Data) { d.Evidence = nil }, "no outline": func(d *sheet.Data) { d.Vector = nil },
		"a name of no script": func(d *sheet.Data) {
			d.Title = "\x00\U0001F600\uFFFD\u202e" + strings.Repeat("很长的文件名", 200)
		},
		"many gates": func(d *sheet.Data) {
			for range 60 {
				d.Result.Gates = append(d.Result.Gates, imprint.Gate{Name: "new", Value: math.Inf(1), Unit: "furlong", ZH: strings.Repeat("不", 120)})
			}
		},
		"many facts":   func(d *sheet.Data) { d.Facts = make([]sheet.Fact, 120) },
		"a large seal": func(d *sheet.Data) { d.Result.Width, d.Result.Height = 70, 70 }, "a flat one": func(d *sheet.Data) { d.Result.Width, d.Result.Height = 60, 8 },
		"a refused one": func(d *sheet.Data) { d.Result.Verdict = imprint.StampAgain },
		"compared": func(d *sheet.Data) {
			d.Against = &sheet.Against{Old: d.Result.Template, Difference: d.Result.Picture, Outcome: imprint.Same, Sentence: "同一枚印章。"}
		},
		"compared with what is gone": func(d *sheet.Data) { d.Against = &sheet.Against{Sentence: "不同。", Outcome: imprint.Different} },
	} {
		d, r := good, *good.Result
		d.Result = &r
		change(&d)
		tooltest.Run(t, "qpdf", "--check", tooltest.File(t, "sheet.pdf", drawn(t, d)))
		if err := sheet.PNG(&bytes.Buffer{}, d); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASheetOfNothingIsRefused(t *testing.T) {
	good := data(t)
	for code, change := range map[string]func(d *sheet.Data){
		"imprint.bad-template": func(d *sheet.Data) { d.Result.Template = []byte("no picture") },
		"imprint.evidence":     func(d *sheet.Data) { d.Evidence = []byte("no archive") },
		"font.bad-font":        func(d *sheet.Data) { d.Font = []byte("no font") },
	} {
		d, r := good, *good.Result
		d.Result = &r
		change(&d)
		if err := sheet.PDF(&bytes.Buffer{}, d); fault.CodeOf(err) != code {
			t.Errorf("%s: %v", code, err)
		}
	}
}
