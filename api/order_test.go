package api

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"image/png"
	"mime"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/truetype"
	"yinxin/sealer/intake"
	"yinxin/sealer/issuance/compose"
	"yinxin/sealer/pdf/normalise"
	"yinxin/sealer/verify"
	"yinxin/sealer/view"
)

const workerName = "view-worker-of-the-tests"

// viewCache is the folder for the compiled module that the tests share.
var viewCache string

// The tests run this program as a worker of sealer/view, and of those that take pages in and compose copies.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == normalise.WorkerName {
		os.Exit(normalise.Work(os.Stdin, os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == compose.WorkerName {
		os.Exit(compose.Work(os.Stdin, os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == workerName {
		fmt.Fprintln(os.Stderr, view.Work(os.Stdin, os.Stdout))
		os.Exit(1)
	}
	var err error
	if viewCache, err = os.MkdirTemp("", "view-cache-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(viewCache)
	if status == 0 {
		status = called.judge()
	}
	os.Exit(status)
}

// equipped is a world whose sealer has a viewer, an authority of time, evidence, and a font where the machine has one.
func equipped(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.equip()
	return w
}

func (w *world) equip() {
	t := w.t
	t.Helper()
	v := view.New(view.Config{Path: got(os.Executable())(t), Args: []string{"worker", workerName}, CacheDir: viewCache})
	t.Cleanup(v.Close)
	w.sealer.Viewer, w.sealer.TimeStamps, w.sealer.Evidence = v, w.authority, w.authority
	if path, err := truetype.Find(); err == nil {
		w.sealer.Font = path
	}
}

// set is the usual order with members added; a nil one is taken away.
func set(document string, members map[string]any) map[string]any {
	o := order(document)
	for name, value := range members {
		if value == nil {
			delete(o, name)
		} else {
			o[name] = value
		}
	}
	return o
}

type object = map[string]any

func TestEveryMemberOfAnOrderCounts(t *testing.T) {
	w := equipped(t)
	pages := got(fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: 3, Pages: 5}))(t)
	d := w.uploaded("platform", pages)
	for name, c := range map[string]struct {
		members object
		marks   int
		check   func(t *testing.T, s Sealing, update []byte)
	}{
		"placements": {object{"placement": nil, "placements": []object{{"page": 1, "from": "top-left", "x": 10, "y": 20}, {"pages": "2-3,-1", "from": "centre", "x": 100, "y": 100}}}, 4,
			func(t *testing.T, s Sealing, _ []byte) {
				if m := s.Details.Marks[1]; m.Page != 2 || m.X != 79 || m.Y != 79 || m.Width != 42 || m.Height != 42 || m.Kind != "seal" {
					t.Errorf("%+v", m)
				}
			}},
		"placement and placements": {object{"placements": []object{{"page": 2, "x": 10, "y": 20}}}, 2, nil},
		"straddle": {object{"placement": nil, "straddle": object{"edge": "left", "sides": "double", "group": 4, "skip_first": 1, "align": "start", "offset": 30}}, 0,
			func(t *testing.T, s Sealing, _ []byte) {
				for _, m := range s.Details.Marks {
					if m.Kind != "straddle" || m.Parts == 0 || m.Part == 0 || m.Page == 1 {
						t.Errorf("%+v", m)
					}
				}
			}},
		"invisible": {object{"placement": nil, "invisible": true}, 0, nil},
		"profile":   {object{"profile": "cms"}, 1, contains("/ETSI.CAdES.detached")},
		"gm":        {object{"profile": "cms-gm"}, 1, contains("/adbe.pkcs7.detached")},
		"outline":   {object{"appearance": "outline"}, 1, lacks("/Subtype/Image")},
		"picture":   {object{"appearance": "picture"}, 1, contains("/Subtype/Image")},
		"certify":   {object{"certify": 2}, 1, contains("/DocMDP")},
		"lock":      {object{"lock": object{"action": "include", "fields": []string{"Name"}}}, 1, contains("/FieldMDP")},
		"texts":     {object{"reason": "copy 117", "location": "Linjiang", "contact": "0000-1"}, 1, contains("copy 117", "Linjiang", "0000-1")},
		"no stamp":  {object{"no_time_stamp": true}, 1, nil},
		"long term": {object{"long_term": true}, 1, contains("/DSS", "/ETSI.RFC3161")},
		"accept":    {object{"accept": []string{"action.javascript"}}, 1, nil}, // of what is not there
	} {
		t.Run(name, func(t *testing.T) {
			var s Sealing
			w.order("platform", rand.Text(), set(d.ID, c.members)).is(201).into(&s)
			if c.marks > 0 && len(s.Details.Marks) != c.marks || len(s.Details.Marks) == 0 && name != "invisible" || s.Details.Notes == nil || s.Details.Findings == nil {
				t.Errorf("details %+v", s.Details)
			}
			sealed := w.call("platform", "GET", "/v1/documents/"+s.Document.ID+"/content", nil).is(200).body
			var report verify.Report
			w.call("", "POST", "/v1/verifications", bytes.NewReader(sealed), asPDF).is(200).into(&report)
			if report.Verdict != verify.Valid {
				t.Errorf("%s: %s", report.Verdict, report.Summary)
			}
			if c.check != nil {
				c.check(t, s, bytes.TrimPrefix(sealed, pages))
			}
			if stamped := report.Signatures[0].TimeSource == "time-stamp"; stamped == (name == "no stamp") {
				t.Errorf("the time is from %s", report.Signatures[0].TimeSource)
			}
		})
	}
	// What the policy refuses, and the caller accepts.
	w.sealer.Intake = intake.Policy{intake.CodeFontStandard: intake.Refuse}
	fonts := w.uploaded("platform", spoken())
	if p := w.order("platform", rand.Text(), order(fonts.ID)).problem(422, "intake.refused"); !strings.Contains(p.MessageEN, "font.standard") {
		t.Errorf("it is not said what was found: %s", p.MessageEN)
	}
	var accepted Sealing
	w.order("platform", rand.Text(), set(fonts.ID, object{"accept": []string{"font.standard"}})).is(201).into(&accepted)
	if f := accepted.Details.Findings; len(f) != 1 || f[0].Code != "font.standard" || f[0].Severity == "" || f[0].Message == "" || f[0].MessageEN == "" {
		t.Errorf("findings %+v", f)
	}
	w.sealer.Intake = nil
	// A keyword, of one page, by page and by range.
	text := w.uploaded("platform", spoken())
	for _, members := range []object{{"page": 2}, {"pages": "2"}, {"nth": -1}, {"pages": "all", "nth": 2, "dx": 5, "dy": -5}} {
		members["keyword"] = "SEAL HERE"
		var s Sealing
		w.order("platform", rand.Text(), set(text.ID, object{"placement": nil, "placements": []object{members}})).is(201).into(&s)
		if m := s.Details.Marks; len(m) != 1 || m[0].Page != 2 {
			t.Errorf("%v: %+v", members, m)
		}
	}
	if w.sealer.Font != "" {
		var s Sealing
		w.order("platform", rand.Text(), set(d.ID, object{"lines": []string{"2026年11月26日", "第117号"}})).is(201).into(&s)
		if m := s.Details.Marks[0]; m.Height <= 42 { // with the lines below
			t.Errorf("%+v", m)
		}
	}
}

func contains(words ...string) func(*testing.T, Sealing, []byte) {
	return func(t *testing.T, _ Sealing, update []byte) {
		for _, word := range words {
			if !bytes.Contains(update, []byte(word)) {
				t.Errorf("%s is not in the update", word)
			}
		}
	}
}

func lacks(word string) func(*testing.T, Sealing, []byte) {
	return func(t *testing.T, _ Sealing, update []byte) {
		if bytes.Contains(update, []byte(word)) {
			t.Errorf("%s is in the update", word)
		}
	}
}

// spoken is two pages with the same words.
func spoken() []byte {
	const content = "BT /F 14 Tf 200 400 Td (SEAL HERE) Tj ET"
	page := "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
	var b, table bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	for i, o := range []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>", page, page,
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(content), content)} {
		fmt.Fprintf(&table, "%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	fmt.Fprintf(&b, "xref\n0 6\n0000000000 65535 f \n%strailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", table.String(), b.Len())
	return b.Bytes()
}

func TestWhatAServiceHasNotIsSaid(t *testing.T) {
	w := newWorld(t)
	d := w.uploaded("platform", onePage(t))
	for code, members := range map[string]object{
		"sealing.no-viewer":     {"placement": object{"keyword": "盖章"}},
		"sealing.no-font":       {"lines": []string{"一"}},
		"sealing.no-time-stamp": {"long_term": true},
	} {
		a := w.order("platform", rand.Text(), set(d.ID, members))
		a.problem(503, code)
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", code)
		}
	}
	w.preview("platform", order(d.ID)).problem(503, "sealing.no-viewer")
	w.call("platform", "POST", "/v1/documents/"+d.ID+"/extensions", nil).problem(503, "sealing.no-time-stamp")
}

func (w *world) preview(actor string, o object) answer {
	w.t.Helper()
	return w.call(actor, "POST", "/v1/previews", bytes.NewReader(got(json.Marshal(o))(w.t)), asJSON)
}

func TestOrdersThatSayNothingSensible(t *testing.T) {
	w := equipped(t)
	d := w.uploaded("platform", onePage(t))
	objects := len(w.kept("files"))
	for name, c := range map[string]struct {
		members object
		status  int
		code    string
		member  string
	}{
		"a profile that is none":        {object{"profile": "pades"}, 422, "request.invalid", "profile"},
		"an appearance that is none":    {object{"appearance": "photo"}, 422, "request.invalid", "appearance"},
		"too many places":               {object{"placements": make([]object, 65)}, 422, "request.invalid", "placements"},
		"a place without a page":        {object{"placements": []object{{"x": 1, "y": 1}}}, 400, "request.invalid", "placement.page"},
		"a page and pages":              {object{"placements": []object{{"page": 1, "pages": "2", "x": 1}}}, 400, "request.invalid", "placement"},
		"a keyword at a distance":       {object{"placements": []object{{"keyword": "k", "x": 1}}}, 400, "request.invalid", "placement"},
		"a shift without a keyword":     {object{"placements": []object{{"page": 1, "dx": 1}}}, 400, "request.invalid", "placement"},
		"an occurrence of nothing":      {object{"placements": []object{{"page": 1, "nth": 1}}}, 400, "request.invalid", "placement"},
		"pages that are no range":       {object{"placement": object{"pages": "1--"}}, 400, "pdf.bad-page-range", ""},
		"a corner of a list":            {object{"placements": []object{{"page": 1, "from": "middle"}}}, 422, "request.invalid", "placements[0].from"},
		"a long keyword":                {object{"placements": []object{{"keyword": strings.Repeat("k", 101)}}}, 422, "request.invalid", "placements[0].keyword"},
		"an edge that is none":          {object{"straddle": object{"edge": "middle"}}, 422, "request.invalid", "straddle.edge"},
		"sides that are none":           {object{"straddle": object{"sides": "three"}}, 422, "request.invalid", "straddle.sides"},
		"an alignment that is none":     {object{"straddle": object{"align": "left"}}, 422, "request.invalid", "straddle.align"},
		"a group below nothing":         {object{"straddle": object{"group": -1}}, 422, "request.invalid", "straddle.group"},
		"a level that is none":          {object{"certify": 4}, 422, "request.invalid", "certify"},
		"a lock of something":           {object{"lock": object{"action": "some"}}, 422, "request.invalid", "lock.action"},
		"a lock without action":         {object{"lock": object{}}, 422, "request.invalid", "lock"},
		"five lines":                    {object{"lines": []string{"1", "2", "3", "4", "5"}}, 422, "request.invalid", "lines"},
		"an empty line":                 {object{"lines": []string{""}}, 400, "sealing.order", "lines"},
		"a long reason":                 {object{"reason": strings.Repeat("因", 201)}, 422, "request.invalid", "reason"},
		"shown and invisible":           {object{"invisible": true}, 400, "sealing.order", "places"},
		"lasting without a time stamp":  {object{"long_term": true, "no_time_stamp": true}, 400, "sealing.order", "long_term"},
		"a field that is not there":     {object{"placement": nil, "field": "Nowhere"}, 422, "pdf.no-such-field", ""},
		"a keyword that is not there":   {object{"placement": object{"keyword": "没有"}}, 422, "view.not-found", ""},
		"a keyword of nothing but room": {object{"placement": object{"keyword": "  "}}, 400, "view.keyword", ""},
		"twice in one place":            {object{"placements": []object{{"page": 1, "from": "bottom-right", "x": 20, "y": 30}}}, 422, "pdf.overlap", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, a := range []answer{w.order("platform", rand.Text(), set(d.ID, c.members)), w.preview("platform", set(d.ID, c.members))} {
				p := a.problem(c.status, c.code)
				if c.member != "" && (p.Place == nil || p.Place.Field != c.member) {
					t.Errorf("place %+v, want %s", p.Place, c.member)
				}
			}
		})
	}
	for member, value := range map[string]any{"dpi": 9, "show": make([]int, 51)} {
		if p := w.preview("platform", set(d.ID, object{member: value})).problem(422, "request.invalid"); p.Place == nil || p.Place.Field != member {
			t.Errorf("place %+v, want %s", p.Place, member)
		}
	}
	if n := len(w.kept("files")); n != objects {
		t.Errorf("%d objects more than before", n-objects)
	}
}

func TestAPreviewShowsPagesAndSealsNothing(t *testing.T) {
	w := equipped(t)
	d := w.uploaded("platform", got(fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: 3, Pages: 3}))(t))
	objects := len(w.kept("files"))
	o := set(d.ID, object{"placement": object{"pages": "all", "x": 20, "y": 20}, "dpi": 50, "show": []int{3, 1}})
	var p Preview
	w.preview("platform", o).is(200).into(&p)
	if len(p.Pages) != 2 || p.Pages[0].Number != 1 || p.Pages[1].Number != 3 || len(p.Details.Marks) != 3 || p.Size <= d.Size {
		t.Fatalf("%d pages, %+v", len(p.Pages), p.Details)
	}
	for _, page := range p.Pages {
		img := got(png.Decode(bytes.NewReader(page.PNG)))(t)
		if img.Bounds().Dx() != page.Width || img.Bounds().Dy() != page.Height || page.Width < 400 || page.Width > 430 {
			t.Errorf("page %d: %v, said to be %d × %d", page.Number, img.Bounds(), page.Width, page.Height)
		}
	}
	if n := len(w.kept("files")); n != objects {
		t.Errorf("%d objects more than before", n-objects)
	}
	w.preview("clerk", o).problem(404, "document.not-found")
	w.preview("stranger", o).problem(422, "seal.not-granted")
	must(t, w.register.Suspend(t.Context(), w.people[0], sealCode, "lost"))
	w.preview("platform", o).problem(422, "seal.suspended")
}

func TestASealedDocumentIsExtended(t *testing.T) {
	w := equipped(t)
	d := w.uploaded("platform", onePage(t))
	path := func(id string) string { return "/v1/documents/" + id + "/extensions" }
	w.call("platform", "POST", path(d.ID), nil).problem(422, "sealing.nothing-to-extend")
	w.call("platform", "POST", path(w.uploaded("platform", []byte("a text")).ID), nil).problem(400, "pdf.not-a-pdf")
	var s Sealing
	w.order("platform", "key", order(d.ID)).is(201).into(&s)
	objects := len(w.kept("files"))
	for _, actor := range []string{"clerk", "stranger"} { // of other organisations
		w.call(actor, "POST", path(s.Document.ID), nil).problem(404, "document.not-found")
	}
	w.call("platform", "POST", path("d_none"), nil).problem(404, "document.not-found")
	if n := len(w.kept("files")); n != objects {
		t.Errorf("%d objects more than before", n-objects)
	}
	var extended Document
	a := w.call("platform", "POST", path(s.Document.ID), nil).is(201)
	a.into(&extended)
	if a.header.Get("Location") != "/v1/documents/"+extended.ID || extended.ID == s.Document.ID || extended.Size <= s.Document.Size {
		t.Errorf("%q %+v", a.header.Get("Location"), extended)
	}
	content := func(id string) []byte {
		return w.call("platform", "GET", "/v1/documents/"+id+"/content", nil).is(200).body
	}
	b := content(extended.ID)
	if !bytes.HasPrefix(b, content(s.Document.ID)) {
		t.Error("what was signed is changed")
	}
	var report verify.Report
	w.call("", "POST", "/v1/verifications", bytes.NewReader(b), asPDF).is(200).into(&report)
	if report.Verdict != verify.Valid || len(report.Signatures) != 2 {
		t.Errorf("%s %s", report.Verdict, report.Summary)
	}
}

func TestAReportComesAsDataPageOrPrint(t *testing.T) {
	w := equipped(t)
	_, sealed := w.sealedFile()
	ask := func(query string, fields ...string) answer {
		t.Helper()
		return w.call("", "POST", "/v1/verifications"+query, bytes.NewReader(sealed), append(fields, asPDF)...)
	}
	const named = "X-File-Name: %E5%A4%8D%E5%88%B6%E4%BB%B6.pdf"
	for _, c := range []struct{ query, name, media, file string }{
		{"?format=html", named, "text/html", "复制件-verification.html"},
		{"?format=html&lang=en", "", "text/html", "verification.html"},
		{"?format=pdf", named, "application/pdf", "复制件-verification.pdf"},
		{"?format=pdf&lang=en", "X-File-Name: copy.pdf", "application/pdf", "copy-verification.pdf"},
	} {
		if strings.Contains(c.query, "pdf") && w.sealer.Font == "" {
			continue
		}
		var fields []string
		if c.name != "" {
			fields = append(fields, c.name)
		}
		a := ask(c.query, fields...).is(200)
		media, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
		must(t, err)
		disposition, parameters, err := mime.ParseMediaType(a.header.Get("Content-Disposition"))
		must(t, err)
		if media != c.media || disposition != "attachment" || parameters["filename"] != c.file || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", c.query, a.header)
		}
		heading := "电子签章验证报告"
		if strings.Contains(c.query, "lang=en") {
			heading = "Verification of a sealed document"
		}
		text := string(a.body)
		if media == "application/pdf" {
			text = opened(t, a.body)
		}
		if !strings.Contains(text, sealCode) || !strings.Contains(text, heading) {
			t.Errorf("%s: no %s: %.2000s", c.query, heading, text)
		}
	}
	for _, query := range []string{"", "?format=json"} {
		a := ask(query).is(200)
		if media := a.header.Get("Content-Type"); !strings.HasPrefix(media, "application/json") || a.header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %v", query, a.header)
		}
	}
	if p := ask("?format=docx").problem(http.StatusBadRequest, "request.invalid"); p.Place == nil || p.Place.Field != "format" {
		t.Errorf("%+v", p.Place)
	}
	if p := ask("?second-opinion=perhaps").problem(http.StatusBadRequest, "request.invalid"); p.Place == nil || p.Place.Field != "second-opinion" {
		t.Errorf("%+v", p.Place)
	}
	with, without := ask("?second-opinion=true").is(200), ask("?second-opinion=false").is(200)
	if !bytes.Contains(with.body, []byte(verify.CheckSecondOpinion)) || bytes.Contains(without.body, []byte(verify.CheckSecondOpinion)) {
		t.Errorf("the second opinion: %s", with.body)
	}
	if left := w.kept("scratch"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestTheExamplesOfTheDocumentWork(t *testing.T) {
	w := equipped(t)
	if w.sealer.Font == "" {
		t.Skip("no Chinese font")
	}
	d := w.uploaded("platform", got(fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: 3, Pages: 3}))(t))
	var document struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Required bool
				Content  map[string]struct {
					Examples map[string]struct{ Value object }
				}
			}
		}
	}
	w.call("", "GET", "/v1/openapi.json", nil).is(200).into(&document)
	body := document.Paths["/v1/sealings"]["post"].RequestBody
	examples := body.Content["application/json"].Examples
	if len(examples) < 4 || !body.Required || len(document.Paths["/v1/previews"]["post"].RequestBody.Content["application/json"].Examples) != len(examples) {
		t.Fatalf("%+v", document.Paths["/v1/sealings"]["post"])
	}
	for name, example := range examples {
		example.Value["document"] = d.ID
		if a := w.order("platform", rand.Text(), example.Value); name == "keyword" {
			a.problem(422, "view.not-found") // the fixture has no such word
		} else {
			a.is(201)
		}
	}
}

// opened has qpdf check a PDF and pdftotext read it.
func opened(t *testing.T, data []byte) string {
	t.Helper()
	for _, tool := range []string{"qpdf", "pdftotext"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	name := filepath.Join(t.TempDir(), "report.pdf")
	must(t, os.WriteFile(name, data, 0o600))
	if out, err := exec.Command("qpdf", "--check", name).CombinedOutput(); err != nil {
		t.Errorf("qpdf: %v: %s", err, out)
	}
	return string(got(exec.Command("pdftotext", "-layout", name, "-").Output())(t))
}
