package pdf_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"yinxin/sealer/pdf"
)

// TestManyKeysAndFieldsCostLittle: what is compared key by key or field by field must not take the square of their
// number. Each of these took more than ten seconds once.
func TestManyKeysAndFieldsCostLittle(t *testing.T) {
	const keys, fields = 150_000, 40_000
	many := func(more string) string {
		var b strings.Builder
		for i := range keys {
			fmt.Fprintf(&b, "/K%d 1", i)
		}
		return "<<" + b.String() + more + ">>"
	}
	form := func(value string) (objects []string) {
		for i := range fields {
			objects = append(objects, fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Tx/T(f%d)/Rect[1 1 2 2]/P 3 0 R%s>>", i, value))
		}
		return objects
	}
	var list strings.Builder
	for i := range fields {
		fmt.Fprintf(&list, "%d 0 R ", i+5)
	}
	filled := onePage("/Annots 4 0 R")
	filled[0] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields 4 0 R>>>>"
	for _, c := range []struct {
		name    string
		objects []string
		certify int
		later   []string
		first   int
		kind    string
	}{
		{"keys of an object", append(onePage(""), many("")), 0, []string{many("/More 1")}, 4, pdf.ChangeObject},
		{"fields", append(append(filled, "["+list.String()+"]"), form("")...), 2, form("/V(x)"), 5, pdf.ChangeFormFilled},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t)
			r.Certify, r.Placements, r.Appearance = c.certify, nil, nil
			data := seal(t, file{objects: c.objects}.bytes(), r)
			before := opened(t, data)
			var objects []string
			for i, text := range c.later {
				objects = append(objects, fmt.Sprintf("%d 0 obj\n%s\nendobj", c.first+i, text))
			}
			later := appendUpdate(t, data, "/ID "+plain(before.Trailer().Get("ID")), objects...)
			after := opened(t, bytes.Replace(later, []byte("/Size 100/"), []byte("/Size 100000/"), 1))
			start := time.Now()
			changes := compared(t, before, after)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("the comparison took %v", took)
			}
			if len(changes) == 0 || changes[0].Kind != c.kind {
				t.Error(listed(changes))
			}
		})
	}
}
