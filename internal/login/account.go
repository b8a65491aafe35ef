package login

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// Account is how somebody signs in by password, as administrators see it.
type Account struct {
	Password    bool // there is one
	MustChange  bool
	Changed     time.Time
	Failures    int       // since the last right one
	LockedUntil time.Time // zero: open
}

// Account reads the account of an actor; the zero Account where there is none.
func (s *Service) Account(ctx context.Context, actorID string) (Account, error) {
	var a Account
	var must int
	var changed string
	var until sql.NullString
	err := s.DB.Read().QueryRowContext(ctx, `SELECT must_change, changed, failures, locked_until FROM login_account WHERE actor = $1`, actorID).
		Scan(&must, &changed, &a.Failures, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, nil
	}
	if err != nil {
		return Account{}, err
	}
	a.Password, a.MustChange = true, must == 1
	if a.Changed, err = store.ParseTime(changed); err != nil || !until.Valid {
		return a, err
	}
	locked, err := store.ParseTime(until.String)
	if locked.After(s.Clock()) {
		a.LockedUntil = locked
	}
	return a, err
}

// Locked lists those whose accounts wrong passwords have closed for now.
func (s *Service) Locked(ctx context.Context) ([]string, error) {
	return store.Column[string](s.DB.Read().QueryContext(ctx, `SELECT l.actor FROM login_account l JOIN access_actor a ON a.id = l.actor
		WHERE l.locked_until > $1 AND a.retired IS NULL ORDER BY l.actor`, store.Time(s.Clock())))
}

// Unlock opens an account that wrong passwords closed, which an administrator does. Error: access.role.
func (s *Service) Unlock(ctx context.Context, by access.Actor, actorID string) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.administers(ctx, tx, by); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE login_account SET failures = 0, locked_until = NULL WHERE actor = $1 AND (failures > 0 OR locked_until IS NOT NULL)`, actorID)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, "login.unlocked", by.ID, actorID, nil)
	})
}

// Login is a login that came about or was refused.
type Login struct {
	ID      string // of its entry in the ledger
	At      time.Time
	Method  string
	Address string // where it came from; empty where that was not recorded
	// Refusal is empty for a login that came about, "refused", or "locked" for the refusal that closed the account.
	Refusal string
	Reason  string // code of what a login by USB Key was refused for; else empty
}

// Span is the part of a history that is asked for: the newest logins, or those before one of them.
type Span struct {
	From, Until time.Time // zero: no bound
	Before      string    // ID of a Login
	Limit       int
}

const kindOpened, kindRefused, kindLocked = "login.opened", "login.refused", "login.locked"

// History tells of the logins of somebody and of what was refused in their name, the newest first, as the ledger has it: to
// themselves, or to an administrator. Error: access.role.
func (s *Service) History(ctx context.Context, by access.Actor, actorID string, span Span) ([]Login, error) {
	if err := mayLook(by, actorID); err != nil {
		return nil, err
	}
	entries, err := ledger.Newest(ctx, s.DB.Read(), ledger.Told{Subject: actorID, Kinds: []string{kindOpened, kindRefused, kindLocked},
		From: span.From, Until: span.Until, Before: span.Before, Limit: span.Limit})
	list := make([]Login, 0, len(entries))
	for _, e := range entries {
		l := Login{ID: e.ID, At: e.Time, Method: e.Data["method"], Address: e.Data["address"], Reason: e.Data["reason"]}
		if e.Kind != kindOpened {
			l.Refusal = strings.TrimPrefix(e.Kind, "login.")
		}
		list = append(list, l)
	}
	return list, err
}

// mayLook lets somebody look at their own logins, and administrators at all.
func mayLook(by access.Actor, actorID string) error {
	if by.ID != actorID && !by.Has(access.RoleAdministrator) {
		return access.ErrRole.With("%s", access.RoleAdministrator)
	}
	return nil
}

func (s *Service) administers(ctx context.Context, tx *store.Tx, by access.Actor) error {
	who, err := s.Access.ActorIn(ctx, tx, by.ID)
	if err != nil {
		return err
	}
	if !who.Has(access.RoleAdministrator) {
		return access.ErrRole.With("%s", access.RoleAdministrator)
	}
	return nil
}

// OpenSession is a session that has not ended, as its owner and administrators see it.
type OpenSession struct {
	ID      string // of no use to sign in with: the SM3 of the token
	Method  string
	Origin  Origin
	Created time.Time
	Seen    time.Time // to the minute
}

// ID names the session among those of Sessions.
func (in Session) ID() string { return in.id }

// Sessions lists where somebody is signed in now, the newest first: for themselves, or for an administrator. Error:
// access.role.
func (s *Service) Sessions(ctx context.Context, by access.Actor, actorID string) ([]OpenSession, error) {
	if err := mayLook(by, actorID); err != nil {
		return nil, err
	}
	now := s.Clock()
	var list []OpenSession
	err := store.Each(ctx, s.DB.Read(), func(scan func(...any) error) error {
		var o OpenSession
		var created, seen string
		err := scan(&o.ID, &o.Method, &o.Origin.Address, &o.Origin.Agent, &created, &seen)
		if err == nil {
			o.Created, err = store.ParseTime(created)
		}
		if err == nil {
			o.Seen, err = store.ParseTime(seen)
		}
		list = append(list, o)
		return err
	}, `SELECT id, method, address, agent, created, seen FROM login_session WHERE actor = $1 AND ended IS NULL AND seen >= $2 AND created >= $3
		ORDER BY created DESC, id LIMIT 100`, actorID, store.Time(now.Add(-idleTime)), store.Time(now.Add(-lifeTime)))
	return list, err
}

// EndSession ends a session by its ID: one's own, or anybody's by an administrator. One that is another's or has ended
// stays as it is: login.session-not-found.
func (s *Service) EndSession(ctx context.Context, by access.Actor, actorID, id string) error {
	now := s.Clock()
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		if by.ID != actorID {
			if err := s.administers(ctx, tx, by); err != nil {
				return err
			}
		}
		result, err := tx.ExecContext(ctx, `UPDATE login_session SET ended = $3 WHERE id = $1 AND actor = $2 AND ended IS NULL`, id, actorID, store.Time(now))
		if err != nil {
			return err
		}
		if err := store.ExactlyOne(result, ErrSessionNotFound.New()); err != nil {
			return err
		}
		return s.record(ctx, tx, "login.ended", by.ID, actorID, map[string]string{"reason": "ended"})
	})
}

// EndOthers ends all sessions of somebody but the one that asks, and says how many there were.
func (s *Service) EndOthers(ctx context.Context, in Session) (ended int64, err error) {
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		if ended, err = endOthers(ctx, tx, in.Actor.ID, s.Clock(), in.id); err != nil || ended == 0 {
			return err
		}
		return s.record(ctx, tx, "login.ended", in.Actor.ID, in.Actor.ID, map[string]string{"reason": "others", "sessions": strconv.FormatInt(ended, 10)})
	})
	return ended, err
}
