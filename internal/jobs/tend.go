package jobs

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/riverqueue/river/rivertype"

	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// Retry makes a job that failed or waits for its next attempt run at once, with one attempt more if all are used up. What
// a person cancelled stays cancelled (River's mark of it stays on the job). Errors: jobs.not-found, jobs.running,
// jobs.done, jobs.cancelled, jobs.waiting.
func (j *Jobs) Retry(ctx context.Context, id int64) error { return j.alone(ctx, id, j.retryIn) }

// Cancel ends a job that has not ended. One that runs learns of it by the end of its context, within a few seconds, in
// whichever process it runs. Errors: jobs.not-found, jobs.done.
func (j *Jobs) Cancel(ctx context.Context, id int64) error { return j.alone(ctx, id, j.cancelIn) }

// Discard takes a job that failed for good, or was cancelled, out of the list. Errors: jobs.not-found, jobs.not-failed.
func (j *Jobs) Discard(ctx context.Context, id int64) error { return j.alone(ctx, id, j.discardIn) }

// change does something with a job in a transaction, and gives the job as it was.
type change func(ctx context.Context, tx *sql.Tx, id int64) (Record, error)

// alone is a change in a transaction of its own.
func (j *Jobs) alone(ctx context.Context, id int64, do change) error {
	return j.DB.Write(ctx, func(tx *store.Tx) error {
		return within(ctx, tx, func(inner *sql.Tx) error {
			_, err := do(ctx, inner, id)
			return err
		})
	})
}

func (j *Jobs) retryIn(ctx context.Context, tx *sql.Tx, id int64) (Record, error) {
	r, err := known(j.inserter.JobGetTx(ctx, tx, id))
	switch {
	case err != nil:
		return r, err
	case r.State == StateRunning:
		return r, ErrRunning.New()
	case r.State == StateDone:
		return r, ErrDone.New()
	case r.State == StateCancelled:
		return r, ErrCancelled.New()
	case r.State == StateWaiting && !r.Due.After(time.Now()): // River's time
		return r, ErrWaiting.New()
	}
	return r, gone(j.inserter.JobRetryTx(ctx, tx, id))
}

func (j *Jobs) cancelIn(ctx context.Context, tx *sql.Tx, id int64) (Record, error) {
	r, err := known(j.inserter.JobGetTx(ctx, tx, id))
	if err == nil && !r.Ended.IsZero() {
		err = ErrDone.New()
	}
	if err != nil {
		return r, err
	}
	return r, gone(j.inserter.JobCancelTx(ctx, tx, id))
}

func (j *Jobs) discardIn(ctx context.Context, tx *sql.Tx, id int64) (Record, error) {
	r, err := known(j.inserter.JobGetTx(ctx, tx, id))
	if err == nil && r.State != StateFailed && r.State != StateCancelled {
		err = ErrNotFailed.With("%s", r.State)
	}
	if err != nil {
		return r, err
	}
	return r, gone(j.inserter.JobDeleteTx(ctx, tx, id))
}

// gone is River's answer to a change: somebody may have taken the job away.
func gone(row *rivertype.JobRow, err error) error {
	_, err = known(row, err)
	return err
}

// Desk is where administrators tend jobs: what they do and its entry in the ledger are one transaction.
type Desk struct {
	*Jobs
	Access *access.Service
	Ledger *ledger.Ledger
}

// Retry is Jobs.Retry by an administrator. Further errors: access.role, access.key-sandbox.
func (d *Desk) Retry(ctx context.Context, by access.Actor, id int64) error {
	return d.tend(ctx, by, id, "job.retried", d.retryIn)
}

// Cancel is Jobs.Cancel by an administrator. Further errors: access.role, access.key-sandbox.
func (d *Desk) Cancel(ctx context.Context, by access.Actor, id int64) error {
	return d.tend(ctx, by, id, "job.cancelled", d.cancelIn)
}

// Discard is Jobs.Discard by an administrator. Further errors: access.role, access.key-sandbox.
func (d *Desk) Discard(ctx context.Context, by access.Actor, id int64) error {
	return d.tend(ctx, by, id, "job.discarded", d.discardIn)
}

func (d *Desk) tend(ctx context.Context, by access.Actor, id int64, kind string, do change) error {
	return d.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := d.Access.Acting(ctx, tx, by, access.RoleAdministrator); err != nil {
			return err
		}
		var was Record
		err := within(ctx, tx, func(inner *sql.Tx) (err error) {
			was, err = do(ctx, inner, id)
			return err
		})
		if err != nil {
			return err
		}
		_, err = d.Ledger.Append(ctx, tx, ledger.Event{Time: d.Clock(), Kind: kind, Actor: by.ID, Subject: strconv.FormatInt(id, 10),
			Data: map[string]string{"kind": was.Kind, "key": was.Key, "state": string(was.State)}})
		return err
	})
}
