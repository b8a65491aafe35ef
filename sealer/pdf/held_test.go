package pdf

import (
	"bytes"
	"testing"

	"yinxin/fixtures"
)

// heldFile is a file in memory that counts what is copied out of it.
type heldFile struct {
	content []byte
	copied  int
}

func (h *heldFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := bytes.NewReader(h.content).ReadAt(p, off)
	h.copied += n
	return n, err
}

func (h *heldFile) From(off int64) []byte { return h.content[min(off, int64(len(h.content))):] }

func TestAFileInMemoryIsReadWithoutCopyingIt(t *testing.T) {
	var file bytes.Buffer
	if err := fixtures.WriteBig(&file, 100<<10, 12, fixtures.BigTable); err != nil {
		t.Fatal(err)
	}
	look := func(d *Document) (strays int, streams [][]byte) {
		t.Helper()
		found, complete, err := d.StrayObjects(t.Context(), d.size)
		if err != nil || !complete {
			t.Fatal(complete, err)
		}
		for n := 1; n <= 12; n++ {
			o, err := d.Object(Ref{Num: n})
			if err != nil {
				t.Fatal(err)
			}
			if s, ok := o.(*Stream); ok {
				data, err := d.StreamData(s, 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				streams = append(streams, data)
			}
		}
		return len(found), streams
	}
	held := &heldFile{content: file.Bytes()}
	inMemory, err := Open(t.Context(), held, int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := Open(t.Context(), bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	strays, streams := look(inMemory)
	alsoStrays, alsoStreams := look(elsewhere)
	if strays != alsoStrays || len(streams) == 0 || len(streams) != len(alsoStreams) {
		t.Fatalf("%d strays and %d streams, else %d and %d", strays, len(streams), alsoStrays, len(alsoStreams))
	}
	for i, data := range streams {
		if !bytes.Equal(data, alsoStreams[i]) || cap(data) != len(data) {
			t.Errorf("stream %d: %d bytes, else %d; room for %d", i, len(data), len(alsoStreams[i]), cap(data))
		}
	}
	if held.copied > 0 {
		t.Errorf("%d bytes were copied", held.copied)
	}
}
