package backend

import (
	"context"

	"yinxin/ca"
	"yinxin/internal/store"
)

// Accept implements Backend.
func (o *orders) Accept(ctx context.Context, id, approval string, with ...ca.Companion) (Outcome, error) {
	r, err := o.read(ctx, o.DB.Read(), id)
	if err != nil {
		return Outcome{}, err
	}
	switch {
	case r.State != StateReceived:
		return r.Outcome, ErrState.With("%s", r.State)
	case !r.Certificate.ValidAt(o.Clock()):
		return r.Outcome, ErrValidity.New()
	case len(r.Differences) > 0 && !r.agreed && approval == "":
		return r.Outcome, ErrDiffers.New()
	}
	if err := o.agree(ctx, r, approval, with); err != nil {
		return r.Outcome, err
	}
	ctx = context.WithoutCancel(ctx)
	for _, c := range with {
		if err := c.Make(ctx, r.Certificate); err != nil {
			return r.Outcome, err
		}
	}
	now := o.Clock()
	err = o.DB.Write(ctx, func(tx *store.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE backend_order SET state = 'issued', completed = $1 WHERE id = $2 AND state = 'received'`, store.Time(now), r.ID)
		if err != nil {
			return err
		}
		if err := store.ExactlyOne(result, ErrState.New()); err != nil {
			return err
		}
		for _, c := range with {
			if err := c.Complete(ctx, tx, r.Certificate); err != nil {
				return err
			}
		}
		return o.event(ctx, tx, "backend.issued", "", r.ID, map[string]string{"backend": o.name, "certificate": r.Certificate.FingerprintText()})
	})
	if err != nil {
		return r.Outcome, err
	}
	r, err = o.read(ctx, o.DB.Read(), id)
	if err != nil {
		return Outcome{}, err
	}
	return r.Outcome, nil
}

// agree is the point of no return of an acceptance: the approval over the differences used, the companions' intents on
// record. What two people agreed to stays agreed when a companion fails after that.
func (o *orders) agree(ctx context.Context, r *record, approval string, with []ca.Companion) error {
	return o.DB.Write(ctx, func(tx *store.Tx) error {
		if len(r.Differences) > 0 && !r.agreed {
			redeemed, err := o.Access.Redeem(ctx, tx, approval, KindAcceptCertificate, AcceptSubject(r.Outcome))
			if err != nil {
				return err
			}
			result, err := tx.ExecContext(ctx, `UPDATE backend_order SET accept = $1, accept_kind = $2, accept_used = 1 WHERE id = $3 AND state = 'received' AND accept IS NULL`,
				redeemed.ID(), string(redeemed.Kind()), r.ID)
			if err != nil {
				return err
			}
			if err := store.ExactlyOne(result, ErrState.New()); err != nil {
				return err
			}
			err = o.event(ctx, tx, "backend.agreed", redeemed.Requester(), r.ID, map[string]string{"backend": o.name, "approval": redeemed.ID(), "approver": redeemed.Approver()})
			if err != nil {
				return err
			}
		}
		for _, c := range with {
			if err := c.Intend(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
}
