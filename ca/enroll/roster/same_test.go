package roster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// lived is a workbook with what people's workbooks have beside the table: numbers, dates, rich text, formulas, formats,
// merged cells, widths, heights, hidden columns, lists, conditional formats, names, another sheet, a picture.
func lived(t testing.TB) []byte {
	var picture bytes.Buffer
	must(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 4, 4))))
	return table(t, faulty(), func(f *excelize.File) {
		format := "0.00%"
		percent, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format, Font: &excelize.Font{Bold: true, Family: "仿宋", Color: "00B050"},
			Border: []excelize.Border{{Type: "left", Style: 1, Color: "FF0000"}}, Protection: &excelize.Protection{Locked: true}})
		must(t, err)
		asText, err := f.NewStyle(&excelize.Style{NumFmt: 49, Alignment: &excelize.Alignment{Horizontal: "right", WrapText: true}})
		must(t, err)
		green, err := f.NewConditionalStyle(&excelize.Style{Font: &excelize.Font{Color: "00B050"}})
		must(t, err)
		list := excelize.NewDataValidation(true)
		list.SetSqref("C4:C100")
		must(t, list.SetDropList([]string{"1-男", "2-女"}))
		_, err = f.NewSheet("通讯录")
		must(t, err)
		for _, err := range []error{
			f.SetCellStyle("Sheet1", "E4", "F6", asText), f.SetCellStyle("Sheet1", "M4", "M6", percent), f.SetColStyle("Sheet1", "P", asText),
			f.SetCellValue("Sheet1", "M4", 0.25), f.SetCellValue("Sheet1", "M5", true), f.SetCellValue("Sheet1", "M6", today),
			f.SetCellFormula("Sheet1", "N4", `SUM(M4:M6)&"x"`), f.SetCellValue("Sheet1", "O4", 220102199001011234),
			f.SetCellRichText("Sheet1", "O5", []excelize.RichTextRun{{Text: "粗", Font: &excelize.Font{Bold: true}}, {Text: "细"}}),
			f.SetCellStr("Sheet1", "O6", "  two\nlines & <signs> _x0041_ "),
			f.MergeCell("Sheet1", "P1", "Q2"), f.SetColWidth("Sheet1", "B", "C", 33.5), f.SetRowHeight("Sheet1", 5, 41), f.SetColVisible("Sheet1", "R", false),
			f.SetRowVisible("Sheet1", 20, false), f.AddDataValidation("Sheet1", list), f.SetDefinedName(&excelize.DefinedName{Name: "人员", RefersTo: "Sheet1!$A$4:$A$9"}),
			f.SetConditionalFormat("Sheet1", "A4:A9", []excelize.ConditionalFormatOptions{{Type: "duplicate", Criteria: "=", Format: &green}}),
			f.AutoFilter("Sheet1", "A3:J6", nil), f.SetCellHyperLink("Sheet1", "S1", "https://archive.example", "External"),
			f.AddPictureFromBytes("Sheet1", "L10", &excelize.Picture{Extension: ".png", File: picture.Bytes()}),
			f.SetPanes("Sheet1", &excelize.Panes{Freeze: true, YSplit: 3, TopLeftCell: "A4", ActivePane: "bottomLeft"}),
			f.SetSheetRow("通讯录", "B2", &[]any{"甲", 7, 1.5, "乙"}), f.SetColWidth("通讯录", "A", "A", 50), f.SetSheetVisible("通讯录", false),
			f.SetDocProps(&excelize.DocProperties{Creator: "某某"}),
			f.AddComment("通讯录", excelize.Comment{Cell: "B2", Author: "李四", Text: "勿删"}),
		} {
			must(t, err)
		}
	})
}

// seenByExcelize is all that the library tells of a workbook, without the summary; of marked cells without their fill.
func seenByExcelize(t *testing.T, data []byte, marked []string) map[string]any {
	f := workbook(t, data)
	seen := map[string]any{"names": f.GetDefinedName()}
	for _, sheet := range f.GetSheetList() {
		if sheet == summarySheet {
			continue
		}
		put := func(what string, v any, err error) {
			t.Helper()
			must(t, err)
			seen[sheet+" "+what] = v
		}
		merges, err := f.GetMergeCells(sheet, true)
		put("merges", merges, err)
		lists, err := f.GetDataValidations(sheet)
		put("lists", lists, err)
		conditions, err := f.GetConditionalFormats(sheet)
		put("conditions", conditions, err)
		panes, err := f.GetPanes(sheet)
		put("panes", panes, err)
		pictures, err := f.GetPictureCells(sheet)
		put("pictures", pictures, err)
		visible, err := f.GetSheetVisible(sheet)
		put("visible", visible, err)
		for column := 1; column <= 20; column++ {
			name := columnName(column)
			width, err := f.GetColWidth(sheet, name)
			put(name+" width", width, err)
			shown, err := f.GetColVisible(sheet, name)
			put(name+" shown", shown, err)
			style, err := f.GetColStyle(sheet, name)
			put(name+" style", style, err)
			for row := 1; row <= 25; row++ {
				cell := refOf(column, row)
				value, err := f.GetCellValue(sheet, cell, excelize.Options{RawCellValue: true})
				put(cell, value, err)
				formula, err := f.GetCellFormula(sheet, cell)
				put(cell+" formula", formula, err)
				kind, err := f.GetCellType(sheet, cell)
				put(cell+" kind", kind, err)
				runs, err := f.GetCellRichText(sheet, cell)
				put(cell+" runs", runs, err)
				linked, link, err := f.GetCellHyperLink(sheet, cell)
				put(cell+" link", fmt.Sprint(linked, link), err)
				height, err := f.GetRowHeight(sheet, row)
				put(fmt.Sprint(row, " height"), height, err)
				id, err := f.GetCellStyle(sheet, cell)
				must(t, err)
				s, err := f.GetStyle(id)
				if sheet == "Sheet1" && strings.Contains(" "+strings.Join(marked, " ")+" ", " "+cell+" ") {
					s.Fill = excelize.Fill{}
				}
				put(cell+" style", s, err)
			}
		}
	}
	return seen
}

func TestAllButTheMarksIsAsBefore(t *testing.T) {
	data := lived(t)
	r, back := give(t, data)
	var marked []string
	for _, m := range r.marks() {
		marked = append(marked, m.cell())
	}
	if len(marked) < 3 {
		t.Fatal(marked)
	}
	before, after := seenByExcelize(t, data, marked), seenByExcelize(t, back, marked)
	for what, v := range before {
		if !reflect.DeepEqual(v, after[what]) {
			t.Errorf("%s was %+v and is %+v", what, v, after[what])
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d and %d", len(before), len(after))
	}
	if other := commentsOf(t, workbook(t, back), "通讯录"); other["B2"] != "勿删" || len(other) != 1 {
		t.Errorf("the comments of the other sheet: %v", other)
	}
}

// openpyxl tells all that it reads of a workbook but the fills, a line each.
const openpyxlScript = `
import json, sys
import openpyxl
w = openpyxl.load_workbook(sys.argv[1])
out = {}
for s in w.worksheets:
    p = s.title + " "
    out[p + "merges"] = sorted(str(m) for m in s.merged_cells.ranges)
    out[p + "state"] = s.sheet_state
    out[p + "panes"] = s.freeze_panes
    out[p + "filter"] = s.auto_filter.ref
    out[p + "lists"] = [(str(d.sqref), d.formula1) for d in s.data_validations.dataValidation]
    out[p + "pictures"] = len(s._images)
    for k, d in sorted(s.column_dimensions.items()):
        out[p + k] = [d.min, d.max, round(d.width, 3), d.hidden]
    for k, d in sorted(s.row_dimensions.items()):
        if d.height or d.hidden:
            out[p + "row %d" % k] = [d.height, d.hidden]
    for row in s.iter_rows():
        for c in row:
            if c.value is not None or c.comment or c.hyperlink:
                out[p + c.coordinate] = [str(c.value), c.data_type, c.number_format, c.font.b, c.font.name, c.alignment.horizontal,
                    c.border.left.style, c.hyperlink.target or c.hyperlink.location if c.hyperlink else None]
            if c.comment:
                out[p + c.coordinate + " comment"] = c.comment.text
            if c.fill.fgColor.rgb and c.fill.fill_type:
                out[p + c.coordinate + " fill"] = c.fill.fgColor.rgb
json.dump(out, sys.stdout)
`

// openpyxl reads a workbook with another library.
func openpyxl(t *testing.T, data []byte) map[string]any {
	t.Helper()
	python := ""
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(name, "-c", "import openpyxl").Run() == nil {
			python = name
		}
	}
	if python == "" {
		t.Skip("python3 with openpyxl is not installed (package python3-openpyxl)")
	}
	file := filepath.Join(t.TempDir(), "in.xlsx")
	must(t, os.WriteFile(file, data, 0o600))
	out, err := exec.Command(python, "-c", openpyxlScript, file).CombinedOutput()
	if err != nil {
		t.Fatalf("openpyxl does not read the workbook: %s", out)
	}
	all := map[string]any{}
	must(t, json.Unmarshal(out, &all))
	return all
}

func TestOpenpyxlReadsTheSameButTheMarks(t *testing.T) {
	data := lived(t)
	r, back := give(t, data)
	before, after := openpyxl(t, data), openpyxl(t, back)
	for what, v := range before {
		if !reflect.DeepEqual(v, after[what]) {
			t.Errorf("%s was %v and is %v", what, v, after[what])
		}
	}
	for _, m := range r.marks() {
		cell := "Sheet1 " + m.cell()
		want := map[shade]string{noted: "FF" + colourNote, wrong: "FF" + colourWrong}[m.shade]
		if after[cell+" comment"] != m.text || after[cell+" fill"] != want {
			t.Errorf("%s: %v, %v", cell, after[cell+" comment"], after[cell+" fill"])
		}
		delete(after, cell+" comment")
		delete(after, cell+" fill")
		if before[cell] == nil {
			delete(after, cell)
		}
	}
	links := 0
	for what, v := range after {
		if !strings.HasPrefix(what, summarySheet) {
			if _, was := before[what]; !was {
				t.Errorf("%s is new: %v", what, v)
			}
		} else if strings.Contains(fmt.Sprint(v), "'Sheet1'!F5") {
			links++
		}
	}
	if links != 1 {
		t.Errorf("%d links", links)
	}
}

func TestDialectsAreReadByOpenpyxlWhenTheyComeBack(t *testing.T) {
	for name, p := range dialects(t, unpack(t, lived(t))) {
		t.Run(name, func(t *testing.T) {
			_, back := give(t, p.pack(t))
			seen := openpyxl(t, back)
			if v, ok := seen["Sheet1 B6"].([]any); !ok || v[0] != unit || seen["Sheet1 F5 fill"] != "FF"+colourWrong || seen[summarySheet+" A1"] == nil ||
				fmt.Sprint(seen["通讯录 B2"]) == "<nil>" {
				t.Errorf("%v", seen)
			}
		})
	}
}
