package mail

import (
	"bytes"
	"encoding/json"
	"net"
	netmail "net/mail"
	"strings"
	"time"

	"yinxin/internal/fault"
)

// Security is how the connection to the server is protected.
type Security string

// The kinds of protection.
const (
	STARTTLS Security = "starttls" // plain at first, encrypted before anything is said; port 587
	Implicit Security = "implicit" // encrypted from the first byte; port 465
	Plain    Security = "none"     // to this machine only, without password; port 25
)

// Config is the section "mail" of config.json. The password is not in it: see Options.
type Config struct {
	Host string   `json:"host"`
	Port int      `json:"port,omitempty"` // zero: that of the security
	TLS  Security `json:"tls,omitempty"`  // empty: starttls
	// From is the sender, an address with or without a name: "省档案馆 <seal@example.org>".
	From         string `json:"from"`
	Username     string `json:"username,omitempty"`      // empty: no login
	PasswordFile string `json:"password_file,omitempty"` // in the data directory, or absolute; else YINXIN_MAIL_PASSWORD
	// Administrators are told of renewals that fail: addresses without names.
	Administrators []string `json:"administrators,omitempty"`
	// Timeout is how long handing over one mail may take: "30s", which is also what empty means. At most five minutes.
	Timeout string `json:"timeout,omitempty"`
}

const (
	defaultTimeout = 30 * time.Second
	mostTimeout    = 5 * time.Minute
)

// UnmarshalJSON reads the section and checks it. Error: mail.config, at the field.
func (c *Config) UnmarshalJSON(b []byte) error {
	type plain Config // without this method
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var p plain
	if err := dec.Decode(&p); err != nil {
		// What encoding/json says names fields and types, and never a value but an unknown field's name.
		return ErrConfig.With("%s", strings.TrimPrefix(err.Error(), "json: ")).At(fault.Field("mail"))
	}
	*c = Config(p)
	return c.Check()
}

// Check reports what is wrong with the section: mail.config, at the field.
func (c Config) Check() error {
	wrong := func(field, why string) error { return ErrConfig.With("%s", why).At(fault.Field("mail." + field)) }
	switch {
	case c.Host == "" || len(c.Host) > 253 || strings.ContainsFunc(c.Host, notInHost):
		return wrong("host", "a host name or an IP address")
	case c.Port < 0 || c.Port > 65535:
		return wrong("port", "1 to 65535")
	case c.TLS != "" && c.TLS != STARTTLS && c.TLS != Implicit && c.TLS != Plain:
		return wrong("tls", "starttls, implicit or none")
	case c.TLS == Plain && !isLocal(c.Host):
		return wrong("tls", "none is for a server on this machine")
	case c.TLS == Plain && c.Username != "":
		return wrong("username", "no login without tls")
	case strings.ContainsFunc(c.Username, isControl):
		return wrong("username", "no control characters")
	case c.PasswordFile != "" && c.Username == "":
		return wrong("username", "missing, although there is a password_file")
	}
	if _, err := parseSender(c.From); err != nil {
		return wrong("from", "an address, or name <address>")
	}
	for _, a := range c.Administrators {
		if CheckAddress(a) != nil {
			return wrong("administrators", "addresses without names")
		}
	}
	if _, err := c.timeout(); err != nil {
		return wrong("timeout", "a duration as 30s, at most 5m")
	}
	return nil
}

func (c Config) timeout() (time.Duration, error) {
	if c.Timeout == "" {
		return defaultTimeout, nil
	}
	d, err := time.ParseDuration(c.Timeout)
	if err == nil && (d <= 0 || d > mostTimeout) {
		err = ErrConfig.New()
	}
	return d, err
}

func (c Config) port() int {
	switch {
	case c.Port != 0:
		return c.Port
	case c.TLS == Implicit:
		return 465
	case c.TLS == Plain:
		return 25
	}
	return 587
}

func notInHost(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != ':'
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func isControl(r rune) bool {
	return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029
}

// CheckAddress refuses what is not one plain address: local@domain in ASCII, at most 254 characters (RFC 5321 clause
// 4.5.3.1), no name, no quotes, no comment. Error: mail.address, which does not repeat the address.
func CheckAddress(address string) error {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || len(address) > 254 || local == "" || len(local) > 64 || !dotted(local, inLocal) || !dotted(domain, inDomain) {
		return ErrAddress.New()
	}
	return nil
}

// dotted reports whether s is one or more words of such characters with single dots between (dot-atom, RFC 5322).
func dotted(s string, allowed func(c byte) bool) bool {
	for word := range strings.SplitSeq(s, ".") {
		if word == "" || len(word) > 64 {
			return false
		}
		for _, c := range []byte(word) {
			if !allowed(c) {
				return false
			}
		}
	}
	return true
}

func inDomain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
}

func inLocal(c byte) bool { return inDomain(c) || strings.IndexByte("!#$%&'*+/=?^_`{|}~", c) >= 0 }

// parseSender reads an address with or without a name.
func parseSender(s string) (*netmail.Address, error) {
	if strings.ContainsFunc(s, isControl) || len(s) > 500 {
		return nil, ErrAddress.New()
	}
	a, err := netmail.ParseAddress(s)
	if err != nil {
		return nil, ErrAddress.New()
	}
	return a, CheckAddress(a.Address)
}
