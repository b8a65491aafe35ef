package sheet_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/internal/tooltest"
	"yinxin/sealer/imprint/sheet"
)

// TestTheOutlineShownByOthersIsTheTemplate draws the outline with programs that nobody here wrote and holds what they
// show against the template.
func TestTheOutlineShownByOthersIsTheTemplate(t *testing.T) {
	d := data(t)
	if m := d.Vector.Measures; m.MaxDeviation > .05 || m.MeanDeviation > .005 || m.IoU < .99 || m.Segments < 100 {
		t.Errorf("%+v", m)
	}
	var file bytes.Buffer
	if err := sheet.Outline(&file, d.Vector, "印章"); err != nil {
		t.Fatal(err)
	}
	template, err := png.Decode(bytes.NewReader(d.Result.Template))
	if err != nil {
		t.Fatal(err)
	}
	for tool, draw := range map[string]func(dir, out string) []string{
		"pdftoppm": func(pdf, out string) []string {
			return []string{"-r", "600", "-png", "-singlefile", pdf, strings.TrimSuffix(out, ".png")}
		},
		"mutool": func(pdf, out string) []string { return []string{"draw", "-q", "-r", "600", "-o", out, pdf, "1"} },
		"chromium": func(_, out string) []string {
			return []string{"--headless", "--no-sandbox", "--disable-gpu", "--force-device-scale-factor=6.25", "--window-size=159,159", "--hide-scrollbars",
				"--screenshot=" + out, "file://" + page(t, d.Vector.SVG())}
		},
	} {
		t.Run(tool, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "drawn.png")
			tooltest.Run(t, tool, draw(tooltest.File(t, "outline.pdf", file.Bytes()), out)...)
			drawn, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			got, err := png.Decode(bytes.NewReader(drawn))
			if err != nil {
				t.Fatal(err)
			}
			if b, want := got.Bounds(), template.Bounds(); math.Abs(float64(b.Dx()-want.Dx())) > 3 || math.Abs(float64(b.Dy()-want.Dy())) > 3 {
				t.Errorf("%v, not %v", b, want)
			}
			if iou := inkIoU(template, got); iou < .98 {
				t.Errorf("shown ink agrees by %.4f", iou)
			}
		})
	}
	tooltest.Run(t, "qpdf", "--check", tooltest.File(t, "outline.pdf", file.Bytes()))
}

// page shows an SVG in the corner of a page.
func page(t *testing.T, svg []byte) string {
	return tooltest.File(t, "page.html", []byte("<!doctype html><body style='margin:0'>"+strings.Replace(string(svg), "<svg ", "<svg style='display:block' ", 1)))
}

// inkIoU compares a template with what was drawn on white paper.
func inkIoU(template, shown image.Image) float64 {
	both, either := 0, 0
	for y := range template.Bounds().Dy() {
		for x := range template.Bounds().Dx() {
			_, _, _, alpha := template.At(x, y).RGBA()
			a, b := alpha >= 0x8000, color.NRGBAModel.Convert(shown.At(x, y)).(color.NRGBA).G < 128
			if a && b {
				both++
			}
			if a || b {
				either++
			}
		}
	}
	return float64(both) / float64(either)
}
