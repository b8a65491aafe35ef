package api

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/release"
	"yinxin/keystore"
	"yinxin/sealer/register"
	"yinxin/sealer/terminal/manifest"
)

// box is a terminal with its own key and what it pinned.
type box struct {
	*world
	key    *sm2.PrivateKey
	id     string
	pinned *ecdsa.PublicKey
}

func (b *box) Public() *ecdsa.PublicKey { return &b.key.PublicKey }

func (b *box) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return b.key.Sign(rand.Reader, e[:], nil)
}

// newBox pairs a terminal with the clerk, over HTTP.
func (w *world) newBox() *box {
	w.t.Helper()
	return w.boxOf("clerk")
}

func (w *world) boxOf(clerk string) *box {
	w.t.Helper()
	var shown PairingCode
	w.call(clerk, "POST", "/v1/terminals/pairings", nil).is(201).into(&shown)
	return w.pairedBy(got(manifest.ParseCode(shown.Code))(w.t))
}

// pairedBy pairs a terminal by a code that was shown.
func (w *world) pairedBy(code manifest.Code) *box {
	w.t.Helper()
	b := &box{world: w, key: got(sm2.GenerateKey(rand.Reader))(w.t)}
	request := got(code.Request("二楼窗口", b.Public(), rand.Reader))(w.t)
	var answer manifest.PairingAnswer
	w.call("", "POST", manifest.RoutePair, asBody(w.t, request), asJSON).is(200).into(&answer)
	b.pinned, b.id = got(code.CheckAnswer(request, answer))(w.t), answer.Terminal
	return b
}

func asBody(t *testing.T, v any) io.Reader {
	t.Helper()
	return bytes.NewReader(got(json.Marshal(v))(t))
}

// send sends a signed request.
func (b *box) send(method, path string, body any) answer {
	b.t.Helper()
	var octets []byte
	var fields []string
	if body != nil {
		octets, fields = got(json.Marshal(body))(b.t), []string{asJSON}
	}
	header := got(manifest.Authorise(b.t.Context(), b, b.id, method, path, octets, time.Now()))(b.t)
	return b.call("", method, path, bytes.NewReader(octets), append(fields, "Authorization: "+header)...)
}

// usbKey gives the clerk an instance of the seal on a key of their own.
func (w *world) usbKey() (keystore.Key, []byte) {
	w.t.Helper()
	w.founded.Store(false) // an hour ago: see newWorld
	defer w.founded.Store(true)
	ctx := w.t.Context()
	keys := got(keystore.Create(w.t.TempDir()+"/usb", keystore.Options{Passphrase: []byte("only a test"), Iterations: 1000}))(w.t)
	key := got(keys.Ring(keystore.PurposeSealing).Generate(ctx, "usb", keystore.PurposeSealing))(w.t)
	archive := fixtures.Archive("云山市")
	r := ca.Request{Profile: ca.ProfileInstitution, Public: key.Public(), Organisation: archive.Name, CreditCode: archive.CreditCode, SealCode: sealCode}
	certificate := got(w.authority.Issue(ctx, w.approved(access.KindIssueCertificate, r.Subject()), r))(w.t)
	picture := drawn(w.t, archive.Name)
	o := register.Order{Code: sealCode, Name: archive.Name, Organisation: archive.Name, CreditCode: archive.CreditCode, Type: 1, Width: 42, Height: 42,
		Template: picture, Picture: picture, Custody: register.UserKey, Holder: "clerk", Certificate: certificate.Raw}
	got(w.register.Make(ctx, w.approved(access.KindMakeSeal, o.Subject()), o))(w.t)
	return key, certificate.Raw
}

func keyTask(documents ...string) map[string]any {
	var items []any
	for _, d := range documents {
		items = append(items, map[string]any{"document": d})
	}
	return map[string]any{"note": "出证", "items": items,
		"order": map[string]any{"seal": sealCode, "no_time_stamp": true, "placement": map[string]any{"page": 1, "from": "bottom-right", "x": 20, "y": 30}}}
}

func routeTo(route string, names ...string) string {
	return strings.NewReplacer(names...).Replace(route)
}

func TestAClerkSealsAtATerminal(t *testing.T) {
	w := newWorld(t)
	usb, certificate := w.usbKey()
	b := w.newBox()
	original := onePage(t)
	first, second := w.uploaded("clerk", original), w.uploaded("clerk", original)
	var task, again KeyTask
	w.call("clerk", "POST", keyTaskPath, asBody(t, keyTask(first.ID, second.ID)), asJSON, "Idempotency-Key: k").is(201).into(&task)
	a := w.call("clerk", "POST", keyTaskPath, asBody(t, keyTask(first.ID, second.ID)), asJSON, "Idempotency-Key: k").is(200)
	if a.into(&again); again.ID != task.ID || a.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%+v", again)
	}
	w.call("clerk", "POST", keyTaskPath, asBody(t, keyTask(first.ID)), asJSON, "Idempotency-Key: k").problem(409, "terminal.key-reused")

	var list manifest.Tasks
	b.send("GET", manifest.RouteTasks+"?wait=5", nil).is(200).into(&list)
	if len(list.Tasks) != 1 || list.Tasks[0].ID != task.ID || list.Tasks[0].Open != 2 {
		t.Fatalf("%+v", list)
	}
	var claim manifest.Claim
	b.send("POST", routeTo(manifest.RouteClaim, "{task}", task.ID), nil).is(200).into(&claim)
	item := claim.Items[0]
	var e manifest.Envelope
	b.send("POST", routeTo(manifest.RoutePrepare, "{task}", task.ID, "{item}", item.ID), nil).is(200).into(&e)
	m := got(manifest.Verify(e, manifest.Expected{Key: b.pinned, Terminal: b.id, Clerk: "clerk", Task: task.ID, Item: item.ID,
		Document: item.Document.ID, Seal: item.Seal, Now: time.Now()}))(t)
	file := b.send("GET", routeTo(manifest.RouteFile, "{job}", m.Job), nil).is(200).body
	if sum := sm3.Sum(file); hex.EncodeToString(sum[:]) != m.Prepared.SM3 || !bytes.HasPrefix(file, original) {
		t.Error("another file")
	}
	digest := got(keystore.Digest(usb.Public(), m.ToBeSigned))(t)
	c := manifest.Completion{Job: m.Job, Nonce: m.Nonce, Signature: got(usb.SignDigest(t.Context(), digest))(t), Certificate: certificate}
	b.send("POST", routeTo(manifest.RouteComplete, "{job}", "q_other"), c).problem(400, "request.invalid")
	wrong := c
	wrong.Nonce = make([]byte, 32)
	b.send("POST", routeTo(manifest.RouteComplete, "{job}", m.Job), wrong).problem(422, "terminal.other-nonce")
	var done manifest.Completed
	b.send("POST", routeTo(manifest.RouteComplete, "{job}", m.Job), c).is(200).into(&done)
	b.send("POST", routeTo(manifest.RouteComplete, "{job}", m.Job), c).is(200)
	sealed := w.call("clerk", "GET", "/v1/documents/"+done.Document.ID+"/content", nil).is(200).body
	if sum := sm3.Sum(sealed); hex.EncodeToString(sum[:]) != done.Document.SM3 || !bytes.HasPrefix(sealed, original) {
		t.Error("another document")
	}
	b.send("POST", routeTo(manifest.RouteDecline, "{task}", task.ID, "{item}", claim.Items[1].ID), manifest.Decline{Reason: "agent.document"}).is(204)
	b.send("DELETE", routeTo(manifest.RouteClaim, "{task}", task.ID), nil).is(204)
	w.call("clerk", "GET", keyTaskPath+"/"+task.ID, nil).is(200).into(&task)
	if task.State != "done" || task.Sealed != 1 || task.Failed != 1 || task.Items[0].Result != done.Document.ID || task.Items[1].Reason != "agent.document" {
		t.Errorf("%+v", task)
	}
	w.call("clerk", "POST", keyTaskPath+"/"+task.ID+"/retry", nil).is(200).into(&task)
	if task.State != "open" || task.Open != 1 {
		t.Errorf("%+v", task)
	}
	w.call("stranger", "GET", keyTaskPath+"/"+task.ID, nil).problem(404, "terminal.no-task")
	w.call("clerk", "POST", keyTaskPath+"/"+task.ID+"/cancel", nil).is(200).into(&task)
	if task.State != "cancelled" || task.Refused != 1 {
		t.Errorf("%+v", task)
	}
	b.send("POST", routeTo(manifest.RouteClaim, "{task}", task.ID), nil).problem(409, "terminal.task-ended")
	var tasks struct{ Tasks []KeyTask }
	w.call("clerk", "GET", keyTaskPath+"?limit=1", nil).is(200).into(&tasks)
	if len(tasks.Tasks) != 1 || tasks.Tasks[0].ID != task.ID {
		t.Errorf("%+v", tasks)
	}
	if log := w.log.text(); strings.Contains(log, "复制件") || strings.Contains(log, item.Document.Name) {
		t.Error("names of documents in the log")
	}
}

func TestARequestOfATerminalIsBoundToItself(t *testing.T) {
	w := newWorld(t)
	b := w.newBox()
	var self manifest.Self
	b.send("GET", manifest.RouteSelf, nil).is(200).into(&self)
	if self.Terminal != b.id || self.Clerk.ID != "clerk" || self.Key != manifest.Fingerprint(b.pinned) {
		t.Errorf("%+v", self)
	}
	authorise := func(method, target string, body []byte, at time.Time) string {
		return "Authorization: " + got(manifest.Authorise(t.Context(), b, b.id, method, target, body, at))(t)
	}
	now := time.Now()
	w.call("", "DELETE", manifest.RouteSelf, nil, authorise("GET", manifest.RouteSelf, nil, now)).problem(401, "terminal.unauthenticated")
	w.call("", "GET", manifest.RouteTasks+"?wait=1", nil, authorise("GET", manifest.RouteTasks, nil, now)).problem(401, "terminal.unauthenticated")
	w.call("", "POST", "/v1/terminal/jobs/q/complete", strings.NewReader(`{"job":"q"}`), asJSON,
		authorise("POST", "/v1/terminal/jobs/q/complete", []byte(`{}`), now)).problem(401, "terminal.unauthenticated")
	late := w.call("", "GET", manifest.RouteSelf, nil, authorise("GET", manifest.RouteSelf, nil, now.Add(-manifest.Tolerance-2*time.Second)))
	if p := late.problem(401, "terminal.clock"); !strings.Contains(p.Message, now.UTC().Format("2006-01-02T15:")) {
		t.Error(p.Message)
	}
	w.call("", "POST", "/v1/terminal/jobs/q/complete", bytes.NewReader(make([]byte, maxJSON+1)), asJSON,
		authorise("POST", "/v1/terminal/jobs/q/complete", nil, now)).problem(413, "request.too-large")
	b.send("GET", manifest.RouteTasks+"?wait=26", nil).problem(422, "request.invalid")

	var list struct{ Terminals []PairedTerminal }
	w.call("clerk", "GET", terminalsPath, nil).is(200).into(&list)
	if len(list.Terminals) != 1 || list.Terminals[0].ID != b.id || list.Terminals[0].LastSeen.IsZero() || list.Terminals[0].Agent.State != release.Unknown {
		t.Errorf("%+v", list)
	}
	w.call("stranger", "DELETE", terminalsPath+"/"+b.id, nil).problem(404, "terminal.not-found")
	w.call("administrator", "DELETE", terminalsPath+"/"+b.id, nil).problem(400, "enroll.reason")
	w.call("administrator", "DELETE", terminalsPath+"/"+b.id+"?reason="+strings.Repeat("a", 201), nil).problem(422, "request.invalid")
	b.send("GET", manifest.RouteSelf, nil).is(200)
	w.call("administrator", "DELETE", terminalsPath+"/"+b.id+"?reason="+url.QueryEscape("电脑遗失"), nil).is(204)
	w.call("clerk", "GET", terminalsPath, nil).is(200).into(&list)
	if one := list.Terminals[0]; one.Reason != "电脑遗失" || one.EndedBy != "administrator" {
		t.Errorf("%+v", one)
	}
	b.send("GET", manifest.RouteSelf, nil).problem(401, "terminal.unauthenticated")
	other := w.newBox()
	other.send("DELETE", manifest.RouteSelf, nil).is(204)
	other.send("GET", manifest.RouteSelf, nil).problem(401, "terminal.unauthenticated")
}

func TestPairingFromOneAddressIsLimited(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.Pairings = 3 })
	code := got(manifest.NewCode(rand.Reader))(t)
	request := got(code.Request("x", &got(sm2.GenerateKey(rand.Reader))(t).PublicKey, rand.Reader))(t)
	for range 3 {
		w.call("", "POST", manifest.RoutePair, asBody(t, request), asJSON).problem(403, "terminal.pairing-refused")
	}
	w.call("", "POST", manifest.RoutePair, asBody(t, request), asJSON).problem(429, "request.too-many")
}

// Who waits for a task is answered when the service stops.
func TestWaitingEndsWhenTheServiceStops(t *testing.T) {
	stopping, stop := context.WithCancel(t.Context())
	w := newWorld(t, func(c *Config) { c.Stopping = stopping })
	b := w.newBox()
	answered := make(chan answer)
	go func() { answered <- b.send("GET", manifest.RouteTasks+"?wait=25", nil) }()
	select {
	case a := <-answered:
		t.Fatalf("%d %s", a.status, a.body)
	default:
		stop()
	}
	start := time.Now()
	var list manifest.Tasks
	if (<-answered).is(http.StatusOK).into(&list); list.Tasks == nil || len(list.Tasks) != 0 || time.Since(start) > 20*time.Second {
		t.Errorf("%+v", list)
	}
}
