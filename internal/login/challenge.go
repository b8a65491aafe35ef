package login

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// MethodKey says that somebody signed in with a USB Key.
const MethodKey = "usb-key"

// ChallengeLife is how long a login waits for the USB Key.
const ChallengeLife = 3 * time.Minute

const (
	maxAsked      = 5                // logins by USB Key that may come to nothing in one name within askedTime
	askedTime     = 15 * time.Minute // also how long they are closed then
	maxChallenges = 10_000           // that wait at once
	challengeKept = 24 * time.Hour   // after its end; the ledger has what became of it
)

// ChallengeState is what became of a login by USB Key.
type ChallengeState string

// The states. To the browser that asked, a refused one looks like one that waits, until its time is over: whoever asks in another's
// name does not learn that somebody was there to refuse.
const (
	ChallengeWaiting ChallengeState = "waiting"
	ChallengeSigned  ChallengeState = "signed"
	ChallengeOver    ChallengeState = "expired"
)

// Challenge is a login that waits for the USB Key of the person in whose name it was asked for.
type Challenge struct {
	ID               string
	Actor            string // empty: the name is nobody's
	Number           string // what page and terminal both show: four digits
	Nonce            []byte // 32 random octets
	Origin           Origin
	State            ChallengeState
	Created, Expires time.Time
	// What the USB Key answered, and the terminal at which it did.
	Terminal               string
	Certificate, Signature []byte
}

// Ask begins a login by USB Key in a name. The token goes into a cookie of the browser that asks, which alone can end it. A name
// that is nobody's gets the same answer. Errors: login.key-too-many, login.key-busy.
func (s *Service) Ask(ctx context.Context, name string, from Origin) (c Challenge, token string, err error) {
	name = strings.ToLower(strings.TrimSpace(name))
	number, err := rand.Int(rand.Reader, big.NewInt(10_000))
	if err != nil {
		return Challenge{}, "", err
	}
	now := s.Clock().UTC().Truncate(time.Second)
	c = Challenge{ID: store.NewID("lgn_"), Number: fmt.Sprintf("%04d", number), Nonce: make([]byte, 32), Origin: from.short(), State: ChallengeWaiting,
		Created: now, Expires: now.Add(ChallengeLife)}
	if _, err := rand.Read(c.Nonce); err != nil {
		return Challenge{}, "", err
	}
	token = strings.ToLower(rand.Text() + rand.Text())
	stranger := s.askers.times(name, now) // asked for every name, so that the answers take the same time
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		c.Actor = ""
		err := tx.QueryRowContext(ctx, `SELECT id FROM access_actor WHERE id = $1 AND retired IS NULL`, name).Scan(&c.Actor)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		asked, err := askedBefore(ctx, tx, c.Actor, now)
		if err != nil {
			return err
		}
		if c.Actor == "" {
			asked = stranger
		}
		if len(asked) >= maxAsked {
			open := asked[maxAsked-1].Add(askedTime)
			return ErrKeyTooMany.Saying("请在 "+open.In(civil.China).Format("15:04")+" 之后再试", "try again after "+open.UTC().Format("15:04")+" UTC").RetryIn(open.Sub(now))
		}
		return s.keepChallenge(ctx, tx, token, c)
	})
	if err == nil && c.Actor == "" {
		s.askers.asked(name, now)
	}
	return c, token, err
}

// askedBefore gives when logins were asked for that came to nothing, the newest first.
func askedBefore(ctx context.Context, tx *store.Tx, actorID string, now time.Time) (asked []time.Time, err error) {
	texts, err := store.Column[string](tx.QueryContext(ctx, `SELECT created FROM login_challenge WHERE actor = $1 AND created > $2 AND state <> 'used'
		ORDER BY created DESC LIMIT $3`, actorID, store.Time(now.Add(-askedTime)), maxAsked))
	for _, text := range texts {
		t, err := store.ParseTime(text)
		if err != nil {
			return nil, err
		}
		asked = append(asked, t)
	}
	return asked, err
}

func (s *Service) keepChallenge(ctx context.Context, tx *store.Tx, token string, c Challenge) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM login_challenge WHERE expires < $1 AND state NOT IN ('waiting', 'signed')`,
		store.Time(c.Created.Add(-challengeKept))); err != nil {
		return err
	}
	var open int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM login_challenge WHERE state IN ('waiting', 'signed') AND expires > $1`, store.Time(c.Created)).Scan(&open); err != nil {
		return err
	}
	if open >= maxChallenges {
		return ErrKeyBusy.New()
	}
	var actor any
	if c.Actor != "" {
		actor = c.Actor
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO login_challenge (id, browser, actor, number, nonce, address, agent, state, created, expires, certificate, signature)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, $9, $10, $10)`, c.ID, idOf(token), actor, c.Number, c.Nonce, c.Origin.Address, c.Origin.Agent,
		store.Time(c.Created), store.Time(c.Expires), []byte{})
	return err
}

// askers counts the logins that are asked for in names that are nobody's as the table counts those of others. It holds digests in
// memory alone, and starts anew when it is full.
type askers struct {
	sync.Mutex
	known map[[32]byte][]time.Time // the newest first
}

func (a *askers) times(name string, now time.Time) (recent []time.Time) {
	a.Lock()
	defer a.Unlock()
	for _, t := range a.known[sm3.Sum([]byte(name))] {
		if t.After(now.Add(-askedTime)) {
			recent = append(recent, t)
		}
	}
	return recent
}

func (a *askers) asked(name string, at time.Time) {
	a.Lock()
	defer a.Unlock()
	if a.known == nil || len(a.known) >= maxStrangers {
		a.known = map[[32]byte][]time.Time{}
	}
	key := sm3.Sum([]byte(name))
	list := append([]time.Time{at}, a.known[key]...)
	a.known[key] = list[:min(len(list), maxAsked)]
}

const challengeColumns = `id, COALESCE(actor, ''), number, nonce, address, agent, state, created, expires, terminal, certificate, signature`

func scanChallenge(scan func(...any) error) (Challenge, error) {
	var c Challenge
	var state, created, expires string
	if err := scan(&c.ID, &c.Actor, &c.Number, &c.Nonce, &c.Origin.Address, &c.Origin.Agent, &state, &created, &expires, &c.Terminal, &c.Certificate, &c.Signature); err != nil {
		return c, err
	}
	c.State = ChallengeState(state)
	var wrong [2]error
	c.Created, wrong[0] = store.ParseTime(created)
	c.Expires, wrong[1] = store.ParseTime(expires)
	return c, errors.Join(wrong[:]...)
}

// Asked is the login that a browser waits for. Its state is waiting, signed or over. Error: login.key-none where there is none, or
// it was used.
func (s *Service) Asked(ctx context.Context, token string) (Challenge, error) {
	c, err := s.askedIn(ctx, s.DB.Read(), token)
	switch {
	case err != nil:
		return Challenge{}, err
	case !s.Clock().Before(c.Expires):
		c.State = ChallengeOver
	case c.State != ChallengeSigned:
		c.State = ChallengeWaiting // also a refused one
	}
	return c, nil
}

func (s *Service) askedIn(ctx context.Context, q store.Querier, token string) (Challenge, error) {
	if token == "" || len(token) > 100 {
		return Challenge{}, ErrNoChallenge.New()
	}
	return oneChallenge(ctx, q, `browser = $1`, idOf(token))
}

// oneChallenge is the login that where names, in whatever state but used.
func oneChallenge(ctx context.Context, q store.Querier, where string, args ...any) (Challenge, error) {
	c, err := scanChallenge(q.QueryRowContext(ctx, `SELECT `+challengeColumns+` FROM login_challenge WHERE state <> 'used' AND `+where, args...).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoChallenge.New()
	}
	return c, err
}

// challenges are the logins that where names, in its order.
func (s *Service) challenges(ctx context.Context, where string, args ...any) (list []Challenge, err error) {
	err = store.Each(ctx, s.DB.Read(), func(scan func(...any) error) error {
		c, err := scanChallenge(scan)
		list = append(list, c)
		return err
	}, `SELECT `+challengeColumns+` FROM login_challenge WHERE `+where, args...)
	return list, err
}

// Challenges are the logins that wait for the USB Key of an actor, the oldest first.
func (s *Service) Challenges(ctx context.Context, actorID string) ([]Challenge, error) {
	return s.challenges(ctx, `actor = $1 AND state = 'waiting' AND expires > $2 ORDER BY created, id`, actorID, store.Time(s.Clock()))
}

// Challenge is a login in the name of an actor, in whatever state but used. Error: login.key-none.
func (s *Service) Challenge(ctx context.Context, actorID, id string) (Challenge, error) {
	return oneChallenge(ctx, s.DB.Read(), `id = $1 AND actor = $2`, id, actorID)
}

// Signed takes what a USB Key answered, which the caller has checked: of any number of answers one. Errors: login.key-none,
// login.key-expired.
func (s *Service) Signed(ctx context.Context, c Challenge) error {
	now := store.Time(s.Clock())
	if now >= store.Time(c.Expires) {
		return ErrKeyExpired.New()
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE login_challenge SET state = 'signed', terminal = $2, certificate = $3, signature = $4
			WHERE id = $1 AND state = 'waiting' AND expires > $5`, c.ID, c.Terminal, c.Certificate, c.Signature, now)
		if err != nil {
			return err
		}
		return store.ExactlyOne(done, ErrNoChallenge.New())
	})
}

// Refused ends a login that waits: by the person, by their terminal, or since what the USB Key answered is worth nothing. The reason
// is a code. One that has ended stays as it is: login.key-none.
func (s *Service) Refused(ctx context.Context, c Challenge, reason string) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error { return s.endChallenge(ctx, tx, c, "refused", reason) })
}

// endChallenge ends a login that came to nothing, with its entry.
func (s *Service) endChallenge(ctx context.Context, tx *store.Tx, c Challenge, state, reason string) error {
	done, err := tx.ExecContext(ctx, `UPDATE login_challenge SET state = $2 WHERE id = $1 AND state IN ('waiting', 'signed')`, c.ID, state)
	if err == nil {
		err = store.ExactlyOne(done, ErrNoChallenge.New())
	}
	if err != nil || c.Actor == "" { // names that are nobody's are not kept
		return err
	}
	data := map[string]string{"method": MethodKey, "address": c.Origin.Address, "reason": reason}
	if c.Terminal != "" {
		data["terminal"] = c.Terminal
	}
	return s.record(ctx, tx, kindRefused, c.Actor, c.Actor, data)
}

// ExpireChallenges ends the logins that nobody answered in time, and records that they were asked for.
func (s *Service) ExpireChallenges(ctx context.Context) error {
	over, err := s.challenges(ctx, `state IN ('waiting', 'signed') AND expires <= $1 ORDER BY expires LIMIT 1000`, store.Time(s.Clock()))
	if err != nil || len(over) == 0 {
		return err
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		for _, c := range over {
			if err := s.endChallenge(ctx, tx, c, "expired", ErrKeyExpired.Code); err != nil && !fault.Has(err, ErrNoChallenge) {
				return err
			}
		}
		return nil
	})
}

// ByKey signs in the person whose USB Key answered, in the browser that asked: once. still is asked in the same transaction whether
// what the Key answered is good now, and says by which of KeysOpening, or "" for one of the register; what it refuses ends the login. Errors: login.key-none, login.key-expired, login.key-waits, and
// those of still.
func (s *Service) ByKey(ctx context.Context, token string, from Origin, still func(context.Context, store.Querier, Challenge) (key string, err error)) (Session, string, error) {
	var session string
	var refused error
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		refused = nil
		c, err := s.askedIn(ctx, tx, token)
		switch {
		case err != nil:
			return err
		case !s.Clock().Before(c.Expires):
			return ErrKeyExpired.New()
		case c.State != ChallengeSigned:
			return ErrKeyWaits.New()
		}
		key, err := still(ctx, tx, c)
		if refused = err; refused != nil {
			if _, known := fault.Of(refused); !known {
				return refused
			}
			return s.endChallenge(ctx, tx, c, "refused", fault.CodeOf(refused))
		}
		done, err := tx.ExecContext(ctx, `UPDATE login_challenge SET state = 'used' WHERE id = $1 AND state = 'signed'`, c.ID)
		if err == nil {
			err = store.ExactlyOne(done, ErrNoChallenge.New())
		}
		if err == nil {
			session, err = s.openIn(ctx, tx, c.Actor, proof{method: MethodKey, key: key, terminal: c.Terminal, asked: c.Origin.Address}, from)
		}
		return err
	})
	if err = errors.Join(err, refused); err != nil {
		return Session{}, "", err
	}
	in, err := s.Session(ctx, session)
	return in, session, err
}
