package compose_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"yinxin/internal/fault"
	"yinxin/internal/paper"
	"yinxin/internal/tooltest"
	"yinxin/sealer/issuance/compose"
	"yinxin/sealer/pdf"
	"yinxin/sealer/pdf/normalise"
)

// TestMain lets the test program be the worker.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == compose.WorkerName {
		os.Exit(compose.Work(os.Stdin, os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == normalise.WorkerName {
		os.Exit(normalise.Work(os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// quarters is a picture whose upper left quarter is black and whose rest is white.
func quarters(width, height int) image.Image {
	img := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			if x >= width/2 || y >= height/2 {
				img.SetGray(x, y, color.Gray{255})
			}
		}
	}
	return img
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// withEXIF puts a resolution and an orientation into a JPEG.
func withEXIF(t *testing.T, img image.Image, dpi, orientation uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, jpeg.Encode(&b, img, nil))
	e := binary.LittleEndian
	ifd := []byte("II*\x00\x08\x00\x00\x00")
	ifd = e.AppendUint16(ifd, 4)
	entry := func(tag, kind uint16, value uint32) {
		ifd = e.AppendUint32(e.AppendUint32(e.AppendUint16(e.AppendUint16(ifd, tag), kind), 1), value)
	}
	entry(0x112, 3, uint32(orientation))
	entry(0x11a, 5, 62)
	entry(0x11b, 5, 62)
	entry(0x128, 3, 2)
	ifd = e.AppendUint32(ifd, 0)
	ifd = e.AppendUint32(e.AppendUint32(ifd, uint32(dpi)), 1)
	app := append([]byte("Exif\x00\x00"), ifd...)
	head := append([]byte{0xff, 0xd8, 0xff, 0xe1}, byte((len(app)+2)>>8), byte(len(app)+2))
	return append(append(head, app...), b.Bytes()[2:]...)
}

func open(t *testing.T, b []byte) *pdf.Document {
	t.Helper()
	d, err := pdf.Open(t.Context(), bytes.NewReader(b), int64(len(b)))
	must(t, err)
	return d
}

func TestScansBecomePagesOfTheirTrueSize(t *testing.T) {
	var asPNG, asTIFF bytes.Buffer
	must(t, png.Encode(&asPNG, quarters(300, 200)))
	must(t, tiff.Encode(&asTIFF, quarters(300, 200), nil))
	for _, c := range []struct {
		name          string
		data          []byte
		width, height float64
	}{
		{"a.jpg", withEXIF(t, quarters(600, 400), 150, 1), 288, 192},
		{"turned.jpg", withEXIF(t, quarters(600, 400), 150, 6), 192, 288},
		{"without a scale.png", asPNG.Bytes(), paper.A4Height, paper.A4Width},
		{"a.tif", asTIFF.Bytes(), 300, 200},
		{"a scale that cannot be.jpg", withEXIF(t, quarters(600, 400), 9, 1), paper.A4Height, paper.A4Width},
	} {
		b, err := compose.Scans(t.Context(), "", compose.Scan{Name: c.name, Data: c.data})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		p, err := open(t, b).Page(1)
		must(t, err)
		if w, h := p.CropBox.Width(), p.CropBox.Height(); w-c.width > 0.6 || c.width-w > 0.6 || h-c.height > 0.6 || c.height-h > 0.6 {
			t.Errorf("%s: %.1f × %.1f points, want %.1f × %.1f", c.name, w, h, c.width, c.height)
		}
	}
}

// TestTurnedPicturesStandUpright has every orientation drawn by another program.
func TestTurnedPicturesStandUpright(t *testing.T) {
	tool := tooltest.Find(t, "pdftoppm")
	// Which corner of what is shown is black, for each orientation of a picture whose upper left is.
	want := []string{"top left", "top right", "bottom right", "bottom left", "top left", "top right", "bottom right", "bottom left"}
	for i, corner := range want {
		b, err := compose.Scans(t.Context(), "", compose.Scan{Name: "a.jpg", Data: withEXIF(t, quarters(400, 240), 150, uint16(i+1))})
		must(t, err)
		img := shown(t, tool, b, 1)
		r := img.Bounds()
		dark := ""
		for name, at := range map[string]image.Point{"top left": {r.Dx() / 4, r.Dy() / 4}, "top right": {r.Dx() * 3 / 4, r.Dy() / 4},
			"bottom left": {r.Dx() / 4, r.Dy() * 3 / 4}, "bottom right": {r.Dx() * 3 / 4, r.Dy() * 3 / 4}} {
			if g := color.GrayModel.Convert(img.At(at.X, at.Y)).(color.Gray); g.Y < 100 {
				dark += name
			}
		}
		if dark != corner || (r.Dx() > r.Dy()) != (i < 4) {
			t.Errorf("orientation %d: %v is dark on %d × %d, want %s", i+1, dark, r.Dx(), r.Dy(), corner)
		}
	}
}

// shown draws a page with pdftoppm.
func shown(t *testing.T, tool string, b []byte, page int) image.Image {
	t.Helper()
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pdf")
	must(t, os.WriteFile(in, b, 0o600))
	number := string(rune('0' + page))
	out, err := exec.CommandContext(t.Context(), tool, "-r", "72", "-f", number, "-l", number, "-png", "-singlefile", in, filepath.Join(dir, "out")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	f, err := os.Open(filepath.Join(dir, "out.png"))
	must(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	must(t, err)
	return img
}

func blank(t *testing.T, sizes ...[2]float64) []byte {
	t.Helper()
	d := paper.NewDocument(nil)
	for _, s := range sizes {
		d.Add(s[0], s[1])
	}
	var b bytes.Buffer
	must(t, d.Write(&b, paper.Meta{Title: "blank", Language: "zh-CN"}))
	return b.Bytes()
}

// TestLayersLieOnPagesAsTheyAreDisplayed: also where a page is turned and its box does not begin at zero.
func TestLayersLieOnPagesAsTheyAreDisplayed(t *testing.T) {
	tool := tooltest.Find(t, "pdftoppm")
	layer := func(w, h float64) []byte {
		d := paper.NewDocument(nil)
		d.Add(w, h).Fill(10, 10, 40, 40, paper.Black) // lower left
		var b bytes.Buffer
		must(t, d.Write(&b, paper.Meta{Title: "layer", Language: "zh-CN"}))
		return b.Bytes()
	}
	plain := string(blank(t, [2]float64{400, 200}))
	for name, c := range map[string]struct {
		page          string
		width, height float64
	}{
		"as it is":        {plain, 400, 200},
		"turned by 90°":   {strings.Replace(plain, "/MediaBox[0 0 400.00 200.00]", "/MediaBox[0 0 400 200]/Rotate 90", 1), 200, 400},
		"turned by 180°":  {strings.Replace(plain, "/MediaBox[0 0 400.00 200.00]", "/MediaBox[0 0 400 200]/Rotate 180", 1), 400, 200},
		"turned by 270°":  {strings.Replace(plain, "/MediaBox[0 0 400.00 200.00]", "/MediaBox[0 0 400 200]/Rotate 270", 1), 200, 400},
		"a box elsewhere": {strings.Replace(plain, "/MediaBox[0 0 400.00 200.00]", "/MediaBox[100 50 500 250]", 1), 400, 200},
		"a cropped page":  {strings.Replace(plain, "/MediaBox[0 0 400.00 200.00]", "/MediaBox[0 0 600 500]/CropBox[100 50 500 250]", 1), 400, 200},
	} {
		b, err := compose.Copy(t.Context(), "", compose.Order{Parts: [][]byte{[]byte(repaired(t, c.page))}, Pages: 1, Layers: []compose.Layer{{PDF: layer(c.width, c.height), Opacity: 1}},
			Note: blank(t, [2]float64{100, 100}), Code: "X", Title: "t", Author: "a"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		img := cropped(t, tool, b)
		r := img.Bounds()
		if r.Dx() != int(c.width) || r.Dy() != int(c.height) {
			t.Errorf("%s: shown as %v", name, r)
			continue
		}
		at := func(x, y int) uint8 { return color.GrayModel.Convert(img.At(x, r.Dy()-y)).(color.Gray).Y }
		if at(13, 13) > 100 || at(47, 47) > 100 || at(7, 7) < 200 || at(53, 53) < 200 || at(r.Dx()-30, r.Dy()-30) < 200 || at(r.Dx()-30, 30) < 200 {
			t.Errorf("%s: the mark is not in the lower left corner", name)
		}
	}
}

// repaired gives a file a table that fits it again.
func repaired(t *testing.T, file string) string {
	t.Helper()
	tool := tooltest.Find(t, "qpdf")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	must(t, os.WriteFile(in, []byte(file), 0o600))
	_ = exec.CommandContext(t.Context(), tool, "--warning-exit-0", in, out).Run()
	b, err := os.ReadFile(out)
	must(t, err)
	return string(b)
}

func cropped(t *testing.T, tool string, b []byte) image.Image {
	t.Helper()
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pdf")
	must(t, os.WriteFile(in, b, 0o600))
	out, err := exec.CommandContext(t.Context(), tool, "-cropbox", "-r", "72", "-f", "1", "-l", "1", "-png", "-singlefile", in, filepath.Join(dir, "out")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	f, err := os.Open(filepath.Join(dir, "out.png"))
	must(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	must(t, err)
	return img
}

func TestACopyThatLostPagesIsRefused(t *testing.T) {
	o := compose.Order{Parts: [][]byte{blank(t, [2]float64{100, 100})}, Pages: 2, Note: blank(t, [2]float64{100, 100}), Code: "X", Title: "t", Author: "a"}
	for name, change := range map[string]func(*compose.Order){
		"fewer pages":       func(*compose.Order) {},
		"a part of nothing": func(o *compose.Order) { o.Pages, o.Parts = 1, [][]byte{{}} },
		"a broken part":     func(o *compose.Order) { o.Pages, o.Parts = 1, [][]byte{[]byte("%PDF-1.7\nnothing\n%%EOF")} },
		"no parts":          func(o *compose.Order) { o.Parts = nil },
	} {
		changed := o
		change(&changed)
		if _, err := compose.Copy(t.Context(), "", changed); fault.CodeOf(err) != "compose.unreadable" {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := compose.Copy(ctx, "", o); err != context.Canceled {
		t.Errorf("%v", err)
	}
	if _, err := compose.Copy(t.Context(), "/nonexistent", o); fault.CodeOf(err) != "compose.worker" {
		t.Errorf("%v", err)
	}
}

func TestTheWorkerOutlastsAnyInput(t *testing.T) {
	for _, in := range []string{"", "\x00\x00\x00\x05", "\xff\xff\xff\xff", "\x00\x00\x00\x02{}", "\x00\x00\x00\x0b{\"sizes\":[9", "\x00\x00\x00\x0e{\"sizes\":[-1]}", "\x00\x00\x00\x1b{\"sizes\":[99999999999999999]}"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], compose.WorkerName)
		cmd.Stdin = strings.NewReader(in)
		out, err := cmd.CombinedOutput()
		if err == nil || bytes.Contains(out, []byte("goroutine")) {
			t.Errorf("%q: %v %s", in, err, out)
		}
	}
}
