package api

import (
	"slices"
	"strings"
	"testing"

	"yinxin/ca"
)

func TestACertificateIsChangedByTwoPeopleOverHTTP(t *testing.T) {
	w := newWorld(t)
	serial := ca.SerialText(w.certificate.Serial)
	path := "/v1/certificates/" + serial
	state := func() string {
		t.Helper()
		var c Certificate
		w.send("auditor", "GET", path, nil).is(200).into(&c)
		return c.State
	}
	var asked Approval
	ask := func(body object) string {
		t.Helper()
		answer := w.send("registrar", "POST", path+"/requests", body).is(202)
		answer.into(&asked)
		if answer.header.Get("Location") != "/v1/approvals/"+asked.ID || asked.State != "open" || asked.OwnStep != "" {
			t.Fatalf("%s", answer.body)
		}
		return asked.ID
	}
	carry := func(id string) answer { return w.send("registrar", "POST", path+"/changes", object{"request": id}) }

	w.send("registrar", "POST", path+"/requests", object{"change": "resume"}).problem(409, "ca.not-held")
	w.send("registrar", "POST", path+"/requests", object{"change": "revoke", "reason": 6}).problem(422, "request.invalid")
	w.send("registrar", "POST", "/v1/certificates/00ff/requests", object{"change": "suspend"}).problem(404, "ca.not-found")
	for _, bad := range []string{"x", "-1", "0", strings.Repeat("f", 64)} {
		w.send("registrar", "GET", "/v1/certificates/"+bad, nil).problem(404, "ca.not-found")
	}

	hold := ask(object{"change": "suspend"})
	carry(hold).problem(403, "access.not-approved")
	second := ask(object{"change": "revoke", "reason": 4})
	var seen []string
	for after, pages := "", 0; pages == 0 || after != ""; pages++ {
		var open struct {
			Approvals []Approval
			Next      string
		}
		w.send("approver", "GET", "/v1/approvals?limit=1&requester=registrar&after="+after, nil).is(200).into(&open)
		for _, p := range open.Approvals {
			seen = append(seen, p.ID)
		}
		after = open.Next
	}
	if !slices.Equal(seen, []string{hold, second}) {
		t.Errorf("open are %v, want %s and %s", seen, hold, second)
	}
	for _, filter := range []string{"kind=seal.make", "requester=approver", "after=req_none"} {
		var none struct{ Approvals []Approval }
		w.send("approver", "GET", "/v1/approvals?"+filter, nil).is(200).into(&none)
		if len(none.Approvals) != 0 {
			t.Errorf("%s: %+v", filter, none.Approvals)
		}
	}
	w.send("approver", "POST", "/v1/approvals/"+hold+"/approve", nil).is(204)
	carry(hold).is(200)
	carry(hold).problem(409, "access.used")
	if state() != "held" {
		t.Fatal(state())
	}
	resume := ask(object{"change": "resume"})
	w.send("approver", "POST", "/v1/approvals/"+resume+"/reject", object{"reason": "尚未查清"}).is(204)
	carry(resume).is(403)
	resume = ask(object{"change": "resume"})
	w.send("approver", "POST", "/v1/approvals/"+resume+"/approve", nil).is(204)
	carry(resume).is(200)
	w.send("approver", "POST", path+"/hold", object{"reason": "电话报失"}).is(200)
	if state() != "held" {
		t.Fatal(state())
	}
	revoke := ask(object{"change": "revoke", "reason": 1})
	var p Approval
	w.send("auditor", "GET", "/v1/approvals/"+revoke, nil).is(200).into(&p)
	if p.Subject == nil {
		t.Errorf("%+v", p)
	}
	w.send("approver", "POST", "/v1/approvals/"+revoke+"/approve", nil).is(204)
	w.send("registrar", "POST", "/v1/certificates/"+ca.SerialText(w.authority.Issuing(ca.ProfileInstitution).Serial)+"/changes", object{"request": revoke}).problem(403, "access.other-subject")
	carry(revoke).is(200)
	if state() != "revoked" {
		t.Fatal(state())
	}
	w.send("registrar", "POST", path+"/requests", object{"change": "revoke", "reason": 1}).problem(409, "ca.revoked")
	var list struct{ Certificates []Certificate }
	w.send("auditor", "GET", "/v1/certificates?profile=institution&state=revoked", nil).is(200).into(&list)
	if len(list.Certificates) != 1 || list.Certificates[0].Serial != serial || list.Certificates[0].PEM != "" {
		t.Errorf("%+v", list)
	}
}

func TestASealSaysThatItsCertificateWasRevoked(t *testing.T) {
	w := newWorld(t)
	serial := ca.SerialText(w.certificate.Serial)
	shown := func(state string, usable bool, reason string) {
		t.Helper()
		var list struct{ Seals []Seal }
		w.send("clerk", "GET", "/v1/seals", nil).is(200).into(&list)
		if len(list.Seals) != 1 || list.Seals[0].State != state || list.Seals[0].Usable != usable || list.Seals[0].Reason != reason {
			t.Errorf("%+v", list.Seals)
		}
	}
	shown("active", true, "")
	var asked Approval
	w.send("registrar", "POST", "/v1/certificates/"+serial+"/requests", object{"change": "revoke", "reason": 1}).is(202).into(&asked)
	must(t, w.access.Approve(t.Context(), w.people[1], asked.ID))
	w.send("registrar", "POST", "/v1/certificates/"+serial+"/changes", object{"request": asked.ID}).is(200)
	shown("suspended", false, "seal.certificate-revoked")
}
