package imprint

import (
	"math"
	"math/cmplx"
	"slices"
)

// spectrum adds up the power spectra of squares of ink. Two squares go through one transform, as the real and the imaginary
// part of its numbers.
type spectrum struct {
	side    int
	roots   []complex128 // of one: e^(-2πi·k/side)
	window  []float64
	square  []complex128
	line    []complex128
	power   []float64  // of frequencies across from 0 to half of the side; the others are their mirror image
	energy  [2]float64 // of the squares that wait
	waiting int
	squares int
}

func newSpectrum(side int) *spectrum {
	s := &spectrum{side: side, roots: make([]complex128, side/2), window: make([]float64, side), line: make([]complex128, side),
		square: make([]complex128, side*side), power: make([]float64, side*side)}
	for i := range s.roots {
		s.roots[i] = cmplx.Rect(1, -2*math.Pi*float64(i)/float64(side))
	}
	for i := range s.window {
		s.window[i] = math.Sin(math.Pi * (float64(i) + .5) / float64(side))
	}
	return s
}

func (s *spectrum) begin() {
	clear(s.power)
	s.squares, s.waiting = 0, 0
}

// add takes one square of a channel, if enough of it is ink: of places with a depth of more than 0.
func (s *spectrum) add(channel *plane, depth []uint8, x0, y0 int) {
	n, mean := 0, 0.0
	for y := y0; y < y0+s.side; y++ {
		row := channel.row(y)[x0 : x0+s.side]
		for x, d := range depth[y*channel.w+x0 : y*channel.w+x0+s.side] {
			if d > 0 {
				n++
				mean += float64(row[x])
			}
		}
	}
	if n < s.side*s.side/6 {
		return
	}
	mean /= float64(n)
	if s.waiting == 0 {
		clear(s.square)
	}
	energy := 0.0
	for y := range s.side {
		row, deep := channel.row(y0 + y)[x0:], depth[(y0+y)*channel.w+x0:]
		for x := range s.side {
			if deep[x] == 0 {
				continue
			}
			v := (float64(row[x]) - mean) * s.window[y] * s.window[x]
			energy += v * v
			if s.waiting == 0 {
				s.square[y*s.side+x] = complex(v, 0)
			} else {
				s.square[y*s.side+x] += complex(0, v)
			}
		}
	}
	if energy == 0 {
		return
	}
	s.energy[s.waiting] = energy
	s.squares++
	if s.waiting++; s.waiting == 2 {
		s.flush()
	}
}

// flush transforms the squares that wait. Of a real square the numbers at opposite frequencies are conjugate, by which the
// two are told apart.
func (s *spectrum) flush() {
	s.transform2()
	for v := range s.side {
		for u := range s.side / 2 { // the other half is the mirror image
			z, opposite := s.square[v*s.side+u], cmplx.Conj(s.square[(s.side-v)%s.side*s.side+(s.side-u)%s.side])
			first, second := (z+opposite)/2, (z-opposite)/2
			p := (real(first)*real(first) + imag(first)*imag(first)) / s.energy[0]
			if s.waiting == 2 {
				p += (real(second)*real(second) + imag(second)*imag(second)) / s.energy[1]
			}
			s.power[v*s.side+u] += p
		}
	}
	s.waiting = 0
}

// end is the sum of all spectra and their number.
func (s *spectrum) end() (power []float64, squares int) {
	if s.waiting > 0 {
		s.flush()
	}
	return s.power, s.squares
}

// spectralPeak is the largest ratio of a frequency's power to the median of the ring of frequencies it lies on.
// Frequencies are in cycles per pixel. Those of JPEG's blocks are left out, and long waves, which strokes make.
func spectralPeak(power []float64, side int) (peak, fx, fy float64) {
	const least = .1
	rings := make([][]float64, side)
	ring := func(u, v int) int { return int(math.Hypot(float64(u), float64(v))/2 + .5) }
	each := func(do func(u, v int, p float64)) {
		for v := -side / 2; v < side/2; v++ {
			for u := 0; u < side/2; u++ {
				if math.Hypot(float64(u), float64(v)) < least*float64(side) || blocky(u, v, side) {
					continue
				}
				do(u, v, power[((v+side)%side)*side+u])
			}
		}
	}
	each(func(u, v int, p float64) { rings[ring(u, v)] = append(rings[ring(u, v)], p) })
	for i := range rings {
		slices.Sort(rings[i])
	}
	each(func(u, v int, p float64) {
		r := rings[ring(u, v)]
		if len(r) < 5 {
			return
		}
		if m := r[len(r)/2]; m > 0 && p/m > peak {
			peak, fx, fy = p/m, float64(u)/float64(side), float64(v)/float64(side)
		}
	})
	return peak, fx, fy
}

// blocky says that a frequency is one of those that JPEG makes in even areas: along an axis, where the edges of its
// blocks lie, and at the fineness of single pixels. Screens stand at an angle to the scanner's rows, one at least of
// each print.
func blocky(u, v, side int) bool {
	return u <= 1 || v >= -1 && v <= 1 || u >= side/2-1 || v >= side/2-1 || v <= 1-side/2
}

// transform2 is the discrete Fourier transform of the square, in place.
func (s *spectrum) transform2() {
	for y := range s.side {
		s.transform(s.square[y*s.side : (y+1)*s.side])
	}
	for x := range s.side {
		for y := range s.side {
			s.line[y] = s.square[y*s.side+x]
		}
		s.transform(s.line)
		for y := range s.side {
			s.square[y*s.side+x] = s.line[y]
		}
	}
}

// transform is Cooley and Tukey's, for powers of two.
func (s *spectrum) transform(v []complex128) {
	n := len(v)
	for i, j := 1, 0; i < n; i++ {
		bit := n >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		j ^= bit
		if i < j {
			v[i], v[j] = v[j], v[i]
		}
	}
	for size := 2; size <= n; size <<= 1 {
		half, stride := size/2, n/size
		for start := 0; start < n; start += size {
			lower, upper := v[start:start+half], v[start+half:start+size]
			for k := range lower {
				a, b := lower[k], upper[k]*s.roots[k*stride]
				lower[k], upper[k] = a+b, a-b
			}
		}
	}
}
