package login

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// parameters of argon2id: 64 MiB and two passes, some 100 ms (RFC 9106 clause 4 has three passes for this memory; a
// wrong password is counted here as well).
var parameters = &argon2id.Params{Memory: 64 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// nobodysHash is what a password is compared with where there is no account, so that the answer takes as long.
const nobodysHash = "$argon2id$v=19$m=65536,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// SetPassword gives an actor a password, which an administrator does on the machine itself: its owner has to change it at the
// next login.
// Sessions of the actor end. Errors: access.role, access.actor-not-found, login.password.
func (s *Service) SetPassword(ctx context.Context, by access.Actor, actorID, password string) error {
	return s.setFor(ctx, by, actorID, password, true)
}

func (s *Service) setFor(ctx context.Context, by access.Actor, actorID, password string, here bool) error {
	return s.set(ctx, actorID, newPassword{text: password, mustChange: true, here: here}, func(tx *store.Tx) error {
		if err := s.administers(ctx, tx, by); err != nil {
			return err
		}
		return s.record(ctx, tx, "login.password-set", by.ID, actorID, nil)
	}, "")
}

// ResetPassword is SetPassword by an administrator from afar, who may not do it for registrars, approvers and auditors:
// whoever can set their passwords could speak for two people. Theirs are set on the machine itself, anew where one was set
// from afar before they became that. Errors: login.officer, and those of SetPassword.
func (s *Service) ResetPassword(ctx context.Context, by access.Actor, actorID, password string) error {
	whose, err := s.Access.Actor(ctx, actorID)
	if err != nil {
		return err
	}
	if whose.Officer() {
		return ErrOfficer.With("%s", actorID)
	}
	return s.setFor(ctx, by, actorID, password, false)
}

// FoundingPassword gives the first people of an installation their passwords, while nobody could. Error:
// access.founding-closed.
func (s *Service) FoundingPassword(ctx context.Context, actorID, password string) error {
	return s.set(ctx, actorID, newPassword{text: password, here: true}, func(tx *store.Tx) error {
		var closed int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM access_founding`).Scan(&closed); err != nil {
			return err
		}
		if closed > 0 {
			return access.ErrFoundingClosed.New()
		}
		return s.record(ctx, tx, "login.password-set", "", actorID, nil)
	}, "")
}

// ChangePassword replaces one's own password, which has to be given once more. The other sessions of the actor end.
// Errors: login.refused, login.locked, login.password.
func (s *Service) ChangePassword(ctx context.Context, in Session, old, password string, from Origin) error {
	if err := s.check(ctx, in.Actor.ID, old, from); err != nil {
		return err
	}
	return s.set(ctx, in.Actor.ID, newPassword{text: password, here: in.here}, func(tx *store.Tx) error {
		return s.record(ctx, tx, "login.password-changed", in.Actor.ID, in.Actor.ID, nil)
	}, in.id)
}

// Acceptable says whether a password may be that of an actor. Error: login.password.
func Acceptable(actorID, password string) error {
	if n := utf8.RuneCountInString(password); n < 12 || n > 128 || !utf8.ValidString(password) || strings.Contains(strings.ToLower(password), actorID) {
		return ErrPassword.At(fault.Field("password"))
	}
	return nil
}

// newPassword is one that is to be set. here says that it, or the first one that its owner changed since, is from the machine
// itself.
type newPassword struct {
	text             string
	mustChange, here bool
}

func (s *Service) set(ctx context.Context, actorID string, n newPassword, allowed func(*store.Tx) error, keep string) error {
	if err := Acceptable(actorID, n.text); err != nil {
		return err
	}
	hash, err := s.hash(ctx, n.text)
	if err != nil {
		return err
	}
	now := s.Clock()
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := allowed(tx); err != nil {
			return err
		}
		if _, err := s.Access.ActorIn(ctx, tx, actorID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO login_account (actor, hash, must_change, changed, failures, here) VALUES ($1, $2, $3, $4, 0, $5)
			ON CONFLICT (actor) DO UPDATE SET hash = $2, must_change = $3, changed = $4, failures = 0, locked_until = NULL, here = $5`,
			actorID, hash, bit(n.mustChange), store.Time(now), bit(n.here))
		if err != nil {
			return err
		}
		_, err = endOthers(ctx, tx, actorID, now, keep)
		return err
	})
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// hash and compare take turns, since each takes 64 MiB.
func (s *Service) hash(ctx context.Context, password string) (hash string, err error) {
	err = s.inTurn(ctx, func() error {
		hash, err = argon2id.CreateHash(password, parameters)
		return err
	})
	return hash, err
}

func (s *Service) compare(ctx context.Context, password, hash string) (same bool, err error) {
	err = s.inTurn(ctx, func() error {
		same, err = argon2id.ComparePasswordAndHash(password, hash)
		return err
	})
	return same, err
}

func (s *Service) inTurn(ctx context.Context, do func() error) error {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
		return do()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// check compares a password, and counts. The attempt is counted before the password is compared, so that of many that
// come at once no more than maxFailures are compared.
func (s *Service) check(ctx context.Context, actorID, password string, from Origin) error {
	now := s.Clock()
	a, err := s.attempt(ctx, actorID, now)
	if err != nil {
		return err
	}
	if len(password) > 1024 {
		password = "" // too long to be one; it is compared like any other
	}
	same, err := s.compare(ctx, password, a.hash)
	switch {
	case err != nil:
		return err
	case now.Before(a.locked):
		return ErrLocked.Saying("请在 "+a.locked.In(civil.China).Format("15:04")+" 之后再试，或请管理员重设密码", "try again after "+a.locked.UTC().Format("15:04")+" UTC").RetryIn(a.locked.Sub(now))
	case !same || a.hash == nobodysHash:
		if err := s.failed(ctx, actorID, a, from); err != nil {
			return err
		}
		return ErrRefused.New()
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE login_account SET failures = 0, locked_until = NULL WHERE actor = $1 AND hash = $2`, actorID, a.hash)
		return err
	})
	if err != nil || a.here {
		return err
	}
	if whose, err := s.Access.Actor(ctx, actorID); err != nil || !whose.Officer() {
		return err
	}
	return s.refuse(ctx, kindRefused, actorID, map[string]string{"method": MethodPassword, "address": from.Address, "reason": "officer"}, ErrOfficer.New())
}

// attempt is one password that is about to be compared.
type attempt struct {
	hash   string
	locked time.Time // until when the account was closed before this one
	last   bool      // it closes the account if it is wrong
	here   bool      // see newPassword
}

// attempt counts; it gives the hash of nobody where there is no account.
func (s *Service) attempt(ctx context.Context, actorID string, now time.Time) (a attempt, err error) {
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		a = attempt{}
		var until sql.NullString
		var failures int
		err := tx.QueryRowContext(ctx, `SELECT l.hash, l.locked_until, l.failures, l.here = 1 FROM login_account l JOIN access_actor a ON a.id = l.actor
			WHERE l.actor = $1 AND a.retired IS NULL`, actorID).Scan(&a.hash, &until, &failures, &a.here)
		if errors.Is(err, sql.ErrNoRows) {
			a.hash = nobodysHash
			return nil
		}
		if err != nil {
			return err
		}
		if until.Valid {
			if a.locked, err = store.ParseTime(until.String); err != nil {
				return err
			}
		}
		if now.Before(a.locked) {
			return nil
		}
		if failures++; failures >= maxFailures {
			a.last = true
			_, err = tx.ExecContext(ctx, `UPDATE login_account SET failures = 0, locked_until = $2 WHERE actor = $1`, actorID, store.Time(now.Add(lockTime)))
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE login_account SET failures = $2, locked_until = NULL WHERE actor = $1`, actorID, failures)
		return err
	})
	if err == nil && a.hash == nobodysHash {
		a.locked = s.strangers.attempt(actorID, now)
	}
	return a, err
}

// failed records a wrong password.
func (s *Service) failed(ctx context.Context, actorID string, a attempt, from Origin) error {
	if a.hash == nobodysHash {
		return nil // names that are nobody's are not kept: they may be passwords typed into the wrong field
	}
	kind := kindRefused
	if a.last {
		kind = kindLocked
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		return s.record(ctx, tx, kind, actorID, actorID, map[string]string{"method": MethodPassword, "address": from.Address})
	})
}

// strangers counts for names that are nobody's as for others, so that who asks does not learn which names there are. It
// holds digests in memory alone, and starts anew when it is full.
type strangers struct {
	sync.Mutex
	known map[[32]byte]stranger
}

type stranger struct {
	failures int
	locked   time.Time
}

const maxStrangers = 10_000

func (s *strangers) attempt(name string, now time.Time) (locked time.Time) {
	s.Lock()
	defer s.Unlock()
	key := sm3.Sum([]byte(name))
	one := s.known[key]
	if now.Before(one.locked) {
		return one.locked
	}
	if one.failures++; one.failures >= maxFailures {
		one = stranger{locked: now.Add(lockTime)}
	}
	if s.known == nil || len(s.known) >= maxStrangers {
		s.known = map[[32]byte]stranger{}
	}
	s.known[key] = one
	return time.Time{}
}
