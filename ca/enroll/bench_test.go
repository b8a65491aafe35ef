package enroll

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// BenchmarkAttachRoster attaches the largest roster: each person is looked up by the blind index, sealed and recorded.
// The floor is the insertion of as many rows of the same size in one transaction.
func BenchmarkAttachRoster(b *testing.B) {
	w := newWorld(b, storetest.Open(b, filepath.Join(b.TempDir(), "yinxin.db")))
	ctx := context.Background()
	a := w.draft(unitDirect)
	rng := rand.New(rand.NewPCG(3, 3))
	persons := make([]Person, MaxPersons)
	for i := range persons {
		persons[i] = w.person(unitDirect, i+1, fixtures.MakePerson(rng), StatusActive)
	}
	b.Run("roster of 5000", func(b *testing.B) {
		for b.Loop() {
			a = w.with(w.AttachRoster(ctx, w.handler[unitDirect], a.Ref(), "2026-03-05", persons))
		}
	})
	b.Run("findings", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.Findings(ctx, w.registrar, a.ID); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		w.must(w.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS test_floor (roster TEXT, row INTEGER, content BYTEA, sealed BYTEA)`)
			return err
		}))
		content, sealed := make([]byte, 400), make([]byte, 150)
		for b.Loop() {
			w.must(w.db.Write(ctx, func(tx *store.Tx) error {
				for i := range MaxPersons {
					if _, err := tx.ExecContext(ctx, `INSERT INTO test_floor VALUES ($1, $2, $3, $4)`, "ros_x", i, content, sealed); err != nil {
						return err
					}
				}
				return nil
			}))
		}
	})
}

// BenchmarkStep takes one step after another on one application, each durable: version, history, ledger.
func BenchmarkStep(b *testing.B) {
	w := newWorld(b, storetest.Open(b, filepath.Join(b.TempDir(), "yinxin.db")))
	ctx := context.Background()
	a := w.draft(unitDirect)
	f := a.Form
	for b.Loop() {
		a = w.with(w.Edit(ctx, w.handler[unitDirect], a.Ref(), f))
	}
}
