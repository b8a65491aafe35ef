package enroll

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/files"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// RotationRest is how long the older versions of the safe are kept after everything was sealed anew: whatever was being
// written under one of them is in the database by then, and a backup that was begun before has copied the keystore.
const RotationRest = 24 * time.Hour

// SafeKeeper changes the secret of a safe; *keystore.Ring has it.
type SafeKeeper interface {
	RotateSafe(ctx context.Context, name string) error
	EndSafeVersions(ctx context.Context, name string) error
}

// Rotation is how the change of the secret stands under which personal data is sealed.
type Rotation struct {
	Version int   // the newest of the safe
	Older   []int // versions that have not been ended, the newest first
	Stale   int   // pieces that are sealed under one of them
	All     int   // pieces that are sealed
	// Of the rotation that is under way; zero where there is none.
	Begun  time.Time
	Pieces int       // that were sealed anew
	Sealed time.Time // since when all are
}

// Open reports whether a rotation is under way.
func (r Rotation) Open() bool { return !r.Begun.IsZero() }

// EndFrom is from when on the older versions can be ended; zero while something is to be sealed anew.
func (r Rotation) EndFrom() time.Time {
	if r.Sealed.IsZero() || r.Stale > 0 {
		return time.Time{}
	}
	return r.Sealed.Add(RotationRest)
}

// Rotation says how the safe stands. Everybody who can open the keystore may ask.
func (s *Service) Rotation(ctx context.Context) (r Rotation, err error) {
	versions, err := s.Safe.Versions()
	if err != nil {
		return r, err
	}
	r.Version, r.Older = versions[0], versions[1:]
	head, err := s.Safe.Head()
	if err != nil {
		return r, err
	}
	if r.Stale, err = s.stalePieces(ctx, s.DB.Read(), head); err != nil {
		return r, err
	}
	if r.All, err = s.stalePieces(ctx, s.DB.Read(), []byte{}); err != nil {
		return r, err
	}
	open, err := openRotation(ctx, s.DB.Read())
	if errors.Is(err, sql.ErrNoRows) {
		return r, nil
	}
	r.Begun, r.Pieces, r.Sealed = open.begun, open.pieces, open.sealed
	return r, err
}

// stalePieces counts what does not begin with head, here and in the other rooms.
func (s *Service) stalePieces(ctx context.Context, q store.Querier, head []byte) (int, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM enroll_version WHERE substr(sealed, 1, 5) <> $1)
		+ (SELECT COUNT(*) FROM enroll_person WHERE substr(sealed, 1, 5) <> $1) + (SELECT COUNT(*) FROM enroll_holder WHERE substr(sealed, 1, 5) <> $1)
		+ (SELECT COUNT(*) FROM enroll_attachment WHERE sealing <> $1)`, head).Scan(&n)
	if err != nil {
		return 0, err
	}
	for _, r := range s.Resealers {
		more, err := r.Stale(ctx, q, head)
		if err != nil {
			return 0, err
		}
		n += more
	}
	return n, nil
}

// rotation is the row of the one that is under way.
type rotation struct {
	version, pieces int
	begun, sealed   time.Time
}

func openRotation(ctx context.Context, q store.Querier) (r rotation, err error) {
	var begun string
	var sealed sql.NullString
	err = q.QueryRowContext(ctx, `SELECT version, pieces, begun, sealed FROM enroll_rotation WHERE state = 'open'`).Scan(&r.version, &r.pieces, &begun, &sealed)
	if err != nil {
		return r, err
	}
	if r.begun, err = store.ParseTime(begun); err != nil || !sealed.Valid {
		return r, err
	}
	r.sealed, err = store.ParseTime(sealed.String)
	return r, err
}

// Rotate gives the safe a new version, under which everything is sealed from now on; Reseal then sees to what is older. A
// rotation that is under way is gone on with. An administrator does it. Error: access.role.
func (s *Service) Rotate(ctx context.Context, by access.Actor, keeper SafeKeeper) error {
	version := 0
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.mayRotate(ctx, tx, by); err != nil {
			return err
		}
		open, err := openRotation(ctx, tx)
		if version = open.version; !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		versions, err := s.Safe.Versions()
		if err != nil {
			return err
		}
		version = versions[0] + 1
		_, err = tx.ExecContext(ctx, `INSERT INTO enroll_rotation (version, state, begun, by, pieces) VALUES ($1, 'open', $2, $3, 0)`,
			version, store.Time(s.Clock()), by.ID)
		if err != nil {
			return err
		}
		return s.noteRotation(ctx, tx, "safe.rotation-begun", by.ID, version, nil)
	})
	if err != nil && !store.IsUnique(err) { // another process began at the same moment: that is the rotation
		return err
	}
	// The row is locked while the file changes: of two processes that added a version at the same moment one would
	// overwrite the other's secret. Repeated, it finds the version there.
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE enroll_rotation SET made = $1 WHERE state = 'open' AND made IS NULL`, store.Time(s.Clock()))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		open, err := openRotation(ctx, tx)
		if err != nil {
			return err
		}
		versions, err := s.Safe.Versions()
		if err != nil || versions[0] >= open.version {
			return err
		}
		return keeper.RotateSafe(ctx, s.Safe.Name())
	})
}

func (s *Service) mayRotate(ctx context.Context, q store.Querier, by access.Actor) error {
	v, err := s.viewer(ctx, q, by)
	if err == nil && !v.Has(access.RoleAdministrator) {
		err = access.ErrRole.With("%s", access.RoleAdministrator)
	}
	return err
}

func (s *Service) noteRotation(ctx context.Context, tx *store.Tx, kind, actor string, version int, data map[string]string) error {
	all := map[string]string{"version": strconv.Itoa(version)}
	for k, v := range data {
		all[k] = v
	}
	_, err := s.Ledger.Append(ctx, tx, ledger.Event{Time: s.Clock(), Kind: kind, Actor: actor, Subject: s.Safe.Name(), Data: all})
	return err
}

// countResealed writes down what Reseal did. What it found none of after it was through is sealed anew; what it found
// makes the day begin again.
func (s *Service) countResealed(ctx context.Context, done int, through bool) error {
	if done == 0 && !through {
		return nil
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		open, err := openRotation(ctx, tx)
		if errors.Is(err, sql.ErrNoRows) || err == nil && done == 0 && !open.sealed.IsZero() {
			return nil
		}
		if err != nil {
			return err
		}
		if done > 0 {
			_, err = tx.ExecContext(ctx, `UPDATE enroll_rotation SET pieces = pieces + $1, sealed = NULL WHERE version = $2`, done, open.version)
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE enroll_rotation SET sealed = $1 WHERE version = $2 AND made IS NOT NULL`, store.Time(s.Clock()), open.version)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.noteRotation(ctx, tx, "safe.sealed-anew", "", open.version, map[string]string{"pieces": strconv.Itoa(open.pieces)})
	})
}

// EndRotation destroys the older versions of the safe, and the files that were sealed under them. An administrator does
// it, a day after everything was sealed anew. Errors: access.role, enroll.no-rotation, enroll.rotation-unfinished,
// enroll.rotation-early.
func (s *Service) EndRotation(ctx context.Context, by access.Actor, keeper SafeKeeper) error {
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.mayRotate(ctx, tx, by); err != nil {
			return err
		}
		open, err := s.endable(ctx, tx)
		if err != nil {
			return err
		}
		now := s.Clock()
		done, err := tx.ExecContext(ctx, `UPDATE enroll_rotation SET state = 'ended', ended = $1, ended_by = $2 WHERE version = $3 AND state = 'open'`,
			store.Time(now), by.ID, open.version)
		if err != nil {
			return err
		}
		if err := store.ExactlyOne(done, ErrNoRotation.New()); err != nil {
			return err
		}
		if err := s.noteRotation(ctx, tx, "safe.rotation-ended", by.ID, open.version, map[string]string{"pieces": strconv.Itoa(open.pieces)}); err != nil {
			return err
		}
		// Last, and under the row's lock: repeated, it changes nothing more.
		return keeper.EndSafeVersions(ctx, s.Safe.Name())
	})
	if err != nil {
		return err
	}
	return s.removeOutdated(ctx)
}

// endable reads the rotation that is under way, if nothing stands against its end.
func (s *Service) endable(ctx context.Context, tx *store.Tx) (rotation, error) {
	open, err := openRotation(ctx, tx)
	if errors.Is(err, sql.ErrNoRows) {
		return open, ErrNoRotation.New()
	}
	if err != nil {
		return open, err
	}
	head, err := s.Safe.Head()
	if err != nil {
		return open, err
	}
	stale, err := s.stalePieces(ctx, tx, head)
	if err != nil {
		return open, err
	}
	if stale > 0 || open.sealed.IsZero() {
		return open, ErrRotationStale.With("%d", stale)
	}
	if from := open.sealed.Add(RotationRest); s.Clock().Before(from) {
		return open, ErrRotationEarly.With("%s", from.UTC().Format(time.RFC3339))
	}
	return open, nil
}

// removeOutdated removes the files whose secret is gone. One that stays, because of an interruption, is removed with those
// of the next rotation; nobody can open it.
func (s *Service) removeOutdated(ctx context.Context) error {
	list, err := store.Column[string](s.DB.Read().QueryContext(ctx, `SELECT object FROM enroll_outdated ORDER BY object`))
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(list, 100) {
		for _, object := range chunk {
			if err := s.Files.Remove(ctx, object); err != nil && !fault.Has(err, files.ErrNotFound) { // an interruption came between
				return err
			}
		}
		err := s.DB.Write(ctx, func(tx *store.Tx) error {
			for _, object := range chunk {
				if _, err := tx.ExecContext(ctx, `DELETE FROM enroll_outdated WHERE object = $1`, object); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
