package api

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/truetype"
)

// scannedPage is a page as a scanner gives it: lines of grey on nearly white, at 100 dpi.
func scannedPage(t testing.TB, lines int) []byte {
	t.Helper()
	p := image.NewGray(image.Rect(0, 0, 827, 1169))
	for i := range p.Pix {
		p.Pix[i] = 248
	}
	for l := range lines {
		for y := range 14 {
			for x := 90; x < 740-40*(l%3); x++ {
				if x/9%3 != 0 {
					p.SetGray(x, 120+l*46+y, color.Gray{60})
				}
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// needsFont skips where no copy can be composed.
func needsFont(t testing.TB) {
	t.Helper()
	if _, err := truetype.Find(); err != nil {
		t.Skip(err)
	}
}

func TestACopyGoesFromDeskToDesk(t *testing.T) {
	needsFont(t)
	b := newBrowser(t)
	w := equipped(t)
	page := func(selector string) { b.do(chromedp.WaitVisible(chromedp.CSS(selector))) }
	// Nothing asks in this browser: what confirms is seen by the clerk's own tests.
	evaluateLater := func() { evaluate[bool](b, `(window.confirm = () => true, true)`) }
	b.openAs(w, "stranger", "/desk/new", 1024, 760)
	fill := func(fields map[string]string) {
		for name, value := range fields {
			b.do(chromedp.SetValue(chromedp.CSS(`[name="`+name+`"]`), value))
		}
	}
	who := sampleApplicant()
	fill(map[string]string{"holding": fixtures.Archive("云山市").Name, "name": who.Name, "identity": "220102199003072327", "purpose": who.Purpose, "sought": who.Sought})
	b.do(chromedp.Click(chromedp.CSS("main .button")))
	page(`.wrong [name="identity"]`)
	b.screenshot("desk-new-wrong")
	fill(map[string]string{"identity": who.Identity})
	b.do(chromedp.Click(chromedp.CSS("main .button")))
	page(".timeline")
	if text := b.text("#content"); strings.Contains(text, who.Identity) || strings.Contains(text, who.Name) || !strings.Contains(text, "待答复") {
		t.Errorf("%q", text)
	}
	at := strings.TrimPrefix(evaluate[string](b, "location.pathname"), w.http.URL)
	b.screenshot("desk-asked")

	b.openAs(w, "clerk", "/home", 1024, 760)
	if text := b.text(".tiles"); !strings.Contains(text, "待我馆答复") {
		t.Errorf("%q", text)
	}
	b.openAs(w, "clerk", "/desk?side=in", 1024, 760)
	b.screenshot("desk-list")
	b.openAs(w, "clerk", at, 1024, 760)
	b.do(chromedp.Click(chromedp.CSS(`[name="result"][value="found"]`)))
	fill(map[string]string{"fonds": "J021", "file": "0137", "item": "0012", "pages": "3", "number": "J022-0137-0012"})
	b.do(chromedp.Click(chromedp.CSS("#answer .button")))
	page(`.wrong [name="number"]`)
	b.screenshot("desk-answer-wrong")
	fill(map[string]string{"number": "J021-0137-0012"})
	b.do(chromedp.Click(chromedp.CSS("#answer .button")))
	page("#upload")
	dir := t.TempDir()
	var files []string
	for i, name := range []string{"1.png", "2.png", "3.png"} {
		files = append(files, filepath.Join(dir, name))
		must(t, os.WriteFile(files[i], scannedPage(t, 6+6*i), 0o600))
	}
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#upload input"), files), chromedp.Click(chromedp.CSS("#upload button")))
	page("#issue")
	b.leave(`[value="up 3"]`)
	page(`[role="status"]`)
	if n := evaluate[float64](b, `document.querySelectorAll(".part img").length`); n != 3 {
		t.Errorf("%v thumbnails", n)
	}
	evaluate[float64](b, `(document.querySelectorAll(".part img").forEach((i) => { i.loading = "eager" }), 1)`)
	run(b, chromedp.Poll[bool](`[...document.querySelectorAll(".part img")].every((i) => i.complete && i.naturalWidth > 0)`))
	b.screenshot("desk-pages")
	evaluateLater()
	b.do(chromedp.Click(chromedp.CSS("#issue .button")))
	page("#check")
	b.screenshot("desk-issued")

	b.openAs(w, "stranger", at, 1024, 760)
	b.do(chromedp.Click(chromedp.CSS("#check")))
	page("#verdict.good")
	b.screenshot("desk-check")
	b.do(chromedp.Click(chromedp.CSS("#receive .button")))
	page(`[name="identity_checked"]`)
	b.screenshot("desk-received")
	b.do(chromedp.Click(chromedp.CSS(`[value="printed"]`)), chromedp.Click(chromedp.CSS(`[name="identity_checked"]`)), chromedp.Click(chromedp.CSS(`form[action$="/deliver"] .button`)))
	page(".timeline li.done:nth-child(5)")
	if text := b.text("#content"); !strings.Contains(text, "已交付") {
		t.Errorf("%q", text)
	}
	b.openAs(w, "clerk", at, 1024, 760)
	evaluateLater()
	b.do(chromedp.Click(chromedp.CSS("details.card summary")), chromedp.SetValue(chromedp.CSS(`form[action$="/withdraw"] [name="reason"]`), "复制件缺页"), chromedp.Click(chromedp.CSS(`form[action$="/withdraw"] .button`)))
	page(".timeline li.late:nth-child(6)")
	b.screenshot("desk-withdrawn")
	if text := b.text("#content"); !strings.Contains(text, "已撤回") || !strings.Contains(text, "复制件缺页") {
		t.Errorf("%q", text)
	}
	b.openAs(w, "clerk", "/desk/statistics", 1024, 760)
	b.screenshot("desk-statistics")
}

// asked opens a case by the form and gives its path and the form.
func (w *world) askedByForm(key string) (string, url.Values) {
	w.t.Helper()
	a := sampleApplicant()
	form := url.Values{"key": {key}, "holding": {fixtures.Archive("云山市").Name}, "name": {a.Name}, "identity": {a.Identity}, "purpose": {a.Purpose}, "sought": {a.Sought}}
	to, _, _ := strings.Cut(w.post(w.signIn("stranger"), "/desk/new", form).is(303).header.Get("Location"), "?")
	return to, form
}

func uploadForm(t *testing.T, files ...[]byte) (body *bytes.Buffer, contentType string) {
	t.Helper()
	body = &bytes.Buffer{}
	m := multipart.NewWriter(body)
	for _, f := range files {
		part := got(m.CreateFormFile("file", "页.pdf"))(t)
		got(part.Write(f))(t)
	}
	must(t, m.Close())
	return body, "Content-Type: " + m.FormDataContentType()
}

func TestTheDeskWithoutScriptAndWhatItRefuses(t *testing.T) {
	needsFont(t)
	w := equipped(t)
	w.keys["third"] = ""
	w.actor("third", "第三档案馆", access.RoleOperator)
	ours, theirs, third := w.signIn("stranger"), w.signIn("clerk"), w.signIn("third")
	at, form := w.askedByForm("k1")
	if again := w.post(ours, "/desk/new", form).is(303).header.Get("Location"); again != at+"?said=existed" {
		t.Errorf("sent twice: %s, then %s", at, again)
	}
	form.Set("purpose", "")
	if a := w.post(ours, "/desk/new", form); a.status != 400 || !bytes.Contains(a.body, []byte(`class="field wrong"><span>用途`)) {
		t.Errorf("%d %s", a.status, a.body)
	}
	found := url.Values{"result": {"found"}, "fonds": {"J021"}, "file": {"0137"}, "item": {"0012"}, "pages": {"3"}, "number": {"J021-0137-0012"}}
	is := func(a answer, status int, words string) {
		t.Helper()
		if a.status != status || !bytes.Contains(a.body, []byte(words)) {
			t.Errorf("%d, without %q: %.1500s", a.status, words, a.body)
		}
	}
	is(w.post(ours, at+"/answer", found), 403, "issuance.side")
	w.post(theirs, at+"/answer", found).is(303)
	is(w.post(ours, at+"/cancel", nil), 409, "这一步没有执行")
	one, three := got(fixtures.ArchivalCopy(3, 1))(t), got(fixtures.ArchivalCopy(7, 2))(t)
	body, kind := uploadForm(t, one, three)
	w.call("", "POST", at+"/pages", body, kind, "Cookie: "+theirs).is(303)
	body, kind = uploadForm(t, []byte("no pages"))
	if a := w.call("", "POST", at+"/pages", body, kind, "Cookie: "+theirs); a.status < 400 || a.status > 499 {
		t.Errorf("%d", a.status)
	}
	is(w.post(theirs, at+"/arrange", url.Values{"before": {"3"}, "move": {"up 3"}}), 409, "issuance.order")
	is(w.post(theirs, at+"/arrange", url.Values{"before": {"2"}, "move": {"up 1"}}), 400, "desk.move")
	w.post(theirs, at+"/arrange", url.Values{"before": {"2"}, "move": {"up 2"}}).is(303)
	sizes := got(w.server.Issuance.Case(t.Context(), access.Actor{ID: "clerk"}, strings.TrimPrefix(at, "/desk/")))(t).Parts
	if len(sizes) != 2 || sizes[0].Pages != 2 || sizes[1].Pages != 1 {
		t.Errorf("%+v", sizes)
	}
	is(w.call("", "GET", at+"/preview", nil, "Cookie: "+theirs), 200, "%PDF-")
	is(w.call("", "GET", at+"/parts/1/pages/2", nil, "Cookie: "+theirs), 200, "PNG")
	is(w.call("", "GET", at+"/parts/1/pages/2", nil, "Cookie: "+ours), 403, "issuance.side")
	is(w.call("", "GET", at+"/parts/9/pages/1", nil, "Cookie: "+theirs), 404, "issuance.not-found")
	w.post(theirs, at+"/issue", url.Values{"seal": {sealCode}}).is(303)
	is(w.call("", "GET", at+"/check", nil, "Cookie: "+ours), 200, `notice good" id="verdict"`)
	id := strings.TrimPrefix(at, "/desk/")
	sealed := bytes.Clone(w.call("", "GET", "/v1/issuances/"+id+"/copy", nil, "Cookie: "+ours).is(200).body)
	sealed[len(sealed)/3] ^= 1
	body, kind = uploadForm(t, sealed)
	is(w.call("", "POST", at+"/receive", body, kind, "Cookie: "+ours), 422, "issuance.not-genuine")
	w.post(ours, at+"/receive", nil).is(303)
	is(w.post(ours, at+"/receive", nil), 409, "issuance.state")
	is(w.post(ours, at+"/deliver", url.Values{"manner": {"file"}}), 400, "issuance.delivery")
	w.post(ours, at+"/deliver", url.Values{"manner": {"file"}, "identity_checked": {"1"}}).is(303)
	is(w.post(ours, at+"/unmask", url.Values{"reason": {"核对身份"}}), 200, sampleApplicant().Identity)
	is(w.post(ours, at+"/unmask", url.Values{"reason": {""}}), 400, "enroll.reason")
	is(w.call("", "GET", "/desk/register.xlsx?side=in", nil, "Cookie: "+theirs), 200, "PK")
	if a := w.call("", "GET", "/desk?text=J021", nil, "Cookie: "+theirs).is(200); !bytes.Contains(a.body, []byte(at)) {
		t.Errorf("%s", a.body)
	}
	if a := w.call("", "GET", "/desk?text=100%25", nil, "Cookie: "+theirs).is(200); bytes.Contains(a.body, []byte(at)) {
		t.Error("a percent sign finds everything")
	}
	is(w.post(ours, at+"/withdraw", url.Values{"reason": {"有误"}}), 403, "issuance.side")
	w.post(theirs, at+"/withdraw", url.Values{"reason": {"缺页"}}).is(303)
	is(w.call("", "GET", at+"/check", nil, "Cookie: "+ours), 422, "issuance.withdrawn")
	is(w.call("", "GET", "/desk/statistics?format=csv", nil, "Cookie: "+theirs), 200, "云山市档案馆")

	// For a third archive the case does not exist, whatever it does.
	for _, path := range []string{"", "/preview", "/check", "/parts/1/pages/1"} {
		if a := w.call("", "GET", at+path, nil, "Cookie: "+third); a.status != 404 {
			t.Errorf("GET %s: %d", path, a.status)
		}
	}
	for _, path := range []string{"cancel", "answer", "unmask", "arrange", "issue", "discard", "withdraw", "receive", "deliver", "pages"} {
		fields := url.Values{"reason": {"缺页"}, "result": {"not-open"}, "move": {"out 1"}, "before": {"1"}, "seal": {sealCode}, "manner": {"file"}, "identity_checked": {"1"}}
		if a := w.post(third, at+"/"+path, fields); a.status != 404 {
			t.Errorf("POST %s: %d", path, a.status)
		}
	}
	if a := w.call("", "GET", "/desk", nil, "Cookie: "+third).is(200); bytes.Contains(a.body, []byte(id)) {
		t.Error("a third archive sees the case in its list")
	}
	if strings.Contains(w.log.text(), sampleApplicant().Identity) {
		t.Error("the log has the identity number")
	}
}
