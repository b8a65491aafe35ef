package imprint

import (
	"bytes"
	"image"
	"image/png"
	"math"

	"yinxin/sealer/imprint/outline"
)

// Vector is the outline of a template: closed paths of lines and cubic Bézier curves, sharp at any zoom, with what was
// measured of it. The same template gives the same outline, so it need not be kept beside it.
type Vector struct {
	Width, Height float64 // mm
	Outline       *outline.Outline
	Measures      VectorMeasures
}

// VectorMeasures say how far the outline is from the template that it was traced from.
type VectorMeasures struct {
	// MaxDeviation and MeanDeviation are distances from the edge of the ink in the template to the outline, in mm.
	MaxDeviation  float64 `json:"maxDeviationMM"`
	MeanDeviation float64 `json:"meanDeviationMM"`
	// IoU is the ink inside both divided by the ink inside either, 0 to 1, when the outline is drawn as pixels again.
	IoU      float64 `json:"iou"`
	Segments int     `json:"segments"`
}

// Trace finds the outline of a template, a PNG whose canvas is width by height millimetres. Errors: imprint.bad-template
// for what is not a template, and those of package outline, which outline.Refused tells from other errors.
func Trace(template []byte, width, height float64) (*Vector, error) {
	picture, err := DecodeTemplate(template)
	if err != nil {
		return nil, err
	}
	if !(width > 0 && height > 0) {
		return nil, ErrBadTemplate.With("%g × %g mm", width, height)
	}
	o, err := outline.Trace(picture)
	if err != nil {
		return nil, err
	}
	d, err := o.Deviation(picture)
	if err != nil {
		return nil, err
	}
	pixel := math.Max(width/float64(o.Width), height/float64(o.Height))
	return &Vector{Width: width, Height: height, Outline: o, Measures: VectorMeasures{MaxDeviation: rounded(d.Max*pixel, 4),
		MeanDeviation: rounded(d.Mean*pixel, 5), IoU: rounded(d.IoU, 5), Segments: o.Segments()}}, nil
}

// SVG is a file that shows the outline in its true size.
func (v *Vector) SVG() []byte { return v.Outline.SVG(v.Width, v.Height) }

// Path is the outline as a content stream of PDF that paints it into the unit square, in DeviceRGB and without
// transparency.
func (v *Vector) Path() []byte { return v.Outline.PDF("/DeviceRGB") }

// DecodeTemplate decodes a template: a PNG no larger than templates can be. Error: imprint.bad-template.
func DecodeTemplate(template []byte) (image.Image, error) {
	c, err := png.DecodeConfig(bytes.NewReader(template))
	if err != nil {
		return nil, ErrBadTemplate.Because(err)
	}
	if c.Width > mostTemplateSide || c.Height > mostTemplateSide {
		return nil, ErrBadTemplate.With("%d × %d", c.Width, c.Height)
	}
	m, err := png.Decode(bytes.NewReader(template))
	if err != nil {
		return nil, ErrBadTemplate.Because(err)
	}
	return m, nil
}

// mostTemplateSide is the largest side of a template in pixels: greatestMM at 1,200 dpi.
const mostTemplateSide = 3400
