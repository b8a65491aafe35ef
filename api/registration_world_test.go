package api

import (
	"bytes"
	"context"
	"encoding/json"
	mrand "math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/ca/escrow"
	"yinxin/fixtures"
	"yinxin/internal/civil"
	"yinxin/internal/files"
	"yinxin/internal/ledger"
	"yinxin/keystore"
	"yinxin/sealer/registration"
)

// wireRegistration puts the rooms of registration together, as internal/command does.
func (w *world) wireRegistration(c *Config, l *ledger.Ledger, ring *keystore.Ring) {
	w.t.Helper()
	ctx := w.t.Context()
	c.Escrow = escrow.New(escrow.Config{DB: w.db, Ledger: l, Access: w.access, Clock: c.Clock, Standing: func(ctx context.Context, of *chain.Certificate) error {
		r, err := w.authority.Certificate(ctx, of.Serial)
		if err == nil && r.State != ca.RecordGood {
			err = ca.ErrRevoked.New()
		}
		return err
	}})
	handouts := got(c.Escrow.Establish(ctx, [2]string{"registrar", "approver"}, escrow.Division{Officers: []string{"auditor", "administrator"}, Threshold: 2}))(w.t)
	must(w.t, c.Escrow.Activate(ctx, w.people[0], handouts[0].Share, handouts[1].Share))
	safe := got(ring.CreateSafe(ctx, enroll.SafeName, keystore.PurposePersonalData))(w.t)
	b := business.New(business.Config{DB: w.db, Ledger: l, Access: w.access, Authority: w.authority, Seals: w.register.ForBusiness(),
		Keys: business.RingKeys{Ring: ring}, Escrow: c.Escrow, Safe: safe, Clock: c.Clock, AcceptDays: 5})
	e := enroll.New(enroll.Config{Regions: fixtures.Regions(), DB: w.db, Ledger: l, Access: w.access, Safe: safe, Files: got(files.OpenFolder(w.t.TempDir()))(w.t), Planner: b, Suspender: b,
		Seals: b, Effects: b.Effects(), Clock: c.Clock, AcceptDays: 5})
	b.Enroll = e
	c.Registration = registration.New(registration.Config{Enroll: e, Business: b})
}

// send posts a JSON body; nil sends none.
func (w *world) send(actor, method, path string, body any, fields ...string) answer {
	w.t.Helper()
	if body == nil {
		return w.call(actor, method, path, nil, fields...)
	}
	return w.call(actor, method, path, bytes.NewReader(got(json.Marshal(body))(w.t)), append(fields, asJSON)...)
}

// applicant is a unit with its handler and forms, all made over HTTP.
type applicant struct {
	*world
	unit, name, credit string
	handler            fixtures.Person
}

const testArea = "227100"

// newApplicant records area, agreement and two units of which the second is the neighbour's, over HTTP.
func newApplicant(t *testing.T, direct bool, change ...func(*Config)) *applicant {
	t.Helper()
	w := newWorld(t, change...)
	w.send("administrator", "POST", "/v1/areas", object{"areas": []object{{"code": testArea, "name": "云山市"}}}).is(204)
	units := fixtures.Organisations(7, 2)
	var recorded struct{ Units []Unit }
	w.send("registrar", "POST", "/v1/units", object{"units": []object{
		{"name": units[0].Name, "credit_code": units[0].CreditCode, "area": testArea, "direct": direct, "expected": true},
		{"name": units[1].Name, "credit_code": units[1].CreditCode, "area": testArea, "expected": true}}}).is(200).into(&recorded)
	w.send("registrar", "PUT", "/v1/members/handler", object{"unit": recorded.Units[0].ID}).is(204)
	w.send("registrar", "PUT", "/v1/members/neighbour", object{"unit": recorded.Units[1].ID}).is(204)
	w.send("registrar", "PUT", "/v1/members/city", object{"area": testArea}).is(204)
	w.call("administrator", "PUT", "/v1/agreements/2026-01", bytes.NewReader([]byte("协议全文")), "Content-Type: text/plain; charset=utf-8").is(201)
	return &applicant{world: w, unit: recorded.Units[0].ID, name: units[0].Name, credit: units[0].CreditCode, handler: fixtures.MakePerson(mrand.New(mrand.NewPCG(1, 1)))}
}

// form is a form without fault.
func (a *applicant) form(business string, method string) object {
	return object{"sealType": "official", "businesses": []string{business}, "scopes": []string{"internet"}, "methods": []string{method},
		"unit":     object{"name": a.name, "type": "institution", "creditCode": a.credit, "phone": "0499-2345678", "address": "临江省云山市兰台街1号"},
		"approver": "临江省档案局", "purpose": "出具档案证明", "handler": object{"name": a.handler.Name, "email": "u@archive.example", "address": "兰台街1号"},
		"appliedOn": a.today(), "seal": object{"name": a.name, "size": object{"diameter": 42}},
		"personal": object{"handlerIdentity": a.handler.IdentityNumber, "handlerMobile": a.handler.Mobile}}
}

func (a *applicant) today() string {
	return civil.Day(time.Now())
}

// dossier is an application as the test follows it: each step names the revision of the answer before.
type dossier struct {
	*applicant
	Application
	tag string
}

func (a *applicant) create(f object) *dossier {
	a.t.Helper()
	d := &dossier{applicant: a}
	d.take(a.send("handler", "POST", app, object{"unit": a.unit, "form": f}).is(201))
	return d
}

func (d *dossier) take(a answer) {
	d.t.Helper()
	d.Application = Application{}
	a.into(&d.Application)
	if d.tag = a.header.Get("ETag"); d.tag != strconv.Quote(strconv.FormatInt(d.Revision, 10)) {
		d.t.Fatalf("ETag %s, revision %d", d.tag, d.Revision)
	}
}

func (d *dossier) path(rest string) string { return app + "/" + d.ID + rest }

func (d *dossier) look() { d.t.Helper(); d.take(d.send("registrar", "GET", d.path(""), nil).is(200)) }

// step takes a step that must succeed and lead to a state.
func (d *dossier) step(actor, name string, body any, state enroll.State) {
	d.t.Helper()
	d.take(d.send(actor, "POST", d.path("/"+name), body, "If-Match: "+d.tag).is(200))
	if d.State != string(state) {
		d.t.Fatalf("%s led to %s, want %s", name, d.State, state)
	}
}

func (d *dossier) attach(kind string, content []byte) {
	d.t.Helper()
	d.take(d.call("handler", "POST", d.path("/attachments?kind="+kind), bytes.NewReader(content), "Content-Type: image/png", "If-Match: "+d.tag).is(http.StatusCreated))
}

// confirmAll lets every doubtful point pass.
func (d *dossier) confirmAll() {
	d.t.Helper()
	var list struct{ Findings []ApplicationFinding }
	d.send("registrar", "GET", d.path("/findings"), nil).is(200).into(&list)
	for _, f := range list.Findings {
		if f.Severity == string(form.Confirm) {
			d.step("registrar", "confirm-finding", object{"finding": f.Key, "reason": "已与申请单位核实"}, enroll.StateOriginal)
		}
	}
}
