//go:build cgo && !windows

package agent

import (
	"bytes"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/internal/login"
)

// visitor is a browser that keeps cookies and follows no redirection.
type visitor struct {
	s *server
	http.Client
}

func (s *server) visitor() *visitor {
	s.w.t.Helper()
	jar, err := cookiejar.New(nil)
	s.w.must(err)
	return &visitor{s, http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// post sends a form, get asks for a page: the body, where the status is the one expected, and where it leads.
func (v *visitor) post(path string, fields url.Values, status int) (body []byte, to string) {
	v.s.w.t.Helper()
	return v.answer(http.MethodPost, path, fields, status)
}

func (v *visitor) get(path string, status int) []byte {
	v.s.w.t.Helper()
	body, _ := v.answer(http.MethodGet, path, nil, status)
	return body
}

func (v *visitor) answer(method, path string, fields url.Values, status int) ([]byte, string) {
	v.s.w.t.Helper()
	r, err := http.NewRequestWithContext(v.s.w.t.Context(), method, v.s.http.URL+path, strings.NewReader(fields.Encode()))
	v.s.w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := v.Do(r)
	v.s.w.must(err)
	defer answer.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(answer.Body)
	v.s.w.must(err)
	if answer.StatusCode != status {
		v.s.w.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, b.Bytes())
	}
	return b.Bytes(), answer.Header.Get("Location")
}

// asks begins a login by USB Key and gives the number that the page shows.
func (v *visitor) asks(name string) string {
	v.s.w.t.Helper()
	_, to := v.post("/login/key", url.Values{"name": {name}, "next": {"/account"}}, 303)
	number := regexp.MustCompile(`id="number">([0-9]{4})<`).FindSubmatch(v.get(to, 200))
	if number == nil {
		v.s.w.t.Fatal("the page shows no number")
	}
	return string(number[1])
}

// signed says whether the page of the login goes on.
func (v *visitor) signed() bool {
	v.s.w.t.Helper()
	return bytes.Contains(v.get("/login/key/state", 200), []byte("data-signed"))
}

// refusals are the reasons of the clerk's logins that were refused, the newest first.
func (s *server) refusals() (reasons []string) {
	s.w.t.Helper()
	list, err := s.room.Logins.History(s.w.t.Context(), s.w.Clerk, s.w.Clerk.ID, login.Span{Limit: 20})
	s.w.must(err)
	for _, l := range list {
		if l.Refusal != "" {
			reasons = append(reasons, l.Reason)
		}
	}
	return reasons
}

// TestAClerkSignsInAtThePageWithTheUSBKey: page, agent and soft token, over HTTP.
func TestAClerkSignsInAtThePageWithTheUSBKey(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	desk := &clerk{}
	a := s.paired(desk, "阅览室")
	v := s.visitor()
	if !bytes.Contains(v.get("/login?next=/account", 200), []byte(`href="/login/key?next=%2faccount"`)) {
		t.Error("the login does not offer it")
	}
	if bytes.Contains(v.get("/login/key", 200), []byte(`id="number"`)) {
		t.Error("a number without a login")
	}
	number := v.asks(w.Clerk.ID)
	if v.signed() {
		t.Fatal("signed before it was")
	}
	if body, _ := v.post("/login/key/continue", url.Values{"next": {"/account"}}, 401); !bytes.Contains(body, []byte("login.key-waits")) || !bytes.Contains(body, []byte(number)) {
		t.Errorf("%s", body)
	}
	w.must(a.Once(t.Context()))
	if len(desk.logins) != 1 || len(desk.asked) != 0 || len(desk.askedPIN) != 1 {
		t.Fatalf("asked %+v", desk)
	}
	q := desk.logins[0]
	if q.Number != number || q.Server != s.http.URL || q.Service != "临江省电子印章系统" || !strings.Contains(q.User, w.Clerk.ID) || q.Address != "127.0.0.1" ||
		!strings.HasPrefix(q.Browser, "Go-http-client") || len(q.Certificates) != 1 || !strings.Contains(q.Certificates[0], "云山市") || !q.Expires.Equal(w.now.read().Add(login.ChallengeLife)) {
		t.Errorf("%+v", q)
	}
	if text := q.text() + q.ask(); !strings.Contains(text, "确认码 number: "+number) || !strings.Contains(text, s.http.URL) {
		t.Error(text)
	}
	if !v.signed() {
		t.Fatal("the page does not go on")
	}
	// Another browser, though it knows everything that is shown, is not let in.
	other := s.visitor()
	if body, _ := other.post("/login/key/continue", url.Values{"next": {"/account"}}, 401); !bytes.Contains(body, []byte("login.key-none")) {
		t.Errorf("%s", body)
	}
	other.get("/account", 303)
	before := v.Jar.Cookies(mustURL(t, s.http.URL))
	if _, to := v.post("/login/key/continue", url.Values{"next": {"/account"}}, 303); to != "/account" {
		t.Errorf("led to %s", to)
	}
	after := v.Jar.Cookies(mustURL(t, s.http.URL))
	if len(before) != 1 || len(after) != 1 || before[0].Name != "yinxin-key-login" || after[0].Name != "yinxin-session" || before[0].Value == after[0].Value {
		t.Errorf("cookies %v, then %v", before, after)
	}
	page := v.get("/account", 200)
	if !bytes.Contains(page, []byte("<td>UKey</td>")) || !bytes.Contains(page, []byte("成功")) {
		t.Errorf("%s", page)
	}
	if again, _ := v.post("/login/key/continue", nil, 401); !bytes.Contains(again, []byte("login.key-none")) {
		t.Errorf("%s", again)
	}
	w.must(a.Once(t.Context()))
	if len(desk.logins) != 1 {
		t.Error("asked again")
	}
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestTheTerminalRefusesALogin for every reason that it knows: nothing is signed, the person is told, and the page lets nobody in.
func TestTheTerminalRefusesALogin(t *testing.T) {
	for _, c := range []struct {
		name, want, recorded string // recorded: empty, nothing, since it waits still
		change               func(w *world, s *server, a *Agent, desk *clerk)
		pins                 int
	}{
		{"the numbers differ", "agent.login-declined", "agent.login-declined", func(_ *world, _ *server, _ *Agent, d *clerk) { d.answer = No }, 0},
		{"put off", "agent.later", "", func(_ *world, _ *server, _ *Agent, d *clerk) { d.later = true }, 0},
		{"no PIN", "agent.declined", "agent.declined", func(_ *world, _ *server, _ *Agent, d *clerk) { d.pins = []string{""} }, 1},
		{"the PIN is locked", "hsm.pin-locked", "hsm.pin-locked", func(_ *world, _ *server, _ *Agent, d *clerk) {
			d.pins = slices.Repeat([]string{"000000"}, 20)
		}, -1},
		{"another's USB Key", "agent.declined", "agent.declined", func(w *world, _ *server, _ *Agent, _ *clerk) {
			w.make(&w.otherKey().PublicKey) // the person's certificate is another by now
		}, 1},
		{"the certificate has expired", "agent.login-certificate-expired", "agent.login-certificate-expired", func(w *world, _ *server, _ *Agent, _ *clerk) {
			w.now.move(10 * 366 * 24 * time.Hour)
		}, 1},
		{"the certificate is revoked", "terminal.login-certificate-revoked", "terminal.login-certificate-revoked", func(w *world, _ *server, _ *Agent, _ *clerk) {
			c, err := w.Sealer.Chain.Certificate(w.instance.Certificate)
			w.must(err)
			w.must(w.Authority.Revoke(t.Context(), w.Agree(access.KindRevokeCertificate, ca.RevokeSubject(c.Serial, ca.ReasonKeyCompromise)), c.Serial, ca.ReasonKeyCompromise))
		}, 1},
		{"its time is over", "terminal.login-expired", "", func(w *world, _ *server, _ *Agent, d *clerk) {
			d.onPIN = func(PINQuestion) { w.now.move(login.ChallengeLife) }
		}, 1},
		{"another server", "terminal.login-forged", "terminal.login-forged", func(w *world, _ *server, a *Agent, _ *clerk) { a.link.pinned = &w.otherKey().PublicKey }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			s := w.server()
			desk := &clerk{}
			a := s.paired(desk, "one")
			v := s.visitor()
			c.change(w, s, a, desk)
			v.asks(w.Clerk.ID)
			wants(t, a.Once(t.Context()), c.want)
			if c.pins >= 0 && len(desk.askedPIN) != c.pins {
				t.Errorf("%d PINs", len(desk.askedPIN))
			}
			if v.signed() {
				t.Error("signed")
			}
			v.post("/login/key/continue", nil, 401)
			v.get("/account", 303)
			if r := s.refusals(); c.recorded == "" && len(r) != 0 || c.recorded != "" && (len(r) != 1 || r[0] != c.recorded) {
				t.Errorf("recorded %v", r)
			}
		})
	}
}

// TestALoginComesBeforeAList: a list may wait for hours, a login for minutes.
func TestALoginComesBeforeAList(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	desk := &clerk{}
	a := s.paired(desk, "one")
	task, originals := s.task(1)
	v := s.visitor()
	v.asks(w.Clerk.ID)
	desk.onAgree = func(Question) {
		if !v.signed() {
			t.Error("the list came first")
		}
	}
	w.must(a.Once(t.Context()))
	if n := s.sealed(task.ID, originals); n != 1 || len(desk.logins) != 1 || len(desk.asked) != 1 {
		t.Errorf("%d sealed, %d logins", n, len(desk.logins))
	}
}

// TestWhoWatchesThePageLearnsNothing: the page of a name that is nobody's says what that of a clerk says, byte for byte but for the number.
func TestWhoWatchesThePageLearnsNothing(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	a := s.paired(&clerk{answer: No}, "one")
	number := regexp.MustCompile(`id="number">[0-9]{4}<`)
	page := func(v *visitor) []byte { return number.ReplaceAll(v.get("/login/key", 200), []byte("N")) }
	real, nobody := s.visitor(), s.visitor()
	real.asks(w.Clerk.ID)
	nobody.asks("no-such-person")
	if !bytes.Equal(page(real), page(nobody)) {
		t.Errorf("%s\n%s", page(real), page(nobody))
	}
	wants(t, a.Once(t.Context()), "agent.login-declined") // the clerk was there, and said no
	if !bytes.Equal(page(real), page(nobody)) {
		t.Errorf("%s\n%s", page(real), page(nobody))
	}
	for range 4 {
		real.asks(w.Clerk.ID)
		nobody.asks("no-such-person")
	}
	first, _ := real.post("/login/key", url.Values{"name": {w.Clerk.ID}}, 401)
	second, _ := nobody.post("/login/key", url.Values{"name": {"no-such-person"}}, 401)
	same := bytes.ReplaceAll(second, []byte("no-such-person"), []byte(w.Clerk.ID))
	request := regexp.MustCompile(`请求编号 [a-z0-9]+`)
	if !bytes.Contains(first, []byte("login.key-too-many")) || !bytes.Equal(request.ReplaceAll(first, nil), request.ReplaceAll(same, nil)) {
		t.Errorf("%s\n%s", first, same)
	}
	w.now.move(login.ChallengeLife)
	if !bytes.Equal(page(real), page(nobody)) || bytes.Contains(page(real), []byte(`id="number"`)) {
		t.Errorf("%s\n%s", page(real), page(nobody))
	}
}

// TestAServerInBetweenCannotPassALoginOn: a second server with which the terminal is paired shows it a login of the first.
func TestAServerInBetweenCannotPassALoginOn(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	desk := &clerk{}
	a := s.paired(desk, "one")
	s.visitor().asks(w.Clerk.ID)
	// What the terminal takes for its server is another one that passes everything on, and has a key of its own.
	to := mustURL(t, s.http.URL)
	between := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }})
	defer between.Close()
	a.link.base = between.URL
	a.link.pinned = &w.otherKey().PublicKey
	wants(t, a.Once(t.Context()), "terminal.login-forged")
	if len(desk.logins) != 0 || len(desk.askedPIN) != 0 {
		t.Error("somebody was asked")
	}
}
