package pdf

import (
	"slices"
	"strconv"
)

// written is an object of the update with its offset in the file.
type written struct {
	ref    Ref
	offset int64 // in an object stream: the number of the stream
	state  byte  // 'c' in an object stream, 'f' free, else at the offset
	index  int   // in the object stream
}

// writer lays an update out.
type writer struct {
	buf     []byte
	base    int64 // offset of buf[0] in the file, counted as the file counts
	objects []written
}

func (w *writer) text(s string)    { w.buf = append(w.buf, s...) }
func (w *writer) integer(n int64)  { w.buf = strconv.AppendInt(w.buf, n, 10) }
func (w *writer) reference(n int)  { w.integer(int64(n)); w.text(" 0 R") }
func (w *writer) offset() int64    { return w.base + int64(len(w.buf)) }
func (w *writer) number(v float64) { w.buf = appendNumber(w.buf, v) }

// begin starts an object.
func (w *writer) begin(ref Ref) {
	w.objects = append(w.objects, written{ref: ref, offset: w.offset()})
	w.integer(int64(ref.Num))
	w.text(" ")
	w.integer(int64(ref.Gen))
	w.text(" obj\n")
}

func (w *writer) end() { w.text("\nendobj\n") }

// write lays out the update: changed objects, new objects, signature, cross-reference.
func (p *plan) write() (*Update, error) {
	d := p.document
	a := p.request.Appearance
	size := 2*p.request.ContentsSize + len(a.imageHead) + len(a.imageTail) + len(a.mask) + len(d.sections[0].raw) + 2048
	for _, r := range p.rewrites {
		size += len(r.body) + 64
	}
	size += 4 * (len(p.request.Signer) + len(p.request.Reason) + len(p.request.Location) + len(p.request.Contact))
	if d.size+int64(size) > maxFile {
		return nil, errTooLarge.With("%d bytes", d.size)
	}
	w := &writer{buf: make([]byte, 0, size), base: d.size - d.bias, objects: make([]written, 0, 16)}
	if err := p.writeLineEnd(w); err != nil {
		return nil, err
	}
	for _, r := range p.rewrites {
		w.begin(r.ref)
		w.buf = append(w.buf, r.body...)
		w.end()
	}
	p.writeWidget(w)
	p.writeAppearance(w)
	if p.form != 0 {
		w.begin(Ref{Num: p.form})
		w.text("<</Fields[")
		w.reference(p.widget)
		w.text("]/SigFlags 3>>")
		w.end()
	}
	u := &Update{field: p.name}
	rangeAt := p.writeSignature(w, u)
	if err := p.writeXref(w); err != nil {
		return nil, err
	}
	u.data = w.buf
	u.shut = u.open + 2*p.request.ContentsSize + 2
	u.filled = 2 * p.request.ContentsSize // nothing is there yet
	end := d.size + int64(len(u.data))
	u.byteRange = [4]int64{0, d.size + int64(u.open), d.size + int64(u.shut), end - d.size - int64(u.shut)}
	text := u.data[rangeAt : rangeAt+PropertyLength()]
	for i, n := range u.byteRange[1:] {
		number := strconv.AppendInt(nil, n, 10)
		copy(text[2+11*i+1+rangeDigits-len(number):], number)
	}
	u.property = string(text)
	return u, nil
}

// writeLineEnd ends the last line of the original, where its producer did not.
func (p *plan) writeLineEnd(w *writer) error {
	var last [1]byte
	if err := p.document.readFull(last[:], p.document.size-1); err != nil {
		return err
	}
	if last[0] != '\n' && last[0] != '\r' {
		w.text("\n")
	}
	return nil
}

// writeWidget writes the field and its only widget as one object. Print and Locked are set; the field is not hidden
// in any state.
func (p *plan) writeWidget(w *writer) {
	w.begin(Ref{Num: p.widget})
	w.text("<</Type/Annot/Subtype/Widget/FT/Sig/T")
	w.buf = appendText(w.buf, p.name)
	w.text("/V ")
	w.reference(p.signature)
	w.text("/P ")
	w.integer(int64(p.page.Ref.Num))
	w.text(" ")
	w.integer(int64(p.page.Ref.Gen))
	w.text(" R/F 132/Rect[")
	for i, v := range [4]float64{p.placed.rect.X1, p.placed.rect.Y1, p.placed.rect.X2, p.placed.rect.Y2} {
		if i > 0 {
			w.text(" ")
		}
		w.number(v)
	}
	w.text("]/AP<</N ")
	w.reference(p.appearance)
	w.text(">>>>")
	w.end()
}

// writeAppearance writes the form that draws the picture, and the picture.
func (p *plan) writeAppearance(w *writer) {
	content := append([]byte("q "), appendNumber(nil, p.placed.width)...)
	content = append(content, " 0 0 "...)
	content = appendNumber(content, p.placed.height)
	content = append(content, " 0 0 cm /Seal Do Q"...)
	w.begin(Ref{Num: p.appearance})
	w.text("<</Type/XObject/Subtype/Form/BBox[0 0 ")
	w.number(p.placed.width)
	w.text(" ")
	w.number(p.placed.height)
	w.text("]")
	w.text(p.placed.matrix())
	w.text("/Resources<</XObject<</Seal ")
	w.reference(p.image)
	w.text(">>>>/Length ")
	w.integer(int64(len(content)))
	w.text(">>\nstream\n")
	w.buf = append(w.buf, content...)
	w.text("\nendstream")
	w.end()

	w.begin(Ref{Num: p.image})
	w.buf = p.request.Appearance.appendImage(w.buf, p.mask)
	w.end()
	if p.mask != 0 {
		w.begin(Ref{Num: p.mask})
		w.buf = append(w.buf, p.request.Appearance.mask...)
		w.end()
	}
}

// writeSignature writes the signature dictionary with empty /Contents and blank /ByteRange, and returns where the
// latter stands.
func (p *plan) writeSignature(w *writer, u *Update) (rangeAt int) {
	r := p.request
	w.begin(Ref{Num: p.signature})
	w.text("<</Type/Sig/Filter")
	w.buf = appendName(w.buf, r.Filter)
	w.text("/SubFilter")
	w.buf = appendName(w.buf, r.SubFilter)
	w.text("/ByteRange")
	rangeAt = len(w.buf)
	w.text("[0")
	for range PropertyLength() - len("[0]") {
		w.text(" ")
	}
	w.text("]")
	w.text("/Contents")
	u.open = len(w.buf)
	w.text("<")
	w.buf = slices.Grow(w.buf, 2*r.ContentsSize)[:len(w.buf)+2*r.ContentsSize]
	w.text(">")
	w.text("/M(")
	w.buf = r.Time.UTC().AppendFormat(w.buf, "D:20060102150405Z")
	w.text(")")
	for _, entry := range [4]struct{ key, text string }{
		{"/Name", r.Signer}, {"/Reason", r.Reason}, {"/Location", r.Location}, {"/ContactInfo", r.Contact},
	} {
		if entry.text != "" {
			w.text(entry.key)
			w.buf = appendText(w.buf, entry.text)
		}
	}
	w.text(">>")
	w.end()
	return rangeAt
}
