package backend

import (
	"testing"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

// broughtBack orders a certificate by file and imports what came back; it waits for being accepted.
func (w *world) broughtBack(t *testing.T) (all *Backends, f *File, order string, c *chain.Certificate) {
	t.Helper()
	ctx := t.Context()
	all, err := Open(ctx, w.config(), []Setting{{Name: fileName, Kind: KindFile, Trust: trust(t, w.licensed.root)}})
	must(t, err)
	f, err = all.File(fileName)
	must(t, err)
	o := w.order(t)
	out, err := f.Order(ctx, o)
	must(t, err)
	c = w.licensed.certify(t, o)
	taken, err := f.Import(ctx, w.registrar, inPEM(c, w.licensed.authority.Issuing(ca.ProfileInstitution)))
	must(t, err)
	if len(taken) != 1 || taken[0].Err != nil {
		t.Fatalf("%+v", taken)
	}
	return all, f, out.ID, c
}

func TestTwoPeopleEndACertificateOfWhicheverAuthority(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		all, f, order, c := w.broughtBack(t)
		_, err := all.Find(ctx, c.FingerprintText())
		wantCode(t, "what was not taken into use", err, ca.ErrNotFound)
		_, err = f.Accept(ctx, order, "")
		must(t, err)
		own := w.certify(t, w.order(t, person))
		for name, change := range map[string]Change{fileName: ChangeSuspend, "and": ChangeResume} {
			_, _, err := all.Ask(ctx, c.FingerprintText(), change, 0)
			wantCode(t, name+" "+string(change), err, ErrNoHold)
		}
		for id, from := range map[string]string{c.FingerprintText(): fileName, ca.SerialText(c.Serial): fileName, ca.SerialText(own.Serial): BuiltIn} {
			found, err := all.Find(ctx, id)
			if err != nil || found.Authority != from || found.State != ca.RecordGood || found.Certificate == nil {
				t.Fatalf("%s: %+v, %v", id, found, err)
			}
			_, _, err = all.Ask(ctx, id, ChangeRevoke, ca.ReasonCertificateHold)
			wantCode(t, "a hold for good", err, ca.ErrReason)
		}
		for _, id := range []string{c.FingerprintText(), ca.SerialText(own.Serial)} {
			kind, subject, err := all.Ask(ctx, id, ChangeRevoke, ca.ReasonKeyCompromise)
			must(t, err)
			request, err := w.access.Request(ctx, w.registrar, kind, subject)
			must(t, err)
			wantCode(t, "one person", all.CarryOut(ctx, id, request), access.ErrNotApproved)
			must(t, w.access.Approve(ctx, w.approver, request))
			other := map[bool]string{true: ca.SerialText(own.Serial), false: c.FingerprintText()}[id == c.FingerprintText()]
			if found, err := all.Find(ctx, other); err == nil && found.State == ca.RecordGood {
				wantCode(t, "another certificate", all.CarryOut(ctx, other, request), access.ErrOtherSubject)
			}
			must(t, all.CarryOut(ctx, id, request))
			found, err := all.Find(ctx, id)
			if err != nil || found.State != ca.RecordRevoked || found.Reason != ca.ReasonKeyCompromise {
				t.Errorf("%s: %+v, %v", id, found, err)
			}
			if err := all.CarryOut(ctx, id, request); err == nil {
				t.Error("twice")
			}
			_, _, err = all.Ask(ctx, id, ChangeRevoke, ca.ReasonKeyCompromise)
			wantCode(t, "again", err, ca.ErrRevoked)
		}
		if _, err := f.ExportRevocations(ctx, w.registrar); err != nil {
			t.Errorf("the authority is not told: %v", err)
		}
		if s, err := w.licensed.authority.Certificate(ctx, c.Serial); err != nil || s.State != ca.RecordGood {
			t.Errorf("%+v, %v", s, err)
		}
		_, err = Own(w.authority, w.access).Find(ctx, c.FingerprintText())
		if !fault.Has(err, ca.ErrNotFound) {
			t.Errorf("without other authorities: %v", err)
		}
	})
}

func TestTwoPeopleHoldAndReleaseAnOwnCertificate(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		all, err := Open(ctx, w.config(), []Setting{{Name: fileName, Kind: KindFile, Trust: trust(t, w.licensed.root)}})
		must(t, err)
		own, other := w.certify(t, w.order(t, person)), w.certify(t, w.order(t, person))
		id := ca.SerialText(own.Serial)
		state := func() ca.RecordState {
			t.Helper()
			found, err := all.Find(ctx, id)
			must(t, err)
			return found.State
		}
		ask := func(change Change) string {
			t.Helper()
			kind, subject, err := all.Ask(ctx, id, change, 0)
			must(t, err)
			return w.approve(t, kind, subject)
		}
		_, _, err = all.Ask(ctx, id, ChangeResume, 0)
		wantCode(t, "what is not on hold", err, ca.ErrNotHeld)
		hold := ask(ChangeSuspend)
		wantCode(t, "another certificate", all.CarryOut(ctx, ca.SerialText(other.Serial), hold), access.ErrOtherSubject)
		must(t, all.CarryOut(ctx, id, hold))
		if s := state(); s != ca.RecordHeld {
			t.Fatalf("%s after the hold", s)
		}
		_, _, err = all.Ask(ctx, id, ChangeSuspend, 0)
		wantCode(t, "what is on hold", err, ca.ErrHeld)
		must(t, all.CarryOut(ctx, id, ask(ChangeResume)))
		if s := state(); s != ca.RecordGood {
			t.Fatalf("%s after the release", s)
		}
		// What belongs to a plan is carried out by the room whose plan it is.
		kind, subject, err := all.Ask(ctx, id, ChangeRevoke, ca.ReasonSuperseded)
		must(t, err)
		plan, err := w.access.RequestPlan(ctx, w.registrar, access.KindMakeSeal, []byte("a plan"), []access.Part{{Kind: kind, Subject: subject}})
		must(t, err)
		parts, err := w.access.Parts(ctx, plan)
		must(t, err)
		must(t, w.access.Approve(ctx, w.approver, plan))
		wantCode(t, "a part of a plan", all.CarryOut(ctx, id, parts[0].ID), access.ErrPart)
		if s := state(); s != ca.RecordGood {
			t.Errorf("%s after a part of a plan", s)
		}
		// A certificate that was never made has nothing to end.
		must(t, w.exec(`UPDATE ca_certificate SET state = 'failed', certificate = NULL, failure = 'x' WHERE serial = $1`, ca.SerialText(other.Serial)))
		_, _, err = all.Ask(ctx, ca.SerialText(other.Serial), ChangeRevoke, ca.ReasonSuperseded)
		wantCode(t, "what was never made", err, ca.ErrNotFound)
		wantCode(t, "what was never made", all.CarryOut(ctx, ca.SerialText(other.Serial), w.approve(t, kind, subject)), ca.ErrNotFound)
	})
}

func TestAHoldIsNotCarriedOutElsewhere(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		all, f, order, c := w.broughtBack(t)
		_, err := f.Accept(ctx, order, "")
		must(t, err)
		for kind, subject := range map[access.Kind][]byte{access.KindSuspendCertificate: ca.SuspendSubject(c.Serial), access.KindResumeCertificate: ca.ResumeSubject(c.Serial)} {
			wantCode(t, string(kind), all.CarryOut(ctx, c.FingerprintText(), w.approve(t, kind, subject)), access.ErrOtherSubject)
		}
	})
}
