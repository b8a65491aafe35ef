package api

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yinxin/fixtures"
	"yinxin/internal/truetype"
)

// issuedCopy is a copy that was issued to the stranger: its case, and its code as it is printed.
func (w *world) issuedCopy() (c Issuance, code string) {
	w.t.Helper()
	c = w.askedFor("one")
	at := issuancePath + "/" + c.ID
	w.send("clerk", "POST", at+"/answer", map[string]any{"result": "found", "reference": ArchivalReference{Fonds: "J021", File: "0137", Item: "0012", Pages: 3, Number: "J021-0137-0012"}}).is(200)
	w.call("clerk", "POST", at+"/pages", bytes.NewReader(got(fixtures.ArchivalCopy(7, 3))(w.t)), asPDF, "X-File-Name: copy.pdf").is(201)
	w.send("clerk", "POST", at+"/issue", map[string]any{"seal": sealCode}).is(200).into(&c)
	return c, codeIn(w.t, w.call("stranger", "GET", at+"/copy", nil).is(200).body)
}

func TestAPaperIsFoundByTheAddressOfItsCode(t *testing.T) {
	if _, err := truetype.Find(); err != nil {
		t.Skip(err)
	}
	b := newBrowser(t)
	w := equipped(t)
	c, code := w.issuedCopy()
	b.do(chromedp.EmulateViewport(390, 800), chromedp.Navigate(w.http.URL+"/copies?lang=zh#"+url.PathEscape(code)), chromedp.WaitVisible(chromedp.CSS(`[data-found="issued"]`)))
	text := b.text("#content")
	for _, words := range []string{"系统曾出具此件", "请逐页比对纸质件", c.Copy.Number, fixtures.Archive("云山市").Name, "欧***", "J021-0137-0012"} {
		if !strings.Contains(text, words) {
			t.Errorf("the page does not say %q: %s", words, text)
		}
	}
	if strings.Contains(text, "欧阳明月") {
		t.Error("the page says who asked")
	}
	b.screenshot("copies-phone")
	if wide := evaluate[float64](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
		t.Errorf("the page is %v px too wide for a phone", wide)
	}
	evaluate[bool](b, `(document.querySelector("#look").elements.day.value = "`+c.Copy.Day+`", true)`)
	b.do(chromedp.EmulateViewport(1024, 768), chromedp.Click(chromedp.CSS("#look .button")), chromedp.WaitVisible(chromedp.CSS(".issued-pages img")))
	if n := evaluate[float64](b, `document.querySelectorAll(".issued-pages img").length`); n != 4 {
		t.Errorf("%v pages are shown", n)
	}
	b.screenshot("copies-pages")
	w.send("clerk", "POST", issuancePath+"/"+c.ID+"/withdraw", map[string]any{"reason": "复制件有误"}).is(200)
	b.do(chromedp.Navigate(w.http.URL+"/copies#"+url.PathEscape(code)), chromedp.WaitVisible(chromedp.CSS("#look")), chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS(`[data-found="withdrawn"]`)))
	if text := b.text("#content"); !strings.Contains(text, "请勿采信") || strings.Contains(text, "复制件有误") {
		t.Errorf("the page says %q", text)
	}
	b.screenshot("copies-withdrawn")
	if log := w.log.text(); strings.Contains(log, code) || strings.Contains(log, strings.ReplaceAll(code, "-", "")) {
		t.Error("the code is in the log")
	}
}

func TestWhoeverGuessesCodesOnThePageIsSlowedDown(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.Codes = 2 })
	guess := func() answer { return w.post("", "/copies", url.Values{"code": {"2222-2222-2222-2222-2222"}}) }
	for range 2 {
		if a := guess(); a.status != http.StatusNotFound || !bytes.Contains(a.body, []byte(`data-code="issuance.no-copy"`)) {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if a := guess(); a.status != http.StatusTooManyRequests || !bytes.Contains(a.body, []byte(`data-code="request.too-many"`)) || a.header.Get("Retry-After") == "" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	// Passwords are guessed at the same pace.
	if a := w.post("", "/login", url.Values{"name": {"clerk"}, "password": {"guess"}}); a.status != http.StatusTooManyRequests {
		t.Errorf("%d", a.status)
	}
	w.call("", "GET", "/copies", nil).is(200)
}
