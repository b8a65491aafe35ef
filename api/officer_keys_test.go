package api

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/enroll"
)

// inPEM is a request as a file of a Key's program has it.
func inPEM(request []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request}))
}

// next is leave for what leads to something that shows when it is there; questions before it are answered with yes.
func (b browserTest) next(selector, expected string) {
	b.t.Helper()
	evaluate[bool](b, `(window.confirm = () => true)()`)
	b.leave(selector)
	b.do(chromedp.WaitVisible(chromedp.CSS(expected)))
}

// TestAUSBKeyIsGivenOutInABrowser is the whole way: custody, certificates, hand-over, renewal, and the end of a lost one.
func TestAUSBKeyIsGivenOutInABrowser(t *testing.T) {
	b := newBrowser(t)
	a := newApplicant(t, true)
	d := a.distributed()
	actor := d.keyActors()[userPerson.Name]
	one := "/office/keys/" + d.ID + "/" + actor
	b.openAs(a.world, "registrar", "/home", 1024, 700)
	if tiles := b.text("#content"); !strings.Contains(tiles, "USB Key 待制发") {
		t.Errorf("no tile: %s", tiles)
	}
	b.do(chromedp.Navigate(a.http.URL+"/office/keys"), chromedp.WaitVisible(chromedp.CSS("table.list")))
	b.screenshot("office-keys")
	b.do(chromedp.Navigate(a.http.URL+one), chromedp.WaitVisible(chromedp.CSS(`[data-state="waiting"]`)))
	b.screenshot("office-key")

	b.do(chromedp.SendKeys(chromedp.CSS(`input[name="serial"]`), "HW-0001"))
	b.next(`[data-step="register"] form .button`, "#pin-now")
	pin := b.text("#pin-now")
	b.screenshot("office-so-pin")
	if !regexp.MustCompile(`^\d{16}$`).MatchString(pin) {
		t.Fatalf("the PIN is %q", pin)
	}
	b.next("#content .buttons .button", `[data-state="waiting"]`)
	_ = chromedp.Do(b.ctx, chromedp.NavigateBack()) // fails where the browser kept nothing, as it should
	if text := evaluate[string](b, `document.documentElement.innerText`); strings.Contains(text, pin) {
		t.Error("the browser's history shows the SO PIN")
	}
	b.do(chromedp.Navigate(a.http.URL+one), chromedp.WaitVisible(chromedp.CSS(`[data-state="waiting"]`)), chromedp.Click(chromedp.CSS(`[data-step="register"] summary`)),
		chromedp.SendKeys(chromedp.CSS(`input[name="serial"]`), "HW-0001"))
	b.next(`[data-step="register"] form .button`, `[data-code="page.token-registered"]`)
	b.screenshot("office-key-registered")

	key, request := keyRequest(t)
	file := filepath.Join(t.TempDir(), "key.csr")
	must(t, os.WriteFile(file, request, 0o600))
	b.next(`[data-step="issue"] form .button`, `[data-code="page.no-request"]`)
	b.do(chromedp.SetUploadFiles(chromedp.CSS(`input[name="request"]`), []string{file}))
	b.next(`[data-step="issue"] form .button`, "#answer")
	b.screenshot("office-key-answer")
	_, encoded, _ := strings.Cut(evaluate[string](b, `document.querySelector("#answer-file").href`), "base64,")
	answer := got(smx509.ParseCSRResponse(key, got(base64.StdEncoding.DecodeString(encoded))(t)))(t)
	seal := evaluate[string](b, `new URL(document.querySelector("#answer a[href$='.esl'], #answer a[href*='/instances/']").href).pathname`)
	b.next(`[data-step="confirm"]`, `[data-state="written"]`)
	b.do(chromedp.SendKeys(chromedp.CSS(`input[name="receipt"]`), userPerson.Mobile))
	b.next(`[data-step="hand-over"] .button`, `[data-code="enroll.personal-data"]`)
	b.do(chromedp.SetValue(chromedp.CSS(`input[name="receipt"]`), "领取单2026-0007"))
	b.screenshot("office-key-written")
	b.next(`[data-step="hand-over"] .button`, `[data-state="handed-over"]`)
	b.screenshot("office-key-handed-over")
	if page := b.text("#content"); !strings.Contains(page, "领取单2026-0007") || !strings.Contains(page, "HW-0001") {
		t.Errorf("%s", page)
	}
	if strings.Contains(a.log.text(), pin) {
		t.Error("the log has the SO PIN")
	}
	registrar := a.signIn("registrar")
	if got := a.page(registrar, seal).is(200); len(got.body) < 1000 || !strings.Contains(got.header.Get("Content-Disposition"), ".esl") {
		t.Errorf("%d bytes, %s", len(got.body), got.header.Get("Content-Disposition"))
	}
	a.page(registrar, regexp.MustCompile(`/seals/\d+/`).ReplaceAllString(seal, "/seals/22000000000009/")).is(404)
	a.page(registrar, regexp.MustCompile(`/instances/.*`).ReplaceAllString(seal, "/instances/none")).is(404)

	d.keyRenewedOnPages(b, actor, answer.SignCerts[0].SerialNumber.Text(16), request)
}

// keyRenewedOnPages renews the Key: refused for another key, then made, objected to, made again, accepted; and suspends its holder.
func (d *dossier) keyRenewedOnPages(b browserTest, actor, serial string, request []byte) {
	t := d.t
	other := d.keyActors()[otherPerson.Name]
	_, foreign := keyRequest(t)
	d.send("registrar", "POST", d.path("/issue-key"), object{"actor": other, "request": base64.StdEncoding.EncodeToString(foreign)}).is(200)
	d.look()
	d.step("handler", "accept", nil, enroll.StateAccepted)
	b.do(chromedp.Navigate(d.http.URL+"/office/tokens/HW-0001"), chromedp.WaitVisible(chromedp.CSS(`[data-step="lost"]`)))
	b.screenshot("office-token")
	b.next(`a[href^="/office/renewals/new"]`, `input[name="serial"]`)
	if typed := evaluate[string](b, `document.querySelector("input[name=serial]").value`); !strings.EqualFold(strings.TrimLeft(typed, "0"), serial) {
		t.Errorf("the page fills in %s, want %s", typed, serial)
	}
	ask := func(pem, expected string) {
		t.Helper()
		b.do(chromedp.SetValue(chromedp.CSS(`textarea[name="text"]`), pem))
		b.next("form.card .button", expected)
	}
	ask(inPEM(foreign), `[data-code="business.present-key"]`)
	b.screenshot("office-renew-key")
	ask(inPEM(request), `[data-step="accept"]`)
	b.screenshot("office-renewal")
	path := evaluate[string](b, "location.pathname")
	registrar := d.signIn("registrar")
	if chain := d.page(registrar, path+"/certificates.pem").is(200); bytes.Count(chain.body, []byte("BEGIN CERTIFICATE")) != 2 {
		t.Errorf("%s", chain.body)
	}
	d.post(registrar, path+"/object", values("reason", "")).is(400).says(`data-code="enroll.reason"`, `open data-step="object"`)
	b.next(`[data-step="accept"]`, `.badge.good`)
	d.post(registrar, path+"/accept", nil).is(404)
	b.do(chromedp.Navigate(d.http.URL+"/office/renewals?lang=en"), chromedp.WaitVisible(chromedp.CSS("table.list")))
	b.screenshot("office-renewals-en")
	if list := b.text("table.list"); !strings.Contains(list, userPerson.Name) || strings.Contains(list, actor) {
		t.Errorf("the list of renewals names people by identifiers: %s", list)
	}
	// A lost Key: its holder is stopped at once.
	b.do(chromedp.Navigate(d.http.URL+"/office/tokens/HW-0001?lang=zh"), chromedp.WaitVisible(chromedp.CSS(`[data-step="lost"]`)))
	b.next(`[data-step="lost"]`, `select[name="holder"]`)
	b.do(chromedp.SendKeys(chromedp.CSS(`input[name="reason"]`), "Key 遗失"))
	b.next(`form.card .button`, ".state-line .badge.bad")
	b.screenshot("office-key-lost")
	d.page(registrar, "/office/tokens/HW-0001").is(200).says("已冻结")
}

// TestAKeyIsUnlockedOnPages: after two people's approval its SO PIN is shown once, and confirmed when it was replaced.
func TestAKeyIsUnlockedOnPages(t *testing.T) {
	a := newApplicant(t, true)
	d := a.distributed()
	registrar, actors := a.signIn("registrar"), d.keyActors()
	for i, name := range []string{userPerson.Name, otherPerson.Name} {
		_, request := keyRequest(t)
		one := "/office/keys/" + d.ID + "/" + actors[name]
		a.post(registrar, one+"/hand-over", values("token", "HW-1", "on", a.today(), "receipt", "1")).is(422).says(`data-code="business.not-done"`)
		a.post(registrar, one+"/confirm", nil).is(422).says(`data-code="business.not-done"`)
		a.post(registrar, one+"/register", values("serial", "no serial!")).is(400).says(`data-code="business.token"`)
		shown := a.post(registrar, one+"/register", values("serial", "HW-000"+strconv.Itoa(i+1))).is(200).says("SO PIN")
		if shown.header.Get("Cache-Control") != "no-store" {
			t.Error("a browser may keep the SO PIN")
		}
		a.post(registrar, one+"/register", values("serial", "HW-000"+strconv.Itoa(i+1))).is(409)
		a.post(registrar, one+"/register", values("serial", "HW-000"+strconv.Itoa(i+1), "again", "1")).is(200)
		form := new(bytes.Buffer)
		form.WriteString("--x\r\nContent-Disposition: form-data; name=\"request\"; filename=\"a.csr\"\r\n\r\n" + inPEM(request) + "\r\n--x--\r\n")
		a.call("", "POST", one+"/issue", form, "Content-Type: multipart/form-data; boundary=x", "Cookie: "+registrar).is(200).says(`id="answer-file"`)
		a.page(a.signIn("auditor"), one).is(200).says("已制证、待写入")
	}
	a.page(registrar, "/office/keys/"+d.ID+"/platform").is(422)
	a.page(registrar, "/office/tokens/none").is(400)
	d.look()
	d.step("handler", "accept", nil, enroll.StateAccepted)

	u := d.unlocking("HW-0001")
	cookie := registrar
	one := "/office/applications/" + u.ID
	a.page(cookie, one).is(200).says(`data-step="release-so-pin"`, "HW-0001")
	a.page(a.signIn("handler"), one).is(200)
	released := a.post(cookie, one+"/release-so-pin", nil).is(200).says("pin-now", "pin-next")
	pins := regexp.MustCompile(`data-secret>(\d{16})<`).FindAllSubmatch(released.body, -1)
	if len(pins) != 2 || bytes.Equal(pins[0][1], pins[1][1]) {
		t.Fatalf("%s", released.body)
	}
	a.post(cookie, one+"/release-so-pin", nil).is(409).says(`data-code="access.used"`)
	a.page(cookie, "/office/tokens?state=released").is(200).says("HW-0001", "已发放、待确认")
	a.post(cookie, "/office/tokens/HW-0001/confirm", nil).is(303)
	a.post(cookie, "/office/tokens/HW-0001/confirm", nil).is(400).says(`data-code="business.token"`)
	for _, path := range []string{one, "/office/tokens/HW-0001", "/office/tokens"} {
		page := a.page(cookie, path).is(200)
		for _, pin := range pins {
			if bytes.Contains(page.body, pin[1]) || strings.Contains(a.log.text(), string(pin[1])) {
				t.Errorf("%s or the log shows an SO PIN", path)
			}
		}
	}
}

// unlocking is an approved application for the unlocking of the first user's Key.
func (d *dossier) unlocking(serial string) *dossier {
	d.t.Helper()
	var seals struct {
		Acts []Act
	}
	d.send("registrar", "GET", d.path("/acts?limit=200"), nil).is(200).into(&seals)
	f := d.form("key-unlock", "distributed")
	for _, act := range seals.Acts {
		if act.Kind == "seal" {
			f["seal"] = object{"name": d.name, "code": act.Object, "size": object{"diameter": 42}}
		}
	}
	f["key"] = object{"holder": userPerson.Name, "serial": serial}
	f["personal"].(object)["keyHolderIdentity"] = userPerson.IdentityNumber
	u := d.submitted(f)
	u.step("registrar", "receive", nil, enroll.StateReceived)
	u.step("registrar", "original", object{"on": u.today(), "number": "机要2026-0018"}, enroll.StateOriginal)
	u.step("registrar", "ink", object{"stampedUnit": u.name}, enroll.StateOriginal)
	u.confirmAll()
	u.step("registrar", "examine", nil, enroll.StateExamined)
	u.step("approver", "approve", nil, enroll.StateApproved)
	return u
}
