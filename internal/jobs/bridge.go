package jobs

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"

	"yinxin/internal/store"
)

// River inserts a job within a *sql.Tx, and a room writes within a *store.Tx, which on SQLite is a savepoint of a
// transaction that several callers share. The bridge is a driver for database/sql with one connection, whose
// statements run in the store.Tx: River's own text of the INSERT, its unique keys and its savepoint then belong to the
// caller's transaction. Beginning and committing do nothing; whoever owns the store.Tx decides.

// within runs fn with a *sql.Tx whose statements run in tx.
func within(ctx context.Context, tx *store.Tx, fn func(inner *sql.Tx) error) error {
	db := sql.OpenDB(bridge{tx})
	defer db.Close()
	// Were the transaction bound to ctx, database/sql would end it by itself, with a statement perhaps still running.
	inner, err := db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	defer inner.Rollback()
	if err := fn(inner); err != nil {
		return err
	}
	return inner.Commit()
}

type bridge struct{ tx *store.Tx }

var (
	_ driver.Connector         = bridge{}
	_ driver.Conn              = bridge{}
	_ driver.ConnBeginTx       = bridge{}
	_ driver.ExecerContext     = bridge{}
	_ driver.QueryerContext    = bridge{}
	_ driver.NamedValueChecker = bridge{}
)

func (b bridge) Connect(context.Context) (driver.Conn, error) { return b, nil }
func (b bridge) Driver() driver.Driver                        { return bridgeDriver{} }

type bridgeDriver struct{}

func (bridgeDriver) Open(string) (driver.Conn, error) { return nil, errBridge }

var errBridge = errors.New("jobs: the bridge to a transaction runs whole statements only")

func (b bridge) Prepare(string) (driver.Stmt, error) { return nil, errBridge }
func (b bridge) Begin() (driver.Tx, error)           { return b, nil }
func (b bridge) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) {
	return b, nil
}
func (b bridge) Close() error    { return nil }
func (b bridge) Commit() error   { return nil }
func (b bridge) Rollback() error { return nil }

// CheckNamedValue leaves values as they are: the driver below converts them.
func (b bridge) CheckNamedValue(*driver.NamedValue) error { return nil }

func (b bridge) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return b.tx.ExecContext(ctx, query, values(args)...)
}

func (b bridge) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := b.tx.QueryContext(ctx, query, values(args)...)
	if err != nil {
		return nil, err
	}
	columns, err := rows.Columns()
	if err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return &bridgeRows{rows: rows, columns: columns}, nil
}

func values(args []driver.NamedValue) []any {
	list := make([]any, len(args))
	for i, a := range args {
		list[i] = a.Value
		if a.Name != "" {
			list[i] = sql.Named(a.Name, a.Value)
		}
	}
	return list
}

type bridgeRows struct {
	rows    *sql.Rows
	columns []string
}

func (r *bridgeRows) Columns() []string { return r.columns }
func (r *bridgeRows) Close() error      { return r.rows.Close() }

func (r *bridgeRows) Next(to []driver.Value) error {
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	values, into := make([]any, len(to)), make([]any, len(to))
	for i := range values {
		into[i] = &values[i]
	}
	if err := r.rows.Scan(into...); err != nil {
		return err
	}
	for i, v := range values {
		to[i] = v
	}
	return nil
}
