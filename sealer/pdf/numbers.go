package pdf

import "math/bits"

// numbers is a set of object numbers: a bit for each.
type numbers []uint64

// add puts a number in; one above limit is left out, since no object has it.
func (n *numbers) add(num, limit int) {
	if num < 0 || num > limit {
		return
	}
	i := num >> 6
	if i >= len(*n) {
		grown := make(numbers, max(i+1, 2*len(*n)))
		copy(grown, *n)
		*n = grown
	}
	(*n)[i] |= 1 << (num & 63)
}

func (n numbers) remove(num int) {
	if i := num >> 6; num >= 0 && i < len(n) {
		n[i] &^= 1 << (num & 63)
	}
}

func (n numbers) has(num int) bool {
	i := num >> 6
	return num >= 0 && i < len(n) && n[i]>>(num&63)&1 == 1
}

// end is one more than the highest number.
func (n numbers) end() int {
	for i := len(n) - 1; i >= 0; i-- {
		if n[i] != 0 {
			return i<<6 + bits.Len64(n[i])
		}
	}
	return 0
}

// each calls fn for every number in rising order.
func (n numbers) each(fn func(num int) error) error {
	for i, word := range n {
		for word != 0 {
			if err := fn(i<<6 + bits.TrailingZeros64(word)); err != nil {
				return err
			}
			word &= word - 1
		}
	}
	return nil
}

// addRefs puts in every number that an object refers to.
func (n *numbers) addRefs(o Object, limit int) {
	switch v := o.(type) {
	case Ref:
		n.add(v.Num, limit)
	case Array:
		for _, o := range v {
			n.addRefs(o, limit)
		}
	case Dict:
		for _, e := range v {
			n.addRefs(e.Value, limit)
		}
	}
}
