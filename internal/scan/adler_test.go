package scan

import (
	"bytes"
	"hash/adler32"
	"math/rand/v2"
	"testing"
)

// TestAdlerIsThatOfTheLibrary, in parts of all lengths, of noise and of the highest bytes.
func TestAdlerIsThatOfTheLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for name, data := range map[string][]byte{"noise": noise(random, 300_000, 256), "the highest bytes": bytes.Repeat([]byte{255}, 300_000)} {
		for _, most := range []int{1, 7, 8, 169, 5000, 200_000} {
			ours, theirs := newAdler(), adler32.New()
			for rest := data; len(rest) > 0; {
				n := min(len(rest), 1+random.IntN(most))
				ours.add(rest[:n])
				_, _ = theirs.Write(rest[:n])
				rest = rest[n:]
				if ours.sum() != theirs.Sum32() {
					t.Fatalf("%s in parts up to %d: %08x, not %08x, %d bytes before the end", name, most, ours.sum(), theirs.Sum32(), len(rest))
				}
			}
		}
	}
}

// BenchmarkAdler stands beside its floor, the library.
func BenchmarkAdler(b *testing.B) {
	data := noise(rand.New(rand.NewPCG(7, 8)), 96<<10, 256)
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			s := newAdler()
			s.add(data)
		}
	})
	b.Run("library", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			adler32.Checksum(data)
		}
	})
}
