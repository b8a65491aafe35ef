package business_test

import (
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/sealer/register"
)

// central has the unit's central seal in use.
func (w *world) central() register.Instance {
	w.t.Helper()
	w.accepted(w.approved(w.filled(form.New)))
	in, refusal := w.usable(w.platform)
	if refusal != "" {
		w.t.Fatal(refusal)
	}
	return in
}

// distributed has the seal on the USB Key of one user.
func (w *world) distributed() (access.Actor, token, register.Instance) {
	w.t.Helper()
	ctx := w.t.Context()
	f := w.filled(form.New)
	f.Methods = []form.Method{form.Distributed}
	a := w.approved(f, w.person(3, userPerson, enroll.StatusActive))
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	user, key := w.actorOf(userPerson), newToken(w.t)
	k, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, key.request(w.t))
	w.must(err)
	w.must(w.Escrow.Confirm(ctx, w.registrar, k.Escrow))
	w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
	user = w.actorOf(userPerson)
	in, refusal := w.usable(user)
	if refusal != "" {
		w.t.Fatal(refusal)
	}
	return user, key, in
}

// about is a form for a business that concerns the unit's seal.
func (w *world) about(b ...form.Business) form.Application {
	f := w.filled(b...)
	f.Seal.Code = w.code()
	return f
}

func (w *world) reason(in register.Instance) ca.Reason {
	w.t.Helper()
	r := w.state(in.Certificate)
	if r.State != ca.RecordRevoked {
		w.t.Errorf("the certificate is %s", r.State)
	}
	return r.Reason
}

func TestANewImprintKeepsTheCertificateAndReplacesTheSeal(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		old := w.central()
		w.pass(time.Hour)
		w.accepted(w.approved(w.about(form.ImprintChange)))
		in, refusal := w.usable(w.platform)
		if refusal != "" || in.ID == old.ID || string(in.Certificate) != string(old.Certificate) || in.KeyName != old.KeyName || string(in.Picture) == string(old.Picture) {
			t.Errorf("%s: %s after %s", refusal, in.ID, old.ID)
		}
		if made, _, err := w.register.Made(t.Context(), w.code(), old.Seal); err != nil || !made {
			t.Errorf("the old seal: %v, %v", made, err)
		}
		if w.state(old.Certificate).State != ca.RecordGood {
			t.Error("the certificate was revoked")
		}
	})
}

func TestAChangedOrganisationGetsNewCertificatesAndKeepsItsOldName(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		old := w.central()
		former := w.unit
		w.unit.Name = "临江省云山市档案和史志馆"
		_, err := w.enroll.SetUnits(ctx, w.registrar, []enroll.Unit{w.unit})
		w.must(err)
		f := w.about(form.OrganisationChange, form.ImprintChange)
		f.FormerName = former.Name
		a := w.approved(f)
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
		if in, _ := w.usable(w.platform); in.ID != old.ID || w.state(old.Certificate).State != ca.RecordGood {
			t.Error("the old seal ended before the new one was accepted")
		}
		w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
		in, refusal := w.usable(w.platform)
		if refusal != "" || in.SealName != w.unit.Name {
			t.Fatalf("%s %+v", refusal, in.SealName)
		}
		if r := w.state(in.Certificate); r.Certificate.Subject.Organisation != w.unit.CreditCode+w.unit.Name || r.Certificate.Subject.CommonName != w.code() {
			t.Errorf("%+v", r.Certificate.Subject)
		}
		if reason := w.reason(old); reason != ca.ReasonAffiliationChanged {
			t.Errorf("reason %d", reason)
		}
		var name string
		w.must(w.db.Read().QueryRowContext(ctx, `SELECT name FROM seal_former_name`).Scan(&name))
		if name != former.Name {
			t.Errorf("former name %s", name)
		}
	})
}

func TestAChangedOrganisationReachesTheUsersOfItsKeys(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	user, key, old := w.distributed()
	former := w.unit
	w.unit.Name = "临江省云山市档案和史志馆"
	_, err := w.enroll.SetUnits(ctx, w.registrar, []enroll.Unit{w.unit})
	w.must(err)
	f := w.about(form.OrganisationChange, form.ImprintChange)
	f.FormerName, f.Methods = former.Name, []form.Method{form.Distributed}
	a := w.inked(w.submitted(f, w.person(3, otherPerson, enroll.StatusActive)))
	_, err = w.enroll.Examine(ctx, w.registrar, a.Ref())
	w.want(err, business.ErrUserMissing)
	w.with(w.enroll.Reject(ctx, w.registrar, a.Ref(), "汇总表不完整"))
	a = w.approved(f, w.person(3, userPerson, enroll.StatusActive))
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	_, err = w.IssueKey(ctx, w.registrar, a.ID, user.ID, newToken(t).request(t))
	w.must(err)
	_ = key
	w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
	in, refusal := w.usable(user)
	if refusal != "" || in.ID == old.ID || w.state(in.Certificate).Certificate.Subject.Organisation != w.unit.Name {
		t.Errorf("%s %+v", refusal, in.ID)
	}
	if reason := w.reason(old); reason != ca.ReasonAffiliationChanged {
		t.Errorf("reason %d", reason)
	}
}

func TestAReplacedKeyEndsTheOldOneAtOnce(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		user, key, old := w.distributed()
		f := w.about(form.KeyReplacement)
		f.Methods, f.Key.Holder, f.Personal.KeyHolderIdentity = []form.Method{form.Distributed}, userPerson.Name, userPerson.IdentityNumber
		a := w.approved(f)
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
		if reason := w.reason(old); reason != ca.ReasonKeyCompromise {
			t.Errorf("reason %d", reason)
		}
		_, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, newToken(t).request(t))
		w.must(err)
		w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
		in, refusal := w.usable(user)
		if refusal != "" || in.ID == old.ID || w.state(in.Certificate).State != ca.RecordGood {
			t.Errorf("%s %+v", refusal, in.ID)
		}
		_ = key
		f.Personal.KeyHolderIdentity = otherPerson.IdentityNumber
		b := w.inked(w.submitted(f))
		_, err = w.enroll.Examine(ctx, w.registrar, b.Ref())
		w.want(err, business.ErrNoKey)
	})
}

func TestACancelledSealAndItsCertificatesEnd(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := w.filled(form.New)
		f.Methods = []form.Method{form.Central, form.Distributed}
		a := w.approved(f, w.person(3, userPerson, enroll.StatusActive))
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
		user := w.actorOf(userPerson)
		k, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, newToken(t).request(t))
		w.must(err)
		w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
		central, _ := w.usable(w.platform)
		w.accepted(w.approved(w.about(form.Cancellation)))
		for name, r := range map[string]ca.Record{"central": w.state(central.Certificate), "signing": w.state(k.Signing.Raw), "encryption": w.state(k.Encryption.Raw)} {
			if r.State != ca.RecordRevoked || r.Reason != ca.ReasonCessationOfOperation {
				t.Errorf("%s: %s, %d", name, r.State, r.Reason)
			}
		}
		for _, actor := range []access.Actor{w.platform, user} {
			if _, refusal := w.usable(actor); refusal != "seal.cancelled" {
				t.Errorf("%s: %s", actor.ID, refusal)
			}
		}
		if _, err := w.register.StateAt(ctx, w.code(), w.time().Add(-time.Second)); err != nil {
			t.Error(err)
		}
	})
}

func TestAnUnlockedKeyGetsAnotherSOPIN(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		user, _, _ := w.distributed()
		_, err := w.RegisterToken(ctx, w.handler, "YX00000000000001", user.ID)
		w.want(err, access.ErrRole)
		first, err := w.RegisterToken(ctx, w.registrar, "YX00000000000001", user.ID)
		w.must(err)
		f := w.about(form.KeyUnlock)
		f.Methods, f.Key, f.Personal.KeyHolderIdentity = []form.Method{form.Distributed}, form.Key{Holder: userPerson.Name, Serial: "YX00000000000001"}, userPerson.IdentityNumber
		a := w.approved(f)
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
		if s := w.again(a).State; s != enroll.StateApproved {
			t.Errorf("state %s before the PIN was released", s)
		}
		pin, err := w.ReleaseSOPIN(ctx, w.registrar, a.ID)
		w.must(err)
		if pin.Now != first.Now || len(pin.Next) != 16 || pin.Next == pin.Now || pin.String() != "SO PIN of YX00000000000001" {
			t.Errorf("%v", pin)
		}
		if _, err := w.ReleaseSOPIN(ctx, w.registrar, a.ID); !fault.Has(err, access.ErrUsed) {
			t.Errorf("released again: %v", err)
		}
		w.must(w.ConfirmSOPIN(ctx, w.registrar, "YX00000000000001"))
		w.want(w.ConfirmSOPIN(ctx, w.registrar, "YX00000000000001"), business.ErrToken)
		b := w.approved(f)
		next, err := w.ReleaseSOPIN(ctx, w.registrar, b.ID)
		w.must(err)
		if next.Now != pin.Next {
			t.Error("the new SO PIN does not count")
		}
		for _, table := range []string{"business_token", "business_act", "ledger_event"} {
			if w.contains(table, pin.Now) || w.contains(table, pin.Next) {
				t.Errorf("the SO PIN stands in %s", table)
			}
		}
	})
}

func TestAWithdrawnUserIsStoppedAtOnceAndRevokedByApproval(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		user, _, old := w.distributed()
		f := w.about(form.ImprintChange)
		f.Methods = []form.Method{form.Distributed}
		a := w.submitted(f, w.person(3, userPerson, enroll.StatusWithdrawn), w.person(4, otherPerson, enroll.StatusActive))
		if r := w.state(old.Certificate); r.State != ca.RecordHeld {
			t.Errorf("the certificate is %s", r.State)
		}
		if _, refusal := w.usable(user); refusal != "seal.not-granted" {
			t.Errorf("refusal %s", refusal)
		}
		a = w.with(w.enroll.Examine(ctx, w.registrar, w.inked(a).Ref()))
		a = w.with(w.enroll.Approve(ctx, w.approver, a.Ref()))
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
		if reason := w.reason(old); reason != ca.ReasonPrivilegeWithdrawn {
			t.Errorf("reason %d", reason)
		}
		other := w.actorOf(otherPerson)
		_, err := w.IssueKey(ctx, w.registrar, a.ID, other.ID, newToken(t).request(t))
		w.must(err)
		w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
		if _, refusal := w.usable(other); refusal != "" {
			t.Errorf("the new user: %s", refusal)
		}
	})
}

func TestTwoPeopleEndASuspensionEitherWay(t *testing.T) {
	for _, confirm := range []bool{true, false} {
		w := sqliteWorld(t)
		ctx := t.Context()
		user, _, old := w.distributed()
		holder, err := w.enroll.HolderIn(ctx, w.db.Read(), "unit", userPerson.IdentityNumber)
		w.must(err)
		x, err := w.enroll.SuspendAtOnce(ctx, w.handler, holder, "来电称 USB Key 丢失")
		w.must(err)
		if w.state(old.Certificate).State != ca.RecordHeld {
			t.Error("not on hold")
		}
		x, err = w.enroll.RequestDecision(ctx, w.registrar, x.Ref(), confirm)
		w.must(err)
		_, err = w.enroll.ApproveDecision(ctx, w.approver, x.Ref())
		w.must(err)
		_, refusal := w.usable(user)
		switch state := w.state(old.Certificate).State; {
		case confirm && (state != ca.RecordRevoked || refusal == ""):
			t.Errorf("confirmed: %s, %s", state, refusal)
		case !confirm && (state != ca.RecordGood || refusal != ""):
			t.Errorf("lifted: %s, %s", state, refusal)
		}
	}
}

// contains searches every column of a table.
func (w *world) contains(table, text string) bool {
	w.t.Helper()
	rows, err := w.db.Read().QueryContext(w.t.Context(), `SELECT * FROM `+table)
	w.must(err)
	defer rows.Close()
	columns, err := rows.Columns()
	w.must(err)
	for rows.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		w.must(rows.Scan(targets...))
		for _, v := range values {
			switch v := v.(type) {
			case string:
				if containsText(v, text) {
					return true
				}
			case []byte:
				if containsText(string(v), text) {
					return true
				}
			}
		}
	}
	return false
}
