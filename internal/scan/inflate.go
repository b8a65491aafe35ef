package scan

import (
	"encoding/binary"
	"errors"
	"io"
)

// inflater undoes DEFLATE in a zlib stream (RFC 1951, RFC 1950), as compress/zlib does, in a third of its time: a page of A4 at 600
// dpi is fifty million bytes of it, most of them repetitions of three to five bytes. Its memory is made when there is something to unpack.
type inflater struct {
	in       io.Reader
	raw      *[inflateRaw + 8]byte // read and not yet taken: raw[at:end]
	at, end  int
	bits     uint64                // taken and not yet used, from the lowest
	left     int                   // how many of them
	out      *[inflateOut + 8]byte // what was unpacked: out[from:to] is not yet read, what is before can be repeated
	from, to int
	sum      adler // of what was unpacked up to summed
	summed   int
	lengths  prefixCode   // of single bytes, lengths and the end of a block
	joined   *prefixTable // of two of them in one
	places   prefixCode   // of distances
	stored   int          // bytes that are left of a block that is not packed
	inside   bool         // a packed block
	last     bool         // the block is
	err      error        // after what was unpacked
}

const (
	inflateHistory = 32 << 10 // how far back repetitions may begin
	// Both are powers of two, so that a place within is a mask and not a comparison; the eight bytes behind are read and written, never used.
	inflateRaw = 16 << 10
	inflateOut = 128 << 10

	inflateFull  = inflateOut - 512 // from there on nothing is unpacked: the longest repetition fits, with bytes before it, in whole steps
	inflateAhead = 16               // bytes of raw that one round of many takes at most
)

var errDeflated = errors.New("DEFLATE data that mean nothing")

// inflate gives what a zlib stream holds. A broken head gives a reader that fails.
func inflate(data io.Reader) *inflater {
	z := new(inflater)
	z.reset(data)
	return z
}

// reset begins with other data.
func (z *inflater) reset(in io.Reader) {
	z.sum = newAdler()
	z.in, z.at, z.end, z.bits, z.left, z.from, z.to, z.summed, z.stored, z.inside, z.last, z.err = in, 0, 0, 0, 0, 0, 0, 0, 0, false, false, nil
	var head [2]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		z.err = io.ErrUnexpectedEOF
	} else if v := binary.BigEndian.Uint16(head[:]); head[0]&15 != 8 || head[0]>>4 > 7 || v%31 != 0 || head[1]&0x20 != 0 {
		z.err = errDeflated
	}
}

func (z *inflater) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if z.from == z.to {
			if z.err != nil {
				break
			}
			z.unpack()
			continue
		}
		copied := copy(p[n:], z.out[z.from:z.to])
		z.from, n = z.from+copied, n+copied
	}
	if n == 0 && len(p) > 0 {
		return 0, z.err
	}
	return n, nil
}

// unpack goes on until there is something to read, or sets err.
func (z *inflater) unpack() {
	if z.out == nil {
		z.raw, z.out = new([inflateRaw + 8]byte), new([inflateOut + 8]byte)
		z.lengths, z.joined, z.places = newPrefixCode(prefixQuick), new(prefixTable), newPrefixCode(prefixPlaces)
	}
	if z.to >= inflateFull {
		copy(z.out[:], z.out[z.to-inflateHistory:z.to])
		z.from, z.to = inflateHistory, inflateHistory
	}
	z.summed = z.to
	for z.to < inflateFull && z.err == nil {
		switch {
		case z.inside && z.end-z.at >= inflateAhead:
			z.many()
		case z.inside:
			z.one()
		case z.stored > 0:
			z.copyStored()
		case z.last:
			z.check()
		default:
			z.header()
		}
	}
	z.addUp()
}

// addUp brings the sum up to date.
func (z *inflater) addUp() {
	z.sum.add(z.out[z.summed:z.to])
	z.summed = z.to
}

// fill takes bytes until there are 56 bits, or no more data.
func (z *inflater) fill() {
	if z.end-z.at >= 8 {
		z.bits |= binary.LittleEndian.Uint64(z.raw[z.at:]) << z.left
		z.at += (63 - z.left) >> 3
		z.left |= 56
		return
	}
	for z.left < 56 {
		if z.at == z.end {
			z.at, z.end = 0, 0
			for tries := 0; z.end == 0 && tries < 100; tries++ {
				var err error
				if z.end, err = z.in.Read(z.raw[:inflateRaw]); err != nil {
					break
				}
			}
			if z.end == 0 {
				return
			}
		}
		z.bits |= uint64(z.raw[z.at]) << z.left
		z.at, z.left = z.at+1, z.left+8
	}
}

// take gives a number of so many bits, at most 16, and sets err where there are fewer.
func (z *inflater) take(n int) int {
	if z.left < n {
		if z.fill(); z.left < n {
			z.err = io.ErrUnexpectedEOF
			return 0
		}
	}
	v := int(z.bits & (1<<n - 1))
	z.bits >>= n
	z.left -= n
	return v
}

// toByte passes over the rest of a byte.
func (z *inflater) toByte() { z.take(z.left & 7) }

// check reads the sum behind the last block.
func (z *inflater) check() {
	z.addUp()
	z.toByte()
	sum := uint32(0)
	for range 4 {
		sum = sum<<8 | uint32(z.take(8))
	}
	if z.err == nil {
		if z.err = io.EOF; sum != z.sum.sum() {
			z.err = errDeflated
		}
	}
}

// copyStored copies what is not packed.
func (z *inflater) copyStored() {
	for z.stored > 0 && z.to < inflateFull && z.err == nil {
		if z.left == 0 && z.at < z.end {
			z.bits = 0
			n := copy(z.out[z.to:min(z.to+z.stored, inflateFull)], z.raw[z.at:z.end])
			z.at, z.to, z.stored = z.at+n, z.to+n, z.stored-n
			continue
		}
		if v := z.take(8); z.err == nil {
			z.out[z.to] = byte(v)
			z.to, z.stored = z.to+1, z.stored-1
		}
	}
}

// header reads how the next block is packed (RFC 1951, 3.2.3).
func (z *inflater) header() {
	z.last = z.take(1) == 1
	switch z.take(2) {
	case 0:
		z.toByte()
		n, not := z.take(16), z.take(16)
		if z.err == nil && n != not^0xffff {
			z.err = errDeflated
		}
		z.stored = n
	case 1:
		z.begin(fixedLengths[:288], fixedLengths[288:])
	case 2:
		z.ownCodes()
	default:
		z.err = errDeflated
	}
}

// ownCodes reads the codes of a block, which are packed themselves (RFC 1951, 3.2.7).
func (z *inflater) ownCodes() {
	order := [19]byte{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	lengths, places, n := z.take(5)+257, z.take(5)+1, z.take(4)+4
	var sizes [320]byte
	for _, symbol := range order[:n] {
		sizes[symbol] = byte(z.take(3))
	}
	if z.err != nil {
		return
	}
	z.err = errDeflated // unless all of it is well
	if lengths > 286 || places > 30 || !z.places.make(sizes[:19], plainEntry) {
		return
	}
	clear(sizes[:19])
	for at := 0; at < lengths+places; {
		z.fill()
		e := z.places.at(z.bits)
		if e == 0 || z.left < int(e&63) {
			return
		}
		z.bits >>= e & 63
		z.left -= int(e & 63)
		symbol, again := byte(e>>16), 1
		if symbol >= 16 {
			z.err = nil
			switch symbol {
			case 16:
				again = 3 + z.take(2)
			case 17:
				again = 3 + z.take(3)
			default:
				again = 11 + z.take(7)
			}
			if z.err != nil {
				return
			}
			z.err = errDeflated
			if symbol > 16 {
				symbol = 0
			} else if at == 0 {
				return
			} else {
				symbol = sizes[at-1]
			}
		}
		if at+again > lengths+places {
			return
		}
		for range again {
			sizes[at] = symbol
			at++
		}
	}
	z.begin(sizes[:lengths], sizes[lengths:lengths+places])
}

// begin begins a block of codes of such lengths.
func (z *inflater) begin(lengths, places []byte) {
	if z.err = errDeflated; z.lengths.make(lengths, lengthEntry) && z.places.make(places, placeEntry) {
		z.joined.join(z.lengths.quick)
		z.inside, z.err = true, nil
	}
}
