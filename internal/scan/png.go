package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
)

// mostDeflateRatio is how much DEFLATE can shrink at best.
const mostDeflateRatio = 1040

func (f *File) openPNG() error {
	config, err := png.DecodeConfig(bytes.NewReader(f.data))
	if err != nil {
		return decodeError(err)
	}
	// Samples are at least one bit; the decoder takes up to eight bytes for a pixel.
	perPixel, bits := int64(1), int64(1)
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
	x, y := physical(f.data)
	f.Pages = []Page{{config.Width, config.Height, x, y}}
	f.inner = plainPNG{f.data}
	return nil
}

// physical reads the pHYs chunk, which stands before the pixels: pixels per metre.
func physical(data []byte) (dpiX, dpiY float64) {
	at := 8
	for at+12 <= len(data) {
		length := int64(binary.BigEndian.Uint32(data[at:]))
		kind := string(data[at+4 : at+8])
		if kind == "IDAT" || int64(at)+12+length > int64(len(data)) {
			return 0, 0
		}
		if body := data[at+8 : at+8+int(length)]; kind == "pHYs" && length == 9 && body[8] == 1 {
			return resolution(float64(binary.BigEndian.Uint32(body)) * 0.0254), resolution(float64(binary.BigEndian.Uint32(body[4:])) * 0.0254)
		}
		at += 12 + int(length)
	}
	return 0, 0
}

// plainPNG is a PNG file that was checked.
type plainPNG struct{ data []byte }

func (p plainPNG) picture(int) (image.Image, error) {
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
