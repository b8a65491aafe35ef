package view

import (
	"bytes"
	"fmt"
	"os"
	"testing"
)

// The tests run this program as a worker; what follows is how it misbehaves in the worker, once per request.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workerName {
		fmt.Fprintln(os.Stderr, work(os.Stdin, os.Stdout, misdeeds[os.Args[2]]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

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
	v := New(c)
	t.Cleanup(v.Close)
	return v
}

func reader(data []byte) (*bytes.Reader, int64) { return bytes.NewReader(data), int64(len(data)) }
