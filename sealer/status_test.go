package sealer_test

import (
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/sealer"
	"yinxin/sealer/register"
	"yinxin/sealer/verify"
)

func TestTheRegisterKnowsItsOwnSealsByTheirBytes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		in, err := h.register.Authorise(t.Context(), h.clerk, code)
		must(t, err)
		status := sealer.SealStatus(h.register)
		other := append([]byte{}, in.Seal...)
		other[len(other)-1] ^= 1
		for _, c := range []struct {
			name, code string
			seal       []byte
			want       verify.SealStanding
		}{
			{"the seal that was made", code, in.Seal, verify.SealActive},
			{"another seal with its code", code, other, verify.SealForged},
			{"a code of elsewhere", "11010000000011", other, verify.SealUnknown},
		} {
			state, err := status(t.Context(), c.code, c.seal, h.now)
			must(t, err)
			if state.Standing != c.want {
				t.Errorf("%s is %s", c.name, state.Standing)
			}
		}
	})
}

func TestTheRegisterSaysWhatBecameOfACertificateWithoutKeepingIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		in, err := h.register.Authorise(ctx, h.clerk, code)
		must(t, err)
		serial := h.certificate.Serial
		shown := func(at time.Time, state register.State, reason string) {
			t.Helper()
			s, err := h.register.StateAt(ctx, code, at)
			must(t, err)
			if s.State != state || (state != register.Active && s.Reason != reason) {
				t.Errorf("%s %q, want %s %q", s.State, s.Reason, state, reason)
			}
		}
		listed := func(usable bool, reason string) {
			t.Helper()
			list, err := h.register.Seals(ctx, h.clerk)
			must(t, err)
			if len(list) != 1 || list[0].Usable != usable || list[0].Reason != reason || (list[0].State == register.Active) != usable {
				t.Errorf("%+v", list)
			}
		}
		rows := func() (n int) {
			t.Helper()
			must(t, h.db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM seal_state`).Scan(&n))
			return n
		}
		before := rows()
		start := h.now
		listed(true, "")
		h.now = h.now.Add(time.Minute)
		must(t, h.authority.SuspendAtOnce(ctx, h.registrar, serial, "检查"))
		h.now = h.now.Add(time.Minute)
		shown(h.now, register.Suspended, register.ReasonHeld)
		shown(start, register.Active, "")
		listed(false, "seal.certificate-held")
		must(t, h.authority.Resume(ctx, h.agree(access.KindResumeCertificate, ca.ResumeSubject(serial)), serial))
		shown(h.now, register.Active, "")
		listed(true, "")
		must(t, h.authority.Revoke(ctx, h.agree(access.KindRevokeCertificate, ca.RevokeSubject(serial, ca.ReasonKeyCompromise)), serial, ca.ReasonKeyCompromise))
		shown(h.now, register.Suspended, register.ReasonRevoked)
		shown(start, register.Active, "")
		listed(false, "seal.certificate-revoked")
		state, err := sealer.SealStatus(h.register)(ctx, code, in.Seal, h.now)
		if err != nil || state.Standing != verify.SealSuspended || state.Detail == "" || state.Since.IsZero() {
			t.Errorf("%+v, %v", state, err)
		}
		if n := rows(); n != before {
			t.Errorf("%d states on record, %d before", n, before)
		}
	})
}
