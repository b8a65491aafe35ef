package api

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// The forms of a verdict, as a browser without script sends them.
func TestVersionsAreComparedAndTakenOutByPlainForms(t *testing.T) {
	w := equipped(t)
	sealed := w.sealedPages(2)
	changed := overwritten(t, sealed, 2, amount)
	post := func(path string, data []byte) answer {
		t.Helper()
		body, contentType := formBody(t, "改动.pdf", data)
		return w.call("", "POST", path, body, contentType)
	}
	page := post("/?lang=zh", changed).is(200)
	for _, form := range []string{`action="/as-sealed?lang=zh&amp;signature=1"`, `formaction="/versions?lang=zh&amp;signature=1"`, "请再选一次这个文件"} {
		if !bytes.Contains(page.body, []byte(form)) {
			t.Errorf("the page has no %s", form)
		}
	}
	given := post("/as-sealed?lang=zh&signature=1", changed).is(200)
	if !bytes.Equal(given.body, sealed) || !strings.HasPrefix(given.header.Get("Content-Disposition"), "attachment") || given.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d bytes, header %v", len(given.body), given.header)
	}
	for path, words := range map[string]string{"/versions?lang=zh&signature=1": "盖章时 与 现在", "/versions?lang=en&signature=1": "As sealed, and now"} {
		if beside := post(path, changed).is(200).body; !bytes.Contains(beside, []byte("<html")) || !bytes.Contains(beside, []byte(words)) || !bytes.Contains(beside, []byte("改动.pdf")) {
			t.Errorf("%s: %s", path, beside)
		}
	}
	if same := post("/versions?lang=zh&signature=1", sealed).is(200).body; !bytes.Contains(same, []byte("后面没有别的版本")) {
		t.Errorf("of a file without a later version: %s", same)
	}
	// What is wrong is a page, too.
	for path, status := range map[string]int{"/as-sealed?lang=zh": 400, "/as-sealed?lang=zh&signature=7": 404} {
		if wrong := post(path, changed).is(status); !bytes.Contains(wrong.body, []byte("<html")) || !bytes.Contains(wrong.body, []byte("没有得出结论")) {
			t.Errorf("%s: %s", path, wrong.body)
		}
	}
	if left := w.kept("scratch"); len(left) != 0 {
		t.Fatal(left)
	}
	// A verdict that clerks see on what is stored here asks them for no file: data for long are additions, which could be taken off.
	terms := order(w.uploaded("clerk", onePage(t)).ID)
	terms["long_term"] = true
	var done Sealing
	w.order("clerk", "long", terms).is(201).into(&done)
	long := w.call("clerk", "GET", "/v1/documents/"+done.Document.ID+"/content", nil).is(200).body
	if page := post("/?lang=zh", long).is(200); !bytes.Contains(page.body, []byte("/as-sealed?")) {
		t.Errorf("%s", page.body)
	}
	if of := w.call("", "GET", "/clerk/sealings/"+done.ID+"/verification", nil, "Cookie: "+w.signIn("clerk")).is(200).body; bytes.Contains(of, []byte("/as-sealed?")) {
		t.Error("a clerk is asked for a file that is stored")
	}
}

func TestABrowserWithoutScriptComparesAndSaves(t *testing.T) {
	b := newBrowser(t)
	w := equipped(t)
	sealed := w.sealedPages(2)
	dir, saved := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "changed.pdf")
	must(t, os.WriteFile(path, overwritten(t, sealed, 2, amount), 0o600))
	b.savesInto(saved)
	b.do(b.withoutScript(), chromedp.EmulateViewport(390, 844), chromedp.Navigate(w.http.URL+"/?lang=zh"), chromedp.WaitVisible(chromedp.CSS("button.submit")),
		chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{path}))
	b.leave("button.submit")
	b.do(chromedp.WaitVisible(chromedp.CSS(`[data-verdict="modified"]`)))
	b.screenshot("plain-verdict-phone")
	choose := chromedp.SetUploadFiles(chromedp.CSS(".from-file input"), []string{path})
	b.do(choose, chromedp.Click(chromedp.CSS("[data-as-sealed]")))
	if data := awaitFile(t, filepath.Join(saved, "changed-as-sealed.pdf")); !bytes.Equal(data, sealed) {
		t.Errorf("%d bytes were saved, not the %d as sealed", len(data), len(sealed))
	}
	b.do(choose)
	b.leave("[data-versions]")
	b.do(chromedp.WaitVisible(chromedp.CSS(".pair")))
	if text := b.text("#result"); !strings.Contains(text, "与盖章时的版本对照") || !strings.Contains(text, "红框") {
		t.Errorf("the page says %q", text)
	}
	if evaluate[bool](b, `document.documentElement.scrollWidth > innerWidth`) {
		t.Error("the page is wider than the phone")
	}
	b.screenshot("plain-versions-phone")
}

func (b browserTest) withoutScript() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
}
