package storetest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"modernc.org/sqlite"

	"yinxin/internal/store"
)

// Room is a room's Migrate.
type Room func(context.Context, *store.DB) error

// templates are what databases were after the migrations of some rooms, by engine and rooms. Their migrations, one by one, take
// most of the time of many tests, ten times as much under the race detector.
var templates sync.Map // of string: *template

type template struct {
	once sync.Once
	text string // PostgreSQL: statements; SQLite: the database. Empty where none could be made
}

// Migrate brings the tables of the rooms up to date, in their order. The first empty database of a test binary goes through the
// migrations; later ones get what came of it.
func Migrate(t testing.TB, db *store.DB, rooms ...Room) {
	t.Helper()
	address, opened := addresses.Load(db)
	if !opened || !empty(t, db) {
		migrate(t, db, rooms)
		return
	}
	name := db.Dialect()
	for _, room := range rooms {
		name += fmt.Sprintf(" %x", reflect.ValueOf(room).Pointer())
	}
	made, _ := templates.LoadOrStore(name, &template{})
	first := false
	made.(*template).once.Do(func() {
		first = true
		migrate(t, db, rooms)
		made.(*template).text = take(t, db.Dialect(), address.(string))
	})
	switch text := made.(*template).text; {
	case first:
	case text == "":
		migrate(t, db, rooms)
	default:
		give(t, db.Dialect(), address.(string), text)
	}
}

func migrate(t testing.TB, db *store.DB, rooms []Room) {
	t.Helper()
	for _, room := range rooms {
		if err := room(context.Background(), db); err != nil {
			t.Fatal(err)
		}
	}
}

func empty(t testing.TB, db *store.DB) bool {
	t.Helper()
	tables, err := db.Tables(context.Background(), db.Read())
	if err != nil {
		t.Fatal(err)
	}
	return len(tables) == 0
}

// meta are lines of pg_dump for psql alone.
var meta = regexp.MustCompile(`(?m)^\\.*$`)

func take(t testing.TB, dialect, address string) string {
	t.Helper()
	if dialect == "postgres" {
		binaries, err := findBinaries()
		if err != nil {
			return ""
		}
		text, err := exec.Command(filepath.Join(binaries, "pg_dump"), "--inserts", "--no-owner", "--no-privileges", "--dbname", address).Output()
		if err != nil {
			return "" // a server that is newer than the programs here
		}
		return meta.ReplaceAllString(string(text), "")
	}
	file := filepath.Join(t.TempDir(), "template.db")
	onSQLite(t, address, func(c driver.Conn) error {
		_, err := c.(driver.ExecerContext).ExecContext(context.Background(), `VACUUM INTO ?`, []driver.NamedValue{{Ordinal: 1, Value: file}})
		return err
	})
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func give(t testing.TB, dialect, address, text string) {
	t.Helper()
	if dialect == "postgres" {
		administer(t, address, text)
		return
	}
	file := filepath.Join(t.TempDir(), "template.db")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	onSQLite(t, address, func(c driver.Conn) error {
		copying, err := c.(interface {
			NewRestore(string) (*sqlite.Backup, error)
		}).NewRestore(file)
		if err != nil {
			return err
		}
		_, err = copying.Step(-1)
		if failed := copying.Finish(); err == nil {
			err = failed
		}
		return err
	})
}

// onSQLite has a connection of its own do something with the file.
func onSQLite(t testing.TB, path string, do func(driver.Conn) error) {
	t.Helper()
	file := url.URL{Scheme: "file", Path: path, RawQuery: "_pragma=busy_timeout(10000)"}
	db, err := sql.Open("sqlite", strings.Replace(file.String(), "file://", "file:", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	connection, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if err := connection.Raw(func(c any) error { return do(c.(driver.Conn)) }); err != nil {
		t.Fatalf("the template of the tables: %v", err)
	}
}
