package backend

import (
	"context"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/csr"
)

// builtIn is the authority in this process. Its orders are its certificates: ca keeps them.
type builtIn struct{ Config }

var _ Backend = builtIn{}

func (builtIn) Name() string { return BuiltIn }

func (builtIn) Kind() Kind { return KindBuiltIn }

func (b builtIn) Order(ctx context.Context, o Order) (Outcome, error) {
	if o.CSR != nil {
		if err := checkCSR(ctx, b.Authority, o); err != nil {
			return Outcome{}, err
		}
	}
	c, err := b.Authority.Issue(ctx, o.Approval, o.Request, o.With...)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Backend: BuiltIn, State: StateIssued, Certificate: c, Chain: []*chain.Certificate{b.Authority.IssuerOf(c)}, Created: c.NotBefore}, nil
}

func (builtIn) Outcome(_ context.Context, id string) (Outcome, error) {
	return Outcome{}, ErrOrder.With("%s", id)
}

func (builtIn) Accept(_ context.Context, id, _ string, _ ...ca.Companion) (Outcome, error) {
	return Outcome{}, ErrOrder.With("%s", id)
}

func (b builtIn) Revoke(ctx context.Context, approval string, c *chain.Certificate, reason ca.Reason) error {
	return b.Authority.Revoke(ctx, approval, c.Serial, reason)
}

func (builtIn) RevokeSubject(c *chain.Certificate, reason ca.Reason) []byte {
	return ca.RevokeSubject(c.Serial, reason)
}

func (b builtIn) Status(ctx context.Context, c *chain.Certificate, at time.Time) (chain.Status, error) {
	return b.Authority.Status(ctx, c, b.Authority.IssuerOf(c), at)
}

// checkCSR wants the holder's proof for exactly the key that is ordered for, and none of the authority's own keys.
func checkCSR(ctx context.Context, a *ca.Authority, o Order) error {
	request, err := csr.Parse(o.CSR, csr.Options{Reserved: Reserved(ctx, a)})
	if err != nil {
		return err
	}
	if !request.Public.Equal(o.Request.Public) {
		return ErrKeyMismatch.New()
	}
	return nil
}
