package store

import (
	"context"
	"database/sql"
)

// Tx is a transaction inside Write. It must not be used after fn has returned, nor by two goroutines at once.
type Tx struct {
	querier Querier
	// exec, when set, runs a statement without rows; it has a cache of prepared statements.
	exec func(ctx context.Context, query string, args []any) (sql.Result, error)
	// detached says that a statement must not be interrupted: SQLite would roll back the other merged callers with it.
	detached bool

	ended  bool
	failed error       // the first statement that failed
	rows   []*sql.Rows // to be closed at the end, should fn forget
}

// ExecContext runs a statement that returns no rows.
func (tx *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx, err := tx.enter(ctx)
	if err != nil {
		return nil, err
	}
	var result sql.Result
	if tx.exec != nil {
		result, err = tx.exec(ctx, query, args)
	} else {
		result, err = tx.querier.ExecContext(ctx, query, args...)
	}
	return result, tx.note(err)
}

// QueryContext runs a statement that returns rows. The rows end with the transaction at the latest.
func (tx *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx, err := tx.enter(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := tx.querier.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, tx.note(err)
	}
	tx.rows = append(tx.rows, rows)
	return rows, nil
}

// QueryRowContext runs a statement that returns at most one row; its errors come from Scan.
func (tx *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx, err := tx.enter(ctx)
	if err != nil {
		// A Row with an error can only be made by database/sql: a context that has ended with this very error makes it so.
		ctx = refusal{context.WithoutCancel(ctx), err}
	}
	row := tx.querier.QueryRowContext(ctx, query, args...)
	_ = tx.note(row.Err())
	return row
}

// enter says whether a statement may start, and with which context.
func (tx *Tx) enter(ctx context.Context) (context.Context, error) {
	switch {
	case tx.ended:
		return ctx, errEnded.New()
	case tx.failed != nil:
		return ctx, tx.failed
	case ctx.Err() != nil:
		return ctx, tx.note(ctx.Err())
	case tx.detached:
		return context.WithoutCancel(ctx), nil
	}
	return ctx, nil
}

// note remembers the first failure.
func (tx *Tx) note(err error) error {
	err = name(err)
	if tx.failed == nil && !tx.ended {
		tx.failed = err
	}
	return err
}

// finish ends the use of the transaction and gives what decides over commit and rollback: the error of fn, or else the
// statement that failed without fn minding.
func (tx *Tx) finish(err error) error {
	for _, rows := range tx.rows {
		_ = rows.Close()
	}
	tx.rows, tx.ended = nil, true
	if err != nil {
		return err
	}
	return tx.failed
}

// refusal is a context that has ended with err.
type refusal struct {
	context.Context
	err error
}

func (r refusal) Done() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

func (r refusal) Err() error { return r.err }
