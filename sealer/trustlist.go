package sealer

import (
	"context"
	"time"

	"yinxin/ca/trustlist"
	"yinxin/sealer/register"
	"yinxin/sealer/ses"
	"yinxin/sealer/verify"
)

// ListedStatus gives the verifier what trust lists say of seals, as SealStatus gives what a register does. Only the list of
// the authority that certified the seal's maker is asked.
func ListedStatus(lists ...*trustlist.Opened) func(ctx context.Context, code string, seal []byte, at time.Time) (verify.SealState, error) {
	return func(_ context.Context, code string, seal []byte, at time.Time) (verify.SealState, error) {
		state := verify.SealState{Standing: verify.SealUnknown}
		maker := makerOf(seal)
		if maker == nil {
			return state, nil
		}
		for _, l := range lists {
			if !l.Speaks(maker.AuthorityKeyID) {
				continue
			}
			if said := listed(l, code, seal, at); said.Standing != verify.SealUnknown || state.Detail == "" {
				state = said
			}
			if state.Standing != verify.SealUnknown {
				break
			}
		}
		return state, nil
	}
}

func listed(l *trustlist.Opened, code string, seal []byte, at time.Time) verify.SealState {
	issued := l.Issued.Format(time.DateOnly)
	unknown := verify.SealState{Standing: verify.SealUnknown}
	s := l.StateAt(code, seal, at)
	switch {
	case !s.Known:
		unknown.Detail = "信任列表（" + issued + "）中没有这枚印章。 The trust list of " + issued + " does not have the seal."
		return unknown
	case !s.Made && madeAfter(seal, l.Issued):
		unknown.Detail = "印章制作于信任列表（" + issued + "）之后。 The seal was made after the trust list of " + issued + "."
		return unknown
	case !s.Made:
		return verify.SealState{Standing: verify.SealForged}
	}
	state := verify.SealState{Since: s.Since, Detail: "依据信任列表（" + issued + "）。 By the trust list of " + issued + "."}
	switch register.State(s.State) {
	case register.Active:
		state.Standing = verify.SealActive
		if s.Stale {
			unknown.Detail = "签章时间在信任列表（" + issued + "）有效期之后。 The signing time is after the validity of the trust list of " + issued + "."
			return unknown
		}
	case register.Collected, register.Cancelled:
		state.Standing = verify.SealCancelled
	default: // suspended, or not yet brought into use: not in force
		state.Standing = verify.SealSuspended
	}
	return state
}

// FirstStatus asks one source after the other until one knows the seal. Nil sources are passed over.
func FirstStatus(sources ...func(ctx context.Context, code string, seal []byte, at time.Time) (verify.SealState, error)) func(ctx context.Context, code string, seal []byte, at time.Time) (verify.SealState, error) {
	return func(ctx context.Context, code string, seal []byte, at time.Time) (state verify.SealState, err error) {
		state.Standing = verify.SealUnknown
		for _, ask := range sources {
			if ask == nil {
				continue
			}
			if state, err = ask(ctx, code, seal, at); err != nil || state.Standing != verify.SealUnknown {
				return state, err
			}
		}
		return state, nil
	}
}

// madeAfter says whether a seal says that it was made after a time.
func madeAfter(seal []byte, at time.Time) bool {
	parsed, err := ses.ParseSeal(seal)
	return err == nil && parsed.CreateDate.After(at)
}
