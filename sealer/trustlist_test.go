package sealer_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/trustlist"
	"yinxin/internal/access"
	"yinxin/sealer"
	"yinxin/sealer/register"
	"yinxin/sealer/ses"
	"yinxin/sealer/verify"
)

func opened(t *testing.T, h *house) *trustlist.Opened {
	t.Helper()
	signed, err := h.authority.TrustList(t.Context(), h.register.Published)
	must(t, err)
	l, err := trustlist.Open(t.Context(), signed, trustlist.Check{Chain: &chain.Verifier{Anchors: chain.NewAnchors(h.authority.Root())}, At: h.now, Now: h.now})
	must(t, err)
	return l
}

// TestATrustListSaysWhatTheRegisterSays of every seal at every time until it ends.
func TestATrustListSaysWhatTheRegisterSays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		in, err := h.register.Authorise(ctx, h.clerk, code)
		must(t, err)
		parsed, err := ses.ParseSeal(in.Seal)
		must(t, err)
		start := h.now
		early := opened(t, h)
		h.now = h.now.Add(time.Minute)
		must(t, h.register.Suspend(ctx, h.registrar, code, "检查"))
		h.now = h.now.Add(time.Minute)
		must(t, h.register.Resume(ctx, h.agree(access.KindResumeSeal, register.ResumeSubject(code)), code))
		h.now = h.now.Add(time.Minute)
		must(t, h.register.Cancel(ctx, h.agree(access.KindCancelSeal, register.CancelSubject(code)), code))
		late := opened(t, h)
		online := sealer.SealStatus(h.register)

		// One that somebody who holds a certificate could have made: the same maker's certificate and code, other octets.
		forged := bytes.Clone(in.Seal)
		forged[len(forged)-1] ^= 1
		for _, at := range []time.Time{start, start.Add(30 * time.Second), start.Add(90 * time.Second), start.Add(150 * time.Second), start.Add(time.Hour), start.AddDate(1, 0, 0)} {
			for name, seal := range map[string][]byte{"the seal": in.Seal, "a forged one": forged} {
				want, err := online(ctx, code, seal, at)
				must(t, err)
				got, err := sealer.ListedStatus(late)(ctx, code, seal, at)
				must(t, err)
				if got.Standing != want.Standing || want.Standing != verify.SealForged && !got.Since.Equal(want.Since) {
					t.Errorf("%s at %s: %+v, the register says %+v", name, at, got, want)
				}
			}
		}
		old := *early
		old.Issued = parsed.CreateDate.Add(-time.Second)
		foreign := *late
		foreign.Authorities = nil
		for name, c := range map[string]struct {
			ask  func(ctx context.Context, code string, seal []byte, at time.Time) (verify.SealState, error)
			code string
			seal []byte
			at   time.Time
			want verify.SealStanding
		}{
			"within the week":               {sealer.ListedStatus(early), code, in.Seal, start.AddDate(0, 0, 6), verify.SealActive},
			"after the week":                {sealer.ListedStatus(early), code, in.Seal, start.AddDate(0, 0, 8), verify.SealUnknown},
			"a code that is not in":         {sealer.ListedStatus(late), "29019999999999", in.Seal, h.now, verify.SealUnknown},
			"made after the list":           {sealer.ListedStatus(&old), code, forged, start, verify.SealUnknown},
			"of another authority":          {sealer.ListedStatus(&foreign), code, in.Seal, h.now, verify.SealUnknown},
			"what is no seal":               {sealer.ListedStatus(late), code, []byte{0x30, 0}, h.now, verify.SealUnknown},
			"no list":                       {sealer.ListedStatus(), code, in.Seal, h.now, verify.SealUnknown},
			"the second that knows":         {sealer.ListedStatus(&foreign, late), code, in.Seal, h.now, verify.SealCancelled},
			"the first before others":       {sealer.FirstStatus(nil, online, sealer.ListedStatus(early)), code, in.Seal, h.now, verify.SealCancelled},
			"others where it knows nothing": {sealer.FirstStatus(sealer.ListedStatus(&foreign), sealer.ListedStatus(early)), code, in.Seal, start, verify.SealActive},
		} {
			if got, err := c.ask(ctx, c.code, c.seal, c.at); err != nil || got.Standing != c.want {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
	})
}
