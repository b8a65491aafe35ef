package paper

import (
	"fmt"
	"image"
	"image/color"
)

// picture is a decoded picture: colours and opacity, one octet each.
type picture struct {
	width, height int
	rgb, alpha    []byte
	opaque        bool
}

func pictureOf(img image.Image) *picture {
	b := img.Bounds()
	p := &picture{width: b.Dx(), height: b.Dy(), opaque: true}
	p.rgb, p.alpha = make([]byte, 0, 3*b.Dx()*b.Dy()), make([]byte, 0, b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			p.rgb = append(p.rgb, c.R, c.G, c.B)
			p.alpha = append(p.alpha, c.A)
			p.opaque = p.opaque && c.A == 255
		}
	}
	return p
}

// picture embeds a picture, with its opacity as a soft mask where it has one, and gives its number.
func (f *file) picture(p *picture) int {
	size := fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8", p.width, p.height)
	mask := ""
	if !p.opaque {
		mask = fmt.Sprintf("/SMask %d 0 R", f.stream(size+"/ColorSpace/DeviceGray", p.alpha))
	}
	return f.stream(size+"/ColorSpace/DeviceRGB"+mask, p.rgb)
}
