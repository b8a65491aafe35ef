package imprint

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
)

// Limits on what is decoded. A page of A3 at 600 dpi has 70 megapixels, a page of A4 at 1200 dpi has 139.
const (
	mostBytes        = 512 << 20
	mostPixels       = 200_000_000
	mostDecodedBytes = 1 << 30 // what image/jpeg and image/png would allocate
	mostScans        = 64      // each scan of a progressive JPEG walks the whole picture once more
)

// A coded picture cannot be smaller than this: a baseline or progressive JPEG block of 8 × 8 pixels takes at least one
// bit, and DEFLATE shrinks to 1/1032 at best. Files below are refused before memory is taken for their pixels.
const (
	mostJPEGPixelsPerByte = 1024
	mostDeflateRatio      = 1040
)

// decode checks the limits and decodes the pixels. The image is as stored: EXIF orientation is not applied.
func decode(data []byte, m metadata) (image.Image, error) {
	if err := checkLimits(data, m); err != nil {
		return nil, err
	}
	var img image.Image
	var err error
	if m.format == "jpeg" {
		img, err = jpeg.Decode(bytes.NewReader(data))
	} else {
		img, err = png.Decode(bytes.NewReader(data))
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return nil, errTruncated.Because(err)
	case err != nil:
		var unsupportedJPEG jpeg.UnsupportedError
		var unsupportedPNG png.UnsupportedError
		if errors.As(err, &unsupportedJPEG) || errors.As(err, &unsupportedPNG) {
			return nil, errNotAnImage.Because(err)
		}
		return nil, errTruncated.Because(err)
	}
	if b := img.Bounds(); b.Dx() != m.width || b.Dy() != m.height || b.Min != (image.Point{}) {
		return nil, errNotAnImage.New() // two frame headers that contradict each other
	}
	return img, nil
}

func checkLimits(data []byte, m metadata) error {
	if len(data) > mostBytes {
		return errTooLarge.With("%d MiB > %d MiB", len(data)>>20, mostBytes>>20)
	}
	pixels := int64(m.width) * int64(m.height)
	if pixels > mostPixels {
		return errTooLarge.With("%d × %d > %d", m.width, m.height, mostPixels)
	}
	if m.scans > mostScans {
		return errTooLarge.With("%d scans > %d", m.scans, mostScans)
	}
	if m.format == "jpeg" && pixels/mostJPEGPixelsPerByte > int64(len(data)) {
		return errTruncated.New()
	}
	var configuration image.Config
	var err error
	if m.format == "jpeg" {
		configuration, err = jpeg.DecodeConfig(bytes.NewReader(data))
	} else {
		configuration, err = png.DecodeConfig(bytes.NewReader(data))
	}
	if err != nil {
		return errNotAnImage.Because(err)
	}
	if configuration.Width != m.width || configuration.Height != m.height {
		return errNotAnImage.New()
	}
	perPixel := bytesPerPixel(configuration.ColorModel)
	if m.format == "jpeg" {
		if m.progressive { // image/jpeg keeps every coefficient as an int32
			perPixel += 4 * int64(max(m.components, 1))
		}
	} else if pixels*rawBits(configuration.ColorModel)/8/mostDeflateRatio > int64(len(data)) {
		return errTruncated.New()
	}
	if pixels*perPixel > mostDecodedBytes {
		return errTooLarge.With("%d MiB > %d MiB", pixels*perPixel>>20, mostDecodedBytes>>20)
	}
	if configuration.ColorModel == color.GrayModel || configuration.ColorModel == color.Gray16Model {
		return errNoColour.New()
	}
	return nil
}

// bytesPerPixel is what the decoders allocate per pixel, at most.
func bytesPerPixel(model color.Model) int64 {
	switch model {
	case color.YCbCrModel:
		return 3
	case color.RGBAModel, color.NRGBAModel, color.CMYKModel:
		return 4
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	return 2
}

// rawBits is the least number of bits a PNG stores per pixel of a colour model.
func rawBits(model color.Model) int64 {
	switch model {
	case color.RGBAModel, color.NRGBAModel:
		return 24
	case color.RGBA64Model, color.NRGBA64Model:
		return 48
	}
	return 1
}
