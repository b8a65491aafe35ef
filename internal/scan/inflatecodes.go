package scan

import (
	"encoding/binary"
	"io"
)

// many unpacks codes of a block while there are enough data that none can be short of bits, and room in out. It is arranged so that a
// repetition takes few steps that wait for each other, and few branches that a scanner's noise decides: bytes are written before it is
// known whether they are any, and covered by what follows.
func (z *inflater) many() {
	bits, left, at, to := z.bits, uint(z.left), uint(z.at), uint(z.to)
	raw, out, lengths, places, last := z.raw, z.out, z.joined, (*[1 << prefixPlaces]uint32)(z.places.quick), uint(z.end-inflateAhead)
	_, _, _, _ = raw[0], out[0], lengths[0], places[0] // they are not nil: no need to ask each time
	for at <= last && to < inflateFull {
		bits |= binary.LittleEndian.Uint64(raw[at&(inflateRaw-1):]) << (left & 63)
		at += (63 - left) >> 3
		left |= 56
		e := lengths[bits&prefixMask]
		if e&prefixByte != 0 { // at most twice: 34 bits are left then, of which a length takes 20
			binary.LittleEndian.PutUint16(out[to&(inflateOut-1):], uint16(e>>16))
			to += uint(e >> 6 & 3)
			bits >>= e & 63
			left -= uint(e & 63)
			e = lengths[bits&prefixMask]
			if e&prefixByte != 0 {
				binary.LittleEndian.PutUint16(out[to&(inflateOut-1):], uint16(e>>16))
				to += uint(e >> 6 & 3)
				bits >>= e & 63
				left -= uint(e & 63)
				e = lengths[bits&prefixMask]
			}
		}
		if e&prefixFurther != 0 {
			e = z.lengths.at(bits)
		}
		binary.LittleEndian.PutUint16(out[to&(inflateOut-1):], uint16(e>>16))
		to += uint(e >> 6 & 3)
		was := bits
		bits >>= e & 63
		left -= uint(e & 63)
		if e&prefixValue == 0 {
			if e&prefixByte != 0 {
				continue
			}
			z.ended(e)
			break
		}
		length := 3 + uint(e>>24) + uint(was&(1<<(e&63)-1)>>(e>>8&15))

		bits |= binary.LittleEndian.Uint64(raw[at&(inflateRaw-1):]) << (left & 63)
		at += (63 - left) >> 3
		left |= 56
		d := places[bits&(1<<prefixPlaces-1)]
		if d&prefixFurther != 0 {
			d = z.places.at(bits)
		}
		was = bits
		bits >>= d & 63
		left -= uint(d & 63)
		back := uint(d>>16) + uint(was&(1<<(d&63)-1)>>(d>>8&15))
		if d&prefixValue == 0 || back > to {
			z.err = errDeflated
			break
		}
		if back < 8 {
			repeat(out, to, back, length)
			to += length
			continue
		}
		from, end := to-back, to+length
		for {
			binary.LittleEndian.PutUint64(out[to&(inflateOut-1):], binary.LittleEndian.Uint64(out[from&(inflateOut-1):]))
			if to, from = to+8, from+8; to >= end {
				break
			}
		}
		to = end
	}
	z.bits, z.left, z.at, z.to = bits, int(left), int(at), int(to)
}

// one unpacks one code, near the end of what was read: there may be fewer bits than it needs.
func (z *inflater) one() {
	z.fill()
	e := z.lengths.at(z.bits)
	length := 3 + int(e>>24) + z.skip(e)
	switch {
	case z.err != nil:
	case e&prefixByte != 0:
		z.out[z.to] = byte(e >> 16)
		z.to++
	case e&prefixValue == 0:
		z.ended(e)
	default:
		z.fill()
		d := z.places.at(z.bits)
		back := int(d>>16) + z.skip(d)
		if z.err == nil && (d&prefixValue == 0 || back > z.to) {
			z.err = errDeflated
		}
		if z.err == nil {
			repeat(z.out, uint(z.to), uint(back), uint(length))
			z.to += length
		}
	}
}

// ended ends a block by a code that stands for that, or for nothing.
func (z *inflater) ended(e uint32) {
	if z.inside = false; e&prefixEndOf == 0 {
		z.err = errDeflated
	}
}

// skip passes over a code and gives its further bits.
func (z *inflater) skip(e uint32) int {
	n := int(e & 63)
	if z.left < n {
		z.err = io.ErrUnexpectedEOF
		return 0
	}
	v := int(z.bits & (1<<n - 1) >> (e >> 8 & 15))
	z.bits >>= n
	z.left -= n
	return v
}

// repeat copies what stands so far back; it may write some bytes more. What is nearer than eight bytes is written until it stands
// there so often that eight bytes at once can be taken from it.
func repeat(out *[inflateOut + 8]byte, to, back, length uint) {
	far, i := back*(7/back+1), uint(0)
	for ; i < min(length, far-back); i++ {
		out[to+i] = out[to+i-back]
	}
	for ; i < length; i += 8 {
		binary.LittleEndian.PutUint64(out[to+i:], binary.LittleEndian.Uint64(out[to+i-far:]))
	}
}
