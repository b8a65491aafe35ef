package api

import (
	"bytes"
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/ca/trustlist"
	"yinxin/internal/access"
	"yinxin/internal/oid"
)

// revoked takes the certificate of the world's institution back.
func (w *world) revoked() {
	w.t.Helper()
	serial := w.certificate.Serial
	id := w.approved(access.KindRevokeCertificate, ca.RevokeSubject(serial, ca.ReasonSuperseded))
	must(w.t, w.authority.Revoke(w.t.Context(), id, serial, ca.ReasonSuperseded))
}

func TestListsAndDeltasOfEveryShardAreServed(t *testing.T) {
	w := newWorld(t)
	path := got(url.Parse(w.certificate.CRLURLs[0]))(t).Path
	id, shard, _, ok := ca.ParsePathShard(path)
	if !ok || shard == 0 || id != ca.FirstIssuer {
		t.Fatalf("the certificate points to %s", path)
	}
	before := map[string]string{}
	paths := []string{"/pki/issuing.crl", "/pki/issuing-delta.crl", path, ca.PathShard(id, shard, true), "/pki/issuing/1.crl", "/pki/issuing/16-delta.crl"}
	for _, p := range paths {
		a := w.call("", "GET", p, nil).is(200)
		list := got(chain.ParseCRL(a.body))(t)
		must(t, list.CheckIssuer(w.authority.Issuing(ca.ProfileInstitution)))
		if (list.BaseNumber != nil) != strings.Contains(p, "delta") || a.header.Get("Cache-Control") != "public, max-age=30" ||
			a.header.Get("Last-Modified") != list.ThisUpdate.Format("Mon, 02 Jan 2006 15:04:05 GMT") || a.header.Get("Content-Type") != "application/pkix-crl" {
			t.Errorf("%s: %v", p, a.header)
		}
		before[p] = a.header.Get("ETag")
		w.call("", "GET", p, nil, "If-None-Match: "+before[p]).is(304)
	}
	w.revoked()
	for i, p := range paths {
		a := w.call("", "GET", p, nil, "If-None-Match: "+before[p])
		if i < 4 || p == path || p == ca.PathShard(id, shard, true) { // the others are of the same shard by chance only
			if _, listed := got(chain.ParseCRL(a.is(200).body))(t).Lookup(w.certificate.Serial); !listed {
				t.Errorf("%s does not name the revoked certificate", p)
			}
		}
	}
	for _, p := range []string{"/pki/issuing/0.crl", "/pki/issuing/01.crl", "/pki/issuing/x", "/pki/issuing/1-delta.crl.crl"} {
		w.call("", "GET", p, nil).problem(404, "request.no-such-path")
	}
	w.call("", "GET", "/pki/issuing/17.crl", nil).problem(404, "ca.no-such-list")
	w.call("", "GET", "/pki/issuing/99999999.crl", nil).problem(404, "ca.no-such-list")
}

func TestEveryIssuingCAIsServed(t *testing.T) {
	w := newWorld(t)
	issuers := w.authority.Issuers()
	if len(issuers) != 2 {
		t.Fatalf("%d issuing CAs", len(issuers))
	}
	for _, i := range issuers {
		a := w.call("", "GET", ca.PathIssuerCertificate(i.ID), nil).is(200)
		if !bytes.Equal(a.body, i.Certificate.Raw) || a.header.Get("Content-Type") != "application/pkix-cert" {
			t.Errorf("%s: %v", i.ID, a.header)
		}
		for _, path := range []string{ca.PathShard(i.ID, 0, false), ca.PathShard(i.ID, 0, true), ca.PathShard(i.ID, 3, false), ca.PathShard(i.ID, 3, true)} {
			a := w.call("", "GET", path, nil).is(200)
			must(t, got(chain.ParseCRL(a.body))(t).CheckIssuer(i.Certificate))
			if a.header.Get("Content-Type") != "application/pkix-crl" {
				t.Errorf("%s: %v", path, a.header)
			}
		}
		// One address answers for all of them, each by its own responder.
		id := got(ocsp.NewCertID(oid.SHA1, i.Certificate, w.certificate.Serial))(t)
		request := got(ocsp.CreateRequest([]ocsp.CertID{id}, nil))(t)
		r := got(ocsp.ParseResponse(w.call("", "POST", "/ocsp", bytes.NewReader(request), "Content-Type: application/ocsp-request").is(200).body))(t)
		must(t, r.Verify(i.Certificate, time.Now()))
		if want := map[bool]ocsp.Status{true: ocsp.Good, false: ocsp.Unknown}[i.ID == ca.FirstIssuer]; r.Singles[0].Status != want {
			t.Errorf("%s says %v", i.ID, r.Singles[0].Status)
		}
	}
	for _, path := range []string{"/pki/nobody.cer", "/pki/nobody.crl", "/pki/nobody-delta.crl", "/pki/nobody/1.crl"} {
		w.call("", "GET", path, nil).problem(404, "ca.no-such-issuer")
	}
	for _, path := range []string{"/pki/person", "/pki/person.pem", "/pki/Person.crl", "/pki/root-delta.crl", "/pki/root/1.crl", "/pki/person/0.crl", "/pki/person/1.cer", "/pki/x/y/1.crl"} {
		w.call("", "GET", path, nil).problem(404, "request.no-such-path")
	}
}

func TestACacheOfOCSPAnswersMustAskEveryTime(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.OCSP = -1 })
	id := got(ocsp.NewCertID(oid.SHA1, w.authority.Issuing(ca.ProfileInstitution), w.certificate.Serial))(t)
	plain := "/ocsp/" + url.PathEscape(base64.StdEncoding.EncodeToString(got(ocsp.CreateRequest([]ocsp.CertID{id}, nil))(t)))
	a := w.call("", "GET", plain, nil).is(200)
	tag := a.header.Get("ETag")
	if a.header.Get("Cache-Control") != "public, max-age=0, must-revalidate, no-transform" || tag == "" || a.header.Get("Last-Modified") == "" || a.header.Get("Expires") != "" {
		t.Errorf("%v", a.header)
	}
	if again := w.call("", "GET", plain, nil, "If-None-Match: "+tag).is(304); len(again.body) > 0 || again.header.Get("ETag") != tag {
		t.Errorf("%v", again.header)
	}
	w.call("", "GET", plain, nil, "If-Modified-Since: "+a.header.Get("Last-Modified")).is(200)
	nonce := got(ocsp.CreateRequest([]ocsp.CertID{id}, []byte("0123456789abcdef")))(t)
	for name, a := range map[string]answer{
		"with a nonce": w.call("", "GET", "/ocsp/"+url.PathEscape(base64.StdEncoding.EncodeToString(nonce)), nil),
		"by POST":      w.call("", "POST", "/ocsp", bytes.NewReader(nonce), "Content-Type: application/ocsp-request"),
		"an error":     w.call("", "GET", "/ocsp/AAAA", nil),
	} {
		if a.is(200).header.Get("Cache-Control") != "no-store" || a.header.Get("ETag") != "" {
			t.Errorf("%s: %v", name, a.header)
		}
	}
	w.revoked()
	begun := time.Now()
	for {
		a := w.call("", "GET", plain, nil, "If-None-Match: "+tag)
		if a.status == 200 {
			if r := got(ocsp.ParseResponse(a.body))(t); r.Singles[0].Status != ocsp.Revoked {
				t.Errorf("%+v", r.Singles)
			}
			return
		}
		if time.Since(begun) > time.Second {
			t.Fatal("a second after the revocation a cache is still told that nothing changed")
		}
	}
}

func TestWhoAsksTooOftenIsToldToWait(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Limits = Limits{OCSP: 3, TimeStamps: 2, Lists: -1, Proxies: []string{"127.0.0.0/8"}}
	})
	const query, question = "Content-Type: application/timestamp-query", "Content-Type: application/ocsp-request"
	stamp := func(fields ...string) answer {
		return w.call("", "POST", "/tsa", strings.NewReader("junk"), append(fields, query)...)
	}
	first := "X-Forwarded-For: 203.0.113.7"
	stamp(first).is(200)
	stamp(first).is(200)
	a := stamp(first)
	if a.problem(429, "request.too-many"); a.header.Get("Retry-After") == "" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", a.header)
	}
	stamp("X-Forwarded-For: 198.51.100.1").is(200)              // somebody else
	stamp("X-Forwarded-For: 198.51.100.1, 203.0.113.7").is(429) // what the caller wrote before the proxy counts for nothing
	stamp("X-Forwarded-For: 2001:db8:1:2::1").is(200)           // IPv6 callers have a /64
	stamp("X-Forwarded-For: 2001:db8:1:2:ffff::9").is(200)
	stamp("X-Forwarded-For: 2001:db8:1:2:1::1").is(429)
	stamp("X-Forwarded-For: 2001:db8:1:3::1").is(200)
	for range 2 {
		w.call("", "POST", "/ocsp", strings.NewReader("junk"), question, first).is(200)
	}
	w.call("", "GET", "/ocsp/AAAA", nil, first).is(200)
	w.call("", "GET", "/ocsp/AAAA", nil, first).problem(429, "request.too-many")
	w.call("", "POST", "/ocsp", strings.NewReader("junk"), question, first).problem(429, "request.too-many")
	for range 20 {
		w.call("", "GET", "/pki/root.crl", nil, first).is(200)
	}
}

func TestOnlyAProxyIsBelievedWhoTheCallerIs(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits = Limits{Lists: 1} })
	w.call("", "GET", "/pki/root.crl", nil, "X-Forwarded-For: 203.0.113.7").is(200)
	w.call("", "GET", "/pki/root.crl", nil, "X-Forwarded-For: 203.0.113.8").is(429)
	r := httptest.NewRequest("GET", "/pki/root.crl", nil)
	r.RemoteAddr = "192.0.2.9:1234"
	recorder := httptest.NewRecorder()
	w.server.router.ServeHTTP(recorder, r)
	if recorder.Code != 200 {
		t.Errorf("another address: %d", recorder.Code)
	}
	config := w.server.Config
	config.Limits.Proxies = []string{"10.0.0.0/99"}
	if _, err := New(config); err == nil {
		t.Error("an address that is none")
	}
}

// TestTheTrustListIsServed: for anyone, as caches may keep it, with what changed since.
func TestTheTrustListIsServed(t *testing.T) {
	w := newWorld(t)
	opened := func(body []byte) *trustlist.Opened {
		t.Helper()
		return got(trustlist.Open(t.Context(), body, trustlist.Check{Chain: &chain.Verifier{Anchors: chain.NewAnchors(w.authority.Root())}, At: time.Now(), Now: time.Now()}))(t)
	}
	var ahead atomic.Int64
	clock := w.authority.Clock
	w.authority.Clock = func() time.Time { return clock().Add(time.Duration(ahead.Load())) }
	a := w.call("", "GET", ca.PathTrustList, nil).is(200)
	if a.header.Get("Cache-Control") != "public, max-age=30" || a.header.Get("Content-Type") != "application/pkcs7-mime" {
		t.Errorf("header %v", a.header)
	}
	first := opened(a.body)
	if len(first.Authorities) != 3 || len(first.Lists) != 3 || len(first.Seals) != 1 || first.Seals[0].Code != sealCode || len(first.Seals[0].Instances) != 1 {
		t.Fatalf("%d authorities, %d lists, seals %v", len(first.Authorities), len(first.Lists), first.Seals)
	}
	if s := first.StateAt(sealCode, nil, time.Now()); s.State != "active" || s.Made {
		t.Errorf("%+v", s)
	}
	ahead.Store(int64(11 * time.Second)) // nothing changed: the same
	w.call("", "GET", ca.PathTrustList, nil, "If-None-Match: "+a.header.Get("ETag")).is(304)
	must(t, w.register.Suspend(t.Context(), w.people[0], sealCode, "test"))
	w.revoked()
	w.call("", "GET", ca.PathTrustList, nil, "If-None-Match: "+a.header.Get("ETag")).is(304) // looked a moment ago
	ahead.Store(int64(22 * time.Second))
	second := opened(w.call("", "GET", ca.PathTrustList, nil, "If-None-Match: "+a.header.Get("ETag")).is(200).body)
	if second.Sequence <= first.Sequence || second.StateAt(sealCode, nil, time.Now()).State != "suspended" {
		t.Errorf("sequence %d after %d, %v", second.Sequence, first.Sequence, second.Seals)
	}
	if !slices.ContainsFunc(second.Lists, func(l *chain.CRL) bool { _, listed := l.Lookup(w.certificate.Serial); return listed }) {
		t.Error("no list names the revoked certificate")
	}
	ahead.Store(int64(25 * time.Hour)) // once a day
	if third := w.call("", "GET", ca.PathTrustList, nil).is(200); bytes.Contains(third.body, []byte(second.Issued.Format(time.RFC3339))) {
		t.Error("not made anew after a day")
	}
}
