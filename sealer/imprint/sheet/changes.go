package sheet

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"yinxin/sealer/imprint"
)

// The colours of the map. People who confuse red and green, and a grey print, tell them apart by lightness.
var (
	inkColour       = color.RGBA{0xC4, 0xC4, 0xC4, 255}
	completedColour = color.RGBA{0x00, 0x5A, 0xC8, 255}
	bridgedColour   = color.RGBA{0xE8, 0x6A, 0x00, 255}
	placeColour     = color.RGBA{0x7A, 0x00, 0x8C, 255}
)

// changes is the map of where the template does not come straight from the better imprint, and where the imprints
// disagree.
type changes struct {
	picture *image.RGBA
	legend  []entry
}

// evidence decodes what was kept of the sources.
func (l *layout) evidence() error {
	if len(l.data.Evidence) == 0 {
		return nil
	}
	e, err := imprint.ReadExhibits(l.data.Evidence)
	if err != nil {
		return err
	}
	used := 0
	for _, f := range l.data.Result.Imprints {
		if f.Used {
			used++
		}
	}
	for i, x := range e.Imprints {
		s := source{label: fmt.Sprintf("扫描件上的印模（%s）", [2]string{"较好", "另一处"}[min(i, 1)]), picture: x.Picture, width: x.Width, height: x.Height}
		if len(e.Imprints) == 1 {
			s.label = "扫描件上的印模"
		} else if i >= used {
			s.label = "扫描件上的印模（未采用）"
		}
		l.sources = append(l.sources, s)
	}
	l.changes = changesOf(l.template.picture, e.Filled, l.data.Result.Measures)
	return nil
}

// Shown is an imprint as it was scanned: PNG of at most 300 dpi, and its size on paper in millimetres.
type Shown struct {
	PNG           []byte
	Width, Height float64
}

// Pictures are those of the sheet one by one: the imprints as they were scanned, the better one first, and the map of what
// was filled in (PNG on the canvas of the template). Errors: imprint.evidence, imprint.bad-template.
func Pictures(r *imprint.Result, evidence []byte) (imprints []Shown, changes []byte, err error) {
	e, err := imprint.ReadExhibits(evidence)
	if err != nil {
		return nil, nil, err
	}
	template, err := imprint.DecodeTemplate(r.Template)
	if err != nil {
		return nil, nil, err
	}
	for _, x := range e.Imprints {
		var out bytes.Buffer
		if err := png.Encode(&out, atMost(x.Picture, x.Width, x.Height, 300)); err != nil {
			return nil, nil, err
		}
		imprints = append(imprints, Shown{out.Bytes(), x.Width, x.Height})
	}
	var out bytes.Buffer
	err = png.Encode(&out, changesOf(template, e.Filled, r.Measures).picture)
	return imprints, out.Bytes(), err
}

// changesOf draws the map: ink in grey, what was filled in in colour.
func changesOf(template image.Image, filled *image.Paletted, m imprint.Measures) *changes {
	b := template.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := white
			if _, _, _, a := template.At(b.Min.X+x, b.Min.Y+y).RGBA(); a >= 0x8000 {
				c = inkColour
			}
			if (image.Point{x, y}).In(filled.Rect) {
				switch filled.ColorIndexAt(x, y) {
				case imprint.FilledBridged:
					c = bridgedColour
				case imprint.FilledCompleted:
					c = completedColour
				}
			}
			out.SetRGBA(x, y, c)
		}
	}
	legend := []entry{{inkColour, "取自较好的一处印模"},
		{completedColour, "由另一处印模补足 " + number(m.CompletedArea, 2) + " 平方毫米"},
		{bridgedColour, "黑字遮盖、由周围接续 " + number(m.BridgedArea, 2) + " 平方毫米"}}
	if len(m.Places) > 0 {
		legend = append(legend, entry{placeColour, fmt.Sprintf("方框：两次印模不一致 %d 处", len(m.Places))})
	}
	return &changes{picture: out, legend: legend}
}

// places frames where two imprints disagree; the map's upper left corner is at x, y.
func (l *layout) places(x, y, scale float64, all []imprint.Place) {
	for _, p := range all {
		l.on.frame(x+p.Left*scale, y+p.Top*scale, (p.Right-p.Left)*scale, (p.Bottom-p.Top)*scale, .35, placeColour)
	}
}
