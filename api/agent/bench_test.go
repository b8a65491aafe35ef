//go:build cgo && !windows

package agent

import (
	"crypto/rand"
	"testing"
	"time"
)

// BenchmarkAListOfAHundred seals 100 files over HTTP with a USB Key that takes 100 ms for a signature, from the PIN to the last answer.
// Every manifest has expired by then: all are prepared anew, beside the USB Key's work. The floor is the same key signing 100
// times with nothing else to do.
func BenchmarkAListOfAHundred(b *testing.B) {
	w := newWorld(b)
	s := w.server()
	w.tokens.Fault(b, 0, "delay_ms = 100")
	var took, floor time.Duration
	for range b.N {
		task, originals := s.task(100)
		var began time.Time
		desk := &clerk{onPIN: func(PINQuestion) { w.now.move(10 * time.Minute); began = time.Now() }}
		a := s.paired(desk, rand.Text())
		w.must(a.Once(b.Context()))
		took += time.Since(began)
		if n := s.sealed(task.ID, originals); n != 100 || len(desk.asked) != 1 {
			b.Fatalf("%d sealed, asked %d times", n, len(desk.asked))
		}
		floor += w.bare(100)
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s/list")
	b.ReportMetric(floor.Seconds()/float64(b.N), "s/floor")
	b.ReportMetric(0, "ns/op")
}

// bare is how long the key alone takes for some signatures.
func (w *world) bare(signatures int) time.Duration {
	w.t.Helper()
	u, err := w.device.unlock(w.t.Context(), &clerk{}, PINQuestion{}, w.now.read)
	w.must(err)
	defer u.close()
	s, err := u.signer(w.t.Context(), is(w.instance.Certificate))
	w.must(err)
	began := time.Now()
	for range signatures {
		if _, err := s.sign(w.t.Context(), []byte("nothing")); err != nil {
			w.t.Fatal(err)
		}
	}
	return time.Since(began)
}
