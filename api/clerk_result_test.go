package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/sealer/register"
)

// opened uploads a file as the clerk does and gives the address of its desk.
func (w *world) opened(cookie string, data []byte) string {
	w.t.Helper()
	body, contentType := formBody(w.t, "复制件.pdf", data)
	return w.call("", "POST", "/clerk/new", body, contentType, "Cookie: "+cookie).is(303).header.Get("Location")
}

// onDesk is an order as the form of a desk sends it.
func (w *world) onDesk(cookie, at string) url.Values {
	w.t.Helper()
	desk := w.call("", "GET", at, nil, "Cookie: "+cookie).is(200)
	key := regexp.MustCompile(`name="key" value="([a-z0-9]+)"`).FindSubmatch(desk.body)
	if key == nil {
		w.t.Fatalf("no key: %s", desk.body)
	}
	return url.Values{"key": {string(key[1])}, "seal": {sealCode}, "page": {"1"}, "x": {"20"}, "y": {"30"}}
}

func TestTheResultShowsPlacesLedgerAndVerdict(t *testing.T) {
	w := equipped(t)
	cookie := w.signIn("clerk")
	at := w.opened(cookie, got(fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: 3, Pages: 5}))(t))
	order := w.onDesk(cookie, at)
	order.Set("straddle", "1")
	result, _, _ := strings.Cut(w.post(cookie, at+"/seal", order).is(303).header.Get("Location"), "?")
	page := func() string {
		t.Helper()
		return string(w.call("", "GET", result, nil, "Cookie: "+cookie).is(200).body)
	}
	if said := page(); !strings.Contains(said, "正在写入日志") || strings.Contains(said, "未被改动") {
		t.Errorf("before it has a place: %s", said)
	}
	got(w.server.Ledger.Sequence(t.Context()))(t)
	said := page()
	for _, want := range []string{"第 1 页 · 距左 ", "距下 30.0 mm · 42 × 42 mm", "骑缝章：第 1–5 页，共 5 段", "日志未被改动 ✔", result + "/verification"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in %s", want, said)
		}
	}
	verdict := w.call("", "GET", result+"/verification", nil, "Cookie: "+cookie).is(200)
	if !bytes.Contains(verdict.body, []byte(`data-verdict="valid"`)) || !bytes.Contains(verdict.body, []byte("云山市档案馆")) {
		t.Errorf("%s", verdict.body)
	}
	for _, path := range []string{result, result + "/verification"} {
		w.call("", "GET", path, nil, "Cookie: "+w.signIn("stranger")).is(404)
	}
	change := func(statement string, args ...any) {
		t.Helper()
		must(t, w.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), statement, args...)
			return err
		}))
	}
	id := strings.TrimPrefix(result, "/clerk/sealings/")
	// Another digest in the register than in the ledger.
	var digest, document string
	must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT d.sm3, d.id FROM document d JOIN sealing s ON s.result_id = d.id WHERE s.id = $1`, id).Scan(&digest, &document))
	change(`UPDATE document SET sm3 = $2 WHERE id = $1`, document, strings.Repeat("0", 64))
	if said := page(); !strings.Contains(said, "日志中的文件摘要与本文件不同") || strings.Contains(said, "未被改动") {
		t.Errorf("another digest: %s", said)
	}
	change(`UPDATE document SET sm3 = $2 WHERE id = $1`, document, digest)
	// An entry that was changed after it was signed.
	change(`UPDATE ledger_event SET entry = REPLACE(entry, $2, $3) WHERE id IN (SELECT id FROM ledger_event WHERE entry LIKE $1)`, "%"+id+"%", `"clerk"`, `"kramp"`)
	if said := page(); !strings.Contains(said, "日志核对不通过") || strings.Contains(said, "未被改动") {
		t.Errorf("a changed entry: %s", said)
	}
}

func TestTheDeskSaysWhatIsInTheFile(t *testing.T) {
	w := equipped(t)
	cookie := w.signIn("clerk")
	desk := func(shape fixtures.Shape) answer {
		t.Helper()
		data := got(fixtures.PDF(shape, fixtures.PDFOptions{Seed: 1}))(t)
		return w.call("", "GET", w.opened(cookie, data), nil, "Cookie: "+cookie)
	}
	for _, c := range []struct {
		shape  fixtures.Shape
		status int
		want   string
		form   bool
	}{
		{fixtures.ShapeTable, 200, "", true},
		{fixtures.ShapeFormWithFields, 200, "可填写的表单域", true},
		{fixtures.ShapeCertifiedP1, 422, `data-code="pdf.certified"`, false},
		{fixtures.ShapeCertifiedP2, 422, "不允许再盖章", false},
		{fixtures.ShapeEncryptedAES256, 422, `data-code="pdf.encrypted"`, false},
		{fixtures.ShapeEncryptedRC4, 422, "文件已加密", false},
	} {
		a := desk(c.shape)
		if a.status != c.status || !bytes.Contains(a.body, []byte(c.want)) || bytes.Contains(a.body, []byte(`id="order"`)) != c.form || bytes.Contains(a.body, []byte(`id="found"`)) && c.shape == fixtures.ShapeTable {
			t.Errorf("%s: %d %s", c.shape, a.status, a.body)
		}
	}
	// What the service itself certified is closed as well.
	d := w.uploaded("clerk", onePage(t))
	var sealed Sealing
	w.call("clerk", "POST", "/v1/sealings", bytes.NewReader(got(json.Marshal(set(d.ID, map[string]any{"certify": 1})))(t)), asJSON, "Idempotency-Key: certified").is(201).into(&sealed)
	a := w.call("", "GET", "/clerk/documents/"+sealed.Document.ID, nil, "Cookie: "+cookie)
	if a.status != 422 || !bytes.Contains(a.body, []byte(`data-code="pdf.certified"`)) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestAUsedUpGrantIsSaid: on the desk before, on the form after.
func TestAUsedUpGrantIsSaid(t *testing.T) {
	w := equipped(t)
	cookie := w.signIn("clerk")
	must(t, w.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := w.register.WithdrawGrants(t.Context(), tx, w.people[0], "clerk", sealCode, "test")
		return err
	}))
	g := register.Grant{SealCode: sealCode, Actor: "clerk", From: time.Now().Add(-time.Minute), Until: time.Now().Add(time.Hour), Quota: 1}
	got(w.register.Allow(t.Context(), w.approved(access.KindGrant, g.Subject()), g))(t)
	at := w.opened(cookie, onePage(t))
	order := w.onDesk(cookie, at)
	late := w.onDesk(cookie, at) // the same desk in a second window
	w.post(cookie, at+"/seal", order).is(303)
	late.Set("y", "100")
	if a := w.post(cookie, at+"/seal", late); a.status < 400 || !bytes.Contains(a.body, []byte(`data-code="seal.quota-exhausted"`)) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := w.call("", "GET", at, nil, "Cookie: "+cookie).is(200); !bytes.Contains(a.body, []byte("本次授权的次数已用完")) || !bytes.Contains(a.body, []byte(" disabled")) {
		t.Errorf("%s", a.body)
	}
	if n := w.count(`SELECT COUNT(*) FROM sealing WHERE state = 'released'`); n != 1 {
		t.Errorf("%d sealed", n)
	}
}

// TestAMixedChoiceStoresNothing: a PDF with something after it is refused before it is stored.
func TestAMixedChoiceStoresNothing(t *testing.T) {
	w := equipped(t)
	cookie := w.signIn("clerk")
	before := w.count(`SELECT COUNT(*) FROM document`)
	send := func(files ...string) answer {
		t.Helper()
		body := &bytes.Buffer{}
		m := multipart.NewWriter(body)
		for _, name := range files {
			if name == "field" {
				must(t, m.WriteField("note", "x"))
				continue
			}
			part := got(m.CreateFormFile("file", name))(t)
			data := onePage(t)
			if strings.HasSuffix(name, ".png") {
				data = []byte("\x89PNG")
			}
			got(part.Write(data))(t)
		}
		must(t, m.Close())
		return w.call("", "POST", "/clerk/new", body, "Content-Type: "+m.FormDataContentType(), "Cookie: "+cookie)
	}
	for _, files := range [][]string{{"a.pdf", "b.pdf"}, {"a.pdf", "b.png"}, {"b.png", "a.pdf"}, {"a.pdf", "field", "b.pdf"}} {
		if a := send(files...); a.status != 400 || !bytes.Contains(a.body, []byte(`data-code="clerk.mixed-files"`)) {
			t.Errorf("%v: %d %s", files, a.status, a.body)
		}
	}
	if n := w.count(`SELECT COUNT(*) FROM document`); n != before {
		t.Errorf("%d documents were stored", n-before)
	}
	send("a.pdf", "field").is(303)
}

// TestAStrangerStepsNothingOfAnother: batches and tasks of another do not exist, and stay as they are.
func TestAStrangerStepsNothingOfAnother(t *testing.T) {
	w := equipped(t)
	cookie, stranger := w.signIn("clerk"), w.signIn("stranger")
	body := &bytes.Buffer{}
	m := multipart.NewWriter(body)
	for name, value := range map[string]string{"title": "批", "key": "k1", "seal": sealCode, "page": "-1", "x": "20", "y": "30"} {
		must(t, m.WriteField(name, value))
	}
	part := got(m.CreateFormFile("file", "a.pdf"))(t)
	got(part.Write(onePage(t)))(t)
	must(t, m.Close())
	batch := w.call("", "POST", "/clerk/batches/new", body, "Content-Type: "+m.FormDataContentType(), "Cookie: "+cookie).is(303).header.Get("Location")
	for _, path := range []string{batch, batch + "/events"} {
		w.call("", "GET", path, nil, "Cookie: "+stranger).is(404)
	}
	for _, step := range []string{"/cancel", "/retry"} {
		w.post(stranger, batch+step, nil).is(404)
	}
	if n := w.count(`SELECT COUNT(*) FROM sealing_batch WHERE state = 'running'`); n != 1 {
		t.Error("a stranger ended the batch")
	}
	w.post(cookie, batch+"/cancel", nil).is(303)
	// The live state of what is over ends by itself.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r := got(http.NewRequestWithContext(ctx, "GET", w.http.URL+batch+"/events", nil))(t)
	r.Header.Set("Cookie", cookie)
	answer := got(w.http.Client().Do(r))(t)
	defer answer.Body.Close()
	if events := got(io.ReadAll(answer.Body))(t); !bytes.Contains(events, []byte("已取消")) || !bytes.Contains(events, []byte("event: end")) {
		t.Errorf("%s", events)
	}
}

func (w *world) count(query string) (n int) {
	w.t.Helper()
	must(w.t, w.db.Read().QueryRowContext(w.t.Context(), query).Scan(&n))
	return n
}

// TestTheResultFitsAWindow draws what TestTheResultShowsPlacesLedgerAndVerdict reads.
func TestTheResultFitsAWindow(t *testing.T) {
	b := newBrowser(t)
	w := equipped(t)
	cookie := w.signIn("clerk")
	at := w.opened(cookie, got(fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: 3, Pages: 5}))(t))
	order := w.onDesk(cookie, at)
	order.Set("straddle", "1")
	result, _, _ := strings.Cut(w.post(cookie, at+"/seal", order).is(303).header.Get("Location"), "?")
	got(w.server.Ledger.Sequence(t.Context()))(t)
	fits := func(name string) {
		t.Helper()
		b.screenshot(name)
		if wide := evaluate[float64](b, `document.documentElement.scrollWidth`); wide > 1024 {
			t.Errorf("%s is %v px wide", name, wide)
		}
	}
	b.openAs(w, "clerk", result, 1024, 768)
	fits("clerk-result")
	b.do(chromedp.Click(chromedp.CSS("#verify")), chromedp.WaitVisible(chromedp.CSS(`[data-verdict="valid"]`)))
	fits("clerk-verification")
	for _, shape := range []fixtures.Shape{fixtures.ShapeFormWithFields, fixtures.ShapeCertifiedP1} {
		desk := w.opened(cookie, got(fixtures.PDF(shape, fixtures.PDFOptions{Seed: 1}))(t))
		b.do(chromedp.Navigate(w.http.URL+desk), chromedp.WaitVisible(chromedp.CSS("#content .notice")))
		fits("clerk-" + string(shape))
	}
	b.do(chromedp.Navigate(w.http.URL+"/clerk/log"), chromedp.WaitVisible(chromedp.CSS("table.list")))
	fits("clerk-log-1024")
}
