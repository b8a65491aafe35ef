package api

import (
	"bytes"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"yinxin/ca/enroll"
)

// TestACityBureauGathersAndHandsIn is the way of a unit that is no direct one.
func TestACityBureauGathersAndHandsIn(t *testing.T) {
	a := newApplicant(t, false)
	deadline := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	a.send("city", "POST", "/v1/batches", object{"area": "220100", "title": "第四季度", "deadline": deadline}).problem(404, "enroll.unit-not-found")
	a.send("city", "POST", "/v1/batches", object{"area": testArea, "title": "第四季度", "deadline": "2020-01-01T00:00:00Z"}).problem(400, "enroll.field")
	opened := a.send("city", "POST", "/v1/batches", object{"area": testArea, "title": "第四季度", "deadline": deadline}).is(201)
	var b Batch
	opened.into(&b)
	path, tag := "/v1/batches/"+b.ID, opened.header.Get("ETag")
	a.send("city", "POST", path+"/hand-in", nil).problem(428, "request.if-match-missing")
	a.send("city", "POST", path+"/hand-in", nil, "If-Match: "+tag).problem(422, "enroll.batch-empty")

	d := a.create(a.form("new", "central"))
	d.step("handler", "accept-agreement", object{"version": "2026-01"}, enroll.StateDraft)
	d.step("handler", "submit", nil, enroll.StateSubmitted)
	d.send("registrar", "POST", d.path("/receive"), nil, "If-Match: "+d.tag).problem(422, "enroll.not-handed-in")
	d.step("city", "gather", object{"batch": b.ID}, enroll.StateGathered)
	d.step("city", "release", nil, enroll.StateSubmitted)
	d.step("city", "return", object{"remarks": []object{{"field": "purpose", "reason": "用途不明确"}}}, enroll.StateReturned)
	d.step("handler", "submit", nil, enroll.StateSubmitted)
	d.step("city", "gather", object{"batch": b.ID}, enroll.StateGathered)

	var p BatchProgress
	a.send("city", "GET", path, nil).is(200).into(&p)
	missing := 0
	for _, u := range p.Units {
		if u.Missing {
			missing++
		}
	}
	if len(p.Units) != 2 || missing != 1 {
		t.Errorf("%+v", p)
	}
	export := a.send("city", "GET", path+"/list.xlsx", nil).is(200)
	book := got(excelize.OpenReader(bytes.NewReader(export.body)))(t)
	defer book.Close()
	if bytes.Contains(export.body, []byte(a.handler.IdentityNumber)) {
		t.Error("the list holds a number")
	}
	handed := a.send("city", "POST", path+"/hand-in", nil, "If-Match: "+tag).is(200)
	a.send("city", "POST", path+"/hand-in", nil, "If-Match: "+handed.header.Get("ETag")).problem(422, "enroll.handed-in")
	var list struct{ Batches []Batch }
	a.send("auditor", "GET", "/v1/batches?open=true", nil).is(200).into(&list)
	if len(list.Batches) != 0 {
		t.Errorf("%+v", list)
	}
	a.send("auditor", "GET", "/v1/batches?area="+testArea, nil).is(200).into(&list)
	if len(list.Batches) != 1 || list.Batches[0].HandedIn.IsZero() {
		t.Errorf("%+v", list)
	}
	d.look()
	d.step("registrar", "receive", nil, enroll.StateReceived)
	if !bytes.Contains(a.send("handler", "GET", d.path("/history"), nil).body, []byte("用途不明确")) {
		t.Error("the remark is not in the history")
	}
}
