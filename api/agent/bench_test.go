//go:build cgo && !windows

package agent

import (
	"testing"
	"time"
)

// BenchmarkAListOfAHundred seals 100 files with a USB Key that takes 100 ms for a signature, from the PIN to the last answer.
// Every manifest has expired by then: all are prepared anew, beside the USB Key's work. The floor is the same key signing 100
// times with nothing else to do.
func BenchmarkAListOfAHundred(b *testing.B) {
	w := newWorld(b)
	o := w.office(100)
	w.tokens.Fault(b, 0, "delay_ms = 100")
	var took, floor time.Duration
	for range b.N {
		clear(o.sealed)
		var began time.Time
		desk := &clerk{onPIN: func(PINQuestion) { w.now.move(10 * time.Minute); began = time.Now() }}
		w.must(w.agent(o, desk).Once(b.Context()))
		took += time.Since(began)
		u, err := w.device.unlock(b.Context(), &clerk{}, PINQuestion{}, w.now.read)
		w.must(err)
		s, err := u.signer(b.Context(), is(w.instance.Certificate))
		w.must(err)
		began = time.Now()
		for range 100 {
			if _, err := s.sign(b.Context(), []byte("nothing")); err != nil {
				b.Fatal(err)
			}
		}
		floor += time.Since(began)
		u.close()
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s/list")
	b.ReportMetric(floor.Seconds()/float64(b.N), "s/floor")
	b.ReportMetric(0, "ns/op")
	o.check()
}
