package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

var copyMigrations = fstest.MapFS{"00001_a.sql": {Data: []byte(`-- +goose Up
CREATE TABLE parent (id TEXT PRIMARY KEY, n BIGINT, raw BYTEA, previous TEXT REFERENCES parent (id));
CREATE TABLE child (id INTEGER PRIMARY KEY, parent TEXT NOT NULL REFERENCES parent (id));
CREATE TABLE river_job (id BIGINT PRIMARY KEY);
INSERT INTO parent (id) VALUES ('seeded');
`)}}

// row is what a copy holds of a row, with its table.
type row struct {
	table  store.Table
	values []any
}

func take(t *testing.T, db *store.DB) (rows []row) {
	t.Helper()
	err := db.Snapshot(context.Background(), func(q store.Querier) error {
		tables, err := db.Tables(context.Background(), q)
		if err != nil {
			return err
		}
		for _, table := range tables {
			err := table.Rows(context.Background(), q, func(values []any) error {
				kept := slices.Clone(values)
				for i, v := range kept {
					if b, ok := v.([]byte); ok {
						kept[i] = append([]byte{}, b...)
					}
				}
				rows = append(rows, row{table, kept})
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func text(rows []row) string {
	var lines []string
	for _, r := range rows {
		lines = append(lines, fmt.Sprintf("%s%v %#v", r.table.Name, r.table.Columns, r.values))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func load(db *store.DB, rows []row) error {
	return db.Load(context.Background(), func(insert func(store.Table, []any) error) error {
		for _, r := range rows {
			if err := insert(r.table, r.values); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestACopyIsTheSameInEitherEngine(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, from *store.DB) {
		if err := from.Migrate(ctx, "test", copyMigrations); err != nil {
			t.Fatal(err)
		}
		err := from.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO parent (id, n, raw, previous) VALUES ('001', $1, $2, NULL), ('b', -1, $3, '001'), ('印', NULL, NULL, 'b')`,
				int64(1)<<62, []byte{0, 0xff, '"'}, []byte{})
			if err == nil {
				_, err = tx.ExecContext(ctx, `INSERT INTO child (id, parent) VALUES (1, '印')`)
			}
			if err == nil {
				_, err = tx.ExecContext(ctx, `INSERT INTO river_job (id) VALUES (1)`)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		rows := take(t, from)
		if len(rows) != 5 {
			t.Fatalf("%d rows\n%s", len(rows), text(rows))
		}
		slices.Reverse(rows) // children before their parents
		storetest.Each(t, func(t *testing.T, to *store.DB) {
			if err := to.Migrate(ctx, "test", copyMigrations); err != nil {
				t.Fatal(err)
			}
			if err := load(to, rows); err != nil {
				t.Fatal(err)
			}
			if got, want := text(take(t, to)), text(rows); got != want {
				t.Errorf("the copy is\n%s\nwant\n%s", got, want)
			}
			// The keys are in force again.
			err := to.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, `INSERT INTO child (id, parent) VALUES (2, 'nobody')`)
				return err
			})
			if !store.IsForeignKey(err) {
				t.Errorf("a child of nobody: %v", err)
			}
			versions, err := to.Versions(ctx, to.Read())
			if err != nil || len(versions) != 1 || versions["test"] != 1 {
				t.Errorf("%v, %v", versions, err)
			}
		})
	})
}

func TestACopyThatDoesNotFitChangesNothing(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Migrate(ctx, "test", copyMigrations); err != nil {
			t.Fatal(err)
		}
		before := text(take(t, db))
		parent, child := store.Table{Name: "parent", Columns: []string{"id", "n", "raw", "previous"}}, store.Table{Name: "child", Columns: []string{"id", "parent"}}
		for name, rows := range map[string][]row{
			"an orphan":         {{child, []any{int64(1), "nobody"}}},
			"an unknown table":  {{store.Table{Name: "other", Columns: []string{"id"}}, []any{"x"}}},
			"an unknown column": {{store.Table{Name: "child", Columns: []string{"id", "mother"}}, []any{int64(1), "x"}}},
			"a column less":     {{store.Table{Name: "child", Columns: []string{"id"}}, []any{int64(1)}}},
			"a value less":      {{child, []any{int64(1)}}},
			"the job queue":     {{store.Table{Name: "river_job", Columns: []string{"id"}}, []any{int64(1)}}},
			"the versions":      {{store.Table{Name: "test_migration", Columns: []string{"id"}}, []any{int64(1)}}},
		} {
			if err := load(db, rows); fault.CodeOf(err) != "store.copy" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := load(db, []row{{parent, []any{"a", nil, nil, nil}}, {parent, []any{"a", nil, nil, nil}}}); !store.IsUnique(err) {
			t.Errorf("twice the same: %v", err)
		}
		if after := text(take(t, db)); after != before {
			t.Errorf("changed to\n%s", after)
		}
	})
}
