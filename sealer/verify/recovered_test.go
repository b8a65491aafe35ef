package verify

import (
	"bytes"
	"context"
	"testing"

	"yinxin/fixtures"
	"yinxin/sealer/pdf"
)

// TestARecoveredFileSealedTwiceIsValid: the verifier repairs nothing, so a damaged file that was recovered, sealed and
// sealed again must be sound without its damaged part, and the second seal must not count as a change to the first.
func TestARecoveredFileSealedTwiceIsValid(t *testing.T) {
	h := newHouse(t)
	appearance := h.realSeal(t)
	o := h.options(t)
	ctx := context.Background()
	for _, damage := range fixtures.Damages() {
		if damage.Sealing() != fixtures.SealedRecovered {
			continue
		}
		t.Run(string(damage), func(t *testing.T) {
			data, err := fixtures.Damaged(damage, 1)
			if err != nil {
				t.Fatal(err)
			}
			original := len(data)
			for i, open := range []func(context.Context, *bytes.Reader, int64) (*pdf.Document, error){
				func(ctx context.Context, r *bytes.Reader, n int64) (*pdf.Document, error) {
					return pdf.OpenRecovering(ctx, r, n)
				},
				func(ctx context.Context, r *bytes.Reader, n int64) (*pdf.Document, error) { return pdf.Open(ctx, r, n) },
			} {
				doc, err := open(ctx, bytes.NewReader(data), int64(len(data)))
				if err != nil {
					t.Fatal(err)
				}
				plan, err := doc.PlanSeal(ctx, h.request(appearance))
				if err != nil {
					t.Fatal(err)
				}
				update := h.finish(t, data, plan)
				check := h.releaseCheck(t, data, update, plan.Field())
				if s, err := Release(ctx, check); err != nil {
					t.Fatalf("seal %d is not released: %v %v", i+1, err, s)
				}
				data = append(data, update...)
				r := File(ctx, "", bytes.NewReader(data), int64(len(data)), o)
				want(t, r, Valid, "")
				if len(r.Signatures) != i+1 || r.Signatures[i].Coverage != CoverageWhole {
					t.Errorf("%d signatures, the last covers %v", len(r.Signatures), r.Signatures[len(r.Signatures)-1].Coverage)
				}
			}
			// Whoever replaces the damaged part by a sound one of the same length changes covered bytes.
			forged := bytes.Clone(data)
			forged[original/2] ^= 1
			if r := File(ctx, "", bytes.NewReader(forged), int64(len(forged)), o); r.Verdict == Valid {
				t.Error("a change in the damaged part is not seen")
			}
		})
	}
}
