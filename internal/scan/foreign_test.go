package scan

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"golang.org/x/image/tiff"

	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
)

// optional runs a program that the tests can do without, or skips.
func optional(t *testing.T, name string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// bilevel is a picture of black and white.
func bilevel(width, height int) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black, color.White})
	for y := range height {
		for x := range width {
			if (x*x/40+y*3)%17 > 6 || x < 3 {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	return img
}

func greyOf(img image.Image) *image.Gray {
	g := image.NewGray(img.Bounds())
	draw.Draw(g, g.Rect, img, img.Bounds().Min, draw.Src)
	return g
}

// TestTIFFOfPoppler reads what pdftoppm writes with each compression; without compression is the measure.
func TestTIFFOfPoppler(t *testing.T) {
	source := tooltest.File(t, "source.pdf", simplePDF(t, pattern(300, 420)))
	render := func(compression string, more ...string) *File {
		out := filepath.Join(t.TempDir(), "page")
		tooltest.Run(t, "pdftoppm", append(append([]string{"-r", "60", "-tiff", "-tiffcompression", compression, "-singlefile"}, more...), source, out)...)
		return opened(t, "page.tif", read(t, out+".tif"))
	}
	plain, err := tiff.Decode(bytes.NewReader(render("none").data))
	if err != nil {
		t.Fatal(err)
	}
	for compression, tolerance := range map[string]int{"none": 0, "packbits": 0, "lzw": 0, "deflate": 0, "jpeg": 90} {
		f := render(compression)
		if f.Pages[0].DPIX != 60 {
			t.Errorf("%s: %+v", compression, f.Pages[0])
		}
		same(t, compression, pictureOf(t, f, 0), plain, tolerance)
	}
	grey := render("lzw", "-gray")
	if _, ok := pictureOf(t, grey, 0).(*image.Gray); !ok {
		t.Error("grey is not read as grey")
	}
	render("none", "-mono")
}

// TestTIFFOfLibtiff reads every compression of tiffcp and its files of several pages.
func TestTIFFOfLibtiff(t *testing.T) {
	colour, mono := pattern(203, 150), bilevel(203, 150)
	first := tooltest.File(t, "colour.tif", tiffOf(t, colour, nil))
	for _, c := range []string{"none", "lzw", "lzw:2", "zip", "zip:2", "packbits"} {
		for _, rows := range []string{"7", "150"} {
			out := filepath.Join(t.TempDir(), "out.tif")
			optional(t, "tiffcp", "-c", c, "-r", rows, first, out)
			same(t, c+" "+rows, pictureOf(t, opened(t, "out.tif", read(t, out)), 0), colour, 0)
		}
	}
	// One bit, written as grey of one bit by way of fax.
	grey := greyOf(mono)
	bits := tooltest.File(t, "grey.tif", oneBitTIFF(t, mono))
	for _, c := range []string{"none", "g3:1d", "g4", "packbits", "lzw"} {
		for _, order := range []string{"msb2lsb", "lsb2msb"} {
			out := filepath.Join(t.TempDir(), "out.tif")
			optional(t, "tiffcp", "-c", c, "-f", order, "-r", "40", bits, out)
			if order == "lsb2msb" && c != "g3:1d" && c != "g4" {
				continue
			}
			same(t, c+" "+order, pictureOf(t, opened(t, "out.tif", read(t, out)), 0), grey, 0)
		}
	}
	both := filepath.Join(t.TempDir(), "both.tif")
	optional(t, "tiffcp", "-c", "lzw", first, bits, both)
	f := opened(t, "both.tif", read(t, both))
	if len(f.Pages) != 2 {
		t.Fatalf("%d pages", len(f.Pages))
	}
	same(t, "page 1", pictureOf(t, f, 0), colour, 0)
	same(t, "page 2", pictureOf(t, f, 1), grey, 0)
	tiles := filepath.Join(t.TempDir(), "tiles.tif")
	optional(t, "tiffcp", "-t", "-w", "64", "-l", "64", first, tiles)
	same(t, "tiles", pictureOf(t, opened(t, "tiles.tif", read(t, tiles)), 0), colour, 0)
}

// oneBitTIFF is a TIFF of one bit per pixel, which the encoder at hand cannot write.
func oneBitTIFF(t testing.TB, img *image.Paletted) []byte {
	b := img.Bounds()
	row := (b.Dx() + 7) / 8
	data := make([]byte, row*b.Dy())
	for y := range b.Dy() {
		for x := range b.Dx() {
			if img.ColorIndexAt(x, y) == 1 {
				data[y*row+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	return handMadeTIFF(data, [][2]uint32{{256, uint32(b.Dx())}, {257, uint32(b.Dy())}, {258, 1}, {259, 1}, {262, 1}, {273, 8}, {277, 1}, {278, uint32(b.Dy())}, {279, uint32(len(data))}})
}

// TestPDFOfPdfcpu reads files with object streams and cross-reference streams, whose pictures are JPEG and Flate with
// predictors.
func TestPDFOfPdfcpu(t *testing.T) {
	colour, grey := pattern(200, 283), greyOf(pattern(200, 283))
	decoded := pictureOf(t, opened(t, "", jpegOf(t, colour)), 0)
	for name, c := range map[string]struct {
		img  image.Image
		data []byte
		tol  int
	}{"JPEG": {decoded, jpegOf(t, colour), 0}, "PNG": {colour, pngOf(t, colour), 0}, "grey PNG": {grey, pngOf(t, grey), 0}, "TIFF": {colour, tiffOf(t, colour, nil), 0}} {
		var out bytes.Buffer
		if err := api.ImportImages(nil, &out, []io.Reader{bytes.NewReader(c.data), bytes.NewReader(c.data)}, nil, nil); err != nil {
			t.Fatal(err)
		}
		f := opened(t, "scan.pdf", out.Bytes())
		if len(f.Pages) != 2 || f.Pages[1].Width != 200 {
			t.Fatalf("%s: %+v", name, f.Pages)
		}
		same(t, name, pictureOf(t, f, 1), c.img, c.tol)
	}
}

func TestPDFOfImg2pdf(t *testing.T) {
	colour, mono := pattern(200, 283), bilevel(203, 150)
	decoded := pictureOf(t, opened(t, "", jpegOf(t, colour)), 0)
	for name, c := range map[string]struct {
		img  image.Image
		data []byte
		tol  int
	}{"a.jpg": {decoded, jpegOf(t, colour), 0}, "a.png": {colour, pngOf(t, colour), 0}, "mono.png": {greyOf(mono), pngOf(t, mono), 0}, "palette.png": {threeColours(), pngOf(t, threeColours()), 0}} {
		in, out := tooltest.File(t, name, c.data), filepath.Join(t.TempDir(), "out.pdf")
		optional(t, "img2pdf", in, "-o", out)
		f := opened(t, "out.pdf", read(t, out))
		same(t, name, pictureOf(t, f, 0), c.img, c.tol)
	}
}

func threeColours() *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, 61, 40), color.Palette{color.RGBA{10, 20, 30, 255}, color.RGBA{200, 0, 0, 255}, color.White})
	for i := range img.Pix {
		img.Pix[i] = uint8(i * i % 3)
	}
	return img
}

// TestPDFOfGhostscript reads pages that were turned into pictures: colour, grey, and pages cut into strips.
func TestPDFOfGhostscript(t *testing.T) {
	source := tooltest.File(t, "source.pdf", simplePDF(t, pattern(300, 420), pattern(300, 420)))
	for _, device := range []string{"pdfimage24", "pdfimage8"} {
		dir := t.TempDir()
		out := filepath.Join(dir, "out.pdf")
		optional(t, "gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE="+device, "-r72", "-o", out, source)
		f := opened(t, "out.pdf", read(t, out))
		if len(f.Pages) != 2 {
			t.Fatalf("%s: %d pages", device, len(f.Pages))
		}
		tooltest.Run(t, "pdfimages", "-png", "-f", "2", "-l", "2", out, filepath.Join(dir, "img"))
		want := stacked(t, dir)
		same(t, device, pictureOf(t, f, 1), want, 0)
	}
}

// stacked puts the pictures that pdfimages took out of a page above one another.
func stacked(t *testing.T, dir string) image.Image {
	names, err := filepath.Glob(filepath.Join(dir, "img-*.png"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%v %v", names, err)
	}
	var parts []image.Image
	width, height := 0, 0
	for _, name := range names {
		img, err := png.Decode(bytes.NewReader(read(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		parts, width, height = append(parts, img), img.Bounds().Dx(), height+img.Bounds().Dy()
	}
	whole := image.NewRGBA(image.Rect(0, 0, width, height))
	y := 0
	for _, part := range parts {
		draw.Draw(whole, image.Rect(0, y, width, y+part.Bounds().Dy()), part, part.Bounds().Min, draw.Src)
		y += part.Bounds().Dy()
	}
	return whole
}

// TestADrawnPageHasNoPicture: a form that was never printed is no scan.
func TestADrawnPageHasNoPicture(t *testing.T) {
	data := []byte("%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj 2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj\n" +
		"3 0 obj <</Type/Page/MediaBox[0 0 595 842]/Contents 4 0 R>> endobj 4 0 obj <</Length 20>> stream\n0 0 m 100 100 l S   \nendstream endobj trailer <</Root 1 0 R>>")
	f := opened(t, "form.pdf", data)
	if len(f.Pages) != 1 || f.Pages[0].Width != 0 {
		t.Errorf("%+v", f.Pages)
	}
	if _, err := f.Picture(0); !fault.Has(err, ErrNoPicture) {
		t.Error(err)
	}
}

// TestPDFsOfQpdf reads one file after qpdf has written it anew in its ways, and refuses what it encrypted.
func TestPDFsOfQpdf(t *testing.T) {
	img := pattern(200, 283)
	decoded := pictureOf(t, opened(t, "", jpegOf(t, img)), 0)
	source := tooltest.File(t, "source.pdf", simplePDF(t, img))
	dir := t.TempDir()
	for name, args := range map[string][]string{"object streams": {"--object-streams=generate"}, "linearized": {"--linearize"}, "normalised": {"--normalize-content=y", "--object-streams=disable"}} {
		out := filepath.Join(dir, "out.pdf")
		if msg, err := exec.Command(tooltest.Find(t, "qpdf"), append(args, "--warning-exit-0", source, out)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", name, err, msg)
		}
		same(t, name, pictureOf(t, opened(t, "out.pdf", read(t, out)), 0), decoded, 0)
	}
	out := filepath.Join(dir, "locked.pdf")
	if msg, err := exec.Command(tooltest.Find(t, "qpdf"), "--encrypt", "", "owner", "256", "--", "--warning-exit-0", source, out).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, msg)
	}
	if _, err := Open("", read(t, out), DefaultLimits); !fault.Has(err, ErrEncrypted) {
		t.Errorf("encrypted: %v", err)
	}
}

// TestAPictureThatThePageTurnsOver is stored from the bottom to the top, as some scanners write it; poppler shows how it is meant.
func TestAPictureThatThePageTurnsOver(t *testing.T) {
	img := pattern(200, 283)
	data := bytes.Replace(simplePDF(t, img), []byte("q 595 0 0 842 0 0 cm"), []byte("q 595 0 0 -842 0 842 cm"), 1)
	f := opened(t, "", data)
	got := pictureOf(t, f, 0)
	dir := t.TempDir()
	tooltest.Run(t, "pdftoppm", "-r", "24.2017", "-png", "-singlefile", tooltest.File(t, "turned.pdf", data), filepath.Join(dir, "page"))
	want, err := png.Decode(bytes.NewReader(read(t, filepath.Join(dir, "page.png"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []image.Point{{20, 270}, {20, 12}, {150, 140}} { // black in the corner, and two plain places
		r1, g1, b1, _ := got.At(at.X, at.Y).RGBA()
		r2, g2, b2, _ := want.At(at.X, at.Y).RGBA()
		if d := max(int(r1>>8)-int(r2>>8), int(r2>>8)-int(r1>>8)) + max(int(g1>>8)-int(g2>>8), int(g2>>8)-int(g1>>8)) + max(int(b1>>8)-int(b2>>8), int(b2>>8)-int(b1>>8)); d > 120 {
			t.Errorf("at %v: %d %d %d, not %d %d %d", at, r1>>8, g1>>8, b1>>8, r2>>8, g2>>8, b2>>8)
		}
	}
	if r, _, _, _ := got.At(20, 270).RGBA(); r > 0x3000 {
		t.Error("the black corner is not at the bottom")
	}
}
