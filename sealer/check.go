package sealer

import (
	"context"

	"yinxin/internal/files"
	"yinxin/sealer/verify"
)

// check judges the sealed file with the project's own verifier before anybody gets it. Only the digest of the original
// part comes from the kept state; everything else is read from the bytes that will leave.
func (s *Service) check(ctx context.Context, i intent, original Document, object files.Object, update []byte) error {
	signature, err := verify.Release(ctx, verify.ReleaseCheck{Original: object, OriginalSize: original.Size, State: original.state,
		Update: update, Field: i.plan.Field(), Chain: s.Chain, At: s.Clock(), SealStatus: SealStatus(s.Register)})
	if err != nil {
		return errNotVerified.Because(err)
	}
	if signature.SealID != i.order.Seal {
		return errNotVerified.With("seal %s", signature.SealID)
	}
	return nil
}
