package agent

import (
	"net"
	"net/url"
	"strings"
)

// serverURL checks and tidies the address of a server: https, or http to this machine itself. Error: agent.insecure.
func serverURL(text string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", ErrInsecure.With("%.100q", text)
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && isLoopback(u.Hostname()):
	default:
		return "", ErrInsecure.With("%.100q", text)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u.String(), nil
}

// isLoopback is so for an address of this machine. A name is not looked up, but for the one that always means it (RFC 6761,
// 6.3).
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}
