package scan

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
)

// pillow runs a program for Debian's Python with its imaging library, or skips: in is a PNG, out and reference are where it writes.
func pillow(t *testing.T, in image.Image, out, program string) (data []byte, reference image.Image) {
	t.Helper()
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import PIL").Run(); err != nil {
		t.Skip("python3-pil is not installed")
	}
	dir := t.TempDir()
	source, written, shown := tooltest.File(t, "in.png", pngOf(t, in)), filepath.Join(dir, out), filepath.Join(dir, "reference.png")
	head := "import sys\nfrom PIL import Image, ImageOps\nim = Image.open(sys.argv[1]).convert('RGB')\nout = sys.argv[2]\n"
	tail := "\nif not out.endswith('.pdf'):\n    ImageOps.exif_transpose(Image.open(out)).convert('RGB').save(sys.argv[3])\n"
	if msg, err := exec.Command(python, "-c", head+program+tail, source, written, shown).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, msg)
	}
	data = read(t, written)
	if filepath.Ext(out) == ".pdf" {
		return data, nil
	}
	reference, err := png.Decode(bytes.NewReader(read(t, shown)))
	if err != nil {
		t.Fatal(err)
	}
	return data, reference
}

// TestPicturesOfPillow reads what libtiff and libjpeg write through Pillow: every kind of pixel with every compression.
func TestPicturesOfPillow(t *testing.T) {
	img := pattern(203, 150)
	for _, c := range []struct {
		name, out, program string
		tolerance          int
		grey               bool
	}{
		{"RGB", "a.tif", "im.save(out)", 0, false},
		{"LZW with a predictor", "a.tif", "im.save(out, compression='tiff_lzw', tiffinfo={317: 2})", 0, false},
		{"Adobe Deflate with a predictor", "a.tif", "im.save(out, compression='tiff_adobe_deflate', tiffinfo={317: 2})", 0, false},
		{"old Deflate", "a.tif", "im.save(out, compression='tiff_deflate')", 0, false},
		{"PackBits", "a.tif", "im.save(out, compression='packbits')", 0, false},
		{"JPEG in TIFF", "a.tif", "im.save(out, compression='jpeg', quality=92)", 90, false}, // colour is interpolated otherwise
		{"CMYK", "a.tif", "im.convert('CMYK').save(out)", 1, false},
		{"CMYK, LZW", "a.tif", "im.convert('CMYK').save(out, compression='tiff_lzw')", 1, false},
		{"CMYK, JPEG in TIFF", "a.tif", "im.convert('CMYK').save(out, compression='jpeg', quality=95)", 90, false},
		{"a palette", "a.tif", "im.convert('P', palette=Image.ADAPTIVE).save(out)", 0, false},
		{"a palette, LZW", "a.tif", "im.convert('P', palette=Image.ADAPTIVE).save(out, compression='tiff_lzw')", 0, false},
		{"RGBA", "a.tif", "im.convert('RGBA').save(out, compression='tiff_lzw')", 0, false},
		{"grey", "a.tif", "im.convert('L').save(out, compression='tiff_lzw')", 0, true},
		{"two levels, Group 4", "a.tif", "im.convert('1').save(out, compression='group4')", 0, true},
		{"two levels", "a.tif", "im.convert('1').save(out)", 0, true},
		{"JPEG of inks", "a.jpg", "im.convert('CMYK').save(out, quality=95)", 40, false},
		{"progressive JPEG", "a.jpg", "im.save(out, quality=95, progressive=True, subsampling=0)", 4, false},
		{"grey JPEG", "a.jpg", "im.convert('L').save(out, quality=95)", 2, true},
	} {
		data, reference := pillow(t, img, c.out, c.program)
		f := opened(t, c.out, data)
		if f.Pages[0].Grey != c.grey {
			t.Errorf("%s: %+v", c.name, f.Pages[0])
		}
		same(t, c.name, pictureOf(t, f, 0), reference, c.tolerance)
	}
}

// TestOrientationsOfPillow: what a viewer shows is the stored picture under the orientation that is reported.
func TestOrientationsOfPillow(t *testing.T) {
	img := pattern(60, 40)
	for o := 1; o <= 8; o++ {
		data, shown := pillow(t, img, "a.jpg", fmt.Sprintf("e = Image.Exif(); e[0x0112] = %d; im.save(out, exif=e, quality=100, subsampling=0)", o))
		f := opened(t, "a.jpg", data)
		if f.Pages[0].Orientation != o {
			t.Errorf("JPEG: orientation %d, not %d", f.Pages[0].Orientation, o)
		}
		same(t, fmt.Sprint("orientation ", o), displayed(pictureOf(t, f, 0), o), shown, 12)
		data, _ = pillow(t, img, "a.tif", fmt.Sprintf("im.save(out, tiffinfo={274: %d}, dpi=(300, 300))", o))
		if p := opened(t, "a.tif", data).Pages[0]; p.Orientation != o || p.DPIX != 300 {
			t.Errorf("TIFF: %+v, not orientation %d", p, o)
		}
	}
}

// displayed applies an orientation, as EXIF words it: where the stored first row and the stored first column are seen.
func displayed(img image.Image, orientation int) image.Image {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	place := map[int]func(x, y int) (int, int){
		1: func(x, y int) (int, int) { return x, y },                 // top, left
		2: func(x, y int) (int, int) { return w - 1 - x, y },         // top, right
		3: func(x, y int) (int, int) { return w - 1 - x, h - 1 - y }, // bottom, right
		4: func(x, y int) (int, int) { return x, h - 1 - y },         // bottom, left
		5: func(x, y int) (int, int) { return y, x },                 // left, top
		6: func(x, y int) (int, int) { return h - 1 - y, x },         // right, top
		7: func(x, y int) (int, int) { return h - 1 - y, w - 1 - x }, // right, bottom
		8: func(x, y int) (int, int) { return y, w - 1 - x },         // left, bottom
	}[orientation]
	if orientation >= 5 {
		w, h = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	w, h = img.Bounds().Dx(), img.Bounds().Dy()
	for y := range h {
		for x := range w {
			tx, ty := place(x, y)
			out.Set(tx, ty, img.At(x, y))
		}
	}
	return out
}

// TestVariantsOfLibtiff: what tiffcp makes of one picture shows the same picture.
func TestVariantsOfLibtiff(t *testing.T) {
	img := pattern(203, 150)
	three, _ := pillow(t, img, "three.tif", "im.save(out)") // samples; the encoder at hand writes four
	source := tooltest.File(t, "source.tif", three)
	deep := filepath.Join(t.TempDir(), "deep.tif")
	for name, args := range map[string][]string{
		"big endian": {"-B"}, "BigTIFF": {"-8"}, "BigTIFF, big endian, LZW": {"-8", "-B", "-c", "lzw:2"}, "planes": {"-p", "separate"},
		"planes, LZW with a predictor": {"-p", "separate", "-c", "lzw:2"}, "planes in tiles, Deflate": {"-p", "separate", "-t", "-w", "48", "-l", "32", "-c", "zip:2"},
		"tiles, LZW": {"-t", "-w", "64", "-l", "80", "-c", "lzw"}, "tiles, Deflate with a predictor": {"-t", "-w", "64", "-l", "64", "-c", "zip:2"},
		"tiles larger than the picture": {"-t", "-w", "256", "-l", "256", "-c", "packbits"}, "one row in a strip": {"-r", "1", "-c", "lzw"},
	} {
		out := filepath.Join(t.TempDir(), "out.tif")
		optional(t, "tiffcp", append(args, source, out)...)
		same(t, name, pictureOf(t, opened(t, "out.tif", read(t, out)), 0), img, 0)
	}
	for name, args := range map[string][]string{
		"JPEG": {"-c", "jpeg:95", "-r", "16"}, "JPEG of RGB": {"-c", "jpeg:r:95", "-r", "16"}, "JPEG in tiles": {"-c", "jpeg:95", "-t", "-w", "64", "-l", "64"},
		"JPEG, one strip": {"-c", "jpeg:95", "-r", "160"},
	} {
		out := filepath.Join(t.TempDir(), "out.tif")
		optional(t, "tiffcp", append(args, source, out)...)
		if d := meanDifference(pictureOf(t, opened(t, "out.tif", read(t, out)), 0), img); d > 9 {
			t.Errorf("%s: differs by %.1f levels on average", name, d)
		}
	}
	// Sixteen bits: Ghostscript writes them from a PDF of eight.
	pdf := tooltest.File(t, "source.pdf", simplePDF(t, img))
	plain := filepath.Join(t.TempDir(), "plain.tif")
	optional(t, "gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=tiff24nc", "-r36", "-o", plain, pdf)
	want := pictureOf(t, opened(t, "plain.tif", read(t, plain)), 0)
	optional(t, "gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=tiff48nc", "-r36", "-o", deep, pdf)
	same(t, "16 bits", pictureOf(t, opened(t, "deep.tif", read(t, deep)), 0), want, 1)
	for _, args := range [][]string{{"-c", "lzw:2"}, {"-c", "zip:2", "-B"}} {
		out := filepath.Join(t.TempDir(), "out.tif")
		optional(t, "tiffcp", append(args, deep, out)...)
		same(t, fmt.Sprint("16 bits ", args), pictureOf(t, opened(t, "out.tif", read(t, out)), 0), want, 1)
	}
	inks := filepath.Join(t.TempDir(), "inks.tif")
	optional(t, "gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=tiff32nc", "-r36", "-o", inks, pdf)
	if p := opened(t, "inks.tif", read(t, inks)).Pages[0]; p.Grey || p.DPIX != 36 {
		t.Errorf("inks: %+v", p)
	}
}

// TestPDFsOfForeignPrograms holds the picture out of the file against what pdftoppm draws of the page.
func TestPDFsOfForeignPrograms(t *testing.T) {
	img := pattern(240, 340)
	drawn := func(data []byte, page Page) image.Image {
		out := filepath.Join(t.TempDir(), "page")
		tooltest.Run(t, "pdftoppm", "-r", fmt.Sprint(page.DPIX), "-png", "-singlefile", tooltest.File(t, "a.pdf", data), out)
		shown, err := png.Decode(bytes.NewReader(read(t, out+".png")))
		if err != nil {
			t.Fatal(err)
		}
		return shown
	}
	inks, _ := pillow(t, img, "inks.jpg", "im.convert('CMYK').save(out, quality=98, subsampling=0, dpi=(72, 72))")
	colours, _ := pillow(t, img, "colours.jpg", "im.save(out, quality=98, subsampling=0, dpi=(72, 72))")
	turned, _ := pillow(t, img, "turned.jpg", "e = Image.Exif(); e[0x0112] = 6; im.save(out, quality=98, subsampling=0, dpi=(72, 72), exif=e)")
	tiff, _ := pillow(t, img, "a.tif", "im.save(out, compression='tiff_lzw', dpi=(72, 72))")
	pages, _ := pillow(t, img, "a.pdf", "im.save(out, resolution=72)")
	img2pdf := func(data []byte, name string) []byte {
		out := filepath.Join(t.TempDir(), "out.pdf")
		optional(t, "img2pdf", tooltest.File(t, name, data), "-o", out)
		return read(t, out)
	}
	tiff2pdf := func(args ...string) []byte {
		out := filepath.Join(t.TempDir(), "out.pdf")
		optional(t, "tiff2pdf", append(args, "-o", out, tooltest.File(t, "a.tif", tiff))...)
		return read(t, out)
	}
	for name, data := range map[string][]byte{
		"img2pdf, inks": img2pdf(inks, "a.jpg"), "img2pdf, JPEG": img2pdf(colours, "a.jpg"), "img2pdf, TIFF": img2pdf(tiff, "a.tif"),
		"img2pdf, a turned JPEG": img2pdf(turned, "a.jpg"), "tiff2pdf": tiff2pdf(), "tiff2pdf, JPEG": tiff2pdf("-j", "-q", "98"), "tiff2pdf, Deflate": tiff2pdf("-z"), "Pillow": pages,
	} {
		f := opened(t, "a.pdf", data)
		p := f.Pages[0]
		if p.DPIX < 71.9 || p.DPIX > 72.1 || p.Grey {
			t.Errorf("%s: %+v", name, p)
		}
		// Renderers place samples half a pixel off; other colours or another way up differ by far more.
		want := drawn(data, p)
		if strings.HasSuffix(name, "inks") {
			want = img // poppler turns inks into light by a curve of its own
		}
		if d := meanDifference(displayed(pictureOf(t, f, 0), p.Orientation), want); d > 13 {
			t.Errorf("%s: differs by %.1f levels on average", name, d)
		}
	}
	jpeg2000, _ := pillow(t, img, "a.jp2", "im.save(out)")
	f := opened(t, "a.pdf", img2pdf(jpeg2000, "a.jp2"))
	_, err := f.Picture(0)
	if found, _ := fault.Of(err); !fault.Has(err, ErrCoding) || found.Detail() != "JPEG 2000" {
		t.Errorf("JPEG 2000: %v", err)
	}
}

// meanDifference is over all pixels and channels, in levels of eight bits; 255 for pictures of other sizes.
func meanDifference(a, b image.Image) float64 {
	if d := a.Bounds().Size().Sub(b.Bounds().Size()); max(d.X, -d.X, d.Y, -d.Y) > 1 {
		return 255
	}
	total, n := 0.0, 0
	for y := range min(a.Bounds().Dy(), b.Bounds().Dy()) {
		for x := range min(a.Bounds().Dx(), b.Bounds().Dx()) {
			r1, g1, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			for _, d := range []int{int(r1>>8) - int(r2>>8), int(g1>>8) - int(g2>>8), int(b1>>8) - int(b2>>8)} {
				total += float64(max(d, -d))
				n++
			}
		}
	}
	return total / float64(n)
}
