package pdf

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sort"
	"strconv"

	"yinxin/internal/bitset"
)

// writeXref writes the new section: a stream where the last one is a stream, else a table.
func (p *plan) writeXref(w *writer) error {
	stream := p.document.sections[0].kind == StreamXref
	start := w.offset()
	size := p.next
	if stream {
		// A cross-reference stream lists itself.
		w.objects = append(w.objects, written{ref: Ref{Num: p.next}, offset: start})
		size++
	}
	if p.document.recovered != nil {
		p.document.keepAll(w, size)
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
			if o.state == 'f' {
				w.text(" f \n")
			} else {
				w.text(" n \n")
			}
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
	third := 2
	if slices.ContainsFunc(w.objects, func(o written) bool { return o.index > 0xFFFF }) {
		third = 4
	}
	w.text(" ")
	w.integer(int64(third))
	w.text("]/Index[")
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
	w.integer(int64(len(w.objects) * (1 + width + third)))
	if err := p.writeTrailerEntries(w, size); err != nil {
		return err
	}
	w.text(">>\nstream\n")
	for _, o := range w.objects {
		kind, last := byte(1), o.ref.Gen
		switch o.state {
		case 'f':
			kind = 0
		case 'c':
			kind, last = 2, o.index
		}
		var row [8]byte
		binary.BigEndian.PutUint64(row[:], uint64(o.offset))
		w.buf = append(w.buf, kind)
		w.buf = append(w.buf, row[8-width:]...)
		binary.BigEndian.PutUint64(row[:], uint64(last))
		w.buf = append(w.buf, row[8-third:]...)
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
	if d.recovered == nil {
		w.text("/Prev ")
		w.integer(last.start - d.bias)
	}
	w.text("/Root ")
	w.text(d.root.String())
	var seen []Name
	if len(last.trailer) > 256 {
		return errTooLarge.Sayingf("文件尾有 %d 个键", "a trailer with %d keys", len(last.trailer))
	}
	id, err := p.changedID()
	if err != nil {
		return err
	}
	err = eachEntry(last.raw, d.limits, func(k Name, _, start, end int) {
		switch k {
		case "Size", "Prev", "Root", "XRefStm", "Type", "W", "Index", "Length", "Filter", "DecodeParms", "F",
			"FFilter", "FDecodeParms", "DL", "DP":
			return
		case "ID":
			if id != nil {
				return
			}
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
		if start == end {
			w.text("null") // or the next key would become the value of this one
		}
	})
	if err != nil {
		return err
	}
	w.buf = append(w.buf, id...)
	return nil
}

// changedID keeps the first half of the file identifier and changes the second (ISO 32000-1, 14.4). The new half follows
// from the document and the request, so that planning again gives the same bytes. Nil where the file has no identifier,
// or a damaged one: that stays, since one that appears in a later revision looks to a verifier like another file.
func (p *plan) changedID() ([]byte, error) {
	d := p.document
	o, err := d.Resolve(d.Trailer().Get("ID"))
	if err != nil {
		return nil, err
	}
	var first, second String
	if list, ok := o.(Array); ok && len(list) == 2 {
		first, _ = list[0].(String)
		second, _ = list[1].(String)
	}
	if len(first.Value) == 0 || len(first.Value) > 256 {
		return nil, nil
	}
	hash := sha256.New()
	part := func(b []byte) {
		hash.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
		hash.Write(b)
	}
	part(first.Value)
	part(second.Value)
	for _, s := range p.seed {
		part([]byte(s))
	}
	hash.Write(binary.BigEndian.AppendUint64(nil, uint64(d.size)))
	out := []byte("/ID[<")
	const digits = "0123456789ABCDEF"
	for _, half := range [2][]byte{first.Value, hash.Sum(nil)[:16]} {
		for _, c := range half {
			out = append(out, digits[c>>4], digits[c&15])
		}
		out = append(out, "><"...)
	}
	return append(out[:len(out)-1], ']'), nil
}

// keepAll lists every object of a recovered document in the section that is being written, besides what the update
// writes itself. Numbers that were never used are free and must stay so: such entries refer to object 0 with the
// generation 65535 (ISO 32000-1, 7.5.4).
func (d *Document) keepAll(w *writer, size int) {
	var taken bitset.Set
	for _, o := range w.objects {
		taken.Add(o.ref.Num, size)
	}
	kept := d.sections[0].entries.(*compact)
	for i := range kept.entries {
		e := kept.entry(d, i)
		if taken.Has(e.Num) {
			continue
		}
		taken.Add(e.Num, size)
		o := written{ref: Ref{e.Num, e.Gen}, offset: e.Offset - d.bias}
		if e.State == Compressed {
			o = written{ref: Ref{Num: e.Num}, offset: int64(e.Stream), state: 'c', index: e.Index}
		}
		w.objects = append(w.objects, o)
	}
	// Absurd numbers would make an absurd table: then only what is there is listed.
	all := size <= maxFreeListed+2*len(w.objects)
	for num := range size {
		if !taken.Has(num) && (all || num == 0) {
			w.objects = append(w.objects, written{ref: Ref{num, 65535}, state: 'f'})
		}
	}
}

// maxFreeListed is how many free entries a section may have beyond the number of those in use.
const maxFreeListed = 1000
