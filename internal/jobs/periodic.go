package jobs

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"yinxin/internal/store"
)

// Periodic is work that is to be done again and again, by one process for all.
type Periodic struct {
	// Name is lower-case words with dots: "ca.crl".
	Name string
	// Every is the time between the beginnings of two runs; it also runs when a process becomes the leader. A run that is
	// due while another lasts is left out.
	Every time.Duration
	// Timeout is how long one run may take, and how long a process that died in it keeps others from it: 20 seconds.
	Timeout time.Duration
	// Patience, if set, is how long no run may have ended anywhere before any process does it by itself, without River.
	Patience time.Duration
	// Do is the work; it must return soon after its context ends, and may be called more often than Every says.
	Do func(ctx context.Context) error
}

// Periodic registers periodic work. It must come before Run, and panics when the name is taken or empty, or there is no
// interval.
func (j *Jobs) Periodic(p Periodic) {
	if p.Timeout <= 0 {
		p.Timeout = defaultTimeout
	}
	if _, taken := j.periodic[p.Name]; taken || p.Name == "" || p.Every <= 0 || p.Do == nil {
		panic("jobs: the periodic work " + p.Name + " cannot be registered")
	}
	j.periodic[p.Name] = p
}

// schedule is how River's leader starts it. A run that did not come off is not made up for: the next one is near. The
// claim keeps runs apart; River's unique jobs would keep the next ones out for as long as a dead process's run is not
// rescued.
func (p Periodic) schedule() *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(p.Every),
		func() (river.JobArgs, *river.InsertOpts) {
			return envelope{kind: periodicKind, Key: p.Name}, &river.InsertOpts{MaxAttempts: 1, Queue: queuePeriodic}
		},
		&river.PeriodicJobOpts{ID: p.Name, RunOnStart: true})
}

type periodicWorker struct{ jobs *Jobs }

var _ river.Worker[envelope] = periodicWorker{}

func (periodicWorker) Middleware(*rivertype.JobRow) []rivertype.WorkerMiddleware { return nil }
func (periodicWorker) NextRetry(*river.Job[envelope]) time.Time                  { return time.Time{} }
func (w periodicWorker) Timeout(job *river.Job[envelope]) time.Duration {
	return 2 * max(defaultTimeout, w.jobs.periodic[job.Args.Key].Timeout)
}

// Work does it. The outcome goes to jobs_periodic; for River it is done.
func (w periodicWorker) Work(ctx context.Context, job *river.Job[envelope]) error {
	if p, ok := w.jobs.periodic[job.Args.Key]; ok {
		return w.jobs.perform(ctx, p)
	}
	return nil // of another version of the program
}

// perform does it, unless it is being done; the error is of the claim.
func (j *Jobs) perform(ctx context.Context, p Periodic) error {
	holder := rand.Text()
	claimed, err := j.claim(ctx, p, holder)
	if err != nil || !claimed {
		return err
	}
	outcome := contained(ctx, p.Timeout, p.Do)
	if outcome != nil && ctx.Err() == nil {
		j.Log.Error("periodic work failed", "name", p.Name, "error", outcome)
	}
	return j.release(context.WithoutCancel(ctx), p, holder, outcome)
}

// claim reports whether this run is now the only one, until its time limit.
func (j *Jobs) claim(ctx context.Context, p Periodic, holder string) (claimed bool, err error) {
	now := j.Clock()
	err = j.DB.Write(ctx, func(tx *store.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO jobs_periodic (name, every_ms, holder, started, claimed_until, finished, succeeded, failures, failure)
			VALUES ($1, $2, $3, $4, $5, '', '', 0, '')
			ON CONFLICT (name) DO UPDATE SET every_ms = excluded.every_ms, holder = excluded.holder, started = excluded.started,
				claimed_until = excluded.claimed_until WHERE jobs_periodic.claimed_until <= excluded.started`,
			p.Name, p.Every.Milliseconds(), holder, store.Time(now), store.Time(now.Add(p.Timeout)))
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		claimed = n == 1
		return err
	})
	return claimed, err
}

// release records the outcome, unless another run has the claim by now.
func (j *Jobs) release(ctx context.Context, p Periodic, holder string, outcome error) error {
	now := store.Time(j.Clock())
	return j.DB.Write(ctx, func(tx *store.Tx) error {
		if outcome != nil {
			_, err := tx.ExecContext(ctx, `UPDATE jobs_periodic SET claimed_until = '', finished = $1, failures = failures + 1, failure = $2
				WHERE name = $3 AND holder = $4`, now, recordable(outcome), p.Name, holder)
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE jobs_periodic SET claimed_until = '', finished = $1, succeeded = $1, failures = 0, failure = ''
			WHERE name = $2 AND holder = $3`, now, p.Name, holder)
		return err
	})
}

// watchOverdue does periodic work that nobody did for too long: River's leader may be stuck, or its tables locked.
func (j *Jobs) watchOverdue(ctx context.Context) {
	began := j.Clock()
	shortest := time.Duration(0)
	for _, p := range j.periodic {
		if p.Patience > 0 && (shortest == 0 || p.Patience < shortest) {
			shortest = p.Patience
		}
	}
	if shortest == 0 {
		return
	}
	tick := time.NewTicker(shortest / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		ended, err := j.Schedules(ctx)
		if err != nil {
			continue
		}
		last := make(map[string]time.Time)
		for _, s := range ended {
			last[s.Name] = s.Finished
		}
		for name, p := range j.periodic {
			at := last[name]
			if at.Before(began) {
				at = began
			}
			if p.Patience <= 0 || j.Clock().Sub(at) < p.Patience {
				continue
			}
			j.Log.Warn("periodic work is overdue; this process does it", "name", name, "since", at)
			if err := j.perform(ctx, p); err != nil && ctx.Err() == nil {
				j.Log.Error("doing overdue work", "name", name, "error", err)
			}
		}
	}
}

// Schedule is how periodic work went. Times are zero when there was none.
type Schedule struct {
	Name      string        `json:"name"`
	Every     time.Duration `json:"-"`
	Started   time.Time     `json:"started,omitzero"`
	Running   bool          `json:"running"`
	Finished  time.Time     `json:"finished,omitzero"`
	Succeeded time.Time     `json:"succeeded,omitzero"`
	Failures  int           `json:"failures"` // in a row
	Failure   string        `json:"failure,omitempty"`
}

// Late reports that it last succeeded so long ago that something must be wrong: three intervals and a minute.
func (s Schedule) Late(now time.Time) bool {
	return now.Sub(s.Succeeded) > 3*s.Every+time.Minute
}

// Schedules lists all periodic work that ever ran in this database, by name.
func (j *Jobs) Schedules(ctx context.Context) ([]Schedule, error) {
	rows, err := j.DB.Read().QueryContext(ctx, `SELECT name, every_ms, started, claimed_until, finished, succeeded, failures, failure
		FROM jobs_periodic ORDER BY name`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Schedule
	for rows.Next() {
		var s Schedule
		var every int64
		var started, claimed, finished, succeeded string
		if err := rows.Scan(&s.Name, &every, &started, &claimed, &finished, &succeeded, &s.Failures, &s.Failure); err != nil {
			return nil, err
		}
		s.Every = time.Duration(every) * time.Millisecond
		for text, to := range map[*string]*time.Time{&started: &s.Started, &finished: &s.Finished, &succeeded: &s.Succeeded} {
			if *text == "" {
				continue
			}
			if *to, err = store.ParseTime(*text); err != nil {
				return nil, err
			}
		}
		s.Running = claimed > store.Time(j.Clock())
		list = append(list, s)
	}
	return list, rows.Err()
}
