package verify

import (
	"bytes"
	"context"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// TestEveryShapeSealedTwiceIsValid seals the files of many producers twice with the project's own writer.
func TestEveryShapeSealedTwiceIsValid(t *testing.T) {
	h := newHouse(t)
	appearance := h.realSeal(t)
	o := h.options(t)
	ctx := context.Background()
	for _, shape := range fixtures.Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			data, err := fixtures.PDF(shape, fixtures.PDFOptions{})
			if err != nil {
				t.Fatal(err)
			}
			before := File(ctx, "", bytes.NewReader(data), int64(len(data)), o)
			for range 2 {
				doc, err := pdf.Open(ctx, bytes.NewReader(data), int64(len(data)))
				if err != nil {
					t.Fatal(err)
				}
				plan, err := doc.PlanSeal(ctx, h.request(appearance))
				if f, ok := fault.Of(err); ok && f.Kind == fault.Refused {
					t.Skip(err)
				}
				if err != nil {
					t.Fatal(err)
				}
				data = append(data, h.finish(t, data, plan)...)
			}
			r := File(ctx, "", bytes.NewReader(data), int64(len(data)), o)
			expected := Worst(Valid, before.Verdict)
			if before.Verdict == Unsealed {
				expected = Valid
			}
			want(t, r, expected, "")
		})
	}
}

// TestDamagedFilesAreAVerdict: no damage makes the verifier fail or find a seal.
func TestDamagedFilesAreAVerdict(t *testing.T) {
	h := newHouse(t)
	for _, d := range fixtures.Damages() {
		t.Run(string(d), func(t *testing.T) {
			data, err := fixtures.Damaged(d, 1)
			if err != nil {
				t.Fatal(err)
			}
			r := File(context.Background(), "", bytes.NewReader(data), int64(len(data)), h.options(t))
			if r.Verdict != Unsealed && r.Verdict != Unreadable {
				t.Errorf("%s: %s", r.Verdict, r.Summary)
			}
		})
	}
}
