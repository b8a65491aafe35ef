package business

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"math/big"
	"strings"

	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// The SO PIN of a token unlocks its user PIN. It is random for each token, known to the service and to nobody else
// between its setting and its release, and replaced by its release. No user PIN ever comes here.

// soPINLength is the length in digits: what every USB Key takes as an SO PIN.
const soPINLength = 16

// SOPIN is the SO PIN of a token on its way to the program that talks to the token.
type SOPIN struct {
	Token string
	Now   string // what opens the token
	Next  string // what must be set instead, while it is open; empty when the token is set up
}

// String keeps the PINs out of logs; so does GoString.
func (p SOPIN) String() string { return "SO PIN of " + p.Token }

// GoString is String.
func (p SOPIN) GoString() string { return p.String() }

// UnlockSubject is what two people approve (access.KindUnlockKey) for ReleaseSOPIN.
func UnlockSubject(token string) []byte { return []byte("yinxin key unlock 1\ntoken " + token + "\n") }

// validToken accepts the serial numbers that tokens have (CK_TOKEN_INFO.serialNumber: 16 characters).
func validToken(serial string) bool {
	return serial != "" && len(serial) <= 32 && !strings.ContainsFunc(serial, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-'
	})
}

func newSOPIN() (string, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Exp(big.NewInt(10), big.NewInt(soPINLength), nil))
	if err != nil {
		return "", err
	}
	digits := n.String()
	return strings.Repeat("0", soPINLength-len(digits)) + digits, nil
}

func tokenContext(serial, column string) []string { return []string{"business_token", serial, column} }

// RegisterToken takes a USB Key into custody for its holder and gives the SO PIN that must be set on it, this once. A
// token that is registered already is registered anew when it was initialised again. A registrar does it. Errors:
// access.role, business.token.
func (s *Service) RegisterToken(ctx context.Context, by access.Actor, serial, holder string) (SOPIN, error) {
	if !validToken(serial) {
		return SOPIN{}, ErrToken.New()
	}
	pin, err := newSOPIN()
	if err != nil {
		return SOPIN{}, err
	}
	sealed, err := s.Safe.Seal([]byte(pin), tokenContext(serial, "sealed")...)
	if err != nil {
		return SOPIN{}, err
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.mayDecide(ctx, tx, by, ""); err != nil {
			return err
		}
		if _, err := s.Access.ActorIn(ctx, tx, holder); err != nil {
			return err
		}
		now := s.Clock()
		_, err := tx.ExecContext(ctx, `INSERT INTO business_token (serial, holder, sealed, created, by) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (serial) DO UPDATE SET holder = excluded.holder, sealed = excluded.sealed, next = NULL, released = NULL, created = excluded.created, by = excluded.by`,
			serial, holder, sealed, store.Time(now), by.ID)
		if err != nil {
			return err
		}
		_, err = s.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "token.registered", Actor: by.ID, Subject: serial, Data: map[string]string{"holder": holder}})
		return err
	})
	if err != nil {
		return SOPIN{}, err
	}
	return SOPIN{Token: serial, Now: pin}, nil
}

// ReleaseSOPIN is Key 解锁: it gives the SO PIN of the token that an approved application names, once, with the one that
// replaces it. The program that talks to the token sets a new user PIN, which the user types there, changes the SO PIN
// and says so with ConfirmSOPIN. A registrar does it.
func (s *Service) ReleaseSOPIN(ctx context.Context, by access.Actor, application string) (SOPIN, error) {
	w, err := s.begin(ctx, by, application)
	if err != nil {
		return SOPIN{}, err
	}
	var unlock *act
	for _, a := range w.acts {
		if a.Kind == actUnlock {
			unlock = &a
		}
	}
	if unlock == nil {
		return SOPIN{}, ErrNoBusiness.New()
	}
	pin := SOPIN{Token: unlock.Token}
	if pin.Next, err = newSOPIN(); err != nil {
		return SOPIN{}, err
	}
	next, err := s.Safe.Seal([]byte(pin.Next), tokenContext(pin.Token, "next")...)
	if err != nil {
		return SOPIN{}, err
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := s.Access.Redeem(ctx, tx, unlock.Part, access.KindUnlockKey, UnlockSubject(unlock.Token)); err != nil {
			return err
		}
		var sealed []byte
		err := tx.QueryRowContext(ctx, `UPDATE business_token SET next = $1, released = $2 WHERE serial = $3 RETURNING sealed`,
			next, store.Time(s.Clock()), pin.Token).Scan(&sealed)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrToken.New()
		}
		if err != nil {
			return err
		}
		now, err := s.Safe.Open(sealed, tokenContext(pin.Token, "sealed")...)
		if err != nil {
			return err
		}
		defer clear(now)
		pin.Now = string(now)
		if err := w.finish(ctx, tx, *unlock, pin.Token); err != nil {
			return err
		}
		_, err = s.Ledger.Append(ctx, tx, ledger.Event{Time: s.Clock(), Kind: "token.so-pin-released", Actor: by.ID, Subject: pin.Token,
			Data: map[string]string{"application": application}})
		return err
	})
	if err != nil {
		return SOPIN{}, err
	}
	return pin, s.finishIssuing(ctx, application)
}

// ConfirmSOPIN records that the token has its new SO PIN, which is then the one that counts. Error: business.token when
// none was released.
func (s *Service) ConfirmSOPIN(ctx context.Context, by access.Actor, serial string) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.mayDecide(ctx, tx, by, ""); err != nil {
			return err
		}
		var next []byte
		err := tx.QueryRowContext(ctx, `SELECT next FROM business_token WHERE serial = $1 AND next IS NOT NULL`, serial).Scan(&next)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrToken.New()
		}
		if err != nil {
			return err
		}
		plain, err := s.Safe.Open(next, tokenContext(serial, "next")...)
		if err != nil {
			return err
		}
		defer clear(plain)
		sealed, err := s.Safe.Seal(plain, tokenContext(serial, "sealed")...)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE business_token SET sealed = $1, next = NULL, released = NULL WHERE serial = $2`, sealed, serial); err != nil {
			return err
		}
		_, err = s.Ledger.Append(ctx, tx, ledger.Event{Time: s.Clock(), Kind: "token.so-pin-changed", Actor: by.ID, Subject: serial})
		return err
	})
}
