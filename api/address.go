package api

import (
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5/middleware"

	"yinxin/internal/fault"
)

// What proxies write the address of a caller into.
const (
	forwardedFor = "X-Forwarded-For"
	forwarded    = "Forwarded" // RFC 7239
)

// newAddress says how the address of a caller is found. Errors: request.invalid.
func (s *server) newAddress(c Limits) error {
	for _, p := range c.Proxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			return errInvalid.With("%s", p).At(fault.Field("limits.proxies"))
		}
	}
	switch c.ProxyHeader {
	case "", forwardedFor, forwarded:
	default:
		return errInvalid.With("%.64q", c.ProxyHeader).At(fault.Field("limits.proxy_header"))
	}
	s.address = func(h http.Handler) http.Handler { return h }
	if len(c.Proxies) == 0 {
		return nil
	}
	find := middleware.ClientIPFromXFF(c.Proxies...)
	s.address = func(h http.Handler) http.Handler {
		found := find(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// From here on it is the address of the request, for limits, sessions and the ledger alike. Where the proxies say
			// nothing that can be believed it stays that of the peer.
			if ip := middleware.GetClientIP(r.Context()); ip != "" {
				r = r.WithContext(r.Context()) // a copy: the request is the server's
				r.RemoteAddr = net.JoinHostPort(ip, "0")
			}
			h.ServeHTTP(w, r)
		}))
		if c.ProxyHeader != forwarded {
			return found
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r = r.Clone(r.Context())
			r.Header[forwardedFor] = []string{strings.Join(forwardedHops(r.Header[forwarded]), ",")}
			found.ServeHTTP(w, r)
		})
	}
	return nil
}

// What is read of Forwarded at most.
const (
	maxForwarded = 4096
	maxHops      = 16
)

// lastElement is the last element of Forwarded (RFC 7239 clause 4). It is looked for from the end, where the proxies write: a
// quoted string that the caller opened and did not close must not swallow what they append.
var lastElement = regexp.MustCompile(`(?:^|,)[ \t]*(` + forwardedPair + `(?:[ \t]*;[ \t]*` + forwardedPair + `)*)[ \t]*$`)

var anyPair = regexp.MustCompile(forwardedPair)

const forwardedPair = "([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(" + `"(?:[^"\\]|\\.)*"` + "|[!#$%&'*+.^_`|~0-9A-Za-z:-]+)"

// forwardedHops are the nodes of Forwarded, the furthest first, without their ports; "?" is one that is no address, and what is
// not well-formed: what stands left of it in the chain is not to be believed.
func forwardedHops(fields []string) (hops []string) {
	text := strings.Join(fields, ",")
	if len(text) > maxForwarded {
		return []string{"?"}
	}
	for text != "" {
		at := lastElement.FindStringSubmatchIndex(text)
		if at == nil || len(hops) == maxHops {
			hops = append(hops, "?")
			break
		}
		hop, seen := "?", 0
		for _, pair := range anyPair.FindAllStringSubmatch(text[at[2]:at[3]], -1) {
			if strings.EqualFold(pair[1], "for") {
				hop, seen = node(pair[2]), seen+1
			}
		}
		if seen > 1 {
			hop = "?"
		}
		hops, text = append(hops, hop), text[:at[0]]
	}
	slices.Reverse(hops)
	return hops
}

// node is the address of a node (RFC 7239 clause 6); "?" if it has none, or has escapes, which no address needs.
func node(value string) string {
	if inner, ok := strings.CutPrefix(value, `"`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); !ok {
			return "?"
		}
		value = inner
	}
	if ip, err := netip.ParseAddr(value); err == nil && ip.Is4() {
		return value
	}
	if at, err := netip.ParseAddrPort(value); err == nil {
		return at.Addr().WithZone("").String()
	}
	if inner, ok := strings.CutPrefix(value, "["); ok && strings.HasSuffix(inner, "]") {
		if ip, err := netip.ParseAddr(inner[:len(inner)-1]); err == nil && ip.Is6() {
			return ip.WithZone("").String()
		}
	}
	return "?"
}

// addressAt is the address of whoever sent a request, without a port.
func addressAt(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
