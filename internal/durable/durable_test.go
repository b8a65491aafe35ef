package durable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestAFileAppearsWholeOrNotAtAll(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		ctx  context.Context
		fill func(w io.Writer) error
		want error
	}{
		"an interrupt": {cancelled, func(w io.Writer) error { _, err := w.Write([]byte("half")); return err }, context.Canceled},
		"a failure":    {t.Context(), func(w io.Writer) error { _, _ = w.Write([]byte("half")); return broken }, broken},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "result.pdf")
		if err := os.WriteFile(file, []byte("older"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Replace(c.ctx, file, 0o644, c.fill); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 1 {
			t.Errorf("%s leaves %v (%v)", name, left, err)
		}
		if b, err := os.ReadFile(file); err != nil || string(b) != "older" {
			t.Errorf("%s: the older result became %q (%v)", name, b, err)
		}
	}
}

func TestAFileThatIsThereIsNotCreatedAgain(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "key.json")
	for i, want := range []error{nil, fs.ErrExist} {
		err := Create(t.Context(), file, 0o600, func(w io.Writer) error { _, err := fmt.Fprint(w, i); return err })
		if !errors.Is(err, want) {
			t.Errorf("time %d: %v", i+1, err)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "0" {
		t.Errorf("the first file became %q (%v)", b, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left: %v (%v)", left, err)
	}
}

func TestTheFileHasTheModeThatWasAskedFor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result.pdf")
	if err := Replace(t.Context(), file, 0o644, func(io.Writer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
