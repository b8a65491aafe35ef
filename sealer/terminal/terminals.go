package terminal

import (
	"context"
	"crypto/ecdsa"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode"

	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer/terminal/manifest"
)

// Terminal is a paired terminal.
type Terminal struct {
	ID       string
	Name     string
	Clerk    access.Actor // the person whose it is; in lists only the identifier
	Paired   time.Time
	LastSeen time.Time // to the minute; zero: never
	Ended    time.Time // zero: it has not

	manifestKey string
	public      []byte
}

// seenEvery is how exactly it is recorded when a terminal was last seen.
const seenEvery = time.Minute

func personOf(a access.Actor) manifest.Person {
	return manifest.Person{ID: a.ID, Name: sayable(a.Name, a.ID)}
}

// sayable is a name as a manifest may have it, without control characters; or the other name if nothing is left.
func sayable(name, otherwise string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, name))
	if name == "" {
		return otherwise
	}
	return name
}

// Authenticate says which terminal sent a request with this Authorization header field, method, target and body. Errors:
// terminal.unauthenticated, terminal.clock, terminal.person.
func (s *Service) Authenticate(ctx context.Context, header, method, target string, body []byte) (Terminal, error) {
	a, err := manifest.ParseAuthorisation(header)
	if err != nil {
		return Terminal{}, err
	}
	t, err := readTerminal(ctx, s.DB.Read(), a.Terminal)
	if fault.Has(err, errNoTerminal) {
		return t, manifest.ErrAuthorisation.New()
	}
	var public *ecdsa.PublicKey
	if err == nil {
		public, err = manifest.PublicOf(t.public)
	}
	if err != nil {
		return t, err
	}
	if err := a.Check(public, method, target, body, s.Clock()); err != nil {
		return Terminal{}, err
	}
	if t.Clerk, err = s.personIn(ctx, s.DB.Read(), t.Clerk.ID); err != nil {
		if fault.Has(err, access.ErrActorNotFound) {
			err = manifest.ErrAuthorisation.New()
		}
		return Terminal{}, err
	}
	return t, s.seen(ctx, t)
}

// seals refuses what seals at the terminal of somebody who is no operator, or no more: access.role.
func (t Terminal) seals() error {
	if !t.Clerk.Has(access.RoleOperator) {
		return access.ErrRole.With("%s", access.RoleOperator)
	}
	return nil
}

func (s *Service) seen(ctx context.Context, t Terminal) error {
	now := s.Clock()
	if now.Sub(t.LastSeen) < seenEvery {
		return nil
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE terminal SET last_seen = $2 WHERE id = $1 AND last_seen < $2`, t.ID, store.Time(now))
		return err
	})
}

const terminalColumns = `id, clerk, name, public_key, manifest_key, paired, last_seen, ended`

func scanTerminal(scan func(...any) error) (Terminal, error) {
	var t Terminal
	var paired, seen, ended string
	if err := scan(&t.ID, &t.Clerk.ID, &t.Name, &t.public, &t.manifestKey, &paired, &seen, &ended); err != nil {
		return t, err
	}
	return t, errors.Join(parseTime(paired, &t.Paired), parseTime(seen, &t.LastSeen), parseTime(ended, &t.Ended))
}

// parseTime reads a time of the database; an empty one stays zero.
func parseTime(text string, into *time.Time) (err error) {
	if text != "" {
		*into, err = store.ParseTime(text)
	}
	return err
}

// readTerminal reads a terminal that has not ended. Error: terminal.not-found.
func readTerminal(ctx context.Context, q store.Querier, id string) (Terminal, error) {
	t, err := scanTerminal(q.QueryRowContext(ctx, `SELECT `+terminalColumns+` FROM terminal WHERE id = $1 AND ended = ''`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoTerminal.With("%.64q", id)
	}
	return t, err
}

// Self says what the service knows of a terminal. Error: terminal.key-ended.
func (s *Service) Self(ctx context.Context, t Terminal) (manifest.Self, error) {
	key, err := s.signer(ctx, t)
	if err != nil {
		return manifest.Self{}, err
	}
	return manifest.Self{Terminal: t.ID, Name: t.Name, Clerk: personOf(t.Clerk), Key: manifest.Fingerprint(key.Public()), Time: s.Clock().UTC().Truncate(time.Second)}, nil
}

// Terminals lists the terminals of the actor, an administrator's list everybody's: the newest first, ended ones included for
// 30 days.
func (s *Service) Terminals(ctx context.Context, by access.Actor) ([]Terminal, error) {
	var list []Terminal
	all := 0
	if by.Has(access.RoleAdministrator) {
		all = 1
	}
	err := store.Each(ctx, s.DB.Read(), func(scan func(...any) error) error {
		t, err := scanTerminal(scan)
		list = append(list, t)
		return err
	}, `SELECT `+terminalColumns+` FROM terminal WHERE (clerk = $1 OR $2 = 1) AND (ended = '' OR ended > $3) ORDER BY paired DESC, id`,
		by.ID, all, store.Time(s.Clock().AddDate(0, 0, -30)))
	return list, err
}

// End ends a pairing: by the clerk, or by an administrator. What the terminal had claimed or prepared is free again. A reason,
// which may be empty, is on record. Errors: terminal.not-found, also for another's; enroll.reason, enroll.personal-data.
func (s *Service) End(ctx context.Context, by access.Actor, id, reason string) error {
	said := map[string]string{}
	if reason != "" {
		if err := enroll.CheckReason(reason); err != nil {
			return err
		}
		said["reason"] = reason
	}
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		t, err := readTerminal(ctx, tx, id)
		if err != nil {
			return err
		}
		if t.Clerk.ID != by.ID && !by.Has(access.RoleAdministrator) {
			return errNoTerminal.With("%.64q", id)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE terminal SET ended = $2 WHERE id = $1`, id, store.Time(s.Clock())); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE terminal_task SET claimed_by = NULL, claimed_until = '' WHERE claimed_by = $1`, id); err != nil {
			return err
		}
		if err := s.giveUp(ctx, tx, `terminal = $1`, id); err != nil {
			return err
		}
		said["clerk"] = t.Clerk.ID
		return s.record(ctx, tx, "terminal.ended", by.ID, id, said)
	})
	if err != nil {
		return err
	}
	s.news.tell()
	return s.discardAll(ctx)
}
