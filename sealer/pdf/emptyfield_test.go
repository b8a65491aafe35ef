package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// withField is a page with one form field: objects from 4 on, of which 4 is the root of the form.
func withField(page string, annots string, objects ...string) []byte {
	all := onePage("/Annots[" + annots + "]" + page)
	all[0] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>"
	return file{objects: append(all, objects...)}.bytes()
}

func fieldRequest(t testing.TB, name string) pdf.SealRequest {
	r := request(t)
	r.Placements, r.Field = nil, name
	return r
}

const fieldRect = "/Rect[100 200 300 340]" // larger than the seal of 119 points

func TestASealGoesIntoAnEmptyField(t *testing.T) {
	merged := "<</Type/Annot/Subtype/Widget/FT/Sig/T(Place)/TU(where it goes)/F 4" + fieldRect + "/P 3 0 R/MK<</BG[0 1 0]>>>>"
	cases := []struct {
		name, field string
		data        []byte
	}{
		{"widget and field in one", "Place", withField("", "4 0 R", merged)},
		{"a widget of its own", "Place", withField("", "5 0 R", "<</FT/Sig/T(Place)/Kids[5 0 R]>>",
			"<</Type/Annot/Subtype/Widget/Parent 4 0 R/F 4"+fieldRect+"/P 3 0 R>>")},
		{"inherited type, a name of two parts", "file.place", withField("", "5 0 R", "<</FT/Sig/T(file)/Kids[5 0 R]>>",
			"<</T(place)/Parent 4 0 R/Type/Annot/Subtype/Widget/F 4"+fieldRect+"/P 3 0 R>>")},
		{"no /P", "Place", withField("", "4 0 R", strings.Replace(merged, "/P 3 0 R", "", 1))},
		{"/P names something else", "Place", withField("", "4 0 R", strings.Replace(merged, "/P 3 0 R", "/P 1 0 R", 1))},
		{"an appearance before", "Place", withField("", "4 0 R", strings.Replace(merged, "/F 4", "/F 4/AP<</N 5 0 R>>", 1),
			"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 0>>\nstream\n\nendstream")},
		{"a value that is null", "Place", withField("", "4 0 R", strings.Replace(merged, "/F 4", "/F 4/V null", 1))},
		{"a value that is missing", "Place", withField("", "4 0 R", strings.Replace(merged, "/F 4", "/F 4/V 77 0 R", 1))},
		{"turned page", "Place", withField("/Rotate 90", "4 0 R", merged)},
		{"crop box and turned page", "Place", withField("/Rotate 270/CropBox[50 60 500 700]", "4 0 R", merged)},
		{"in an object stream", "Place", produce(t, withField("", "4 0 R", merged), []string{"qpdf", "--object-streams=generate", "IN", "OUT"})},
		{"linearised", "Place", produce(t, withField("", "4 0 R", merged), []string{"qpdf", "--linearize", "IN", "OUT"})},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := fieldRequest(t, c.field)
			u := plan(t, c.data, r)
			sealed := seal(t, c.data, r)
			checkSealed(t, c.data, sealed, 1)
			checkWithTools(t, save(t, sealed), true)
			if !strings.Contains(c.name, "names something else") && !strings.Contains(c.name, "missing") {
				// What is odd before signing, a verifier may suspect.
				checkPermitted(t, c.data, sealed)
			}
			if u.Field() != c.field || len(u.Marks()) != 1 || u.Marks()[0].Kind != pdf.MarkField {
				t.Fatalf("field %s, marks %v", u.Field(), u.Marks())
			}
			// The middle of the field is the middle of the seal.
			m := u.Marks()[0]
			if x, y := (m.Rect.X1+m.Rect.X2)/2, (m.Rect.Y1+m.Rect.Y2)/2; math.Abs(x-200) > 0.001 || math.Abs(y-270) > 0.001 {
				t.Errorf("the middle is %.3f, %.3f", x, y)
			}
			left, top, width, height, _, pageHeight := redBox(t, "pdftoppm", save(t, sealed), 1)
			bottom := pageHeight - top - height
			for _, v := range [][2]float64{{left, m.Shown.X1}, {bottom, m.Shown.Y1}, {width, 42}, {height, 42}} {
				if math.Abs(v[0]-v[1]) > 2*25.4/renderDPI {
					t.Errorf("the seal shows at %.2f, %.2f, %.2f × %.2f mm; the plan says %v", left, bottom, width, height, m.Shown)
					break
				}
			}
			if c.name == "widget and field in one" && !bytes.Contains(sealed[len(c.data):], []byte("/TU(where it goes)")) {
				t.Error("the field lost an entry")
			}
		})
	}
}

// checkPermitted compares the revisions as a verifier does.
func checkPermitted(t *testing.T, before, after []byte) {
	t.Helper()
	changes, err := pdf.Compare(context.Background(), opened(t, before), opened(t, after))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if !c.Permitted {
			t.Errorf("a verifier would say: %s", c.EN)
		}
	}
}

func TestAFieldThatShowsNothingIsSignedInvisibly(t *testing.T) {
	for name, object := range map[string]string{
		"no widget":      "<</FT/Sig/T(Place)>>",
		"no size":        "<</Type/Annot/Subtype/Widget/FT/Sig/T(Place)/F 132/Rect[0 0 0 0]/P 3 0 R>>",
		"hidden":         "<</Type/Annot/Subtype/Widget/FT/Sig/T(Place)/F 2" + fieldRect + "/P 3 0 R>>",
		"not to be seen": "<</Type/Annot/Subtype/Widget/FT/Sig/T(Place)/F 36" + fieldRect + "/P 3 0 R>>",
	} {
		t.Run(name, func(t *testing.T) {
			annots := "4 0 R"
			if name == "no widget" {
				annots = ""
			}
			data := withField("", annots, object)
			r := fieldRequest(t, "Place")
			u := plan(t, data, r)
			if len(u.Marks()) != 0 || len(u.Notes()) != 1 || u.Notes()[0].Code != pdf.NoteHiddenField {
				t.Errorf("marks %v, notes %v", u.Marks(), u.Notes())
			}
			sealed := seal(t, data, r)
			fields, err := opened(t, sealed).SignatureFields(context.Background())
			if err != nil || len(fields) != 1 || fields[0].Dict == nil {
				t.Fatalf("%v, %v", fields, err)
			}
			if bytes.Contains(sealed[len(data):], []byte("/Image")) {
				t.Error("a picture that nothing shows")
			}
			checkWithTools(t, save(t, sealed), true)
			r.Placements = []pdf.Placement{{Page: 1, X: 10, Y: 10}}
			if _, err := opened(t, data).PlanSeal(context.Background(), r); codeOf(err) != "pdf.bad-request" {
				t.Errorf("a place elsewhere: %v", err)
			}
		})
	}
}

func TestAFieldIsRefusedForItsReason(t *testing.T) {
	widget := func(extra string) []byte {
		return withField("", "4 0 R", "<</Type/Annot/Subtype/Widget/FT/Sig/T(Place)/F 4"+fieldRect+"/P 3 0 R"+extra+">>")
	}
	seed := func(entries string) []byte { return widget("/SV<</Type/SV" + entries + ">>") }
	cases := []struct {
		name, code string
		data       []byte
		change     func(*pdf.SealRequest)
	}{
		{"no such field", "pdf.no-such-field", widget(""), func(r *pdf.SealRequest) { r.Field = "place" }},
		{"a text field", "pdf.no-such-field", withField("", "4 0 R", "<</Subtype/Widget/FT/Tx/T(Place)"+fieldRect+">>"), nil},
		{"signed", "pdf.field-signed", widget("/V<</Type/Sig>>"), nil},
		{"two of the name", "pdf.ambiguous", withField("", "5 0 R 6 0 R", "<</FT/Sig/Kids[5 0 R 6 0 R]>>",
			"<</T(Place)/Parent 4 0 R/Subtype/Widget"+fieldRect+">>", "<</T(Place)/Parent 4 0 R/Subtype/Widget"+fieldRect+">>"), nil},
		{"two widgets", "pdf.ambiguous", withField("", "5 0 R 6 0 R", "<</FT/Sig/T(Place)/Kids[5 0 R 6 0 R]>>",
			"<</Parent 4 0 R/Subtype/Widget"+fieldRect+">>", "<</Parent 4 0 R/Subtype/Widget"+fieldRect+">>"), nil},
		{"read-only", "pdf.locked", widget("/Ff 1"), nil},
		{"on no page", "pdf.damaged-object", withField("", "", "<</Subtype/Widget/FT/Sig/T(Place)"+fieldRect+">>"), nil},
		{"beside the page", "pdf.outside-page", withField("", "4 0 R", "<</Subtype/Widget/FT/Sig/T(Place)/Rect[-100 0 100 200]>>"), nil},
		{"too small", "pdf.field-too-small", withField("", "4 0 R", "<</Subtype/Widget/FT/Sig/T(Place)/Rect[100 200 200 340]>>"), nil},
		{"too small, to be fitted", "", withField("", "4 0 R", "<</Subtype/Widget/FT/Sig/T(Place)/Rect[100 200 200 340]>>"), func(r *pdf.SealRequest) { r.FitField = true }},
		{"no picture", "pdf.bad-request", widget(""), func(r *pdf.SealRequest) { r.Appearance = nil }},
		{"two locks", "pdf.bad-request", widget("/Lock<</Action/All>>"), func(r *pdf.SealRequest) { r.Lock = &pdf.FieldLock{Action: pdf.LockAll} }},

		{"another handler suggested", "", seed("/Filter/Other"), nil},
		{"another handler demanded", "pdf.seed-value", seed("/Filter/Other/Ff 1"), nil},
		{"this handler demanded", "", seed("/Filter/GM.PKILite/Ff 1"), nil},
		{"other formats demanded", "pdf.seed-value", seed("/SubFilter[/ETSI.CAdES.detached/adbe.pkcs7.detached]/Ff 2"), nil},
		{"this format among others", "", seed("/SubFilter[/adbe.pkcs7.detached/GM.sm2seal]/Ff 2"), nil},
		{"a later version demanded", "pdf.seed-value", seed("/V 4/Ff 4"), nil},
		{"a known version demanded", "", seed("/V 2/Ff 4"), nil},
		{"another reason demanded", "pdf.seed-value", seed("/Reasons[(approved)]/Ff 8"), nil},
		{"this reason among others", "", seed("/Reasons[(approved)(\u51fa)<FEFF51FA51770028 8BC1 660E 0029>]/Ff 8"), nil},
		{"no reason wanted", "pdf.seed-value", seed("/Reasons[(.)]/Ff 8"), nil},
		{"revocation data demanded", "pdf.seed-value", seed("/AddRevInfo true/Ff 32"), nil},
		{"another digest demanded", "pdf.seed-value", seed("/DigestMethod[(SHA256)(SHA512)]/Ff 64"), nil},
		{"this digest among others", "", seed("/DigestMethod[(SHA256)(SM3)]/Ff 64"), nil},
		{"an unknown demand", "pdf.seed-value", seed("/Ff 4096"), nil},
		{"a certification demanded", "pdf.seed-value", seed("/MDP<</P 2>>"), nil},
		{"a certification demanded and given", "", seed("/MDP<</P 2>>"), func(r *pdf.SealRequest) { r.Certify = 2 }},
		{"an approval demanded, a certification given", "pdf.seed-value", seed("/MDP<</P 0>>"), func(r *pdf.SealRequest) { r.Certify = 2 }},
		{"a time stamp demanded", "pdf.seed-value", seed("/TimeStamp<</URL(http://tsa.example)/Ff 1>>"), nil},
		{"a time stamp demanded and given", "", seed("/TimeStamp<</URL(http://tsa.example)/Ff 1>>"), func(r *pdf.SealRequest) { r.TimeStamped = true }},
		{"certain certificates demanded", "pdf.seed-value", seed("/Cert<</Issuer[(x)]/Ff 2>>"), nil},
		{"certain certificates suggested", "", seed("/Cert<</Issuer[(x)]>>"), nil},
		{"the document to be locked", "pdf.seed-value", seed("/LockDocument/true/Ff 128"), nil},
		{"a key of the seed twice", "pdf.ambiguous", seed("/Filter/A/Filter/B"), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := fieldRequest(t, "Place")
			if c.change != nil {
				c.change(&r)
			}
			_, err := opened(t, c.data).PlanSeal(context.Background(), r)
			if codeOf(err) != c.code {
				t.Errorf("%v, want %q", err, c.code)
			}
		})
	}
}

func TestAFittedSealKeepsItsShape(t *testing.T) {
	data := withField("", "4 0 R", "<</Subtype/Widget/FT/Sig/T(Place)/Rect[100 200 180 400]>>")
	r := fieldRequest(t, "Place")
	r.FitField = true
	u := plan(t, data, r)
	m := u.Marks()[0]
	if math.Abs(m.Rect.Width()-80) > 0.001 || math.Abs(m.Rect.Height()-80) > 0.001 {
		t.Errorf("the seal is %v", m.Rect)
	}
	found := false
	for _, n := range u.Notes() {
		found = found || n.Code == pdf.NoteFitted && n.Page == 1
	}
	if !found {
		t.Errorf("notes %v", u.Notes())
	}
	_, _, width, height, _, _ := redBox(t, "pdftoppm", save(t, seal(t, data, r)), 1)
	if want := 80 * 25.4 / 72; math.Abs(width-want) > 0.4 || math.Abs(height-want) > 0.4 {
		t.Errorf("it shows as %.1f × %.1f mm", width, height)
	}
}

func TestTheLockOfAFieldIsObeyed(t *testing.T) {
	data := withField("", "4 0 R", "<</Type/Annot/Subtype/Widget/FT/Sig/T(Place)/F 4"+fieldRect+
		"/P 3 0 R/Lock<</Type/SigFieldLock/Action/Include/Fields[(Other)<FEFF57DF>]>>>>")
	sealed := seal(t, data, fieldRequest(t, "Place"))
	d := opened(t, sealed)
	fields, err := d.SignatureFields(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	reference := resolved[pdf.Dict](t, d, fields[0].Dict.Get("Reference").(pdf.Array)[0])
	parameters := resolved[pdf.Dict](t, d, reference.Get("TransformParams"))
	if reference.Get("TransformMethod") != pdf.Name("FieldMDP") || reference.Get("Data") != (pdf.Ref{Num: 1}) ||
		parameters.Get("Action") != pdf.Name("Include") || parameters.Get("V") != pdf.Name("1.2") {
		t.Errorf("the reference is %v", reference)
	}
	names := parameters.Get("Fields").(pdf.Array)
	if names[0].(pdf.String).Text() != "Other" || names[1].(pdf.String).Text() != "域" {
		t.Errorf("the names are %v", names)
	}
	checkPermitted(t, data, sealed)
}

func TestAFieldAmongFurtherPlaces(t *testing.T) {
	data := withField("", "4 0 R", "<</Type/Annot/Subtype/Widget/FT/Sig/T(Place)/F 4"+fieldRect+"/P 3 0 R>>")
	r := fieldRequest(t, "Place")
	r.Placements = []pdf.Placement{{Page: 1, From: pdf.TopRight, X: 10, Y: 10}}
	u := plan(t, data, r)
	if m := u.Marks(); len(m) != 2 || m[0].Kind != pdf.MarkField || m[1].Kind != pdf.MarkSeal {
		t.Fatalf("marks %v", m)
	}
	sealed := seal(t, data, r)
	checkSealed(t, data, sealed, 1)
	checkWithTools(t, save(t, sealed), true)
	r.Placements[0] = pdf.Placement{Page: 1, X: 50, Y: 80}
	if _, err := opened(t, data).PlanSeal(context.Background(), r); fault.CodeOf(err) != "pdf.overlap" {
		t.Errorf("a place over the field: %v", err)
	}
}

func TestOverlapsAreRefused(t *testing.T) {
	mm := func(v float64) float64 { return v * 72 / 25.4 }
	annotation := func(entries string) []byte {
		// From 100 to 120 mm, both ways.
		return file{objects: append(onePage("/Annots[4 0 R]"), fmt.Sprintf("<</Type/Annot/Rect[%.4f %.4f %.4f %.4f]%s>>",
			mm(100), mm(100), mm(120), mm(120), entries))}.bytes()
	}
	at := func(places ...pdf.Placement) func(*pdf.SealRequest) {
		return func(r *pdf.SealRequest) { r.Placements = places }
	}
	over := at(pdf.Placement{Page: 1, X: 90, Y: 90})
	cases := []struct {
		name, code string
		data       []byte
		change     func(*pdf.SealRequest)
	}{
		{"a form field", "pdf.overlap", annotation("/Subtype/Widget/FT/Tx/F 4"), over},
		{"a form field, allowed", "", annotation("/Subtype/Widget/FT/Tx/F 4"), func(r *pdf.SealRequest) { over(r); r.AllowOverlap = true }},
		{"beside a form field", "", annotation("/Subtype/Widget/FT/Tx"), at(pdf.Placement{Page: 1, X: 58, Y: 90})},
		{"a tenth of a millimetre into it", "pdf.overlap", annotation("/Subtype/Widget/FT/Tx"), at(pdf.Placement{Page: 1, X: 58.1, Y: 90})},
		{"a hidden field", "", annotation("/Subtype/Widget/FT/Tx/F 2"), over},
		{"a link", "", annotation("/Subtype/Link/F 4"), over},
		{"a stamp that can be moved", "", annotation("/Subtype/Stamp/F 4"), over},
		{"a part of an earlier seal", "pdf.overlap", annotation("/Subtype/Stamp/F 708"), over},
		{"two places", "pdf.overlap", plainPages(2), at(pdf.Placement{Page: 1, X: 10, Y: 10}, pdf.Placement{Page: 1, X: 40, Y: 40})},
		{"two places side by side", "", plainPages(2), at(pdf.Placement{Page: 1, X: 10, Y: 10}, pdf.Placement{Page: 1, X: 52, Y: 10})},
		{"the same place on two pages", "", plainPages(2), at(pdf.Placement{Pages: "all", X: 10, Y: 10})},
		{"one page named twice", "pdf.overlap", plainPages(2), at(pdf.Placement{Page: 2, X: 10, Y: 10}, pdf.Placement{Pages: "even", X: 10, Y: 10})},
		{"a place over the straddle seal", "pdf.overlap", plainPages(2), func(r *pdf.SealRequest) {
			r.Placements = []pdf.Placement{{Page: 1, From: pdf.BottomRight, X: 0, Y: 130}}
			r.Straddle = &pdf.Straddle{}
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := request(t)
			c.change(&r)
			_, err := opened(t, c.data).PlanSeal(context.Background(), r)
			if codeOf(err) != c.code {
				t.Fatalf("%v, want %q", err, c.code)
			}
			if f, ok := fault.Of(err); ok && f.Place.Page == 0 {
				t.Errorf("the error does not name the page: %v", err)
			}
		})
	}
	// Sealing twice in one place.
	once := seal(t, plainPages(2), request(t))
	_, err := opened(t, once).PlanSeal(context.Background(), request(t))
	if f, ok := fault.Of(err); !ok || f.Code != "pdf.overlap" || f.Place.Object == "" || f.Place.Page != 1 {
		t.Errorf("a second seal over the first: %v", err)
	}
}
