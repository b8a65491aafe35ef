package pdf

import "strconv"

// writeAnnotations writes the new field, if there is one, as one object with its only widget, and a locked annotation
// for each further place.
func (p *plan) writeAnnotations(w *writer) {
	for i := range p.spots {
		s := &p.spots[i]
		switch {
		case p.field == nil && i == 0:
			p.writeWidget(w, s)
		case p.field == nil || s.Object != p.field.widget:
			p.writeStamp(w, s, i)
		}
	}
}

// writeWidget writes the field and its widget. Print and Locked are set; the field is not hidden in any state, also
// where it has no size (PDF/A wants that).
func (p *plan) writeWidget(w *writer, s *spot) {
	w.begin(s.Object)
	w.text("<</Type/Annot/Subtype/Widget/FT/Sig/T")
	w.buf = appendText(w.buf, p.name)
	w.text("/V ")
	w.reference(p.signature)
	if p.lock != 0 {
		w.text("/Lock ")
		w.reference(p.lock)
	}
	p.writePlace(w, s, widgetFlags)
}

// writeStamp writes a further place of the seal. It is no widget, since a signature field has exactly one; its flags
// keep readers from moving, changing or deleting it.
func (p *plan) writeStamp(w *writer, s *spot, i int) {
	w.begin(s.Object)
	w.text("<</Type/Annot/Subtype/Stamp/NM")
	w.buf = appendText(w.buf, p.name+"-"+strconv.Itoa(i))
	w.text("/Contents")
	what := "印章"
	if s.Kind == MarkStraddle {
		what = "骑缝章"
	}
	switch {
	case s.Kind == markWatermark:
		what = "水印"
	case p.request.Signer != "":
		what += " " + p.request.Signer
	}
	w.buf = appendText(w.buf, what+" ("+p.name+")")
	p.writePlace(w, s, stampFlags)
}

// writePlace writes the entries that all annotations of a seal share, and ends the object.
func (p *plan) writePlace(w *writer, s *spot, flags int64) {
	w.text("/P ")
	w.text(s.page.Ref.String())
	w.text("/F ")
	w.integer(flags)
	w.text("/Rect[")
	w.rect(s.Rect)
	w.text("]")
	if s.look >= 0 {
		w.text("/AP<</N ")
		w.reference(p.looks.list[s.look].number)
		w.text(">>")
	}
	w.text(">>")
	w.end()
}

func (w *writer) rect(r Rect) {
	for i, v := range [4]float64{r.X1, r.Y1, r.X2, r.Y2} {
		if i > 0 {
			w.text(" ")
		}
		w.number(v)
	}
}

// writeLooks writes the forms that draw the picture. The picture paints the unit square, whatever it is.
func (p *plan) writeLooks(w *writer) {
	content := make([]byte, 0, 128)
	for _, k := range p.looks.list {
		content = append(content[:0], "q "...)
		content = appendNumber(content, k.width)
		content = append(content, " 0 0 "...)
		content = appendNumber(content, k.height)
		content = append(content, ' ')
		content = appendNumber(content, k.x)
		content = append(content, ' ')
		content = appendNumber(content, k.y)
		content = append(content, " cm /Seal Do Q"...)
		w.begin(Ref{Num: k.number})
		w.text("<</Type/XObject/Subtype/Form/BBox[")
		w.rect(k.box)
		w.text("]")
		w.text(k.matrix())
		w.text("/Resources<</XObject<</Seal ")
		number := p.picture
		switch {
		case k.word:
			number = p.watermark
		case k.bare:
			number += p.request.Appearance.sealPart()
		}
		w.reference(number)
		w.text(">>>>/Length ")
		w.integer(int64(len(content)))
		w.text(">>\nstream\n")
		w.buf = append(w.buf, content...)
		w.text("\nendstream")
		w.end()
	}
}

// matrix turns an upright form against the rotation of the page (ISO 32000-1, 12.5.5, algorithm 8.1 does the rest).
func (k look) matrix() string {
	switch k.rotate {
	case 90:
		return "/Matrix[0 1 -1 0 0 0]"
	case 180:
		return "/Matrix[-1 0 0 -1 0 0]"
	case 270:
		return "/Matrix[0 -1 1 0 0 0]"
	}
	return ""
}
