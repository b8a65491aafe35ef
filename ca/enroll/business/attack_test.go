package business_test

import (
	"testing"
	"time"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	var n int
	w.must(w.db.Read().QueryRowContext(w.t.Context(), query, args...).Scan(&n))
	return n
}

// A registrar who renews for a holder may bring the holder's present key only: another key would be a certificate in the
// holder's name that no second person decided on. The holder may bring a new one.
func TestARegistrarAloneBringsNoOtherKey(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	_, key, old := w.distributed()
	serial := w.state(old.Certificate).Serial
	before := w.count(`SELECT COUNT(*) FROM ca_certificate`)
	_, err := w.RenewKey(ctx, w.registrar, serial, newToken(t).request(t))
	w.want(err, business.ErrPresentKey)
	if after := w.count(`SELECT COUNT(*) FROM ca_certificate`); after != before {
		t.Errorf("%d certificates, then %d", before, after)
	}
	_, err = w.RenewKey(ctx, w.registrar, serial, key.request(t))
	w.must(err)

	w = sqliteWorld(t)
	user, _, old := w.distributed()
	_, err = w.RenewKey(ctx, user, w.state(old.Certificate).Serial, newToken(t).request(t))
	w.must(err)
}

// What waits for the second person and what was approved keep the template with which they were examined.
func TestTheTemplateStaysAsItWasExamined(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	other := business.Template{Width: 42, Height: 42, Template: picture(t, 20), Picture: picture(t, 10), Verdict: "pass", Measures: "{}"}
	a := w.inked(w.submitted(w.filled(form.New)))
	for _, version := range []int{0, a.Version - 1, a.Version + 1} {
		if _, err := w.SetTemplate(ctx, w.registrar, a.ID, version, other); !fault.Has(err, enroll.ErrConflict) {
			t.Errorf("version %d of %d: %v", version, a.Version, err)
		}
	}
	_, err := w.SetTemplate(ctx, w.registrar, "app_none", 1, other)
	w.want(err, enroll.ErrNotFound)
	a = w.with(w.enroll.Examine(ctx, w.registrar, a.Ref()))
	_, err = w.SetTemplate(ctx, w.registrar, a.ID, a.Version, other)
	w.want(err, enroll.ErrState)
	a = w.with(w.enroll.Approve(ctx, w.approver, a.Ref()))
	_, err = w.SetTemplate(ctx, w.registrar, a.ID, a.Version, other)
	w.want(err, enroll.ErrState)
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	if s := w.again(a).State; s != enroll.StateIssued {
		t.Errorf("state %s", s)
	}
}

// The consent of the second person given past registration, where nobody asks whether the application is still in order,
// makes nothing.
func TestConsentPastRegistrationMakesNothing(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		a := w.with(w.enroll.Examine(ctx, w.registrar, w.inked(w.submitted(w.filled(form.New))).Ref()))
		w.want(w.access.Approve(ctx, w.approver, a.Examination), access.ErrOwnStep)
		w.want(w.access.Reject(ctx, w.approver, a.Examination, "不予批准"), access.ErrOwnStep)
		w.must(w.db.Write(ctx, func(tx *store.Tx) error { return w.access.ApproveIn(ctx, tx, w.approver, a.Examination) }))
		w.want(w.CarryOut(ctx, w.registrar, a.ID), access.ErrNotApproved)
		parts, err := w.access.Parts(ctx, a.Examination)
		w.must(err)
		for _, p := range parts {
			err := w.db.Write(ctx, func(tx *store.Tx) error {
				_, err := w.access.Redeem(ctx, tx, p.ID, p.Kind, p.Subject)
				return err
			})
			w.want(err, access.ErrNotApproved)
		}
		// It is not lost: an edit takes it back.
		w.with(w.enroll.Edit(ctx, w.registrar, w.again(a).Ref(), a.Form))
	})
}

// An unlocking is for a token of the person whom the form names.
func TestTheTokenOfAnotherIsNotUnlocked(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	w.distributed()
	_, err := w.RegisterToken(ctx, w.registrar, "YX00000000000009", w.platform.ID)
	w.must(err)
	f := w.about(form.KeyUnlock)
	f.Methods, f.Key, f.Personal.KeyHolderIdentity = []form.Method{form.Distributed}, form.Key{Holder: userPerson.Name, Serial: "YX00000000000009"}, userPerson.IdentityNumber
	_, err = w.enroll.Examine(ctx, w.registrar, w.inked(w.submitted(f)).Ref())
	w.want(err, business.ErrNoKey)
	f.Key.Serial = "YX00000000000008" // which nobody registered
	_, err = w.enroll.Examine(ctx, w.registrar, w.inked(w.submitted(f)).Ref())
	w.want(err, business.ErrNoKey)
}

// Nobody is the service itself, for what needs no person; a key and a PIN are handed to somebody.
func TestNobodyIsHandedAKeyOrAPIN(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	f := w.filled(form.New)
	f.Methods = []form.Method{form.Distributed}
	a := w.approved(f, w.person(3, userPerson, enroll.StatusActive))
	_, err := w.IssueKey(ctx, access.Actor{}, a.ID, w.actorOf(userPerson).ID, newToken(t).request(t))
	w.want(err, access.ErrActorNotFound)
	_, err = w.ReleaseSOPIN(ctx, access.Actor{}, a.ID)
	w.want(err, access.ErrActorNotFound)
	if n := w.count(`SELECT COUNT(*) FROM ca_certificate WHERE profile = 'personal'`); n != 0 {
		t.Errorf("%d certificates", n)
	}
}

// Somebody who was stopped after the approval gets no key under it: its certificates and grants would not be stopped.
func TestWhoWasStoppedAfterTheApprovalGetsNoKey(t *testing.T) {
	for _, confirmed := range []bool{false, true} {
		w := sqliteWorld(t)
		ctx := t.Context()
		f := w.filled(form.New)
		f.Methods = []form.Method{form.Distributed}
		a := w.approved(f, w.person(3, userPerson, enroll.StatusActive))
		w.pass(time.Second)
		holder, err := w.enroll.HolderIn(ctx, w.db.Read(), "unit", userPerson.IdentityNumber)
		w.must(err)
		x, err := w.enroll.SuspendAtOnce(ctx, w.registrar, holder, "已调离")
		w.must(err)
		if confirmed {
			x, err = w.enroll.RequestDecision(ctx, w.registrar, x.Ref(), true)
			w.must(err)
			_, err = w.enroll.ApproveDecision(ctx, w.approver, x.Ref())
			w.must(err)
		}
		_, err = w.IssueKey(ctx, w.registrar, a.ID, w.actorOf(userPerson).ID, newToken(t).request(t))
		w.want(err, business.ErrStopped)
		if n := w.count(`SELECT COUNT(*) FROM ca_certificate WHERE profile = 'personal'`); n != 0 {
			t.Errorf("%d certificates", n)
		}
		if confirmed {
			continue
		}
		x, err = w.enroll.RequestDecision(ctx, w.registrar, x.Ref(), false)
		w.must(err)
		_, err = w.enroll.ApproveDecision(ctx, w.approver, x.Ref())
		w.must(err)
		_, err = w.IssueKey(ctx, w.registrar, a.ID, w.actorOf(userPerson).ID, newToken(t).request(t))
		w.must(err)
	}
}

// A lost Key is stopped first and replaced then: two people decide on the new one while the old one is on hold.
func TestALostKeyIsReplacedWhileItsUserIsStopped(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	user, _, _ := w.distributed()
	holder, err := w.enroll.HolderIn(ctx, w.db.Read(), "unit", userPerson.IdentityNumber)
	w.must(err)
	x, err := w.enroll.SuspendAtOnce(ctx, w.handler, holder, "Key 遗失")
	w.must(err)
	f := w.about(form.KeyReplacement)
	f.Methods, f.Key, f.Personal.KeyHolderIdentity = []form.Method{form.Distributed}, form.Key{Holder: userPerson.Name, Serial: "YX00000000000001"}, userPerson.IdentityNumber
	a := w.approved(f)
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	k, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, newToken(t).request(t))
	w.must(err)
	w.must(w.Escrow.Confirm(ctx, w.registrar, k.Escrow))
	w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
	if _, refusal := w.usable(user); refusal == "" {
		t.Error("used while stopped")
	}
	// Lifting it releases what is on hold, and what is not stays as it is.
	x, err = w.enroll.RequestDecision(ctx, w.registrar, x.Ref(), false)
	w.must(err)
	_, err = w.enroll.ApproveDecision(ctx, w.approver, x.Ref())
	w.must(err)
	if _, refusal := w.usable(user); refusal != "" {
		t.Error(refusal)
	}
}
