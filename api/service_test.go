package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/internal/fault"
	"yinxin/internal/oid"
)

var update = flag.Bool("update", false, "write openapi.json anew")

func TestOpenAPIDocumentIsTheCommittedOne(t *testing.T) {
	w := newWorld(t)
	served := w.call("", "GET", "/v1/openapi.json", nil).is(200).body
	if *update {
		must(t, os.WriteFile("openapi.json", served, 0o644))
	}
	if committed := got(os.ReadFile("openapi.json"))(t); !bytes.Equal(committed, served) {
		t.Fatal("openapi.json is not what the code describes: run make openapi and look at the difference")
	}
}

func TestOpenAPIDocumentDescribesEveryRouteOfTheAPI(t *testing.T) {
	w := newWorld(t)
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Security  []map[string][]string
			Responses map[string]json.RawMessage
		}
	}
	w.call("", "GET", "/v1/openapi.json", nil).into(&document)
	if document.OpenAPI != "3.1.0" {
		t.Fatal(document.OpenAPI)
	}
	for _, r := range w.server.rules {
		path := strings.Replace(r.path, "/*", "/{request}", 1)
		if path == "/" || path == web.PathVersions || path == web.PathAsSealed || strings.HasPrefix(path, "/assets/") || r.who.page != nil {
			continue // pages
		}
		op, ok := document.Paths[path][strings.ToLower(r.method)]
		if !ok {
			t.Errorf("%s %s is not described", r.method, r.path)
			continue
		}
		if locked := len(op.Security) > 0; locked == r.who.anyone {
			t.Errorf("%s %s: described with key %v, open to anyone %v", r.method, r.path, locked, r.who.anyone)
		}
		if _, ok := op.Responses["500"]; !ok {
			t.Errorf("%s %s: no problem described", r.method, r.path)
		}
	}
}

func TestWhatCertificatesPointToIsServed(t *testing.T) {
	w := newWorld(t)
	path := func(urls []string) string {
		t.Helper()
		if len(urls) != 1 {
			t.Fatal(urls)
		}
		return got(url.Parse(urls[0]))(t).Path
	}
	crl := w.call("", "GET", path(w.certificate.CRLURLs), nil).is(200)
	if list := got(chain.ParseCRL(crl.body))(t); !bytes.Equal(list.RawIssuer, w.certificate.RawIssuer) || crl.header.Get("Content-Type") != "application/pkix-crl" {
		t.Fatalf("CRL %v", crl.header)
	}
	w.call("", "GET", path(w.certificate.CRLURLs), nil, "If-None-Match: "+crl.header.Get("ETag")).is(304)
	issuer := got(chain.ParseCertificate(w.call("", "GET", path(w.certificate.IssuerURLs), nil).is(200).body))(t)
	if !bytes.Equal(issuer.RawSubject, w.certificate.RawIssuer) {
		t.Fatal("another issuer is served")
	}
	root := got(chain.ParseCertificate(w.call("", "GET", path(issuer.IssuerURLs), nil).is(200).body))(t)
	if !bytes.Equal(root.Raw, w.authority.Root().Raw) {
		t.Fatal("another root is served")
	}
	got(chain.ParseCRL(w.call("", "GET", path(issuer.CRLURLs), nil).is(200).body))(t)
	w.call("", "GET", "/pki/cps", nil).is(200)

	responder := path(w.certificate.OCSPURLs)
	id := got(ocsp.NewCertID(oid.SM3, w.authority.Issuing(ca.ProfileInstitution), w.certificate.Serial))(t)
	request := got(ocsp.CreateRequest([]ocsp.CertID{id}, nil))(t)
	good := func(a answer) {
		t.Helper()
		response := got(ocsp.ParseResponse(a.is(200).body))(t)
		must(t, response.Verify(w.authority.Issuing(ca.ProfileInstitution), time.Now()))
		if response.Singles[0].Status != ocsp.Good || a.header.Get("Content-Type") != "application/ocsp-response" {
			t.Fatalf("%+v %v", response.Singles, a.header)
		}
	}
	good(w.call("", "POST", responder, bytes.NewReader(request), "Content-Type: application/ocsp-request"))
	text := base64.StdEncoding.EncodeToString(request)
	good(w.call("", "GET", responder+"/"+url.PathEscape(text), nil))
	good(w.call("", "GET", responder+"/"+text, nil)) // slashes as they are
	good(w.call("", "GET", responder+"/"+strings.TrimRight(text, "="), nil))

	for name, a := range map[string]answer{"junk": w.call("", "POST", responder, strings.NewReader("junk"), "Content-Type: application/ocsp-request"),
		"no base64": w.call("", "GET", responder+"/***", nil), "nothing": w.call("", "GET", responder+"/", nil)} {
		if r, err := ocsp.ParseResponse(a.is(200).body); err == nil && len(r.Singles) > 0 {
			t.Errorf("%s was answered %+v", name, r)
		}
	}
	w.call("", "POST", responder, bytes.NewReader(request), "Content-Type: text/plain").problem(415, "request.media-type")
	w.call("", "POST", responder, bytes.NewReader(make([]byte, maxOCSP+1)), "Content-Type: application/ocsp-request").problem(413, "request.too-large")
	w.call("", "GET", responder+"/"+strings.Repeat("AAAA", maxOCSP/3+2), nil).problem(413, "request.too-large")
}

func TestOpensslReadsTheOCSPAnswer(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	w := newWorld(t)
	unknown := new(big.Int).Add(w.certificate.Serial, big.NewInt(1))
	var ids []ocsp.CertID
	for _, serial := range []*big.Int{w.certificate.Serial, unknown} {
		ids = append(ids, got(ocsp.NewCertID(oid.SHA1, w.authority.Issuing(ca.ProfileInstitution), serial))(t))
	}
	request := got(ocsp.CreateRequest(ids, []byte("nonce-of-16-byte")))(t)
	response := w.call("", "POST", "/ocsp", bytes.NewReader(request), "Content-Type: application/ocsp-request").is(200).body
	name := filepath.Join(t.TempDir(), "response.der")
	must(t, os.WriteFile(name, response, 0o600))
	text, err := exec.CommandContext(t.Context(), "openssl", "ocsp", "-respin", name, "-resp_text", "-noverify").CombinedOutput()
	if err != nil || !bytes.Contains(text, []byte("OCSP Response Status: successful")) || !bytes.Contains(text, []byte("Cert Status: good")) {
		t.Fatalf("%v\n%s", err, text)
	}
}

func TestHealthSaysWhetherRequestsCanBeServed(t *testing.T) {
	var broken error
	w := newWorld(t, func(c *Config) { c.Ready = func(context.Context) error { return broken } })
	w.call("", "GET", "/health/live", nil).is(200)
	w.call("", "GET", "/health/ready", nil).is(200)
	broken = errors.New("database on fire")
	w.call("", "GET", "/health/live", nil).is(200)
	a := w.call("", "GET", "/health/ready", nil)
	a.problem(503, "service.not-ready")
	if bytes.Contains(a.body, []byte("fire")) || a.header.Get("Retry-After") == "" || !strings.Contains(w.log.text(), "fire") {
		t.Fatalf("%s %v", a.body, a.header)
	}
}

func TestFiguresAreForWhoRunsTheService(t *testing.T) {
	w := newWorld(t)
	w.call("", "GET", "/metrics", nil).problem(401, "request.key-missing")
	w.call("platform", "GET", "/metrics", nil).problem(403, "request.denied")
	if a := w.call("administrator", "GET", "/metrics", nil).is(200); !bytes.Contains(a.body, []byte("yinxin_token_ready 1")) {
		t.Errorf("%s", a.body)
	}
}

func TestAnswersThatAreNoAnswersAreProblems(t *testing.T) {
	w := newWorld(t)
	w.call("", "GET", "/no/such/path", nil).problem(404, "request.no-such-path")
	a := w.call("", "PUT", "/v1/documents", nil)
	a.problem(405, "request.method")
	if strings.Join(a.header.Values("Allow"), ", ") != "GET, HEAD, POST" {
		t.Fatalf("Allow %q", a.header.Values("Allow"))
	}
	if a := w.call("", "DELETE", "/", nil); strings.Join(a.header.Values("Allow"), ", ") != "GET, HEAD, POST" {
		t.Fatalf("Allow %q", a.header.Values("Allow"))
	}
	w.server.handle("GET", "/v1/panic", anyone(), func(http.ResponseWriter, *http.Request) { panic("the cause") })
	w.server.handle("GET", "/v1/late", anyone(), func(w http.ResponseWriter, _ *http.Request) {
		w.Write(bytes.Repeat([]byte("x"), 100<<10))
		panic("too late for a problem")
	})
	if a := w.call("", "GET", "/v1/panic", nil); bytes.Contains(a.body, []byte("the cause")) {
		t.Fatalf("%s", a.body)
	} else if p := a.problem(500, "internal"); !strings.Contains(w.log.text(), p.RequestID) || !strings.Contains(w.log.text(), "the cause") {
		t.Fatalf("log: %s", w.log.text())
	}
	if response, err := w.http.Client().Get(w.http.URL + "/v1/late"); err == nil {
		defer response.Body.Close()
		if n, err := new(bytes.Buffer).ReadFrom(response.Body); err == nil {
			t.Fatalf("%d bytes arrived as if they were all", n)
		}
	}
}

func TestEveryAnswerCarriesTheHeadersThatProtectBrowsers(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/assets/verify.js", "/v1/seals", "/no/such/path", "/pki/root.cer"} {
		a := w.call("", "GET", path, nil)
		policy := a.header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: policy %q lacks %s", path, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") || a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Referrer-Policy") != "no-referrer" || len(a.header.Get("X-Request-Id")) < 20 {
			t.Errorf("%s: %v", path, a.header)
		}
	}
}

func TestKeysAndFileNamesStayOutOfTheLog(t *testing.T) {
	w := newWorld(t)
	w.call("platform", "POST", "/v1/documents", bytes.NewReader(onePage(t)), asPDF, "X-File-Name: secret-name.pdf").is(201)
	w.call("", "POST", "/v1/verifications", bytes.NewReader(onePage(t)), asPDF, "X-File-Name: secret-name.pdf").is(200)
	w.keys["forged"] = "yx_forged_key"
	w.call("forged", "GET", "/v1/seals?token=secret-token", nil)
	w.call("", "GET", "/secret-path", nil)
	text := w.log.text()
	for _, secret := range []string{w.keys["platform"], strings.SplitN(w.keys["platform"], "_", 3)[2], "yx_forged_key", "secret-"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	if !strings.Contains(text, "actor=platform") || !strings.Contains(text, "route=/v1/documents") {
		t.Errorf("the log does not say what happened: %s", text)
	}
}

func TestFaultsHaveTheirStatus(t *testing.T) {
	for _, c := range []struct {
		kind   fault.Kind
		code   string
		status int
	}{
		{fault.Invalid, "x", 400}, {fault.Refused, "x", 422}, {fault.Denied, "x", 403}, {fault.Unauthenticated, "x", 401}, {fault.NotFound, "x", 404},
		{fault.Conflict, "x", 409}, {fault.TooLarge, "x", 413}, {fault.Unavailable, "x", 503}, {fault.Internal, "x", 500},
		{fault.Conflict, "sealing.key-reused", 422},
	} {
		if status := statusOf((fault.Spec{Kind: c.kind, Code: c.code}).New()); status != c.status {
			t.Errorf("kind %d code %s: %d, want %d", c.kind, c.code, status, c.status)
		}
	}
}

func TestTheLanguageIsChineseUnlessEnglishIsPreferred(t *testing.T) {
	for _, c := range []struct{ target, field, want string }{
		{"/", "", "zh"}, {"/", "en-GB,en;q=0.9", "en"}, {"/", "zh-CN,zh;q=0.9,en;q=0.8", "zh"}, {"/", "en;q=0.5, zh;q=0.4", "en"},
		{"/", "fr, de", "zh"}, {"/", "en;q=0", "zh"}, {"/", "en;q=x", "zh"}, {"/", ";;;,,=", "zh"}, {"/?lang=en", "zh", "en"}, {"/?lang=zh", "en", "zh"},
		{"/?lang=xx", "en", "en"}, {"/", strings.Repeat("en,", 1000), "zh"},
	} {
		r := got(http.NewRequest("GET", c.target, nil))(t)
		r.Header.Set("Accept-Language", c.field)
		if language := languageOf(r); language != c.want {
			t.Errorf("%s with %.40q: %s", c.target, c.field, language)
		}
	}
}

func TestFileNamesComeThroughWhole(t *testing.T) {
	for _, c := range []struct{ field, value, want string }{
		{"X-File-Name", "%E6%A1%A3%E6%A1%88.pdf", "档案.pdf"}, {"X-File-Name", "100%.pdf", "100%.pdf"},
		{"Content-Disposition", `attachment; filename="a.pdf"; filename*=UTF-8''%E6%A1%A3.pdf`, "档.pdf"},
		{"Content-Disposition", `attachment; filename="a.pdf"`, "a.pdf"}, {"Content-Disposition", `;;`, ""}, {"Other", "x", ""},
	} {
		if name := headerName(http.Header{c.field: {c.value}}); name != c.want {
			t.Errorf("%s: %s gave %q", c.field, c.value, name)
		}
	}
	if name := displayName("C:\\Users\\me\\..\\a\u202eb\x00.pdf"); name != "ab.pdf" {
		t.Errorf("shown as %q", name)
	}
	if d := attachment("a\"b\\c\r\n档.pdf"); strings.ContainsAny(d, "\r\n") || !strings.Contains(d, `filename="a_b_c__`) || !strings.Contains(d, "filename*=UTF-8''a%22b%5Cc%0D%0A%E6%A1%A3.pdf") {
		t.Errorf("disposition %q", d)
	}
}
