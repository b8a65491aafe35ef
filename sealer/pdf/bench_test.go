package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/sealer/pdf"
)

// smallFile is a one-page file of about 60 kB, with a table or with a cross-reference stream.
func smallFile(tb testing.TB, stream bool) []byte {
	tb.Helper()
	if stream {
		data, err := fixtures.PDF(fixtures.ShapeXrefStream, fixtures.PDFOptions{Pages: 1})
		if err != nil {
			tb.Fatal(err)
		}
		return data
	}
	content := strings.Repeat("0 0 m 10 10 l S\n", 3700)
	objects := onePage("/Contents 4 0 R/Resources<</Font<<>>>>")
	objects = append(objects, fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(content), content))
	return file{objects: objects, trailer: "/ID[<00112233445566778899AABBCCDDEEFF><00112233445566778899AABBCCDDEEFF>]"}.bytes()
}

// BenchmarkPlanSeal opens a small file, plans a seal and fills in a signature of 26 kB, which is what a seal with its
// picture takes. The target is well below 60 µs; hashing and signing are not in it.
func BenchmarkPlanSeal(b *testing.B) {
	for _, kind := range []struct {
		name   string
		stream bool
	}{{"table", false}, {"stream", true}} {
		b.Run(kind.name, func(b *testing.B) {
			data := smallFile(b, kind.stream)
			r := request(b)
			r.ContentsSize = 28000
			signature := make([]byte, 26000)
			b.ReportAllocs()
			for b.Loop() {
				d, err := pdf.Open(context.Background(), bytes.NewReader(data), int64(len(data)))
				if err != nil {
					b.Fatal(err)
				}
				u, err := d.PlanSeal(context.Background(), r)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := u.Fill(signature); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPlanSealBig plans a seal for a file of a gigabyte with 500,000 objects, as after an upload.
func BenchmarkPlanSealBig(b *testing.B) {
	for _, kind := range []struct {
		name   string
		stream bool
	}{{"table", false}, {"stream", true}} {
		b.Run(kind.name, func(b *testing.B) {
			f := newBig(kind.stream)
			r := request(b)
			b.ReportAllocs()
			for b.Loop() {
				d, err := pdf.Open(context.Background(), f, f.size)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := d.PlanSeal(context.Background(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestPlanningASmallFileAllocatesLittle keeps the benchmark honest where nobody runs it.
func TestPlanningASmallFileAllocatesLittle(t *testing.T) {
	data := smallFile(t, false)
	r := request(t)
	allocations := testing.AllocsPerRun(20, func() {
		d, err := pdf.Open(context.Background(), bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.PlanSeal(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 150 {
		t.Errorf("%.0f allocations", allocations)
	}
}

// BenchmarkLines puts a date and a number under a seal whose picture is encoded already: what each document with lines of
// its own costs besides.
func BenchmarkLines(b *testing.B) {
	base, font := official(b, 300), chineseFont(b)
	for b.Loop() {
		if _, err := base.WithLines([]pdf.Line{{Text: dateLine}, {Text: numberLine}}, font); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOutline traces the picture of a seal: once for each seal that is put on archival documents.
func BenchmarkOutline(b *testing.B) {
	picture := template(b, fixtures.OfficialSeal("吉林省长春市南关区档案馆"), 300)
	for b.Loop() {
		a, err := pdf.NewAppearance(picture, 42, 42)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := a.As(pdf.Rendering{Style: pdf.VectorOutline}); err != nil {
			b.Fatal(err)
		}
	}
}
