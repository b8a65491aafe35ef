package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/fstest"

	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func TestMigrationsRunOncePerRoom(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		ctx := context.Background()
		db := storetest.Open(t, url)
		// A second room with the same numbers, in a folder as go:embed makes it.
		other := fstest.MapFS{
			"migrations/00001_other.sql": {Data: []byte("-- +goose Up\nCREATE TABLE other (n INTEGER NOT NULL);\nINSERT INTO other (n) VALUES (1);\n")},
		}
		var all sync.WaitGroup
		for _, handle := range []*store.DB{db, storetest.Open(t, url), storetest.Open(t, url)} {
			all.Go(func() {
				for range 2 {
					if err := errors.Join(handle.Migrate(ctx, "thing", things()), handle.Migrate(ctx, "other", other)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		other["migrations/00002_more.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nINSERT INTO other (n) VALUES (2);\n")}
		if err := errors.Join(db.Migrate(ctx, "other", other), db.Migrate(ctx, "other", other)); err != nil {
			t.Fatal(err)
		}
		var sum int
		if err := db.Read().QueryRowContext(ctx, `SELECT sum(n) FROM other`).Scan(&sum); err != nil || sum != 3 {
			t.Fatalf("sum %d, %v", sum, err)
		}
		for room, versions := range map[string]int{"thing": 1, "other": 2} {
			var n int
			query := `SELECT count(*) FROM ` + room + `_migration WHERE version_id > 0`
			if err := db.Read().QueryRowContext(ctx, query).Scan(&n); err != nil || n != versions {
				t.Errorf("room %s has %d versions, %v", room, n, err)
			}
		}
	})
}

func TestMigrationThatFailsChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		prepared(t, db)
		ctx := context.Background()
		files := things()
		files["00002_bad.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nINSERT INTO thing (id, name) VALUES (1, 'a');\nINSERT INTO nowhere VALUES (1);\n")}
		if err := db.Migrate(ctx, "thing", files); fault.CodeOf(err) != "store.migration" {
			t.Fatalf("got %v", err)
		}
		if n := count(t, db.Read()); n != 0 {
			t.Fatalf("%d rows of a failed migration", n)
		}
		for _, room := range []string{"", "a-b", "a; DROP TABLE thing", "Größe"} {
			if err := db.Migrate(ctx, room, things()); fault.CodeOf(err) != "store.migration" {
				t.Errorf("room %q: %v", room, err)
			}
		}
	})
}
