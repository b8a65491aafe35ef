package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"yinxin/internal/store"
)

// quiet keeps River's remarks about its own starts and stops out of the operator's log.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(warnings{log.Handler()}) }

type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}
func (w warnings) WithAttrs(list []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(list)}
}
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

// Config is what New needs; of the rest zero means the default.
type Config struct {
	DB    *store.DB
	Clock func() time.Time
	Log   *slog.Logger
	// Workers is how many queued jobs run at once in this process: 4.
	Workers int
	// Poll is how often this process looks for jobs that are due: every second.
	Poll time.Duration
	// Grace is how long running jobs may take to finish when Run ends: 10 seconds.
	Grace time.Duration
	// RescueAfter is the least time after which a job that a dead process left running is taken up again: 45 seconds.
	// No job is taken from a living process: the time limit of its kind comes first.
	RescueAfter time.Duration
}

func (c Config) withDefaults() Config {
	if c.Workers <= 0 {
		c.Workers = 4
	}
	if c.Poll <= 0 {
		c.Poll = time.Second
	}
	if c.Grace <= 0 {
		c.Grace = 10 * time.Second
	}
	if c.RescueAfter <= 0 {
		c.RescueAfter = 45 * time.Second
	}
	return c
}

// The queues: periodic work does not wait behind a thousand mails.
const (
	queueWork     = river.QueueDefault
	queuePeriodic = "periodic"
)

// periodicKind is the kind of the jobs that stand for one run of periodic work; their key is its name.
const periodicKind = "periodic"

// Jobs is the room's door. It is safe for concurrent use once everything is registered.
type Jobs struct {
	Config
	pool     *sql.DB
	driver   riverdriver.Driver[*sql.Tx]
	inserter *river.Client[*sql.Tx] // works nothing: inserts, lists, cancels
	kinds    map[string]runner
	periodic map[string]Periodic

	mutex   sync.Mutex
	running map[int64]context.CancelCauseFunc // by job
}

// New opens the queue over tables that Migrate has made. Nothing runs before Run. Close it when it is no longer needed,
// before the database.
func New(c Config) (*Jobs, error) {
	j := &Jobs{Config: c.withDefaults(), kinds: make(map[string]runner), periodic: make(map[string]Periodic),
		running: make(map[int64]context.CancelCauseFunc)}
	var err error
	if j.pool, j.driver, err = openPool(c.DB); err != nil {
		return nil, err
	}
	if j.inserter, err = river.NewClient(j.driver, &river.Config{Logger: quiet(c.Log)}); err != nil {
		_ = j.pool.Close()
		return nil, err
	}
	return j, nil
}

// Close releases the connections. Run must have ended.
func (j *Jobs) Close() error { return j.pool.Close() }

// Kind says what sort of work it is and how patiently it is done; of everything but the name zero means the default.
type Kind struct {
	// Name is lower-case words with dots: "mail.send". It stays for as long as jobs of it may be in a database.
	Name string
	// Timeout is how long one attempt may take: 20 seconds. After it the context ends; the handler must then return.
	Timeout time.Duration
	// Attempts is how often it is tried before it counts as failed: 12.
	Attempts int
	// Pause gives the time between an attempt, counted from 1, and the next: 10 seconds, doubled each time, at most
	// 6 hours; twelve attempts stretch over about six hours.
	Pause func(attempt int) time.Duration
}

const (
	defaultTimeout  = 20 * time.Second
	defaultAttempts = 12
	pauseFirst      = 10 * time.Second
	pauseMost       = 6 * time.Hour
)

func pause(attempt int) time.Duration {
	if attempt > 20 {
		return pauseMost
	}
	return min(pauseMost, pauseFirst<<max(0, attempt-1))
}

func (k Kind) withDefaults() Kind {
	if k.Timeout <= 0 {
		k.Timeout = defaultTimeout
	}
	if k.Attempts <= 0 {
		k.Attempts = defaultAttempts
	}
	if k.Pause == nil {
		k.Pause = pause
	}
	return k
}

// Job is what a handler learns of the job besides its arguments.
type Job struct {
	ID      int64
	Kind    string
	Key     string
	Attempt int  // from 1
	Last    bool // no further attempt follows when this one fails
}

// runner is a registered kind without the type of its arguments.
type runner struct {
	Kind
	run func(ctx context.Context, job Job, args json.RawMessage) error
}

// Queue takes in jobs of one kind, whose arguments are a T.
type Queue[T any] struct {
	jobs *Jobs
	kind Kind
}

// Register says how jobs of a kind are done and gives the queue that takes them in. T is what encoding/json reads and
// writes; identifiers only, no secrets, no personal data. It must come before Run, and panics when the name is taken.
//
// The handler may be called again for the same job, and must return soon after its context ends. An error from
// Permanent ends the job at once.
func Register[T any](j *Jobs, k Kind, handle func(ctx context.Context, job Job, args T) error) *Queue[T] {
	k = k.withDefaults()
	if _, taken := j.kinds[k.Name]; taken || k.Name == "" || k.Name == periodicKind {
		panic("jobs: the kind " + k.Name + " cannot be registered")
	}
	j.kinds[k.Name] = runner{Kind: k, run: func(ctx context.Context, job Job, raw json.RawMessage) error {
		var args T
		if err := json.Unmarshal(raw, &args); err != nil {
			return Permanent(ErrArguments.With("%s", k.Name).Because(err))
		}
		return handle(ctx, job, args)
	}}
	return &Queue[T]{jobs: j, kind: k}
}

// Enqueue asks for a job within a transaction: it exists if and only if the transaction is committed. While another of
// the kind with the same key waits, runs or is to be retried, none is added; an empty key is like no other.
func (q *Queue[T]) Enqueue(ctx context.Context, tx *store.Tx, key string, args T) (added bool, err error) {
	return q.EnqueueAt(ctx, tx, key, args, time.Time{})
}

// EnqueueAt is Enqueue for a job that is not to run before a time; zero is at once.
func (q *Queue[T]) EnqueueAt(ctx context.Context, tx *store.Tx, key string, args T, at time.Time) (added bool, err error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return false, ErrRequest.With("%s", q.kind.Name).Because(err)
	}
	options := river.InsertOpts{MaxAttempts: q.kind.Attempts, Queue: queueWork, ScheduledAt: at}
	if key != "" {
		options.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: unfinished}
	}
	err = within(ctx, tx, func(inner *sql.Tx) error {
		result, err := q.jobs.inserter.InsertTx(ctx, inner, envelope{kind: q.kind.Name, Key: key, Args: raw}, &options)
		if err == nil {
			added = !result.UniqueSkippedAsDuplicate
		}
		return err
	})
	return added, err
}

// unfinished are the states in which a job keeps others with its key out.
var unfinished = []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
	rivertype.JobStateRunning, rivertype.JobStateScheduled}

// envelope is what River keeps of every job; the key alone makes it unique.
type envelope struct {
	kind string
	Key  string          `json:"key,omitempty" river:"unique"`
	Args json.RawMessage `json:"args,omitempty"`
}

// Kind implements river.JobArgs.
func (e envelope) Kind() string { return e.kind }
