package roster

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"yinxin/internal/fault"
)

// faulty has a wrong cell (F5) and two that are missing (A6, J6), the last in its row.
func faulty() [][]any {
	rows := people(3)
	rows[1][5] = "12345"
	rows[2][0], rows[2] = nil, rows[2][:9]
	return rows
}

const faultyCodes = "F5 number.mobile, A6 roster.required, J6 roster.required"

func TestCommentsThatWereThereStayAndOursFollowThem(t *testing.T) {
	data := table(t, faulty(), onSheet(t, func(f *excelize.File) error {
		for cell, text := range map[string]string{"F5": "已电话核实", "B4": "请盖章"} {
			if err := f.AddComment("Sheet1", excelize.Comment{Cell: cell, Author: "张三", Paragraph: []excelize.RichTextRun{{Text: text}}}); err != nil {
				return err
			}
		}
		return nil
	}))
	r, back := give(t, data)
	check := func(back []byte) {
		t.Helper()
		comments := commentsOf(t, workbook(t, back), "Sheet1")
		if f := comments["F5"]; !strings.HasPrefix(f, "已电话核实\n"+marker) || strings.Count(f, r.Findings[0].ZH) != 1 {
			t.Errorf("F5: %q", f)
		}
		if comments["B4"] != "请盖章" || !strings.HasPrefix(comments["A6"], marker) || !strings.HasPrefix(comments["J6"], marker) || len(comments) != 4 {
			t.Errorf("%q", comments)
		}
		// A box per comment.
		all := unpack(t, back)
		boxes := 0
		for name, content := range all.content {
			if strings.HasSuffix(name, ".vml") {
				boxes += strings.Count(content, "</v:shape>")
			}
		}
		if boxes != 4 {
			t.Errorf("%d boxes", boxes)
		}
	}
	check(back)
	_, again := give(t, back)
	check(again)
	corrected := workbook(t, back)
	must(t, corrected.SetCellStr("Sheet1", "F5", "15400001234"))
	var b bytes.Buffer
	must(t, corrected.Write(&b))
	_, third := give(t, b.Bytes())
	if comments := commentsOf(t, workbook(t, third), "Sheet1"); comments["F5"] != "已电话核实" {
		t.Errorf("after the correction: %q", comments["F5"])
	}
}

// dialects are ways in which other programs write the same workbook.
func dialects(t testing.TB, p *parts) map[string]*parts {
	rewrite := func(change func(name, s string) string) *parts {
		q := &parts{content: map[string]string{}}
		for _, name := range p.names {
			q.set(name, change(name, p.content[name]))
		}
		return q
	}
	tag := regexp.MustCompile(`<(/?)([a-zA-Z])`)
	prefix := func(s string) string {
		head, body, _ := strings.Cut(s, "?>")
		body = tag.ReplaceAllString(body, "<${1}x:${2}")
		return head + "?>" + strings.Replace(body, "xmlns=", "xmlns:x=", 1)
	}
	return map[string]*parts{
		"a prefix on every element": rewrite(func(name, s string) string {
			if strings.HasPrefix(name, "xl/worksheets/sheet") || name == "xl/workbook.xml" || name == "xl/styles.xml" || name == "xl/sharedStrings.xml" {
				return prefix(s)
			}
			return s
		}),
		"single quotes and blanks in tags": rewrite(func(name, s string) string {
			if name == sheet1 {
				return regexp.MustCompile(` ([a-z]+)="([^"]*)"`).ReplaceAllString(s, "\n$1 = '$2' ")
			}
			return s
		}),
		"the other kind of targets": rewrite(func(name, s string) string {
			if name == "xl/_rels/workbook.xml.rels" {
				if strings.Contains(s, `Target="/xl/`) {
					return strings.ReplaceAll(s, `Target="/xl/`, `Target="`)
				}
				return strings.ReplaceAll(s, `Target="`, `Target="/xl/`)
			}
			return s
		}),
	}
}

func TestDialectsThatTheLibraryReadsWronglyAreRefused(t *testing.T) {
	good := unpack(t, lived(t))
	part := func(name string, change func(string) string) *parts {
		p := &parts{content: map[string]string{}}
		for _, n := range good.names {
			p.set(n, good.content[n])
		}
		p.set(name, change(p.content[name]))
		if p.content[name] == good.content[name] {
			t.Fatalf("%s is not changed", name)
		}
		return p
	}
	inSheet := func(old, new string) *parts {
		return part(sheet1, func(s string) string { return regexp.MustCompile(old).ReplaceAllString(s, new) })
	}
	moved := func(name, to string) *parts {
		p := part("xl/_rels/workbook.xml.rels", func(s string) string {
			return regexp.MustCompile(`Target="[^"]*`+name+`"`).ReplaceAllString(s, `Target="/xl/`+to+`"`)
		})
		p.set("xl/"+to, p.content["xl/"+name])
		return p
	}
	strict := &parts{content: map[string]string{}}
	for _, n := range good.names {
		s := strings.ReplaceAll(good.content[n], "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main")
		strict.set(n, strings.ReplaceAll(s, "http://schemas.openxmlformats.org/officeDocument/2006/relationships", "http://purl.oclc.org/ooxml/officeDocument/relationships"))
	}
	for name, p := range map[string]*parts{
		"the strict namespaces":       strict,
		"cells without references":    inSheet(`<c r="[A-Z0-9]+"`, "<c"),
		"rows without references":     inSheet(`<row r="[0-9]+"`, "<row"),
		"cells of another vocabulary": inSheet(`<c r="B4"`, `<y:c xmlns:y="y" r="B4"><y:v>1</y:v></y:c><c r="B4"`),
		"a cell with two values":      inSheet(`(<c r="B4"[^>]*><v>[0-9]+</v>)`, "$1<v>0</v>"),
		"an extension in a cell":      inSheet(`(<c r="B4"[^>]*><v>[0-9]+</v>)`, "$1<extLst/>"),
		"two tables in a sheet":       inSheet(`</sheetData>`, `</sheetData><sheetData/>`),
		"rows before the table":       inSheet(`<sheetData>`, `<row r="4"><c r="A4"/></row><sheetData>`),
		"no fonts":                    part("xl/styles.xml", func(s string) string { return regexp.MustCompile(`<fonts.*</fonts>`).ReplaceAllString(s, "") }),
		"no fills":                    part("xl/styles.xml", func(s string) string { return regexp.MustCompile(`<fills.*</fills>`).ReplaceAllString(s, "") }),
		"strings in another part":     moved("sharedStrings.xml", "strings.xml"),
		"formats in another part":     moved("styles.xml", "formats.xml"),
		"a name in other letters":     moved("worksheets/sheet1.xml", "worksheets/SHEET9.xml"),
	} {
		if name == "a name in other letters" {
			p.set("xl/worksheets/Sheet9.xml", p.content["xl/worksheets/SHEET9.xml"])
			delete(p.content, "xl/worksheets/SHEET9.xml")
			p.names = slices.DeleteFunc(p.names, func(n string) bool { return n == "xl/worksheets/SHEET9.xml" })
		}
		if _, err := Read(p.pack(t), rules); !fault.Has(err, ErrDialect) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASheetThatIsAChartIsPassedOver(t *testing.T) {
	r, back := give(t, table(t, faulty(), onSheet(t, func(f *excelize.File) error {
		return f.AddChartSheet("图表", &excelize.Chart{Type: excelize.Col, Series: []excelize.ChartSeries{{Name: "x", Values: "Sheet1!$E$4:$E$6"}}})
	})))
	if codes(r) != faultyCodes {
		t.Error(codes(r))
	}
	if sheets := strings.Join(workbook(t, back).GetSheetList(), " "); sheets != "Sheet1 图表 "+summarySheet {
		t.Errorf("%s", sheets)
	}
}

func TestAPanicOfTheLibraryIsARefusal(t *testing.T) {
	b := &book{data: table(t, people(1))}
	if err := b.library(func(*excelize.File) error { panic("22010219900101123X") }); !fault.Has(err, ErrBroken) || strings.Contains(fmt.Sprint(err), "2201") {
		t.Error(err)
	}
}

func TestWorkbooksOfOtherProducersAreReadAndMarked(t *testing.T) {
	plain := read(t, table(t, faulty()))
	for name, p := range dialects(t, unpack(t, table(t, faulty()))) {
		t.Run(name, func(t *testing.T) {
			r, back := give(t, p.pack(t))
			if codes(r) != faultyCodes || len(r.Persons) != 1 || r.Persons[0] != plain.Persons[0] || !r.Date.Equal(plain.Date) {
				t.Fatalf("%s, %v", codes(r), r.Persons)
			}
			again, _ := give(t, back)
			if codes(again) != faultyCodes {
				t.Errorf("the returned workbook: %s", codes(again))
			}
			f := workbook(t, back)
			comments := commentsOf(t, f, "Sheet1")
			for _, cell := range []string{"F5", "A6", "J6"} {
				if fillOf(t, f, "Sheet1", cell) != colourWrong || !strings.HasPrefix(comments[cell], marker) {
					t.Errorf("%s is not marked: %q", cell, comments[cell])
				}
			}
			if v, _ := f.GetCellValue("Sheet1", "B6"); v != unit {
				t.Errorf("B6 is %q", v)
			}
		})
	}
}

func TestStreamedWorkbooksWithInlineStringsAreRead(t *testing.T) {
	f := excelize.NewFile()
	defer f.Close()
	w, err := f.NewStreamWriter("Sheet1")
	must(t, err)
	must(t, w.SetRow("A1", []any{"填报日期：2026-11-20"}))
	must(t, w.SetRow("A2", heads))
	for i, row := range people(3) {
		must(t, w.SetRow(fmt.Sprintf("A%d", 3+i), row))
	}
	must(t, w.Flush())
	var b bytes.Buffer
	must(t, f.Write(&b))
	if r := read(t, b.Bytes()); !r.Good() || len(r.Persons) != 3 {
		t.Error(codes(r))
	}
}

func TestACellThatIsPutInHasTheFormatOfItsColumn(t *testing.T) {
	data := table(t, faulty(), onSheet(t, func(f *excelize.File) error {
		id, err := f.NewStyle(&excelize.Style{NumFmt: 49})
		if err != nil {
			return err
		}
		return f.SetColStyle("Sheet1", "A", id)
	}))
	p := unpack(t, data)
	p.set(sheet1, regexp.MustCompile(`<c r="A6"[^>]*></c>`).ReplaceAllString(p.content[sheet1], ""))
	_, back := give(t, p.pack(t))
	f := workbook(t, back)
	id, err := f.GetCellStyle("Sheet1", "A6")
	must(t, err)
	if s, err := f.GetStyle(id); err != nil || s.NumFmt != 49 || fillOf(t, f, "Sheet1", "A6") != colourWrong {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestACellIsPutInBeforeBlankOnesFarToTheRight(t *testing.T) {
	p := unpack(t, table(t, faulty()))
	if n := strings.Count(p.content[sheet1], "</row></sheetData>"); n != 1 {
		t.Fatal("the last row is not where it was")
	}
	p.set(sheet1, strings.Replace(p.content[sheet1], "</row></sheetData>", `<c r="ZZ6"/><c r="AAA6" t="inlineStr"><is><t>x</t></is></c><c r="AAC6"/></row></sheetData>`, 1))
	r, back := give(t, p.pack(t))
	if want := "F5 number.mobile, A6 roster.required, J6 roster.required, AAA6 roster.extra-column"; codes(r) != want {
		t.Fatalf("%s", codes(r))
	}
	if again, _ := give(t, back); codes(again) != codes(r) {
		t.Errorf("read again: %s", codes(again))
	}
}

func TestASheetOfThePersonsNamedLikeTheSummaryIsLeftAlone(t *testing.T) {
	_, back := give(t, table(t, faulty(), onSheet(t, func(f *excelize.File) error {
		if _, err := f.NewSheet(summarySheet); err != nil {
			return err
		}
		return f.SetCellStr(summarySheet, "A1", "我的核对")
	})))
	f := workbook(t, back)
	if v, _ := f.GetCellValue(summarySheet, "A1"); v != "我的核对" {
		t.Errorf("A1 is %q", v)
	}
	if v, _ := f.GetCellValue(summarySheet+"2", "A1"); v != summaryTitle {
		t.Errorf("the summary begins with %q", v)
	}
}

// FuzzWorkbook reads any bytes: it ends with a fault or a roster, and a roster can be returned and read again with the
// same outcome.
func FuzzWorkbook(f *testing.F) {
	f.Add(table(f, faulty()))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) { readReturnRead(t, data) })
}

// FuzzSheet puts any bytes into the place of the sheet's part of a good workbook, FuzzStrings of its strings.
func FuzzSheet(f *testing.F) {
	good := unpack(f, table(f, faulty()))
	f.Add([]byte(good.content[sheet1]), []byte(good.content["xl/sharedStrings.xml"]))
	for _, p := range dialects(f, good) {
		f.Add([]byte(p.content[sheet1]), []byte(p.content["xl/sharedStrings.xml"]))
	}
	f.Fuzz(func(t *testing.T, sheet, texts []byte) {
		p := &parts{content: map[string]string{}}
		for _, name := range good.names {
			p.set(name, good.content[name])
		}
		p.set(sheet1, string(sheet))
		p.set("xl/sharedStrings.xml", string(texts))
		readReturnRead(t, p.pack(t))
	})
}

// FuzzComments puts any bytes into the place of the comments and their drawing.
func FuzzComments(f *testing.F) {
	_, back := give(f, table(f, faulty()))
	good := unpack(f, back)
	f.Add([]byte(good.content["xl/comments1.xml"]), []byte(good.content["xl/drawings/vmlDrawing1.vml"]), []byte(good.content["xl/styles.xml"]))
	f.Fuzz(func(t *testing.T, comments, drawing, styles []byte) {
		p := &parts{content: map[string]string{}}
		for _, name := range good.names {
			p.set(name, good.content[name])
		}
		p.set("xl/comments1.xml", string(comments))
		p.set("xl/drawings/vmlDrawing1.vml", string(drawing))
		p.set("xl/styles.xml", string(styles))
		readReturnRead(t, p.pack(t))
	})
}

func readReturnRead(t *testing.T, data []byte) {
	r, err := Read(data, rules)
	if err != nil {
		if !isFault(err) {
			t.Fatalf("no fault: %v", err)
		}
		return
	}
	var b bytes.Buffer
	if err := r.Return(&b); err != nil {
		if !isFault(err) {
			t.Fatalf("no fault: %v", err)
		}
		return
	}
	again, err := Read(b.Bytes(), rules)
	if fault.Has(err, ErrTooLarge) {
		return
	}
	if err != nil {
		t.Fatalf("the returned workbook is not read: %v", err)
	}
	if codes(again) != codes(r) || len(again.Persons) != len(r.Persons) || !again.Date.Equal(r.Date) {
		t.Errorf("the returned workbook is read as another: %s, %s", codes(r), codes(again))
	}
	must(t, again.Return(io.Discard))
}
