package api

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"yinxin/fixtures"
	"yinxin/sealer/pdf"
	"yinxin/sealer/verify"
)

// overwritten is a file with a revision behind it that draws something more on a page, as a forger would.
func overwritten(t *testing.T, data []byte, number int, draw string) []byte {
	t.Helper()
	d := got(pdf.Open(context.Background(), bytes.NewReader(data), int64(len(data))))(t)
	page := got(d.Page(number))(t)
	contents, ok := page.Dict.Get("Contents").(pdf.Ref)
	if !ok {
		t.Fatalf("page %d has contents %v", number, page.Dict.Get("Contents"))
	}
	stream, ok := got(d.Object(contents))(t).(*pdf.Stream)
	if !ok {
		t.Fatal("the contents are no stream")
	}
	text := string(got(d.StreamData(stream, 1<<20))(t)) + "\n" + draw
	size, ok := d.Trailer().Get("Size").(pdf.Integer)
	if !ok {
		t.Fatal("no size")
	}
	entries := "/ID [" + strings.Repeat(fmt.Sprintf("<%x>", d.Trailer().Get("ID").(pdf.Array)[0].(pdf.String).Value), 2) + "]"
	for _, name := range []pdf.Name{"Root", "Info"} {
		if ref, ok := d.Trailer().Get(name).(pdf.Ref); ok {
			entries += fmt.Sprintf(" /%s %d %d R", name, ref.Num, ref.Gen)
		}
	}
	return fixtures.AppendRevision(data, map[int]string{contents.Num: fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(text), text)},
		entries, int(size))
}

func TestTheDocumentAsItWasSealedIsGiven(t *testing.T) {
	w := newWorld(t)
	original, sealed := w.sealedFile()
	changed := overwritten(t, sealed, 1, "0 g 100 400 200 60 re f")
	var report verify.Report
	w.call("", "POST", "/v1/verifications", bytes.NewReader(changed), asPDF).is(200).into(&report)
	if report.Verdict != verify.Modified || report.Signatures[0].AsSealedBytes != int64(len(sealed)) {
		t.Fatalf("%s, as sealed %d bytes", report.Verdict, report.Signatures[0].AsSealedBytes)
	}
	const path = "/v1/verifications/as-sealed"
	given := w.call("", "POST", path+"?signature=1", bytes.NewReader(changed), asPDF, "X-File-Name: a.pdf").is(200)
	if !bytes.Equal(given.body, sealed) || given.header.Get("Content-Length") != fmt.Sprint(len(sealed)) || given.header.Get("Cache-Control") != "no-store" ||
		!strings.Contains(given.header.Get("Content-Disposition"), `"a-as-sealed.pdf"`) {
		t.Fatalf("%d bytes, header %v", len(given.body), given.header)
	}
	body, contentType := formBody(t, "b.pdf", sealed)
	if field := w.call("", "POST", path+"?signature="+report.Signatures[0].Field, body, contentType).is(200); !bytes.Equal(field.body, sealed) {
		t.Fatal("by the name of its field the signature is another")
	}
	inside := fixtures.Tamper(sealed, len(original)/2)
	report = verify.Report{}
	w.call("", "POST", "/v1/verifications", bytes.NewReader(inside), asPDF).is(200).into(&report)
	if report.Signatures[0].AsSealedBytes != 0 {
		t.Errorf("of a document that was changed inside %d bytes are said to be as sealed", report.Signatures[0].AsSealedBytes)
	}
	w.call("", "POST", path+"?signature=1", bytes.NewReader(inside), asPDF).problem(422, "verify.not-as-sealed")
	w.call("", "POST", path+"?signature=2", bytes.NewReader(changed), asPDF).problem(404, "verify.no-such-signature")
	w.call("", "POST", path+"?signature=1", bytes.NewReader(original), asPDF).problem(404, "verify.no-such-signature")
	w.call("", "POST", path, bytes.NewReader(changed), asPDF).problem(400, "request.invalid")
	w.call("", "POST", path+"?signature=1", strings.NewReader(""), asPDF).problem(400, "request.no-file")
	for range cap(w.server.uploading.all) { // every place was given back
		w.server.uploading.all <- struct{}{}
	}
	w.call("", "POST", path+"?signature=1", bytes.NewReader(changed), asPDF).problem(503, "service.busy")
	if left := w.kept("scratch"); len(left) != 0 {
		t.Fatal(left)
	}
}

func TestABrowserSavesTheVersionAsSealed(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	original, sealed := w.sealedFile()
	dir, saved := t.TempDir(), t.TempDir()
	changed, inside := filepath.Join(dir, "改动.pdf"), filepath.Join(dir, "内部.pdf")
	must(t, os.WriteFile(changed, overwritten(t, sealed, 1, "0 g 100 400 200 60 re f"), 0o600))
	must(t, os.WriteFile(inside, fixtures.Tamper(sealed, len(original)/2), 0o600))
	b.savesInto(saved)
	b.open(w.http.URL+"/?lang=zh", 390, 844, chromedp.EmulateMobile)
	b.do(drop(changed), chromedp.WaitVisible(chromedp.CSS("[data-as-sealed]")))
	b.screenshot("as-sealed-phone")
	b.press("[data-as-sealed]")
	if data := awaitFile(t, filepath.Join(saved, "改动-盖章时的版本-1.pdf")); !bytes.Equal(data, sealed) {
		t.Errorf("%d bytes were saved, not the %d as sealed", len(data), len(sealed))
	}
	// The file was removed meanwhile: said in words, nothing wrong is saved.
	must(t, os.Remove(changed))
	b.press("[data-as-sealed]")
	b.do(chromedp.WaitVisible(chromedp.CSS(".hint")))
	if hint := b.text(".hint"); !strings.Contains(hint, "移动或修改") {
		t.Errorf("the page says %q", hint)
	}
	b.do(drop(inside), chromedp.WaitVisible(chromedp.CSS(`[data-verdict="modified"]`)))
	if text := b.text("#result"); !strings.Contains(text, "无法从本文件中还原") || evaluate[int](b, `document.querySelectorAll("[data-as-sealed]").length`) != 0 {
		t.Errorf("the page says %q", text)
	}
}

// press presses a button by the keyboard, since the page may still be scrolling under a mouse.
func (b browserTest) press(selector string) {
	b.t.Helper()
	run(b, chromedp.Poll[bool](fmt.Sprintf(`(document.querySelector(%[1]q).focus(), document.activeElement === document.querySelector(%[1]q))`, selector)))
	b.do(chromedp.KeyEvent("\r"))
}

// savesInto lets the tab save files into a folder.
func (b browserTest) savesInto(dir string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir})
		return err
	}))
}

// awaitFile is a file that a browser saves, once it is complete: Chromium writes it under another name.
func awaitFile(t *testing.T, path string) []byte {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if data, err := os.ReadFile(path); err == nil && len(data) > 0 {
			return data
		}
	}
	t.Fatalf("%s was not saved", path)
	return nil
}
