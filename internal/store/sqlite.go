package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"yinxin/internal/durable"
)

// busyMilliseconds is how long a statement waits for another process that holds the write lock.
const busyMilliseconds = 10_000

// sqliteReaders is how many reads run at once. More only compete for the processor.
const sqliteReaders = 8

type sqliteEngine struct {
	path     string // absolute
	readOnly bool
}

var _ engine = (*sqliteEngine)(nil)

func newSQLite(ctx context.Context, path string, readOnly bool) (*sqliteEngine, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, errOpen.Because(err)
	}
	e := &sqliteEngine{path: absolute, readOnly: readOnly}
	if readOnly {
		if _, err := os.Stat(absolute); errors.Is(err, fs.ErrNotExist) {
			return nil, errNotFound.Because(err)
		}
	} else if err := createPrivate(absolute); err != nil {
		return nil, errOpen.Because(err)
	}
	return e, e.probe(ctx)
}

// createPrivate makes the file before SQLite would, which would give it the mode of the umask. The log files that
// SQLite puts beside it inherit its mode.
func createPrivate(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return durable.SyncFolder(filepath.Dir(path))
}

// probe reads the file once, so that a wrong file is refused at Open rather than in the middle of the work.
func (e *sqliteEngine) probe(ctx context.Context) error {
	db, err := e.open(e.readOnly, "", nil)
	if err != nil {
		return errOpen.Because(err)
	}
	defer db.Close()
	var tables int
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&tables)
	if err == nil {
		return nil
	}
	if f := fail(err); hasCode(err, "", 26, 11) || errors.Is(err, ctx.Err()) {
		return f
	}
	return errOpen.Because(err)
}

func (e *sqliteEngine) dialect() string { return "sqlite" }

// open makes a pool. lock is the kind of lock that a transaction takes when it begins, pragmas are what its connections set besides.
func (e *sqliteEngine) open(readOnly bool, lock string, pragmas []string) (*sql.DB, error) {
	options := url.Values{}
	options.Set("_busy_timeout", strconv.Itoa(busyMilliseconds))
	options.Set("_foreign_keys", "1")
	switch {
	case e.readOnly:
		options.Set("mode", "ro")
	default:
		options.Set("_journal_mode", "WAL")
		// FULL, not NORMAL: with NORMAL a commit in WAL mode is not on the disk before the next checkpoint.
		options.Set("_synchronous", "FULL")
	}
	if readOnly {
		options.Set("_query_only", "1")
	}
	if lock != "" {
		options.Set("_txlock", lock)
	}
	if len(pragmas) > 0 {
		options["_pragma"] = pragmas
	}
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(e.path), RawQuery: options.Encode()}
	return sql.Open("sqlite", address.String())
}

func (e *sqliteEngine) openRead() (*sql.DB, error) {
	db, err := e.open(true, "", nil)
	if err != nil {
		return nil, errOpen.Because(err)
	}
	db.SetMaxOpenConns(sqliteReaders)
	db.SetMaxIdleConns(sqliteReaders)
	return db, nil
}

func (e *sqliteEngine) openWrite() (writer, error) {
	db, err := e.openPool()
	if err != nil {
		return nil, err
	}
	turn, err := openTurn(e.path)
	if err != nil {
		_ = db.Close()
		return nil, errOpen.Because(err)
	}
	return newMerger(db, turn), nil
}

// openPool keeps what a savepoint would restore in memory: the pages that one caller changed. In a file, as SQLite has it by itself
// once there is more than 64 kB of it, they are written for nothing, since that file is of no use after a crash. Migrations, which
// may change every page, do not come this way.
func (e *sqliteEngine) openPool() (*sql.DB, error) {
	db, err := e.open(false, "immediate", []string{"temp_store(memory)"})
	if err != nil {
		return nil, errOpen.Because(err)
	}
	return db, nil
}
