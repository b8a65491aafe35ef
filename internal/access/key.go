package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/internal/store"
)

const (
	keyPrefix     = "yx_"
	keySecretSize = 32 // bytes; 43 characters of base64
	maxKeyText    = 128
)

// APIKey describes an API key without its secret.
type APIKey struct {
	ID      string
	Actor   string
	Label   string
	Created time.Time
	Revoked bool
}

// CreateKey makes an API key for an actor. The secret, "yx_<id>_<43 characters>", is returned this once: the database
// keeps its SM3 hash. 256 random bits need no salt and no slow hash.
func (s *Service) CreateKey(ctx context.Context, actorID, label string) (secret string, err error) {
	if !validText(label) {
		return "", ErrActor.At(fault.Field("label"))
	}
	random := make([]byte, keySecretSize)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	id := strings.ToLower(rand.Text())[:16]
	secret = keyPrefix + id + "_" + base64.RawURLEncoding.EncodeToString(random)
	hash := sm3.Sum([]byte(secret))
	now := s.clock()
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := readActor(ctx, tx, actorID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO access_key (id, actor, label, hash, created) VALUES ($1, $2, $3, $4, $5)`,
			id, actorID, label, hash[:], store.Time(now))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, "key.created", actorID, id, nil)
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// Authenticate gives the actor behind an API key, with the roles held now. Whatever is wrong with the key, the answer
// is access.unknown-key.
func (s *Service) Authenticate(ctx context.Context, secret string) (Actor, error) {
	id, ok := keyID(secret)
	if !ok {
		return Actor{}, ErrUnknownKey.New()
	}
	var actor string
	var hash []byte
	err := s.db.Read().QueryRowContext(ctx, `SELECT actor, hash FROM access_key WHERE id = $1 AND revoked IS NULL`, id).Scan(&actor, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return Actor{}, ErrUnknownKey.New()
	}
	if err != nil {
		return Actor{}, err
	}
	given := sm3.Sum([]byte(secret))
	if subtle.ConstantTimeCompare(given[:], hash) != 1 {
		return Actor{}, ErrUnknownKey.New()
	}
	a, err := s.Actor(ctx, actor)
	if fault.Has(err, ErrActorNotFound) {
		return Actor{}, ErrUnknownKey.New()
	}
	return a, err
}

// keyID takes the public part out of a secret of the right shape.
func keyID(secret string) (string, bool) {
	if len(secret) > maxKeyText {
		return "", false
	}
	rest, ok := strings.CutPrefix(secret, keyPrefix)
	if !ok {
		return "", false
	}
	id, random, ok := strings.Cut(rest, "_")
	return id, ok && validID(id) && len(random) == base64.RawURLEncoding.EncodedLen(keySecretSize)
}

// RevokeKey ends an API key at once: access.key-not-found. Ending it again does nothing.
func (s *Service) RevokeKey(ctx context.Context, id string) error {
	now := s.clock()
	return s.db.Write(ctx, func(tx *store.Tx) error {
		var actor string
		err := tx.QueryRowContext(ctx, `SELECT actor FROM access_key WHERE id = $1`, id).Scan(&actor)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrKeyNotFound.New()
		}
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE access_key SET revoked = $1 WHERE id = $2 AND revoked IS NULL`, store.Time(now), id)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, now, "key.revoked", actor, id, nil)
	})
}

// Keys lists the API keys of an actor, oldest first.
func (s *Service) Keys(ctx context.Context, actorID string) ([]APIKey, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, label, created, revoked FROM access_key WHERE actor = $1 ORDER BY created, id`, actorID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []APIKey
	for rows.Next() {
		k := APIKey{Actor: actorID}
		var created string
		var revoked sql.NullString
		if err := rows.Scan(&k.ID, &k.Label, &created, &revoked); err != nil {
			return nil, err
		}
		if k.Created, err = store.ParseTime(created); err != nil {
			return nil, err
		}
		k.Revoked = revoked.Valid
		list = append(list, k)
	}
	return list, rows.Err()
}
