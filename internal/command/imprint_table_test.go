package command

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"yinxin/internal/fault"
)

func TestTheTableOfResultsComesBackAsItWas(t *testing.T) {
	name := filepath.Join(t.TempDir(), "table.csv")
	table, err := openResults(name)
	if err != nil {
		t.Fatal(err)
	}
	forms := []string{"=cmd|' /C calc'!A0.jpg", "+1.jpg", "-x,\"y\".png", "'quoted.jpg", "@a.jpg", "云山 市.jpg", "a\nb.jpg"}
	for _, f := range forms {
		table.set(resultRow{columnForm: f, columnVerdict: "usable", columnDifference: "-0.25", "edge（degrees）": "-1e-05", columnReasons: f})
	}
	if err := table.write(context.Background()); err != nil {
		t.Fatal(err)
	}
	again, err := openResults(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range forms {
		if row := again.row(f); row == nil || row[columnReasons] != f || row[columnDifference] != "-0.25" || row["edge（degrees）"] != "-1e-05" {
			t.Errorf("%q came back as %v", f, row)
		}
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, byteOrderMark))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records {
		for _, cell := range record {
			if cell != "" && strings.ContainsRune("=+@", rune(cell[0])) {
				t.Errorf("a spreadsheet would calculate %q", cell)
			}
		}
	}
}

func TestAFileThatIsNoTableOfResultsIsLeftAlone(t *testing.T) {
	for _, content := range []string{"", "name,phone\n", "\xef\xbb\xbfname,phone\n", "\xef\xbb\xbf\"", "\xef\xbb\xbf文件,结论\n"} {
		name := filepath.Join(t.TempDir(), "table.csv")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openResults(name); !fault.Has(err, errResults) {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestSizesAreReadAsPeopleWriteThem(t *testing.T) {
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String("文件,尺寸\r\n云山.jpg,42\r\nb.png,40x30mm\r\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"plain": "云山.jpg,42\nb.png,40x30mm\n", "a heading, a mark and CRLF": "\xef\xbb\xbf文件,尺寸\r\n云山.jpg,42\r\nb.png,40x30mm\r\n",
		"semicolons": "name;size\n云山.jpg;42\nb.png;40x30mm", "tabs": "云山.jpg\t42\nb.png\t40x30mm\n", "GB 18030": gbk,
		"paths, blanks and a third column": "scans/云山.jpg, 42 , 圆形\nscans/b.png,40x30mm,\n", "a name twice": "云山.jpg,42\nb.png,40x30mm\n云山.jpg,42\n",
	} {
		file := filepath.Join(t.TempDir(), "sizes.csv")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		sizes, err := readSizes(file)
		if err != nil || len(sizes) != 2 || sizes["云山.jpg"].size != "42" || sizes["b.png"] != (declared{"40x30mm", ""}) ||
			(name[0] == 'p' && name != "plain") != (sizes["云山.jpg"].shape == "round") {
			t.Errorf("%s: %v, %v", name, sizes, err)
		}
	}
}

func TestATableOfSizesThatIsWrongIsRefusedWithItsLine(t *testing.T) {
	for text, line := range map[string]string{"a.jpg,42\nb.jpg,big\n": "line 2", "a.jpg,42\nb.jpg\n": "line 2", "a.jpg,42\na.jpg,45\n": "line 2",
		"name,size\na.jpg,42\nb.jpg,9000\n": "line 3", "a.jpg,\"42\n": "", "a.jpg,42,triangle\n": "line 1", "\xff\xfe": ""} {
		file := filepath.Join(t.TempDir(), "sizes.csv")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readSizes(file)
		if !fault.Has(err, errSizes) || !strings.Contains(explain(err).Sentence("en"), line) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
