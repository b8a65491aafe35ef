package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"yinxin/internal/webhook"
)

func TestAProgramIsToldOfASealedDocument(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.work.Run(ctx) }()
	defer func() {
		cancel()
		must(t, <-ended)
	}()
	type call struct {
		header http.Header
		body   []byte
	}
	calls := make(chan call, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls <- call{r.Header, body}
	}))
	defer receiver.Close()

	add := func(body string) answer {
		return w.call("platform", "POST", "/v1/webhooks", strings.NewReader(body), asJSON)
	}
	add(`{"url": "ftp://a.example/", "kinds": ["batch.done"]}`).problem(400, "webhook.address")
	add(`{"url": "https://a.example/", "kinds": ["king"]}`).problem(422, "request.invalid")
	var hook Webhook
	add(`{"url": "` + receiver.URL + `/x", "kinds": ["sealing.released"]}`).is(201).into(&hook)
	at := "/v1/webhooks/" + hook.ID

	var done Sealing
	w.order("platform", "k", order(w.uploaded("platform", onePage(t)).ID)).is(201).into(&done)
	next := func() call {
		t.Helper()
		select {
		case c := <-calls:
			return c
		case <-time.After(30 * time.Second):
			t.Fatal("nobody was told")
			panic("")
		}
	}
	got := next()
	_, err := webhook.Check(hook.Secret, got.header, got.body, time.Now())
	must(t, err)
	var m struct {
		Kind, Subject string
		Data          map[string]string
	}
	must(t, json.Unmarshal(got.body, &m))
	if m.Kind != "sealing.released" || m.Subject != done.ID || m.Data["result"] != done.Document.ID || m.Data["seal"] != sealCode {
		t.Errorf("%s", got.body)
	}
	list := w.call("platform", "GET", "/v1/webhooks", nil).is(200)
	if strings.Contains(string(list.body), hook.Secret) || !strings.Contains(string(list.body), hook.ID) {
		t.Errorf("%s", list.body)
	}
	var sent struct{ Deliveries []WebhookDelivery }
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		w.call("platform", "GET", at+"/deliveries", nil).is(200).into(&sent)
		if len(sent.Deliveries) == 1 && sent.Deliveries[0].State == "delivered" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", sent)
		}
	}
	w.call("platform", "POST", at+"/deliveries/"+sent.Deliveries[0].ID+"/redeliver", nil).is(204)
	if again := next(); again.header.Get("Yinxin-Delivery") != sent.Deliveries[0].ID {
		t.Error("another delivery")
	}
	w.call("platform", "POST", at+"/ping", nil).is(202)
	next()
	for _, path := range []string{"GET " + at + "/deliveries", "POST " + at + "/ping", "POST " + at + "/resume", "DELETE " + at} {
		method, path, _ := strings.Cut(path, " ")
		w.call("clerk", method, path, nil).problem(404, "webhook.not-found")
	}
	w.call("platform", "DELETE", at, nil).is(204)
	w.call("platform", "POST", at+"/ping", nil).problem(404, "webhook.not-found")
	if strings.Contains(w.log.String(), hook.Secret) {
		t.Error("the secret is in the log")
	}
}
