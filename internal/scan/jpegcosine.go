package scan

import "encoding/binary"

// The inverse cosine transform in whole numbers, by the flow graph of Loeffler, Ligtenberg and Moschytz (1989): eleven
// multiplications for eight values. Factors are in units of 2^-13; between the passes two bits behind the point are kept.
const (
	cosineBits = 13
	keptBits   = 2
)

// Sums of cosines and sines of k·π/16, times √2.
const (
	f0298 = 2446  // -c1 + c3 + c5 - c7
	f0390 = 3196  // c3 - c5
	f0541 = 4433  // c6
	f0765 = 6270  // c2 - c6
	f0899 = 7373  // c3 - c7
	f1175 = 9633  // c3
	f1501 = 12299 // c1 + c3 - c5 - c7
	f1847 = 15137 // c2 + c6
	f1961 = 16069 // c3 + c5
	f2053 = 16819 // c1 + c3 - c5 + c7
	f2562 = 20995 // c1 + c3
	f3072 = 25172 // c1 + c3 + c5 - c7
)

// inverse writes a block of samples, and empties the coefficients. Last is the place of the last one that is not 0, in zigzag order.
func inverse(block *[64]int32, last int, to []uint8, stride int) {
	if last == 0 {
		v := uint64(sample((block[0] + 4) >> 3))
		v |= v << 8
		v |= v << 16
		v |= v << 32
		for y := range 8 {
			binary.LittleEndian.PutUint64(to[y*stride:], v)
		}
		block[0] = 0
		return
	}
	columns := 8
	if last < 10 {
		columns = 4 // the first ten lie in the first four diagonals
	}
	for x := range columns {
		inverseColumn(block, x)
	}
	for y := range 8 {
		row, out := block[8*y:8*y+8:8*y+8], to[y*stride:y*stride+8:y*stride+8]
		if columns == 4 {
			inverseHalfRow(row, out)
		} else {
			inverseRow(row, out)
		}
	}
	clear(block[:])
}

// sample is a value between -128 and 127 as it is stored.
func sample(v int32) uint8 { return uint8(min(max(v+128, 0), 255)) }

func inverseColumn(b *[64]int32, x int) {
	b = (*[64]int32)(b[:])
	i1, i2, i3, i4, i5, i6, i7 := b[8+x], b[16+x], b[24+x], b[32+x], b[40+x], b[48+x], b[56+x]
	if i1|i2|i3|i4|i5|i6|i7 == 0 {
		v := b[x] << keptBits
		for y := x; y < 64; y += 8 {
			b[y] = v
		}
		return
	}
	const down, half = cosineBits - keptBits, 1 << (cosineBits - keptBits - 1)
	z := (i2 + i6) * f0541
	e2, e3 := z-i6*f1847, z+i2*f0765
	e0, e1 := (b[x]+i4)<<cosineBits+half, (b[x]-i4)<<cosineBits+half
	a0, a3, a1, a2 := e0+e3, e0-e3, e1+e2, e1-e2

	z5 := (i7 + i3 + i5 + i1) * f1175
	z1, z2 := (i7+i1)*f0899, (i5+i3)*f2562
	z3, z4 := z5-(i7+i3)*f1961, z5-(i5+i1)*f0390
	o0, o1, o2, o3 := i7*f0298-z1+z3, i5*f2053-z2+z4, i3*f3072-z2+z3, i1*f1501-z1+z4

	b[x], b[56+x] = (a0+o3)>>down, (a0-o3)>>down
	b[8+x], b[48+x] = (a1+o2)>>down, (a1-o2)>>down
	b[16+x], b[40+x] = (a2+o1)>>down, (a2-o1)>>down
	b[24+x], b[32+x] = (a3+o0)>>down, (a3-o0)>>down
}

const (
	rowDown = cosineBits + keptBits + 3
	rowHalf = 1 << (rowDown - 1)
)

func inverseRow(row []int32, out []uint8) {
	i0, i1, i2, i3, i4, i5, i6, i7 := row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7]
	z := (i2 + i6) * f0541
	e2, e3 := z-i6*f1847, z+i2*f0765
	e0, e1 := (i0+i4)<<cosineBits+rowHalf, (i0-i4)<<cosineBits+rowHalf
	a0, a3, a1, a2 := e0+e3, e0-e3, e1+e2, e1-e2

	z5 := (i7 + i3 + i5 + i1) * f1175
	z1, z2 := (i7+i1)*f0899, (i5+i3)*f2562
	z3, z4 := z5-(i7+i3)*f1961, z5-(i5+i1)*f0390
	o0, o1, o2, o3 := i7*f0298-z1+z3, i5*f2053-z2+z4, i3*f3072-z2+z3, i1*f1501-z1+z4

	out[0], out[7] = sample((a0+o3)>>rowDown), sample((a0-o3)>>rowDown)
	out[1], out[6] = sample((a1+o2)>>rowDown), sample((a1-o2)>>rowDown)
	out[2], out[5] = sample((a2+o1)>>rowDown), sample((a2-o1)>>rowDown)
	out[3], out[4] = sample((a3+o0)>>rowDown), sample((a3-o0)>>rowDown)
}

// inverseHalfRow is inverseRow where the last four values are 0.
func inverseHalfRow(row []int32, out []uint8) {
	i0, i1, i2, i3 := row[0], row[1], row[2], row[3]
	e2, e3 := i2*f0541, i2*(f0541+f0765)
	e0 := i0<<cosineBits + rowHalf
	a0, a3, a1, a2 := e0+e3, e0-e3, e0+e2, e0-e2

	z5 := (i3 + i1) * f1175
	z3, z4 := z5-i3*f1961, z5-i1*f0390
	o0, o1, o2, o3 := z3-i1*f0899, z4-i3*f2562, i3*(f3072-f2562)+z3, i1*(f1501-f0899)+z4

	out[0], out[7] = sample((a0+o3)>>rowDown), sample((a0-o3)>>rowDown)
	out[1], out[6] = sample((a1+o2)>>rowDown), sample((a1-o2)>>rowDown)
	out[2], out[5] = sample((a2+o1)>>rowDown), sample((a2-o1)>>rowDown)
	out[3], out[4] = sample((a3+o0)>>rowDown), sample((a3-o0)>>rowDown)
}
