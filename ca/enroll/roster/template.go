package roster

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

// Blank says for whom an empty table is made. All may be empty.
type Blank struct {
	Unit  string   // 所属单位名称, offered in its column
	Seals []string // 印章名称, offered in their column
}

const (
	templateSheet = "电子印章使用人信息汇总表"
	templateRows  = 500 // rows that have formats and lists
	sampleRow     = 4
	listLimit     = 255 // characters of a list in a data validation, Excel's own limit
)

// templateColumns are width, in characters, and sample of the columns in the order of the notice. The sample number has
// no digits in it, so that it cannot be anybody's.
var templateColumns = [required]struct {
	width  float64
	sample string
}{
	fieldName: {14, "示例：张三"}, fieldUnit: {30, "单位全称，与申请表一致"}, fieldSex: {10, "1-男"}, fieldType: {18, "111-居民身份证"},
	fieldNumber: {24, "18 位身份证号"}, fieldMobile: {16, "11 位手机号"}, fieldDuty: {16, "科员"}, fieldStatus: {14, "US01-生效"},
	fieldPurpose: {30, "使用 USB Key 的系统全称"}, fieldSeal: {30, "印章全称，与印模文字一致"},
}

var templateNotes = []string{
	"一、所有列均为必填项；表头以下第一行为示例，不会被读取，可以删除。",
	"二、所属单位名称、需使用印章名称应与《机构印章证书申请表》的申请单位名称、印章名称完全一致。",
	"三、性别填“1-男”或“2-女”；证件类型填“111-居民身份证”；人员状态填“US01-生效”（可以用章）或“US02-失效”（停止用章）。",
	"四、身份证号、手机号所在列已设为文本格式，请勿改为数值：18 位号码以数值存储时末尾三位会丢失。",
	"五、用途填写使用 USB Key 的应用系统全称；没有应用系统的，填写用途。",
	"六、一人使用多枚印章的，每枚印章填写一行；同一人员与同一印章不得重复。",
	"七、请勿使用公式、宏和外部链接；可以增加行，请勿更改列名；以 .xlsx 格式保存。",
}

// Template writes an empty table: title, 填报日期, header, a sample row that reading passes over, text format for all
// columns, lists to choose from, and a sheet with notes.
func Template(w io.Writer, blank Blank) error {
	f := excelize.NewFile()
	defer f.Close()
	for _, step := range []func(*excelize.File, Blank) error{nameSheets, writeHead, writeFormats, writeLists, writeNotes} {
		if err := step(f, blank); err != nil {
			return fmt.Errorf("make the template of the roster: %w", err)
		}
	}
	return f.Write(w)
}

func nameSheets(f *excelize.File, _ Blank) error {
	if err := f.SetSheetName("Sheet1", templateSheet); err != nil {
		return err
	}
	_, err := f.NewSheet(notesSheet)
	return err
}

func writeHead(f *excelize.File, _ Blank) error {
	last := columnName(int(required))
	if err := f.MergeCell(templateSheet, "A1", last+"1"); err != nil {
		return err
	}
	values := map[string]string{"A1": templateSheet, columnName(int(required)-1) + "2": "填报日期："}
	for c := range required {
		values[refOf(int(c)+1, sampleRow-1)] = "*" + c.label()
		values[refOf(int(c)+1, sampleRow)] = templateColumns[c].sample
	}
	for cell, text := range values {
		if err := f.SetCellStr(templateSheet, cell, text); err != nil {
			return err
		}
	}
	return f.SetPanes(templateSheet, &excelize.Panes{Freeze: true, YSplit: sampleRow - 1, TopLeftCell: refOf(1, sampleRow), ActivePane: "bottomLeft"})
}

func writeFormats(f *excelize.File, _ Blank) error {
	last := columnName(int(required))
	line := []excelize.Border{{Type: "left", Style: 1, Color: "000000"}, {Type: "right", Style: 1, Color: "000000"}, {Type: "top", Style: 1, Color: "000000"}, {Type: "bottom", Style: 1, Color: "000000"}}
	middle := &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true}
	dateFormat := `yyyy"年"m"月"d"日"`
	for _, s := range []struct {
		from, to string
		style    excelize.Style
	}{
		{"A1", last + "1", excelize.Style{Font: &excelize.Font{Bold: true, Size: 16}, Alignment: middle}},
		{columnName(int(required)-1) + "2", columnName(int(required)-1) + "2", excelize.Style{Alignment: &excelize.Alignment{Horizontal: "right"}}},
		{last + "2", last + "2", excelize.Style{CustomNumFmt: &dateFormat, Alignment: &excelize.Alignment{Horizontal: "left"}}},
		{"A3", last + "3", excelize.Style{Font: &excelize.Font{Bold: true}, Alignment: middle, Border: line, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"D9E2F3"}}}},
		{"A4", last + "4", excelize.Style{NumFmt: 49, Font: &excelize.Font{Italic: true, Color: "808080"}, Border: line}},
		{"A5", refOf(int(required), sampleRow+templateRows), excelize.Style{NumFmt: 49, Border: line}},
	} {
		id, err := f.NewStyle(&s.style)
		if err != nil {
			return err
		}
		if err := f.SetCellStyle(templateSheet, s.from, s.to, id); err != nil {
			return err
		}
	}
	for c := range required {
		if err := f.SetColWidth(templateSheet, columnName(int(c)+1), columnName(int(c)+1), templateColumns[c].width); err != nil {
			return err
		}
	}
	return f.SetRowHeight(templateSheet, 1, 30)
}

func writeLists(f *excelize.File, blank Blank) error {
	for _, l := range []struct {
		column field
		values []string
	}{
		{fieldSex, []string{"1-男", "2-女"}}, {fieldType, []string{"111-居民身份证"}}, {fieldStatus, []string{"US01-生效", "US02-失效"}},
		{fieldUnit, []string{blank.Unit}}, {fieldSeal, blank.Seals},
	} {
		// A comma would end an item of the list, and too long a list breaks the file: then the column has none.
		joined := strings.Join(l.values, ",")
		if joined == "" || strings.Count(joined, ",") != len(l.values)-1 || len(utf16.Encode([]rune(joined))) > listLimit || strings.Contains(joined, `"`) {
			continue
		}
		v := excelize.NewDataValidation(true)
		v.SetSqref(refOf(int(l.column)+1, sampleRow+1) + ":" + refOf(int(l.column)+1, sampleRow+templateRows))
		if err := v.SetDropList(l.values); err != nil {
			return err
		}
		v.ShowErrorMessage = false // a list helps; what is typed is checked here
		if err := f.AddDataValidation(templateSheet, v); err != nil {
			return err
		}
	}
	return nil
}

func writeNotes(f *excelize.File, _ Blank) error {
	for i, note := range append([]string{templateSheet + "填写说明"}, templateNotes...) {
		if err := f.SetCellStr(notesSheet, refOf(1, i+1), note); err != nil {
			return err
		}
	}
	return f.SetColWidth(notesSheet, "A", "A", 110)
}
