package registration

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"math"

	"yinxin/ca/enroll"
	"yinxin/internal/fault"
	"yinxin/internal/scan"
)

// pageOf is one page of a file as a file of its own, page counted from 0: the file itself where it has no other page and is
// small enough to be kept,
// otherwise its picture with its resolution. Errors: those of scan.File.Picture.
func pageOf(f *scan.File, data []byte, page int) ([]byte, error) {
	if len(f.Pages) == 1 && len(data) <= enroll.MaxAttachment {
		return data, nil
	}
	img, err := f.Picture(page)
	if err != nil {
		return nil, err
	}
	return encoded(img, f.Pages[page].DPIX, f.Pages[page].DPIY)
}

// encoded is a picture as PNG, or where that is too large to be kept as JPEG.
func encoded(img image.Image, dpiX, dpiY float64) ([]byte, error) {
	if rgb, ok := img.(*scan.RGB); ok {
		img = rgb.RGBA() // the encoders would ask for every pixel by itself
	}
	if lossless, err := pngOf(img, dpiX, dpiY); err != nil || len(lossless) <= enroll.MaxAttachment {
		return lossless, err
	}
	return jpegOf(img, dpiX, dpiY)
}

// quality of a page that is too large for PNG: what scanners take for good.
const quality = 95

// jpegOf writes a JPEG with its resolution (JFIF, ITU-T T.871 clause 10.1), which the standard library does not.
func jpegOf(img image.Image, dpiX, dpiY float64) ([]byte, error) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	data := out.Bytes()
	if !plausible(dpiX) || !plausible(dpiY) {
		return data, nil
	}
	segment := append([]byte{0xff, 0xe0, 0, 16}, "JFIF\x00\x01\x02\x01"...) // the density is in dots per inch
	segment = binary.BigEndian.AppendUint16(segment, uint16(math.Round(dpiX)))
	segment = binary.BigEndian.AppendUint16(segment, uint16(math.Round(dpiY)))
	segment = append(segment, 0, 0) // no thumbnail
	return inserted(data, 2, segment), nil
}

// pngOf writes a PNG with its resolution (pHYs, ISO/IEC 15948 clause 11.3.5.3).
func pngOf(img image.Image, dpiX, dpiY float64) ([]byte, error) {
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, img); err != nil {
		return nil, err
	}
	if !plausible(dpiX) || !plausible(dpiY) {
		return out.Bytes(), nil
	}
	const behindHeader = 8 + 25
	chunk := append([]byte{0, 0, 0, 9}, "pHYs"...)
	chunk = binary.BigEndian.AppendUint32(chunk, uint32(math.Round(dpiX/0.0254)))
	chunk = binary.BigEndian.AppendUint32(chunk, uint32(math.Round(dpiY/0.0254)))
	chunk = append(chunk, 1)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return inserted(out.Bytes(), behindHeader, chunk), nil
}

// plausible reports whether a file's resolution can be passed on: what is not is left for the squares on the form to say.
func plausible(dpi float64) bool { return dpi >= 10 && dpi <= 10_000 }

func inserted(data []byte, at int, part []byte) []byte {
	return append(append(append(make([]byte, 0, len(data)+len(part)), data[:at]...), part...), data[at:]...)
}

// Extract takes one page, counted from 1, out of a scan: a file of its own, and the ending of its name. Errors: those of
// scan.Open and scan.File.Picture, registration.order, registration.busy.
func (d *Desk) Extract(ctx context.Context, data []byte, page int) (content []byte, ending string, err error) {
	file, err := scan.Open("", data, scan.DefaultLimits)
	if err != nil {
		return nil, "", err
	}
	if page < 1 || page > len(file.Pages) {
		return nil, "", ErrOrder.At(fault.Field("page"))
	}
	done, err := d.turn(ctx)
	if err != nil {
		return nil, "", err
	}
	defer done()
	if content, err = pageOf(file, data, page-1); err != nil {
		return nil, "", err
	}
	one, err := scan.Open("", content, scan.DefaultLimits)
	if err != nil {
		return nil, "", err
	}
	return content, map[scan.Format]string{scan.PDF: "pdf", scan.JPEG: "jpg", scan.PNG: "png", scan.TIFF: "tiff"}[one.Format], nil
}
