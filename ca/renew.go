package ca

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"math/big"

	"yinxin/ca/chain"
	"yinxin/ca/conform"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// Renew issues a certificate that says what an earlier one says, for another key or the same, with validity from now.
// It needs no new decision: the approval under which the first of the line was issued carries renewals for
// access.RenewalTerm years, which the database checks as well. It comes from the CA that issues the profile now. The earlier certificate stays good until SupersedeIn,
// because its holder has a term to object to the new one. Errors: ca.not-found, ca.revoked, ca.held, ca.renewed,
// ca.not-renewable for one of a ceremony, access.expired when the years are over; those of Issue.
func (a *Authority) Renew(ctx context.Context, serial *big.Int, public *ecdsa.PublicKey, with ...Companion) (*chain.Certificate, error) {
	r, err := a.renewal(ctx, SerialText(serial))
	if err != nil {
		return nil, err
	}
	r.request.Public = public
	i, err := a.prepare(ctx, r.request)
	if err != nil {
		return nil, err
	}
	i.companions, i.renews = with, SerialText(serial)
	return a.issue(ctx, i, func(tx *store.Tx) (access.Approval, error) {
		if err := renewable(ctx, tx, i.renews); err != nil {
			return access.Approval{}, err
		}
		return a.access.Reuse(ctx, tx, r.approval, access.KindIssueCertificate, r.approved, r.request.Terms())
	})
}

// renewal is what a new certificate of a line takes from it.
type renewal struct {
	request  Request
	approval string
	approved []byte // Subject of the first certificate of the line
}

// renewal reads the line that a certificate belongs to.
func (a *Authority) renewal(ctx context.Context, serial string) (renewal, error) {
	var r renewal
	var last, certificate []byte
	var approval *string
	q := a.DB.Read()
	err := q.QueryRowContext(ctx, `SELECT request, approval, certificate FROM ca_certificate WHERE serial = $1 AND state = 'issued'`, serial).
		Scan(&last, &approval, &certificate)
	if isMissing(err) {
		return r, ErrNotFound.New()
	}
	if err != nil {
		return r, err
	}
	if approval == nil {
		return r, ErrNotRenewable.New()
	}
	r.approval = *approval
	if err := q.QueryRowContext(ctx, `SELECT request FROM ca_certificate WHERE approval = $1 AND renews IS NULL`, r.approval).Scan(&r.approved); err != nil {
		return r, err
	}
	if r.request, err = ParseRequest(last); err != nil {
		return r, err
	}
	if !r.request.Identity.isZero() {
		r.request.Identity.Number = conform.Identity(certificate)
	}
	first, err := ParseRequest(r.approved)
	if err != nil {
		return r, err
	}
	if !bytes.Equal(first.Terms(), r.request.Terms()) {
		return r, access.ErrOtherSubject.New()
	}
	return r, nil
}

// renewable refuses what was taken back or has its renewal already.
func renewable(ctx context.Context, tx *store.Tx, serial string) error {
	state, _, err := currentStatus(ctx, tx, serial)
	switch {
	case err != nil:
		return err
	case state == stateRevoked:
		return ErrRevoked.New()
	case state == stateHeld:
		return ErrHeld.New()
	}
	var renewals int
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM ca_certificate WHERE renews = $1 AND state <> 'failed'`, serial).Scan(&renewals)
	if err == nil && renewals > 0 {
		err = ErrRenewed.With("%s", serial)
	}
	return err
}
