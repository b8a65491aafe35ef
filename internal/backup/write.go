package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/durable"
	"yinxin/internal/fault"
	"yinxin/internal/files"
	"yinxin/internal/store"
)

// Source is what is copied.
type Source struct {
	DB    *store.DB
	Files files.Store
	// Paths are files and folders to copy, by the name that they get in the backup. Those that do not exist are passed
	// over, as are leftovers of interrupted writes.
	Paths map[string]string
	Key   Signer // the ledger's
	Name  string
	Tool  string
	Clock func() time.Time
	// Progress, if set, is told how many bytes of how many are done; the whole is an estimate until the blobs begin.
	Progress func(done, whole int64)
}

// Written is a backup that was made.
type Written struct {
	Manifest
	Digest string // SM3 of manifest.json
}

// Write makes a backup: a tar file where target ends in .tar, else a folder. Nothing may be there: backup.exists. Any
// error, and the end of ctx, leaves nothing.
func Write(ctx context.Context, target string, s Source) (Written, error) {
	target = filepath.Clean(target)
	if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
		return Written{}, ErrExists.At(fault.File(target)).Because(err)
	}
	spool, err := os.MkdirTemp(filepath.Dir(target), durable.Prefix+"spool-*")
	if err != nil {
		return Written{}, err
	}
	defer os.RemoveAll(spool)
	w := &writing{Source: s, spool: spool}
	var out Written
	fill := func(to sink) (err error) {
		w.to = to
		out, err = w.all(ctx)
		return err
	}
	if strings.HasSuffix(target, ".tar") {
		err = durable.Create(ctx, target, 0o600, func(f io.Writer) error {
			to := tarSink{tar.NewWriter(f)}
			if err := fill(to); err != nil {
				return err
			}
			return to.Close()
		})
	} else {
		err = writeFolder(target, fill)
	}
	if errors.Is(err, fs.ErrExist) {
		return Written{}, ErrExists.At(fault.File(target))
	}
	return out, err
}

// writeFolder fills a folder beside its place and moves it there.
func writeFolder(target string, fill func(sink) error) (err error) {
	making, err := os.MkdirTemp(filepath.Dir(target), durable.Prefix+"backup-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(making))
		}
	}()
	to := folderSink{making}
	if err := fill(to); err != nil {
		return err
	}
	if err := syncFolders(making); err != nil {
		return err
	}
	if err := os.Rename(making, target); err != nil {
		return err
	}
	return durable.SyncFolder(filepath.Dir(target))
}

func syncFolders(dir string) error {
	return filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = durable.SyncFolder(name)
		}
		return err
	})
}

// sink is where a backup goes: size bytes of r under a name.
type sink interface {
	add(name string, size int64, r io.Reader) error
}

type tarSink struct{ *tar.Writer }

func (t tarSink) add(name string, size int64, r io.Reader) error {
	if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := io.Copy(t, r)
	return err
}

type folderSink struct{ dir string }

func (f folderSink) add(name string, size int64, r io.Reader) error {
	full := filepath.Join(f.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		return err
	}
	return writeNew(full, r, size)
}

// writeNew writes a file that must not be there, of exactly size bytes, and syncs it.
func writeNew(name string, r io.Reader, size int64) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(file, r)
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// writing is the work on one backup.
type writing struct {
	Source
	spool    string
	to       sink
	manifest Manifest
	done     int64
	whole    int64
	told     int64
}

// progressStep is how many bytes pass between two reports of progress.
const progressStep = 16 << 20

func (w *writing) all(ctx context.Context) (Written, error) {
	tables, err := w.database(ctx)
	if err != nil {
		return Written{}, err
	}
	for _, t := range tables {
		if err := w.addPath(ctx, path.Join(databaseFolder, t+tableSuffix), filepath.Join(w.spool, t)); err != nil {
			return Written{}, err
		}
	}
	for _, name := range sortedKeys(w.Paths) {
		if err := w.addTree(ctx, name, w.Paths[name]); err != nil {
			return Written{}, err
		}
	}
	if err := w.blobs(ctx); err != nil {
		return Written{}, err
	}
	text, err := w.manifest.encode()
	if err != nil {
		return Written{}, err
	}
	signature, err := sign(ctx, w.Key, text)
	if err != nil {
		return Written{}, err
	}
	if err := w.to.add(manifestName, int64(len(text)), bytes.NewReader(text)); err != nil {
		return Written{}, err
	}
	return Written{w.manifest, digestOf(text)}, w.to.add(signatureName, int64(len(signature)), bytes.NewReader(signature))
}

// database writes one state of the database into the spool, so that it is held no longer than that takes, and gives the
// names of the tables.
func (w *writing) database(ctx context.Context) (names []string, err error) {
	err = w.DB.Snapshot(ctx, func(q store.Querier) error {
		w.manifest = Manifest{Format: format, Tool: w.Tool, Name: w.Name, Dialect: w.DB.Dialect()}
		names = nil
		// The first statement takes the state: whatever is not in it happened after the time that is read before.
		w.manifest.Made = w.Clock().UTC()
		if w.manifest.Versions, err = w.DB.Versions(ctx, q); err != nil {
			return err
		}
		if err := w.ledger(ctx, q); err != nil {
			return err
		}
		tables, err := w.DB.Tables(ctx, q)
		if err != nil {
			return err
		}
		for _, t := range tables {
			if err := w.table(ctx, q, t); err != nil {
				return err
			}
			names = append(names, t.Name)
		}
		return nil
	})
	return names, err
}

func (w *writing) ledger(ctx context.Context, q store.Querier) error {
	return q.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM ledger_event WHERE position IS NOT NULL),
		COALESCE((SELECT note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1), '')`).Scan(&w.manifest.Size, &w.manifest.Checkpoint)
}

func (w *writing) table(ctx context.Context, q store.Querier, t store.Table) error {
	file, err := os.OpenFile(filepath.Join(w.spool, t.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	buffer := bufio.NewWriterSize(file, 1<<16)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(t.Columns); err != nil {
		return err
	}
	row := make([]any, len(t.Columns))
	err = t.Rows(ctx, q, func(values []any) error {
		for i, v := range values {
			switch v := v.(type) {
			case []byte:
				row[i] = octets{B: v}
			case string:
				if row[i] = v; !utf8.ValidString(v) {
					row[i] = odd{T: []byte(v)}
				}
			default:
				row[i] = v
			}
		}
		return encoder.Encode(row)
	})
	if err != nil {
		return err
	}
	if err := buffer.Flush(); err != nil {
		return err
	}
	return file.Close()
}

// octets and odd are how bytes, and text that is not UTF-8, stand in a row.
type octets struct {
	B []byte `json:"b"`
}

type odd struct {
	T []byte `json:"t"`
}

// addTree adds a file, or all files of a folder.
func (w *writing) addTree(ctx context.Context, name, from string) error {
	info, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return w.addPath(ctx, name, from)
	}
	return filepath.WalkDir(from, func(full string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // replaced meanwhile
			return nil
		case err != nil:
			return err
		case !entry.Type().IsRegular(), strings.HasPrefix(entry.Name(), durable.Prefix):
			return nil
		}
		inside, err := filepath.Rel(from, full)
		if err != nil {
			return err
		}
		return w.addPath(ctx, path.Join(name, filepath.ToSlash(inside)), full)
	})
}

func (w *writing) addPath(ctx context.Context, name, from string) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return w.add(ctx, name, info.Size(), file)
}

func (w *writing) add(ctx context.Context, name string, size int64, r io.Reader) error {
	h := sm3.New()
	counted := &meter{ctx: ctx, r: io.LimitReader(r, size), tell: w.progress}
	if err := w.to.add(name, size, io.TeeReader(counted, h)); err != nil {
		return err
	}
	if counted.n != size {
		return io.ErrUnexpectedEOF
	}
	w.manifest.Files = append(w.manifest.Files, File{Path: name, Size: size, SM3: hex.EncodeToString(h.Sum(nil))})
	return nil
}

func (w *writing) progress(n int64) {
	w.done += n
	if w.Progress != nil && w.done-w.told >= progressStep {
		w.told = w.done
		w.Progress(w.done, max(w.whole, w.done))
	}
}

// blobs adds the objects. One that is gone when its turn comes was removed after the state of the database was taken.
func (w *writing) blobs(ctx context.Context) error {
	type object struct {
		name string
		size int64
	}
	var list []object
	w.whole = w.done
	err := w.Files.List(ctx, func(name string, size int64) error {
		list = append(list, object{name, size})
		w.whole += size
		return nil
	})
	if err != nil {
		return err
	}
	for _, o := range list {
		blob, err := w.Files.Open(ctx, o.name)
		if f, ok := fault.Of(err); ok && f.Kind == fault.NotFound {
			w.manifest.Vanished++
			continue
		}
		if err != nil {
			return err
		}
		err = w.add(ctx, path.Join(filesFolder, o.name[:2], o.name), blob.Size(), io.NewSectionReader(blob, 0, blob.Size()))
		if err := errors.Join(err, blob.Close()); err != nil {
			return err
		}
	}
	return nil
}

// meter counts what is read, and ends with the context.
type meter struct {
	ctx  context.Context
	r    io.Reader
	n    int64
	tell func(n int64)
}

func (m *meter) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	m.n += int64(n)
	m.tell(int64(n))
	return n, err
}
