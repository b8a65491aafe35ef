package command

import (
	"bytes"
	"compress/zlib"
	"context"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/tiff"

	"yinxin/fixtures"
	"yinxin/sealer/imprint"
)

// imprintFigure is one scanned form of A4 at 600 dpi with two imprints, made into a template. Its floor is the decoder: image/jpeg
// reading the same bytes. The other figures are the same form in other formats; floors are the decoders of the standard
// library, that of golang.org/x/image for TIFF, and for PDF compress/zlib reading the picture.
const imprintFigure = "imprint-600dpi"

// imprintFormats are the formats by the figures that measure them.
var imprintFormats = []struct {
	name   string
	format fixtures.FileFormat
	decode func(form []byte) error
}{
	{imprintFigure, fixtures.JPEG, func(form []byte) error {
		_, err := jpeg.Decode(bytes.NewReader(form))
		return err
	}},
	{imprintFigure + "-png", fixtures.PNG, func(form []byte) error {
		_, err := png.Decode(bytes.NewReader(form))
		return err
	}},
	{imprintFigure + "-tiff", fixtures.TIFF, decodeTIFF},
	{imprintFigure + "-tiff-lzw", fixtures.TIFFLZW, decodeTIFF},
	{imprintFigure + "-pdf-flate", fixtures.PDFDeflate, func(form []byte) error {
		_, picture, _ := bytes.Cut(form, []byte("/FlateDecode"))
		_, picture, _ = bytes.Cut(picture, []byte("stream\n"))
		z, err := zlib.NewReader(bytes.NewReader(picture))
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, z)
		return err
	}},
}

func decodeTIFF(form []byte) error {
	_, err := tiff.Decode(bytes.NewReader(form))
	return err
}

// imprintFigures are the names.
func imprintFigures() []string {
	var names []string
	for _, f := range imprintFormats {
		names = append(names, f.name)
	}
	return names
}

// imprints gives the figures that were asked for, which need no installation. Each form is drawn when its turn comes: all of
// them are 300 MB.
func imprints(ctx context.Context, asked func(name string) bool) []figure {
	var list []figure
	for _, f := range imprintFormats {
		if !asked(f.name) {
			continue
		}
		var form []byte
		list = append(list, figure{
			name: f.name,
			prepare: func() (err error) {
				form, _, err = fixtures.StampedForm(fixtures.FormOptions{Seed: 1, DPI: 600, Format: f.format})
				return err
			},
			release: func() { form = nil },
			run: func() error {
				r, err := imprint.Process(ctx, form, imprint.Options{Width: 42})
				if err == nil && r.Verdict == imprint.StampAgain {
					err = errInternal.With("%s", r.Verdict)
				}
				return err
			},
			floor: func() error { return f.decode(form) },
		})
	}
	return list
}
