package view

import (
	"encoding/xml"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
	"yinxin/sealer/pdf"
)

const statement = "本件系云山市档案馆馆藏档案复制件，与原件核对无异。经办人：审核人：（盖章）年月日Seal"

func near1(a, b, by float64) bool { return math.Abs(a-b) <= by }

// within compares rectangles with a tolerance in points.
func within(a, b pdf.Rect, by float64) bool {
	return near1(a.X1, b.X1, by) && near1(a.Y1, b.Y1, by) && near1(a.X2, b.X2, by) && near1(a.Y2, b.Y2, by)
}

func TestAKeywordIsFoundWhereItStands(t *testing.T) {
	c := newChinese(t, statement+" ")
	// The baseline at (x, y) and a size give [x, y-0.14 size, x+n size, y+0.86 size] for n Chinese characters.
	content := c.at(72, 700, 12, "本件系云山市档案馆馆藏档案复制件，与原件核对无异。") +
		c.at(72, 650, 12, "经办人：") + c.at(300, 650, 12, "经办人：") + // two on one line, written left first
		c.at(300, 600, 14, "（盖 章）") + c.at(72, 600, 14, "（盖章）") + // two on one line, written right first
		c.at(500, 550, 12, "核对") + c.at(72, 534, 12, "无异") + // broken over two lines
		c.at(72, 500, 10, "年") + c.at(120, 500, 10, "月") + c.at(160, 500, 10, "日") + // set apart
		c.at(500, 480, 10, "审") + c.at(72, 100, 10, "核人") + // unrelated
		c.at(72, 450, 10, "Seal") +
		"q 0 1 -1 0 400 300 cm " + c.at(0, 0, 12, "复制件") + "Q\n" + // upwards
		c.at(50, 400, 12, "馆") + c.at(50, 388, 12, "藏") + // downwards
		c.at(200, 200, 12, "原件") + c.at(200.4, 200, 12, "原件") + // bold by drawing twice
		c.at(72, 900, 12, "本件") // above the page
	r, n := reader(c.page(a4, content))
	v := newViewer(t, "", Config{})
	for name, x := range map[string]struct {
		query Query
		want  []pdf.Rect
		lines int
	}{
		"once":                                 {Query{Text: "云山市"}, []pdf.Rect{{X1: 108, Y1: 698.3, X2: 144, Y2: 710.3}}, 1},
		"all, as they stand on the line":       {Query{Text: "经办人"}, []pdf.Rect{{X1: 72, Y1: 648.3, X2: 108, Y2: 660.3}, {X1: 300, Y1: 648.3, X2: 336, Y2: 660.3}}, 1},
		"half width, space inside, file order": {Query{Text: "(盖章)"}, []pdf.Rect{{X1: 72, Y1: 598, X2: 128, Y2: 612}, {X1: 300, Y1: 598, X2: 363, Y2: 612}}, 1},
		"the second":                           {Query{Text: "盖章", Nth: 2}, []pdf.Rect{{X1: 314, Y1: 598, X2: 349, Y2: 612}}, 1},
		"the last":                             {Query{Text: "盖章", Nth: -1}, []pdf.Rect{{X1: 314, Y1: 598, X2: 349, Y2: 612}}, 1},
		"the last but one":                     {Query{Text: "盖章", Nth: -2}, []pdf.Rect{{X1: 86, Y1: 598, X2: 114, Y2: 612}}, 1},
		"broken over lines":                    {Query{Text: "核对无异", Nth: 2}, []pdf.Rect{{X1: 72, Y1: 532.3, X2: 524, Y2: 560.3}}, 2},
		"set apart on a line":                  {Query{Text: "年月日"}, []pdf.Rect{{X1: 72, Y1: 498.6, X2: 170, Y2: 508.6}}, 1},
		"folded case":                          {Query{Text: "SEAL", FoldCase: true}, []pdf.Rect{{X1: 72, Y1: 448.6, X2: 92, Y2: 458.6}}, 1},
		"rotated on the page":                  {Query{Text: "复制件", Nth: 2}, []pdf.Rect{{X1: 389.7, Y1: 300, X2: 401.7, Y2: 336}}, 1},
		"downwards":                            {Query{Text: "馆藏", Nth: 2}, []pdf.Rect{{X1: 50, Y1: 386.3, X2: 62, Y2: 410.3}}, 1},
		"drawn twice":                          {Query{Text: "原件", Nth: 2}, []pdf.Rect{{X1: 200, Y1: 198.3, X2: 224, Y2: 210.3}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := v.Find(t.Context(), r, n, x.query)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(x.want) {
				t.Fatalf("%d matches: %+v", len(got), got)
			}
			for i := range got {
				if !within(got[i].Rect, x.want[i], 2) || len(got[i].Lines) != x.lines || got[i].Page != 1 {
					t.Errorf("%+v, want %v on %d lines", got[i], x.want[i], x.lines)
				}
			}
		})
	}
	for name, x := range map[string]struct {
		query Query
		code  string
	}{
		"absent":                {Query{Text: "印模"}, "view.not-found"},
		"case":                  {Query{Text: "SEAL"}, "view.not-found"},
		"not so often":          {Query{Text: "盖章", Nth: 3}, "view.not-found"},
		"unrelated fragments":   {Query{Text: "审核人"}, "view.not-found"},
		"drawn twice once":      {Query{Text: "原件", Nth: 3}, "view.not-found"},
		"outside the page":      {Query{Text: "本件", Nth: 2}, "view.not-found"},
		"nothing but space":     {Query{Text: " 　"}, "view.keyword"},
		"a page that is not":    {Query{Text: "盖章", Pages: []int{2}}, "view.no-page"},
		"a page that cannot be": {Query{Text: "盖章", Pages: []int{0}}, "view.no-page"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := v.Find(t.Context(), r, n, x.query)
			if fault.CodeOf(err) != x.code {
				t.Errorf("%+v, %v; want %s", got, err, x.code)
			}
		})
	}
}

// Rotation and boxes change where a keyword is displayed and in which order, not where it stands in user space.
func TestPositionsAreInUserSpaceWhateverThePage(t *testing.T) {
	c := newChinese(t, statement)
	content := c.at(100, 500, 12, "盖章") + c.at(300, 300, 12, "盖章")
	upper, lower := pdf.Rect{X1: 100, Y1: 498.3, X2: 124, Y2: 510.3}, pdf.Rect{X1: 300, Y1: 298.3, X2: 324, Y2: 310.3}
	v := newViewer(t, "", Config{})
	for entries, want := range map[string]struct {
		first         pdf.Rect
		width, height float64
	}{
		a4:                  {upper, 595.276, 841.89},
		a4 + " /Rotate 90":  {upper, 841.89, 595.276}, // the left edge is on top
		a4 + " /Rotate 180": {lower, 595.276, 841.89},
		a4 + " /Rotate 270": {lower, 841.89, 595.276},
		a4 + " /Rotate -90": {lower, 841.89, 595.276},
		"/MediaBox [-30 -40 500 700] /CropBox [50 60 450 650]":                          {upper, 400, 590},
		"/MediaBox [-30 -40 500 700] /CropBox [50 60 450 650] /Rotate 90 /UserUnit 1.5": {upper, 590, 400},
	} {
		t.Run(entries, func(t *testing.T) {
			r, n := reader(c.page(entries, content))
			sizes, err := v.Pages(t.Context(), r, n)
			if err != nil || !near1(sizes[0].Width, want.width, 0.01) || !near1(sizes[0].Height, want.height, 0.01) {
				t.Errorf("%v, %v", sizes, err)
			}
			got, err := v.Find(t.Context(), r, n, Query{Text: "盖章", Nth: 1})
			if err != nil || !within(got[0].Rect, want.first, 1) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

// words are what pdftotext says of the first page: words with boxes whose origin is the upper left corner.
func words(t *testing.T, file string) (list []struct {
	XMin float64 `xml:"xMin,attr"`
	YMin float64 `xml:"yMin,attr"`
	XMax float64 `xml:"xMax,attr"`
	YMax float64 `xml:"yMax,attr"`
	Text string  `xml:",chardata"`
}, height float64) {
	t.Helper()
	tooltest.Find(t, "pdftotext")
	out, err := exec.Command("pdftotext", "-bbox", "-f", "1", "-l", "1", file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Page struct {
			Height string `xml:"height,attr"`
			Words  []struct {
				XMin float64 `xml:"xMin,attr"`
				YMin float64 `xml:"yMin,attr"`
				XMax float64 `xml:"xMax,attr"`
				YMax float64 `xml:"yMax,attr"`
				Text string  `xml:",chardata"`
			} `xml:"word"`
		} `xml:"body>doc>page"`
	}
	if err := xml.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	height, err = strconv.ParseFloat(doc.Page.Height, 64)
	if err != nil {
		t.Fatal(err)
	}
	return append(list, doc.Page.Words...), height
}

// Poppler is another reader with another idea of boxes: the middles of keywords must agree within a millimetre.
func TestPositionsAgreeWithPdftotext(t *testing.T) {
	c := newChinese(t, statement)
	content := c.at(72, 700, 12, "本件系云山市档案馆馆藏档案复制件") + c.at(72, 660, 16, "经办人：") + c.at(330, 520.5, 14, "（盖章）") + c.at(400, 100, 9, "Seal")
	files := map[string][]byte{"built": c.page(a4, content)}
	keywords := map[string][]string{"built": {"本件系云山市档案馆馆藏档案复制件", "经办人：", "（盖章）", "Seal"}}
	if data := printed(t, "<p style='font:14pt serif;margin:80px'>经办人：<span style='margin-left:200px'>审核人：</span></p><p style='font:20pt serif'>档案证明专用章</p>"); data != nil {
		files["printed by a browser"] = data
		keywords["printed by a browser"] = []string{"经办人：", "审核人：", "档案证明专用章"}
	}
	v := newViewer(t, "", Config{})
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "a.pdf")
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			list, height := words(t, file)
			r, n := reader(data)
			for _, keyword := range keywords[name] {
				got, err := v.Find(t.Context(), r, n, Query{Text: keyword, Nth: 1})
				if err != nil {
					t.Error(err)
					continue
				}
				seen := false
				for _, w := range list {
					if string(normal(w.Text, false)) != string(normal(keyword, false)) {
						continue
					}
					seen = true
					const millimetre = 72 / 25.4
					x, y := (got[0].Rect.X1+got[0].Rect.X2)/2-(w.XMin+w.XMax)/2, height-(got[0].Rect.Y1+got[0].Rect.Y2)/2-(w.YMin+w.YMax)/2
					t.Logf("%s: %.2f mm to the right, %.2f mm below", keyword, x/millimetre, y/millimetre)
					if math.Abs(x) > millimetre || math.Abs(y) > millimetre {
						t.Errorf("%s: %v, pdftotext has %v of %g", keyword, got[0].Rect, w, height)
					}
				}
				if !seen {
					t.Errorf("pdftotext does not see %s: %v", keyword, list)
				}
			}
		})
	}
}

// printed is what a browser makes of a piece of HTML, or nil without a browser.
func printed(t *testing.T, body string) []byte {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Log("chromium is not installed: only our own file is compared")
		return nil
	}
	dir := t.TempDir()
	page, out := filepath.Join(dir, "a.html"), filepath.Join(dir, "a.pdf")
	if err := os.WriteFile(page, []byte("<!doctype html><meta charset=utf-8>"+body), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+filepath.Join(dir, "profile"),
		"--no-pdf-header-footer", "--print-to-pdf="+out, "file://"+page).CombinedOutput(); err != nil {
		t.Logf("chromium does not print: %v %s", err, text)
		return nil
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Log(err)
		return nil
	}
	return data
}

// Characters outside the basic plane and characters without a meaning must not shift the places of those after them.
func TestOddCharactersDoNotShiftTheOthers(t *testing.T) {
	v := newViewer(t, "", Config{})
	for name, change := range map[string][2]string{
		"two halves": {"<7532>", "<d840dc00>"},
		"no meaning": {"<7532>", "<0000>"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChinese(t, "甲乙丙丁")
			c.objects[4] = strings.Replace(c.objects[4], change[0], change[1], 1)
			c.objects[4] = stream("", between(c.objects[4], "stream\n", "\nendstream"))
			r, n := reader(c.page(a4, c.at(100, 500, 10, "甲甲甲乙丙丁")))
			got, err := v.Find(t.Context(), r, n, Query{Text: "丙丁"})
			if err != nil || len(got) != 1 || !within(got[0].Rect, pdf.Rect{X1: 140, Y1: 498.6, X2: 160, Y2: 508.6}, 1) {
				t.Errorf("%v, %v", got, err)
			}
			if name == "two halves" {
				got, err := v.Find(t.Context(), r, n, Query{Text: "𠀀乙"})
				if err != nil || len(got) != 1 || !within(got[0].Rect, pdf.Rect{X1: 120, Y1: 498.6, X2: 140, Y2: 508.6}, 1) {
					t.Errorf("%v, %v", got, err)
				}
			}
		})
	}
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}
