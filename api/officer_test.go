package api

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yinxin/ca/enroll"
)

// page reads a page of the office as somebody who is signed in.
func (w *world) page(cookie, path string) answer {
	w.t.Helper()
	a := w.call("", "GET", path, nil, "Cookie: "+cookie)
	if a.status == 500 {
		w.t.Fatalf("%s: %s", path, w.log.text())
	}
	return a
}

// says fails unless the answer has all of the words.
func (a answer) says(words ...string) answer {
	a.t.Helper()
	for _, word := range words {
		if !bytes.Contains(a.body, []byte(word)) {
			a.t.Fatalf("%d: nothing says %q in %s", a.status, word, a.body)
		}
	}
	return a
}

// TestTheOfficeInABrowser is the main path: a registrar examines, is refused to approve what they examined, an approver
// approves beside the scans, certificate and seal are made, the unit accepts.
func TestTheOfficeInABrowser(t *testing.T) {
	b := newBrowser(t)
	a := newApplicant(t, true)
	d := a.submitted(a.form("new", "central"))
	one := "/office/applications/" + d.ID
	shown := func(selector string) { t.Helper(); b.do(chromedp.WaitVisible(chromedp.CSS(selector))) }
	press := func(selector string) { t.Helper(); b.do(chromedp.Click(chromedp.CSS(selector))) }
	write := func(selector, text string) { t.Helper(); b.do(chromedp.SendKeys(chromedp.CSS(selector), text)) }
	// next presses what leads to another page, and waits for it: the old one may show the same.
	next := func(selector, expected string) {
		t.Helper()
		evaluate[bool](b, `(document.body.setAttribute("data-left", ""), true)`)
		press(selector)
		shown("body:not([data-left]) " + expected)
	}
	// Questions before what cannot be undone are answered with yes.
	agree := func() { t.Helper(); evaluate[bool](b, `(window.confirm = () => true)()`) }

	b.openAs(a.world, "registrar", "/home", 1024, 700)
	b.screenshot("office-tiles")
	b.do(chromedp.Navigate(a.http.URL+"/office/applications"), chromedp.WaitVisible(chromedp.CSS("table.list")))
	b.screenshot("office-applications")
	b.do(chromedp.Navigate(a.http.URL+one), chromedp.WaitVisible(chromedp.CSS(".form-fields")))
	b.screenshot("office-application")
	next(`[data-step="receive"]`, `details[data-step="original"]`)
	press(`details[data-step="original"] summary`)
	write(`details[data-step="original"] input[name="number"]`, "机要2026-0017")
	next(`details[data-step="original"] .button:not(summary)`, `details[data-step="ink"]`)

	// The scan beside the fields: the look is recorded.
	press(`[data-scan]`)
	shown(`[data-stage] img`)
	press(`[data-do="larger"]`)
	press(`[data-do="turn"]`)
	b.screenshot("office-scan")
	press(`[data-do="turn"]`)
	if zoom := b.text("[data-zoom]"); zoom != "125 %" {
		t.Errorf("the viewer shows %s", zoom)
	}
	b.do(chromedp.Navigate(a.http.URL+one), chromedp.WaitVisible(chromedp.CSS(".history")))
	if history := b.text(".history"); !strings.Contains(history, "查看附件") {
		t.Errorf("the look is not on record: %s", history)
	}

	// The imprint: looked at first, then kept.
	b.do(chromedp.Navigate(a.http.URL+one+"/imprint"), chromedp.WaitVisible(chromedp.CSS(`button[name="look"]`)))
	next(`button[name="look"]`, `.sources img`)
	b.screenshot("office-imprint-look")
	write(`input[name="reason"]`, "已核对原件")
	next(`button[name="keep"]`, `[data-squared] .mark`)
	b.screenshot("office-imprint")

	b.do(chromedp.Navigate(a.http.URL+one), chromedp.WaitVisible(chromedp.CSS(`details[data-step="ink"]`)))
	press(`details[data-step="ink"] summary`)
	write(`input[name="stampedUnit"]`, d.name)
	write(`input[name="imprintText"]`, d.name)
	write(`input[name="measured"]`, "42")
	b.screenshot("office-ink")
	next(`details[data-step="ink"] .button:not(summary)`, `.notice.good`)
	for range 20 {
		if !evaluate[bool](b, `document.querySelector('form[action$="/confirm-finding"]') !== null`) {
			break
		}
		evaluate[bool](b, `(document.querySelector('form[action$="/confirm-finding"]').closest("details").open = true)`)
		write(`form[action$="/confirm-finding"] input[name="reason"]`, "已与申请单位核实")
		next(`form[action$="/confirm-finding"] button`, `.notice.good`)
	}
	next(`[data-step="examine"]`, `.notice.good`)
	d.look()
	if d.State != string(enroll.StateExamined) {
		t.Fatalf("the application is %s", d.State)
	}

	b.openAs(a.world, "approver", "/office/approvals", 1024, 700)
	shown(`table.list a`)
	b.screenshot("office-approvals")
	next(`table.list a`, `[data-step="approve"]`)
	b.screenshot("office-approval")
	agree()
	next(`[data-step="approve"]`, `.notice.good`)

	b.openAs(a.world, "registrar", one, 1024, 700)
	shown(`form[action$="/carry-out"]`)
	next(`form[action$="/carry-out"] button`, `.notice.good`)
	b.screenshot("office-issued")
	b.openAs(a.world, "handler", one, 1024, 700)
	agree()
	next(`[data-step="accept"]`, `.notice.good`)
	b.screenshot("office-accepted")
	d.look()
	if d.State != string(enroll.StateAccepted) {
		t.Fatalf("the application is %s", d.State)
	}
	var made SealTemplate
	d.send("registrar", "GET", d.path("/template"), nil).is(200).into(&made)
	b.openAs(a.world, "registrar", "/office/seals/"+made.Code, 1024, 700)
	shown(`[data-state="active"]`)
	b.screenshot("office-seal")
	b.do(chromedp.Navigate(a.http.URL+"/office/certificates?profile=institution"), chromedp.WaitVisible(chromedp.CSS("table.list")))
	b.screenshot("office-certificates")
	b.do(chromedp.Click(chromedp.CSS("table.list td a")), chromedp.WaitVisible(chromedp.CSS(".digest")))
	b.screenshot("office-certificate")
}

// TestNobodyApprovesTheirOwnRequestOnAPage: the page says why there is no button, and the step is refused all the same.
func TestNobodyApprovesTheirOwnRequestOnAPage(t *testing.T) {
	a := newApplicant(t, true)
	both := a.actor("both", "省局", "registrar", "approver")
	a.keys["both"] = got(a.access.CreateKey(t.Context(), both.ID, "test"))(t)
	d := a.submitted(a.form("new", "central")).examinable()
	d.step("both", "examine", nil, enroll.StateExamined)
	mine, other := a.signIn("both"), a.signIn("approver")
	for _, path := range []string{"/office/applications/" + d.ID, "/office/approvals/" + d.Examination} {
		page := a.page(mine, path).is(200).says("data-own", "您不能")
		if bytes.Contains(page.body, []byte(`data-step="approve"`)) {
			t.Errorf("%s offers to approve one's own request", path)
		}
		a.page(other, path).is(200).says(`data-step="approve"`)
	}
	revision := url.Values{"revision": {strings.Trim(d.tag, `"`)}}
	a.post(mine, "/office/approvals/"+d.Examination+"/approve", revision).is(403).says(`data-code="access.same-person"`)
	a.post(mine, "/office/applications/"+d.ID+"/approve", revision).is(403).says(`data-code="access.same-person"`)
	a.page(mine, "/office/approvals").is(200).says("您本人提交")
}

// TestAStalePageSaysWhatChanged: whoever comes second sees what the first did, and nothing is overwritten.
func TestAStalePageSaysWhatChanged(t *testing.T) {
	a := newApplicant(t, true)
	d := a.submitted(a.form("new", "central"))
	one, seen := "/office/applications/"+d.ID, url.Values{"revision": {strings.Trim(d.tag, `"`)}}
	registrar := a.signIn("registrar")
	var history struct{ History []HistoryLine }
	d.send("registrar", "GET", d.path("/history"), nil).is(200).into(&history)
	seen.Set("seen", string(rune('0'+len(history.History)%10)))
	if len(history.History) > 9 {
		t.Fatal("more lines than this test counts")
	}
	d.step("handler", "recall", nil, enroll.StateDraft)
	stale := a.post(registrar, one+"/receive", seen).is(412).says(`data-code="enroll.conflict"`, "已被他人修改")
	// What happened since stands above, and only that; the whole history stands below.
	_, since, _ := bytes.Cut(stale.body, []byte("data-changed"))
	since, _, _ = bytes.Cut(since, []byte("</ul>"))
	if !bytes.Contains(since, []byte("收回申请")) || bytes.Contains(since, []byte("提交申请")) {
		t.Errorf("since then: %s", since)
	}
	// Editing: what was written stays in the form, beside what stands there now.
	handler := a.signIn("handler")
	form := a.filled(d)
	form.Set("revision", seen.Get("revision"))
	form.Set("seen", seen.Get("seen"))
	form.Set("purpose", "另一用途")
	a.post(handler, one+"/edit", form).is(412).says("已被他人修改", "另一用途", "出具档案证明")
	form.Set("revision", strings.Trim(d.tag, `"`))
	a.post(handler, one+"/edit", form).is(303)
	d.look()
	if d.Form.Purpose != "另一用途" || d.Form.Handler.Name != a.handler.Name {
		t.Errorf("%+v", d.Form)
	}
	// Without a revision nothing happens.
	a.post(handler, one+"/submit", url.Values{}).is(412)
	// A size that is none is said beside its field.
	form.Set("revision", strings.Trim(d.tag, `"`))
	form.Set("seal.size", "大")
	a.post(handler, one+"/edit", form).is(400).says("page.size", "field-wrong")
}

// filled is the form of an application as its page sends it.
func (a *applicant) filled(d *dossier) url.Values {
	f := d.Form
	v := url.Values{"unit": {a.unit}, "sealType": {string(f.SealType)}, "approver": {f.Approver}, "purpose": {f.Purpose}, "appliedOn": {f.AppliedOn}, "unit.name": {f.Unit.Name}, "unit.type": {string(f.Unit.Type)},
		"unit.creditCode": {f.Unit.CreditCode}, "unit.phone": {f.Unit.Phone}, "unit.address": {f.Unit.Address}, "handler.name": {f.Handler.Name}, "handler.email": {f.Handler.Email},
		"handler.address": {f.Handler.Address}, "personal.handlerIdentity": {f.Personal.HandlerIdentity}, "personal.handlerMobile": {f.Personal.HandlerMobile},
		"seal.name": {f.Seal.Name}, "seal.size": {f.Seal.Size.String()}}
	for _, b := range f.Businesses {
		v.Add("businesses", string(b))
	}
	for _, s := range f.Scopes {
		v.Add("scopes", string(s))
	}
	for _, m := range f.Methods {
		v.Add("methods", string(m))
	}
	return v
}

// TestPagesOfTheOfficeKeepUnitsApart: what belongs to another unit does not exist, on every page and for every step.
func TestPagesOfTheOfficeKeepUnitsApart(t *testing.T) {
	a := newApplicant(t, false)
	d := a.create(a.form("new", "central"))
	d.attach("identity", card(t))
	attachment := d.Attachments[0].ID
	neighbour, handler, auditor, city := a.signIn("neighbour"), a.signIn("handler"), a.signIn("auditor"), a.signIn("city")
	one := "/office/applications/" + d.ID
	a.page(handler, one).is(200).says(d.Number)
	a.page(city, one).is(200)
	for _, path := range []string{one, one + "/edit", one + "/roster", one + "/imprint", "/office/units/" + a.unit} {
		gone := a.page(neighbour, path).is(404)
		if bytes.Contains(gone.body, []byte(d.name)) || bytes.Contains(gone.body, []byte(d.Number)) {
			t.Errorf("%s tells of another unit", path)
		}
	}
	form := a.filled(d)
	form.Set("revision", strings.Trim(d.tag, `"`))
	for _, path := range []string{"/edit", "/submit", "/recall", "/withdraw", "/accept", "/object", "/settle", "/accept-agreement", "/form.pdf", "/scans/" + attachment + "/look",
		"/scans/" + attachment + "/file", "/scans/" + attachment + "/remove", "/imprint/sheet"} {
		form.Set("reason", "核对")
		a.post(neighbour, one+path, form).is(404)
	}
	a.call("", "POST", one+"/scans?kind=form&revision=1", bytes.NewReader(card(t)), "Content-Type: image/png", "Cookie: "+neighbour).is(404)
	a.call("", "POST", one+"/roster?revision=1", bytes.NewReader(nil), "Content-Type: application/octet-stream", "Cookie: "+neighbour).is(404)
	list := a.page(neighbour, "/office/applications").is(200)
	export := a.page(neighbour, "/office/applications?format=csv").is(200)
	if bytes.Contains(list.body, []byte(d.Number)) || bytes.Contains(export.body, []byte(d.Number)) {
		t.Error("the list tells of another unit")
	}
	a.page(handler, "/office/applications?format=csv").is(200).says(d.Number)
	// Personal data is masked, also for whoever sees everything.
	for _, cookie := range []string{handler, auditor, city, a.signIn("registrar")} {
		page := a.page(cookie, one).is(200)
		if bytes.Contains(page.body, []byte(a.handler.IdentityNumber)) || bytes.Contains(page.body, []byte(a.handler.Mobile)) {
			t.Error("personal data is not masked")
		}
	}
	a.post(a.signIn("registrar"), one+"/unmask", url.Values{"reason": {""}}).is(400)
	a.post(a.signIn("registrar"), one+"/unmask", url.Values{"reason": {"与公安核对"}}).is(200).says(a.handler.IdentityNumber, a.handler.Mobile)
	a.page(auditor, one).says("查看个人信息", "与公安核对")
}
