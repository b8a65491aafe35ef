package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
	"yinxin/sealer/pdf"
)

func TestACertificationSaysItsLevel(t *testing.T) {
	for _, shape := range []fixtures.Shape{fixtures.ShapeTable, fixtures.ShapeObjectStreams, fixtures.ShapeFormWithFields} {
		for level := 1; level <= 3; level++ {
			data, err := fixtures.PDF(shape, fixtures.PDFOptions{})
			if err != nil {
				t.Fatal(err)
			}
			r := request(t)
			r.Placements[0].Y = 120
			r.Certify = level
			sealed := seal(t, data, r)
			checkWithTools(t, save(t, sealed), !shape.Warns())
			d := opened(t, sealed)
			catalog, _, err := d.Catalog()
			if err != nil {
				t.Fatal(err)
			}
			signature := resolved[pdf.Dict](t, d, resolved[pdf.Dict](t, d, catalog.Get("Perms")).Get("DocMDP"))
			reference := resolved[pdf.Dict](t, d, signature.Get("Reference").(pdf.Array)[0])
			parameters := resolved[pdf.Dict](t, d, reference.Get("TransformParams"))
			if reference.Get("TransformMethod") != pdf.Name("DocMDP") || parameters.Get("P") != pdf.Integer(level) ||
				parameters.Get("V") != pdf.Name("1.2") || signature.Get("SubFilter") != pdf.Name("GM.sm2seal") {
				t.Errorf("%s: the signature is %v", shape, signature)
			}
			// What a second seal may do follows from the level.
			r.Certify, r.Placements = 0, []pdf.Placement{{Page: 1, From: pdf.TopRight, X: 10, Y: 10}}
			_, err = d.PlanSeal(context.Background(), r)
			if want := []string{"pdf.certified", "pdf.certified", ""}[level-1]; codeOf(err) != want {
				t.Errorf("%s, level %d: a second seal: %v, want %q", shape, level, err, want)
			}
			checkUniversal(t, sealed)
		}
	}
}

// checkUniversal: pdfsig finds the signature and its range to be whole.
func checkUniversal(t *testing.T, sealed []byte) {
	t.Helper()
	out, err := exec.Command(tooltest.Find(t, "pdfsig"), "-nocert", save(t, sealed)).CombinedOutput()
	// The made-up contents are no signature: pdfsig says so with its status, and lists the ranges all the same.
	if !bytes.Contains(out, []byte("Signed Ranges")) || !bytes.Contains(out, []byte("Total document signed")) {
		t.Errorf("pdfsig: %v\n%s", err, out)
	}
}

func TestOnlyTheFirstSignatureCertifies(t *testing.T) {
	data := seal(t, plainPages(1), request(t))
	r := request(t)
	r.Placements[0].Y, r.Certify = 120, 2
	if _, err := opened(t, data).PlanSeal(context.Background(), r); fault.CodeOf(err) != "pdf.certify-signed" {
		t.Errorf("%v", err)
	}
	// Not even when a document time stamp is all there is.
	u, err := opened(t, plainPages(1)).PlanTimeStamp(context.Background(), 100)
	if err != nil {
		t.Fatal(err)
	}
	update, err := u.Fill([]byte{0x30, 0})
	if err != nil {
		t.Fatal(err)
	}
	stamped := append(plainPages(1), update...)
	if _, err := opened(t, stamped).PlanSeal(context.Background(), r); fault.CodeOf(err) != "pdf.certify-signed" {
		t.Errorf("%v", err)
	}
}

func TestAFormThatIsCertifiedTakesASealInAnEmptyFieldOnly(t *testing.T) {
	data, err := fixtures.PDF(fixtures.ShapeCertifiedP2Open, fixtures.PDFOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := fieldRequest(t, "Signature1")
	sealed := seal(t, data, r)
	checkSealed(t, data, sealed, 2)
	checkPermitted(t, data, sealed)
	r.Placements = []pdf.Placement{{Page: 1, From: pdf.TopRight, X: 10, Y: 10}}
	if _, err := opened(t, data).PlanSeal(context.Background(), r); fault.CodeOf(err) != "pdf.certified" {
		t.Errorf("a further place: %v", err)
	}
	r.Placements, r.Straddle = nil, &pdf.Straddle{}
	if _, err := opened(t, data).PlanSeal(context.Background(), r); fault.CodeOf(err) != "pdf.certified" {
		t.Errorf("a straddle seal: %v", err)
	}
	closed := bytes.Replace(data, []byte("/P 2 /V"), []byte("/P 1 /V"), 1)
	if _, err := opened(t, closed).PlanSeal(context.Background(), fieldRequest(t, "Signature1")); fault.CodeOf(err) != "pdf.certified" {
		t.Errorf("level 1: %v", err)
	}
}

func TestLocksAreWrittenAndObeyed(t *testing.T) {
	// Two empty fields; the first is sealed with a lock.
	objects := onePage("/Annots[4 0 R 6 0 R]")
	objects[0] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R 5 0 R]>>>>"
	data := file{objects: append(objects, "<</Type/Annot/Subtype/Widget/FT/Sig/T(A)/F 4/Rect[10 10 200 200]/P 3 0 R>>",
		"<</T(B)/FT/Sig/Kids[6 0 R]>>", "<</Parent 5 0 R/T(C)/Type/Annot/Subtype/Widget/F 4/Rect[300 10 500 200]/P 3 0 R>>")}.bytes()
	cases := []struct {
		lock       pdf.FieldLock
		other, new string // what sealing the field B.C, and in a new field, gives
	}{
		{pdf.FieldLock{Action: pdf.LockAll}, "pdf.locked", "pdf.locked"},
		{pdf.FieldLock{Action: pdf.LockInclude, Fields: []string{"B.C"}}, "pdf.locked", ""},
		{pdf.FieldLock{Action: pdf.LockInclude, Fields: []string{"B"}}, "pdf.locked", ""},
		{pdf.FieldLock{Action: pdf.LockInclude, Fields: []string{"B.CD", "域"}}, "", ""},
		{pdf.FieldLock{Action: pdf.LockExclude, Fields: []string{"B.C"}}, "", "pdf.locked"},
		{pdf.FieldLock{Action: pdf.LockExclude, Fields: []string{"A"}}, "pdf.locked", "pdf.locked"},
	}
	for _, c := range cases {
		r := fieldRequest(t, "A")
		r.Lock = &c.lock
		fresh := request(t)
		fresh.Lock = &c.lock
		fresh.Placements[0] = pdf.Placement{Page: 1, From: pdf.TopLeft, X: 10, Y: 60}
		for name, first := range map[string]pdf.SealRequest{"an existing field": r, "a new field": fresh} {
			sealed := seal(t, data, first)
			d := opened(t, sealed)
			if _, err := d.PlanSeal(context.Background(), fieldRequest(t, "B.C")); codeOf(err) != c.other {
				t.Errorf("%s, %v: sealing B.C: %v, want %q", name, c.lock, err, c.other)
			}
			again := request(t)
			again.Placements[0] = pdf.Placement{Page: 1, From: pdf.TopRight, X: 10, Y: 10}
			if _, err := d.PlanSeal(context.Background(), again); codeOf(err) != c.new {
				t.Errorf("%s, %v: a new field: %v, want %q", name, c.lock, err, c.new)
			}
			fields, err := d.SignatureFields(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(fields, func(f pdf.SignatureField) bool { return f.Dict != nil })
			if has := fields[i].Lock != nil; has != (name == "a new field") {
				t.Errorf("%s: a lock dictionary: %v", name, has)
			}
		}
	}
	for _, bad := range []pdf.FieldLock{{}, {Action: "Some"}, {Action: pdf.LockInclude}, {Action: pdf.LockAll, Fields: []string{"A"}},
		{Action: pdf.LockInclude, Fields: []string{""}}, {Action: pdf.LockInclude, Fields: []string{strings.Repeat("x", 1<<17)}}} {
		r := request(t)
		r.Lock = &bad
		if _, err := opened(t, data).PlanSeal(context.Background(), r); fault.CodeOf(err) != "pdf.bad-request" {
			t.Errorf("%v: %v", bad.Action, err)
		}
	}
}

func TestALockOnAFieldThatIsNotThereIsSaid(t *testing.T) {
	data := withField("", "4 0 R", "<</Subtype/Widget/FT/Tx/T(Name)/Rect[0 0 10 10]>>")
	for name, noted := range map[string]bool{"Name": false, "Nam": true, "Name.Sub": true} {
		r := request(t)
		r.Lock = &pdf.FieldLock{Action: pdf.LockInclude, Fields: []string{name}}
		u, err := opened(t, data).PlanSeal(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		said := slices.ContainsFunc(u.Notes(), func(n pdf.Note) bool { return n.Code == pdf.NoteLockMissing && strings.Contains(n.ZH, name) })
		if said != noted {
			t.Errorf("%s: %v", name, u.Notes())
		}
	}
}

func TestTheMiddleOfTheSealGoesThereWhateverLinesAreBelow(t *testing.T) {
	data := file{objects: onePage("")}.bytes()
	r := request(t)
	r.Placements = []pdf.Placement{{Page: 1, From: pdf.Centre, X: 100, Y: 150}}
	u, err := opened(t, data).PlanSeal(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	plain := u.Marks()[0].Shown
	lined, err := r.Appearance.WithLines([]pdf.Line{{Text: "2026年11月26日"}}, chineseFont(t))
	if err != nil {
		t.Fatal(err)
	}
	r.Appearance = lined
	if u, err = opened(t, data).PlanSeal(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if shown := u.Marks()[0].Shown; math.Abs(shown.Y2-plain.Y2) > 0.01 || shown.Y1 > plain.Y1-3 {
		t.Errorf("with a line the seal is at %v, without at %v", shown, plain)
	}
}

func TestARefusedPlaceSaysWhatIsWrongWithIt(t *testing.T) {
	plain := file{objects: onePage("")}.bytes()
	field := func(f string) []byte {
		return withField("", "4 0 R", "<</Subtype/Widget/F 4/Rect[100 100 300 300]"+f+">>")
	}
	for _, c := range []struct {
		name   string
		data   []byte
		at     pdf.Placement
		zh, en string
	}{
		{"over two edges", plain, pdf.Placement{Page: 1, X: -2.5, Y: 290}, "距左 -2.5、距下 290.0 毫米处，左边超出 2.5 毫米、上边超出 35.0 毫米", "2.5 mm over the left edge and 35.0 mm over the upper edge"},
		{"a page that is not there", plain, pdf.Placement{Page: 9}, "要的是 9，文件共 1 页", "asked for 9, the file has 1"},
		{"over an empty signature field", field("/FT/Sig/T(Sign here)"), pdf.Placement{Page: 1, X: 40, Y: 40}, `空的签名域 "Sign here"`, `the empty signature field "Sign here"`},
		{"over a field of the form", field("/FT/Tx/T(Name)"), pdf.Placement{Page: 1, X: 40, Y: 40}, `表单域 "Name"`, `the form field "Name"`},
	} {
		r := request(t)
		r.Placements = []pdf.Placement{c.at}
		_, err := opened(t, c.data).PlanSeal(context.Background(), r)
		if f, ok := fault.Of(err); !ok || !strings.Contains(f.Sentence("zh"), c.zh) || !strings.Contains(f.Sentence("en"), c.en) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	r := request(t)
	r.Placements, r.Field = nil, "Other"
	_, err := opened(t, field("/FT/Sig/T(Sign here)")).PlanSeal(context.Background(), r)
	if f, ok := fault.Of(err); !ok || f.Code != "pdf.no-such-field" || !strings.Contains(f.Sentence("zh"), `空的签名域有："Sign here"`) {
		t.Errorf("a field that is not there: %v", err)
	}
}

func TestPermissionsThatAreThereStay(t *testing.T) {
	for name, perms := range map[string]string{"direct": "<</UR3 4 0 R>>", "indirect": "5 0 R"} {
		objects := onePage("")
		objects[0] = "<</Type/Catalog/Pages 2 0 R/Perms " + perms + ">>"
		data := file{objects: append(objects, "<</Type/Sig>>", "<</UR3 4 0 R>>")}.bytes()
		r := request(t)
		r.Certify = 3
		d := opened(t, seal(t, data, r))
		catalog, _, err := d.Catalog()
		if err != nil {
			t.Fatal(err)
		}
		p := resolved[pdf.Dict](t, d, catalog.Get("Perms"))
		if p.Get("UR3") != (pdf.Ref{Num: 4}) || !p.Has("DocMDP") {
			t.Errorf("%s: the permissions are %v", name, p)
		}
	}
}

func TestASignatureWithoutAPlaceIsInvisible(t *testing.T) {
	data := plainPages(2)
	r := request(t)
	r.Placements, r.Appearance = nil, nil
	u := plan(t, data, r)
	if len(u.Marks()) != 0 {
		t.Errorf("marks %v", u.Marks())
	}
	sealed := seal(t, data, r)
	checkSealed(t, data, sealed, 1)
	checkWithTools(t, save(t, sealed), true)
	checkPermitted(t, data, sealed)
	if bytes.Contains(sealed[len(data):], []byte("/AP")) {
		t.Error("an appearance that nobody sees")
	}
	r.Certify = 4
	if _, err := opened(t, data).PlanSeal(context.Background(), r); fault.CodeOf(err) != "pdf.bad-request" {
		t.Errorf("level 4: %v", err)
	}
}

// TestTheFirstSignatureMayCertify: before there is any signature, there is nobody whose document that changes.
func TestTheFirstSignatureMayCertify(t *testing.T) {
	plain := file{objects: onePage("")}.bytes()
	certifying := request(t)
	certifying.Certify = 2
	sealed := seal(t, plain, certifying)
	changes := compared(t, reopened(t, plain), reopened(t, sealed))
	if len(changes) != 1 || !changes[0].Permitted || changes[0].Kind != pdf.ChangeSignatureAdded {
		t.Errorf("%+v", changes)
	}
	// The permissions of something that is no signature of the form.
	fields, err := reopened(t, sealed).SignatureFields(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	real := fmt.Sprintf("/DocMDP %d 0 R", fields[0].Value.Num)
	forged := bytes.Replace(sealed, []byte(real), []byte(fmt.Sprintf("/DocMDP %d 0 R", fields[0].Field.Num)), 1)
	if len(forged) != len(sealed) || bytes.Equal(forged, sealed) {
		t.Fatal("the test does not find the permissions")
	}
	changes = compared(t, reopened(t, plain), reopened(t, forged))
	if len(changes) == 0 || changes[0].Permitted || changes[0].Kind != pdf.ChangeCatalog {
		t.Errorf("%+v", changes)
	}
}
