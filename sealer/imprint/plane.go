package imprint

import (
	"image"
	"math"
	"sync"
)

// plane is one channel of a picture, row by row.
type plane struct {
	w, h int
	v    []float32
}

func newPlane(w, h int) *plane { return &plane{w, h, make([]float32, w*h)} }

// spares are planes that nobody needs any more: the next one need not be asked of the system and emptied.
var spares sync.Pool

// roughPlane is a plane that holds anything.
func roughPlane(w, h int) *plane {
	if p, ok := spares.Get().(*plane); ok && cap(p.v) >= w*h {
		return &plane{w, h, p.v[:w*h]}
	}
	return newPlane(w, h)
}

// spare gives back planes that are not used after that.
func spare(planes ...*plane) {
	for _, p := range planes {
		spares.Put(p)
	}
}

func (p *plane) row(y int) []float32 { return p.v[y*p.w : (y+1)*p.w] }

// at is the bilinear value at a position in pixels, where (0, 0) is the middle of the first pixel. Outside it is 0.
func (p *plane) at(x, y float64) float64 {
	if !(x > -1 && y > -1 && x < float64(p.w) && y < float64(p.h)) {
		return 0
	}
	fx, fy := math.Floor(x), math.Floor(y)
	x0, y0 := int(fx), int(fy)
	tx, ty := x-fx, y-fy
	if x0 >= 0 && y0 >= 0 && x0+1 < p.w && y0+1 < p.h {
		i := y0*p.w + x0
		upper := float64(p.v[i])*(1-tx) + float64(p.v[i+1])*tx
		lower := float64(p.v[i+p.w])*(1-tx) + float64(p.v[i+p.w+1])*tx
		return upper*(1-ty) + lower*ty
	}
	value := func(x, y int) float64 {
		if x < 0 || y < 0 || x >= p.w || y >= p.h {
			return 0
		}
		return float64(p.v[y*p.w+x])
	}
	return (value(x0, y0)*(1-tx)+value(x0+1, y0)*tx)*(1-ty) + (value(x0, y0+1)*(1-tx)+value(x0+1, y0+1)*tx)*ty
}

// blurred is the plane smoothed by three box filters, close to a Gaussian with the given standard deviations in
// pixels. Outside the plane counts as 0.
func (p *plane) blurred(sigmaX, sigmaY float64) *plane {
	result, other := roughPlane(p.w, p.h), roughPlane(p.w, p.h)
	radii := boxRadii(sigmaX)
	first, second := other.v[:p.w], make([]float32, p.w)
	for y := 0; y < p.h; y++ {
		boxFilter(first, p.row(y), radii[0])
		boxFilter(second, first, radii[1])
		boxFilter(result.row(y), second, radii[2])
	}
	sums := make([]float32, p.w)
	for _, radius := range boxRadii(sigmaY) {
		if radius > 0 {
			result.boxedColumns(other, sums, radius)
			result, other = other, result
		}
	}
	spare(other)
	return result
}

// boxRadii gives three half-widths whose boxes in a row have the variance of the Gaussian.
func boxRadii(sigma float64) [3]int {
	var radii [3]int
	left := sigma * sigma
	for i := range radii {
		// A box of half-width r has the variance r(r+1)/3.
		share := left / float64(len(radii)-i)
		radii[i] = int(math.Round((math.Sqrt(1+12*share) - 1) / 2))
		left -= float64(radii[i]*(radii[i]+1)) / 3
		left = math.Max(left, 0)
	}
	return radii
}

func boxFilter(dst, src []float32, radius int) {
	if radius == 0 {
		copy(dst, src)
		return
	}
	n := len(src)
	scale := 1 / float32(2*radius+1)
	if n <= 2*radius {
		boxFilterShort(dst, src, radius, scale)
		return
	}
	sum := float32(0)
	for _, v := range src[:radius] {
		sum += v
	}
	dst = dst[:n]
	for i, v := range src[radius : 2*radius+1] {
		sum += v
		dst[i] = sum * scale
	}
	middle := dst[radius+1 : n-radius]
	ahead, behind := src[2*radius+1:n], src[:n-2*radius-1]
	for i := range middle {
		sum += ahead[i]
		sum -= behind[i]
		middle[i] = sum * scale
	}
	for i := n - radius; i < n; i++ {
		sum -= src[i-radius-1]
		dst[i] = sum * scale
	}
}

// boxFilterShort is for rows shorter than the box.
func boxFilterShort(dst, src []float32, radius int, scale float32) {
	n := len(src)
	sum := float32(0)
	for i := 0; i < min(radius, n); i++ {
		sum += src[i]
	}
	for i := range src {
		if i+radius < n {
			sum += src[i+radius]
		}
		if i-radius > 0 {
			sum -= src[i-radius-1]
		}
		dst[i] = sum * scale
	}
}

// boxedColumns writes the box filter along the columns into another plane of the same size. Sums is room for a row.
func (p *plane) boxedColumns(into *plane, sums []float32, radius int) {
	clear(sums)
	for y := 0; y < min(radius, p.h); y++ {
		for x, v := range p.row(y) {
			sums[x] += v
		}
	}
	scale := 1 / float32(2*radius+1)
	for y := 0; y < p.h; y++ {
		row := into.row(y)
		sums := sums[:len(row)]
		enters, leaves := y+radius < p.h, y-radius-1 >= 0
		switch {
		case enters && leaves:
			in, out := p.row(y + radius)[:len(row)], p.row(y - radius - 1)[:len(row)]
			for x := range row {
				s := sums[x] + in[x]
				s -= out[x]
				sums[x] = s
				row[x] = s * scale
			}
			continue
		case enters:
			for x, v := range p.row(y + radius) {
				sums[x] += v
			}
		case leaves:
			for x, v := range p.row(y - radius - 1) {
				sums[x] -= v
			}
		}
		for x, v := range sums {
			row[x] = v * scale
		}
	}
}

// oriented applies an EXIF orientation (Exif 2.3, 4.6.4 A, tag Orientation).
func (p *plane) oriented(orientation int) *plane {
	if p == nil || orientation <= 1 {
		return p
	}
	w, h := p.w, p.h
	if orientation >= 5 {
		w, h = h, w
	}
	result := newPlane(w, h)
	for y := 0; y < p.h; y++ {
		for x := 0; x < p.w; x++ {
			tx, ty := orientPoint(x, y, p.w, p.h, orientation)
			result.v[ty*w+tx] = p.v[y*p.w+x]
		}
	}
	return result
}

// orientPoint is where a stored pixel of a w × h picture is displayed.
func orientPoint(x, y, w, h, orientation int) (int, int) {
	switch orientation {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return h - 1 - y, x
	case 7:
		return h - 1 - y, w - 1 - x
	case 8:
		return y, w - 1 - x
	}
	return x, y
}

// orientRectangle is where a stored rectangle is displayed.
func orientRectangle(r image.Rectangle, w, h, orientation int) image.Rectangle {
	ax, ay := orientPoint(r.Min.X, r.Min.Y, w, h, orientation)
	bx, by := orientPoint(r.Max.X-1, r.Max.Y-1, w, h, orientation)
	return image.Rect(min(ax, bx), min(ay, by), max(ax, bx)+1, max(ay, by)+1)
}

func clamp(v, low, high float64) float64 { return math.Max(low, math.Min(high, v)) }
