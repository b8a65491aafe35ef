package pdf_test

import (
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"yinxin/internal/tooltest"
	"yinxin/sealer/pdf"
)

const renderDPI = 150

// redBox renders a page and returns the box of what is red, in millimetres from the left and top of the page, and the
// size of the page.
func redBox(t *testing.T, renderer, path string, page int) (left, top, width, height, pageWidth, pageHeight float64) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "page")
	var run *exec.Cmd
	if renderer == "mutool" {
		out += ".png"
		run = exec.Command(tooltest.Find(t, "mutool"), "draw", "-q", "-r", fmt.Sprint(renderDPI), "-o", out, path, fmt.Sprint(page))
	} else {
		run = exec.Command(tooltest.Find(t, "pdftoppm"), "-r", fmt.Sprint(renderDPI), "-cropbox", "-png", "-singlefile",
			"-f", fmt.Sprint(page), "-l", fmt.Sprint(page), path, out)
		out += ".png"
	}
	// Some builds of mutool say at every page that they know no ICC profiles, so only the exit status counts.
	if complaint, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", renderer, err, complaint)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	box := image.Rectangle{}
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			r, g, _, _ := m.At(x, y).RGBA()
			// More than half covered, so that anti-aliased edges count once.
			if r > 0xA000 && g < 0x8800 {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	mm := func(pixels int) float64 { return float64(pixels) * 25.4 / renderDPI }
	return mm(box.Min.X), mm(box.Min.Y), mm(box.Dx()), mm(box.Dy()), mm(m.Bounds().Dx()), mm(m.Bounds().Dy())
}

func TestASealMeasuresItsMillimetresWhereItWasPut(t *testing.T) {
	pages := []struct{ name, extra, renderer string }{
		{"plain", "", "pdftoppm"},
		{"rotated by 90", "/Rotate 90", "pdftoppm"},
		{"rotated by 180", "/Rotate 180", "pdftoppm"},
		{"rotated by 270", "/Rotate 270", "pdftoppm"},
		{"rotated by -90", "/Rotate -90", "mutool"},
		{"crop box", "/CropBox[50 60 500 700]", "pdftoppm"},
		{"crop box and rotated", "/CropBox[50 60 500 700]/Rotate 90", "pdftoppm"},
		{"crop box and rotated, in another reader", "/CropBox[50 60 500 700]/Rotate 270", "mutool"},
		{"user unit", "/UserUnit 0.8", "mutool"},
		{"user unit, crop box and rotated", "/UserUnit 1.5/CropBox[50 60 500 700]/Rotate 90", "mutool"},
	}
	corners := []struct {
		name string
		from pdf.Corner
	}{{"bottom left", pdf.BottomLeft}, {"bottom right", pdf.BottomRight}, {"top left", pdf.TopLeft}, {"top right", pdf.TopRight}}
	for _, p := range pages {
		for i, c := range corners {
			if testing.Short() && i > 0 {
				continue
			}
			t.Run(p.name+", "+c.name, func(t *testing.T) {
				t.Parallel()
				r := request(t)
				r.Placements = []pdf.Placement{{Page: 1, From: c.from, X: 17.5, Y: 31}}
				path := save(t, seal(t, file{objects: onePage(p.extra)}.bytes(), r))
				left, top, width, height, pageWidth, pageHeight := redBox(t, p.renderer, path, 1)
				near := func(what string, got, want float64) {
					t.Helper()
					// Two pixels: the page itself is rounded to whole pixels.
					if math.Abs(got-want) > 2*25.4/renderDPI {
						t.Errorf("%s is %.2f mm, want %.2f", what, got, want)
					}
				}
				near("the width", width, 42)
				near("the height", height, 42)
				wantLeft, wantTop := 17.5, 31.0
				if c.from == pdf.BottomRight || c.from == pdf.TopRight {
					wantLeft = pageWidth - 17.5 - 42
				}
				if c.from == pdf.BottomLeft || c.from == pdf.BottomRight {
					wantTop = pageHeight - 31 - 42
				}
				near("the distance from the left", left, wantLeft)
				near("the distance from the top", top, wantTop)
			})
		}
	}
}

// TestASealStandsUpright uses a wide seal: turned by a quarter it would be high.
func TestASealStandsUpright(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 400, 200))
	for y := range 200 {
		for x := range 400 {
			// The left half is full height, the right half only its lower part: mirrored or turned by 180 it differs.
			if x < 200 || y >= 100 {
				copy(m.Pix[m.PixOffset(x, y):], []byte{230, 0, 20, 255})
			}
		}
	}
	a, err := pdf.NewAppearance(encode(m), 60, 30)
	if err != nil {
		t.Fatal(err)
	}
	for _, rotate := range []int{0, 90, 180, 270} {
		t.Run(fmt.Sprintf("on a page rotated by %d", rotate), func(t *testing.T) {
			t.Parallel()
			r := request(t)
			r.Appearance = a
			r.Placements = []pdf.Placement{{Page: 1, From: pdf.TopLeft, X: 20, Y: 20}}
			data := seal(t, file{objects: onePage(fmt.Sprintf("/Rotate %d", rotate))}.bytes(), r)
			path := save(t, data)
			_, _, width, height, _, _ := redBox(t, "pdftoppm", path, 1)
			if math.Abs(width-60) > 0.4 || math.Abs(height-30) > 0.4 {
				t.Errorf("the seal shows as %.1f × %.1f mm", width, height)
			}
			colour := func(x, y float64) bool { return redAt(t, path, x, y) }
			if !colour(30, 25) || !colour(30, 45) || colour(70, 25) || !colour(70, 45) {
				t.Error("the seal is mirrored or upside down")
			}
		})
	}
}

// redAt reports whether the first page is red at a place, in millimetres from the top left.
func redAt(t *testing.T, path string, x, y float64) bool {
	t.Helper()
	out := filepath.Join(t.TempDir(), "page")
	at := func(mm float64) string { return fmt.Sprint(int(mm / 25.4 * renderDPI)) }
	run := exec.Command(tooltest.Find(t, "pdftoppm"), "-r", fmt.Sprint(renderDPI), "-png", "-singlefile", "-x", at(x), "-y", at(y),
		"-W", "1", "-H", "1", path, out)
	if complaint, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, complaint)
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
	r, g, _, _ := m.At(0, 0).RGBA()
	return r > 0xA000 && g < 0x8800
}
