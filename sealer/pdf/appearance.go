package pdf

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"sync"

	"yinxin/internal/fault"
	"yinxin/sealer/imprint/outline"
)

// Appearance is what a seal looks like: its picture, in one rendering, and perhaps lines of text with it. It is encoded
// once and then used for any number of documents. It is immutable and safe for concurrent use.
type Appearance struct {
	*design
	rendering Rendering
	soft      bool   // has a soft mask, that is transparency
	parts     []part // the first one paints the unit square
	bytes     int
}

// Style is how the picture of a seal is written.
type Style uint8

const (
	// SoftImage is the picture as an image with its degrees of opacity as soft mask: what is shown is exactly the
	// picture. It is the default.
	SoftImage Style = iota
	// VectorOutline is the picture traced to lines and curves: sharp at any enlargement, without transparency, and as a rule
	// smaller than the image. The picture must have at most four colours.
	VectorOutline
	// HardImage is the picture as an image whose pixels are either there or not, without transparency.
	HardImage
)

// Rendering is how an appearance is written.
type Rendering struct {
	Style Style
	// Calibrated gives colours independently of any device, as sRGB in the form of CalRGB (ISO 32000-1, 8.6.5.3),
	// where a file has no output intent that says what red is.
	Calibrated bool
}

// design is what all renderings of an appearance share.
type design struct {
	picture       []byte  // PNG
	width, height float64 // of the whole, mm
	seal          box
	text          *lettering // nil when there are no lines

	mu   sync.Mutex
	made map[Rendering]rendered
}

// rendered is what came of making a rendering.
type rendered struct {
	appearance *Appearance
	err        error
}

// box is a rectangle in millimetres from the lower left corner of an appearance.
type box struct{ x, y, width, height float64 }

const (
	maxPictureSide   = 8192
	maxPicturePixels = 1 << 23
	maxSealMM        = 1000
)

// NewAppearance encodes a PNG that shall measure width × height millimetres on the page, as SoftImage with the colours
// of the device. As and For give other renderings of it, WithLines puts text with it. Error: pdf.bad-picture.
func NewAppearance(picture []byte, widthMM, heightMM float64) (*Appearance, error) {
	for _, v := range []float64{widthMM, heightMM} {
		if math.IsNaN(v) || v <= 0 || v > maxSealMM {
			return nil, errBadPicture.With("%g × %g mm", widthMM, heightMM)
		}
	}
	d := &design{picture: bytes.Clone(picture), width: widthMM, height: heightMM, seal: box{0, 0, widthMM, heightMM}}
	return d.render(Rendering{})
}

func decodePicture(picture []byte) (image.Image, error) {
	config, err := png.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return nil, errBadPicture.Because(err)
	}
	if config.Width > maxPictureSide || config.Height > maxPictureSide || config.Width*config.Height > maxPicturePixels {
		return nil, errBadPicture.With("%d × %d pixels", config.Width, config.Height)
	}
	decoded, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, errBadPicture.Because(err)
	}
	return decoded, nil
}

// Size is the size on the page in millimetres, lines included.
func (a *Appearance) Size() (width, height float64) { return a.width, a.height }

// SealSize is the size of the seal alone in millimetres: the size that NewAppearance was given.
func (a *Appearance) SealSize() (width, height float64) { return a.seal.width, a.seal.height }

// SealPlace is where the lower left corner of the seal is, in millimetres from that of the whole.
func (a *Appearance) SealPlace() (x, y float64) { return a.seal.x, a.seal.y }

// Rendering is how the appearance is written.
func (a *Appearance) Rendering() Rendering { return a.rendering }

// Transparent reports whether the appearance uses transparency, which PDF/A-1 forbids.
func (a *Appearance) Transparent() bool { return a.soft }

// As gives another rendering of the same seal, made when it is first asked for and kept. Errors: those of
// outline.Trace for VectorOutline.
func (a *Appearance) As(r Rendering) (*Appearance, error) {
	if r == a.rendering {
		return a, nil
	}
	return a.render(r)
}

// render makes a rendering, once.
func (d *design) render(r Rendering) (*Appearance, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if done, ok := d.made[r]; ok {
		return done.appearance, done.err
	}
	a, err := d.encode(r)
	if r.Style <= HardImage { // what else is asked for is not kept, so that there are few
		if d.made == nil {
			d.made = map[Rendering]rendered{}
		}
		d.made[r] = rendered{a, err}
	}
	return a, err
}

// encode makes the parts of a rendering.
func (d *design) encode(r Rendering) (*Appearance, error) {
	decoded, err := decodePicture(d.picture)
	if err != nil {
		return nil, err
	}
	a := &Appearance{design: d, rendering: r}
	switch r.Style {
	case SoftImage, HardImage:
		err = a.encodeImage(sampled(decoded))
	case VectorOutline:
		err = a.encodeOutline(decoded)
	default:
		err = errBadRequest.With("style %d", r.Style).At(fault.Field("style"))
	}
	if err == nil && d.text != nil {
		err = a.addLines()
	}
	if err != nil {
		return nil, err
	}
	for i := range a.parts {
		a.bytes += a.parts[i].size()
	}
	return a, nil
}

// calibratedRGB has the primaries and the white point of sRGB (IEC 61966-2-1) and the power that is closest to its curve.
const calibratedRGB = "[/CalRGB<</WhitePoint[.9505 1 1.089]/Gamma[2.2 2.2 2.2]" +
	"/Matrix[.4124 .2126 .0193 .3576 .7152 .1192 .1805 .7222 .9505]>>]"

// space is the colour space for red, green and blue.
func (r Rendering) space() string {
	if r.Calibrated {
		return calibratedRGB
	}
	return "/DeviceRGB"
}

// encodeImage writes the picture as an image and its mask.
func (a *Appearance) encodeImage(s samples) error {
	picture, err := s.image(a.rendering.space())
	if err != nil {
		return err
	}
	key, encode := "/SMask ", s.softMask
	if a.rendering.Style == HardImage {
		key, encode = "/Mask ", s.hardMask
	}
	mask, masked, err := encode()
	if err != nil {
		return err
	}
	a.parts = make([]part, 1, 2)
	a.parts[0].add(picture.dict)
	if masked {
		a.soft = a.rendering.Style == SoftImage
		a.parts[0].text(key)
		a.parts[0].reference(1)
		var p part
		p.add(mask.dict)
		p.add(mask.data)
		a.parts = append(a.parts, p)
	}
	a.parts[0].add(picture.data)
	return nil
}

// encodeOutline writes the picture as a form of lines and curves.
func (a *Appearance) encodeOutline(picture image.Image) error {
	traced, err := outline.Trace(picture)
	if err != nil {
		return err
	}
	space, resources := "/DeviceRGB", "/Resources<<>>"
	if a.rendering.Calibrated {
		space, resources = "/RGB", "/Resources<</ColorSpace<</RGB"+calibratedRGB+">>>>"
	}
	var p part
	p.text("<</Type/XObject/Subtype/Form/BBox[0 0 1 1]" + resources)
	if err := p.stream(traced.PDF(space)); err != nil {
		return err
	}
	a.parts = []part{p}
	return nil
}

// objects is how many object numbers the picture takes. The first is an XObject that paints the unit square.
func (a *Appearance) objects() int { return len(a.parts) }

// sealPart is which of the objects paints the seal without lines.
func (a *Appearance) sealPart() int {
	if a.text == nil {
		return 0
	}
	return 1
}

// size is about how many bytes the objects take, not less than they do.
func (a *Appearance) size() int { return a.bytes }

// write writes the objects under the numbers from first on.
func (a *Appearance) write(w *writer, first int) {
	for i := range a.parts {
		w.begin(Ref{Num: first + i})
		a.parts[i].write(w, first)
		w.end()
	}
}
