package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"testing"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/enroll"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/truetype"
	"yinxin/sealer"
)

func TestApplicationsAreConfirmedAndRejectedOverHTTP(t *testing.T) {
	a := newApplicant(t, true)
	f := a.form("new", "central")
	f["unit"].(object)["phone"] = "12345"
	d := a.submitted(f).examinable()
	var list struct{ Findings []ApplicationFinding }
	d.send("registrar", "GET", d.path("/findings"), nil).is(200).into(&list)
	confirmed := 0
	for _, f := range list.Findings {
		if f.Confirmed != nil && f.Confirmed.Reason == "已与申请单位核实" {
			confirmed++
		}
	}
	if confirmed != 1 {
		t.Errorf("%+v", list.Findings)
	}
	d.send("registrar", "POST", d.path("/confirm-finding"), object{"finding": "unit.name", "reason": "无"}, "If-Match: "+d.tag).problem(404, "enroll.finding-not-found")
	d.send("handler", "POST", d.path("/reject"), object{"reason": "不办理"}, "If-Match: "+d.tag).problem(403, "request.denied")
	d.step("registrar", "reject", object{"reason": "不在档案印章范围内"}, enroll.StateRejected)
	d.send("registrar", "POST", d.path("/reject"), object{"reason": "不办理"}, "If-Match: "+d.tag).problem(422, "enroll.state")
}

// TestUSBKeysOverHTTP has one user's Key unlocked and its renewal refused by its holder.
func TestUSBKeysOverHTTP(t *testing.T) {
	a := newApplicant(t, true)
	d := a.distributed()
	actors := d.keyActors()
	holder := actors[userPerson.Name]
	requests, signing := map[string]string{}, ""
	for _, name := range []string{userPerson.Name, otherPerson.Name} {
		_, request := keyRequest(t)
		requests[name] = base64.StdEncoding.EncodeToString(request)
		var made KeyAnswer
		d.send("registrar", "POST", d.path("/issue-key"), object{"actor": actors[name], "request": requests[name]}).is(200).into(&made)
		if name == userPerson.Name {
			block, _ := pem.Decode([]byte(made.Signing))
			signing = got(smx509.ParseCertificate(block.Bytes))(t).SerialNumber.Text(16)
		}
	}
	d.look()
	d.step("handler", "accept", nil, enroll.StateAccepted)
	var first, released SOPIN
	d.send("registrar", "PUT", "/v1/tokens/HW-0001", object{"holder": holder}).is(200).into(&first)

	d.keys["user"] = got(d.access.CreateKey(t.Context(), holder, "test"))(t)
	var r, seen Renewal
	d.send("user", "POST", "/v1/renewals", object{"serial": signing, "request": requests[userPerson.Name]}).is(201).into(&r)
	d.send("user", "GET", "/v1/renewals/"+r.ID, nil).is(200).into(&seen)
	if seen.ID != r.ID || seen.State != "waiting" || len(seen.Certificates) != 2 {
		t.Errorf("%+v", seen)
	}
	d.send("user", "POST", "/v1/renewals/"+r.ID+"/object", object{"reason": "姓名有误"}).is(204)
	d.send("auditor", "GET", "/v1/renewals/"+r.ID, nil).is(200).into(&seen)
	if seen.State != "objected" {
		t.Errorf("%+v", seen)
	}

	u := d.unlocking("HW-0001")
	u.send("handler", "POST", u.path("/release-so-pin"), nil).problem(403, "request.denied")
	u.send("registrar", "POST", u.path("/release-so-pin"), nil).is(200).into(&released)
	if released.Now != first.Now || len(released.Next) != 16 || released.Next == released.Now {
		t.Errorf("%+v after %+v", released, first)
	}
	u.send("registrar", "POST", "/v1/tokens/HW-0001/confirm", nil).is(204)
	u.send("registrar", "POST", "/v1/tokens/HW-0001/confirm", nil).problem(400, "business.token")
}

func TestWhatNobodyComesForIsGivenUpOverHTTP(t *testing.T) {
	a := newApplicant(t, true)
	d := a.distributed()
	_, request := keyRequest(t)
	d.send("registrar", "POST", d.path("/issue-key"), object{"actor": d.keyActors()[userPerson.Name], "request": base64.StdEncoding.EncodeToString(request)}).is(200)
	d.look()
	d.send("approver", "POST", d.path("/abort"), object{"reason": "另一人已调离"}, "If-Match: "+d.tag).problem(403, "request.denied")
	d.send("registrar", "POST", d.path("/abort"), object{"reason": "按 13812345678 联系"}, "If-Match: "+d.tag).problem(400, "enroll.personal-data")
	d.step("registrar", "abort", object{"reason": "另一人已调离"}, enroll.StateObjected)
}

// waitingKeys is a terminal to which nobody has come yet.
type waitingKeys struct{}

func (waitingKeys) Ask(_ context.Context, _ access.Actor, o sealer.Order) (string, error) {
	return o.IdempotencyKey, nil
}

func (waitingKeys) Sealed(context.Context, access.Actor, string) (string, error) { return "", nil }

func TestPagesAreTakenOutAgainOverHTTP(t *testing.T) {
	if _, err := truetype.Find(); err != nil {
		t.Skip(err)
	}
	w := newWorld(t)
	w.server.Issuance.Keys = waitingKeys{}
	c := w.askedFor("one")
	at := issuancePath + "/" + c.ID
	w.send("clerk", "POST", at+"/answer", map[string]any{"result": "found", "reference": ArchivalReference{Fonds: "J021", File: "0137", Item: "0012", Pages: 3, Number: "J021-0137-0012"}}).is(200)
	copied := got(fixtures.ArchivalCopy(7, 3))(t)
	w.call("clerk", "POST", at+"/pages", bytes.NewReader(copied), asPDF).is(201)
	w.send("stranger", "DELETE", at+"/pages", nil).problem(403, "issuance.side")
	w.send("clerk", "DELETE", at+"/pages", nil).is(200)
	w.send("clerk", "POST", at+"/issue", map[string]any{"seal": sealCode}).problem(422, "issuance.pages")
	w.call("clerk", "POST", at+"/pages", bytes.NewReader(copied), asPDF).is(201)
	w.send("clerk", "POST", at+"/issue", map[string]any{"seal": sealCode, "by_key": true}).problem(503, "issuance.waits-for-key")
	w.send("clerk", "DELETE", at+"/pages", nil).problem(409, "issuance.state")
	w.send("clerk", "GET", at, nil).is(200).into(&c)
	if c.State != "composed" {
		t.Errorf("%+v", c)
	}
	w.send("stranger", "POST", at+"/discard", nil).problem(403, "issuance.side")
	w.send("clerk", "POST", at+"/discard", nil).is(200).into(&c)
	if c.State != "found" {
		t.Errorf("%+v", c)
	}
	w.send("clerk", "POST", at+"/discard", nil).problem(409, "issuance.state")
}
