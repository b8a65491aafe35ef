package intake

// maxNumber is the highest object number that the reader accepts (pdf.DefaultLimits).
const maxNumber = 8_388_607

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
