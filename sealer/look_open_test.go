package sealer_test

import (
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/sealer/intake"
)

// TestADocumentIsLookedAtBeforeItIsOrdered: Look says what Seal would refuse, keeps the scan, and shows nothing to others.
func TestADocumentIsLookedAtBeforeItIsOrdered(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, c := range []struct {
			shape  fixtures.Shape
			closed string
			code   intake.Code // among the findings
		}{
			{fixtures.ShapeTable, "", ""},
			{fixtures.ShapeFormWithFields, "", intake.CodeFields},
			{fixtures.ShapeCertifiedP1, "pdf.certified", intake.CodeCertified},
			{fixtures.ShapeCertifiedP2Open, "pdf.certified", intake.CodeCertified},
			{fixtures.ShapeEncryptedAES256, "pdf.encrypted", intake.CodeEncrypted},
		} {
			b, err := fixtures.PDF(c.shape, fixtures.PDFOptions{Seed: 1})
			must(t, err)
			d := h.upload(b)
			found, closed, err := h.sealer.Look(t.Context(), h.clerk, d.ID)
			must(t, err)
			if c.closed == "" {
				must(t, closed)
			} else {
				wants(t, closed, c.closed)
				_, err := h.sealer.Seal(t.Context(), h.clerk, order(d, ""))
				wants(t, err, c.closed)
			}
			seen := c.code == ""
			for _, f := range append(found.Refused, found.Warnings...) {
				seen = seen || f.Code == c.code
			}
			if !seen {
				t.Errorf("%s: %+v", c.shape, found)
			}
			_, _, err = h.sealer.Look(t.Context(), access.Actor{ID: "stranger", Organisation: "elsewhere"}, d.ID)
			wants(t, err, "document.not-found")
		}
		if n := h.count(`SELECT COUNT(*) FROM document WHERE intake = ''`); n != 0 {
			t.Errorf("%d scans were not kept", n)
		}
	})
}
