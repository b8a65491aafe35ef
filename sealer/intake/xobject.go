package intake

import "yinxin/sealer/pdf"

// resource looks a named resource up (7.8.3). Looking through a long list counts as so many operators.
func (in *interpreter) resource(category, n pdf.Name) (pdf.Object, error) {
	list, err := in.s.dict(in.resources.Get(category))
	in.s.operators += (len(list) + len(in.resources)) / 16
	return list.Get(n), err
}

// do draws an XObject (ISO 32000-1, 8.8).
func (in *interpreter) do(n pdf.Name) error {
	found, err := in.resource("XObject", n)
	if err != nil {
		return err
	}
	o, err := in.s.resolve(found)
	if err != nil {
		return err
	}
	stream, ok := o.(*pdf.Stream)
	if !ok || in.s.hiddenLayer(stream.Dict.Get("OC")) {
		return nil
	}
	switch in.s.name(stream.Dict.Get("Subtype")) {
	case "Image":
		in.image(stream.Dict, false)
	case "Form":
		return in.form(stream)
	}
	return nil
}

// image draws an image into the unit square.
func (in *interpreter) image(d pdf.Dict, inline bool) {
	if in.hidden > 0 {
		return
	}
	box := common(in.ctm.box(pdf.Rect{X2: 1, Y2: 1}), in.clip)
	if !finite(box) {
		return
	}
	if in.fill == 0 {
		in.c.transparent.take(box)
		return
	}
	if seen := area(common(box, in.c.page.CropBox)); seen > in.c.images {
		in.c.images = seen
	}
	in.c.paint(box)
	mask := d.Get("ImageMask")
	if inline && mask == nil {
		mask = d.Get("IM")
	}
	if v, err := in.s.resolve(mask); err != nil || v == true || d.Has("Mask") || d.Has("SMask") || d.Has("SMaskInData") {
		return // shows through, or may
	}
	if in.opaque && in.fill == 1 && in.ctm.upright() {
		in.s.operators += in.c.cover(box) / 16
	}
}

// form draws a form with its own resources. Text and path state go on as they were afterwards.
func (in *interpreter) form(v *pdf.Stream) error {
	if in.depth >= maxFormDepth {
		return nil // a form that draws itself ends here
	}
	data, err := in.s.decode(v)
	if err != nil || len(data) == 0 {
		return err
	}
	inner := *in
	inner.depth++
	inner.saved, inner.nesting = nil, nil
	inner.rects, inner.corners, inner.pathEmpty = nil, nil, true
	inner.tm, inner.line0 = identity, identity
	if m, ok := in.s.numbers(v.Dict.Get("Matrix"), 6); ok {
		inner.ctm = matrix{m[0], m[1], m[2], m[3], m[4], m[5]}.then(in.ctm)
	}
	if b, ok := in.s.numbers(v.Dict.Get("BBox"), 4); ok {
		box := pdf.Rect{X1: min(b[0], b[2]), Y1: min(b[1], b[3]), X2: max(b[0], b[2]), Y2: max(b[1], b[3])}
		inner.clip = common(in.clip, inner.ctm.box(box))
	}
	if resources := v.Dict.Get("Resources"); resources != nil {
		if inner.resources, err = in.s.dict(resources); err != nil {
			return err
		}
	}
	return inner.run(data)
}

// numbers gives an array of n numbers.
func (s *scanner) numbers(o pdf.Object, n int) ([6]float64, bool) {
	var v [6]float64
	list, err := s.array(o)
	if err != nil || len(list) != n {
		return v, false
	}
	for i, e := range list {
		e, err := s.resolve(e)
		if err != nil {
			return v, false
		}
		var ok bool
		if v[i], ok = pdf.Number(e); !ok {
			return v, false
		}
	}
	return v, true
}

// rect gives an array of four numbers as a rectangle.
func (s *scanner) rect(o pdf.Object) (pdf.Rect, bool) {
	v, ok := s.numbers(o, 4)
	return pdf.Rect{X1: min(v[0], v[2]), Y1: min(v[1], v[3]), X2: max(v[0], v[2]), Y2: max(v[1], v[3])}, ok
}
