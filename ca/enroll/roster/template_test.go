package roster

import (
	"bytes"
	"fmt"
	"testing"

	"yinxin/internal/fault"
)

func TestTheTemplateIsReadOnceItIsFilledIn(t *testing.T) {
	var b bytes.Buffer
	must(t, Template(&b, Blank{Unit: unit, Seals: []string{unit}}))
	if _, err := Read(b.Bytes(), rules); !fault.Has(err, ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
	f := workbook(t, b.Bytes())
	must(t, f.SetCellValue(templateSheet, "J2", "2026-11-1"))
	for i, row := range people(3) {
		must(t, f.SetSheetRow(templateSheet, fmt.Sprintf("A%d", 5+i), &row))
	}
	b.Reset()
	must(t, f.Write(&b))
	r := read(t, b.Bytes())
	if !r.Good() || len(r.Persons) != 3 || r.Date.Format("2006-01-02") != "2026-11-01" {
		t.Errorf("%+v", r.Findings)
	}
	if len(r.Findings) != 1 || r.Findings[0].Code != NoteSample.Code || r.Findings[0].Cell != "A4" {
		t.Errorf("%+v", r.Findings)
	}
}
