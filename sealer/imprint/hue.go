package imprint

import (
	"cmp"
	"image"
	"slices"
)

// hue says how ink of a colour differs from grey.
type hue struct {
	// clear is the channel that the ink absorbs least and strong the one that it absorbs most: 0 red, 1 green, 2 blue.
	clear, strong int
	// cb and cr weigh the colour differences of BT.601 so that the ink stands out from paper.
	cb, cr float64
	// gain is what the light of the strong channel is multiplied by, so that paper is grey: lamps and paper have colours. 0 means 1.
	gain float32
}

// Red is what the rules ask for; the others are the colours of special seals by local practice.
var hues = map[Colour]hue{
	Red:    {clear: 0, strong: 1, cb: 0, cr: 1},
	Blue:   {clear: 2, strong: 0, cb: 1, cr: 0},
	Purple: {clear: 2, strong: 1, cb: .6, cr: .6},
	Green:  {clear: 1, strong: 0, cb: -.5, cr: -.7},
}

// plain is the hue by itself.
func (h hue) plain() hue {
	h.gain = 0
	return h
}

// ink is the hue of the seal on the paper of this scan.
func (s *session) ink() hue {
	h := hues[s.options.colour()]
	h.gain = s.paperGain
	return h
}

// onPaper is the hue on the paper of a scan. Under the light of a bulb, yellow paper is redder than pale ink on white: what counts
// as paper is judged after the usual colour of what is bright was taken out. Slight casts are left alone.
func (h hue) onPaper(img image.Image) hue {
	const slight, greatest = .06, 5
	table := linearTable()
	b := img.Bounds()
	var at [3]uint8
	step := max(1, min(b.Dx(), b.Dy())/200)
	type pixel struct{ clear, ratio float32 }
	var pixels []pixel
	for y := step / 2; y < b.Dy(); y += step {
		for x := step / 2; x < b.Dx(); x += step {
			readRow(img, y, x, x+1, at[:])
			clear, strong := table[int(at[h.clear])*linearSteps], table[int(at[h.strong])*linearSteps]
			pixels = append(pixels, pixel{clear, strong / max(clear, .001)})
		}
	}
	if len(pixels) == 0 {
		return h
	}
	slices.SortFunc(pixels, func(a, b pixel) int { return cmp.Compare(b.clear, a.clear) })
	bright := pixels[:len(pixels)/2+1] // ink of this hue among it: paper has the largest ratio
	slices.SortFunc(bright, func(a, b pixel) int { return cmp.Compare(a.ratio, b.ratio) })
	ratio := bright[len(bright)*4/5].ratio
	if ratio > 1-slight && ratio < 1+slight || ratio < 1./greatest {
		return h
	}
	h.gain = 1 / ratio
	return h
}
