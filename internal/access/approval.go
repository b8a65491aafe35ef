package access

import (
	"bytes"
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Kind is the kind of thing that two people decide.
type Kind string

// The kinds. Which bytes are the subject is said where the kind is redeemed.
const (
	KindIssueCertificate   Kind = "certificate.issue"
	KindRevokeCertificate  Kind = "certificate.revoke"
	KindSuspendCertificate Kind = "certificate.suspend"
	KindResumeCertificate  Kind = "certificate.resume"
	KindMakeSeal           Kind = "seal.make"
	KindCancelSeal         Kind = "seal.cancel"
	KindSuspendSeal        Kind = "seal.suspend"
	KindResumeSeal         Kind = "seal.resume"
	KindGrant              Kind = "seal.grant"
	KindGrantRole          Kind = "role.grant"
)

const (
	// Term is how long a request waits for a decision, and then how long an approval waits to be used.
	Term = 30 * 24 * time.Hour
	// MaxSubject is the largest subject in bytes.
	MaxSubject = 256 << 10
)

// Approval is the proof that two people decided something. Only Redeem makes one.
type Approval struct {
	id                  string
	kind                Kind
	digest              [32]byte
	requester, approver string
}

// ID is the identifier of the request that was approved.
func (a Approval) ID() string { return a.id }

// Kind is what kind of thing was approved.
func (a Approval) Kind() Kind { return a.kind }

// Requester is the ID of the actor who asked.
func (a Approval) Requester() string { return a.requester }

// Approver is the ID of the actor who agreed.
func (a Approval) Approver() string { return a.approver }

// Covers reports whether exactly this was approved. The zero Approval covers nothing.
func (a Approval) Covers(k Kind, subject []byte) bool {
	digest := sm3.Sum(subject)
	return a.id != "" && a.kind == k && subtle.ConstantTimeCompare(digest[:], a.digest[:]) == 1
}

// Request asks for a decision. by must be a registrar now; subject is the exact bytes of what shall be done, at most
// MaxSubject. Errors: access.role, access.subject, access.actor-not-found.
func (s *Service) Request(ctx context.Context, by Actor, k Kind, subject []byte) (id string, err error) {
	if len(subject) == 0 || len(subject) > MaxSubject || k == "" || len(k) > 64 {
		return "", ErrSubject.New()
	}
	id = newID("req_")
	digest := digestText(subject)
	now := s.clock()
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := s.acting(ctx, tx, by, RoleRegistrar); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO access_request (id, kind, subject, digest, requester, state, created, expires, reason)
			VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, '')`,
			id, string(k), subject, digest, by.ID, store.Time(now), store.Time(now.Add(Term)))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, "approval.requested", by.ID, id, map[string]string{"kind": string(k), "digest": digest})
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// Approve is the consent of the second person: an approver who is not the requester. Errors: access.role,
// access.same-person, access.decided, access.expired, access.request-not-found.
func (s *Service) Approve(ctx context.Context, by Actor, id string) error {
	now := s.clock()
	return s.db.Write(ctx, func(tx *store.Tx) error {
		r, err := s.decide(ctx, tx, by, id, "approved", "", now)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO access_approval (id, kind, digest, requester, approver, request_state, approved, expires, used)
			VALUES ($1, $2, $3, $4, $5, 'approved', $6, $7, 0)`,
			id, string(r.Kind), r.Digest, r.Requester, by.ID, store.Time(now), store.Time(now.Add(Term)))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, "approval.granted", by.ID, id, map[string]string{"kind": string(r.Kind), "requester": r.Requester})
	})
}

// Reject ends a request. The reason is kept with it, at most 200 characters; it must not hold personal data.
func (s *Service) Reject(ctx context.Context, by Actor, id, reason string) error {
	if !validText(reason) {
		return ErrSubject.At(fault.Field("reason"))
	}
	now := s.clock()
	return s.db.Write(ctx, func(tx *store.Tx) error {
		r, err := s.decide(ctx, tx, by, id, "rejected", reason, now)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, "approval.rejected", by.ID, id, map[string]string{"kind": string(r.Kind), "requester": r.Requester})
	})
}

// decide closes an open request in the name of an approver who did not make it.
func (s *Service) decide(ctx context.Context, tx *store.Tx, by Actor, id, state, reason string, now time.Time) (Pending, error) {
	r, err := readRequest(ctx, tx, id)
	if err != nil {
		return r, err
	}
	if _, err := s.acting(ctx, tx, by, RoleApprover); err != nil {
		return r, err
	}
	if r.Requester == by.ID {
		return r, ErrSamePerson.New()
	}
	if r.State != "open" {
		return r, ErrDecided.With("%s", r.State)
	}
	if !now.Before(r.Expires) {
		return r, ErrExpired.New()
	}
	// The condition on state decides between two who act at the same moment.
	result, err := tx.ExecContext(ctx, `UPDATE access_request SET state = $1, decider = $2, decided = $3, reason = $4 WHERE id = $5 AND state = 'open'`,
		state, by.ID, store.Time(now), reason, id)
	if err != nil {
		return r, err
	}
	return r, exactlyOne(result, ErrDecided)
}

// Redeem uses an approval up, in the transaction in which the approved thing is recorded; when that transaction fails
// the approval is as before. Kind and subject must be those that were approved. Errors: access.not-approved,
// access.other-subject, access.used, access.expired.
func (s *Service) Redeem(ctx context.Context, tx *store.Tx, id string, k Kind, subject []byte) (Approval, error) {
	a := Approval{id: id, digest: sm3.Sum(subject)}
	var digest, expires string
	var stored []byte
	var used int
	err := tx.QueryRowContext(ctx, `SELECT a.kind, a.digest, a.requester, a.approver, a.expires, a.used, r.subject
		FROM access_approval a JOIN access_request r ON r.id = a.id WHERE a.id = $1`, id).
		Scan((*string)(&a.kind), &digest, &a.requester, &a.approver, &expires, &used, &stored)
	if errors.Is(err, sql.ErrNoRows) {
		return Approval{}, ErrNotApproved.New()
	}
	if err != nil {
		return Approval{}, err
	}
	until, err := store.ParseTime(expires)
	if err != nil {
		return Approval{}, err
	}
	now := s.clock()
	switch {
	case a.kind != k || digest != digestText(subject) || !bytes.Equal(stored, subject):
		return Approval{}, ErrOtherSubject.New()
	case a.requester == a.approver:
		return Approval{}, ErrSamePerson.New()
	case used != 0:
		return Approval{}, ErrUsed.New()
	case !now.Before(until):
		return Approval{}, ErrExpired.New()
	}
	result, err := tx.ExecContext(ctx, `UPDATE access_approval SET used = 1, used_at = $1 WHERE id = $2 AND used = 0`, store.Time(now), id)
	if err != nil {
		return Approval{}, err
	}
	if err := exactlyOne(result, ErrUsed); err != nil {
		return Approval{}, err
	}
	err = s.record(ctx, tx, now, "approval.used", a.requester, id, map[string]string{"kind": string(k), "approver": a.approver})
	if err != nil {
		return Approval{}, err
	}
	return a, nil
}

// exactlyOne turns an update that found nothing to change into the error that says why.
func exactlyOne(result sql.Result, otherwise fault.Spec) error {
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return otherwise.New()
	}
	return nil
}

// Pending is a request as officers see it.
type Pending struct {
	ID        string
	Kind      Kind
	Subject   []byte
	Digest    string // SM3 of Subject, hexadecimal
	Requester string
	State     string // open, approved, rejected
	Created   time.Time
	Expires   time.Time
	Reason    string // of a rejection
}

// Pending reads one request in whatever state: access.request-not-found.
func (s *Service) Pending(ctx context.Context, id string) (Pending, error) {
	return readRequest(ctx, s.db.Read(), id)
}

// Open lists the requests that wait for a decision, oldest first, at most limit of them.
func (s *Service) Open(ctx context.Context, limit int) ([]Pending, error) {
	rows, err := s.db.Read().QueryContext(ctx, selectRequest+` WHERE state = 'open' AND expires > $1 ORDER BY created, id LIMIT $2`,
		store.Time(s.clock()), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Pending
	for rows.Next() {
		r, err := scanRequest(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

const selectRequest = `SELECT id, kind, subject, digest, requester, state, created, expires, reason FROM access_request`

func readRequest(ctx context.Context, q store.Querier, id string) (Pending, error) {
	r, err := scanRequest(q.QueryRowContext(ctx, selectRequest+` WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return r, ErrRequestNotFound.New()
	}
	return r, err
}

func scanRequest(row interface{ Scan(...any) error }) (Pending, error) {
	var r Pending
	var created, expires string
	err := row.Scan(&r.ID, (*string)(&r.Kind), &r.Subject, &r.Digest, &r.Requester, &r.State, &created, &expires, &r.Reason)
	if err != nil {
		return r, err
	}
	if r.Created, err = store.ParseTime(created); err != nil {
		return r, err
	}
	r.Expires, err = store.ParseTime(expires)
	return r, err
}

func digestText(subject []byte) string {
	digest := sm3.Sum(subject)
	return hex.EncodeToString(digest[:])
}
