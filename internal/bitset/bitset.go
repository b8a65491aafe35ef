// Package bitset keeps sets of object numbers. A file may have millions of objects, whose numbers as a map would take
// more memory than all else that reading it needs.
package bitset

import "math/bits"

// Set is a set of whole numbers from 0: a bit for each up to the highest. The zero value is empty.
type Set []uint64

// Add puts a number in; a negative one, or one above limit, is left out, since no object has it.
func (s *Set) Add(num, limit int) {
	if num < 0 || num > limit {
		return
	}
	i := num >> 6
	if i >= len(*s) {
		grown := make(Set, max(i+1, 2*len(*s)))
		copy(grown, *s)
		*s = grown
	}
	(*s)[i] |= 1 << (num & 63)
}

// Remove takes a number out, if it is there.
func (s Set) Remove(num int) {
	if i := num >> 6; num >= 0 && i < len(s) {
		s[i] &^= 1 << (num & 63)
	}
}

// Has says whether a number is in the set.
func (s Set) Has(num int) bool {
	i := num >> 6
	return num >= 0 && i < len(s) && s[i]>>(num&63)&1 == 1
}

// End is one more than the highest number.
func (s Set) End() int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] != 0 {
			return i<<6 + bits.Len64(s[i])
		}
	}
	return 0
}

// Each calls fn for every number in rising order, until it gives an error.
func (s Set) Each(fn func(num int) error) error {
	for i, word := range s {
		for word != 0 {
			if err := fn(i<<6 + bits.TrailingZeros64(word)); err != nil {
				return err
			}
			word &= word - 1
		}
	}
	return nil
}
