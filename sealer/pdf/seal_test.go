package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

func plan(t testing.TB, data []byte, r pdf.SealRequest) *pdf.Update {
	t.Helper()
	u, err := opened(t, data).PlanSeal(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestTheSignedBytesAreTheOriginalAndTheUpdateWithoutTheContents(t *testing.T) {
	data := file{objects: onePage(""), end: "%%EOF"}.bytes()
	u := plan(t, data, request(t))
	before, after := bytes.Clone(u.Before()), bytes.Clone(u.After())
	der := bytes.Repeat([]byte{0x00, 0x9f, 0xa0, 0xff, 0x7b}, 100)
	update, err := u.Fill(der)
	if err != nil {
		t.Fatal(err)
	}
	sealed := append(bytes.Clone(data), update...)
	r := u.ByteRange()
	signed := append(bytes.Clone(sealed[r[0]:r[1]]), sealed[r[2]:r[2]+r[3]]...)
	if want := append(append(bytes.Clone(data), before...), after...); !bytes.Equal(signed, want) {
		t.Error("the bytes in the range are not the original with Before and After")
	}
	if len(u.Property()) != pdf.PropertyLength() || !bytes.Contains(sealed, []byte("/ByteRange"+u.Property()+"/")) {
		t.Errorf("the property %q is not the text of /ByteRange", u.Property())
	}
	fields, err := opened(t, sealed).SignatureFields(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	contents, err := fields[0].Contents()
	if err != nil || !bytes.HasPrefix(contents.Value, der) || len(bytes.Trim(contents.Value[len(der):], "\x00")) != 0 {
		t.Errorf("the contents are not the signature and zeros: %v", err)
	}
	if contents.Start != r[1] || contents.End != r[2] {
		t.Errorf("the gap is %d to %d, the contents %d to %d", r[1], r[2], contents.Start, contents.End)
	}
}

func TestAnUpdateBeginsOnALineOfItsOwn(t *testing.T) {
	for _, end := range []string{"%%EOF", "%%EOF\n", "%%EOF\r\n", "%%EOF\r"} {
		u := plan(t, file{objects: onePage(""), end: end}.bytes(), request(t))
		first := u.Before()[0]
		if end == "%%EOF" && first != '\n' || end != "%%EOF" && (first < '1' || first > '9') {
			t.Errorf("after %q the update begins with %q", end, u.Before()[:8])
		}
	}
}

func TestFillingAgainLeavesNothingOfTheFirst(t *testing.T) {
	r := request(t)
	u := plan(t, file{objects: onePage("")}.bytes(), r)
	if _, err := u.Fill(bytes.Repeat([]byte{0xAA}, r.ContentsSize)); err != nil {
		t.Fatal(err)
	}
	update, err := u.Fill([]byte{1, 2, 3, 4, 5})
	if err != nil {
		t.Fatal(err)
	}
	if want := "<0102030405" + strings.Repeat("0", 2*(r.ContentsSize-5)) + ">"; !bytes.Contains(update, []byte(want)) {
		t.Error("the rest of the contents is not zero")
	}
	if _, err := u.Fill(make([]byte, r.ContentsSize+1)); fault.CodeOf(err) != "pdf.contents-too-long" {
		t.Errorf("one byte too many: %v", err)
	}
}

func TestPlanningAgainGivesTheSameBytes(t *testing.T) {
	data := file{objects: onePage("")}.bytes()
	a, b := plan(t, data, request(t)), plan(t, data, request(t))
	if !bytes.Equal(a.Before(), b.Before()) || !bytes.Equal(a.After(), b.After()) {
		t.Error("two plans of one request differ")
	}
}

func TestWhatASealMustNotTouchIsRefused(t *testing.T) {
	plain := file{objects: onePage("")}.bytes()
	withForm := func(form string, objects ...string) []byte {
		all := onePage("")
		all[0] = "<</Type/Catalog/Pages 2 0 R/AcroForm" + form + ">>"
		return file{objects: append(all, objects...)}.bytes()
	}
	signature := func(reference, lock string) []byte {
		return withForm("<</Fields[4 0 R]>>", "<</FT/Sig/T(A)/V 5 0 R"+lock+">>", "<</Type/Sig/Reference["+reference+"]>>")
	}
	mdp := func(method, parameters string) string {
		return "<</TransformMethod/" + method + "/TransformParams<<" + parameters + ">>>>"
	}
	permissions := func(level string) []byte {
		all := onePage("")
		all[0] = "<</Type/Catalog/Pages 2 0 R/Perms<</DocMDP 4 0 R>>>>"
		return file{objects: append(all, "<</Type/Sig/Reference["+level+"]>>")}.bytes()
	}
	twice := onePage("/Annots[]/Annots[]")
	cut := seal(t, plain, request(t))
	cases := []struct {
		name, code string
		data       []byte
		change     func(*pdf.SealRequest)
	}{
		{"encrypted", "pdf.encrypted", file{objects: onePage(""), trailer: "/Encrypt<<>>"}.bytes(), nil},
		{"certified without a level", "pdf.certified", permissions(""), nil},
		{"certified, level 1", "pdf.certified", permissions(mdp("DocMDP", "/P 1")), nil},
		{"certified, level 2", "pdf.certified", permissions(mdp("DocMDP", "/P 2")), nil},
		{"certified, level 3", "", permissions(mdp("DocMDP", "/P 3")), nil},
		{"certified by a field alone", "pdf.certified", signature(mdp("DocMDP", "/P 1"), ""), nil},
		{"all fields locked", "pdf.locked", signature(mdp("FieldMDP", "/Action/All"), ""), nil},
		{"all fields but some locked", "pdf.locked", signature(mdp("FieldMDP", "/Action/Exclude/Fields[(B)]"), ""), nil},
		{"one other field locked", "", signature(mdp("FieldMDP", "/Action/Include/Fields[(B)]"), ""), nil},
		{"locked by the field", "pdf.locked", signature("", "/Lock<</Action/All>>"), nil},
		{"changes locked by the field", "pdf.locked", signature("", "/Lock<</Action/Include/Fields[]/P 1>>"), nil},
		{"a lock that was never signed", "", withForm("<</Fields[4 0 R]>>", "<</FT/Sig/T(A)/Lock<</Action/All>>>>"), nil},
		{"XFA", "pdf.xfa", withForm("<</Fields[]/XFA[]>>"), nil},
		{"a form that is a number", "pdf.damaged-object", withForm(" 3"), nil},
		{"fields that are a name", "pdf.damaged-object", withForm("<</Fields/None>>"), nil},
		{"annotations twice", "pdf.ambiguous", file{objects: twice}.bytes(), nil},
		{"the last update cut off", "pdf.truncated", cut[:len(plain)+600], nil},
		{"page 0", "pdf.no-such-page", plain, func(r *pdf.SealRequest) { r.Placements[0].Page = 0 }},
		{"page 2 of 1", "pdf.no-such-page", plain, func(r *pdf.SealRequest) { r.Placements[0].Page = 2 }},
		{"page -2", "pdf.no-such-page", plain, func(r *pdf.SealRequest) { r.Placements[0].Page = -2 }},
		{"over the right edge", "pdf.outside-page", plain, func(r *pdf.SealRequest) { r.Placements[0].X = 168.1 }},
		{"exactly at the right edge", "", plain, func(r *pdf.SealRequest) { r.Placements[0].X = 168 }},
		{"over the top edge", "pdf.outside-page", plain, func(r *pdf.SealRequest) { r.Placements[0].Y = 255.1 }},
		{"inside the page when it may be moved", "", plain, func(r *pdf.SealRequest) {
			r.Placements[0].X, r.Placements[0].Y, r.Placements[0].MoveInside = 300, -20, true
		}},
		{"left of the page", "pdf.outside-page", plain, func(r *pdf.SealRequest) { r.Placements[0].X = -1 }},
		{"nowhere", "pdf.outside-page", plain, func(r *pdf.SealRequest) { r.Placements[0].X = math.NaN() }},
		{"an unknown corner", "pdf.bad-request", plain, func(r *pdf.SealRequest) { r.Placements[0].From = 7 }},
		{"no space for the signature", "pdf.bad-request", plain, func(r *pdf.SealRequest) { r.ContentsSize = 0 }},
		{"no picture", "pdf.bad-request", plain, func(r *pdf.SealRequest) { r.Appearance = nil }},
		{"no time", "pdf.bad-request", plain, func(r *pdf.SealRequest) { r.Time = time.Time{} }},
		{"a size of a thousand million objects", "pdf.absurd-size", file{objects: onePage(""), size: 1e9}.bytes(), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := request(t)
			if c.change != nil {
				c.change(&r)
			}
			_, err := opened(t, c.data).PlanSeal(context.Background(), r)
			if c.code == "" && err != nil || c.code != "" && fault.CodeOf(err) != c.code {
				t.Errorf("%v, want %q", err, c.code)
			}
		})
	}
}

func TestAFieldGetsANameThatIsFree(t *testing.T) {
	objects := onePage("")
	objects[0] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R 5 0 R 6 0 R]>>>>"
	objects = append(objects, "<</T<FEFF005300650061006C0031>/FT/Tx>>", "<</T(Seal2)/Kids[7 0 R]>>", "<</T(Seal04)/FT/Tx>>", "<</T(x)/FT/Tx>>")
	data := file{objects: objects}.bytes()
	u := plan(t, data, request(t))
	if u.Field() != "Seal3" {
		t.Errorf("the field is called %s", u.Field())
	}
	elsewhere := request(t)
	elsewhere.Placements[0].Y = 100
	again := plan(t, seal(t, data, request(t)), elsewhere)
	if again.Field() != "Seal4" {
		t.Errorf("the second field is called %s", again.Field())
	}
}

func TestNumbersAreNeverUsedAgain(t *testing.T) {
	// Objects 5 and 6 are free, and /Size says less than there is.
	data := file{objects: onePage(""), size: 2}.bytes()
	data = appendUpdate(t, data, "/Size 3", "9 0 obj (nine) endobj")
	data = bytes.Replace(data, []byte("/Size 100"), []byte("/Size 4  "), 1)
	sealed := seal(t, data, request(t))
	added := sealed[len(data):]
	for _, m := range regexp.MustCompile(`(?m)^(\d+) 0 obj`).FindAllSubmatch(added, -1) {
		n, _ := strconv.Atoi(string(m[1]))
		if n != 1 && n != 3 && n < 10 {
			t.Errorf("object %d is written anew", n)
		}
	}
	if got := opened(t, sealed).Trailer().Get("Size"); got != pdf.Integer(16) {
		t.Errorf("/Size is %v", got)
	}
	if o, err := opened(t, sealed).Object(pdf.Ref{Num: 9}); err != nil || string(o.(pdf.String).Value) != "nine" {
		t.Errorf("object 9 is %v, %v", o, err)
	}
}

func TestARewrittenObjectKeepsItsGenerationAndItsOtherEntries(t *testing.T) {
	data := file{objects: onePage("")}.bytes()
	odd := "<</Type/Page /Parent 2 0 R%note\n/MediaBox[0 0 595.2760000 +841.89]/Odd(a\\\n\\(b)/Empty()/Annots[ ]>>"
	data = appendUpdate(t, data, "", "3 4 obj "+odd+" endobj",
		"2 0 obj <</Type/Pages/Kids[3 4 R]/Count 1>> endobj")
	sealed := seal(t, data, request(t))
	page, err := opened(t, sealed).Page(1)
	if err != nil || page.Ref != (pdf.Ref{Num: 3, Gen: 4}) {
		t.Fatalf("the page is %v, %v", page.Ref, err)
	}
	added := string(sealed[len(data):])
	want := strings.Replace(odd, "/Annots[ ]", "/Annots [  ", 1)
	if !strings.Contains(added, "3 4 obj\n"+strings.TrimSuffix(want, ">>")) {
		t.Errorf("the page was not copied as it stands:\n%.300s", added)
	}
	if !regexp.MustCompile(`\n3 1\n\d{10} 00004 n \n`).MatchString(added) {
		t.Error("the table does not keep the generation")
	}
}

func TestASharedArrayIsNotChangedForOthers(t *testing.T) {
	objects := onePage("/Annots 4 0 R")
	objects[0] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields 4 0 R>>>>"
	objects[1] = "<</Type/Pages/Kids[3 0 R 6 0 R]/Count 2>>"
	objects = append(objects, "[5 0 R]", "<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/Rect[0 0 9 9]>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 900]/Annots 4 0 R>>")
	data := file{objects: objects}.bytes()
	checkSealed(t, data, seal(t, data, request(t)), 1)
}

func TestTheTrailerIsCarriedOnWithoutWhatDescribesTheSection(t *testing.T) {
	id := "/ID[<00112233445566778899AABBCCDDEEFF><0123>]/Info 3 0 R/Odd[1 (two) <</Three 3>>]"
	data := file{objects: onePage(""), trailer: id}.bytes()
	once := opened(t, seal(t, data, request(t))).Trailer()
	halves := once.Get("ID").(pdf.Array)
	first, second := halves[0].(pdf.String), halves[1].(pdf.String)
	if fmt.Sprintf("%X", first.Value) != "00112233445566778899AABBCCDDEEFF" || len(second.Value) != 16 {
		t.Errorf("/ID is %X %X", first.Value, second.Value)
	}
	if once.Get("Info") != (pdf.Ref{Num: 3}) || len(once.Get("Odd").(pdf.Array)) != 3 {
		t.Errorf("the trailer is %v", once)
	}
	for _, s := range []fixtures.Shape{fixtures.ShapeHybrid, fixtures.ShapeXrefStream} {
		data, err := fixtures.PDF(s, fixtures.PDFOptions{})
		if err != nil {
			t.Fatal(err)
		}
		trailer := opened(t, seal(t, data, request(t))).Trailer()
		if trailer.Has("XRefStm") || trailer.Has("DecodeParms") || trailer.Has("Filter") {
			t.Errorf("%s: the trailer is %v", s, trailer)
		}
		if k, twice := trailer.Duplicate(); twice {
			t.Errorf("%s: /%s stands twice in the trailer", s, k)
		}
	}
}

func TestThePictureKeepsItsPixels(t *testing.T) {
	sealed := seal(t, file{objects: onePage("")}.bytes(), request(t))
	d := opened(t, sealed)
	var alpha, indexes []byte
	var space pdf.Array
	for n := 1; n < 20; n++ {
		o, err := d.Object(pdf.Ref{Num: n})
		if err != nil {
			t.Fatal(err)
		}
		s, ok := o.(*pdf.Stream)
		if !ok || s.Dict.Get("Subtype") != pdf.Name("Image") {
			continue
		}
		data, err := d.StreamData(s, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if s.Dict.Has("SMask") {
			indexes, space = data, s.Dict.Get("ColorSpace").(pdf.Array)
		} else {
			alpha = data
		}
	}
	if got := fmt.Sprintf("%X", space[3].(pdf.String).Value); got != "DC141E" {
		t.Errorf("the colours are %s", got)
	}
	if len(bytes.Trim(indexes, "\x00")) != 0 || len(indexes) != 496*62 {
		t.Error("one colour needs one bit and index 0")
	}
	// Four bits: 248 bytes a row.
	at := func(x, y int) byte { return alpha[y*248+x/2] >> (4 * (1 - x%2)) & 15 }
	if at(0, 0) != 0 || at(248, 248) != 15 || at(495, 495) != 0 || len(alpha) != 248*496 {
		t.Errorf("opacities %d %d %d", at(0, 0), at(248, 248), at(495, 495))
	}
}
