package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
)

// mostDeflateRatio is how much DEFLATE can shrink at best.
const mostDeflateRatio = 1040

func (f *File) openPNG() error {
	if len(f.data) >= 24 { // the decoder calls sizes that overflow unsupported
		width, height := binary.BigEndian.Uint32(f.data[16:]), binary.BigEndian.Uint32(f.data[20:])
		if err := f.checkSize(int(min(width, math.MaxInt32)), int(min(height, math.MaxInt32)), 0); err != nil {
			return err
		}
	}
	config, err := png.DecodeConfig(bytes.NewReader(f.data))
	if err != nil {
		return decodeError(err)
	}
	// Samples are at least one bit; the decoder takes up to eight bytes for a pixel.
	perPixel, bits := 1.0, int64(1)
	switch config.ColorModel {
	case color.RGBAModel, color.NRGBAModel:
		perPixel, bits = 4, 24
	case color.RGBA64Model, color.NRGBA64Model:
		perPixel, bits = 8, 48
	case color.Gray16Model:
		perPixel, bits = 2, 16
	}
	if err := f.checkSize(config.Width, config.Height, perPixel); err != nil {
		return err
	}
	if int64(config.Width)*int64(config.Height)*bits/8/mostDeflateRatio > int64(len(f.data)) {
		return ErrBroken.New()
	}
	var facts said
	facts.chunks(f.data)
	f.Pages = []Page{facts.page(config.Width, config.Height, config.ColorModel == color.GrayModel || config.ColorModel == color.Gray16Model)}
	f.inner = plainPNG{f.data, config.Width, config.Height}
	return nil
}

// plainPNG is a PNG file that was checked.
type plainPNG struct {
	data          []byte
	width, height int
}

func (p plainPNG) picture(int) (image.Image, error) {
	if img, ok := plainRows(p.data, p.width, p.height); ok {
		return img, nil
	}
	img, err := png.Decode(bytes.NewReader(p.data))
	if err != nil {
		return nil, decodeError(err)
	}
	return img, nil
}

// decodeError tells what is not supported from what is damaged.
func decodeError(err error) error {
	var inJPEG jpeg.UnsupportedError
	var inPNG png.UnsupportedError
	if errors.As(err, &inJPEG) || errors.As(err, &inPNG) {
		return ErrCoding.Because(err)
	}
	return ErrBroken.Because(err)
}
