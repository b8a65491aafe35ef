package scan

import "math/bits"

// prefixCode is a Huffman code of DEFLATE (RFC 1951, 3.2.2) as a table by the next bits of the data. An entry holds, from the lowest
// bit: 4 bits, the length of the code; 4 bits, what it is; 4 bits, how many further bits follow it, or stand for the place in a
// further table; from bit 16 the byte, the least length or distance, or where the further table begins. 0 stands for nothing.
type prefixCode struct {
	quick   []uint32 // of 1 << prefixQuick
	further []uint32
}

const (
	prefixQuick   = 11
	prefixLongest = 15

	prefixByte    = 1 << 4
	prefixValue   = 1 << 5 // a length or a distance
	prefixFurther = 1 << 6
	prefixEndOf   = 1 << 7 // of the block
)

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
		e := entry(symbol) | uint32(n)
		if n <= prefixQuick {
			for at := turned; at < 1<<prefixQuick; at += 1 << n {
				c.quick[at] = e
			}
			continue
		}
		first := &c.quick[turned&(1<<prefixQuick-1)]
		const wide = prefixLongest - prefixQuick
		if *first == 0 {
			*first = uint32(len(c.further))<<16 | wide<<8 | prefixFurther
			c.further = append(c.further, make([]uint32, 1<<wide)...)
		}
		table := c.further[*first>>16:][:1<<wide]
		for at := turned >> prefixQuick; at < 1<<wide; at += 1 << (n - prefixQuick) {
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
		return uint32(symbol)<<16 | prefixByte
	case symbol == 256:
		return prefixEndOf
	case symbol < 265:
		return uint32(symbol-254)<<16 | prefixValue
	case symbol < 285:
		n := symbol - 261
		further := n / 4
		return uint32(3+(4+n%4)<<further)<<16 | uint32(further)<<8 | prefixValue
	case symbol == 285:
		return 258<<16 | prefixValue
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
		return uint32(1+(2+symbol%2)<<further)<<16 | uint32(further)<<8 | prefixValue
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
