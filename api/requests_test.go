package api

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/chain"
	"yinxin/ca/csr"
	"yinxin/fixtures"
	"yinxin/internal/access"
)

// usbKey signs as a USB Key does.
type usbKey struct{ *sm2.PrivateKey }

func (k usbKey) Public() *ecdsa.PublicKey { return &k.PublicKey }

func (k usbKey) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return sm2.SignASN1(rand.Reader, k.PrivateKey, e[:], nil)
}

// orderOf is an approved order of a house for a person's certificate.
func (w *world) orderOf(t *testing.T) backend.Order {
	key := got(sm2.GenerateKey(rand.Reader))(t)
	r := ca.Request{Profile: ca.ProfilePersonal, Public: &key.PublicKey, Organisation: fixtures.Archive("云山市").Name, CommonName: "王五"}
	return backend.Order{Approval: w.approved(access.KindIssueCertificate, r.Terms()), Request: r, CSR: got(csr.Create(t.Context(), usbKey{key}, csr.Template{}))(t)}
}

// TestOneInstallationHasItsCertificatesMadeByAnother goes the whole way over HTTP between two installations.
func TestOneInstallationHasItsCertificatesMadeByAnother(t *testing.T) {
	ctx := t.Context()
	there, here := newWorld(t), newWorld(t)
	must(t, backend.Migrate(ctx, here.db))
	dir := t.TempDir()
	key, anchor := filepath.Join(dir, "key"), filepath.Join(dir, "root.cer")
	must(t, os.WriteFile(key, []byte(got(there.access.CreateKey(ctx, "requester", "another house"))(t)), 0o600))
	must(t, os.WriteFile(anchor, there.authority.Root().Raw, 0o600))
	all := got(backend.Open(ctx, backend.Config{DB: here.db, Ledger: here.server.Ledger, Access: here.access, Authority: here.authority, Clock: here.server.Clock,
		Status: func() chain.RevocationSource { return there.authority }},
		[]backend.Setting{{Name: "b", Kind: backend.KindRemote, Trust: anchor, URL: there.http.URL, KeyFile: key}}))(t)
	b := got(all.Named("b"))(t)
	out := got(b.Order(ctx, here.orderOf(t)))(t)
	if out.State != backend.StateSent {
		t.Fatalf("%+v", out)
	}
	if out = got(b.Outcome(ctx, out.ID))(t); out.State != backend.StateSent {
		t.Fatalf("%+v", out)
	}
	decide := func() {
		open := got(there.access.Open(ctx, 10))(t)
		if len(open) != 1 {
			t.Fatalf("%d requests wait", len(open))
		}
		must(t, there.access.Approve(ctx, there.people[1], open[0].ID))
	}
	decide()
	if out = got(b.Outcome(ctx, out.ID))(t); out.State != backend.StateReceived || len(out.Differences) != 0 {
		t.Fatalf("%+v", out)
	}
	out = got(b.Accept(ctx, out.ID, ""))(t)
	c := out.Certificate
	if out.State != backend.StateIssued || c.Subject.CommonName != "王五" {
		t.Fatalf("%+v", out)
	}
	// Its end, over the API of this house.
	here.server.Authorities = all
	here.keys["registrar"] = got(here.access.CreateKey(ctx, "registrar", "test"))(t)
	path := "/v1/certificates/" + c.FingerprintText()
	var shown Certificate
	here.call("auditor", "GET", path, nil).is(200).into(&shown)
	if shown.Authority != "b" || shown.State != "good" {
		t.Errorf("%+v", shown)
	}
	here.send("registrar", "POST", path+"/requests", object{"change": "suspend"}).problem(422, "backend.no-hold")
	var asked Approval
	here.send("registrar", "POST", path+"/requests", object{"change": "revoke", "reason": 1}).is(202).into(&asked)
	here.send("registrar", "POST", path+"/changes", object{"request": asked.ID}).problem(403, "access.not-approved")
	must(t, here.access.Approve(ctx, here.people[1], asked.ID))
	here.send("registrar", "POST", path+"/changes", object{"request": asked.ID}).is(200).into(&shown)
	if shown.Authority != "b" || shown.State != "revoked" || shown.Reason == nil || *shown.Reason != 1 {
		t.Errorf("%+v", shown)
	}
	if s := got(b.Status(ctx, c, here.server.Clock()))(t); s.State != chain.StateRevoked || s.Reason != chain.ReasonCertificateHold {
		t.Errorf("%+v", s)
	}
	decide()
	if strings.Contains(there.log.text(), "yx_") || strings.Contains(there.log.text(), "王五") {
		t.Error("the log holds a key or a name")
	}
}

func TestCertificateRequestsAreForRequestersAndTheirOwn(t *testing.T) {
	w := newWorld(t)
	o := w.orderOf(t)
	body := func(change func(o *backend.WireOrder)) *bytes.Reader {
		wire := backend.WireOrder{Profile: o.Request.Profile, Organisation: o.Request.Organisation, CommonName: o.Request.CommonName, CSR: o.CSR}
		change(&wire)
		return bytes.NewReader(got(json.Marshal(wire))(t))
	}
	same := func(*backend.WireOrder) {}
	const path = "/v1/certificate-requests"
	w.call("", "POST", path, body(same), asJSON, "Idempotency-Key: 1").problem(401, "request.key-missing")
	for _, who := range []string{"platform", "clerk", "auditor", "approver", "handler", "city", "administrator", "nobody"} {
		w.call(who, "POST", path, body(same), asJSON, "Idempotency-Key: 1").problem(403, "request.denied")
	}
	w.call("requester", "POST", path, body(same), asJSON).problem(422, "request.invalid")
	w.call("requester", "POST", path, body(func(o *backend.WireOrder) { o.Profile = "ocsp" }), asJSON, "Idempotency-Key: 1").problem(422, "request.invalid")
	w.call("requester", "POST", path, body(func(o *backend.WireOrder) { o.CSR = append(bytes.Clone(o.CSR[:len(o.CSR)-1]), o.CSR[len(o.CSR)-1]^1) }), asJSON, "Idempotency-Key: 1").problem(400, "csr.signature")
	var first, again backend.WireOutcome
	created := w.call("requester", "POST", path, body(same), asJSON, "Idempotency-Key: 1").is(202)
	created.into(&first)
	if created.header.Get("Location") != path+"/"+first.ID || first.State != backend.WirePending {
		t.Errorf("%s %+v", created.header.Get("Location"), first)
	}
	w.call("requester", "POST", path, body(same), asJSON, "Idempotency-Key: 1").is(202).into(&again)
	if again.ID != first.ID {
		t.Errorf("%+v and %+v", first, again)
	}
	w.call("requester", "POST", path, body(func(o *backend.WireOrder) { o.CommonName = "赵六" }), asJSON, "Idempotency-Key: 1").problem(422, "backend.repeated")
	for _, other := range []string{"requester-2", "registrar"} {
		w.call(other, "GET", path+"/"+first.ID, nil).problem(404, "backend.order-not-found")
		w.call(other, "POST", path+"/"+first.ID+"/revocation", strings.NewReader(`{"reason":1}`), asJSON).problem(404, "backend.order-not-found")
	}
	w.call("registrar", "POST", path, body(same), asJSON, "Idempotency-Key: 1").is(202).into(&again)
	if again.ID == first.ID {
		t.Error("a registrar was given the order of another house")
	}
	w.call("requester", "GET", path+"/"+first.ID, nil).is(200)
	w.call("requester", "POST", path+"/"+first.ID+"/revocation", strings.NewReader(`{"reason":1}`), asJSON).problem(409, "backend.state")
	w.call("requester", "POST", path+"/"+first.ID+"/revocation", strings.NewReader(`{"reason":6}`), asJSON).problem(422, "request.invalid")
}
