package sealer_test

import (
	"bytes"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/store"
	"yinxin/sealer/intake"
)

// TestADocumentIsLookedThroughOnce: the scan of a document with more pages than the scan looks at is kept when the order
// is refused, and the next order takes it.
func TestAScanThatALimitCutShortIsKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.sealer.MaxSize = 8 << 20
		h.sealer.Intake = intake.Policy{intake.CodeIncomplete: intake.Refuse}
		var long bytes.Buffer
		must(t, fixtures.WriteBig(&long, 2<<20, 2*intake.DefaultLimits.Pages+200, fixtures.BigTable))
		d := h.upload(long.Bytes())
		o := order(d, "")
		_, err := h.sealer.Seal(t.Context(), h.clerk, o)
		wants(t, err, "intake.refused")
		if h.count(`SELECT COUNT(*) FROM document WHERE intake LIKE '%scan.incomplete%'`) != 1 {
			t.Fatal("the scan was not kept")
		}
		// A finding that no scan makes shows where the findings of the next order come from.
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE document SET intake = $1`,
				`{"findings":[{"code":"font.external","severity":"warning","detail":"kept"}],"pages":1,"complete":false}`)
			return err
		}))
		sealed, err := h.sealer.Seal(t.Context(), h.clerk, o)
		must(t, err)
		if f := sealed.Details.Findings; len(f) != 1 || f[0].Detail != "kept" {
			t.Errorf("the document was looked through again: %v", f)
		}
	})
}
