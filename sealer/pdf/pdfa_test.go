package pdf_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
	"yinxin/sealer/pdf"
)

const (
	xmpElements = `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:format>application/pdf</dc:format></rdf:Description>
<rdf:Description rdf:about="" xmlns:id="http://www.aiim.org/pdfa/ns/id/"><id:part>%s</id:part><id:conformance>%s</id:conformance></rdf:Description>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
	xmpAttributes = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="%s" pdfaid:conformance="%s"/>
</rdf:RDF></x:xmpmeta>`
)

// claiming is a one-page file with metadata and an output intent: its number of components, 0 for none.
func claiming(xmp string, components int) []byte {
	objects := onePage("")
	catalog := "<</Type/Catalog/Pages 2 0 R/Metadata 4 0 R"
	metadata := fmt.Sprintf("<</Type/Metadata/Subtype/XML/Length %d>>\nstream\n%s\nendstream", len(xmp), xmp)
	objects = append(objects, metadata)
	if components > 0 {
		catalog += "/OutputIntents[<</Type/OutputIntent/S/GTS_PDFX>>5 0 R]"
		objects = append(objects, "<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(any)/DestOutputProfile 6 0 R>>",
			fmt.Sprintf("<</N %d/Length 4>>\nstream\nICC!\nendstream", components))
	}
	objects[0] = catalog + ">>"
	return file{objects: objects}.bytes()
}

func wide(s string, big bool) string {
	var b bytes.Buffer
	for _, u := range utf16.Encode([]rune("\uFEFF" + s)) {
		if big {
			b.Write([]byte{byte(u >> 8), byte(u)})
		} else {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return b.String()
}

func TestWhatADocumentClaimsIsRead(t *testing.T) {
	one := fmt.Sprintf(xmpElements, "1", "B")
	two := fmt.Sprintf(xmpAttributes, "2", "u")
	huge := `<x xmlns:p="http://www.aiim.org/pdfa/ns/id/">` + strings.Repeat("<a>", 200_000) + "<p:part>3</p:part>"
	for _, c := range []struct {
		name string
		data []byte
		want pdf.PDFA
		text string
	}{
		{"nothing", file{objects: onePage("")}.bytes(), pdf.PDFA{}, ""},
		{"elements", claiming(one, 0), pdf.PDFA{Part: 1, Level: "B"}, "PDF/A-1b"},
		{"attributes", claiming(two, 3), pdf.PDFA{Part: 2, Level: "U", Intent: true, IntentRGB: true}, "PDF/A-2u"},
		{"an output intent for four colours", claiming(one, 4), pdf.PDFA{Part: 1, Level: "B", Intent: true}, "PDF/A-1b"},
		{"part 4 without a level", claiming(fmt.Sprintf(xmpAttributes, "4", ""), 0), pdf.PDFA{Part: 4}, "PDF/A-4"},
		{"UTF-16, big end first", claiming(wide(one, true), 0), pdf.PDFA{Part: 1, Level: "B"}, "PDF/A-1b"},
		{"UTF-16, little end first", claiming(wide(two, false), 0), pdf.PDFA{Part: 2, Level: "U"}, "PDF/A-2u"},
		{"white space", claiming(fmt.Sprintf(xmpElements, "\n 3 ", " a\n"), 0), pdf.PDFA{Part: 3, Level: "A"}, "PDF/A-3a"},
		{"XML that breaks off", claiming(one[:strings.Index(one, "<id:conformance")], 0), pdf.PDFA{Part: 1}, "PDF/A-1"},
		{"another schema", claiming(strings.ReplaceAll(one, "aiim.org/pdfa", "aiim.org/pdfua"), 0), pdf.PDFA{}, ""},
		{"no number", claiming(fmt.Sprintf(xmpElements, "one", "B"), 0), pdf.PDFA{}, ""},
		{"no part", claiming(fmt.Sprintf(xmpElements, "-1", "B"), 0), pdf.PDFA{}, ""},
		{"not XML", claiming("\x00\x01http://www.aiim.org/pdfa/ns/id/<<<>>&&&", 0), pdf.PDFA{}, ""},
		{"deep XML", claiming(huge, 0), pdf.PDFA{Part: 3}, "PDF/A-3"},
		{"an entity", claiming(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`+strings.Replace(one, ">1<", ">&e;<", 1), 0), pdf.PDFA{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			got, err := opened(t, c.data).PDFA()
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want || got.String() != c.text || got.Claimed() != (c.text != "") {
				t.Errorf("got %+v, %q", got, got)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
	damaged := onePage("")
	damaged[0] = "<</Type/Catalog/Pages 2 0 R/Metadata 4 0 R/OutputIntents 17>>"
	damaged = append(damaged, "<</Filter/FlateDecode/Length 5>>\nstream\nabcde\nendstream")
	if got, err := opened(t, file{objects: damaged}.bytes()).PDFA(); err != nil || got.Claimed() {
		t.Errorf("damaged metadata: %v, %v", got, err)
	}
}

func TestWhatBreaksAClaimIsSaidBefore(t *testing.T) {
	base := official(t, 300)
	r := request(t)
	r.Appearance = base
	cms := r
	cms.Filter, cms.SubFilter = "Adobe.PPKLite", "ETSI.CAdES.detached"
	gm := cms
	gm.SubFilter = "adbe.pkcs7.detached"
	long := cms
	long.ContentsSize = 36 << 10
	longer := r
	longer.ContentsSize = 70 << 10
	invisible := cms
	invisible.Appearance = nil
	one, two := pdf.PDFA{Part: 1, Level: "B"}, pdf.PDFA{Part: 2, Level: "B"}
	rgb := pdf.PDFA{Part: 2, Level: "B", Intent: true, IntentRGB: true}
	cmyk := pdf.PDFA{Part: 3, Level: "B", Intent: true}
	for _, c := range []struct {
		name    string
		claim   pdf.PDFA
		request pdf.SealRequest
		want    []string // as it is
		suited  []string // with the appearance for the claim
	}{
		{"no claim", pdf.PDFA{}, longer, nil, nil},
		{"part 1, seal", one, r, []string{"transparency", "colour"}, nil},
		{"part 1, seal of more than a string", one, longer, []string{"string-length", "transparency", "colour"}, []string{"string-length"}},
		{"part 2, seal", rgb, r, []string{"signature-format"}, []string{"signature-format"}},
		{"part 2, cms-gm", rgb, gm, []string{"signature-format"}, []string{"signature-format"}},
		{"part 2, cms", rgb, cms, nil, nil},
		{"part 2, cms of more than a string", rgb, long, []string{"string-length"}, []string{"string-length"}},
		{"part 2, cms, no output intent", two, cms, []string{"transparency", "colour"}, nil},
		{"part 3, cms, output intent for four colours", cmyk, cms, []string{"colour"}, nil},
		{"part 4, cms", pdf.PDFA{Part: 4, Intent: true, IntentRGB: true}, long, nil, nil},
		{"part 2, cms, invisible", two, invisible, nil, nil},
	} {
		codes := func(r pdf.SealRequest) []string {
			var found []string
			for _, b := range c.claim.Breaches(r) {
				found = append(found, b.Code)
				if b.Clause == "" || b.ZH == "" || b.EN == "" {
					t.Errorf("%s: %+v", c.name, b)
				}
			}
			return found
		}
		if got := codes(c.request); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		if c.request.Appearance == nil {
			continue
		}
		suited, err := c.request.Appearance.For(c.claim)
		if err != nil {
			t.Fatal(err)
		}
		if !c.claim.Claimed() && suited != c.request.Appearance {
			t.Errorf("%s: the appearance was changed", c.name)
		}
		c.request.Appearance = suited
		if got := codes(c.request); !slices.Equal(got, c.suited) {
			t.Errorf("%s: with the right appearance got %v, want %v", c.name, got, c.suited)
		}
	}
}

func TestTheRenderingForAClaim(t *testing.T) {
	base := lettered(t, official(t, 300))
	opaque := image.NewNRGBA(image.Rect(0, 0, 60, 60))
	for i := range opaque.Pix {
		opaque.Pix[i] = byte(i) | 0x80
		if i%4 == 3 {
			opaque.Pix[i] = 255
		}
	}
	solid, err := pdf.NewAppearance(encode(opaque), 20, 20)
	if err != nil {
		t.Fatal(err)
	}
	many := image.NewNRGBA(image.Rect(0, 0, 60, 60))
	for i := range 6 {
		for y := range 60 {
			for x := i * 10; x < i*10+8; x++ {
				many.SetNRGBA(x, y, color.NRGBA{R: byte(50 * i), A: 200})
			}
		}
	}
	colourful, err := pdf.NewAppearance(encode(many), 20, 20)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		a     *pdf.Appearance
		claim pdf.PDFA
		want  pdf.Rendering
	}{
		{"part 1", base, pdf.PDFA{Part: 1}, pdf.Rendering{Style: pdf.VectorOutline, Calibrated: true}},
		{"part 1 with an output intent", base, pdf.PDFA{Part: 1, Intent: true, IntentRGB: true}, pdf.Rendering{Style: pdf.VectorOutline}},
		{"part 1, more colours than can be traced", colourful, pdf.PDFA{Part: 1}, pdf.Rendering{Style: pdf.HardImage, Calibrated: true}},
		{"part 1, nothing transparent", solid, pdf.PDFA{Part: 1}, pdf.Rendering{Calibrated: true}},
		{"part 2 with an output intent", base, pdf.PDFA{Part: 2, Intent: true, IntentRGB: true}, pdf.Rendering{}},
		{"part 2 with an output intent for four colours", base, pdf.PDFA{Part: 2, Intent: true}, pdf.Rendering{Calibrated: true}},
		{"part 2 without an output intent", base, pdf.PDFA{Part: 2}, pdf.Rendering{Style: pdf.VectorOutline, Calibrated: true}},
		{"part 3, an outline already", as(t, base, pdf.Rendering{Style: pdf.VectorOutline}), pdf.PDFA{Part: 3, Intent: true, IntentRGB: true}, pdf.Rendering{Style: pdf.VectorOutline}},
	} {
		got, err := c.a.For(c.claim)
		if err != nil || got.Rendering() != c.want {
			t.Errorf("%s: %+v, %v", c.name, got.Rendering(), err)
		}
	}
}

// TestASealKeepsPDFA1 seals a file that claims PDF/A-1 and looks at what the update holds, object by object.
func TestASealKeepsPDFA1(t *testing.T) {
	data := claiming(fmt.Sprintf(xmpElements, "1", "B"), 0)
	claim, err := opened(t, data).PDFA()
	if err != nil {
		t.Fatal(err)
	}
	r := request(t)
	if r.Appearance, err = lettered(t, official(t, 300)).For(claim); err != nil {
		t.Fatal(err)
	}
	sealed := seal(t, data, r)
	after, err := opened(t, sealed).PDFA()
	if err != nil || after != claim {
		t.Errorf("the claim is %v afterwards: %v", after, err)
	}
	plain := inflated(t, sealed)
	for _, forbidden := range []string{"/SMask", "/Group", "/CA ", "/ca ", "/BM", "/DeviceRGB", "/DeviceCMYK", "/LZWDecode", "/Interpolate",
		"/OPI", "/PS", "/AA", "/JS", "/TR", "/ObjStm"} {
		if bytes.Contains(plain, []byte(forbidden)) {
			t.Errorf("there is %s", forbidden)
		}
	}
	for _, needed := range []string{"/CalRGB", "/FontFile2", "/CIDSet", "/CIDToGIDMap /Identity", "/ToUnicode", "/W [", "/F 132"} {
		if !bytes.Contains(plain, []byte(needed)) {
			t.Errorf("there is no %s", needed)
		}
	}
	tooltest.Find(t, "qpdf")
	if text := qpdfComplains(save(t, sealed)); text != 0 {
		t.Errorf("qpdf ends with %d", text)
	}
}

// FuzzPDFA reads claims from any bytes.
func FuzzPDFA(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(xmpElements, "1", "B")))
	f.Add([]byte(wide(fmt.Sprintf(xmpAttributes, "2", "u"), true)))
	f.Fuzz(func(t *testing.T, xmp []byte) {
		if len(xmp) > 1<<16 {
			return
		}
		d := opened(t, claiming(string(xmp), 3))
		c, err := d.PDFA()
		if err != nil {
			if _, known := fault.Of(err); !known {
				t.Fatal(err)
			}
		}
		if c.Part < 0 || c.Part > 99 || len(c.Level) > 24 {
			t.Errorf("%+v", c)
		}
	})
}
