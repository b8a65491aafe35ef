package pdf

import "strconv"

// part is the source of an object of an appearance. It is cut where the numbers of other parts stand, which are not known
// before the appearance is written into a file.
type part struct {
	pieces [][]byte
	refs   []int // after pieces[i] the number of part refs[i]; one less than pieces
}

// add appends bytes to the source.
func (p *part) add(b []byte) {
	if len(p.pieces) == 0 {
		p.pieces = [][]byte{nil}
	}
	last := &p.pieces[len(p.pieces)-1]
	*last = append(*last, b...)
}

func (p *part) text(s string) { p.add([]byte(s)) }

// reference appends a reference to a part.
func (p *part) reference(to int) {
	p.add(nil)
	p.refs = append(p.refs, to)
	p.pieces = append(p.pieces, []byte(" 0 R"))
}

// stream completes an open dictionary with compressed data.
func (p *part) stream(data []byte) error {
	packed, err := deflate(data)
	if err != nil {
		return err
	}
	p.text("/Filter/FlateDecode/Length " + strconv.Itoa(len(packed)) + ">>\nstream\n")
	p.add(packed)
	p.text("\nendstream")
	return nil
}

// shifted is the part with references to parts that come by later in the list.
func (p part) shifted(by int) part {
	refs := make([]int, len(p.refs))
	for i, r := range p.refs {
		refs[i] = r + by
	}
	return part{p.pieces, refs}
}

// size is not less than the bytes that the part takes in a file, with its number.
func (p part) size() int {
	n := 64 + 10*len(p.refs)
	for _, b := range p.pieces {
		n += len(b)
	}
	return n
}

// write writes the source; the parts have the numbers from first on.
func (p part) write(w *writer, first int) {
	for i, b := range p.pieces {
		w.buf = append(w.buf, b...)
		if i < len(p.refs) {
			w.integer(int64(first + p.refs[i]))
		}
	}
}
