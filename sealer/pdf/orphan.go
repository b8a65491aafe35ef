package pdf

import (
	"bytes"
	"context"
)

const (
	// orphanScan is how much of the end of a file is searched for signatures that no field refers to.
	orphanScan = 256 << 20
	// orphanReach is how far before its /ByteRange a signature may begin: /Contents may stand between.
	orphanReach  = 1 << 20
	orphanChunk  = 1 << 20
	maxOrphans   = 256
	orphanPrefix = 16
)

// OrphanSignatures finds dictionaries with a /ByteRange that are objects of the document and that no signature field
// has as its value, nor the catalog as a grant of usage rights: a producer's licence for its own reader, no signature of
// a person. Readers do not show them; a verifier may want to mention them. The last 256 MB of the file are
// searched, and at most 256 occurrences looked at.
func (d *Document) OrphanSignatures(ctx context.Context) ([]SignatureField, error) {
	fields, err := d.SignatureFields(ctx)
	if err != nil {
		return nil, err
	}
	known := make(map[int64]bool, len(fields))
	for _, f := range fields {
		known[f.DictStart] = true
	}
	if err := d.usageRights(known); err != nil {
		return nil, err
	}
	word := []byte("/ByteRange")
	buf := make([]byte, orphanChunk)
	var out []SignatureField
	hits := 0
	for off := max(0, d.size-orphanScan); off < d.size; off += int64(len(buf) - len(word) + 1) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(int64(len(buf)), d.size-off)
		if err := d.readFull(buf[:n], off); err != nil {
			return nil, err
		}
		for i := 0; ; {
			hit := bytes.Index(buf[i:n], word)
			if hit < 0 {
				break
			}
			i += hit + len(word)
			if hits++; hits > maxOrphans {
				return out, nil
			}
			f, ok, err := d.orphanAt(off + int64(i))
			if err != nil {
				return nil, err
			}
			if ok && !known[f.DictStart] {
				known[f.DictStart] = true
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// orphanAt finds the object around an offset that is a dictionary with a byte range.
func (d *Document) orphanAt(off int64) (SignatureField, bool, error) {
	from := max(0, off-orphanReach)
	for reach := int64(4096); ; reach *= 16 {
		start := max(from, off-reach)
		w := make([]byte, off-start)
		if err := d.readFull(w, start); err != nil {
			return SignatureField{}, false, err
		}
		// The nearest "n g obj" before it that the cross-reference confirms.
		if i := bytes.LastIndex(w, []byte(" obj")); i >= 0 {
			return d.orphanFrom(start+int64(i), off)
		}
		if start == from {
			return SignatureField{}, false, nil
		}
	}
}

// orphanFrom checks the object whose word obj, with the space before it, stands at word.
func (d *Document) orphanFrom(word, off int64) (SignatureField, bool, error) {
	start := max(0, word-orphanPrefix)
	head := make([]byte, word-start)
	if err := d.readFull(head, start); err != nil {
		return SignatureField{}, false, err
	}
	// Two numbers stand before the word.
	i := len(head)
	for range 2 {
		for i > 0 && isSpace(head[i-1]) {
			i--
		}
		for i > 0 && isDigit(head[i-1]) {
			i--
		}
	}
	p := newParser(head[i:], start+int64(i), true, d.limits)
	num, ok1, err1 := p.integer()
	gen, ok2, err2 := p.integer()
	if err1 != nil || err2 != nil || !ok1 || !ok2 || num > int64(d.limits.Objects) || gen > 65535 {
		return SignatureField{}, false, nil
	}
	l, err := d.locate(Ref{int(num), int(gen)})
	if err != nil || l == nil || l.start < word || l.start > off || l.end < off {
		return SignatureField{}, false, nil
	}
	dict, ok := l.object.(Dict)
	if !ok || !dict.Has("ByteRange") {
		return SignatureField{}, false, nil
	}
	return SignatureField{
		Value: Ref{int(num), int(gen)}, Dict: dict, DictStart: l.start, DictEnd: l.end, fileSize: d.size,
		Problems: []string{"no signature field refers to this signature"},
	}, true, nil
}

// usageRights notes where the signatures of usage rights stand (ISO 32000-1, 12.8.2.3).
func (d *Document) usageRights(known map[int64]bool) error {
	catalog, _, err := d.Catalog()
	if err != nil {
		return err
	}
	permissions, err := resolveDict(d, catalog.Get("Perms"))
	if err != nil {
		return err
	}
	for _, key := range []Name{"UR", "UR3"} {
		ref, ok := permissions.Get(key).(Ref)
		if !ok {
			continue
		}
		l, err := d.locate(ref)
		if err != nil {
			return err
		}
		if l != nil {
			known[l.start] = true
		}
	}
	return nil
}
