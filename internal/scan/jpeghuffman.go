package scan

// shortBits are the bits by which codes are looked up; longer ones are rare.
const shortBits = 10

// huffman is a code of JPEG (ITU-T T.81, annex C and F.2.2.3).
type huffman struct {
	short   [1 << shortBits]symbol // by the next bits; 0 where the code is longer
	limits  [17]uint32             // of codes of each length: the first one that is too large, in 16 bits
	offsets [17]int32              // what is added to a code of a length to find its symbol
	symbols []symbol
}

// symbol is what a code means: how many bits it has, how many coefficients are skipped before the next one, and how many further
// bits that one has, or, where these fit among the bits that were looked up, itself, the bits being counted with those of the code.
type symbol int32

func newSymbol(length, skip, extra uint, value int32) symbol {
	return symbol(value<<16 | int32(extra)<<12 | int32(skip)<<5 | int32(length))
}

func (s symbol) length() uint { return uint(s) & 31 }
func (s symbol) skip() int    { return int(s) >> 5 & 127 }
func (s symbol) extra() uint  { return uint(s) >> 12 & 15 }
func (s symbol) value() int32 { return int32(s) >> 16 }

// newHuffman makes the code that has so many words of each length, which mean these bytes. Coefficients other than the lowest are
// told by run and size (ac). False where there are more words than a length has room for.
func newHuffman(counts, meanings []byte, ac bool) (*huffman, bool) {
	h := &huffman{}
	code, next := uint32(0), 0
	for length := 1; length <= 16; length++ {
		h.offsets[length] = int32(next) - int32(code)
		for range counts[length-1] {
			s, ok := meaningOf(meanings[next], uint(length), ac)
			if !ok || code >= 1<<length {
				return nil, false
			}
			h.symbols = append(h.symbols, s)
			if length <= shortBits {
				h.fillShort(code<<(shortBits-length), length, s)
			}
			code++
			next++
		}
		h.limits[length] = code << (16 - length)
		code <<= 1
	}
	return h, true
}

// meaningOf reads a byte of the table. A lowest coefficient of more than 11 bits, and others of more than 10, are not baseline.
func meaningOf(meaning byte, length uint, ac bool) (symbol, bool) {
	run, size := uint(meaning>>4), uint(meaning&15)
	switch {
	case !ac:
		return newSymbol(length, 0, size, 0), run == 0 && size <= 11
	case size > 0:
		return newSymbol(length, run, size, 0), size <= 10
	case run == 15:
		return newSymbol(length, 16, 0, 0), true
	}
	return newSymbol(length, 64, 0, 0), run == 0 // the end of the block
}

// fillShort enters a code for all that may follow it.
func (h *huffman) fillShort(from uint32, length int, s symbol) {
	for i := range uint32(1) << (shortBits - length) {
		h.short[from+i] = s
		if n := int(s.extra()); n > 0 && length+n <= shortBits {
			value := int32(i >> (shortBits - length - n))
			if value < 1<<(n-1) {
				value += -1<<n + 1
			}
			h.short[from+i] = newSymbol(uint(length+n), uint(s.skip()), 0, value)
		}
	}
}

// long finds a code that is longer than shortBits; 0 where there is none.
func (h *huffman) long(bits uint64) symbol {
	code := uint32(bits >> 48)
	for length := shortBits + 1; length <= 16; length++ {
		if code < h.limits[length] {
			if i := int32(code>>(16-length)) + h.offsets[length]; i >= 0 && int(i) < len(h.symbols) {
				return h.symbols[i]
			}
			return 0
		}
	}
	return 0
}

// zigzag is where the coefficients of a block stand (ITU-T T.81, figure A.6).
var zigzag = func() (order [64]uint8) {
	i := 0
	for diagonal := range 15 {
		for k := range diagonal + 1 {
			x, y := k, diagonal-k
			if diagonal%2 == 1 {
				x, y = y, x
			}
			if x < 8 && y < 8 {
				order[i] = uint8(8*y + x)
				i++
			}
		}
	}
	return order
}()
