// Package durable writes files that appear whole or not at all, and are on the disk when the call returns: after a
// crash or a power cut there is the old file or the new one, and perhaps a leftover whose name begins with Prefix.
//
// Call Replace to put a file in place of what may be there, Create where nothing may be overwritten, and SyncFolder
// after any other change of a folder's entries that must last.
package durable

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Prefix begins the names of files that are being written.
const Prefix = ".yinxin-"

// Replace writes a file with what fill writes, in place of an older one. Any error, and the end of ctx, leaves the older
// one as it was. Errors: those of fill, of the context and of the file system, the latter with path's own name.
func Replace(ctx context.Context, path string, mode fs.FileMode, fill func(w io.Writer) error) error {
	return write(ctx, path, mode, fill, os.Rename)
}

// Create is Replace for a name that must be free: the error is fs.ErrExist if it is not.
func Create(ctx context.Context, path string, mode fs.FileMode, fill func(w io.Writer) error) error {
	// Link, unlike rename, does not take the place of what is there: of two who create the same name one fails.
	return write(ctx, path, mode, fill, os.Link)
}

func write(ctx context.Context, path string, mode fs.FileMode, fill func(w io.Writer) error, put func(temporary, path string) error) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, Prefix+"*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		os.Remove(f.Name()) // after a rename there is none
		// The person knows the result's name, not the temporary one.
		var p *fs.PathError
		if errors.As(err, &p) && p.Path == f.Name() {
			p.Path = path
		}
	}()
	if err := fill(f); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := put(f.Name(), path); err != nil {
		return err
	}
	return SyncFolder(dir)
}

// SyncFolder makes the entries of a folder durable.
func SyncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there; the file system journals the rename
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
