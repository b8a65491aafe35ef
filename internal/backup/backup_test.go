package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"yinxin/ca/chain/chaintest"
	"yinxin/internal/fault"
	"yinxin/internal/files"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// tables are what Load and the manifest look at, and one that names objects.
var tables = fstest.MapFS{"00001_a.sql": {Data: []byte(`-- +goose Up
CREATE TABLE ledger_event (id TEXT PRIMARY KEY, position BIGINT);
CREATE TABLE ledger_checkpoint (size BIGINT PRIMARY KEY, note TEXT NOT NULL);
CREATE TABLE access_actor (id TEXT PRIMARY KEY);
CREATE TABLE named (object TEXT PRIMARY KEY, raw BYTEA);
`)}}

var ctx = context.Background()

// shop is a small installation: a database whose rows name objects.
type shop struct {
	db    *store.DB
	files files.Store
	dir   string
	key   *chaintest.Holder
}

func newShop(t testing.TB, db *store.DB) *shop {
	t.Helper()
	dir := t.TempDir()
	folder, err := files.OpenFolder(filepath.Join(dir, "files"))
	check(t, err)
	check(t, db.Migrate(ctx, "test", tables))
	s := &shop{db, folder, dir, &chaintest.Holder{Key: chaintest.Key(t)}}
	check(t, os.MkdirAll(filepath.Join(dir, "keys", "keys"), 0o700))
	for name, content := range map[string]string{"keys/master.json": "m", "keys/keys/a.json": "a", "keys/.yinxin-123": "half", "config.json": "{}"} {
		check(t, os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(content), 0o600))
	}
	for range 5 {
		s.add(t)
	}
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// add stores an object, then the row that names it: the order in which the service works.
func (s *shop) add(t testing.TB) string {
	t.Helper()
	w, err := s.files.Create(ctx)
	check(t, err)
	_, err = io.CopyN(w, rand.Reader, 1000)
	check(t, err)
	name, err := w.Commit()
	check(t, err)
	check(t, s.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO named (object, raw) VALUES ($1, $2)`, name, []byte{0, 1, 0xff})
		return err
	}))
	return name
}

func (s *shop) source() Source {
	return Source{DB: s.db, Files: s.files, Paths: map[string]string{"keys": filepath.Join(s.dir, "keys"), "config.json": filepath.Join(s.dir, "config.json"),
		"trust": filepath.Join(s.dir, "trust")}, Key: s.key, Name: "shop", Tool: "test", Clock: time.Now}
}

func (s *shop) objects(t testing.TB, db *store.DB) (names []string) {
	t.Helper()
	rows, err := db.Read().QueryContext(ctx, `SELECT object FROM named ORDER BY object`)
	check(t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		check(t, rows.Scan(&name))
		names = append(names, name)
	}
	check(t, rows.Err())
	return names
}

// busy is a store of files in which something happens while it is listed.
type busy struct {
	files.Store
	before, after func()
}

func (b busy) List(ctx context.Context, fn func(name string, size int64) error) error {
	b.before()
	defer b.after()
	return b.Store.List(ctx, fn)
}

func restore(t *testing.T, from string, s *shop, db *store.DB) (Manifest, string, error) {
	t.Helper()
	b, err := Open(ctx, from, "config.json")
	if err != nil {
		return Manifest{}, "", err
	}
	m, err := b.Check(s.key.Public())
	if err != nil {
		return m, "", err
	}
	to := t.TempDir()
	if err := b.Extract(ctx, m, to, nil); err != nil {
		return m, to, err
	}
	return m, to, Load(ctx, m, to, db)
}

func TestWhatTheRowsNameIsInTheBackupWhateverHappensMeanwhile(t *testing.T) {
	for _, name := range []string{"made.tar", "made"} {
		storetest.Each(t, func(t *testing.T, db *store.DB) {
			s := newShop(t, db)
			gone := s.add(t)
			source := s.source()
			removed := false
			source.Files = busy{s.files, func() { s.add(t) }, func() {
				s.add(t)
				if !removed { // row and object, in the order of the service
					removed = true
					check(t, db.Write(ctx, func(tx *store.Tx) error {
						_, err := tx.ExecContext(ctx, `DELETE FROM named WHERE object = $1`, gone)
						return err
					}))
					check(t, s.files.Remove(ctx, gone))
				}
			}}
			target := filepath.Join(t.TempDir(), name)
			made, err := Write(ctx, target, source)
			check(t, err)
			if made.Vanished != 1 {
				t.Errorf("%d objects vanished", made.Vanished)
			}
			storetest.Each(t, func(t *testing.T, fresh *store.DB) {
				check(t, fresh.Migrate(ctx, "test", tables))
				_, to, err := restore(t, target, s, fresh)
				check(t, err)
				restored, err := files.OpenFolder(filepath.Join(to, "files"))
				check(t, err)
				named := s.objects(t, fresh)
				if len(named) != 6 {
					t.Errorf("%d rows", len(named))
				}
				for _, name := range named {
					if name == gone {
						continue
					}
					o, err := restored.Open(ctx, name)
					check(t, err)
					original, err := s.files.Open(ctx, name)
					check(t, err)
					a, b := make([]byte, 1000), make([]byte, 1000)
					_, err = o.ReadAt(a, 0)
					check(t, err)
					_, err = original.ReadAt(b, 0)
					check(t, err)
					if !bytes.Equal(a, b) {
						t.Errorf("object %s is another", name)
					}
				}
				for name, want := range map[string]bool{"keys/master.json": true, "keys/keys/a.json": true, "keys/.yinxin-123": false, "config.json": true, "database": false, "trust": false} {
					if _, err := os.Stat(filepath.Join(to, name)); (err == nil) != want {
						t.Errorf("%s: %v", name, err)
					}
				}
				// Not over what is there.
				_, _, err = restore(t, target, s, s.db)
				if err == nil {
					check(t, fresh.Write(ctx, func(tx *store.Tx) error {
						_, err := tx.ExecContext(ctx, `INSERT INTO access_actor (id) VALUES ('x')`)
						return err
					}))
					_, _, err = restore(t, target, s, fresh)
				}
				if !fault.Has(err, ErrNotEmpty) {
					t.Errorf("into a database in use: %v", err)
				}
			})
		})
	}
}

func sqliteShop(t testing.TB) *shop {
	return newShop(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")))
}

func TestABackupOfAnotherStructureIsRefused(t *testing.T) {
	s := sqliteShop(t)
	target := filepath.Join(t.TempDir(), "b")
	_, err := Write(ctx, target, s.source())
	check(t, err)
	fresh := storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db"))
	newer := fstest.MapFS{"00001_a.sql": tables["00001_a.sql"], "00002_b.sql": {Data: []byte("-- +goose Up\nCREATE TABLE more (id TEXT);\n")}}
	check(t, fresh.Migrate(ctx, "test", newer))
	_, _, err = restore(t, target, s, fresh)
	if !fault.Has(err, ErrVersion) {
		t.Error(err)
	}
}

func TestAFailingOrEndedBackupLeavesNothing(t *testing.T) {
	s := sqliteShop(t)
	failure := errors.New("the disk went away")
	for _, name := range []string{"made.tar", "made"} {
		dir := t.TempDir()
		failing := s.source()
		failing.Key = brokenKey{s.key, failure} // the last step
		if _, err := Write(ctx, filepath.Join(dir, name), failing); !errors.Is(err, failure) {
			t.Error(err)
		}
		ended, stop := context.WithCancel(ctx)
		source := s.source()
		source.Files = busy{s.files, func() {}, stop}
		if _, err := Write(ended, filepath.Join(dir, name), source); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		stop()
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v, %v", name, left, err)
		}
	}
}

type brokenKey struct {
	*chaintest.Holder
	err error
}

func (b brokenKey) SignDigest(context.Context, [32]byte) ([]byte, error) { return nil, b.err }

// rebuilt gives a tar file with its entries changed.
func rebuilt(t *testing.T, from string, change func(name string, data []byte) (string, []byte, byte)) string {
	t.Helper()
	data, err := os.ReadFile(from)
	check(t, err)
	var out bytes.Buffer
	r, w := tar.NewReader(bytes.NewReader(data)), tar.NewWriter(&out)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		check(t, err)
		content, err := io.ReadAll(r)
		check(t, err)
		name, content, kind := change(h.Name, content)
		if name == "" {
			continue
		}
		header := tar.Header{Name: name, Size: int64(len(content)), Typeflag: kind, Mode: 0o600}
		if kind != tar.TypeReg {
			header.Size, header.Linkname, content = 0, "/etc/passwd", nil
		}
		check(t, w.WriteHeader(&header))
		_, err = w.Write(content)
		check(t, err)
	}
	check(t, w.Close())
	path := filepath.Join(t.TempDir(), "changed.tar")
	check(t, os.WriteFile(path, out.Bytes(), 0o600))
	return path
}

func TestAHostileOrDamagedBackupIsRefusedWithItsCode(t *testing.T) {
	s := sqliteShop(t)
	good := filepath.Join(t.TempDir(), "good.tar")
	_, err := Write(ctx, good, s.source())
	check(t, err)
	same := func(name string, data []byte) (string, []byte, byte) { return name, data, tar.TypeReg }
	for name, c := range map[string]struct {
		change func(name string, data []byte) (string, []byte, byte)
		want   []fault.Spec
	}{
		"nothing changed": {same, nil},
		"a changed file": {func(n string, d []byte) (string, []byte, byte) {
			if n == "keys/master.json" {
				d = []byte("x")
			}
			return same(n, d)
		}, []fault.Spec{ErrDamaged}},
		"a changed small file": {func(n string, d []byte) (string, []byte, byte) {
			if n == "config.json" {
				d = []byte("[]")
			}
			return same(n, d)
		}, []fault.Spec{ErrDamaged}},
		"a longer file": {func(n string, d []byte) (string, []byte, byte) {
			if strings.HasPrefix(n, "files/") {
				d = append(d, 0)
			}
			return same(n, d)
		}, []fault.Spec{ErrDamaged}},
		"a file less": {func(n string, d []byte) (string, []byte, byte) {
			if n == "keys/keys/a.json" {
				n = ""
			}
			return same(n, d)
		}, []fault.Spec{ErrDamaged}},
		"a file renamed": {func(n string, d []byte) (string, []byte, byte) {
			return same(strings.Replace(n, "keys/keys/a", "keys/keys/b", 1), d)
		}, []fault.Spec{ErrDamaged}},
		"a name that climbs": {func(n string, d []byte) (string, []byte, byte) {
			return same(strings.Replace(n, "keys/keys/a", "../../a", 1), d)
		}, []fault.Spec{ErrNotBackup}},
		"an absolute name": {func(n string, d []byte) (string, []byte, byte) {
			return same(strings.Replace(n, "keys/keys/a", "/tmp/a", 1), d)
		}, []fault.Spec{ErrNotBackup}},
		"a link": {func(n string, d []byte) (string, []byte, byte) {
			if n == "keys/master.json" {
				return n, d, tar.TypeSymlink
			}
			return same(n, d)
		}, []fault.Spec{ErrNotBackup}},
		"a changed manifest": {func(n string, d []byte) (string, []byte, byte) {
			if n == manifestName {
				d = bytes.Replace(d, []byte("shop"), []byte("show"), 1)
			}
			return same(n, d)
		}, []fault.Spec{ErrSignature}},
		"no signature": {func(n string, d []byte) (string, []byte, byte) {
			if n == signatureName {
				n = ""
			}
			return same(n, d)
		}, []fault.Spec{ErrNotBackup}},
		"no manifest": {func(n string, d []byte) (string, []byte, byte) {
			if n == manifestName {
				n = ""
			}
			return same(n, d)
		}, []fault.Spec{ErrNotBackup}},
	} {
		t.Run(name, func(t *testing.T) {
			fresh := storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db"))
			check(t, fresh.Migrate(ctx, "test", tables))
			_, _, err := restore(t, rebuilt(t, good, c.change), s, fresh)
			if len(c.want) == 0 {
				check(t, err)
				return
			}
			if !fault.Has(err, c.want[0]) {
				t.Errorf("%v", err)
			}
		})
	}
	other := *s
	other.key = &chaintest.Holder{Key: chaintest.Key(t)}
	if _, _, err := restore(t, good, &other, nil); !fault.Has(err, ErrSignature) {
		t.Errorf("under another key: %v", err)
	}
}

func TestACutTarFileIsRefusedWhereverItEnds(t *testing.T) {
	s := sqliteShop(t)
	good := filepath.Join(t.TempDir(), "good.tar")
	_, err := Write(ctx, good, s.source())
	check(t, err)
	data, err := os.ReadFile(good)
	check(t, err)
	// The last two blocks of 512 only end the archive.
	for size := 0; size < len(data)-1024-512; size += 331 {
		cut := filepath.Join(t.TempDir(), "cut.tar")
		check(t, os.WriteFile(cut, data[:size], 0o600))
		b, err := Open(ctx, cut)
		if err == nil {
			var m Manifest
			if m, err = b.Check(s.key.Public()); err == nil {
				err = b.Extract(ctx, m, "", nil)
			}
		}
		if f, ok := fault.Of(err); !ok || !strings.HasPrefix(f.Code, "backup.") {
			t.Fatalf("cut at %d: %v", size, err)
		}
	}
}

func FuzzValue(f *testing.F) {
	for _, seed := range []string{`null`, `"x"`, `{"b":"AA=="}`, `{"t":"/w=="}`, `5`, `5.5`, `{}`, `[1]`, `true`, `{"b":null}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) == 0 {
			return
		}
		v, err := decodeValue(raw)
		if err != nil {
			return
		}
		switch v.(type) {
		case nil, int64, string, []byte:
		default:
			t.Errorf("%T", v)
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	s := sqliteShop(b)
	for range 200 {
		s.add(b)
	}
	dir := b.TempDir()
	n := 0
	for b.Loop() {
		n++
		if _, err := Write(ctx, filepath.Join(dir, fmt.Sprintf("%d.tar", n)), s.source()); err != nil {
			b.Fatal(err)
		}
	}
}
