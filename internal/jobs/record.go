package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// State is what a job is doing.
type State string

// The states of jobs.
const (
	StateWaiting   State = "waiting"   // to be run for the first time, now or at its time
	StateRunning   State = "running"   // or left behind by a process that died
	StateRetrying  State = "retrying"  // failed, to be tried again
	StateDone      State = "done"      // kept for an hour
	StateFailed    State = "failed"    // given up; kept for 30 days
	StateCancelled State = "cancelled" // by a person; kept for 30 days
)

// Record is a job as the database has it.
type Record struct {
	ID       int64           `json:"id"`
	Kind     string          `json:"kind"`
	Key      string          `json:"key,omitempty"`
	Args     json.RawMessage `json:"args,omitempty"`
	State    State           `json:"state"`
	Attempt  int             `json:"attempt"` // of the last one, 0 when there was none
	Attempts int             `json:"attempts"`
	Created  time.Time       `json:"created"`
	Due      time.Time       `json:"due"`               // when it may run (again)
	Ended    time.Time       `json:"ended,omitzero"`    // zero while it has not
	Failure  string          `json:"failure,omitempty"` // the last one: its code and sentence
}

// Filter narrows List; empty fields do not. Limit 0 means 100; at most 1000 come at once. Of runs of periodic work List
// never speaks: Schedules does.
type Filter struct {
	States []State
	Kind   string
	Before int64 // continues a list behind the job with this number
	Limit  int
}

// List gives jobs, newest first.
func (j *Jobs) List(ctx context.Context, f Filter) ([]Record, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	f.Limit = min(f.Limit, 1000)
	params := river.NewJobListParams().OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(1000).Queues(queueWork)
	if f.Kind != "" {
		params = params.Kinds(f.Kind)
	}
	if states := riverStates(f.States); len(states) > 0 {
		params = params.States(states...)
	}
	if f.Before > 0 {
		params = params.Where("id < @before", river.NamedArgs{"before": f.Before})
	}
	var list []Record
	for {
		page, err := j.inserter.JobList(ctx, params)
		if err != nil {
			return nil, err
		}
		for _, row := range page.Jobs {
			r := record(row)
			// River's states do not tell a first attempt from a later one, nor giving up from a person's word.
			if len(f.States) > 0 && !slices.Contains(f.States, r.State) {
				continue
			}
			if list = append(list, r); len(list) == f.Limit {
				return list, nil
			}
		}
		if len(page.Jobs) < 1000 || page.LastCursor == nil {
			return list, nil
		}
		params = params.After(page.LastCursor)
	}
}

// CountFailed is how many jobs failed for good: what List gives in StateFailed, which River's states do not tell from what a
// person cancelled.
func (j *Jobs) CountFailed(ctx context.Context) (n int, err error) {
	err = j.DB.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM river_job WHERE queue = $1
		AND (state = 'discarded' OR state = 'cancelled' AND CAST(metadata AS TEXT) NOT LIKE '%"cancel_attempted_at"%')`, queueWork).Scan(&n)
	return n, err
}

func riverStates(states []State) (list []rivertype.JobState) {
	waits := []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateScheduled}
	for _, s := range states {
		switch s {
		case StateWaiting:
			list = append(list, waits...)
		case StateRunning:
			list = append(list, rivertype.JobStateRunning)
		case StateRetrying:
			list = append(append(list, rivertype.JobStateRetryable), waits...)
		case StateDone:
			list = append(list, rivertype.JobStateCompleted)
		case StateFailed:
			list = append(list, rivertype.JobStateDiscarded, rivertype.JobStateCancelled)
		case StateCancelled:
			list = append(list, rivertype.JobStateCancelled)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func record(row *rivertype.JobRow) Record {
	var e envelope
	_ = json.Unmarshal(row.EncodedArgs, &e) // what is not ours has no key
	r := Record{ID: row.ID, Kind: row.Kind, Key: e.Key, Args: e.Args, Attempt: row.Attempt, Attempts: row.MaxAttempts,
		Created: row.CreatedAt.UTC(), Due: row.ScheduledAt.UTC()}
	if row.FinalizedAt != nil {
		r.Ended = row.FinalizedAt.UTC()
	}
	if n := len(row.Errors); n > 0 {
		r.Failure = strings.TrimPrefix(row.Errors[n-1].Error, "JobCancelError: ") // River's word for a permanent one
	}
	switch row.State {
	case rivertype.JobStateRunning:
		r.State = StateRunning
	case rivertype.JobStateCompleted:
		r.State, r.Failure = StateDone, ""
	case rivertype.JobStateDiscarded:
		r.State = StateFailed
	case rivertype.JobStateCancelled:
		r.State = StateFailed
		if cancelledByPerson(row) {
			r.State = StateCancelled
		}
	default:
		r.State = StateWaiting
		if row.Attempt > 0 {
			r.State = StateRetrying
		}
	}
	return r
}

// cancelledByPerson reports whether Cancel was called for the job; a job that was given up has no such mark.
func cancelledByPerson(row *rivertype.JobRow) bool {
	var mark struct {
		At *time.Time `json:"cancel_attempted_at"`
	}
	return json.Unmarshal(row.Metadata, &mark) == nil && mark.At != nil
}

// Get finds a job of the work queue: jobs.not-found.
func (j *Jobs) Get(ctx context.Context, id int64) (Record, error) {
	return known(j.inserter.JobGet(ctx, id))
}

// known is a job of the work queue as River answers.
func known(row *rivertype.JobRow, err error) (Record, error) {
	if errors.Is(err, rivertype.ErrNotFound) || err == nil && row.Queue != queueWork {
		return Record{}, ErrNotFound.New()
	}
	if err != nil {
		return Record{}, err
	}
	return record(row), nil
}
