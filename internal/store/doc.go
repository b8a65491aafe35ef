// Package store is the one door to the database: SQLite in a file, or PostgreSQL, behind the same few calls and the
// same SQL text.
//
// Call Open with a file path or a postgres:// URL, then Migrate once per room, then Write and Read:
//
//	db, err := store.Open(ctx, "data/yinxin.db")
//	err = db.Migrate(ctx, "ca", migrations)
//	err = db.Write(ctx, func(tx *store.Tx) error {
//		_, err := tx.ExecContext(ctx, `INSERT INTO ca_serial (serial) VALUES ($1)`, serial)
//		return err
//	})
//
// # What Write promises
//
//   - When it returns nil the change is on the disk: it survives kill -9 and a power cut.
//   - When it returns an error nothing of fn is in the database, with one exception that no database can rule out: a
//     connection to PostgreSQL that breaks during COMMIT (store.unavailable). Make such work idempotent.
//   - What fn reads does not change under it: SQLite has one writer at a time, PostgreSQL runs SERIALIZABLE.
//   - The error of fn comes back unchanged, a panic in fn goes on in the caller, after the rollback.
//   - A statement that failed fails the transaction, on both engines: use ON CONFLICT to try and see, not the error.
//
// On SQLite concurrent callers are merged into one transaction, a savepoint each, so that they share the one
// synchronisation of the disk that a commit costs; one that fails rolls back alone. On PostgreSQL every caller has its
// own transaction, which is repeated when the server reports a serialization failure or a deadlock. So fn must be
// repeatable (no effect outside tx), short (others wait for it), and must not call Write.
//
// # The common subset
//
// SQL that both engines take: parameters $1, $2 …; types TEXT, BIGINT, INTEGER, BYTEA (only []byte goes in: SQLite
// gives the column numeric affinity, which leaves blobs alone but would change text that looks like a number);
// booleans as INTEGER 0 and 1 (bind ints, not bools); times as TEXT from Time; ON CONFLICT, RETURNING, common table
// expressions, partial indexes, CHECK and foreign keys. Not: triggers, DEFERRABLE constraints (SQLite would check them
// for all merged callers at once), AUTOINCREMENT and SERIAL, and ORDER BY over text whose order depends on a language.
//
// It does not map objects, build queries or hide SQL: each room owns its SQL and its migrations.
package store
