package imprint

import (
	"image"
	"math"
	"slices"

	"yinxin/internal/fault"
)

// What makes a picture a bad photograph of a sheet instead of a scan. Measured with made-up photographs: up to these limits
// templates keep the quality of scans, or a gate of the imprint's own refuses them.
const (
	leastLight       = 105.0 // of the paper, as encoded, 0 to 255
	leastEven        = .5    // of the darkest part of the paper to the brightest, as encoded
	greatestEdge     = .28   // mm from 15 to 85 per cent of the sharper edges of print
	greatestKeystone = .4    // degrees between rules at opposite ends of the sheet: a difference of 1 per cent in size
)

var (
	errTooDark = fault.Spec{Kind: fault.Refused, Code: "imprint.too-dark",
		ZH: "图像过暗，像是在光线不足处拍摄，请用扫描仪彩色扫描。", EN: "The picture is too dark, like a photograph without enough light; scan the page in colour with a scanner."}
	errUneven = fault.Spec{Kind: fault.Refused, Code: "imprint.uneven-light",
		ZH: "图像明暗不均，像是拍照并有阴影，请用扫描仪彩色扫描。", EN: "The page is lit unevenly, like a photograph with shadows; scan it in colour with a scanner."}
	errBlurred = fault.Spec{Kind: fault.Refused, Code: "imprint.blurred",
		ZH: "图像模糊，文字和线条不清晰，请压平纸张后重新扫描。", EN: "The picture is out of focus; flatten the sheet and scan it again."}
	errPerspective = fault.Spec{Kind: fault.Refused, Code: "imprint.perspective",
		ZH: "页面有透视变形，像是斜着拍照，无法准确测量尺寸，请用扫描仪扫描。", EN: "The page is seen at an angle, like a photograph, so that sizes cannot be measured; scan it with a scanner."}
)

// photographed refuses pictures that were taken of the sheet, and not well.
func (s *session) photographed(g *glance) error {
	if light := float64(percentile(g.v, .9)); light < leastLight {
		return errTooDark.With("%.0f < %.0f", light, leastLight)
	}
	if even := g.evenness(); even < leastEven {
		return errUneven.With("%.2f < %.2f", even, leastEven)
	}
	if width, ok := sharpness(s.img, s.scaleAsStored(), hues[s.options.colour()], g); ok && width > greatestEdge {
		return errBlurred.With("%.2f mm > %.2f mm", width, greatestEdge)
	}
	if d := g.keystone(); d > greatestKeystone {
		return errPerspective.With("%.1f° > %.1f°", d, greatestKeystone)
	}
	return nil
}

// evenness is how bright the darkest part of the paper is against the brightest: in tiles of 15 mm, the two darkest in a hundred
// and what touches the edge of the scan, where covers and lids are, excepted.
func (g *glance) evenness() float64 {
	tw, th := int(15*g.perMMX), int(15*g.perMMY)
	var whites []float64
	for y := th; y+2*th <= g.h; y += th {
		for x := tw; x+2*tw <= g.w; x += tw {
			var histogram [256]int
			for dy := 0; dy < th; dy += 2 {
				for _, v := range g.v[(y+dy)*g.w+x : (y+dy)*g.w+x+tw] {
					histogram[v]++
				}
			}
			whites = append(whites, float64(percentileOf(histogram[:], .9)))
		}
	}
	if len(whites) < 12 {
		return 1
	}
	slices.Sort(whites)
	return whites[1+len(whites)/50] / math.Max(1, whites[len(whites)-1-len(whites)/50])
}

// keystone is by how many degrees rules at opposite ends of the sheet are not parallel.
func (g *glance) keystone() float64 {
	worst := 0.0
	for _, columns := range []bool{false, true} {
		edges, length := g.edges(columns), float64(g.h)/g.perMMY
		if columns {
			length = float64(g.w) / g.perMMX
		}
		var ends [2][]edge
		for _, e := range edges {
			switch {
			case e.across < length*.4:
				ends[0] = append(ends[0], e)
			case e.across > length*.6:
				ends[1] = append(ends[1], e)
			}
		}
		first, sure := leaning(ends[0])
		last, sureLast := leaning(ends[1])
		// Rules stand out by more than text does, whose slope is less sure.
		if math.Min(sure, sureLast) > 2*leastSure {
			worst = math.Max(worst, math.Abs(first-last))
		}
	}
	return worst
}

// sharpness is how wide the sharper edges of print are, from 15 to 85 per cent of the way down from paper, in millimetres: the lower
// quartile over rows of the scan as stored, two millimetres apart. False where there is hardly any print.
func sharpness(img image.Image, stored Scale, h hue, g *glance) (width float64, ok bool) {
	b := img.Bounds()
	perMM := stored.X / millimetresPerInch
	line := make([]float32, b.Dx())
	bytesLine := make([]uint8, 3*b.Dx())
	reach := int(.8 * perMM)
	var widths []float64
	for y := 0; y < b.Dy(); y += max(1, int(2*stored.Y/millimetresPerInch)) {
		clearRow(img, y, h, line, bytesLine)
		widths = falls(line, float32(g.white), reach, perMM, widths)
	}
	if len(widths) < 60 {
		return 0, false
	}
	slices.Sort(widths)
	return widths[len(widths)/4], true
}

// clearRow reads a row in the channel that the ink absorbs least. Colour that has fewer samples than light is not interpolated: print has
// none.
func clearRow(img image.Image, y int, h hue, line []float32, bytesLine []uint8) {
	source, ok := img.(*image.YCbCr)
	if !ok {
		readRow(img, y, 0, len(line), bytesLine)
		for x := range line {
			line[x] = float32(bytesLine[3*x+h.clear])
		}
		return
	}
	hs, vs := subsampling(source.SubsampleRatio)
	factors := fromYCbCr[h.clear]
	cb, cr := source.Cb[y/vs*source.CStride:], source.Cr[y/vs*source.CStride:]
	for x, v := range source.Y[y*source.YStride : y*source.YStride+len(line)] {
		c := x / hs
		line[x] = float32(v) + factors[0]*(float32(cb[c])-128) + factors[1]*(float32(cr[c])-128)
	}
}

// falls measures where a row goes from paper to print.
func falls(line []float32, white float32, reach int, perMM float64, widths []float64) []float64 {
	for x := 1; x+reach < len(line); x++ {
		if line[x-1] < .85*white || line[x] >= .85*white {
			continue
		}
		least, at := line[x], x
		for i := x; i < x+reach && (line[i] <= least || i < at+2); i++ {
			if line[i] < least {
				least, at = line[i], i
			}
		}
		if least > .6*white {
			continue
		}
		top := x
		for top > 0 && x-top < reach && line[top-1] > line[top] {
			top--
		}
		start := crossing(line, top, white-.15*(white-least))
		end := crossing(line, x-1, white-.85*(white-least))
		if end > start {
			widths = append(widths, (end-start)/perMM)
		}
		x = at
	}
	return widths
}

// crossing is where a falling row crosses a level, interpolated.
func crossing(line []float32, from int, level float32) float64 {
	for i := max(1, from); i < len(line); i++ {
		if line[i] <= level {
			if line[i-1] <= level {
				return float64(i - 1)
			}
			return float64(i) - float64((level-line[i])/(line[i-1]-line[i]))
		}
	}
	return float64(len(line))
}
