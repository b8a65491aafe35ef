package jobs

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"

	"yinxin/internal/store"
)

// On SQLite, River's statements go through store.Write like everybody's, and so share the commits of the rooms. With
// connections of its own River would be another writer that asks SQLite for the lock again and again: measured, it got
// hold of it after a second and a half when eight goroutines wrote without a pause, and on a slower disk after the busy
// time perhaps never. The door is a driver for database/sql that makes a Write of every statement outside a transaction,
// and one of every transaction, in which others then wait for River's few lines of Go between its statements. River is
// written for a single connection to SQLite, so it never asks for a second one within a transaction.

// openDoor gives a pool whose writes are those of db.
func openDoor(db *store.DB) *sql.DB {
	pool := sql.OpenDB(door{db})
	pool.SetMaxOpenConns(1)
	return pool
}

type door struct{ db *store.DB }

func (d door) Connect(context.Context) (driver.Conn, error) { return &doorConn{db: d.db}, nil }
func (d door) Driver() driver.Driver                        { return bridgeDriver{} }

// doorConn is used by one goroutine at a time, as database/sql promises.
type doorConn struct {
	db   *store.DB
	open *session // the transaction, if there is one
}

var (
	_ driver.Conn              = (*doorConn)(nil)
	_ driver.ConnBeginTx       = (*doorConn)(nil)
	_ driver.ExecerContext     = (*doorConn)(nil)
	_ driver.QueryerContext    = (*doorConn)(nil)
	_ driver.NamedValueChecker = (*doorConn)(nil)
)

// session is a Write that waits for the end of River's transaction.
type session struct {
	tx   *store.Tx
	end  chan error // what the transaction came to; nil commits
	done chan error // what Write came to
}

var errUndone = errors.New("jobs: undone")

func (c *doorConn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	s := &session{end: make(chan error, 1), done: make(chan error, 1)}
	turn := make(chan *store.Tx, 1)
	go func() {
		s.done <- c.db.Write(ctx, func(tx *store.Tx) error {
			turn <- tx
			return <-s.end
		})
	}()
	select {
	case s.tx = <-turn:
		c.open = s
		return c, nil
	case err := <-s.done:
		return nil, err
	}
}

func (c *doorConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// Commit returns when the transaction is durable.
func (c *doorConn) Commit() error { return c.finish(nil) }

func (c *doorConn) Rollback() error {
	if err := c.finish(errUndone); !errors.Is(err, errUndone) {
		return err
	}
	return nil
}

func (c *doorConn) finish(outcome error) error {
	s := c.open
	if s == nil {
		return nil
	}
	c.open = nil
	s.end <- outcome
	return <-s.done
}

// Close gives back what was left open.
func (c *doorConn) Close() error { return c.Rollback() }

func (c *doorConn) Prepare(string) (driver.Stmt, error) { return nil, errBridge }

// CheckNamedValue leaves values as they are: the driver below converts them.
func (c *doorConn) CheckNamedValue(*driver.NamedValue) error { return nil }

func (c *doorConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (result driver.Result, err error) {
	if c.open != nil {
		return bridge{c.open.tx}.ExecContext(ctx, query, args)
	}
	err = c.db.Write(ctx, func(tx *store.Tx) error {
		result, err = bridge{tx}.ExecContext(ctx, query, args)
		return err
	})
	return result, err
}

func (c *doorConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.open != nil {
		return bridge{c.open.tx}.QueryContext(ctx, query, args)
	}
	var kept *keptRows
	err := c.db.Write(ctx, func(tx *store.Tx) error {
		rows, err := bridge{tx}.QueryContext(ctx, query, args)
		if err != nil {
			return err
		}
		kept, err = keep(rows)
		return errors.Join(err, rows.Close())
	})
	if err != nil {
		return nil, err
	}
	return kept, nil
}

// keptRows outlive their transaction: River asks for bounded numbers of them.
type keptRows struct {
	columns []string
	rows    [][]driver.Value
}

func keep(rows driver.Rows) (*keptRows, error) {
	k := &keptRows{columns: rows.Columns()}
	for {
		row := make([]driver.Value, len(k.columns))
		err := rows.Next(row)
		if errors.Is(err, io.EOF) {
			return k, nil
		}
		if err != nil {
			return nil, err
		}
		k.rows = append(k.rows, row)
	}
}

func (k *keptRows) Columns() []string { return k.columns }
func (k *keptRows) Close() error      { return nil }

func (k *keptRows) Next(to []driver.Value) error {
	if len(k.rows) == 0 {
		return io.EOF
	}
	copy(to, k.rows[0])
	k.rows = k.rows[1:]
	return nil
}
