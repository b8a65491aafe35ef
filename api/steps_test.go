package api

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"yinxin/ca/enroll"
	"yinxin/internal/access"
)

func TestNobodyApprovesWhatTheyExaminedThemselves(t *testing.T) {
	a := newApplicant(t, true)
	both := a.actor("both", "省局", access.RoleRegistrar, access.RoleApprover)
	a.keys["both"] = got(a.access.CreateKey(t.Context(), both.ID, "test"))(t)
	d := a.submitted(a.form("new", "central")).examinable()
	d.step("both", "examine", nil, enroll.StateExamined)
	d.send("both", "POST", d.path("/approve"), nil, "If-Match: "+d.tag).problem(403, "access.same-person")
	d.send("registrar", "POST", d.path("/template"), object{"reason": "更清晰"}, "If-Match: "+d.tag).problem(422, "enroll.state")
	d.send("registrar", "POST", d.path("/reject"), object{"reason": "不予批准"}, "If-Match: "+d.tag).problem(422, "enroll.state")
	examination := d.Examination
	d.step("approver", "return", object{"remarks": []object{{"field": "seal.name", "reason": "印章名称与印模文字不一致"}}}, enroll.StateReturned)
	var void Approval
	d.send("approver", "GET", "/v1/approvals/"+examination, nil).is(200).into(&void)
	if void.State != "voided" {
		t.Errorf("the request of what was returned is %s", void.State)
	}
	if history := d.send("handler", "GET", d.path("/history"), nil).is(200); !bytes.Contains(history.body, []byte("【印章名称】印章名称与印模文字不一致")) {
		t.Errorf("%s", history.body)
	}
}

// TestTheHolderObjectsOverHTTP keeps a seal from being used until the objection is answered.
func TestTheHolderObjectsOverHTTP(t *testing.T) {
	a := newApplicant(t, true)
	d := a.submitted(a.form("new", "central")).examinable()
	d.step("registrar", "examine", nil, enroll.StateExamined)
	d.step("approver", "approve", nil, enroll.StateApproved)
	d.send("handler", "PUT", d.path("/form"), d.Form, "If-Match: "+d.tag).problem(422, "enroll.state")
	d.send("handler", "POST", d.path("/accept"), nil, "If-Match: "+d.tag).problem(422, "enroll.state")
	d.send("registrar", "POST", d.path("/carry-out"), nil).is(200)
	d.look()
	d.step("handler", "object", object{"reason": "名称有误"}, enroll.StateObjected)
	var list struct{ Certificates []Certificate }
	d.send("auditor", "GET", "/v1/certificates?profile=institution&state=held", nil).is(200).into(&list)
	if len(list.Certificates) != 1 {
		t.Fatalf("%+v", list)
	}
	d.send("handler", "POST", d.path("/settle"), object{"reason": "已更正"}, "If-Match: "+d.tag).problem(422, "business.not-done")
	path := "/v1/certificates/" + list.Certificates[0].Serial
	var asked Approval
	d.send("registrar", "POST", path+"/requests", object{"change": "resume"}).is(202).into(&asked)
	d.send("approver", "POST", "/v1/approvals/"+asked.ID+"/approve", nil).is(204)
	d.send("registrar", "POST", path+"/changes", object{"request": asked.ID}).is(200)
	d.step("handler", "settle", object{"reason": "名称无误"}, enroll.StateAccepted)
	var template SealTemplate
	d.send("registrar", "GET", d.path("/template"), nil).is(200).into(&template)
	if !usable(d.world, template.Code) {
		t.Error("the seal cannot be used")
	}
}

func TestAnApplicationIsRecalledAndWithdrawn(t *testing.T) {
	a := newApplicant(t, true)
	d := a.create(a.form("new", "central"))
	d.send("handler", "POST", d.path("/submit"), nil, "If-Match: "+d.tag).problem(422, "enroll.agreement")
	d.send("handler", "POST", d.path("/accept-agreement"), object{"version": "2025-01"}, "If-Match: "+d.tag).problem(422, "enroll.agreement")
	d.step("handler", "accept-agreement", object{"version": "2026-01"}, enroll.StateDraft)
	d.step("handler", "submit", nil, enroll.StateSubmitted)
	d.step("handler", "recall", nil, enroll.StateDraft)
	d.send("handler", "POST", d.path("/withdraw"), object{"reason": ""}, "If-Match: "+d.tag).problem(422, "request.invalid")
	d.step("handler", "withdraw", object{"reason": "单位已撤销"}, enroll.StateWithdrawn)
	d.send("handler", "POST", d.path("/submit"), nil, "If-Match: "+d.tag).problem(422, "enroll.state")
}

func TestUnitsAndMembersAreListedToThoseWhoMaySeeThem(t *testing.T) {
	a := newApplicant(t, false)
	for who, want := range map[string]int{"registrar": 2, "auditor": 2, "city": 2, "handler": 1} {
		var list struct{ Units []Unit }
		a.send(who, "GET", "/v1/units?area="+testArea, nil).is(200).into(&list)
		if len(list.Units) != want {
			t.Errorf("%s sees %+v", who, list.Units)
		}
	}
	var all []string
	for after, pages := "", 0; pages == 0 || after != ""; pages++ {
		var list struct {
			Members []Member
			Next    string
		}
		a.send("auditor", "GET", "/v1/members?limit=2&after="+after, nil).is(200).into(&list)
		for _, m := range list.Members {
			all = append(all, m.Actor)
		}
		after = list.Next
	}
	if !slices.Equal(all, []string{"city", "handler", "neighbour"}) {
		t.Errorf("%v", all)
	}
	a.send("registrar", "PUT", "/v1/members/handler", object{"unit": a.unit}).problem(409, "enroll.member")
	a.send("registrar", "PUT", "/v1/members/handler", object{}).problem(400, "request.invalid")
	a.send("registrar", "PUT", "/v1/members/city", object{"unit": a.unit}).problem(403, "access.role")
	a.send("registrar", "POST", "/v1/units", object{"units": []object{{"name": "别处", "area": "999999"}}}).problem(404, "enroll.unit-not-found")
	a.send("registrar", "POST", "/v1/areas", object{"areas": []object{{"code": "22", "name": "省"}}}).problem(422, "request.invalid")
	var areas struct{ Areas []Area }
	a.send("handler", "GET", "/v1/areas", nil).is(200).into(&areas)
	if len(areas.Areas) != 1 || areas.Areas[0].Name != "云山市" {
		t.Errorf("%+v", areas)
	}
}

func TestAnAgreementNeverChanges(t *testing.T) {
	a := newApplicant(t, true)
	text := "Content-Type: text/plain; charset=utf-8"
	a.call("registrar", "PUT", "/v1/agreements/2026-01", strings.NewReader("另一文本"), text).problem(409, "enroll.agreement-exists")
	a.call("registrar", "PUT", "/v1/agreements/2027-01", strings.NewReader("x"), asJSON).problem(415, "request.media-type")
	a.call("registrar", "PUT", "/v1/agreements/2027-01", bytes.NewReader(make([]byte, 1<<20+1)), text).problem(413, "request.too-large")
	a.call("registrar", "PUT", "/v1/agreements/2027-01", strings.NewReader("\xff\xfe"), text).problem(400, "enroll.field")
	a.call("registrar", "PUT", "/v1/agreements/2027-01", strings.NewReader("新的全文"), text).is(http.StatusCreated)
	var now, before Agreement
	a.send("handler", "GET", "/v1/agreement", nil).is(200).into(&now)
	a.send("handler", "GET", "/v1/agreements/2026-01", nil).is(200).into(&before)
	if now.Version != "2027-01" || before.Text != "协议全文" || len(before.SM3) != 64 {
		t.Errorf("%+v, %+v", now, before)
	}
	a.send("handler", "GET", "/v1/agreements/2020-01", nil).problem(404, "enroll.agreement-not-found")
}
