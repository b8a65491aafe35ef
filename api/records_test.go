package api

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/proof"

	"yinxin/internal/ledger"
)

func TestASealingIsProvedToBeInTheLedger(t *testing.T) {
	w := newWorld(t)
	var done Sealing
	w.order("platform", "k", order(w.uploaded("platform", onePage(t)).ID)).is(201).into(&done)
	var record SealingRecord
	w.call("platform", "GET", "/v1/sealings/"+done.ID, nil).is(200).into(&record)
	if record.State != "released" || record.Document != done.Document.ID || record.Original != done.Original || record.Finished.IsZero() {
		t.Errorf("%+v", record)
	}
	w.call("platform", "GET", "/v1/sealings/"+done.ID+"/proofs", nil).problem(503, "ledger.pending")
	got(w.server.Ledger.Sequence(t.Context()))(t)

	checkpoint := w.call("", "GET", "/v1/ledger/checkpoint", nil).is(200)
	var proofs struct{ Proofs []LedgerProof }
	w.call("platform", "GET", "/v1/sealings/"+done.ID+"/proofs", nil).is(200).into(&proofs)
	if len(proofs.Proofs) != 2 {
		t.Fatalf("%+v", proofs)
	}
	c := got(w.server.Ledger.Checkpoint(t.Context()))(t)
	for _, p := range proofs.Proofs {
		leaf := got(base64.StdEncoding.DecodeString(p.Entry.Leaf))(t)
		if p.Checkpoint != string(checkpoint.body) || !strings.Contains(string(leaf), done.ID) {
			t.Errorf("%s", p.Checkpoint)
		}
		must(t, proof.VerifyInclusion(ledger.Hasher{}, uint64(p.Entry.Position), uint64(c.Size), ledger.Hasher{}.HashLeaf(leaf), p.Hashes, c.Root))
	}
	for _, other := range []string{"clerk", "stranger"} {
		w.call(other, "GET", "/v1/sealings/"+done.ID, nil).problem(404, "sealing.not-found")
		w.call(other, "GET", "/v1/sealings/"+done.ID+"/proofs", nil).problem(404, "sealing.not-found")
	}
	w.call("auditor", "GET", "/v1/sealings/"+done.ID+"/proofs", nil).is(200)

	var entries struct{ Entries []LedgerEntry }
	w.call("auditor", "GET", "/v1/ledger/entries?from=1&limit=2", nil).is(200).into(&entries)
	if len(entries.Entries) != 2 || entries.Entries[0].Position != 1 {
		t.Errorf("%+v", entries)
	}
	var consistency struct{ Hashes [][]byte }
	w.call("auditor", "GET", "/v1/ledger/consistency?from=1&to=2", nil).is(200).into(&consistency)
	if len(consistency.Hashes) == 0 {
		t.Error("no proof")
	}
	w.call("auditor", "GET", "/v1/ledger/consistency?from=3&to=2", nil).problem(400, "request.invalid")
}

func TestTheStateOfASealAtATime(t *testing.T) {
	w := newWorld(t)
	before := time.Now()
	must(t, w.register.Suspend(t.Context(), w.people[0], sealCode, "张三 reported it lost"))
	var s SealStatus
	now := w.call("clerk", "GET", "/v1/seals/"+sealCode+"/status", nil).is(200)
	now.into(&s)
	if s.State != "suspended" || s.Label != "已停用" || strings.Contains(string(now.body), "张三") {
		t.Errorf("%s", now.body)
	}
	w.call("clerk", "GET", "/v1/seals/"+sealCode+"/status?at="+url.QueryEscape(before.Format(time.RFC3339Nano)), nil).is(200).into(&s)
	if s.State != "active" || s.Since.IsZero() {
		t.Errorf("%+v", s)
	}
	w.call("clerk", "GET", "/v1/seals/00000000000000/status", nil).problem(404, "seal.not-found")
	w.call("clerk", "GET", "/v1/seals/1/status", nil).problem(422, "request.invalid")
}
