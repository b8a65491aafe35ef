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

func TestATemplateThatLibreOfficeSavedIsStillOne(t *testing.T) {
	var b bytes.Buffer
	must(t, Template(&b, Blank{Unit: unit, Seals: []string{unit}}))
	f := workbook(t, office(t, b.Bytes(), "xlsx"))
	for i, row := range people(2) {
		must(t, f.SetSheetRow(templateSheet, fmt.Sprintf("A%d", 5+i), &row))
	}
	must(t, f.SetCellValue(templateSheet, "J2", 45740)) // its format shows a date
	b.Reset()
	must(t, f.Write(&b))
	r := read(t, b.Bytes())
	if codes(r) != "A4 roster.sample" || len(r.Persons) != 2 || r.Date.Format("2006-01-02") != "2025-03-24" {
		t.Errorf("%s %v", codes(r), r.Date)
	}
}
