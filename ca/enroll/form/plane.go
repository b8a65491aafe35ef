package form

import (
	"image"
	"image/color"

	"yinxin/internal/scan"
)

// plane is how much red light each pixel of a scan sends back, 0 to 255. Red ink is as bright as paper in it: a seal over the
// QR code or a mark does not hide them.
type plane struct {
	width, height int
	pix           []uint8
}

func planeOf(img image.Image) plane {
	b := img.Bounds()
	p := plane{b.Dx(), b.Dy(), make([]uint8, b.Dx()*b.Dy())}
	for y := range p.height {
		row := p.pix[y*p.width : (y+1)*p.width]
		switch img := img.(type) {
		case *image.Gray:
			copy(row, img.Pix[y*img.Stride:])
		case *scan.RGB:
			for x := range row {
				row[x] = img.Pix[y*img.Stride+3*x]
			}
		case *image.RGBA:
			for x := range row {
				row[x] = img.Pix[y*img.Stride+4*x]
			}
		case *image.NRGBA:
			for x := range row {
				row[x] = img.Pix[y*img.Stride+4*x]
			}
		case *image.YCbCr:
			for x := range row {
				luma := int(img.Y[img.YOffset(b.Min.X+x, b.Min.Y+y)])
				chroma := int(img.Cr[img.COffset(b.Min.X+x, b.Min.Y+y)]) - 128
				row[x] = uint8(max(0, min(255, luma+chroma*359/256))) // 1.402, ITU-T T.871
			}
		case *image.Paletted:
			for x := range row {
				r, _, _, _ := img.Palette[img.ColorIndexAt(b.Min.X+x, b.Min.Y+y)].RGBA()
				row[x] = uint8(r >> 8)
			}
		default:
			for x := range row {
				row[x] = color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA).R
			}
		}
	}
	return p
}

// shrunk averages squares of so many pixels.
func (p plane) shrunk(by int) plane {
	if by <= 1 {
		return p
	}
	s := plane{p.width / by, p.height / by, nil}
	s.pix = make([]uint8, s.width*s.height)
	sums := make([]uint32, s.width)
	for y := range s.height {
		clear(sums)
		for dy := range by {
			row := p.pix[(y*by+dy)*p.width:]
			for x := range sums {
				for _, v := range row[x*by : (x+1)*by] {
					sums[x] += uint32(v)
				}
			}
		}
		for x, sum := range sums {
			s.pix[y*s.width+x] = uint8(sum / uint32(by*by))
		}
	}
	return s
}
