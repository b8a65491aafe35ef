package enroll

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"strings"

	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// Resealer is another room that seals under the same safe.
type Resealer interface {
	// Stale counts the pieces whose first bytes are not head (keystore.Safe.Head).
	Stale(ctx context.Context, q store.Querier, head []byte) (int, error)
	// Reseal seals such pieces anew, at most limit, and gives how many it did.
	Reseal(ctx context.Context, head []byte, limit int) (int, error)
}

// Reseal seals anew what is sealed under an older version of the safe, at most limit pieces, here and in the other rooms,
// and gives how many it did. It may be interrupted and repeated. Once it does none, the day begins after which the older
// versions can be ended (EndRotation).
func (s *Service) Reseal(ctx context.Context, limit int) (int, error) {
	head, err := s.Safe.Head()
	if err != nil {
		return 0, err
	}
	steps := []func(ctx context.Context, head []byte, limit int) (int, error){s.resealVersions, s.resealPersons, s.resealHolders, s.resealScans}
	for _, r := range s.Resealers {
		steps = append(steps, r.Reseal)
	}
	done := 0
	for _, one := range steps {
		n, failed := one(ctx, head, limit-done)
		done += n
		if err = failed; err != nil || done >= limit {
			break
		}
	}
	return done, errors.Join(err, s.countResealed(context.WithoutCancel(ctx), done, err == nil))
}

// Anew seals what is sealed under an older version of a safe, in the same context. The place of an error is the context.
func Anew(safe *keystore.Safe, sealed []byte, context []string) ([]byte, error) {
	plain, err := safe.Open(sealed, context...)
	if err != nil {
		return nil, inContext(err, context)
	}
	defer clear(plain)
	return safe.Seal(plain, context...)
}

// inContext says which piece cannot be opened: table and identifier, which name no person.
func inContext(err error, context []string) error {
	if f, ok := fault.Of(err); ok {
		return f.At(fault.Field(strings.Join(context, " ")))
	}
	return err
}

// sealedRow is a row with sealed data; number is 0 where the key is one text.
type sealedRow struct {
	id     string
	number int
	sealed []byte
}

func (s *Service) stale(ctx context.Context, query string, head []byte, limit int) ([]sealedRow, error) {
	rows, err := s.DB.Read().QueryContext(ctx, query, head, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []sealedRow
	for rows.Next() {
		var r sealedRow
		if err := rows.Scan(&r.id, &r.number, &r.sealed); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

func (s *Service) resealVersions(ctx context.Context, head []byte, limit int) (int, error) {
	list, err := s.stale(ctx, `SELECT application, version, sealed FROM enroll_version WHERE substr(sealed, 1, 5) <> $1 LIMIT $2`, head, limit)
	if err != nil {
		return 0, err
	}
	return s.resealRows(ctx, list, func(r sealedRow) []string { return versionContext(r.id, r.number) },
		`UPDATE enroll_version SET sealed = $1 WHERE application = $2 AND version = $3 AND sealed = $4`)
}

func (s *Service) resealPersons(ctx context.Context, head []byte, limit int) (int, error) {
	list, err := s.stale(ctx, `SELECT roster, row, sealed FROM enroll_person WHERE substr(sealed, 1, 5) <> $1 LIMIT $2`, head, limit)
	if err != nil {
		return 0, err
	}
	return s.resealRows(ctx, list, func(r sealedRow) []string { return personContext(r.id, r.number) },
		`UPDATE enroll_person SET sealed = $1 WHERE roster = $2 AND row = $3 AND sealed = $4`)
}

func (s *Service) resealRows(ctx context.Context, list []sealedRow, context func(sealedRow) []string, update string) (int, error) {
	if len(list) == 0 {
		return 0, nil
	}
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		for _, r := range list {
			fresh, err := Anew(s.Safe, r.sealed, context(r))
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, update, fresh, r.id, r.number, r.sealed); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(list), nil
}

// resealHolders makes the blind index anew as well.
func (s *Service) resealHolders(ctx context.Context, head []byte, limit int) (int, error) {
	list, err := s.stale(ctx, `SELECT id, 0, sealed FROM enroll_holder WHERE substr(sealed, 1, 5) <> $1 LIMIT $2`, head, limit)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		for _, r := range list {
			key, err := s.Safe.Open(r.sealed, holderContext(r.id)...)
			if err != nil {
				return inContext(err, holderContext(r.id))
			}
			index, err := s.Safe.Index(identityLabel, string(key))
			if err != nil {
				return err
			}
			fresh, err := s.Safe.Seal(key, holderContext(r.id)...)
			clear(key)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `UPDATE enroll_holder SET sealed = $1, identity_index = $2 WHERE id = $3 AND sealed = $4`, fresh, index, r.id, r.sealed)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(list), nil
}

// resealScans writes new objects. The old ones stay until the rotation ends: a backup that was begun before, and copies
// files after the database, still needs them.
func (s *Service) resealScans(ctx context.Context, head []byte, limit int) (int, error) {
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT id, object FROM enroll_attachment WHERE sealing <> $1 LIMIT $2`, head, limit)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var list [][2]string
	for rows.Next() {
		var one [2]string
		if err := rows.Scan(&one[0], &one[1]); err != nil {
			return 0, err
		}
		list = append(list, one)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for done, one := range list {
		if err := s.resealScan(ctx, one[0], one[1]); err != nil {
			return done, err
		}
	}
	return len(list), nil
}

func (s *Service) resealScan(ctx context.Context, id, old string) error {
	content, err := s.fetch(ctx, id, old)
	if err != nil {
		return inContext(err, attachmentContext(id))
	}
	fresh, sealing, err := s.keep(ctx, id, content)
	clear(content)
	if err != nil {
		return err
	}
	recorded := false
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		recorded = false
		var object string
		err := tx.QueryRowContext(ctx, `UPDATE enroll_attachment SET object = $1, sealing = $2 WHERE id = $3 AND object = $4 RETURNING object`,
			fresh, bytes.Clone(sealing), id, old).Scan(&object)
		if errors.Is(err, sql.ErrNoRows) { // another process did it meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		recorded = true
		_, err = tx.ExecContext(ctx, `INSERT INTO enroll_outdated (object, replaced) VALUES ($1, $2) ON CONFLICT (object) DO NOTHING`, old, store.Time(s.Clock()))
		return err
	})
	if err != nil || !recorded {
		_ = s.Files.Remove(context.WithoutCancel(ctx), fresh)
	}
	return err
}
