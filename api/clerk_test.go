package api

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"

	"math"
	"mime/multipart"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"yinxin/fixtures"
	"yinxin/internal/access"
)

// mouse drags from one place of the window to another, in steps as a hand does.
func mouse(x, y, toX, toY float64) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		step := func(kind input.DispatchMouseEventType, x, y float64) error {
			p := input.DispatchMouseEventParams{Type: kind, X: x, Y: y, Button: "left", Buttons: 1, ClickCount: 1}
			_, err := cdp.Call(ctx, target, input.DispatchMouseEvent, p)
			return err
		}
		if err := step("mousePressed", x, y); err != nil {
			return err
		}
		for i := range 5 {
			part := float64(i+1) / 5
			if err := step("mouseMoved", x+(toX-x)*part, y+(toY-y)*part); err != nil {
				return err
			}
		}
		return step("mouseReleased", toX, toY)
	})
}

func TestAClerkSealsByDragging(t *testing.T) {
	b := newBrowser(t)
	w := equipped(t)
	b.openAs(w, "clerk", "/clerk", 1280, 800)
	if text := b.text("#content"); !strings.Contains(text, "云山市档案馆") || !strings.Contains(text, "已启用") || !strings.Contains(text, "不限次数") {
		t.Errorf("the page says %q", text)
	}
	b.screenshot("clerk-seals")
	file := filepath.Join(t.TempDir(), "复制件.pdf")
	must(t, os.WriteFile(file, got(fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: 3, Pages: 5}))(t), 0o600))
	b.do(chromedp.Navigate(w.http.URL+"/clerk/new"), chromedp.WaitVisible(chromedp.CSS("#upload")), chromedp.SetUploadFiles(chromedp.CSS("#upload input[type=file]"), []string{file}))
	b.screenshot("clerk-new")
	b.do(chromedp.Click(chromedp.CSS("#upload .button")), chromedp.WaitVisible(chromedp.CSS(".stamp.current")))
	// Dragged by 30 mm to the left and 20 mm up, then by keys 3 mm to the right.
	box := evaluate[[]float64](b, `(() => { const r = document.querySelector(".stamp").getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2] })()`)
	before := place(b)
	const perMM = 96 / 25.4
	b.do(mouse(box[0], box[1], box[0]-30*perMM, box[1]-20*perMM))
	b.do(chromedp.Focus(chromedp.CSS(".stamp")), chromedp.KeyEvent(kb.ArrowRight+kb.ArrowRight+kb.ArrowRight))
	after := place(b)
	if math.Abs(after[0]-before[0]-27) > .2 || math.Abs(after[1]-before[1]-20) > .2 {
		t.Errorf("the seal moved from %v to %v mm", before, after)
	}
	b.do(chromedp.Click(chromedp.CSS(`input[name="straddle"]`)), chromedp.WaitVisible(chromedp.CSS("#straddle-parts img")))
	if said := b.text("#straddle-words"); !strings.Contains(said, "共 5 页，每 5 页一组，末组 5 页") {
		t.Errorf("straddle: %q", said)
	}
	b.screenshot("clerk-desk")
	b.do(chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#sure-words")))
	if said := b.text("#sure-words"); !strings.Contains(said, "共 2 处") || !strings.Contains(said, "不可修改") {
		t.Errorf("asked %q", said)
	}
	b.screenshot("clerk-sure")
	b.do(chromedp.Click(chromedp.CSS(`#sure button[value="yes"]`)), chromedp.WaitVisible(chromedp.CSS(`[download]`)))
	b.screenshot("clerk-sealed")
	link := evaluate[string](b, `document.querySelector("[download]").getAttribute("href")`)
	sealed := w.call("", "GET", link, nil, "Cookie: "+w.signIn("clerk")).is(200).body
	if verdict := w.call("", "POST", "/v1/verifications", bytes.NewReader(sealed), asPDF).is(200); !bytes.Contains(verdict.body, []byte(`"verdict":"valid"`)) {
		t.Fatalf("%.400s", verdict.body)
	}
	// Where it was left, there the seal is: after[0] mm from the right edge, after[1] from below, on the last page.
	right, below := w.inkAt(strings.Split(link, "/")[3], 5, 16) // left of the straddle seal
	if math.Abs(right-after[0]) > .1 || math.Abs(below-after[1]) > .1 {
		t.Errorf("the seal stands %.2f mm from the right and %.2f from below, not %v", right, below, after)
	}
	b.do(chromedp.Navigate(w.http.URL+"/clerk/log"), chromedp.WaitVisible(chromedp.CSS("table.list")))
	if text := b.text("table.list"); !strings.Contains(text, "复制件.pdf") || !strings.Contains(text, "已盖章") {
		t.Errorf("the log says %q", text)
	}
	b.screenshot("clerk-log")
}

// place is what the desk's form says: millimetres from the right and from below.
func place(b browserTest) []float64 {
	return evaluate[[]float64](b, `["x", "y"].map((n) => Number(document.getElementById("order").elements[n].value))`)
}

// redOf is the rectangle of red pixels left of a column.
func redOf(p image.Image, until int) (r image.Rectangle) {
	for y := range p.Bounds().Dy() {
		for x := range until {
			if cr, cg, _, _ := p.At(x, y).RGBA(); cr > 0xb000 && cg < 0x6000 {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

func TestAClerkSealsWithoutScript(t *testing.T) {
	w := equipped(t)
	cookie := w.signIn("clerk")
	body, contentType := formBody(t, "a.pdf", onePage(t))
	at := w.call("", "POST", "/clerk/new", body, contentType, "Cookie: "+cookie).is(303).header.Get("Location")
	desk := w.call("", "GET", at, nil, "Cookie: "+cookie).is(200)
	_, rest, ok := strings.Cut(string(desk.body), `name="key" value="`)
	key, _, _ := strings.Cut(rest, `"`)
	if !ok || key == "" {
		t.Fatalf("%s", desk.body)
	}
	order := url.Values{"key": {key}, "seal": {sealCode}, "page": {"1"}, "x": {"20"}, "y": {"30"}}
	first := w.post(cookie, at+"/seal", order).is(303).header.Get("Location")
	// Sent twice it is sealed once.
	if again := w.post(cookie, at+"/seal", order).is(303).header.Get("Location"); again != first {
		t.Errorf("%s, then %s", first, again)
	}
	order.Set("x", "zwanzig")
	if wrong := w.post(cookie, at+"/seal", order); wrong.status != 400 || !bytes.Contains(wrong.body, []byte("clerk.place")) || !bytes.Contains(wrong.body, []byte("zwanzig")) {
		t.Errorf("%d", wrong.status)
	}
	page := w.call("", "GET", first, nil, "Cookie: "+cookie).is(200)
	if !bytes.Contains(page.body, []byte("盖章完成")) || !bytes.Contains(page.body, []byte("a.pdf")) {
		t.Errorf("%s", page.body)
	}
	// What another clerk has does not exist for a stranger.
	stranger := w.signIn("stranger")
	for _, path := range []string{at, at + "/pages/1", strings.TrimSuffix(first, "?said=sealed"), "/clerk/seals/" + sealCode + "/picture"} {
		if a := w.call("", "GET", path, nil, "Cookie: "+stranger); a.status != 404 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if a := w.post(stranger, at+"/seal", url.Values{"key": {"k"}, "seal": {sealCode}, "page": {"1"}, "x": {"20"}, "y": {"30"}}); a.status != 404 {
		t.Errorf("sealing what is another's: %d", a.status)
	}
}

func TestWhatAClerkCannotSealIsSaid(t *testing.T) {
	w := equipped(t)
	cookie := w.signIn("clerk")
	for name, c := range map[string]struct {
		data []byte
		code string
	}{
		"nothing":  {nil, "attachment.unknown-format"},
		"a text":   {[]byte("hello"), "attachment.unknown-format"},
		"no pages": {[]byte("%PDF-1.7\nbroken"), ""},
	} {
		body, contentType := formBody(t, "x", c.data)
		a := w.call("", "POST", "/clerk/new", body, contentType, "Cookie: "+cookie)
		if c.code != "" && (a.status < 400 || a.status >= 500 || !bytes.Contains(a.body, []byte(`data-code="`+c.code))) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if c.code == "" { // it is stored, and the desk says why it cannot be sealed
			page := w.call("", "GET", a.is(303).header.Get("Location"), nil, "Cookie: "+cookie)
			if page.status < 400 || page.status >= 500 || !bytes.Contains(page.body, []byte(`data-code="pdf.`)) {
				t.Errorf("%s: %d %s", name, page.status, page.body)
			}
		}
	}
}

func TestScannedPagesBecomeOneDocument(t *testing.T) {
	w := equipped(t)
	var pages [2][]byte
	for i := range pages {
		var b bytes.Buffer
		must(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 300+i, 400))))
		pages[i] = b.Bytes()
	}
	body := &bytes.Buffer{}
	m := multipart.NewWriter(body)
	for i, p := range pages {
		part := got(m.CreateFormFile("file", "第"+strconv.Itoa(i+1)+"页.png"))(t)
		got(part.Write(p))(t)
	}
	must(t, m.Close())
	at := w.call("", "POST", "/clerk/new", body, "Content-Type: "+m.FormDataContentType(), "Cookie: "+w.signIn("clerk")).is(303).header.Get("Location")
	id := strings.TrimPrefix(at, "/clerk/documents/")
	sizes := got(w.sealer.Pages(t.Context(), access.Actor{ID: "clerk"}, id))(t)
	if len(sizes) != 2 {
		t.Fatalf("%v", sizes)
	}
	d := got(w.sealer.Document(t.Context(), access.Actor{ID: "clerk"}, id))(t)
	if d.Name != "第1页.pdf" {
		t.Errorf("named %q", d.Name)
	}
}

func TestABatchIsSealedAndFollowed(t *testing.T) {
	b := newBrowser(t)
	w := equipped(t)
	running, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _ = w.work.Run(running) }()
	cookie := w.signIn("clerk")
	body := &bytes.Buffer{}
	m := multipart.NewWriter(body)
	for name, value := range map[string]string{"title": "十一月的复制件", "key": "k1", "seal": sealCode, "page": "-1", "x": "20", "y": "30"} {
		must(t, m.WriteField(name, value))
	}
	for i, data := range [][]byte{onePage(t), []byte("%PDF-1.7 nothing"), onePage(t)} {
		part := got(m.CreateFormFile("file", "第"+strconv.Itoa(i+1)+"份.pdf"))(t)
		got(part.Write(data))(t)
	}
	must(t, m.Close())
	at := w.call("", "POST", "/clerk/batches/new", body, "Content-Type: "+m.FormDataContentType(), "Cookie: "+cookie).is(303).header.Get("Location")
	b.openAs(w, "clerk", at, 1024, 768)
	b.do(chromedp.WaitVisible(chromedp.CSS("#state .badge.good")))
	if text := b.text("#state"); !strings.Contains(text, "共 3 份：已完成 2，失败 1，排队中 0") {
		t.Errorf("the page says %q", text)
	}
	b.do(chromedp.Navigate(w.http.URL+at), chromedp.WaitVisible(chromedp.CSS("table.list")))
	if text := b.text("table.list"); !strings.Contains(text, "第2份.pdf") || !strings.Contains(text, "pdf.") || strings.Count(text, "已完成") != 2 {
		t.Errorf("the list says %q", text)
	}
	b.screenshot("clerk-batch")
	results := w.call("", "GET", at+"?format=csv", nil, "Cookie: "+cookie).is(200)
	if !bytes.HasPrefix(results.body, []byte("\ufeff")) || bytes.Count(results.body, []byte("\n")) != 4 {
		t.Errorf("%s", results.body)
	}
	if a := w.call("", "GET", at, nil, "Cookie: "+w.signIn("stranger")); a.status != 404 {
		t.Errorf("another's batch: %d", a.status)
	}
	b.do(chromedp.Navigate(w.http.URL+"/clerk/batches/new"), chromedp.WaitVisible(chromedp.CSS("#content form")))
	b.screenshot("clerk-batch-new")
	// Another batch begins with the choices of the old one.
	b.do(chromedp.Navigate(w.http.URL + at))
	b.leave(`[data-again]`)
	b.screenshot("clerk-batch-again")
	if typed := evaluate[string](b, `["title", "seal", "page", "x", "y"].map(n => document.querySelector("form.card [name=" + n + "]").value).join(" ")`); typed != "十一月的复制件 "+sealCode+" -1 20 30" {
		t.Errorf("the form says %q", typed)
	}
	again := "/clerk/batches/new?from="
	w.call("", "GET", again+strings.TrimPrefix(at, "/clerk/batches/"), nil, "Cookie: "+w.signIn("stranger")).is(404)
	w.call("", "GET", again+"sb_none", nil, "Cookie: "+cookie).is(404)
	d := w.uploaded("clerk", onePage(t))
	var more SealingBatch
	for terms, want := range map[*object]struct {
		whole bool
		says  string
	}{
		{"seal": sealCode, "straddle": object{}, "placement": object{"page": 2, "from": "bottom-right", "x": 20.5, "y": 30, "move_inside": true}}: {true, `name="straddle" value="1" checked`},
		{"seal": sealCode, "placement": object{"keyword": "（盖章）", "nth": -1}, "lines": []string{"2026年11月26日"}}:                                   {false, `value="（盖章）"`},
	} {
		w.send("clerk", "POST", sealingBatchPath, object{"order": terms, "files": []object{{"document": d.ID}}}, fmt.Sprint("Idempotency-Key: ", want.whole)).is(202).into(&more)
		page := w.call("", "GET", again+more.ID, nil, "Cookie: "+cookie).is(200).says("data-from", want.says)
		if bytes.Contains(page.body, []byte("没有带入")) == want.whole {
			t.Errorf("%v: what is left out is said: %v", terms, !want.whole)
		}
	}
}

func TestAFileThatCannotBeReadKeepsNoOtherOut(t *testing.T) {
	b := newBrowser(t)
	w := equipped(t)
	running, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _ = w.work.Run(running) }()
	cookie := w.signIn("clerk")
	type file struct {
		name string
		data []byte
	}
	send := func(x string, files ...file) answer {
		t.Helper()
		body := &bytes.Buffer{}
		m := multipart.NewWriter(body)
		for _, field := range [][2]string{{"title", "年终"}, {"key", "k-" + x + strconv.Itoa(len(files))}, {"seal", sealCode}, {"keyword", ""}, {"page", "-1"}, {"x", x}, {"y", "30"}} {
			must(t, m.WriteField(field[0], field[1]))
		}
		for _, f := range files {
			got(got(m.CreateFormFile("file", f.name))(t).Write(f.data))(t)
		}
		must(t, m.Close())
		return w.call("", "POST", "/clerk/batches/new", body, "Content-Type: "+m.FormDataContentType(), "Cookie: "+cookie)
	}
	stored := func() (n int) {
		t.Helper()
		must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM document`).Scan(&n))
		return n
	}
	large := append([]byte("%PDF-1.7\n"), make([]byte, 33<<20)...) // the sealer takes 32 MiB
	unread := []file{{"说明.docx", []byte("PK\x03\x04 no PDF")}, {"空.pdf", nil}, {"大.pdf", large}, {strings.Repeat("长", 150) + ".pdf", []byte("x")}}
	at := send("20", append([]file{{"一.pdf", onePage(t)}}, append(unread, file{"二.pdf", onePage(t)}, file{"坏.pdf", []byte("%PDF-1.7 nothing")})...)...).is(303).header.Get("Location")
	if n := stored(); n < 3 {
		t.Errorf("%d documents are stored, want those that could be read", n)
	}
	b.openAs(w, "clerk", at, 1024, 900)
	b.do(chromedp.WaitVisible(chromedp.CSS("#state .badge.good")))
	state := b.text("#state")
	if !strings.Contains(state, "共 7 份：已完成 2，失败 5，排队中 0") || !strings.Contains(state, "有 4 份文件未能读取") {
		t.Errorf("the page says %q", state)
	}
	b.do(chromedp.Navigate(w.http.URL+at), chromedp.WaitVisible(chromedp.CSS("table.list")))
	b.screenshot("clerk-batch-unread")
	codes := func() (all []string) {
		t.Helper()
		rows := w.exported(cookie, at+"?format=csv")
		for _, r := range rows {
			all = append(all, r[1][:min(len(r[1]), 12)]+" "+r[2])
		}
		return all
	}
	if found := strings.Join(codes(), "; "); found != "一.pdf 已完成; 说明.docx 失败; 空.pdf 失败; 大.pdf 失败; 长长长长 失败; 二.pdf 已完成; 坏.pdf 失败" {
		t.Errorf("%s", found)
	}
	list := string(w.call("", "GET", at+"?state=failed", nil, "Cookie: "+cookie).is(200).body)
	for _, code := range []string{"clerk.not-pdf", "clerk.empty-file", "document.too-large", "pdf."} {
		if !strings.Contains(list, code) {
			t.Errorf("the list does not say %s", code)
		}
	}
	// Only what can be taken up is taken up again, and the reasons of the others stay.
	w.post(cookie, at+"/retry", nil).is(303)
	b.openAs(w, "clerk", at, 1024, 900)
	b.do(chromedp.WaitVisible(chromedp.CSS("#state .badge.good")))
	if list := string(w.call("", "GET", at+"?state=failed", nil, "Cookie: "+cookie).is(200).body); strings.Count(list, "clerk.not-pdf") != 2 {
		t.Errorf("the reasons are gone: %s", list)
	}

	// None that can be read: no batch, and the form again with what was typed and the reasons.
	a := send("21.5", unread...)
	if a.status != 400 || !bytes.Contains(a.body, []byte(`data-code="clerk.none-read"`)) || !bytes.Contains(a.body, []byte(`value="21.5"`)) || !bytes.Contains(a.body, []byte("说明.docx")) || !bytes.Contains(a.body, []byte(`value="年终"`)) {
		t.Errorf("%d %s", a.status, a.body)
	}
	// A wrong place is said before anything is stored.
	before := stored()
	if a := send("zwanzig", file{"一.pdf", onePage(t)}); a.status != 400 || !bytes.Contains(a.body, []byte("clerk.place")) || stored() != before {
		t.Errorf("%d, %d documents, before %d", a.status, stored(), before)
	}
	// Only unreadable ones that failed: nothing is taken up.
	only := send("22", file{"一.pdf", onePage(t)}, unread[0]).is(303).header.Get("Location")
	b.openAs(w, "clerk", only, 1024, 900)
	b.do(chromedp.WaitVisible(chromedp.CSS("#state .badge.good")))
	if page := string(w.call("", "GET", only, nil, "Cookie: "+cookie).is(200).body); strings.Contains(page, "/retry") {
		t.Error("what cannot be taken up is offered")
	}
	if a := w.post(cookie, only+"/retry", nil); a.status != 409 || !bytes.Contains(a.body, []byte("batch.nothing-failed")) {
		t.Errorf("%d %s", a.status, a.body)
	}
}
