package business

import (
	"context"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// Accepted does, in the transaction in which the holder's acceptance is recorded, what waited for it: seals are put
// into use, people become seal users, grants begin, and what was replaced is revoked.
func (s *Service) Accepted(ctx context.Context, tx *store.Tx, by access.Actor, d enroll.Dossier) error {
	w := &work{Service: s, application: d.ID, version: d.Version, dossier: d, by: by}
	var err error
	if w.acts, err = readActs(ctx, tx, d.ID, d.Version, d.Examination); err != nil {
		return err
	}
	if len(w.open(phaseIssue, "")) > 0 {
		return ErrNotDone.New()
	}
	for _, a := range w.acts {
		if a.Kind != actSeal {
			continue
		}
		// What was cancelled or revoked since it was made stays out of use, and keeps nobody else waiting.
		if usable, err := s.usable(ctx, tx, a.Result); err != nil {
			return err
		} else if !usable {
			if err := s.Seals.Withdraw(ctx, tx, by, a.Result, "outdated"); err != nil {
				return err
			}
			continue
		}
		if err := s.Seals.Activate(ctx, tx, a.Result); err != nil {
			return err
		}
	}
	for _, a := range w.open(phaseAccept, "") {
		if a.Kind == actGrant || a.Kind == actRole {
			// Whoever was stopped meanwhile gets nothing new; lifting the suspension does that, by two people.
			if stopped, err := isStopped(ctx, tx, a.who()); err != nil {
				return err
			} else if stopped {
				continue
			}
		}
		if err := w.do(ctx, tx, a); err != nil {
			return err
		}
	}
	return nil
}

// usable reports whether an instance waits to be put into use, and may be: its certificate is not revoked.
func (s *Service) usable(ctx context.Context, tx *store.Tx, instance string) (bool, error) {
	der, err := s.Seals.Waiting(ctx, tx, instance)
	if err != nil || der == nil {
		return false, err
	}
	c, err := chain.ParseCertificate(der)
	if err != nil {
		return false, err
	}
	var revoked int
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM ca_status WHERE serial = $1 AND state = 'revoked'`, ca.SerialText(c.Serial)).Scan(&revoked)
	return revoked == 0, err
}

// isStopped reports whether an actor is a person with a USB Key on which no certificate is good.
func isStopped(ctx context.Context, q store.Querier, actor string) (bool, error) {
	var all, good int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(CASE WHEN s.serial IS NULL THEN 1 END) FROM business_holding h
		LEFT JOIN ca_status s ON s.serial = h.serial WHERE h.actor = $1`, actor).Scan(&all, &good)
	return all > 0 && good == 0, err
}

// Objected keeps what was issued from being used, in the transaction in which the holder's objection is recorded:
// certificates go on hold, and so they stay until two people revoke or release them.
func (s *Service) Objected(ctx context.Context, tx *store.Tx, by access.Actor, d enroll.Dossier) error {
	acts, err := readActs(ctx, tx, d.ID, d.Version, d.Examination)
	if err != nil {
		return err
	}
	for _, a := range acts {
		if a.Kind != actCertificate || !a.Done || a.Authority != "" { // no other authority knows a hold: the seal waits
			continue
		}
		if err := s.Authority.HoldIn(ctx, tx, by, serialNumber(a.Result), "objection"); err != nil && !isHeld(err) && !isRevoked(err) {
			return err
		}
	}
	return nil
}

// settled is Accepted after an objection was answered: what went on hold with it must have been released by two people.
func (s *Service) settled(ctx context.Context, tx *store.Tx, by access.Actor, d enroll.Dossier) error {
	acts, err := readActs(ctx, tx, d.ID, d.Version, d.Examination)
	if err != nil {
		return err
	}
	for _, a := range acts {
		if a.Kind != actCertificate || !a.Done || a.Authority != "" { // no other authority knows a hold: the seal waits
			continue
		}
		var off int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM ca_status WHERE serial = $1`, a.Result).Scan(&off); err != nil {
			return err
		}
		if off > 0 {
			return ErrNotDone.With("%s", a.Result)
		}
	}
	return s.Accepted(ctx, tx, by, d)
}

// Effects are what this room adds to the steps of registration.
func (s *Service) Effects() map[enroll.Step]enroll.Effect {
	return map[enroll.Step]enroll.Effect{
		enroll.StepAccept: s.Accepted, enroll.StepSilence: s.Accepted, enroll.StepSettle: s.settled, enroll.StepObject: s.Objected,
	}
}
