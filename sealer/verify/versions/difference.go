package versions

import (
	"bytes"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"slices"

	"yinxin/sealer/view"
)

// Area is where two pictures differ, in pixels.
type Area struct{ X, Y, Width, Height int }

const (
	cell = 8 // pixels: how finely differences are found
	// threshold is by how much of 255 a pixel has to differ: both pictures come from the same program, so it is only to
	// leave out what nobody sees.
	threshold = 12
	// reach is how many cells apart differences belong to the same area: the characters of a line.
	reach = 2
	// maxAreas is how many areas are marked one by one; more become one.
	maxAreas = 40
	quality  = 85
)

// decoded gives two pictures of a page, each as bytes of red, green, blue and alpha.
func decoded(a, b *view.Picture) (*image.RGBA, *image.RGBA, error) {
	was, err := rgba(a)
	if err != nil {
		return nil, nil, err
	}
	is, err := rgba(b)
	return was, is, err
}

func rgba(p *view.Picture) (*image.RGBA, error) {
	m, err := png.Decode(bytes.NewReader(p.PNG))
	if err != nil {
		return nil, err
	}
	if r, ok := m.(*image.RGBA); ok {
		return r, nil
	}
	r := image.NewRGBA(m.Bounds())
	draw.Draw(r, r.Rect, m, m.Bounds().Min, draw.Src)
	return r, nil
}

// differences are the areas where two pictures of the same size differ.
func differences(a, b *image.RGBA) []Area {
	across, down := (a.Rect.Dx()+cell-1)/cell, (a.Rect.Dy()+cell-1)/cell
	marked := make([]bool, across*down)
	for y := range a.Rect.Dy() {
		was, is := a.Pix[y*a.Stride:y*a.Stride+4*a.Rect.Dx()], b.Pix[y*b.Stride:y*b.Stride+4*b.Rect.Dx()]
		if bytes.Equal(was, is) {
			continue
		}
		for i := range was {
			if d := int(was[i]) - int(is[i]); d >= threshold || d <= -threshold {
				marked[y/cell*across+i/4/cell] = true
			}
		}
	}
	var areas []Area
	for i, on := range marked {
		if on {
			areas = append(areas, grown(marked, across, down, i).within(a.Rect))
		}
	}
	if len(areas) > maxAreas {
		whole := areas[0]
		for _, r := range areas[1:] {
			whole = whole.with(r)
		}
		return []Area{whole}
	}
	slices.SortFunc(areas, func(a, b Area) int { return a.Y - b.Y })
	return areas
}

// grown takes the cells that belong together with the one at i out of marked, and gives the area around them.
func grown(marked []bool, across, down, i int) Area {
	var area Area
	marked[i] = false
	for stack := []int{i}; len(stack) > 0; {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		x, y := at%across, at/across
		area = area.with(Area{x * cell, y * cell, cell, cell})
		for ny := max(0, y-reach); ny <= min(down-1, y+reach); ny++ {
			for nx := max(0, x-reach); nx <= min(across-1, x+reach); nx++ {
				if n := ny*across + nx; marked[n] {
					marked[n] = false
					stack = append(stack, n)
				}
			}
		}
	}
	return area
}

// with is the area around both.
func (a Area) with(b Area) Area {
	if a == (Area{}) {
		return b
	}
	x, y := min(a.X, b.X), min(a.Y, b.Y)
	return Area{x, y, max(a.X+a.Width, b.X+b.Width) - x, max(a.Y+a.Height, b.Y+b.Height) - y}
}

// within cuts off what stands out of the picture.
func (a Area) within(r image.Rectangle) Area {
	return Area{a.X, a.Y, min(a.Width, r.Dx()-a.X), min(a.Height, r.Dy()-a.Y)}
}

// maxPlain is up to how many bytes a picture stays as it was drawn. Scanned pages are larger by far, and are photographs.
const maxPlain = 256 << 10

// shown is a picture as it is sent: small ones as they were drawn, others as JPEG.
func shown(p *view.Picture, m image.Image) (*Side, error) {
	s := &Side{Data: p.PNG, Type: "image/png", Width: p.Width, Height: p.Height}
	if len(p.PNG) <= maxPlain {
		return s, nil
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	s.Data, s.Type = b.Bytes(), "image/jpeg"
	return s, nil
}

// alone is a picture without another beside it.
func alone(p *view.Picture) (*Side, error) {
	m, err := rgba(p)
	if err != nil {
		return nil, err
	}
	return shown(p, m)
}
