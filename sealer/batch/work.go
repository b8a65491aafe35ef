package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/jobs"
	"yinxin/internal/store"
	"yinxin/sealer"
)

// How long things may take. A job that a dead process left behind is taken up after twice jobTime and half a minute, so a
// job takes up no more files after shift, and what is left is a further attempt's.
const (
	fileTime = time.Minute
	shift    = 30 * time.Second
	jobTime  = shift + fileTime
)

// work is the job for a hundred files. It gives an error when files wait for a failure to pass, or for another shift.
func (s *Service) work(ctx context.Context, job jobs.Job, p part) error {
	var caller, request, state string
	err := s.DB.Read().QueryRowContext(ctx, `SELECT caller, request, state FROM sealing_batch WHERE id = $1`, p.Batch).Scan(&caller, &request, &state)
	if err != nil {
		return err
	}
	if state != string(Running) {
		return nil
	}
	var order ordered
	if err := json.Unmarshal([]byte(request), &order); err != nil {
		return jobs.Permanent(err)
	}
	if order.Network != "" { // a seal is used on the networks of its 用章范围, also when its turn comes later
		ctx = access.WithNetwork(ctx, order.Network)
	}
	waiting, err := files(ctx, s.DB.Read(), `batch_id = $1 AND state = 'waiting' AND number > $2 AND number <= $3 ORDER BY number`,
		p.Batch, p.Part*perJob, (p.Part+1)*perJob)
	if err != nil {
		return err
	}
	w := worker{s: s, batch: p.Batch, order: order.Order, last: job.Last}
	if w.by, err = s.Access.Actor(ctx, caller); err != nil {
		return err
	}
	err = w.all(ctx, waiting)
	return errors.Join(err, s.DB.Write(ctx, func(tx *store.Tx) error { return s.finish(ctx, tx, p.Batch) }))
}

// finish ends a batch in which no file waits.
func (s *Service) finish(ctx context.Context, tx *store.Tx, id string) error {
	done, err := tx.ExecContext(ctx, `UPDATE sealing_batch SET state = 'done', finished_at = $2 WHERE id = $1 AND state = 'running'
		AND NOT EXISTS (SELECT 1 FROM sealing_batch_item WHERE batch_id = $1 AND state = 'waiting')`, id, store.Time(s.Clock()))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return err
	}
	count, err := counts(ctx, tx, id)
	if err != nil {
		return err
	}
	data := map[string]string{"sealed": fmt.Sprint(count[FileSealed]), "failed": fmt.Sprint(count[FileFailed])}
	if s.Done != nil {
		var caller string
		if err := tx.QueryRowContext(ctx, `SELECT caller FROM sealing_batch WHERE id = $1`, id).Scan(&caller); err != nil {
			return err
		}
		if err := s.Done(ctx, tx, caller, id, data); err != nil {
			return err
		}
	}
	return s.record(ctx, tx, "batch.done", "", id, data)
}

type worker struct {
	s     *Service
	batch string
	by    access.Actor
	order sealer.Order
	last  bool // nobody tries again by itself
}

// all seals the files, several side by side, and stops taking up more after a failure that may pass.
func (w worker) all(ctx context.Context, waiting []File) error {
	next := make(chan File)
	var side sync.WaitGroup
	var lock sync.Mutex
	var passing error
	note := func(err error) {
		lock.Lock()
		defer lock.Unlock()
		passing = errors.Join(passing, err)
	}
	stopped := func() bool {
		lock.Lock()
		defer lock.Unlock()
		return passing != nil && !w.last || ctx.Err() != nil
	}
	for range w.s.Side {
		side.Go(func() {
			for f := range next {
				if err := w.one(ctx, f); err != nil {
					note(err)
				}
			}
		})
	}
	over := time.NewTimer(shift)
	defer over.Stop()
hands:
	for _, f := range waiting {
		if stopped() {
			break
		}
		select {
		case next <- f:
		case <-over.C:
			note(errShift.New())
			break hands
		}
	}
	close(next)
	side.Wait()
	return errors.Join(passing, ctx.Err())
}

// one seals one file and records what became of it; the error is one that may pass, with the file still waiting.
func (w worker) one(ctx context.Context, f File) error {
	var state FileState
	if err := w.s.DB.Read().QueryRowContext(ctx, `SELECT state FROM sealing_batch_item WHERE batch_id = $1 AND number = $2`, w.batch, f.Number).Scan(&state); err != nil {
		return err
	}
	if state != FileWaiting { // cancelled meanwhile
		return nil
	}
	o := w.order
	o.Document, o.IdempotencyKey = f.Document, fmt.Sprintf("batch:%s/%d", w.batch, f.Number)
	ctx, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	sealed, err := w.seal(ctx, o)
	switch {
	case err == nil:
		// Also when the batch was cancelled meanwhile: it is sealed, and that is to be seen.
		return w.record(ctx, f, `state = 'sealed', sealing_id = $3, result_id = $4`, sealed.ID, sealed.Document.ID)
	case !w.last && passes(err):
		return err
	}
	if _, known := fault.Of(err); !known {
		w.s.Log.ErrorContext(ctx, "sealing a file of a batch", "batch", w.batch, "file", f.Number, "error", err)
	}
	failure, marshal := json.Marshal(FailureOf(err))
	if marshal != nil {
		return marshal
	}
	return w.record(ctx, f, `state = 'failed', failure = $3`, string(failure))
}

// seal is Sealer.Seal; a panic is the failure of this file.
func (w worker) seal(ctx context.Context, o sealer.Order) (_ sealer.Sealed, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return w.s.Sealer.Seal(ctx, w.by, o)
}

func (w worker) record(ctx context.Context, f File, set string, values ...any) error {
	ctx = context.WithoutCancel(ctx)
	return w.s.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sealing_batch_item SET tries = tries + 1, `+set+` WHERE batch_id = $1 AND number = $2 AND state IN ('waiting', 'cancelled')`,
			append([]any{w.batch, f.Number}, values...)...)
		return err
	})
}

// passes reports whether a failure may be gone in a while: what is busy or out of reach. A context that ends is that of the
// process, or of a file that took too long; either is tried again.
func passes(err error) bool {
	f, ok := fault.Of(err)
	if !ok {
		return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	}
	return f.Kind == fault.Unavailable
}

var errShift = fault.Spec{Kind: fault.Unavailable, Code: "batch.shift",
	ZH: "本轮时间已到，其余文件接着处理。", EN: "The time of this round is over; the other files follow."}

var errFailed = fault.Spec{Kind: fault.Internal, Code: "batch.failed",
	ZH: "服务内部出错，文件没有盖章。", EN: "The service failed; the file was not sealed."}

// FailureOf is why a file was not sealed, as far as its owner may know.
func FailureOf(err error) Failure {
	f, ok := fault.Of(err)
	if !ok {
		f = errFailed.Because(err)
	}

	return Failure{Code: f.Code, ZH: f.Sentence("zh"), EN: f.Sentence("en"), Place: f.Place}
}
