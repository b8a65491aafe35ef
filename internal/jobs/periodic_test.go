package jobs_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/internal/jobs"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// killedVariable makes TestMain's process the one that is killed: it holds the address of the database.
const killedVariable = "YINXIN_TEST_JOBS_DATABASE"

func TestMain(m *testing.M) {
	if url := os.Getenv(killedVariable); url != "" {
		workUntilKilled(url)
	}
	os.Exit(m.Run())
}

func workUntilKilled(url string) {
	db, err := store.Open(context.Background(), url)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	j, err := jobs.New(jobs.Config{DB: db, Clock: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Poll: 20 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	jobs.Register(j, killedKind, func(context.Context, jobs.Job, order) error {
		fmt.Println("job")
		select {}
	})
	j.Periodic(jobs.Periodic{Name: "test.tick", Every: 100 * time.Millisecond, Do: func(context.Context) error {
		fmt.Println("tick")
		return nil
	}})
	fmt.Println(j.Run(context.Background()))
}

var killedKind = jobs.Kind{Name: "test.order", Timeout: 200 * time.Millisecond, Pause: quick}

func TestJobsOfKilledProcessAreTakenUpByAnother(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Parallel() // most of it is waiting for the dead leader's time to end
		db := storetest.Open(t, url)
		j := open(t, db, func(c *jobs.Config) { c.RescueAfter = time.Second })
		again, ticks := make(chan jobs.Job, 10), make(chan time.Time, 1000)
		q := jobs.Register(j, killedKind, func(_ context.Context, job jobs.Job, o order) error {
			if o.Serial != "17" {
				t.Errorf("%+v", o)
			}
			again <- job
			return nil
		})
		j.Periodic(jobs.Periodic{Name: "test.tick", Every: 100 * time.Millisecond, Do: func(context.Context) error {
			ticks <- time.Now()
			return nil
		}})
		enqueue(t, db, q, "k", order{"17"})

		executable, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		victim := exec.Command(executable)
		victim.Env = append(os.Environ(), killedVariable+"="+url)
		output, err := victim.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		lines, said := bufio.NewScanner(output), map[string]bool{}
		for !(said["job"] && said["tick"]) && lines.Scan() {
			said[lines.Text()] = true
		}
		if err := victim.Process.Kill(); err != nil { // SIGKILL
			t.Fatal(err)
		}
		killed := time.Now()
		_ = victim.Wait()
		if !said["job"] || !said["tick"] {
			t.Fatalf("the other process said %v", said)
		}
		if l := list(t, j, jobs.Filter{}); len(l) != 1 || l[0].State != jobs.StateRunning {
			t.Fatalf("left behind: %+v", l)
		}
		start(t, j)
		first := receive(t, ticks, "periodic work of the new leader")
		if waited := first.Sub(killed); waited > 25*time.Second {
			t.Errorf("periodic work stood still for %v", waited)
		}
		job := receive(t, again, "the job again")
		if job.Attempt != 2 {
			t.Errorf("%+v", job)
		}
		t.Logf("periodic work went on after %v, the job after %v", first.Sub(killed), time.Since(killed))
		await(t, "it is done", func() bool { l := list(t, j, jobs.Filter{}); return len(l) == 1 && l[0].State == jobs.StateDone })
	})
}

func TestPeriodicWorkIsDoneByOneProcessAtATime(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		var inside, runs atomic.Int32
		enough := make(chan struct{})
		work := jobs.Periodic{Name: "test.tick", Every: 30 * time.Millisecond, Patience: 90 * time.Millisecond, Do: func(context.Context) error {
			if inside.Add(1) != 1 {
				t.Error("two at once")
			}
			defer inside.Add(-1)
			if runs.Add(1) == 6 {
				close(enough)
			}
			return nil
		}}
		for range 3 {
			j := open(t, storetest.Open(t, url), nil)
			j.Periodic(work)
			start(t, j)
		}
		receive(t, enough, "six runs")
	})
}

func TestOverdueWorkIsDoneWithoutRiver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		j := open(t, db, nil)
		// A leader that is not there, and whose time does not end.
		err := db.Write(context.Background(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(context.Background(), `INSERT INTO river_leader (elected_at, expires_at, leader_id)
				VALUES ('2026-01-01 00:00:00', '2126-01-01 00:00:00', 'stuck')`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		patient, idle := make(chan struct{}, 100), make(chan struct{}, 100)
		j.Periodic(jobs.Periodic{Name: "test.patient", Every: 10 * time.Millisecond, Patience: 60 * time.Millisecond,
			Do: func(context.Context) error { patient <- struct{}{}; return nil }})
		j.Periodic(jobs.Periodic{Name: "test.idle", Every: 10 * time.Millisecond,
			Do: func(context.Context) error { idle <- struct{}{}; return nil }})
		start(t, j)
		receive(t, patient, "the first run")
		receive(t, patient, "the second run")
		if len(idle) > 0 {
			t.Error("River has a leader after all: the test shows nothing")
		}
	})
}

func TestPeriodicOutcomeIsRecorded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		var mutex sync.Mutex
		now := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
		clock := func() time.Time { mutex.Lock(); defer mutex.Unlock(); return now }
		j := open(t, db, func(c *jobs.Config) { c.Clock = clock })
		var fails atomic.Bool
		fails.Store(true)
		ran := make(chan struct{}, 100)
		j.Periodic(jobs.Periodic{Name: "test.tick", Every: 20 * time.Millisecond, Do: func(context.Context) error {
			select {
			case ran <- struct{}{}:
			default:
			}
			if fails.Load() {
				return errors.New("Zhang San")
			}
			return nil
		}})
		stop := start(t, j)
		schedule := func() jobs.Schedule {
			l, err := j.Schedules(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if len(l) == 0 {
				return jobs.Schedule{}
			}
			return l[0]
		}
		await(t, "two failures", func() bool { return schedule().Failures >= 2 })
		if s := schedule(); s.Failure != "*errors.errorString" || !s.Succeeded.IsZero() || s.Every != 20*time.Millisecond || !s.Late(now) {
			t.Errorf("%+v", s)
		}
		fails.Store(false)
		await(t, "a success", func() bool { return schedule().Failures == 0 })
		s := schedule()
		if !s.Succeeded.Equal(now) || s.Failure != "" || s.Late(now.Add(time.Minute)) || !s.Late(now.Add(62*time.Second)) {
			t.Errorf("%+v", s)
		}
		if l := list(t, j, jobs.Filter{}); len(l) != 0 {
			t.Errorf("List speaks of %+v", l)
		}
		stop()
		// A process that died in a run keeps others out until its time limit, and no longer.
		err := db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE jobs_periodic SET holder = 'dead', claimed_until = $1`, store.Time(now.Add(20*time.Second)))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		other := open(t, db, func(c *jobs.Config) { c.Clock = clock })
		skipped := make(chan string, 1000)
		other.Periodic(jobs.Periodic{Name: "test.tick", Every: 20 * time.Millisecond, Do: func(context.Context) error {
			mutex.Lock()
			defer mutex.Unlock()
			skipped <- now.Format("05")
			return nil
		}})
		start(t, other)
		done := func() (n int) {
			if err := db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM river_job WHERE state = 'completed'`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := done()
		await(t, "River started it several times", func() bool { return done() >= before+2 })
		mutex.Lock()
		now = now.Add(20 * time.Second)
		mutex.Unlock()
		if at := receive(t, skipped, "the run after the limit"); at != "20" {
			t.Errorf("it ran at second %s", at)
		}
	})
}
