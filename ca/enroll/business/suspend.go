package business

import (
	"context"
	"database/sql"
	"errors"
	"math/big"
	"slices"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

var _ enroll.Suspender = (*Service)(nil)

// stop is what a suspension is about: a person, and one seal or, with an empty code, the whole USB Key.
type stop struct {
	suspension, holder string
	actor              string // empty for somebody who never had anything
	code               string
}

// acts is where the acts of a decision are kept.
func (t stop) acts() string {
	if t.suspension == "" {
		return t.holder
	}
	return t.suspension
}

// SuspendUser implements enroll.Suspender: grants end at once, and the certificates that serve what is meant alone go on
// hold. One that other seals of the person list stays good: whoever may use those needs it, and without a grant nothing is
// sealed here with the one that is meant.
func (s *Service) SuspendUser(ctx context.Context, tx *store.Tx, by access.Actor, u enroll.User, reason string) error {
	t, err := s.stopOf(ctx, tx, u)
	if err != nil || t.actor == "" {
		return err
	}
	if u.Suspension != "" {
		_, err := tx.ExecContext(ctx, `INSERT INTO business_stop (suspension, actor, seal) VALUES ($1, $2, $3) ON CONFLICT (suspension) DO NOTHING`, u.Suspension, t.actor, t.code)
		if err != nil {
			return err
		}
	}
	if _, err := s.Seals.WithdrawGrants(ctx, tx, by, t.actor, t.code, reason); err != nil {
		return err
	}
	list, err := s.meant(ctx, tx, t)
	if err != nil {
		return err
	}
	for _, serial := range list {
		if err := s.stopCertificate(ctx, tx, by, t, serial); err != nil {
			return err
		}
	}
	return nil
}

// stopCertificate puts a certificate on hold and records for which suspension. What is on hold for another reason than a
// suspension is not for this one to release.
func (s *Service) stopCertificate(ctx context.Context, tx *store.Tx, by access.Actor, t stop, serial *big.Int) error {
	err := s.Authority.HoldIn(ctx, tx, by, serial, "suspended")
	held := isHeld(err)
	if err != nil && !held {
		return err
	}
	if t.suspension == "" {
		return nil
	}
	if held {
		others, err := stoppedByOthers(ctx, tx, t, serial)
		if err != nil || !others {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO business_stopped (suspension, serial) VALUES ($1, $2) ON CONFLICT (suspension, serial) DO NOTHING`, t.suspension, ca.SerialText(serial))
	return err
}

// stoppedByOthers reports whether another suspension that is open put a certificate on hold.
func stoppedByOthers(ctx context.Context, q store.Querier, t stop, serial *big.Int) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM business_stopped p JOIN enroll_suspension x ON x.id = p.suspension
		WHERE p.serial = $1 AND p.suspension <> $2 AND x.state = 'open'`, ca.SerialText(serial), t.suspension).Scan(&n)
	return n > 0, err
}

// stopOf says what a suspension is about: as it was recorded when it began, or by the names of today.
func (s *Service) stopOf(ctx context.Context, q store.Querier, u enroll.User) (stop, error) {
	t := stop{suspension: u.Suspension, holder: u.Holder}
	err := q.QueryRowContext(ctx, `SELECT actor, seal FROM business_stop WHERE suspension = $1`, u.Suspension).Scan(&t.actor, &t.code)
	if !errors.Is(err, sql.ErrNoRows) {
		return t, err
	}
	t.actor, t.code, err = s.userAndSeal(ctx, q, u)
	return t, err
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

// meant gives the certificates of a person, not revoked, that serve what is meant and nothing else: for one seal those that
// no other seal in use lists, each with the one for encryption on the same USB Key; all where there is no other seal.
func (s *Service) meant(ctx context.Context, q store.Querier, t stop) ([]*big.Int, error) {
	all, err := holdingsOf(ctx, q, t.actor)
	if err != nil || t.code == "" {
		return all, err
	}
	list, err := s.Seals.InstancesOf(ctx, t.actor)
	if err != nil {
		return nil, err
	}
	own, others := map[string]bool{}, map[string]bool{}
	for _, in := range list {
		c, err := chain.ParseCertificate(in.Certificate)
		if err != nil {
			return nil, err
		}
		if in.Code == t.code {
			own[ca.SerialText(c.Serial)] = true
		} else {
			others[ca.SerialText(c.Serial)] = true
		}
	}
	if len(others) == 0 {
		return all, nil
	}
	var some []*big.Int
	for _, serial := range all {
		text := ca.SerialText(serial)
		if !own[text] || others[text] {
			continue
		}
		some = append(some, serial)
		second, err := encryptionOf(ctx, q, serial)
		if err != nil {
			return nil, err
		}
		if second != nil && has(all, second) {
			some = append(some, second)
		}
	}
	return some, nil
}

func has(list []*big.Int, serial *big.Int) bool {
	return slices.ContainsFunc(list, func(one *big.Int) bool { return one.Cmp(serial) == 0 })
}

// stopped gives the certificates that a suspension put on hold, but for those that another open one keeps there.
func (s *Service) stopped(ctx context.Context, q store.Querier, t stop) ([]*big.Int, error) {
	texts, err := store.Column[string](q.QueryContext(ctx, `SELECT p.serial FROM business_stopped p WHERE p.suspension = $1 AND NOT EXISTS
		(SELECT 1 FROM business_stopped o JOIN enroll_suspension x ON x.id = o.suspension WHERE o.serial = p.serial AND o.suspension <> $1 AND x.state = 'open')
		ORDER BY p.serial`, t.suspension))
	var list []*big.Int
	for _, text := range texts {
		list = append(list, serialNumber(text))
	}
	return list, err
}

// PlanDecision implements enroll.Suspender: a suspension that is confirmed revokes the certificates that serve what was
// meant alone, and releases what it held beyond that; one that is lifted releases what it held and lets the person use the
// same seals again.
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
	t, err := s.stopOf(ctx, tx, u)
	if err != nil || t.actor == "" {
		return nil, err
	}
	meant, err := s.meant(ctx, tx, t)
	if err != nil {
		return nil, err
	}
	held, err := s.stopped(ctx, tx, t)
	if err != nil {
		return nil, err
	}
	var acts []act
	if confirm {
		acts = finalActs(meant, held)
	} else {
		var recorded int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM business_stop WHERE suspension = $1`, t.suspension).Scan(&recorded); err != nil {
			return nil, err
		}
		if recorded == 0 { // from before that was recorded
			held = meant
		}
		if acts, err = s.liftingActs(ctx, tx, t, held); err != nil {
			return nil, err
		}
	}
	for i := range acts {
		acts[i].Phase = phaseAccept
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM business_act WHERE application = $1 AND version = 0`, t.acts()); err != nil {
		return nil, err
	}
	return acts, saveActs(ctx, tx, t.acts(), 0, acts)
}

// finalActs revoke what was meant, and release what was held beyond it.
func finalActs(meant, held []*big.Int) (acts []act) {
	for _, serial := range meant {
		acts = append(acts, act{Kind: actRevoke, Serial: ca.SerialText(serial), Reason: ca.ReasonPrivilegeWithdrawn})
	}
	for _, serial := range held {
		if !has(meant, serial) {
			acts = append(acts, act{Kind: actResume, Serial: ca.SerialText(serial)})
		}
	}
	return acts
}

// liftingActs release certificates and let the person use the seals again, but for those that another open suspension is
// about.
func (s *Service) liftingActs(ctx context.Context, q store.Querier, t stop, held []*big.Int) (acts []act, err error) {
	for _, serial := range held {
		acts = append(acts, act{Kind: actResume, Serial: ca.SerialText(serial)})
	}
	inUse, err := s.Seals.InstancesOf(ctx, t.actor)
	if err != nil {
		return nil, err
	}
	for _, in := range inUse {
		if t.code != "" && in.Code != t.code {
			continue
		}
		var others int
		err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM business_stop b JOIN enroll_suspension x ON x.id = b.suspension
			WHERE b.actor = $1 AND b.suspension <> $2 AND x.state = 'open' AND (b.seal = '' OR b.seal = $3)`, t.actor, t.suspension, in.Code).Scan(&others)
		if err != nil {
			return nil, err
		}
		if others == 0 {
			acts = append(acts, act{Kind: actGrant, Grant: s.grantFrom(s.Clock(), in.Code, t.actor)})
		}
	}
	return acts, nil
}

// Decided implements enroll.Suspender: it carries out, in the transaction of the second person's consent, what
// PlanDecision said.
func (s *Service) Decided(ctx context.Context, tx *store.Tx, by access.Actor, u enroll.User, request string, confirm bool) error {
	t, err := s.stopOf(ctx, tx, u)
	if err != nil || t.actor == "" {
		return err
	}
	w := &work{Service: s, application: t.acts(), by: by}
	if w.acts, err = readActs(ctx, tx, t.acts(), 0, request); err != nil {
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
	return s.endInstances(ctx, tx, by, t)
}

// Withdrawn implements enroll.Suspender.
func (s *Service) Withdrawn(ctx context.Context, tx *store.Tx, by access.Actor, u enroll.User) error {
	t, err := s.stopOf(ctx, tx, u)
	if err != nil || t.actor == "" {
		return err
	}
	return s.endInstances(ctx, tx, by, t)
}

// endInstances ends what a person has of the seal that is meant, or of all.
func (s *Service) endInstances(ctx context.Context, tx *store.Tx, by access.Actor, t stop) error {
	inUse, err := s.Seals.InstancesOf(ctx, t.actor)
	for _, in := range inUse {
		if t.code != "" && in.Code != t.code {
			continue
		}
		if err := s.Seals.Withdraw(ctx, tx, by, in.ID, "revoked"); err != nil {
			return err
		}
	}
	return err
}

// dismiss revokes what the people whom the roster withdraws hold for this seal alone, and releases what their suspension
// holds beyond that.
func (p *planner) dismiss() error {
	code := p.f.form.Seal.Code
	for _, u := range p.f.gone {
		if code == "" { // a new seal, which nobody has
			list, err := p.Seals.InstancesOf(p.ctx, u.Actor)
			if err != nil {
				return err
			}
			if len(list) > 0 {
				continue
			}
		}
		t := stop{holder: u.Holder, actor: u.Actor, code: code}
		meant, err := p.meant(p.ctx, p.q, t)
		if err != nil {
			return err
		}
		err = p.q.QueryRowContext(p.ctx, `SELECT COALESCE((SELECT x.id FROM enroll_suspension x JOIN business_stop b ON b.suspension = x.id
			WHERE b.actor = $1 AND b.seal = $2 AND x.cause = 'roster' AND x.state = 'open' LIMIT 1), '')`, u.Actor, code).Scan(&t.suspension)
		if err != nil {
			return err
		}
		held, err := p.stopped(p.ctx, p.q, t)
		if err != nil {
			return err
		}
		for _, a := range finalActs(meant, held) {
			a.Phase = phaseIssue
			p.add(a)
		}
	}
	return nil
}
