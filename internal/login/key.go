package login

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

// OfferLife is how long a USB Key that was offered waits for its owner to confirm it.
const OfferLife = 15 * time.Minute

// maxKeys are the USB Keys with which one person may sign in.
const maxKeys = 5

// Key is a USB Key with which somebody signs in, or would.
type Key struct {
	ID          string
	Actor       string
	Certificate []byte // DER
	Public      string // SM3 of the public key, in hex
	Terminal    string // at which it was offered
	Offered     time.Time
	Confirmed   time.Time // zero: it waits for its owner
	Here        bool      // what its owner signed in with goes back to the machine itself
}

// OfferKey records that a terminal of somebody has a USB Key with which they would sign in; it counts from ConfirmKey on. The one that
// was offered before is forgotten. The caller has checked that the Key is there and its certificate good.
func (s *Service) OfferKey(ctx context.Context, k Key) (Key, error) {
	k.ID, k.Offered, k.Confirmed, k.Here = store.NewID("lky_"), s.Clock().UTC().Truncate(time.Second), time.Time{}, false
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := s.Access.ActorIn(ctx, tx, k.Actor); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM login_key WHERE actor = $1 AND confirmed IS NULL`, k.Actor); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO login_key (id, actor, certificate, public, terminal, offered) VALUES ($1, $2, $3, $4, $5, $6)`,
			k.ID, k.Actor, k.Certificate, k.Public, k.Terminal, store.Time(k.Offered)); err != nil {
			return err
		}
		return s.record(ctx, tx, "login.key-offered", k.Actor, k.Actor, map[string]string{"key": k.ID, "public": k.Public, "terminal": k.Terminal})
	})
	return k, err
}

// ConfirmKey lets the owner of a USB Key sign in with it from now on, who is signed in otherwise and gives the password once more, if
// there is one. A Key of theirs with the same public key, as before the renewal of its certificate, ends. good is asked in the same
// transaction whether the Key is good now. Errors: login.must-change, login.key-not-found, login.key-taken, login.key-many, those of the
// password and of good.
func (s *Service) ConfirmKey(ctx context.Context, in Session, id, password string, from Origin, good func(context.Context, store.Querier, Key) error) error {
	if in.MustChange {
		return ErrMustChange.New()
	}
	account, err := s.Account(ctx, in.Actor.ID)
	if err != nil {
		return err
	}
	if account.Password {
		if err := s.check(ctx, in.Actor.ID, password, from); err != nil {
			return err
		}
	}
	now := s.Clock()
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		// Read again, since it says whether the Key counts for an officer.
		passwordHere := true
		if err := tx.QueryRowContext(ctx, `SELECT here = 1 FROM login_account WHERE actor = $1`, in.Actor.ID).Scan(&passwordHere); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		k, err := oneKey(ctx, tx, `id = $1 AND actor = $2 AND confirmed IS NULL AND offered > $3`, id, in.Actor.ID, store.Time(now.Add(-OfferLife)))
		if err != nil {
			return err
		}
		if err := good(ctx, tx, k); err != nil {
			return err
		}
		if err := s.endSame(ctx, tx, k, now); err != nil {
			return err
		}
		var others int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM login_key WHERE actor = $1 AND confirmed IS NOT NULL AND ended IS NULL`, in.Actor.ID).Scan(&others); err != nil {
			return err
		}
		if others >= maxKeys {
			return ErrKeyMany.With("%d", maxKeys)
		}
		k.Here = !in.afar && passwordHere
		_, err = tx.ExecContext(ctx, `UPDATE login_key SET confirmed = $2, here = $3 WHERE id = $1`, k.ID, store.Time(now), bit(k.Here))
		if store.IsUnique(err) {
			return ErrKeyTaken.New()
		}
		if err != nil {
			return err
		}
		data := map[string]string{"key": k.ID, "public": k.Public, "terminal": k.Terminal, "method": in.Method, "address": from.Address, "made": "from-afar"}
		if k.Here {
			data["made"] = "here"
		}
		return s.record(ctx, tx, "login.key-confirmed", in.Actor.ID, in.Actor.ID, data)
	})
}

// endSame ends the Keys with the public key of one that takes their place: of the same person, or of somebody who was retired and may be
// recorded anew as somebody else to us.
func (s *Service) endSame(ctx context.Context, tx *store.Tx, k Key, now time.Time) error {
	same, err := store.Column[string](tx.QueryContext(ctx, `SELECT k.id FROM login_key k JOIN access_actor a ON a.id = k.actor
		WHERE k.public = $1 AND k.confirmed IS NOT NULL AND k.ended IS NULL AND (k.actor = $2 OR a.retired IS NOT NULL)`, k.Public, k.Actor))
	for _, id := range same {
		if err == nil {
			err = endKey(ctx, tx, id, now)
		}
	}
	return err
}

// endKey ends a Key, and the sessions that were opened by it.
func endKey(ctx context.Context, tx *store.Tx, id string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE login_key SET ended = $2 WHERE id = $1`, id, store.Time(now))
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE login_session SET ended = $2 WHERE usb_key = $1 AND ended IS NULL`, id, store.Time(now))
	}
	return err
}

// EndKey ends a USB Key with the sessions that it opened, or forgets one that was offered: its owner does it, or an administrator.
// Errors: access.role, login.key-not-found.
func (s *Service) EndKey(ctx context.Context, by access.Actor, actorID, id string) error {
	now := s.Clock()
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		if by.ID != actorID {
			if err := s.administers(ctx, tx, by); err != nil {
				return err
			}
		}
		k, err := oneKey(ctx, tx, `id = $1 AND actor = $2`, id, actorID)
		if err != nil {
			return err
		}
		if err := endKey(ctx, tx, k.ID, now); err != nil {
			return err
		}
		return s.record(ctx, tx, "login.key-ended", by.ID, actorID, map[string]string{"key": k.ID, "public": k.Public})
	})
}

// KeysOf lists the USB Keys of somebody that wait or count: for themselves, or for an administrator. Error: access.role.
func (s *Service) KeysOf(ctx context.Context, by access.Actor, actorID string) ([]Key, error) {
	if err := mayLook(by, actorID); err != nil {
		return nil, err
	}
	return keysIn(ctx, s.DB.Read(), `actor = $1 AND (confirmed IS NOT NULL OR offered > $2) ORDER BY offered, id`, actorID, store.Time(s.Clock().Add(-OfferLife)))
}

// KeysOpening are the USB Keys by which somebody is let in. Those that do not go back to the machine itself let nobody in who decides as
// one of two: whoever set the password that they were confirmed with could speak for two people.
func (s *Service) KeysOpening(ctx context.Context, q store.Querier, actorID string) ([]Key, error) {
	whose, err := s.Access.ActorIn(ctx, q, actorID)
	if err != nil {
		return nil, err
	}
	return keysIn(ctx, q, `actor = $1 AND confirmed IS NOT NULL AND (here = 1 OR $2 = 0) ORDER BY confirmed DESC, id`, actorID, bit(whose.Officer()))
}

const keyColumns = `id, actor, certificate, public, terminal, offered, confirmed, COALESCE(here, 0) = 1`

func scanKey(scan func(...any) error) (k Key, err error) {
	var offered string
	var confirmed sql.NullString
	if err := scan(&k.ID, &k.Actor, &k.Certificate, &k.Public, &k.Terminal, &offered, &confirmed, &k.Here); err != nil {
		return k, err
	}
	if k.Offered, err = store.ParseTime(offered); err == nil && confirmed.Valid {
		k.Confirmed, err = store.ParseTime(confirmed.String)
	}
	return k, err
}

func oneKey(ctx context.Context, q store.Querier, where string, args ...any) (Key, error) {
	k, err := scanKey(q.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM login_key WHERE ended IS NULL AND `+where, args...).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrKeyNotFound.New()
	}
	return k, err
}

func keysIn(ctx context.Context, q store.Querier, where string, args ...any) (list []Key, err error) {
	err = store.Each(ctx, q, func(scan func(...any) error) error {
		k, err := scanKey(scan)
		list = append(list, k)
		return err
	}, `SELECT `+keyColumns+` FROM login_key WHERE ended IS NULL AND `+where+` LIMIT 20`, args...)
	return list, err
}
