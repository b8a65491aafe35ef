package webhook

import (
	"context"
	"database/sql"
	"errors"

	"yinxin/internal/store"
)

func secretContext(endpoint string) []string { return []string{"webhook_endpoint", endpoint, "secret"} }

// secretOf opens the secret of an endpoint that is told.
func (s *Service) secretOf(ctx context.Context, endpoint string) (address, secret string, err error) {
	var sealed []byte
	var under string
	err = s.DB.Read().QueryRowContext(ctx, `SELECT url, secret, safe FROM webhook_endpoint WHERE id = $1 AND state <> 'removed'`, endpoint).Scan(&address, &sealed, &under)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", errNotFound.New()
	}
	if err != nil {
		return "", "", err
	}
	plain, err := Secrets{DB: s.DB, Safe: s.Safe, Former: s.Former}.open(endpoint, under, sealed)
	return address, string(plain), err
}

// Secrets are the sealed secrets of all endpoints, for the rotation of the safe: an enroll.Resealer.
type Secrets struct {
	DB           *store.DB
	Safe, Former safe // as in Config
}

func (s Secrets) open(endpoint, under string, sealed []byte) ([]byte, error) {
	if under == "own" && s.Former != nil {
		return s.Former.Open(sealed, secretContext(endpoint)...)
	}
	return s.Safe.Open(sealed, secretContext(endpoint)...)
}

// Stale counts the secrets that are sealed under another safe, or not with this head.
func (s Secrets) Stale(ctx context.Context, q store.Querier, head []byte) (n int, err error) {
	err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM webhook_endpoint WHERE safe = 'own' OR substr(secret, 1, 5) <> $1`, head).Scan(&n)
	return n, err
}

// Reseal seals such secrets anew, at most limit, and gives how many it did.
func (s Secrets) Reseal(ctx context.Context, head []byte, limit int) (done int, err error) {
	list, err := store.Column[string](s.DB.Read().QueryContext(ctx, `SELECT id FROM webhook_endpoint WHERE safe = 'own' OR substr(secret, 1, 5) <> $1 ORDER BY id LIMIT $2`, head, limit))
	if err != nil {
		return 0, err
	}
	for _, id := range list {
		err := s.DB.Write(ctx, func(tx *store.Tx) error {
			var sealed []byte
			var under string
			if err := tx.QueryRowContext(ctx, `SELECT secret, safe FROM webhook_endpoint WHERE id = $1`, id).Scan(&sealed, &under); err != nil {
				return err
			}
			plain, err := s.open(id, under, sealed)
			if err != nil {
				return err
			}
			defer clear(plain)
			if sealed, err = s.Safe.Seal(plain, secretContext(id)...); err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `UPDATE webhook_endpoint SET secret = $2, safe = 'shared' WHERE id = $1`, id, sealed)
			return err
		})
		if err != nil {
			return done, err
		}
		done++
	}
	return done, nil
}
