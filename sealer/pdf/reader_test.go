package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

func TestTablesOfCarelessProducersAreRead(t *testing.T) {
	objects := onePage("")
	cases := []struct {
		name string
		file file
	}{
		{"twenty bytes with a space", file{objects: objects}},
		{"twenty bytes with CR LF", file{objects: objects, entry: "%010d %05d %c\r\n"}},
		{"nineteen bytes", file{objects: objects, entry: "%010d %05d %c\n"}},
		{"twenty-one bytes", file{objects: objects, entry: "%010d %05d %c \r\n"}},
		{"no constant length", file{objects: objects, entry: "%d %d  %c\n"}},
		{"numbers from 1 although the free list comes first", file{objects: objects, first: 1}},
		{"bytes before the header, not counted", file{objects: objects, junk: "one line\nof a mail\n"}},
		{"bytes before the header, counted", file{objects: objects, junk: "one line\nof a mail\n", absolute: true}},
		{"no end of line at the end", file{objects: objects, end: "%%EOF"}},
		{"no %%EOF", file{objects: objects, end: " "}},
		{"rubbish after the end", file{objects: objects, end: "%%EOF\n" + strings.Repeat("\x00", 3000)}},
		{"/Prev 0 for none", file{objects: objects, trailer: "/Prev 0"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			data := c.file.bytes()
			page, err := opened(t, data).Page(1)
			if err != nil {
				t.Fatal(err)
			}
			if page.Ref.Num != 3 {
				t.Fatalf("the page is %v", page.Ref)
			}
			sealed := seal(t, data, request(t))
			again, err := opened(t, sealed).Page(1)
			if err != nil || !again.Dict.Has("Annots") {
				t.Fatalf("after sealing: %v, %v", again.Dict, err)
			}
		})
	}
}

func TestObjectsAreReadAsTheyAreWritten(t *testing.T) {
	source := `<</String(a\)b(c)\
d\101\r\7x)/Hex<48 656C6C6F 7>/A#20B -.5/Refs[1 2 R 1 0 2 0 R]/Sign --5/Empty()/None null/True true% comment >>
/Name/#4eame/Big 12345678901/Dot 4./Last>>`
	o, err := opened(t, file{objects: append(onePage(""), source)}.bytes()).Object(pdf.Ref{Num: 4})
	if err != nil {
		t.Fatal(err)
	}
	dict := o.(pdf.Dict)
	text := func(k pdf.Name) string { return string(dict.Get(k).(pdf.String).Value) }
	if got, want := text("String"), "a)b(c)dA\r\ax"; got != want {
		t.Errorf("the string is %q, want %q", got, want)
	}
	if got, want := text("Hex"), "Hellop"; got != want {
		t.Errorf("the hexadecimal string is %q, want %q", got, want)
	}
	// A number that readers make different numbers of has a value, and is the same as no other.
	sign, isNumber := pdf.Number(dict.Get("Sign"))
	if _, plain := dict.Get("Sign").(pdf.Integer); !isNumber || sign != -5 || plain {
		t.Errorf("/Sign is %#v", dict.Get("Sign"))
	}
	want := map[pdf.Name]pdf.Object{
		"A B": pdf.Real(-.5), "None": nil, "True": true, "Name": pdf.Name("Name"),
		"Big": pdf.Integer(12345678901), "Dot": pdf.Real(4), "Last": nil,
		"Refs": pdf.Array{pdf.Ref{Num: 1, Gen: 2}, pdf.Integer(1), pdf.Integer(0), pdf.Ref{Num: 2, Gen: 0}},
	}
	for k, v := range want {
		if got := dict.Get(k); !reflect.DeepEqual(got, v) {
			t.Errorf("/%s is %#v, want %#v", k, got, v)
		}
	}
}

func TestStringsKnowTheirPlaceInTheFile(t *testing.T) {
	data := file{objects: append(onePage(""), "[(a(b)c) <4a4B>]")}.bytes()
	o, err := opened(t, data).Object(pdf.Ref{Num: 4})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"(a(b)c)", "<4a4B>"} {
		s := o.(pdf.Array)[i].(pdf.String)
		if got := string(data[s.Start:s.End]); got != want {
			t.Errorf("string %d stands at %q, want %q", i, got, want)
		}
	}
}

func TestTextStringsAreDecoded(t *testing.T) {
	cases := map[string]string{
		"plain":                            "plain",
		"\xFE\xFF\x53\x70\xD8\x40\xDC\x00": "印𠀀",
		"\xFF\xFE\x70\x53":                 "印",
		"\xEF\xBB\xBF\xE5\x8D\xB0":         "印",
		"caf\xE9 \x80 \xA0":                "café • €",
	}
	for in, want := range cases {
		if got := (pdf.String{Value: []byte(in)}).Text(); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestWhatIsNotThereIsNull(t *testing.T) {
	data := file{objects: append(onePage(""), "7 0 R", "4 1 R")}.bytes()
	d := opened(t, data)
	for _, ref := range []pdf.Ref{{Num: 0}, {Num: 99}, {Num: 1, Gen: 3}, {Num: -4}} {
		if o, err := d.Object(ref); o != nil || err != nil {
			t.Errorf("%v is %v, %v", ref, o, err)
		}
	}
	if o, err := d.Resolve(pdf.Ref{Num: 4}); o != nil || err != nil {
		t.Errorf("a reference to nothing resolves to %v, %v", o, err)
	}
	freed := appendUpdate(t, data, "")
	freed = bytes.Replace(freed, []byte("xref\ntrailer\n<</Size 100"), []byte("xref\n5 1\n0000000000 00001 f \ntrailer\n<</Size 100"), 1)
	if o, err := opened(t, freed).Object(pdf.Ref{Num: 5}); o != nil || err != nil {
		t.Errorf("a freed object is %v, %v", o, err)
	}
	circle := file{objects: append(onePage(""), "5 0 R", "4 0 R")}.bytes()
	if _, err := opened(t, circle).Resolve(pdf.Ref{Num: 4}); fault.CodeOf(err) != "pdf.too-deep" {
		t.Errorf("a circle of references: %v", err)
	}
}

func TestSectionsEndWhereTheirRevisionEnds(t *testing.T) {
	first := file{objects: onePage("")}.bytes()
	second := appendUpdate(t, first, "", "4 0 obj (second) endobj")
	third := appendUpdate(t, second, "", "4 0 obj (third) endobj")
	d := opened(t, third)
	var ends []int64
	for _, s := range d.Sections() {
		ends = append(ends, s.End)
	}
	if want := []int64{int64(len(third)), int64(len(second)), int64(len(first))}; !reflect.DeepEqual(ends, want) {
		t.Errorf("the revisions end at %v, want %v", ends, want)
	}
	for i, want := range []string{"third", "second", ""} {
		revision, err := d.Prefix(context.Background(), ends[i])
		if err != nil {
			t.Fatal(err)
		}
		o, err := revision.Object(pdf.Ref{Num: 4})
		s, _ := o.(pdf.String)
		if err != nil || string(s.Value) != want {
			t.Errorf("revision %d has %q, %v", i, s.Value, err)
		}
	}
	linear, err := fixtures.PDF(fixtures.ShapeLinearised, fixtures.PDFOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range opened(t, linear).Sections() {
		if s.End != int64(len(linear)) {
			t.Errorf("section %d of the linearised file ends at %d of %d", i, s.End, len(linear))
		}
	}
}

func TestAnObjectHiddenInAHybridFileIsFound(t *testing.T) {
	for _, s := range []fixtures.Shape{fixtures.ShapeHybrid, fixtures.ShapeHybridFree, fixtures.ShapeHybridWord} {
		data, err := fixtures.PDF(s, fixtures.PDFOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, data := range [][]byte{data, seal(t, data, request(t))} {
			d := opened(t, data)
			o, err := d.Resolve(d.Trailer().Get("Info"))
			if _, ok := o.(pdf.Dict); err != nil || !ok {
				t.Errorf("%s: the information is %v, %v", s, o, err)
			}
		}
	}
}

func TestASectionListsItsObjectsOnly(t *testing.T) {
	data := appendUpdate(t, file{objects: onePage("")}.bytes(), "", "9 2 obj (x) endobj")
	sections := opened(t, data).Sections()
	var got []string
	for _, s := range sections {
		err := s.Objects(context.Background(), func(e pdf.XrefEntry) error {
			got = append(got, fmt.Sprint(e.Num, e.Gen, e.State == pdf.InFile))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"9 2 true", "0 65535 false", "1 0 true", "2 0 true", "3 0 true"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("objects %q, want %q", got, want)
	}
}

func TestPagesAreFoundThoughTheCountsAreWrong(t *testing.T) {
	tree := func(count, middle string) []byte {
		return file{objects: []string{
			"<</Type/Catalog/Pages 2 0 R>>",
			"<</Type/Pages/Count " + count + "/Kids[3 0 R null 4 0 R 7 0 R]/MediaBox[0 0 100 100]/Rotate 90>>",
			"<</Type/Page/Nr 1>>",
			"<</Type/Pages/Count " + middle + "/Kids[5 0 R 6 0 R]/CropBox[10 10 90 90]/Rotate 180>>",
			"<</Type/Page/Nr 2>>",
			"<</Type/Page/Nr 3/Rotate 0>>",
			"<</Type/Page/Nr 4/MediaBox[0 0 50 200]>>",
		}}.bytes()
	}
	for _, counts := range [][2]string{{"4", "2"}, {"4", "1"}, {"3", "9"}, {"-4", "0"}, {"/x", "null"}, {"6", "2"}} {
		d := opened(t, tree(counts[0], counts[1]))
		for n := 1; n <= 4; n++ {
			p, err := d.Page(n)
			if err != nil {
				t.Fatalf("counts %q: page %d: %v", counts, n, err)
			}
			if got := p.Dict.Get("Nr"); got != pdf.Integer(n) {
				t.Errorf("counts %q: page %d is page %v", counts, n, got)
			}
		}
		if _, err := d.Page(5); fault.CodeOf(err) != "pdf.no-such-page" {
			t.Errorf("counts %q: page 5: %v", counts, err)
		}
	}
	d := opened(t, tree("4", "2"))
	wantRotate := []int{90, 180, 0, 90}
	wantBox := []pdf.Rect{{X2: 100, Y2: 100}, {X1: 10, Y1: 10, X2: 90, Y2: 90}, {X1: 10, Y1: 10, X2: 90, Y2: 90}, {X2: 50, Y2: 200}}
	for n := 1; n <= 4; n++ {
		p, err := d.Page(n)
		if err != nil || p.Rotate != wantRotate[n-1] || p.CropBox != wantBox[n-1] {
			t.Errorf("page %d: rotated by %d, %v, %v", n, p.Rotate, p.CropBox, err)
		}
	}
}

func TestLimitsStopAHostileFile(t *testing.T) {
	deep := strings.Repeat("[", 300) + strings.Repeat("]", 300)
	many := "[" + strings.Repeat("0 ", 2000) + "]"
	cases := []struct {
		name, object, code string
		limits             pdf.Limits
	}{
		{"nesting", deep, "pdf.too-deep", pdf.Limits{}},
		{"values", many, "pdf.too-large", pdf.Limits{Elements: 1000}},
		{"length", "(" + strings.Repeat("x", 20000) + ")", "pdf.too-large", pdf.Limits{ObjectBytes: 8192}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			data := file{objects: append(onePage(""), c.object)}.bytes()
			d, err := c.limits.Open(context.Background(), bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Object(pdf.Ref{Num: 4}); fault.CodeOf(err) != c.code {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("work", func(t *testing.T) {
		// A page tree of nodes that are all the same long object, too long to be kept.
		kids := strings.Repeat("4 0 R 5 0 R ", 5000)
		long := "<</Kids[" + strings.Repeat("null ", 40000) + "]/Count 0>>"
		data := file{objects: []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Kids[" + kids + "]/Count 99999>>", "null", long, long}}.bytes()
		l := pdf.Limits{WorkBytes: 10 << 20}
		d, err := l.Open(context.Background(), bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Page(1); fault.CodeOf(err) != "pdf.too-large" {
			t.Errorf("%v", err)
		}
	})
}

func TestOpeningStopsWhenTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	data := file{objects: onePage("")}.bytes()
	if _, err := pdf.Open(ctx, bytes.NewReader(data), int64(len(data))); err != context.Canceled {
		t.Errorf("%v", err)
	}
}
