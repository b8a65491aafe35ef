package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/sealer/pdf"
)

func reopened(t *testing.T, data []byte) *pdf.Document {
	t.Helper()
	d, err := pdf.Open(context.Background(), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// revised is a fixture of two pages and what the tests must know of it.
type revised struct {
	data []byte
	doc  *pdf.Document
	size int
	root pdf.Ref
}

func document(t *testing.T, shape fixtures.Shape) revised {
	t.Helper()
	data, err := fixtures.PDF(shape, fixtures.PDFOptions{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	d := reopened(t, data)
	size, _ := d.Trailer().Get("Size").(pdf.Integer)
	_, root, err := d.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	return revised{data, d, int(size), root}
}

// trailer is the entries that a later trailer takes over.
func (s revised) trailer() string {
	entries := fmt.Sprintf("/Root %s", s.root)
	if info, ok := s.doc.Trailer().Get("Info").(pdf.Ref); ok {
		entries += fmt.Sprintf(" /Info %s", info)
	}
	if id, ok := s.doc.Trailer().Get("ID").(pdf.Array); ok {
		entries += fmt.Sprintf(" /ID [<%x> <00>]", id[0].(pdf.String).Value)
	}
	return entries
}

// after appends a revision.
func (s revised) after(t *testing.T, objects map[int]string) *pdf.Document {
	t.Helper()
	size := s.size
	for n := range objects {
		size = max(size, n+1)
	}
	return reopened(t, fixtures.AppendRevision(s.data, objects, s.trailer(), size))
}

func (s revised) page(t *testing.T, n int) pdf.Page {
	t.Helper()
	p, err := s.doc.Page(n)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// find gives the number of the first object that a function accepts.
func (s revised) find(t *testing.T, accept func(pdf.XrefEntry, pdf.Object) bool) int {
	t.Helper()
	for n := 1; n < s.size; n++ {
		e, ok, err := s.doc.Entry(n)
		if err != nil || !ok || e.State == pdf.Free {
			continue
		}
		o, err := s.doc.Object(pdf.Ref{Num: n, Gen: e.Gen})
		if err == nil && accept(e, o) {
			return n
		}
	}
	t.Fatal("no such object")
	return 0
}

func compared(t *testing.T, before, after *pdf.Document) []pdf.Change {
	t.Helper()
	changes, err := pdf.Compare(context.Background(), before, after)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if c.Kind == "" || c.ZH == "" || c.EN == "" {
			t.Errorf("a change without a name: %+v", c)
		}
	}
	return changes
}

func TestAChangedObjectIsNamedWithItsPage(t *testing.T) {
	for _, shape := range []fixtures.Shape{fixtures.ShapeTable, fixtures.ShapeXrefStream, fixtures.ShapeObjectStreams, fixtures.ShapeHeaderAbsolute} {
		t.Run(string(shape), func(t *testing.T) {
			s := document(t, shape)
			contents, ok := s.page(t, 2).Dict.Get("Contents").(pdf.Ref)
			if !ok {
				t.Fatal("the page has no content stream")
			}
			changes := compared(t, s.doc, s.after(t, map[int]string{contents.Num: "<< /Length 3 >>\nstream\nq Q\nendstream"}))
			if len(changes) != 1 || changes[0].Permitted || changes[0].Kind != pdf.ChangeContent || changes[0].Page != 2 ||
				changes[0].Object != contents || !strings.Contains(changes[0].ZH, "第 2 页") {
				t.Errorf("changes: %+v", changes)
			}
		})
	}
}

func TestOfSeveralSectionsTheNewestCounts(t *testing.T) {
	s := document(t, fixtures.ShapeTable)
	contents := s.page(t, 1).Dict.Get("Contents").(pdf.Ref)
	object, err := s.doc.Object(contents)
	if err != nil {
		t.Fatal(err)
	}
	stream := object.(*pdf.Stream)
	original := fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", stream.Length, s.data[stream.Start:stream.Start+stream.Length])
	if len(stream.Dict) != 1 {
		t.Fatalf("the fixture's content has other entries: %v", stream.Dict)
	}
	forged := fixtures.AppendRevision(s.data, map[int]string{contents.Num: "<< /Length 3 >>\nstream\nq Q\nendstream"}, s.trailer(), s.size)
	restored := fixtures.AppendRevision(forged, map[int]string{contents.Num: original}, s.trailer(), s.size)
	if changes := compared(t, s.doc, reopened(t, restored)); len(changes) != 0 {
		t.Errorf("the same stream again is a change: %+v", changes)
	}
	if changes := compared(t, reopened(t, forged), reopened(t, restored)); len(changes) != 1 || changes[0].Permitted {
		t.Errorf("taking the change back is no change: %+v", changes)
	}
}

func TestAnExchangedObjectStreamIsAChange(t *testing.T) {
	s := document(t, fixtures.ShapeObjectStreams)
	number := s.find(t, func(_ pdf.XrefEntry, o pdf.Object) bool {
		stream, ok := o.(*pdf.Stream)
		return ok && stream.Dict.Get("Type") == pdf.Name("ObjStm")
	})
	// The objects in it are not named by the later table, and yet they would all be other ones.
	changes := compared(t, s.doc, s.after(t, map[int]string{number: "<< /Type /ObjStm /N 1 /First 4 /Length 12 >>\nstream\n1 0 << /A 1>>\nendstream"}))
	if !slices.ContainsFunc(changes, func(c pdf.Change) bool { return !c.Permitted && c.Object.Num == number }) {
		t.Errorf("changes: %+v", changes)
	}
}

func TestAnObjectTakenOutOfItsStreamUnchangedIsNoChange(t *testing.T) {
	s := document(t, fixtures.ShapeObjectStreams)
	number := s.find(t, func(e pdf.XrefEntry, o pdf.Object) bool {
		d, ok := o.(pdf.Dict)
		return ok && e.State == pdf.Compressed && d.Get("Type") == pdf.Name("Pages")
	})
	o, _ := s.doc.Object(pdf.Ref{Num: number})
	kids := o.(pdf.Dict).Get("Kids").(pdf.Array)
	text := fmt.Sprintf("<< /Count %v.0 /Kids [", o.(pdf.Dict).Get("Count"))
	for _, k := range kids {
		text += k.(pdf.Ref).String() + " "
	}
	text += "] /Type /Pages /Absent null >>"
	if len(o.(pdf.Dict)) != 3 {
		t.Skip("the fixture's page tree has other entries")
	}
	if changes := compared(t, s.doc, s.after(t, map[int]string{number: text})); len(changes) != 0 {
		t.Errorf("changes: %+v", changes)
	}
	if changes := compared(t, s.doc, s.after(t, map[int]string{number: strings.Replace(text, "/Count 2.0", "/Count 3", 1)})); len(changes) == 0 ||
		changes[0].Kind != pdf.ChangePageTree {
		t.Errorf("changes: %+v", changes)
	}
}

func TestACrossReferenceThatNamesThingsThatAreNotThereIsRefused(t *testing.T) {
	s := document(t, fixtures.ShapeTable)
	later := fixtures.AppendRevision(s.data, map[int]string{s.size: "<< /A 1 >>"}, s.trailer(), s.size+1)
	// The number in front of the appended object is changed: the table is right, the object says it is another.
	header := []byte(fmt.Sprintf("%d 0 obj", s.size))
	other := []byte(fmt.Sprintf("%d 0 obj", s.size+1))
	if len(header) != len(other) {
		t.Skip("the numbers are not equally long")
	}
	changes, err := pdf.Compare(context.Background(), s.doc, reopened(t, bytes.Replace(later, header, other, 1)))
	if err == nil && !slices.ContainsFunc(changes, func(c pdf.Change) bool { return !c.Permitted }) {
		t.Errorf("changes: %+v", changes)
	}
}

func TestATableThatPassesBySignedRevisionsIsRefused(t *testing.T) {
	s := document(t, fixtures.ShapeRevisions)
	sections := s.doc.Sections()
	if len(sections) < 2 {
		t.Fatal("the fixture has one revision only")
	}
	start := len(s.data) + 1
	later := fmt.Appendf(bytes.Clone(s.data), "\nxref\n0 0\ntrailer\n<< /Size %d %s /Prev %d >>\nstartxref\n%d\n%%%%EOF\n",
		s.size, s.trailer(), sections[1].Start, start)
	changes := compared(t, s.doc, reopened(t, later))
	if len(changes) != 1 || changes[0].Permitted || changes[0].Kind != pdf.ChangeStructure {
		t.Errorf("changes: %+v", changes)
	}
}

func TestManyChangesAreListedToALimit(t *testing.T) {
	s := document(t, fixtures.ShapeTable)
	objects := map[int]string{}
	for i := range 5000 {
		objects[s.size+i] = "<< /Nothing true >>"
	}
	if changes := compared(t, s.doc, s.after(t, objects)); len(changes) != 200 {
		t.Errorf("%d changes", len(changes))
	}
}

func TestTheSameDocumentHasNoChanges(t *testing.T) {
	for _, shape := range fixtures.Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			s := document(t, shape)
			if changes := compared(t, s.doc, s.doc); len(changes) != 0 {
				t.Errorf("changes: %+v", changes)
			}
		})
	}
}

func TestComparingEndsWithTheContext(t *testing.T) {
	s := document(t, fixtures.ShapeTable)
	after := s.after(t, map[int]string{s.size: "<< /A 1 >>"})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := pdf.Compare(ctx, s.doc, after); err == nil {
		t.Error("no error")
	}
}

// FuzzCompare puts two objects of any text into an update of a sealed document with a form. Nothing may panic, and a
// change that is permitted must not be one of the content.
func FuzzCompare(f *testing.F) {
	sealed := sealedRich(f)
	before := opened(f, sealed[2])
	catalog, root, err := before.Catalog()
	if err != nil {
		f.Fatal(err)
	}
	perms := "/Perms " + plain(catalog.Get("Perms"))
	entries := fmt.Sprintf("/Root %s /Info 19 0 R /ID %s", root, plain(before.Trailer().Get("ID")))
	for _, s := range []struct {
		a, b string
		m, n uint8
	}{
		{"<< /A 1 >>", "<< /Type /Page >>", 1, 2},
		{"[1 0 R 2 0 R]", "<< /FT /Sig /V 40 0 R /Kids [41 0 R] >>", 3, 40},
		{newCatalog + perms + "/DSS<</Certs[60 0 R]/VRI<</" + vriKey + "<</Cert[60 0 R]/TU(D:2026)>>>>>>>>", derStream, 1, 60},
		{newCatalog + perms + "/Version/2.0/Extensions<</ADBE 60 0 R>>>>", "<</BaseVersion/1.7/ExtensionLevel 8>>", 1, 60},
		{"<<" + textText + "/V(Li)/AP<</N 60 0 R>>>>", streamOf(lookBox, "BT (Li) Tj ET"), 8, 60},
		{"<<" + textText + "/V(Li)/AP<</N 29 0 R>>>>", streamOf(lookBox, "BT (Li) Tj ET"), 8, 29},
		{"<<" + checkText + "/V/Yes/AS/Yes>>", "<<" + choiceText + "/V(B)/I[1]>>", 9, 10},
		{xmp("Copy", "2"), "<</Title(Copy)/ModDate(D:2027)>>", 14, 19},
		{"<<" + sigText + "/V 60 0 R>>", "<</Type/Sig/ByteRange[0 1 2 3]/Contents<3003020107>>>", 13, 60},
		{"<<" + page1Text + "/Annots[8 0 R 9 0 R 10 0 R 11 0 R 20 0 R 28 0 R 60 0 R]>>", "<</Type/Annot/Subtype/Stamp/F 708/Rect[1 1 9 9]/AP<</N 17 0 R>>>>", 3, 60},
	} {
		f.Add([]byte(s.a), []byte(s.b), s.m, s.n)
	}
	f.Fuzz(func(t *testing.T, a, b []byte, m, n uint8) {
		before := opened(t, sealed[2])
		later := fixtures.AppendRevision(sealed[2], map[int]string{int(m): string(a), int(n): string(b)}, entries, 256)
		after, err := pdf.Open(context.Background(), bytes.NewReader(later), int64(len(later)))
		if err != nil {
			return
		}
		changes, err := pdf.Compare(context.Background(), before, after)
		if err != nil {
			return
		}
		if len(changes) > 200 {
			t.Errorf("%d changes", len(changes))
		}
		if refusedIn(changes) {
			return
		}
		// What the pages draw is untouched, whatever else came.
		for _, num := range []int{2, 6, 7, 12, 15, 16, 17, 21, 22, 23, 24, 25, 26, 30} {
			was, err1 := before.Object(pdf.Ref{Num: num})
			is, err2 := after.Object(pdf.Ref{Num: num})
			if err1 != nil || err2 != nil || text(before, was) != text(after, is) {
				t.Errorf("object %d was changed, and nothing is refused: %s", num, listed(changes))
			}
		}
	})
}

// text writes an object with the data of a stream.
func text(d *pdf.Document, o pdf.Object) string {
	s, ok := o.(*pdf.Stream)
	if !ok {
		return plain(o)
	}
	data, err := io.ReadAll(d.RawStream(s))
	return fmt.Sprint(plain(s.Dict), data, err)
}
