package accuracy

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"image"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"yinxin/fixtures"
	"yinxin/sealer/imprint"
)

var update = flag.Bool("update", false, "write the golden crops and pictures anew")

// goldens are crops of one imprint each, as a scanner saved them, and the pictures that were made of them. They are kept
// as files: a test of the package's own memory, that no font and no generator can change.
var goldens = []struct {
	name string
	form fixtures.FormOptions
}{
	{"round-star", fixtures.FormOptions{Seed: 501, Seal: fixtures.OfficialSeal("临江省云山市档案馆"), Rotation: 5}},
	{"round-emblem-crossed", fixtures.FormOptions{Seed: 502, Seal: fixtures.EmblemSeal("临江省云山市人民政府", 45), Crossing: true}},
	{"oval", fixtures.FormOptions{Seed: 503, Seal: fixtures.InvoiceSeal("临江省云山市档案馆", "29010200MA12345678"), Rotation: -7}},
	{"square", fixtures.FormOptions{Seed: 504, Seal: fixtures.NameSeal("王小明印", 22)}},
	{"square-negative-blue", fixtures.FormOptions{Seed: 505, Ink: fixtures.Ink{Colour: fixtures.BlueInk},
		Seal: fixtures.SealDesign{Text: "李云山印", Shape: fixtures.RectangularSeal, Width: 24, Height: 24, Lines: 2, Vertical: true, Negative: true, Corner: 1}}},
	{"rectangle-pale", fixtures.FormOptions{Seed: 506, Ink: fixtures.Ink{Strength: .7},
		Seal: fixtures.SealDesign{Text: "李云山之印章", Shape: fixtures.RectangularSeal, Width: 40, Height: 20, Lines: 2}}},
}

// told is what Process is told of a golden crop.
func told(f fixtures.FormOptions) imprint.Options {
	c := Case{Form: f}
	o := c.told()
	o.DPI = 300 // Go's encoder does not write the resolution
	return o
}

func TestGoldenCropsGiveTheirPictures(t *testing.T) {
	for _, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			crop, golden := filepath.Join("testdata", g.name+".jpg"), filepath.Join("testdata", g.name+".png")
			if *update {
				writeCrop(t, crop, g.form)
			}
			data, err := os.ReadFile(crop)
			if err != nil {
				t.Fatal(err)
			}
			r, err := imprint.Process(context.Background(), data, told(g.form))
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(golden, r.Picture, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			got, expected := alpha(t, r.Picture), alpha(t, want)
			if got.Rect != expected.Rect {
				t.Fatalf("canvas %v, not %v", got.Rect, expected.Rect)
			}
			both, either := 0, 0
			for i, v := range expected.Pix {
				a, b := got.Pix[i] > 127, v > 127
				if a && b {
					both++
				}
				if a || b {
					either++
				}
			}
			// Better methods move edges by a hair; a character or a turn of a degree moves more.
			if v := float64(both) / float64(either); v < .96 {
				t.Errorf("IoU %.4f with the golden picture; after a deliberate change: go test ./sealer/imprint/accuracy -run Golden -update", v)
			}
			if v := turn(got, expected); v > .2 || v < -.2 {
				t.Errorf("turned by %.3f° against the golden picture", v)
			}
		})
	}
}

func alpha(t *testing.T, file []byte) *image.Alpha {
	t.Helper()
	m, err := alphaOf(file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// writeCrop draws a form and keeps the first imprint with 4 mm of paper.
func writeCrop(t *testing.T, path string, f fixtures.FormOptions) {
	t.Helper()
	needsFont(t)
	f.Crop, f.Format = true, fixtures.PNG
	data, truth, err := fixtures.StampedForm(f)
	if err != nil {
		t.Fatal(err)
	}
	scan, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	p := truth.Imprints[0]
	width, height := p.Design.Size()
	half := int((max(width, height)/2 + 4) * 300 / 25.4)
	x, y := int(p.X*300/25.4), int(p.Y*300/25.4)
	cut := image.NewRGBA(image.Rect(0, 0, 2*half, 2*half))
	draw.Draw(cut, cut.Rect, scan, image.Pt(x-half, y-half), draw.Src)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, cut, &jpeg.Options{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestTheSameBytesGiveTheSameBytes runs on one core and on more: goroutines must not matter.
func TestTheSameBytesGiveTheSameBytes(t *testing.T) {
	needsFont(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, f := range []fixtures.FormOptions{
		{Seed: 511, Crop: true, Seal: fixtures.OfficialSeal("临江省云山市档案馆"), Crossing: true, Ink: fixtures.Ink{Bleed: .08, EdgeGap: 20}},
		{Seed: 512, Crop: true, Seal: fixtures.InvoiceSeal("临江省云山市档案馆", "29010200MA12345678")},
		{Seed: 513, Crop: true, Seal: fixtures.NameSeal("王小明印", 22), Ink: fixtures.Ink{Gaps: .08}},
	} {
		var first []byte
		for _, cores := range []int{1, 2, 8} {
			runtime.GOMAXPROCS(cores)
			data, _, err := fixtures.StampedForm(f)
			if err != nil {
				t.Fatal(err)
			}
			r, err := imprint.Process(context.Background(), data, told(f))
			if err != nil {
				t.Fatal(err)
			}
			measures, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			all := slices.Concat(data, r.Template, r.Picture, measures)
			if first == nil {
				first = all
			} else if !bytes.Equal(first, all) {
				t.Errorf("seed %d: another result on %d cores", f.Seed, cores)
			}
		}
	}
}
