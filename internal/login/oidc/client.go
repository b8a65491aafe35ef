package oidc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	patience  = 10 * time.Second // for one question to a provider
	maxAnswer = 256 << 10        // bytes of one answer
)

var errLarge = errors.New("the answer is larger than allowed")

// newClient makes the client that asks a provider. An endpoint that redirects is none: the code and the client secret
// would go to an address that nobody named.
func newClient(roots *x509.CertPool) *http.Client {
	dialer := &net.Dialer{Timeout: patience}
	transport := &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: patience,
		ResponseHeaderTimeout: patience, MaxResponseHeaderBytes: 64 << 10, MaxIdleConns: 4, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true}
	return &http.Client{Transport: bounded{transport}, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// bounded reads no more of an answer than maxAnswer, and asks only addresses that a setting could name.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !local(r.URL.Hostname()) {
		return nil, fmt.Errorf("%s is not asked over %s", r.URL.Host, r.URL.Scheme)
	}
	response, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = &limited{response.Body, maxAnswer}
	return response, nil
}

type limited struct {
	io.ReadCloser
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errLarge
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errLarge
	}
	return n, err
}

// metadata is what a provider says of itself.
type metadata struct {
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	oauth    oauth2.Config
	names    bool   // its answers name their issuer
	leave    string // end_session_endpoint; may be empty
}

const (
	fresh = time.Hour        // after which metadata are asked for again
	pause = 15 * time.Second // before a provider that could not be asked is asked again
)

// metadata gives what the provider says of itself, asked when it is first wanted and hourly. While it cannot be asked what
// it said before holds. Error: oidc.unavailable.
func (p *provider) metadata(ctx context.Context) (*metadata, error) {
	select {
	case p.asking <- struct{}{}:
		defer func() { <-p.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now := p.clock()
	if now.Before(p.due) {
		if p.known == nil {
			return nil, ErrUnavailable.With("%s", p.Name).RetryIn(p.due.Sub(now)).Because(p.failure)
		}
		return p.known, nil
	}
	// Others wait for the answer as well, so that it does not end with the request that asked first.
	asked, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	known, err := p.discover(asked)
	if err != nil {
		p.due, p.failure = now.Add(pause), brief(err)
		if p.known == nil {
			return nil, ErrUnavailable.With("%s", p.Name).Because(p.failure)
		}
		p.log.WarnContext(ctx, "metadata of an identity provider", "provider", p.Name, "error", p.failure)
		return p.known, nil
	}
	p.known, p.due = known, now.Add(fresh)
	return known, nil
}

func (p *provider) discover(ctx context.Context) (*metadata, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.Issuer)
	if err != nil {
		return nil, err
	}
	var says struct {
		Authorize string   `json:"authorization_endpoint"`
		Token     string   `json:"token_endpoint"`
		Keys      string   `json:"jwks_uri"`
		Leave     string   `json:"end_session_endpoint"`
		Names     bool     `json:"authorization_response_iss_parameter_supported"`
		Ways      []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := found.Claims(&says); err != nil {
		return nil, err
	}
	for _, a := range []string{says.Authorize, says.Token, says.Keys} {
		if !endpoint(a) {
			return nil, fmt.Errorf("endpoint %.200q", a)
		}
	}
	if says.Leave != "" && !endpoint(says.Leave) {
		says.Leave = ""
	}
	m := &metadata{provider: found, names: says.Names, leave: says.Leave}
	m.verifier = found.Verifier(&oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: p.allowed(), Now: p.clock})
	m.oauth = oauth2.Config{ClientID: p.ClientID, ClientSecret: p.secret, Endpoint: found.Endpoint(), RedirectURL: p.back, Scopes: append([]string{oidc.ScopeOpenID}, p.Scopes...)}
	m.oauth.Endpoint.AuthStyle = p.style(says.Ways)
	return m, nil
}

// style is how the client proves itself: never tried out, since a second try would show the code once more.
func (p *provider) style(ways []string) oauth2.AuthStyle {
	basic, post := len(ways) == 0, false // OpenID Connect Discovery clause 3: basic is the default
	for _, w := range ways {
		basic, post = basic || w == "client_secret_basic", post || w == "client_secret_post"
	}
	if p.secret == "" || post && !basic {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// endpoint is address, with a query allowed (RFC 6749 clause 3.1).
func endpoint(text string) bool {
	before, _, _ := strings.Cut(text, "?")
	return address(before)
}

// brief shortens what a library says of an answer: whole pages of HTML stand in it.
func brief(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil {
		return fmt.Errorf("the token endpoint answered %d %.100q", refused.Response.StatusCode, refused.ErrorCode)
	}
	return fmt.Errorf("%.300s", err.Error())
}
