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
	"yinxin/internal/release"
	"yinxin/internal/store"
	"yinxin/sealer/terminal/manifest"
)

// Terminal is a paired terminal.
type Terminal struct {
	ID       string
	Name     string
	Clerk    access.Actor // the person whose it is; in lists only the identifier
	Paired   time.Time
	LastSeen time.Time        // to the minute; zero: never
	Agent    release.Agent    // as it said when it was last seen, or as it was paired
	Standing release.Standing // of the agent against Config.MinimumAgent
	Ended    time.Time        // zero: it has not
	EndedBy  string
	Reason   string // why it was ended; who ends an own one need not say

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

// Request is a request of a terminal as it arrived.
type Request struct {
	Authorisation  string // the header field Authorization
	Method, Target string
	Body           []byte
	UserAgent      string // not signed; anything
}

// Authenticate says which terminal sent a request. Errors: terminal.unauthenticated, terminal.clock, terminal.person.
func (s *Service) Authenticate(ctx context.Context, r Request) (Terminal, error) {
	a, err := manifest.ParseAuthorisation(r.Authorisation)
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
	if err := a.Check(public, r.Method, r.Target, r.Body, s.Clock()); err != nil {
		return Terminal{}, err
	}
	if t.Clerk, err = s.personIn(ctx, s.DB.Read(), t.Clerk.ID); err != nil {
		if fault.Has(err, access.ErrActorNotFound) {
			err = manifest.ErrAuthorisation.New()
		}
		return Terminal{}, err
	}
	return s.seen(ctx, t, release.ParseUserAgent(r.UserAgent))
}

// seals refuses what seals at the terminal of somebody who is no operator, or no more: access.role.
func (t Terminal) seals() error {
	if !t.Clerk.Has(access.RoleOperator) {
		return access.ErrRole.With("%s", access.RoleOperator)
	}
	return nil
}

// seen records that a terminal was there, and as which agent: another one at once.
func (s *Service) seen(ctx context.Context, t Terminal, agent release.Agent) (Terminal, error) {
	now, before := s.Clock(), t.Agent
	t.Agent, t.Standing = agent, agent.Against(s.MinimumAgent)
	if now.Sub(t.LastSeen) < seenEvery && agent == before {
		return t, nil
	}
	return t, s.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE terminal SET last_seen = $2, agent_version = $3, agent_platform = $4 WHERE id = $1 AND last_seen <= $2`,
			t.ID, store.Time(now), agent.Version, agent.Platform)
		return err
	})
}

const terminalColumns = `id, clerk, name, public_key, manifest_key, paired, last_seen, agent_version, agent_platform, ended, ended_by, ended_reason`

func scanTerminal(scan func(...any) error) (Terminal, error) {
	var t Terminal
	var paired, seen, ended string
	if err := scan(&t.ID, &t.Clerk.ID, &t.Name, &t.public, &t.manifestKey, &paired, &seen, &t.Agent.Version, &t.Agent.Platform, &ended, &t.EndedBy, &t.Reason); err != nil {
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
		t.Standing = t.Agent.Against(s.MinimumAgent)
		list = append(list, t)
		return err
	}, `SELECT `+terminalColumns+` FROM terminal WHERE (clerk = $1 OR $2 = 1) AND (ended = '' OR ended > $3) ORDER BY paired DESC, id`,
		by.ID, all, store.Time(s.Clock().AddDate(0, 0, -30)))
	return list, err
}

// CountAdvised counts the terminals in use of somebody whose agents are older than they should be, or of which that is not known.
// Without Config.MinimumAgent there are none.
func (s *Service) CountAdvised(ctx context.Context, of access.Actor) (n int, err error) {
	if s.MinimumAgent == "" {
		return 0, nil
	}
	err = store.Each(ctx, s.DB.Read(), func(scan func(...any) error) error {
		t, err := scanTerminal(scan)
		if err == nil && t.Agent.Against(s.MinimumAgent) != release.OK {
			n++
		}
		return err
	}, `SELECT `+terminalColumns+` FROM terminal WHERE clerk = $1 AND ended = ''`, of.ID)
	return n, err
}

// End ends a pairing: by the person whose it is, or by an administrator, who says why. What the terminal had claimed or prepared is
// free again. A reason is on record. Errors: terminal.not-found, also for another's; enroll.reason, enroll.personal-data.
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
		if t.Clerk.ID != by.ID && reason == "" {
			return enroll.CheckReason(reason)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE terminal SET ended = $2, ended_by = $3, ended_reason = $4 WHERE id = $1`, id, store.Time(s.Clock()), by.ID, reason); err != nil {
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
