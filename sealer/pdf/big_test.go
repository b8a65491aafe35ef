package pdf_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"testing"

	"yinxin/sealer/pdf"
)

// bigFile is a file of a gigabyte that exists only as arithmetic: pieces at their offsets, zeros between. It counts
// what is read of it.
type bigFile struct {
	size   int64
	pieces []piece
	read   int64
}

type piece struct {
	offset int64
	length int64
	at     func(p []byte, off int64) // fills p with the bytes from off in the piece
}

func (f *bigFile) add(offset int64, text []byte) {
	f.pieces = append(f.pieces, piece{offset, int64(len(text)), func(p []byte, off int64) { copy(p, text[off:]) }})
}

func (f *bigFile) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), max(0, f.size-off)))
	clear(p[:n])
	for _, s := range f.pieces {
		from, to := max(off, s.offset), min(off+int64(n), s.offset+s.length)
		if from < to {
			s.at(p[from-off:to-off], from-s.offset)
		}
	}
	f.read += int64(n)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

const (
	bigSize    = 1 << 30
	bigObjects = 500_000
	bigStep    = 2000 // from one object to the next
)

func bigObject(n int) []byte {
	switch n {
	case 1:
		return []byte("1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n")
	case 2:
		return []byte("2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n")
	case 3:
		return []byte("3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>\nendobj\n")
	}
	return nil
}

// newBig makes the file with a table of 20-byte entries, or with a cross-reference stream.
func newBig(stream bool) *bigFile {
	f := &bigFile{}
	f.add(0, []byte("%PDF-1.7\n"))
	for n := 1; n <= 3; n++ {
		f.add(int64(n)*bigStep, bigObject(n))
	}
	start := int64(bigSize)
	if stream {
		var rows bytes.Buffer
		w := zlib.NewWriter(&rows)
		for n := range bigObjects {
			row := binary.BigEndian.AppendUint32([]byte{1}, uint32(n*bigStep))
			w.Write(append(row, 0, 0))
		}
		w.Close()
		text := fmt.Appendf(nil, "%d 0 obj\n<</Type/XRef/W[1 4 2]/Size %d/Root 1 0 R/Filter/FlateDecode/Length %d>>\nstream\n",
			bigObjects-1, bigObjects, rows.Len())
		text = append(text, rows.Bytes()...)
		f.add(start, fmt.Appendf(text, "\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n", start))
	} else {
		head := fmt.Appendf(nil, "xref\n0 %d\n", bigObjects)
		f.add(start, head)
		table := start + int64(len(head))
		f.pieces = append(f.pieces, piece{table, 20 * bigObjects, func(p []byte, off int64) {
			for len(p) > 0 {
				n := off / 20
				entry := fmt.Appendf(nil, "%010d %05d n \n", n*bigStep, 0)
				if n == 0 {
					entry = []byte("0000000000 65535 f \n")
				}
				k := copy(p, entry[off%20:])
				p, off = p[k:], off+int64(k)
			}
		}})
		f.add(table+20*bigObjects, fmt.Appendf(nil, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", bigObjects, start))
	}
	last := f.pieces[len(f.pieces)-1]
	f.size = last.offset + last.length
	return f
}

func TestSealingAGigabyteReadsTheTailAndAFewObjects(t *testing.T) {
	cases := []struct {
		name           string
		stream         bool
		reads, memory  int64
		objectsVisited int
	}{
		{"table", false, 64 << 10, 1 << 20, bigObjects},
		{"cross-reference stream", true, 4 << 20, 24 << 20, bigObjects},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newBig(c.stream)
			r := request(t)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d, err := pdf.Open(context.Background(), f, f.size)
			if err != nil {
				t.Fatal(err)
			}
			u, err := d.PlanSeal(context.Background(), r)
			if err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			// All that was ever allocated bounds the peak.
			if used := int64(after.TotalAlloc - before.TotalAlloc); used > c.memory {
				t.Errorf("%d bytes were allocated, more than %d", used, c.memory)
			}
			if f.read > c.reads {
				t.Errorf("%d bytes were read, more than %d", f.read, c.reads)
			}
			update, err := u.Fill([]byte{0x30, 0x00})
			if err != nil {
				t.Fatal(err)
			}
			f.add(f.size, update)
			f.size += int64(len(update))
			sealed, err := pdf.Open(context.Background(), f, f.size)
			if err != nil {
				t.Fatal(err)
			}
			fields, err := sealed.SignatureFields(context.Background())
			if err != nil || len(fields) != 1 {
				t.Fatalf("%v, %v", fields, err)
			}
			if got, err := fields[0].ByteRange(); err != nil || got != u.ByteRange() {
				t.Errorf("%v, %v", got, err)
			}
			n := 0
			oldest := sealed.Sections()[1]
			err = oldest.Objects(context.Background(), func(pdf.XrefEntry) error { n++; return nil })
			if err != nil || n != bigObjects {
				t.Errorf("%d objects, %v", n, err)
			}
		})
	}
}

func TestAFileBeyondTenDigitsIsRefused(t *testing.T) {
	f := newBig(false)
	d, err := pdf.Open(context.Background(), f, f.size)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Prefix(context.Background(), f.size+1); err == nil {
		t.Error("a prefix longer than the file was opened")
	}
	huge := &bigFile{size: 10_000_000_000}
	data := file{objects: onePage("")}.bytes()
	huge.add(0, data)
	// A second end far behind leads to the same table.
	tail := data[bytes.LastIndex(data, []byte("startxref")):]
	huge.add(huge.size-int64(len(tail)), tail)
	d, err = pdf.Open(context.Background(), huge, huge.size)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.PlanSeal(context.Background(), request(t)); err == nil {
		t.Error("offsets of eleven digits were written in ten")
	}
}
