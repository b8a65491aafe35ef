package business

import (
	"context"

	"yinxin/ca/enroll"
	"yinxin/internal/store"
)

var _ enroll.Resealer = (*Service)(nil)

// Stale implements enroll.Resealer: the SO PINs that are sealed under an older version of the safe.
func (s *Service) Stale(ctx context.Context, q store.Querier, head []byte) (n int, err error) {
	err = q.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM business_token WHERE substr(sealed, 1, 5) <> $1)
		+ (SELECT COUNT(*) FROM business_token WHERE next IS NOT NULL AND substr(next, 1, 5) <> $1)`, head).Scan(&n)
	return n, err
}

// Reseal implements enroll.Resealer.
func (s *Service) Reseal(ctx context.Context, head []byte, limit int) (int, error) {
	done := 0
	for _, column := range []struct{ name, find, update string }{
		{"sealed", `SELECT serial FROM business_token WHERE substr(sealed, 1, 5) <> $1 ORDER BY serial LIMIT $2`,
			`UPDATE business_token SET sealed = $1 WHERE serial = $2 AND sealed = $3`},
		{"next", `SELECT serial FROM business_token WHERE next IS NOT NULL AND substr(next, 1, 5) <> $1 ORDER BY serial LIMIT $2`,
			`UPDATE business_token SET next = $1 WHERE serial = $2 AND next = $3`},
	} {
		list, err := store.Column[string](s.DB.Read().QueryContext(ctx, column.find, head, limit-done))
		if err != nil {
			return done, err
		}
		for _, serial := range list {
			if err := s.resealPIN(ctx, serial, column.name, column.update); err != nil {
				return done, err
			}
			done++
		}
	}
	return done, nil
}

// resealPIN seals one anew in the transaction that reads it: it may be released or replaced at the same moment.
func (s *Service) resealPIN(ctx context.Context, serial, column, update string) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		var sealed []byte
		err := tx.QueryRowContext(ctx, `SELECT CASE WHEN $1 = 'next' THEN next ELSE sealed END FROM business_token WHERE serial = $2`, column, serial).Scan(&sealed)
		if err != nil || sealed == nil {
			return err
		}
		fresh, err := enroll.Anew(s.Safe, sealed, tokenContext(serial, column))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, update, fresh, serial, sealed)
		return err
	})
}
