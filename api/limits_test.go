package api

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/url"
	"testing"
	"time"

	"yinxin/internal/store"
)

func (a answer) waits(code string) {
	a.t.Helper()
	if a.problem(429, code); a.header.Get("Retry-After") != "60" || a.header.Get("Cache-Control") != "no-store" {
		a.t.Errorf("%v", a.header)
	}
}

func TestAKeyThatAsksTooOftenIsToldToWaitAndNoOther(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits = Limits{Keys: 3} })
	for _, name := range []string{"first", "second"} {
		w.keys[name] = got(w.access.CreateKey(t.Context(), "platform", name))(t)
	}
	const path = "/v1/seals"
	for range 2 {
		w.call("first", "GET", path, nil).is(200)
	}
	w.call("first", "GET", "/v1/documents/d_none", nil).is(404) // all calls count
	w.call("first", "GET", path, nil).waits("request.key-rate")
	w.call("first", "POST", "/v1/verifications", nil).problem(400, "request.no-file") // needs no key
	w.call("second", "GET", path, nil).is(200)                                        // of the same actor
	// Whoever does not have the secret uses up nothing.
	w.keys["wrong"] = w.keys["second"][:len(w.keys["second"])-1] + "_"
	for range 5 {
		w.call("wrong", "GET", path, nil).problem(401, "access.unknown-key")
	}
	w.call("second", "GET", path, nil).is(200)

	// A person counts as one, signed in once or twice.
	one, two := w.signIn("clerk"), w.signIn("clerk")
	w.call("", "GET", path, nil, "Cookie: "+one).is(200)
	w.call("", "GET", path, nil, "Cookie: "+two).is(200)
	w.call("", "GET", path, nil, "Cookie: "+one).is(200)
	w.call("", "GET", path, nil, "Cookie: "+two).waits("request.key-rate")
	w.call("clerk", "GET", path, nil).is(200) // with a key of their own
}

func TestASealThatIsOrderedTooOftenIsToldToWait(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits = Limits{Seals: 3} })
	d := w.uploaded("platform", onePage(t))
	elsewhere := object{"document": d.ID, "seal": "29010000000099", "placement": object{"page": 1, "x": 20, "y": 20}}
	for range 5 { // nobody uses up what they may not use, and orders for another seal do not count
		w.order("stranger", "k", order(d.ID)).problem(422, "seal.not-granted")
		w.order("platform", "k", elsewhere).is(404)
		w.order("platform", "k", object{"document": d.ID, "seal": "x"}).is(422)
	}
	w.order("platform", "k", order(d.ID)).is(201)
	body, contentType := sealForm(t, "order", terms(), "file", onePage(t))
	w.call("platform", "POST", sealFilePath, body, contentType, "Idempotency-Key: k").is(200)
	batch := object{"order": object{"seal": sealCode, "placement": object{"page": 1, "x": 20, "y": 20}}, "files": []object{{"document": d.ID}}}
	w.send("platform", "POST", sealingBatchPath, batch, "Idempotency-Key: b").is(202)
	w.send("platform", "POST", sealingBatchPath, batch, "Idempotency-Key: b").waits("request.seal-rate")
	w.order("platform", "other", order(d.ID)).waits("request.seal-rate")
	body, contentType = sealForm(t, "order", terms(), "file", onePage(t))
	w.call("platform", "POST", sealFilePath, body, contentType, "Idempotency-Key: other").waits("request.seal-rate")
	w.call("platform", "GET", "/v1/seals", nil).is(200) // which is no order
	w.order("platform", "z", elsewhere).is(404)
}

func TestWhatFailedCountsOnceMoreWhenItIsTakenUpAgain(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits = Limits{Seals: 4} })
	w.usbKey()
	running, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.work.Run(running) }()
	t.Cleanup(func() { stop(); must(t, <-ended) })
	bad := w.uploaded("clerk", []byte("%PDF-1.7 nothing"))
	at := object{"seal": sealCode, "placement": object{"page": 1, "x": 20, "y": 20}}
	var b SealingBatch
	w.send("clerk", "POST", sealingBatchPath, object{"order": at, "files": []object{{"document": bad.ID}}}, "Idempotency-Key: b").is(202).into(&b)
	done := func() {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			w.call("clerk", "GET", sealingBatchPath+"/"+b.ID, nil).is(200).into(&b)
			if b.State == "done" {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%+v", b)
			}
		}
	}
	done()
	retry := sealingBatchPath + "/" + b.ID + "/retry"
	w.call("stranger", "POST", retry, nil).is(404) // another's is nobody's order
	w.call("clerk", "POST", retry, nil).is(200)
	done()
	cookie := w.signIn("clerk")
	w.post(cookie, "/clerk/batches/"+b.ID+"/retry", nil).is(303)
	done()
	var task KeyTask
	w.send("clerk", "POST", keyTaskPath, object{"items": []object{{"document": w.uploaded("clerk", onePage(t)).ID, "order": at}}}, "Idempotency-Key: t").is(201).into(&task)
	must(t, w.db.Write(t.Context(), func(tx *store.Tx) error { // as if the Key had been torn out
		_, err := tx.ExecContext(t.Context(), `UPDATE terminal_item SET state = 'failed', reason = 'token.removed'`)
		return err
	}))
	w.call("clerk", "POST", retry, nil).waits("request.seal-rate")
	w.call("clerk", "POST", keyTaskPath+"/"+task.ID+"/retry", nil).waits("request.seal-rate")
	for _, page := range []string{"/clerk/batches/" + b.ID + "/retry", "/clerk/tasks/" + task.ID + "/retry"} {
		if a := w.post(cookie, page, nil); a.status != 429 {
			t.Errorf("%s: %d", page, a.status)
		}
	}
	w.call("clerk", "GET", sealingBatchPath+"/"+b.ID, nil).is(200).into(&b)
	if b.State != "done" {
		t.Errorf("what was refused runs: %+v", b)
	}
}

func TestTrialsCountForThemselves(t *testing.T) {
	w := withTrialKeys(t, func(c *Config) { c.Limits = Limits{Seals: 1} })
	d := w.uploaded("platform", onePage(t))
	w.order("trial", "one", order(d.ID)).is(201)
	w.order("trial", "two", order(d.ID)).waits("request.seal-rate")
	w.order("platform", "three", order(d.ID)).is(201)
	w.order("platform", "four", order(d.ID)).waits("request.seal-rate")
}

func TestTasksForUSBKeysCountForTheirSealsOnce(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits = Limits{Seals: 2} })
	w.usbKey()
	d := w.uploaded("clerk", onePage(t))
	item := object{"document": d.ID, "order": object{"seal": sealCode, "placement": object{"page": 1, "x": 20, "y": 20}}}
	ask := func(actor, clerk, key string) answer {
		return w.send(actor, "POST", keyTaskPath, object{"clerk": clerk, "items": []object{item, item}}, "Idempotency-Key: "+key)
	}
	for range 3 {
		ask("platform", "clerk", "k").problem(404, "terminal.no-clerk") // of another organisation
		ask("stranger", "clerk", "k").is(403)
	}
	ask("clerk", "", "one").is(201)
	ask("clerk", "clerk", "two").is(201)
	ask("clerk", "", "three").waits("request.seal-rate")
}

func TestOrdersOnPagesCountAsThoseOverTheAPIDo(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits = Limits{Seals: 2} })
	cookie := w.signIn("clerk")
	at := "/clerk/documents/" + w.uploaded("clerk", onePage(t)).ID + "/seal"
	typed := func(key string) url.Values {
		return url.Values{"key": {key}, "seal": {sealCode}, "page": {"1"}, "x": {"20"}, "y": {"30"}}
	}
	for range 4 { // nobody uses up what they may not use
		w.post(w.signIn("stranger"), at, typed("s"))
	}
	w.post(cookie, at, typed("one")).is(303)
	w.order("platform", "two", order(w.uploaded("platform", onePage(t)).ID)).is(201)
	refused := func(what string, a answer) {
		t.Helper()
		if a.status != 429 || !bytes.Contains(a.body, []byte("request.seal-rate")) || a.header.Get("Retry-After") != "60" {
			t.Errorf("%s: %d %v %s", what, a.status, a.header, a.body)
		}
	}
	refused("a document", w.post(cookie, at, typed("three")))
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	for name, value := range map[string]string{"key": "b", "seal": sealCode, "page": "1", "x": "20", "y": "30"} {
		must(t, m.WriteField(name, value))
	}
	got(got(m.CreateFormFile("file", "a.pdf"))(t).Write(onePage(t)))(t)
	must(t, m.Close())
	refused("a batch", w.call("", "POST", "/clerk/batches/new", &form, "Content-Type: "+m.FormDataContentType(), "Cookie: "+cookie))
	id := w.askedFor("one").ID
	refused("a copy", w.post(cookie, "/desk/"+id+"/issue", url.Values{"seal": {sealCode}}))
	w.send("clerk", "POST", issuancePath+"/"+id+"/issue", object{"seal": sealCode}).waits("request.seal-rate")
}
