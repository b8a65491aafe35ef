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
	"sync"
	"testing"
	"time"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
	"yinxin/internal/truetype"
	"yinxin/sealer/pdf"
)

// template is the picture of a seal as imprint processing makes it: one colour, sixteen degrees of opacity.
func template(t testing.TB, design fixtures.SealDesign, dpi int) []byte {
	t.Helper()
	if _, err := truetype.Find(); err != nil {
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

// shown draws the first page of a file.
func shown(t testing.TB, renderer string, data []byte, dpi int) *image.NRGBA {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shown.pdf")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "page")
	run := exec.Command(tooltest.Find(t, "pdftoppm"), "-r", fmt.Sprint(dpi), "-png", "-singlefile", path, out)
	if renderer == "mutool" {
		run = exec.Command(tooltest.Find(t, "mutool"), "draw", "-q", "-r", fmt.Sprint(dpi), "-o", out+".png", path, "1")
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
	run := exec.Command(tooltest.Find(t, "qpdf"), "--qdf", "--no-original-object-ids", save(t, data), out)
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

// TestALaterSealOfAnyRenderingIsPermitted seals a sealed file again: for the first signature that is a permitted addition,
// fonts and all.
func TestALaterSealOfAnyRenderingIsPermitted(t *testing.T) {
	base := lettered(t, official(t, 300))
	once := seal(t, file{objects: onePage("")}.bytes(), request(t))
	for _, r := range renderings {
		again := request(t)
		again.Appearance = as(t, base, r.Rendering)
		again.Placements = []pdf.Placement{{Page: 1, From: pdf.TopRight, X: 20, Y: 20}}
		changes := compared(t, reopened(t, once), reopened(t, seal(t, once, again)))
		if len(changes) != 1 || !changes[0].Permitted || changes[0].Kind != pdf.ChangeSignatureAdded {
			t.Errorf("%s: %+v", r.name, changes)
		}
	}
}
