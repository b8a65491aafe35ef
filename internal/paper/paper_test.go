package paper

import (
	"bytes"
	"image"
	"image/color"
	"os"
	"slices"
	"strings"
	"testing"

	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
	"yinxin/internal/truetype"
)

func font(t testing.TB) []byte {
	t.Helper()
	path, err := truetype.Find()
	if err != nil {
		t.Skip("no Chinese font is installed")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestLinesFitTheirWidth(t *testing.T) {
	f, err := NewFace(font(t), []string{"中文，句子。 some longer words 与 mixed"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{strings.Repeat("中文句子，", 40), strings.Repeat("words ", 60), strings.Repeat("x", 300), "", "中"} {
		joined := ""
		for _, line := range f.Wrap(s, 10, 100) {
			if w := f.Width(line, 10); w > 100.01 {
				t.Errorf("%q is %.1f wide", line, w)
			}
			if strings.HasPrefix(line, "，") {
				t.Errorf("%q begins with a comma", line)
			}
			joined += line
		}
		if strings.ReplaceAll(joined, " ", "") != strings.ReplaceAll(s, " ", "") {
			t.Errorf("%q became %q", s, joined)
		}
	}
}

func TestTheFileIsSoundAndAlwaysTheSame(t *testing.T) {
	face, err := NewFace(font(t), []string{"申请表—一"})
	if err != nil {
		t.Fatal(err)
	}
	var files [2]bytes.Buffer
	for i := range files {
		d := NewDocument(face)
		img := image.NewNRGBA(image.Rect(0, 0, 3, 2))
		img.Set(1, 1, color.NRGBA{200, 0, 0, 128})
		n := d.Picture(img)
		for range 2 {
			page := d.Add(A4Width, A4Height)
			page.Text(72, 700, 12, Black, "申请表—一", true)
			page.Fill(10, 10, 5, 5, color.RGBA{1, 2, 3, 255})
			page.Frame(20, 20, 5, 5, 0.5, Black)
			page.Show(n, 100, 100, 30, 20)
		}
		if err := d.Write(&files[i], Meta{Title: "申请表", Language: "zh-CN"}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Error("the same drawing gives another file")
	}
	path := tooltest.File(t, "drawn.pdf", files[0].Bytes())
	tooltest.Run(t, "qpdf", "--check", path)
	if said := tooltest.Run(t, "pdftotext", path, "-"); strings.Count(said, "申请表") != 2 {
		t.Errorf("read as %q", said)
	}
	if said := tooltest.Run(t, "pdfinfo", path); !strings.Contains(said, "申请表") || !strings.Contains(said, "A4") {
		t.Errorf("described as %q", said)
	}
}

func TestCharactersThatTheFontLacksAreNamed(t *testing.T) {
	face, err := NewFace(font(t), []string{"中\U00020000—\U0001F600"})
	if err != nil {
		t.Fatal(err)
	}
	if got := face.Missing(); !slices.Contains(got, '\U00020000') || !slices.Contains(got, '\U0001F600') || slices.Contains(got, '中') || slices.Contains(got, '—') {
		t.Errorf("missing: %q", got)
	}
	if face.Width("\U00020000", 10) != face.Width("?", 10) {
		t.Error("a missing character is not shown as a question mark")
	}
	if _, err := NewFace([]byte("no font"), nil); fault.CodeOf(err) == "internal" || err == nil {
		t.Errorf("a file that is no font: %v", err)
	}
}
