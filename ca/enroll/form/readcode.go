package form

import (
	"context"
	"image"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// foundCode is our QR code on a scan: what it says (the application number), and the middles of its three finder patterns in pixels of the
// scan: upper left, upper right, lower left as the code is read.
type foundCode struct {
	number  string
	finders [3]Point
}

// codeLength is the longer side, in pixels, to which a scan is shrunk before its code is looked for: about 200 dpi for a page of A4,
// where a module of the code has five pixels.
const codeLength = 2300

// mostPatterns is how many finder patterns one area may seem to have; printed pages have some dozens at most.
const mostPatterns = 250

// findCode looks for the code of a form: in the corners first, where it stands whichever way the page was laid, then
// anywhere; coarse first, then finer.
func findCode(p plane) (foundCode, bool) {
	return search(context.Background(), p, ReadCode)
}

// FindCode looks for a QR code that read knows in a picture: a scan, or a photo that shows it whole. Many tries are made,
// none once ctx has ended.
func FindCode(ctx context.Context, img image.Image, read func(text string) (string, bool)) (string, bool) {
	c, ok := search(ctx, planeOf(img), read)
	return c.number, ok
}

func search(ctx context.Context, p plane, read func(text string) (string, bool)) (foundCode, bool) {
	coarse := max(1, (max(p.width, p.height)+codeLength/2)/codeLength)
	scales := []int{coarse, coarse * 2}
	if coarse > 1 {
		scales = []int{coarse, coarse / 2, coarse * 2}
	}
	for _, by := range scales {
		small := p.shrunk(by)
		for _, area := range areas(small.width, small.height) {
			for _, local := range []bool{true, false} {
				if ctx.Err() != nil {
					return foundCode{}, false
				}
				if c, ok := decodeIn(small, area, local, read); ok {
					for i := range c.finders {
						c.finders[i].X *= float64(by)
						c.finders[i].Y *= float64(by)
					}
					return c, true
				}
			}
		}
	}
	return foundCode{}, false
}

// areas are the corners, and the whole.
func areas(width, height int) []image.Rectangle {
	across, down := width*2/5, height*2/5
	return []image.Rectangle{
		image.Rect(width-across, 0, width, down), image.Rect(0, height-down, across, height),
		image.Rect(0, 0, across, down), image.Rect(width-across, height-down, width, height),
		image.Rect(0, 0, width, height),
	}
}

// decodeIn reads one area, with thresholds that follow the light of the place or with one for all.
func decodeIn(p plane, area image.Rectangle, local bool, read func(text string) (string, bool)) (c foundCode, ok bool) {
	if area.Dx() < 40 || area.Dy() < 40 {
		return c, false
	}
	// The library is written for pictures of cameras, not for hostile ones; what it trips over is no code of ours. It compares
	// every three of the finder patterns that it sees, so it is stopped where somebody covered a page with them.
	defer func() {
		if recover() != nil {
			c, ok = foundCode{}, false
		}
	}()
	source, err := gozxing.NewPlanarYUVLuminanceSource(p.pix, p.width, p.height, area.Min.X, area.Min.Y, area.Dx(), area.Dy(), false)
	if err != nil {
		return c, false
	}
	binarizer := gozxing.NewGlobalHistgramBinarizer(source)
	if local {
		binarizer = gozxing.NewHybridBinarizer(source)
	}
	bitmap, err := gozxing.NewBinaryBitmap(binarizer)
	if err != nil {
		return c, false
	}
	patterns := 0
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_TRY_HARDER: true,
		gozxing.DecodeHintType_NEED_RESULT_POINT_CALLBACK: gozxing.ResultPointCallback(func(gozxing.ResultPoint) {
			if patterns++; patterns > mostPatterns {
				panic("too many finder patterns")
			}
		}),
	})
	if err != nil {
		return c, false
	}
	number, ours := read(result.GetText())
	points := result.GetResultPoints()
	if !ours || len(points) < 3 {
		return c, false
	}
	c.number = number
	for i, at := range []int{1, 2, 0} { // the library gives lower left, upper left, upper right
		c.finders[i] = Point{points[at].GetX() + float64(area.Min.X), points[at].GetY() + float64(area.Min.Y)}
	}
	return c, true
}
