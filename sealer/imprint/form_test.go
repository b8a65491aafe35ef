package imprint_test

import (
	"bytes"
	"context"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"yinxin/ca/enroll/form"
	"yinxin/fixtures"
	"yinxin/internal/scan"
	"yinxin/internal/tooltest"
	"yinxin/internal/truetype"
	"yinxin/sealer/imprint"
)

// TestTheBoxesOfAPrintedFormBecomeTemplates goes the whole way: the form drawn and printed, stamped, scanned askew and
// upside down, recognised, and the pictures of its boxes made into templates, which are measured.
func TestTheBoxesOfAPrintedFormBecomeTemplates(t *testing.T) {
	path, err := truetype.Find()
	if err != nil {
		t.Skip("no Chinese font is installed")
	}
	font, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const unit, dpi = "临江省云山市档案馆", 300
	a := form.Application{Number: "YX2026-000042", SealType: form.SealOfficial, Businesses: []form.Business{form.New}, Unit: form.Unit{Name: unit},
		Seal: form.Seal{Name: unit, Size: form.Round(42)}}
	var drawn bytes.Buffer
	if err := form.Draw(&drawn, a, font); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "form")
	tooltest.Run(t, "pdftoppm", "-r", "300", "-png", "-singlefile", tooltest.File(t, "form.pdf", drawn.Bytes()), out)
	printed, err := os.ReadFile(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	page, err := png.Decode(bytes.NewReader(printed))
	if err != nil {
		t.Fatal(err)
	}
	seal := fixtures.OfficialSeal(unit)
	data, _, err := fixtures.ScanSheet(fixtures.PrintedSheet{Print: page, DPI: dpi, Skew: 1.5, Turn: 2, Seed: 3,
		Stamps: []fixtures.Stamping{{Seal: seal, X: 61, Y: 246, Angle: 1}, {Seal: seal, X: 150, Y: 247, Angle: -2}, {Seal: seal, X: 52, Y: 185, Angle: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	file, err := scan.Open("申请表.jpg", data, scan.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := form.Recognise(context.Background(), file)
	if err != nil || len(pages) != 1 || pages[0].Number != a.Number || !pages[0].Precise {
		t.Fatalf("%v %+v", err, pages)
	}
	cut := func(r form.Region) []byte {
		picture, err := pages[0].Cut(file, r)
		if err != nil {
			t.Fatal(err)
		}
		return picture
	}
	r, err := imprint.Process(context.Background(), cut(pages[0].Both), imprint.Options{Width: 42})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != imprint.Usable || r.Measures.Fused != 2 || math.Abs(r.Measures.SizeDifference) > 0.3 {
		t.Errorf("both boxes: %s, %d imprints, %.2f mm: %+v", r.Verdict, r.Measures.Fused, r.Measures.Diameter, r.Gates)
	}
	for i, box := range pages[0].Imprints {
		r, err := imprint.Process(context.Background(), cut(box), imprint.Options{Width: 42})
		if err != nil {
			t.Fatalf("box %d: %v", i+1, err)
		}
		// One imprint alone cannot be compared with another: that is a warning.
		if len(r.Imprints) != 1 || r.Verdict == imprint.StampAgain || math.Abs(r.Measures.SizeDifference) > 0.3 {
			t.Errorf("box %d: %d imprints, %s, %.2f mm", i+1, len(r.Imprints), r.Verdict, r.Measures.Diameter)
		}
	}
}
