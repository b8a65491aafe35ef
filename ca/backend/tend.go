package backend

import (
	"context"
	"errors"
	"fmt"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Foreign is an authority outside of this process: one with orders.
type Foreign interface {
	Backend
	// Waiting lists the orders that have no certificate yet, and those whose certificate waits for Accept, oldest first.
	Waiting(ctx context.Context) ([]Outcome, error)
	// Sendings lists what of an order went to the authority, in its order.
	Sendings(ctx context.Context, id string) ([]Sending, error)
	// Expire ends the orders without certificate whose time is over, and gives their identifiers.
	Expire(ctx context.Context) ([]string, error)
	// Renew orders the certificate that takes the place of one that was taken, for the key of a request (PKCS #10), under the
	// approval of the first of the line, which carries renewals for access.RenewalTerm years. The same key again gives the
	// order that there is. Errors: backend.order-not-found, ca.revoked, ca.renewed, backend.requested; those of csr.Parse
	// and of access.Service.Reuse.
	Renew(ctx context.Context, c *chain.Certificate, request []byte) (Outcome, error)
	// SupersedeIn ends, as superseded, the certificate that the issued one of an order renews, in a transaction of the
	// caller; the authority is told afterwards. It needs no approval of its own, as ca.Authority.SupersedeIn does not.
	SupersedeIn(ctx context.Context, tx *store.Tx, id string) error
	// Confirm asks about every certificate that the authority was told to revoke, and gives the orders of those that it
	// did not.
	Confirm(ctx context.Context) ([]string, error)
}

var (
	_ Foreign = (*File)(nil)
	_ Foreign = (*remote)(nil)
)

// Foreign gives the authorities outside, in the order of the settings.
func (b *Backends) Foreign() []Foreign {
	var list []Foreign
	for _, name := range b.names {
		if f, ok := b.byName[name].(Foreign); ok {
			list = append(list, f)
		}
	}
	return list
}

// Tend is the periodic work: it ends orders whose time is over, asks remote authorities about those that wait, tells them
// again what did not arrive, and asks whether what was to be revoked is. Nothing that goes wrong at one authority keeps it
// from the others; the error names all of it.
func (b *Backends) Tend(ctx context.Context) error {
	var wrong []error
	note := func(name string, err error) {
		if err != nil && !fault.Has(err, ErrNoStatus) {
			wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
		}
	}
	for _, f := range b.Foreign() {
		if ctx.Err() != nil {
			return errors.Join(append(wrong, ctx.Err())...)
		}
		_, err := f.Expire(ctx)
		note(f.Name(), err)
		if r, ok := f.(*remote); ok {
			note(f.Name(), r.pollAll(ctx))
		}
		_, err = f.Confirm(ctx)
		note(f.Name(), err)
	}
	return errors.Join(wrong...)
}

// pollAll asks about every order that waits, and tells every revocation that did not arrive. An authority that does not
// answer once is not asked on.
func (b *remote) pollAll(ctx context.Context) error {
	untold, err := b.revocations(ctx, b.DB.Read(), "open")
	if err != nil {
		return err
	}
	for _, v := range untold {
		if err := b.tell(ctx, v); err != nil {
			return err
		}
	}
	waiting, err := b.Waiting(ctx)
	if err != nil {
		return err
	}
	var wrong []error
	for _, o := range waiting {
		if o.State == StateReceived {
			continue
		}
		if _, err := b.Outcome(ctx, o.ID); fault.Has(err, ErrRemote) || ctx.Err() != nil {
			return errors.Join(append(wrong, err)...)
		} else if err != nil {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

// Certificates lists the certificates that came from the authorities outside and are in use, for whoever warns of their
// end: not those that an authority was told to revoke.
func (b *Backends) Certificates(ctx context.Context) ([]*chain.Certificate, error) {
	var found []*chain.Certificate
	for _, f := range b.Foreign() {
		var list []*record
		var ended map[string]bool
		var err error
		switch f := f.(type) {
		case *File:
			list, ended, err = f.inUse(ctx)
		case *remote:
			list, ended, err = f.inUse(ctx)
		}
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			if ended[r.ID] {
				continue
			}
			found = append(found, r.Certificate)
		}
	}
	return found, nil
}

// inUse gives the orders whose certificate was taken, and which of them were ended.
func (o *orders) inUse(ctx context.Context) (list []*record, ended map[string]bool, err error) {
	rows, err := o.DB.Read().QueryContext(ctx, `SELECT r.order_id FROM backend_revocation r JOIN backend_order b ON b.id = r.order_id WHERE b.backend = $1`, o.name)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	ended = map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, nil, err
		}
		ended[id] = true
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, nil, err
	}
	list, err = o.list(ctx, o.DB.Read(), maxCertificates, StateIssued)
	return list, ended, err
}
