package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/pdfcpu/pdfcpu/pkg/api"
)

// scanOf is a scan of so many pages, each of its own size.
func scanOf(t *testing.T, pages int) []byte {
	t.Helper()
	var pictures []io.Reader
	for i := range pages {
		img := image.NewGray(image.Rect(0, 0, 400, 500+i))
		for p := range img.Pix {
			img.Pix[p] = 255
		}
		for y := range 10 * (i + 1) {
			for x := range 200 {
				img.SetGray(x, y, color.Gray{})
			}
		}
		var b bytes.Buffer
		must(t, png.Encode(&b, img))
		pictures = append(pictures, &b)
	}
	var out bytes.Buffer
	must(t, api.ImportImages(nil, &out, pictures, nil, nil))
	return out.Bytes()
}

func TestEveryPageOfAScanIsShownWhenItIsTurnedTo(t *testing.T) {
	b := newBrowser(t)
	a := newApplicant(t, true)
	d := a.create(a.form("new", "central"))
	d.take(d.call("handler", "POST", d.path("/attachments?kind=identity"), bytes.NewReader(scanOf(t, 26)), asPDF, "If-Match: "+d.tag).is(201))
	d.attach("credit-code", card(t))
	one := "/office/applications/" + d.ID
	handler := a.signIn("handler")

	// Some pages come at once, from where one asks; nothing lies behind the last, and what is no number is the first.
	look := one + "/scans/" + d.Attachments[0].ID + "/look"
	for from, want := range map[string]int{"": 10, "x": 10, "-5": 10, "11": 10, "21": 6, "26": 1, "27": 0, "999999999": 0} {
		var seen struct {
			Pages []struct{ Height int }
			All   int
		}
		must(t, json.Unmarshal(a.post(handler, look, url.Values{"from": {from}}).is(200).body, &seen))
		if len(seen.Pages) != want || seen.All != 26 {
			t.Errorf("from %q: %d of %d", from, len(seen.Pages), seen.All)
		}
		if from == "21" && seen.Pages[0].Height != 520 {
			t.Errorf("page 21 is %d high", seen.Pages[0].Height)
		}
	}
	if history := string(a.page(handler, one).is(200).body); !strings.Contains(history, "，第 21 页起") {
		t.Error("what was looked at is not on record")
	}

	b.openAs(a.world, "handler", one, 1024, 768)
	evaluate[bool](b, `(window.looks = 0, window.real = window.fetch, window.fetch = (...a) => { window.looks++; return window.real(...a); }, true)`)
	shows := func(page, looks int) {
		t.Helper()
		b.do(chromedp.WaitVisible(chromedp.CSS(fmt.Sprintf(`[data-stage][data-shown="%d"] img`, page))))
		if high, n := evaluate[int](b, `document.querySelector("[data-stage] img").naturalHeight`), evaluate[int](b, `window.looks`); high != 499+page || n != looks {
			t.Errorf("page %d: %d high after %d looks, want %d", page, high, n, looks)
		}
	}
	press := func(key string) { t.Helper(); b.do(chromedp.SendKeys(chromedp.CSS("[data-stage]"), key)) }
	b.do(chromedp.Click(chromedp.CSS(`[data-scan="` + d.Attachments[0].ID + `"]`)))
	shows(1, 1)
	press(kb.PageDown)
	shows(2, 1)
	press(kb.End)
	shows(26, 2)
	b.screenshot("office-scan-last")
	press(kb.PageDown) // there is none
	shows(26, 2)
	press(kb.Home)
	shows(1, 2)
	b.do(chromedp.SetValue(chromedp.CSS("[data-page]"), "15"), chromedp.SendKeys(chromedp.CSS("[data-page]"), kb.Enter))
	shows(15, 3)
	b.do(chromedp.Click(chromedp.CSS(`[data-do="previous"]`)))
	shows(14, 3)
	if said := b.text("[data-all]"); said != "/ 26" {
		t.Errorf("of %s", said)
	}
	// Another scan, and back: what was fetched is there.
	b.do(chromedp.Click(chromedp.CSS(`[data-scan="`+d.Attachments[1].ID+`"]`)), chromedp.WaitVisible(chromedp.CSS(`[data-stage][data-shown="1"] img`)))
	if n := evaluate[int](b, `window.looks`); n != 4 {
		t.Errorf("%d looks", n)
	}
	b.do(chromedp.Click(chromedp.CSS(`[data-scan="` + d.Attachments[0].ID + `"]`)))
	shows(1, 4)
}
