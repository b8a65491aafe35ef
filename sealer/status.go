package sealer

import (
	"context"
	"time"

	"yinxin/internal/fault"
	"yinxin/sealer/register"
	"yinxin/sealer/verify"
)

// SealStatus gives the verifier a register's answer to 印章状态信息查询. Its result fits verify.Options.SealStatus.
func SealStatus(r *register.Register) func(ctx context.Context, code string, seal []byte, at time.Time) (verify.SealState, error) {
	return func(ctx context.Context, code string, seal []byte, at time.Time) (verify.SealState, error) {
		s, err := r.StateAt(ctx, code, at)
		if f, ok := fault.Of(err); ok && f.Kind == fault.NotFound {
			return verify.SealState{Standing: verify.SealUnknown}, nil
		}
		if err != nil {
			return verify.SealState{}, err
		}
		if made, err := r.Made(ctx, code, seal); err != nil || !made {
			return verify.SealState{Standing: verify.SealForged}, err
		}
		state := verify.SealState{Since: s.Since}
		switch s.State {
		case register.Active:
			state.Standing = verify.SealActive
		case register.Collected, register.Cancelled:
			state.Standing = verify.SealCancelled
		default: // suspended, or not yet brought into use: not in force
			state.Standing = verify.SealSuspended
		}
		return state, nil
	}
}
