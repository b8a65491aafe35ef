package store

import (
	"context"
	"database/sql"
	"hash/fnv"
	"io/fs"
	"regexp"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// migration is one room's part of the database structure.
type migration struct {
	table string // its versions
	files fs.FS
}

var roomName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)

// Migrate brings the tables of one room up to date. files holds numbered goose migrations ("00001_what.sql" with the
// line "-- +goose Up") at its root or in a folder "migrations", in the SQL that both engines take. The versions are
// kept in "<room>_migration", so rooms do not depend on each other's numbers. Running it again, or in several
// processes at once, does nothing twice. A migration that has been released must never be edited.
//
// Errors: store.migration, store.read-only.
func (db *DB) Migrate(ctx context.Context, room string, files fs.FS) error {
	if db.writes == nil {
		return errReadOnly.New()
	}
	if !roomName.MatchString(room) {
		return errMigration.With("room %q", room)
	}
	if found, _ := fs.Glob(files, "*.sql"); len(found) == 0 {
		folder, err := fs.Sub(files, "migrations")
		if err != nil {
			return errMigration.With("room %s", room).Because(err)
		}
		files = folder
	}
	db.migrating.Lock()
	defer db.migrating.Unlock()
	if err := db.engine.migrate(ctx, migration{table: room + "_migration", files: files}); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errMigration.With("room %s", room).Because(err)
	}
	return nil
}

func (e *sqliteEngine) migrate(ctx context.Context, room migration) error {
	db, err := e.open(false, "immediate", nil)
	if err != nil {
		return err
	}
	defer db.Close()
	// Another process may run the same migration between our look at the version and our turn to write. Each runs in a
	// transaction of its own, so the one that comes second has changed nothing and finds it done when it looks again.
	const tries = 4
	for try := 1; ; try++ {
		if err = up(ctx, goose.DialectSQLite3, db, room); err == nil || try == tries || ctx.Err() != nil {
			return err
		}
	}
}

func (e *postgresEngine) migrate(ctx context.Context, room migration) error {
	db := e.open(false)
	defer db.Close()
	name := fnv.New32a()
	_, _ = name.Write([]byte(room.table))
	// PostgreSQL can make other processes wait; ask every second, for five minutes.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(int64(name.Sum32())), lock.WithLockTimeout(1, 300))
	if err != nil {
		return err
	}
	return up(ctx, goose.DialectPostgres, db, room, goose.WithSessionLocker(locker))
}

func up(ctx context.Context, dialect goose.Dialect, db *sql.DB, room migration, more ...goose.ProviderOption) error {
	options := append([]goose.ProviderOption{
		goose.WithTableName(room.table),
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()),
	}, more...)
	provider, err := goose.NewProvider(dialect, db, room.files, options...)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}
