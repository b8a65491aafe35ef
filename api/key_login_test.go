package api

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"yinxin/keystore"
	"yinxin/sealer/terminal/manifest"
)

// waitingLogin is the one login that waits.
func (b *box) waitingLogin() (id string) {
	b.t.Helper()
	var tasks manifest.Tasks
	b.send("GET", manifest.RouteTasks, nil).is(200).into(&tasks)
	if len(tasks.Logins) != 1 {
		b.t.Fatalf("%+v", tasks)
	}
	return tasks.Logins[0].ID
}

// answersLogin answers the one login that waits with what a USB Key signed.
func (b *box) answersLogin(usb keystore.Key, certificate []byte) answer {
	b.t.Helper()
	return b.answersLoginOf("clerk", usb, certificate)
}

func (b *box) answersLoginOf(who string, usb keystore.Key, certificate []byte) answer {
	b.t.Helper()
	id := b.waitingLogin()
	var e manifest.Envelope
	b.send("POST", routeTo(manifest.RouteLogin, "{login}", id), nil).is(200).into(&e)
	l := got(manifest.VerifyLogin(e, manifest.Expected{Key: b.pinned, Terminal: b.id, Clerk: who, Task: id, Now: time.Now()}))(b.t)
	digest := got(keystore.Digest(usb.Public(), l.Statement(certificate)))(b.t)
	return b.send("POST", routeTo(manifest.RouteLoginAnswer, "{login}", id),
		manifest.LoginAnswer{Nonce: l.Nonce, Signature: got(usb.SignDigest(b.t.Context(), digest))(b.t), Certificate: certificate})
}

// otherKey is a key that belongs to nobody.
func (w *world) otherKey() keystore.Key {
	w.t.Helper()
	keys := got(keystore.Create(w.t.TempDir()+"/other", keystore.Options{Passphrase: []byte("only a test"), Iterations: 1000}))(w.t)
	return got(keys.Ring(keystore.PurposeSealing).Generate(w.t.Context(), "other", keystore.PurposeSealing))(w.t)
}

func TestSigningInByUSBKeyInABrowser(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	usb, certificate := w.usbKey()
	terminal := w.newBox()
	b.do(chromedp.EmulateViewport(1024, 768), chromedp.Navigate(w.http.URL+"/login?lang=zh&next=/account"), chromedp.WaitVisible(chromedp.CSS("#content form")))
	b.screenshot("login-key-offered")
	b.leave(`a[href^="/login/key"]`)
	begin := func() {
		t.Helper()
		b.do(chromedp.SetValue(chromedp.CSS(`input[name="name"]`), "clerk"))
		b.leave("#content form .button")
	}
	begin()
	b.screenshot("login-key-number")
	if text := b.text("#state"); !strings.Contains(text, "核对确认码") || len(b.text("#number")) != 4 {
		t.Errorf("the page says %q", text)
	}
	// An answer that is not right ends it, and the page does not say so: it may be another who asked.
	terminal.answersLogin(w.otherKey(), certificate).problem(422, "terminal.login-signature")
	b.leave(`form[action="/login/key/leave"] button`)
	begin()
	evaluate[bool](b, `(window.before = true)`)
	terminal.answersLogin(usb, certificate).is(204)
	run(b, chromedp.Poll[bool](`!window.before && location.pathname === "/account" && document.readyState === "complete"`))
	b.screenshot("login-key-done")
	if text := b.text("#content"); !strings.Contains(text, "UKey") || !strings.Contains(text, "签名不符") || !strings.Contains(text, "成功") {
		t.Errorf("the page says %q", text)
	}
	// Too often, and it is closed for some time, in words.
	b.leave(".who form button")
	for range 4 {
		b.do(chromedp.Navigate(w.http.URL+"/login/key"), chromedp.WaitVisible(chromedp.CSS("#content form")))
		if evaluate[bool](b, `document.getElementById("state") !== null`) {
			b.leave(`form[action="/login/key/leave"] button`)
		}
		begin()
	}
	b.leave(`form[action="/login/key/leave"] button`)
	begin()
	b.screenshot("login-key-too-many")
	if text := b.text(`[data-code="login.key-too-many"]`); !strings.Contains(text, "请在") {
		t.Errorf("the page says %q", text)
	}
}

func TestALoginByUSBKeyIsBoundToItsSite(t *testing.T) {
	w := newWorld(t)
	w.call("", "POST", "/login/key", strings.NewReader("name=clerk"), asForm, "Sec-Fetch-Site: cross-site").problem(403, "request.cross-origin")
	w.call("", "POST", "/login/key/continue", nil, asForm, "Origin: https://evil.example").problem(403, "request.cross-origin")
	asked := w.call("", "POST", "/login/key", strings.NewReader("name=clerk&next=//evil.example/"), asForm).is(303)
	cookie := asked.header.Get("Set-Cookie")
	for _, attribute := range []string{"yinxin-key-login=", "HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, attribute) {
			t.Errorf("%s without %s", cookie, attribute)
		}
	}
	if to := asked.header.Get("Location"); to != "/login/key?next=%2Fhome" {
		t.Errorf("led to %s", to)
	}
	token, _, _ := strings.Cut(cookie, ";")
	if log := w.log.text(); strings.Contains(log, strings.TrimPrefix(token, "yinxin-key-login=")) {
		t.Error("the log has the token")
	}
}

// A login that is declined at the terminal waits no more there, and the page of who asked shows nothing of it.
func TestALoginThatIsDeclinedIsOver(t *testing.T) {
	w := newWorld(t)
	w.usbKey()
	terminal := w.newBox()
	asked := w.call("", "POST", "/login/key", strings.NewReader("name=clerk"), asForm).is(303)
	cookie, _, _ := strings.Cut(asked.header.Get("Set-Cookie"), ";")
	before := string(w.call("", "GET", "/login/key/state?lang=zh", nil, "Cookie: "+cookie).is(200).body)
	id := terminal.waitingLogin()
	decline := func() answer {
		return terminal.send("POST", routeTo(manifest.RouteLoginDecline, "{login}", id), manifest.Decline{Reason: manifest.ReasonLoginDeclined})
	}
	decline().is(204)
	decline().problem(404, "terminal.no-login")
	terminal.send("POST", routeTo(manifest.RouteLogin, "{login}", id), nil).problem(404, "terminal.no-login")
	if after := string(w.call("", "GET", "/login/key/state?lang=zh", nil, "Cookie: "+cookie).is(200).body); after != before {
		t.Errorf("the page says %q, before %q", after, before)
	}
}
