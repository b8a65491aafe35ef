package store_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func TestConcurrentWritersLoseNothing(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		// Two handles stand for two processes: they share nothing but the database.
		first, second := prepared(t, storetest.Open(t, url)), storetest.Open(t, url)
		ctx := context.Background()
		const callers, rounds = 8, 10
		err := first.Write(ctx, func(tx *store.Tx) error { return insert(tx, -1, "counter") })
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for caller := range callers {
			db := []*store.DB{first, second}[caller%2]
			all.Go(func() {
				for round := range rounds {
					err := db.Write(ctx, func(tx *store.Tx) error {
						// Read, then write what was read: an interleaved writer would make one of the two be lost.
						var size int
						if err := tx.QueryRowContext(ctx, `SELECT size FROM thing WHERE id = -1`).Scan(&size); err != nil {
							return err
						}
						if _, err := tx.ExecContext(ctx, `UPDATE thing SET size = $1 WHERE id = -1`, size+1); err != nil {
							return err
						}
						id := int64(caller*rounds + round)
						return insert(tx, id, fmt.Sprint(id))
					})
					if err != nil {
						t.Errorf("caller %d: %v", caller, err)
					}
				}
			})
		}
		all.Wait()
		var size int
		if err := second.Read().QueryRowContext(ctx, `SELECT size FROM thing WHERE id = -1`).Scan(&size); err != nil {
			t.Fatal(err)
		}
		if n := count(t, first.Read()); size != callers*rounds || n != callers*rounds+1 {
			t.Fatalf("the counter says %d, there are %d rows", size, n)
		}
	})
}

func TestOneFailingWriterDoesNotHurtTheOthers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		ctx := context.Background()
		refused := errors.New("refused")
		gone, cancel := context.WithCancel(ctx)
		defer cancel()
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				var err error
				defer func() {
					if i%6 == 3 && recover() != "stop" {
						t.Errorf("%d: the panic did not come through", i)
					}
				}()
				err = db.Write(ctx, func(tx *store.Tx) error {
					if err := insert(tx, int64(i), fmt.Sprint(i)); err != nil {
						return err
					}
					switch i % 6 {
					case 1:
						return refused
					case 2:
						return insert(tx, int64(i), "twice")
					case 3:
						panic("stop")
					case 4:
						cancel()
						_, err := tx.ExecContext(gone, `DELETE FROM thing`)
						return err
					}
					return nil
				})
				switch i % 6 {
				case 0, 5:
					if err != nil {
						t.Errorf("%d: %v", i, err)
					}
				case 1:
					if err != refused {
						t.Errorf("%d: %v", i, err)
					}
				case 2:
					if !store.IsUnique(err) {
						t.Errorf("%d: %v", i, err)
					}
				case 4:
					if !errors.Is(err, context.Canceled) {
						t.Errorf("%d: %v", i, err)
					}
				}
			})
		}
		all.Wait()
		if n := count(t, db.Read()); n != 20 {
			t.Fatalf("%d rows, want the 20 of those who succeeded", n)
		}
	})
}

func TestPanicRollsBackAndLeavesTheDatabaseUsable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		ctx := context.Background()
		func() {
			defer func() {
				if got := recover(); got != "stop" {
					t.Errorf("recovered %v", got)
				}
			}()
			_ = db.Write(ctx, func(tx *store.Tx) error {
				if err := insert(tx, 1, "a"); err != nil {
					t.Error(err)
				}
				panic("stop")
			})
		}()
		left := make(chan struct{})
		go func() {
			defer close(left)
			_ = db.Write(ctx, func(tx *store.Tx) error {
				if err := insert(tx, 2, "b"); err != nil {
					t.Error(err)
				}
				runtime.Goexit() // what t.Fatal does
				return nil
			})
		}()
		<-left
		if err := db.Write(ctx, func(tx *store.Tx) error { return insert(tx, 3, "c") }); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db.Read()); n != 1 {
			t.Fatalf("%d rows", n)
		}
	})
}

func TestCancelledCallerDoesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		ctx, cancel := context.WithCancel(context.Background())
		err := db.Write(ctx, func(tx *store.Tx) error {
			if err := insert(tx, 1, "a"); err != nil {
				return err
			}
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled within: %v", err)
		}
		err = db.Write(ctx, func(tx *store.Tx) error { t.Error("run"); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before: %v", err)
		}
		if n := count(t, db.Read()); n != 0 {
			t.Fatalf("%d rows", n)
		}
	})
}

func TestCallerWhoGivesUpWhileWaitingIsNotRun(t *testing.T) {
	db := prepared(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")))
	inside, leave := make(chan struct{}), make(chan struct{})
	first := make(chan error)
	go func() {
		first <- db.Write(context.Background(), func(tx *store.Tx) error {
			close(inside)
			<-leave
			return insert(tx, 1, "a")
		})
	}()
	<-inside
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err := db.Write(ctx, func(tx *store.Tx) error { t.Error("run"); return nil })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(leave)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
}

func TestStatementThatOutlivesItsContextDoesNotTakeTheOthersAlong(t *testing.T) {
	// SQLite answers an interrupt within a writing statement with a rollback of the whole transaction.
	db := prepared(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")))
	ctx := context.Background()
	inside, leave := make(chan struct{}), make(chan struct{})
	first, second := make(chan error, 1), make(chan error, 1)
	go func() {
		first <- db.Write(ctx, func(tx *store.Tx) error {
			close(inside)
			<-leave
			for range 10_000 {
				runtime.Gosched() // until the second waits to be merged with this one
			}
			return insert(tx, -1, "first")
		})
	}()
	<-inside
	short, cancel := context.WithCancel(ctx)
	defer cancel()
	asking := make(chan struct{})
	go func() {
		close(asking)
		second <- db.Write(ctx, func(tx *store.Tx) error {
			timer := time.AfterFunc(5*time.Millisecond, cancel)
			defer timer.Stop()
			_, err := tx.ExecContext(short, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
				INSERT INTO thing (id, name) SELECT i, 'long ' || i FROM n`)
			if err == nil {
				err = short.Err()
			}
			return err
		})
	}()
	<-asking
	close(leave)
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("the long one: %v", err)
	}
	if err := <-first; err != nil {
		t.Errorf("the other one: %v", err)
	}
	if n := count(t, db.Read()); n != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestTransactionCannotBeUsedAfterItsEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		ctx := context.Background()
		var escaped *store.Tx
		if err := db.Write(ctx, func(tx *store.Tx) error { escaped = tx; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := insert(escaped, 1, "a"); fault.CodeOf(err) != "store.transaction-ended" {
			t.Errorf("exec: %v", err)
		}
		if _, err := escaped.QueryContext(ctx, `SELECT 1`); fault.CodeOf(err) != "store.transaction-ended" {
			t.Errorf("query: %v", err)
		}
		var n int
		if err := escaped.QueryRowContext(ctx, `SELECT 1`).Scan(&n); fault.CodeOf(err) != "store.transaction-ended" {
			t.Errorf("row: %v", err)
		}
	})
}

func TestRowsLeftOpenDoNotHoldUpTheNextWriter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		ctx := context.Background()
		for i := range int64(3) {
			err := db.Write(ctx, func(tx *store.Tx) error {
				if err := errors.Join(insert(tx, 2*i, fmt.Sprint(2*i)), insert(tx, 2*i+1, fmt.Sprint(2*i+1))); err != nil {
					return err
				}
				rows, err := tx.QueryContext(ctx, `SELECT id FROM thing`)
				if err != nil || !rows.Next() {
					t.Errorf("query: %v", err)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestAQueryCanBeAskedAgainWhileItsRowsAreRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		ctx := context.Background()
		if db.Dialect() == "postgres" {
			t.Skip("one connection answers one query at a time")
		}
		const query = `SELECT id FROM thing WHERE id >= $1 ORDER BY id`
		for turn := range 3 {
			err := db.Write(ctx, func(tx *store.Tx) error {
				if turn == 0 {
					for i := range int64(4) {
						if err := insert(tx, i, fmt.Sprint(i)); err != nil {
							return err
						}
					}
				}
				outer, err := tx.QueryContext(ctx, query, 0)
				if err != nil {
					return err
				}
				defer outer.Close()
				seen := ""
				for outer.Next() {
					var id, next int64
					if err := outer.Scan(&id); err != nil {
						return err
					}
					if err := tx.QueryRowContext(ctx, query, (id+1)%4).Scan(&next); err != nil {
						return err
					}
					seen += fmt.Sprint(id, ">", next, " ")
				}
				if seen != "0>1 1>2 2>3 3>0 " {
					t.Errorf("turn %d: %s", turn, seen)
				}
				return outer.Err()
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// More queries in one transaction than it holds statements for.
func TestATransactionAsksManyQueries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		ctx := context.Background()
		const query = `SELECT id FROM thing WHERE id >= $1 ORDER BY id`
		for turn := range int64(3) {
			err := db.Write(ctx, func(tx *store.Tx) error {
				for i := range int64(100) {
					if err := insert(tx, 100*turn+i, fmt.Sprint(100*turn+i)); err != nil {
						return err
					}
					var id int64
					if err := tx.QueryRowContext(ctx, query, 100*turn+i).Scan(&id); err != nil || id != 100*turn+i {
						t.Errorf("%d: %d, %v", 100*turn+i, id, err)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := count(t, db.Read()); n != 300 {
			t.Errorf("%d rows", n)
		}
	})
}

// commits counts the commits in SQLite's write-ahead log: frames whose header tells the size of the database
// (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
func commits(t *testing.T, path string) (n int) {
	t.Helper()
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	page := int(binary.BigEndian.Uint32(log[8:]))
	salt := string(log[16:24])
	for at := 32; at+24+page <= len(log); at += 24 + page {
		if frame := log[at:]; string(frame[8:16]) == salt && binary.BigEndian.Uint32(frame[4:]) != 0 {
			n++
		}
	}
	return n
}

func TestSQLiteMergesConcurrentWritersIntoOneCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "yinxin.db")
	db := prepared(t, storetest.Open(t, path))
	ctx := context.Background()
	// The log is there from the first write on.
	if err := db.Write(ctx, func(tx *store.Tx) error { return insert(tx, 999, "first") }); err != nil {
		t.Fatal(err)
	}
	before := commits(t, path)
	if err := db.Write(ctx, func(tx *store.Tx) error { return insert(tx, 1000, "alone") }); err != nil {
		t.Fatal(err)
	}
	if n := commits(t, path) - before; n != 1 {
		t.Fatalf("one writer made %d commits: the count is wrong", n)
	}
	before = commits(t, path)
	const callers = 50
	inside, leave := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_ = db.Write(ctx, func(tx *store.Tx) error {
			close(inside)
			<-leave
			return nil
		})
	})
	<-inside
	var arrived atomic.Int32
	for i := range int64(callers) {
		all.Go(func() {
			arrived.Add(1)
			if err := db.Write(ctx, func(tx *store.Tx) error { return insert(tx, i, fmt.Sprint(i)) }); err != nil {
				t.Error(err)
			}
		})
	}
	for arrived.Load() < callers {
		runtime.Gosched()
	}
	close(leave)
	all.Wait()
	// One that was about to ask when the batch ended may be late; fifty commits would be no merging at all.
	if n := commits(t, path) - before; n < 1 || n > 5 {
		t.Fatalf("%d writers made %d commits", callers, n)
	}
	if n := count(t, db.Read()); n != callers+2 {
		t.Fatalf("%d rows", n)
	}
}

func TestSQLiteWriterIsDurableAndChecked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name?#%41 印.db")
	db := prepared(t, storetest.Open(t, path))
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file is not where it should be or open to others: %v, %v", info, err)
	}
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"}
	err = db.Write(context.Background(), func(tx *store.Tx) error {
		for pragma, value := range want {
			var got string
			if err := tx.QueryRowContext(context.Background(), `PRAGMA `+pragma).Scan(&got); err != nil || got != value {
				t.Errorf("%s is %s, want %s (%v)", pragma, got, value, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPostgresIsDurableAndSerializable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if db.Dialect() != "postgres" {
			t.Skip("of PostgreSQL only")
		}
		err := db.Write(context.Background(), func(tx *store.Tx) error {
			for setting, value := range map[string]string{"synchronous_commit": "on", "transaction_isolation": "serializable"} {
				var got string
				if err := tx.QueryRowContext(context.Background(), `SHOW `+setting).Scan(&got); err != nil || got != value {
					t.Errorf("%s is %s, want %s (%v)", setting, got, value, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// A process that writes without pause must not keep another from its turn: SQLite alone lets the waiting one look ever
// more seldom, and starve.
func TestAWriterWithoutPauseLetsOthersIn(t *testing.T) {
	url := filepath.Join(t.TempDir(), "turn.db")
	busy, other := prepared(t, storetest.Open(t, url)), storetest.Open(t, url)
	ctx, stop := context.WithCancel(context.Background())
	var writing sync.WaitGroup
	var written atomic.Int64
	writing.Go(func() {
		for ctx.Err() == nil {
			id := written.Add(1)
			err := busy.Write(context.Background(), func(tx *store.Tx) error {
				// Work of a while under the lock, of which the pause between two is a small part.
				time.Sleep(5 * time.Millisecond)
				return insert(tx, id, fmt.Sprint(id))
			})
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	defer writing.Wait()
	defer stop()
	const rounds = 20
	before := written.Load()
	for round := range rounds {
		err := other.Write(ctx, func(tx *store.Tx) error { return insert(tx, -1-int64(round), fmt.Sprint(-1-round)) })
		if err != nil {
			t.Fatal(err)
		}
	}
	if passed := written.Load() - before; passed > 5*rounds {
		t.Fatalf("%d writes of the busy one went before %d of the other", passed, rounds)
	}
}

func TestSavepointsStayInMemory(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var where int
	err = db.Write(t.Context(), func(tx *store.Tx) error { return tx.QueryRowContext(t.Context(), `PRAGMA temp_store`).Scan(&where) })
	if err != nil {
		t.Fatal(err)
	}
	if where != 2 {
		t.Errorf("temp_store is %d", where)
	}
}
