package api

import (
	"bytes"
	"testing"

	"yinxin/ca/enroll"
)

// A page in a pile of scans names an application by a code that anybody can print: it takes back nothing that waits for the
// second person, or was approved. Who means it attaches the page by hand.
func TestAPageInAPileTakesNoApprovalBack(t *testing.T) {
	d := newApplicant(t, true)
	a := d.submitted(d.form("new", "central")).examinable()
	pile := func(seals int, want enroll.State) {
		t.Helper()
		var found Scan
		a.call("registrar", "POST", "/v1/scans", bytes.NewReader(a.printed(a.stamps()[:seals]...)), "Content-Type: image/jpeg", "X-File-Name: scan.jpg").is(200).into(&found)
		if len(found.Pages) != 1 || found.Pages[0].Outcome != "refused" || found.Pages[0].Code != "enroll.state" {
			t.Errorf("%+v", found)
		}
		if a.look(); a.State != string(want) {
			t.Errorf("now %s", a.State)
		}
	}
	a.step("registrar", "examine", nil, enroll.StateExamined)
	pile(1, enroll.StateExamined)
	a.step("approver", "approve", nil, enroll.StateApproved)
	pile(2, enroll.StateApproved)
}
