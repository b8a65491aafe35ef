package view

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The tests run this program as a worker; what follows is how it misbehaves in the worker, once per request.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workerName {
		if flag, late := strings.CutPrefix(os.Args[2], "late:"); late {
			startLate(flag)
		}
		fmt.Fprintln(os.Stderr, work(os.Stdin, os.Stdout, misdeeds[os.Args[2]]))
		os.Exit(1)
	}
	var err error
	if cache, err = os.MkdirTemp("", "view-cache-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(cache)
	os.Exit(status)
}

// startLate hangs in the first process that is started with this folder, and in all if there is none.
func startLate(dir string) {
	if os.Mkdir(filepath.Join(dir, "started"), 0o700) == nil || dir == "" {
		time.Sleep(time.Minute)
	}
}

// cache is the folder for the compiled module that the tests share.
var cache string

const workerName = "view-worker-of-the-tests"

var misdeeds = map[string]func(request){}

// newViewer makes a viewer whose workers misbehave as named, or not when empty. They share one cache.
func newViewer(t testing.TB, misdeed string, c Config) *Viewer {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c.Path, c.Args = self, []string{"worker", workerName, misdeed}
	if c.CacheDir == "" {
		c.CacheDir = cache
	}
	v := New(c)
	t.Cleanup(v.Close)
	return v
}

func reader(data []byte) (*bytes.Reader, int64) { return bytes.NewReader(data), int64(len(data)) }
