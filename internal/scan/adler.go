package scan

import "encoding/binary"

// adler is the sum behind a zlib stream (RFC 1950, 8.2), as hash/adler32 makes it, in three fifths of its time: a is the sum of the bytes and b
// that of all a, both modulo adlerPrime.
type adler struct{ a, b uint64 }

const (
	adlerPrime = 65521
	adlerWords = 21 // of eight bytes, whose sums of sums fit into sixteen bits: 255 * (0 + 1 + … + 20)
)

func newAdler() adler { return adler{a: 1} }

// add takes at most some megabytes at once.
func (s *adler) add(p []byte) {
	const lanes = 0x00ff00ff00ff00ff
	a, b := s.a, s.b
	for ; len(p) >= 8*adlerWords; p = p[8*adlerWords:] {
		// Four bytes of each word are added at once: those at even places, and those at odd ones.
		var even, odd, evens, odds uint64
		for i := 0; i < 8*adlerWords; i += 8 {
			w := binary.LittleEndian.Uint64(p[i : i+8])
			evens, odds = evens+even, odds+odd
			even, odd = even+w&lanes, odd+w>>8&lanes
		}
		b += 8*adlerWords*a + 8*(sum16(evens)+sum16(odds))
		a += sum16(even) + sum16(odd)
		for place := uint64(0); place < 8; place += 2 {
			b += (8-place)*(even&0xffff) + (7-place)*(odd&0xffff)
			even, odd = even>>16, odd>>16
		}
	}
	for _, v := range p {
		a += uint64(v)
		b += a
	}
	s.a, s.b = a%adlerPrime, b%adlerPrime
}

func (s *adler) sum() uint32 { return uint32(s.b<<16 | s.a) }

// sum16 adds the four numbers of sixteen bits in v.
func sum16(v uint64) uint64 { return v&0xffff + v>>16&0xffff + v>>32&0xffff + v>>48 }
