package files

import (
	"context"
	"os"
	"path/filepath"

	"yinxin/internal/durable"
)

// writer is an object being written: without a name where the file system can, else in the subfolder "unfinished".
type writer struct {
	ctx    context.Context
	folder *Folder
	name   string
	path   string   // empty without a name
	file   *os.File // nil once it has ended
	failed error
}

var _ Writer = (*writer)(nil)

func (w *writer) Write(p []byte) (int, error) {
	if w.file == nil {
		return 0, errEnded.New()
	}
	if w.failed != nil {
		return 0, w.failed
	}
	if err := w.ctx.Err(); err != nil {
		w.failed = err
		return 0, err
	}
	n, err := w.file.Write(p)
	if err != nil {
		w.failed = fail(err)
	}
	return n, w.failed
}

// Commit refuses after a failed Write, so that a caller who overlooked the error does not keep half an object.
func (w *writer) Commit() (string, error) {
	if w.file == nil {
		return "", errEnded.New()
	}
	if w.failed == nil {
		w.failed = w.ctx.Err()
	}
	if w.failed == nil {
		w.failed = fail(w.publish())
	}
	if w.failed != nil {
		_ = w.Abort()
		return "", w.failed
	}
	return w.name, nil
}

// publish makes first the bytes durable, then the entry in the shelf. In the other order a power cut could leave a
// visible object with nothing in it.
func (w *writer) publish() error {
	if err := w.file.Sync(); err != nil {
		return err
	}
	shelf := filepath.Join(w.folder.root, w.name[:2])
	final := filepath.Join(shelf, w.name)
	if err := w.place(shelf, final); err != nil {
		return err
	}
	if err := durable.SyncFolder(shelf); err != nil {
		_ = os.Remove(final)
		return err
	}
	w.file = nil
	return nil
}

// place gives the object its name in the shelf.
func (w *writer) place(shelf, final string) error {
	if w.path == "" { // it lies in the shelf's file system because the shelf is there
		if err := linkUnnamed(w.file, final); err != nil {
			return err
		}
		return w.file.Close()
	}
	if err := w.file.Close(); err != nil {
		return err
	}
	if err := w.folder.makeFolder(shelf); err != nil {
		return err
	}
	return os.Rename(w.path, final)
}

func (w *writer) Abort() error {
	if w.file == nil {
		return nil
	}
	_ = w.file.Close() // already closed when publish failed late
	w.file = nil
	if w.path == "" {
		return nil
	}
	if err := os.Remove(w.path); err != nil && !os.IsNotExist(err) {
		return fail(err)
	}
	return nil
}
