package imprint

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"runtime"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
)

func TestEvidenceMakesTheSameTemplateAgain(t *testing.T) {
	for name, o := range map[string]fixtures.FormOptions{
		"colour with fewer samples": {Seed: 51, Crossing: true}, "png": {Seed: 52, Format: "png"},
		"a seal near another": {Seed: 53, Quality: 60, Rotation: 7},
	} {
		data, _ := stampedForm(t, o)
		r := process(t, data, Options{Width: 42})
		evidence, err := r.Evidence()
		if err != nil {
			t.Fatal(err)
		}
		again, err := process(t, data, Options{Width: 42}).Evidence()
		if err != nil || !bytes.Equal(evidence, again) {
			t.Errorf("%s: the same scan gives other evidence, %v", name, err)
		}
		made, err := Reproduce(context.Background(), evidence)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !made.Equal || !made.SamePixels || !bytes.Equal(made.Template, r.Template) || !bytes.Equal(made.Picture, r.Picture) {
			t.Errorf("%s: another template", name)
		}
		if made.Version != Version || made.Result.Verdict != r.Verdict || made.Result.Measures.Match != r.Measures.Match || len(made.Result.Gates) != len(r.Gates) {
			t.Errorf("%s: %+v", name, made.Result)
		}
		t.Logf("%s: %d bytes of evidence", name, len(evidence))
	}
}

// TestEvidenceOfAnotherTemplateIsSeen swaps the crops of two forms.
func TestEvidenceOfAnotherTemplateIsSeen(t *testing.T) {
	var heads []evidenceHead
	var files []map[string][]byte
	for seed := uint64(54); seed < 56; seed++ {
		data, _ := stampedForm(t, fixtures.FormOptions{Seed: seed, Format: "png"})
		evidence, err := process(t, data, Options{Width: 42}).Evidence()
		if err != nil {
			t.Fatal(err)
		}
		h, f, err := readEvidence(evidence)
		if err != nil {
			t.Fatal(err)
		}
		heads, files = append(heads, h), append(files, f)
	}
	for _, i := range []string{"crop-1.png", "crop-2.png"} {
		files[0][i] = files[1][i]
	}
	swapped, err := packed([]string{"evidence.json", "filled.png", "crop-1.png", "crop-2.png"}, files[0])
	if err != nil {
		t.Fatal(err)
	}
	made, err := Reproduce(context.Background(), swapped)
	if err == nil && (made.Equal || made.SamePixels) {
		t.Errorf("%v is the template of another form", heads[0].Crops)
	}
}

// goldenPixels is of a seal drawn without any font. When it changes, Version has to change with it.
const goldenVersion, goldenPixels = "yinxin-imprint 9", "42e7cff45b8c6482552a7780ae33b602285643aef84a707b765cc98bfeaf923d"

func TestVersionChangesWithTheMethod(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("others may join multiplication and addition")
	}
	r := process(t, asPNG(t, ringAndStar(300, 12), 300), Options{Width: 42})
	d, err := digestsOf(r.Template)
	if err != nil {
		t.Fatal(err)
	}
	if d.Pixels != goldenPixels || Version != goldenVersion {
		t.Errorf("pixels %s by %s: change Version and the golden values together", d.Pixels, Version)
	}
}

func FuzzEvidence(f *testing.F) {
	r, err := Process(context.Background(), asPNG(new(testing.T), ringAndStar(100, 0), 100), Options{Width: 42})
	if err != nil {
		f.Fatal(err)
	}
	evidence, err := r.Evidence()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(evidence)
	f.Add([]byte("PK"))
	var out bytes.Buffer
	_ = jpeg.Encode(&out, ringAndStar(100, 0), nil)
	f.Add(out.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := Reproduce(t.Context(), data)
		if f, ok := fault.Of(err); err != nil && (!ok || f.Code != "imprint.evidence") && !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}
