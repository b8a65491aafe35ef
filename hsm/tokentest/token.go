// Package tokentest gives tests a PKCS#11 module with tokens of their own: the soft token of hsm/softtoken, built from
// its source as the test begins.
package tokentest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The PINs of every token that New initialises.
const (
	UserPIN = "246810"
	SOPIN   = "13579135"
)

// Environment is the variable in which the module finds its folder. It is read once, as a process initialises the module:
// all tests of one process share a folder.
const Environment = "YINXIN_SOFTTOKEN"

// ModuleEnvironment is a variable that names a module built elsewhere, to be tested instead of the one built here.
const ModuleEnvironment = "YINXIN_SOFTTOKEN_MODULE"

// Module is the path of the module, built once for the process. Without a compiler, libcrypto's headers or those of p11-kit
// the test is skipped, except in continuous integration, where `make test-packages` has installed them.
func Module(t testing.TB) string {
	t.Helper()
	path, err := Find()
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	return path
}

// Find is Module for who has no test at hand.
func Find() (string, error) {
	if path := os.Getenv(ModuleEnvironment); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s: %w", ModuleEnvironment, err)
		}
		return path, nil
	}
	path, err := build()
	if err != nil {
		return "", fmt.Errorf("the soft token cannot be built here (it needs gcc, make, libssl-dev, libp11-kit-dev): %w", err)
	}
	return path, nil
}

var build = sync.OnceValues(func() (string, error) {
	source, err := sourceFolder()
	if err != nil {
		return "", err
	}
	if err := readSources(source); err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "softtoken-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("make", "-s", "-C", source, "OUT="+folder).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %.2000s", err, out)
	}
	return filepath.Join(folder, "libyinxin-softtoken.so"), nil
})

// readSources lets the test's cache know on which files its result stands: make is another process.
func readSources(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.[ch]"))
	for _, path := range append(files, filepath.Join(folder, "Makefile")) {
		if err == nil {
			_, err = os.ReadFile(path)
		}
	}
	return err
}

// sourceFolder looks for the module's source from the test's package upwards.
func sourceFolder() (string, error) {
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; at = filepath.Dir(at) {
		if folder := filepath.Join(at, "hsm", "softtoken"); exists(filepath.Join(folder, "Makefile")) {
			return folder, nil
		}
		if at == filepath.Dir(at) {
			return "", os.ErrNotExist
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Folder is a folder of tokens.
type Folder struct{ Path string }

// NewFolder makes one with a configuration: lines of softtoken.conf.
func NewFolder(t testing.TB, configuration ...string) Folder {
	t.Helper()
	f := Folder{t.TempDir()}
	write(t, filepath.Join(f.Path, "softtoken.conf"), strings.Join(configuration, "\n")+"\n")
	return f
}

// Fault sets the lines of a slot's faults; none takes all faults away.
func (f Folder) Fault(t testing.TB, slot int, lines ...string) {
	t.Helper()
	path := filepath.Join(f.Path, strconv.Itoa(slot), "faults")
	if len(lines) == 0 {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return
	}
	write(t, path, strings.Join(lines, "\n")+"\n")
}

// Pull takes a token out of its slot, Insert puts it in again.
func (f Folder) Pull(t testing.TB, slot int) { t.Helper(); write(t, f.absent(slot), "") }

// Insert puts a token in again.
func (f Folder) Insert(t testing.TB, slot int) {
	t.Helper()
	if err := os.Remove(f.absent(slot)); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
}

func (f Folder) absent(slot int) string { return filepath.Join(f.Path, strconv.Itoa(slot), "absent") }

// write replaces a file: the module may read at any time.
func write(t testing.TB, path, text string) {
	t.Helper()
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temporary, path); err != nil {
		t.Fatal(err)
	}
}
