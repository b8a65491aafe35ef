package oidc_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/login"
	"yinxin/internal/login/oidc"
	"yinxin/internal/login/oidc/oidctest"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

const base = "http://127.0.0.1:1"

// flow is a provider of the world and our side of it.
type flow struct {
	*oidc.Providers
	t        *testing.T
	provider *oidctest.Provider
	db       *store.DB
	lock     sync.Mutex
	ahead    time.Duration // of the clock
}

func (f *flow) pass(d time.Duration) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.ahead += d
}

func (f *flow) clock() time.Time {
	f.lock.Lock()
	defer f.lock.Unlock()
	return time.Now().Add(f.ahead)
}

func setting(p *oidctest.Provider) oidc.Setting {
	return oidc.Setting{Name: "gov", ZH: "省统一身份认证", EN: "Province login", Issuer: p.Issuer, ClientID: oidctest.ClientID}
}

func open(t *testing.T, db *store.DB, change ...func(*oidc.Setting)) *flow {
	t.Helper()
	for _, migrate := range []func() error{func() error { return ledger.Migrate(t.Context(), db) }, func() error { return access.Migrate(t.Context(), db) }, func() error { return login.Migrate(t.Context(), db) }} {
		must(t, migrate())
	}
	f := &flow{t: t, db: db, provider: oidctest.New(t, base+oidc.Path("gov")+"/callback")}
	s := setting(f.provider)
	for _, c := range change {
		c(&s)
	}
	t.Setenv("YINXIN_OIDC_SECRET_GOV", oidctest.ClientSecret)
	var err error
	f.Providers, err = oidc.New(oidc.Options{Settings: oidc.Settings{s}, BaseURL: base, DB: db, Clock: f.clock})
	must(t, err)
	return f
}

// fresh is open on a new SQLite file.
func fresh(t *testing.T, change ...func(*oidc.Setting)) *flow {
	t.Helper()
	return open(t, storetest.Open(t, t.TempDir()+"/yinxin.db"), change...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (f *flow) wants(err error, spec fault.Spec) {
	f.t.Helper()
	if !fault.Has(err, spec) {
		f.t.Errorf("error %v, want %s", err, spec.Code)
	}
}

// begin gives the address at the provider and the browser's secret.
func (f *flow) begin() (target, secret string) {
	f.t.Helper()
	target, secret, err := f.Begin(f.t.Context(), "gov", "", "/account")
	must(f.t, err)
	return target, secret
}

// answered begins a login and signs in at the provider.
func (f *flow) answered() (secret string, a oidc.Answer) {
	f.t.Helper()
	target, secret := f.begin()
	q := f.provider.SignIn(f.t, target)
	return secret, oidc.Answer{Code: q.Get("code"), State: q.Get("state"), Issuer: q.Get("iss"), Error: q.Get("error")}
}

func (f *flow) finish(secret string, a oidc.Answer) (oidc.Identity, string, error) {
	return f.Finish(f.t.Context(), "gov", "", secret, a)
}

func TestWhoSignsInAtTheProviderIsNamed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := open(t, db)
		target, secret := f.begin()
		q := got(url.Parse(target))(t).Query()
		if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != base+"/login/oidc/gov/callback" || q.Get("scope") != "openid" ||
			len(q.Get("state")) < 43 || len(q.Get("nonce")) < 43 || len(q.Get("code_challenge")) < 43 || strings.Contains(target, secret) {
			t.Fatalf("%v", q)
		}
		var stored int
		must(t, db.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM login_oidc_flow WHERE id = $1 OR id = $2`, secret, q.Get("state")).Scan(&stored))
		if stored != 0 {
			t.Error("the database has the secret or the state")
		}
		back := f.provider.SignIn(t, target)
		who, next, err := f.finish(secret, oidc.Answer{Code: back.Get("code"), State: back.Get("state")})
		must(t, err)
		if who.Provider() != "gov" || who.Issuer() != f.provider.Issuer || who.Claim() != "sub" || who.Subject() != oidctest.Subject || next != "/account" {
			t.Errorf("%+v %q", who, next)
		}
		must(t, db.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM login_oidc_flow`).Scan(&stored))
		if stored != 0 {
			t.Error("the flow is still there")
		}
	})
}

func TestAnAnswerIsTakenOnceAndFromTheBrowserThatBegan(t *testing.T) {
	f := fresh(t)
	secret, a := f.answered()
	_, _, err := f.finish("", a)
	f.wants(err, oidc.ErrFlow) // no cookie
	_, other := f.begin()
	_, _, err = f.finish(other, a)
	f.wants(err, oidc.ErrFlow) // the cookie of another browser
	_, _, err = f.finish(secret, a)
	must(t, err)
	_, _, err = f.finish(secret, a)
	f.wants(err, oidc.ErrFlow) // once more

	secret, a = f.answered()
	wrong := a
	wrong.State = strings.Repeat("A", 43)
	_, _, err = f.finish(secret, wrong)
	f.wants(err, oidc.ErrFlow)
	_, _, err = f.finish(secret, a) // a wrong state used it up
	f.wants(err, oidc.ErrFlow)

	secret, a = f.answered()
	f.pass(11 * time.Minute)
	_, _, err = f.finish(secret, a)
	f.wants(err, oidc.ErrFlow) // too late

	// A code that somebody else's login was given, with one's own state: the verifier is not that of the code.
	_, stolen := f.answered()
	secret, a = f.answered()
	a.Code = stolen.Code
	_, _, err = f.finish(secret, a)
	f.wants(err, oidc.ErrAnswer)

	// A code that was used, in a new flow.
	secret, a = f.answered()
	_, _, err = f.finish(secret, a)
	must(t, err)
	used := a.Code
	secret, a = f.answered()
	a.Code = used
	_, _, err = f.finish(secret, a)
	f.wants(err, oidc.ErrAnswer)

	secret, a = f.answered()
	a.Code, a.Error = "", "access_denied"
	_, _, err = f.finish(secret, a)
	f.wants(err, oidc.ErrDeclined)
	secret, a = f.answered()
	a.Code = ""
	_, _, err = f.finish(secret, a)
	f.wants(err, oidc.ErrAnswer)
	secret, a = f.answered()
	_, _, err = f.Finish(t.Context(), "other", "", secret, a)
	f.wants(err, oidc.ErrUnknown)
}

func TestLoginsUnderWayTakeNoMoreThanSomeRoom(t *testing.T) {
	f := fresh(t)
	_, _, err := f.Begin(t.Context(), "gov", "", "/"+strings.Repeat("x", 1000))
	must(t, err)
	var longest int
	must(t, f.db.Read().QueryRowContext(t.Context(), `SELECT MAX(LENGTH(next)) FROM login_oidc_flow`).Scan(&longest))
	if longest != 0 {
		t.Errorf("%d bytes are kept", longest)
	}
	must(t, f.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
			INSERT INTO login_oidc_flow (id, provider, next, created) SELECT 'x' || i, 'gov', '', $1 FROM n`, store.Time(f.clock()))
		return err
	}))
	_, _, err = f.Begin(t.Context(), "gov", "", "/home")
	f.wants(err, oidc.ErrUnavailable)
	f.pass(11 * time.Minute)
	f.begin()
}

func TestOfTheSameAnswerAtOnceOneIsTaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := open(t, db)
		secret, a := f.answered()
		errs := make([]error, 6)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { _, _, errs[i] = f.finish(secret, a) })
		}
		all.Wait()
		good := 0
		for _, err := range errs {
			if err == nil {
				good++
			} else {
				f.wants(err, oidc.ErrFlow)
			}
		}
		if good != 1 {
			t.Errorf("%d were taken", good)
		}
	})
}

func TestAnAnswerOfAnotherProviderIsRefused(t *testing.T) {
	f := fresh(t)
	secret, a := f.answered()
	a.Issuer = "https://elsewhere.example" // RFC 9207
	_, _, err := f.finish(secret, a)
	f.wants(err, oidc.ErrAnswer)
	if f.provider.Asked("/oauth/token") != 0 {
		t.Error("the code was shown to the provider")
	}
	secret, a = f.answered()
	a.Issuer = f.provider.Issuer
	_, _, err = f.finish(secret, a)
	must(t, err)

	f = fresh(t)
	f.provider.Change(func(_ string, answer map[string]any) {
		if answer["issuer"] != nil {
			answer["authorization_response_iss_parameter_supported"] = true
		}
	})
	secret, a = f.answered()
	_, _, err = f.finish(secret, a) // it says that it names itself, and does not
	f.wants(err, oidc.ErrAnswer)
	secret, a = f.answered()
	a.Issuer = f.provider.Issuer
	_, _, err = f.finish(secret, a)
	must(t, err)
}

func TestALoginEndsAtTheProviderWhereItBegan(t *testing.T) {
	f := fresh(t)
	second := setting(f.provider)
	second.Name = "city"
	t.Setenv("YINXIN_OIDC_SECRET_CITY", oidctest.ClientSecret)
	f.Providers = got(oidc.New(oidc.Options{Settings: oidc.Settings{setting(f.provider), second}, BaseURL: base, DB: f.db, Clock: f.clock}))(t)
	secret, a := f.answered()
	_, _, err := f.Finish(t.Context(), "city", "", secret, a)
	f.wants(err, oidc.ErrFlow)
	if f.provider.Asked("/oauth/token") != 0 {
		t.Error("the code was shown")
	}
}

func TestAProviderThatCannotBeAskedIsToldAndAskedAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		instead http.HandlerFunc
		change  func(path string, answer map[string]any)
	}{
		{"broken", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusBadGateway) }, nil},
		{"huge", nil, func(_ string, answer map[string]any) { answer["more"] = strings.Repeat("m", 300<<10) }},
		{"of another issuer", nil, func(_ string, answer map[string]any) { answer["issuer"] = "https://elsewhere.example" }},
		{"with an endpoint in the clear", nil, func(_ string, answer map[string]any) { answer["token_endpoint"] = "http://192.0.2.1/token" }},
		{"without keys", nil, func(_ string, answer map[string]any) { delete(answer, "jwks_uri") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fresh(t)
			f.provider.Instead(c.instead)
			f.provider.Change(c.change)
			_, _, err := f.Begin(t.Context(), "gov", "", "/home")
			f.wants(err, oidc.ErrUnavailable)
			asked := f.provider.Asked("/.well-known/openid-configuration")
			_, _, err = f.Begin(t.Context(), "gov", "", "/home")
			f.wants(err, oidc.ErrUnavailable)
			if n := f.provider.Asked("/.well-known/openid-configuration"); n != asked || n != 1 {
				t.Errorf("asked %d times", n)
			}
			f.provider.Instead(nil)
			f.provider.Change(nil)
			f.pass(time.Minute)
			secret, a := f.answered()
			_, _, err = f.finish(secret, a)
			must(t, err)
		})
	}
	t.Run("after it was known", func(t *testing.T) {
		f := fresh(t)
		f.begin()
		f.provider.Instead(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusBadGateway) })
		f.pass(2 * time.Hour)
		f.begin() // what it said before holds
		if n := f.provider.Asked("/.well-known/openid-configuration"); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
	t.Run("that sends the code elsewhere", func(t *testing.T) {
		f := fresh(t)
		f.provider.Change(func(_ string, answer map[string]any) {
			if answer["issuer"] != nil {
				answer["token_endpoint"] = f.provider.Issuer + "/moved/oauth/token"
			}
		})
		secret, a := f.answered()
		_, _, err := f.finish(secret, a)
		f.wants(err, oidc.ErrAnswer)
		if f.provider.Asked("/oauth/token") != 0 {
			t.Error("the code and the client secret went along")
		}
	})
	t.Run("when the code is shown", func(t *testing.T) {
		f := fresh(t)
		secret, a := f.answered()
		f.provider.Instead(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusBadGateway) })
		_, _, err := f.finish(secret, a)
		f.wants(err, oidc.ErrUnavailable)
	})
}

func TestAWrongClientSecretIsToldAsAFaultOfTheSetting(t *testing.T) {
	f := fresh(t)
	secret, a := f.answered()
	t.Setenv("YINXIN_OIDC_SECRET_GOV", "another-secret")
	other, err := oidc.New(oidc.Options{Settings: oidc.Settings{setting(f.provider)}, BaseURL: base, DB: f.db, Clock: f.clock})
	must(t, err)
	_, _, err = other.Finish(t.Context(), "gov", "", secret, a)
	f.wants(err, oidc.ErrUnavailable)
}

func TestAnInternalProviderIsJudgedByItsOwnAuthority(t *testing.T) {
	f := fresh(t)
	p := oidctest.NewTLS(t, base+oidc.Path("gov")+"/callback")
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "ca.pem"), p.Authority(), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "no.pem"), []byte("no certificate"), 0o600))
	s := setting(p)
	providers := func() (*oidc.Providers, error) {
		return oidc.New(oidc.Options{Settings: oidc.Settings{s}, Dir: dir, BaseURL: base, DB: f.db, Clock: f.clock})
	}
	_, _, err := got(providers())(t).Begin(t.Context(), "gov", "", "/home")
	f.wants(err, oidc.ErrUnavailable)
	s.CAFile = "no.pem"
	_, err = providers()
	f.wants(err, oidc.ErrConfig)
	s.CAFile = "ca.pem"
	f.provider, f.Providers = p, got(providers())(t)
	secret, a := f.answered()
	_, _, err = f.finish(secret, a)
	must(t, err)
}

func TestAClaimMayNameThePerson(t *testing.T) {
	f := fresh(t, func(s *oidc.Setting) { s.Claim = "employee_number" })
	secret, a := f.answered()
	_, _, err := f.finish(secret, a)
	f.wants(err, oidc.ErrAnswer) // the provider does not say it
	f.provider.Change(func(path string, answer map[string]any) {
		if path == "/oauth/token" {
			claims := oidctest.Claims(t, answer)
			claims["employee_number"] = "00417"
			answer["id_token"] = f.provider.Sign(t, claims)
		}
	})
	secret, a = f.answered()
	who, _, err := f.finish(secret, a)
	must(t, err)
	if who.Claim() != "employee_number" || who.Subject() != "00417" {
		t.Errorf("%+v", who)
	}
}

func TestAProviderIsOfferedOnItsNetworks(t *testing.T) {
	f := fresh(t, func(s *oidc.Setting) { s.Networks = []string{"government-network"} })
	if len(f.Offered("internet")) != 0 || len(f.Offered("government-network")) != 1 || len(f.Offered("")) != 1 {
		t.Error("offered elsewhere")
	}
	_, _, err := f.Begin(t.Context(), "gov", "internet", "/home")
	f.wants(err, oidc.ErrUnknown)
	secret, a := f.answered()
	_, _, err = f.Finish(t.Context(), "gov", "internet", secret, a)
	f.wants(err, oidc.ErrUnknown)
}

func TestSigningOutThereIsOfferedWhereTheProviderCan(t *testing.T) {
	f := fresh(t)
	if f.Leave("gov") != "" {
		t.Error("before the provider was asked")
	}
	f.begin()
	u := got(url.Parse(f.Leave("gov")))(t)
	if !strings.HasPrefix(u.String(), f.provider.Issuer+"/end_session?") || u.Query().Get("client_id") != oidctest.ClientID {
		t.Errorf("%s", u)
	}
}

func got[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return v
	}
}
