package intake

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
)

// paper is a one-page document for tests: what a test leaves empty is plain.
type paper struct {
	catalog, page, resources, content string
	objects                           []string // from number 7 on: text of a value, or a stream
	font                              string   // object 5
	bare                              bool     // no text but what content has
	stray                             string   // raw text before the cross-reference
	later                             map[int]string
}

const visibleText = "BT /F1 24 Tf 100 700 Td (Grade: 85) Tj ET\n"

func stream(entries, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", entries, len(data), data)
}

// bytes writes the document: catalog 1, page tree 2, page 3, content 4, font 5, information 6.
func (p paper) bytes() []byte {
	if p.font == "" {
		p.font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
	}
	if !p.bare {
		p.content = visibleText + p.content
	}
	objects := append([]string{
		"<< /Type /Catalog /Pages 2 0 R " + p.catalog + " >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> " + p.resources + " >> " + p.page + " >>",
		stream("", p.content),
		p.font,
		"<< /Title (Archival copy) >>",
	}, p.objects...)
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	var rows strings.Builder
	rows.WriteString("0000000000 65535 f \n")
	for i, o := range objects {
		fmt.Fprintf(&rows, "%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	b.WriteString(p.stray)
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n%strailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, rows.String(), len(objects)+1, start)
	if p.later != nil {
		rows.Reset()
		for num := range 100 {
			if o, ok := p.later[num]; ok {
				fmt.Fprintf(&rows, "%d 1\n%010d 00000 n \n", num, b.Len())
				fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", num, o)
			}
		}
		at := b.Len()
		fmt.Fprintf(&b, "xref\n%strailer\n<< /Size 100 /Root 1 0 R /Info 6 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", rows.String(), start, at)
	}
	return b.Bytes()
}

func scan(t testing.TB, data []byte, o Options) *Report {
	t.Helper()
	r, err := Scan(context.Background(), bytes.NewReader(data), int64(len(data)), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// codes lists the findings for a message, one a line.
func listed(r *Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "\n    %s page %d object %s place %v: %s", f.Code, f.Page, f.Object, f.Place, f.EN)
	}
	return b.String()
}
