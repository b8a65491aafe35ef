package roster

import (
	"bytes"
	"image"
	"image/png"
	"regexp"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// renamed gives a workbook's parts other names, in the names and wherever they are written.
func renamed(t *testing.T, data []byte, pairs ...string) *parts {
	t.Helper()
	p, names := &parts{content: map[string]string{}}, strings.NewReplacer(pairs...)
	old := unpack(t, data)
	for _, name := range old.names {
		content := old.content[name]
		if strings.HasSuffix(name, ".rels") || name == "[Content_Types].xml" {
			content = names.Replace(content)
		}
		p.set(names.Replace(name), content)
	}
	return p
}

// boxes counts the boxes of comments in a drawing.
func boxes(p *parts, drawing string) int { return strings.Count(p.content[drawing], "</v:shape>") }

func withComment(t *testing.T, sheet, cell string) func(*excelize.File) {
	return onSheet(t, func(f *excelize.File) error {
		if _, err := f.NewSheet(sheet); err != nil {
			return err
		}
		return f.AddComment(sheet, excelize.Comment{Cell: cell, Author: "李四", Paragraph: []excelize.RichTextRun{{Text: "勿删", Font: &excelize.Font{Bold: true}}}})
	})
}

func TestNewCommentsDoNotGoIntoThePartsOfOtherSheets(t *testing.T) {
	var picture bytes.Buffer
	must(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 4, 4))))
	for name, data := range map[string][]byte{
		"the comments of another sheet have the next number": renamed(t, table(t, faulty(), withComment(t, "通讯录", "B2")),
			"comments1.xml", "comments2.xml", "vmlDrawing1.vml", "vmlDrawing2.vml").pack(t),
		"a drawing has the next number": table(t, faulty(), onSheet(t, func(f *excelize.File) error {
			if _, err := f.NewSheet("通讯录"); err != nil {
				return err
			}
			return f.AddHeaderFooterImage("通讯录", &excelize.HeaderFooterImageOptions{File: picture.Bytes(), Extension: ".png", Width: "10pt", Height: "10pt"})
		})),
	} {
		t.Run(name, func(t *testing.T) {
			before := unpack(t, data)
			_, back := give(t, data)
			after, f := unpack(t, back), workbook(t, back)
			if ours := commentsOf(t, f, "Sheet1"); len(ours) != 3 {
				t.Errorf("%v", ours)
			}
			if theirs := commentsOf(t, f, "通讯录"); len(theirs) != strings.Count(before.content["xl/comments2.xml"], "<comment ") {
				t.Errorf("%v", theirs)
			}
			for name, content := range before.content {
				if (strings.Contains(name, "comments") || strings.HasSuffix(name, ".vml")) && after.content[name] != content {
					t.Errorf("%s has changed", name)
				}
			}
			if read(t, back); openpyxl(t, back)["Sheet1 F5 comment"] == nil {
				t.Error("openpyxl sees no comment at F5")
			}
		})
	}
}

func TestWhereCommentsCannotBeAddedTheSummarySaysSo(t *testing.T) {
	data := table(t, faulty(), withComment(t, "Sheet1", "F5"), withComment(t, "Sheet1", "B4"))
	for name, p := range map[string]*parts{
		"the numbers differ":      renamed(t, data, "vmlDrawing1.vml", "vmlDrawing7.vml"),
		"another program's names": renamed(t, data, "../comments1.xml", "/xl/comments/comment1.xml", "xl/comments1.xml", "xl/comments/comment1.xml", "../drawings/vmlDrawing1.vml", "/xl/drawings/commentsDrawing1.vml", "vmlDrawing1.vml", "commentsDrawing1.vml"),
	} {
		t.Run(name, func(t *testing.T) {
			_, back := give(t, p.pack(t))
			f := workbook(t, back)
			comments := commentsOf(t, f, "Sheet1")
			if !strings.HasPrefix(comments["F5"], "勿删\n"+marker) || comments["B4"] != "勿删" || len(comments) != 2 {
				t.Errorf("%q", comments)
			}
			if fillOf(t, f, "Sheet1", "A6") != colourWrong {
				t.Error("A6 is not marked")
			}
			if said, _ := f.GetCellValue(summarySheet, "A4"); !strings.Contains(said, "有 2 个单元格未加批注") {
				t.Errorf("%s", said)
			}
		})
	}
}

// TestABoxThatAProgramMovedGoesWithItsComment moves the corner of a box beside its cell, as Excel does when it saves.
func TestABoxThatAProgramMovedGoesWithItsComment(t *testing.T) {
	_, back := give(t, table(t, faulty(), withComment(t, "Sheet1", "B4")))
	p := unpack(t, back)
	const drawing = "xl/drawings/vmlDrawing1.vml"
	if boxes(p, drawing) != 4 {
		t.Fatalf("%d boxes", boxes(p, drawing))
	}
	p.set(drawing, regexp.MustCompile(`<x:Anchor>[^<]*</x:Anchor>`).ReplaceAllString(p.content[drawing], "<x:Anchor>9, 15, 1, 2, 12, 15, 5, 4</x:Anchor>"))
	f := workbook(t, p.pack(t))
	must(t, f.SetCellStr("Sheet1", "F5", "15400001234"))
	must(t, f.SetCellStr("Sheet1", "A6", "王小明"))
	var b bytes.Buffer
	must(t, f.Write(&b))
	r, third := give(t, b.Bytes())
	if codes(r) != "J6 roster.required" {
		t.Fatal(codes(r))
	}
	comments := commentsOf(t, workbook(t, third), "Sheet1")
	if after := unpack(t, third); boxes(after, drawing) != 2 || len(comments) != 2 || comments["B4"] != "勿删" || !strings.HasPrefix(comments["J6"], marker) {
		t.Errorf("%d boxes, %q", boxes(after, drawing), comments)
	}
}

func TestOurCommentIsFoundWhereItIsDividedIntoRuns(t *testing.T) {
	for _, c := range []struct {
		runs   []string
		want   string
		theirs bool
		cut    bool
	}{
		{[]string{"已核实"}, "已核实", true, false},
		{[]string{"已核实\n" + marker + "\n错"}, "已核实", true, true},
		{[]string{"已", "核实\n【核", "对】\n", "错"}, "已核实", true, true},
		{[]string{marker + "\n错"}, "", false, true},
		{[]string{" \n", marker}, "", false, true},
		{nil, "", false, false},
	} {
		var texts []*string
		for _, r := range c.runs {
			texts = append(texts, &r)
		}
		theirs, cut := cutOurs(texts)
		got := ""
		for _, t := range texts {
			got += *t
		}
		if got != c.want || theirs != c.theirs || cut != c.cut {
			t.Errorf("%q becomes %q, %v, %v", c.runs, got, theirs, cut)
		}
	}
}

func TestAuthorsOfCommentsStayTheirs(t *testing.T) {
	_, back := give(t, table(t, faulty(), withComment(t, "Sheet1", "B4")))
	all, err := workbook(t, back).GetComments("Sheet1")
	must(t, err)
	for _, c := range all {
		if want := map[bool]string{true: "李四", false: author}[c.Cell == "B4"]; c.Author != want {
			t.Errorf("%s is by %s", c.Cell, c.Author)
		}
	}
	if len(all) != 4 {
		t.Errorf("%v", all)
	}
}
