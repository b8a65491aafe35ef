package scan

import (
	"encoding/binary"
	"errors"
	"io"
)

// lzw undoes the LZW of TIFF and PDF (TIFF 6.0, section 13): codes of 9 to 12 bits, the highest bit first, that grow one code early.
// A page of A4 at 600 dpi has fifty million codes.
type lzw struct {
	in      io.Reader
	raw     [4096]byte // read and not yet taken: raw[at:end]
	at, end int
	bits    uint64 // taken and not yet used, from the top
	left    uint   // how many of them
	width   uint   // of a code
	next    int    // code that is defined next
	last    int    // code before; -1: none, nothing is defined by the next one
	table   [1 << lzwWidest]lzwString
	out     [32<<10 + 1<<lzwWidest + lzwChunk]byte // unpacked and not yet read: out[from:to]
	from    int
	to      int
	err     error // after that
}

// lzwString is what a code stands for: in chunks of eight bytes, so that few steps write long ones.
type lzwString struct {
	tail   uint64 // the last chunk, its first byte lowest
	length uint16
	before uint16 // code of what stands before the last chunk
	first  byte
}

const (
	lzwWidest = 12
	lzwChunk  = 8
	lzwClear  = 256
	lzwEnd    = 257
)

var errLZW = errors.New("a code of LZW that stands for nothing")

// newLZW gives a reader of what LZW data hold.
func newLZW(in io.Reader) *lzw {
	z := new(lzw)
	for i := range lzwClear {
		z.table[i] = lzwString{tail: uint64(i), length: 1, first: byte(i)}
	}
	z.reset(in)
	return z
}

// reset begins with other data.
func (z *lzw) reset(in io.Reader) {
	z.in, z.at, z.end, z.bits, z.left, z.from, z.to, z.err = in, 0, 0, 0, 0, 0, 0, nil
	z.clear()
}

func (z *lzw) clear() { z.width, z.next, z.last = 9, lzwEnd, -1 }

func (z *lzw) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if z.from == z.to {
			if z.err != nil {
				break
			}
			z.from, z.to = 0, 0
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

// fill takes whole bytes until there are bits for a code. False at the end of the data.
func (z *lzw) fill() bool {
	if z.end-z.at >= 8 {
		z.bits |= binary.BigEndian.Uint64(z.raw[z.at:]) >> z.left
		whole := (63 - z.left) / 8
		z.at, z.left = z.at+int(whole), z.left+8*whole
		z.bits &= ^uint64(0) << (64 - z.left)
		return true
	}
	for z.left < z.width {
		if z.at == z.end {
			z.at = 0
			for tries := 0; ; tries++ {
				var err error
				if z.end, err = z.in.Read(z.raw[:]); z.end > 0 {
					break
				}
				if err != nil || tries == 100 {
					if z.err = err; err == nil || err == io.EOF {
						z.err = io.ErrUnexpectedEOF
					}
					return false
				}
			}
		}
		z.bits |= uint64(z.raw[z.at]) << (56 - z.left)
		z.at, z.left = z.at+1, z.left+8
	}
	return true
}

// unpack fills out, or sets err.
func (z *lzw) unpack() {
	to := 0
	for to < len(z.out)-len(z.table)-lzwChunk {
		if z.left < z.width && !z.fill() {
			break
		}
		code := int(z.bits >> (64 - z.width))
		z.bits <<= z.width
		z.left -= z.width
		if code == lzwClear {
			z.clear()
			continue
		}
		if code == lzwEnd {
			z.err = io.EOF
			break
		}
		if z.last >= 0 { // the string before, and the first byte of this one, which may be that string itself
			before, c := &z.table[z.last&0xfff], code
			if code == z.next {
				c = z.last
			}
			s := lzwString{uint64(z.table[c&0xfff].first), before.length + 1, uint16(z.last), before.first}
			if k := before.length % lzwChunk; k != 0 {
				s.tail, s.before = before.tail|s.tail<<(8*k), before.before
			}
			if code > z.next {
				z.err = errLZW
				break
			}
			z.table[z.next&0xfff] = s
		} else if code >= z.next && code >= lzwClear {
			z.err = errLZW
			break
		}
		s := &z.table[code&0xfff]
		binary.LittleEndian.PutUint64(z.out[to:], s.tail)
		if s.length > lzwChunk {
			for at := int(s.length-1) &^ (lzwChunk - 1); ; at -= lzwChunk {
				binary.LittleEndian.PutUint64(z.out[to+at:], s.tail)
				if at == 0 {
					break
				}
				s = &z.table[s.before&0xfff]
			}
			s = &z.table[code&0xfff]
		}
		to += int(s.length)
		z.last = code
		if z.next < 1<<lzwWidest-1 {
			z.next++
		}
		switch {
		case z.next+1 < 1<<z.width:
		case z.width < lzwWidest:
			z.width++
		default:
			z.last = -1 // the table is full: what follows defines nothing
		}
	}
	z.to = to
}
