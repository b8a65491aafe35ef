package filelock_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"yinxin/internal/filelock"
)

// open gives another open of the same file, as another process would have it.
func open(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestOneOpenHasTheLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	first, second := open(t, name), open(t, name)
	if taken, err := filelock.Try(first); !taken || err != nil {
		t.Fatal(taken, err)
	}
	if taken, err := filelock.Try(second); taken || err != nil {
		t.Fatal(taken, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := filelock.Take(ctx, second); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	took := make(chan error)
	go func() { took <- filelock.Take(context.Background(), second) }()
	if err := filelock.Release(first); err != nil {
		t.Fatal(err)
	}
	if err := <-took; err != nil {
		t.Fatal(err)
	}
	if taken, err := filelock.Try(first); taken || err != nil {
		t.Fatal(taken, err)
	}
}

func TestALockEndsWithItsFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	first, second := open(t, name), open(t, name)
	if taken, err := filelock.Try(first); !taken || err != nil {
		t.Fatal(taken, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if taken, err := filelock.Try(second); !taken || err != nil {
		t.Fatal(taken, err)
	}
}
