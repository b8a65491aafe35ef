package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/jobs"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

type order struct {
	Serial string `json:"serial"`
}

// patience bounds every wait of these tests; it is far above what the slowest machine needs.
const patience = time.Minute

// testLog writes into the test's output as long as the test runs.
type testLog struct {
	t    testing.TB
	done atomic.Bool
}

func (l *testLog) Write(b []byte) (int, error) {
	if !l.done.Load() {
		l.t.Log(strings.TrimSpace(string(b)))
	}
	return len(b), nil
}

func newLog(t testing.TB) *slog.Logger {
	l := &testLog{t: t}
	t.Cleanup(func() { l.done.Store(true) })
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func open(t testing.TB, db *store.DB, change func(c *jobs.Config)) *jobs.Jobs {
	t.Helper()
	storetest.Migrate(t, db, jobs.Migrate)
	c := jobs.Config{DB: db, Clock: time.Now, Log: newLog(t), Poll: 20 * time.Millisecond, Grace: 5 * time.Second}
	if change != nil {
		change(&c)
	}
	j, err := jobs.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// start runs the jobs until stop is called, or the test ends.
func start(t testing.TB, j *jobs.Jobs) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the end: %v", err)
			}
		case <-time.After(patience):
			t.Error("it does not end")
		}
	})
	t.Cleanup(stop)
	return stop
}

func receive[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: nothing came", what)
		panic("unreachable")
	}
}

// await asks until the answer is yes. What River records after a handler has returned has no other sign.
func await(t testing.TB, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !yes() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s: it did not come about", what)
		}
	}
}

func enqueue(t testing.TB, db *store.DB, q *jobs.Queue[order], key string, o order) bool {
	t.Helper()
	var added bool
	err := db.Write(context.Background(), func(tx *store.Tx) (err error) {
		added, err = q.Enqueue(context.Background(), tx, key, o)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return added
}

func list(t testing.TB, j *jobs.Jobs, f jobs.Filter) []jobs.Record {
	t.Helper()
	l, err := j.List(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func quick(int) time.Duration { return time.Millisecond }

func TestJobExistsExactlyWhenItsTransactionWasCommitted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		j := open(t, db, nil)
		came := make(chan string, 100)
		q := jobs.Register(j, jobs.Kind{Name: "test.order"}, func(_ context.Context, job jobs.Job, o order) error {
			if job.Attempt != 1 || job.Kind != "test.order" || job.Key != o.Serial {
				t.Errorf("%+v", job)
			}
			came <- o.Serial
			return nil
		})
		stop := errors.New("undone")
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() { // merged into few commits on SQLite: each for itself
				serial := string(rune('a' + i))
				err := db.Write(context.Background(), func(tx *store.Tx) error {
					if _, err := q.Enqueue(context.Background(), tx, serial, order{serial}); err != nil {
						return err
					}
					if i%2 == 1 {
						return stop
					}
					return nil
				})
				if i%2 == 0 && err != nil || i%2 == 1 && !errors.Is(err, stop) {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		all.Wait()
		if n := len(list(t, j, jobs.Filter{States: []jobs.State{jobs.StateWaiting}})); n != 10 {
			t.Fatalf("%d jobs are waiting, want 10", n)
		}
		start(t, j)
		var got []string
		for range 10 {
			got = append(got, receive(t, came, "a job"))
		}
		await(t, "all are done", func() bool { return len(list(t, j, jobs.Filter{States: []jobs.State{jobs.StateDone}})) == 10 })
		slices.Sort(got)
		if want := strings.Split("acegikmoqs", ""); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestKeyIsTakenWhileItsJobHasNotEnded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		j := open(t, db, nil)
		begun, leave := make(chan string), make(chan struct{})
		q := jobs.Register(j, jobs.Kind{Name: "test.order"}, func(_ context.Context, _ jobs.Job, o order) error {
			begun <- o.Serial
			<-leave
			return nil
		})
		other := jobs.Register(j, jobs.Kind{Name: "test.other"}, func(context.Context, jobs.Job, order) error { return nil })
		if !enqueue(t, db, q, "k", order{"1"}) || enqueue(t, db, q, "k", order{"2"}) {
			t.Error("while it waits")
		}
		if !enqueue(t, db, other, "k", order{"1"}) {
			t.Error("the key of another kind")
		}
		start(t, j)
		if s := receive(t, begun, "the job"); s != "1" {
			t.Errorf("job %s", s)
		}
		if enqueue(t, db, q, "k", order{"3"}) {
			t.Error("while it runs")
		}
		for range 2 {
			if !enqueue(t, db, q, "", order{"4"}) {
				t.Error("without a key all are welcome")
			}
		}
		close(leave)
		for range 2 {
			if s := receive(t, begun, "the jobs without a key"); s != "4" {
				t.Errorf("job %s", s)
			}
		}
		await(t, "it is done", func() bool {
			return len(list(t, j, jobs.Filter{Kind: "test.order", States: []jobs.State{jobs.StateDone}})) == 3
		})
		if !enqueue(t, db, q, "k", order{"5"}) {
			t.Error("after its end")
		}
		receive(t, begun, "the last")
	})
}

func TestFailureIsRecordedAndTriedAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		j := open(t, db, nil)
		var attempts atomic.Int32
		spec := fault.Spec{Kind: fault.Unavailable, Code: "test.away", ZH: "不在。", EN: "It is away."}
		q := jobs.Register(j, jobs.Kind{Name: "test.order", Attempts: 4, Pause: quick}, func(_ context.Context, job jobs.Job, o order) error {
			if n := int(attempts.Add(1)); n != job.Attempt || job.Last != (n >= 4) {
				t.Errorf("attempt %d: %+v", n, job)
			}
			switch job.Attempt {
			case 1:
				return spec.With("12").Because(errors.New("Zhang San 13800001111"))
			case 2:
				panic("Zhang San 13800001111")
			default:
				return errors.New("Zhang San 13800001111")
			}
		})
		enqueue(t, db, q, "k", order{"1"})
		start(t, j)
		failed := jobs.Filter{States: []jobs.State{jobs.StateFailed}}
		await(t, "it has failed", func() bool { return len(list(t, j, failed)) == 1 })
		r := list(t, j, failed)[0]
		if r.Attempt != 4 || r.Attempts != 4 || r.Failure != "*errors.errorString" || r.Ended.IsZero() {
			t.Errorf("%+v", r)
		}
		var kept string
		if err := db.Read().QueryRowContext(context.Background(), `SELECT CAST(errors AS TEXT) FROM river_job`).Scan(&kept); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(kept, "Zhang") || !strings.Contains(kept, "test.away: It is away. (12)") || !strings.Contains(kept, "jobs.panic") {
			t.Errorf("the database keeps %s", kept)
		}
		// By hand it is tried once more.
		if err := j.Retry(context.Background(), r.ID); err != nil {
			t.Fatal(err)
		}
		await(t, "another attempt", func() bool { return attempts.Load() == 5 })
	})
}

func TestPermanentFailureIsNotTriedAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		j := open(t, db, nil)
		var attempts atomic.Int32
		q := jobs.Register(j, jobs.Kind{Name: "test.order", Pause: quick}, func(context.Context, jobs.Job, order) error {
			attempts.Add(1)
			return jobs.Permanent(jobs.ErrArguments.New())
		})
		enqueue(t, db, q, "k", order{"1"})
		start(t, j)
		await(t, "it has failed", func() bool { return len(list(t, j, jobs.Filter{States: []jobs.State{jobs.StateFailed}})) == 1 })
		r := list(t, j, jobs.Filter{})[0]
		if attempts.Load() != 1 || !strings.HasPrefix(r.Failure, "jobs.arguments") {
			t.Errorf("%d attempts, %+v", attempts.Load(), r)
		}
	})
}

func TestHandlerThatTakesTooLongIsEnded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		j := open(t, db, nil)
		q := jobs.Register(j, jobs.Kind{Name: "test.order", Attempts: 1, Timeout: 30 * time.Millisecond}, func(ctx context.Context, _ jobs.Job, _ order) error {
			<-ctx.Done()
			return ctx.Err()
		})
		enqueue(t, db, q, "", order{"1"})
		start(t, j)
		await(t, "it has failed", func() bool { return len(list(t, j, jobs.Filter{States: []jobs.State{jobs.StateFailed}})) == 1 })
		if r := list(t, j, jobs.Filter{})[0]; !strings.HasPrefix(r.Failure, "jobs.time") {
			t.Errorf("%+v", r)
		}
	})
}

func TestCancelEndsWaitingAndRunningJobs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		j := open(t, db, nil)
		begun := make(chan int64)
		q := jobs.Register(j, jobs.Kind{Name: "test.order", Pause: quick}, func(ctx context.Context, job jobs.Job, _ order) error {
			begun <- job.ID
			<-ctx.Done()
			return ctx.Err()
		})
		enqueue(t, db, q, "waits", order{"1"})
		waiting := list(t, j, jobs.Filter{})[0]
		if err := j.Cancel(ctx, waiting.ID); err != nil {
			t.Fatal(err)
		}
		if r := list(t, j, jobs.Filter{})[0]; r.State != jobs.StateCancelled {
			t.Errorf("%+v", r)
		}
		if err := j.Cancel(ctx, waiting.ID); fault.CodeOf(err) != "jobs.done" {
			t.Errorf("again: %v", err)
		}
		if err := j.Retry(ctx, waiting.ID); fault.CodeOf(err) != "jobs.cancelled" {
			t.Errorf("retry: %v", err)
		}
		enqueue(t, db, q, "runs", order{"2"})
		start(t, j)
		id := receive(t, begun, "the job")
		if err := j.Retry(ctx, id); fault.CodeOf(err) != "jobs.running" {
			t.Errorf("retry of a running one: %v", err)
		}
		// Another process says so.
		outside, err := jobs.New(jobs.Config{DB: db, Clock: time.Now, Log: newLog(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer outside.Close()
		if err := outside.Cancel(ctx, id); err != nil {
			t.Fatal(err)
		}
		await(t, "it is cancelled", func() bool { return len(list(t, j, jobs.Filter{States: []jobs.State{jobs.StateCancelled}})) == 2 })
		if err := outside.Cancel(ctx, 12345); fault.CodeOf(err) != "jobs.not-found" {
			t.Errorf("unknown: %v", err)
		}
	})
}

func TestRunLetsJobsFinishAndThenEndsThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		j := open(t, db, func(c *jobs.Config) { c.Grace = 200 * time.Millisecond })
		begun, ended := make(chan string, 2), make(chan string, 2)
		leave := make(chan struct{})
		q := jobs.Register(j, jobs.Kind{Name: "test.order", Attempts: 3}, func(ctx context.Context, _ jobs.Job, o order) error {
			begun <- o.Serial
			if o.Serial == "short" {
				<-leave
				ended <- "finished"
				return nil
			}
			<-ctx.Done()
			ended <- "told to end"
			return ctx.Err()
		})
		enqueue(t, db, q, "", order{"short"})
		enqueue(t, db, q, "", order{"long"})
		stop := start(t, j)
		receive(t, begun, "the first")
		receive(t, begun, "the second")
		go close(leave)
		stop()
		got := []string{receive(t, ended, "one"), receive(t, ended, "the other")}
		slices.Sort(got)
		if !slices.Equal(got, []string{"finished", "told to end"}) {
			t.Errorf("%v", got)
		}
		states := map[jobs.State]int{}
		for _, r := range list(t, j, jobs.Filter{}) {
			states[r.State]++
		}
		if states[jobs.StateDone] != 1 || states[jobs.StateRetrying] != 1 {
			t.Errorf("%v", states)
		}
	})
}

func TestJobWaitsForItsTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		j := open(t, db, nil)
		came := make(chan string, 2)
		q := jobs.Register(j, jobs.Kind{Name: "test.order"}, func(_ context.Context, _ jobs.Job, o order) error { came <- o.Serial; return nil })
		err := db.Write(ctx, func(tx *store.Tx) error {
			_, err := q.EnqueueAt(ctx, tx, "later", order{"later"}, time.Now().Add(time.Hour))
			if err == nil {
				_, err = q.Enqueue(ctx, tx, "now", order{"now"})
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		start(t, j)
		if s := receive(t, came, "the first"); s != "now" {
			t.Errorf("%s", s)
		}
		later := list(t, j, jobs.Filter{States: []jobs.State{jobs.StateWaiting}})
		if len(later) != 1 || time.Until(later[0].Due) < 50*time.Minute {
			t.Fatalf("%+v", later)
		}
		if err := j.Retry(ctx, later[0].ID); err != nil {
			t.Fatal(err)
		}
		if s := receive(t, came, "the second, by hand"); s != "later" {
			t.Errorf("%s", s)
		}
	})
}

func TestMigrateRunsInSeveralProcessesAtOnce(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		var all sync.WaitGroup
		for range 4 {
			db := storetest.Open(t, url)
			all.Go(func() {
				if err := jobs.Migrate(context.Background(), db); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}
