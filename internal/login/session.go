package login

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Origin is where a login comes from: the address, and what the browser calls itself (at most 200 bytes are kept).
type Origin struct{ Address, Agent string }

// MethodPassword says that somebody signed in with a password.
const MethodPassword = "password"

// Session is somebody who is signed in.
type Session struct {
	Actor   access.Actor
	Method  string // MethodPassword, MethodKey, or MethodOIDC and the name of a provider
	Created time.Time
	// MustChange says that the password was set by an administrator: nothing but changing it is allowed.
	MustChange bool

	id   string
	here bool // the password of whose it is: see newPassword
	afar bool // what it was opened with does not go back to the machine itself
}

// ByPassword signs somebody in. The token goes into the browser's cookie. Errors: login.refused, login.locked.
func (s *Service) ByPassword(ctx context.Context, name, password string, from Origin) (Session, string, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if err := s.check(ctx, name, password, from); err != nil {
		return Session{}, "", err
	}
	return s.open(ctx, name, MethodPassword, from)
}

// proof is how somebody has proved who they are.
type proof struct {
	method string
	link   string // the identifier of a Link; empty: none was needed
	// Of a login by USB Key: the identifier of its Key, empty where the register says whose it is; the terminal, and from where it was
	// asked for.
	key, terminal, asked string
}

// open makes a session of somebody who has proved who they are.
func (s *Service) open(ctx context.Context, actorID, method string, from Origin) (Session, string, error) {
	return s.openBy(ctx, actorID, proof{method: method}, from)
}

func (s *Service) openBy(ctx context.Context, actorID string, by proof, from Origin) (session Session, token string, err error) {
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		token, err = s.openIn(ctx, tx, actorID, by, from)
		return err
	})
	if err != nil {
		return Session{}, "", err
	}
	session, err = s.Session(ctx, token)
	return session, token, err
}

// openIn is open in a transaction.
func (s *Service) openIn(ctx context.Context, tx *store.Tx, actorID string, by proof, from Origin) (token string, err error) {
	now := s.Clock()
	token = strings.ToLower(rand.Text() + rand.Text())
	from = from.short()
	if _, err := s.Access.ActorIn(ctx, tx, actorID); err != nil {
		return "", err
	}
	// What ended a month ago is of no use to anyone: the ledger has it.
	if _, err := tx.ExecContext(ctx, `DELETE FROM login_session WHERE actor = $1 AND created < $2`, actorID, store.Time(now.AddDate(0, -1, 0))); err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO login_session (id, actor, method, link, usb_key, address, agent, created, seen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
		idOf(token), actorID, by.method, sql.NullString{String: by.link, Valid: by.link != ""}, sql.NullString{String: by.key, Valid: by.key != ""},
		from.Address, from.Agent, store.Time(now))
	if err != nil {
		return "", err
	}
	data := map[string]string{"method": by.method, "address": from.Address}
	if by.link != "" {
		data["link"] = by.link
	}
	if by.key != "" {
		data["key"] = by.key
	}
	if by.terminal != "" {
		data["terminal"], data["asked_from"] = by.terminal, by.asked
	}
	return token, s.record(ctx, tx, kindOpened, actorID, actorID, data)
}

// short keeps of what the browser calls itself what is kept.
func (o Origin) short() Origin {
	o.Agent = strings.ToValidUTF8(o.Agent[:min(len(o.Agent), 200)], "")
	return o
}

// Session gives whose token it is: login.no-session where it is nobody's any more.
func (s *Service) Session(ctx context.Context, token string) (Session, error) {
	if token == "" || len(token) > 100 {
		return Session{}, ErrNoSession.New()
	}
	now := s.Clock()
	in := Session{id: idOf(token)}
	var actor, created, seen string
	var must, here sql.NullInt64 // here: of a link or of a USB Key
	err := s.DB.Read().QueryRowContext(ctx, `SELECT s.actor, s.method, s.created, s.seen, a.must_change, COALESCE(a.here, 1) = 1, COALESCE(l.here, k.here) FROM login_session s
		LEFT JOIN login_account a ON a.actor = s.actor LEFT JOIN login_link l ON l.id = s.link LEFT JOIN login_key k ON k.id = s.usb_key
		WHERE s.id = $1 AND s.ended IS NULL AND l.ended IS NULL AND k.ended IS NULL`, in.id).Scan(&actor, &in.Method, &created, &seen, &must, &in.here, &here)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, ErrNoSession.New()
	}
	if err != nil {
		return Session{}, err
	}
	in.MustChange = must.Int64 == 1 && in.Method == MethodPassword
	if in.Created, err = store.ParseTime(created); err != nil {
		return Session{}, err
	}
	last, err := store.ParseTime(seen)
	if err != nil {
		return Session{}, err
	}
	if now.Sub(last) > idleTime || now.Sub(in.Created) > lifeTime {
		return Session{}, ErrNoSession.New()
	}
	if in.Actor, err = s.Access.Actor(ctx, actor); fault.Has(err, access.ErrActorNotFound) {
		return Session{}, ErrNoSession.New()
	} else if err != nil {
		return Session{}, err
	}
	in.afar = here.Valid && here.Int64 == 0 || in.Method == MethodPassword && !in.here
	if in.afar && in.Actor.Officer() { // who became one meanwhile: see LinkFromAfar, ResetPassword, KeysOpening
		return Session{}, ErrNoSession.New()
	}
	if now.Sub(last) < time.Minute {
		return in, nil
	}
	return in, s.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE login_session SET seen = $2 WHERE id = $1`, in.id, store.Time(now))
		return err
	})
}

// End ends a session. One that has ended already stays so.
func (s *Service) End(ctx context.Context, in Session) error {
	now := s.Clock()
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE login_session SET ended = $2 WHERE id = $1 AND ended IS NULL`, in.id, store.Time(now))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, "login.ended", in.Actor.ID, in.Actor.ID, nil)
	})
}

// endOthers ends the sessions of an actor but the one to keep, if there is one, and says how many stood open.
func endOthers(ctx context.Context, tx *store.Tx, actorID string, now time.Time, keep string) (open int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM login_session WHERE actor = $1 AND ended IS NULL AND id <> $2 AND seen >= $3 AND created >= $4`,
		actorID, keep, store.Time(now.Add(-idleTime)), store.Time(now.Add(-lifeTime))).Scan(&open)
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE login_session SET ended = $2 WHERE actor = $1 AND ended IS NULL AND id <> $3`, actorID, store.Time(now), keep)
	return open, err
}

func idOf(token string) string {
	sum := sm3.Sum([]byte(token))
	return hex.EncodeToString(sum[:])
}
