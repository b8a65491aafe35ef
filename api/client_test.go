package api_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"yinxin/api"
	"yinxin/api/client"
	"yinxin/ca/chain/chaintest"
	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/internal/truetype"
)

func got[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func document(t *testing.T) []byte {
	t.Helper()
	return got(fixtures.PDF(fixtures.Shapes()[0], fixtures.PDFOptions{}))(t)
}

func caller(t *testing.T, s api.Served, actor string) *client.Client {
	t.Helper()
	return got(client.New(s.URL+"/", s.Keys[actor]))(t)
}

func TestAProgramSealsThroughTheClient(t *testing.T) {
	s := api.Serve(t)
	c, ctx, data := caller(t, s, "platform"), t.Context(), document(t)
	terms := api.SealingTerms{Seal: s.Seal, Placement: &api.Placement{Page: 1, X: 20, Y: 20}}
	if seals := got(c.Seals(ctx))(t); len(seals) != 1 || !seals[0].Usable {
		t.Fatalf("%+v", seals)
	}
	if at := got(c.SealStatus(ctx, s.Seal, time.Time{}))(t); at.State != "active" {
		t.Errorf("%+v", at)
	}
	d := got(c.Upload(ctx, "复制件.pdf", bytes.NewReader(data), int64(len(data))))(t)
	if d.Name != "复制件.pdf" {
		t.Errorf("named %q", d.Name)
	}
	if p := got(c.Preview(ctx, api.PreviewOrder{SealingOrder: api.SealingOrder{Document: d.ID, SealingTerms: terms}, DPI: 30}))(t); len(p.Pages) != 1 {
		t.Errorf("%d pages", len(p.Pages))
	}
	key := client.Key()
	sealed := got(c.Seal(ctx, key, api.SealingOrder{Document: d.ID, SealingTerms: terms}))(t)
	if again := got(c.Seal(ctx, key, api.SealingOrder{Document: d.ID, SealingTerms: terms}))(t); again.ID != sealed.ID {
		t.Error("the same key sealed twice")
	}
	var out bytes.Buffer
	if err := c.Fetch(ctx, sealed.Document, &out); err != nil || !bytes.HasPrefix(out.Bytes(), data) {
		t.Fatal(err)
	}
	foreign := chaintest.Root(t, "外省根证书").Certificate.Raw
	if r := got(c.VerifyCertificates(ctx, "馆章.cer", time.Now().Add(-time.Minute), bytes.NewReader(foreign), int64(len(foreign))))(t); r.File != "馆章.cer" ||
		r.Certificates[0].Now.State != "untrusted" || r.Certificates[0].Then == nil {
		t.Errorf("%+v", r)
	}
	if r := got(c.Verify(ctx, "a.pdf", bytes.NewReader(out.Bytes()), int64(out.Len())))(t); r.Verdict != "valid" {
		t.Errorf("%s", r.Verdict)
	}
	var taken bytes.Buffer
	whole := bytes.Clone(out.Bytes())
	if err := c.AsSealed(ctx, "a.pdf", "1", bytes.NewReader(append(bytes.Clone(whole), '\n')), int64(len(whole)+1), &taken); err != nil || !bytes.Equal(taken.Bytes(), whole) {
		t.Errorf("%d bytes as sealed of %d, %v", taken.Len(), len(whole), err)
	}
	var once bytes.Buffer
	id := got(c.SealFile(ctx, client.Key(), "a.pdf", bytes.NewReader(data), terms, &once))(t)
	if record := got(c.Sealing(ctx, id))(t); record.State != "released" || !bytes.HasPrefix(once.Bytes(), data) || once.Len() == len(data) {
		t.Errorf("%+v", record)
	}
	// What the server refuses keeps its code and its sentences.
	_, err := c.Seal(ctx, client.Key(), api.SealingOrder{Document: d.ID, SealingTerms: api.SealingTerms{Seal: "29010000000099", Invisible: true}})
	if f, ok := fault.Of(err); !ok || f.Code != "seal.not-found" || f.Sentence("zh") == "" || f.Kind != fault.NotFound {
		t.Errorf("%v", err)
	}
	if _, err := caller(t, s, "auditor").Seals(ctx); fault.CodeOf(err) != "request.denied" {
		t.Errorf("%v", err)
	}
	if _, err := c.SealFile(ctx, client.Key(), "a.pdf", strings.NewReader("no PDF"), terms, io.Discard); fault.CodeOf(err) == "internal" {
		t.Errorf("%v", err)
	}
}

func TestAProgramFollowsABatch(t *testing.T) {
	s := api.Serve(t)
	running, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _ = s.Work.Run(running) }()
	c, ctx, data := caller(t, s, "platform"), t.Context(), document(t)
	var files []client.BatchFile
	for i := range 3 {
		content := data
		if i == 1 {
			content = []byte("%PDF-1.7 nothing")
		}
		d := got(c.Upload(ctx, "a.pdf", bytes.NewReader(content), int64(len(content))))(t)
		files = append(files, client.BatchFile{Document: d.ID, Reference: fmt.Sprint(i)})
	}
	b := got(c.CreateBatch(ctx, client.Key(), "三份", api.SealingTerms{Seal: s.Seal, Invisible: true}, files))(t)
	looks := 0
	b = got(c.Await(ctx, b.ID, 50*time.Millisecond, func(api.SealingBatch) { looks++ }))(t)
	if b.Sealed != 2 || b.Failed != 1 || looks == 0 {
		t.Errorf("%+v", b)
	}
	if failed := got(c.BatchFiles(ctx, b.ID, "failed", 0))(t); len(failed) != 1 || failed[0].Reference != "1" || failed[0].Failure == nil {
		t.Errorf("%+v", failed)
	}
	var results bytes.Buffer
	if err := c.BatchResults(ctx, b.ID, &results); err != nil || !bytes.HasPrefix(results.Bytes(), []byte("PK")) {
		t.Error(err)
	}
	if b = got(c.RetryBatch(ctx, b.ID))(t); b.State != "running" {
		t.Errorf("%+v", b)
	}
	if b = got(c.CancelBatch(ctx, b.ID))(t); b.State == "running" {
		t.Errorf("%+v", b)
	}
}

func TestTwoArchivesIssueThroughTheClient(t *testing.T) {
	if _, err := truetype.Find(); err != nil {
		t.Skip(err)
	}
	s := api.Serve(t)
	ctx := t.Context()
	asks, holds := caller(t, s, "stranger"), caller(t, s, "clerk")
	key := client.Key()
	wanted := client.NewIssuance{Holding: fixtures.Archive("云山市").Name, Applicant: api.Applicant{Name: "欧阳明月", Identity: "220102199003072326", Purpose: "办理退休手续", Sought: "招工审批表"}}
	c := got(asks.OpenIssuance(ctx, key, wanted))(t)
	if again := got(asks.OpenIssuance(ctx, key, wanted))(t); again.ID != c.ID {
		t.Error("opened twice")
	}
	got(holds.AnswerIssuance(ctx, c.ID, client.Answer{Result: "found", Reference: &api.ArchivalReference{Fonds: "J021", File: "0137", Item: "0012", Pages: 3, Number: "J021-0137-0012"}}))(t)
	pages := got(fixtures.ArchivalCopy(7, 3))(t)
	got(holds.AddIssuancePages(ctx, c.ID, "a.pdf", bytes.NewReader(pages), int64(len(pages))))(t)
	got(holds.Issue(ctx, c.ID, s.Seal, false))(t)
	var issued bytes.Buffer
	if err := asks.IssuedCopy(ctx, c.ID, &issued); err != nil {
		t.Fatal(err)
	}
	got(asks.ReceiveIssuance(ctx, c.ID, bytes.NewReader(issued.Bytes()), int64(issued.Len())))(t)
	if c = got(asks.DeliverIssuance(ctx, c.ID, "printed", true))(t); c.State != "delivered" {
		t.Errorf("%s", c.State)
	}
	if c = got(holds.WithdrawIssuance(ctx, c.ID, "复制件有误"))(t); c.State != "withdrawn" {
		t.Errorf("%s", c.State)
	}
}

func TestABusyServerIsAskedAgainWhereThatIsSafe(t *testing.T) {
	calls := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls[r.Method+" "+r.URL.Path]++
		if calls[r.Method+" "+r.URL.Path] < 3 {
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"code":"service.busy","message":"忙","message_en":"busy"}`)
			return
		}
		fmt.Fprint(w, `{}`)
	}))
	defer server.Close()
	c := got(client.New(server.URL, "yx_secret"))(t)
	var waited []time.Duration
	c.Pause = func(_ context.Context, d time.Duration) error { waited = append(waited, d); return nil }
	if _, err := c.Seal(t.Context(), "k", api.SealingOrder{}); err != nil || len(waited) != 2 || waited[0] != 2*time.Second {
		t.Errorf("%v after %v", err, waited)
	}
	// An upload cannot be sent twice, and neither is a step without a key.
	if _, err := c.Upload(t.Context(), "a.pdf", strings.NewReader("x"), 1); fault.CodeOf(err) != "service.busy" || calls["POST /v1/documents"] != 1 {
		t.Errorf("%v, %v", err, calls)
	}
	if f, _ := fault.Of(func() error { _, err := c.CancelBatch(t.Context(), "b"); return err }()); f == nil || f.RetryAfter() != 2*time.Second || calls["POST /v1/sealing-batches/b/cancel"] != 1 {
		t.Errorf("%v, %v", f, calls)
	}
	server.Close()
	if _, err := c.Seals(t.Context()); fault.CodeOf(err) != "server.unreachable" || strings.Contains(err.Error(), "yx_secret") {
		t.Errorf("%v", err)
	}
	for _, address := range []string{"", "seal.example", "ftp://seal.example", "https://user:word@seal.example", "https://"} {
		if _, err := client.New(address, ""); fault.CodeOf(err) != "server.address" {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestAProgramProvesItsSealingUnderTheLedgersKey(t *testing.T) {
	s := api.Serve(t)
	c, ctx := caller(t, s, "platform"), t.Context()
	id := got(c.SealFile(ctx, client.Key(), "a.pdf", bytes.NewReader(document(t)), api.SealingTerms{Seal: s.Seal, Invisible: true}, io.Discard))(t)
	if err := s.Sequence(); err != nil {
		t.Fatal(err)
	}
	proofs := got(c.Proofs(ctx, id, s.Ledger))(t)
	if len(proofs) != 2 || proofs[0].Entry.Subject != id || proofs[0].Entry.Kind == "" {
		t.Fatalf("%+v", proofs)
	}
	if at := got(c.Checkpoint(ctx, s.Ledger))(t); at.Size < proofs[1].Entry.Position {
		t.Errorf("%+v", at)
	}
	// Under another key nothing is believed.
	other := got(ecdsa.GenerateKey(s.Ledger.Curve, rand.Reader))(t)
	if _, err := c.Proofs(ctx, id, &other.PublicKey); fault.CodeOf(err) != "ledger.checkpoint" {
		t.Errorf("%v", err)
	}
	// A server that lies about the leaf, the place or the sealing is found out.
	request := got(http.NewRequestWithContext(ctx, "GET", s.URL+"/v1/sealings/"+id+"/proofs", nil))(t)
	request.Header.Set("Authorization", "Bearer "+s.Keys["platform"])
	answer := got(http.DefaultClient.Do(request))(t)
	defer answer.Body.Close()
	honest := got(io.ReadAll(answer.Body))(t)
	for name, lie := range map[string]struct {
		about string
		code  string
		with  func(p *api.LedgerProof)
	}{
		"honest":          {id, "", func(*api.LedgerProof) {}},
		"another sealing": {"q_other", "server.proof", func(*api.LedgerProof) {}},
		"another leaf": {id, "ledger.proof", func(p *api.LedgerProof) {
			leaf := got(base64.StdEncoding.DecodeString(p.Entry.Leaf))(t)
			p.Entry.Leaf = base64.StdEncoding.EncodeToString(bytes.Replace(leaf, []byte("platform"), []byte("somebody"), 1))
		}},
		"another place": {id, "ledger.proof", func(p *api.LedgerProof) { p.Entry.Position-- }},
		"no place":      {id, "ledger.proof", func(p *api.LedgerProof) { p.Entry.Position = -1 }},
		"no leaf":       {id, "server.proof", func(p *api.LedgerProof) { p.Entry.Leaf = "e30" }},
		"another path":  {id, "ledger.proof", func(p *api.LedgerProof) { p.Hashes[0][0] ^= 1 }},
		"no note":       {id, "ledger.checkpoint", func(p *api.LedgerProof) { p.Checkpoint = "x" }},
	} {
		var body struct {
			Proofs []api.LedgerProof `json:"proofs"`
		}
		if err := json.Unmarshal(honest, &body); err != nil {
			t.Fatal(err)
		}
		lie.with(&body.Proofs[1])
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(body) }))
		_, err := got(client.New(server.URL, ""))(t).Proofs(ctx, lie.about, s.Ledger)
		if server.Close(); lie.code == "" && err != nil || lie.code != "" && fault.CodeOf(err) != lie.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAReceiverBelievesACallOnceAndOnlyIfItIsSigned(t *testing.T) {
	s := api.Serve(t)
	running, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _ = s.Work.Run(running) }()
	c, ctx := caller(t, s, "platform"), t.Context()
	type call struct {
		header http.Header
		body   []byte
	}
	calls := make(chan call, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls <- call{r.Header, body}
	}))
	defer server.Close()
	hook := got(c.AddWebhook(ctx, server.URL, "sealing.released", "issuance.issued"))(t)
	if list := got(c.Webhooks(ctx))(t); len(list) != 1 || list[0].ID != hook.ID || list[0].Secret != "" {
		t.Errorf("%+v", list)
	}
	if err := errors.Join(c.PingWebhook(ctx, hook.ID), c.ResumeWebhook(ctx, hook.ID)); err != nil {
		t.Fatal(err)
	}
	var came call
	select {
	case came = <-calls:
	case <-time.After(30 * time.Second):
		t.Fatal("no call")
	}
	now, known := time.Now(), map[string]bool{}
	r := client.Receiver{Secret: hook.Secret, Clock: func() time.Time { return now }, First: func(_ context.Context, d string) (bool, error) {
		seen := known[d]
		known[d] = true
		return !seen, nil
	}}
	read := func(body []byte) (client.Event, error) {
		q := got(http.NewRequestWithContext(ctx, "POST", "/", bytes.NewReader(body)))(t)
		q.Header = came.header
		return r.Event(q)
	}
	refused := func(name, code string, body []byte) {
		t.Helper()
		if _, err := read(body); fault.CodeOf(err) != code {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused("changed", "webhook.signature", bytes.Replace(came.body, []byte("ping"), []byte("pong"), 1))
	refused("huge", "server.unexpected-answer", make([]byte, 2<<20))
	now = now.Add(6 * time.Minute)
	refused("old", "webhook.time", came.body)
	now = now.Add(-6 * time.Minute)
	if e := got(read(came.body))(t); e.Kind != "ping" || e.Subject != hook.ID {
		t.Errorf("%+v", e)
	}
	refused("again", "webhook.replayed", came.body)
	r.Secret = "another"
	refused("another secret", "webhook.signature", came.body)
	if err := c.RemoveWebhook(ctx, hook.ID); err != nil {
		t.Error(err)
	}
}
