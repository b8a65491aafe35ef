// Package storetest runs a test on every engine that internal/store has: a fresh SQLite file and a fresh PostgreSQL
// database. Tests of every room that has SQL go through Each, so that one text keeps working on both.
//
// PostgreSQL is started once per test binary from the binaries of the Debian package, in a temporary folder that goes
// away with the test binary, even when that is killed; nothing is synchronised to disk, so it is quick and proves
// nothing about power cuts. YINXIN_TEST_POSTGRES=postgres://… uses that server instead (the user must be allowed to
// create databases). Without either the subtest is skipped, except where CI=true: there it fails.
package storetest

import (
	"context"
	"io/fs"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"

	"yinxin/internal/store"
)

// Each runs fn as the subtests "sqlite" and "postgres", each on a database of its own with no tables in it.
func Each(t *testing.T, fn func(t *testing.T, db *store.DB)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { fn(t, Open(t, url)) })
}

// EachURL is Each for tests that open the database themselves, or several times. What they open they close.
func EachURL(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		fn(t, filepath.Join(t.TempDir(), "yinxin.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		fn(t, freshDatabase(t))
	})
}

var addresses sync.Map // of *store.DB that Open opened: string

// Open opens the database and closes it when the test ends.
func Open(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), url)
	if err != nil {
		t.Fatalf("open the database: %v", err)
	}
	addresses.Store(db, url)
	t.Cleanup(func() {
		addresses.Delete(db)
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

// Before brings the tables of a room to what they were before one of its migrations, which is named by how its file's name
// begins ("00005"). migrations holds the files in its folder of that name.
func Before(t testing.TB, db *store.DB, room string, migrations fs.FS, migration string) {
	t.Helper()
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	earlier := fstest.MapFS{}
	for _, name := range files {
		if name >= "migrations/"+migration {
			continue
		}
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		earlier[name] = &fstest.MapFile{Data: text}
	}
	if len(earlier) == 0 || len(earlier) == len(files) {
		t.Fatalf("%d of %d migrations of %s are before %s", len(earlier), len(files), room, migration)
	}
	if err := db.Migrate(context.Background(), room, earlier); err != nil {
		t.Fatal(err)
	}
}

// withDatabase is the address of another database on the same server.
func withDatabase(server, name string) (string, error) {
	address, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	address.Path = "/" + name
	return address.String(), nil
}
