package api

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"os"
	"strings"
	"testing"

	"yinxin/ca/enroll"
	"yinxin/fixtures"
)

// scannedPDF is a PDF whose pages are pictures, as an office scanner makes it.
func scannedPDF(t *testing.T, pages ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var offsets []int
	add := func(format string, args ...any) {
		offsets = append(offsets, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n", len(offsets))
		fmt.Fprintf(&out, format, args...)
		out.WriteString("\nendobj\n")
	}
	out.WriteString("%PDF-1.4\n")
	var kids strings.Builder
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 3+3*i)
	}
	add("<< /Type /Catalog /Pages 2 0 R >>")
	add("<< /Type /Pages /Count %d /Kids [%s] >>", len(pages), kids.String())
	for i, data := range pages {
		size := got(jpeg.DecodeConfig(bytes.NewReader(data)))(t)
		colours := "/DeviceRGB"
		w, h := float64(size.Width)*72/300, float64(size.Height)*72/300
		content := fmt.Sprintf("q %.3f 0 0 %.3f 0 0 cm /I Do Q", w, h)
		add("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.3f %.3f] /Contents %d 0 R /Resources << /XObject << /I %d 0 R >> >> >>", w, h, 4+3*i, 5+3*i)
		add("<< /Length %d >>\nstream\n%s\nendstream", len(content), content)
		add("<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace %s /BitsPerComponent 8 /Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream",
			size.Width, size.Height, colours, len(data), data)
	}
	start := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return out.Bytes()
}

func blankPage(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 600, 400))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	var b bytes.Buffer
	must(t, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

// TestAScanOfManyFormsGoesPageByPageToItsApplications is what a city bureau's scanner gives: forms of two units in one
// file, with a card between them.
func TestAScanOfManyFormsGoesPageByPageToItsApplications(t *testing.T) {
	a := newApplicant(t, true)
	first := a.create(a.form("new", "central"))
	var other Application
	f := a.form("new", "central")
	a.send("neighbour", "POST", app, object{"unit": a.neighbourUnit(), "form": f}).is(201).into(&other)
	second := &dossier{applicant: a, Application: other}
	second.look()
	pages := [][]byte{first.printed(first.stamps()...), blankPage(t), second.printedAs("neighbour", first.stamps()...)}
	file := scannedPDF(t, pages...)
	upload := func(actor string) Scan {
		t.Helper()
		var found Scan
		a.call(actor, "POST", "/v1/scans", bytes.NewReader(file), asPDF, "X-File-Name: scan.pdf").is(200).into(&found)
		if len(found.Pages) != 3 || found.Pages[1].Outcome != "unmatched" || found.Pages[1].Number != "" {
			t.Fatalf("%+v", found)
		}
		return found
	}
	// The handler of one unit cannot put anything with the other's, nor learn of it.
	found := upload("handler")
	if p := found.Pages[2]; p.Outcome != "unmatched" || p.Code != "enroll.not-found" || p.ID != "" {
		t.Errorf("%+v", p)
	}
	found = upload("registrar")
	for i, d := range map[int]*dossier{0: first, 2: second} {
		p := found.Pages[i]
		if d.look(); p.Outcome != "attached" || p.ID != d.ID || p.Attachment == "" || len(d.Attachments) != 1 || d.Attachments[0].Matched != "code" {
			t.Fatalf("page %d: %+v, %+v", i+1, p, d.Attachments)
		}
	}
	before := []string{first.tag, second.tag}
	again := upload("registrar")
	first.look()
	second.look()
	if again.Pages[0].Attachment != found.Pages[0].Attachment || first.tag != before[0] || second.tag != before[1] {
		t.Errorf("the same scan again changed something: %+v", again)
	}
	// Of the file, the application has its own page and no other.
	kept := a.send("registrar", "POST", first.path("/attachments/"+found.Pages[0].Attachment+"/content"), object{"reason": "核对原件"}).is(200)
	if media := kept.header.Get("Content-Type"); media != "image/png" && media != "image/jpeg" {
		t.Errorf("kept as %s", media)
	}
	// A page without code is attached by hand.
	first.take(a.call("handler", "POST", first.path("/attachments?kind=identity&page=2"), bytes.NewReader(file), asPDF, "X-File-Name: scan.pdf", "If-Match: "+first.tag).is(http.StatusCreated))
	if at := first.Attachments[1]; at.Kind != "identity" || at.Matched != "hand" || at.Size >= int64(len(file)) {
		t.Errorf("%+v", at)
	}
	// And the page that was cut out is good enough for a template.
	first.step("handler", "accept-agreement", object{"version": "2026-01"}, enroll.StateDraft)
	var made SealTemplate
	a.send("registrar", "POST", first.path("/template"), object{"dry_run": true}, "If-Match: "+first.tag).is(200).into(&made)
	if made.Stored || made.Verdict != "usable" || !made.Precise || made.Code != "" {
		t.Errorf("%+v", made)
	}
	a.send("registrar", "GET", first.path("/template"), nil).problem(404, "registration.no-template")
}

func (a *applicant) neighbourUnit() string {
	a.t.Helper()
	var list struct{ Units []Unit }
	a.send("neighbour", "GET", "/v1/units", nil).is(200).into(&list)
	if len(list.Units) != 1 {
		a.t.Fatalf("the neighbour sees %+v", list.Units)
	}
	return list.Units[0].ID
}

func (d *dossier) printedAs(actor string, stamps ...fixtures.Stamping) []byte {
	d.t.Helper()
	key := d.keys["handler"]
	defer func() { d.keys["handler"] = key }()
	d.keys["handler"] = d.keys[actor]
	return d.printed(stamps...)
}

func TestAHostileScanIsRefused(t *testing.T) {
	a := newApplicant(t, true)
	d := a.create(a.form("new", "central"))
	// A PNG that says it has 60,000 × 60,000 pixels.
	bomb := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xea\x60\x00\x00\xea\x60\x08\x02\x00\x00\x00")
	bomb = append(bomb, 0x7c, 0x5f, 0xa8, 0x2c) // not the right checksum either
	good := blankPage(t)
	for name, c := range map[string]struct {
		body   []byte
		fields []string
		status int
		code   string
	}{
		"a program":         {[]byte("MZ\x90\x00" + strings.Repeat("x", 2000)), []string{"Content-Type: application/octet-stream"}, 400, "attachment.unknown-format"},
		"a page":            {[]byte("<!DOCTYPE html><script>alert(1)</script>"), []string{"Content-Type: image/png"}, 400, "attachment.unknown-format"},
		"another ending":    {good, []string{"Content-Type: image/png", "X-File-Name: scan.png"}, 400, "attachment.not-what-it-says"},
		"an unwanted type":  {good, []string{"Content-Type: text/html"}, 415, "request.media-type"},
		"nothing":           {nil, []string{"Content-Type: image/png"}, 400, "request.no-file"},
		"half a PDF":        {[]byte("%PDF-1.7\n1 0 obj"), []string{asPDF}, 400, "attachment.broken"},
		"a bomb of a PNG":   {bomb, []string{"Content-Type: image/png"}, 0, "attachment."},
		"more than allowed": {make([]byte, 64<<20+1), []string{"Content-Type: image/tiff"}, 413, "request.too-large"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/v1/scans", d.path("/attachments?kind=other")} {
				answer := a.call("handler", "POST", path, bytes.NewReader(c.body), append(c.fields, "If-Match: "+d.tag)...)
				var p Problem
				answer.into(&p)
				if c.status == 0 && answer.status >= 400 && answer.status < 500 && strings.HasPrefix(p.Code, c.code) {
					continue
				}
				answer.problem(c.status, c.code)
			}
		})
	}
	a.call("handler", "POST", d.path("/attachments?kind=weapon"), bytes.NewReader(good), "Content-Type: image/jpeg", "If-Match: "+d.tag).problem(400, "enroll.field")
	for _, page := range []string{"0", "2", "-1", "x"} {
		code := "request.invalid"
		if page == "2" {
			code = "registration.order"
		}
		a.call("handler", "POST", d.path("/attachments?kind=other&page="+page), bytes.NewReader(good), "Content-Type: image/jpeg", "If-Match: "+d.tag).problem(400, code)
	}
	if left := got(os.ReadDir(a.dir + "/scratch"))(t); len(left) != 0 {
		t.Errorf("%d files are left", len(left))
	}
	before := d.tag
	if d.look(); d.tag != before || len(d.Attachments) != 0 {
		t.Errorf("%+v", d.Attachments)
	}
}

func TestALookAtAScanIsRecorded(t *testing.T) {
	a := newApplicant(t, true)
	d := a.create(a.form("new", "central"))
	picture := card(t)
	d.attach("identity", picture)
	path := d.path("/attachments/" + d.Attachments[0].ID + "/content")
	if own := a.send("handler", "POST", path, object{}).is(200); !bytes.Equal(own.body, picture) || own.header.Get("Content-Type") != "image/png" ||
		own.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(own.header.Get("Content-Disposition"), "attachment;") {
		t.Errorf("%v", own.header)
	}
	a.send("registrar", "POST", path, object{}).problem(400, "enroll.reason")
	a.send("registrar", "POST", path, object{"reason": "a", "more": 1}).problem(400, "request.invalid")
	a.send("approver", "POST", path, object{"reason": "核对经办人身份"}).is(200)
	if history := a.send("handler", "GET", d.path("/history"), nil).is(200); !bytes.Contains(history.body, []byte("核对经办人身份")) {
		t.Errorf("%s", history.body)
	}
	a.send("handler", "POST", d.path("/attachments/att_none/content"), object{}).problem(404, "enroll.attachment-not-found")
	d.take(a.call("handler", "DELETE", d.path("/attachments/"+d.Attachments[0].ID), nil, "If-Match: "+d.tag).is(200))
	if len(d.Attachments) != 0 {
		t.Errorf("%+v", d.Attachments)
	}
}
