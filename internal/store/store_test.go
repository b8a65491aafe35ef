package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// things is the room of these tests.
func things() fstest.MapFS {
	return fstest.MapFS{"00001_things.sql": {Data: []byte(`-- +goose Up
CREATE TABLE owner (id TEXT PRIMARY KEY);
CREATE TABLE thing (
	id BIGINT PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0),
	body BYTEA,
	owner TEXT REFERENCES owner (id)
);
`)}}
}

func prepared(t *testing.T, db *store.DB) *store.DB {
	t.Helper()
	if err := db.Migrate(context.Background(), "thing", things()); err != nil {
		t.Fatal(err)
	}
	return db
}

func insert(tx *store.Tx, id int64, name string) error {
	_, err := tx.ExecContext(context.Background(), `INSERT INTO thing (id, name) VALUES ($1, $2)`, id, name)
	return err
}

func count(t *testing.T, q store.Querier) int {
	t.Helper()
	var n int
	if err := q.QueryRowContext(context.Background(), `SELECT count(*) FROM thing`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWriteKeepsWhatItReported(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		ctx := context.Background()
		db := prepared(t, storetest.Open(t, url))
		err := db.Write(ctx, func(tx *store.Tx) error { return insert(tx, 1, "印章") })
		if err != nil {
			t.Fatal(err)
		}
		var name string
		other := storetest.Open(t, url)
		if err := other.Read().QueryRowContext(ctx, `SELECT name FROM thing WHERE id = $1`, 1).Scan(&name); err != nil || name != "印章" {
			t.Fatalf("another handle reads %q, %v", name, err)
		}
	})
}

func TestErrorOfTheCallerComesBackUnchangedAndUndoesItsWork(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		mine := errors.New("mine")
		err := db.Write(context.Background(), func(tx *store.Tx) error {
			if err := insert(tx, 1, "a"); err != nil {
				return err
			}
			return mine
		})
		if err != mine {
			t.Fatalf("got %v", err)
		}
		if n := count(t, db.Read()); n != 0 {
			t.Fatalf("%d rows remain", n)
		}
	})
}

func TestConstraintViolationsAreTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		ctx := context.Background()
		if err := db.Write(ctx, func(tx *store.Tx) error { return insert(tx, 1, "a") }); err != nil {
			t.Fatal(err)
		}
		is := map[string]func(error) bool{"unique": store.IsUnique, "check": store.IsCheck, "foreign key": store.IsForeignKey}
		for _, c := range []struct{ name, want, statement string }{
			{"a primary key twice", "unique", `INSERT INTO thing (id, name) VALUES (1, 'b')`},
			{"a unique name twice", "unique", `INSERT INTO thing (id, name) VALUES (2, 'a')`},
			{"a value that CHECK forbids", "check", `INSERT INTO thing (id, name, size) VALUES (2, 'b', -1)`},
			{"an owner that does not exist", "foreign key", `INSERT INTO thing (id, name, owner) VALUES (2, 'b', 'nobody')`},
			{"a value that must be there", "", `INSERT INTO thing (id, name) VALUES (2, NULL)`},
			{"a statement that is none", "", `INSERT INTO nowhere VALUES (1)`},
		} {
			t.Run(c.name, func(t *testing.T) {
				err := db.Write(ctx, func(tx *store.Tx) error {
					_, err := tx.ExecContext(ctx, c.statement)
					return err
				})
				if err == nil {
					t.Fatal("accepted")
				}
				for name, test := range is {
					if test(err) != (name == c.want) {
						t.Errorf("%s: %v for %v", name, test(err), err)
					}
				}
			})
		}
	})
}

func TestFailedStatementFailsTheTransactionEvenWhenIgnored(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		ctx := context.Background()
		for name, bad := range map[string]func(tx *store.Tx){
			"exec":  func(tx *store.Tx) { _ = insert(tx, 1, "again") },
			"query": func(tx *store.Tx) { _, _ = tx.QueryContext(ctx, `SELECT nothing FROM nowhere`) },
			"row": func(tx *store.Tx) {
				var id int
				_ = tx.QueryRowContext(ctx, `INSERT INTO thing (id, name) VALUES (1, 'again') RETURNING id`).Scan(&id)
			},
		} {
			t.Run(name, func(t *testing.T) {
				err := db.Write(ctx, func(tx *store.Tx) error {
					if err := insert(tx, 1, "a"); err != nil {
						return err
					}
					bad(tx)
					_ = insert(tx, 2, "b")
					return nil
				})
				if err == nil {
					t.Error("reported as done")
				}
				if n := count(t, db.Read()); n != 0 {
					t.Errorf("%d rows remain", n)
				}
			})
		}
	})
}

func TestParametersTypesAndClausesOfTheCommonSubset(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		ctx := context.Background()
		body := []byte{0, 1, 0xff, '1'}
		err := db.Write(ctx, func(tx *store.Tx) error {
			var id int64
			// Numbered out of order and used twice.
			err := tx.QueryRowContext(ctx, `INSERT INTO thing (name, id, body) VALUES ($2, $1, $3)
				ON CONFLICT (id) DO NOTHING RETURNING id`, int64(1)<<40, "123", body).Scan(&id)
			if err != nil || id != 1<<40 {
				t.Errorf("returned %d, %v", id, err)
			}
			_, err = tx.ExecContext(ctx, `WITH big AS (SELECT id FROM thing WHERE id > $1)
				UPDATE thing SET size = $2 WHERE id IN (SELECT id FROM big) AND id > $1`, 5, 7)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var name string
		var size int
		var got []byte
		var owner *string
		row := db.Read().QueryRowContext(ctx, `SELECT name, size, body, owner FROM thing`)
		if err := row.Scan(&name, &size, &got, &owner); err != nil {
			t.Fatal(err)
		}
		if name != "123" || size != 7 || string(got) != string(body) || owner != nil {
			t.Fatalf("read %q %d %x %v", name, size, got, owner)
		}
	})
}

func TestReadsRefuseToWrite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		_, err := db.Read().ExecContext(context.Background(), `INSERT INTO thing (id, name) VALUES (1, 'a')`)
		if err == nil || count(t, db.Read()) != 0 {
			t.Fatalf("written through Read: %v", err)
		}
	})
}

func TestSnapshotDoesNotSeeLaterWrites(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		ctx := context.Background()
		err := db.Snapshot(ctx, func(q store.Querier) error {
			if n := count(t, q); n != 0 {
				t.Errorf("%d at first", n)
			}
			if err := db.Write(ctx, func(tx *store.Tx) error { return insert(tx, 1, "a") }); err != nil {
				return err
			}
			if n := count(t, q); n != 0 {
				t.Errorf("%d after a write", n)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, db.Read()); n != 1 {
			t.Errorf("%d at the end", n)
		}
	})
}

func TestReadOnlyDatabaseRefusesWrites(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		ctx := context.Background()
		db := prepared(t, storetest.Open(t, url))
		if err := db.Write(ctx, func(tx *store.Tx) error { return insert(tx, 1, "a") }); err != nil {
			t.Fatal(err)
		}
		reader, err := store.OpenReadOnly(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		if n := count(t, reader.Read()); n != 1 {
			t.Errorf("reads %d", n)
		}
		err = reader.Write(ctx, func(tx *store.Tx) error { return insert(tx, 2, "b") })
		if fault.CodeOf(err) != "store.read-only" {
			t.Errorf("Write: %v", err)
		}
		if err := reader.Migrate(ctx, "thing", things()); fault.CodeOf(err) != "store.read-only" {
			t.Errorf("Migrate: %v", err)
		}
	})
}

func TestClosedDatabaseSaysSo(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		ctx := context.Background()
		db, err := store.Open(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Close(), db.Close()); err != nil {
			t.Fatal(err)
		}
		err = db.Write(ctx, func(tx *store.Tx) error { return nil })
		if fault.CodeOf(err) != "store.closed" {
			t.Fatalf("got %v", err)
		}
	})
}

func TestAddressesThatCannotBeOpened(t *testing.T) {
	folder := t.TempDir()
	junk := filepath.Join(folder, "junk")
	if err := os.WriteFile(junk, []byte(strings.Repeat("this is not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, url, code string }{
		{"nothing", "", "store.url"},
		{"memory, which two connections cannot share", ":memory:", "store.url"},
		{"an engine that there is not", "mysql://user:geheim@host/db", "store.url"},
		{"a PostgreSQL address with a bad port", "postgres://user:geheim@host:99999999/db", "store.url"},
		{"a PostgreSQL server that is not there", "postgres://user:geheim@127.0.0.1:1/db?sslmode=disable", "store.open"},
		{"a file in a folder that is not there", filepath.Join(folder, "no", "file.db"), "store.open"},
		{"a file that is no database", junk, "store.damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, err := store.Open(context.Background(), c.url)
			if err == nil {
				db.Close()
			}
			if fault.CodeOf(err) != c.code {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "geheim") {
				t.Fatalf("the password is in the error: %v", err)
			}
		})
	}
	if _, err := store.OpenReadOnly(context.Background(), filepath.Join(folder, "absent.db")); fault.CodeOf(err) != "store.not-found" {
		t.Fatalf("read-only: %v", err)
	}
}

func TestTimesHaveOneWidthAndSortAsText(t *testing.T) {
	zone := time.FixedZone("CST", 8*3600)
	early := time.Date(2026, 3, 1, 7, 59, 59, 999_999_999, zone)
	late := time.Date(2026, 3, 1, 8, 0, 0, 0, zone)
	if got := store.Time(early); got != "2026-02-28T23:59:59.999999Z" {
		t.Fatal(got)
	}
	if store.Time(early) >= store.Time(late) {
		t.Fatal("the order of the texts is not the order of the times")
	}
	back, err := store.ParseTime(store.Time(early))
	if err != nil || !back.Equal(early.Truncate(time.Microsecond)) {
		t.Fatal(back, err)
	}
	for _, bad := range []string{"", "2026-02-28", "2026-02-28T23:59:59Z", "2026-02-28T23:59:59.9999999Z", "2026-02-28T23:59:59.999999+08:00", "2026-02-30T23:59:59.999999Z"} {
		if _, err := store.ParseTime(bad); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
}

func TestPoolOfAnotherLibraryWritesBesideTheRooms(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		db := prepared(t, storetest.Open(t, url))
		ctx := context.Background()
		pool, err := db.Pool(1)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		if _, err := pool.ExecContext(ctx, `INSERT INTO thing (id, name) VALUES (1, 'pool')`); err != nil {
			t.Fatal(err)
		}
		if err := db.Write(ctx, func(tx *store.Tx) error { return insert(tx, 2, "room") }); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db.Read()); n != 2 {
			t.Errorf("%d rows", n)
		}
		if n := pool.Stats().MaxOpenConnections; n != 1 {
			t.Errorf("%d connections", n)
		}
		reader, err := store.OpenReadOnly(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		if _, err := reader.Pool(1); fault.CodeOf(err) != "store.read-only" {
			t.Errorf("of a database opened for reading: %v", err)
		}
	})
}

func TestATextThatAnEngineRefusesIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, text := range []string{"a\x00", "a\xff"} {
			var n int
			err := db.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) WHERE 'a' = $1`, text).Scan(&n)
			if want := db.Dialect() == "postgres"; store.IsBadText(err) != want || err != nil && !want {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
