package pdf

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"

	"yinxin/internal/fault"
)

// Document is a PDF file that is read on demand. It is not safe for concurrent use.
type Document struct {
	reader io.ReaderAt
	size   int64
	limits Limits

	header  int64 // where "%PDF-" stands
	bias    int64 // what the file's own offsets count from: the header, or the first byte
	version string

	sections []*section // newest first
	tail     int64      // where the last startxref stands
	root     Ref

	mayRecover bool         // a cross-reference that turns out to be wrong is built anew; see OpenRecovering
	recovered  *fault.Fault // what was wrong, once it was

	windows   [4]windowSlot
	nextSlot  int
	cache     map[int]*located
	cached    int64 // about the bytes that what the cache holds takes
	large     *located
	largeNum  int
	streams   []*objectStream // decoded object streams, most recent last
	loading   int             // depth of nested loads
	scanLeft  int64
	workLeft  int64
	xrefLeft  int64
	inflater  io.ReadCloser
	pageTotal int // 0: not known yet

	whole *Document // a longer state of the same file, while a prefix of it is opened
}

type windowSlot struct {
	offset int64
	data   []byte
}

// Open reads header, tail and cross-reference of the file of size bytes. Everything else is read when it is asked for.
// An encrypted file opens; see Encrypted. Errors: pdf.not-a-pdf, pdf.truncated, pdf.damaged-xref and the limits
// pdf.too-large and pdf.too-deep.
func Open(ctx context.Context, r io.ReaderAt, size int64) (*Document, error) {
	return DefaultLimits.Open(ctx, r, size)
}

// Open is Open with limits of the caller's choice.
func (l Limits) Open(ctx context.Context, r io.ReaderAt, size int64) (*Document, error) {
	d, err := l.begin(r, size)
	if err != nil {
		return nil, err
	}
	if err := d.readCrossReference(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// begin makes a document of which only the header was read.
func (l Limits) begin(r io.ReaderAt, size int64) (*Document, error) {
	d := &Document{reader: r, size: size, limits: l.filled()}
	d.scanLeft = d.limits.ScanBytes
	d.workLeft = d.limits.WorkBytes + 8*size
	d.xrefLeft = d.limits.XrefBytes
	return d, d.readHeader()
}

func (l Limits) filled() Limits {
	set := func(v *int, standard int) {
		if *v == 0 {
			*v = standard
		}
	}
	set(&l.HeaderBytes, DefaultLimits.HeaderBytes)
	set(&l.TailBytes, DefaultLimits.TailBytes)
	set(&l.Depth, DefaultLimits.Depth)
	set(&l.ObjectBytes, DefaultLimits.ObjectBytes)
	set(&l.Elements, DefaultLimits.Elements)
	set(&l.Objects, DefaultLimits.Objects)
	set(&l.Sections, DefaultLimits.Sections)
	set(&l.PageNodes, DefaultLimits.PageNodes)
	set(&l.Fields, DefaultLimits.Fields)
	set64 := func(v *int64, standard int64) {
		if *v == 0 {
			*v = standard
		}
	}
	set64(&l.XrefBytes, DefaultLimits.XrefBytes)
	set64(&l.ObjectStreamBytes, DefaultLimits.ObjectStreamBytes)
	set64(&l.WorkBytes, DefaultLimits.WorkBytes)
	set64(&l.ScanBytes, DefaultLimits.ScanBytes)
	return l
}

// readHeader finds "%PDF-n.n" near the start of the file.
func (d *Document) readHeader() error {
	w, _, err := d.window(0, d.limits.HeaderBytes)
	if err != nil {
		return err
	}
	if len(w) > d.limits.HeaderBytes {
		w = w[:d.limits.HeaderBytes]
	}
	if err := notPDF(w); err != nil {
		return err
	}
	at := bytes.Index(w, []byte("%PDF-"))
	if at < 0 {
		return errNotPDF.New()
	}
	end := at + 5
	for end < len(w) && end < at+12 && (isDigit(w[end]) || w[end] == '.') {
		end++
	}
	d.header = int64(at)
	d.version = string(w[at+5 : end])
	return nil
}

// Size is the length of the file in bytes.
func (d *Document) Size() int64 { return d.size }

// HeaderOffset is where "%PDF-" stands, in bytes from the start of the file.
func (d *Document) HeaderOffset() int64 { return d.header }

// Version is the version of the file, "1.7": the header's, or the catalog's when that is later.
func (d *Document) Version() string {
	catalog, _, err := d.Catalog()
	if err != nil {
		return d.version
	}
	if v, err := d.Resolve(catalog.Get("Version")); err == nil {
		if n, ok := v.(Name); ok && len(n) <= 8 && string(n) > d.version {
			return string(n)
		}
	}
	return d.version
}

// Trailer is the trailer dictionary of the newest section (for a stream, its dictionary).
func (d *Document) Trailer() Dict { return d.sections[0].trailer }

// Encrypted reports whether any revision of the file names an encryption dictionary. Strings and streams of an
// encrypted file are returned as they stand.
func (d *Document) Encrypted() bool {
	for _, s := range d.sections {
		if s.trailer.Get("Encrypt") != nil {
			return true
		}
	}
	return false
}

// Catalog returns the document catalog and its reference.
func (d *Document) Catalog() (Dict, Ref, error) {
	o, err := d.Object(d.root)
	if err != nil {
		return nil, d.root, err
	}
	catalog, ok := o.(Dict)
	if !ok {
		return nil, d.root, errDamagedXref.Saying("缺少文档目录（catalog）", "the catalog is missing").At(fault.Object(d.root.Num, d.root.Gen))
	}
	return catalog, d.root, nil
}

const windowBytes = 4096

// inMemory is a reader that holds the end of the file in memory: an update that was just made. From gives the bytes
// from off to the end, or nothing for an offset before that part; they are not changed.
type inMemory interface {
	From(off int64) []byte
}

// held gives n bytes of the file from off where the reader holds them in memory, for reading only; nil where it does not.
func (d *Document) held(off, n int64) []byte {
	memory, ok := d.reader.(inMemory)
	if !ok || off < 0 || n <= 0 || n > d.size-off {
		return nil
	}
	w := memory.From(off)
	if int64(len(w)) < n {
		return nil
	}
	return w[:n:n]
}

// window returns at least n bytes of the file from off, fewer only where the file ends, and whether the returned
// bytes reach the end of the file. The bytes are valid until the next window.
func (d *Document) window(off int64, n int) (w []byte, final bool, err error) {
	if off < 0 || off > d.size {
		return nil, true, errTruncated.At(fault.Offset(off))
	}
	if int64(n) > d.size-off {
		n = int(d.size - off)
	}
	if memory, ok := d.reader.(inMemory); ok {
		if w := memory.From(off); len(w) >= n && len(w) > 0 {
			return w, off+int64(len(w)) == d.size, nil
		}
	}
	for i := range d.windows {
		s := &d.windows[i]
		if s.data != nil && off >= s.offset && off+int64(n) <= s.offset+int64(len(s.data)) {
			w = s.data[off-s.offset:]
			return w, off+int64(len(w)) == d.size, nil
		}
	}
	length := int64(max(n, windowBytes))
	if length > d.size-off {
		length = d.size - off
	}
	slot := &d.windows[d.nextSlot]
	if length > windowBytes {
		// Long windows are rare: they are not kept, so that memory stays small.
		w = make([]byte, length)
	} else {
		if cap(slot.data) < windowBytes {
			slot.data = make([]byte, windowBytes)
		}
		w = slot.data[:length]
	}
	if err := d.readFull(w, off); err != nil {
		slot.data = nil
		return nil, false, err
	}
	if length <= windowBytes {
		slot.data, slot.offset = w, off
		d.nextSlot = (d.nextSlot + 1) % len(d.windows)
	}
	return w, off+length == d.size, nil
}

// readFull reads len(p) bytes of the file at off.
func (d *Document) readFull(p []byte, off int64) error {
	n, err := d.reader.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return errTruncated.At(fault.Offset(off + int64(n)))
	}
	return errRead.Because(err).At(fault.Offset(off))
}

// inflate returns a reader of deflated data, the same one each time: it holds large tables.
func (d *Document) inflate(r io.Reader) io.Reader {
	if d.inflater == nil {
		d.inflater = flate.NewReader(r)
	} else {
		d.inflater.(flate.Resetter).Reset(r, nil)
	}
	return d.inflater
}
