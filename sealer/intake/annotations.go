package intake

import (
	"slices"

	"yinxin/sealer/pdf"
)

// Flags of annotations (ISO 32000-1, table 165).
const (
	flagInvisible    = 1 << 0
	flagHidden       = 1 << 1
	flagNoView       = 1 << 5
	flagToggleNoView = 1 << 8
)

// Kinds of annotations.
var (
	// mediaKinds play or show something of their own (13.2 to 13.7).
	mediaKinds = []pdf.Name{"RichMedia", "3D", "Movie", "Sound", "Screen"}
	// plainKinds need no appearance: a link shows nothing, a popup belongs to another annotation.
	plainKinds = []pdf.Name{"Link", "Popup", "Widget", "PrinterMark", "TrapNet"}
	// coveringKinds can hide what is under them. Text markup lies on text by its nature, and lines hide nothing.
	coveringKinds = []pdf.Name{"FreeText", "Stamp", "Square", "Circle", "Polygon", "Watermark", "Redact", "RichMedia", "3D", "Movie",
		"Screen", "FileAttachment", "Text"}
)

// annotations looks at the annotations of a page. c is what the page shows, nil when that is not known.
func (s *scanner) annotations(p pdf.Page, c *canvas) error {
	list, err := s.array(p.Dict.Get("Annots"))
	if err != nil {
		return err
	}
	for _, o := range list {
		if s.annotated++; s.annotated > s.limits.Annotations {
			s.cut("annotations")
			return nil
		}
		if s.annotated&0xFF == 0 && s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		ref, _ := o.(pdf.Ref)
		d, err := s.dict(o)
		if err != nil {
			return err
		}
		if d == nil {
			continue
		}
		if ref.Num == 0 {
			ref = p.Ref
		}
		if err := s.annotation(p, c, d, ref); err != nil {
			return err
		}
	}
	return nil
}

// annotation looks at one annotation.
func (s *scanner) annotation(p pdf.Page, c *canvas, d pdf.Dict, ref pdf.Ref) error {
	kind := s.name(d.Get("Subtype"))
	box, placed := s.rect(d.Get("Rect"))
	where := func() *Place {
		if !placed || area(box) == 0 {
			return nil
		}
		return place(p, box)
	}
	found := func(code Code, detail string) {
		s.add(Finding{Code: code, Page: p.Number, ref: ref, Place: where(), Detail: detail})
	}
	if slices.Contains(mediaKinds, kind) {
		found(CodeMedia, string(kind))
	}
	if kind == "Redact" {
		found(CodeRedaction, "")
	}
	flags := s.integer(d.Get("F"))
	layer := s.hiddenLayer(d.Get("OC"))
	sized := placed && box.Width() > 0.5 && box.Height() > 0.5
	hidden := flags&(flagHidden|flagNoView) != 0 || layer
	switch {
	case kind == "Popup" || !sized:
		return nil // shown when it is opened, or never
	case hidden, flags&flagToggleNoView != 0:
		found(CodeAnnotationHidden, string(kind))
		return nil
	case flags&flagInvisible != 0 && !d.Has("AP"):
		found(CodeAnnotationHidden, string(kind))
		return nil
	}
	appearance, err := s.appearance(d)
	if err != nil {
		return err
	}
	if appearance == nil && !slices.Contains(plainKinds, kind) {
		found(CodeNoAppearance, string(kind))
	}
	if c == nil || kind == "Link" {
		return nil
	}
	if s.operators += len(c.texts) / 16; s.operators > s.limits.Operators {
		s.cut("content")
		return nil
	}
	if covered := c.textsUnder(box); covered > 0 && s.covers(d, kind, appearance, p, box) {
		s.add(Finding{Code: CodeAnnotationCovers, Page: p.Number, ref: ref, Place: where(), Count: covered, Detail: string(kind)})
	}
	return nil
}

// covers says that an annotation can hide the text under it. Seals are put on text on purpose: a signature must take
// a quarter of the page to count.
func (s *scanner) covers(d pdf.Dict, kind pdf.Name, appearance *pdf.Stream, p pdf.Page, box pdf.Rect) bool {
	share := area(common(box, p.CropBox)) / max(1, area(p.CropBox))
	switch {
	case kind == "Widget":
		field, err := s.fieldKind(d)
		return err == nil && field == "Sig" && share > 0.25
	case !slices.Contains(coveringKinds, kind):
		return false
	case kind == "Stamp" && s.sealPart(d, appearance):
		return share > 0.25
	case kind == "Text" || kind == "FileAttachment":
		return share > 0.01 // an icon is not; one that was blown up is
	case kind == "Square" || kind == "Circle" || kind == "Polygon":
		inside, err := s.array(d.Get("IC"))
		return err == nil && len(inside) > 0 && s.solid(d)
	}
	return s.solid(d) && (appearance == nil || kind != "Watermark" || share > 0.25)
}

// sealPartFlags are those of a further place of a seal: printed, read-only, locked with its contents.
const sealPartFlags = 1<<2 | 1<<6 | 1<<7 | 1<<9

// sealPart says that a stamp is a further place of a seal that the document bears: locked, and it draws what the widget
// of a signed field draws, so that it can hide no more than that may.
func (s *scanner) sealPart(d pdf.Dict, appearance *pdf.Stream) bool {
	if appearance == nil || s.integer(d.Get("F"))&sealPartFlags != sealPartFlags {
		return false
	}
	drawn := s.drawn(appearance)
	for _, ref := range drawn {
		if !s.sealPictures()[ref] {
			return false
		}
	}
	return len(drawn) > 0
}

// sealPictures are the XObjects that widgets of signed fields draw.
func (s *scanner) sealPictures() map[pdf.Ref]bool {
	if s.pictures != nil {
		return s.pictures
	}
	s.pictures = map[pdf.Ref]bool{}
	fields, err := s.doc.SignatureFields(s.ctx)
	if err != nil {
		return s.pictures // the walk reports what cannot be read
	}
	for _, f := range fields {
		if f.Dict == nil {
			continue
		}
		for _, w := range f.Widgets {
			widget, err := s.dict(w)
			if err != nil {
				continue
			}
			if look, err := s.appearance(widget); err == nil && look != nil {
				for _, ref := range s.drawn(look) {
					s.pictures[ref] = true
				}
			}
		}
	}
	return s.pictures
}

// drawn lists the XObjects among the resources of a form.
func (s *scanner) drawn(form *pdf.Stream) []pdf.Ref {
	resources, err := s.dict(form.Dict.Get("Resources"))
	if err != nil {
		return nil
	}
	objects, err := s.dict(resources.Get("XObject"))
	if err != nil {
		return nil
	}
	var out []pdf.Ref
	for _, e := range objects {
		ref, _ := e.Value.(pdf.Ref)
		out = append(out, ref)
	}
	return out
}

// solid says that an annotation is not meant to be seen through (/CA).
func (s *scanner) solid(d pdf.Dict) bool {
	v, err := s.resolve(d.Get("CA"))
	alpha, ok := pdf.Number(v)
	return err == nil && (!ok || alpha >= 1)
}

// appearance is the normal appearance that is shown, nil without one.
func (s *scanner) appearance(d pdf.Dict) (*pdf.Stream, error) {
	streams, err := s.dict(d.Get("AP"))
	if err != nil {
		return nil, err
	}
	o, err := s.resolve(streams.Get("N"))
	if err != nil {
		return nil, err
	}
	if states, ok := o.(pdf.Dict); ok {
		if o, err = s.resolve(states.Get(s.name(d.Get("AS")))); err != nil {
			return nil, err
		}
	}
	v, _ := o.(*pdf.Stream)
	return v, nil
}

// fieldKind is the /FT of a field or widget, inherited.
func (s *scanner) fieldKind(d pdf.Dict) (pdf.Name, error) {
	for range 32 {
		if kind := s.name(d.Get("FT")); kind != "" {
			return kind, nil
		}
		var err error
		if d, err = s.dict(d.Get("Parent")); err != nil || d == nil {
			return "", err
		}
	}
	return "", nil
}
