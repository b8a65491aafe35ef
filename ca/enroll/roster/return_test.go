package roster

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	s, err := f.GetStyle(id)
	must(t, err)
	if len(s.Fill.Color) == 0 {
		return ""
	}
	return s.Fill.Color[0]
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
		if got := fillOf(t, f, "Sheet1", cell); got != colourWrong[2:] {
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

// TestLibreOfficeReadsTheReturnedWorkbook has an independent reader open it.
func TestLibreOfficeReadsTheReturnedWorkbook(t *testing.T) {
	office, err := exec.LookPath("soffice")
	if err != nil {
		t.Skip("libreoffice is not installed")
	}
	rows := people(3)
	rows[1][5] = "12345"
	_, back := give(t, table(t, rows))
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "back.xlsx"), back, 0o600))
	command := exec.Command(office, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--convert-to", "fods", "--outdir", dir, filepath.Join(dir, "back.xlsx"))
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	flat, err := os.ReadFile(filepath.Join(dir, "back.fods"))
	must(t, err)
	for _, want := range []string{`table:name="核对结果"`, "手机号应为 11 位数字", `xlink:href="#Sheet1.F5"`, `#ffc6cd`, "<office:annotation "} {
		if !bytes.Contains(flat, []byte(want)) {
			t.Errorf("%s is not there", want)
		}
	}
}
