package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"yinxin/api"
	"yinxin/api/client"
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
	if r := got(c.Verify(ctx, "a.pdf", &out, int64(out.Len())))(t); r.Verdict != "valid" {
		t.Errorf("%s", r.Verdict)
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
