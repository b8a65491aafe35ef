package backend

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/store"
)

// Standing answers for the certificates that this house has on record what their state is at a time, without asking anybody
// else: the own authority's, and those of others whose end was decided here, from that moment, though their authority may
// follow later. The state of any other certificate is not known. The tables of this room must be there.
func Standing(a *ca.Authority) func(ctx context.Context, c *chain.Certificate, at time.Time) (chain.Status, error) {
	return func(ctx context.Context, c *chain.Certificate, at time.Time) (chain.Status, error) {
		s, err := a.Status(ctx, c, a.IssuerOf(c), at)
		if err != nil || s.State != chain.StateUnknown {
			return s, err
		}
		var reason int
		var created string
		err = a.DB.Read().QueryRowContext(ctx, `SELECT v.reason, v.created FROM backend_order o JOIN backend_revocation v ON v.order_id = o.id
			WHERE o.fingerprint = $1 AND v.created <= $2`, c.FingerprintText(), store.Time(at)).Scan(&reason, &created)
		if errors.Is(err, sql.ErrNoRows) {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		s = chain.Status{State: chain.StateRevoked, Reason: reason, Source: "orders"}
		s.At, err = store.ParseTime(created)
		return s, err
	}
}
