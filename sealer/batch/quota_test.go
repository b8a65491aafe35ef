package batch_test

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/sealer"
	"yinxin/sealer/batch"
	"yinxin/sealer/sealertest"
)

func (h *house) exec(statement string, args ...any) {
	h.t.Helper()
	must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(h.t.Context(), statement, args...)
		return err
	}))
}

func (h *house) used() int { return h.count(`SELECT used FROM seal_grant`) }

// TestEveryWayOfSealingCountsAgainstTheGrant: one use for each document that is released, none for what is not.
func TestEveryWayOfSealingCountsAgainstTheGrant(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		defer h.process(h.Sealer)()
		original := sealertest.Original(t)
		spend := func(what string, uses int, do func()) {
			t.Helper()
			before := h.used()
			do()
			if n := h.used() - before; n != uses {
				t.Errorf("%s: %d uses", what, n)
			}
		}
		h.exec(`UPDATE seal_grant SET quota = 6`)
		spend("a stored document", 1, func() {
			_, err := h.Sealer.Seal(ctx, h.Clerk, sealertest.Order(h.Upload(original), "one"))
			must(t, err)
		})
		spend("a file in one call, and its repetition", 1, func() {
			for range 2 {
				_, err := h.Sealer.SealFile(ctx, h.Clerk, "a.pdf", bytes.NewReader(original), sealertest.Order(sealer.Document{}, "file"))
				must(t, err)
			}
		})
		var job sealer.Job
		var err error
		spend("what is prepared", 1, func() {
			job, err = h.Sealer.Prepare(ctx, h.Clerk, sealertest.Order(h.Upload(original), "job"))
			must(t, err)
		})
		spend("what is given up", -1, func() { must(t, h.Sealer.Discard(ctx, h.Clerk, job.ID)) })
		spend("what cannot be sealed", 0, func() {
			o := sealertest.Order(h.Upload(original), "")
			o.Places[0].Page = 9
			_, err := h.Sealer.Seal(ctx, h.Clerk, o)
			wants(t, err, "pdf.no-such-page")
		})
		d := h.Upload(original)
		trial := h.Clerk
		trial.Only = access.Only{Sandbox: true}
		_, err = h.service.Create(ctx, trial, h.request(1))
		wants(t, err, "access.key-sandbox")

		// Four are left: of a batch of three and of three orders at the same moment, four are sealed.
		b, err := h.service.Create(ctx, h.Clerk, h.request(3))
		must(t, err)
		var side sync.WaitGroup
		var sealed atomic.Int32
		for range 3 {
			document := h.Upload(original)
			side.Go(func() {
				if _, err := h.Sealer.Seal(context.WithoutCancel(ctx), h.Clerk, sealertest.Order(document, "")); err == nil {
					sealed.Add(1)
				}
			})
		}
		side.Wait()
		b = h.until(b.ID, done)
		if n := int(sealed.Load()) + b.Count[batch.FileSealed]; n != 4 || h.used() != 6 {
			t.Errorf("%d were sealed, %d uses", n, h.used())
		}
		left := b.Count[batch.FileFailed]
		for what, do := range map[string]func() error{
			"a stored document": func() error { _, err := h.Sealer.Seal(ctx, h.Clerk, sealertest.Order(d, "")); return err },
			"a file": func() error {
				_, err := h.Sealer.SealFile(ctx, h.Clerk, "a.pdf", bytes.NewReader(original), sealertest.Order(sealer.Document{}, ""))
				return err
			},
			"a job":   func() error { _, err := h.Sealer.Prepare(ctx, h.Clerk, sealertest.Order(d, "")); return err },
			"a batch": func() error { _, err := h.service.Create(ctx, h.Clerk, h.request(1)); return err },
			"a retry": func() error { _, err := h.service.Retry(ctx, h.Clerk, b.ID); return err },
		} {
			if what == "a retry" && left == 0 {
				continue
			}
			t.Run(what, func(t *testing.T) { wants(t, do(), "seal.quota-exhausted") })
		}
		// What is taken up again counts like what is new.
		if left > 0 {
			h.exec(`UPDATE seal_grant SET quota = 7`)
			spend("a retry", 1, func() {
				_, err := h.service.Retry(ctx, h.Clerk, b.ID)
				must(t, err)
				if b = h.until(b.ID, done); b.Count[batch.FileFailed] != left-1 {
					t.Errorf("%+v", b)
				}
			})
		}
	})
}
