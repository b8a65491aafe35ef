package pdf_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

func withDigest(body []byte) []byte {
	sum := sha256.Sum256(body)
	return append(bytes.Clone(body), sum[:]...)
}

func stampedFile(t *testing.T, data []byte) []byte {
	t.Helper()
	u, err := opened(t, data).PlanTimeStamp(context.Background(), 2000)
	if err != nil {
		t.Fatal(err)
	}
	der, err := hex.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	update, err := u.Fill(der)
	if err != nil {
		t.Fatal(err)
	}
	return append(bytes.Clone(data), update...)
}

func TestATimeStampIsAddedToAnyDocument(t *testing.T) {
	for _, shape := range []fixtures.Shape{fixtures.ShapeTable, fixtures.ShapeObjectStreams, fixtures.ShapeLinearised, fixtures.ShapeCertifiedP1,
		fixtures.ShapeCertifiedP2, fixtures.ShapeSignedLocked, fixtures.ShapeFormWithFields, fixtures.ShapeRotated270} {
		t.Run(string(shape), func(t *testing.T) {
			data, err := fixtures.PDF(shape, fixtures.PDFOptions{})
			if err != nil {
				t.Fatal(err)
			}
			before := signatureFields(t, data)
			once := stampedFile(t, data)
			checkSealed(t, data, once, before+1)
			twice := stampedFile(t, once)
			checkSealed(t, once, twice, before+2)
			checkPermitted(t, data, once)
			checkPermitted(t, once, twice)
			checkWithTools(t, save(t, twice), !shape.Warns())
			d := opened(t, twice)
			fields, err := d.SignatureFields(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			f := fields[len(fields)-1]
			if f.Name != "TimeStamp2" || f.Dict.Get("Type") != pdf.Name("DocTimeStamp") || f.Dict.Get("SubFilter") != pdf.Name("ETSI.RFC3161") ||
				f.Dict.Has("M") || f.Dict.Has("Reference") {
				t.Errorf("the time stamp is %s: %v", f.Name, f.Dict)
			}
			widget := resolved[pdf.Dict](t, d, f.Widgets[0])
			if widget.Get("F") != pdf.Integer(132) || rectOf(widget.Get("Rect")) != (pdf.Rect{}) || widget.Has("AP") {
				t.Errorf("the widget is %v", widget)
			}
		})
	}
}

// TestASealMayFollowATimeStamp: the names do not meet.
func TestASealMayFollowATimeStamp(t *testing.T) {
	u := plan(t, stampedFile(t, plainPages(1)), request(t))
	if u.Field() != "Seal1" {
		t.Errorf("the field is %s", u.Field())
	}
}

// contentOf reads the lists of the DSS: what each stream holds.
func contentOf(t *testing.T, data []byte) (lists map[string][]string, vri map[string]map[string][]string) {
	t.Helper()
	d := opened(t, data)
	catalog, _, err := d.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	read := func(dict pdf.Dict, keys ...pdf.Name) map[string][]string {
		out := map[string][]string{}
		for _, k := range keys {
			if !dict.Has(k) {
				continue
			}
			for _, o := range resolved[pdf.Array](t, d, dict.Get(k)) {
				content, err := d.StreamData(resolved[*pdf.Stream](t, d, o), 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				out[string(k)] = append(out[string(k)], string(content))
			}
		}
		return out
	}
	dss := resolved[pdf.Dict](t, d, catalog.Get("DSS"))
	vri = map[string]map[string][]string{}
	if dss.Has("VRI") {
		for _, e := range resolved[pdf.Dict](t, d, dss.Get("VRI")) {
			vri[string(e.Key)] = read(resolved[pdf.Dict](t, d, e.Value), "Cert", "CRL", "OCSP")
		}
	}
	return read(dss, "Certs", "CRLs", "OCSPs"), vri
}

func appendDSS(t *testing.T, data []byte, s pdf.DSS) []byte {
	t.Helper()
	update, err := opened(t, data).AppendDSS(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return append(bytes.Clone(data), update...)
}

func ders(values ...string) [][]byte {
	var out [][]byte
	for _, v := range values {
		out = append(out, []byte(v))
	}
	return out
}

func TestValidationDataAreMerged(t *testing.T) {
	a, b := pdf.VRIKey([]byte("a")), pdf.VRIKey([]byte("b"))
	if a != "86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8" {
		t.Errorf("the key is %s", a)
	}
	first := pdf.DSS{Certs: ders("root", "leaf", "root"), CRLs: ders("crl 1"), VRI: map[string]pdf.VRI{a: {Certs: ders("leaf", "tsa"), CRLs: ders("crl 1")}}}
	second := pdf.DSS{Certs: ders("leaf", "other"), OCSPs: ders("crl 1"), VRI: map[string]pdf.VRI{
		a: {CRLs: ders("crl 1", "crl 2")}, b: {OCSPs: ders("answer")}}}
	direct := onePage("")
	direct[0] = "<</Type/Catalog/Pages 2 0 R/DSS<</Certs 5 0 R/VRI<</" + a + "<</Cert[4 0 R]/TU(D:2026)>>>>>>>>"
	direct = append(direct, "<</Length 4>>\nstream\nroot\nendstream", "[4 0 R]")
	indirect := onePage("")
	indirect[0] = "<</Type/Catalog/Pages 2 0 R/DSS 6 0 R>>"
	indirect = append(indirect, "<</Length 4>>\nstream\nroot\nendstream", "[4 0 R]", "<</Certs 5 0 R/VRI 7 0 R>>",
		"<</"+a+" 8 0 R>>", "<</Cert[4 0 R]/TU(D:2026)>>")
	for name, data := range map[string][]byte{
		"none": plainPages(1), "direct": file{objects: direct}.bytes(), "indirect": file{objects: indirect}.bytes(),
		"indirect, in object streams": produce(t, file{objects: indirect}.bytes(), []string{"qpdf", "--object-streams=generate", "IN", "OUT"}),
	} {
		t.Run(name, func(t *testing.T) {
			once := appendDSS(t, data, first)
			twice := appendDSS(t, once, second)
			if again := appendDSS(t, twice, second); !bytes.Equal(again, twice) {
				t.Error("what is there already was added again")
			}
			if !bytes.HasPrefix(twice, once) || !bytes.HasPrefix(once, data) {
				t.Fatal("the original changed")
			}
			checkWithTools(t, save(t, twice), true)
			lists, vri := contentOf(t, twice)
			wantLists := map[string][]string{"Certs": {"root", "leaf", "tsa", "other"}, "CRLs": {"crl 1", "crl 2"}, "OCSPs": {"crl 1", "answer"}}
			wantVRI := map[string]map[string][]string{a: {"Cert": {"leaf", "tsa"}, "CRL": {"crl 1", "crl 2"}}, b: {"OCSP": {"answer"}}}
			if name != "none" {
				wantVRI[a]["Cert"] = []string{"root", "leaf", "tsa"}
				if !bytes.Contains(bytes.ReplaceAll(twice[len(once):], []byte("/TU ("), []byte("/TU(")), []byte("/TU(D:2026)")) {
					t.Error("an entry of the VRI dictionary was lost")
				}
			}
			if fmt.Sprint(lists) != fmt.Sprint(wantLists) || fmt.Sprint(vri) != fmt.Sprint(wantVRI) {
				t.Errorf("the lists are %v and %v", lists, vri)
			}
			// Eight streams are needed, and where the file had one of them that one is not written again.
			want := 8
			if name != "none" {
				want--
			}
			if n := bytes.Count(twice[len(data):], []byte(" obj\n<</Filter/FlateDecode/Length ")); n != want {
				t.Errorf("%d streams are written, want %d", n, want)
			}
			// A seal after it, and the DSS once more after that.
			sealed := seal(t, twice, request(t))
			checkSealed(t, twice, sealed, 1)
			checkWithTools(t, save(t, appendDSS(t, sealed, pdf.DSS{Certs: ders("last")})), true)
		})
	}
}

func TestValidationDataAreRefusedForTheirReason(t *testing.T) {
	key := pdf.VRIKey(nil)
	damaged := onePage("")
	damaged[0] = "<</Type/Catalog/Pages 2 0 R/DSS 3>>"
	twice := onePage("")
	twice[0] = "<</Type/Catalog/Pages 2 0 R/DSS<<>>/DSS<<>>>>"
	cases := []struct {
		name, code string
		data       []byte
		dss        pdf.DSS
	}{
		{"nothing", "", plainPages(1), pdf.DSS{}},
		{"a key in lower case", "pdf.bad-request", plainPages(1), pdf.DSS{VRI: map[string]pdf.VRI{strings.ToLower(key): {}}}},
		{"encrypted", "pdf.encrypted", file{objects: onePage(""), trailer: "/Encrypt<<>>"}.bytes(), pdf.DSS{Certs: ders("a")}},
		{"a DSS that is a number", "pdf.damaged-object", file{objects: damaged}.bytes(), pdf.DSS{Certs: ders("a")}},
		{"two of them", "pdf.ambiguous", file{objects: twice}.bytes(), pdf.DSS{Certs: ders("a")}},
		{"too many", "pdf.too-large", plainPages(1), pdf.DSS{Certs: make([][]byte, 10_001)}},
	}
	for _, c := range cases {
		if _, err := opened(t, c.data).AppendDSS(context.Background(), c.dss); codeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
	}
	if _, err := opened(t, plainPages(1)).PlanTimeStamp(context.Background(), 0); fault.CodeOf(err) != "pdf.bad-request" {
		t.Errorf("a time stamp without room: %v", err)
	}
}

func TestAddingValidationDataTwiceFromTheStartGivesTheSameBytes(t *testing.T) {
	s := pdf.DSS{VRI: map[string]pdf.VRI{}}
	for i := range 20 {
		s.VRI[pdf.VRIKey([]byte{byte(i)})] = pdf.VRI{Certs: ders(fmt.Sprint(i)), OCSPs: ders("x")}
	}
	first := appendDSS(t, plainPages(1), s)
	for range 4 {
		if !bytes.Equal(first, appendDSS(t, plainPages(1), s)) {
			t.Fatal("the bytes differ")
		}
	}
}
