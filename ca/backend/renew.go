package backend

import (
	"context"
	"database/sql"
	"errors"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/csr"
	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// lineage is what the renewal of a certificate takes from the orders before it.
type lineage struct {
	order    string // of the certificate that is renewed
	approval string
	first    []byte // Subject of the first order of the line, which was approved by itself
	request  ca.Request
}

// lineOf finds the order of a certificate that was taken: backend.order-not-found.
func (o *orders) lineOf(ctx context.Context, c *chain.Certificate) (l lineage, err error) {
	var last []byte
	q := o.DB.Read()
	err = q.QueryRowContext(ctx, `SELECT o.id, o.approval, o.request, f.request FROM backend_order o JOIN backend_order f ON f.approval = o.approval AND f.renewal IS NULL
		WHERE o.backend = $1 AND o.fingerprint = $2 AND o.state = 'issued'`, o.name, c.FingerprintText()).Scan(&l.order, &l.approval, &last, &l.first)
	if errors.Is(err, sql.ErrNoRows) {
		return l, ErrOrder.New()
	}
	if err != nil {
		return l, err
	}
	l.request, err = ca.ParseRequest(last)
	return l, err
}

// renew records the order of a certificate that takes the place of one, for another key, under the approval of the first of
// the line (access.Reuse). The same key again gives the order that there is.
func (o *orders) renew(ctx context.Context, c *chain.Certificate, request []byte) (*record, error) {
	l, err := o.lineOf(ctx, c)
	if err != nil {
		return nil, err
	}
	parsed, err := csr.Parse(request, csr.Options{Reserved: Reserved(ctx, o.Authority)})
	if err != nil {
		return nil, err
	}
	l.request.Public = parsed.Public
	now := o.Clock()
	if err := l.request.Check(now); err != nil {
		return nil, err
	}
	r := &record{request: l.request.Subject(), csr: parsed.Raw, key: keystore.Point(parsed.Public),
		Outcome: Outcome{ID: store.NewID("ord_"), Backend: o.name, State: StateOpen, Created: now.UTC(), Expires: now.Add(o.term).UTC()}}
	var earlier string
	err = o.DB.Write(ctx, func(tx *store.Tx) error {
		if earlier, err = o.renewedBy(ctx, tx, l.order, r.key); err != nil || earlier != "" {
			return err
		}
		approval, err := o.Access.Reuse(ctx, tx, l.approval, access.KindIssueCertificate, l.first, l.request.Terms())
		if err != nil {
			return err
		}
		return o.enterRenewal(ctx, tx, l, r, approval)
	})
	if store.IsUnique(err) {
		return nil, ErrRequested.New()
	}
	if err != nil {
		return nil, err
	}
	if earlier != "" {
		return o.read(ctx, o.DB.Read(), earlier)
	}
	return r, nil
}

// renewedBy finds the order that renews one for a key, empty when there is none. Errors: ca.renewed when one for another
// key lives, ca.revoked.
func (o *orders) renewedBy(ctx context.Context, tx *store.Tx, order string, key []byte) (id string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT o.id FROM backend_order o JOIN backend_renewal n ON n.id = o.renewal WHERE n.predecessor = $1 AND o.public_key = $2`,
		order, key).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	var ended, living int
	err = tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM backend_revocation WHERE order_id = $1),
		(SELECT COUNT(*) FROM backend_order o JOIN backend_renewal n ON n.id = o.renewal WHERE n.predecessor = $1 AND o.state NOT IN ('refused', 'expired'))`,
		order).Scan(&ended, &living)
	switch {
	case err != nil:
		return "", err
	case ended > 0:
		return "", ca.ErrRevoked.New()
	case living > 0:
		return "", ca.ErrRenewed.New()
	}
	return "", nil
}

func (o *orders) enterRenewal(ctx context.Context, tx *store.Tx, l lineage, r *record, approval access.Approval) error {
	id := store.NewID("ren_")
	_, err := tx.ExecContext(ctx, `INSERT INTO backend_renewal (id, predecessor, created, approval, approval_kind, approval_used, approved) VALUES ($1, $2, $3, $4, $5, 1, $6)`,
		id, l.order, store.Time(r.Created), approval.ID(), string(approval.Kind()), store.Time(approval.Approved()))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO backend_order (id, backend, state, profile, request, csr, public_key, created, expires,
		approval, approval_kind, approval_used, differences, renewal) VALUES ($1, $2, 'open', $3, $4, $5, $6, $7, $8, $9, $10, 1, '', $11)`,
		r.ID, o.name, string(l.request.Profile), r.request, r.csr, r.key, store.Time(r.Created), store.Time(r.Expires), approval.ID(), string(approval.Kind()), id)
	if err != nil {
		return err
	}
	return o.event(ctx, tx, "backend.ordered", "", r.ID, map[string]string{"backend": o.name, "profile": string(l.request.Profile), "approval": approval.ID(),
		"approver": approval.Approver(), "renews": l.order})
}

// SupersedeIn implements Foreign.
func (o *orders) SupersedeIn(ctx context.Context, tx *store.Tx, id string) error {
	var renewal, predecessor string
	err := tx.QueryRowContext(ctx, `SELECT n.id, n.predecessor FROM backend_order o JOIN backend_renewal n ON n.id = o.renewal WHERE o.id = $1 AND o.backend = $2 AND o.state = 'issued'`,
		id, o.name).Scan(&renewal, &predecessor)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrOrder.With("%s", id)
	}
	if err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `INSERT INTO backend_revocation (id, order_id, order_state, reason, state, created, renewal)
		VALUES ($1, $2, 'issued', $3, 'open', $4, $5) ON CONFLICT (order_id) DO NOTHING`,
		store.NewID("rev_"), predecessor, int(ca.ReasonSuperseded), store.Time(o.Clock()), renewal)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 { // two people ended it already, for a reason of their own
		return err
	}
	return o.event(ctx, tx, "backend.revocation", "", predecessor, map[string]string{"backend": o.name, "renewal": id})
}

// Renew implements Foreign: the order waits for the next Export.
func (f *File) Renew(ctx context.Context, c *chain.Certificate, request []byte) (Outcome, error) {
	r, err := f.renew(ctx, c, request)
	if err != nil {
		return Outcome{}, err
	}
	return r.Outcome, nil
}

// Renew implements Foreign. When the authority does not answer, Outcome tries again.
func (b *remote) Renew(ctx context.Context, c *chain.Certificate, request []byte) (Outcome, error) {
	r, err := b.renew(ctx, c, request)
	if err != nil {
		return Outcome{}, err
	}
	if r.State == StateOpen {
		if after, err := b.submit(ctx, r); err == nil {
			r = after
		}
	}
	return r.Outcome, nil
}

// Maker gives the authority that a certificate was ordered from: backend.order-not-found, backend.unknown when it is not
// configured any more.
func (b *Backends) Maker(ctx context.Context, c *chain.Certificate) (Foreign, error) {
	var name string
	err := b.DB.Read().QueryRowContext(ctx, `SELECT backend FROM backend_order WHERE fingerprint = $1 AND state = 'issued'`, c.FingerprintText()).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrOrder.New()
	}
	if err != nil {
		return nil, err
	}
	return b.Outside(name)
}
