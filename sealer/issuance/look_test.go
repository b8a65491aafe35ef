package issuance_test

import (
	"bytes"
	"testing"

	"yinxin/fixtures"
	"yinxin/sealer/issuance"
	"yinxin/sealer/sealertest"
)

func TestWhatAnArchiveSeesOfItsCases(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		c := h.opened()
		waiting, err := h.service.Waiting(ctx, h.b)
		must(t, err)
		if waiting != (issuance.Waiting{Answer: 1}) {
			t.Errorf("%+v", waiting)
		}
		_, err = h.service.Answer(ctx, h.b, c.ID, issuance.Answer{Result: issuance.Held, Reference: reference})
		must(t, err)
		for seed, pages := range map[uint64]int{1: 1, 2: reference.Pages - 1} {
			file, err := fixtures.ArchivalCopy(seed, pages)
			must(t, err)
			_, err = h.service.AddPages(ctx, h.b, c.ID, "copy.pdf", file)
			must(t, err)
		}
		_, err = h.service.ArrangePages(ctx, h.b, c.ID, 2, []int{2, 2})
		wants(t, err, "issuance.order")
		_, err = h.service.ArrangePages(ctx, h.a, c.ID, 2, []int{2, 1})
		wants(t, err, "issuance.side")
		before, err := h.service.Case(ctx, h.b, c.ID)
		must(t, err)
		after, err := h.service.ArrangePages(ctx, h.b, c.ID, 2, []int{2, 1})
		must(t, err)
		if len(after.Parts) != 2 || after.Parts[0].Pages != before.Parts[1].Pages || after.Parts[1].Pages != before.Parts[0].Pages {
			t.Errorf("%+v, then %+v", before.Parts, after.Parts)
		}
		look, err := h.service.Preview(ctx, h.b, c.ID)
		must(t, err)
		if !bytes.HasPrefix(look, []byte("%PDF-")) || h.count(`SELECT COUNT(*) FROM issuance_copy`) != 0 {
			t.Error("a preview leaves something behind, or is none")
		}
		for text, n := range map[string]int{"": 1, c.Number[3:]: 1, "%": 0, "_": 0, "!": 0, "yd-": 1} {
			list, err := h.service.Cases(ctx, h.b, issuance.Filter{Text: text})
			must(t, err)
			if len(list) != n {
				t.Errorf("%q finds %d", text, len(list))
			}
		}
		_, err = h.service.Issue(ctx, h.b, c.ID, issuance.Order{Seal: sealertest.Code})
		must(t, err)
		report, err := h.service.Check(ctx, h.a, c.ID, "zh")
		must(t, err)
		if report.Verdict != "valid" {
			t.Errorf("%+v", report)
		}
		if waiting, err = h.service.Waiting(ctx, h.a); err != nil || waiting != (issuance.Waiting{Receive: 1}) {
			t.Errorf("%+v %v", waiting, err)
		}
		_, err = h.service.ReceiveHere(ctx, h.a, c.ID)
		must(t, err)
		if waiting, err = h.service.Waiting(ctx, h.a); err != nil || waiting != (issuance.Waiting{Deliver: 1}) {
			t.Errorf("%+v %v", waiting, err)
		}
	})
}
