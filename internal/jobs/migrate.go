package jobs

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io"
	"log/slog"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"yinxin/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// connections is how many River has for itself on PostgreSQL.
const connections = 4

// openPool opens what River works with, and its driver over it.
func openPool(db *store.DB) (*sql.DB, riverdriver.Driver[*sql.Tx], error) {
	if db.Dialect() == "sqlite" {
		pool := openDoor(db)
		return pool, riversqlite.New(pool), nil
	}
	pool, err := db.Pool(connections)
	if err != nil {
		return nil, nil, err
	}
	return pool, riverdatabasesql.New(pool), nil
}

// openForMigration opens connections that take several statements at once, as migrations have them.
func openForMigration(db *store.DB) (*sql.DB, riverdriver.Driver[*sql.Tx], error) {
	pool, err := db.Pool(2) // on PostgreSQL one holds the lock
	if err != nil {
		return nil, nil, err
	}
	if db.Dialect() == "sqlite" {
		pool.SetMaxOpenConns(1)
		return pool, riversqlite.New(pool), nil
	}
	return pool, riverdatabasesql.New(pool), nil
}

// migrationLock is a number that only this package uses for pg_advisory_lock ("yinxjobs").
const migrationLock = 0x79696e786a6f6273

// Migrate brings the tables of this room and those of River up to date. Running it again, or in several processes at
// once, does nothing twice. Errors: jobs.migration, those of store.Migrate.
func Migrate(ctx context.Context, db *store.DB) error {
	if err := db.Migrate(ctx, "jobs", migrations); err != nil {
		return err
	}
	pool, driver, err := openForMigration(db)
	if err != nil {
		return err
	}
	defer pool.Close()
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return ErrMigration.Because(err)
	}
	if err := migrateRiver(ctx, pool, migrator, db.Dialect() == "postgres"); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return ErrMigration.Because(err)
	}
	return nil
}

func migrateRiver(ctx context.Context, pool *sql.DB, migrator *rivermigrate.Migrator[*sql.Tx], canLock bool) (err error) {
	if state, err := migrator.Validate(ctx); err == nil && state.OK {
		return nil
	}
	if canLock {
		// A lock of the session, not of a transaction: River's migrations each need a transaction of their own.
		connection, err := pool.Conn(ctx)
		if err != nil {
			return err
		}
		defer connection.Close()
		if _, err := connection.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(migrationLock)); err != nil {
			return err
		}
		defer func() {
			_, unlocking := connection.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(migrationLock))
			err = errors.Join(err, unlocking)
		}()
	}
	// SQLite cannot make another process wait: the one that comes second has its migration refused, undone with its
	// transaction, and finds it done when it looks again. Each round at least one of all processes moves one step.
	const tries = 20
	for try := 1; ; try++ {
		if _, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err == nil || try == tries || ctx.Err() != nil {
			return err
		}
	}
}
