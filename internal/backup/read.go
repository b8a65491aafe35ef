package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/durable"
	"yinxin/internal/fault"
	"yinxin/internal/oid"
	"yinxin/internal/store"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Backup is a backup that can be read.
type Backup struct {
	path     string
	isTar    bool
	manifest []byte
	value    []byte // signature
	small    map[string][]byte
}

// maxSmall bounds the files that Small gives.
const maxSmall = 1 << 20

// Open finds the manifest of a backup, and the small files that are asked for, without believing any of it: see Check.
// Errors: backup.not-a-backup, file errors.
func Open(ctx context.Context, name string, small ...string) (*Backup, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	b := &Backup{path: name, isTar: !info.IsDir(), small: map[string][]byte{}}
	err = b.each(ctx, func(entry string, size int64, r io.Reader) error {
		limit := int64(maxSmall)
		if entry == manifestName {
			limit = maxManifest
		} else if entry != signatureName && !slices.Contains(small, entry) {
			return nil
		}
		if size > limit {
			return ErrNotBackup.At(fault.File(entry))
		}
		data, err := io.ReadAll(io.LimitReader(r, limit))
		if err != nil {
			return ErrNotBackup.At(fault.File(entry)).Because(err)
		}
		switch entry {
		case manifestName:
			b.manifest = data
		case signatureName:
			b.value = data
		default:
			b.small[entry] = data
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if b.manifest == nil || b.value == nil {
		return nil, ErrNotBackup.At(fault.File(name))
	}
	return b, nil
}

// Digest is SM3 of the manifest, by which the ledger knows the backup.
func (b *Backup) Digest() string { return digestOf(b.manifest) }

// Small gives one of the small files that Open was asked for: backup.not-a-backup without it. It is not to be believed
// before Check has found it in the manifest.
func (b *Backup) Small(name string) ([]byte, error) {
	data, ok := b.small[name]
	if !ok {
		return nil, ErrNotBackup.At(fault.File(name))
	}
	return data, nil
}

// Check judges the signature under the ledger's key and the small files under the manifest. Errors: backup.signature,
// backup.not-a-backup, backup.damaged.
func (b *Backup) Check(key *ecdsa.PublicKey) (Manifest, error) {
	z, err := sm2.CalculateZA(key, []byte(oid.SM2UserID))
	if err != nil {
		return Manifest{}, ErrSignature.Because(err)
	}
	e := sm3.Sum(append(z, b.manifest...))
	if !sm2.VerifyASN1(key, e[:], b.value) {
		return Manifest{}, ErrSignature.New()
	}
	m, err := parseManifest(b.manifest)
	if err != nil {
		return m, err
	}
	for name, data := range b.small {
		sum := sm3.Sum(data)
		if !slices.Contains(m.Files, File{Path: name, Size: int64(len(data)), SM3: hex.EncodeToString(sum[:])}) {
			return m, ErrDamaged.At(fault.File(name))
		}
	}
	return m, nil
}

// Extract writes the files into a folder that exists and is empty, each compared with the manifest, which Check gave. With
// an empty folder name it only compares. What the manifest does not name is an error, as is what is missing.
func (b *Backup) Extract(ctx context.Context, m Manifest, to string, progress func(done, whole int64)) error {
	whole, done, told := m.Bytes(), int64(0), int64(0)
	expected := make(map[string]File, len(m.Files))
	for _, f := range m.Files {
		expected[f.Path] = f
	}
	err := b.each(ctx, func(entry string, size int64, r io.Reader) error {
		if entry == manifestName || entry == signatureName {
			return nil
		}
		f, ok := expected[entry]
		if !ok || size != f.Size {
			return ErrDamaged.At(fault.File(entry))
		}
		delete(expected, entry)
		h := sm3.New()
		counted := &meter{ctx: ctx, r: r, tell: func(n int64) {
			done += n
			if progress != nil && done-told >= progressStep {
				told = done
				progress(done, whole)
			}
		}}
		if err := extractOne(to, f, io.TeeReader(counted, h)); err != nil {
			return err
		}
		if hex.EncodeToString(h.Sum(nil)) != f.SM3 {
			return ErrDamaged.At(fault.File(entry))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, missing := range sortedKeys(expected) {
		return ErrDamaged.At(fault.File(missing))
	}
	if to == "" {
		return nil
	}
	return syncFolders(to)
}

func extractOne(to string, f File, r io.Reader) error {
	if to == "" {
		n, err := io.Copy(io.Discard, r)
		if err == nil && n != f.Size {
			err = ErrDamaged.At(fault.File(f.Path))
		}
		return err
	}
	full := filepath.Join(to, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		return err
	}
	err := writeNew(full, r, f.Size)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrDamaged.At(fault.File(f.Path)).Because(err)
	}
	return err
}

// each calls fn with every file of a backup: those of a tar file in its order, of a folder in that of names. Of what fn
// does not read nothing is read.
func (b *Backup) each(ctx context.Context, fn func(name string, size int64, r io.Reader) error) error {
	if b.isTar {
		return b.eachEntry(ctx, fn)
	}
	return filepath.WalkDir(b.path, func(full string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		inside, err := filepath.Rel(b.path, full)
		if err != nil {
			return err
		}
		if !entry.Type().IsRegular() {
			return ErrNotBackup.At(fault.File(inside))
		}
		file, err := os.Open(full)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		return fn(filepath.ToSlash(inside), info.Size(), file)
	})
}

func (b *Backup) eachEntry(ctx context.Context, fn func(name string, size int64, r io.Reader) error) error {
	file, err := os.Open(b.path)
	if err != nil {
		return err
	}
	defer file.Close()
	reader := tar.NewReader(file)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return ErrNotBackup.At(fault.File(b.path)).Because(err)
		}
		if header.Typeflag != tar.TypeReg || !safe(header.Name) && header.Name != manifestName && header.Name != signatureName {
			return ErrNotBackup.At(fault.File(header.Name))
		}
		if err := fn(header.Name, header.Size, reader); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, tar.ErrHeader) {
				return ErrDamaged.At(fault.File(header.Name)).Because(err)
			}
			return err
		}
	}
}

// Load puts the database of an extracted backup into an empty one that has its migrations, and removes its files from the
// folder. Errors: backup.version, backup.database-not-empty, backup.damaged, store.copy.
func Load(ctx context.Context, m Manifest, dir string, db *store.DB) error {
	versions, err := db.Versions(ctx, db.Read())
	if err != nil {
		return err
	}
	for room, version := range m.Versions {
		if versions[room] != version {
			return ErrVersion.With("%s: %d, %d; %s", room, version, versions[room], m.Tool)
		}
	}
	var events, actors int
	if err := db.Read().QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM ledger_event), (SELECT COUNT(*) FROM access_actor)`).Scan(&events, &actors); err != nil {
		return err
	}
	if events+actors > 0 {
		return ErrNotEmpty.New()
	}
	folder := filepath.Join(dir, databaseFolder)
	err = db.Load(ctx, func(insert func(store.Table, []any) error) error {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return ErrNotBackup.Because(err)
		}
		for _, entry := range entries {
			name, ok := strings.CutSuffix(entry.Name(), tableSuffix)
			if !ok {
				return ErrNotBackup.At(fault.File(entry.Name()))
			}
			if err := loadTable(ctx, filepath.Join(folder, entry.Name()), name, insert); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	return durable.SyncFolder(dir)
}

func loadTable(ctx context.Context, from, name string, insert func(store.Table, []any) error) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	damaged := func(err error) error { return ErrDamaged.At(fault.File(name + tableSuffix)).Because(err) }
	decoder := json.NewDecoder(bufio.NewReaderSize(file, 1<<16))
	decoder.UseNumber()
	t := store.Table{Name: name}
	if err := decoder.Decode(&t.Columns); err != nil {
		return damaged(err)
	}
	values := make([]any, 0, len(t.Columns))
	for n := 0; ; n++ {
		if n%1000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var row []json.RawMessage
		if err := decoder.Decode(&row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return damaged(err)
		}
		values = values[:0]
		for _, raw := range row {
			v, err := decodeValue(raw)
			if err != nil {
				return damaged(err)
			}
			values = append(values, v)
		}
		if err := insert(t, values); err != nil {
			return err
		}
	}
}

func decodeValue(raw json.RawMessage) (any, error) {
	switch {
	case bytes.Equal(raw, []byte("null")):
		return nil, nil
	case raw[0] == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case raw[0] == '{':
		var v struct {
			B *[]byte `json:"b"`
			T *[]byte `json:"t"`
		}
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, err
		}
		switch {
		case v.B != nil:
			return append([]byte{}, *v.B...), nil
		case v.T != nil:
			return string(*v.T), nil
		}
		return nil, errors.New("backup: a value of no kind")
	}
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return nil, err
	}
	return n.Int64()
}
