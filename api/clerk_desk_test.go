package api

import (
	"bytes"
	"image"
	"image/draw"
	"image/png"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/sealer"
	"yinxin/sealer/intake"
	"yinxin/sealer/terminal/manifest"
)

// sealedFrom is what the clerk's page of a result says was sealed.
func (w *world) sealedFrom(address string) sealer.Recorded {
	w.t.Helper()
	id, _, _ := strings.Cut(strings.TrimPrefix(address, "/clerk/sealings/"), "?")
	return got(w.sealer.Recorded(w.t.Context(), access.Actor{ID: "clerk"}, id))(w.t)
}

func TestAClerkAcceptsWhatWasFound(t *testing.T) {
	b := newBrowser(t)
	w := equipped(t)
	w.sealer.Intake = intake.Policy{intake.CodeFields: intake.Refuse}
	cookie := w.signIn("clerk")
	data := got(fixtures.PDF(fixtures.ShapeFormWithFields, fixtures.PDFOptions{Seed: 1}))(t)
	at := w.opened(cookie, data)
	b.openAs(w, "clerk", at, 1280, 900)
	if found, box := b.text("#found"), b.text("#accept"); !strings.Contains(found, "须您确认") || !strings.Contains(found, "可填写的表单域") || !strings.Contains(box, "可填写的表单域") || !strings.Contains(box, string(intake.CodeFields)) {
		t.Errorf("found %q, to be accepted %q", found, box)
	}
	b.do(chromedp.WaitVisible(chromedp.CSS(".stamp.current")), chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#findings .notice")))
	if said := b.text("#findings"); !strings.Contains(said, "请先查看并确认") {
		t.Errorf("said %q", said)
	}
	b.screenshot("clerk-accept")
	evaluate[bool](b, `(document.querySelector("[name=profile]").value = "cms", document.querySelector("[name=accept]").click(), true)`)
	b.do(chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#sure-words")), chromedp.Click(chromedp.CSS(`#sure button[value="yes"]`)), chromedp.WaitVisible(chromedp.CSS("[download]")))
	r := w.sealedFrom(evaluate[string](b, `location.pathname`))
	if r.Details.Profile != sealer.ProfileCMS || len(r.Details.Findings) != 1 || r.Details.Findings[0].Code != intake.CodeFields {
		t.Errorf("sealed as %s with %v", r.Details.Profile, r.Details.Findings)
	}
	// The same without script: refused until it is accepted, and what was typed stays.
	order := url.Values{"key": {"no-script"}, "seal": {sealCode}, "page": {"1"}, "x": {"20"}, "y": {"30"}, "profile": {"cms-gm"}}
	a := w.post(cookie, at+"/seal", order)
	if a.status != 422 || !bytes.Contains(a.body, []byte(`data-code="intake.refused"`)) || !bytes.Contains(a.body, []byte(`value="cms-gm" selected`)) {
		t.Fatalf("%d %s", a.status, a.body)
	}
	order["accept"] = []string{string(intake.CodeFields)}
	if r := w.sealedFrom(w.post(cookie, at+"/seal", order).is(303).header.Get("Location")); r.Details.Profile != sealer.ProfileCMSGM {
		t.Errorf("sealed as %s", r.Details.Profile)
	}
	order["profile"] = []string{"rubber"}
	if a := w.post(cookie, at+"/seal", order); a.status != 400 {
		t.Errorf("a profile of their own: %d", a.status)
	}
}

func TestADeskForALongDocument(t *testing.T) {
	b := newBrowser(t)
	w := equipped(t)
	const pages = 760
	data := got(fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: 3, Pages: pages}))(t)
	b.openAs(w, "clerk", w.opened(w.signIn("clerk"), data), 1280, 900)
	b.do(chromedp.WaitVisible(chromedp.CSS(".stamp.current")))
	thumbs := func() string {
		t.Helper()
		return evaluate[string](b, `(() => { const all = [...document.querySelectorAll(".thumbs button")]; return all.length + " " + all[0].dataset.page + " " + (document.querySelector(".thumbs [aria-current]")?.dataset.page ?? "") })()`)
	}
	// The desk begins on the last page, in the last of four blocks.
	if shown := thumbs(); shown != "160 601 760" {
		t.Errorf("thumbnails: %s", shown)
	}
	evaluate[bool](b, `(() => { const s = document.getElementById("block"); s.value = "0"; s.dispatchEvent(new Event("change")); return true })()`)
	if shown := thumbs(); shown != "200 1 " {
		t.Errorf("thumbnails of another block: %s", shown)
	}
	b.do(chromedp.Click(chromedp.CSS(`.thumbs button[data-page="2"]`)), chromedp.Click(chromedp.CSS("#every")))
	b.screenshot("clerk-desk-long")
	if dots := evaluate[int](b, `document.querySelectorAll(".thumbs .sealed").length`); dots != 200 {
		t.Errorf("%d pages of the block have a dot", dots)
	}
	b.do(chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS("#sure-words")))
	if said := b.text("#sure-words"); !strings.Contains(said, "共 760 处") {
		t.Errorf("asked %q", said)
	}
	b.do(chromedp.Click(chromedp.CSS(`#sure button[value="yes"]`)), chromedp.WaitVisible(chromedp.CSS("[download]")))
	seen := map[int]bool{}
	for _, m := range w.sealedFrom(evaluate[string](b, `location.pathname`)).Details.Marks {
		seen[m.Page] = true
	}
	if len(seen) != pages {
		t.Errorf("sealed on %d pages", len(seen))
	}
	if written := evaluate[string](b, `import("/assets/clerk/thumbs.js").then(({ ranges }) => {
		const odd = Array.from({ length: 2000 }, (_, i) => 2 * i + 1), parts = ranges(odd);
		window.written = [ranges([1]), ranges([1, 2, 3, 5, 7, 8]), parts.length, Math.max(...parts.map((p) => p.length)) <= 4096, parts.join(",") === odd.join(",")].join(" ");
	}), ""`); written != "" {
		t.Fatal(written)
	}
	if written := run(b, chromedp.Poll[string](`window.written`)); written != "1 1-3,5,7-8 3 true true" {
		t.Errorf("ranges: %s", written)
	}
}

func TestAClerkIsToldWhereTheAgentIs(t *testing.T) {
	agents := t.TempDir()
	must(t, os.WriteFile(filepath.Join(agents, "yinxin-windows-amd64.exe"), []byte("a program"), 0o600))
	must(t, os.WriteFile(filepath.Join(agents, "secret.txt"), []byte("a secret"), 0o600))
	b := newBrowser(t)
	w := newWorld(t, func(c *Config) { c.Agents = agents })
	w.sealer.Viewer = equipped(t).sealer.Viewer
	cookie := w.signIn("clerk")
	at := w.opened(cookie, onePage(t))
	if desk := w.call("", "GET", at, nil, "Cookie: "+cookie).is(200); bytes.Contains(desk.body, []byte(`id="agent"`)) {
		t.Error("an agent is asked for where no seal is on a Key")
	}
	w.usbKey()
	var central string
	must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT id FROM seal_instance WHERE seal_code = $1 AND custody = 'central'`, sealCode).Scan(&central))
	must(t, w.db.Write(t.Context(), func(tx *store.Tx) error {
		return w.register.Withdraw(t.Context(), tx, w.people[0], central, "from now on with USB Keys")
	}))
	b.openAs(w, "clerk", at, 1280, 900)
	b.do(chromedp.WaitVisible(chromedp.CSS("#agent")))
	if said := b.text("#agent"); !strings.Contains(said, "未检测到签章助手") || !strings.Contains(said, "Windows") || strings.Contains(said, "Linux") {
		t.Errorf("said %q", said)
	}
	b.screenshot("clerk-agent")
	a := w.call("", "GET", "/account/agents/yinxin-windows-amd64.exe", nil, "Cookie: "+cookie).is(200)
	if string(a.body) != "a program" || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s %v", a.body, a.header)
	}
	for _, name := range []string{"secret.txt", "yinxin-linux-amd64", "..%2fsecret.txt", "%2e%2e"} {
		if a := w.call("", "GET", "/account/agents/"+name, nil, "Cookie: "+cookie); a.status != 404 || bytes.Contains(a.body, []byte("a secret")) {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	// Whose terminal was seen just now needs no other.
	box := w.newBox()
	b.openAs(w, "clerk", at, 1280, 900)
	if said := b.text("#agent"); !strings.Contains(said, "签章助手未连接") {
		t.Errorf("said %q", said)
	}
	box.send("GET", manifest.RouteSelf, nil).is(200)
	if desk := w.call("", "GET", at, nil, "Cookie: "+cookie).is(200); bytes.Contains(desk.body, []byte(`id="agent"`)) {
		t.Error("an agent is asked for that was seen")
	}
	none := newWorld(t)
	if page := none.call("", "GET", "/account/terminals", nil, "Cookie: "+none.signIn("clerk")).is(200); !bytes.Contains(page.body, []byte("由本系统的管理员提供")) {
		t.Errorf("%s", page.body)
	}
}

// inkAt is how many millimetres the seal stands from the right and from the lower edge of a page of a clerk's document, by
// the middle of the red ink in a drawing of 300 dpi. What lies nearer to the right edge than skip is not looked at.
func (w *world) inkAt(document string, page int, skip float64) (right, below float64) {
	w.t.Helper()
	clerk := access.Actor{ID: "clerk"}
	size := got(w.sealer.Pages(w.t.Context(), clerk, document))(w.t)[page-1]
	drawing := got(png.Decode(bytes.NewReader(got(w.sealer.Picture(w.t.Context(), clerk, document, page, 300))(w.t).PNG)))(w.t)
	perMM := float64(drawing.Bounds().Dx()) / size.Width
	red := redOf(drawing, drawing.Bounds().Dx()-int(skip*perMM))
	// The ink is not in the middle of the picture to the hair: where it is in the picture is taken off.
	picture := got(png.Decode(bytes.NewReader(drawn(w.t, fixtures.Archive("云山市").Name))))(w.t)
	flat := image.NewRGBA(picture.Bounds())
	draw.Draw(flat, flat.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(flat, flat.Bounds(), picture, picture.Bounds().Min, draw.Over)
	ink := redOf(flat, flat.Bounds().Dx())
	const side = 42.0
	scale := side / float64(flat.Bounds().Dx())
	middle := func(a, b int, by float64) float64 { return float64(a+b) / 2 * by }
	right = size.Width - middle(red.Min.X, red.Max.X, 1/perMM) - (side - middle(ink.Min.X, ink.Max.X, scale))
	below = size.Height - middle(red.Min.Y, red.Max.Y, 1/perMM) - (side - middle(ink.Min.Y, ink.Max.Y, scale))
	if over := math.Abs(float64(red.Dx())/perMM - float64(ink.Dx())*scale); over > .2 {
		w.t.Errorf("the seal is %.2f mm wider or narrower than it should be", over)
	}
	return right, below
}

// TestASealStandsWhereItWasLeft measures the ink: at three places, to a tenth of a millimetre.
func TestASealStandsWhereItWasLeft(t *testing.T) {
	w := equipped(t)
	cookie := w.signIn("clerk")
	at := w.opened(cookie, onePage(t))
	for i, want := range [][2]float64{{20, 30}, {33.33, 71.07}, {90.5, 150.25}} {
		order := url.Values{"key": {"measured-" + strconv.Itoa(i)}, "seal": {sealCode}, "page": {"1"}, "x": {strconv.FormatFloat(want[0], 'f', -1, 64)}, "y": {strconv.FormatFloat(want[1], 'f', -1, 64)}}
		r := w.sealedFrom(w.post(cookie, at+"/seal", order).is(303).header.Get("Location"))
		right, below := w.inkAt(r.Result, 1, 0)
		if math.Abs(right-want[0]) > .1 || math.Abs(below-want[1]) > .1 {
			t.Errorf("the seal stands %.2f mm from the right and %.2f from below, not %v", right, below, want)
		}
	}
}
