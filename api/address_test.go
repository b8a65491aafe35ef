package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"yinxin/internal/access"
)

func TestTheAddressOfACallerIsTheLastThatIsNoProxy(t *testing.T) {
	for _, c := range []struct {
		name, header, peer string
		fields             map[string][]string
		want               string
	}{
		{"nothing", "", "10.0.0.1:443", nil, "10.0.0.1"},
		{"one proxy", "", "10.0.0.1:443", map[string][]string{forwardedFor: {"203.0.113.7"}}, "203.0.113.7"},
		{"what the caller wrote before", "", "10.0.0.1:443", map[string][]string{forwardedFor: {"192.0.2.1, 203.0.113.7"}}, "203.0.113.7"},
		{"two proxies, two fields", "", "10.0.0.1:443", map[string][]string{forwardedFor: {"192.0.2.1", "203.0.113.7, 10.9.9.9"}}, "203.0.113.7"},
		{"a proxy written as IPv6", "", "[::ffff:10.0.0.1]:443", map[string][]string{forwardedFor: {"203.0.113.7, ::ffff:10.9.9.9"}}, "203.0.113.7"},
		{"IPv6", "", "10.0.0.1:443", map[string][]string{forwardedFor: {"2001:db8::7"}}, "2001:db8::7"},
		{"no proxy says so", "", "192.0.2.9:443", map[string][]string{forwardedFor: {"203.0.113.7"}, forwarded: {"for=203.0.113.7"}}, "192.0.2.9"},
		{"what is no address", "", "10.0.0.1:443", map[string][]string{forwardedFor: {"203.0.113.7, <script>"}}, "10.0.0.1"},
		{"the field that proxies do not write", "", "10.0.0.1:443", map[string][]string{forwarded: {"for=203.0.113.7"}}, "10.0.0.1"},
		{"the field that proxies do not write, here", forwarded, "10.0.0.1:443", map[string][]string{forwardedFor: {"203.0.113.7"}}, "10.0.0.1"},
		{"Forwarded", forwarded, "10.0.0.1:443", map[string][]string{forwarded: {"for=192.0.2.1", `For="203.0.113.7:80";proto=https;by=_x, for=10.9.9.9`}}, "203.0.113.7"},
		{"Forwarded, IPv6", forwarded, "10.0.0.1:443", map[string][]string{forwarded: {`for="[2001:db8::7]:4711"`}}, "2001:db8::7"},
		{"Forwarded, IPv6 without port", forwarded, "10.0.0.1:443", map[string][]string{forwarded: {`proto=https;for="[2001:db8::7]"`}}, "2001:db8::7"},
		{"Forwarded, a comma in a string", forwarded, "10.0.0.1:443", map[string][]string{forwarded: {`for=203.0.113.7;host="a, for=192.0.2.1\", for=192.0.2.2"`}}, "203.0.113.7"},
		{"Forwarded, a string that does not end", forwarded, "10.0.0.1:443", map[string][]string{forwarded: {`for="192.0.2.1, for=203.0.113.7`}}, "203.0.113.7"},
		{"Forwarded, a string that would swallow the proxy's word", forwarded, "10.0.0.1:443", map[string][]string{forwarded: {`for=192.0.2.1;x=", for=203.0.113.7`}}, "203.0.113.7"},
		{"Forwarded, a string that the proxy's would close", forwarded, "10.0.0.1:443", map[string][]string{forwarded: {`for=192.0.2.1;x=", for="203.0.113.7:80"`}}, "203.0.113.7"},
		{"Forwarded, garbage", forwarded, "10.0.0.1:443", map[string][]string{forwarded: {"for=192.0.2.1, <script>"}}, "10.0.0.1"},
		{"a port", "", "10.0.0.1:443", map[string][]string{forwardedFor: {"192.0.2.1, 203.0.113.7:80"}}, "10.0.0.1"},
		{"an IPv6 zone", "", "10.0.0.1:443", map[string][]string{forwardedFor: {"fe80::7%eth0"}}, "fe80::7"},
		{"Forwarded, hidden", forwarded, "10.0.0.1:443", map[string][]string{forwarded: {"for=192.0.2.1, for=_hidden"}}, "10.0.0.1"},
		{"Forwarded, unknown", forwarded, "10.0.0.1:443", map[string][]string{forwarded: {"for=192.0.2.1, for=unknown"}}, "10.0.0.1"},
		{"Forwarded without for", forwarded, "10.0.0.1:443", map[string][]string{forwarded: {"for=192.0.2.1, proto=https"}}, "10.0.0.1"},
		{"Forwarded, twice for", forwarded, "10.0.0.1:443", map[string][]string{forwarded: {"for=192.0.2.1;for=203.0.113.7"}}, "10.0.0.1"},
		{"Forwarded, long", forwarded, "10.0.0.1:443", map[string][]string{forwarded: {strings.Repeat("for=203.0.113.7,", 1000) + "for=203.0.113.7"}}, "10.0.0.1"},
	} {
		s := &server{}
		must(t, s.newAddress(Limits{Proxies: []string{"10.0.0.0/8"}, ProxyHeader: c.header}))
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Header = c.peer, c.fields
		got := ""
		s.address(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = strings.TrimPrefix(addressAt(r), "::ffff:") })).ServeHTTP(httptest.NewRecorder(), r)
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	for _, wrong := range []Limits{{Proxies: []string{"10.0.0.1"}}, {Proxies: []string{"10.0.0.0/8"}, ProxyHeader: "X-Real-IP"}} {
		if err := (&server{}).newAddress(wrong); err == nil {
			t.Errorf("%+v", wrong)
		}
	}
}

// The record of a login has the browser's address, not the proxy's, and no word of somebody who only says so.
func TestLoginsAreRecordedWithTheAddressBehindTheProxy(t *testing.T) {
	for proxies, want := range map[string]string{"127.0.0.0/8": "203.0.113.7", "10.0.0.0/8": "127.0.0.1"} {
		w := newWorld(t, func(c *Config) { c.Limits.Proxies = []string{proxies} })
		must(t, w.server.Login.SetPassword(t.Context(), access.Actor{ID: "administrator"}, "clerk", "correct horse battery"))
		for _, password := range []string{"wrong horse battery", "correct horse battery"} {
			w.call("", "POST", "/login", strings.NewReader(url.Values{"name": {"clerk"}, "password": {password}}.Encode()),
				"Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin", "X-Forwarded-For: 192.0.2.1, 203.0.113.7")
		}
		var session string
		must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT address FROM login_session WHERE actor = 'clerk' AND address <> ''`).Scan(&session))
		var entries int
		must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM ledger_event WHERE kind IN ('login.opened', 'login.refused') AND entry LIKE $1`, `%"`+want+`"%`).Scan(&entries))
		if session != want || entries != 2 {
			t.Errorf("behind %s: session from %s, %d entries with %s", proxies, session, entries, want)
		}
	}
}
