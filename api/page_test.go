package api

import (
	"bytes"
	"context"
	"mime/multipart"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"yinxin/api/web"
	"yinxin/fixtures"
)

// form is the page's form with a file in it.
func formBody(t *testing.T, name string, data []byte) (body *bytes.Buffer, contentType string) {
	t.Helper()
	body = &bytes.Buffer{}
	m := multipart.NewWriter(body)
	part := got(m.CreateFormFile("file", name))(t)
	got(part.Write(data))(t)
	must(t, m.Close())
	return body, "Content-Type: " + m.FormDataContentType()
}

func TestThePageWorksWithoutScript(t *testing.T) {
	w := newWorld(t)
	start := w.call("", "GET", "/", nil).is(200)
	if start.header.Get("Content-Type") != "text/html; charset=utf-8" || !bytes.Contains(start.body, []byte("选择文件")) || !bytes.Contains(start.body, []byte("验证结束即删除")) {
		t.Fatalf("%s", start.body)
	}
	if english := w.call("", "GET", "/", nil, "Accept-Language: en").is(200); !bytes.Contains(english.body, []byte("Choose a file")) || bytes.Contains(english.body, []byte("选择文件")) {
		t.Fatalf("%s", english.body)
	}
	original, sealed := w.sealedFile()
	for _, c := range []struct {
		name    string
		data    []byte
		query   string
		verdict string
		words   []string
	}{
		{"a sealed file", sealed, "", "valid", []string{"验证通过", "自盖章后未被改动", "云山市档案馆", "data:image/png;base64,", "签章时间", "未检查", "整个文件"}},
		{"a sealed file in English", sealed, "?lang=en", "valid", []string{"Verified", "not changed since", "What was checked", "The whole file"}},
		{"a tampered file", fixtures.Tamper(sealed, len(original)/2), "", "modified", []string{"盖章后内容被改动", "请勿采信"}},
		{"a file without seal", original, "", "unsealed", []string{"未发现电子签章", "印章图案可能只是图片"}},
		{"a text", []byte("no PDF"), "", "unreadable", []string{"无法读取该文件"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, contentType := formBody(t, "<b>名字.pdf", c.data)
			page := w.call("", "POST", "/"+c.query, body, contentType).is(200)
			for _, words := range append(c.words, `data-verdict="`+c.verdict+`"`, "<!doctype html>", "&lt;b&gt;名字.pdf") {
				if !bytes.Contains(page.body, []byte(words)) {
					t.Errorf("the page does not say %q", words)
				}
			}
			if bytes.Contains(page.body, []byte("ZgotmplZ")) || bytes.Contains(page.body, []byte("<b>名字")) || page.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%v %s", page.header, page.body)
			}
		})
	}
	body, contentType := formBody(t, "a.pdf", sealed)
	if part := w.call("", "POST", "/", body, contentType, web.FragmentHeader+": 1").is(200); bytes.Contains(part.body, []byte("<html")) || !bytes.Contains(part.body, []byte("data-verdict")) {
		t.Fatalf("%s", part.body)
	}
	body, contentType = formBody(t, "a.pdf", nil)
	if empty := w.call("", "POST", "/", body, contentType).is(400); !bytes.Contains(empty.body, []byte("没有得出结论")) || !bytes.Contains(empty.body, []byte(empty.header.Get("X-Request-Id"))) {
		t.Fatalf("%s", empty.body)
	}
}

func TestThePageLoadsNothingFromElsewhere(t *testing.T) {
	w := newWorld(t)
	page := string(w.call("", "GET", "/", nil).is(200).body)
	for _, inline := range []string{"http://", "https://", "<style", "style=", "onclick", "javascript:"} {
		if strings.Contains(page, inline) {
			t.Errorf("the page has %q", inline)
		}
	}
	for _, path := range []string{"/assets/style.css", "/assets/verify.js", "/assets/icon.svg"} {
		if !strings.Contains(page, path) {
			t.Errorf("%s is not used", path)
		}
		a := w.call("", "GET", path, nil).is(200)
		w.call("", "GET", path, nil, "If-None-Match: "+a.header.Get("ETag")).is(304)
	}
}

// TestABrowserVerifiesADroppedFile drives the page in Chromium. With YINXIN_SCREENSHOTS it keeps pictures in that
// folder.
func TestABrowserVerifiesADroppedFile(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	original, sealed := w.sealedFile()
	dir := t.TempDir()
	keep := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, data, 0o600))
		return path
	}
	good, bad := keep("复制件.pdf", sealed), keep("改动.pdf", fixtures.Tamper(sealed, len(original)/2))
	plain := keep("没有章.pdf", original)
	verdict := func(path, want, words, shot string) {
		t.Helper()
		b.do(drop(path), chromedp.WaitVisible(chromedp.CSS(`[data-verdict="`+want+`"]`)))
		if text := b.text("#result"); !strings.Contains(text, words) {
			t.Errorf("the page says %q, not %q", text, words)
		}
		b.screenshot(shot)
	}
	b.open(w.http.URL+"/?lang=zh", 1280, 900)
	b.screenshot("start-desktop")
	verdict(good, "valid", "验证通过", "valid-desktop")
	if !evaluate[bool](b, `document.querySelector(".seal img").naturalWidth > 100`) {
		t.Error("the picture of the seal is not shown")
	}
	b.do(chromedp.Click(chromedp.CSS("summary")))
	b.screenshot("checks-desktop")
	verdict(bad, "modified", "盖章后内容被改动", "modified-desktop")

	b.open(w.http.URL+"/?lang=zh", 390, 844, chromedp.EmulateMobile)
	b.screenshot("start-phone")
	verdict(good, "valid", "自盖章后未被改动", "valid-phone")
	b.do(chromedp.Click(chromedp.CSS("summary")))
	if evaluate[bool](b, `document.documentElement.scrollWidth > innerWidth`) {
		t.Error("the page is wider than the phone")
	}
	b.screenshot("checks-phone")
	verdict(plain, "unsealed", "未发现电子签章", "unsealed-phone")

	// By keyboard alone, in English: the first thing after the links is the file.
	b.open(w.http.URL+"/?lang=en", 1280, 900)
	b.do(chromedp.KeyEvent("\t"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("\t"))
	if focused := evaluate[string](b, `document.activeElement.id`); focused != "file" {
		t.Errorf("the keyboard reaches %q", focused)
	}
	b.screenshot("english-desktop")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{good}), chromedp.WaitVisible(chromedp.CSS(`[data-verdict="valid"]`)))
	if focused := evaluate[string](b, `document.activeElement.id`); focused != "result" {
		t.Errorf("after the verdict the focus is on %q", focused)
	}
	b.do(drop(plain, good), chromedp.WaitVisible(chromedp.CSS("#result .hint")))
	if hint := b.text(".hint"); !strings.Contains(hint, "the first one was taken") {
		t.Errorf("of two files the page says %q", hint)
	}
	// A service that is gone is said so, in place.
	w.http.Close()
	b.do(drop(good), chromedp.WaitVisible(chromedp.CSS(".hint")))
	if hint := b.text(".hint"); !strings.Contains(hint, "connection was lost") {
		t.Errorf("the page says %q", hint)
	}
}

func TestAnUploadFromThePageCanBeCancelled(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t, func(c *Config) { c.Patience = time.Minute })
	for range cap(w.server.verifying.all) { // nothing gets its turn: the page waits
		w.server.verifying.all <- struct{}{}
	}
	path := filepath.Join(t.TempDir(), "a.pdf")
	must(t, os.WriteFile(path, onePage(t), 0o600))
	b.open(w.http.URL+"/?lang=zh", 1280, 900)
	b.do(drop(path), chromedp.WaitVisible(chromedp.CSS("#cancel")))
	b.screenshot("waiting-desktop")
	b.do(chromedp.Click(chromedp.CSS("#cancel")), chromedp.WaitVisible(chromedp.CSS("#drop")))
	if hint := b.text("#result"); !strings.Contains(hint, "已取消") {
		t.Errorf("the page says %q", hint)
	}
	w.log.await(t, "request.broken-off")
	if left := w.kept("scratch"); len(left) != 0 {
		t.Fatal(left)
	}
}

// browserTest is one tab of Chromium.
type browserTest struct {
	t   *testing.T
	ctx context.Context
}

// newBrowser starts Chromium, which CI must have.
func newBrowser(t *testing.T) browserTest {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), chromedp.Headless, chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	must(t, chromedp.Do(ctx))
	return browserTest{t, ctx}
}

// patience is how long one step may take on a busy machine.
const patience = time.Minute

func run[T any](b browserTest, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		v, err := chromedp.Run(ctx, a)
		// A question that the page leaves while it is asked is asked of the next page.
		if err != nil && (strings.Contains(err.Error(), "Inspected target navigated") || strings.Contains(err.Error(), "Cannot find context")) && ctx.Err() == nil {
			continue
		}
		return got(v, err)(b.t)
	}
}

func (b browserTest) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	run(b, chromedp.Steps(steps...))
}

func (b browserTest) open(url string, width, height int64, o ...chromedp.EmulateViewportOption) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height, o...), chromedp.Navigate(url), chromedp.WaitVisible(chromedp.CSS(".scripted #drop")))
}

// leave clicks on what leads to another page, and waits until that is there.
func (b browserTest) leave(selector string) {
	b.t.Helper()
	evaluate[bool](b, `(window.before = true)`)
	b.do(chromedp.Click(chromedp.CSS(selector)))
	run(b, chromedp.Poll[bool](`!window.before && document.readyState === "complete"`))
}

// openAs shows a page to somebody who is signed in.
func (b browserTest) openAs(w *world, actor, path string, width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height), chromedp.Navigate(w.http.URL+"/login?lang=zh"), chromedp.WaitVisible(chromedp.CSS("#content")))
	evaluate[bool](b, `(document.cookie = "`+w.signIn(actor)+`; path=/", true)`)
	b.do(chromedp.Navigate(w.http.URL+path), chromedp.WaitVisible(chromedp.CSS("#content")))
}

func (b browserTest) text(selector string) string {
	b.t.Helper()
	return run(b, chromedp.Text(chromedp.CSS(selector)))
}

func evaluate[T any](b browserTest, expression string) T {
	b.t.Helper()
	return run(b, chromedp.Evaluate[T](expression))
}

// drop drags files from outside onto the page, as a person does.
func drop(paths ...string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		data := &input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1}
		for _, step := range []input.DispatchDragEventType{"dragEnter", "dragOver", "drop"} {
			p := input.DispatchDragEventParams{Type: step, X: 200, Y: 300, Data: data}
			if _, err := cdp.Call(ctx, target, input.DispatchDragEvent, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b browserTest) screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("YINXIN_SCREENSHOTS")
	if dir == "" {
		return
	}
	must(b.t, os.WriteFile(filepath.Join(dir, name+".png"), run(b, chromedp.FullScreenshot(100)), 0o644))
}
