package terminal_test

import (
	"path/filepath"
	"testing"

	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/sealer"
	"yinxin/sealer/sealertest"
	"yinxin/sealer/terminal"
)

// BenchmarkItem is what one item costs the server: claim kept, prepared, manifest signed and verified, signed by a key in memory, completed and
// checked; beside it the floor, the same document sealed in one step with the central key.
func BenchmarkItem(b *testing.B) {
	w := newWorld(b, storetest.Open(b, filepath.Join(b.TempDir(), "yinxin.db")))
	document, err := w.sealer.Document(b.Context(), w.clerk, w.upload(w.clerk))
	must(b, err)
	box := w.pair(w.clerk)
	b.Run("item", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			made, _, err := w.service.Create(b.Context(), w.clerk, terminal.NewTask{Orders: []sealer.Order{order(document.ID)}, IdempotencyKey: store.NewID("once_")})
			must(b, err)
			item := box.claim(made.ID).Items[0]
			b.StartTimer()
			_, err = w.service.Complete(b.Context(), box.at(), box.sign(box.prepare(made.ID, item)))
			must(b, err)
		}
	})
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			_, err := w.sealer.Seal(b.Context(), w.clerk, sealertest.Order(document, ""))
			must(b, err)
		}
	})
}
