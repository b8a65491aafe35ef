// Package oidctest runs a real provider of identities for tests: the one of github.com/zitadel/oidc with the storage of its
// example, on this machine. What it answers can be changed on the way, for faults that it does not have.
package oidctest

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"html"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// What the provider knows: one client, and a person with the subject Subject.
const (
	ClientID, ClientSecret = "yinxin", "a-client-secret-of-tests"
	User, Password         = "test-user2", "verysecure"
	Subject                = "id2"
)

// Provider is a provider that runs.
type Provider struct {
	Issuer string
	server *httptest.Server
	store  *storage.Storage

	lock    sync.Mutex
	change  func(path string, answer map[string]any)
	instead http.HandlerFunc
	seen    []string
}

// New starts a provider that sends browsers back to these addresses alone. It ends with the test.
func New(t testing.TB, redirects ...string) *Provider {
	t.Helper()
	return start(t, (*httptest.Server).Start, redirects...)
}

// NewTLS is New over https, with a certificate that no system trusts: see Authority.
func NewTLS(t testing.TB, redirects ...string) *Provider {
	t.Helper()
	return start(t, (*httptest.Server).StartTLS, redirects...)
}

// Authority is the certificate of NewTLS in PEM.
func (p *Provider) Authority() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})
}

func start(t testing.TB, begin func(*httptest.Server), redirects ...string) *Provider {
	t.Helper()
	p := &Provider{}
	var inner http.Handler
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, inner) }))
	p.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	begin(p.server)
	t.Cleanup(p.server.Close)
	// Another host than that of the service, so that its cookies are those of another site.
	p.Issuer = p.server.URL
	if p.server.TLS == nil {
		p.Issuer = strings.Replace(p.server.URL, "127.0.0.1", "localhost", 1)
	}
	client := storage.WebClient(ClientID, ClientSecret, redirects...)
	p.store = storage.NewStorageWithClients(storage.NewUserStore(p.Issuer), map[string]*storage.Client{ClientID: client})
	provider, err := op.NewProvider(&op.Config{CryptoKey: [32]byte{1}, CryptoKeyId: "key1", CodeMethodS256: true, DefaultLogoutRedirectURI: "/logged-out"},
		p.store, op.StaticIssuer(p.Issuer), op.WithAllowInsecure(), op.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	router := http.NewServeMux()
	router.Handle("/", provider)
	router.HandleFunc("/moved/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.TrimPrefix(r.URL.Path, "/moved"), http.StatusTemporaryRedirect)
	})
	// Who signs in is for the provider's own pages to find out; this is all that it takes.
	router.HandleFunc("GET /login/username", func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `<!doctype html><title>Provider</title><h1>The provider's own page</h1><form method="post"><input type="hidden" name="id" value="%s">
			<input name="username"><input name="password" type="password"><button>Sign in</button></form>`, html.EscapeString(r.FormValue("authRequestID")))
	})
	router.HandleFunc("POST /login/username", op.NewIssuerInterceptor(provider.IssuerFromRequest).HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.PostFormValue("id")
		if err := p.store.CheckUsernamePassword(r.PostFormValue("username"), r.PostFormValue("password"), id); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		http.Redirect(w, r, op.AuthCallbackURL(provider)(r.Context(), id), http.StatusFound)
	}))
	inner = router
	return p
}

func (p *Provider) serve(w http.ResponseWriter, r *http.Request, inner http.Handler) {
	p.lock.Lock()
	p.seen = append(p.seen, r.URL.Path)
	change, instead := p.change, p.instead
	p.lock.Unlock()
	if instead != nil {
		instead(w, r)
		return
	}
	if change == nil {
		inner.ServeHTTP(w, r)
		return
	}
	recorded := httptest.NewRecorder()
	inner.ServeHTTP(recorded, r)
	body := recorded.Body.Bytes()
	answer := map[string]any{}
	if json.Unmarshal(body, &answer) == nil {
		change(r.URL.Path, answer)
		if changed, err := json.Marshal(answer); err == nil {
			body = changed
		}
	}
	for name, values := range recorded.Header() {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(recorded.Code)
	_, _ = w.Write(body)
}

// Change has every JSON answer changed before it is sent; nil: none.
func (p *Provider) Change(change func(path string, answer map[string]any)) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.change = change
}

// Instead answers in the place of the provider; nil: the provider does.
func (p *Provider) Instead(h http.HandlerFunc) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.instead = h
}

// Asked counts the requests to a path.
func (p *Provider) Asked(path string) (n int) {
	p.lock.Lock()
	defer p.lock.Unlock()
	for _, one := range p.seen {
		if one == path {
			n++
		}
	}
	return n
}

// Claims reads the ID token of an answer of the token endpoint.
func Claims(t testing.TB, answer map[string]any) map[string]any {
	t.Helper()
	raw, _ := answer["id_token"].(string)
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Errorf("the provider's ID token: %v", err)
		return nil
	}
	claims := map[string]any{}
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims); err != nil {
		t.Error(err)
	}
	return claims
}

// Sign signs claims with the provider's own key, or with another algorithm and key; without one it is the provider's.
func (p *Provider) Sign(t testing.TB, claims map[string]any, other ...jose.SigningKey) string {
	t.Helper()
	own, err := p.store.SigningKey(t.Context())
	if err != nil {
		t.Error(err)
		return ""
	}
	key := jose.SigningKey{Algorithm: own.SignatureAlgorithm(), Key: jose.JSONWebKey{Key: own.Key(), KeyID: own.ID()}}
	if len(other) == 1 {
		key.Algorithm = other[0].Algorithm
		if other[0].Key != nil {
			key.Key = other[0].Key
		}
	}
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Error(err)
		return ""
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Error(err)
		return ""
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Error(err)
	}
	return raw
}

// SignIn goes to the address that a login began with, types name and password into the provider's page, and gives what the
// provider sends back to the redirect URI.
func (p *Provider) SignIn(t testing.TB, target string) url.Values {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var back *url.URL
	client := &http.Client{Jar: jar, Transport: p.server.Client().Transport, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if _, host, _ := strings.Cut(p.Issuer, "://"); r.URL.Host != host {
			back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := client.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(page.Body)
	page.Body.Close()
	id := page.Request.URL.Query().Get("authRequestID")
	if page.StatusCode != http.StatusOK || id == "" {
		t.Fatalf("the provider's login: %d %s", page.StatusCode, bytes.TrimSpace(text))
	}
	answer, err := client.PostForm(p.Issuer+"/login/username", url.Values{"id": {id}, "username": {User}, "password": {Password}})
	if err != nil {
		t.Fatal(err)
	}
	text, _ = io.ReadAll(answer.Body)
	answer.Body.Close()
	if back == nil {
		t.Fatalf("the provider does not send back: %d %s", answer.StatusCode, bytes.TrimSpace(text))
	}
	return back.Query()
}
