package outline

import (
	"image"
	"image/color"
	"slices"
)

// ink is the opacity of one colour, row by row.
type ink struct {
	colour        color.NRGBA
	width, height int
	alpha         []byte
}

// half is the opacity at which the edge of the ink lies.
const half = 127.5

// sameColour is how far apart two colours may be in each of red, green and blue and still count as one.
const sameColour = 40

// maxShades bounds how many different colours are looked at before they are grouped.
const maxShades = 4096

// separate splits a picture into its colours, the most frequent first.
func separate(m image.Image) ([]ink, error) {
	pixels, shades := read(m)
	if shades == nil {
		return nil, errTooManyColours.New()
	}
	if len(shades) == 0 {
		return nil, errEmpty.New()
	}
	type shade struct {
		colour [3]byte
		count  int
	}
	ordered := make([]shade, 0, len(shades))
	for c, n := range shades {
		ordered = append(ordered, shade{c, n})
	}
	slices.SortFunc(ordered, func(a, b shade) int {
		if a.count != b.count {
			return b.count - a.count
		}
		return slices.Compare(a.colour[:], b.colour[:])
	})
	var inks []ink
	group := make(map[[3]byte]int, len(ordered))
	for _, s := range ordered {
		at := slices.IndexFunc(inks, func(k ink) bool { return alike(k.colour, s.colour) })
		if at < 0 {
			if at = len(inks); at == maxLayers {
				return nil, errTooManyColours.New()
			}
			c := color.NRGBA{R: s.colour[0], G: s.colour[1], B: s.colour[2], A: 255}
			inks = append(inks, ink{colour: c, width: m.Bounds().Dx(), height: m.Bounds().Dy()})
		}
		group[s.colour] = at
	}
	if len(inks) == 1 {
		// The usual seal: whatever is there has the one colour, also at the rim where it is hardly there.
		inks[0].alpha = pixels.alpha
		return inks, nil
	}
	for i := range inks {
		inks[i].alpha = make([]byte, len(pixels.alpha))
	}
	for i, a := range pixels.alpha {
		if a == 0 {
			continue
		}
		c := [3]byte(pixels.colour[3*i:])
		at, ok := group[c]
		if !ok {
			at = nearest(inks, c)
		}
		inks[at].alpha[i] = a
	}
	return inks, nil
}

// nearest finds the ink that a pixel of the rim belongs to.
func nearest(inks []ink, c [3]byte) int {
	best, least := 0, 1<<30
	for i, k := range inks {
		r, g, b := int(k.colour.R)-int(c[0]), int(k.colour.G)-int(c[1]), int(k.colour.B)-int(c[2])
		if d := r*r + g*g + b*b; d < least {
			best, least = i, d
		}
	}
	return best
}

func alike(a color.NRGBA, b [3]byte) bool {
	near := func(x, y byte) bool { return max(x, y)-min(x, y) <= sameColour }
	return near(a.R, b[0]) && near(a.G, b[1]) && near(a.B, b[2])
}

type pixels struct{ colour, alpha []byte }

// read gives colour and opacity of every pixel, and how often each colour occurs where ink is; nil when there are more
// colours than any seal has.
func read(m image.Image) (pixels, map[[3]byte]int) {
	b := m.Bounds()
	p := pixels{colour: make([]byte, 0, 3*b.Dx()*b.Dy()), alpha: make([]byte, 0, b.Dx()*b.Dy())}
	at := reader(m)
	counts := make(map[[3]byte]int)
	var last [3]byte
	run := 0
	flush := func() bool {
		if run > 0 {
			counts[last] += run
			run = 0
		}
		return len(counts) <= maxShades
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := at(x, y)
			p.colour = append(p.colour, c.R, c.G, c.B)
			p.alpha = append(p.alpha, c.A)
			if c.A < 128 {
				continue
			}
			if k := [3]byte{c.R, c.G, c.B}; k != last {
				if !flush() {
					return pixels{}, nil
				}
				last = k
			}
			run++
		}
	}
	if !flush() {
		return pixels{}, nil
	}
	return p, counts
}

// reader gives the colour at a pixel, without the detour over interfaces for the kinds that PNG decoding makes.
func reader(m image.Image) func(x, y int) color.NRGBA {
	switch m := m.(type) {
	case *image.Paletted:
		table := make([]color.NRGBA, 256)
		for i, c := range m.Palette {
			table[i&255] = color.NRGBAModel.Convert(c).(color.NRGBA)
		}
		return func(x, y int) color.NRGBA { return table[m.Pix[m.PixOffset(x, y)]] }
	case *image.NRGBA:
		return m.NRGBAAt
	}
	return func(x, y int) color.NRGBA { return color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA) }
}

// precision tells a picture with degrees of opacity from one of solid and empty pixels only, by the rows of the
// picture: where ink begins there is something in between, more often than once in sixteen.
func (k ink) precision() precision {
	begins, between := 0, 0
	for i, a := range k.alpha {
		switch {
		case a != 0 && a != 255:
			between++
		case a == 255 && (i%k.width == 0 || k.alpha[i-1] == 0):
			begins++
		}
	}
	if 16*between < begins {
		return hard
	}
	return soft
}
