package outline

import (
	"image"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// Deviation is how far an outline is from a picture.
type Deviation struct {
	// Max and Mean are distances from the edge of the ink in the picture to the outline, in pixels of the picture.
	Max, Mean float64
	// IoU is what is inside both divided by what is inside either, 0 to 1, when the outline is drawn as pixels again.
	IoU float64
}

// Deviation compares the outline with the picture that it was traced from, without regard to how it was traced: edges
// are measured against the curves, and the curves as they are written are filled and compared pixel by pixel, more than
// half opaque or not. Errors: those of Trace.
func (o *Outline) Deviation(m image.Image) (Deviation, error) {
	b := m.Bounds()
	if b.Dx() != o.Width || b.Dy() != o.Height {
		return Deviation{}, errTooLarge.With("%d × %d pixels, not %d × %d", b.Dx(), b.Dy(), o.Width, o.Height)
	}
	inks, err := separate(m)
	if err != nil {
		return Deviation{}, err
	}
	var d Deviation
	edge, count := 0.0, 0
	both, either := 0, 0
	left := maxCrossings
	for _, k := range inks {
		var layer Layer
		for _, l := range o.Layers {
			if l.Colour == k.colour {
				layer = l
			}
		}
		contours, err := k.contours(left)
		if err != nil {
			return Deviation{}, err
		}
		near := newNeighbours(layer)
		for _, c := range contours {
			left -= len(c)
			for _, p := range c {
				distance := near.distance(p)
				d.Max = math.Max(d.Max, distance)
				edge += distance
				count++
			}
		}
		drawn := o.fill(layer)
		for i, a := range k.alpha {
			x, y := a > 127, drawn.Pix[i] > 127
			if x && y {
				both++
			}
			if x || y {
				either++
			}
		}
	}
	d.Mean = edge / float64(max(count, 1))
	d.IoU = float64(both) / float64(max(either, 1))
	return d, nil
}

// flatten calls line for short lines that follow the path as it is written, on the grid.
func (p Path) flatten(line func(a, b Point)) {
	snap := func(p Point) Point {
		s := p.step()
		return Point{float64(s.x) / grid, float64(s.y) / grid}
	}
	a := snap(p.Start)
	for _, s := range p.Segments {
		end := snap(s.End)
		if s.Line {
			line(a, end)
			a = end
			continue
		}
		c1, c2, from, start := snap(s.C1), snap(s.C2), a, a
		// Pieces of two pixels of a curve of radius 20 are within 0.03 of it; tight curves are short.
		pieces := 8 + int((c1.distance(a)+c2.distance(c1)+end.distance(c2))/2)
		for i := 1; i <= pieces; i++ {
			t := float64(i) / float64(pieces)
			u := 1 - t
			to := start.times(u * u * u).plus(c1.times(3 * u * u * t)).plus(c2.times(3 * u * t * t)).plus(end.times(t * t * t))
			line(from, to)
			from = to
		}
		a = end
	}
}

// fill draws a layer as coverage.
func (o *Outline) fill(l Layer) *image.Alpha {
	out := image.NewAlpha(image.Rect(0, 0, o.Width, o.Height))
	z := vector.NewRasterizer(o.Width, o.Height)
	z.DrawOp = draw.Src
	for _, p := range l.Paths {
		first := true
		p.flatten(func(a, b Point) {
			if first {
				z.MoveTo(float32(a.X), float32(a.Y))
				first = false
			}
			z.LineTo(float32(b.X), float32(b.Y))
		})
		z.ClosePath()
	}
	z.Draw(out, out.Bounds(), image.Opaque, image.Point{})
	return out
}

// neighbours finds the nearest line quickly: lines by the squares of cell pixels that they touch.
type neighbours struct {
	lines [][2]Point
	cells map[[2]int32][]int32
}

const cell = 4

func newNeighbours(l Layer) *neighbours {
	n := &neighbours{cells: map[[2]int32][]int32{}}
	for _, p := range l.Paths {
		p.flatten(func(a, b Point) {
			// Long lines are cut, so that none is in more cells than it is long.
			pieces := 1 + int(a.distance(b)/cell)
			for i := range pieces {
				from := a.plus(b.minus(a).times(float64(i) / float64(pieces)))
				to := a.plus(b.minus(a).times(float64(i+1) / float64(pieces)))
				n.add(from, to)
			}
		})
	}
	return n
}

func (n *neighbours) add(a, b Point) {
	number := int32(len(n.lines))
	n.lines = append(n.lines, [2]Point{a, b})
	low, high := cellOf(Point{math.Min(a.X, b.X), math.Min(a.Y, b.Y)}), cellOf(Point{math.Max(a.X, b.X), math.Max(a.Y, b.Y)})
	for y := low[1]; y <= high[1]; y++ {
		for x := low[0]; x <= high[0]; x++ {
			k := [2]int32{x, y}
			n.cells[k] = append(n.cells[k], number)
		}
	}
}

func cellOf(p Point) [2]int32 {
	return [2]int32{int32(math.Floor(p.X / cell)), int32(math.Floor(p.Y / cell))}
}

// distance is that from a point to the nearest line, as far as there is one within a cell; otherwise a cell.
func (n *neighbours) distance(p Point) float64 {
	at := cellOf(p)
	least := float64(cell)
	for y := at[1] - 1; y <= at[1]+1; y++ {
		for x := at[0] - 1; x <= at[0]+1; x++ {
			for _, i := range n.cells[[2]int32{x, y}] {
				a, d := n.lines[i][0], n.lines[i][1].minus(n.lines[i][0])
				t := 0.0
				if square := d.dot(d); square > 0 {
					t = math.Max(0, math.Min(1, p.minus(a).dot(d)/square))
				}
				least = math.Min(least, p.distance(a.plus(d.times(t))))
			}
		}
	}
	return least
}
