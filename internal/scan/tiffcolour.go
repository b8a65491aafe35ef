package scan

import (
	"bufio"
	"image"
	"image/draw"
	"io"
)

// ofYCbCr decodes a picture of lightness and colour whose samples stand in units: hs × vs of lightness, one of each colour
// (TIFF 6.0, section 21), with the coefficients that JPEG uses.
func (p tiffPages) ofYCbCr(d directory, parts []part) (image.Image, error) {
	width, height := d.number(tagWidth, 0), d.number(tagHeight, 0)
	hs, vs, ratio, ok := d.subsampling()
	if !ok || d.number(tagBits, 1) != 8 || d.number(tagSamples, 1) != 3 || d.number(tagPlanar, 1) != 1 || d.number(tagPredictor, 1) != 1 {
		return nil, ErrCoding.New()
	}
	if err := p.file.checkSize(width, height, 3); err != nil {
		return nil, err
	}
	if err := d.enough(parts, width*height, width); err != nil { // of light alone
		return nil, err
	}
	img := image.NewYCbCr(image.Rect(0, 0, width, height), ratio)
	space := new(room)
	for _, part := range parts {
		if part.at.Min.X%hs != 0 || part.at.Min.Y%vs != 0 {
			return nil, ErrBroken.New()
		}
		source, err := d.unpacked(part.coded, raster{}, part.at.Dy(), space)
		if err != nil {
			return nil, err
		}
		if err := fillUnits(img, part.at, hs, vs, source); err != nil {
			return nil, err
		}
	}
	return img, nil
}

// subsampling is two by two where the file says nothing.
func (d directory) subsampling() (hs, vs int, ratio image.YCbCrSubsampleRatio, ok bool) {
	hs, vs = 2, 2
	if n := d.numbers(tagSubsampling); len(n) == 2 {
		hs, vs = int(n[0]&7), int(n[1]&7)
	}
	ratio, ok = map[[2]int]image.YCbCrSubsampleRatio{{1, 1}: image.YCbCrSubsampleRatio444, {2, 1}: image.YCbCrSubsampleRatio422,
		{2, 2}: image.YCbCrSubsampleRatio420, {4, 1}: image.YCbCrSubsampleRatio411}[[2]int{hs, vs}]
	return hs, vs, ratio, ok
}

func fillUnits(img *image.YCbCr, at image.Rectangle, hs, vs int, source io.Reader) error {
	in := bufio.NewReaderSize(source, 64<<10)
	units := (at.Dx() + hs - 1) / hs
	row := make([]byte, units*(hs*vs+2))
	for y := at.Min.Y; y < min(at.Max.Y, img.Rect.Max.Y); y += vs {
		if _, err := io.ReadFull(in, row); err != nil {
			return ErrBroken.Because(err)
		}
		for u := range units {
			unit, x := row[u*(hs*vs+2):][:hs*vs+2], at.Min.X+u*hs
			if x >= img.Rect.Max.X {
				break
			}
			for i, v := range unit[:hs*vs] {
				if px, py := x+i%hs, y+i/hs; px < img.Rect.Max.X && py < img.Rect.Max.Y {
					img.Y[py*img.YStride+px] = v
				}
			}
			c := img.COffset(x, y)
			img.Cb[c], img.Cr[c] = unit[hs*vs], unit[hs*vs+1]
		}
	}
	return nil
}

// ofJPEG puts a page together whose parts are JPEG data (TIFF Technical Note 2), with the tables of all of them in a field
// of its own.
func (p tiffPages) ofJPEG(d directory, parts []part) (image.Image, error) {
	tables, _, _ := d.field(tagJPEGTables, 1<<16)
	width, height := d.number(tagWidth, 0), d.number(tagHeight, 0)
	if len(parts) > mostPartsOfJPEG || d.number(tagPlanar, 1) != 1 {
		return nil, ErrCoding.New()
	}
	if err := p.file.checkSize(width, height, 4); err != nil {
		return nil, err
	}
	whole := mosaic{size: image.Rect(0, 0, width, height)}
	for _, part := range parts {
		data := withTables(tables, part.coded)
		facts, err := p.file.checkJPEG(data)
		if err != nil {
			return nil, err
		}
		if facts.width != part.at.Dx() || facts.height < part.at.Dy() || facts.height > part.at.Dy()+16 && len(parts) > 1 {
			return nil, ErrBroken.New()
		}
		// What three and four samples mean says the TIFF file; its JPEG parts have no marker that would.
		img, err := decodeJPEG(data, facts, jpegColours{rgb: d.number(tagPhotometric, 6) == 2, inkIs255: true})
		if err != nil {
			return nil, err
		}
		whole.put(img, part.at)
	}
	return whole.img, nil
}

// withTables puts the segments of abbreviated tables behind the start of a picture.
func withTables(tables, strip []byte) []byte {
	if len(tables) < 4 || len(strip) < 2 {
		return strip
	}
	data := append([]byte{}, tables[:len(tables)-2]...) // without the end of image
	return append(data, strip[2:]...)
}

// mosaic is a picture that is put together from parts of one kind.
type mosaic struct {
	size image.Rectangle
	img  image.Image
}

// put lays a part, whose upper left corner is that of a rectangle, into the picture. A part that alone fills the picture is the
// picture. Lightness and colour stay apart where the parts have them so: readers of colour interpolate them better than they
// can be put together here.
func (m *mosaic) put(img image.Image, at image.Rectangle) {
	if m.img == nil {
		if img.Bounds() == m.size {
			m.img = img
			return
		}
		switch part := img.(type) {
		case *image.YCbCr:
			m.img = image.NewYCbCr(m.size, part.SubsampleRatio)
		case *image.Gray:
			m.img = image.NewGray(m.size)
		default:
			m.img = newRGB(m.size.Dx(), m.size.Dy())
		}
	}
	area := at.Intersect(m.size)
	if whole, ok := m.img.(*image.YCbCr); ok {
		if part, ok := img.(*image.YCbCr); ok && part.SubsampleRatio == whole.SubsampleRatio && copyYCbCr(whole, part, area) {
			return
		}
	}
	if shades, ok := m.img.(*image.Gray); ok && isGrey(img) {
		draw.Draw(shades, area, img, img.Bounds().Min, draw.Src)
		return
	}
	whole, ok := m.img.(*RGB)
	if !ok {
		whole = newRGB(m.size.Dx(), m.size.Dy())
		whole.lay(m.size, m.img)
		m.img = whole
	}
	whole.lay(area, img)
}

func isGrey(img image.Image) bool {
	_, ok := img.(*image.Gray)
	return ok
}

// copyYCbCr copies a part to a place that is a whole number of colour samples from the corner; false for others.
func copyYCbCr(whole, part *image.YCbCr, area image.Rectangle) bool {
	hs, vs := 1, 1
	switch whole.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		hs = 2
	case image.YCbCrSubsampleRatio420:
		hs, vs = 2, 2
	case image.YCbCrSubsampleRatio440:
		vs = 2
	case image.YCbCrSubsampleRatio411:
		hs = 4
	case image.YCbCrSubsampleRatio410:
		hs, vs = 4, 2
	}
	if area.Min.X%hs != 0 || area.Min.Y%vs != 0 || area.Dx() > part.Rect.Dx() || area.Dy() > part.Rect.Dy() {
		return false
	}
	for y := range area.Dy() {
		copy(whole.Y[whole.YOffset(area.Min.X, area.Min.Y+y):][:area.Dx()], part.Y[y*part.YStride:])
	}
	cw, ch := (area.Dx()+hs-1)/hs, (area.Dy()+vs-1)/vs
	for y := range ch {
		to := whole.COffset(area.Min.X, area.Min.Y) + y*whole.CStride
		copy(whole.Cb[to:to+cw], part.Cb[y*part.CStride:])
		copy(whole.Cr[to:to+cw], part.Cr[y*part.CStride:])
	}
	return true
}
