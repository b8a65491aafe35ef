package access

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"yinxin/internal/store"

	"github.com/emmansun/gmsm/sm3"
)

// Redeem uses an approval up, in the transaction in which the approved thing is recorded; when that transaction fails
// the approval is as before. Kind and subject must be those that were approved; of several subjects, forms in which the
// same thing may have been put before the second person, one must be. The parts of a plan follow the plan: only when that
// was redeemed, by the room whose plan it is, can they be. Errors: access.not-approved, access.other-subject, access.used,
// access.voided, access.expired.
func (s *Service) Redeem(ctx context.Context, tx *store.Tx, id string, k Kind, subjects ...[]byte) (Approval, error) {
	r, err := s.given(ctx, tx, id, k, subjects)
	if err != nil {
		return Approval{}, err
	}
	now := s.clock()
	switch {
	case r.used:
		return Approval{}, ErrUsed.New()
	case r.voided:
		return Approval{}, ErrVoided.New()
	case !now.Before(r.expires):
		return Approval{}, ErrExpired.New()
	case !r.begun:
		return Approval{}, ErrNotApproved.New()
	}
	result, err := tx.ExecContext(ctx, `UPDATE access_approval SET used = 1, used_at = $1 WHERE id = $2 AND used = 0`, store.Time(now), id)
	if err != nil {
		return Approval{}, err
	}
	if err := store.ExactlyOne(result, ErrUsed.New()); err != nil {
		return Approval{}, err
	}
	err = s.record(ctx, tx, now, "approval.used", r.requester, id, map[string]string{"kind": string(k), "approver": r.approver})
	if err != nil {
		return Approval{}, err
	}
	return r.Approval, nil
}

// Reuse gives an approval that was redeemed once more, for the renewal of what was made under it with unchanged data.
// It carries renewals for RenewalTerm years from the second person's consent, unless it was made void. Errors:
// access.not-approved, access.other-subject, access.voided, access.expired.
func (s *Service) Reuse(ctx context.Context, tx *store.Tx, id string, k Kind, subjects ...[]byte) (Approval, error) {
	r, err := s.given(ctx, tx, id, k, subjects)
	if err != nil {
		return Approval{}, err
	}
	now := s.clock()
	switch {
	case !r.used:
		return Approval{}, ErrNotApproved.New()
	case r.voided: // given up after it was done: see Void
		return Approval{}, ErrVoided.New()
	case !now.Before(r.RenewableUntil()):
		return Approval{}, ErrExpired.New()
	}
	err = s.record(ctx, tx, now, "approval.reused", r.requester, id, map[string]string{"kind": string(k), "approver": r.approver})
	if err != nil {
		return Approval{}, err
	}
	return r.Approval, nil
}

// RenewableUntil is the moment from which the approval carries no renewals any more: RenewalTerm years after it was
// given.
func (a Approval) RenewableUntil() time.Time { return RenewableUntil(a.approved) }

// RenewableUntil is that moment for an approval that was given at a time.
func RenewableUntil(approved time.Time) time.Time {
	approved = approved.UTC()
	until := approved.AddDate(RenewalTerm, 0, 0)
	if until.Month() != approved.Month() { // from the 29th of February
		until = until.AddDate(0, 0, -until.Day())
	}
	return until
}

// redeemable is an approval as the database has it.
type redeemable struct {
	Approval
	used, voided bool
	begun        bool // no part of a plan, or one whose plan was redeemed
	expires      time.Time
}

// given finds an approval that covers one of the subjects.
func (s *Service) given(ctx context.Context, tx *store.Tx, id string, k Kind, subjects [][]byte) (redeemable, error) {
	r := redeemable{Approval: Approval{id: id}}
	var digest, expires, approved string
	var stored []byte
	err := tx.QueryRowContext(ctx, `SELECT a.kind, a.digest, a.requester, a.approver, a.approved, a.expires, a.used = 1, r.voided IS NOT NULL, r.subject,
		r.parent IS NULL OR EXISTS (SELECT 1 FROM access_approval p WHERE p.id = r.parent AND p.used = 1)
		FROM access_approval a JOIN access_request r ON r.id = a.id WHERE a.id = $1`, id).
		Scan((*string)(&r.kind), &digest, &r.requester, &r.approver, &approved, &expires, &r.used, &r.voided, &stored, &r.begun)
	if errors.Is(err, sql.ErrNoRows) {
		return r, ErrNotApproved.New()
	}
	if err != nil {
		return r, err
	}
	if r.expires, err = store.ParseTime(expires); err != nil {
		return r, err
	}
	if r.approved, err = store.ParseTime(approved); err != nil {
		return r, err
	}
	covered := slices.ContainsFunc(subjects, func(subject []byte) bool {
		return digest == digestText(subject) && bytes.Equal(stored, subject)
	})
	switch {
	case r.kind != k || !covered:
		return r, ErrOtherSubject.New()
	case r.requester == r.approver:
		return r, ErrSamePerson.New()
	}
	r.digest = sm3.Sum(stored)
	return r, nil
}
