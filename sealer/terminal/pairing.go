package terminal

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/release"
	"yinxin/internal/store"
	"yinxin/sealer/terminal/manifest"
)

// Bounds of pairing.
const (
	PairingLife  = 5 * time.Minute
	pairingTries = 5  // wrong ones, then the code has ended
	codesAnHour  = 20 // that one person may ask for
	maxTerminals = 20 // of one person
	nameTries    = 5  // to find a name that no open code has
)

// OpenPairing gives a person a code for one terminal, and ends the one before. Errors: terminal.person, terminal.too-many-codes, terminal.too-many.
func (s *Service) OpenPairing(ctx context.Context, by access.Actor) (code manifest.Code, expires time.Time, err error) {
	for range nameTries {
		if code, err = manifest.NewCode(s.Random); err != nil {
			return code, expires, err
		}
		if expires, err = s.openPairing(ctx, by, code); !store.IsUnique(err) {
			break
		}
	}
	return code, expires, err
}

func (s *Service) openPairing(ctx context.Context, by access.Actor, code manifest.Code) (expires time.Time, err error) {
	now := s.Clock()
	expires = now.Add(PairingLife)
	id := store.NewID("pr_")
	return expires, s.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := s.personIn(ctx, tx, by.ID); err != nil {
			return err
		}
		var recent, terminals int
		err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM terminal_pairing WHERE clerk = $1 AND created > $2),
			(SELECT COUNT(*) FROM terminal WHERE clerk = $1 AND ended = '')`, by.ID, store.Time(now.Add(-time.Hour))).Scan(&recent, &terminals)
		switch {
		case err != nil:
			return err
		case recent >= codesAnHour:
			return errTooManyCodes.With("%d", codesAnHour).RetryIn(time.Hour / codesAnHour)
		case terminals >= maxTerminals:
			return errTooMany.With("%d", maxTerminals)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE terminal_pairing SET state = 'ended', key = $1 WHERE state = 'open' AND (clerk = $2 OR expires <= $3)`,
			[]byte{}, by.ID, store.Time(now)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO terminal_pairing (id, name, clerk, key, created, expires, state) VALUES ($1, $2, $3, $4, $5, $6, 'open')`,
			id, code.Name(), by.ID, code.Key(), store.Time(now), store.Time(expires)); err != nil {
			return err
		}
		return s.record(ctx, tx, "terminal.pairing-opened", by.ID, id, nil)
	})
}

// clerkIn reads a clerk, who must be an operator now. Errors: access.actor-not-found, access.role.
func (s *Service) clerkIn(ctx context.Context, q store.Querier, id string) (access.Actor, error) {
	a, err := s.Access.ActorIn(ctx, q, id)
	if err == nil && !a.Has(access.RoleOperator) {
		err = access.ErrRole.With("%s", access.RoleOperator)
	}
	return a, err
}

// personIn reads somebody who may have a terminal: a person, with whatever role or none, and no program. Errors:
// access.actor-not-found, terminal.person.
func (s *Service) personIn(ctx context.Context, q store.Querier, id string) (access.Actor, error) {
	a, err := s.Access.ActorIn(ctx, q, id)
	if err == nil && !a.Person() {
		err = errPerson.With("%s", id)
	}
	return a, err
}

// Pair takes a terminal's request, which came with a User-Agent; the answer is for the terminal. A wrong try counts, and the fifth ends the code. Errors:
// terminal.pairing-refused, whatever is wrong with the code; terminal.pairing-request; terminal.too-many.
func (s *Service) Pair(ctx context.Context, r manifest.PairingRequest, userAgent string) (manifest.PairingAnswer, error) {
	key, err := newestKey(ctx, s.Keys)
	if err != nil {
		return manifest.PairingAnswer{}, err
	}
	var answer manifest.PairingAnswer
	var refused error
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		answer, refused = manifest.PairingAnswer{}, nil
		p, err := openPairingNamed(ctx, tx, r.Pairing, s.Clock())
		if err != nil {
			return err
		}
		if _, refused = p.code.CheckRequest(r); refused == nil && p.id == "" {
			refused = manifest.ErrPairing.New() // nobody's key is all zeros
		}
		if refused != nil {
			if p.id == "" || !fault.Has(refused, manifest.ErrPairing) {
				return nil
			}
			return s.wrongTry(ctx, tx, p)
		}
		clerk, err := s.personIn(ctx, tx, p.clerk)
		if fault.Has(err, errPerson) || fault.Has(err, access.ErrActorNotFound) {
			refused = manifest.ErrPairing.Because(err)
			return nil
		}
		if err != nil {
			return err
		}
		t := Terminal{ID: store.NewID("trm_"), Name: r.Name, Clerk: clerk, Paired: s.Clock(), Agent: release.ParseUserAgent(userAgent), manifestKey: key.Name(), public: r.Key}
		if err := s.addTerminal(ctx, tx, t, p.id); err != nil {
			return err
		}
		answer = p.code.Answer(r, manifest.PairingAnswer{Terminal: t.ID, Clerk: personOf(clerk), Key: manifest.Point(key.Public()), Time: t.Paired})
		return nil
	})
	return answer, errors.Join(err, refused)
}

// pairing is an open code.
type pairing struct {
	id, clerk string
	code      manifest.Code
	tries     int
}

// openPairingNamed gives the open code of a name; where there is none, one without id whose key nobody has, so that the check takes
// the same time.
func openPairingNamed(ctx context.Context, tx *store.Tx, name string, now time.Time) (pairing, error) {
	var p pairing
	var key []byte
	err := tx.QueryRowContext(ctx, `SELECT id, clerk, key, tries FROM terminal_pairing WHERE name = $1 AND state = 'open' AND expires > $2`,
		name, store.Time(now)).Scan(&p.id, &p.clerk, &key, &p.tries)
	if errors.Is(err, sql.ErrNoRows) {
		key, err = make([]byte, 32), nil
	}
	p.code = manifest.StoredCode(name, key)
	return p, err
}

func (s *Service) wrongTry(ctx context.Context, tx *store.Tx, p pairing) error {
	if p.tries+1 < pairingTries {
		_, err := tx.ExecContext(ctx, `UPDATE terminal_pairing SET tries = tries + 1 WHERE id = $1`, p.id)
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE terminal_pairing SET tries = tries + 1, state = 'ended', key = $2 WHERE id = $1`, p.id, []byte{}); err != nil {
		return err
	}
	return s.record(ctx, tx, "terminal.pairing-ended", "", p.id, map[string]string{"reason": "wrong tries"})
}

func (s *Service) addTerminal(ctx context.Context, tx *store.Tx, t Terminal, pairing string) error {
	var others int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM terminal WHERE clerk = $1 AND ended = ''`, t.Clerk.ID).Scan(&others); err != nil {
		return err
	}
	if others >= maxTerminals {
		return errTooMany.With("%d", maxTerminals)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE terminal_pairing SET state = 'used', key = $2 WHERE id = $1`, pairing, []byte{}); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO terminal (id, clerk, name, public_key, manifest_key, pairing, paired, agent_version, agent_platform)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, t.ID, t.Clerk.ID, t.Name, t.public, t.manifestKey, pairing, store.Time(t.Paired), t.Agent.Version, t.Agent.Platform); err != nil {
		return err
	}
	return s.record(ctx, tx, "terminal.paired", t.Clerk.ID, t.ID, map[string]string{"pairing": pairing, "manifest_key": t.manifestKey})
}
