package register

import (
	"context"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/store"
)

// The reasons of a Standing that comes from certificates and from nobody's word about the seal.
const (
	ReasonRevoked = "certificate-revoked"
	ReasonHeld    = "certificate-held"
)

// withCertificates is what the standing of a seal in force comes to with the certificates that its instances list: one of
// them that was good at the time is enough, whatever became of the instance since.
func (r *Register) withCertificates(ctx context.Context, q store.Querier, code string, at time.Time, s Standing) (Standing, error) {
	if r.Certificates == nil {
		return s, nil
	}
	out := Standing{State: Suspended}
	// Those in use are asked about first, and mostly alone: an index knows them.
	for _, states := range []string{`state = 'active'`, `state NOT IN ('active', 'failed', 'waiting')`} {
		list, err := store.Column[[]byte](q.QueryContext(ctx, `SELECT certificate FROM seal_instance WHERE seal_code = $1 AND `+states+`
			ORDER BY CASE custody WHEN 'central' THEN 0 ELSE 1 END, created_at DESC`, code))
		if err != nil {
			return s, err
		}
		for _, der := range list {
			status, err := r.statusOf(ctx, der, at)
			if err != nil || status.State != chain.StateRevoked {
				return s, err
			}
			// The last one to end left the seal without any.
			if status.At.After(out.Since) || out.Reason == "" {
				out.Since, out.Reason = status.At, reasonOf(status)
			}
		}
	}
	if out.Reason == "" { // it lists none
		return s, nil
	}
	if out.Since.Before(s.Since) {
		out.Since = s.Since
	}
	return out, nil
}

func (r *Register) statusOf(ctx context.Context, der []byte, at time.Time) (chain.Status, error) {
	c, err := chain.ParseCertificate(der)
	if err != nil {
		return chain.Status{}, nil // nobody knows anything about what is no certificate
	}
	return r.Certificates(ctx, c, at)
}

func reasonOf(status chain.Status) string {
	if status.Reason == chain.ReasonCertificateHold {
		return ReasonHeld
	}
	return ReasonRevoked
}

// certified says why the certificate of an instance keeps it from being used: seal.certificate-revoked,
// seal.certificate-held.
func (r *Register) certified(ctx context.Context, in Instance, at time.Time) error {
	if r.Certificates == nil {
		return nil
	}
	status, err := r.statusOf(ctx, in.Certificate, at)
	switch {
	case err != nil || status.State != chain.StateRevoked:
		return err
	case reasonOf(status) == ReasonHeld:
		return errCertificateHeld.With("%s", in.SealCode)
	}
	return ErrCertificateRevoked.With("%s", in.SealCode)
}
