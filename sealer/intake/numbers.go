package intake

// Sets over object numbers. A file may have half a million objects, which as maps would take more memory than all else
// that sealing needs. Numbers beyond maxNumber, which no object can have, are never in them.

// maxNumber is the highest object number that the reader accepts (pdf.DefaultLimits).
const maxNumber = 8_388_607

// bits is a set of object numbers: one bit for each number up to the highest.
type bits []uint64

func (b bits) has(num int) bool {
	return num >= 0 && num>>6 < len(b) && b[num>>6]&(1<<(num&63)) != 0
}

func (b *bits) add(num int) {
	if num < 0 || num > maxNumber {
		return
	}
	for num>>6 >= len(*b) {
		*b = append(*b, make([]uint64, max(16, num>>6+1-len(*b)))...)
	}
	(*b)[num>>6] |= 1 << (num & 63)
}

func (b bits) remove(num int) {
	if b.has(num) {
		b[num>>6] &^= 1 << (num & 63)
	}
}

// pageNumbers gives the numbers of pages, from 1, by their object numbers, in blocks that are made when needed.
type pageNumbers struct{ blocks []*[1024]int32 }

// of is 0 for what is no page.
func (p *pageNumbers) of(num int) int {
	if num < 0 || num>>10 >= len(p.blocks) || p.blocks[num>>10] == nil {
		return 0
	}
	return int(p.blocks[num>>10][num&1023])
}

func (p *pageNumbers) set(num, page int) {
	if num < 0 || num > maxNumber {
		return
	}
	for num>>10 >= len(p.blocks) {
		p.blocks = append(p.blocks, nil)
	}
	if p.blocks[num>>10] == nil {
		p.blocks[num>>10] = new([1024]int32)
	}
	p.blocks[num>>10][num&1023] = int32(page)
}
