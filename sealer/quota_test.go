package sealer_test

import (
	"testing"

	"yinxin/internal/fault"
	"yinxin/sealer"
)

func TestAPreviewUsesNothingAndIsForThoseWhoMaySeal(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector wants more memory than a worker may have")
	}
	each(t, func(t *testing.T, h *house) {
		h.see()
		d := h.upload(original(t))
		look := func() error { _, err := h.sealer.Preview(t.Context(), h.clerk, order(d, ""), 72, nil); return err }
		h.quota(1)
		for range 3 {
			must(t, look())
		}
		if h.used() != 0 {
			t.Errorf("%d uses", h.used())
		}
		if _, err := h.sealer.Preview(t.Context(), h.registrar, order(d, ""), 72, nil); fault.CodeOf(err) != "seal.not-granted" {
			t.Errorf("who was granted nothing: %v", err)
		}
		_, err := h.sealer.Seal(t.Context(), h.clerk, order(h.upload(original(t)), ""))
		must(t, err)
		wants(t, look(), "seal.quota-exhausted")
		if _, err := h.sealer.Seal(t.Context(), h.clerk, sealer.Order{Document: d.ID, Seal: order(d, "").Seal, Places: order(d, "").Places}); fault.CodeOf(err) != "seal.quota-exhausted" {
			t.Error(err)
		}
	})
}
