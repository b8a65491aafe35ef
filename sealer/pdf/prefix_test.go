package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// sameDocument compares what two documents find.
func sameDocument(t *testing.T, got, want *pdf.Document) {
	t.Helper()
	a, b := got.Sections(), want.Sections()
	if len(a) != len(b) || got.RevisionEnd() != b[0].End {
		t.Fatalf("%d sections, want %d", len(a), len(b))
	}
	for i := range a {
		if a[i].Start != b[i].Start || a[i].End != b[i].End || a[i].Kind != b[i].Kind || plain(a[i].Trailer) != plain(b[i].Trailer) {
			t.Errorf("section %d: %d-%d %v, want %d-%d %v", i, a[i].Start, a[i].End, a[i].Trailer, b[i].Start, b[i].End, b[i].Trailer)
		}
	}
	for n := range 400 {
		x, inX, err1 := got.Entry(n)
		y, inY, err2 := want.Entry(n)
		if x != y || inX != inY || fmt.Sprint(err1) != fmt.Sprint(err2) {
			t.Errorf("object %d: %v %v %v, want %v %v %v", n, x, inX, err1, y, inY, err2)
		}
	}
}

// TestAPrefixIsTheFileCutOff: sharing sections with the longer document changes nothing.
func TestAPrefixIsTheFileCutOff(t *testing.T) {
	ctx := context.Background()
	for _, shape := range fixtures.Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			data, err := fixtures.PDF(shape, fixtures.PDFOptions{Pages: 2})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				r := request(t)
				r.Placements = []pdf.Placement{{Page: 1, From: pdf.BottomLeft, X: 5 + 45*float64(i), Y: 10}}
				sealed, err := trySeal(data, r)
				if f, ok := fault.Of(err); ok && f.Kind == fault.Refused {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				data = sealed
			}
			whole := opened(t, data)
			for _, s := range whole.Sections() {
				for _, end := range []int64{s.End, s.End - 1, s.End - 7, s.Start + 1} {
					if end <= 0 {
						continue
					}
					got, err := whole.Prefix(ctx, end)
					want, err2 := pdf.Open(ctx, bytes.NewReader(data[:end]), end)
					if fault.CodeOf(err) != fault.CodeOf(err2) {
						t.Fatalf("%d bytes: %v, want %v", end, err, err2)
					}
					if err == nil {
						sameDocument(t, got, want)
					}
				}
			}
		})
	}
}

// TestASectionThatDependsOnOtherObjectsIsReadAnew: the length of a cross-reference stream is an object that a later
// revision makes another one, so that the longer file reads other entries than the signed one had.
func TestASectionThatDependsOnOtherObjectsIsReadAnew(t *testing.T) {
	ctx := context.Background()
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	offsets := map[int]int{}
	object := func(n int, text string) {
		offsets[n] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", n, text)
	}
	row := func(kind byte, at int) string { return string([]byte{kind, byte(at >> 8), byte(at), 0}) }
	object(1, "<</Type/Catalog/Pages 2 0 R>>")
	object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
	object(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>")
	object(4, "24")
	first := b.Len()
	rows := row(0, 0) + row(1, offsets[1]) + row(1, offsets[2]) + row(1, offsets[3]) + row(1, offsets[4]) + row(1, first)
	fmt.Fprintf(&b, "5 0 obj\n<</Type/XRef/Size 6/Root 1 0 R/W[1 2 1]/Length 4 0 R>>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n", rows, first)
	update := func(more string) {
		at := b.Len()
		fmt.Fprintf(&b, "%s", more)
		start := b.Len()
		fmt.Fprintf(&b, "xref\n4 1\n%010d 00000 n \ntrailer\n<</Size 6/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", at, first, start)
		first = start
	}
	update("4 0 obj\n24\nendobj\n")
	middle := int64(b.Len())
	update("4 0 obj\n24\nendobj\n")
	data := b.Bytes()
	whole := opened(t, data)
	got, err := whole.Prefix(ctx, middle)
	if err != nil {
		t.Fatal(err)
	}
	want, err := pdf.Open(ctx, bytes.NewReader(data[:middle]), middle)
	if err != nil {
		t.Fatal(err)
	}
	sameDocument(t, got, want)
	if pdf.Shares(got, whole) {
		t.Error("a section whose length is an object elsewhere is shared")
	}
}
