package store

import (
	"context"
	"database/sql"
)

// Tx is a transaction inside Write. It must not be used after fn has returned, nor by two goroutines at once.
type Tx struct {
	querier Querier
	kept    *kept // prepared statements of the connection; nil where the driver keeps them itself
	// detached says that a statement must not be interrupted: SQLite would roll back the other merged callers with it.
	detached bool

	ended  bool
	failed error       // the first statement that failed
	rows   []*sql.Rows // to be closed at the end, should fn forget
	taken  []taken     // statements with rows, to be given back when these are closed
}

// mostTaken is how many prepared statements with rows a transaction holds.
const mostTaken = 64

type taken struct {
	query     string
	statement *sql.Stmt
}

// ExecContext runs a statement that returns no rows.
func (tx *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx, err := tx.enter(ctx)
	if err != nil {
		return nil, err
	}
	if tx.kept == nil {
		result, err := tx.querier.ExecContext(ctx, query, args...)
		return result, tx.note(err)
	}
	statement, err := tx.kept.take(ctx, query)
	if err != nil {
		return nil, tx.note(err)
	}
	defer tx.kept.giveBack(query, statement)
	result, err := statement.ExecContext(ctx, args...)
	return result, tx.note(err)
}

// statement gives the prepared text, which is given back at the end; nil when the query itself has to be run, which will say
// why it cannot be prepared, or when a transaction asks so many that they would only fill memory.
func (tx *Tx) statement(ctx context.Context, query string) *sql.Stmt {
	if tx.kept == nil || len(tx.taken) >= mostTaken {
		return nil
	}
	statement, err := tx.kept.take(ctx, query)
	if err != nil {
		return nil
	}
	tx.taken = append(tx.taken, taken{query, statement})
	return statement
}

// QueryContext runs a statement that returns rows. The rows end with the transaction at the latest.
func (tx *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx, err := tx.enter(ctx)
	if err != nil {
		return nil, err
	}
	var rows *sql.Rows
	if statement := tx.statement(ctx, query); statement != nil {
		rows, err = statement.QueryContext(ctx, args...)
	} else {
		rows, err = tx.querier.QueryContext(ctx, query, args...)
	}
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
	var statement *sql.Stmt
	if err == nil {
		statement = tx.statement(ctx, query)
	}
	var row *sql.Row
	if statement != nil {
		row = statement.QueryRowContext(ctx, args...)
	} else {
		row = tx.querier.QueryRowContext(ctx, query, args...)
	}
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
	for _, t := range tx.taken {
		tx.kept.giveBack(t.query, t.statement)
	}
	tx.rows, tx.taken, tx.ended = nil, nil, true
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
