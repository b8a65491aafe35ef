package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func TestSequencersAtOnceNeverGiveAPositionTwice(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		w := newWorld(t, storetest.Open(t, url))
		ctx := context.Background()
		const appenders, each = 3, 40
		var appending, sequencing sync.WaitGroup
		done := make(chan struct{})
		for range 3 {
			// A handle of its own stands for a process of its own.
			other := ledger.New(storetest.Open(t, url), w.key, w.clock.Now)
			sequencing.Go(func() {
				for {
					if _, err := other.Sequence(ctx); err != nil {
						t.Error(err)
					}
					// Every lease has run out at once: each believes that it may go on.
					w.clock.add(time.Hour)
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		for range appenders {
			appending.Go(func() {
				for range each {
					w.append(t, 1)
				}
			})
		}
		appending.Wait()
		close(done)
		sequencing.Wait()
		w.clock.add(time.Hour)
		w.sequence(t)
		result := w.verify(t)
		if !result.OK() || result.Entries != appenders*each || result.Pending != 0 || result.Size != result.Entries {
			t.Fatalf("%+v", result)
		}
	})
}

func TestLeaseKeepsOthersAwayUntilItRunsOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.append(t, 1)
		// As left by a process that died between taking the lease and giving it back.
		w.tamper(t, `UPDATE ledger_head SET holder = 'dead', expires = '`+store.Time(w.clock.Now().Add(2*time.Second))+`'`)
		if n := w.sequence(t); n != 0 {
			t.Fatalf("placed %d under the lease of another", n)
		}
		w.clock.add(3 * time.Second)
		if n := w.sequence(t); n != 1 {
			t.Fatalf("placed %d after the lease ran out", n)
		}
		// It was given back: the next one need not wait.
		w.append(t, 1)
		if n, err := ledger.New(db, w.key, w.clock.Now).Sequence(context.Background()); n != 1 || err != nil {
			t.Fatalf("placed %d, %v", n, err)
		}
	})
}

func TestRunPlacesEventsAndStops(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		l := ledger.New(db, w.key, time.Now)
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { l.Run(ctx, func(err error) { t.Error(err) }) })
		defer running.Wait()
		defer cancel()
		for range 3 {
			id := w.append(t, 1)[0]
			// A second on an idle machine; much longer before a busy one fails here.
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
				proof, err := l.Inclusion(ctx, id)
				if err == nil {
					if err := proof.Verify(w.key.Public()); err != nil {
						t.Error(err)
					}
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("never placed in the tree: %v", err)
				}
			}
		}
	})
}

func TestRunReportsAFailureAndSignsWhenItHasPassed(t *testing.T) {
	w := newWorld(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")))
	w.append(t, 1)
	w.key.failing = errors.New("the token was pulled out")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var running sync.WaitGroup
	reported := make(chan error, 1)
	running.Go(func() {
		w.Run(ctx, func(err error) {
			w.key.failing = nil // put in again; this is the goroutine that signs
			reported <- err
		})
	})
	if err := <-reported; err == nil || !strings.Contains(err.Error(), "pulled out") {
		t.Errorf("reported %v", err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		if c, err := w.Checkpoint(ctx); err == nil && c.Size == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the checkpoint is still owed")
		}
	}
	cancel()
	running.Wait()
}

func TestBacklogOfSeveralBatchesIsPlacedAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.append(t, 600)
		if n := w.sequence(t); n != 600 {
			t.Fatalf("placed %d", n)
		}
		if result := w.verify(t); !result.OK() || result.Entries != 600 || result.Checkpoints != 3 {
			t.Fatalf("%+v", result)
		}
	})
}

func TestVerifyReadsADatabaseThatItMayNotChange(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		w := newWorld(t, storetest.Open(t, url))
		w.append(t, 20)
		w.sequence(t)
		reader, err := store.OpenReadOnly(context.Background(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		result, err := ledger.Verify(context.Background(), reader, w.key.Public())
		if err != nil || !result.OK() || result.Entries != 20 {
			t.Fatalf("%+v, %v", result, err)
		}
	})
}

// BenchmarkAppend is what an event adds to a business transaction, beside that transaction without it.
func BenchmarkAppend(b *testing.B) {
	event := ledger.Event{Kind: "seal.signed", Actor: "01j0000000000000000000", Subject: "01j0000000000000000001",
		Data: map[string]string{"digest": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"}}
	ctx := context.Background()
	for _, callers := range []int{1, 16} {
		for _, with := range []bool{false, true} {
			name := map[bool]string{false: "commit alone", true: "commit with event"}[with]
			b.Run(fmt.Sprintf("%s, %d callers", name, callers), func(b *testing.B) {
				w := newWorld(b, storetest.Open(b, filepath.Join(b.TempDir(), "yinxin.db")))
				w.tamper(b, `CREATE TABLE business (id BIGINT PRIMARY KEY)`)
				var next sync.Mutex
				id := 0
				b.SetParallelism(callers)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						next.Lock()
						id++
						mine := id
						next.Unlock()
						err := w.db.Write(ctx, func(tx *store.Tx) error {
							if _, err := tx.ExecContext(ctx, `INSERT INTO business (id) VALUES ($1)`, mine); err != nil {
								return err
							}
							if !with {
								return nil
							}
							_, err := w.Append(ctx, tx, event)
							return err
						})
						if err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}

// BenchmarkSequence is what placing one event costs, in batches.
func BenchmarkSequence(b *testing.B) {
	w := newWorld(b, storetest.Open(b, filepath.Join(b.TempDir(), "yinxin.db")))
	w.append(b, b.N)
	b.ResetTimer()
	if n := w.sequence(b); n != b.N {
		b.Fatal(n)
	}
}

// BenchmarkVerify is what checking one entry costs.
func BenchmarkVerify(b *testing.B) {
	w := newWorld(b, storetest.Open(b, filepath.Join(b.TempDir(), "yinxin.db")))
	w.append(b, b.N)
	w.sequence(b)
	b.ResetTimer()
	if result := w.verify(b); !result.OK() {
		b.Fatal(result.Problems)
	}
}
