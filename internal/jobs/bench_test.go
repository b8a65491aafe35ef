package jobs_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"yinxin/internal/jobs"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func benchmarked(b *testing.B) (*store.DB, *jobs.Jobs) {
	db := storetest.Open(b, filepath.Join(b.TempDir(), "yinxin.db"))
	j := open(b, db, func(c *jobs.Config) { c.Log = slog.New(slog.NewTextHandler(io.Discard, nil)) })
	err := db.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(context.Background(), `CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT)`)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return db, j
}

func insertThing(tx *store.Tx, name string) error {
	_, err := tx.ExecContext(context.Background(), `INSERT INTO thing (name) VALUES ($1)`, name)
	return err
}

// BenchmarkEnqueue is a transaction with a row and a job; the floor is the same transaction without the job. Its cost is
// that of the synchronisation of the disk, so both are taken with many rows per transaction.
func BenchmarkEnqueue(b *testing.B) {
	ctx := context.Background()
	for name, with := range map[string]bool{"job": true, "floor": false} {
		b.Run(name, func(b *testing.B) {
			db, j := benchmarked(b)
			q := jobs.Register(j, jobs.Kind{Name: "test.order"}, func(context.Context, jobs.Job, order) error { return nil })
			b.ResetTimer()
			err := db.Write(ctx, func(tx *store.Tx) error {
				for i := range b.N {
					if err := insertThing(tx, "a thing"); err != nil {
						return err
					}
					if !with {
						continue
					}
					if _, err := q.Enqueue(ctx, tx, fmt.Sprint(i), order{"17"}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkJobToTheEnd is the time from asking for a job to its running, polling included, on an idle database and on
// one that eight goroutines write to without a pause.
func BenchmarkJobToTheEnd(b *testing.B) {
	ctx := context.Background()
	for _, writers := range []int{0, 8} {
		b.Run(fmt.Sprintf("writers-%d", writers), func(b *testing.B) {
			db, j := benchmarked(b)
			came := make(chan struct{})
			q := jobs.Register(j, jobs.Kind{Name: "test.order"}, func(context.Context, jobs.Job, order) error { came <- struct{}{}; return nil })
			defer start(b, j)()
			stop := make(chan struct{})
			var all sync.WaitGroup
			for range writers {
				all.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							if err := db.Write(ctx, func(tx *store.Tx) error { return insertThing(tx, "a thing") }); err != nil {
								b.Error(err)
								return
							}
						}
					}
				})
			}
			var longest time.Duration
			for b.Loop() {
				began := time.Now()
				enqueue(b, db, q, "", order{"17"})
				<-came
				longest = max(longest, time.Since(began))
			}
			b.ReportMetric(float64(longest.Milliseconds()), "ms-longest")
			close(stop)
			all.Wait()
		})
	}
}
