package business

import (
	"context"
	"database/sql"
	"errors"

	"yinxin/ca/enroll"
	"yinxin/internal/store"
)

var _ enroll.Resealer = (*Service)(nil)

// Stale implements enroll.Resealer: the SO PINs and the evidence of templates that are sealed under an older version of the
// safe.
func (s *Service) Stale(ctx context.Context, q store.Querier, head []byte) (n int, err error) {
	err = q.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM business_token WHERE substr(sealed, 1, 5) <> $1)
		+ (SELECT COUNT(*) FROM business_token WHERE next IS NOT NULL AND substr(next, 1, 5) <> $1)
		+ (SELECT COUNT(*) FROM business_evidence WHERE sealing <> $1)`, head).Scan(&n)
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
	evidence, err := s.resealEvidence(ctx, head, limit-done)
	return done + evidence, err
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

func (s *Service) resealEvidence(ctx context.Context, head []byte, limit int) (int, error) {
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT application, version FROM business_evidence WHERE sealing <> $1 ORDER BY application, version LIMIT $2`, head, limit)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	type key struct {
		application string
		version     int
	}
	var list []key
	for rows.Next() {
		var k key
		if err := rows.Scan(&k.application, &k.version); err != nil {
			return 0, err
		}
		list = append(list, k)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for done, k := range list {
		if err := s.resealOne(ctx, k.application, k.version); err != nil {
			return done, err
		}
	}
	return len(list), nil
}

// resealOne seals one evidence anew outside of a transaction, for it is large. One that came in its place meanwhile stays,
// under whichever version it was sealed.
func (s *Service) resealOne(ctx context.Context, application string, version int) error {
	var old []byte
	err := s.DB.Read().QueryRowContext(ctx, `SELECT sealed FROM business_evidence WHERE application = $1 AND version = $2`, application, version).Scan(&old)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	fresh, err := enroll.Anew(s.Safe, old, evidenceContext(application, version))
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE business_evidence SET sealing = $1, sealed = $2 WHERE application = $3 AND version = $4 AND sealed = $5`,
			fresh[:headSize], fresh, application, version, old)
		return err
	})
}
