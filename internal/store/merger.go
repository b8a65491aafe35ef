package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// mergeCount and mergeTime end a batch, so that the first of it is not kept waiting by those who still come.
	mergeCount = 256
	mergeTime  = 20 * time.Millisecond
)

// merger is SQLite's writer: one goroutine owns the one writing connection and runs BEGIN IMMEDIATE, a savepoint for
// each caller that is waiting, COMMIT. Callers that arrive during a commit, which waits for the disk, form the next
// batch, so a lone caller is never delayed for the sake of merging. fn runs in the goroutine of its caller, which keeps
// panics, runtime.Goexit and stack traces what they are.
type merger struct {
	pool     *sql.DB
	turn     *turn
	requests chan *request
	stop     chan struct{}
	stopping sync.Once
	stopped  chan struct{}

	// Owned by the goroutine of run.
	connection *sql.Conn
	statements *kept
}

// request is one caller of Write.
type request struct {
	claimed atomic.Bool // by the merger, which will run it, or by its caller, who gave up
	turn    chan *Tx    // the savepoint is set: run fn
	outcome chan error  // what fn came to; nil keeps its work
	done    chan error  // committed or rolled back
}

func newMerger(pool *sql.DB, turn *turn) *merger {
	m := &merger{pool: pool, turn: turn, requests: make(chan *request), stop: make(chan struct{}), stopped: make(chan struct{})}
	go m.run()
	return m
}

func (m *merger) close() error {
	m.stopping.Do(func() { close(m.stop) })
	<-m.stopped
	return errors.Join(m.pool.Close(), m.turn.close())
}

func (m *merger) write(ctx context.Context, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &request{turn: make(chan *Tx, 1), outcome: make(chan error, 1), done: make(chan error, 1)}
	select {
	case m.requests <- r:
	case <-m.stop:
		return errClosed.New()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case tx := <-r.turn:
		return r.run(ctx, tx, fn)
	case err := <-r.done:
		return err
	case <-ctx.Done():
		if r.claimed.CompareAndSwap(false, true) {
			return ctx.Err()
		}
	}
	// The merger was quicker than the end of the context: fn is not run, but its savepoint must be given back.
	select {
	case tx := <-r.turn:
		return r.run(ctx, tx, func(*Tx) error { return ctx.Err() })
	case err := <-r.done:
		return err
	}
}

// run calls fn in the goroutine of the caller and waits for what becomes of its work.
func (r *request) run(ctx context.Context, tx *Tx, fn func(tx *Tx) error) error {
	returned := false
	defer func() {
		if !returned { // a panic or runtime.Goexit is on its way: roll back before it goes on
			_ = tx.finish(nil)
			r.outcome <- errEnded.New()
			<-r.done
		}
	}()
	err := fn(tx)
	returned = true
	if err = tx.finish(err); err == nil {
		err = ctx.Err()
	}
	r.outcome <- err
	return <-r.done
}

func (m *merger) run() {
	defer close(m.stopped)
	defer m.disconnect(false)
	for {
		select {
		case r := <-m.requests:
			m.batch(r)
		case <-m.stop:
			return
		}
	}
}

// batch runs first and whoever is waiting after it in one transaction.
func (m *merger) batch(first *request) {
	if err := m.begin(); err != nil {
		if first.claimed.CompareAndSwap(false, true) {
			first.done <- err
		}
		return
	}
	started := time.Now()
	var kept []*request
	var broken error
	for r, count := first, 1; r != nil; count++ {
		keep, err := m.step(r)
		if keep {
			kept = append(kept, r)
		}
		if broken = err; broken != nil {
			break
		}
		if r = nil; count < mergeCount && time.Since(started) < mergeTime {
			r = m.next()
		}
	}
	if broken == nil {
		broken = m.commit(len(kept) > 0)
	}
	if broken != nil {
		// Whatever state the connection is in, a new one is in none.
		m.disconnect(true)
		broken = fail(broken)
	}
	for _, r := range kept {
		r.done <- broken
	}
}

// next is a caller that is waiting now. Callers of the last batch are just waking up; letting them run once merges a
// steady stream of few callers, which otherwise would alternate in two batches.
func (m *merger) next() *request {
	for try := 0; ; try++ {
		select {
		case r := <-m.requests:
			return r
		default:
			if try == 1 {
				return nil
			}
			runtime.Gosched()
		}
	}
}

// step runs one caller within its savepoint. It reports whether the caller's work is kept and now waits for the commit;
// an error is of the connection and ends the batch for everyone.
func (m *merger) step(r *request) (keep bool, err error) {
	if !r.claimed.CompareAndSwap(false, true) {
		return false, nil
	}
	background := context.Background()
	if _, err := m.exec(background, `SAVEPOINT caller`, nil); err != nil {
		r.done <- fail(err)
		return false, err
	}
	r.turn <- &Tx{querier: m.connection, kept: m.statements, detached: true}
	outcome := <-r.outcome
	if outcome == nil {
		if _, err := m.exec(background, `RELEASE caller`, nil); err != nil {
			return true, err // it learns with the others that nothing was committed
		}
		return true, nil
	}
	// A full disk or a failing one has rolled back the whole transaction, savepoint and all: then this fails, and the
	// callers before are told.
	if _, err = m.exec(background, `ROLLBACK TO caller`, nil); err == nil {
		_, err = m.exec(background, `RELEASE caller`, nil)
	}
	r.done <- outcome
	return false, err
}

func (m *merger) begin() error {
	background := context.Background()
	if m.connection == nil {
		connection, err := m.pool.Conn(background)
		if err != nil {
			return fail(err)
		}
		m.connection, m.statements = connection, newKept(connection)
	}
	if err := m.turn.take(); err != nil {
		return err
	}
	_, err := m.exec(background, `BEGIN IMMEDIATE`, nil)
	m.turn.giveBack()
	if err != nil {
		m.disconnect(true)
		return fail(err)
	}
	return nil
}

func (m *merger) commit(changed bool) error {
	end := `ROLLBACK`
	if changed {
		end = `COMMIT`
	}
	_, err := m.exec(context.Background(), end, nil)
	return err
}

// exec runs a statement without rows.
func (m *merger) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	statement, err := m.statements.take(ctx, query)
	if err != nil {
		return nil, err
	}
	defer m.statements.giveBack(query, statement)
	return statement.ExecContext(ctx, args...)
}

// disconnect gives the connection back, or has it closed, which rolls back what it was in.
func (m *merger) disconnect(discard bool) {
	if m.connection == nil {
		return
	}
	m.statements.close()
	if discard {
		_ = m.connection.Raw(func(any) error { return driver.ErrBadConn })
	}
	_ = m.connection.Close()
	m.connection, m.statements = nil, nil
}
