package command

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestAResultAppearsWholeOrNotAtAll(t *testing.T) {
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
		if err := writeFile(c.ctx, file, 0o644, c.fill); !errors.Is(err, c.want) {
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
