package command

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"yinxin/internal/fault"
)

// writeFile writes a result so that it appears whole or not at all: a temporary file in the same folder, synced and
// renamed. Any error, and an interrupt, removes the temporary file and leaves an older result as it was.
func writeFile(ctx context.Context, name string, mode os.FileMode, fill func(w io.Writer) error) (err error) {
	f, err := createBeside(name)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
		// The person knows the result's name, not the temporary one.
		var p *fs.PathError
		if errors.As(err, &p) && p.Path == f.Name() {
			p.Path = name
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
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(name))
}

// createBeside makes the temporary file that is renamed to name. What would be replaced is a regular file or nothing:
// renaming over /dev/null would put a file in its place.
func createBeside(name string) (*os.File, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return nil, errIsFolder.At(fault.File(name))
	} else if err == nil && !info.Mode().IsRegular() {
		return nil, errNotRegular.At(fault.File(name))
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".yinxin-*")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoPlace.At(fault.File(name))
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		p.Path = name
	}
	return f, err
}

// checkOutput refuses a result that could not be written, before anything is done for it.
func checkOutput(name string) error {
	f, err := createBeside(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func writeBytes(ctx context.Context, name string, mode os.FileMode, b []byte) error {
	return writeFile(ctx, name, mode, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// openInput opens a regular file for random access.
func openInput(name string) (*os.File, int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errIsFolder.New()
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// sameFile reports whether two names mean the same existing file.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
