package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"yinxin/internal/access"
	"yinxin/internal/login"
	"yinxin/internal/login/oidc"
	"yinxin/internal/login/oidc/oidctest"
)

// withProvider serves once more, with an identity provider at which people may sign in.
func (w *world) withProvider() *oidctest.Provider {
	w.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	address := "http://" + server.Listener.Addr().String()
	provider := oidctest.New(w.t, address+oidc.Path("gov")+"/callback")
	w.t.Setenv("YINXIN_OIDC_SECRET_GOV", oidctest.ClientSecret)
	c := w.server.Config
	c.Scratch = filepath.Join(w.dir, "scratch-2")
	c.OIDC = got(oidc.New(oidc.Options{DB: w.db, Clock: time.Now, BaseURL: address, Log: c.Log,
		Settings: oidc.Settings{{Name: "gov", ZH: "临江省统一身份认证", EN: "Linjiang identity provider", Issuer: provider.Issuer, ClientID: oidctest.ClientID}}}))(w.t)
	w.server = got(newServer(c))(w.t)
	server.Config.Handler = underContract(w.t, w.server.huma.OpenAPI(), w.server.router)
	server.Start()
	w.t.Cleanup(server.Close)
	server.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.http = server
	return provider
}

// linked links an actor of the world to the provider's one person.
func (w *world) linked(p *oidctest.Provider, actor string) login.Link {
	w.t.Helper()
	return got(w.server.Login.Link(w.t.Context(), access.Actor{ID: "administrator"}, actor, login.Outside{Issuer: p.Issuer, Claim: "sub", Subject: oidctest.Subject}))(w.t)
}

// atProvider begins a login, signs in at the provider, and gives the browser's cookie and the path that it is sent back to.
func (w *world) atProvider(p *oidctest.Provider, next string) (cookie, back string) {
	w.t.Helper()
	begun := w.call("", "GET", "/login/oidc/gov?next="+url.QueryEscape(next), nil).is(303)
	set := begun.header.Get("Set-Cookie")
	if !strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Lax") || !strings.Contains(set, "Max-Age=600") {
		w.t.Errorf("cookie %q", set)
	}
	cookie, _, _ = strings.Cut(set, ";")
	return cookie, "/login/oidc/gov/callback?" + p.SignIn(w.t, begun.header.Get("Location")).Encode()
}

// sessionOf is the cookie of the session that an answer opens; empty where it opens none.
func sessionOf(a answer) string {
	for _, set := range a.header.Values("Set-Cookie") {
		if cookie, _, _ := strings.Cut(set, ";"); strings.HasPrefix(cookie, "yinxin-session=") && !strings.HasSuffix(cookie, "=") {
			return cookie
		}
	}
	return ""
}

func TestSomebodySignsInAtAnIdentityProvider(t *testing.T) {
	w := newWorld(t)
	p := w.withProvider()
	page := w.call("", "GET", "/login?next=/account", nil).is(200)
	if !bytes.Contains(page.body, []byte("临江省统一身份认证")) || !bytes.Contains(page.body, []byte(`href="/login/oidc/gov?next=%2Faccount"`)) {
		t.Fatalf("%s", page.body)
	}
	// Nobody is linked yet: the page shows what an administrator has to be told, and no address of the provider's answer.
	cookie, back := w.atProvider(p, "/account")
	stranger := w.call("", "GET", back, nil, "Cookie: "+cookie).is(403)
	if !bytes.Contains(stranger.body, []byte(`data-code="login.stranger"`)) || !bytes.Contains(stranger.body, []byte("告诉管理员："+oidctest.Subject)) ||
		bytes.Contains(stranger.body, []byte("callback")) || bytes.Contains(stranger.body, []byte("state=")) || sessionOf(stranger) != "" {
		t.Fatalf("%v %s", stranger.header, stranger.body)
	}
	admin := w.signIn("administrator")
	to := url.Values{"provider": {"gov"}, "subject": {oidctest.Subject}}
	for _, officer := range []string{"registrar", "approver", "auditor"} {
		if a := w.post(admin, "/admin/people/"+officer+"/link", to).is(403); !bytes.Contains(a.body, []byte(`data-code="login.link-officer"`)) {
			t.Errorf("%s", a.body)
		}
	}
	w.post(admin, "/admin/people/clerk/link", url.Values{"provider": {"none"}, "subject": {"x"}}).is(404)
	w.post(admin, "/admin/people/clerk/link", url.Values{"provider": {"gov"}, "subject": {""}}).is(400)
	w.post(admin, "/admin/people/clerk/link", to).is(303)
	w.post(admin, "/admin/people/stranger/link", to).is(409)

	cookie, back = w.atProvider(p, "/account")
	w.call("", "GET", back, nil).is(401)                                    // a browser without the cookie
	w.call("", "GET", back, nil, "Cookie: yinxin-oidc=of-somebody").is(401) // with another one
	before := w.signIn("stranger")                                          // whoever was signed in here before has left
	in := w.call("", "GET", back, nil, "Cookie: "+cookie+"; "+before).is(303)
	session := sessionOf(in)
	if in.header.Get("Location") != "/account" || session == "" || session == before {
		t.Fatalf("%v", in.header)
	}
	w.call("", "GET", "/home", nil, "Cookie: "+before).is(303)
	if a := w.call("", "GET", back, nil, "Cookie: "+cookie).is(401); !bytes.Contains(a.body, []byte(`data-code="oidc.flow"`)) {
		t.Errorf("%s", a.body)
	}
	account := w.call("", "GET", "/account", nil, "Cookie: "+session).is(200)
	if !bytes.Contains(account.body, []byte("统一身份认证（gov）")) || !bytes.Contains(account.body, []byte(">"+oidctest.Subject+"<")) {
		t.Errorf("%s", account.body)
	}
	// The API knows the session, and other sites' pages are refused as ever.
	w.call("", "GET", "/v1/seals", nil, "Cookie: "+session).is(200)
	w.call("", "POST", "/logout", nil, "Cookie: "+session, "Sec-Fetch-Site: cross-site").problem(403, "request.cross-origin")

	out := w.post(session, "/logout", nil).is(303)
	if to := out.header.Get("Location"); to != "/login?from=gov&said=left" {
		t.Errorf("led to %s", to)
	}
	left := w.call("", "GET", "/login?from=gov&said=left", nil).is(200)
	if !bytes.Contains(left.body, []byte(`href="`+p.Issuer+`/end_session?client_id=yinxin"`)) {
		t.Errorf("%s", left.body)
	}
	w.call("", "GET", "/home", nil, "Cookie: "+session).is(303)

	// A link that ended opens nothing, nor do the sessions that it opened.
	cookie, back = w.atProvider(p, "//evil.example/")
	in = w.call("", "GET", back, nil, "Cookie: "+cookie).is(303)
	session = sessionOf(in)
	if in.header.Get("Location") != "/home" {
		t.Errorf("sent away to %s", in.header.Get("Location"))
	}
	person := string(w.call("", "GET", "/admin/people/clerk", nil, "Cookie: "+admin).is(200).body)
	_, rest, _ := strings.Cut(person, `name="link" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	w.post(admin, "/admin/people/stranger/end-link", url.Values{"link": {id}}).is(404)
	w.post(admin, "/admin/people/clerk/end-link", url.Values{"link": {id}}).is(303)
	w.call("", "GET", "/home", nil, "Cookie: "+session).is(303)
	cookie, back = w.atProvider(p, "/home")
	w.call("", "GET", back, nil, "Cookie: "+cookie).is(403)

	if log := w.log.text(); strings.Contains(log, oidctest.ClientSecret) || strings.Contains(log, strings.TrimPrefix(cookie, "yinxin-oidc=")) || strings.Contains(log, "?code=") || strings.Contains(log, "&code=") {
		t.Error("the log has a secret")
	}
}

func TestAProviderThatIsDownIsSaidOnTheLoginPage(t *testing.T) {
	w := newWorld(t)
	p := w.withProvider()
	p.Instead(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "internal-words", http.StatusBadGateway) })
	w.call("", "GET", "/login", nil).is(200)
	down := w.call("", "GET", "/login/oidc/gov", nil).is(503)
	if !bytes.Contains(down.body, []byte(`data-code="oidc.unavailable"`)) || !bytes.Contains(down.body, []byte(`name="password"`)) || bytes.Contains(down.body, []byte("internal-words")) {
		t.Errorf("%s", down.body)
	}
	if gone := w.call("", "GET", "/login/oidc/other", nil).is(404); !bytes.Contains(gone.body, []byte(`data-code="oidc.unknown-provider"`)) {
		t.Errorf("%s", gone.body)
	}
	w.log.await(t, "502")
}

func TestABrowserSignsInAtAnIdentityProvider(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	p := w.withProvider()
	b.do(chromedp.EmulateViewport(1024, 768), chromedp.Navigate(w.http.URL+"/account?lang=zh"), chromedp.WaitVisible(chromedp.CSS(`input[name="password"]`)))
	b.screenshot("login-oidc")
	provider := func() {
		b.leave(`a[href^="/login/oidc/gov"]`)
		b.do(chromedp.WaitVisible(chromedp.CSS(`input[name="username"]`)))
		if title := evaluate[string](b, `location.origin`); title != p.Issuer {
			t.Fatalf("the browser is at %s", title)
		}
		b.do(chromedp.SendKeys(chromedp.CSS(`input[name="username"]`), oidctest.User), chromedp.SendKeys(chromedp.CSS(`input[name="password"]`), oidctest.Password))
		b.leave("button")
		b.do(chromedp.WaitVisible(chromedp.CSS("#content")))
	}
	provider()
	b.do(chromedp.WaitVisible(chromedp.CSS(`[data-code="login.stranger"]`)))
	b.screenshot("login-stranger")
	w.linked(p, "clerk")
	provider()
	if at := evaluate[string](b, `location.pathname`); at != "/account" {
		t.Errorf("the browser is at %s", at)
	}
	if text := b.text("#content"); !strings.Contains(text, "临江省统一身份认证") || !strings.Contains(text, "统一身份认证（gov）") {
		t.Errorf("the page says %q", text)
	}
	b.screenshot("account-oidc")
	b.leave(".who form button")
	b.do(chromedp.WaitVisible(chromedp.CSS(`a[href^="` + p.Issuer + `/end_session"]`)))
	b.screenshot("login-left")
	b.leave(`a[href^="` + p.Issuer + `/end_session"]`)
	if at := evaluate[string](b, `location.href`); at != p.Issuer+"/logged-out" {
		t.Errorf("the browser is at %s", at)
	}
	b.openAs(w, "administrator", "/admin/people/clerk", 1024, 768)
	b.screenshot("person-oidc")
}
