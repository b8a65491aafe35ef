package storetest_test

import (
	"context"
	"reflect"
	"testing"
	"testing/fstest"

	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

var files = fstest.MapFS{
	"00001_first.sql":  {Data: []byte("-- +goose Up\nCREATE TABLE seal (code TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL CHECK (state <> ''));\n")},
	"00002_second.sql": {Data: []byte("-- +goose Up\nINSERT INTO seal (code, state) VALUES ('1', 'it''s \\ 启用');\n")},
}

var runs int

func room(ctx context.Context, db *store.DB) error {
	runs++
	return db.Migrate(ctx, "room", files)
}

// A later database is what the first became by its migrations, and is migrated further like it.
func TestLaterDatabasesAreLikeTheFirst(t *testing.T) {
	first := map[string][]any{}
	for range 2 {
		storetest.Each(t, func(t *testing.T, db *store.DB) {
			runs = 0
			storetest.Migrate(t, db, room)
			if made := first[db.Dialect()] != nil; made != (runs == 0) {
				t.Errorf("%d runs of the migrations", runs)
			}
			ctx := t.Context()
			tables, err := db.Tables(ctx, db.Read())
			if err != nil {
				t.Fatal(err)
			}
			versions, err := db.Versions(ctx, db.Read())
			if err != nil {
				t.Fatal(err)
			}
			var state string
			if err := db.Read().QueryRowContext(ctx, `SELECT state FROM seal`).Scan(&state); err != nil {
				t.Fatal(err)
			}
			now := []any{tables, versions, state}
			if was := first[db.Dialect()]; was != nil && !reflect.DeepEqual(now, was) {
				t.Errorf("%v\nwas %v", now, was)
			}
			first[db.Dialect()] = now
			err = db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, `INSERT INTO seal (code, state) VALUES ('2', '')`)
				return err
			})
			if err == nil {
				t.Error("the table's rule is gone")
			}
			storetest.Migrate(t, db, room) // what is not empty goes through the migrations
			if err := db.Migrate(ctx, "room", fstest.MapFS{"00001_first.sql": files["00001_first.sql"], "00002_second.sql": files["00002_second.sql"],
				"00003_third.sql": {Data: []byte("-- +goose Up\nDROP TABLE seal;\n")}}); err != nil {
				t.Fatal(err)
			}
		})
	}
}
