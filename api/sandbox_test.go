package api

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/internal/truetype"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/verify"
)

// withTrialKeys gives platform and clerk a sandbox key each, and the sealer a font.
func withTrialKeys(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := newWorld(t, change...)
	font, err := truetype.Find()
	if err != nil {
		t.Skip("no Chinese font is installed: ", err)
	}
	w.sealer.Font = font
	w.key("trial", "platform", NewKey{Label: "trial", Sandbox: true})
	return w
}

// used is how many uses were counted against the grants of a seal.
func (w *world) used() (n int) {
	w.t.Helper()
	must(w.t, w.db.Read().QueryRowContext(w.t.Context(), `SELECT SUM(used) FROM seal_grant`).Scan(&n))
	return n
}

func TestWhatASandboxKeySealsIsMarkedOnEveryPageAndInTheSignature(t *testing.T) {
	w := withTrialKeys(t)
	original := got(fixtures.PDF(fixtures.Shapes()[0], fixtures.PDFOptions{Pages: 3}))(t)
	o := order(w.uploaded("trial", original).ID)
	o["reason"] = "验收"
	before := w.used()
	var done Sealing
	w.order("trial", "k", o).is(201).into(&done)
	if len(done.Details.Marks) != 1 || done.Details.Marks[0].Kind != "seal" {
		t.Errorf("%+v", done.Details.Marks)
	}
	stored := w.call("trial", "GET", "/v1/documents/"+done.Document.ID+"/content", nil).is(200).body
	body, contentType := sealForm(t, "order", terms(), "file", original)
	atOnce := w.call("trial", "POST", sealFilePath, body, contentType, "Idempotency-Key: k").is(200).body
	for reason, sealed := range map[string][]byte{"测试 验收": stored, "测试": atOnce} {
		var report verify.Report
		w.call("", "POST", "/v1/verifications", bytes.NewReader(sealed), asPDF).is(200).into(&report)
		if len(report.Signatures) != 1 || report.Verdict != verify.Valid || report.Signatures[0].Reason != reason || report.Signatures[0].Coverage != verify.CoverageWhole {
			t.Errorf("%s: %+v", reason, report.Signatures)
		}
		form, formType := formBody(t, "a.pdf", sealed)
		if page := w.call("", "POST", "/", form, formType).is(200); !bytes.Contains(page.body, []byte(reason)) {
			t.Errorf("the page of the verifier does not say %s", reason)
		}
		w.saysTrial(sealed, 3)
	}
	if now := w.used(); now != before {
		t.Errorf("%d uses were counted", now-before)
	}
	var said int
	must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM ledger_event WHERE kind IN ('sealing.intended', 'sealing.released') AND entry LIKE '%"sandbox":"true"%'`).Scan(&said))
	if said != 4 {
		t.Errorf("the ledger says %d times that it was a trial", said)
	}
	// The real thing is unmarked, counted, and no repetition of a trial.
	w.order("platform", "k", o).problem(422, "sealing.key-reused")
	w.order("platform", "real", o).is(201).into(&done)
	w.order("trial", "real", o).problem(422, "sealing.key-reused")
	real := w.call("platform", "GET", "/v1/documents/"+done.Document.ID+"/content", nil).is(200).body
	w.saysTrial(real, 0)
	if now := w.used(); now != before+1 {
		t.Errorf("%d uses were counted", now-before)
	}
	// A sealed document is not marked afterwards.
	w.order("trial", "again", order(done.Document.ID)).problem(422, "pdf.watermark-signed")
}

// saysTrial holds the text of each page, as a reader of others takes it out, against what should be marked.
func (w *world) saysTrial(sealed []byte, pages int) {
	w.t.Helper()
	tool, err := exec.LookPath("mutool")
	if err != nil {
		w.t.Log("mutool is not installed: the marks on the pages were not looked for")
		return
	}
	path := filepath.Join(w.t.TempDir(), "sealed.pdf")
	must(w.t, os.WriteFile(path, sealed, 0o600))
	text := got(exec.CommandContext(w.t.Context(), tool, "draw", "-q", "-F", "txt", path).Output())(w.t)
	marked := 0
	for _, page := range strings.Split(string(text), "\f") {
		if strings.Contains(page, "测试") {
			marked++
		}
	}
	if marked != pages {
		w.t.Errorf("%d pages say 测试, not %d: %q", marked, pages, text)
	}
}

func TestASandboxKeyDoesNothingElse(t *testing.T) {
	w := withTrialKeys(t)
	open := map[string]bool{"POST /v1/documents": true, "GET /v1/documents": true, "GET /v1/documents/{id}": true, "GET /v1/documents/{id}/content": true,
		"POST /v1/sealings": true, "POST /v1/sealed-documents": true, "GET /v1/seals": true}
	for _, actor := range []string{"platform", "clerk", "registrar", "approver", "administrator", "auditor", "handler", "city", "requester"} {
		w.keys["trial of "+actor] = got(w.access.IssueKey(t.Context(), "administrator", actor, access.KeyTerms{Label: "trial", Only: access.Only{Sandbox: true}}))(t)
	}
	tried := 0
	for _, r := range w.server.rules {
		if r.who.anyone || r.who.terminal || r.who.page != nil {
			continue
		}
		route := r.method + " " + r.path
		if r.who.sandbox != open[route] {
			t.Errorf("%s: open to sandbox keys: %v", route, r.who.sandbox)
		}
		callers, _ := callersOf(route)
		for _, actor := range callers {
			if w.keys["trial of "+actor] == "" || open[route] {
				continue
			}
			tried++
			w.call("trial of "+actor, r.method, strings.ReplaceAll(r.path, "{id}", "d_none"), nil).problem(403, "access.key-sandbox")
		}
	}
	if tried < 100 {
		t.Errorf("only %d routes were tried", tried)
	}
	w.order("trial", "k", object{"document": "d_none", "seal": "29010000000099", "placement": object{"page": 1, "x": 20, "y": 20}}).problem(404, "seal.not-found")
	// What the caller writes does not make it real.
	d := w.uploaded("trial", onePage(t))
	for _, field := range []string{"sandbox", "Sandbox"} {
		o := order(d.ID)
		o[field] = false
		w.order("trial", "k", o).problem(422, "request.invalid")
	}
}

func TestTheDomainRefusesTrialsWhereTheyAreNotMade(t *testing.T) {
	w := withTrialKeys(t)
	trial := got(w.access.Authenticate(t.Context(), w.keys["trial"]))(t)
	d := w.uploaded("platform", onePage(t))
	_, err := w.sealer.Prepare(t.Context(), trial, sealer.Order{Document: d.ID, Seal: sealCode, Places: []sealer.Place{{Placement: pdf.Placement{Page: 1, X: 20, Y: 20}}}})
	if codeOf(err) != "access.key-sandbox" {
		t.Error(err)
	}
	if _, err := w.sealer.Complete(t.Context(), trial, "q_none", nil); codeOf(err) != "access.key-sandbox" {
		t.Error(err)
	}
	administrator := access.Actor{ID: "administrator", Only: access.Only{Sandbox: true}}
	if _, err := w.access.MakeKey(t.Context(), administrator, "platform", access.KeyTerms{Label: "real"}); codeOf(err) != "access.key-sandbox" {
		t.Error(err)
	}
	keys := got(w.access.Keys(t.Context(), "platform"))(t)
	if len(keys) != 2 || keys[0].Sandbox || !keys[1].Sandbox {
		t.Errorf("%+v", keys)
	}
}

func TestATrialThatFailsGivesNoUseBack(t *testing.T) {
	w := withTrialKeys(t)
	d := w.uploaded("platform", onePage(t))
	w.order("platform", "counted", order(d.ID)).is(201)
	before := w.used()
	w.sealer.Released = func(context.Context, *store.Tx, string, string, map[string]string) error { return errors.New("broken") }
	w.order("trial", "k", order(d.ID)).is(500)
	if now := w.used(); now != before {
		t.Errorf("a trial that failed changed the uses from %d to %d", before, now)
	}
	w.order("platform", "other", order(d.ID)).is(500)
	if now := w.used(); now != before {
		t.Errorf("an order that failed changed the uses from %d to %d", before, now)
	}
}
