package pdf

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"sort"
	"strconv"
	"time"
)

// Update is a planned incremental update with an empty place for the signature. Before and After are what it adds to
// the bytes that are signed; Fill puts the signature in.
type Update struct {
	data      []byte
	open      int // index of '<' in data
	shut      int // one past '>'
	filled    int // hexadecimal digits that the last Fill wrote
	property  string
	byteRange [4]int64
	field     string
}

// rangeDigits is the fixed width of a number in /ByteRange. Ten digits are also what a cross-reference table has.
const rangeDigits = 10

// maxFile is the largest file that ten digits reach.
const maxFile = 9_999_999_999

// PropertyLength is the length of what Property returns, the same for every document.
func PropertyLength() int { return len("[0") + 3*(1+rangeDigits) + len("]") }

// ByteRange is the signed range: everything but the hexadecimal string with its brackets.
func (u *Update) ByteRange() [4]int64 { return u.byteRange }

// Property is the value of /ByteRange as it stands in the file, "[0 … … …]" in fixed width.
func (u *Update) Property() string { return u.property }

// Field is the name of the new signature field.
func (u *Update) Field() string { return u.field }

// Before is what the update adds before the signature. The bytes to hash are the original, Before and After.
func (u *Update) Before() []byte { return u.data[:u.open] }

// After is what the update adds after the signature.
func (u *Update) After() []byte { return u.data[u.shut:] }

// Fill puts the signature in and returns the whole update: the sealed file is the original followed by it. The result
// belongs to the update; filling again overwrites it. Error: pdf.contents-too-long.
func (u *Update) Fill(contents []byte) ([]byte, error) {
	hexadecimal := u.data[u.open+1 : u.shut-1]
	if 2*len(contents) > len(hexadecimal) {
		return nil, errContentsTooLong.With("%d bytes reserved, %d needed", len(hexadecimal)/2, len(contents))
	}
	encodeHex(hexadecimal, contents)
	if used := 2 * len(contents); used < u.filled {
		fillZeros(hexadecimal[used:u.filled])
	}
	u.filled = 2 * len(contents)
	return u.data, nil
}

// encodeHex writes two digits for each byte, four bytes at a time: encoding is a large part of what assembling costs.
func encodeHex(dst, src []byte) {
	for ; len(src) >= 4; src, dst = src[4:], dst[8:] {
		// Spread eight nibbles over eight bytes, then add what makes each a digit.
		v := uint64(binary.BigEndian.Uint32(src))
		v = v&0xFFFF0000<<16 | v&0xFFFF
		v = v&0x0000FF000000FF00<<8 | v&0x000000FF000000FF
		v = v&0x00F000F000F000F0<<4 | v&0x000F000F000F000F
		letters := (v + 0x0606060606060606) >> 4 & 0x0101010101010101
		binary.BigEndian.PutUint64(dst, v+0x3030303030303030+letters*('a'-'0'-10))
	}
	hex.Encode(dst, src)
}

// fillZeros writes the digit 0 everywhere.
func fillZeros(b []byte) {
	if len(b) == 0 {
		return
	}
	b[0] = '0'
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

// written is an object of the update with its offset in the file.
type written struct {
	ref    Ref
	offset int64
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
	w.objects = append(w.objects, written{ref, w.offset()})
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
	fillZeros(w.buf[u.open+1:])
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

// writeXref writes the new section: a stream where the last one is a stream, else a table.
func (p *plan) writeXref(w *writer) error {
	stream := p.document.sections[0].kind == StreamXref
	start := w.offset()
	size := p.next
	if stream {
		// A cross-reference stream lists itself.
		w.objects = append(w.objects, written{Ref{Num: p.next}, start})
		size++
	}
	sort.Slice(w.objects, func(i, j int) bool { return w.objects[i].ref.Num < w.objects[j].ref.Num })
	var err error
	if stream {
		err = p.writeXrefStream(w, size)
	} else {
		err = p.writeTable(w, size)
	}
	if err != nil {
		return err
	}
	w.text("\nstartxref\n")
	w.integer(start)
	w.text("\n%%EOF\n")
	return nil
}

// writeTable writes a classic table: entries of exactly 20 bytes.
func (p *plan) writeTable(w *writer, size int) error {
	w.text("xref\n")
	for i := 0; i < len(w.objects); {
		n := run(w.objects[i:])
		w.integer(int64(w.objects[i].ref.Num))
		w.text(" ")
		w.integer(int64(n))
		w.text("\n")
		for _, o := range w.objects[i : i+n] {
			w.buf = appendPadded(w.buf, o.offset, 10)
			w.text(" ")
			w.buf = appendPadded(w.buf, int64(o.ref.Gen), 5)
			w.text(" n \n")
		}
		i += n
	}
	w.text("trailer\n<<")
	if err := p.writeTrailerEntries(w, size); err != nil {
		return err
	}
	w.text(">>")
	return nil
}

// run counts how many objects at the front have consecutive numbers.
func run(objects []written) int {
	n := 1
	for n < len(objects) && objects[n].ref.Num == objects[0].ref.Num+n {
		n++
	}
	return n
}

func appendPadded(dst []byte, v int64, width int) []byte {
	var digits [20]byte
	number := strconv.AppendInt(digits[:0], v, 10)
	for range width - len(number) {
		dst = append(dst, '0')
	}
	return append(dst, number...)
}

// writeXrefStream writes a cross-reference stream without compression: it is a hundred bytes.
func (p *plan) writeXrefStream(w *writer, size int) error {
	width := 4
	if w.offset() >= 1<<32 {
		width = 5
	}
	w.integer(int64(p.next))
	w.text(" 0 obj\n<</Type/XRef/W[1 ")
	w.integer(int64(width))
	w.text(" 2]/Index[")
	for i := 0; i < len(w.objects); {
		n := run(w.objects[i:])
		if i > 0 {
			w.text(" ")
		}
		w.integer(int64(w.objects[i].ref.Num))
		w.text(" ")
		w.integer(int64(n))
		i += n
	}
	w.text("]/Length ")
	w.integer(int64(len(w.objects) * (1 + width + 2)))
	if err := p.writeTrailerEntries(w, size); err != nil {
		return err
	}
	w.text(">>\nstream\n")
	for _, o := range w.objects {
		var row [8]byte
		binary.BigEndian.PutUint64(row[:], uint64(o.offset))
		w.buf = append(w.buf, 1)
		w.buf = append(w.buf, row[8-width:]...)
		w.buf = binary.BigEndian.AppendUint16(w.buf, uint16(o.ref.Gen))
	}
	w.text("\nendstream\nendobj")
	return nil
}

// writeTrailerEntries writes the entries that a trailer and a cross-reference stream share: those of the last section
// carried on, the ones that describe a section itself made new. /XRefStm must not be carried on: it would hide what
// this update changes.
func (p *plan) writeTrailerEntries(w *writer, size int) error {
	d := p.document
	last := d.sections[0]
	w.text("/Size ")
	w.integer(int64(size))
	w.text("/Prev ")
	w.integer(last.start - d.bias)
	w.text("/Root ")
	w.text(d.root.String())
	var seen []Name
	if len(last.trailer) > 256 {
		return errTooLarge.With("a trailer with %d keys", len(last.trailer))
	}
	err := eachEntry(last.raw, d.limits, func(k Name, _, start, end int) {
		switch k {
		case "Size", "Prev", "Root", "ID", "XRefStm", "Type", "W", "Index", "Length", "Filter", "DecodeParms", "F",
			"FFilter", "FDecodeParms", "DL", "DP":
			return
		}
		for _, s := range seen {
			if s == k {
				return
			}
		}
		seen = append(seen, k)
		w.buf = appendName(w.buf, k)
		w.text(" ")
		w.buf = append(w.buf, last.raw[start:end]...)
	})
	if err != nil {
		return err
	}
	return p.writeID(w)
}

// writeID keeps the first half of the file identifier and changes the second (ISO 32000-1, 14.4). The new half follows
// from the document and the request, so that planning again gives the same bytes.
func (p *plan) writeID(w *writer) error {
	d := p.document
	o, err := d.Resolve(d.Trailer().Get("ID"))
	if err != nil {
		return err
	}
	var first, second []byte
	if list, ok := o.(Array); ok && len(list) == 2 {
		a, _ := list[0].(String)
		b, _ := list[1].(String)
		first, second = a.Value, b.Value
	}
	hash := sha256.New()
	for _, part := range [][]byte{first, second, []byte(p.request.Time.UTC().Format(time.RFC3339)), []byte(p.name)} {
		hash.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		hash.Write(part)
	}
	hash.Write(binary.BigEndian.AppendUint64(nil, uint64(d.size)))
	changed := hash.Sum(nil)[:16]
	if len(first) == 0 || len(first) > 256 {
		first = changed
	}
	w.text("/ID[<")
	const digits = "0123456789ABCDEF"
	for _, half := range [2][]byte{first, changed} {
		for _, c := range half {
			w.buf = append(w.buf, digits[c>>4], digits[c&15])
		}
		w.text("><")
	}
	w.buf = w.buf[:len(w.buf)-1]
	w.text("]")
	return nil
}
