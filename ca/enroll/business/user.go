package business

import (
	"context"
	"database/sql"
	"errors"
	"math/big"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// usersOf are the people of the application's roster by what it says of them, and for a business of one USB Key its
// holder. Each is an actor afterwards.
func (s *Service) usersOf(ctx context.Context, tx *store.Tx, d enroll.Dossier) (stay, leave []user, err error) {
	seen := map[string]bool{}
	for _, p := range d.Persons {
		if seen[p.Holder] || p.SealName != d.Form.Seal.Name {
			continue
		}
		seen[p.Holder] = true
		u, err := s.userFor(ctx, tx, user{Holder: p.Holder, Name: p.Name, Unit: d.Form.Unit.Name})
		if err != nil {
			return nil, nil, err
		}
		if p.Status == enroll.StatusActive {
			stay = append(stay, u)
		} else {
			leave = append(leave, u)
		}
	}
	if d.Form.ConcernsKey() {
		u, err := s.keyHolderOf(ctx, tx, d)
		if err != nil {
			return nil, nil, err
		}
		stay = []user{u}
	}
	return stay, leave, nil
}

// keyHolderOf is the person whose USB Key the form names.
func (s *Service) keyHolderOf(ctx context.Context, tx *store.Tx, d enroll.Dossier) (user, error) {
	holder, err := s.Enroll.HolderIn(ctx, tx, d.Unit.ID, d.Form.Personal.KeyHolderIdentity)
	if err != nil {
		return user{}, err
	}
	if holder == "" {
		return user{}, ErrNoKey.With("%s", d.Form.Key.Holder)
	}
	return s.userFor(ctx, tx, user{Holder: holder, Name: d.Form.Key.Holder, Unit: d.Form.Unit.Name})
}

// userFor finds the actor of a person, or makes one, which has no role and so may do nothing yet.
func (s *Service) userFor(ctx context.Context, tx *store.Tx, u user) (user, error) {
	err := tx.QueryRowContext(ctx, `SELECT actor FROM business_user WHERE holder = $1`, u.Holder).Scan(&u.Actor)
	if !errors.Is(err, sql.ErrNoRows) {
		return u, err
	}
	actor, err := s.Access.CreateActorIn(ctx, tx, access.Actor{Name: u.Name, Organisation: u.Unit})
	if err != nil {
		return u, err
	}
	u.Actor = actor.ID
	_, err = tx.ExecContext(ctx, `INSERT INTO business_user (holder, actor) VALUES ($1, $2)`, u.Holder, u.Actor)
	return u, err
}

// holding records that a certificate is on somebody's USB Key.
func holding(ctx context.Context, tx *store.Tx, actor string, profile ca.Profile, c *chain.Certificate) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO business_holding (serial, actor, profile) VALUES ($1, $2, $3)`, ca.SerialText(c.Serial), actor, string(profile))
	return err
}

// holdingsOf are the certificates on the USB Key of an actor that nobody has revoked.
func holdingsOf(ctx context.Context, q store.Querier, actor string) ([]*big.Int, error) {
	texts, err := store.Column[string](q.QueryContext(ctx, `SELECT h.serial FROM business_holding h LEFT JOIN ca_status s ON s.serial = h.serial
		WHERE h.actor = $1 AND COALESCE(s.state, '') <> 'revoked' ORDER BY h.serial`, actor))
	var list []*big.Int
	for _, text := range texts {
		list = append(list, serialNumber(text))
	}
	return list, err
}

// holderOf is on whose USB Key a certificate is: business.no-key.
func holderOf(ctx context.Context, q store.Querier, serial *big.Int) (string, error) {
	var actor string
	err := q.QueryRowContext(ctx, `SELECT actor FROM business_holding WHERE serial = $1`, ca.SerialText(serial)).Scan(&actor)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoKey.With("%s", ca.SerialText(serial))
	}
	return actor, err
}

// revokeHoldings plans the revocation of everything on the USB Key of an actor.
func (p *planner) revokeHoldings(actor string, reason ca.Reason, when phase) error {
	list, err := holdingsOf(p.ctx, p.q, actor)
	for _, serial := range list {
		p.add(act{Kind: actRevoke, Phase: when, Serial: ca.SerialText(serial), Reason: reason})
	}
	return err
}

// revokeCertificate plans the revocation of a certificate that is not revoked yet. Another authority is told when the
// transaction of an acceptance is over.
func (p *planner) revokeCertificate(der []byte, reason ca.Reason, when phase) error {
	c, err := chain.ParseCertificate(der)
	if err != nil {
		return err
	}
	record, err := p.Authority.Certificate(p.ctx, c.Serial)
	if isNotFound(err) && p.Institutions != "" {
		if when == phaseAccept {
			when = phaseAfter
		}
		p.add(act{Kind: actRevoke, Phase: when, Authority: p.Institutions, Foreign: der, Reason: reason})
		return nil
	}
	if err != nil || record.State == ca.RecordRevoked {
		return err
	}
	p.add(act{Kind: actRevoke, Phase: when, Serial: ca.SerialText(c.Serial), Reason: reason})
	return nil
}
