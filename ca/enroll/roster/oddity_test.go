package roster

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"yinxin/ca/number"
	"yinxin/fixtures"
)

// wide writes ASCII in full width, as an input method does when nobody looks.
func wideForm(s any) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r + ('！' - '!')
		}
		return r
	}, s.(string))
}

// onSheet changes the table's sheet.
func onSheet(t testing.TB, change func(f *excelize.File) error) func(*excelize.File) {
	return func(f *excelize.File) { must(t, change(f)) }
}

// TestWhatPeopleDoToTablesIsNoFault holds workbooks as people leave them against the table as it should be: the same
// three people are read, and nothing is wrong.
func TestWhatPeopleDoToTablesIsNoFault(t *testing.T) {
	plain := people(3)
	want := read(t, table(t, plain)).Persons
	for name, c := range map[string]struct {
		cells  func(row []any)
		change func(f *excelize.File) error
		notes  string // codes of notes
	}{
		"blanks of all kinds around and inside": {cells: func(row []any) {
			for i := range row {
				row[i] = "　 " + row[i].(string) + "\u00a0\t"
			}
			row[0] = strings.Join(strings.Split(row[0].(string), ""), "　")
			row[4] = row[4].(string)[:6] + " " + row[4].(string)[6:14] + " " + row[4].(string)[14:]
		}},
		"full-width digits and letters": {cells: func(row []any) {
			for _, i := range []int{2, 3, 4, 5, 7} {
				row[i] = wideForm(row[i])
			}
		}},
		"zero-width characters copied from a web page": {cells: func(row []any) {
			row[4], row[0] = "\ufeff"+row[4].(string), row[0].(string)+"\u200b"
		}},
		"line breaks in names": {cells: func(row []any) {
			row[1], row[8] = "临江省\n云山市档案馆", "全省档案信息\r\n资源共享平台"
		}},
		"values as their name only": {cells: func(row []any) {
			row[2], row[3], row[7] = row[2].(string)[2:], "居民身份证", "生效"
		}},
		"values as their code only": {cells: func(row []any) {
			row[2], row[3], row[7] = row[2].(string)[:1], 111, "us01"
		}},
		"other dashes": {cells: func(row []any) {
			row[2], row[3], row[7] = strings.Replace(row[2].(string), "-", "－", 1), "111—居民身份证", "US01 – 生效"
		}},
		"sex as a number": {cells: func(row []any) { row[2] = int(row[2].(string)[0] - '0') }},
		"mobile as a number": {cells: func(row []any) {
			var n int
			fmt.Sscan(row[5].(string), &n)
			row[5] = n
		}},
		"mobile with hyphens and country": {cells: func(row []any) {
			m := row[5].(string)
			row[5] = "+86 " + m[:3] + "-" + m[3:7] + "-" + m[7:]
		}},
		"an apostrophe before the number": {cells: func(row []any) { row[4], row[5] = "'"+row[4].(string), "’"+row[5].(string) }},
		"a small x":                       {cells: func(row []any) { row[4] = strings.ToLower(row[4].(string)) }},
		"rich text": {change: func(f *excelize.File) error {
			name := plain[0][0].(string)
			return f.SetCellRichText("Sheet1", "A4", []excelize.RichTextRun{{Text: name[:3], Font: &excelize.Font{Bold: true}}, {Text: name[3:]}})
		}},
		"asterisks, blanks, line breaks and hints in the header": {change: func(f *excelize.File) error {
			return f.SetSheetRow("Sheet1", "A3", &[]any{"*姓 名", "所属单位\n名称*", "性别（1-男，2-女）", "证件类型\n(111-居民身份证)", "＊身份证号码", "手 机 号 码：", "职务", "人员状态", "用途", "需使用印章名称"})
		}},
		"synonyms in the header": {change: func(f *excelize.File) error {
			return f.SetSheetRow("Sheet1", "A3", &[]any{"使用人姓名", "工作单位", "性别", "证件种类", "公民身份号码", "联系电话", "岗位", "状态", "应用系统", "印章名称"})
		}},
		"a column of ordinals": {change: func(f *excelize.File) error {
			if err := f.InsertCols("Sheet1", "A", 1); err != nil {
				return err
			}
			return f.SetSheetCol("Sheet1", "A3", &[]any{"序号", 1, 2, 3, 4, 5})
		}},
		"blank rows above and between": {change: func(f *excelize.File) error {
			if err := f.InsertRows("Sheet1", 5, 3); err != nil {
				return err
			}
			return f.InsertRows("Sheet1", 1, 4)
		}},
		"a table that begins at column D": {change: func(f *excelize.File) error { return f.InsertCols("Sheet1", "A", 3) }},
		"blank cells with a format, far down and far right": {change: func(f *excelize.File) error {
			id, err := f.NewStyle(&excelize.Style{NumFmt: 49})
			if err != nil {
				return err
			}
			if err := f.SetCellStyle("Sheet1", "A7", "T300", id); err != nil {
				return err
			}
			return f.SetCellStyle("Sheet1", "XFD2000", "XFD2000", id)
		}},
		"more columns": {change: func(f *excelize.File) error {
			return f.SetSheetCol("Sheet1", "K3", &[]any{"备注", "无", "无", "新调入"})
		}, notes: "K3 roster.extra-column"},
		"text beside the table": {change: func(f *excelize.File) error { return f.SetCellStr("Sheet1", "M5", "待核") }, notes: "M5 roster.extra-column"},
		"more sheets": {change: func(f *excelize.File) error {
			for _, s := range []string{"Sheet2", "Sheet3"} {
				if _, err := f.NewSheet(s); err != nil {
					return err
				}
			}
			return f.SetCellStr("Sheet3", "B2", "通讯录")
		}, notes: "Sheet3 roster.extra-sheet"},
		"the table on the second sheet": {change: func(f *excelize.File) error {
			if err := f.SetSheetName("Sheet1", "汇总表"); err != nil {
				return err
			}
			if _, err := f.NewSheet("封面"); err != nil {
				return err
			}
			return f.MoveSheet("封面", "汇总表")
		}},
		"a hidden row":    {change: func(f *excelize.File) error { return f.SetRowVisible("Sheet1", 5, false) }, notes: "A3 roster.hidden"},
		"a hidden column": {change: func(f *excelize.File) error { return f.SetColVisible("Sheet1", "E", false) }, notes: "E3 roster.hidden"},
		"remarks below": {change: func(f *excelize.File) error {
			if err := f.SetCellStr("Sheet1", "A8", "注：所有栏目必填。"); err != nil {
				return err
			}
			return f.SetSheetRow("Sheet1", "A9", &[]any{"填表人：某某", nil, nil, "审核人："})
		}, notes: "A8 roster.remark, A9 roster.remark"},
		"a header repeated for printing": {change: func(f *excelize.File) error { return f.SetSheetRow("Sheet1", "A7", &heads) }, notes: "A7 roster.remark"},
		"the unit once for all, in merged cells": {change: func(f *excelize.File) error {
			for _, column := range []string{"B", "I", "J"} {
				if err := f.SetSheetCol("Sheet1", column+"5", &[]any{nil, nil}); err != nil {
					return err
				}
				if err := f.MergeCell("Sheet1", column+"4", column+"6"); err != nil {
					return err
				}
			}
			return nil
		}},
		"a header of two rows": {change: func(f *excelize.File) error {
			if err := f.InsertRows("Sheet1", 4, 1); err != nil {
				return err
			}
			if err := f.SetSheetRow("Sheet1", "D4", &[]any{"证件类型", "身份证号"}); err != nil {
				return err
			}
			if err := f.SetSheetRow("Sheet1", "D3", &[]any{"证件信息", nil}); err != nil {
				return err
			}
			for _, c := range []string{"A", "B", "C", "F", "G", "H", "I", "J"} {
				if err := f.MergeCell("Sheet1", c+"3", c+"4"); err != nil {
					return err
				}
			}
			return f.MergeCell("Sheet1", "D3", "E3")
		}},
		"a data validation and a filter": {change: func(f *excelize.File) error {
			v := excelize.NewDataValidation(true)
			v.SetSqref("C4:C100")
			if err := v.SetDropList([]string{"1-男", "2-女"}); err != nil {
				return err
			}
			if err := f.AddDataValidation("Sheet1", v); err != nil {
				return err
			}
			return f.AutoFilter("Sheet1", "A3:J6", nil)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			rows := people(3)
			for _, row := range rows {
				if c.cells != nil {
					c.cells(row)
				}
			}
			var change []func(*excelize.File)
			if c.change != nil {
				change = append(change, onSheet(t, c.change))
			}
			r, _ := give(t, table(t, rows, change...))
			if codes(r) != c.notes || !r.Good() {
				t.Errorf("found %s, want %q", codes(r), c.notes)
			}
			if len(r.Persons) != 3 {
				t.Fatalf("%d people", len(r.Persons))
			}
			for i, p := range r.Persons {
				p.Row = want[i].Row
				if p != want[i] {
					t.Errorf("%+v is not %+v", p, want[i])
				}
			}
			if r.Date.Format("2006-01-02") != "2026-11-20" {
				t.Errorf("date %v", r.Date)
			}
		})
	}
}

func TestColumnsMayStandInAnyOrder(t *testing.T) {
	rows, turned := people(3), slices.Clone(heads)
	slices.Reverse(turned)
	for _, row := range rows {
		slices.Reverse(row)
	}
	r := read(t, table(t, rows, onSheet(t, func(f *excelize.File) error { return f.SetSheetRow("Sheet1", "A3", &turned) })))
	if !r.Good() || len(r.Persons) != 3 || r.Persons[0].Name != rows[0][9] || r.Persons[0].Number != rows[0][5] {
		t.Errorf("%s", codes(r))
	}
}

// TestEachFaultOfACellIsFoundAtTheCell changes one cell of the second person (row 5).
func TestEachFaultOfACellIsFoundAtTheCell(t *testing.T) {
	other := fixtures.Archive("青岚市").Name
	man := identity(t, "227102", "19800101", 1)
	for name, c := range map[string]struct {
		column int
		value  any
		want   string
	}{
		"nothing":                              {0, nil, "A5 roster.required"},
		"blanks only":                          {6, " 　\n", "G5 roster.required"},
		"a name of one character":              {0, "张", "A5 roster.name"},
		"a number as name":                     {0, 12, "A5 roster.name"},
		"a name with digits":                   {0, "张三1", "A5 roster.name"},
		"another unit":                         {1, other, "B5 roster.unit-differs"},
		"the unit in short":                    {1, "云山市档案馆", "B5 roster.unit-differs"},
		"no sex":                               {2, "未知", "C5 roster.sex"},
		"code and name of the sex differ":      {2, "1-女", "C5 roster.sex"},
		"a passport":                           {3, "414-普通护照", "D5 roster.document-type"},
		"twenty digits, as in the notice":      {4, "22010219900101123400", "E5 number.identity-length"},
		"fifteen digits":                       {4, "220102900101123", "E5 number.identity-old"},
		"fifteen digits as a number":           {4, 220102900101123, "E5 number.identity-old"},
		"no such province":                     {4, "29" + man[2:], "E5 number.identity-region"},
		"no such day":                          {4, man[:10] + "0231" + man[14:], "E5 number.identity-birth"},
		"wrong check character":                {4, man[:17] + string('0'+(man[17]-'0'+1)%10), "E5 number.identity-check"},
		"letters":                              {4, "abc", "E5 number.identity-length"},
		"eighteen digits as a number":          {4, 220102199001011234, "E5 roster.number-lost"},
		"eighteen digits as a floating number": {4, 2.20102199001011e17, "E5 roster.number-lost"},
		"the shape of a lost number as text":   {4, "2.20102E+17", "E5 roster.number-lost"},
		"a child":                              {4, identity(t, "227102", "20120101", 0), "E5 roster.age"},
		"a mobile of ten digits":               {5, "1381234567", "F5 number.mobile"},
		"a fixed line":                         {5, "0431-12345678", "F5 number.mobile"},
		"a mobile that begins with 12":         {5, "12012345678", "F5 number.mobile"},
		"a fraction":                           {5, 13812345678.5, "F5 number.mobile"},
		"a dash for the duty":                  {6, "——", "G5 roster.no-text"},
		"a long duty":                          {6, strings.Repeat("长", 61), "G5 roster.too-long"},
		"a status without a meaning":           {7, "US03", "H5 roster.status"},
		"code and name of the status differ":   {7, "US01-失效", "H5 roster.status"},
		"another seal":                         {9, "财务专用章", "J5 roster.seal-differs"},
		"a truth value":                        {6, true, "G5 roster.cell-error"},
		"a private character":                  {6, "科\ue000员", "G5 roster.characters"},
	} {
		t.Run(name, func(t *testing.T) {
			rows := people(3)
			rows[1][4], rows[1][2] = man, "1-男"
			rows[1][c.column] = c.value
			if name == "a child" {
				rows[1][2] = "2-女"
			}
			r, back := give(t, table(t, rows))
			if got := codes(r); got != c.want {
				t.Fatalf("found %s, want %s", got, c.want)
			}
			cell, _, _ := strings.Cut(c.want, " ")
			if len(r.Persons) != 2 || r.Rows != 3 {
				t.Errorf("%d of %d", len(r.Persons), r.Rows)
			}
			f := workbook(t, back)
			if fillOf(t, f, "Sheet1", cell) != colourWrong || !strings.Contains(commentsOf(t, f, "Sheet1")[cell], r.Findings[0].ZH) {
				t.Error("the cell is not marked")
			}
			if s, ok := c.value.(string); ok && c.column >= 4 && c.column <= 5 && len(s) >= 10 && strings.Contains(fmt.Sprint(r.Findings), s) {
				t.Errorf("the finding repeats the number: %v", r.Findings)
			}
		})
	}
}

// identity makes an identity number; odd makes it a man's.
func identity(t testing.TB, region, birth string, odd int) string {
	t.Helper()
	for _, c := range "0123456789" { // a last digit, so that tests can count on from it
		for order := range 40 {
			n := fmt.Sprintf("%s%s%03d%c", region, birth, 100+2*order+odd, c)
			if _, err := number.Identity(n, today); err == nil {
				return n
			}
		}
	}
	t.Fatal("no number")
	return ""
}
