package api

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/csr"
	"yinxin/ca/enroll"
)

// distributed is an approved application for seals on USB Keys of two people.
func (a *applicant) distributed() *dossier {
	a.t.Helper()
	d := a.create(a.form("new", "distributed"))
	d.step("handler", "accept-agreement", object{"version": "2026-01"}, enroll.StateDraft)
	scan := d.printed(d.stamps()...)
	var found Scan
	d.call("handler", "POST", "/v1/scans", bytes.NewReader(scan), "Content-Type: image/jpeg").is(200).into(&found)
	d.look()
	d.attach("credit-code", card(a.t))
	d.attach("identity", card(a.t))
	d.take(d.call("handler", "POST", d.path("/roster"), bytes.NewReader(d.filledRoster("US01-生效", userPerson, otherPerson)), asWorkbook, "If-Match: "+d.tag).is(200))
	d.step("handler", "submit", nil, enroll.StateSubmitted)
	d.examinable()
	d.step("registrar", "examine", nil, enroll.StateExamined)
	d.step("approver", "approve", nil, enroll.StateApproved)
	return d
}

// keyRequest is the request of a new USB Key.
func keyRequest(t *testing.T) (*sm2.PrivateKey, []byte) {
	t.Helper()
	key := got(sm2.GenerateKey(rand.Reader))(t)
	return key, got(csr.Create(t.Context(), usbKey{key}, csr.Template{}))(t)
}

// TestAUSBKeyGetsItsCertificatesOverHTTP goes on to a renewal and a suspension.
func TestAUSBKeyGetsItsCertificatesOverHTTP(t *testing.T) {
	a := newApplicant(t, true)
	d := a.distributed()
	d.send("registrar", "POST", d.path("/carry-out"), nil).is(200).into(&d.Application)
	if d.State != string(enroll.StateApproved) {
		t.Fatalf("nobody came with a Key, and the state is %s", d.State)
	}
	d.look()
	d.send("registrar", "POST", d.path("/abort"), object{"reason": "不再办理"}, "If-Match: "+d.tag).problem(422, "enroll.nothing-done")
	actors := d.keyActors()
	if len(actors) != 2 {
		t.Fatalf("%v", actors)
	}
	key, request := keyRequest(t)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request}))
	d.send("registrar", "POST", d.path("/issue-key"), object{"actor": "platform", "request": text}).problem(422, "business.no-key")
	d.send("registrar", "POST", d.path("/issue-key"), object{"actor": actors[userPerson.Name], "request": "bm8gcmVxdWVzdA=="}).is(400)
	var first, again KeyAnswer
	d.send("registrar", "POST", d.path("/issue-key"), object{"actor": actors[userPerson.Name], "request": text}).is(200).into(&first)
	answer := got(smx509.ParseCSRResponse(key, first.Answer))(t)
	block, _ := pem.Decode([]byte(first.Signing))
	if len(answer.SignCerts) != 1 || block == nil || !bytes.Equal(answer.SignCerts[0].Raw, block.Bytes) || len(first.Seals) != 1 {
		t.Fatalf("%+v", first)
	}
	// A lost answer is handed out again, to the same key and no other.
	d.send("registrar", "POST", d.path("/issue-key"), object{"actor": actors[userPerson.Name], "request": base64.StdEncoding.EncodeToString(request)}).is(200).into(&again)
	if again.Signing != first.Signing {
		t.Error("another certificate was made")
	}
	_, foreign := keyRequest(t)
	d.send("registrar", "POST", d.path("/issue-key"), object{"actor": actors[userPerson.Name], "request": base64.StdEncoding.EncodeToString(foreign)}).problem(409, "business.other-key")
	d.send("registrar", "POST", "/v1/escrow-keys/"+first.Escrow+"/confirm", nil).is(204)
	d.send("registrar", "POST", "/v1/escrow-keys/"+first.Escrow+"/confirm", nil).problem(409, "escrow.state")

	d.send("registrar", "POST", d.path("/issue-key"), object{"actor": actors[otherPerson.Name], "request": base64.StdEncoding.EncodeToString(foreign)}).is(200)
	d.look()
	if d.State != string(enroll.StateIssued) {
		t.Fatalf("everybody has a Key, and the state is %s", d.State)
	}
	d.step("handler", "accept", nil, enroll.StateAccepted)
	var pin SOPIN
	d.send("registrar", "PUT", "/v1/tokens/HW-0001", object{"holder": actors[userPerson.Name]}).is(200).into(&pin)
	if len(pin.Now) != 16 || strings.Contains(d.log.text(), pin.Now) {
		t.Errorf("%+v", pin)
	}
	d.send("registrar", "POST", "/v1/tokens/HW-0001/confirm", nil).problem(400, "business.token")
	d.send("registrar", "POST", d.path("/release-so-pin"), nil).problem(400, "business.none")
	d.keyRenewed(actors[userPerson.Name], block.Bytes, request)
	d.userSuspended(actors[userPerson.Name])
}

// keyActors are the actors of an application's USB Keys by name.
func (d *dossier) keyActors() map[string]string {
	d.t.Helper()
	var acts struct{ Acts []Act }
	d.send("registrar", "GET", d.path("/acts?limit=200"), nil).is(200).into(&acts)
	actors := map[string]string{}
	for _, act := range acts.Acts {
		if act.Kind == "certificate" && act.Actor != "" {
			actors[act.Name] = act.Actor
		}
	}
	return actors
}

// keyRenewed renews the Key of an actor, who sees nobody else's renewal.
func (d *dossier) keyRenewed(actor string, signing, request []byte) {
	d.t.Helper()
	d.keys["user"] = got(d.access.CreateKey(d.t.Context(), actor, "test"))(d.t)
	certificate := got(smx509.ParseCertificate(signing))(d.t)
	serial := certificate.SerialNumber.Text(16)
	order := object{"serial": serial, "request": base64.StdEncoding.EncodeToString(request)}
	d.send("clerk", "POST", "/v1/renewals", order).problem(403, "access.role")
	d.send("user", "POST", "/v1/renewals", object{"serial": "-1", "request": "x"}).problem(404, "ca.not-found")
	made := d.send("user", "POST", "/v1/renewals", order).is(201)
	var r Renewal
	made.into(&r)
	if made.header.Get("Location") != "/v1/renewals/"+r.ID || r.State != "waiting" || len(r.Certificates) != 2 || r.Holder != actor {
		d.t.Fatalf("%s", made.body)
	}
	var list struct{ Renewals []Renewal }
	for who, n := range map[string]int{"user": 1, "auditor": 1, "clerk": 0} {
		d.send(who, "GET", "/v1/renewals?state=waiting", nil).is(200).into(&list)
		if len(list.Renewals) != n {
			d.t.Errorf("%s sees %+v", who, list.Renewals)
		}
	}
	d.send("auditor", "GET", "/v1/renewals?after="+r.ID, nil).is(200).into(&list)
	if len(list.Renewals) != 0 {
		d.t.Errorf("behind the only one: %+v", list.Renewals)
	}
	d.send("clerk", "GET", "/v1/renewals/"+r.ID, nil).problem(404, "business.no-renewal")
	d.send("clerk", "POST", "/v1/renewals/"+r.ID+"/accept", nil).problem(404, "business.no-renewal")
	d.send("clerk", "POST", "/v1/renewals/"+r.ID+"/object", object{"reason": "不需要"}).problem(404, "business.no-renewal")
	d.send("user", "POST", "/v1/renewals/"+r.ID+"/accept", nil).is(204)
	d.send("user", "POST", "/v1/renewals/"+r.ID+"/object", object{"reason": "不需要"}).problem(404, "business.no-renewal")
	var c Certificate
	d.send("auditor", "GET", "/v1/certificates/"+serial, nil).is(200).into(&c)
	if c.State != "revoked" || c.Reason == nil || *c.Reason != 4 {
		d.t.Errorf("%+v", c)
	}
}

// userSuspended stops a user at once; two people lift it.
func (d *dossier) userSuspended(actor string) {
	d.t.Helper()
	var list struct{ Persons []RosterPerson }
	d.send("handler", "GET", d.path("/roster"), nil).is(200).into(&list)
	holder := list.Persons[0].Holder
	d.send("neighbour", "POST", "/v1/suspensions", object{"holder": holder, "reason": "遗失"}).problem(404, "enroll.holder-not-found")
	d.send("handler", "POST", "/v1/suspensions", object{"holder": holder, "reason": userPerson.Mobile}).problem(400, "enroll.personal-data")
	stopped := d.send("handler", "POST", "/v1/suspensions", object{"holder": holder, "reason": "遗失"}).is(201)
	var x Suspension
	stopped.into(&x)
	d.send("registrar", "POST", "/v1/suspensions", object{"holder": holder, "reason": "遗失"}).problem(409, "enroll.suspended")
	for who, n := range map[string]int{"handler": 1, "neighbour": 0, "auditor": 1} {
		var seen struct{ Suspensions []Suspension }
		d.send(who, "GET", "/v1/suspensions?state=open", nil).is(200).into(&seen)
		if len(seen.Suspensions) != n {
			d.t.Errorf("%s sees %+v", who, seen.Suspensions)
		}
	}
	d.call("", "GET", "/office/suspensions/"+x.ID, nil, "Cookie: "+d.signIn("handler")).is(200)
	d.call("", "GET", "/office/suspensions/"+x.ID, nil, "Cookie: "+d.signIn("neighbour")).is(404)
	path, match := "/v1/suspensions/"+x.ID, "If-Match: "+stopped.header.Get("ETag")
	d.send("registrar", "POST", path+"/request", object{"decision": "lift"}).problem(428, "request.if-match-missing")
	d.send("registrar", "POST", path+"/request", object{"decision": "forget"}, match).problem(422, "request.invalid")
	asked := d.send("registrar", "POST", path+"/request", object{"decision": "lift"}, match).is(200)
	d.send("registrar", "POST", path+"/request", object{"decision": "lift"}, match).problem(412, "enroll.conflict")
	asked.into(&x)
	d.send("approver", "POST", "/v1/approvals/"+x.Request+"/reject", object{"reason": "不"}).problem(409, "access.own-step")
	asked = d.send("approver", "POST", path+"/reject", object{"reason": "Key 尚未找到"}, "If-Match: "+asked.header.Get("ETag")).is(200)
	asked = d.send("registrar", "POST", path+"/request", object{"decision": "lift"}, "If-Match: "+asked.header.Get("ETag")).is(200)
	d.send("approver", "POST", path+"/approve", nil, "If-Match: "+asked.header.Get("ETag")).is(200).into(&x)
	if x.State != "lifted" || x.Decided.IsZero() {
		d.t.Errorf("%+v", x)
	}
}
