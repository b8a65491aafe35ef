package roster

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/xuri/excelize/v2"
)

// give checks a workbook and gives it back.
func give(t testing.TB, data []byte) (*Roster, []byte) {
	t.Helper()
	r := read(t, data)
	var b bytes.Buffer
	must(t, r.Return(&b))
	return r, b.Bytes()
}

func workbook(t testing.TB, data []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(data))
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func fillOf(t testing.TB, f *excelize.File, sheet, cell string) string {
	t.Helper()
	id, err := f.GetCellStyle(sheet, cell)
	must(t, err)
	if id == 0 { // excelize reads its styles when one is asked for
		return ""
	}
	if _, err := f.GetStyle(id); err != nil {
		t.Fatal(err)
	}
	fill := f.Styles.Fills.Fill[*f.Styles.CellXfs.Xf[id].FillID]
	if fill.PatternFill == nil || fill.PatternFill.FgColor == nil {
		return ""
	}
	return fill.PatternFill.FgColor.RGB[2:] // GetStyle gives no colour in a workbook without a theme
}

func commentsOf(t testing.TB, f *excelize.File, sheet string) map[string]string {
	t.Helper()
	all, err := f.GetComments(sheet)
	must(t, err)
	byCell := map[string]string{}
	for _, c := range all {
		text := c.Text
		for _, p := range c.Paragraph {
			text += p.Text
		}
		byCell[c.Cell] += text
	}
	return byCell
}

func TestTheReturnedWorkbookMarksEveryWrongCellAndListsIt(t *testing.T) {
	rows := people(4)
	rows[1][5] = "12345"
	rows[2][6] = nil
	rows[3][9] = "别的印章"
	rows[3][0] = nil
	r, back := give(t, table(t, rows))
	f := workbook(t, back)
	comments := commentsOf(t, f, "Sheet1")
	wrong := map[string]string{"F5": "手机号", "G6": "必填", "J7": "印章", "A7": "必填"}
	for cell, text := range wrong {
		if got := fillOf(t, f, "Sheet1", cell); got != colourWrong {
			t.Errorf("%s is filled with %q", cell, got)
		}
		if !strings.Contains(comments[cell], text) {
			t.Errorf("%s has the comment %q", cell, comments[cell])
		}
	}
	if len(comments) != len(wrong) || len(r.Findings) != len(wrong) || len(r.Persons) != 1 {
		t.Errorf("%v, %+v", comments, r.Findings)
	}
	if got := fillOf(t, f, "Sheet1", "F4"); got != "" {
		t.Errorf("a good cell is filled with %s", got)
	}
	listed, err := f.GetRows(summarySheet)
	must(t, err)
	text := ""
	for i := range listed {
		text += strings.Join(listed[i], "|") + "\n"
		for cell := range wrong {
			if len(listed[i]) > 1 && listed[i][1] == cell {
				if ok, link, _ := f.GetCellHyperLink(summarySheet, refOf(2, i+1)); !ok || link != "'Sheet1'!"+cell {
					t.Errorf("%s links to %q", cell, link)
				}
			}
		}
	}
	for _, f := range r.Findings {
		if !strings.Contains(text, "|"+f.Cell+"|"+f.Label+"|须改正|"+f.ZH+"|"+f.Code) {
			t.Errorf("%+v is not listed in\n%s", f, text)
		}
	}
	if p := os.Getenv("KEEP"); p != "" {
		must(t, os.WriteFile(p, back, 0o644))
	}
}

// calc says once why LibreOffice Calc cannot be used here, or nothing: its programs may be there without it.
var calc = sync.OnceValue(func() string {
	program, err := exec.LookPath("soffice")
	if err != nil {
		return "libreoffice is not installed"
	}
	var b bytes.Buffer
	dir, err := os.MkdirTemp("", "calc")
	if err != nil {
		return err.Error()
	}
	defer os.RemoveAll(dir)
	if err := Template(&b, Blank{}); err != nil {
		return err.Error()
	}
	if out, _ := convert(program, dir, b.Bytes(), "csv"); out == nil {
		return "libreoffice has no Calc here (package libreoffice-calc-nogui)"
	}
	return ""
})

// convert gives nil where the program made no file.
func convert(program, dir string, data []byte, to string) (out, said []byte) {
	in := filepath.Join(dir, "in.xlsx")
	if err := os.WriteFile(in, data, 0o600); err != nil {
		return nil, []byte(err.Error())
	}
	command := exec.Command(program, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--convert-to", to, "--outdir", filepath.Join(dir, "out"), in)
	said, _ = command.CombinedOutput()
	out, _ = os.ReadFile(filepath.Join(dir, "out", "in."+to))
	return out, said
}

// office converts a workbook with LibreOffice Calc, an independent reader and writer.
func office(t *testing.T, data []byte, to string) []byte {
	t.Helper()
	if why := calc(); why != "" {
		t.Skip(why)
	}
	program, err := exec.LookPath("soffice")
	must(t, err)
	out, said := convert(program, t.TempDir(), data, to)
	if out == nil {
		t.Fatalf("libreoffice does not read the workbook: %s", said)
	}
	return out
}

func TestLibreOfficeReadsTheReturnedWorkbook(t *testing.T) {
	rows := people(3)
	rows[1][5] = "12345"
	_, back := give(t, table(t, rows))
	flat := office(t, back, "fods")
	for _, want := range []string{`table:name="核对结果"`, "手机号应为 11 位数字", `xlink:href="#&apos;Sheet1&apos;.F5"`, `#ffc6cd`, "<office:annotation "} {
		if !bytes.Contains(flat, []byte(want)) {
			t.Errorf("%s is not there", want)
		}
	}
}

func TestAWorkbookThatLibreOfficeSavedGoesThroughTwoRounds(t *testing.T) {
	rows := people(3)
	rows[1][5] = "12345"
	rows[2][6] = nil
	_, back := give(t, table(t, rows))
	saved := office(t, back, "xlsx")
	r := read(t, saved)
	if got := codes(r); got != "F5 number.mobile, G6 roster.required" {
		t.Fatalf("read again: %s", got)
	}
	correctAndReturn(t, saved)
}

// correctAndReturn puts the wrong cells F5 and G6 right, and looks that the marks are gone after the next round.
func correctAndReturn(t *testing.T, saved []byte) {
	t.Helper()
	f := workbook(t, saved)
	must(t, f.SetCellStr("Sheet1", "F5", "15400001234"))
	var b bytes.Buffer
	must(t, f.Write(&b))
	r, back := give(t, b.Bytes())
	if got := codes(r); got != "G6 roster.required" {
		t.Errorf("after the correction: %s", got)
	}
	f = workbook(t, back)
	if fill := fillOf(t, f, "Sheet1", "F5"); fill != "" {
		t.Errorf("the corrected cell is filled with %s", fill)
	}
	if fill := fillOf(t, f, "Sheet1", "G6"); fill != colourWrong {
		t.Errorf("the wrong cell is filled with %q", fill)
	}
	if all := commentsOf(t, f, "Sheet1"); len(all) != 1 || !strings.Contains(all["G6"], "必填") {
		t.Errorf("comments: %v", all)
	}
	if sheets := f.GetSheetList(); strings.Join(sheets, " ") != "Sheet1 "+summarySheet {
		t.Errorf("sheets: %v", sheets)
	}
	listed, err := f.GetRows(summarySheet)
	must(t, err)
	if len(listed) != 6 || listed[5][1] != "G6" {
		t.Errorf("summary: %v", listed)
	}
}

func TestAnExcelizeSavedWorkbookGoesThroughTwoRounds(t *testing.T) {
	rows := people(3)
	rows[1][5] = "12345"
	rows[2][6] = nil
	_, back := give(t, table(t, rows))
	correctAndReturn(t, back)
}

// codes are the findings in short: cell and code.
func codes(r *Roster) string {
	var all []string
	for _, f := range r.Findings {
		where := f.Cell
		if where == "" {
			where = f.Sheet
		}
		all = append(all, where+" "+f.Code)
	}
	return strings.Join(all, ", ")
}
