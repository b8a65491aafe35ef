package scan

import (
	"encoding/binary"
	"errors"
	"hash"
	"hash/adler32"
	"io"
)

// inflater undoes DEFLATE in a zlib stream (RFC 1951, RFC 1950), as compress/zlib does, in a third of its time: a page of A4 at 600
// dpi is fifty million bytes of it, mostly of codes for single bytes. Its memory is made when there is something to unpack.
type inflater struct {
	in       io.Reader
	raw      []byte // read and not yet taken: raw[at:end]
	at, end  int
	bits     uint64 // taken and not yet used, from the lowest
	left     int    // how many of them; below 0: more were used than there are
	out      []byte // what was unpacked: out[from:to] is not yet read, what is before can be repeated
	from, to int
	sum      hash.Hash32 // of what was unpacked up to summed
	summed   int
	lengths  prefixCode // of single bytes, lengths and the end of a block
	places   prefixCode // of distances
	stored   int        // bytes that are left of a block that is not packed
	inside   bool       // a packed block
	last     bool       // the block is
	err      error      // after what was unpacked
}

const (
	inflateHistory = 32 << 10 // how far back repetitions may begin
	inflateOnce    = 32 << 10 // unpacked before it is read
	inflateSlack   = 258 + 16 // the longest repetition, written in steps
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
		z.raw, z.out, z.sum = make([]byte, 16<<10), make([]byte, inflateHistory+inflateOnce+inflateSlack), adler32.New()
		z.lengths.quick, z.places.quick = make([]uint32, 1<<prefixQuick), make([]uint32, 1<<prefixQuick)
	}
	if z.to == 0 {
		z.sum.Reset()
	}
	if z.to >= inflateHistory+inflateOnce {
		copy(z.out, z.out[z.to-inflateHistory:z.to])
		z.from, z.to = inflateHistory, inflateHistory
	}
	z.summed = z.to
	for z.to < inflateHistory+inflateOnce && z.err == nil {
		switch {
		case z.inside:
			z.block()
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
	_, _ = z.sum.Write(z.out[z.summed:z.to])
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
				if z.end, err = z.in.Read(z.raw); err != nil {
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
		if z.err = io.EOF; sum != z.sum.Sum32() {
			z.err = errDeflated
		}
	}
}

// copyStored copies what is not packed.
func (z *inflater) copyStored() {
	const most = inflateHistory + inflateOnce
	for z.stored > 0 && z.to < most && z.err == nil {
		if z.left == 0 && z.at < z.end {
			z.bits = 0
			n := copy(z.out[z.to:min(z.to+z.stored, most)], z.raw[z.at:z.end])
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
		z.inside = z.lengths.make(fixedLengths[:288], lengthEntry) && z.places.make(fixedLengths[288:], placeEntry)
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
		e := z.places.quick[z.bits&(1<<prefixQuick-1)]
		if e == 0 || z.left < int(e&15) {
			return
		}
		z.bits >>= e & 15
		z.left -= int(e & 15)
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
	if z.lengths.make(sizes[:lengths], lengthEntry) && z.places.make(sizes[lengths:lengths+places], placeEntry) {
		z.inside, z.err = true, nil
	}
}

// block unpacks codes until the block ends or out is full.
func (z *inflater) block() {
	bits, left, to, out := z.bits, z.left, z.to, z.out
	lengths, places := z.lengths.quick[:1<<prefixQuick], z.places.quick[:1<<prefixQuick]
	for to < inflateHistory+inflateOnce {
		if left < prefixLongest {
			if z.end-z.at >= 8 {
				bits |= binary.LittleEndian.Uint64(z.raw[z.at:]) << (left & 63)
				z.at += (63 - left) >> 3
				left |= 56
			} else {
				z.bits, z.left = bits, left
				z.fill()
				bits, left = z.bits, z.left
			}
		}
		e := lengths[bits&(1<<prefixQuick-1)]
		if e&prefixFurther != 0 {
			e = z.lengths.further[int(e>>16)+int(bits>>prefixQuick&(1<<(e>>8&15)-1))]
		}
		bits >>= e & 15
		left -= int(e & 15)
		if e&prefixByte != 0 {
			out[to] = byte(e >> 16)
			if to++; left < 0 {
				to--
				break
			}
			continue
		}
		if left < 0 || e&prefixValue == 0 { // the end of the block, of the data, or nothing
			if z.inside = false; e&prefixEndOf == 0 {
				z.err = errDeflated
			}
			break
		}
		if left < 33 { // for 5 further bits of the length, a code of 15 and 13 further bits
			z.bits, z.left = bits, left
			z.fill()
			bits, left = z.bits, z.left
		}
		further := e >> 8 & 15
		length := int(e>>16) + int(bits&(1<<further-1))
		bits >>= further
		left -= int(further)
		d := places[bits&(1<<prefixQuick-1)]
		if d&prefixFurther != 0 {
			d = z.places.further[int(d>>16)+int(bits>>prefixQuick&(1<<(d>>8&15)-1))]
		}
		bits >>= d & 15
		left -= int(d & 15)
		further = d >> 8 & 15
		back := int(d>>16) + int(bits&(1<<further-1))
		bits >>= further
		left -= int(further)
		if d&prefixValue == 0 || left < 0 || back > to {
			z.err = errDeflated
			break
		}
		repeat(out, to, back, length)
		to += length
	}
	if left < 0 {
		left, z.err = 0, io.ErrUnexpectedEOF
	}
	z.bits, z.left, z.to = bits, left, to
}

// repeat copies what stands so far back; it may write some bytes more.
func repeat(out []byte, to, back, length int) {
	if back >= 8 {
		for i := 0; i < length; i += 8 {
			binary.LittleEndian.PutUint64(out[to+i:], binary.LittleEndian.Uint64(out[to-back+i:]))
		}
		return
	}
	for i := to; i < to+length; i++ {
		out[i] = out[i-back]
	}
}
