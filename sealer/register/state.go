package register

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// State is what a seal may be used for.
type State string

const (
	// Making is a seal that is being made (制作中).
	Making State = "making"
	// Active is a seal in use (已启用).
	Active State = "active"
	// Suspended is a seal out of use until somebody decides (已停用).
	Suspended State = "suspended"
	// Collected is a seal that was taken in (已收缴).
	Collected State = "collected"
	// Cancelled is a seal that will not be used again (已注销).
	Cancelled State = "cancelled"
)

// Standing is a state with its beginning and its reason.
type Standing struct {
	State  State
	Since  time.Time
	Actor  string
	Reason string
}

// StateAt answers 印章状态信息查询: the state of the seal with the code at a time. A seal that was not registered by
// then is Making. One that is in force by itself, but has no instance whose certificate was good at the time, is Suspended
// for one of the reasons ReasonRevoked and ReasonHeld. Error: seal.not-found.
func (r *Register) StateAt(ctx context.Context, code string, at time.Time) (Standing, error) {
	q := r.DB.Read()
	s, err := standing(ctx, q, code, at)
	if err != nil || s.State != Active {
		return s, err
	}
	return r.withCertificates(ctx, q, code, at, s)
}

// Made says whether exactly this seal (DER) was made here for the code, in use now or not; if it was not, one that was
// comes back. Whoever else holds a trusted certificate could put the same code and name into a seal of their own.
func (r *Register) Made(ctx context.Context, code string, seal []byte) (made bool, another []byte, err error) {
	if r.made.has(code, seal) {
		return true, nil, nil
	}
	err = r.DB.Read().QueryRowContext(ctx, `SELECT seal FROM seal_instance WHERE seal_code = $1 AND seal IS NOT NULL
		ORDER BY CASE WHEN seal = $2 THEN 0 ELSE 1 END, created_at DESC LIMIT 1`, code, seal).Scan(&another)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil, nil
	}
	if bytes.Equal(another, seal) {
		return true, nil, err
	}
	return false, another, err
}

func standing(ctx context.Context, q store.Querier, code string, at time.Time) (Standing, error) {
	var s Standing
	var since string
	err := q.QueryRowContext(ctx, `SELECT state, since, actor, reason FROM seal_state
		WHERE seal_code = $1 AND since <= $2 ORDER BY number DESC LIMIT 1`, code, store.Time(at)).
		Scan(&s.State, &since, &s.Actor, &s.Reason)
	if errors.Is(err, sql.ErrNoRows) {
		var known int
		err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM seal WHERE code = $1`, code).Scan(&known)
		if err != nil {
			return Standing{}, err
		}
		if known == 0 {
			return Standing{}, errNoSeal.With("%s", code)
		}
		return Standing{State: Making}, nil
	}
	if err != nil {
		return Standing{}, err
	}
	s.Since, err = store.ParseTime(since)
	return s, err
}

// Suspend takes a seal out of use at once (停用). One officer is enough for an emergency: putting it back into use
// takes two (Resume).
func (r *Register) Suspend(ctx context.Context, by access.Actor, code, reason string) error {
	return r.DB.Write(ctx, func(tx *store.Tx) error { return r.SuspendIn(ctx, tx, by, code, reason) })
}

// SuspendIn is Suspend in a transaction of the caller.
func (r *Register) SuspendIn(ctx context.Context, tx *store.Tx, by access.Actor, code, reason string) error {
	if !by.Has(access.RoleRegistrar) && !by.Has(access.RoleApprover) {
		return errDenied.New()
	}
	return r.move(ctx, tx, code, step{to: Suspended, actor: by.ID, reason: reason}, Active)
}

// Resume puts a suspended seal back into use, under an approval of kind access.KindResumeSeal over ResumeSubject.
func (r *Register) Resume(ctx context.Context, approvalID, code string) error {
	return r.DB.Write(ctx, func(tx *store.Tx) error { return r.ResumeIn(ctx, tx, approvalID, code) })
}

// ResumeIn is Resume in a transaction of the caller.
func (r *Register) ResumeIn(ctx context.Context, tx *store.Tx, approvalID, code string) error {
	return r.decided(ctx, tx, approvalID, access.KindResumeSeal, code, Active, Suspended)
}

// Cancel ends a seal for good (注销), under an approval of kind access.KindCancelSeal over CancelSubject.
func (r *Register) Cancel(ctx context.Context, approvalID, code string) error {
	return r.DB.Write(ctx, func(tx *store.Tx) error { return r.CancelIn(ctx, tx, approvalID, code) })
}

// CancelIn is Cancel in a transaction of the caller. The instances end with the seal, those that wait as well.
func (r *Register) CancelIn(ctx context.Context, tx *store.Tx, approvalID, code string) error {
	if err := r.decided(ctx, tx, approvalID, access.KindCancelSeal, code, Cancelled, Making, Active, Suspended); err != nil {
		return err
	}
	return r.withdrawAll(ctx, tx, access.Actor{}, "seal_code", code, "cancelled")
}

// ResumeSubject and CancelSubject are what two people approve: the seal's code.
func ResumeSubject(code string) []byte { return []byte("resume seal " + code) }

// CancelSubject is what two people approve before Cancel.
func CancelSubject(code string) []byte { return []byte("cancel seal " + code) }

func (r *Register) decided(ctx context.Context, tx *store.Tx, approvalID string, kind access.Kind, code string, to State, from ...State) error {
	subject := ResumeSubject(code)
	if to == Cancelled {
		subject = CancelSubject(code)
	}
	approval, err := r.Access.Redeem(ctx, tx, approvalID, kind, subject)
	if err != nil {
		return err
	}
	return r.move(ctx, tx, code, step{to: to, actor: approval.Approver(), reason: "approval " + approval.ID(),
		approval: approval.ID(), kind: approval.Kind()}, from...)
}

// step is a change of state, with the approval behind it if it needs one.
type step struct {
	to            State
	actor, reason string
	approval      string
	kind          access.Kind
}

// move appends a state. The primary key (seal, number) lets only one of two concurrent moves through.
func (r *Register) move(ctx context.Context, tx *store.Tx, code string, to step, from ...State) error {
	now := r.Clock()
	current, err := standing(ctx, tx, code, now)
	if err != nil {
		return err
	}
	if !slices.Contains(from, current.State) {
		return errTransition.With("%s → %s", current.State, to.to)
	}
	since := now
	if to.to == Active {
		// Signing times have whole seconds (GeneralizedTime): what is sealed in the second in which a seal came into
		// use must find it in use.
		since = now.Truncate(time.Second)
	}
	if err := enterState(ctx, tx, code, to, since); err != nil {
		return err
	}
	_, err = r.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "seal." + string(to.to), Actor: to.actor, Subject: code,
		Data: map[string]string{"reason": to.reason, "from": string(current.State)}})
	return err
}

func enterState(ctx context.Context, tx *store.Tx, code string, s step, now time.Time) error {
	var approval, kind, used any
	if s.approval != "" {
		approval, kind, used = s.approval, string(s.kind), 1
	}
	var number int
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) + 1 FROM seal_state WHERE seal_code = $1`, code).Scan(&number); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO seal_state (seal_code, number, since, state, actor, reason, approval_id, approval_kind, approval_used)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		code, number, store.Time(now), string(s.to), s.actor, s.reason, approval, kind, used)
	return err
}
