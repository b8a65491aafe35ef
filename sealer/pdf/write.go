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

// open makes a writer that appends to the document, with room for an update of about size bytes.
func (p *plan) open(size int) (*writer, error) {
	d := p.document
	if d.size+int64(size) > maxFile {
		return nil, errTooLarge.With("%d bytes", d.size)
	}
	w := &writer{buf: make([]byte, 0, size), base: d.size - d.bias, objects: make([]written, 0, 16)}
	return w, p.writeLineEnd(w)
}

// size estimates how long the update will be; it is longer than what writing gives.
func (p *plan) size() int {
	r := &p.request
	size := 2*r.ContentsSize + len(p.document.sections[0].raw) + 2048 + 640*len(p.looks.list) + 512*len(p.spots)
	if p.picture != 0 {
		size += r.Appearance.size()
	}
	if p.watermark != 0 {
		size += r.Watermark.bytes
	}
	for _, w := range p.rewrites {
		size += len(w.body) + 64
	}
	text := len(r.Signer) + len(r.Reason) + len(r.Location) + len(r.Contact) + len(p.name)
	if r.Lock != nil {
		for _, f := range r.Lock.Fields {
			text += 2*len(f) + 8
		}
	}
	return size + 4*text + len(p.spots)*4*(len(r.Signer)+len(p.name))
}

// write lays out the update: changed objects, new objects, signature, cross-reference.
func (p *plan) write() (*Update, error) {
	d := p.document
	w, err := p.open(p.size())
	if err != nil {
		return nil, err
	}
	p.writeRewrites(w)
	p.writeAnnotations(w)
	p.writeLooks(w)
	if p.picture != 0 {
		p.request.Appearance.write(w, p.picture)
	}
	p.writeWatermark(w)
	if p.form != 0 {
		w.begin(Ref{Num: p.form})
		w.text("<</Fields[")
		w.reference(p.widget)
		w.text("]/SigFlags 3>>")
		w.end()
	}
	if p.lock != 0 {
		w.begin(Ref{Num: p.lock})
		w.text("<</Type/SigFieldLock")
		w.writeLock(p.request.Lock)
		w.text(">>")
		w.end()
	}
	u := &Update{field: p.name, notes: p.notes, marks: p.marks()}
	rangeAt := p.writeSignature(w, u)
	if err := p.writeXref(w); err != nil {
		return nil, err
	}
	u.data = w.buf
	u.shut = u.open + 2*p.request.ContentsSize + 2
	u.filled = 2 * p.request.ContentsSize // nothing is there yet
	end := d.size + int64(len(u.data))
	if end > maxFile {
		return nil, errTooLarge.With("%d bytes", end)
	}
	u.byteRange = [4]int64{0, d.size + int64(u.open), d.size + int64(u.shut), end - d.size - int64(u.shut)}
	u.property = propertyText(u.byteRange)
	copy(u.data[rangeAt:], u.property)
	return u, nil
}

func (p *plan) writeRewrites(w *writer) {
	for _, r := range p.rewrites {
		w.begin(r.ref)
		w.buf = append(w.buf, r.body...)
		w.end()
	}
}

// marks lists the places that show something.
func (p *plan) marks() []Mark {
	marks := make([]Mark, 0, len(p.spots))
	for i := range p.spots {
		if p.spots[i].look >= 0 && p.spots[i].Kind != markWatermark {
			marks = append(marks, p.spots[i].Mark)
		}
	}
	return marks
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

// writeSignature writes the signature dictionary with empty /Contents and blank /ByteRange, and returns where the
// latter stands.
func (p *plan) writeSignature(w *writer, u *Update) (rangeAt int) {
	r := p.request
	w.begin(Ref{Num: p.signature})
	w.text("<</Type")
	w.buf = appendName(w.buf, p.kind)
	w.text("/Filter")
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
	if !r.Time.IsZero() {
		w.text("/M(")
		w.buf = r.Time.UTC().AppendFormat(w.buf, "D:20060102150405Z")
		w.text(")")
	}
	for _, entry := range [4]struct{ key, text string }{
		{"/Name", r.Signer}, {"/Reason", r.Reason}, {"/Location", r.Location}, {"/ContactInfo", r.Contact},
	} {
		if entry.text != "" {
			w.text(entry.key)
			w.buf = appendText(w.buf, entry.text)
		}
	}
	p.writeReferences(w)
	w.text(">>")
	w.end()
	return rangeAt
}
