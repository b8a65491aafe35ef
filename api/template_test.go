package api

import (
	"bytes"
	"slices"
	"testing"

	"yinxin/ca/enroll"
	"yinxin/fixtures"
	"yinxin/sealer/imprint"
)

// stamped has an application received whose form was stamped as told.
func (a *applicant) stamped(stamps func(d *dossier) []fixtures.Stamping) *dossier {
	a.t.Helper()
	d := a.create(a.form("new", "central"))
	d.step("handler", "accept-agreement", object{"version": "2026-01"}, enroll.StateDraft)
	d.call("handler", "POST", "/v1/scans", bytes.NewReader(d.printed(stamps(d)...)), "Content-Type: image/jpeg", "X-File-Name: scan.jpg").is(200)
	d.look()
	d.attach("credit-code", card(a.t))
	d.attach("identity", card(a.t))
	d.step("handler", "submit", nil, enroll.StateSubmitted)
	d.step("registrar", "receive", nil, enroll.StateReceived)
	d.step("registrar", "original", object{"on": d.today(), "number": "机要2026-0017"}, enroll.StateOriginal)
	return d
}

func TestNoReasonMakesATemplateOfTwoSeals(t *testing.T) {
	a := newApplicant(t, true)
	d := a.stamped(func(d *dossier) []fixtures.Stamping {
		stamps := d.stamps()
		name := []rune(stamps[1].Seal.Text)
		name[len(name)-1] = '局'
		stamps[1].Seal = fixtures.OfficialSeal(string(name))
		return stamps
	})
	for _, box := range []string{"both", "first", "second"} {
		var got SealTemplate
		d.send("registrar", "POST", d.path("/template"), object{"reason": "已核对原件", "box": box}, "If-Match: "+d.tag).is(200).into(&got)
		i := slices.IndexFunc(got.Gates, func(g imprint.Gate) bool { return g.Name == imprint.GateSameSeal })
		if got.Stored || got.Verdict != string(imprint.StampAgain) || i < 0 || got.Gates[i].Verdict != imprint.StampAgain || got.Gates[i].Acceptable {
			t.Errorf("%s: stored %v, %s, %+v", box, got.Stored, got.Verdict, got.Gates)
		}
	}
	d.send("registrar", "GET", d.path("/template"), nil).is(404)
}

func TestEvidenceOfATemplateMakesItAgain(t *testing.T) {
	a := newApplicant(t, true)
	d := a.stamped((*dossier).stamps)
	var made SealTemplate
	d.send("registrar", "POST", d.path("/template"), object{"reason": "已核对原件", "box": "first"}, "If-Match: "+d.tag).is(201).into(&made)
	if !made.Stored || made.Verdict != string(imprint.Warn) {
		t.Fatalf("%+v", made)
	}
	evidence, again, err := d.server.Registration.Evidence(t.Context(), d.people[0], d.ID, "核对印章模板")
	if err != nil || !again.Equal || len(evidence) == 0 {
		t.Fatalf("%d bytes of evidence, equal %v, %v", len(evidence), again.Equal, err)
	}
	kept := d.call("auditor", "GET", d.path("/template.png"), nil).is(200)
	if !bytes.Equal(kept.body, again.Template) {
		t.Error("the template made again is another one")
	}
}
