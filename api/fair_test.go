package api

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"yinxin/api/web"
)

const from = "X-Forwarded-For: "

// behindProxy has the address of a caller in a header field, as a proxy writes it.
func behindProxy(l Limits, and ...func(*Config)) func(*Config) {
	return func(c *Config) {
		l.Proxies = []string{"127.0.0.0/8"}
		c.Limits = l
		for _, set := range and {
			set(c)
		}
	}
}

func TestOneAddressMayVerifyOnlySoOftenAndOthersDo(t *testing.T) {
	w := newWorld(t, behindProxy(Limits{Verifications: 5}))
	data := onePage(t)
	form := func(path, address string, fields ...string) answer {
		body, contentType := formBody(t, "a.pdf", data)
		return w.call("", "POST", path, body, append(fields, contentType, from+address)...)
	}
	const first = "2001:db8:1:2::1"
	// The page, the report in each form, certificates and the version as sealed count together, whatever comes of it.
	form("/?lang=zh", first).is(200)
	w.call("", "POST", "/v1/verifications?format=html", bytes.NewReader(data), asPDF, from+first).is(200)
	w.call("", "POST", "/v1/verifications/certificates", strings.NewReader("junk"), "Content-Type: application/pkix-cert", from+first).is(400)
	w.call("", "POST", "/v1/verifications/as-sealed?signature=1", bytes.NewReader(data), asPDF, from+first).problem(404, "verify.no-such-signature")
	form("/as-sealed?signature=1", first).is(404)
	const other = "2001:db8:1:2:ffff::9" // of the same /64
	for _, path := range []string{"/v1/verifications", "/v1/verifications/as-sealed?signature=1", "/v1/verifications/certificates"} {
		w.call("", "POST", path, bytes.NewReader(data), asPDF, from+other).waits("request.too-many")
	}
	for lang, words := range map[string]string{"zh": "请稍等一分钟再试", "en": "please wait a minute"} {
		for _, path := range []string{"/?", "/as-sealed?signature=1&"} {
			page := form(path+"lang="+lang, other).is(429)
			if !bytes.Contains(page.body, []byte(words)) || !bytes.Contains(page.body, []byte("<html")) || page.header.Get("Retry-After") != "60" {
				t.Errorf("%s: %v %s", path, page.header, page.body)
			}
		}
		if part := form("/?lang="+lang, other, web.FragmentHeader+": 1").is(429); bytes.Contains(part.body, []byte("<html")) || !bytes.Contains(part.body, []byte(words)) {
			t.Errorf("%s", part.body)
		}
	}
	form("/", "2001:db8:1:3::1").is(200)
	w.call("", "GET", "/", nil, from+other).is(200) // to look at the page costs nothing
}

func TestComparisonsAskedTooOftenAreRefusedOnThePage(t *testing.T) {
	w := newWorld(t, behindProxy(Limits{Comparisons: 1}))
	send := func() answer {
		body, contentType := formBody(t, "a.pdf", onePage(t))
		return w.call("", "POST", "/versions?lang=zh&signature=1", body, contentType, from+"203.0.113.7", web.FragmentHeader+": 1")
	}
	send()
	if a := send().is(429); !bytes.Contains(a.body, []byte("请稍等一分钟再试")) {
		t.Errorf("%s", a.body)
	}
}

// Whoever occupies what one address may leaves the other half, for each kind of place.
func TestOneAddressHasHalfOfThePlacesAtMost(t *testing.T) {
	w := newWorld(t, behindProxy(Limits{Verifications: -1}, func(c *Config) { c.Verifications, c.Uploads, c.Patience = 4, 4, 20*time.Millisecond }))
	ctx := func(address string) context.Context { return context.WithValue(t.Context(), addressKey{}, address) }
	verify := func(address string) answer {
		return w.call("", "POST", "/v1/verifications", bytes.NewReader(onePage(t)), asPDF, from+address)
	}
	for name, at := range map[string]*places{"uploading": w.server.uploading, "verifying": w.server.verifying} {
		var leave []func()
		for range 2 {
			leave = append(leave, got(at.take(ctx("203.0.113.7"), impatient()))(t))
		}
		if a := verify("203.0.113.7"); a.header.Get("Retry-After") != "5" {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		} else {
			a.problem(429, "request.too-many-at-once")
		}
		verify("203.0.113.8").is(200)
		body, contentType := formBody(t, "a.pdf", onePage(t))
		if page := w.call("", "POST", "/?lang=en", body, contentType, from+"203.0.113.7").is(http.StatusTooManyRequests); !bytes.Contains(page.body, []byte("being verified at the moment")) {
			t.Errorf("%s: %s", name, page.body)
		}
		for _, l := range leave {
			l()
		}
		verify("203.0.113.7").is(200)
		if len(at.all) != 0 || len(at.mine.open) != 0 {
			t.Errorf("%s: %d places and %d addresses are left", name, len(at.all), len(at.mine.open))
		}
	}
	if half := w.server.comparing.mine.each; half < 1 || half >= cap(w.server.comparing.all) {
		t.Errorf("%d of %d comparisons", half, cap(w.server.comparing.all))
	}
	// Who signed in is nobody's address: work of theirs has any place.
	for range 4 {
		got(w.server.verifying.take(t.Context(), impatient()))(t)
	}
}
