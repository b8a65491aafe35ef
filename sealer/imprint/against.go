package imprint

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
)

// Comparison says whether a new imprint is of the seal that an existing template was made of.
type Comparison struct {
	Outcome Outcome `json:"outcome"`
	// ZH and EN are a sentence for the person.
	ZH string `json:"zh"`
	EN string `json:"en"`
	// Mismatch is the area of strokes that one shows and the other one lacks at the worst place, in square millimetres.
	Mismatch float64 `json:"mismatchMM2"`
	// Places are where they disagree, on the existing template, worst first; what only the template shows is "first".
	Places []Place `json:"places,omitempty"`
	// WidthDifference and HeightDifference are the new imprint's measured size minus the template's, in millimetres.
	WidthDifference  float64 `json:"widthDifferenceMM"`
	HeightDifference float64 `json:"heightDifferenceMM"`
	// Picture shows both over each other, as a PNG at 300 dpi: grey is ink of both, blue of the template alone, red of the
	// new imprint alone; places are framed.
	Picture []byte `json:"-"`
	// Result is what Process made of the new imprint; its gates speak of the quality and of copies.
	Result *Result `json:"result"`
}

// Against compares the imprints on a scan with an existing template, a PNG as Process makes it or another picture of the
// seal with ink on a clear ground, exactly as large as the seal. o.Width and o.Height are that size: a new seal of
// another size is compared as if it were as large, and its size is told. Errors: those of Process, and
// imprint.bad-template.
func Against(ctx context.Context, data, template []byte, o Options) (Comparison, error) {
	declared, err := o.check()
	if err != nil {
		return Comparison{}, err
	}
	old, err := readTemplate(template, declared)
	if err != nil {
		return Comparison{}, err
	}
	r, err := Process(ctx, data, o)
	if err != nil {
		return Comparison{}, err
	}
	new, err := readTemplate(r.Template, declared)
	if err != nil {
		return Comparison{}, err
	}
	new.hide(r.source.filled)
	m := r.Measures
	c := Comparison{Result: r, WidthDifference: m.WidthDifference, HeightDifference: m.HeightDifference}
	a, b := old.view(declared), new.view(declared)
	a.pose.unsure = .01 // it stays where it is
	register(a, b, declared)
	const perMM = workDPI / millimetresPerInch
	inkA := inked{a.onCanvas(a.alpha, declared, perMM), a.onCanvas(a.trust, declared, perMM)}
	inkB := inked{b.onCanvas(b.alpha, declared, perMM), b.onCanvas(b.trust, declared, perMM)}
	k := liken(inkA, inkB, m.Polarity == Negative, borderOf(r.source.rim, b, declared))
	c.Outcome, c.Mismatch, c.Places = k.outcome, rounded(k.mismatch, 3), k.places
	c.decide(r)
	if c.Picture, err = overlaid(inkA.alpha, inkB.alpha, c.Places); err != nil {
		return Comparison{}, err
	}
	return c, ctx.Err()
}

// decide says what strokes and size together mean.
func (c *Comparison) decide(r *Result) {
	verdicts := map[string]Verdict{}
	for _, g := range r.Gates {
		verdicts[g.Name] = g.Verdict
	}
	size := fmt.Sprintf("%+.2f × %+.2f", c.WidthDifference, c.HeightDifference)
	offSize := verdicts[GateSize] == Warn || verdicts[GateOutline] == Warn
	switch {
	case c.Outcome == Different:
		c.ZH = fmt.Sprintf("与现有印章模板不是同一枚印章：有 %d 处笔画不同（已标出）。", len(c.Places))
		c.EN = fmt.Sprintf("Not the seal of the template: strokes differ in %d places, which are marked.", len(c.Places))
	case verdicts[GateSize] == StampAgain || verdicts[GateOutline] == StampAgain:
		c.Outcome = Different
		c.ZH = fmt.Sprintf("与现有印章模板不是同一枚印章：尺寸相差 %s 毫米。", size)
		c.EN = fmt.Sprintf("Not the seal of the template: the size differs by %s mm.", size)
	case verdicts[GateSameSeal] == StampAgain:
		c.Outcome = CannotTell
		c.ZH, c.EN = "新盖的两处印模彼此不一致，无法与现有印章模板比对。", "The two new imprints disagree with each other; they cannot be compared with the template."
	case c.Outcome == CannotTell && offSize:
		c.ZH = fmt.Sprintf("无法确认与现有印章模板是否为同一枚印章：尺寸相差 %s 毫米，有 %d 处笔画对不上（已标出），请核对扫描分辨率，或重新盖章。", size, len(c.Places))
		c.EN = fmt.Sprintf("It cannot be told whether this is the seal of the template: the size differs by %s mm, and strokes do not match in %d places, which are marked; check the scan's resolution, or stamp again.", size, len(c.Places))
	case c.Outcome == CannotTell:
		c.ZH = fmt.Sprintf("无法确认与现有印章模板是否为同一枚印章：有 %d 处笔画不清（已标出），请重新盖章。", len(c.Places))
		c.EN = fmt.Sprintf("It cannot be told whether this is the seal of the template: strokes are unclear in %d places, which are marked; stamp again.", len(c.Places))
	case offSize:
		c.Outcome = CannotTell
		c.ZH = fmt.Sprintf("笔画与现有印章模板一致，但尺寸相差 %s 毫米，请核对扫描分辨率后再比对。", size)
		c.EN = fmt.Sprintf("The strokes are those of the template, but the size differs by %s mm; check the scan's resolution.", size)
	default:
		c.ZH, c.EN = "与现有印章模板是同一枚印章。", "The same seal as the template's."
	}
}

// stored is a template read back.
type stored struct {
	alpha, trust *plane
}

func readTemplate(file []byte, declared size) (stored, error) {
	img, err := DecodeTemplate(file)
	if err != nil {
		return stored{}, err
	}
	at := img.Bounds()
	w, h := at.Dx(), at.Dy()
	if w < 32 || h < 32 || math.Abs(float64(w)/float64(h)/(declared.w/declared.h)-1) > .02 {
		return stored{}, ErrBadTemplate.With("%d × %d", w, h)
	}
	d := stored{newPlane(w, h), newPlane(w, h)}
	ink := false
	for y := range d.alpha.h {
		row := d.alpha.row(y)
		for x := range row {
			_, _, _, a := img.At(x, y).RGBA()
			row[x] = float32(a) / 0xFFFF
			ink = ink || a > 0x8000
			d.trust.row(y)[x] = 1
		}
	}
	if opaque, ok := img.(interface{ Opaque() bool }); !ink || ok && opaque.Opaque() {
		return stored{}, ErrBadTemplate.Saying("透明底上没有印迹", "no ink on a clear ground")
	}
	return d, nil
}

// hide takes trust from what was filled in.
func (d stored) hide(filled *image.Paletted) {
	for i, v := range filled.Pix {
		if v != 0 {
			d.trust.v[i] = 0
		}
	}
}

func (d stored) view(declared size) *view {
	l := &layer{crop: &crop{perMMX: float64(d.alpha.w) / declared.w, perMMY: float64(d.alpha.h) / declared.h}, alpha: d.alpha, trust: d.trust, ink: 1}
	return newView(l, pose{x: declared.w / 2, y: declared.h / 2, halfW: declared.w / 2, halfH: declared.h / 2, unsure: 1}, declared)
}

// overlaid shows two pictures of ink over each other.
func overlaid(a, b *plane, places []Place) ([]byte, error) {
	const perMM = workDPI / millimetresPerInch
	colours := color.Palette{color.White, color.Gray{150}, color.RGBA{0x10, 0x40, 0xE0, 255}, color.RGBA{sealRed, sealGreen, sealBlue, 255}, color.RGBA{0xF0, 0xA0, 0, 255}}
	img := image.NewPaletted(image.Rect(0, 0, a.w, a.h), colours)
	for i := range img.Pix {
		first, second := a.v[i] >= .5, b.v[i] >= .5
		switch {
		case first && second:
			img.Pix[i] = 1
		case first:
			img.Pix[i] = 2
		case second:
			img.Pix[i] = 3
		}
	}
	for _, p := range places {
		const around = 6 // pixels
		box := image.Rect(int(p.Left*perMM)-around, int(p.Top*perMM)-around, int(p.Right*perMM)+around, int(p.Bottom*perMM)+around)
		for x := box.Min.X; x <= box.Max.X; x++ {
			framePlaces(img, x, box.Min.Y)
			framePlaces(img, x, box.Max.Y)
		}
		for y := box.Min.Y; y <= box.Max.Y; y++ {
			framePlaces(img, box.Min.X, y)
			framePlaces(img, box.Max.X, y)
		}
	}
	var out bytes.Buffer
	err := png.Encode(&out, img)
	return withResolution(out.Bytes(), workDPI), err
}

// framePlaces draws two pixels of a frame, where they lie on the picture.
func framePlaces(img *image.Paletted, x, y int) {
	for _, p := range []image.Point{{X: x, Y: y}, {X: x + 1, Y: y + 1}} {
		if p.In(img.Rect) {
			img.SetColorIndex(p.X, p.Y, 4)
		}
	}
}
