package imprint

import (
	"context"
	"image"
	"slices"
)

// Reproduction is what came of making a template again from its evidence.
type Reproduction struct {
	Template []byte // as Result.Template
	Picture  []byte // as Result.Picture
	// Equal says that both files are those that the evidence was written with, byte for byte; SamePixels that both
	// show the same, even where another program has packed them.
	Equal, SamePixels bool
	// Version is that of the method with which the evidence was written: for another than Version, no equality is
	// promised.
	Version string
	// Result is what the evidence says of the template: measures, gates, verdict.
	Result *Result
}

// Reproduce makes the template again from its evidence. Errors: imprint.evidence for a file that is none, or whose crops
// were too large to keep.
func Reproduce(ctx context.Context, evidence []byte) (Reproduction, error) {
	head, files, err := readEvidence(evidence)
	if err != nil {
		return Reproduction{}, err
	}
	o := Options{Width: head.Width, Height: head.Height, Shape: head.Shape, Polarity: head.Polarity, Colour: head.Colour}
	declared, err := o.check()
	if err != nil {
		return Reproduction{}, errEvidence.Because(err)
	}
	if !validDPI(head.Scale.X) || !validDPI(head.Scale.Y) || head.Orientation < 0 || head.Orientation > 8 || !(head.PaperGain >= 0 && head.PaperGain < 10) {
		return Reproduction{}, errEvidence.With("%s", head.Scale)
	}
	s := &session{scale: head.Scale, orientation: head.Orientation, declared: declared, options: o, paperGain: head.PaperGain}
	var good []*mark
	for i, c := range head.Crops {
		m := &mark{stored: c.Mark.Sub(image.Pt(c.Left, c.Top))}
		if m.img, err = c.image(i, files); err != nil {
			return Reproduction{}, err
		}
		if !m.stored.In(m.img.Bounds()) || m.stored.Empty() {
			return Reproduction{}, errEvidence.With("%v", c.Mark)
		}
		m.page = m.img.Bounds().Size()
		m.shown = orientRectangle(m.stored, m.img.Bounds().Dx(), m.img.Bounds().Dy(), s.orientation)
		good = append(good, m)
	}
	s.analyse(good)
	if slices.ContainsFunc(good, func(m *mark) bool { return !m.rim.ok }) {
		return Reproduction{}, errEvidence.Saying("没有印模", "no imprint")
	}
	r, err := s.result(ctx, good, good)
	if err != nil {
		return Reproduction{}, err
	}
	result := Reproduction{Template: r.Template, Picture: r.Picture, Version: head.Version, Result: head.Result}
	template, err := digestsOf(r.Template)
	if err != nil {
		return Reproduction{}, err
	}
	picture, err := digestsOf(r.Picture)
	if err != nil {
		return Reproduction{}, err
	}
	result.Equal = template == head.Template && picture == head.Picture
	result.SamePixels = template.Pixels == head.Template.Pixels && picture.Pixels == head.Picture.Pixels
	return result, nil
}
