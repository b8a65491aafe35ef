package store

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	postgresConnections = 10 // of each pool, per process; servers allow 100 by default
	// postgresTries bounds the repetitions of a transaction that keeps losing against others.
	postgresTries = 30
	backoffFirst  = time.Millisecond
	backoffMost   = 100 * time.Millisecond
)

type postgresEngine struct {
	config *pgx.ConnConfig
}

var _ engine = (*postgresEngine)(nil)

func newPostgres(ctx context.Context, url string) (*postgresEngine, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errURL.New() // without the cause: it repeats the address, which may hold a password
	}
	e := &postgresEngine{config: config}
	db := e.open(false)
	defer db.Close()
	var encoding string
	if err := db.QueryRowContext(ctx, `SHOW server_encoding`).Scan(&encoding); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, errOpen.Because(err)
	}
	if encoding != "UTF8" {
		return nil, errEncoding.With("%s", encoding)
	}
	return e, nil
}

func (e *postgresEngine) dialect() string { return "postgres" }

func (e *postgresEngine) open(readOnly bool) *sql.DB {
	config := e.config.Copy()
	config.RuntimeParams["application_name"] = "yinxin"
	if readOnly {
		config.RuntimeParams["default_transaction_read_only"] = "on"
	}
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(commitDurably))
	db.SetMaxOpenConns(postgresConnections)
	db.SetMaxIdleConns(postgresConnections)
	return db
}

// commitDurably undoes a server-wide synchronous_commit = off: an answer must not be given for a commit that can be lost.
// Stricter settings (remote_apply, for replicas) stay.
func commitDurably(ctx context.Context, connection *pgx.Conn) error {
	_, err := connection.Exec(ctx,
		`SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
	return err
}

func (e *postgresEngine) openRead() (*sql.DB, error) { return e.open(true), nil }

func (e *postgresEngine) openPool() (*sql.DB, error) { return e.open(false), nil }

func (e *postgresEngine) openWrite() (writer, error) { return &repeater{pool: e.open(false)}, nil }

// repeater is PostgreSQL's writer: a serializable transaction, run again when the server asks for it.
type repeater struct {
	pool *sql.DB
}

func (r *repeater) close() error { return r.pool.Close() }

func (r *repeater) write(ctx context.Context, fn func(tx *Tx) error) error {
	for try := 0; ; try++ {
		again, err := r.once(ctx, fn)
		if !again {
			return err
		}
		if try+1 == postgresTries {
			return errBusy.Because(err)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// once runs the transaction once and reports whether it has to be repeated.
func (r *repeater) once(ctx context.Context, fn func(tx *Tx) error) (again bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	// The transaction itself does not end with the context: an interrupted COMMIT would leave the answer open.
	inner, err := r.pool.Conn(ctx)
	if err != nil {
		return false, r.failure(err)
	}
	defer inner.Close()
	transaction, err := inner.BeginTx(context.WithoutCancel(ctx), &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return false, r.failure(err)
	}
	defer transaction.Rollback() // after a commit it does nothing; after a panic it is what rolls back
	tx := &Tx{querier: transaction}
	defer func() { tx.ended = true }()
	if err = tx.finish(fn(tx)); err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return isRepeatable(err) || isRepeatable(tx.failed), err
	}
	if err := transaction.Commit(); err != nil {
		return isRepeatable(err), r.failure(err)
	}
	return false, nil
}

func (r *repeater) failure(err error) error {
	// database/sql has no exported value for it.
	if strings.Contains(err.Error(), "sql: database is closed") {
		return errClosed.New()
	}
	return fail(err)
}

// pause waits before the next try: twice as long each time, and by chance, so that two do not keep meeting.
func pause(ctx context.Context, try int) error {
	most := backoffMost
	if try < 7 {
		most = min(most, backoffFirst<<try)
	}
	timer := time.NewTimer(rand.N(most) + time.Microsecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
