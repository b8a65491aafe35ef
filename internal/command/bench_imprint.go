package command

import (
	"bytes"
	"context"
	"image/jpeg"

	"yinxin/fixtures"
	"yinxin/sealer/imprint"
)

// imprintFigure is one scanned form of A4 at 600 dpi with two imprints, made into a template. Its floor is the decoder:
// image/jpeg reading the same bytes.
const imprintFigure = "imprint-600dpi"

// imprints gives the figure, which needs no installation.
func imprints(ctx context.Context) (figure, error) {
	form, _, err := fixtures.StampedForm(fixtures.FormOptions{Seed: 1, DPI: 600})
	if err != nil {
		return figure{}, err
	}
	make := func() error {
		r, err := imprint.Process(ctx, form, imprint.Options{Width: 42})
		if err == nil && r.Verdict == imprint.StampAgain {
			err = errInternal.With("%s", r.Verdict)
		}
		return err
	}
	decode := func() error {
		_, err := jpeg.Decode(bytes.NewReader(form))
		return err
	}
	return figure{imprintFigure, make, decode}, nil
}
