package backend

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"embed"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date; those of internal/access must be there.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "backend", migrations) }

// BuiltIn is the name of the authority in this process; it is always there.
const BuiltIn = "built-in"

// DefaultTerm is how long an order waits for its certificate.
const DefaultTerm = 60 * 24 * time.Hour

// Setting is one authority in the configuration.
type Setting struct {
	// Name is what applications and officers call it, at most 64 characters.
	Name string `json:"name" yaml:"name"`
	Kind Kind   `json:"kind" yaml:"kind"` // file or remote
	// Anchors are the names of the authority's anchors among those that two people imported (ca.Authority.ImportAnchor).
	// Their limits hold, and one that was removed does not count from then on.
	Anchors []string `json:"anchors,omitempty" yaml:"anchors,omitempty"`
	// Trust is, instead, a file or folder with the anchors and the certificates under them (chain.LoadTrust).
	Trust string `json:"trust,omitempty" yaml:"trust,omitempty"`
	// TermDays is how long an order waits for its certificate; 0 is 60.
	TermDays int `json:"termDays,omitempty" yaml:"termDays,omitempty"`

	// URL is the address of the other Yinxin, https; http only to this machine.
	URL string `json:"url,omitempty" yaml:"url,omitempty"`
	// KeyFile holds the API key that the other Yinxin gave us.
	KeyFile string `json:"keyFile,omitempty" yaml:"keyFile,omitempty"`
	// ServerTrust is a PEM file with the certificate authorities of the other side's TLS; empty: those of the system.
	ServerTrust string `json:"serverTrust,omitempty" yaml:"serverTrust,omitempty"`
	// ClientCertificate and ClientKey are PEM files for mutual TLS, where the other side asks for it.
	ClientCertificate string `json:"clientCertificate,omitempty" yaml:"clientCertificate,omitempty"`
	ClientKey         string `json:"clientKey,omitempty" yaml:"clientKey,omitempty"`
}

// Config is what the backends work with.
type Config struct {
	DB        *store.DB
	Ledger    *ledger.Ledger
	Access    *access.Service
	Authority *ca.Authority
	Clock     func() time.Time
	// Status asks the authorities of foreign certificates for their state, by the addresses in them. It is called for each
	// question, since a source remembers its answers. Nil: backend.no-status.
	Status func() chain.RevocationSource
	// Transport is for remote authorities; nil is Go's default with the limits of this package.
	Transport http.RoundTripper
	// Pause waits between tries; nil is a timer.
	Pause func(ctx context.Context, d time.Duration) error
}

// Backends are the authorities by name.
type Backends struct {
	Config
	byName map[string]Backend
	names  []string
}

// Open makes the backends of the settings, and the built-in one. Errors: backend.settings with the field, and what
// chain.LoadTrust says.
func Open(_ context.Context, c Config, settings []Setting) (*Backends, error) {
	if c.DB == nil || c.Access == nil || c.Authority == nil || c.Clock == nil {
		return nil, ErrSettings.At(fault.Field("config"))
	}
	if c.Pause == nil {
		c.Pause = pause
	}
	b := &Backends{Config: c, byName: map[string]Backend{BuiltIn: builtIn{c}}, names: []string{BuiltIn}}
	for _, s := range settings {
		if s.Name == "" || len([]rune(s.Name)) > 64 || strings.TrimSpace(s.Name) != s.Name || b.byName[s.Name] != nil {
			return nil, ErrSettings.With("%s", s.Name).At(fault.Field("name"))
		}
		made, err := c.open(s)
		if err != nil {
			return nil, err
		}
		b.byName[s.Name], b.names = made, append(b.names, s.Name)
	}
	return b, nil
}

// Named gives an authority: backend.unknown.
func (b *Backends) Named(name string) (Backend, error) {
	if found := b.byName[name]; found != nil {
		return found, nil
	}
	return nil, ErrUnknown.With("%s", name)
}

// File gives an authority of kind file, with what only those can: backend.unknown.
func (b *Backends) File(name string) (*File, error) {
	if found, ok := b.byName[name].(*File); ok {
		return found, nil
	}
	return nil, ErrUnknown.With("%s", name)
}

// Outside gives an authority outside of this process: backend.unknown, for the built-in one too.
func (b *Backends) Outside(name string) (Foreign, error) {
	if found, ok := b.byName[name].(Foreign); ok {
		return found, nil
	}
	return nil, ErrUnknown.With("%s", name)
}

// Names lists the authorities, the built-in one first, then in the order of the settings.
func (b *Backends) Names() []string { return append([]string(nil), b.names...) }

func (c Config) open(s Setting) (Backend, error) {
	wrong := func(field string) error { return ErrSettings.With("%s", s.Name).At(fault.Field(field)) }
	if s.TermDays < 0 || s.TermDays > 366 {
		return nil, wrong("termDays")
	}
	if (s.Trust == "") == (len(s.Anchors) == 0) {
		return nil, wrong("trust")
	}
	o := orders{Config: c, name: s.Name, anchors: s.Anchors, term: DefaultTerm}
	if s.Trust != "" {
		anchors, _, err := chain.LoadTrust(s.Trust)
		if err != nil {
			return nil, err
		}
		if len(anchors.List()) == 0 {
			return nil, wrong("trust")
		}
		o.trust = &chain.Verifier{Anchors: anchors}
	}
	if s.TermDays > 0 {
		o.term = time.Duration(s.TermDays) * 24 * time.Hour
	}
	switch s.Kind {
	case KindFile:
		return &File{o}, nil
	case KindRemote:
		return c.remote(s, o)
	}
	return nil, wrong("kind")
}

func (c Config) remote(s Setting, o orders) (Backend, error) {
	wrong := func(field string) error { return ErrSettings.With("%s", s.Name).At(fault.Field(field)) }
	u, err := url.Parse(strings.TrimRight(s.URL, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, wrong("url")
	}
	here := u.Hostname() == "127.0.0.1" || u.Hostname() == "::1" || u.Hostname() == "localhost"
	if u.Scheme != "https" && (u.Scheme != "http" || !here) {
		return nil, wrong("url")
	}
	key, err := os.ReadFile(s.KeyFile)
	if key = bytes.TrimSpace(key); err != nil || len(key) == 0 || len(key) > 256 || bytes.ContainsAny(key, " \r\n\t") {
		return nil, wrong("keyFile")
	}
	transport := c.Transport
	if transport == nil {
		settings, err := s.tls()
		if err != nil {
			return nil, err
		}
		transport = &http.Transport{TLSHandshakeTimeout: remoteTimeout, ResponseHeaderTimeout: remoteTimeout, MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConns: 2, IdleConnTimeout: time.Minute, TLSClientConfig: settings}
	}
	return &remote{orders: o, base: u.String(), key: string(key), http: &http.Client{Transport: transport, Timeout: remoteTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

func (s Setting) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.ServerTrust != "" {
		text, err := os.ReadFile(s.ServerTrust)
		c.RootCAs = x509.NewCertPool()
		if err != nil || !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, ErrSettings.With("%s", s.Name).At(fault.Field("serverTrust")).Because(err)
		}
	}
	if s.ClientCertificate != "" {
		pair, err := tls.LoadX509KeyPair(s.ClientCertificate, s.ClientKey)
		if err != nil {
			return nil, ErrSettings.With("%s", s.Name).At(fault.Field("clientCertificate")).Because(err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
