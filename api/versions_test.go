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

	"github.com/chromedp/chromedp"

	"yinxin/api/web"
	"yinxin/fixtures"
	"yinxin/sealer/pdf"
	"yinxin/sealer/verify/versions"
)

// amount is drawn over a page by a forger.
const amount = "0.9 0.9 0.9 rg 100 400 200 60 re f"

// compared is what the comparison of a file gives.
func (w *world) compared(data []byte) *versions.Comparison {
	w.t.Helper()
	return got(versions.Compare(context.Background(), w.sealer.Viewer, bytes.NewReader(data), int64(len(data)), "1", "zh"))(w.t)
}

// sealedPages is a sealed file of so many pages.
func (w *world) sealedPages(pages int) []byte {
	w.t.Helper()
	original := got(fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: 3, Pages: pages}))(w.t)
	var done Sealing
	w.order("platform", fmt.Sprintf("pages-%d-%d", pages, time.Now().UnixNano()), order(w.uploaded("platform", original).ID)).is(201).into(&done)
	return w.call("platform", "GET", "/v1/documents/"+done.Document.ID+"/content", nil).is(200).body
}

func TestTheVersionAsSealedStandsBesideLaterOnes(t *testing.T) {
	w := equipped(t)
	sealed := w.sealedPages(3)
	changed := overwritten(t, sealed, 2, amount)
	c := w.compared(changed)
	if len(c.Versions) != 1 || c.Size != int64(len(sealed)) || len(c.Versions[0].Pages) != 1 {
		t.Fatalf("%+v", c)
	}
	p := c.Versions[0].Pages[0]
	if p.Number != 2 || p.Missing != "" || p.Resized || p.Before == nil || p.After == nil {
		t.Fatalf("page %+v", p)
	}
	// What was drawn over the page covers 200 by 60 points, the text under it may be marked a little further.
	scale := 96.0 / 72
	height := float64(p.After.Height)
	if len(p.Areas) == 0 {
		t.Fatal("no difference is marked")
	}
	for _, a := range p.Areas {
		if x := float64(a.X) / scale; x < 90 || x+float64(a.Width)/scale > 312 {
			t.Errorf("marked from %.0f over %.0f pt across", x, float64(a.Width)/scale)
		}
		if y := (height - float64(a.Y)) / scale; y > 472 || y-float64(a.Height)/scale < 388 {
			t.Errorf("marked from %.0f over %.0f pt down", y, float64(a.Height)/scale)
		}
	}
	// A second forger: both versions are shown, each beside the one that was sealed.
	twice := w.compared(overwritten(t, changed, 3, amount))
	if len(twice.Versions) != 2 || twice.Versions[0].Pages[0].Number != 2 || twice.Versions[1].Pages[0].Number != 3 || !twice.Versions[1].Latest {
		t.Fatalf("%+v", twice)
	}
	many := changed
	for range 5 {
		many = overwritten(t, many, 1, amount)
	}
	if m := w.compared(many); len(m.Versions) != 4 || m.Left != 2 || m.Versions[3].Number != 7 {
		t.Fatalf("%d versions, %d left", len(m.Versions), m.Left)
	}
	if same := w.compared(sealed); len(same.Versions) != 0 {
		t.Fatalf("%+v", same)
	}
}

// withoutPage is a file whose catalog was exchanged for one that says the same but for an entry, so that no page is named.
func withoutPage(t *testing.T, data []byte) []byte {
	t.Helper()
	d := got(pdf.Open(context.Background(), bytes.NewReader(data), int64(len(data))))(t)
	root := d.Trailer().Get("Root").(pdf.Ref)
	catalog, _, err := d.Catalog()
	must(t, err)
	entries := "/OpenAction [ 1 0 R /Fit ]"
	for _, name := range []pdf.Name{"Pages", "AcroForm"} {
		if ref, ok := catalog.Get(name).(pdf.Ref); ok {
			entries += fmt.Sprintf(" /%s %d %d R", name, ref.Num, ref.Gen)
		}
	}
	return fixtures.AppendRevision(data, map[int]string{root.Num: "<< /Type /Catalog " + entries + " >>"},
		fmt.Sprintf("/Root %d %d R", root.Num, root.Gen), int(d.Trailer().Get("Size").(pdf.Integer)))
}

func TestAComparisonIsBounded(t *testing.T) {
	w := equipped(t)
	long := withoutPage(t, w.sealedPages(45))
	c := w.compared(long)
	v := c.Versions[len(c.Versions)-1]
	if !v.Cut || v.Looked != 40 {
		t.Errorf("cut %v after page %d", v.Cut, v.Looked)
	}
	short := w.compared(withoutPage(t, w.sealedPages(3)))
	if v := short.Versions[0]; v.Cut || v.Looked != 3 {
		t.Errorf("cut %v after page %d of 3", v.Cut, v.Looked)
	}
	// Time that runs out leaves what was done.
	ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
	defer cancel()
	if c, err := versions.Compare(ctx, w.sealer.Viewer, bytes.NewReader(long), int64(len(long)), "1", "zh"); err == nil && !c.Versions[0].Cut || err != nil && ctx.Err() == nil {
		t.Errorf("%+v, %v", c, err)
	}
	send := func(query string, data []byte) answer {
		body, contentType := formBody(t, "a.pdf", data)
		return w.call("", "POST", "/versions"+query, body, contentType, web.FragmentHeader+": 1")
	}
	send("?signature=1", w.sealedPages(1)).is(200)
	send("", long).is(400)
	send("?signature=9", long).is(404)
	send("?signature=1", fixtures.Tamper(w.sealedPages(1), 900)).is(422)
	for range cap(w.server.comparing.all) {
		w.server.comparing.all <- struct{}{}
	}
	send("?signature=1", long).is(503)
	for range cap(w.server.comparing.all) {
		<-w.server.comparing.all
	}
	if left := w.kept("scratch"); len(left) != 0 {
		t.Fatal(left)
	}
	status := 0
	for range 25 {
		if status = send("?signature=1", nil).status; status == 429 {
			break
		}
	}
	if status != 429 {
		t.Errorf("asking again and again ends with %d", status)
	}
}

func TestABrowserComparesTheVersions(t *testing.T) {
	b := newBrowser(t)
	w := equipped(t)
	dir := t.TempDir()
	changed := filepath.Join(dir, "改动.pdf")
	must(t, os.WriteFile(changed, overwritten(t, w.sealedPages(3), 2, amount), 0o600))
	for _, view := range []struct {
		shot          string
		width, height int64
		beside        bool
	}{{"versions-desktop", 1280, 900, true}, {"versions-phone", 390, 844, false}} {
		b.open(w.http.URL+"/?lang=zh", view.width, view.height)
		b.do(drop(changed), chromedp.WaitVisible(chromedp.CSS("button[data-versions]")))
		b.press("button[data-versions]")
		b.do(chromedp.WaitVisible(chromedp.CSS(".pair")))
		if text := b.text(".versions"); !strings.Contains(text, "盖章时") || !strings.Contains(text, "现在") || !strings.Contains(text, "第 2 页") || !strings.Contains(text, "红框") {
			t.Errorf("%s: %q", view.shot, text)
		}
		b.screenshot(view.shot)
		if evaluate[bool](b, `document.documentElement.scrollWidth > innerWidth`) {
			t.Errorf("%s: the page is wider than the screen", view.shot)
		}
		if beside := evaluate[bool](b, `(([a, b]) => a.top === b.top)([...document.querySelectorAll(".pair figure")].map((f) => f.getBoundingClientRect()))`); beside != view.beside {
			t.Errorf("%s: beside each other: %v", view.shot, beside)
		}
		if n := evaluate[int](b, `document.querySelectorAll(".pair rect").length`); n < 2 {
			t.Errorf("%s: %d frames", view.shot, n)
		}
	}
	// The service goes away: said in the card.
	w.http.Close()
	b.press("button[data-versions]")
	run(b, chromedp.Poll[bool](`document.querySelector(".versions").textContent.includes("连接中断")`))
}
