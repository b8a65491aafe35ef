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

func TestDump(t *testing.T) {
	dir := os.Getenv("DUMP")
	if dir == "" { t.Skip() }
	for _, dpi := range []int{300, 600} {
	base := official(t, dpi)
	for _, r := range renderings {
		for i, a := range []*pdf.Appearance{as(t, base, r.Rendering), as(t, lettered(t, base), r.Rendering)} {
			data := sealedPage(t, a)
			fmt.Println(dpi, r.name, i, len(data))
			os.WriteFile(fmt.Sprintf("%s/%d-%s-%d.pdf", dir, dpi, strings.ReplaceAll(r.name, ", ", "-"), i), data, 0o600)
		}
	}
	}
}
var _ = math.Abs
var _ = regexp.MustCompile
var _ sync.Mutex
var _ = time.Now
var _ fault.Spec
var _ = bytes.Equal
