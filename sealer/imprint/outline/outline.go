package outline

import (
	"image"
	"image/color"
	"math"
)

// Limits of what is traced. A seal of 42 mm at 600 dpi has a million pixels and about forty thousand crossings.
const (
	maxPixels    = 1 << 24
	maxCrossings = 1 << 20
	maxSegments  = 1 << 16
	maxLayers    = 4
)

// Point is a position in pixels.
type Point struct{ X, Y float64 }

func (p Point) plus(q Point) Point       { return Point{p.X + q.X, p.Y + q.Y} }
func (p Point) minus(q Point) Point      { return Point{p.X - q.X, p.Y - q.Y} }
func (p Point) times(s float64) Point    { return Point{p.X * s, p.Y * s} }
func (p Point) dot(q Point) float64      { return p.X*q.X + p.Y*q.Y }
func (p Point) cross(q Point) float64    { return p.X*q.Y - p.Y*q.X }
func (p Point) length() float64          { return math.Sqrt(p.dot(p)) }
func (p Point) distance(q Point) float64 { return p.minus(q).length() }

// unit is the direction of p; of no length, it stays zero.
func (p Point) unit() Point {
	if l := p.length(); l > 0 {
		return p.times(1 / l)
	}
	return Point{}
}

// Segment goes from the end of the one before it to End: straight, or as a cubic Bézier curve.
type Segment struct {
	Line        bool
	C1, C2, End Point
}

// Path is closed: its last segment ends at Start. With y downwards, ink lies on its right.
type Path struct {
	Start    Point
	Segments []Segment
}

// Layer is what has one colour.
type Layer struct {
	Colour color.NRGBA // opaque
	Paths  []Path
}

// Outline is a traced picture. It is not changed once it is made.
type Outline struct {
	Width, Height int // pixels
	Layers        []Layer
}

// Trace finds the outline of what is more than half opaque in a picture of at most four colours. Colours that a person
// cannot tell apart count as one. Errors: outline.too-large, outline.too-complex, outline.too-many-colours,
// outline.empty.
func Trace(m image.Image) (*Outline, error) {
	b := m.Bounds()
	if b.Dx() <= 0 || b.Dy() <= 0 {
		return nil, errEmpty.New()
	}
	if b.Dx() > maxPixels/b.Dy() {
		return nil, errTooLarge.With("%d × %d pixels", b.Dx(), b.Dy())
	}
	inks, err := separate(m)
	if err != nil {
		return nil, err
	}
	o := &Outline{Width: b.Dx(), Height: b.Dy()}
	crossings, segments := 0, 0
	for _, ink := range inks {
		contours, err := ink.contours(maxCrossings - crossings)
		if err != nil {
			return nil, err
		}
		layer, within := Layer{Colour: ink.colour}, ink.precision()
		for _, c := range contours {
			crossings += len(c)
			p := fitContour(c, within)
			if segments += len(p.Segments); segments > maxSegments {
				return nil, errTooComplex.Sayingf("曲线超过 %d 段", "more than %d curves", maxSegments)
			}
			layer.Paths = append(layer.Paths, p)
		}
		if len(layer.Paths) > 0 {
			o.Layers = append(o.Layers, layer)
		}
	}
	if len(o.Layers) == 0 {
		return nil, errEmpty.New()
	}
	return o, nil
}

// Segments is the number of lines and curves.
func (o *Outline) Segments() int {
	n := 0
	for _, l := range o.Layers {
		for _, p := range l.Paths {
			n += len(p.Segments)
		}
	}
	return n
}
