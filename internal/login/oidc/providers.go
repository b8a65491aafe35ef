package oidc

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Options is what the providers work with.
type Options struct {
	Settings Settings
	Dir      string // of files that settings name
	BaseURL  string // where browsers reach this service, unless a setting says otherwise
	DB       *store.DB
	Clock    func() time.Time
	Log      *slog.Logger // nil: discarded
}

// Providers are the providers of an installation; nil has none. It is safe for concurrent use.
type Providers struct {
	db    *store.DB
	clock func() time.Time
	log   *slog.Logger
	list  []*provider
}

type provider struct {
	Setting
	secret string
	back   string // the redirect URI
	client *http.Client
	clock  func() time.Time
	log    *slog.Logger

	asking  chan struct{} // held by whoever reads or changes what follows
	known   *metadata
	due     time.Time
	failure error
}

// New reads secrets and certificates; it asks no provider. Errors: oidc.config, oidc.secret.
func New(o Options) (*Providers, error) {
	if err := o.Settings.Check(); err != nil {
		return nil, err
	}
	p := &Providers{db: o.DB, clock: o.Clock, log: o.Log}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	for _, s := range o.Settings {
		one := &provider{Setting: s, clock: o.Clock, log: p.log, asking: make(chan struct{}, 1)}
		if one.Address == "" {
			one.Address = strings.TrimSuffix(o.BaseURL, "/")
		}
		if !address(one.Address) {
			return nil, ErrConfig.Sayingf("%s：base_url 不是 https 地址", "%s: base_url is no https address", s.Name).At(fault.Field("login.oidc.address"))
		}
		one.back = one.Address + Path(s.Name) + "/callback"
		var err error
		if one.secret, err = s.Secret(o.Dir); err != nil {
			return nil, err
		}
		roots, err := s.roots(o.Dir)
		if err != nil {
			return nil, err
		}
		one.client = newClient(roots)
		p.list = append(p.list, one)
	}
	return p, nil
}

// Path is where the login at a provider begins; it comes back to Path + "/callback".
func Path(name string) string { return "/login/oidc/" + name }

// Offer is a provider as the login page shows it.
type Offer struct {
	Name, ZH, EN  string
	Issuer, Claim string
}

func (p *provider) offer() Offer {
	o := Offer{Name: p.Name, ZH: p.ZH, EN: p.EN, Issuer: p.Issuer, Claim: p.Names()}
	if o.EN == "" {
		o.EN = o.ZH
	}
	return o
}

// Offered lists the providers at a listener with a label; the empty one has all.
func (p *Providers) Offered(network string) []Offer {
	if p == nil {
		return nil
	}
	var all []Offer
	for _, one := range p.list {
		if one.at(network) {
			all = append(all, one.offer())
		}
	}
	return all
}

func (p *provider) at(network string) bool {
	return len(p.Networks) == 0 || network == "" || slices.Contains(p.Networks, network)
}

// Offer gives a provider by its name: oidc.unknown-provider.
func (p *Providers) Offer(name string) (Offer, error) {
	one, err := p.find(name, "")
	if err != nil {
		return Offer{}, err
	}
	return one.offer(), nil
}

func (p *Providers) find(name, network string) (*provider, error) {
	if p != nil {
		for _, one := range p.list {
			if one.Name == name && one.at(network) {
				return one, nil
			}
		}
	}
	return nil, ErrUnknown.New()
}

// Leave is where somebody signs out at a provider as well (OpenID Connect RP-Initiated Logout 1.0); empty where there is no
// such place, or nobody has asked the provider yet. No ID token was kept that could go along as a hint, and no address to
// come back to, which the provider would have to know.
func (p *Providers) Leave(name string) string {
	one, err := p.find(name, "")
	if err != nil {
		return ""
	}
	select {
	case one.asking <- struct{}{}:
		defer func() { <-one.asking }()
	default: // somebody is asking just now
		return ""
	}
	if one.known == nil || one.known.leave == "" {
		return ""
	}
	u, err := url.Parse(one.known.leave)
	if err != nil {
		return ""
	}
	query := u.Query()
	query.Set("client_id", one.ClientID)
	u.RawQuery = query.Encode()
	return u.String()
}
