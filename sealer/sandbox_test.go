package sealer_test

import (
	"context"
	"errors"
	"testing"

	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/internal/truetype"
)

func TestATrialNeitherUsesUpAGrantNorGivesUsesBack(t *testing.T) {
	font, err := truetype.Find()
	if err != nil {
		t.Skip("no Chinese font is installed: ", err)
	}
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.sealer.Font = font
		used := func(want int) {
			t.Helper()
			var n int
			must(t, h.db.Read().QueryRowContext(ctx, `SELECT SUM(used) FROM seal_grant`).Scan(&n))
			if n != want {
				t.Errorf("%d uses are counted, not %d", n, want)
			}
		}
		trial := h.clerk
		trial.Only = access.Only{Sandbox: true}
		d := h.upload(original(t))
		_, err := h.sealer.Seal(ctx, h.clerk, order(d, "real"))
		must(t, err)
		used(1)
		_, err = h.sealer.Seal(ctx, trial, order(d, "trial"))
		must(t, err)
		used(1)
		h.sealer.Released = func(context.Context, *store.Tx, string, string, map[string]string) error { return errors.New("broken") }
		if _, err = h.sealer.Seal(ctx, trial, order(d, "broken trial")); err == nil {
			t.Error("it was released")
		}
		used(1)
		if _, err = h.sealer.Seal(ctx, h.clerk, order(d, "broken")); err == nil {
			t.Error("it was released")
		}
		used(1)
		h.sealer.Released = nil
		h.sealer.Font = ""
	})
}
