package pdf_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"yinxin/sealer/pdf"
)

// xmp is a metadata stream with a title and a date.
func xmp(title, date string) string {
	return streamOf("/Type/Metadata/Subtype/XML", `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">`+
		`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">`+
		`<dc:title><rdf:Alt><rdf:li xml:lang="x-default">`+title+`</rdf:li></rdf:Alt></dc:title><xmp:ModifyDate>`+date+`</xmp:ModifyDate>`+
		`</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`)
}

func streamOf(entries, data string) string {
	return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", entries, len(data), data)
}

// Parts of the document that the tests of changes seal, as they stand in it.
const (
	catalogText = "/Type/Catalog/Pages 2 0 R/AcroForm 5 0 R/Metadata 14 0 R/OCProperties<</OCGs[15 0 R]/D 16 0 R>>/PageLabels 21 0 R/Names 22 0 R"
	page1Text   = "/Type/Page/Parent 2 0 R/MediaBox[0 0 595.276 841.89]/Contents 6 0 R/Resources<</Font<</F1 7 0 R>>/XObject<</X1 17 0 R>>/Properties<</L1 15 0 R>>>>"
	page2Text   = "/Type/Page/Parent 2 0 R/MediaBox[0 0 595.276 841.89]/Contents 12 0 R/Annots 18 0 R"
	fontText    = "<</Type/Font/Subtype/Type0/BaseFont/Song/Encoding/Identity-H/DescendantFonts[26 0 R]/ToUnicode 23 0 R>>"
	textText    = "/Type/Annot/Subtype/Widget/FT/Tx/T(name)/F 4/P 3 0 R/Rect[100 600 300 620]/DA(/F1 10 Tf 0 g)"
	checkText   = "/Type/Annot/Subtype/Widget/FT/Btn/T(agree)/F 4/P 3 0 R/Rect[100 560 112 572]/AP<</N<</Yes 24 0 R/Off 25 0 R>>>>"
	choiceText  = "/Type/Annot/Subtype/Widget/FT/Ch/T(grade)/F 4/P 3 0 R/Rect[100 530 200 545]/Opt[(A)(B)]/DA(/F1 10 Tf 0 g)"
	sigText     = "/Type/Annot/Subtype/Widget/FT/Sig/T(Second)/F 132/P 4 0 R/Rect[100 100 220 220]"
	formText    = "/Fields[8 0 R 9 0 R 10 0 R 13 0 R 20 0 R 27 0 R]/DR<</Font<</F1 7 0 R>>>>/DA(/F1 10 Tf 0 g)"
	lookBox     = "/Type/XObject/Subtype/Form/BBox[0 0 100 20]"
)

// rich is a document of two pages with a form, layers and metadata.
func rich() []byte {
	return file{trailer: "/Info 19 0 R", objects: []string{
		"<<" + catalogText + ">>",
		"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>",
		"<<" + page1Text + "/Annots[8 0 R 9 0 R 10 0 R 11 0 R 20 0 R 28 0 R]>>",
		"<<" + page2Text + ">>",
		"<<" + formText + ">>",
		streamOf("", "BT /F1 24 Tf 100 700 Td <0001> Tj ET /X1 Do"),
		fontText,
		"<<" + textText + "/V(Zhang)/AP<</N 29 0 R>>>>",
		"<<" + checkText + "/V/Off/AS/Off>>",
		"<<" + choiceText + "/V(A)>>",
		"<</Type/Annot/Subtype/Square/F 4/Rect[300 300 400 400]/AP<</N 17 0 R>>>>",
		streamOf("", "0 0 1 rg 10 10 50 50 re f"),
		"<<" + sigText + ">>",
		xmp("Copy", "2026-01-01T00:00:00Z"),
		"<</Type/OCG/Name(Layer)>>",
		"<</Name(Default)/BaseState/ON/OFF[]>>",
		streamOf(lookBox, "0 1 0 rg 0 0 10 10 re f"),
		"[13 0 R]",
		"<</Title(Copy)/ModDate(D:20260101000000Z)>>",
		"<</Type/Annot/Subtype/Widget/FT/Tx/Ff 1/T(fixed)/V(85)/F 4/P 3 0 R/Rect[100 500 200 515]>>",
		"<</Nums[0<</S/D>>]>>",
		"<</Dests 30 0 R>>",
		streamOf("", "begincmap endcmap"),
		streamOf(lookBox, "q Q"),
		streamOf(lookBox, ""),
		"<</Type/Font/Subtype/CIDFontType2/BaseFont/Song/CIDSystemInfo<<>>>>",
		"<</FT/Tx/T(many)/V(x)/Kids[28 0 R]>>",
		"<</Type/Annot/Subtype/Widget/Parent 27 0 R/F 4/P 3 0 R/Rect[100 480 200 495]>>",
		streamOf(lookBox, "BT (Zhang) Tj ET"),
		"<</Names[]>>",
	}}.bytes()
}

// change is an update of rich: the objects, and what it must be called.
type change struct {
	name    string
	objects map[int]string
	trailer string
	// permitted says for a document without certification and for the levels 1, 2 and 3, by "y" and "n", whether the
	// change is permitted; "" is never.
	permitted string
	kind      string // one of the changes has this kind, where it is permitted or never is
	page      int    // and this page, if not 0
}

// sealedRich are the documents without certification and of the levels 1 to 3.
func sealedRich(t testing.TB) [4][]byte {
	t.Helper()
	var out [4][]byte
	for level := range out {
		r := request(t)
		r.Certify = level
		r.Placements = []pdf.Placement{{Page: 2, From: pdf.TopLeft, X: 20, Y: 20}}
		out[level] = seal(t, rich(), r)
	}
	return out
}

func (c change) check(t *testing.T, sealed [4][]byte) {
	t.Helper()
	for level, data := range sealed {
		c.checkLevel(t, level, data)
	}
}

// after appends the update to a sealed document. What certification put into the catalog stays there.
func (c change) after(t *testing.T, before *pdf.Document, data []byte) []byte {
	t.Helper()
	catalog, _, err := before.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	extra := ""
	if perms := catalog.Get("Perms"); perms != nil && !strings.Contains(c.objects[1], "/Perms") {
		extra = "/Perms " + plain(perms)
	}
	numbers := make([]int, 0, len(c.objects))
	for n := range c.objects {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	var objects []string
	for _, n := range numbers {
		text := c.objects[n]
		if n == 1 {
			text = strings.TrimSuffix(text, ">>") + extra + ">>"
		}
		objects = append(objects, fmt.Sprintf("%d 0 obj\n%s\nendobj", n, text))
	}
	trailer := c.trailer
	if !strings.Contains(trailer, "/Info") {
		trailer += "/Info 19 0 R"
	}
	if id := before.Trailer().Get("ID"); id != nil {
		trailer += "/ID " + plain(id)
	}
	out := appendUpdate(t, data, trailer, objects...)
	if strings.Contains(trailer, "/Root") {
		at := bytes.LastIndex(out, []byte("/Root 1 0 R"))
		out = slices.Delete(out, at, at+len("/Root 1 0 R"))
	}
	return out
}

func (c change) checkLevel(t *testing.T, level int, data []byte) {
	t.Helper()
	never := c.permitted == ""
	if never {
		c.permitted = "nnnn"
	}
	before := opened(t, data)
	changes := compared(t, before, opened(t, c.after(t, before, data)))
	permitted := !slices.ContainsFunc(changes, func(c pdf.Change) bool { return !c.Permitted })
	if permitted != (c.permitted[level] == 'y') || len(changes) == 0 {
		t.Errorf("level %d: %s", level, listed(changes))
		return
	}
	if !permitted && !never {
		return
	}
	if !slices.ContainsFunc(changes, func(ch pdf.Change) bool {
		return ch.Kind == c.kind && (c.page == 0 || ch.Page == c.page) && ch.Permitted == permitted
	}) {
		t.Errorf("level %d: no change of kind %s on page %d: %s", level, c.kind, c.page, listed(changes))
	}
}

func listed(changes []pdf.Change) string {
	out := fmt.Sprintf("%d changes", len(changes))
	for _, c := range changes {
		out += fmt.Sprintf("\n  %v %s page %d object %s: %s %s", c.Permitted, c.Kind, c.Page, c.Object, c.ZH, c.EN)
	}
	return out
}

// plain writes an object of a few kinds as text.
func plain(o pdf.Object) string {
	switch v := o.(type) {
	case pdf.Ref:
		return v.String()
	case pdf.Name:
		return "/" + string(v)
	case pdf.Integer:
		return fmt.Sprint(int(v))
	case pdf.Real:
		return fmt.Sprint(float64(v))
	case pdf.String:
		return fmt.Sprintf("<%x>", v.Value)
	case pdf.Array:
		out := "["
		for _, e := range v {
			out += plain(e) + " "
		}
		return out + "]"
	case pdf.Dict:
		out := "<<"
		for _, e := range v {
			out += "/" + string(e.Key) + " " + plain(e.Value)
		}
		return out + ">>"
	}
	return "null"
}

const (
	derStream  = "<</Length 4>>\nstream\n0\x03\x02\x01\nendstream"
	newCatalog = "<<" + catalogText
	// token begins as a time-stamp token does: signed data over a TSTInfo.
	token  = "302306092a864886f70d010702a01630140201033100300d060b2a864886f70d0109100104"
	vriKey = "0123456789ABCDEF0123456789ABCDEF01234567"
)

func TestHonestAdditionsArePermittedAndNamed(t *testing.T) {
	sealed := sealedRich(t)
	for _, c := range []change{
		{name: "validation data", permitted: "yyyy", kind: pdf.ChangeValidationData, objects: map[int]string{
			1:  newCatalog + "/DSS 60 0 R>>",
			60: "<</Type/DSS/Certs[61 0 R]/CRLs 62 0 R/VRI 64 0 R>>", 61: derStream, 62: "[63 0 R]", 63: derStream,
			64: "<</" + vriKey + " 65 0 R>>", 65: "<</Type/VRI/Cert[61 0 R]/CRL[63 0 R]/TU(D:20260303000000Z)/TS 66 0 R>>", 66: derStream}},
		{name: "validation data inside the catalog, with extensions and a version", permitted: "yyyy", kind: pdf.ChangeExtension,
			objects: map[int]string{61: derStream, 1: newCatalog + "/Version/2.0/DSS<</OCSPs[61 0 R]>>/Extensions<</Type/Extensions" +
				"/ESIC<</BaseVersion/1.7/ExtensionLevel 5>>/ADBE 62 0 R/ISO_[<</BaseVersion/2.0/ExtensionLevel 32001/URL(https://example.org)>>]>>>>",
				62: "<</BaseVersion/1.7/ExtensionLevel 8>>"}},
		{name: "a text field filled, its appearance drawn anew", permitted: "nnyy", kind: pdf.ChangeFormFilled, page: 1, objects: map[int]string{
			8:  "<<" + textText + "/V(Li)/AP<</N 60 0 R>>>>",
			60: streamOf(lookBox+"/Resources<</Font<</F1 7 0 R>>>>", "BT /F1 10 Tf (Li) Tj ET")}},
		{name: "a text field filled, its appearance in the same object", permitted: "nnyy", kind: pdf.ChangeFormFilled, page: 1, objects: map[int]string{
			8:  "<<" + textText + "/V(Li)/M(D:20260303)/AP<</N 29 0 R>>>>",
			29: streamOf(lookBox, "BT (Li) Tj ET")}},
		{name: "a text field emptied", permitted: "nnyy", kind: pdf.ChangeFormFilled, objects: map[int]string{8: "<<" + textText + "/AP<</N 29 0 R>>>>"}},
		{name: "a field filled whose widget is apart", permitted: "nnyy", kind: pdf.ChangeFormFilled, page: 1, objects: map[int]string{
			27: "<</FT/Tx/T(many)/V(y)/Kids[28 0 R]>>",
			28: "<</Type/Annot/Subtype/Widget/Parent 27 0 R/F 4/P 3 0 R/Rect[100 480 200 495]/AP<</N 60 0 R>>>>", 60: streamOf(lookBox, "")}},
		{name: "a box ticked", permitted: "nnyy", kind: pdf.ChangeFormFilled, objects: map[int]string{9: "<<" + checkText + "/V/Yes/AS/Yes>>"}},
		{name: "another choice", permitted: "nnyy", kind: pdf.ChangeFormFilled, objects: map[int]string{10: "<<" + choiceText + "/V(B)/I[1]>>"}},
		{name: "the date in the information", permitted: "ynyy", kind: pdf.ChangeMetadataUpdated, objects: map[int]string{
			19: "<</Title<FEFF0043006F00700079>/ModDate(D:20260304000000Z)/Producer(Signer)>>"}},
		{name: "another object for the information with another date", permitted: "ynyy", kind: pdf.ChangeMetadataUpdated, trailer: "/Info 60 0 R",
			objects: map[int]string{60: "<</Title(Copy)/ModDate(D:20260304000000Z)>>"}},
		{name: "the date in the metadata", permitted: "ynyy", kind: pdf.ChangeMetadataUpdated, objects: map[int]string{14: xmp("Copy", "2026-03-04T00:00:00Z")}},
		{name: "metadata in another object", permitted: "ynyy", kind: pdf.ChangeMetadataUpdated, objects: map[int]string{
			1: strings.Replace(newCatalog, "14 0 R", "60 0 R", 1) + ">>", 60: xmp("Copy", "2026-03-04T00:00:00Z")}},
	} {
		t.Run(c.name, func(t *testing.T) { c.check(t, sealed) })
	}
}

func TestAChangeBesideAnHonestAdditionIsStillRefused(t *testing.T) {
	sealed := sealedRich(t)
	filled := func(v, extra string) map[int]string { return map[int]string{8: "<<" + textText + v + extra + ">>"} }
	dss := func(text string, more map[int]string) map[int]string {
		out := map[int]string{1: newCatalog + "/DSS 60 0 R>>", 60: text, 61: derStream}
		for n, o := range more {
			out[n] = o
		}
		return out
	}
	for _, c := range []change{
		{name: "an action with a value", kind: pdf.ChangeAnnotation, page: 1, objects: filled("/V(Li)/AP<</N 29 0 R>>", "/AA<</K<</S/JavaScript/JS(x)>>>>")},
		{name: "a value and a moved field", kind: pdf.ChangeAnnotation, page: 1, objects: map[int]string{
			8: "<<" + strings.Replace(textText, "[100 600", "[0 0", 1) + "/V(Li)/AP<</N 29 0 R>>>>"}},
		{name: "a value and a new default value", kind: pdf.ChangeAnnotation, page: 1, objects: filled("/V(Li)/AP<</N 29 0 R>>", "/DV(Li)")},
		{name: "a value and another font in /DA", kind: pdf.ChangeAnnotation, page: 1, objects: map[int]string{
			8: "<<" + strings.Replace(textText, "/F1 10", "/F2 10", 1) + "/V(Li)/AP<</N 29 0 R>>>>"}},
		{name: "a value of the wrong type", kind: pdf.ChangeAnnotation, page: 1, objects: filled("/V/Li/AP<</N 29 0 R>>", "")},
		{name: "a value that is a stream", kind: pdf.ChangeAnnotation, page: 1, objects: map[int]string{
			8: "<<" + textText + "/V 60 0 R/AP<</N 29 0 R>>>>", 60: derStream}},
		{name: "an appearance and no value", kind: pdf.ChangeAnnotation, page: 1, objects: map[int]string{
			8: "<<" + textText + "/V(Zhang)/AP<</N 60 0 R>>>>", 60: streamOf(lookBox, "BT (Wang) Tj ET")}},
		{name: "only the appearance stream", kind: pdf.ChangeAnnotation, page: 1, objects: map[int]string{29: streamOf(lookBox, "BT (Wang) Tj ET")}},
		{name: "an appearance that is what a page shows", kind: pdf.ChangeAnnotation, page: 1, objects: filled("/V(Li)/AP<</N 6 0 R>>", "")},
		{name: "an appearance in a layer", kind: pdf.ChangeAnnotation, page: 1, objects: map[int]string{
			8: "<<" + textText + "/V(Li)/AP<</N 60 0 R>>>>", 60: streamOf(lookBox+"/OC 15 0 R", "")}},
		{name: "an appearance from another file", kind: pdf.ChangeAnnotation, page: 1, objects: map[int]string{
			8: "<<" + textText + "/V(Li)/AP<</N 60 0 R>>>>", 60: streamOf(lookBox+"/Resources<</XObject<</A 61 0 R>>>>", "/A Do"),
			61: streamOf(lookBox+"/Ref<</F(other.pdf)/Page 0>>", "")}},
		{name: "a mouse-over appearance", kind: pdf.ChangeAnnotation, page: 1, objects: map[int]string{
			8: "<<" + textText + "/V(Li)/AP<</N 29 0 R/R 60 0 R>>>>", 60: streamOf(lookBox, "")}},
		{name: "a field that is read-only", kind: pdf.ChangeAnnotation, page: 1, objects: map[int]string{
			20: "<</Type/Annot/Subtype/Widget/FT/Tx/Ff 1/T(fixed)/V(99)/F 4/P 3 0 R/Rect[100 500 200 515]>>"}},
		{name: "a choice that is not offered", kind: pdf.ChangeAnnotation, page: 1, objects: map[int]string{10: "<<" + choiceText + "/V(C)>>"}},
		{name: "a box with another look", kind: pdf.ChangeAnnotation, page: 1, objects: map[int]string{
			9: "<<" + strings.Replace(checkText, "24 0 R", "17 0 R", 1) + "/V/Yes/AS/Yes>>"}},
		{name: "a box ticked and the look of the tick changed", kind: pdf.ChangeAnnotation, page: 1, objects: map[int]string{
			9: "<<" + checkText + "/V/Yes/AS/Yes>>", 24: streamOf(lookBox, "0 0 100 20 re f")}},
		{name: "a value and a font added to the form", kind: pdf.ChangeForm, objects: map[int]string{
			8: "<<" + textText + "/V(Li)/AP<</N 29 0 R>>>>", 5: "<<" + strings.Replace(formText, "<</F1", "<</F2 60 0 R/F1", 1) + ">>",
			60: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"}},
		{name: "a dictionary under DSS that is no stream", kind: pdf.ChangeCatalog, objects: dss("<</Certs[61 0 R 62 0 R]>>", map[int]string{62: "<</S/JavaScript>>"})},
		{name: "a form XObject under DSS", kind: pdf.ChangeCatalog, objects: dss("<</Certs[61 0 R 62 0 R]>>", map[int]string{62: streamOf(lookBox, "")})},
		{name: "another key in DSS", kind: pdf.ChangeCatalog, objects: dss("<</Certs[61 0 R]/Hidden 62 0 R>>", map[int]string{62: derStream})},
		{name: "a certificate that is in another file", kind: pdf.ChangeCatalog, objects: dss("<</Certs[61 0 R 62 0 R]>>", map[int]string{62: streamOf("/F(a)", "")})},
		{name: "a VRI entry with another name", kind: pdf.ChangeCatalog, objects: dss("<</Certs[61 0 R]/VRI<</Names<</Cert[61 0 R]>>>>>>", nil)},
		{name: "an object in a VRI entry", kind: pdf.ChangeCatalog, objects: dss("<</Certs[61 0 R]/VRI<</"+vriKey+"<</X 61 0 R>>>>>>", nil)},
		{name: "an array of DSS that is the content of a page", kind: pdf.ChangeCatalog, objects: dss("<</Certs 2 0 R>>", nil)},
		{name: "an extension that holds an object", kind: pdf.ChangeCatalog, objects: map[int]string{
			1: newCatalog + "/Extensions<</ADBE<</BaseVersion/1.7/ExtensionLevel 3/X 60 0 R>>>>>>", 60: "<<>>"}},
		{name: "a version that there is not", kind: pdf.ChangeCatalog, objects: map[int]string{1: newCatalog + "/Version/9.9>>"}},
		{name: "another title in the information", kind: pdf.ChangeMetadata, objects: map[int]string{19: "<</Title(Diploma)/ModDate(D:20260304000000Z)>>"}},
		{name: "the information taken away", kind: pdf.ChangeMetadata, trailer: "/Info null", objects: map[int]string{60: "null"}},
		{name: "another title in the metadata", kind: pdf.ChangeMetadata, objects: map[int]string{14: xmp("Diploma", "2026-03-04T00:00:00Z")}},
		{name: "metadata that are no XML", kind: pdf.ChangeMetadata, objects: map[int]string{14: streamOf("/Type/Metadata/Subtype/XML", "<broken")}},
		{name: "metadata of another type", kind: pdf.ChangeMetadata, objects: map[int]string{14: strings.Replace(xmp("Copy", ""), "/Type/Metadata", "/Type/XObject/Subtype/Form", 1)}},
	} {
		t.Run(c.name, func(t *testing.T) { c.check(t, sealed) })
	}
}
