package api_test

import (
	"bytes"
	"io"
	"testing"

	"yinxin/api"
	"yinxin/api/client"
	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
)

func TestOfficersProgramsEndCertificatesByTwo(t *testing.T) {
	s := api.Serve(t)
	ctx, registrar, approver := t.Context(), caller(t, s, "registrar"), caller(t, s, "approver")
	list, _, err := registrar.Certificates(ctx, client.CertificateFilter{Profile: "institution", Name: s.Seal})
	if err != nil || len(list) != 1 || list[0].State != "good" || list[0].PEM != "" {
		t.Fatalf("%+v %v", list, err)
	}
	// Pages of one are gone through to the end.
	f, seen := client.CertificateFilter{Limit: 1}, 0
	for {
		some, next, err := registrar.Certificates(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		if seen += len(some); next == "" {
			break
		}
		f.After = next
	}
	if all, _, err := registrar.Certificates(ctx, client.CertificateFilter{}); err != nil || len(all) != seen || seen < 3 {
		t.Errorf("%d of %d: %v", seen, len(all), err)
	}
	serial := list[0].Serial
	if whole := got(registrar.Certificate(ctx, serial))(t); whole.Serial != serial || whole.PEM == "" {
		t.Errorf("%+v", whole)
	}
	asked := got(registrar.RequestCertificateChange(ctx, serial, api.CertificateChange{Change: "suspend"}))(t)
	if open, _, err := approver.Approvals(ctx, ""); err != nil || len(open) != 1 || open[0].ID != asked.ID {
		t.Errorf("%+v %v", open, err)
	}
	if err := registrar.Approve(ctx, asked.ID); fault.CodeOf(err) != "request.denied" {
		t.Errorf("the one who asked: %v", err)
	}
	if err := approver.Reject(ctx, asked.ID, "先核实"); err != nil {
		t.Error(err)
	}
	if a := got(approver.Approval(ctx, asked.ID))(t); a.State != "rejected" || a.Subject == nil {
		t.Errorf("%+v", a)
	}
	if held := got(registrar.HoldCertificate(ctx, serial, "与单位电话核实"))(t); held.State != "held" {
		t.Errorf("%+v", held)
	}
	asked = got(registrar.RequestCertificateChange(ctx, serial, api.CertificateChange{Change: "revoke", Reason: 4}))(t)
	if _, err := registrar.ChangeCertificate(ctx, serial, asked.ID); err == nil {
		t.Error("carried out without the second person")
	}
	if err := approver.Approve(ctx, asked.ID); err != nil {
		t.Fatal(err)
	}
	if ended := got(registrar.ChangeCertificate(ctx, serial, asked.ID))(t); ended.State != "revoked" || *ended.Reason != 4 {
		t.Errorf("%+v", ended)
	}
	if _, _, err := caller(t, s, "platform").Certificates(ctx, client.CertificateFilter{}); fault.CodeOf(err) != "request.denied" {
		t.Error(err)
	}
}

func TestAnAdministratorsProgramMakesAndEndsKeys(t *testing.T) {
	s := api.Serve(t)
	ctx, c := t.Context(), caller(t, s, "administrator")
	made := got(c.MakeKey(ctx, "platform", api.NewKey{Label: "平台二", Scopes: []string{"sealing"}}))(t)
	program := got(client.New(s.URL, made.Secret))(t)
	got(program.Seals(ctx))(t)
	for _, k := range got(c.Keys(ctx, "platform"))(t) {
		if k.Label != "平台二" {
			continue
		}
		if err := c.EndKey(ctx, "platform", k.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := program.Seals(ctx); fault.CodeOf(err) != "access.unknown-key" {
		t.Error(err)
	}
}

func TestALedgerIsSeenToContinueAndToBeRewritten(t *testing.T) {
	s := api.Serve(t)
	ctx, c := t.Context(), caller(t, s, "platform")
	sequenced := func() ledger.Checkpoint {
		got(c.Upload(ctx, "a.pdf", reader{bytes.NewReader(document(t))}, -1))(t)
		if err := s.Sequence(); err != nil {
			t.Fatal(err)
		}
		return got(c.Checkpoint(ctx, s.Ledger))(t)
	}
	kept := sequenced()
	newer := sequenced()
	if now := got(c.Continued(ctx, kept, s.Ledger))(t); now.Size != newer.Size || now.Size <= kept.Size {
		t.Errorf("%d, %d, %d", kept.Size, now.Size, newer.Size)
	}
	changed := kept
	changed.Root = bytes.Clone(kept.Root)
	changed.Root[0] ^= 1
	longer := newer
	longer.Size++
	for _, other := range []ledger.Checkpoint{changed, longer} {
		if _, err := c.Continued(ctx, other, s.Ledger); fault.CodeOf(err) != "server.ledger-rewritten" {
			t.Errorf("%d: %v", other.Size, err)
		}
	}
}

func TestAProgramListsWhatItAskedFor(t *testing.T) {
	s := api.Serve(t)
	ctx, c := t.Context(), caller(t, s, "platform")
	d := got(c.Upload(ctx, "a.pdf", bytes.NewReader(document(t)), -1))(t)
	terms := api.SealingTerms{Seal: s.Seal, Invisible: true}
	b := got(c.CreateBatch(ctx, client.Key(), "一份", terms, []client.BatchFile{{Document: d.ID}}))(t)
	if list, next, err := c.Batches(ctx, ""); err != nil || len(list) != 1 || list[0].ID != b.ID || next != "" {
		t.Errorf("%+v %q %v", list, next, err)
	}
	if list, _, err := c.Batches(ctx, b.ID); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
	sealed := got(c.Seal(ctx, client.Key(), api.SealingOrder{Document: d.ID, SealingTerms: terms}))(t)
	if lasting := got(c.Extend(ctx, sealed.Document.ID))(t); lasting.Size <= sealed.Document.Size {
		t.Errorf("%+v", lasting)
	}
	s.USBKey()
	clerk := caller(t, s, "clerk")
	own := got(clerk.Upload(ctx, "a.pdf", bytes.NewReader(document(t)), -1))(t)
	task := got(clerk.AskClerk(ctx, client.Key(), client.NewKeyTask{Order: &terms, Items: []client.KeyTaskItem{{Document: own.ID}}}))(t)
	if list, _, err := clerk.KeyTasks(ctx, ""); err != nil || len(list) != 1 || list[0].ID != task.ID {
		t.Errorf("%+v %v", list, err)
	}
	if got(clerk.RetryKeyTask(ctx, task.ID))(t).State != "open" || got(clerk.CancelKeyTask(ctx, task.ID))(t).State != "cancelled" {
		t.Error("not cancelled")
	}
	hook := got(c.AddWebhook(ctx, "http://127.0.0.1:9/", "sealing.released"))(t)
	if err := c.PingWebhook(ctx, hook.ID); err != nil {
		t.Fatal(err)
	}
	calls := got(c.Deliveries(ctx, hook.ID))(t)
	if len(calls) != 1 || calls[0].Kind != "ping" {
		t.Fatalf("%+v", calls)
	}
	if err := c.Redeliver(ctx, hook.ID, "v_other"); fault.CodeOf(err) != "webhook.not-found" {
		t.Error(err)
	}
}

func TestAnArchiveChangesItsMindThroughTheClient(t *testing.T) {
	s := api.Serve(t)
	ctx, asks, holds := t.Context(), caller(t, s, "stranger"), caller(t, s, "clerk")
	archive := fixtures.Archive("云山市").Name
	if list := got(asks.IssuanceArchives(ctx))(t); len(list) == 0 {
		t.Error("nobody can be asked")
	}
	open := func() api.Issuance {
		return got(asks.OpenIssuance(ctx, client.Key(), client.NewIssuance{Holding: archive,
			Applicant: api.Applicant{Name: "欧阳明月", Identity: "220102199003072326", Purpose: "办理退休手续", Sought: "招工审批表"}}))(t)
	}
	first, second := open(), open()
	if list, _, err := holds.Issuances(ctx, client.IssuanceFilter{Side: "in", State: "requested"}); err != nil || len(list) != 2 {
		t.Errorf("%+v %v", list, err)
	}
	if list, _, err := holds.Issuances(ctx, client.IssuanceFilter{After: second.ID}); err != nil || len(list) != 1 || list[0].ID != first.ID {
		t.Errorf("%+v %v", list, err)
	}
	if c := got(asks.CancelIssuance(ctx, first.ID))(t); c.State != "cancelled" {
		t.Errorf("%+v", c)
	}
	got(holds.AnswerIssuance(ctx, second.ID, client.Answer{Result: "found", Reference: &api.ArchivalReference{Fonds: "J021", File: "0137", Item: "0012", Pages: 3, Number: "J021-0137-0012"}}))(t)
	pages := got(fixtures.ArchivalCopy(7, 3))(t)
	if c := got(holds.AddIssuancePages(ctx, second.ID, "a.pdf", bytes.NewReader(pages), int64(len(pages))))(t); len(c.Parts) != 1 {
		t.Errorf("%+v", c)
	}
	if c := got(holds.ClearIssuancePages(ctx, second.ID))(t); len(c.Parts) != 0 {
		t.Errorf("%+v", c)
	}
	if _, err := holds.DiscardIssuance(ctx, second.ID); fault.CodeOf(err) == "internal" || err == nil {
		t.Errorf("nothing was composed: %v", err)
	}
	if err := asks.IssuedCopy(ctx, second.ID, io.Discard); fault.CodeOf(err) == "internal" || err == nil {
		t.Errorf("nothing was issued: %v", err)
	}
}
