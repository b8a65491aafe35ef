//go:build cgo

package hsm

import (
	"context"
	"sync"
	"testing"
	"time"
)

// BenchmarkSignDigest is the cost of pool and adaptor beside the bare C_SignInit and C_Sign of the same token.
func BenchmarkSignDigest(b *testing.B) {
	w := newWorld(b, "sansec")
	w.config.Clock = time.Now
	token := w.activate()
	k := w.generate(token, "one")
	e := digest(k, "档案")
	bare, ok := w.spy.cryptoki.(library)
	if !ok {
		b.Fatal("not a library")
	}
	h, err := bare.OpenSession(0, false)
	w.must(err)
	object := k.reference.Load().handle
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			if _, err := bare.Sign(h, object, w.config.Profile.sign, e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("key", func(b *testing.B) {
		for b.Loop() {
			if _, err := k.SignDigest(context.Background(), e); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPool has 16 callers at a token of 8 sessions that needs 10 ms for a signature: busy% is how much of the time the
// sessions worked. Its floor is eight callers that hold a session each and sign with nothing in between.
func BenchmarkPool(b *testing.B) {
	w := newWorld(b, "sansec", "sessions = 32")
	w.config.Clock = time.Now
	token := w.activate()
	k := w.generate(token, "one")
	e := digest(k, "档案")
	bare := w.spy.cryptoki
	object := k.reference.Load().handle
	w.folder.Fault(b, 0, "delay_ms = 10")
	share := func(b *testing.B, callers int, sign func(caller int) error) {
		var group sync.WaitGroup
		work := make(chan struct{}, b.N)
		for range b.N {
			work <- struct{}{}
		}
		close(work)
		for caller := range callers {
			group.Go(func() {
				for range work {
					if err := sign(caller); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
	}
	b.Run("floor", func(b *testing.B) {
		var sessions [8]handle
		for i := range sessions {
			var err error
			sessions[i], err = bare.OpenSession(0, false)
			w.must(err)
		}
		defer func() {
			for _, h := range sessions {
				w.must(bare.CloseSession(h))
			}
		}()
		b.ResetTimer()
		share(b, len(sessions), func(caller int) error {
			_, err := bare.Sign(sessions[caller], object, w.config.Profile.sign, e)
			return err
		})
	})
	b.Run("pool", func(b *testing.B) {
		before := token.Metrics().SignBusy
		began := time.Now()
		share(b, 16, func(int) error {
			_, err := k.SignDigest(context.Background(), e)
			return err
		})
		busy := token.Metrics().SignBusy - before
		b.ReportMetric(100*float64(busy)/float64(8*time.Since(began)), "busy%")
	})
}
