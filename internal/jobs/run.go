package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// How long things stay in the list after their end.
const (
	keepDone   = time.Hour
	keepFailed = 30 * 24 * time.Hour
)

// Run works until ctx ends: it takes up jobs, and starts periodic work when this process is the leader. Then it lets
// running jobs finish for Grace, ends the contexts of those that still run, and returns when all have. It runs once.
func (j *Jobs) Run(ctx context.Context) error {
	client, err := j.client()
	if err != nil {
		return err
	}
	background := context.WithoutCancel(ctx)
	if err := client.Start(background); err != nil {
		return err
	}
	watching, stop := context.WithCancel(background)
	var watchers sync.WaitGroup
	watchers.Go(func() { j.watchCancelled(watching) })
	watchers.Go(func() { j.watchOverdue(watching) })
	<-ctx.Done()
	stop()
	watchers.Wait()
	return j.end(background, client)
}

// end stops the client, gently at first. A handler that ignores the end of its context is left behind, after as long
// again: its job is taken up as that of a dead process.
func (j *Jobs) end(ctx context.Context, client *river.Client[*sql.Tx]) error {
	gently, cancel := context.WithTimeout(ctx, j.Grace)
	defer cancel()
	if err := client.Stop(gently); err == nil {
		return nil
	}
	hard, cancel := context.WithTimeout(ctx, j.Grace)
	defer cancel()
	if err := client.StopAndCancel(hard); err != nil {
		return fmt.Errorf("jobs that do not end: %w", err)
	}
	return nil
}

func (j *Jobs) client() (*river.Client[*sql.Tx], error) {
	workers := river.NewWorkers()
	for _, name := range slices.Sorted(maps.Keys(j.kinds)) {
		river.AddWorkerArgs(workers, envelope{kind: name}, river.Worker[envelope](worker{jobs: j, kind: j.kinds[name]}))
	}
	var periodic []*river.PeriodicJob
	river.AddWorkerArgs(workers, envelope{kind: periodicKind}, river.Worker[envelope](periodicWorker{jobs: j}))
	for _, name := range slices.Sorted(maps.Keys(j.periodic)) {
		periodic = append(periodic, j.periodic[name].schedule())
	}
	return river.NewClient(j.driver, &river.Config{
		Logger:               quiet(j.Log),
		Workers:              workers,
		PeriodicJobs:         periodic,
		Queues:               map[string]river.QueueConfig{queueWork: {MaxWorkers: j.Workers}, queuePeriodic: {MaxWorkers: max(2, len(periodic))}},
		FetchCooldown:        min(j.Poll, river.FetchCooldownDefault),
		FetchPollInterval:    j.Poll,
		JobTimeout:           min(defaultTimeout, j.RescueAfter),
		RescueStuckJobsAfter: j.RescueAfter,

		CompletedJobRetentionPeriod: keepDone,
		CancelledJobRetentionPeriod: keepFailed,
		DiscardedJobRetentionPeriod: keepFailed,
	})
}

// worker is how River sees a kind.
type worker struct {
	jobs *Jobs
	kind runner
}

var _ river.Worker[envelope] = worker{}

func (worker) Middleware(*rivertype.JobRow) []rivertype.WorkerMiddleware { return nil }

// Timeout is also what River's rescuer waits for, and it must wait for longer than a living process can take.
func (w worker) Timeout(*river.Job[envelope]) time.Duration { return 2 * w.kind.Timeout }

// NextRetry is in the machine's time, as all of River's.
func (w worker) NextRetry(job *river.Job[envelope]) time.Time {
	return time.Now().Add(w.kind.Pause(job.Attempt))
}

// Work runs one attempt. What River is told of an error is what the database may keep.
func (w worker) Work(ctx context.Context, job *river.Job[envelope]) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.jobs.mutex.Lock()
	w.jobs.running[job.ID] = cancel
	w.jobs.mutex.Unlock()
	defer func() {
		w.jobs.mutex.Lock()
		delete(w.jobs.running, job.ID)
		w.jobs.mutex.Unlock()
	}()
	told := Job{ID: job.ID, Kind: job.Kind, Key: job.Args.Key, Attempt: job.Attempt, Last: job.Attempt >= job.MaxAttempts}
	err := contained(ctx, w.kind.Timeout, func(ctx context.Context) error { return w.kind.run(ctx, told, job.Args.Args) })
	if err == nil {
		return nil
	}
	var forGood permanent
	cancelled := errors.Is(context.Cause(ctx), errCancelled)
	w.jobs.Log.Warn("a job failed", "kind", job.Kind, "job", job.ID, "key", job.Args.Key, "attempt", job.Attempt,
		"last", told.Last || cancelled || errors.As(err, &forGood), "error", err)
	kept := errors.New(recordable(err))
	if cancelled || errors.As(err, &forGood) {
		return river.JobCancel(kept)
	}
	return kept
}

// contained calls fn with a time limit and makes an error of a panic.
func contained(ctx context.Context, limit time.Duration, fn func(ctx context.Context) error) (err error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			// What the runtime says holds no data; anything else might.
			said := fmt.Errorf("a %T", r)
			if e, ok := r.(runtime.Error); ok {
				said = e
			}
			err = ErrPanic.Because(fmt.Errorf("%w\n%s", said, debug.Stack()))
		}
	}()
	err = fn(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return ErrTime.With("%s", limit).Because(err)
	}
	return err
}

var errCancelled = errors.New("jobs: cancelled by a person")

// watchCancelled ends the contexts of running jobs that somebody cancelled. River tells its workers only where the
// database can call (LISTEN), which database/sql cannot.
func (j *Jobs) watchCancelled(ctx context.Context) {
	tick := time.NewTicker(2 * j.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		j.mutex.Lock()
		ids := slices.Collect(maps.Keys(j.running))
		j.mutex.Unlock()
		if len(ids) == 0 {
			continue
		}
		found, err := j.inserter.JobList(ctx, river.NewJobListParams().IDs(ids...).First(len(ids)))
		if err != nil {
			continue // what is wrong with the database is said elsewhere; it is asked again soon
		}
		for _, row := range found.Jobs {
			if !cancelledByPerson(row) {
				continue
			}
			j.mutex.Lock()
			if cancel := j.running[row.ID]; cancel != nil {
				cancel(errCancelled)
			}
			j.mutex.Unlock()
		}
	}
}
