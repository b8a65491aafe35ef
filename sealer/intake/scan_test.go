package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/fixtures"
)

// TestEachPreparationIsFound goes through what must be found, each in a document that is plain otherwise: it has the
// finding, at the page and object given, and no other above Info unless it is named.
func TestEachPreparationIsFound(t *testing.T) {
	form := func(entries, data string) string {
		return stream("/Type /XObject /Subtype /Form /BBox [0 0 600 850] "+entries, data)
	}
	image := func(entries string) string {
		return stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray "+entries, "x")
	}
	annotation := func(kind, rest string) string {
		return "<< /Type /Annot /Subtype /" + kind + " /Rect [90 690 300 730] " + rest + " >>"
	}
	look := form("", "")
	for _, c := range []struct {
		name   string
		paper  paper
		code   Code
		page   int
		object string
		also   []Code // other warnings that come with it
	}{
		{"a script when the document opens", paper{catalog: "/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"}, CodeJavaScript, 0, "1 0 R", nil},
		{"a named script", paper{catalog: "/Names << /JavaScript << /Names [(a) 7 0 R] >> >>", objects: []string{"<< /S /JavaScript /JS 8 0 R >>", stream("", "x")}}, CodeJavaScript, 0, "7 0 R", nil},
		{"a script of the page", paper{page: "/AA << /O << /S /JavaScript /JS (x) >> >>"}, CodeJavaScript, 1, "3 0 R", nil},
		{"a script after a harmless action", paper{catalog: "/OpenAction << /S /GoTo /D [3 0 R /Fit] /Next [<< /S /JavaScript /JS (x) >>] >>"}, CodeJavaScript, 0, "1 0 R", nil},
		{"a script of a link", paper{page: "/Annots [7 0 R]", objects: []string{annotation("Link", "/A << /S /JavaScript /JS (x) >>")}}, CodeJavaScript, 1, "7 0 R", nil},
		{"a script of a field", paper{catalog: "/AcroForm << /Fields [7 0 R] >>", objects: []string{"<< /FT /Tx /T (a) /Ff 1 /AA << /K << /S /JavaScript /JS (x) >> >> >>"}}, CodeJavaScript, 0, "7 0 R", nil},
		{"a script in a rendition", paper{page: "/Annots [7 0 R]", objects: []string{annotation("Screen", "/AP << /N 8 0 R >> /A << /S /Rendition /JS (x) >>"), look}}, CodeJavaScript, 1, "7 0 R", []Code{CodeMedia, CodeDisplayAction, CodeAnnotationCovers}},
		{"a program", paper{page: "/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /Launch /Win << /F (cmd.exe) >> >> >>]"}, CodeLaunch, 1, "3 0 R", nil},
		{"data sent away", paper{catalog: "/OpenAction << /S /SubmitForm /F (http://a.example/) >>"}, CodeSubmit, 0, "1 0 R", nil},
		{"another document", paper{catalog: "/OpenAction << /S /GoToR /F (other.pdf) /D [0 /Fit] >>"}, CodeExternalLink, 0, "1 0 R", nil},
		{"an address of a file", paper{catalog: "/OpenAction << /S /URI /URI (file:///etc/passwd) >>"}, CodeExternalLink, 0, "1 0 R", nil},
		{"an action that hides", paper{catalog: "/OpenAction << /S /Hide /T (a) >>"}, CodeDisplayAction, 0, "1 0 R", nil},
		{"an attachment", paper{catalog: "/Names << /EmbeddedFiles << /Names [(a) 7 0 R] >> >>", objects: []string{"<< /Type /Filespec /F (a.txt) /EF << /F 8 0 R >> >>", stream("", "x")}}, CodeAttachment, 0, "7 0 R", nil},
		{"an associated file", paper{page: "/AF [7 0 R]", objects: []string{"<< /Type /Filespec /F (a.txt) /EF << /F 8 0 R >> >>", stream("", "x")}}, CodeAttachment, 1, "7 0 R", nil},
		{"a portfolio", paper{catalog: "/Collection << /View /D >>"}, CodePortfolio, 0, "1 0 R", nil},
		{"rich media", paper{page: "/Annots [7 0 R]", objects: []string{"<< /Type /Annot /Subtype /RichMedia /Rect [0 0 50 50] /AP << /N 8 0 R >> >>", look}}, CodeMedia, 1, "7 0 R", nil},
		{"a field to fill in", paper{catalog: "/AcroForm << /Fields [7 0 R] >>", page: "/Annots [7 0 R]", objects: []string{"<< /Type /Annot /Subtype /Widget /Rect [0 0 50 50] /FT /Tx /T (name) /P 3 0 R >>"}}, CodeFields, 1, "7 0 R", nil},
		{"XFA", paper{catalog: "/AcroForm << /Fields [] /XFA 7 0 R >>", objects: []string{stream("", "<x/>")}}, CodeXFA, 0, "", nil},
		{"appearances left to the reader", paper{catalog: "/AcroForm << /Fields [] /NeedAppearances true >>"}, CodeNeedAppearances, 0, "", nil},
		{"a field that shows another value", paper{catalog: "/AcroForm << /Fields [7 0 R] >>", page: "/Annots [7 0 R]", objects: []string{
			"<< /Type /Annot /Subtype /Widget /Rect [0 0 90 20] /FT /Tx /Ff 1 /T (name) /V (Zhang) /P 3 0 R /AP << /N 8 0 R >> >>", form("", "BT (Wang) Tj ET")}}, CodeValueDiffers, 1, "7 0 R", nil},
		{"a hidden annotation", paper{page: "/Annots [7 0 R]", objects: []string{annotation("Stamp", "/F 2")}}, CodeAnnotationHidden, 1, "7 0 R", nil},
		{"an annotation that is only printed", paper{page: "/Annots [7 0 R]", objects: []string{annotation("Stamp", "/F 36 /AP << /N 8 0 R >>"), look}}, CodeAnnotationHidden, 1, "7 0 R", nil},
		{"an annotation that the reader draws", paper{page: "/Annots [7 0 R]", objects: []string{annotation("Highlight", "")}}, CodeNoAppearance, 1, "7 0 R", nil},
		{"a stamp on text", paper{page: "/Annots [7 0 R]", objects: []string{annotation("Stamp", "/AP << /N 8 0 R >>"), look}}, CodeAnnotationCovers, 1, "7 0 R", nil},
		{"a redaction that was not carried out", paper{page: "/Annots [7 0 R]", objects: []string{"<< /Type /Annot /Subtype /Redact /Rect [0 0 50 50] /AP << /N 8 0 R >> >>", look}}, CodeRedaction, 1, "7 0 R", nil},
		{"an image over text", paper{resources: "/XObject << /X 7 0 R >>", content: "q 500 0 0 700 50 50 cm /X Do Q", objects: []string{image("")}}, CodeCoveredText, 1, "3 0 R", nil},
		{"a form with an image over text", paper{resources: "/XObject << /X 7 0 R >>", content: "q /X Do Q", objects: []string{form("/Resources << /XObject << /Y 8 0 R >> >>", "500 0 0 700 50 50 cm /Y Do"), image("")}}, CodeCoveredText, 1, "3 0 R", nil},
		{"an inline image over text", paper{content: "q 500 0 0 700 50 50 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \x01\xff\nEI Q"}, CodeCoveredText, 1, "3 0 R", nil},
		{"a filled rectangle over text", paper{content: "1 g 90 690 200 50 re f"}, CodeCoveredText, 1, "3 0 R", nil},
		{"a rectangle of lines over text", paper{content: "1 0 0 rg 90 690 m 290 690 l 290 740 l 90 740 l h f"}, CodeCoveredText, 1, "3 0 R", nil},
		{"invisible text", paper{content: "BT /F1 12 Tf 3 Tr 100 500 Td (secret) Tj ET"}, CodeInvisibleText, 1, "3 0 R", nil},
		{"white text", paper{content: "1 1 1 rg BT /F1 12 Tf 100 500 Td (secret) Tj ET"}, CodeWhiteText, 1, "3 0 R", nil},
		{"white text in CMYK by colour space", paper{content: "/DeviceCMYK cs 0 0 0 0 sc BT /F1 12 Tf 100 500 Td (secret) Tj ET"}, CodeWhiteText, 1, "3 0 R", nil},
		{"transparent text", paper{resources: "/ExtGState << /T << /ca 0 >> >>", content: "/T gs BT /F1 12 Tf 100 500 Td (secret) Tj ET"}, CodeTransparent, 1, "3 0 R", nil},
		{"tiny text", paper{content: "BT /F1 1 Tf 0.1 0 0 0.1 100 500 Tm (secret) Tj ET"}, CodeTinyText, 1, "3 0 R", nil},
		{"text outside the crop box", paper{page: "/CropBox [0 400 595 842]", content: "BT /F1 12 Tf 100 200 Td (secret) Tj ET"}, CodeOutsidePage, 1, "3 0 R", nil},
		{"an image with alternates", paper{resources: "/XObject << /X 7 0 R >>", objects: []string{image("/Alternates [<< /Image 8 0 R >>]"), image("")}}, CodeAlternateImage, 1, "7 0 R", nil},
		{"a layer that is off", paper{catalog: "/OCProperties << /OCGs [7 0 R] /D << /OFF [7 0 R] >> >>", objects: []string{"<< /Type /OCG /Name (Grade: 99) >>"}}, CodeLayerHidden, 0, "7 0 R", nil},
		{"a layer off by the base state", paper{catalog: "/OCProperties << /OCGs [7 0 R] /D << /BaseState /OFF >> >>", objects: []string{"<< /Type /OCG /Name (Grade: 99) >>"}}, CodeLayerHidden, 0, "7 0 R", nil},
		{"a layer that is not printed", paper{catalog: "/OCProperties << /OCGs [7 0 R] /D << >> >>", objects: []string{"<< /Type /OCG /Name (a) /Usage << /Print << /PrintState /OFF >> >> >>"}}, CodeLayerPrintView, 0, "7 0 R", nil},
		{"several configurations of layers", paper{catalog: "/OCProperties << /OCGs [7 0 R] /D << >> /Configs [<< /OFF [7 0 R] >>] >>", objects: []string{"<< /Type /OCG /Name (a) >>"}}, CodeLayerConfigs, 0, "1 0 R", nil},
		{"an external stream", paper{resources: "/XObject << /X 7 0 R >>", objects: []string{image("/F (http://a.example/x.raw)")}}, CodeExternalData, 1, "7 0 R", nil},
		{"a reference XObject", paper{resources: "/XObject << /X 7 0 R >>", objects: []string{form("/Ref << /F (other.pdf) /Page 0 >>", "")}}, CodeExternalData, 1, "7 0 R", nil},
		{"PostScript", paper{resources: "/XObject << /X 7 0 R >>", objects: []string{stream("/Type /XObject /Subtype /PS", "showpage")}}, CodePostScript, 1, "7 0 R", nil},
		{"a font that is not embedded", paper{font: "<< /Type /Font /Subtype /TrueType /BaseFont /SimSun /FontDescriptor << /Type /FontDescriptor /Flags 4 >> >>"}, CodeFontExternal, 1, "", nil},
		{"a form that is not there", paper{resources: "/XObject << /X 12 0 R >>", content: "/X Do"}, CodeDanglingShown, 1, "3 0 R", nil},
		{"an annotation that is not there", paper{page: "/Annots [12 0 R]"}, CodeDanglingShown, 1, "3 0 R", nil},
		{"a page that is not there", paper{later: map[int]string{2: "<< /Type /Pages /Kids [3 0 R 50 0 R] /Count 1 >>"}}, CodeDanglingShown, 0, "2 0 R", nil},
		{"a second catalog", paper{objects: []string{"<< /Type /Catalog /Pages 8 0 R >>", "<< /Type /Pages /Kids [9 0 R] /Count 1 >>", "<< /Type /Page /Parent 8 0 R /MediaBox [0 0 595 842] >>"}}, CodeSecondTree, 0, "7 0 R", []Code{CodeLoosePage}},
		{"a second page tree behind a private entry", paper{catalog: "/Private 7 0 R", objects: []string{"<< /Type /Pages /Kids [8 0 R] /Count 1 >>", "<< /Type /Page /Parent 7 0 R /MediaBox [0 0 595 842] >>"}}, CodeSecondTree, 0, "7 0 R", []Code{CodeLoosePage}},
		{"a page outside the tree", paper{objects: []string{"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"}}, CodeLoosePage, 0, "7 0 R", nil},
		{"an unlisted catalog", paper{stray: "1 0 obj\n<< /Type /Catalog /Pages 9 0 R >>\nendobj\n"}, CodeStrayPages, 0, "1 0 R", nil},
		{"an unlisted content", paper{stray: "4 0 obj\n" + stream("", "(Grade: 99) Tj") + "\nendobj\n"}, CodeStray, 0, "4 0 R", nil},
		{"an object that is not where it should be", paper{resources: "/XObject << /X 7 0 R >>", objects: []string{"<< /A"}}, CodeUnreadable, 1, "7 0 R", nil},
		{"a key twice", paper{page: "/Rotate 0 /Rotate 90"}, CodeAmbiguous, 1, "3 0 R", nil},
		{"an earlier revision", paper{later: map[int]string{4: stream("", "BT /F1 24 Tf 100 700 Td (Grade: 99) Tj ET")}}, CodeRevisions, 0, "", nil},
		{"an empty signature field", paper{catalog: "/AcroForm << /Fields [7 0 R] >>", page: "/Annots [7 0 R]", objects: []string{"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Seal) /Rect [0 0 50 50] /P 3 0 R >>"}}, CodeEmptySignature, 1, "7 0 R", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := scan(t, c.paper.bytes(), Options{})
			i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Code == c.code })
			if i < 0 {
				t.Fatalf("%s is not found%s", c.code, listed(r))
			}
			if f := r.Findings[i]; f.Page != c.page || c.object != "" && f.Object != c.object {
				t.Errorf("found on page %d in object %q, want %d, %q", f.Page, f.Object, c.page, c.object)
			}
			for _, f := range r.Findings {
				if f.Severity != Info && f.Code != c.code && !slices.Contains(c.also, f.Code) {
					t.Errorf("%s as well%s", f.Code, listed(r))
				}
			}
			if !r.Complete || r.Pages != 1 {
				t.Errorf("complete %v, %d pages", r.Complete, r.Pages)
			}
		})
	}
}

// TestWhatIsNormalIsNotWarnedOf goes through what honest documents have.
func TestWhatIsNormalIsNotWarnedOf(t *testing.T) {
	scanned := stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray", "x")
	for _, c := range []struct {
		name  string
		paper paper
		has   Code // an Info finding that it must have
	}{
		{"nothing", paper{}, CodeFontStandard},
		{"a scan with recognised text", paper{bare: true, resources: "/XObject << /X 7 0 R >>", content: "q 595 0 0 842 0 0 cm /X Do Q BT 3 Tr /F1 12 Tf 100 500 Td (words) Tj ET", objects: []string{scanned}}, CodeOCRText},
		{"a web link", paper{page: "/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 90 90] /A << /S /URI /URI (https://archive.example/) >> >>]"}, ""},
		{"white text on a bar", paper{content: "0 0 0.5 rg 90 490 200 30 re f 1 g BT /F1 12 Tf 100 500 Td (Heading) Tj ET"}, ""},
		{"a background under text", paper{content: "0.9 g 90 490 200 30 re f 0 g BT /F1 12 Tf 100 500 Td (Text) Tj ET"}, ""},
		{"a line through text", paper{content: "0 g 90 707 200 2 re f"}, ""},
		{"an image that shows through", paper{resources: "/XObject << /X 7 0 R >> /ExtGState << /T << /ca 0.5 >> >>", content: "q /T gs 500 0 0 700 50 50 cm /X Do Q", objects: []string{scanned}}, ""},
		{"a slanted image beside text", paper{resources: "/XObject << /X 7 0 R >>", content: "q 300 300 -300 300 300 500 cm /X Do Q", objects: []string{scanned}}, ""},
		{"a clip inside a clip", paper{content: "q 0 0 10 10 re W n 0 0 595 842 re W n 1 g 90 690 200 50 re f Q"}, ""},
		{"a highlight that multiplies", paper{resources: "/ExtGState << /M << /BM /Multiply >> >>", content: "/M gs 1 1 0 rg 90 690 200 50 re f"}, ""},
		{"a watermark with a soft mask", paper{resources: "/XObject << /X 7 0 R >>", content: "q 500 0 0 700 50 50 cm /X Do Q", objects: []string{
			strings.Replace(scanned, "/Type", "/SMask 8 0 R /Type", 1), scanned}}, ""},
		{"a rectangle that is clipped to nothing", paper{content: "q 0 0 10 10 re W n 1 g 90 690 200 50 re f Q"}, ""},
		{"blank strings outside the page", paper{content: "BT /F1 12 Tf -500 0 Td (      ) Tj ET"}, ""},
		{"a reference to nothing that shows nothing", paper{catalog: "/Metadata 50 0 R"}, CodeDangling},
		{"a popup that is gone", paper{page: "/Annots [<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Popup 50 0 R /AP << /N 7 0 R >> >>]", objects: []string{stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1]", "")}}, CodeDangling},
		{"a page tree left over with the same pages", paper{objects: []string{"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"}}, ""},
		{"an object in the data of a stream", paper{objects: []string{stream("", "9 0 obj << /Type /Page >> endobj")}}, ""},
		{"a read-only field that shows its value", paper{catalog: "/AcroForm << /Fields [7 0 R] >>", page: "/Annots [7 0 R]", objects: []string{
			"<< /Type /Annot /Subtype /Widget /Rect [0 0 90 20] /FT /Tx /Ff 1 /T (name) /V (Lin Wenlan) /P 3 0 R /AP << /N 8 0 R >> >>",
			stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1]", "BT (Lin) Tj (Wenlan) Tj ET")}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := scan(t, c.paper.bytes(), Options{})
			for _, f := range r.Findings {
				if f.Severity != Info {
					t.Errorf("%s: %s", f.Code, listed(r))
				}
			}
			if c.has != "" && !r.Has(c.has) {
				t.Errorf("%s is not there%s", c.has, listed(r))
			}
			if d := Decide(r.Findings, nil); d.Action != Ignore || d.Err() != nil {
				t.Errorf("the decision is %s", d.Action)
			}
		})
	}
}

// TestArchivalCopiesAreClean scans the copies that archives issue, and every shape of PDF: what a shape must be warned
// of is what it was made for.
func TestArchivalCopiesAreClean(t *testing.T) {
	for _, pages := range []int{1, 3} {
		data, err := fixtures.ArchivalCopy(7, pages)
		if err != nil {
			t.Skip(err)
		}
		if r := scan(t, data, Options{}); Decide(r.Findings, nil).Action != Ignore || r.Pages != pages || !r.Complete {
			t.Errorf("%d pages: %s", pages, listed(r))
		}
	}
}

func TestShapesAreWarnedOfForWhatTheyAre(t *testing.T) {
	warnings := map[fixtures.Shape][]Code{
		fixtures.ShapeRich:               {CodeAttachment},
		fixtures.ShapeFormFieldsIndirect: {CodeFields},
		fixtures.ShapeFormWithFields:     {CodeFields},
		fixtures.ShapeFormHierarchy:      {CodeFields},
		fixtures.ShapeFormPacked:         {CodeFields},
		fixtures.ShapeFormAppearances:    {CodeFields, CodeNeedAppearances},
		fixtures.ShapeSignedForeign:      {CodeSignatureUnknown},
		fixtures.ShapeSignedLocked:       {CodeSignatureUnknown},
		fixtures.ShapeCertifiedP1:        {CodeSignatureUnknown, CodeCertified},
		fixtures.ShapeCertifiedP2:        {CodeSignatureUnknown, CodeCertified},
		fixtures.ShapeCertifiedP2Open:    {CodeSignatureUnknown, CodeCertified},
		fixtures.ShapeCertifiedP3:        {CodeSignatureUnknown, CodeCertified},
		fixtures.ShapeEncryptedRC4:       {CodeEncrypted},
		fixtures.ShapeEncryptedAES128:    {CodeEncrypted},
		fixtures.ShapeEncryptedAES256:    {CodeEncrypted},
		fixtures.ShapeXFA:                {CodeXFA, CodeFields},
		// Their content is that of a sheet A4, and their page shows less of it.
		fixtures.ShapeCropBox:       {CodeOutsidePage},
		fixtures.ShapeMediaOrigin:   {CodeOutsidePage},
		fixtures.ShapeUserUnit:      {CodeOutsidePage},
		fixtures.ShapeEveryGeometry: {CodeOutsidePage},
		fixtures.ShapeSmallPage:     {CodeOutsidePage},
	}
	for _, shape := range fixtures.Shapes() {
		data, err := fixtures.PDF(shape, fixtures.PDFOptions{Pages: 3})
		if err != nil {
			t.Fatal(err)
		}
		r := scan(t, data, Options{})
		var got []Code
		for _, f := range r.Findings {
			if f.Severity != Info && !slices.Contains(got, f.Code) {
				got = append(got, f.Code)
			}
		}
		want := slices.Clone(warnings[shape])
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v%s", shape, got, want, listed(r))
		}
	}
}

func TestEarlierSignaturesAreAsked(t *testing.T) {
	data, err := fixtures.PDF(fixtures.ShapeSignedForeign, fixtures.PDFOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(standing Standing, err error) Options {
		return Options{Signatures: func(context.Context) ([]EarlierSignature, error) {
			return []EarlierSignature{{"Foreign1", standing}}, err
		}}
	}
	for standing, code := range map[Standing]Code{SignatureHolds: CodeSigned, SignatureBroken: CodeSignatureBroken, SignatureUnknown: CodeSignatureUnknown} {
		r := scan(t, data, ask(standing, nil))
		if !r.Has(code) {
			t.Errorf("%s: no %s%s", standing, code, listed(r))
		}
		if refused := Decide(r.Findings, nil).Action == Refuse; refused != (standing == SignatureBroken) {
			t.Errorf("%s: refused is %v", standing, refused)
		}
	}
	var broken error = errPolicy.New() // even where it looks as if it spoke of the file
	if _, err := Scan(context.Background(), strings.NewReader(string(data)), int64(len(data)), ask(SignatureHolds, broken)); !errors.Is(err, broken) {
		t.Errorf("the error of the verifier is lost: %v", err)
	}
}

func TestLimitsEndAScanWithAFinding(t *testing.T) {
	many := paper{content: strings.Repeat("BT 3 Tr /F1 12 Tf 100 500 Td (x) Tj ET\n", 1000)}
	for name, l := range map[string]Limits{
		"objects": {Objects: 2}, "operators": {Operators: 100}, "content": {ContentBytes: 100}, "strays": {StrayBytes: 100},
	} {
		r := scan(t, many.bytes(), Options{Limits: l})
		if r.Complete || !r.Has(CodeIncomplete) {
			t.Errorf("%s: nothing is said of the limit%s", name, listed(r))
		}
	}
	data, err := fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Pages: 5})
	if err != nil {
		t.Fatal(err)
	}
	if r := scan(t, data, Options{Limits: Limits{Pages: 3}}); r.Complete || !r.Has(CodeIncomplete) {
		t.Errorf("pages: nothing is said of the limit%s", listed(r))
	}
}

func TestMoreFindingsAreCounted(t *testing.T) {
	p := paper{page: "/Annots [" + strings.Repeat("<< /Type /Annot /Subtype /Stamp /Rect [0 0 50 50] /F 2 >> ", 30) + "]"}
	r := scan(t, p.bytes(), Options{Limits: Limits{PerCode: 5}})
	n, more := 0, 0
	for _, f := range r.Findings {
		if f.Code == CodeAnnotationHidden {
			n++
			more = max(more, f.Count)
		}
	}
	if n != 6 || more != 25 {
		t.Errorf("%d findings, %d more%s", n, more, listed(r))
	}
}

func TestAContextEndsAScan(t *testing.T) {
	data := paper{}.bytes()
	late, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	r, err := Scan(late, strings.NewReader(string(data)), int64(len(data)), Options{})
	if err == nil && r.Complete {
		t.Error("a scan out of time is complete")
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Scan(cancelled, strings.NewReader(string(data)), int64(len(data)), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled scan gives %v", err)
	}
}

// TestPlacesAreMeasuredAsDisplayed puts the same text on pages turned by quarters.
func TestPlacesAreMeasuredAsDisplayed(t *testing.T) {
	// 72 points are 25.4 mm: the cover is 1 × 0.5 inch at 1, 2 inches from the lower left corner.
	content := "BT /F1 12 Tf 90 160 Td (x) Tj ET 1 g 72 144 72 36 re f"
	for rotate, want := range map[string]Place{
		"0": {31.8, 56.4, 2.1, 3}, "90": {56.4, 176, 3, 2.1}, "180": {176, 237.6, 2.1, 3}, "270": {237.6, 31.8, 3, 2.1},
	} {
		r := scan(t, paper{page: "/Rotate " + rotate, content: content}.bytes(), Options{})
		i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Code == CodeCoveredText })
		if i < 0 || r.Findings[i].Place == nil {
			t.Fatalf("%s: not found%s", rotate, listed(r))
		}
		if got := *r.Findings[i].Place; got != want {
			t.Errorf("turned by %s: %v, want %v", rotate, got, want)
		}
	}
}

// TestPreparationsOfShadowAttacksAreSeen scans the documents behind the attacks before they are sealed.
func TestPreparationsOfShadowAttacksAreSeen(t *testing.T) {
	for _, p := range fixtures.Preparations() {
		if r := scan(t, p.Data, Options{}); !r.Has(Code(p.Code)) {
			t.Errorf("%s: %s is not found%s", p.Name, p.Code, listed(r))
		}
	}
}

// TestFurtherPlacesOfASealHideNothing puts locked stamps on text: one draws what the seal of the document draws.
func TestFurtherPlacesOfASealHideNothing(t *testing.T) {
	stamps := func(flags, picture int, value string) []byte {
		return paper{catalog: "/AcroForm << /Fields [7 0 R] >>", page: "/Annots [7 0 R 12 0 R]", objects: []string{
			"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Seal1) /F 132 /Rect [0 0 20 20] /AP << /N 8 0 R >> " + value + " >>",
			stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /Seal 9 0 R >> >>", "/Seal Do"),
			stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1]", "0 0 1 1 re f"),
			stream("/Type /XObject /Subtype /Form /BBox [0 0 2 2]", "0 0 2 2 re f"),
			stream(fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /Seal %d 0 R >> >>", picture), "/Seal Do"),
			fmt.Sprintf("<< /Type /Annot /Subtype /Stamp /F %d /Rect [90 690 300 730] /AP << /N 11 0 R >> >>", flags),
		}}.bytes()
	}
	const signed = "/V << /Type /Sig /Filter /X /ByteRange [0 1 2 3] /Contents <00> >>"
	for _, c := range []struct {
		name           string
		flags, picture int
		value          string
		found          bool
	}{
		{"a further place of the seal", 708, 9, signed, false},
		{"another picture", 708, 10, signed, true},
		{"not locked", 4, 9, signed, true},
		{"the field is not signed", 708, 9, "", true},
	} {
		r := scan(t, stamps(c.flags, c.picture, c.value), Options{})
		if r.Has(CodeAnnotationCovers) != c.found {
			t.Errorf("%s: %s", c.name, listed(r))
		}
	}
}
