package business_test

import (
	"bytes"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// These are about businesses and renewals that come in each other's way.

func TestACancelledSealTakesItsWaitingRenewalAlong(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		old := w.central()
		r, err := w.RenewCentral(ctx, w.state(old.Certificate).Serial)
		w.must(err)
		w.accepted(w.approved(w.about(form.Cancellation)))
		waited, err := w.Renewal(ctx, r.ID)
		w.must(err)
		renewed, err := w.Authority.Certificate(ctx, waited.Certificates[0].Successor)
		w.must(err)
		if renewed.State != ca.RecordRevoked || w.count(`SELECT COUNT(*) FROM seal_instance WHERE state IN ('waiting', 'active')`) != 0 {
			t.Errorf("the renewed certificate is %s", renewed.State)
		}
		w.pass(20 * 24 * time.Hour)
		if _, err := w.SettleRenewals(ctx); err != nil {
			t.Error(err)
		}
		if got, err := w.Renewal(ctx, r.ID); err != nil || got.State != business.RenewalObjected {
			t.Errorf("%s, %v", got.State, err)
		}
		w.must(w.RetireKeys(ctx))
		a := w.inked(w.submitted(w.about(form.ImprintChange)))
		_, err = w.enroll.Examine(ctx, w.registrar, a.Ref())
		w.want(err, business.ErrSealEnded)
		w.with(w.enroll.Reject(ctx, w.registrar, w.again(a).Ref(), "已注销"))
		a = w.inked(w.submitted(w.about(form.Cancellation)))
		_, err = w.enroll.Examine(ctx, w.registrar, a.Ref())
		w.want(err, business.ErrSealEnded)
	})
}

func TestNothingIsRenewedWhileTwoPeopleChangeIt(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	old := w.central()
	serial := w.state(old.Certificate).Serial
	a := w.approved(w.about(form.ImprintChange))
	_, err := w.RenewCentral(ctx, serial)
	w.want(err, business.ErrChanging)
	w.accepted(a)
	r, err := w.RenewCentral(ctx, serial)
	w.must(err)
	b := w.inked(w.submitted(w.about(form.ImprintChange)))
	_, err = w.enroll.Examine(ctx, w.registrar, b.Ref())
	w.want(err, business.ErrRenewalWaits)
	w.must(w.AcceptRenewal(ctx, w.registrar, r.ID))
	b = w.with(w.enroll.Examine(ctx, w.registrar, w.again(b).Ref()))
	w.accepted(w.with(w.enroll.Approve(ctx, w.approver, b.Ref())))
}

func TestAnImprintThatWasObjectedToIsNeverUsed(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	f := w.filled(form.New)
	f.Methods = []form.Method{form.Central, form.Distributed}
	a := w.approved(f, w.person(3, userPerson, enroll.StatusActive))
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	user, key := w.actorOf(userPerson), newToken(t)
	_, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, key.request(t))
	w.must(err)
	w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
	in, _ := w.usable(w.platform)
	a = w.approved(w.about(form.ImprintChange))
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	a = w.with(w.enroll.Object(ctx, w.handler, w.again(a).Ref(), "印模有误"))
	w.with(w.enroll.Close(ctx, w.registrar, a.Ref(), "重新申请"))
	r, err := w.RenewCentral(ctx, w.state(in.Certificate).Serial)
	w.must(err)
	w.must(w.AcceptRenewal(ctx, w.registrar, r.ID))
	now, refusal := w.usable(w.platform)
	if refusal != "" || now.ID == in.ID || !bytes.Equal(now.Picture, in.Picture) {
		t.Errorf("the renewal: %s, same picture %t", refusal, bytes.Equal(now.Picture, in.Picture))
	}
	f = w.about(form.KeyReplacement)
	f.Methods, f.Key.Holder, f.Personal.KeyHolderIdentity = []form.Method{form.Distributed}, userPerson.Name, userPerson.IdentityNumber
	a = w.approved(f)
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	_, err = w.IssueKey(ctx, w.registrar, a.ID, user.ID, newToken(t).request(t))
	w.must(err)
	w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
	if now, refusal := w.usable(w.actorOf(userPerson)); refusal != "" || now.Holder != user.ID || !bytes.Equal(now.Picture, in.Picture) {
		t.Errorf("the new Key: %s, same picture %t", refusal, bytes.Equal(now.Picture, in.Picture))
	}
}

func TestAKeyIsReplacedAgainAfterAnApplicationWasGivenUp(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	user, _, old := w.distributed()
	f := w.about(form.KeyReplacement)
	f.Methods, f.Key.Holder, f.Personal.KeyHolderIdentity = []form.Method{form.Distributed}, userPerson.Name, userPerson.IdentityNumber
	a := w.approved(f)
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	if n := w.count(`SELECT COUNT(*) FROM seal_instance WHERE state = 'active'`); n != 0 || w.reason(old) != ca.ReasonKeyCompromise {
		t.Error("a seal is in use with a revoked certificate")
	}
	w.with(w.enroll.Abort(ctx, w.registrar, w.again(a).Ref(), "Key 未到货"))
	a = w.approved(f)
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	_, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, newToken(t).request(t))
	w.must(err)
	w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
	if in, refusal := w.usable(w.actorOf(userPerson)); refusal != "" || in.Holder != user.ID {
		t.Errorf("%s %+v", refusal, in.Holder)
	}
}

func TestWhoeverIsStoppedBeforeTheAcceptanceGetsNothing(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := w.filled(form.New)
		f.Methods = []form.Method{form.Distributed}
		a := w.approved(f, w.person(3, userPerson, enroll.StatusActive), w.person(4, otherPerson, enroll.StatusActive))
		user, other := w.actorOf(userPerson), w.actorOf(otherPerson)
		for _, u := range []access.Actor{user, other} {
			_, err := w.IssueKey(ctx, w.registrar, a.ID, u.ID, newToken(t).request(t))
			w.must(err)
		}
		holder, err := w.enroll.HolderIn(ctx, w.db.Read(), "unit", userPerson.IdentityNumber)
		w.must(err)
		x, err := w.enroll.SuspendAtOnce(ctx, w.handler, holder, "来电称 USB Key 丢失")
		w.must(err)
		w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
		if n := w.count(`SELECT COUNT(*) FROM seal_grant WHERE actor_id = $1`, user.ID); n != 0 {
			t.Error("a stopped person may use the seal")
		}
		if _, refusal := w.usable(w.actorOf(otherPerson)); refusal != "" {
			t.Errorf("the other user: %s", refusal)
		}
		x, err = w.enroll.RequestDecision(ctx, w.registrar, x.Ref(), false)
		w.must(err)
		_, err = w.enroll.ApproveDecision(ctx, w.approver, x.Ref())
		w.must(err)
		if in, refusal := w.usable(user); refusal != "" || w.state(in.Certificate).State != ca.RecordGood {
			t.Errorf("after it was lifted: %s", refusal)
		}
	})
}

func TestWhoeverIsRevokedBeforeTheAcceptanceKeepsNobodyWaiting(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	f := w.filled(form.New)
	f.Methods = []form.Method{form.Distributed}
	a := w.approved(f, w.person(3, userPerson, enroll.StatusActive), w.person(4, otherPerson, enroll.StatusActive))
	for _, p := range []access.Actor{w.actorOf(userPerson), w.actorOf(otherPerson)} {
		_, err := w.IssueKey(ctx, w.registrar, a.ID, p.ID, newToken(t).request(t))
		w.must(err)
	}
	var der []byte
	w.must(w.db.Read().QueryRowContext(ctx, `SELECT certificate FROM seal_instance WHERE holder = $1`, w.actorOf(userPerson).ID).Scan(&der))
	c, err := chain.ParseCertificate(der)
	w.must(err)
	w.must(w.Authority.Revoke(ctx, decided(w, w.access, access.KindRevokeCertificate, ca.RevokeSubject(c.Serial, ca.ReasonKeyCompromise)), c.Serial, ca.ReasonKeyCompromise))
	w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
	if n := w.count(`SELECT COUNT(*) FROM seal_instance WHERE state = 'active'`); n != 1 {
		t.Errorf("%d in use", n)
	}
	if _, refusal := w.usable(w.actorOf(otherPerson)); refusal != "" {
		t.Errorf("the other user: %s", refusal)
	}
}

func TestAnAcceptanceMayComeAfterTheTermOfTheApproval(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	a := w.approved(w.filled(form.New))
	w.pass(access.Term - time.Hour)
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	w.pass(10 * 24 * time.Hour)
	if done, err := w.enroll.Sweep(ctx); err != nil || done.Accepted != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, refusal := w.usable(w.platform); refusal != "" {
		t.Error(refusal)
	}
}

func TestOnlyTheSigningCertificateOfAKeyInUseIsRenewed(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	f := w.filled(form.New)
	f.Methods = []form.Method{form.Distributed}
	a := w.approved(f, w.person(3, userPerson, enroll.StatusActive))
	user, key := w.actorOf(userPerson), newToken(t)
	k, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, key.request(t))
	w.must(err)
	_, err = w.RenewKey(ctx, user, k.Encryption.Serial, key.request(t))
	w.want(err, business.ErrNoKey)
	if _, err = w.RenewKey(ctx, w.registrar, k.Signing.Serial, key.request(t)); err == nil {
		t.Error("renewed before it was accepted")
	}
	w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
	_, err = w.RenewKey(ctx, user, k.Encryption.Serial, key.request(t))
	w.want(err, business.ErrNoKey)
	// A second Key of the same person has a pair of its own.
	b := w.approved(f, w.person(3, userPerson, enroll.StatusActive))
	second := newToken(t)
	k2, err := w.IssueKey(ctx, w.registrar, b.ID, user.ID, second.request(t))
	w.must(err)
	w.with(w.enroll.Accept(ctx, w.handler, w.again(b).Ref()))
	r, err := w.RenewKey(ctx, user, k2.Signing.Serial, second.request(t))
	w.must(err)
	if len(r.Certificates) != 2 || r.Certificates[1].Predecessor.Cmp(k2.Encryption.Serial) != 0 || len(r.Certificates[0].Instances) != 1 {
		t.Errorf("%+v", r.Certificates)
	}
}

func TestAnApplicationThatTakesNothingIsRefused(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	a := w.approved(w.filled(form.New))
	w.must(w.CarryOut(ctx, w.registrar, a.ID)) // the seal is known, and not in use
	b := w.inked(w.submitted(w.about(form.ImprintChange)))
	_, err := w.enroll.Examine(ctx, w.registrar, b.Ref())
	w.want(err, business.ErrNothing)
}

func TestOneSuspendedSealLeavesTheOthersOfThePerson(t *testing.T) {
	for _, confirm := range []bool{true, false} {
		w := sqliteWorld(t)
		user, former, _, _, two := w.twoSeals()
		u := enroll.User{Holder: w.text(`SELECT holder FROM business_user`), Name: userPerson.Name, Unit: w.unit, SealName: former}
		w.must(w.suspendFor(u))
		if n := w.count(`SELECT COUNT(*) FROM ca_status WHERE state = 'held'`); n != 2 || w.state(two.Certificate.Raw).State != ca.RecordGood {
			t.Errorf("%d certificates on hold: not the two of the Key with that seal alone", n)
		}
		w.must(w.decideFor(u, confirm))
		if r := w.state(two.Certificate.Raw); r.State != ca.RecordGood {
			t.Errorf("confirm %t: the certificate of the other seal is %s", confirm, r.State)
		}
		if n := w.count(`SELECT COUNT(*) FROM seal_instance WHERE state = 'active' AND name = $1`, w.unit.Name); n != 1 {
			t.Errorf("confirm %t: the other seal has %d in use", confirm, n)
		}
		want := 1
		if confirm {
			want = 0
		}
		if n := w.count(`SELECT COUNT(*) FROM seal_instance WHERE state = 'active' AND name = $1`, former); n != want {
			t.Errorf("confirm %t: the suspended seal has %d in use", confirm, n)
		}
		if n := w.count(`SELECT COUNT(*) FROM seal_grant WHERE withdrawn = 0 AND actor_id = $1`, user.ID); n != 1+want {
			t.Errorf("confirm %t: %d grants", confirm, n)
		}
	}
}

func (w *world) text(query string) (text string) {
	w.t.Helper()
	w.must(w.db.Read().QueryRowContext(w.t.Context(), query).Scan(&text))
	return text
}

// suspendFor and decideFor do what registration does when a roster withdraws somebody from one seal.
func (w *world) suspendFor(u enroll.User) error {
	return w.db.Write(w.t.Context(), func(tx *store.Tx) error {
		return w.SuspendUser(w.t.Context(), tx, w.registrar, u, "US02")
	})
}

func (w *world) decideFor(u enroll.User, confirm bool) error {
	ctx := w.t.Context()
	var request string
	err := w.db.Write(ctx, func(tx *store.Tx) error {
		parts, err := w.PlanDecision(ctx, tx, u, confirm)
		if err != nil {
			return err
		}
		request, err = w.access.RequestPlanIn(ctx, tx, w.registrar, access.KindLiftSuspension, []byte("decision"), parts)
		return err
	})
	if err != nil {
		return err
	}
	return w.db.Write(ctx, func(tx *store.Tx) error {
		if err := w.access.ApproveIn(ctx, tx, w.approver, request); err != nil {
			return err
		}
		if _, err := w.access.Redeem(ctx, tx, request, access.KindLiftSuspension, []byte("decision")); err != nil {
			return err
		}
		return w.Decided(ctx, tx, w.approver, u, request, confirm)
	})
}

// twoSeals gives the user of a seal another one: on the same USB Key, or on another.
func (w *world) twoSeals() (user access.Actor, first, second string, one, two ca.Record) {
	w.t.Helper()
	ctx := w.t.Context()
	user, _, old := w.distributed()
	first = w.unit.Name
	one = w.state(old.Certificate)
	w.unit.Name = "临江省云山市档案和史志馆"
	_, err := w.enroll.SetUnits(ctx, w.registrar, []enroll.Unit{w.unit})
	w.must(err)
	f := w.filled(form.New)
	f.Methods = []form.Method{form.Distributed}
	a := w.approved(f, w.person(3, userPerson, enroll.StatusActive))
	k, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, newToken(w.t).request(w.t))
	w.must(err)
	w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
	return user, first, w.unit.Name, one, w.state(k.Signing.Raw)
}

func (w *world) decidedSuspension(x enroll.Suspension, confirm bool) {
	w.t.Helper()
	x, err := w.enroll.RequestDecision(w.t.Context(), w.registrar, x.Ref(), confirm)
	w.must(err)
	_, err = w.enroll.ApproveDecision(w.t.Context(), w.approver, x.Ref())
	w.must(err)
}

func (w *world) active(name string) int {
	w.t.Helper()
	return w.count(`SELECT COUNT(*) FROM seal_instance WHERE state = 'active' AND name = $1`, name)
}

func TestASuspensionOfOneSealEndsThatSealAlone(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		user, first, second, one, two := w.twoSeals()
		holder := w.text(`SELECT holder FROM business_user`)
		states := func(what string, first, second ca.RecordState) {
			t.Helper()
			if a, b := w.state(one.Certificate.Raw).State, w.state(two.Certificate.Raw).State; a != first || b != second {
				t.Errorf("%s: %s and %s, want %s and %s", what, a, b, first, second)
			}
		}
		_, err := w.enroll.SuspendSealAtOnce(ctx, w.handler, holder, "没有的印章", "来电")
		w.want(err, enroll.ErrField)
		x, err := w.enroll.SuspendSealAtOnce(ctx, w.handler, holder, first, "来电称不再使用")
		w.must(err)
		states("one seal", ca.RecordHeld, ca.RecordGood) // it is on a Key of its own
		_, err = w.enroll.SuspendSealAtOnce(ctx, w.handler, holder, first, "再次来电")
		w.want(err, enroll.ErrSuspended)
		// The whole Key while the seal is decided on: what both hold stays until both are lifted.
		y, err := w.enroll.SuspendAtOnce(ctx, w.handler, holder, "Key 遗失")
		w.must(err)
		states("the whole Key", ca.RecordHeld, ca.RecordHeld)
		w.decidedSuspension(y, false)
		states("the Key lifted", ca.RecordHeld, ca.RecordGood)
		if n := w.count(`SELECT COUNT(*) FROM seal_grant WHERE withdrawn = 0 AND actor_id = $1`, user.ID); n != 1 {
			t.Errorf("%d grants, one seal is suspended still", n)
		}
		w.decidedSuspension(x, true)
		states("the seal confirmed", ca.RecordRevoked, ca.RecordGood)
		if w.active(first) != 0 || w.active(second) != 1 {
			t.Errorf("%d and %d in use", w.active(first), w.active(second))
		}
		list, err := w.enroll.Suspensions(ctx, w.registrar, enroll.SuspensionConfirmed)
		if err != nil || len(list) != 1 || list[0].SealName != first {
			t.Errorf("%+v, %v", list, err)
		}
		if n := w.count(`SELECT COUNT(*) FROM seal_grant WHERE withdrawn = 0 AND actor_id = $1`, user.ID); n != 1 {
			t.Errorf("%d grants", n)
		}
	})
}

func TestASharedCertificateStaysOrIsReleased(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, first, second, one, two := w.twoSeals()
		holder := w.text(`SELECT holder FROM business_user`)
		// Held as the only one that lists it, and shared by the time of the decision.
		x, err := w.enroll.SuspendSealAtOnce(ctx, w.registrar, holder, first, "来电称不再使用")
		w.must(err)
		if w.state(one.Certificate.Raw).State != ca.RecordHeld {
			t.Fatal("not on hold")
		}
		w.must(w.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE seal_instance SET certificate = $1 WHERE name = $2`, one.Certificate.Raw, second)
			return err
		}))
		w.decidedSuspension(x, true)
		if s := w.state(one.Certificate.Raw).State; s != ca.RecordGood {
			t.Errorf("what the other seal lists is %s", s)
		}
		if w.active(first) != 0 || w.active(second) != 1 {
			t.Errorf("%d and %d in use", w.active(first), w.active(second))
		}
		// One that is shared from the beginning is not held at all; the hold of an officer is not lifted with a suspension.
		w.must(w.Authority.SuspendAtOnce(ctx, w.registrar, two.Serial, "检查"))
		y, err := w.enroll.SuspendAtOnce(ctx, w.registrar, holder, "Key 遗失")
		w.must(err)
		w.decidedSuspension(y, false)
		if a, b := w.state(one.Certificate.Raw).State, w.state(two.Certificate.Raw).State; a != ca.RecordGood || b != ca.RecordHeld {
			t.Errorf("%s and %s", a, b)
		}
	})
}

func TestARosterEndsTheSealOfAUserWhoHasAnother(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		_, first, second, one, two := w.twoSeals()
		w.unit.Name = first
		_, err := w.enroll.SetUnits(t.Context(), w.registrar, []enroll.Unit{w.unit})
		w.must(err)
		f := w.about(form.ImprintChange)
		f.Seal.Code = w.text(`SELECT code FROM seal WHERE name = '` + first + `'`)
		leaving := w.person(3, userPerson, enroll.StatusWithdrawn)
		a := w.approved(f, leaving)
		name := w.text(`SELECT seal_name FROM enroll_suspension`)
		ended, kept, endedCertificate, keptCertificate := second, first, two, one
		if name == first {
			ended, kept, endedCertificate, keptCertificate = first, second, one, two
		}
		if w.active(ended) != 0 || w.active(kept) != 1 {
			t.Errorf("%d and %d in use after the approval", w.active(ended), w.active(kept))
		}
		w.must(w.CarryOut(t.Context(), w.registrar, a.ID))
		if x, y := w.state(endedCertificate.Certificate.Raw).State, w.state(keptCertificate.Certificate.Raw).State; x != ca.RecordRevoked || y != ca.RecordGood {
			t.Errorf("%s and %s", x, y)
		}
	})
}
