package backend

import (
	"testing"

	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

func TestTwoPeopleEndACertificateOfWhicheverAuthority(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		all, err := Open(ctx, w.config(), []Setting{{Name: fileName, Kind: KindFile, Trust: trust(t, w.licensed.root)}})
		must(t, err)
		f, err := all.File(fileName)
		must(t, err)
		o := w.order(t)
		out, err := f.Order(ctx, o)
		must(t, err)
		c := w.licensed.certify(t, o)
		taken, err := f.Import(ctx, w.registrar, inPEM(c, w.licensed.authority.Issuing(ca.ProfileInstitution)))
		must(t, err)
		if len(taken) != 1 || taken[0].Err != nil {
			t.Fatalf("%+v", taken)
		}
		_, err = all.Find(ctx, c.FingerprintText())
		wantCode(t, "what was not taken into use", err, ca.ErrNotFound)
		_, err = f.Accept(ctx, out.ID, "")
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
