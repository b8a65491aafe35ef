package api

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"mime/multipart"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/ledger"
	"yinxin/internal/login"
	"yinxin/internal/store"
)

// exported is a list as a file, without its head.
func (w *world) exported(cookie, path string) [][]string {
	w.t.Helper()
	body := w.call("", "GET", path, nil, "Cookie: "+cookie).is(200).body
	rows := got(csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff")))).ReadAll())(w.t)
	return rows[1:]
}

func TestAnAuditorFindsEntriesOfTheLedger(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	ctx := t.Context()
	var done Sealing
	w.order("clerk", "first", order(w.uploaded("clerk", onePage(t)).ID)).is(201).into(&done)
	w.sealedFile() // by the platform
	must(t, w.server.Login.SetPassword(ctx, access.Actor{ID: "administrator"}, "clerk", "first-password-of-many"))
	_, _, err := w.server.Login.ByPassword(ctx, "clerk", "wrong", login.Origin{})
	if codeOf(err) != "login.refused" {
		t.Fatal(err)
	}
	got(w.server.Ledger.Sequence(ctx))(t)
	cookie := w.signIn("auditor")
	today := civil.Day(time.Now())
	for query, want := range map[string]string{
		"kind=sealing&actor=clerk":                              "sealing.released sealing.intended",
		"kind=sealing&actor=platform&from=" + today:             "sealing.released sealing.intended",
		"kind=sealing&until=2020-01-01":                         "",
		"digest=" + strings.ToUpper(done.Document.SM3):          "sealing.released",
		"digest=" + strings.ToUpper(done.Document.SM3[:60]):     "",
		"seal=" + sealCode + "&kind=seal":                       "seal.active seal.put-into-use seal.made seal.intended",
		"seal=" + sealCode + "&kind=sealing&actor=clerk":        "sealing.released sealing.intended",
		"outcome=failed&kind=login":                             "login.refused",
		"outcome=done&kind=login":                               "login.password-set",
		"outcome=failed&actor=platform":                         "",
		"seal=29990000000099":                                   "",
		"kind=grant&seal=" + sealCode + "&actor=approver":       "grant.allowed grant.allowed",
		"kind=grant&seal=" + sealCode + "&from=2020-01-01":      "grant.allowed grant.allowed",
		"kind=grant&seal=" + sealCode + "&digest=" + today[:4]:  "",
		"kind=document&actor=clerk&outcome=done&from=" + today:  "document.received",
		"kind=document&actor=nobody&outcome=done&from=" + today: "",
	} {
		var kinds []string
		for _, row := range w.exported(cookie, "/audit/ledger?format=csv&"+query) {
			words := strings.Fields(row[2])
			kinds = append(kinds, words[len(words)-1])
		}
		if found := strings.Join(kinds, " "); found != want {
			t.Errorf("%s: %s, want %s", query, found, want)
		}
	}
	if a := w.call("", "GET", "/audit/ledger?from=yesterday", nil, "Cookie: "+cookie); a.status != 400 || !bytes.Contains(a.body, []byte("page.day")) {
		t.Errorf("%d", a.status)
	}
	// Every entry is on one of the pages, once.
	var positions []string
	for next := "/audit/ledger"; next != ""; {
		page := string(w.call("", "GET", next, nil, "Cookie: "+cookie).is(200).body)
		for _, part := range strings.Split(page, `<td class="number" data-label="序号">`)[1:] {
			number, _, _ := strings.Cut(part, "<")
			positions = append(positions, number)
		}
		_, rest, more := strings.Cut(page, `rel="next" href="`)
		next, _, _ = strings.Cut(rest, `"`)
		if next = strings.ReplaceAll(next, "&amp;", "&"); more {
			next = "/audit/ledger" + next
		}
	}
	size := got(w.server.Ledger.Checkpoint(ctx))(t).Size
	if len(positions) != int(size) || positions[0] != fmt.Sprint(size-1) || positions[len(positions)-1] != "0" || len(slices.Compact(positions)) != int(size) {
		t.Errorf("%d of %d entries: %v", len(positions), size, positions)
	}

	b.openAs(w, "auditor", "/audit/ledger?kind=sealing&actor=clerk", 1024, 900)
	b.screenshot("audit-ledger-filtered")
	b.leave(".ledger tbody a")
	b.do(chromedp.Click(chromedp.CSS("#content details summary")), chromedp.WaitVisible(chromedp.CSS("pre.code")))
	text := b.text("#content")
	for _, word := range []string{"日志未被改动", "sealing.released", done.Document.SM3, "人员", "叶摘要", "yinxin-ledger/"} {
		if !strings.Contains(text, word) {
			t.Errorf("the entry does not say %q: %s", word, text)
		}
	}
	b.screenshot("audit-entry")
	b.leave(`#content a[href="/audit/sealings/` + done.ID + `"]`)
	text = b.text("#content")
	for _, word := range []string{"第 1 页", "距左", done.Document.SM3, "clerk", "云山市", "不限次数", "审批", "批准 approver", "copy.pdf"} {
		if !strings.Contains(text, word) {
			t.Errorf("the sealing does not say %q: %s", word, text)
		}
	}
	b.screenshot("audit-sealing-whole")
	b.leave(`#content .facts a[href^="/office/approvals/"]`)
	if text := b.text("#content"); !strings.Contains(text, "registrar") || !strings.Contains(text, "用印授权") {
		t.Errorf("the approval says %q", text)
	}
}

// checked sends the form of the page that compares checkpoints, with the checkpoint as text or as a file.
func (w *world) checked(cookie, note string, file bool, whole string) answer {
	w.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if file {
		part := got(form.CreateFormFile("file", "kept.txt"))(w.t)
		got(part.Write([]byte(note)))(w.t)
		note = ""
	}
	must(w.t, form.WriteField("note", note))
	if whole != "" {
		must(w.t, form.WriteField("whole", whole))
	}
	must(w.t, form.Close())
	return w.call("", "POST", "/audit/check", &body, "Content-Type: "+form.FormDataContentType(), "Cookie: "+cookie)
}

func TestAnAuditorHoldsTheLedgerAgainstAKeptCheckpoint(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	ctx := t.Context()
	cookie := w.signIn("auditor")
	got(w.server.Ledger.Sequence(ctx))(t)
	kept := string(w.call("", "GET", "/v1/ledger/checkpoint", nil).is(200).body)
	w.sealedFile()
	got(w.server.Ledger.Sequence(ctx))(t)
	holds := func(a answer, whole bool) {
		t.Helper()
		if a.status != 200 || !bytes.Contains(a.body, []byte(`data-check="holds"`)) || !bytes.Contains(a.body, []byte("日志未被改动 ✔")) || bytes.Contains(a.body, []byte(`id="whole"`)) != whole {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	holds(w.checked(cookie, kept, false, ""), false)
	holds(w.checked(cookie, strings.ReplaceAll(strings.TrimSpace(kept), "\n", "\r\n"), false, ""), false) // as a browser sends it
	holds(w.checked(cookie, kept, true, "1"), true)
	for note, code := range map[string]string{"": "audit.no-checkpoint", " \n": "audit.no-checkpoint", "anything": "ledger.checkpoint", strings.Replace(kept, "time 2", "time 3", 1): "ledger.checkpoint",
		strings.Repeat("x", 60<<10): "ledger.checkpoint"} {
		if a := w.checked(cookie, note, false, ""); a.status != 400 || !bytes.Contains(a.body, []byte(`data-code="`+code+`"`)) || bytes.Contains(a.body, []byte("data-check")) {
			t.Errorf("%.20q: %d %.2000s", note, a.status, a.body)
		}
	}
	w.post(cookie, "/audit/check", url.Values{"note": {kept}}).is(400) // not the form of the page

	file := filepath.Join(t.TempDir(), "checkpoint.txt")
	must(t, os.WriteFile(file, []byte(kept), 0o600))
	b.openAs(w, "auditor", "/audit/check", 1024, 900)
	b.screenshot("audit-check")
	b.do(chromedp.SetUploadFiles(chromedp.CSS(`input[type="file"]`), []string{file}))
	b.leave("form .button")
	if text := b.text("#content"); !strings.Contains(text, "日志未被改动 ✔") || !strings.Contains(text, "其后只有追加") {
		t.Errorf("the page says %q", text)
	}
	b.screenshot("audit-check-holds")
	evaluate[bool](b, fmt.Sprintf(`(document.querySelector("textarea").value = %q, document.querySelector("[name=whole]").checked = true)`, kept))
	b.leave("form .button")
	b.do(chromedp.WaitVisible(chromedp.CSS(`[data-check="holds"] #whole`)))

	// A changed entry is seen by who goes through all of them.
	change := func(from, to string) {
		t.Helper()
		must(t, w.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE ledger_event SET entry = replace(entry, $1, $2) WHERE position = 1`, from, to)
			return err
		}))
	}
	change(`"kind":"`, `"kind":"x`)
	a := w.checked(cookie, kept, false, "1")
	if a.status != 200 || !bytes.Contains(a.body, []byte(`data-check="broken"`)) || !bytes.Contains(a.body, []byte("entry-changed")) || bytes.Contains(a.body, []byte("日志未被改动 ✔")) {
		t.Errorf("%d %s", a.status, a.body)
	}
	change(`"kind":"x`, `"kind":"`)

	// The end of the ledger is gone with its checkpoints: whoever kept one sees it, and a restore from a backup is told.
	newest := string(w.call("", "GET", "/v1/ledger/checkpoint", nil).is(200).body)
	keptSize := got(ledger.ParseCheckpoint(kept, w.ledgerKey))(t).Size
	must(t, w.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM ledger_checkpoint WHERE size > $1`, keptSize)
		return err
	}))
	a = w.checked(cookie, newest, false, "")
	if !bytes.Contains(a.body, []byte(`notice bad`)) || !bytes.Contains(a.body, []byte("日志缺少条目")) || !bytes.Contains(a.body, []byte("立即报告")) {
		t.Errorf("%s", a.body)
	}
	at := got(ledger.ParseCheckpoint(newest, w.ledgerKey))(t).Time
	must(t, w.db.Write(ctx, func(tx *store.Tx) error {
		_, err := w.server.Ledger.Append(ctx, tx, ledger.Event{Time: at.Add(time.Hour), Kind: ca.KindRestored, Actor: "administrator",
			Data: map[string]string{"made": store.Time(at.Add(-time.Hour)), "size": "3", "manifest": strings.Repeat("0", 64)}})
		return err
	}))
	// It has its place in the tree, whose head is not signed: the checkpoint in force is still the shorter one.
	must(t, w.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE ledger_event SET position = (SELECT MAX(position) + 1 FROM ledger_event) WHERE kind = $1`, ca.KindRestored)
		return err
	}))
	b.openAs(w, "auditor", "/audit/check", 1024, 900)
	evaluate[bool](b, fmt.Sprintf(`(document.querySelector("textarea").value = %q, true)`, newest))
	b.leave("form .button")
	if text := b.text(`[data-check="broken"]`); !strings.Contains(text, "日志缺少条目") || !strings.Contains(text, "的备份恢复") {
		t.Errorf("the page says %q", text)
	}
	b.screenshot("audit-check-restored")
}

func TestAnAuditorSeesUseByUnitSealAndMonth(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	w.sealedFile()
	// Earlier uses, of the same seal and of another archive's.
	must(t, w.db.Write(t.Context(), func(tx *store.Tx) error {
		for i := range 12 {
			at := time.Now().AddDate(0, -i%7, 0).Add(-time.Minute)
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO sealing (id, caller, idempotency_key, request_digest, document_id, seal_code, instance_id, grant_id, signing_time, data_hash,
				byte_range, state, intended_at, lease_until, details, sandbox, result_id) SELECT $1, caller, $1, '', document_id, $2, instance_id, grant_id, signing_time, data_hash, byte_range, 'released', $3, lease_until, details, 0,
				result_id FROM sealing WHERE state = 'released' LIMIT 1`, fmt.Sprint("earlier-", i), map[bool]string{true: sealCode, false: "29020000000025"}[i%3 > 0], store.Time(at)); err != nil {
				return err
			}
		}
		return nil
	}))
	cookie := w.signIn("auditor")
	month := civil.Day(time.Now())[:7]
	for path, want := range map[string][][]string{
		"/audit/use?format=csv":                                    {{"临江省云山市档案馆", "9", "69.2 %"}, {"29020000000025", "4", "30.8 %"}},
		"/audit/use/seals?format=csv":                              {{"临江省云山市档案馆", sealCode, "临江省云山市档案馆", "9", "69.2 %"}, {"29020000000025", "29020000000025", "", "4", "30.8 %"}},
		"/audit/use/months?format=csv&from=2020-01&until=2020-02":  {{"2020-01", "0", "0.0 %"}, {"2020-02", "0", "0.0 %"}},
		"/audit/use/months?format=csv&from=" + month:               {{month, "3", "100.0 %"}},
		"/audit/use/seals?format=csv&from=2020-01&until=2021-12":   nil,
		"/audit/use/seals?format=csv&from=2020-01&until=" + month:  {{"临江省云山市档案馆", sealCode, "临江省云山市档案馆", "9", "69.2 %"}, {"29020000000025", "29020000000025", "", "4", "30.8 %"}},
		"/audit/use?format=csv&from=2020-01&until=2020-01&other=1": nil,
	} {
		if rows := w.exported(cookie, path); fmt.Sprint(rows) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", path, rows, want)
		}
	}
	for _, bad := range []string{"from=2026-13", "from=2026-02&until=2026-01", "from=1990-01", "until=x"} {
		if a := w.call("", "GET", "/audit/use?"+bad, nil, "Cookie: "+cookie); a.status != 400 || !bytes.Contains(a.body, []byte("audit.month")) {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
	for _, path := range []string{"/audit/use", "/audit/use/seals", "/audit/use/months", "/audit/use/months?from=2023-01"} {
		b.openAs(w, "auditor", path, 1024, 768)
		b.screenshot("audit-use" + strings.NewReplacer("/", "-", "?", "-", "=", "-").Replace(strings.TrimPrefix(path, "/audit/use")))
		// The bars are as long as their numbers say.
		drawn := evaluate[[][]float64](b, `[...document.querySelectorAll(".chart .bar")].map((g) => {
			const r = g.querySelector("rect"); return [Number(g.querySelector("title").textContent.split(": ")[1]), Number(r.getAttribute(g.classList.contains("column") ? "height" : "width"))] })`)
		if len(drawn) == 0 {
			t.Fatalf("%s: no bars", path)
		}
		most := slices.MaxFunc(drawn, func(a, b []float64) int { return int(a[0] - b[0]) })
		for _, d := range drawn {
			if want := most[1] * d[0] / most[0]; d[1] < want-1.5 || d[1] > want+1.5 {
				t.Errorf("%s: %g uses are drawn %g long, want %.1f", path, d[0], d[1], want)
			}
		}
		if over := evaluate[float64](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("%s: %g px beyond the window", path, over)
		}
	}
}
