package command

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"yinxin/internal/durable"
	"yinxin/internal/fault"
)

// writeFile writes a result so that it appears whole or not at all; an error, and an interrupt, leave an older result as it
// was.
func writeFile(ctx context.Context, name string, mode os.FileMode, fill func(w io.Writer) error) error {
	if err := checkReplaceable(name); err != nil {
		return err
	}
	return durable.Replace(ctx, name, mode, fill)
}

// checkReplaceable refuses a name that stands for anything but a regular file or nothing: renaming over /dev/null would
// put a file in its place.
func checkReplaceable(name string) error {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return errIsFolder.At(fault.File(name))
	} else if err == nil && !info.Mode().IsRegular() {
		return errNotRegular.At(fault.File(name))
	}
	return checkPlace(name)
}

// checkPlace refuses a name whose folder is missing or is no folder.
func checkPlace(name string) error {
	switch info, err := os.Stat(filepath.Dir(name)); {
	case errors.Is(err, fs.ErrNotExist):
		return errNoPlace.At(fault.File(name))
	case err == nil && !info.IsDir(), errors.Is(err, syscall.ENOTDIR): // below a plain file
		return errNoFolder.At(fault.File(filepath.Dir(name)))
	}
	return nil
}

// checkOutput refuses a result that could not be written, before anything is done for it.
func checkOutput(name string) error {
	if err := checkReplaceable(name); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".yinxin-*")
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			p.Path = name // the person knows the result's name, not the temporary one
		}
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
