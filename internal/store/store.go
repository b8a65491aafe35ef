package store

import (
	"context"
	"database/sql"
	"strings"
	"sync"
)

// Querier is what rooms read and write with: the three calls of database/sql. Rows must be closed and a Row scanned.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

var (
	_ Querier = (*sql.DB)(nil)
	_ Querier = (*sql.Tx)(nil)
	_ Querier = (*Tx)(nil)
)

// writer runs transactions: merged ones on SQLite, single ones on PostgreSQL.
type writer interface {
	write(ctx context.Context, fn func(tx *Tx) error) error
	close() error
}

// engine is what differs between SQLite and PostgreSQL.
type engine interface {
	dialect() string
	openRead() (*sql.DB, error)
	openWrite() (writer, error)
	openPool() (*sql.DB, error)
	migrate(ctx context.Context, room migration) error
}

// DB is an open database. It is safe for concurrent use. Other processes may have the same database open.
type DB struct {
	engine    engine
	reads     *sql.DB
	querier   Querier // over reads
	writes    writer  // nil when opened for reading only
	migrating sync.Mutex
	closing   sync.Once
	closed    error
}

// Open opens the database at url: the path of a SQLite file, which is made with mode 0600 when absent (its folder must
// exist), or "postgres://…" or "postgresql://…", a database with encoding UTF8.
//
// Errors: store.url, store.open, store.damaged, store.encoding.
func Open(ctx context.Context, url string) (*DB, error) {
	return open(ctx, url, false)
}

// OpenReadOnly opens a database that must exist and is not changed: Write and Migrate give store.read-only. It serves
// checks of a database that belongs to somebody else. Errors: as Open, and store.not-found for a missing file.
func OpenReadOnly(ctx context.Context, url string) (*DB, error) {
	return open(ctx, url, true)
}

func open(ctx context.Context, url string, readOnly bool) (*DB, error) {
	engine, err := newEngine(ctx, url, readOnly)
	if err != nil {
		return nil, err
	}
	db := &DB{engine: engine}
	if !readOnly {
		// The writer comes first: on SQLite it turns a new file into one in WAL mode, which a reader cannot.
		if db.writes, err = engine.openWrite(); err != nil {
			return nil, err
		}
	}
	if db.reads, err = engine.openRead(); err != nil {
		_ = db.Close()
		return nil, err
	}
	db.querier = db.reads
	if engine.dialect() == "sqlite" {
		db.querier = &statements{DB: db.reads}
	}
	return db, nil
}

func newEngine(ctx context.Context, url string, readOnly bool) (engine, error) {
	switch {
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return newPostgres(ctx, url)
	case url == "", url == ":memory:", strings.Contains(url, "://"), strings.HasPrefix(url, "file:"):
		// The address is not repeated: it may hold a password.
		return nil, errURL.New()
	}
	return newSQLite(ctx, url, readOnly)
}

// Close waits for the writes that have begun, then releases every connection. Later calls give store.closed.
func (db *DB) Close() error {
	db.closing.Do(func() {
		if db.writes != nil {
			db.closed = db.writes.close()
		}
		if db.reads != nil {
			if err := db.reads.Close(); db.closed == nil {
				db.closed = err
			}
		}
	})
	return db.closed
}

// Dialect is "sqlite" or "postgres". Rooms should not need it.
func (db *DB) Dialect() string { return db.engine.dialect() }

// Read gives a pool of connections that see what has been committed and refuse to change anything.
func (db *DB) Read() Querier { return db.querier }

// Pool opens connections of their own for a library that brings its own SQL (the job queue), at most so many; whoever
// asks closes them. A transaction on them takes SQLite's write lock when it begins, waits for the lock as any other
// process would, and commits as durably as Write; on PostgreSQL it runs in the isolation that it asks for. Rooms use Read
// and Write. Errors: store.read-only.
func (db *DB) Pool(connections int) (*sql.DB, error) {
	if db.writes == nil {
		return nil, errReadOnly.New()
	}
	pool, err := db.engine.openPool()
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// Snapshot runs fn on one unchanging state of the database, however much is written meanwhile. It must not last
// longer than needed: SQLite's log grows until it ends. The error of fn comes back unchanged.
func (db *DB) Snapshot(ctx context.Context, fn func(q Querier) error) error {
	options := &sql.TxOptions{ReadOnly: true}
	if db.Dialect() == "postgres" {
		options.Isolation = sql.LevelRepeatableRead
	}
	tx, err := db.reads.BeginTx(ctx, options)
	if err != nil {
		return fail(err)
	}
	defer tx.Rollback()
	return fn(tx)
}

// Write runs fn in a transaction and returns nil only after the commit is durable. What it promises, and what fn must
// keep to, stands in the comment of the package.
//
// A context that ends before fn has returned undoes the work; once fn has returned nil, Write waits for the commit
// whatever the context does, so that its answer is the truth.
//
// Errors of its own: store.busy (another process writes for too long, or too many conflicts), store.full, store.closed,
// store.read-only, store.unavailable.
func (db *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	if db.writes == nil {
		return errReadOnly.New()
	}
	return db.writes.write(ctx, fn)
}
