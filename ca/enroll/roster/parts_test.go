package roster

import (
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"yinxin/internal/fault"
)

func TestPhoneticGuidesAndEscapesAreNoText(t *testing.T) {
	name := people(3)[0][0].(string)
	data := changed(t, "xl/sharedStrings.xml", func(s string) string {
		if !strings.Contains(s, ">"+name+"</t>") {
			t.Fatal("the name is not there")
		}
		return strings.Replace(s, ">"+name+"</t>", ">"+name+"_x000D_</t><rPh sb=\"0\" eb=\"1\"><t>zhang</t></rPh>", 1)
	})
	if r := read(t, data); !r.Good() || r.Persons[0].Name != name {
		t.Errorf("%s: %v", codes(r), r.Persons)
	}
}

func TestDatesCountFromTheEpochOfTheWorkbook(t *testing.T) {
	for _, c := range []struct {
		value string
		from  bool
		want  string
	}{{"45740", false, "2025-03-24"}, {"44278", true, "2025-03-24"}, {"45740.99", false, "2025-03-24"}, {"36526", false, "2000-01-01"}} {
		if got, ok := serialDate(c.value, c.from); !ok || got.Format(time.DateOnly) != c.want {
			t.Errorf("%s: %v", c.value, got)
		}
	}
	for _, bad := range []string{"", "0", "-1", "NaN", "1E300", "99999"} {
		if got, ok := serialDate(bad, false); ok {
			t.Errorf("%s is %v", bad, got)
		}
	}
	data := changed(t, "xl/workbook.xml", func(s string) string { return strings.Replace(s, "<sheets>", `<workbookPr date1904="1"/><sheets>`, 1) })
	if r := read(t, data); !r.book.date1904 {
		t.Error("the workbook's epoch is not read")
	}
}

func TestNumberFormatsThatShowDates(t *testing.T) {
	for code, want := range map[string]bool{
		`yyyy"年"m"月"d"日"`: true, "m/d/yy": true, "[$-804]yyyy": true, "0.00": false, `"day"0`: false, "[Red]0": false, `\d0`: false, "@": false, "General": false,
	} {
		if showsDate(code) != want {
			t.Errorf("%s: %v", code, !want)
		}
	}
}

func TestAHiddenSheetIsReadAndSaid(t *testing.T) {
	r := read(t, table(t, people(2), onSheet(t, func(f *excelize.File) error {
		if _, err := f.NewSheet("封面"); err != nil {
			return err
		}
		f.SetActiveSheet(1)
		return f.SetSheetVisible("Sheet1", false)
	})))
	if codes(r) != "A3 roster.hidden" || len(r.Persons) != 2 {
		t.Error(codes(r))
	}
}

func TestStatusUS02IsRead(t *testing.T) {
	rows := people(2)
	rows[0][7], rows[1][7] = "US02-失效", "失效"
	r := read(t, table(t, rows))
	if !r.Good() || r.Persons[0].Status != Withdrawn || r.Persons[1].Status != Withdrawn {
		t.Errorf("%s %v", codes(r), r.Persons)
	}
}

func TestAValueWhereTheSurveySawNoCellIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		texts []string
		want  bool // refused
	}{
		"as seen": {[]string{"", "x"}, false}, "no value": {nil, false}, "blank beside it": {[]string{"", "x", ""}, false},
		"before": {[]string{"y", "x"}, true}, "after": {[]string{"", "x", "y"}, true},
	} {
		l := line{number: 4, cells: []cell{{column: 2, kind: text}}}
		content, err := l.fill(c.texts)
		if fault.Has(err, ErrDialect) != c.want || err == nil && content != (len(c.texts) > 0) {
			t.Errorf("%s: %v, %v", name, content, err)
		}
	}
}
