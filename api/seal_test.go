package api

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"yinxin/fixtures"
	"yinxin/sealer/register"
	"yinxin/sealer/verify"
)

func TestADocumentIsUploadedSealedFetchedAndVerified(t *testing.T) {
	w := newWorld(t)
	original := onePage(t)
	uploaded := w.call("platform", "POST", "/v1/documents", bytes.NewReader(original), asPDF, "X-File-Name: %E5%A4%8D%E5%88%B6%E4%BB%B6.pdf").is(201)
	var d Document
	uploaded.into(&d)
	if d.Name != "复制件.pdf" || d.Size != int64(len(original)) || len(d.SM3) != 64 || uploaded.header.Get("Location") != "/v1/documents/"+d.ID {
		t.Fatalf("uploaded %+v at %q", d, uploaded.header.Get("Location"))
	}
	var described Document
	w.call("platform", "GET", "/v1/documents/"+d.ID, nil).is(200).into(&described)
	if described != d {
		t.Fatalf("described %+v, uploaded %+v", described, d)
	}

	sealing := w.order("platform", "order-1", order(d.ID)).is(201)
	var done Sealing
	sealing.into(&done)
	if done.Seal != sealCode || done.Original != d.ID || done.Document.ID == d.ID || sealing.header.Get("Location") != "/v1/documents/"+done.Document.ID {
		t.Fatalf("sealed %+v", done)
	}
	fetched := w.call("platform", "GET", "/v1/documents/"+done.Document.ID+"/content", nil).is(200)
	if !bytes.HasPrefix(fetched.body, original) || int64(len(fetched.body)) != done.Document.Size {
		t.Fatal("the sealed document does not begin with the original")
	}
	_, parameters, err := mime.ParseMediaType(fetched.header.Get("Content-Disposition"))
	if err != nil || parameters["filename"] != "复制件.pdf" || fetched.header.Get("ETag") != `"`+done.Document.SM3+`"` || fetched.header.Get("Content-Type") != "application/pdf" {
		t.Fatalf("header %v", fetched.header)
	}
	w.call("platform", "GET", "/v1/documents/"+done.Document.ID+"/content", nil, "If-None-Match: "+fetched.header.Get("ETag")).is(304)
	if head := w.call("platform", "HEAD", "/v1/documents/"+done.Document.ID+"/content", nil).is(200); len(head.body) != 0 || head.header.Get("Content-Length") != fmt.Sprint(done.Document.Size) {
		t.Fatalf("HEAD: %v", head.header)
	}

	var report verify.Report
	w.call("", "POST", "/v1/verifications", bytes.NewReader(fetched.body), asPDF, "X-File-Name: sealed.pdf").is(200).into(&report)
	if report.Verdict != verify.Valid || report.File != "sealed.pdf" || len(report.Signatures) != 1 || report.Signatures[0].SealID != sealCode {
		t.Fatalf("report %+v", report)
	}
	tampered := fixtures.Tamper(fetched.body, len(original)/2)
	w.call("", "POST", "/v1/verifications?lang=en", bytes.NewReader(tampered), asPDF).is(200).into(&report)
	if report.Verdict != verify.Modified || !strings.Contains(report.Summary, "Not valid") {
		t.Fatalf("tampered: %s %s", report.Verdict, report.Summary)
	}
}

func TestADocumentInAFormKeepsItsName(t *testing.T) {
	w := newWorld(t)
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	must(t, m.WriteField("note", "before the file"))
	part := got(m.CreateFormFile("file", "附件 一.pdf"))(t)
	got(part.Write(onePage(t)))(t)
	must(t, m.Close())
	var d Document
	w.call("platform", "POST", "/v1/documents", &form, "Content-Type: "+m.FormDataContentType()).is(201).into(&d)
	if d.Name != "附件 一.pdf" || d.Size != int64(len(onePage(t))) {
		t.Fatalf("%+v", d)
	}
}

func TestARepeatedOrderGivesTheSameResult(t *testing.T) {
	w := newWorld(t)
	d := w.uploaded("platform", onePage(t))
	var first, again Sealing
	w.order("platform", "key", order(d.ID)).is(201).into(&first)
	repeated := w.order("platform", "key", order(d.ID)).is(200)
	repeated.into(&again)
	if repeated.header.Get("Idempotency-Replayed") != "true" || !reflect.DeepEqual(again, first) {
		t.Fatalf("replayed %q\n%+v\n%+v", repeated.header.Get("Idempotency-Replayed"), first, again)
	}
	other := order(d.ID)
	other["reason"] = "something else"
	w.order("platform", "key", other).problem(422, "sealing.key-reused")
	// Keys belong to their caller.
	own := w.uploaded("clerk", onePage(t))
	w.order("clerk", "key", order(own.ID)).is(201)
}

func TestSixteenTimesTheSameOrderAtOnceGivesOneResult(t *testing.T) {
	w := newWorld(t)
	d := w.uploaded("platform", onePage(t))
	files := len(w.kept("files"))
	var wait sync.WaitGroup
	answers := make([]answer, 16)
	for i := range answers {
		wait.Go(func() { answers[i] = w.order("platform", "at-once", order(d.ID)) })
	}
	wait.Wait()
	created, result := 0, ""
	for _, a := range answers {
		var done Sealing
		a.into(&done)
		switch {
		case a.status == 201:
			created++
		case a.status != 200:
			t.Fatalf("%d %s", a.status, a.body)
		}
		if result != "" && done.Document.ID != result {
			t.Fatalf("two results: %s and %s", result, done.Document.ID)
		}
		result = done.Document.ID
	}
	if len(w.server.repeats.open) != 0 {
		t.Errorf("queues are left behind: %v", w.server.repeats.open)
	}
	if created != 1 || len(w.kept("files")) != files+1 {
		t.Fatalf("%d results were created, %d files", created, len(w.kept("files"))-files)
	}
}

func TestOrdersThatMustNotBeSealedAreRefusedWithTheirReason(t *testing.T) {
	w := newWorld(t)
	d := w.uploaded("platform", onePage(t))
	encrypted := w.uploaded("platform", got(fixtures.PDF(fixtures.ShapeEncryptedAES256, fixtures.PDFOptions{}))(t))
	text := w.uploaded("platform", []byte("this is not a PDF"))
	change := func(path string, value any) map[string]any {
		o := order(d.ID)
		if name, ok := strings.CutPrefix(path, "placement."); ok {
			o["placement"].(map[string]any)[name] = value
		} else {
			o[path] = value
		}
		return o
	}
	for _, c := range []struct {
		name         string
		actor        string
		order        map[string]any
		status       int
		code, member string
	}{
		{"a document that does not exist", "platform", change("document", "d_none"), 404, "document.not-found", ""},
		{"a document of another organisation", "clerk", order(d.ID), 404, "document.not-found", ""},
		{"a seal that does not exist", "platform", change("seal", "29010000000099"), 404, "seal.not-found", ""},
		{"a seal that was not granted", "stranger", order(d.ID), 422, "seal.not-granted", ""},
		{"a page that does not exist", "platform", change("placement.page", 99), 422, "pdf.no-such-page", ""},
		{"a place outside the page", "platform", change("placement.x", 4000), 422, "pdf.outside-page", ""},
		{"an encrypted document", "platform", order(encrypted.ID), 422, "pdf.encrypted", ""},
		{"a text", "platform", order(text.ID), 400, "pdf.not-a-pdf", ""},
		{"no placement", "platform", map[string]any{"document": d.ID, "seal": sealCode}, 400, "sealing.order", "places"},
		{"a corner that does not exist", "platform", change("placement.from", "middle"), 422, "request.invalid", "placement.from"},
		{"a negative distance", "platform", change("placement.y", -1), 422, "request.invalid", "placement.y"},
		{"a page that is no number", "platform", change("placement.page", "one"), 422, "request.invalid", "placement.page"},
		{"a member that does not exist", "platform", change("sael", sealCode), 422, "request.invalid", "sael"},
		{"a code of the wrong form", "platform", change("seal", "1234"), 422, "request.invalid", "seal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := len(w.kept("files"))
			p := w.order(c.actor, rand.Text(), c.order).problem(c.status, c.code)
			if c.member != "" && (p.Place == nil || p.Place.Field != c.member) {
				t.Fatalf("place %+v, want %s", p.Place, c.member)
			}
			if n := len(w.kept("files")); n != files {
				t.Fatalf("%d files more than before", n-files)
			}
		})
	}
	body := func() io.Reader { return bytes.NewReader(got(json.Marshal(order(d.ID)))(t)) }
	w.call("platform", "POST", "/v1/sealings", body(), asJSON).problem(422, "request.invalid")
	w.call("platform", "POST", "/v1/sealings", body(), asJSON, "Idempotency-Key: "+strings.Repeat("k", 201)).problem(422, "request.invalid")
	w.call("platform", "POST", "/v1/sealings", body(), asJSON, "Idempotency-Key: two words").problem(422, "request.invalid")
	w.call("platform", "POST", "/v1/sealings", strings.NewReader(`{"document":`), asJSON, "Idempotency-Key: k").problem(400, "request.invalid")
	w.call("platform", "POST", "/v1/sealings", strings.NewReader(strings.Repeat(" ", 70<<10)), asJSON, "Idempotency-Key: k").problem(413, "request.too-large")
	w.call("platform", "POST", "/v1/sealings", strings.NewReader("a: b"), "Content-Type: application/yaml", "Idempotency-Key: k").problem(415, "request.media-type")
}

func TestASuspendedSealIsListedAndRefused(t *testing.T) {
	w := newWorld(t)
	var list struct{ Seals []Seal }
	w.call("platform", "GET", "/v1/seals", nil).is(200).into(&list)
	if len(list.Seals) != 1 || !list.Seals[0].Usable || list.Seals[0].Code != sealCode || list.Seals[0].Width != 42 {
		t.Fatalf("%+v", list)
	}
	must(t, w.register.Suspend(t.Context(), w.people[0], sealCode, "lost"))
	w.call("platform", "GET", "/v1/seals", nil).is(200).into(&list)
	if list.Seals[0].Usable || list.Seals[0].State != string(register.Suspended) || list.Seals[0].Reason != "seal.suspended" {
		t.Fatalf("%+v", list)
	}
	w.order("platform", "key", order(w.uploaded("platform", onePage(t)).ID)).problem(422, "seal.suspended")
	w.call("stranger", "GET", "/v1/seals", nil).is(200).into(&list)
	if list.Seals == nil || len(list.Seals) != 0 {
		t.Fatalf("a stranger sees %+v", list.Seals)
	}
}

func TestADamagedDocumentNeverArrivesComplete(t *testing.T) {
	w := newWorld(t)
	small := onePage(t)
	large := append(bytes.Clone(small), make([]byte, 2<<20)...)
	for _, c := range []struct {
		name string
		data []byte
		cut  bool
	}{{"a small one is an error", small, false}, {"a large one is cut off", large, true}} {
		t.Run(c.name, func(t *testing.T) {
			before := w.kept("files")
			d := w.uploaded("platform", c.data)
			for _, path := range w.kept("files") {
				if len(before) > 0 && path == before[0] {
					continue
				}
				stored := got(os.ReadFile(path))(t)
				stored[len(stored)/2] ^= 1
				must(t, os.WriteFile(path, stored, 0o600))
			}
			r := got(http.NewRequest("GET", w.http.URL+"/v1/documents/"+d.ID+"/content", nil))(t)
			r.Header.Set("Authorization", "Bearer "+w.keys["platform"])
			response := got(w.http.Client().Do(r))(t)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if c.cut {
				if err == nil || len(body) >= len(c.data) {
					t.Fatalf("%d of %d bytes arrived, error %v", len(body), len(c.data), err)
				}
				return
			}
			p := answer{t, response.StatusCode, response.Header, body}.problem(500, "document.damaged")
			if response.Header.Get("ETag") != "" || strings.Contains(p.Message, d.ID) {
				t.Fatalf("header %v, message %s", response.Header, p.Message)
			}
		})
	}
}

func TestEveryRouteSaysWhoMayCallIt(t *testing.T) {
	w := newWorld(t)
	open := map[string]bool{"GET /": true, "POST /": true, "POST /versions": true, "POST /as-sealed": true, "GET /pki/cps": true,
		"GET /login": true, "POST /login": true, "GET /login/key": true, "POST /login/key": true, "GET /login/key/state": true,
		"POST /login/key/continue": true, "POST /login/key/leave": true, "GET /copies": true, "POST /copies": true,
		"GET /login/oidc/{provider}": true, "GET /login/oidc/{provider}/callback": true,
		"POST /v1/verifications": true, "POST /v1/verifications/as-sealed": true, "POST /v1/verifications/certificates": true, "POST /v1/terminal/pair": true, "POST /v1/issued-copies/lookup": true, "POST /v1/issued-copies/pages": true, "GET /v1/openapi.json": true, "GET /v1/ledger/checkpoint": true, "GET /health/live": true, "GET /health/ready": true,
		"GET /pki/{file}": true, "GET /pki/{issuer}/{list}": true, "GET /pki/root.crl": true, "GET /pki/root.cer": true, "GET /pki/trust-list.p7s": true, "POST /ocsp": true, "GET /ocsp/*": true, "POST /tsa": true}
	declared := map[string]caller{}
	for _, r := range w.server.rules {
		declared[r.method+" "+r.path] = r.who
	}
	routes := 0
	must(t, walk(w.server.router, func(method, path string) {
		routes++
		route := method + " " + path
		who, ok := declared[route]
		switch {
		case !ok:
			t.Errorf("%s was registered past the one door", route)
			return
		case strings.HasPrefix(path, "/assets/") && who.anyone && method == "GET":
			return // a file of the program itself
		case who.anyone != open[route]:
			t.Errorf("%s: open to anyone is %v, expected %v", route, who.anyone, open[route])
			return
		case who.anyone:
			return
		}
		target := strings.ReplaceAll(path, "{id}", "d_none")
		if who.terminal != strings.HasPrefix(path, "/v1/terminal/") {
			t.Errorf("%s: for terminals is %v", route, who.terminal)
		}
		if who.terminal {
			for _, actor := range []string{"", "clerk"} {
				if a := w.call(actor, method, target, nil); a.header.Get("WWW-Authenticate") != `Yinxin-Terminal realm="yinxin"` {
					t.Errorf("%s: challenge %q", route, a.header.Get("WWW-Authenticate"))
				} else {
					a.problem(401, "terminal.unauthenticated")
				}
			}
			return
		}
		if who.page != nil {
			w.pageIsFor(t, method, target, route)
			return
		}
		if a := w.call("", method, target, nil); a.header.Get("WWW-Authenticate") != `Bearer realm="yinxin"` {
			t.Errorf("%s: challenge %q", route, a.header.Get("WWW-Authenticate"))
		} else {
			a.problem(401, "request.key-missing")
		}
		w.keys["forged"] = w.keys["platform"][:len(w.keys["platform"])-1] + "_"
		if a := w.call("forged", method, target, nil); !strings.Contains(a.header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("%s: challenge %q", route, a.header.Get("WWW-Authenticate"))
		} else {
			a.problem(401, "access.unknown-key")
		}
		callers, ok := callersOf(route)
		if !ok {
			t.Errorf("%s: nobody wrote down who may call it", route)
		}
		for _, actor := range everyActor {
			may := slices.Contains(callers, actor)
			a := w.call(actor, method, target, nil)
			if denied := bytes.Contains(a.body, []byte(`"request.denied"`)); denied == may {
				t.Errorf("%s as %s: %d %s", route, actor, a.status, a.body)
			}
		}
	}))
	if routes != len(declared) || routes < len(open) {
		t.Fatalf("%d routes, %d declared", routes, len(declared))
	}
}

// everyActor are those of the test world.
var everyActor = []string{"platform", "clerk", "handler", "city", "registrar", "approver", "auditor", "administrator", "requester", "nobody"}

// pageIsFor opens a page as each actor and holds who may see it to what was written down.
func (w *world) pageIsFor(t *testing.T, method, target, route string) {
	t.Helper()
	if a := w.call("", method, target, nil); method == http.MethodGet && (a.status != 303 || !strings.HasPrefix(a.header.Get("Location"), "/login")) || method != http.MethodGet && a.status != 401 {
		t.Errorf("%s without login: %d", route, a.status)
	}
	if a := w.call("platform", method, target, nil); a.status != 303 && a.status != 401 {
		t.Errorf("%s with an API key: %d", route, a.status)
	}
	callers, ok := callersOf(route)
	if !ok {
		t.Errorf("%s: nobody wrote down who may call it", route)
	}
	for _, actor := range everyActor {
		may := slices.Contains(callers, actor) || slices.Contains(callers, "everybody")
		a := w.call("", method, target, nil, "Cookie: "+w.signIn(actor))
		if denied := bytes.Contains(a.body, []byte(`data-code="request.denied"`)); denied == may {
			t.Errorf("%s as %s: %d", route, actor, a.status)
		}
	}
}

func TestARouteWithoutARuleIsClosedToEveryone(t *testing.T) {
	w := newWorld(t)
	w.server.handle("GET", "/v1/forgotten", caller{}, func(http.ResponseWriter, *http.Request) { t.Error("it was called") })
	w.call("", "GET", "/v1/forgotten", nil).problem(401, "request.key-missing")
	w.call("platform", "GET", "/v1/forgotten", nil).problem(403, "request.denied")
}

func TestAKeyThatWasRevokedOpensNothing(t *testing.T) {
	w := newWorld(t)
	keys := got(w.access.Keys(t.Context(), "platform"))(t)
	must(t, w.access.RevokeKey(t.Context(), "administrator", keys[0].ID))
	w.call("platform", "GET", "/v1/seals", nil).problem(401, "access.unknown-key")
}
