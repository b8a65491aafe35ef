package roster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"yinxin/fixtures"
	"yinxin/internal/civil"
)

func TestTheSexMustAgreeWithTheNumber(t *testing.T) {
	rows := people(2)
	rows[0][2] = map[any]any{"1-男": "2-女", "2-女": "1-男"}[rows[0][2]]
	if got := codes(read(t, table(t, rows))); got != "C4 roster.sex-differs" {
		t.Error(got)
	}
}

func TestPeopleMustNotComeTwice(t *testing.T) {
	rows := people(4)
	second := unit + "合同专用章"
	rows[1] = slices.Clone(rows[0])
	rows[2] = slices.Clone(rows[0])
	rows[2][9] = second
	rows[3][4], rows[3][2], rows[3][9] = rows[0][4], rows[0][2], "财务章"
	own := rules
	own.Expect.Seals = []string{unit, second, "财务章"}
	r, err := Read(table(t, rows), own)
	must(t, err)
	if got := codes(r); got != "E5 roster.duplicate, A7 roster.two-names" || !strings.Contains(r.Findings[0].ZH, "第 4 行") || len(r.Persons) != 2 {
		t.Errorf("%s: %v", got, r.Findings)
	}
}

func TestOneMobileForTwoPeopleIsSaid(t *testing.T) {
	rows := people(2)
	rows[1][5] = rows[0][5]
	r := read(t, table(t, rows))
	if codes(r) != "F5 roster.same-mobile" || !r.Good() || len(r.Persons) != 2 {
		t.Error(codes(r))
	}
}

func TestARegionThatIsNotKnownIsSaidAndSendsNothingBack(t *testing.T) {
	rows := people(3)
	rows[1][2], rows[1][4] = "1-男", identity(t, "226901", "19800101", 1)
	rows[2][2], rows[2][4] = "1-男", identity(t, "110229", "19800101", 1) // 延庆县, a district since 2015
	r := read(t, table(t, rows))
	if codes(r) != "E5 number.identity-region-unknown" || !r.Good() || len(r.Persons) != 3 {
		t.Error(codes(r))
	}
}

func TestFormulasAreRefusedAndNeverEvaluated(t *testing.T) {
	for name, formula := range map[string]string{"a reference": "F4", "text": `"张"&"三"`, "the world": `WEBSERVICE("http://example.invalid")`, "dde": `cmd|' /C calc'!A0`} {
		rows := people(3)
		r, back := give(t, table(t, rows, onSheet(t, func(f *excelize.File) error { return f.SetCellFormula("Sheet1", "F5", formula) })))
		if codes(r) != "F5 roster.formula" || len(r.Persons) != 2 {
			t.Errorf("%s: %s", name, codes(r))
		}
		if kept, _ := workbook(t, back).GetCellFormula("Sheet1", "F5"); kept != formula {
			t.Errorf("%s became %s", formula, kept)
		}
	}
}

func TestAMissingOrRepeatedColumnIsSaidOnce(t *testing.T) {
	rows := people(3)
	r := read(t, table(t, rows, onSheet(t, func(f *excelize.File) error { return f.RemoveCol("Sheet1", "G") })))
	if codes(r) != "A3 roster.column-missing" || !strings.Contains(r.Findings[0].ZH, "职务") || len(r.Persons) != 0 || r.Rows != 3 {
		t.Errorf("%v", r.Findings)
	}
	r = read(t, table(t, rows, onSheet(t, func(f *excelize.File) error { return f.SetCellStr("Sheet1", "K3", "手机") })))
	if codes(r) != "K3 roster.column-twice" || r.Good() {
		t.Errorf("%v", r.Findings)
	}
}

func TestOtherDocumentsAreAcceptedByConfiguration(t *testing.T) {
	rows := people(2)
	rows[0][3], rows[0][4] = "414-普通护照", "E12345678"
	rows[1][3], rows[1][4] = "普通护照", "?"
	own := rules
	own.DocumentTypes = map[string]string{"414": "普通护照"}
	r, err := Read(table(t, rows), own)
	must(t, err)
	if codes(r) != "E5 roster.no-text" || len(r.Persons) != 1 || r.Persons[0].DocumentType != "414" || r.Persons[0].Number != "E12345678" {
		t.Errorf("%s %v", codes(r), r.Persons)
	}
}

func TestACreditCodeColumnIsComparedWithTheApplication(t *testing.T) {
	right, elsewhere := rules.Expect.CreditCode, fixtures.Archive("青岚市").CreditCode
	r := read(t, table(t, people(3), onSheet(t, func(f *excelize.File) error {
		return f.SetSheetCol("Sheet1", "K3", &[]any{"统一社会信用代码", right, elsewhere, right[:17]})
	})))
	if codes(r) != "K5 roster.credit-differs, K6 roster.credit-differs" || len(r.Persons) != 1 {
		t.Error(codes(r))
	}
}

func TestNamesAreComparedWithoutWidthAndKeptAsInTheApplication(t *testing.T) {
	rows := people(1)
	rows[0][9], rows[0][1] = "合同专用章(１)", "云山市档案馆(分馆)"
	own := rules
	own.Expect.Seals, own.Expect.Unit = []string{"合同专用章（1）"}, "云山市档案馆（分馆）"
	r, err := Read(table(t, rows), own)
	must(t, err)
	if !r.Good() || r.Persons[0].Seal != "合同专用章（1）" || r.Persons[0].Unit != "云山市档案馆（分馆）" {
		t.Errorf("%s %v", codes(r), r.Persons)
	}
}

func TestTheDateIsReadInEverySpelling(t *testing.T) {
	march := time.Date(2025, 3, 24, 0, 0, 0, 0, civil.China)
	for name, cells := range map[string][]any{
		"as in the form":           {"填报日期：2025年3月24日"},
		"with blanks":              {"填 报 日 期 ： 2025 年 3 月 24 日"},
		"in the next cell":         {"填报日期", "2025-03-24"},
		"after blank cells":        {"填报日期:", nil, nil, "2025/3/24"},
		"dots":                     {"填表日期：2025.3.24"},
		"digits only":              {"填报日期", "20250324"},
		"digits only as a number":  {"填报日期", 20250324},
		"Chinese numerals":         {"填报日期：二〇二五年三月二十四日"},
		"full width":               {"填报日期：２０２５年０３月２４日"},
		"spread over cells":        {"填报日期：", "2025年", "3月", "24日"},
		"a date of a spreadsheet":  {"填报日期", march.Add(8 * time.Hour)},
		"with the day of the week": {"填报日期：2025年3月24日 星期一"},
		"without a label":          {"2025年3月24日"},
		"after other words":        {"填报单位：云山市档案馆   填报日期：2025年3月24日"},
	} {
		r := read(t, table(t, people(1), onSheet(t, func(f *excelize.File) error {
			if err := f.SetSheetRow("Sheet1", "H2", &[]any{nil, nil}); err != nil {
				return err
			}
			return f.SetSheetRow("Sheet1", "B2", &cells)
		})))
		if !r.Good() || !r.Date.Equal(march) {
			t.Errorf("%s: %v %s", name, r.Date, codes(r))
		}
	}
	for name, c := range map[string]struct {
		cells []any
		want  string
	}{
		"none":       {nil, "A3 roster.date-missing"},
		"empty":      {[]any{"填报日期："}, "B2 roster.date"},
		"no date":    {[]any{"填报日期：本月"}, "B2 roster.date"},
		"no day":     {[]any{"填报日期：2025年2月30日"}, "B2 roster.date"},
		"tomorrow":   {[]any{"填报日期：2026年11月27日"}, "B2 roster.date-future"},
		"a sentence": {[]any{"请于三月底前报送"}, "A3 roster.date-missing"},
	} {
		r := read(t, table(t, people(1), onSheet(t, func(f *excelize.File) error {
			if err := f.SetSheetRow("Sheet1", "H2", &[]any{nil, nil}); err != nil {
				return err
			}
			return f.SetSheetRow("Sheet1", "B2", &c.cells)
		})))
		if codes(r) != c.want || len(r.Persons) != 1 {
			t.Errorf("%s: %s", name, codes(r))
		}
	}
}

func TestAPersonPrintsMasked(t *testing.T) {
	p := read(t, table(t, people(1))).Persons[0]
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, p); strings.Contains(s, p.Number) || strings.Contains(s, p.Mobile) || !strings.Contains(s, "***") {
			t.Errorf("%s: %s", format, s)
		}
	}
}
