package api

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/login"
)

const asForm = "Content-Type: application/x-www-form-urlencoded"

// post sends a form, as a browser does that shows a page of this site.
func (w *world) post(cookie, path string, fields url.Values, header ...string) answer {
	w.t.Helper()
	return w.call("", "POST", path, strings.NewReader(fields.Encode()), append(header, asForm, "Cookie: "+cookie)...)
}

func TestSomebodySignsInAndOut(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	administrator := access.Actor{ID: "administrator"}
	must(t, w.server.Login.SetPassword(ctx, administrator, "clerk", "first-password-of-many"))
	w.call("", "GET", "/home", nil).is(303)
	page := w.call("", "GET", "/login?next=/account", nil).is(200)
	if !bytes.Contains(page.body, []byte(`value="/account"`)) || !bytes.Contains(page.body, []byte("用户名")) {
		t.Fatalf("%s", page.body)
	}
	if away := w.call("", "GET", "/login?next=//evil.example/", nil).is(200); !bytes.Contains(away.body, []byte(`value="/home"`)) {
		t.Errorf("somebody is sent away: %s", away.body)
	}
	wrong := w.post("", "/login", url.Values{"name": {"clerk"}, "password": {"no"}}).is(401)
	if !bytes.Contains(wrong.body, []byte(`data-code="login.refused"`)) || wrong.header.Get("Set-Cookie") != "" {
		t.Fatalf("%s", wrong.body)
	}
	in := w.post("", "/login", url.Values{"name": {"Clerk "}, "password": {"first-password-of-many"}, "next": {"/account"}}).is(303)
	cookie, attributes, _ := strings.Cut(in.header.Get("Set-Cookie"), ";")
	if !strings.Contains(attributes, "HttpOnly") || !strings.Contains(attributes, "SameSite=Lax") || in.header.Get("Location") != "/account/password" {
		t.Fatalf("%v", in.header)
	}
	// Nothing but changing the password is possible until it is changed.
	if to := w.call("", "GET", "/home", nil, "Cookie: "+cookie).is(303).header.Get("Location"); to != "/account/password" {
		t.Errorf("led to %s", to)
	}
	w.call("", "GET", "/v1/seals", nil, "Cookie: "+cookie).problem(403, "request.denied")
	change := url.Values{"old": {"first-password-of-many"}, "password": {"short"}, "again": {"short"}}
	if short := w.post(cookie, "/account/password", change).is(400); !bytes.Contains(short.body, []byte("login.password")) {
		t.Fatalf("%s", short.body)
	}
	change["password"], change["again"] = []string{"second-password-of-many"}, []string{"second-password-of-man"}
	if twice := w.post(cookie, "/account/password", change).is(400); !bytes.Contains(twice.body, []byte("login.twice")) {
		t.Fatalf("%s", twice.body)
	}
	change["again"] = change["password"]
	w.post(cookie, "/account/password", change).is(303)
	home := w.call("", "GET", "/home", nil, "Cookie: "+cookie).is(200)
	if !bytes.Contains(home.body, []byte("工作台")) || home.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%s", home.body)
	}
	// The pages' scripts use the API in the session, and no other site's do.
	w.call("", "GET", "/v1/seals", nil, "Cookie: "+cookie).is(200)
	w.call("", "POST", "/v1/documents", bytes.NewReader(onePage(t)), asPDF, "Cookie: "+cookie, "Sec-Fetch-Site: cross-site").problem(403, "request.cross-origin")
	w.call("", "POST", "/logout", nil, "Cookie: "+cookie, "Origin: https://evil.example").problem(403, "request.cross-origin")
	w.call("platform", "POST", "/v1/documents", bytes.NewReader(onePage(t)), asPDF, "Sec-Fetch-Site: cross-site").is(201)
	w.post(cookie, "/logout", nil).is(303)
	w.call("", "GET", "/home", nil, "Cookie: "+cookie).is(303)
	w.call("", "GET", "/v1/seals", nil, "Cookie: "+cookie).problem(401, "request.key-missing")
	var events int
	must(t, w.db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM ledger_event WHERE kind IN ('login.password-set', 'login.refused', 'login.opened', 'login.password-changed', 'login.ended')`).Scan(&events))
	if events != 5 {
		t.Errorf("%d events", events)
	}
	if log := w.log.text(); strings.Contains(log, "password-of-many") || strings.Contains(log, strings.TrimPrefix(cookie, "yinxin-session=")) {
		t.Error("the log has a secret")
	}
}

func TestWrongPasswordsCloseAnAccountForSomeTime(t *testing.T) {
	w := newWorld(t)
	must(t, w.server.Login.SetPassword(t.Context(), access.Actor{ID: "administrator"}, "clerk", "first-password-of-many"))
	try := func(name, password string) string {
		_, _, err := w.server.Login.ByPassword(t.Context(), name, password, login.Origin{})
		return codeOf(err)
	}
	for range 5 {
		if code := try("clerk", "wrong-password-of-many"); code != "login.refused" {
			t.Fatal(code)
		}
	}
	if code := try("clerk", "first-password-of-many"); code != "login.locked" {
		t.Fatal(code)
	}
	if code := try("no-such-person", "first-password-of-many"); code != "login.refused" {
		t.Fatal(code)
	}
	if code := codeOf(w.server.Login.SetPassword(t.Context(), access.Actor{ID: "clerk"}, "administrator", "first-password-of-many")); code != "access.role" {
		t.Fatal(code)
	}
	// A new password from the administrator opens it again.
	must(t, w.server.Login.SetPassword(t.Context(), access.Actor{ID: "administrator"}, "clerk", "other-password-of-many"))
	if code := try("clerk", "other-password-of-many"); code != "" {
		t.Fatal(code)
	}
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}

func TestTheFrameInABrowser(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	b.openAs(w, "registrar", "/home", 1024, 700)
	b.screenshot("home")
	if text := b.text("#content"); !strings.Contains(text, "工作台") {
		t.Errorf("the page says %q", text)
	}
	b.do(chromedp.Navigate(w.http.URL+"/account/password"), chromedp.WaitVisible(chromedp.CSS("#content form")))
	b.screenshot("password")
	b.do(chromedp.Navigate(w.http.URL+"/account"), chromedp.WaitVisible(chromedp.CSS(".facts")))
	b.screenshot("account")
	b.do(chromedp.Click(chromedp.CSS(".who form button")), chromedp.WaitVisible(chromedp.CSS(`input[name="password"]`)))
	b.screenshot("login")
	b.do(chromedp.SendKeys(chromedp.CSS(`input[name="name"]`), "registrar"), chromedp.SendKeys(chromedp.CSS(`input[name="password"]`), "not the password"),
		chromedp.Click(chromedp.CSS("#content .button")), chromedp.WaitVisible(chromedp.CSS(`[data-code="login.refused"]`)))
	b.screenshot("login-refused")
}

func TestPeopleLookAfterTheirOwnLogins(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	cookie, second, third, others := w.signIn("clerk"), w.signIn("clerk"), w.signIn("clerk"), w.signIn("stranger")
	sessions := func(cookie string) (ids []string) {
		page := string(w.call("", "GET", "/account", nil, "Cookie: "+cookie).is(200).body)
		for _, part := range strings.Split(page, `name="session" value="`)[1:] {
			id, _, _ := strings.Cut(part, `"`)
			ids = append(ids, id)
		}
		return ids
	}
	mine := sessions(cookie)
	if len(mine) != 2 {
		t.Fatalf("%d sessions can be ended, want those elsewhere", len(mine))
	}
	// Nobody ends a session of somebody else's, whatever its identifier.
	w.post(others, "/account/end-session", url.Values{"session": {mine[0]}}).is(404)
	w.post(cookie, "/account/end-session", url.Values{"session": {mine[0]}}).is(303)
	if left := sessions(cookie); len(left) != 1 || left[0] != mine[1] {
		t.Errorf("%v is left of %v", left, mine)
	}
	w.post(cookie, "/account/end-others", nil).is(303)
	for _, ended := range []string{second, third} {
		w.call("", "GET", "/account", nil, "Cookie: "+ended).is(303)
	}
	w.call("", "GET", "/account", nil, "Cookie: "+others).is(200)

	must(t, w.server.Login.SetPassword(t.Context(), access.Actor{ID: "administrator"}, "clerk", "first-password-of-many"))
	w.post("", "/login", url.Values{"name": {"clerk"}, "password": {"no"}}).is(401)
	in, _, err := w.server.Login.ByPassword(t.Context(), "clerk", "first-password-of-many", login.Origin{Address: "192.0.2.7"})
	must(t, err)
	must(t, w.server.Login.ChangePassword(t.Context(), in, "first-password-of-many", "second-password-of-many", login.Origin{}))
	b.openAs(w, "clerk", "/account", 1024, 768)
	text := b.text("#content")
	for _, word := range []string{"本次登录", "192.0.2.7", "失败", "成功", "127.0.0.1", "密码", "结束其他全部登录"} {
		if !strings.Contains(text, word) {
			t.Errorf("the page does not say %q: %s", word, text)
		}
	}
	b.screenshot("account-logins")
	cookie = w.signIn("clerk")
	if csv := string(w.call("", "GET", "/account?format=csv", nil, "Cookie: "+cookie).is(200).body); strings.Count(csv, "\n") != 3 {
		t.Errorf("%s", csv)
	}
	if none := string(w.call("", "GET", "/account?until=2020-01-01", nil, "Cookie: "+cookie).is(200).body); !strings.Contains(none, "没有符合条件的记录") {
		t.Errorf("%s", none)
	}
}
