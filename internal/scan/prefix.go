package scan

import "math/bits"

// prefixCode is a Huffman code of DEFLATE (RFC 1951, 3.2.2) as a table by the next bits of the data. An entry holds, from the lowest
// bit: 6 bits, how many bits it takes, with the further ones; 2 bits, how many bytes it gives; 4 bits, how many bits it takes without
// the further ones; 4 bits, what it is. From bit 16 stands the byte, or, of joined entries, two; a distance; where the further table
// begins; and from bit 24 a length less 3: the least one, of distances too, to which the further bits are added. 0 stands for nothing.
type prefixCode struct {
	quick   []uint32
	further []uint32 // tables for longer codes
	width   int      // of quick, in bits
}

// prefixTable is a table by so many bits that few codes are longer.
type prefixTable [1 << prefixQuick]uint32

const (
	prefixQuick   = 11
	prefixMask    = 1<<prefixQuick - 1
	prefixPlaces  = 9 // bits for distances: their codes are shorter, and a small table stays near the processor
	prefixLongest = 15

	prefixOne     = 1 << 6  // byte
	prefixByte    = 1 << 12 // bytes and nothing else
	prefixValue   = 1 << 13 // a length or a distance
	prefixFurther = 1 << 14
	prefixEndOf   = 1 << 15 // of the block
)

func newPrefixCode(width int) prefixCode {
	return prefixCode{quick: make([]uint32, 1<<width), width: width}
}

// at is the entry for the next bits.
func (c *prefixCode) at(bits uint64) uint32 {
	e := c.quick[bits&(1<<c.width-1)]
	if e&prefixFurther != 0 {
		e = c.further[uint64(e>>16)+bits>>c.width&(1<<(prefixLongest-c.width)-1)]
	}
	return e
}

// join makes a table of bytes and lengths into one whose entries stand for two of them where both fit: two bytes, or a byte and a
// length. It halves the branches that nobody can foresee.
func (t *prefixTable) join(single []uint32) {
	for i, e := range (*prefixTable)(single) {
		if e&prefixByte != 0 {
			n := e & 63
			f := single[uint32(i)>>n]
			if f&(prefixByte|prefixValue) != 0 && n+f>>8&15 <= prefixQuick {
				if f&prefixByte != 0 {
					f += (f >> 16) * (1<<24 - 1<<16) // to the second place
				}
				e = f + e&0xff0000 + n<<8 + n + prefixOne
			}
		}
		t[i] = e
	}
}

// make builds the table for codes of so many bits each; 0: there is none. False for lengths that make no code: what is left over, and
// what is too much, but none at all, and one of one bit, are allowed as other decoders do.
func (c *prefixCode) make(sizes []byte, entry func(symbol int) uint32) bool {
	var counts, next [prefixLongest + 2]int
	longest := 0
	for _, n := range sizes {
		counts[n]++
		longest = max(longest, int(n))
	}
	clear(c.quick)
	c.further = c.further[:0]
	if longest == 0 {
		return true
	}
	counts[0] = 0
	code := 0
	for n := 1; n <= longest; n++ {
		code = (code + counts[n-1]) << 1
		next[n] = code
	}
	if total := code + counts[longest]; total != 1<<longest && !(total == 1 && longest == 1) {
		return false
	}
	for symbol, size := range sizes {
		n := int(size)
		if n == 0 {
			continue
		}
		turned := int(bits.Reverse16(uint16(next[n])) >> (16 - n))
		next[n]++
		e := entry(symbol) + uint32(n<<8|n)
		if n <= c.width {
			for at := turned; at < 1<<c.width; at += 1 << n {
				c.quick[at] = e
			}
			continue
		}
		first := &c.quick[turned&(1<<c.width-1)]
		wide := prefixLongest - c.width
		if *first == 0 {
			*first = uint32(len(c.further))<<16 | prefixFurther
			c.further = append(c.further, make([]uint32, 1<<wide)...)
		}
		table := c.further[*first>>16:][:1<<wide]
		for at := turned >> c.width; at < 1<<wide; at += 1 << (n - c.width) {
			table[at] = e
		}
	}
	return true
}

// plainEntry is for codes of the lengths of codes.
func plainEntry(symbol int) uint32 { return uint32(symbol)<<16 | prefixByte }

// lengthEntry is for bytes, the end of a block and lengths (3.2.5).
func lengthEntry(symbol int) uint32 {
	switch {
	case symbol < 256:
		return uint32(symbol)<<16 | prefixByte | prefixOne
	case symbol == 256:
		return prefixEndOf
	case symbol < 265:
		return uint32(symbol-257)<<24 | prefixValue
	case symbol < 285:
		n := symbol - 261
		further := n / 4
		return uint32((4+n%4)<<further)<<24 | uint32(further) | prefixValue
	case symbol == 285:
		return (258-3)<<24 | prefixValue
	}
	return 0
}

// placeEntry is for distances (3.2.5).
func placeEntry(symbol int) uint32 {
	switch {
	case symbol < 4:
		return uint32(symbol+1)<<16 | prefixValue
	case symbol < 30:
		further := symbol/2 - 1
		return uint32(1+(2+symbol%2)<<further)<<16 | uint32(further) | prefixValue
	}
	return 0
}

// fixedLengths are the lengths of the codes of blocks without codes of their own (3.2.6): 288 of bytes and lengths, 32 of distances.
var fixedLengths = func() (sizes [320]byte) {
	for i := range sizes {
		switch {
		case i < 144:
			sizes[i] = 8
		case i < 256:
			sizes[i] = 9
		case i < 280:
			sizes[i] = 7
		case i < 288:
			sizes[i] = 8
		default:
			sizes[i] = 5
		}
	}
	return sizes
}()
