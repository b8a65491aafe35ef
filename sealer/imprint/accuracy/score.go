package accuracy

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"math"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/imprint"
)

// Score is what came out of one form.
type Score struct {
	Group  Group  `json:"group"`
	DPI    int    `json:"dpi"`
	Number int    `json:"number"`
	Seed   uint64 `json:"seed"`
	Kind   string `json:"kind"`
	Damage string `json:"damage,omitempty"`
	Format string `json:"format"`
	Whole  bool   `json:"wholePage"`
	Turn   int    `json:"quarters,omitempty"` // by which the page is turned; the file does not say so

	Verdict    imprint.Verdict `json:"verdict,omitempty"`
	Acceptable bool            `json:"acceptable"`
	Code       string          `json:"code,omitempty"`  // of the error, if Process gave one
	Gates      []string        `json:"gates,omitempty"` // that are not content
	Fused      int             `json:"fused"`
	Expected   int             `json:"imprints"` // that stand on the form

	// Against the truth at 600 dpi. Overlap is intersection over union of alpha above one half; Edges the F measure of
	// edges within 0.1 mm; Alpha the mean error of alpha; Angle in degrees; Size in mm, measured minus real.
	Scored  bool    `json:"scored"`
	Overlap float64 `json:"iou"`
	Edges   float64 `json:"f"`
	Alpha   float64 `json:"alphaError"`
	Angle   float64 `json:"angleDegrees"`
	Size    float64 `json:"sizeMM"`
}

// Refused says that no officer could make a seal of the form.
func (s Score) Refused() bool { return s.Code != "" || !s.Acceptable }

// Measure draws a form, makes the template and scores it. An error is one of the drawing, not of the form.
func Measure(ctx context.Context, w *fixtures.Workshop, c Case) (Score, error) {
	s := Score{Group: c.Group, DPI: c.Form.DPI, Number: c.Number, Seed: c.Form.Seed, Kind: c.Kind, Damage: c.Damage,
		Format: c.Form.Format, Whole: !c.Form.Crop, Turn: c.Form.Scanner.Turn}
	data, truth, err := w.StampedForm(c.Form)
	if err != nil {
		return s, err
	}
	for _, p := range truth.Imprints {
		if p.Box.Width > 0 {
			s.Expected++
		}
	}
	result, err := imprint.Process(ctx, data, c.Options)
	if ctx.Err() != nil {
		return s, ctx.Err()
	}
	if err != nil {
		s.Code = fault.CodeOf(err)
		if s.Code == "" {
			s.Code = err.Error()
		}
		return s, nil
	}
	s.Verdict, s.Acceptable, s.Fused = result.Verdict, result.Acceptable(), result.Measures.Fused
	for _, g := range result.Gates {
		if g.Verdict != imprint.Usable {
			s.Gates = append(s.Gates, g.Name+" "+string(g.Verdict))
		}
	}
	if c.Group == Good || c.Group == Damaged {
		err = s.against(truth.Mask, result, c)
	}
	return s, err
}

// against scores a template.
func (s *Score) against(truth *image.Alpha, result *imprint.Result, c Case) error {
	template, err := alphaOf(result.Template)
	if err != nil {
		return err
	}
	if template.Rect != truth.Rect {
		s.Code = "canvas of " + template.Rect.String() + ", not " + truth.Rect.String()
		return nil
	}
	s.Scored = true
	both, either, sum := 0, 0, 0.0
	for i, v := range truth.Pix {
		a, b := template.Pix[i] > 127, v > 127
		if a && b {
			both++
		}
		if a || b {
			either++
		}
		sum += math.Abs(float64(template.Pix[i])-float64(v)) / 255
	}
	s.Overlap, s.Alpha = float64(both)/float64(max(either, 1)), sum/float64(len(truth.Pix))
	s.Edges = edges(template, truth, 0.1*600/25.4)
	s.Angle = turn(template, truth)
	width, height := c.Form.Seal.Size()
	if c.Form.Seal.Border < 0 && !c.Form.Seal.Negative { // a seal without a frame is as large as its ink
		width, height = inkSize(truth)
	}
	offX, offY := result.Measures.Width-width*c.Form.Enlarged, result.Measures.Height-height*c.Form.Enlarged
	if c.Form.Seal.Shape == fixtures.RoundSeal {
		offX, offY = result.Measures.Diameter-width*c.Form.Enlarged, 0
	}
	s.Size = offX
	if math.Abs(offY) > math.Abs(offX) {
		s.Size = offY
	}
	return nil
}

// inkSize is the size of the ink of a mask of 600 dpi, in millimetres.
func inkSize(m *image.Alpha) (width, height float64) {
	b := image.Rectangle{Min: m.Rect.Max, Max: m.Rect.Min}
	for i, v := range m.Pix {
		if v > 127 {
			x, y := i%m.Stride, i/m.Stride
			b.Min = image.Pt(min(b.Min.X, x), min(b.Min.Y, y))
			b.Max = image.Pt(max(b.Max.X, x+1), max(b.Max.Y, y+1))
		}
	}
	return float64(b.Dx()) * 25.4 / 600, float64(b.Dy()) * 25.4 / 600
}

func alphaOf(file []byte) (*image.Alpha, error) {
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	b := img.Bounds()
	mask := image.NewAlpha(b)
	paletted, ok := img.(*image.Paletted)
	var level [256]uint8
	if ok {
		for i, c := range paletted.Palette {
			_, _, _, a := c.RGBA()
			level[i] = uint8(a >> 8)
		}
	}
	for y := range b.Dy() {
		for x := range b.Dx() {
			if ok {
				mask.Pix[y*mask.Stride+x] = level[paletted.Pix[y*paletted.Stride+x]]
				continue
			}
			_, _, _, a := img.At(x, y).RGBA()
			mask.Pix[y*mask.Stride+x] = uint8(a >> 8)
		}
	}
	return mask, nil
}

// edges is the harmonic mean of the shares of each mask's edge pixels that lie within reach pixels of the other's.
func edges(a, b *image.Alpha, reach float64) float64 {
	edgeA, edgeB := edgeOf(a), edgeOf(b)
	within := func(of, near []bool) float64 {
		w, h := a.Rect.Dx(), a.Rect.Dy()
		n := int(math.Ceil(reach))
		all, hits := 0, 0
		for i, is := range of {
			if !is {
				continue
			}
			all++
			x, y := i%w, i/w
		search:
			for dy := -n; dy <= n; dy++ {
				for dx := -n; dx <= n; dx++ {
					u, v := x+dx, y+dy
					if u >= 0 && v >= 0 && u < w && v < h && near[v*w+u] && float64(dx*dx+dy*dy) <= reach*reach {
						hits++
						break search
					}
				}
			}
		}
		return float64(hits) / float64(max(all, 1))
	}
	precision, recall := within(edgeA, edgeB), within(edgeB, edgeA)
	if precision+recall == 0 {
		return 0
	}
	return 2 * precision * recall / (precision + recall)
}

// edgeOf marks ink pixels that touch paper, or the rim of the canvas.
func edgeOf(m *image.Alpha) []bool {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	marked := make([]bool, w*h)
	inked := func(x, y int) bool { return x >= 0 && y >= 0 && x < w && y < h && m.Pix[y*m.Stride+x] > 127 }
	for y := range h {
		for x := range w {
			marked[y*w+x] = inked(x, y) && !(inked(x-1, y) && inked(x+1, y) && inked(x, y-1) && inked(x, y+1))
		}
	}
	return marked
}
