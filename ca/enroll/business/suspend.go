package business

import (
	"context"
	"database/sql"
	"errors"
	"math/big"

	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

var _ enroll.Suspender = (*Service)(nil)

// SuspendUser implements enroll.Suspender: grants end at once, and the certificates go on hold unless the person still
// uses another seal.
func (s *Service) SuspendUser(ctx context.Context, tx *store.Tx, by access.Actor, u enroll.User, reason string) error {
	actor, code, err := s.userAndSeal(ctx, tx, u)
	if err != nil || actor == "" {
		return err
	}
	if _, err := s.Seals.WithdrawGrants(ctx, tx, by, actor, code, reason); err != nil {
		return err
	}
	elsewhere, err := s.usesAnother(ctx, actor, code)
	if err != nil || elsewhere {
		return err
	}
	list, err := holdingsOf(ctx, tx, actor)
	if err != nil {
		return err
	}
	for _, serial := range list {
		if err := s.Authority.HoldIn(ctx, tx, by, serial, "suspended"); err != nil && !isHeld(err) {
			return err
		}
	}
	return nil
}

// userAndSeal finds the actor of a holder, empty for somebody who never had anything, and the code of the seal, empty for
// all of them.
func (s *Service) userAndSeal(ctx context.Context, q store.Querier, u enroll.User) (actor, code string, err error) {
	err = q.QueryRowContext(ctx, `SELECT actor FROM business_user WHERE holder = $1`, u.Holder).Scan(&actor)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", nil
	}
	if err != nil || u.SealName == "" {
		return actor, "", err
	}
	list, err := s.Seals.InstancesOf(ctx, actor)
	if err != nil {
		return "", "", err
	}
	for _, in := range list {
		registered, err := s.Seals.Registered(ctx, in.Code)
		if err != nil {
			return "", "", err
		}
		if registered.Name == u.SealName {
			return actor, in.Code, nil
		}
	}
	if len(list) == 0 { // what was made for the person waits for acceptance, perhaps
		return actor, "", nil
	}
	return "", "", nil
}

// usesAnother reports whether a person has another seal than the one with the code.
func (s *Service) usesAnother(ctx context.Context, actor, code string) (bool, error) {
	if code == "" {
		return false, nil
	}
	list, err := s.Seals.InstancesOf(ctx, actor)
	for _, in := range list {
		if in.Code != code {
			return true, err
		}
	}
	return false, err
}

// PlanDecision implements enroll.Suspender: a suspension that is confirmed revokes what is on the USB Key, one that is
// lifted releases it and lets the person use the same seals again.
func (s *Service) PlanDecision(ctx context.Context, tx *store.Tx, u enroll.User, confirm bool) ([]access.Part, error) {
	acts, err := s.decision(ctx, tx, u, confirm)
	parts := make([]access.Part, len(acts))
	for i, a := range acts {
		parts[i] = s.part(a)
	}
	return parts, err
}

// decision is what it takes to make a suspension final, or to lift it, and keeps it for Decided.
func (s *Service) decision(ctx context.Context, tx *store.Tx, u enroll.User, confirm bool) ([]act, error) {
	var acts []act
	actor, code, err := s.userAndSeal(ctx, tx, u)
	if err != nil || actor == "" {
		return nil, err
	}
	elsewhere, err := s.usesAnother(ctx, actor, code)
	if err != nil {
		return nil, err
	}
	var list []*big.Int
	if !elsewhere {
		if list, err = holdingsOf(ctx, tx, actor); err != nil {
			return nil, err
		}
	}
	for _, serial := range list {
		if confirm {
			acts = append(acts, act{Kind: actRevoke, Serial: ca.SerialText(serial), Reason: ca.ReasonPrivilegeWithdrawn})
		} else {
			acts = append(acts, act{Kind: actResume, Serial: ca.SerialText(serial)})
		}
	}
	if !confirm {
		inUse, err := s.Seals.InstancesOf(ctx, actor)
		if err != nil {
			return nil, err
		}
		for _, in := range inUse {
			if code != "" && in.Code != code {
				continue
			}
			acts = append(acts, act{Kind: actGrant, Grant: s.grantFrom(s.Clock(), in.Code, actor)})
		}
	}
	for i := range acts {
		acts[i].Phase = phaseAccept
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM business_act WHERE application = $1 AND version = 0`, u.Holder); err != nil {
		return nil, err
	}
	return acts, saveActs(ctx, tx, u.Holder, 0, acts)
}

// Decided implements enroll.Suspender: it carries out, in the transaction of the second person's consent, what
// PlanDecision said.
func (s *Service) Decided(ctx context.Context, tx *store.Tx, by access.Actor, u enroll.User, request string, confirm bool) error {
	actor, code, err := s.userAndSeal(ctx, tx, u)
	if err != nil || actor == "" {
		return err
	}
	w := &work{Service: s, application: u.Holder, by: by}
	if w.acts, err = readActs(ctx, tx, u.Holder, 0, request); err != nil {
		return err
	}
	for _, a := range w.open(phaseAccept, "") {
		if err := w.do(ctx, tx, a); err != nil {
			return err
		}
	}
	if !confirm {
		return nil
	}
	inUse, err := s.Seals.InstancesOf(ctx, actor)
	for _, in := range inUse {
		if code != "" && in.Code != code {
			continue
		}
		if err := s.Seals.Withdraw(ctx, tx, by, in.ID, "revoked"); err != nil {
			return err
		}
	}
	return err
}
