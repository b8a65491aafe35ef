package oidc

import (
	"bytes"
	"encoding/json"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"yinxin/internal/fault"
)

// Setting is one provider in the section "login" of config.json. Files may be in the data directory. The client secret is
// not in it: see Secret.
type Setting struct {
	// Name stands in addresses, in the audit of logins and in the name of the environment variable: lower-case letters,
	// digits and hyphens.
	Name string `json:"name"`
	// ZH and EN are what the login page calls the provider.
	ZH string `json:"zh"`
	EN string `json:"en,omitempty"` // empty: ZH
	// Issuer is the provider's identifier, from which its metadata are found (OpenID Connect Discovery 1.0 clause 4).
	Issuer   string `json:"issuer"`
	ClientID string `json:"client_id"`
	// ClientSecretFile holds the secret in its first line; without it YINXIN_OIDC_SECRET_NAME does.
	ClientSecretFile string `json:"client_secret_file,omitempty"`
	// PublicClient says that there is no secret: PKCE alone protects the code.
	PublicClient bool `json:"public_client,omitempty"`
	// Scopes are asked for beside openid.
	Scopes []string `json:"scopes,omitempty"`
	// Algorithms are those with which ID tokens may be signed; empty: defaultAlgorithms.
	Algorithms []string `json:"algorithms,omitempty"`
	// CAFile has the certificates in PEM that the provider's is judged by instead of the system's.
	CAFile string `json:"ca_file,omitempty"`
	// Claim names who signed in: an identifier that the provider never gives to another person and that people cannot
	// change themselves. Empty: sub.
	Claim string `json:"claim,omitempty"`
	// Address is where browsers reach this service, for the way back; empty: base_url.
	Address string `json:"address,omitempty"`
	// Networks are the labels of listeners at which the provider is offered; empty: everywhere.
	Networks []string `json:"networks,omitempty"`
}

// Settings are the providers of an installation.
type Settings []Setting

// algorithms are all that ID tokens may be signed with: asymmetric ones. With HS256 whoever has the client secret could
// sign, and "none" is no signature.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

var defaultAlgorithms = []string{oidc.RS256, oidc.PS256, oidc.ES256, oidc.EdDSA}

// unfit are claims that do not name a person for good (OpenID Connect Core clause 5.7: only iss and sub together do).
var unfit = []string{"email", "preferred_username", "name", "nickname", "given_name", "family_name", "phone_number",
	"iss", "aud", "azp", "nonce", "exp", "iat", "nbf", "auth_time", "at_hash", "c_hash", "acr", "amr", "jti", "sid"}

// UnmarshalJSON reads the list and checks it. Error: oidc.config, at the field.
func (s *Settings) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var list []Setting
	if err := dec.Decode(&list); err != nil {
		return ErrConfig.With("%s", strings.TrimPrefix(err.Error(), "json: ")).At(fault.Field("login.oidc"))
	}
	*s = list
	return s.Check()
}

// Check reports what is wrong with the settings: oidc.config, at the field.
func (s Settings) Check() error {
	seen := map[string]bool{}
	for _, one := range s {
		if err := one.check(); err != nil {
			return err
		}
		if seen[one.Name] {
			return ErrConfig.With("%s: twice", one.Name).At(fault.Field("login.oidc.name"))
		}
		seen[one.Name] = true
	}
	return nil
}

func (s Setting) check() error {
	wrong := func(field, why string) error {
		return ErrConfig.With("%s: %s", s.Name, why).At(fault.Field("login.oidc." + field))
	}
	switch {
	case s.Name == "" || len(s.Name) > 32 || strings.ContainsFunc(s.Name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }):
		return wrong("name", "lower-case letters, digits and hyphens, at most 32")
	case s.ZH == "" || len(s.ZH) > 200 || len(s.EN) > 200:
		return wrong("zh", "a name for the login page")
	case !address(s.Issuer):
		return wrong("issuer", "an https address without query; http only on this machine")
	case s.ClientID == "" || len(s.ClientID) > 255:
		return wrong("client_id", "missing")
	case s.PublicClient && s.ClientSecretFile != "":
		return wrong("public_client", "a public client has no secret")
	case s.Address != "" && (!address(s.Address) || strings.HasSuffix(s.Address, "/")):
		return wrong("address", "an https address without query and without / at its end; http only on this machine")
	case slices.Contains(unfit, s.Claim) || len(s.Claim) > 100:
		return wrong("claim", "a claim that names a person for good: sub, or a number of the provider's register")
	}
	for _, a := range s.Algorithms {
		if !slices.Contains(algorithms, a) {
			return wrong("algorithms", strings.Join(algorithms, ", "))
		}
	}
	for _, scope := range s.Scopes {
		if scope == "" || len(scope) > 100 || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return wrong("scopes", "words without blanks")
		}
	}
	return nil
}

func (s Setting) allowed() []string {
	if len(s.Algorithms) > 0 {
		return s.Algorithms
	}
	return defaultAlgorithms
}

// Names is the claim that names who signed in.
func (s Setting) Names() string {
	if s.Claim == "" {
		return subClaim
	}
	return s.Claim
}

const subClaim = "sub"

// address reports whether a text is an address to which secrets may go: https, or http on this machine.
func address(text string) bool {
	u, err := url.Parse(text)
	if err != nil || len(text) > 500 || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && local(u.Hostname())
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
