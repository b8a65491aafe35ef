package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/go-chi/chi/v5"

	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/fixtures"
)

// look judges a page in the browser: see the file.
//
//go:embed testdata/look.js
var look string

// looked is what was found on a page.
type looked struct {
	Han, Empty, Odd, Wide, Label, Table, Contrast, Focus, Pointer, Links []string
}

func (l looked) complaints() []string {
	return slices.Concat(l.Han, l.Empty, l.Odd, l.Wide, l.Label, l.Table, l.Contrast, l.Focus, l.Pointer)
}

// looks judges the page on which the browser is. data are texts that people wrote.
func (b browserTest) looks(data []string) looked {
	b.t.Helper()
	b.do(chromedp.KeyEvent(kb.Tab))
	return evaluate[looked](b, look+"("+string(got(json.Marshal(data))(b.t))+")")
}

// filled is an installation with something on nearly every page, and what on its pages people wrote.
func filled(t *testing.T) (w *world, desk, copied string, data []string) {
	t.Helper()
	a := newApplicant(t, true)
	w = a.world
	w.equip()
	// An application that waits for its approval, and one that is being filled in; a user who was suspended.
	d := a.submitted(a.form("new", "central")).examinable()
	d.step("registrar", "examine", nil, enroll.StateExamined)
	d = a.create(a.form("new", "distributed"))
	d.call("handler", "POST", d.path("/roster"), bytes.NewReader(d.filledRoster("US01-生效", userPerson)), asWorkbook, "If-Match: "+d.tag).is(200)
	handler, city, registrar, administrator := a.signIn("handler"), a.signIn("city"), a.signIn("registrar"), a.signIn("administrator")
	holder := regexp.MustCompile(`<select name="holder"><option value="([^"]+)"`).FindSubmatch(a.page(handler, "/office/suspensions/new").is(200).body)
	a.post(handler, "/office/suspensions/new", values("unit", a.unit, "holder", string(holder[1]), "reason", "离职")).is(303)
	day := func(days int) string { return time.Now().AddDate(0, 0, days).Format("2006-01-02") }
	a.post(city, "/office/batches", values("area", testArea, "title", "第四季度", "deadline", day(30))).is(303)
	// What waits for a second person.
	a.post(registrar, "/office/certificates/"+ca.SerialText(a.certificate.Serial)+"/request", values("change", "revoke", "code", "5", "reason", "停止使用")).is(303)
	a.post(administrator, "/admin/grants/new", values("seal", sealCode, "actor", "stranger", "from", day(0), "until", day(30), "quota", "1", "reason", "年度出证")).is(303)
	// What a clerk did and has to do.
	clerk := a.signIn("clerk")
	body, contentType := formBody(t, "复制件.pdf", got(fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: 3, Pages: 3}))(t))
	desk = w.call("", "POST", "/clerk/new", body, contentType, "Cookie: "+clerk).is(303).header.Get("Location")
	w.order("clerk", "one", order(w.uploaded("clerk", onePage(t)).ID)).is(201)
	w.usbKey()
	w.newBox()
	w.call("clerk", "POST", keyTaskPath, asBody(t, keyTask(w.uploaded("clerk", onePage(t)).ID)), asJSON, "Idempotency-Key: k").is(201)
	terms := order("")
	delete(terms, "document")
	w.send("clerk", "POST", sealingBatchPath, object{"order": terms, "files": []object{{"document": w.uploaded("clerk", onePage(t)).ID}}}, "Idempotency-Key: b").is(202)
	issued, _ := w.issuedCopy()
	w.askedFor("walk")
	got(w.server.Ledger.Sequence(t.Context()))(t)

	data = []string{a.name, a.handler.Name, userPerson.Name, userPerson.Duty, fixtures.Organisations(7, 2)[1].Name, "云山市", "欧***", "机要2026-0017", "协议全文", "临江省云山市兰台街1号", "兰台街1号", "出具档案证明",
		"印模清晰", "离职", "第三个省局", "第四季度", "停止使用", "年度出证", "复制件.pdf", "二楼窗口", "出证", "办理退休手续", "本人 1988 年招工审批表",
		"临江省档案局签发证书", "临江省档案局根证书", " · 省局", "省局 · ", "档案复制件出证", "（盖章）|(盖章)|盖章|（公章）|（章）", "CN=个人签发证书", "CN=时间戳", "CN=电子印章制作", "临江省档案局"}
	for _, id := range append([]string{"neighbour", "stranger"}, everyActor...) {
		data = append(data, got(w.access.Actor(t.Context(), id))(t).Organisation)
	}
	slices.SortFunc(data, func(a, b string) int { return len(b) - len(a) }) // one may be part of another
	return w, desk, "/desk/" + issued.ID, data
}

// TestEveryPageIsWholeInEnglish walks over the pages from link to link, as each role, in English and in a window of 1024 px:
// no page has a Chinese word that is not data, lacks a word, is wider than the window, or is out of reach of those who use
// keys, a reader's voice or weak eyes. With YINXIN_SCREENSHOTS it keeps pictures.
func TestEveryPageIsWholeInEnglish(t *testing.T) {
	b := newBrowser(t)
	w, desk, copied, data := filled(t)
	seen := map[string]bool{}
	for _, actor := range []string{"", "clerk", "stranger", "handler", "city", "registrar", "approver", "auditor", "administrator", "requester"} {
		start := []string{"/home"}
		switch actor {
		case "clerk":
			start = append(start, desk, "/account/password")
		case "stranger":
			start = append(start, copied+"/check")
		}
		if actor == "" {
			start = []string{"/", "/login", "/login/key", "/copies", ca.PathCPS}
		} else {
			b.openAs(w, actor, "/home?lang=en", 1024, 700)
		}
		for _, at := range w.walk(b, actor, start, data, seen) {
			seen[at] = true
		}
	}
	// Every page was seen, but those that a file, a picture or another service stands behind, and those that this
	// installation has nothing for.
	for _, r := range w.server.rules {
		if r.who.page != nil && r.method == http.MethodGet && !seen[r.path] && !unseen[r.path] {
			t.Errorf("%s was not seen", r.path)
		}
	}
}

// unseen are what no walk can look at.
var unseen = map[string]bool{
	// files, and what scripts ask
	"/clerk/seals/{code}/picture": true, "/clerk/documents/{id}/pages/{number}": true, "/clerk/batches/{id}/events": true, "/clerk/tasks/{id}/events": true, "/office/seals/{id}/picture.png": true,
	"/office/renewals/{id}/certificates.pem": true, "/desk/register.xlsx": true, "/desk/{id}/parts/{number}/pages/{page}": true, "/desk/{id}/preview": true, "/login/key/state": true,
	"/account/agents/{name}": true, "/office/seals/{id}/instances/{instance}": true,
	// another service
	"/login/oidc/{provider}": true, "/login/oidc/{provider}/callback": true,
	// nothing is there: these have tests of their own
	"/office/keys/{id}/{actor}": true, "/office/tokens/{id}": true, "/office/renewals/{id}": true, "/admin/anchors/{id}": true, "/admin/jobs/{id}": true,
}

// walk goes from link to link, once to each kind of page, and gives the patterns of those that it saw. What is for everybody
// and the same for each it leaves out when it was seen.
func (w *world) walk(b browserTest, actor string, next, data []string, seen map[string]bool) (patterns []string) {
	w.t.Helper()
	for len(next) > 0 {
		at := got(url.Parse(next[0]))(w.t)
		next = next[1:]
		context := chi.NewRouteContext()
		if !w.server.router.Match(context, http.MethodGet, at.Path) || slices.Contains(patterns, context.RoutePattern()) || unseen[context.RoutePattern()] || strings.HasPrefix(at.Path, "/v1/") || strings.HasPrefix(at.Path, "/pki/") && at.Path != ca.PathCPS {
			continue
		}
		patterns = append(patterns, context.RoutePattern())
		if seen[context.RoutePattern()] && strings.HasPrefix(at.Path, "/account") {
			continue
		}
		b.do(chromedp.Navigate(w.http.URL + at.Path + "?lang=en"))
		l := b.looks(data)
		for _, complaint := range l.complaints() {
			w.t.Errorf("%q %s: %s", actor, at.Path, complaint)
		}
		b.screenshot("walk-" + actor + strings.ReplaceAll(context.RoutePattern(), "/", "-"))
		next = append(next, l.Links...)
	}
	return patterns
}
