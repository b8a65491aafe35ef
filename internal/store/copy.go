package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// A copy of a database is taken within Snapshot, table by table (Tables, Rows), and put into an empty database of either
// engine with Load. Not part of a copy are the versions of the migrations, which Versions tells and Load expects to be
// the same, and the tables of the job queue, which belong to a library and differ between the engines: what must not be
// lost stands in tables of ours.

// Table is a table of ours.
type Table struct {
	Name    string
	Columns []string
}

func copied(name string) bool {
	return !strings.HasSuffix(name, migrationSuffix) && !strings.HasPrefix(name, "river_") && !strings.HasPrefix(name, "sqlite_")
}

const migrationSuffix = "_migration"

// quote writes a name as an identifier.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// allTables gives the names of all tables in order.
func (db *DB) allTables(ctx context.Context, q Querier) ([]string, error) {
	query := `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`
	if db.Dialect() == "postgres" {
		query = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename COLLATE "C"`
	}
	return column(ctx, q, query)
}

func column(ctx context.Context, q Querier, query string, args ...any) ([]string, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, name(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, name(rows.Err())
}

// Tables lists the tables that belong into a copy, by name, as q sees them.
func (db *DB) Tables(ctx context.Context, q Querier) ([]Table, error) {
	names, err := db.allTables(ctx, q)
	if err != nil {
		return nil, err
	}
	var list []Table
	for _, table := range names {
		if !copied(table) {
			continue
		}
		rows, err := q.QueryContext(ctx, `SELECT * FROM `+quote(table)+` WHERE 1 = 0`)
		if err != nil {
			return nil, name(err)
		}
		columns, err := rows.Columns()
		if closed := rows.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return nil, name(err)
		}
		list = append(list, Table{table, columns})
	}
	return list, nil
}

// Versions gives the version of each room's migrations.
func (db *DB) Versions(ctx context.Context, q Querier) (map[string]int64, error) {
	names, err := db.allTables(ctx, q)
	if err != nil {
		return nil, err
	}
	versions := map[string]int64{}
	for _, table := range names {
		room, ok := strings.CutSuffix(table, migrationSuffix)
		if !ok || strings.HasPrefix(table, "river_") {
			continue
		}
		var version int64
		if err := q.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM `+quote(table)).Scan(&version); err != nil {
			return nil, name(err)
		}
		versions[room] = version
	}
	return versions, nil
}

// Rows calls fn with every row of a table: nil, int64, string or []byte for each column. The values must not be kept.
// Error: store.copy for a value of another type.
func (t Table) Rows(ctx context.Context, q Querier, fn func(values []any) error) error {
	quoted := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		quoted[i] = quote(c)
	}
	rows, err := q.QueryContext(ctx, `SELECT `+strings.Join(quoted, ", ")+` FROM `+quote(t.Name))
	if err != nil {
		return name(err)
	}
	defer rows.Close()
	values, pointers := make([]any, len(t.Columns)), make([]any, len(t.Columns))
	for i := range values {
		pointers[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			return name(err)
		}
		for i, v := range values {
			switch v := v.(type) {
			case nil, int64, string:
			case []byte:
				if v == nil { // SQLite's driver gives this for an empty one, and takes it as NULL
					values[i] = []byte{}
				}
			default:
				return errCopy.With("%s.%s: %T", t.Name, t.Columns[i], v)
			}
		}
		if err := fn(values); err != nil {
			return err
		}
	}
	return name(rows.Err())
}

// Load replaces the content of all tables that belong into a copy, in one transaction. fn inserts rows, in any order:
// foreign keys are checked at its end, on all tables. Nobody else may have the database open. Errors: store.copy, those
// of fn; then nothing has changed.
func (db *DB) Load(ctx context.Context, fn func(insert func(table Table, values []any) error) error) error {
	switch e := db.engine.(type) {
	case *sqliteEngine:
		return db.loadSQLite(ctx, e, fn)
	case *postgresEngine:
		return db.loadPostgres(ctx, e, fn)
	}
	return errReadOnly.New()
}

func (db *DB) loadSQLite(ctx context.Context, e *sqliteEngine, fn func(insert func(table Table, values []any) error) error) error {
	if e.readOnly {
		return errReadOnly.New()
	}
	pool, err := e.open(false, "immediate", nil)
	if err != nil {
		return errOpen.Because(err)
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1) // the pragma belongs to the connection
	if _, err := pool.ExecContext(ctx, `PRAGMA foreign_keys = OFF`); err != nil {
		return name(err)
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return name(err)
	}
	defer tx.Rollback()
	if err := db.fill(ctx, tx, fn); err != nil {
		return err
	}
	broken, err := column(ctx, tx, `SELECT "table" || ' -> ' || parent FROM pragma_foreign_key_check LIMIT 1`)
	if err != nil {
		return err
	}
	if len(broken) > 0 {
		return errCopy.With("%s", broken[0])
	}
	return name(tx.Commit())
}

func (db *DB) loadPostgres(ctx context.Context, e *postgresEngine, fn func(insert func(table Table, values []any) error) error) error {
	pool := e.open(false)
	defer pool.Close()
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return name(err)
	}
	defer tx.Rollback()
	// Foreign keys that are not deferrable are checked row by row: they are taken away and made again, which checks all.
	const keys = ` FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace ORDER BY c.oid`
	drop, err := column(ctx, tx, `SELECT format('ALTER TABLE %I DROP CONSTRAINT %I', t.relname, c.conname)`+keys)
	if err != nil {
		return err
	}
	add, err := column(ctx, tx, `SELECT format('ALTER TABLE %I ADD CONSTRAINT %I %s', t.relname, c.conname, pg_get_constraintdef(c.oid))`+keys)
	if err != nil {
		return err
	}
	for _, statement := range drop {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return name(err)
		}
	}
	if err := db.fill(ctx, tx, fn); err != nil {
		return err
	}
	for _, statement := range add {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			if IsForeignKey(err) {
				return errCopy.Because(err)
			}
			return name(err)
		}
	}
	return name(tx.Commit())
}

// fill empties the tables and lets fn insert.
func (db *DB) fill(ctx context.Context, tx *sql.Tx, fn func(insert func(table Table, values []any) error) error) error {
	tables, err := db.Tables(ctx, tx)
	if err != nil {
		return err
	}
	known := map[string]Table{}
	for _, t := range tables {
		known[t.Name] = t
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+quote(t.Name)); err != nil {
			return name(err)
		}
	}
	var current string
	var prepared *sql.Stmt
	defer func() {
		if prepared != nil {
			prepared.Close()
		}
	}()
	return fn(func(t Table, values []any) error {
		if len(values) != len(t.Columns) {
			return errCopy.With("%s", t.Name)
		}
		if text := insertText(t); text != current {
			have, ok := known[t.Name]
			if !ok || !sameColumns(have.Columns, t.Columns) {
				return errCopy.With("%s", t.Name)
			}
			if prepared != nil {
				prepared.Close()
			}
			if prepared, err = tx.PrepareContext(ctx, text); err != nil {
				return name(err)
			}
			current = text
		}
		_, err := prepared.ExecContext(ctx, values...)
		return name(err)
	})
}

func insertText(t Table) string {
	names, places := make([]string, len(t.Columns)), make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i], places[i] = quote(c), fmt.Sprintf("$%d", i+1)
	}
	return `INSERT INTO ` + quote(t.Name) + ` (` + strings.Join(names, ", ") + `) VALUES (` + strings.Join(places, ", ") + `)`
}

// sameColumns says whether two lists name the same columns, in whatever order: a migration that makes a table anew may
// put them otherwise.
func sameColumns(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	names := map[string]bool{}
	for _, c := range a {
		names[c] = true
	}
	for _, c := range b {
		if !names[c] {
			return false
		}
		delete(names, c)
	}
	return true
}
