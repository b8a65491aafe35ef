package roster

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"yinxin/internal/fault"
)

// parts are the contents of an archive by name, with the order of the names.
type parts struct {
	names   []string
	content map[string]string
	level   int // of compression, if not the usual
}

func unpack(t testing.TB, data []byte) *parts {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	must(t, err)
	p := &parts{content: map[string]string{}}
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		b, err := io.ReadAll(r)
		must(t, err)
		p.set(f.Name, string(b))
	}
	return p
}

func (p *parts) set(name, content string) {
	if _, ok := p.content[name]; !ok {
		p.names = append(p.names, name)
	}
	p.content[name] = content
}

func (p *parts) pack(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if p.level != 0 {
		z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, p.level) })
	}
	for _, name := range p.names {
		w, err := z.Create(name)
		must(t, err)
		_, err = io.WriteString(w, p.content[name])
		must(t, err)
	}
	must(t, z.Close())
	return b.Bytes()
}

const sheet1 = "xl/worksheets/sheet1.xml"

// changed is a good workbook with one part changed. It is packed badly, so that the limit of the ratio does not answer in
// place of the one that is meant.
func changed(t testing.TB, part string, change func(string) string) []byte {
	t.Helper()
	p := unpack(t, table(t, people(3)))
	p.level = flate.HuffmanOnly
	p.set(part, change(p.content[part]))
	return p.pack(t)
}

// sheetData puts rows before the end of the table.
func sheetData(t testing.TB, rows string) []byte {
	return changed(t, sheet1, func(s string) string { return strings.Replace(s, "</sheetData>", rows+"</sheetData>", 1) })
}

func TestWhatIsNoWorkbookIsRefusedByWhatItIs(t *testing.T) {
	ole := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600)
	encryptedEntry := func() []byte {
		data := bytes.Clone(table(t, people(1)))
		for _, s := range []struct {
			signature string
			flags     int
		}{{"PK\x03\x04", 6}, {"PK\x01\x02", 8}} {
			for at := 0; ; {
				i := bytes.Index(data[at:], []byte(s.signature))
				if i < 0 {
					break
				}
				data[at+i+s.flags] |= 1
				at += i + 4
			}
		}
		return data
	}
	add := func(name, content string) []byte {
		p := unpack(t, table(t, people(1)))
		p.set(name, content)
		return p.pack(t)
	}
	types := func(old, new string) []byte {
		return changed(t, "[Content_Types].xml", func(s string) string {
			if !strings.Contains(s, old) {
				t.Fatal("the content type is not there")
			}
			return strings.Replace(s, old, new, 1)
		})
	}
	const main = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
	for name, c := range map[string]struct {
		data []byte
		want fault.Spec
		says string
	}{
		".xls":                {[]byte(ole + string(wide16("Workbook"))), ErrLegacy, "另存为 .xlsx"},
		".et":                 {[]byte(ole), ErrLegacy, "另存为 .xlsx"},
		"encrypted .xlsx":     {[]byte(ole + string(wide16("EncryptedPackage"))), ErrEncrypted, "密码"},
		"encrypted zip":       {encryptedEntry(), ErrEncrypted, "密码"},
		"empty":               {nil, ErrNotWorkbook, "空文件"},
		".csv":                {[]byte("姓名,性别\n张三,男\n"), ErrNotWorkbook, "文本"},
		".csv in GBK":         {[]byte("\xd0\xd5\xc3\xfb,\xd0\xd4\xb1\xf0\n"), ErrNotWorkbook, "文本"},
		".pdf":                {[]byte("%PDF-1.7\n"), ErrNotWorkbook, "PDF"},
		".png":                {[]byte("\x89PNG\r\n\x1a\n"), ErrNotWorkbook, "图片"},
		".html saved as .xls": {[]byte("\ufeff <html><table>"), ErrNotWorkbook, "网页"},
		".rar":                {[]byte("Rar!\x1a\x07"), ErrNotWorkbook, "压缩"},
		"noise":               {[]byte{0, 1, 2, 3, 0xff}, ErrNotWorkbook, "另存为 .xlsx"},
		".docx":               {types(main, "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"), ErrNotWorkbook, ""},
		".ods": {func() []byte {
			p := &parts{content: map[string]string{}}
			p.set("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
			return p.pack(t)
		}(), ErrNotWorkbook, ""},
		".xlsb":                {types(main, "application/vnd.ms-excel.sheet.binary.macroEnabled.main"), ErrMacros, ""},
		".xlsm":                {types(main, "application/vnd.ms-excel.sheet.macroEnabled.main+xml"), ErrMacros, "宏"},
		"a macro in an .xlsx":  {add("xl/vbaProject.bin", "x"), ErrMacros, "宏"},
		"a macro elsewhere":    {types("</Types>", `<Override PartName="/xl/x.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>`), ErrMacros, "宏"},
		"a macro sheet":        {add("xl/macrosheets/sheet1.xml", "x"), ErrMacros, "宏"},
		"an external workbook": {add("xl/externalLinks/externalLink1.xml", "x"), ErrActive, "外部链接"},
		"a connection":         {add("xl/connections.xml", "x"), ErrActive, "外部链接"},
		"an embedded object":   {add("xl/embeddings/oleObject1.bin", "x"), ErrActive, "嵌入"},
		"a control":            {add("xl/activeX/activeX1.xml", "x"), ErrActive, "控件"},
		"half a file":          {table(t, people(3))[:3000], ErrBroken, ""},
		"no sheet":             {changed(t, "xl/workbook.xml", func(string) string { return `<workbook/>` }), ErrBroken, ""},
	} {
		_, err := Read(c.data, rules)
		if !fault.Has(err, c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want.Code)
			continue
		}
		if f, _ := fault.Of(err); !strings.Contains(f.Sentence("zh"), c.says) {
			t.Errorf("%s: %s", name, f.Sentence("zh"))
		}
	}
}

func TestATableThatIsNotThereOrTwiceIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		want fault.Spec
	}{
		"no header": {table(t, people(2), onSheet(t, func(f *excelize.File) error { return f.RemoveRow("Sheet1", 3) })), ErrNoHeader},
		"nobody":    {table(t, nil), ErrEmpty},
		"two sheets with a table": {table(t, people(2), onSheet(t, func(f *excelize.File) error {
			n, err := f.NewSheet("副本")
			if err != nil {
				return err
			}
			return f.CopySheet(0, n)
		})), ErrTwoTables},
	} {
		if _, err := Read(c.data, rules); !fault.Has(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnErrorDoesNotQuoteTheDocument(t *testing.T) {
	const secret = "220102199001011234"
	for name, row := range map[string]string{
		"an entity": "<v>&" + secret + ";</v>", "an element": "<v></x" + secret + ">", "an attribute": "<v a" + secret + "/>", "a kind": `</c><c r="B9" t="` + secret + `">`,
		"a reference": `</c><c r="` + secret + `">`, "a string": `</c><c r="B9" t="s"><v>` + secret + `</v>`, "a format": `</c><c r="B9" s="` + secret + `">`,
		"many elements": "</c></row></sheetData>" + strings.Repeat("<e"+secret+"/>", maxOfOne+1) + "<sheetData><row><c>",
	} {
		_, err := Read(sheetData(t, `<row r="9"><c r="A9">`+row+`</c></row>`), rules)
		if !isFault(err) || strings.Contains(fmt.Sprint(err, errors.Unwrap(err)), secret) || name != "many elements" && !fault.Has(err, ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHostileWorkbooksTakeBoundedTimeAndMemory holds each to far more time than it takes (at most 1 s on two cores of a
// server, 535 MiB allocated in all), so that a busy machine passes; the log has what it took.
func TestHostileWorkbooksTakeBoundedTimeAndMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds, and minutes under the race detector")
	}
	for name, c := range map[string]struct {
		make func() []byte
		want *fault.Spec // nil: it is read
	}{
		"a zip bomb in a sheet": {func() []byte {
			p := unpack(t, sheetData(t, strings.Repeat(" ", 100<<20)))
			return p.pack(t)
		}, &ErrTooLarge},
		"a bomb in a part that is not read": {func() []byte {
			p := unpack(t, table(t, people(1)))
			p.set("xl/media/image1.png", strings.Repeat(" ", 30<<20))
			return p.pack(t)
		}, &ErrTooLarge},
		"a bomb that lies of its size": {func() []byte { return lying(t, sheetData(t, strings.Repeat(" ", 100<<20))) }, &ErrBroken},
		"large strings": {func() []byte {
			return changed(t, "xl/sharedStrings.xml", func(s string) string { return strings.Replace(s, "<si>", strings.Repeat("<si/>", 6_000_000)+"<si>", 1) })
		}, &ErrTooLarge},
		"one string of 20 MiB": {func() []byte {
			return changed(t, "xl/sharedStrings.xml", func(s string) string { return strings.Replace(s, "<si>", "<si><t>"+random20MiB()+"</t></si><si>", 1) })
		}, &ErrTooLarge},
		"400,000 rows of people": {func() []byte { return sheetData(t, manyRows(400_000)) }, &ErrTooManyRows},
		"a million rows of people": {func() []byte {
			p := unpack(t, sheetData(t, manyRows(1_000_000)))
			return p.pack(t)
		}, &ErrTooManyRows},
		"a million blank rows":     {func() []byte { return sheetData(t, blankRows(1_000_000)) }, &ErrTooLarge},
		"blank rows with a height": {func() []byte { return sheetData(t, blankRows(19_900)) }, nil},
		"a million cells in a row": {func() []byte {
			return sheetData(t, `<row r="9">`+strings.Repeat(`<c r="A9"><v>1</v></c>`, 1_000_000)+`</row>`)
		}, &ErrBroken},
		"far cells in many rows":      {func() []byte { return sheetData(t, farCells(37)) }, &ErrTooLarge},
		"as many far cells as may be": {func() []byte { return sheetData(t, farCells(36)) }, nil},
		"a cell at XFD1048576": {func() []byte {
			return sheetData(t, `<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>`)
		}, &ErrTooLarge},
		"a cell as far down as may be": {func() []byte {
			return sheetData(t, `<row r="19900"><c r="XFD19900" t="inlineStr"><is><t>x</t></is></c></row>`)
		}, nil},
		"formulas": {func() []byte {
			return sheetData(t, manyRowsOf(50_000, func(row int) string { return fmt.Sprintf(`<c r="A%d"><f>SUM(A$1:XFD1048576)</f></c>`, row) }))
		}, &ErrTooManyRows},
		"as many formats as may be": {func() []byte {
			return changed(t, "xl/styles.xml", func(s string) string {
				return strings.Replace(s, "</cellXfs>", strings.Repeat(`<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>`, 29_900)+"</cellXfs>", 1)
			})
		}, nil},
		"as many strings as may be": {func() []byte {
			return changed(t, "xl/sharedStrings.xml", func(s string) string {
				return strings.Replace(s, "</sst>", strings.Repeat("<si><t>x</t></si>", 259_000)+"</sst>", 1)
			})
		}, nil},
		"as many merged cells as may be": {func() []byte {
			return merged(t, func(i int) string { return fmt.Sprintf("L%d:M%d", i+1, i+1) }, 19_990)
		}, nil},
		"defined names": {func() []byte {
			return changed(t, "xl/workbook.xml", func(s string) string {
				return strings.Replace(s, "</workbook>", "<definedNames>"+strings.Repeat(`<definedName name="a">Sheet1!$A$1</definedName>`, 200_000)+"</definedNames></workbook>", 1)
			})
		}, &ErrTooLarge},
		"relationships": {func() []byte {
			return changed(t, "xl/_rels/workbook.xml.rels", func(s string) string {
				return strings.Replace(s, "</Relationships>", strings.Repeat(`<Relationship/>`, 500_000)+"</Relationships>", 1)
			})
		}, &ErrTooLarge},
		"elements of a million names": {func() []byte {
			var b strings.Builder
			for i := range 1_000_000 {
				fmt.Fprintf(&b, "<e%d/>", i)
			}
			return changed(t, "xl/theme/theme1.xml", func(string) string { return "<theme>" + b.String() + "</theme>" })
		}, &ErrTooLarge},
		"comments":                   {func() []byte { return commented(t, 25_000) }, &ErrTooLarge},
		"as many comments as may be": {func() []byte { return commented(t, 19_000) }, nil},
		"a cell at XFE1":             {func() []byte { return sheetData(t, `<row r="9"><c r="XFE9"><v>1</v></c></row>`) }, &ErrBroken},
		"a row beyond the last":      {func() []byte { return sheetData(t, `<row r="1048577"><c r="A1048577"><v>1</v></c></row>`) }, &ErrBroken},
		"cells out of order": {func() []byte {
			return sheetData(t, `<row r="9"><c r="B9"><v>1</v></c><c r="A9"><v>1</v></c></row>`)
		}, &ErrBroken},
		"a cell of another row": {func() []byte { return sheetData(t, `<row r="9"><c r="B10"><v>1</v></c></row>`) }, &ErrBroken},
		"rows out of order":     {func() []byte { return sheetData(t, `<row r="2"><c r="A2"><v>1</v></c></row>`) }, &ErrBroken},
		"an absurd dimension": {func() []byte {
			return changed(t, sheet1, func(s string) string {
				return strings.Replace(s, "<sheetData>", `<dimension ref="A1:XFD1048576"/><sheetData>`, 1)
			})
		}, nil},
		"a million merged cells": {func() []byte {
			return merged(t, func(i int) string { return fmt.Sprintf("A%d:B%d", i+100, i+100) }, 500_000)
		}, &ErrTooLarge},
		"merged cells over each other": {func() []byte { return merged(t, func(int) string { return "B4:B1048576" }, 20_000-1) }, &ErrBroken},
		"merged cells over columns": {func() []byte {
			return merged(t, func(i int) string { return columnName(i+20) + "1:" + columnName(i+20) + "1048576" }, 16_000)
		}, nil},
		"a million formats": {func() []byte {
			return changed(t, "xl/styles.xml", func(s string) string {
				return strings.Replace(s, "</cellXfs>", strings.Repeat(`<xf/>`, 1_000_000)+"</cellXfs>", 1)
			})
		}, &ErrTooLarge},
		"entities": {func() []byte {
			return changed(t, sheet1, func(s string) string {
				return `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>` + s[strings.Index(s, "<worksheet"):]
			})
		}, &ErrBroken},
		"an unknown entity": {func() []byte { return sheetData(t, `<row r="9"><c r="A9"><v>&b;</v></c></row>`) }, &ErrBroken},
		"an external entity in strings": {func() []byte {
			return changed(t, "xl/sharedStrings.xml", func(s string) string {
				return `<!DOCTYPE x SYSTEM "file:///etc/passwd">` + s[strings.Index(s, "<sst"):]
			})
		}, &ErrBroken},
		"elements a million deep": {func() []byte {
			return sheetData(t, `<row r="9"><c r="A9"><is>`+strings.Repeat("<a>", 1_000_000)+strings.Repeat("</a>", 1_000_000))
		}, &ErrBroken},
		"a million attributes":       {func() []byte { return sheetData(t, `<row r="9"`+strings.Repeat(` a="1"`, 1_000_000)+`/>`) }, &ErrBroken},
		"elements that cross":        {func() []byte { return sheetData(t, `<row r="9"><c r="A9"></row></c>`) }, &ErrBroken},
		"a sheet that ends early":    {func() []byte { return changed(t, sheet1, func(s string) string { return s[:len(s)/2] }) }, &ErrBroken},
		"a string that is not there": {func() []byte { return sheetData(t, `<row r="9"><c r="A9" t="s"><v>99999</v></c></row>`) }, &ErrBroken},
		"a number beyond all bounds": {func() []byte { return sheetData(t, `<row r="9"><c r="E9"><v>1E999999999</v></c></row>`) }, nil},
		"UTF-16": {func() []byte {
			return changed(t, sheet1, func(s string) string { return "\xff\xfe" + string(wide16(s[:200])) })
		}, &ErrBroken},
		"ten thousand parts": {func() []byte {
			p := unpack(t, table(t, people(1)))
			for i := range 10_000 {
				p.set(fmt.Sprint("x", i), "")
			}
			return p.pack(t)
		}, &ErrTooLarge},
		"a part twice": {func() []byte {
			p := unpack(t, table(t, people(1)))
			p.set("xl/THEME/theme1.xml", "<theme/>")
			return p.pack(t)
		}, &ErrBroken},
		"a sheet that is its own strings": {func() []byte {
			return changed(t, "xl/_rels/workbook.xml.rels", func(s string) string {
				return strings.Replace(s, `Target="worksheets/sheet1.xml"`, `Target="../../../etc/passwd"`, 1)
			})
		}, &ErrBroken},
		"too long a file": {func() []byte { return append([]byte("PK\x03\x04"), make([]byte, maxFile)...) }, &ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			data := c.make()
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			start := time.Now()
			r, err := Read(data, rules)
			if err == nil {
				err = r.Return(io.Discard)
			}
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
			outcome := "read and returned"
			if err != nil {
				outcome = fault.CodeOf(err)
			}
			t.Logf("%d bytes: %v, %d MiB allocated: %s", len(data), took.Round(time.Millisecond), allocated, outcome)
			switch {
			case c.want != nil && !fault.Has(err, *c.want):
				t.Errorf("%v, want %s", err, c.want.Code)
			case c.want == nil && err != nil && !isFault(err):
				t.Errorf("%v", err)
			case c.want == nil && (err != nil || len(r.Persons) != 3) && name != "a number beyond all bounds":
				t.Errorf("it is not read: %v", err)
			}
			if took > 20*time.Second || allocated > 1024 {
				t.Errorf("it took %v and %d MiB", took, allocated)
			}
		})
	}
}
