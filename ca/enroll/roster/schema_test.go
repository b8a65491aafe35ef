package roster

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// worksheetSequence is the order that the schema demands of a worksheet's children (ECMA-376-1, 18.3.1.99): a program
// that finds another one calls the file damaged.
var worksheetSequence = strings.Fields(`sheetPr dimension sheetViews sheetFormatPr cols sheetData sheetCalcPr sheetProtection protectedRanges
	scenarios autoFilter sortState dataConsolidate customSheetViews mergeCells phoneticPr conditionalFormatting dataValidations hyperlinks
	printOptions pageMargins pageSetup headerFooter rowBreaks colBreaks customProperties cellWatches ignoredErrors smartTags drawing
	legacyDrawing legacyDrawingHF drawingHF picture oleObjects controls webPublishItems tableParts extLst`)

func childrenOf(t *testing.T, part string) []string {
	t.Helper()
	d, depth := xml.NewDecoder(strings.NewReader(part)), 0
	var names []string
	for {
		token, err := d.Token()
		if err == io.EOF {
			return names
		}
		must(t, err)
		switch e := token.(type) {
		case xml.StartElement:
			if depth++; depth == 2 {
				names = append(names, e.Name.Local)
			}
		case xml.EndElement:
			depth--
		}
	}
}

func TestAReturnedSheetKeepsTheOrderOfTheSchema(t *testing.T) {
	var picture bytes.Buffer
	must(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 4, 4))))
	portrait := "portrait"
	features := []func(f *excelize.File) error{
		func(f *excelize.File) error { return f.AddTable("Sheet1", &excelize.Table{Range: "L3:M6"}) },
		func(f *excelize.File) error {
			return f.AddPictureFromBytes("Sheet1", "L10", &excelize.Picture{Extension: ".png", File: picture.Bytes()})
		},
		func(f *excelize.File) error {
			return f.SetPageLayout("Sheet1", &excelize.PageLayoutOptions{Orientation: &portrait})
		},
		func(f *excelize.File) error {
			return f.SetHeaderFooter("Sheet1", &excelize.HeaderFooterOptions{OddHeader: "&C汇总表"})
		},
		func(f *excelize.File) error {
			return f.SetCellHyperLink("Sheet1", "L1", "https://archive.example", "External")
		},
		func(f *excelize.File) error {
			return f.SetConditionalFormat("Sheet1", "A4:A9", []excelize.ConditionalFormatOptions{{Type: "duplicate", Criteria: "="}})
		},
		func(f *excelize.File) error {
			return f.AddSparkline("Sheet1", &excelize.SparklineOptions{Location: []string{"N1"}, Range: []string{"Sheet1!L4:M4"}})
		},
		func(f *excelize.File) error {
			return f.ProtectSheet("Sheet1", &excelize.SheetProtectionOptions{SelectLockedCells: true})
		},
	}
	_, back := give(t, table(t, faulty(), func(f *excelize.File) {
		for _, feature := range features {
			must(t, feature(f))
		}
	}))
	all := unpack(t, back)
	for _, name := range all.names {
		if !strings.HasPrefix(name, "xl/worksheets/sheet") {
			continue
		}
		children, last := childrenOf(t, all.content[name]), -1
		for _, child := range children {
			at := slices.Index(worksheetSequence, child)
			if at < last || at < 0 {
				t.Errorf("%s: %s stands wrong in %v", name, child, children)
			}
			last = at
		}
		if name == sheet1 && (!slices.Contains(children, "legacyDrawing") || !slices.Contains(children, "extLst") || len(children) < 12) {
			t.Errorf("%s: %v", name, children)
		}
	}
}

// TestARosterInWhichEverythingIsWrongIsReturned is the largest answer that one can provoke: 20,000 rows, ten faults each.
func TestARosterInWhichEverythingIsWrongIsReturned(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	var rows strings.Builder
	wrong := func(row int) string {
		cells := ""
		for column := range 10 {
			cells += `<c r="` + refOf(column+1, row) + `" t="inlineStr"><is><t>?</t></is></c>`
		}
		return fmt.Sprintf(`<row r="%d">%s</row>`, row, cells)
	}
	for i := range maxPersons - 3 {
		rows.WriteString(wrong(i + 7))
	}
	r := read(t, sheetData(t, rows.String()))
	if r.Rows != maxPersons || len(r.Findings) != 10*(maxPersons-3) {
		t.Fatalf("%d rows, %d findings", r.Rows, len(r.Findings))
	}
	var b bytes.Buffer
	must(t, r.Return(&b))
	back := unpack(t, b.Bytes())
	comments := strings.Count(back.content["xl/comments1.xml"], "<comment ")
	listed := strings.Count(back.content["xl/worksheets/sheet2.xml"], "<hyperlink ")
	if comments != maxCommentRows/(maxPersons+3) || listed != maxListed {
		t.Errorf("%d comments, %d listed", comments, listed)
	}
	if marked := strings.Count(back.content[sheet1], `t="inlineStr"`); marked < 10*(maxPersons-3) || b.Len() > 16<<20 {
		t.Errorf("%d cells, %d bytes", marked, b.Len())
	}
	again := read(t, b.Bytes())
	if len(again.Findings) != len(r.Findings) {
		t.Errorf("%d findings when it is read again", len(again.Findings))
	}
	if _, err := Read(sheetData(t, rows.String()+wrong(maxPersons+4)), rules); err == nil {
		t.Error("one person more is accepted")
	}
}
