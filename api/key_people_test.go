package api

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/keystore"
	"yinxin/sealer/terminal/manifest"
)

// personalKey is a USB Key with a personal certificate, as somebody has who holds no seal on one.
func (w *world) personalKey(name string) (keystore.Key, []byte) {
	w.t.Helper()
	w.founded.Store(false) // an hour ago: see newWorld
	defer w.founded.Store(true)
	key := w.otherKey()
	r := ca.Request{Profile: ca.ProfilePersonal, Public: key.Public(), Organisation: "临江省档案局", CommonName: name}
	certificate := got(w.authority.Issue(w.t.Context(), w.approved(access.KindIssueCertificate, r.Subject()), r))(w.t)
	return key, certificate.Raw
}

// offers offers a USB Key of the person of the terminal.
func (b *box) offers(of string, usb keystore.Key, certificate []byte) answer {
	b.t.Helper()
	at := time.Now().UTC().Truncate(time.Second)
	digest := got(keystore.Digest(usb.Public(), manifest.OfferStatement(b.pinned, b.id, of, at, certificate)))(b.t)
	return b.send("POST", manifest.RouteKeys, manifest.KeyOffer{Time: at, Certificate: certificate, Signature: got(usb.SignDigest(b.t.Context(), digest))(b.t)})
}

// TestOfficersAndAuditorsSignInByUSBKeyInABrowser: pairing, confirming the Key and signing in, all at pages that every role reaches.
func TestOfficersAndAuditorsSignInByUSBKeyInABrowser(t *testing.T) {
	w := newWorld(t)
	for _, who := range []string{"registrar", "auditor", "administrator"} {
		b := newBrowser(t) // each at a browser of their own
		must(t, w.server.Login.FoundingPassword(t.Context(), who, "first-password-of-many"))
		usb, certificate := w.personalKey("王五 " + who)
		b.openAs(w, who, "/account?lang=zh", 1024, 768)
		b.leave(`a[href="/account/terminals"]`)
		b.leave(`#content form[action="/account/terminals"] button`)
		b.screenshot("account-terminals-code-" + who)
		code := got(manifest.ParseCode(b.text(".pairing")))(t)
		terminal := w.pairedBy(code)
		terminal.offers(who, usb, certificate).is(201)
		b.do(chromedp.Navigate(w.http.URL+"/account/terminals"), chromedp.WaitVisible(chromedp.CSS(".offered")))
		if said := b.text(".offered"); !strings.Contains(said, "王五 "+who) || !strings.Contains(said, "二楼窗口") {
			t.Errorf("the page says %q", said)
		}
		b.screenshot("account-key-offered-" + who)
		b.do(chromedp.SetValue(chromedp.CSS(`.offered input[name="password"]`), "not the password"))
		b.leave(".offered .button")
		if said := b.text(`[data-code="login.refused"]`); said == "" {
			t.Error("a wrong password is not told")
		}
		b.do(chromedp.SetValue(chromedp.CSS(`.offered input[name="password"]`), "first-password-of-many"))
		b.leave(".offered .button")
		b.screenshot("account-key-" + who)
		if said := b.text(".login-key"); !strings.Contains(said, "王五 "+who) {
			t.Errorf("the page says %q", said)
		}
		b.leave(".who form button")

		b.do(chromedp.Navigate(w.http.URL+"/login/key?next=/account"), chromedp.WaitVisible(chromedp.CSS("#content form")))
		b.do(chromedp.SetValue(chromedp.CSS(`input[name="name"]`), who))
		b.leave("#content form .button")
		evaluate[bool](b, `(window.before = true)`)
		terminal.answersLoginOf(who, usb, certificate).is(204)
		run(b, chromedp.Poll[bool](`!window.before && location.pathname === "/account" && document.readyState === "complete"`))
		if text := b.text("#content"); !strings.Contains(text, who) || !strings.Contains(text, "UKey") {
			t.Errorf("the page says %q", text)
		}
		admin, key := w.signIn("administrator"), `form method="post" action="/admin/people/`+who+`/end-usb-key"`
		if page := string(w.call("", "GET", "/admin/people/"+who, nil, "Cookie: "+admin).is(200).body); !strings.Contains(page, key) || !strings.Contains(page, "王五 "+who) {
			t.Errorf("the administrator's page says %q", page)
		}
		// There are no tasks for them, and their Key ends on the same page.
		terminal.send("POST", routeTo(manifest.RouteClaim, "{task}", "tsk_1"), nil).problem(403, "access.role")
		b.leave(`a[href="/account/terminals"]`)
		evaluate[bool](b, `Boolean(window.confirm = () => true)`)
		b.leave(".login-key .button")
		if at := evaluate[string](b, `location.pathname`); at != "/login" { // what it opened has ended, too
			t.Errorf("at %s", at)
		}
	}
}

// TestAProgramHasNoTerminal: nor may anybody have one in another's name.
func TestAProgramHasNoTerminal(t *testing.T) {
	w := newWorld(t)
	w.call("platform", "POST", "/v1/terminals/pairings", nil).problem(403, "request.denied")
	w.post(w.signIn("platform"), "/account/terminals", nil).is(403)
	w.post(w.signIn("nobody"), "/account/terminals", nil).is(200)
}
