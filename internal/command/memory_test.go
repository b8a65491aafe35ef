package command

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/fixtures"
)

// builtProgram is the program, linked once for the tests that measure it.
var builtProgram = sync.OnceValues(func() (string, error) {
	dir, err := sharedFolder()
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "yinxin")
	if out, err := exec.Command("go", "build", "-o", program, "yinxin").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return program, nil
})

func linked(t *testing.T) string {
	t.Helper()
	program, err := builtProgram()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// TestBigFilesNeedLittleMemory seals and verifies 1 GB and 500,000 objects, as processes of their own, and looks at the
// most memory that the operating system ever gave them.
func TestBigFilesNeedLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes several gigabytes")
	}
	const limit = 120 << 10 // kB; of these the program itself, mapped from its file, is some 57
	program := linked(t)
	province := filepath.Join(t.TempDir(), "demo")
	if err := copyProvince(province); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		size int64
		kind fixtures.BigKind
	}{{"1 GB with a table", 1 << 30, fixtures.BigTable}, {"300 MB with a stream", 300 << 20, fixtures.BigStream}} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			original, sealed := filepath.Join(dir, "big.pdf"), filepath.Join(dir, "sealed.pdf")
			f, err := os.Create(original)
			if err != nil {
				t.Fatal(err)
			}
			if err := fixtures.WriteBig(f, c.size, 500_000, c.kind); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{
				{"seal", "--data", province, "--seal", "29010000000017", original, "-o", sealed},
				{"verify", "--data", province, sealed},
			} {
				peak := peakOf(t, exec.Command(program, args...))
				t.Logf("%s: peak %d kB", args[0], peak)
				if peak > limit {
					t.Errorf("%s needed %d kB, more than %d kB", args[0], peak, limit)
				}
			}
		})
	}
}

// peakOf is costOf for a command that must succeed.
func peakOf(t *testing.T, command *exec.Cmd) int {
	t.Helper()
	peak, status, out := costOf(t, command)
	if status != 0 {
		t.Fatalf("exit status %d\n%s", status, out)
	}
	return peak
}

// costOf runs a command and gives the most memory it had, in kB, its exit status and what it said. The memory is the
// high-water mark of its address space, read until it ends: what wait4 reports would count the test that forked it.
func costOf(t *testing.T, command *exec.Cmd) (peak, status int, out string) {
	t.Helper()
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for {
		select {
		case <-ended:
			return peak, command.ProcessState.ExitCode(), said.String()
		case <-time.After(5 * time.Millisecond):
		}
		process, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", command.Process.Pid))
		if err != nil {
			continue // it ended just now
		}
		for line := range strings.Lines(string(process)) {
			rest, ok := strings.CutPrefix(line, "VmHWM:")
			if !ok {
				continue
			}
			if _, err := fmt.Sscanf(rest, "%d kB", &peak); err != nil {
				t.Fatal(err)
			}
		}
	}
}
