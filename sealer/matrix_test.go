package sealer_test

import (
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/store/storetest"
	"yinxin/sealer"
	"yinxin/sealer/intake"
	"yinxin/sealer/pdf"
	"yinxin/sealer/verify"
)

// producers are ways in which others write the same pages.
var producers = []struct {
	name    string
	command func(in, out string) []string
}{
	{"as it is", nil},
	{"object streams of qpdf", func(in, out string) []string {
		return []string{"qpdf", "--object-streams=generate", "--warning-exit-0", in, out}
	}},
	{"linearised by qpdf", func(in, out string) []string { return []string{"qpdf", "--linearize", "--warning-exit-0", in, out} }},
	{"written by mutool", func(in, out string) []string { return []string{"mutool", "clean", "-z", in, out} }},
}

// TestASealStandsWhereItWasAskedInEveryProfile goes through producers, rotations, profiles and places: the page is drawn
// and measured, to less than half a millimetre, against what the order asked for and what the result says.
func TestASealStandsWhereItWasAskedInEveryProfile(t *testing.T) {
	if testing.Short() {
		t.Skip("seals hundreds of files")
	}
	for _, tool := range []string{"qpdf", "mutool"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	h := newHouse(t, storetest.Open(t, filepath.Join(t.TempDir(), "matrix.db")))
	h.sealer.MaxSize = 16 << 20
	h.sealer.Intake = intake.Policy{}
	dir := t.TempDir()
	places := []pdf.Placement{{Page: 1, From: pdf.TopRight, X: 12, Y: 21}, {Page: 1, From: pdf.BottomLeft, X: 7, Y: 33}}
	for _, shape := range []fixtures.Shape{fixtures.ShapeTable, fixtures.ShapeRotated90, fixtures.ShapeRotated180, fixtures.ShapeRotated270, fixtures.ShapeCropBox} {
		for n, producer := range producers {
			original, err := fixtures.PDF(shape, fixtures.PDFOptions{Seed: 9, Pages: 1})
			must(t, err)
			in := filepath.Join(dir, fmt.Sprintf("%s-%d.pdf", shape, n))
			must(t, os.WriteFile(in, original, 0o600))
			if producer.command != nil {
				out := in + ".pdf"
				args := producer.command(in, out)
				if said, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
					t.Fatalf("%v: %v\n%s", args, err, said)
				}
				original, err = os.ReadFile(out)
				must(t, err)
			}
			for i, p := range sealer.Profiles {
				o := order(h.upload(original), "")
				o.Profile, o.Places[0].Placement = p, places[(i+n)%len(places)]
				sealed, err := h.sealer.Seal(t.Context(), h.clerk, o)
				must(t, err)
				b := h.bytes(sealed.Document)
				if v := h.verdict(b); v != verify.Valid {
					t.Errorf("%s, %s, %s: %s", shape, producer.name, p, v)
				}
				got, page := added(t, firstPage(t, dir, original), firstPage(t, dir, b))
				want := o.Places[0].Placement
				asked := pdf.Rect{X1: want.X, Y1: want.Y, X2: want.X + 42, Y2: want.Y + 42}
				if want.From == pdf.TopRight {
					asked = pdf.Rect{X1: page.X2 - want.X - 42, Y1: page.Y2 - want.Y - 42, X2: page.X2 - want.X, Y2: page.Y2 - want.Y}
				}
				for what, r := range map[string]pdf.Rect{"asked for": asked, "said": sealed.Details.Marks[0].Shown} {
					if d := farthest(got, r); d > .4 {
						t.Errorf("%s, %s, %s: drawn at %.2f, %s %.2f: %.2f mm off", shape, producer.name, p, got, what, r, d)
					}
				}
			}
		}
	}
}

// farthest is the greatest distance between the sides of two rectangles.
func farthest(a, b pdf.Rect) float64 {
	return max(math.Abs(a.X1-b.X1), math.Abs(a.Y1-b.Y1), math.Abs(a.X2-b.X2), math.Abs(a.Y2-b.Y2))
}

const drawnDPI = 150

// firstPage is a picture of the first page.
func firstPage(t *testing.T, dir string, b []byte) image.Image {
	t.Helper()
	in, out := filepath.Join(dir, "drawn.pdf"), filepath.Join(dir, "drawn.png")
	must(t, os.WriteFile(in, b, 0o600))
	if said, err := exec.Command("mutool", "draw", "-q", "-r", fmt.Sprint(drawnDPI), "-o", out, in, "1").CombinedOutput(); err != nil {
		t.Fatalf("mutool: %v\n%s", err, said)
	}
	f, err := os.Open(out)
	must(t, err)
	defer f.Close()
	m, err := png.Decode(f)
	must(t, err)
	return m
}

// added is the box of what one picture has and the other not, and the page, in millimetres from its bottom left. A pixel
// that is less than half covered does not count.
func added(t *testing.T, before, after image.Image) (box, page pdf.Rect) {
	t.Helper()
	if before.Bounds() != after.Bounds() {
		t.Fatalf("the page was %v and is %v", before.Bounds(), after.Bounds())
	}
	const mm = 25.4 / drawnDPI
	b := after.Bounds()
	left, top, right, bottom := b.Dx(), b.Dy(), -1, -1
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			_, was, _, _ := before.At(x, y).RGBA()
			_, is, _, _ := after.At(x, y).RGBA()
			if was > is && was-is > 0x7000 || is > was && is-was > 0x7000 {
				left, top, right, bottom = min(left, x), min(top, y), max(right, x), max(bottom, y)
			}
		}
	}
	height := float64(b.Dy())
	return pdf.Rect{X1: float64(left) * mm, Y1: (height - 1 - float64(bottom)) * mm, X2: float64(right+1) * mm, Y2: (height - float64(top)) * mm},
		pdf.Rect{X2: float64(b.Dx()) * mm, Y2: height * mm}
}
