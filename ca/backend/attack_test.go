package backend

import (
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
)

// A certificate that says it is older than its order would make signatures of a time at which nobody had approved it.
func TestACertificateFromBeforeItsOrderDiffers(t *testing.T) {
	for age, want := range map[time.Duration]string{0: "", 23 * time.Hour: "", 25 * time.Hour: "notBefore ", 20 * 24 * time.Hour: "notBefore "} {
		w := sqliteWorld(t)
		ctx := t.Context()
		f := w.file(t)
		o := w.order(t)
		c := w.licensed.certify(t, o)
		w.pass(age)
		_, err := f.Order(ctx, o)
		must(t, err)
		got, err := f.Import(ctx, w.registrar, inPEM(c, w.licensed.authority.Issuing(ca.ProfileInstitution)))
		if taken := one(t, got, err); taken.Err != nil || fields(taken.Outcome.Differences) != want {
			t.Errorf("%v: %q, %v", age, fields(taken.Outcome.Differences), taken.Err)
		}
	}
}

// What the other house took back before it came here does not become a seal.
func TestARevokedCertificateIsNotTaken(t *testing.T) {
	for name, c := range map[string]struct {
		lie  string
		want State
	}{"revoked": {WireRevoked, StateRefused}, "on hold": {WireHeld, StateSent}} {
		t.Run(name, func(t *testing.T) {
			w := sqliteWorld(t)
			ctx := t.Context()
			b, l := w.remote(t, w.licensed.root)
			out, err := b.Order(ctx, w.order(t))
			must(t, err)
			w.licensed.decide(t, true)
			honest, err := l.desk.Outcome(ctx, l.by, w.remoteID(t, out.ID))
			must(t, err)
			made, err := chain.ParseCertificate(honest.Certificate)
			must(t, err)
			if c.lie == WireRevoked {
				must(t, w.licensed.authority.Revoke(ctx, w.licensed.approve(t, "certificate.revoke", ca.RevokeSubject(made.Serial, ca.ReasonKeyCompromise)), made.Serial, ca.ReasonKeyCompromise))
			} else {
				must(t, w.licensed.authority.SuspendAtOnce(ctx, w.licensed.registrar, made.Serial, "test"))
			}
			if out, err = b.Outcome(ctx, out.ID); err != nil || out.State != c.want || out.Certificate != nil {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}
