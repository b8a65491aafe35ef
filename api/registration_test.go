package api

import (
	"bytes"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"yinxin/ca/enroll"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/tooltest"
	"yinxin/internal/truetype"
)

// printed draws the form of an application over HTTP, prints it, stamps it and scans it askew.
func (d *dossier) printed(stamps ...fixtures.Stamping) []byte {
	d.t.Helper()
	if _, err := truetype.Find(); err != nil {
		d.t.Skip("no Chinese font is installed")
	}
	pdf := d.call("handler", "GET", d.path("/form.pdf"), nil).is(200)
	if pdf.header.Get("Content-Type") != "application/pdf" || pdf.header.Get("Cache-Control") != "no-store" {
		d.t.Errorf("%v", pdf.header)
	}
	out := filepath.Join(d.t.TempDir(), "form")
	tooltest.Run(d.t, "pdftoppm", "-r", "300", "-png", "-singlefile", tooltest.File(d.t, "form.pdf", pdf.body), out)
	page := got(png.Decode(bytes.NewReader(got(os.ReadFile(out + ".png"))(d.t))))(d.t)
	scan, _, err := fixtures.ScanSheet(fixtures.PrintedSheet{Print: page, DPI: 300, Skew: 1.5, Turn: 2, Seed: 3, Stamps: stamps})
	must(d.t, err)
	return scan
}

func (d *dossier) stamps() []fixtures.Stamping {
	seal := fixtures.OfficialSeal(d.name)
	return []fixtures.Stamping{{Seal: seal, X: 61, Y: 246, Angle: 1}, {Seal: seal, X: 150, Y: 247, Angle: -2}, {Seal: seal, X: 52, Y: 185, Angle: 1}}
}

// submitted has its scans, the form among them matched by its code, and is handed in.
func (a *applicant) submitted(f object) *dossier {
	a.t.Helper()
	d := a.create(f)
	d.step("handler", "accept-agreement", object{"version": "2026-01"}, enroll.StateDraft)
	scan := d.printed(d.stamps()...)
	var found Scan
	d.call("handler", "POST", "/v1/scans", bytes.NewReader(scan), "Content-Type: image/jpeg", "X-File-Name: scan.jpg").is(200).into(&found)
	if len(found.Pages) != 1 || found.Pages[0].Outcome != "attached" || found.Pages[0].ID != d.ID || !found.Pages[0].Precise {
		a.t.Fatalf("%+v", found)
	}
	d.look()
	card := card(a.t)
	d.attach("credit-code", card)
	d.attach("identity", card)
	d.step("handler", "submit", nil, enroll.StateSubmitted)
	return d
}

// examinable has its original, wet ink, template and no open finding.
func (d *dossier) examinable() *dossier {
	d.t.Helper()
	d.step("registrar", "receive", nil, enroll.StateReceived)
	d.step("registrar", "original", object{"on": d.today(), "number": "机要2026-0017"}, enroll.StateOriginal)
	var t SealTemplate
	d.send("registrar", "POST", d.path("/template"), object{"reason": "印模清晰"}, "If-Match: "+d.tag).is(201).into(&t)
	if !t.Stored || len(t.Code) != 14 || t.Width != 42 || len(t.Gates) == 0 || len(t.Picture) == 0 {
		d.t.Fatalf("%+v", t)
	}
	d.step("registrar", "ink", object{"stampedUnit": d.name, "imprintText": d.name, "measured": object{"diameter": 42}, "centre": "star"}, enroll.StateOriginal)
	d.confirmAll()
	return d
}

// seenTemplate looks at everything that a template gives. What shows parts of the scan takes a reason of an officer, is
// recorded, and is not for other units.
func (d *dossier) seenTemplate() {
	d.t.Helper()
	for path, want := range map[string][2]string{"/template.svg": {"image/svg+xml", "<svg "}, "/template.pdf": {"application/pdf", "%PDF-1.7"}, "/template/thumbnail.png": {"image/png", "\x89PNG"}} {
		file := d.call("auditor", "GET", d.path(path), nil).is(200)
		if file.header.Get("Content-Type") != want[0] || !bytes.HasPrefix(file.body, []byte(want[1])) {
			d.t.Errorf("%s: %v, %.20q", path, file.header, file.body)
		}
		d.call("neighbour", "GET", d.path(path), nil).problem(404, "enroll.not-found")
	}
	looks := func() (n int) {
		var history struct{ History []HistoryLine }
		d.send("auditor", "GET", d.path("/history"), nil).is(200).into(&history)
		for _, line := range history.History {
			if line.Reason == "核对印模" {
				n++
			}
		}
		return n
	}
	for path, beginning := range map[string]string{"/template/sheet": "%PDF-1.7", "/template/evidence": "PK\x03\x04"} {
		d.send("neighbour", "POST", d.path(path), object{"reason": "核对印模"}).problem(404, "enroll.not-found")
		d.send("approver", "POST", d.path(path), object{}).problem(400, "enroll.reason")
		before := looks()
		file := d.send("approver", "POST", d.path(path), object{"reason": "核对印模"}).is(200)
		if !bytes.HasPrefix(file.body, []byte(beginning)) {
			d.t.Errorf("%s: %.20q", path, file.body)
		}
		if after := looks(); after != before+1 {
			d.t.Errorf("%s: %d looks are in the history, then %d", path, before, after)
		}
		d.send("handler", "POST", d.path(path), object{}).is(200)
	}
}

func card(t *testing.T) []byte {
	t.Helper()
	return []byte(drawn(t, "身份证"))
}

// TestANewSealGoesTheWholeWayOverHTTP is the main path: application, paper, two people, certificates, acceptance, a
// document sealed and verified with the new seal.
func TestANewSealGoesTheWholeWayOverHTTP(t *testing.T) {
	a := newApplicant(t, true)
	d := a.submitted(a.form("new", "central")).examinable()

	var template SealTemplate
	d.send("approver", "GET", d.path("/template"), nil).is(200).into(&template)
	picture := d.call("auditor", "GET", d.path("/template.png"), nil).is(200)
	if size := got(png.DecodeConfig(bytes.NewReader(picture.body)))(t); size.Width != 992 || picture.header.Get("Content-Type") != "image/png" {
		t.Errorf("%d pixels for 42 mm at 600 dpi, %v", size.Width, picture.header)
	}
	d.seenTemplate()
	d.step("registrar", "examine", nil, enroll.StateExamined)
	d.send("registrar", "POST", d.path("/carry-out"), nil).problem(403, "access.not-approved")
	var waiting struct{ Approvals []Approval }
	d.send("approver", "GET", "/v1/approvals?kind=application.approve", nil).is(200).into(&waiting)
	if len(waiting.Approvals) != 1 || waiting.Approvals[0].ID != d.Examination || waiting.Approvals[0].OwnStep == "" {
		t.Fatalf("%+v", waiting)
	}
	d.send("approver", "POST", "/v1/approvals/"+d.Examination+"/approve", nil).problem(409, "access.own-step")
	var parts struct{ Approvals []Approval }
	d.send("approver", "GET", "/v1/approvals/"+d.Examination+"/parts", nil).is(200).into(&parts)
	if len(parts.Approvals) < 3 || parts.Approvals[0].Subject == nil {
		t.Fatalf("%+v", parts)
	}
	first := parts.Approvals[0].ID
	second := parts.Approvals[1].ID
	d.send("approver", "GET", "/v1/approvals/"+d.Examination+"/parts?limit=1&after="+first, nil).is(200).into(&parts)
	if len(parts.Approvals) != 1 || parts.Approvals[0].ID != second {
		t.Errorf("behind the first part: %+v", parts)
	}
	d.step("approver", "approve", nil, enroll.StateApproved)
	d.send("registrar", "POST", d.path("/carry-out"), nil).is(200).into(&d.Application)
	if d.State != string(enroll.StateIssued) || d.ObjectUntil.IsZero() {
		t.Fatalf("%s, until %v", d.State, d.ObjectUntil)
	}
	if usable(d.world, template.Code) {
		t.Error("the seal is used before the holder accepted")
	}
	d.look()
	d.step("handler", "accept", nil, enroll.StateAccepted)
	if !usable(d.world, template.Code) {
		t.Fatal("the accepted seal cannot be used")
	}
	d.step("registrar", "close", object{}, enroll.StateClosed)

	o := order(a.uploaded("platform", onePage(t)).ID)
	o["seal"] = template.Code
	var done Sealing
	a.order("platform", "first-use", o).is(201).into(&done)
	sealed := a.call("platform", "GET", "/v1/documents/"+done.Document.ID+"/content", nil).is(200).body
	if report := a.call("", "POST", "/v1/verifications", bytes.NewReader(sealed), asPDF).is(200); !bytes.Contains(report.body, []byte(a.name)) {
		t.Errorf("%s", report.body)
	}
	var acts struct{ Acts []Act }
	d.send("handler", "GET", d.path("/acts"), nil).is(200).into(&acts)
	for _, act := range acts.Acts {
		if !act.Done {
			t.Errorf("%+v", act)
		}
	}
	var history struct{ History []HistoryLine }
	d.send("handler", "GET", d.path("/history"), nil).is(200).into(&history)
	last := history.History[len(history.History)-1]
	if last.Step != "close" || !strings.Contains(last.Sentence, "办结申请") {
		t.Errorf("%+v", last)
	}
	d.noPersonalData()
}

func usable(w *world, code string) bool {
	var list struct{ Seals []Seal }
	w.send("platform", "GET", "/v1/seals", nil).is(200).into(&list)
	for _, s := range list.Seals {
		if s.Code == code {
			return s.Usable
		}
	}
	return false
}

// noPersonalData looks for the handler's numbers in every answer about the application, and in the log.
func (d *dossier) noPersonalData() {
	d.t.Helper()
	secrets := []string{d.handler.IdentityNumber, d.handler.Mobile}
	for _, path := range []string{d.path(""), d.path("/findings"), d.path("/history"), d.path("/roster"), d.path("/acts"), d.path("/template"), app,
		"/v1/approvals", "/v1/certificates", "/v1/suspensions", "/v1/approvals/" + d.Examination, "/v1/approvals/" + d.Examination + "/parts"} {
		a := d.send("registrar", "GET", path, nil).is(200)
		for _, s := range secrets {
			if bytes.Contains(a.body, []byte(s)) {
				d.t.Errorf("%s shows %s", path, s)
			}
		}
		if a.header.Get("Cache-Control") != "no-store" {
			d.t.Errorf("%s: %v", path, a.header)
		}
	}
	for _, s := range secrets {
		if strings.Contains(d.log.text(), s) {
			d.t.Errorf("the log has %s", s)
		}
	}
	var shown PersonalData
	d.send("registrar", "POST", d.path("/unmask"), object{"reason": "与公安信息核对"}).is(200).into(&shown)
	if shown.HandlerIdentity != d.handler.IdentityNumber || shown.HandlerMobile != d.handler.Mobile {
		d.t.Errorf("%+v", shown)
	}
	if a := d.send("registrar", "GET", d.path("/history"), nil).is(200); !bytes.Contains(a.body, []byte("查看个人信息")) || !bytes.Contains(a.body, []byte("与公安信息核对")) {
		d.t.Errorf("the look is not in the history: %s", a.body)
	}
}

func TestAChangeNamesWhatItsAuthorSaw(t *testing.T) {
	a := newApplicant(t, true)
	d := a.create(a.form("new", "central"))
	f := a.form("new", "central")
	f["purpose"] = "出具查档证明"
	d.send("handler", "PUT", d.path("/form"), f).problem(428, "request.if-match-missing")
	for _, tag := range []string{"*", "1", `W/"1"`, `"x"`, `"1", "2"`, `"01"`} {
		d.send("handler", "PUT", d.path("/form"), f, "If-Match: "+tag).problem(400, "request.invalid")
	}
	first := d.tag
	d.take(d.send("handler", "PUT", d.path("/form"), f, "If-Match: "+first).is(200))
	if d.Form.Purpose != "出具查档证明" || d.Version != 2 {
		t.Errorf("%+v", d.Application)
	}
	d.send("handler", "PUT", d.path("/form"), f, "If-Match: "+first).problem(412, "enroll.conflict")
	d.send("handler", "POST", d.path("/submit"), nil, "If-Match: "+first).problem(412, "enroll.conflict")
	for _, stream := range []string{"/attachments?kind=other", "/roster"} {
		d.call("handler", "POST", d.path(stream), bytes.NewReader(card(t)), "Content-Type: application/octet-stream").problem(428, "request.if-match-missing")
	}
	d.call("handler", "POST", d.path("/attachments?kind=other"), bytes.NewReader(card(t)), "Content-Type: image/png", "If-Match: "+first).problem(412, "enroll.conflict")
}

func TestAMaskedFieldThatComesBackKeepsItsValue(t *testing.T) {
	a := newApplicant(t, true)
	d := a.create(a.form("new", "central"))
	if d.Form.Personal.HandlerIdentity == a.handler.IdentityNumber || !strings.Contains(d.Form.Personal.HandlerIdentity, "*") {
		t.Fatalf("%s", d.Form.Personal.HandlerIdentity)
	}
	d.take(d.send("handler", "PUT", d.path("/form"), d.Form, "If-Match: "+d.tag).is(200))
	d.noPersonalDataBefore()
	d.send("registrar", "POST", d.path("/unmask"), object{"reason": a.handler.IdentityNumber}).problem(400, "enroll.personal-data")
}

// noPersonalDataBefore is what unmasking shows of an edit with masked fields.
func (d *dossier) noPersonalDataBefore() {
	d.t.Helper()
	var shown PersonalData
	d.send("approver", "POST", d.path("/unmask"), object{"reason": "核对"}).is(200).into(&shown)
	if shown.HandlerIdentity != d.handler.IdentityNumber {
		d.t.Errorf("the number was lost: %s", shown.HandlerIdentity)
	}
}

// TestAUnitKnowsNothingOfAnother tries every route of an application as the handler of another unit.
func TestAUnitKnowsNothingOfAnother(t *testing.T) {
	a := newApplicant(t, true)
	d := a.create(a.form("new", "central"))
	d.attach("other", card(t))
	tried := 0
	for _, r := range a.server.rules {
		rest, ok := strings.CutPrefix(r.path, app+"/{id}")
		if !ok || !slices.Contains(r.who.roles, access.RoleApplicant) {
			continue
		}
		tried++
		path := d.path(strings.Replace(rest, "{attachment}", d.Attachments[0].ID, 1))
		body, fields := validBody(t, r.method+" "+rest, d)
		for _, actor := range []string{"neighbour", "city"} { // the unit is a direct one: no bureau gathers it
			if actor == "city" && !slices.Contains(r.who.roles, access.RoleCity) {
				continue
			}
			d.call(actor, r.method, path, bytes.NewReader(body), fields...).problem(404, "enroll.not-found")
		}
	}
	if tried < 20 {
		t.Errorf("only %d routes were tried", tried)
	}
	d.send("neighbour", "POST", app, object{"unit": a.unit, "form": a.form("new", "central")}).problem(404, "enroll.unit-not-found")
	for _, actor := range []string{"neighbour", "city"} {
		var list struct{ Applications []ApplicationSummary }
		a.send(actor, "GET", app+"?text="+d.Number, nil).is(200).into(&list)
		if len(list.Applications) != 0 {
			t.Errorf("%s sees %+v", actor, list.Applications)
		}
	}
	before := d.tag
	if d.look(); d.tag != before {
		t.Error("something has changed")
	}
}

// validBody is a request that would be right, were it the actor's own application.
func validBody(t *testing.T, route string, d *dossier) (body []byte, fields []string) {
	t.Helper()
	match := "If-Match: " + d.tag
	switch route {
	case "POST /attachments":
		return card(t), []string{"Content-Type: image/png", match}
	case "POST /roster":
		return []byte("PK"), []string{"Content-Type: application/octet-stream", match}
	}
	text := `{"reason":"核对"}`
	switch route {
	case "POST /accept-agreement":
		text = `{"version":"2026-01"}`
	case "PUT /form":
		text = `{"purpose":"出具证明"}`
	case "POST /return":
		text = `{"remarks":[{"field":"roster","reason":"缺页"}]}`
	case "POST /gather":
		text = `{"batch":"bat_none"}`
	case "POST /submit", "POST /recall", "POST /accept", "POST /release":
		return nil, []string{match}
	}
	if strings.HasPrefix(route, "GET") || strings.HasPrefix(route, "DELETE") {
		return nil, []string{match}
	}
	return []byte(text), []string{asJSON, match}
}

func TestAListIsFilteredAndPaged(t *testing.T) {
	a := newApplicant(t, true)
	for range 5 {
		a.create(a.form("new", "central"))
	}
	var seen []string
	for after, pages := "", 0; pages == 0 || after != ""; pages++ {
		var list struct {
			Applications []ApplicationSummary
			Next         string
		}
		a.send("handler", "GET", app+"?limit=2&state=draft&after="+after, nil).is(200).into(&list)
		for _, one := range list.Applications {
			seen = append(seen, one.ID)
		}
		after = list.Next
	}
	if len(seen) != 5 {
		t.Errorf("%v", seen)
	}
	var none struct{ Applications []ApplicationSummary }
	a.send("handler", "GET", app+"?state=approved", nil).is(200).into(&none)
	if len(none.Applications) != 0 {
		t.Errorf("%+v", none)
	}
	a.send("handler", "GET", app+"?limit=100000", nil).problem(422, "request.invalid")
	a.send("handler", "GET", app+"?state=unheard-of", nil).problem(422, "request.invalid")
}

func TestAFormIsReadStrictly(t *testing.T) {
	a := newApplicant(t, true)
	f := a.form("new", "central")
	f["unheard"] = "of"
	a.send("handler", "POST", app, object{"unit": a.unit, "form": f}).problem(422, "request.invalid")
	f = a.form("new", "central")
	f["purpose"] = strings.Repeat("长", 30_000)
	a.send("handler", "POST", app, object{"unit": a.unit, "form": f}).problem(413, "request.too-large")
	a.send("handler", "POST", app, object{"unit": a.unit, "form": object{}}).is(http.StatusCreated)
	f = a.form("new", "central")
	f["purpose"] = "a\u202eb"
	p := a.send("handler", "POST", app, object{"unit": a.unit, "form": f}).problem(400, "form.bad-text")
	if p.Place == nil || p.Place.Field != "purpose" {
		t.Errorf("%+v", p.Place)
	}
}
