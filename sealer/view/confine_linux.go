package view

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// harden makes the process one that gains no rights, leaves no core dump, is no debugger's target, and goes first when
// the machine runs out of memory. It runs before the module is compiled.
func harden() {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("900"), 0) // before the files in /proc belong to root
	_ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}

// confine gives up the right to open or write files, sockets included, and limits memory; meter sets the limit of
// processor time anew for each request. It runs after the module was compiled, since the cache is a file.
func confine(h hello) (meter func() error, err error) {
	for _, l := range []struct {
		name     string
		resource int
		value    uint64
	}{
		{"core", unix.RLIMIT_CORE, 0},
		{"file size", unix.RLIMIT_FSIZE, 0},
		{"data", unix.RLIMIT_DATA, 2*uint64(h.Memory) + processMemory},
		{"open files", unix.RLIMIT_NOFILE, 0}, // those that are open stay so
	} {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return nil, fmt.Errorf("limiting %s: %w", l.name, err)
		}
	}
	// The limits above already leave nothing to open. The filter is a second reason for it, and takes away processes and
	// what may be done to others; a kernel or container without filters has the limits alone.
	_ = filterSystemCalls()
	return func() error { return limitProcessor(h.Seconds) }, nil
}

// limitProcessor lets the process use some seconds of processor time from now on. It ends a worker whose viewer cannot:
// one that hangs in a loop while its viewer is stopped or gone.
func limitProcessor(seconds int) error {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return err
	}
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CPU, &now); err != nil {
		return err
	}
	spent := time.Duration(used.Utime.Nano() + used.Stime.Nano())
	now.Cur = min(now.Max, uint64(spent/time.Second)+1+uint64(seconds))
	return unix.Setrlimit(unix.RLIMIT_CPU, &now)
}
