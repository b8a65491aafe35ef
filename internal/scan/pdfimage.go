package scan

import (
	"bytes"
	"image"
	"io"
	"slices"

	"yinxin/internal/fault"
)

// coded is a picture of a PDF file that was checked and can be decoded.
type coded struct {
	width, height int
	jpeg          []byte // a JPEG file; otherwise the rest
	facts         jpegFacts
	colours       jpegColours
	raster        raster
	source        func() io.Reader
}

// grey reports whether the picture has no colour.
func (c coded) grey() bool {
	if c.jpeg != nil {
		return c.facts.components == 1
	}
	return c.raster.components == 1 && c.raster.palette == nil
}

func (c coded) decode() (image.Image, error) {
	if c.jpeg != nil {
		return decodeJPEG(c.jpeg, c.facts, c.colours)
	}
	img := c.raster.new()
	if err := c.raster.fill(img, image.Rect(0, 0, c.width, c.height), c.source(), new(room)); err != nil {
		return nil, err
	}
	return img, nil
}

// codedPicture reads the dictionary of an image XObject (ISO 32000-1, 8.9.5). Errors: attachment.unsupported-coding,
// attachment.broken, attachment.too-many-pixels.
func (p pdfPictures) codedPicture(o pdfObject) (coded, error) {
	d, ok := o.value.(pdfDict)
	if !ok {
		return coded{}, ErrBroken.New()
	}
	names, parameters := p.inner.filters(d)
	if len(names) > 4 {
		return coded{}, ErrCoding.New()
	}
	if n := len(names); n > 0 && (names[n-1] == "DCTDecode" || names[n-1] == "DCT") {
		return p.codedJPEG(d, o.stream, names[:n-1], parameters[n-1])
	}
	if other, ok := otherCoding(names); ok {
		return coded{}, ErrCoding.With("%s", other)
	}
	r, err := p.raster(d)
	if err != nil {
		return coded{}, err
	}
	if err := p.file.checkSize(r.width, r.height, r.perPixel()); err != nil {
		return coded{}, err
	}
	c := coded{width: r.width, height: r.height, raster: r}
	var last pdfDict
	lastName := pdfName("")
	if n := len(names); n > 0 {
		lastName, last = names[n-1], parameters[n-1]
	}
	before := names[:max(0, len(names)-1)]
	switch lastName {
	case "CCITTFaxDecode", "CCF":
		return p.codedFax(c, o.stream, before, last)
	case "FlateDecode", "Fl", "LZWDecode", "LZW":
		if last != nil {
			c.raster.predictor = int(p.inner.number(last["Predictor"], 1))
			colours, bits, columns := p.inner.number(last["Colors"], 1), p.inner.number(last["BitsPerComponent"], 8), p.inner.number(last["Columns"], 1)
			if c.raster.predictor > 1 && (int(colours) != r.components || int(bits) != r.bits || int(columns) != r.width) || p.inner.number(last["EarlyChange"], 1) != 1 {
				return coded{}, ErrCoding.New()
			}
		}
	}
	if !known(names) {
		return coded{}, ErrCoding.New()
	}
	if float64(r.rowBytes())*float64(r.height) > greatestRatio(names)*float64(len(o.stream)) {
		return coded{}, ErrBroken.New()
	}
	c.source = func() io.Reader {
		in, _ := chain(names, bytes.NewReader(o.stream), c.budget(len(names)))
		return in
	}
	return c, nil
}

// greatestRatio is how many bytes one byte can become at best behind filters, so that no memory is taken for what cannot come.
func greatestRatio(names []pdfName) float64 {
	ratio := 1.0
	for _, name := range names {
		switch name {
		case "FlateDecode", "Fl":
			ratio *= mostDeflateRatio
		default: // LZW: codes of 9 bits and more stand for less than 4096 bytes each
			ratio *= 4096
		}
	}
	return ratio
}

// budget is how many bytes so many filters may give for the picture, all together: four times what is needed of each, for
// what is packed within is hardly larger.
func (c coded) budget(filters int) *int {
	left := max(1, filters) * (4*(c.raster.rowBytes()+1)*c.height + 64<<10)
	return &left
}

// otherCoding names a coding that people know by name and that is not decoded here.
func otherCoding(names []pdfName) (string, bool) {
	for _, name := range names {
		switch name {
		case "JPXDecode":
			return "JPEG 2000", true
		case "JBIG2Decode":
			return "JBIG2", true
		}
	}
	return "", false
}

func (p pdfPictures) codedJPEG(d pdfDict, stream []byte, before []pdfName, parameters pdfDict) (coded, error) {
	if len(before) > 0 {
		// JPEG data hardly shrink: what unpacks to much more is none.
		left := len(before) * (4*len(stream) + 64<<10)
		in, ok := chain(before, bytes.NewReader(stream), &left)
		if !ok {
			return coded{}, ErrCoding.New()
		}
		data, err := io.ReadAll(io.LimitReader(in, int64(p.file.limits.Bytes)+1))
		if err != nil || len(data) > p.file.limits.Bytes {
			return coded{}, ErrBroken.New()
		}
		stream = data
	}
	if !bytes.HasPrefix(stream, []byte("\xff\xd8\xff")) {
		return coded{}, ErrBroken.New()
	}
	facts, err := p.file.checkJPEG(stream)
	if err != nil {
		return coded{}, err
	}
	// Programs write /Decode [1 0 1 0 1 0 1 0] for inks that are stored as Adobe does.
	decode, _ := p.inner.resolve(d["Decode"]).(pdfArray)
	inverted := len(decode) > 0 && p.inner.number(decode[0], 0) > 0.5
	c := jpegColours{inkIs255: !inverted, rgb: parameters != nil && p.inner.number(parameters["ColorTransform"], 1) == 0}
	return coded{width: facts.width, height: facts.height, jpeg: stream, facts: facts, colours: c}, nil
}

func (p pdfPictures) codedFax(c coded, stream []byte, before []pdfName, parameters pdfDict) (coded, error) {
	k := p.inner.number(parameters["K"], 0)
	columns := int(p.inner.number(parameters["Columns"], 1728))
	if k > 0 || columns != c.width || c.raster.bits != 1 || c.raster.components != 1 {
		return coded{}, ErrCoding.New()
	}
	flags := fax{group4: k < 0, width: c.width, height: c.height, aligned: p.inner.resolve(parameters["EncodedByteAlign"]) == any(true),
		blackIs1: p.inner.resolve(parameters["BlackIs1"]) == any(true)}
	if !known(before) {
		return coded{}, ErrCoding.New()
	}
	c.source = func() io.Reader {
		in, _ := chain(before, bytes.NewReader(stream), c.budget(len(before)))
		return unFax(in, flags)
	}
	return c, nil
}

// raster reads what the samples of a picture mean.
func (p pdfPictures) raster(d pdfDict) (raster, error) {
	f := p.inner
	r := raster{width: int(f.number(d["Width"], 0)), height: int(f.number(d["Height"], 0)), components: 1, bits: int(f.number(d["BitsPerComponent"], 8)), predictor: 1}
	if f.resolve(d["ImageMask"]) == any(true) {
		r.bits = 1
	} else if err := p.colours(&r, f.resolve(d["ColorSpace"]), 0); err != nil {
		return r, err
	}
	if names, _ := f.filters(d); len(names) > 0 && (names[len(names)-1] == "CCITTFaxDecode" || names[len(names)-1] == "CCF") {
		r.bits = 1
	}
	if decode, ok := f.resolve(d["Decode"]).(pdfArray); ok && len(decode) > 0 && r.palette == nil {
		r.inverted = f.number(decode[0], 0) > 0.5
	}
	if r.width <= 0 || r.height <= 0 {
		return r, ErrBroken.New()
	}
	if !r.valid() {
		return r, ErrCoding.New()
	}
	return r, nil
}

// colours reads a colour space (8.6): device and calibrated ones, profiles by their number of components, palettes.
func (p pdfPictures) colours(r *raster, space any, depth int) error {
	f := p.inner
	name, _ := space.(pdfName)
	list, _ := space.(pdfArray)
	if len(list) > 0 {
		name, _ = f.resolve(list[0]).(pdfName)
	}
	switch name {
	case "DeviceGray", "CalGray", "G":
		r.components = 1
	case "DeviceRGB", "CalRGB", "RGB":
		r.components = 3
	case "DeviceCMYK", "CMYK":
		r.components = 4
	case "ICCBased":
		if len(list) < 2 {
			return ErrBroken.New()
		}
		n := int(f.number(f.dict(list[1])["N"], 0))
		if !slices.Contains([]int{1, 3, 4}, n) {
			return ErrCoding.New()
		}
		r.components = n
	case "Indexed", "I":
		if len(list) < 4 || depth > 0 {
			return ErrBroken.New()
		}
		return p.palette(r, list)
	default:
		return ErrCoding.New()
	}
	return nil
}

// palette reads [/Indexed base highest table], whose table is of grey, RGB or CMYK.
func (p pdfPictures) palette(r *raster, list pdfArray) error {
	var base raster
	if err := p.colours(&base, p.inner.resolve(list[1]), 1); err != nil {
		return err
	}
	table, ok := p.inner.resolve(list[3]).(pdfString)
	if !ok {
		o, _ := p.inner.object(list[3])
		d, _ := o.value.(pdfDict)
		data, unpacked := p.inner.unpacked(d, o.stream)
		if d == nil || !unpacked {
			return ErrCoding.New()
		}
		table = pdfString(data[:min(len(data), 1024)])
	}
	switch base.components {
	case 1:
		for i := range len(table) {
			r.palette = append(r.palette, table[i], table[i], table[i])
		}
	case 3:
		r.palette = []byte(table)
	case 4:
		for ; len(table) >= 4; table = table[4:] {
			k := 255 - int(table[3])
			for c := range 3 {
				r.palette = append(r.palette, byte((255-int(table[c]))*k/255))
			}
		}
	}
	r.components = 1
	if r.palette == nil {
		r.palette = []byte{}
	}
	return nil
}

// joined puts the strips of a page together, from the top.
func (p pdfPictures) joined(page int, scan []placement) (image.Image, error) {
	scan = slices.Clone(scan)
	slices.SortStableFunc(scan, func(a, b placement) int {
		switch top, other := a.at[5]+a.at[3], b.at[5]+b.at[3]; {
		case top > other:
			return -1
		case top < other:
			return 1
		}
		return 0
	})
	size := p.file.Pages[page]
	whole := mosaic{size: image.Rect(0, 0, size.Width, size.Height)}
	y := 0
	for _, placed := range scan {
		c, err := p.codedPicture(placed.picture)
		if err != nil {
			return nil, err
		}
		strip, err := c.decode()
		if err != nil {
			return nil, err
		}
		whole.put(strip, image.Rect(0, y, c.width, y+c.height))
		y += c.height
	}
	return whole.img, nil
}

func hasCode(err error, specs ...fault.Spec) bool {
	return slices.ContainsFunc(specs, func(s fault.Spec) bool { return fault.Has(err, s) })
}
