package sealer

import (
	"bytes"
	"context"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/sealer/register"
	"yinxin/sealer/ses"
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
		made, another, err := r.Made(ctx, code, seal)
		switch {
		case err != nil:
			return verify.SealState{}, err
		case !made && sameAuthority(seal, another):
			return verify.SealState{Standing: verify.SealForged}, nil
		case !made:
			return verify.SealState{Standing: verify.SealUnknown}, nil // of somewhere else, where codes are given anew
		}
		state := verify.SealState{Since: s.Since, Detail: certificateWords[s.Reason]}
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

// certificateWords say why a seal is not in force where that comes from certificates.
var certificateWords = map[string]string{
	register.ReasonRevoked: "印章的证书已撤销。 The certificates of the seal were revoked.",
	register.ReasonHeld:    "印章的证书已冻结。 The certificates of the seal were on hold.",
}

// sameAuthority says whether the makers of two seals were certified by the same key. Codes are given by each authority; a
// seal with a code of ours whose maker ours certified, and which is not in the register, was made by somebody who must
// not.
func sameAuthority(a, b []byte) bool {
	x, y := makerOf(a), makerOf(b)
	return x != nil && y != nil && len(x.AuthorityKeyID) > 0 && bytes.Equal(x.AuthorityKeyID, y.AuthorityKeyID)
}

// makerOf is the certificate of a seal's maker; nil when it cannot be read.
func makerOf(seal []byte) *chain.Certificate {
	parsed, err := ses.ParseSeal(seal)
	if err != nil {
		return nil
	}
	maker, err := chain.ParseCertificate(parsed.MakerCertificate)
	if err != nil {
		return nil
	}
	return maker
}
