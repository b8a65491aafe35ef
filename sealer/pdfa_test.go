package sealer_test

import (
	"bytes"
	"fmt"
	"testing"

	"yinxin/sealer/verify"
)

// archival is a small file that claims to be PDF/A of a part.
func archival(part int) []byte {
	xmp := fmt.Sprintf(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">`+
		`<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="%d" pdfaid:conformance="B"/>`+
		`</rdf:RDF></x:xmpmeta>`, part)
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R/Metadata 4 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.276 841.89]>>",
		fmt.Sprintf("<</Type/Metadata/Subtype/XML/Length %d>>\nstream\n%s\nendstream", len(xmp), xmp),
	}
	var b, table bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xE2\xE3\xCF\xD3\n")
	for i, o := range objects {
		fmt.Fprintf(&table, "%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	fmt.Fprintf(&b, "xref\n0 5\n0000000000 65535 f \n%strailer\n<</Size 5/Root 1 0 R/ID[<00><00>]>>\nstartxref\n%d\n%%%%EOF\n",
		table.String(), b.Len())
	return b.Bytes()
}

func TestAnArchivalDocumentGetsASealWithoutTransparency(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for part, transparent := range map[int]bool{0: true, 1: false, 2: false} {
			b := archival(part)
			sealed, err := h.sealer.Seal(t.Context(), h.clerk, order(h.upload(b), ""))
			must(t, err)
			update := bytes.TrimPrefix(h.bytes(sealed.Document), b)
			if got := bytes.Contains(update, []byte("/SMask")); got != transparent {
				t.Errorf("part %d: a soft mask: %v", part, got)
			}
			if got := bytes.Contains(update, []byte("/DeviceRGB")); got != transparent {
				t.Errorf("part %d: colours of the device: %v", part, got)
			}
			if v := h.verdict(h.bytes(sealed.Document)); v != verify.Valid {
				t.Errorf("part %d: %s", part, v)
			}
		}
	})
}
