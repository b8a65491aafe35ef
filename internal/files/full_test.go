package files

import (
	"context"
	"os"
	"testing"

	"yinxin/internal/fault"
)

// TestWriterOnAFullDevice needs no right to mount: the kernel's /dev/full answers every write as a full disk does.
func TestWriterOnAFullDevice(t *testing.T) {
	folder, err := OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	created, err := folder.Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	w := created.(*writer)
	_ = w.file.Close()
	w.file = full
	if _, err := w.Write([]byte("x")); fault.CodeOf(err) != "files.full" {
		t.Errorf("write: %v", err)
	}
	if _, err := w.Commit(); fault.CodeOf(err) != "files.full" {
		t.Errorf("commit: %v", err)
	}
	if err := folder.List(context.Background(), func(name string, _ int64) error { t.Errorf("kept %s", name); return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(w.path); !os.IsNotExist(err) {
		t.Errorf("left behind: %v", err)
	}
}
