package command

import (
	"context"
	"io"
	"os"

	"yinxin/internal/durable"
)

// writeFile writes a result so that it appears whole or not at all; an error, and an interrupt, leave an older result as it
// was.
func writeFile(ctx context.Context, name string, mode os.FileMode, fill func(w io.Writer) error) error {
	return durable.Replace(ctx, name, mode, fill)
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
