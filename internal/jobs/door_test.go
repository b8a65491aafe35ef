package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func newDoor(t *testing.T) (*store.DB, *sql.DB) {
	t.Helper()
	db := storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db"))
	pool := openDoor(db)
	t.Cleanup(func() { pool.Close() })
	if _, err := pool.Exec(`CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	return db, pool
}

func things(t *testing.T, db *store.DB) (n int) {
	t.Helper()
	if err := db.Read().QueryRowContext(context.Background(), `SELECT COUNT(*) FROM thing`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDoorCommitsAndRollsBack(t *testing.T) {
	ctx := context.Background()
	db, pool := newDoor(t)
	insert := func(tx *sql.Tx, name any) error {
		_, err := tx.Exec(`INSERT INTO thing (name) VALUES ($1)`, name)
		return err
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil || insert(tx, "a") != nil || tx.Commit() != nil || things(t, db) != 1 {
		t.Fatal("a commit")
	}
	if tx, err = pool.BeginTx(ctx, nil); err != nil || insert(tx, "b") != nil || tx.Rollback() != nil || things(t, db) != 1 {
		t.Fatal("a rollback")
	}
	if tx, err = pool.BeginTx(ctx, nil); err != nil || insert(tx, "c") != nil || insert(tx, nil) == nil {
		t.Fatal("a statement that fails")
	}
	if tx.Commit() == nil || things(t, db) != 1 {
		t.Error("a transaction with a failed statement was committed")
	}
	// The context ends: database/sql rolls back by itself.
	ending, cancel := context.WithCancel(ctx)
	if tx, err = pool.BeginTx(ending, nil); err != nil || insert(tx, "d") != nil {
		t.Fatal("begin")
	}
	cancel()
	if err := tx.Commit(); err == nil || things(t, db) != 1 {
		t.Errorf("after the end of its context: %v", err)
	}
	var id int
	if err := pool.QueryRow(`INSERT INTO thing (name) VALUES ('e') RETURNING id`).Scan(&id); err != nil || things(t, db) != 2 {
		t.Errorf("a row from a statement of its own: %d, %v", id, err)
	}
	if _, err := pool.Exec(`INSERT INTO thing (name) VALUES (NULL)`); err == nil {
		t.Error("a statement of its own that fails")
	}
	if rows, err := pool.Query(`SELECT id, name FROM thing ORDER BY id`); err != nil {
		t.Error(err)
	} else {
		n := 0
		for rows.Next() {
			n++
		}
		if err := errors.Join(rows.Err(), rows.Close()); n != 2 || err != nil {
			t.Errorf("%d rows, %v", n, err)
		}
	}
	if _, err := pool.BeginTx(ending, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("begin with a context that has ended: %v", err)
	}
}

func TestDoorGivesItsTurnBackWhenItIsClosed(t *testing.T) {
	db, pool := newDoor(t)
	tx, err := pool.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(`INSERT INTO thing (name) VALUES ('a')`); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		written <- db.Write(context.Background(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(context.Background(), `INSERT INTO thing (name) VALUES ('other')`)
			return err
		})
	}()
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	if err := <-written; err != nil || things(t, db) != 1 {
		t.Errorf("%d, %v", things(t, db), err)
	}
}

func TestDoorIsOneOfManyWriters(t *testing.T) {
	ctx := context.Background()
	db, pool := newDoor(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 25 {
				name := fmt.Sprint(i, " ", n)
				var err error
				if i%2 == 0 {
					_, err = pool.ExecContext(ctx, `INSERT INTO thing (name) VALUES ($1)`, name)
				} else {
					err = db.Write(ctx, func(tx *store.Tx) error {
						_, err := tx.ExecContext(ctx, `INSERT INTO thing (name) VALUES ($1)`, name)
						return err
					})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := things(t, db); n != 200 {
		t.Errorf("%d", n)
	}
}
