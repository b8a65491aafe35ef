package imprint

import (
	"image"
	"image/color"
	"math"

	"yinxin/internal/scan"
)

// cropMargin is the paper kept around a mark, in millimetres: the fit comes from outside, the paper's white from here.
const cropMargin = 2.5

// finestDPI bounds the resolution that is worked at: finer scans are averaged by whole numbers of pixels.
const finestDPI = 800

// crop is a mark with its surroundings in linear light, as displayed, 0 to 1.
type crop struct {
	clear        *plane // the channel that the ink absorbs least: red light of red ink
	strong       *plane // the one that it absorbs most: green light of red ink
	hue          hue
	gain         float64 // what strong was multiplied by; 0 means 1
	light        *plane  // BT.601 lightness as encoded, where colour has fewer samples than light; else nil
	cells        cells   // of the scan, see colorants
	left, top    float64 // of the first pixel's corner, in millimetres from the scan's upper left corner as displayed
	perMMX       float64 // pixels per millimetre
	perMMY       float64
	bounds       image.Rectangle // of the mark, in pixels of the scan as displayed
	markX, markY float64         // middle of the mark in crop pixels
	mark         size            // of the mark in millimetres
}

// cutOut reads a mark, in pixels of the scan as stored, with its margin.
func cutOut(from excerpt, mark image.Rectangle, s Scale, orientation int, h hue) *crop {
	storedX, storedY := s.X, s.Y
	if orientation >= 5 {
		storedX, storedY = s.Y, s.X
	}
	factor := max(1, int(math.Round(math.Max(storedX, storedY)/600)))
	if math.Max(storedX, storedY) <= finestDPI {
		factor = 1
	}
	img := from.img
	area := areaOf(img.Bounds(), mark.Sub(from.at), Scale{X: storedX, Y: storedY})
	area.Max = area.Min.Add(image.Pt(area.Dx()/factor*factor, area.Dy()/factor*factor))

	clear, strong := readLinear(img, area, factor, h)
	light := readLight(img, area, factor)
	page := from.page
	shown := orientRectangle(area.Add(from.at), page.X, page.Y, orientation)
	c := &crop{
		clear: clear.oriented(orientation), strong: strong.oriented(orientation), light: light.oriented(orientation), hue: h.plain(), gain: float64(max(h.gain, 0)),
		perMMX: s.X / millimetresPerInch / float64(factor), perMMY: s.Y / millimetresPerInch / float64(factor),
		bounds: orientRectangle(mark, page.X, page.Y, orientation),
	}
	c.cells = cellsOf(img, area, cellPixels*factor, orientation, h)
	c.left, c.top = float64(shown.Min.X)/s.X*millimetresPerInch, float64(shown.Min.Y)/s.Y*millimetresPerInch
	c.markX = float64(c.bounds.Min.X+c.bounds.Max.X-2*shown.Min.X)/2/float64(factor) - .5
	c.markY = float64(c.bounds.Min.Y+c.bounds.Max.Y-2*shown.Min.Y)/2/float64(factor) - .5
	c.mark = size{float64(c.bounds.Dx()) / s.X * millimetresPerInch, float64(c.bounds.Dy()) / s.Y * millimetresPerInch}
	return c
}

// areaOf is a mark with its margin, as far as there are pixels, at the scale as stored.
func areaOf(bounds, mark image.Rectangle, stored Scale) image.Rectangle {
	marginX := int(math.Ceil(cropMargin * stored.X / millimetresPerInch))
	marginY := int(math.Ceil(cropMargin * stored.Y / millimetresPerInch))
	return image.Rect(mark.Min.X-marginX, mark.Min.Y-marginY, mark.Max.X+marginX, mark.Max.Y+marginY).Intersect(bounds)
}

// linearSteps is the fineness of the table from encoded to linear light.
const linearSteps = 16

// linearTable is the decoding function of sRGB (IEC 61966-2-1) for values 0 to 255 in sixteenths.
func linearTable() []float32 {
	table := make([]float32, 255*linearSteps+1)
	for i := range table {
		v := float64(i) / (255 * linearSteps)
		if v <= .04045 {
			table[i] = float32(v / 12.92)
		} else {
			table[i] = float32(math.Pow((v+.055)/1.055, 2.4))
		}
	}
	return table
}

// readLinear reads the two channels of a hue of an area in linear light, averaged over squares of factor × factor
// pixels.
func readLinear(img image.Image, area image.Rectangle, factor int, h hue) (clear, strong *plane) {
	table := linearTable()
	clear, strong = newPlane(area.Dx()/factor, area.Dy()/factor), newPlane(area.Dx()/factor, area.Dy()/factor)
	lineC, lineS := make([]float32, area.Dx()), make([]float32, area.Dx())
	source, isYCbCr := img.(*image.YCbCr)
	var chroma *chromaReader
	if isYCbCr {
		chroma = newChromaReader(source, area, h)
	}
	bytesLine := make([]uint8, 3*area.Dx())
	scale := 1 / float32(factor*factor)
	for y := 0; y < clear.h*factor; y++ {
		if isYCbCr {
			chroma.linearRow(area.Min.Y+y, lineC, lineS, table)
		} else {
			readRow(img, area.Min.Y+y, area.Min.X, area.Max.X, bytesLine)
			for x := range lineC {
				lineC[x] = table[int(bytesLine[3*x+h.clear])*linearSteps]
				lineS[x] = table[int(bytesLine[3*x+h.strong])*linearSteps]
			}
		}
		if h.gain != 0 {
			for x := range lineS {
				lineS[x] *= h.gain
			}
		}
		c, s := clear.row(y/factor), strong.row(y/factor)
		if factor == 1 {
			copy(c, lineC)
			copy(s, lineS)
			continue
		}
		for x := range c {
			for i := x * factor; i < (x+1)*factor; i++ {
				c[x] += lineC[i] * scale
				s[x] += lineS[i] * scale
			}
		}
	}
	return clear, strong
}

// readLight reads the lightness of a picture whose colour is subsampled, averaged like readLinear; nil for others.
func readLight(img image.Image, area image.Rectangle, factor int) *plane {
	source, ok := img.(*image.YCbCr)
	if !ok || source.SubsampleRatio == image.YCbCrSubsampleRatio444 {
		return nil
	}
	light := newPlane(area.Dx()/factor, area.Dy()/factor)
	scale := 1 / float32(255*factor*factor)
	for y := range light.h * factor {
		row := light.row(y / factor)
		start := (area.Min.Y+y)*source.YStride + area.Min.X
		for x, v := range source.Y[start : start+light.w*factor] {
			row[x/factor] += float32(v) * scale
		}
	}
	return light
}

func subsampling(ratio image.YCbCrSubsampleRatio) (horizontal, vertical int) {
	switch ratio {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// chromaReader reads colour from subsampled planes with bilinear interpolation, samples sitting in the middle of the
// pixels they stand for (ITU-T T.871, clause 6). The access methods of package image take the nearest sample, which
// leaves steps of a pixel along every stroke.
type chromaReader struct {
	img    *image.YCbCr
	area   image.Rectangle
	hs, vs int
	cw, ch int       // chroma plane
	index  []int     // per column: the left sample
	weight []float32 // per column: share of the right sample
	blend  [2][]float32
	// Factors of Cb and Cr in the two channels of the hue.
	clear, strong [2]float32
}

// fromYCbCr are the factors of Cb and Cr in red, green and blue (ITU-T T.871, clause 7).
var fromYCbCr = [3][2]float32{{0, 1.402}, {-.344136, -.714136}, {1.772, 0}}

func newChromaReader(img *image.YCbCr, area image.Rectangle, h hue) *chromaReader {
	c := &chromaReader{img: img, area: area, clear: fromYCbCr[h.clear], strong: fromYCbCr[h.strong]}
	c.hs, c.vs = subsampling(img.SubsampleRatio)
	b := img.Bounds()
	c.cw, c.ch = (b.Dx()+c.hs-1)/c.hs, (b.Dy()+c.vs-1)/c.vs
	c.index, c.weight = make([]int, area.Dx()), make([]float32, area.Dx())
	for x := range c.index {
		c.index[x], c.weight[x] = between(area.Min.X+x, c.hs, c.cw)
	}
	c.blend[0], c.blend[1] = make([]float32, c.cw), make([]float32, c.cw)
	return c
}

// between finds the sample at or before a pixel and the share of the next one.
func between(pixel, step, samples int) (int, float32) {
	position := clamp((float64(pixel)+.5)/float64(step)-.5, 0, float64(samples-1))
	i := min(int(position), max(0, samples-2))
	return i, float32(position - float64(i))
}

func (c *chromaReader) linearRow(y int, clear, strong []float32, table []float32) {
	cy, share := between(y, c.vs, c.ch)
	next := min(cy+1, c.ch-1)
	first, last := c.index[0], min(c.index[len(c.index)-1]+1, c.cw-1)
	for i, samples := range [2][]uint8{c.img.Cb, c.img.Cr} {
		upper, lower := samples[cy*c.img.CStride:], samples[next*c.img.CStride:]
		for x := first; x <= last; x++ {
			c.blend[i][x] = float32(upper[x])*(1-share) + float32(lower[x])*share - 128
		}
	}
	light := c.img.Y[y*c.img.YStride+c.area.Min.X:]
	most := float32(len(table) - 1)
	cb, cr := c.blend[0], c.blend[1]
	clearB, clearR, strongB, strongR := c.clear[0], c.clear[1], c.strong[0], c.strong[1]
	for x := range clear {
		i, w := c.index[x], c.weight[x]
		j := min(i+1, c.cw-1)
		b := cb[i] + (cb[j]-cb[i])*w
		r := cr[i] + (cr[j]-cr[i])*w
		l := float32(light[x])
		clear[x] = table[int(min(max((l+clearB*b+clearR*r)*linearSteps+.5, 0), most))]
		strong[x] = table[int(min(max((l+strongB*b+strongR*r)*linearSteps+.5, 0), most))]
	}
}

// readRow writes the pixels [x0, x1) of a row as RGB, transparent ones over white.
func readRow(img image.Image, y, x0, x1 int, line []uint8) {
	switch source := img.(type) {
	case *scan.RGB:
		copy(line, source.Row(y, x0, x1))
	case *image.RGBA: // image/png and image/jpeg make it of opaque pictures only
		for i, x := 0, y*source.Stride+4*x0; x < y*source.Stride+4*x1; i, x = i+3, x+4 {
			copy(line[i:i+3], source.Pix[x:x+3])
		}
	case *image.NRGBA:
		for i, x := 0, y*source.Stride+4*x0; x < y*source.Stride+4*x1; i, x = i+3, x+4 {
			a := uint32(source.Pix[x+3])
			for k := range 3 {
				line[i+k] = uint8((uint32(source.Pix[x+k])*a + 255*(255-a) + 127) / 255)
			}
		}
	case *image.YCbCr:
		for i, x := 0, x0; x < x1; i, x = i+3, x+1 {
			c := source.YCbCrAt(x, y)
			line[i], line[i+1], line[i+2] = color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
		}
	case *image.Paletted:
		if x1-x0 < len(source.Palette) {
			readAny(img, y, x0, x1, line)
			return
		}
		var palette [256][3]uint8
		for i, c := range source.Palette {
			r, g, b, a := c.RGBA()
			palette[i&255] = [3]uint8{uint8((r + 0xFFFF - a) >> 8), uint8((g + 0xFFFF - a) >> 8), uint8((b + 0xFFFF - a) >> 8)}
		}
		for i, v := range source.Pix[y*source.Stride+x0 : y*source.Stride+x1] {
			copy(line[3*i:], palette[v][:])
		}
	default:
		readAny(img, y, x0, x1, line)
	}
}

func readAny(img image.Image, y, x0, x1 int, line []uint8) {
	for i, x := 0, x0; x < x1; i, x = i+3, x+1 {
		r, g, b, a := img.At(x, y).RGBA()
		line[i], line[i+1], line[i+2] = uint8((r+0xFFFF-a)>>8), uint8((g+0xFFFF-a)>>8), uint8((b+0xFFFF-a)>>8)
	}
}
