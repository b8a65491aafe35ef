package issuance_test

import (
	"bytes"
	"testing"

	"yinxin/sealer/issuance"
	"yinxin/sealer/sealertest"
	"yinxin/sealer/verify"
)

func TestAFileGoesFromTheArchiveThatHoldsItToThePersonElsewhere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		c := h.issued()
		if c.State != issuance.Issued || c.Copy == nil || c.Copy.Pages != 4 || c.Copy.Number != "CZ-2026-000001" || c.Copy.Day != "2026-11-26" {
			t.Fatalf("issued: %+v %+v", c, c.Copy)
		}
		if c.Applicant.Name != "欧****"[:len("欧")]+"***" || c.Applicant.Identity == identity {
			t.Errorf("the applicant is shown: %+v", c.Applicant.Masked())
		}
		b := h.file(c.ID)
		report := verify.File(ctx, "copy.pdf", bytes.NewReader(b), int64(len(b)), withTime(h))
		if report.Verdict != verify.Valid || len(report.Signatures) != 1 || report.Signatures[0].SealID != sealertest.Code {
			t.Fatalf("verdict %s: %s %+v", report.Verdict, report.Summary, report.Error)
		}
		c, err := h.receive(c.ID, b)
		must(t, err)
		if c.State != issuance.Received {
			t.Fatal(c.State)
		}
		_, err = h.service.Deliver(ctx, h.a, c.ID, issuance.Delivery{Manner: issuance.Printed})
		wants(t, err, "issuance.delivery")
		c, err = h.service.Deliver(ctx, h.a, c.ID, issuance.Delivery{Manner: issuance.Printed, IdentityChecked: true})
		must(t, err)
		if c.State != issuance.Delivered || c.Manner != issuance.Printed {
			t.Fatalf("%+v", c)
		}
		p, err := h.service.Lookup(ctx, codeOn(t, b))
		must(t, err)
		if p.Number != c.Copy.Number || p.Holding != archiveB || p.Receiving != archiveA || p.Reference != reference || p.Pages != 4 {
			t.Errorf("the public sees %+v", p)
		}
		d, err := h.service.Pages(ctx, codeOn(t, b), "2026-11-26")
		must(t, err)
		if !bytes.Equal(h.Bytes(d), b) {
			t.Error("the pages are others")
		}
	})
}

func withTime(h *house) verify.Options {
	o := h.service.Verify
	o.At = h.now
	return o
}
