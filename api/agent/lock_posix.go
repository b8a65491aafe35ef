//go:build unix

package agent

import (
	"os"

	"golang.org/x/sys/unix"
)

// lock takes the file for this process; it ends with the file, also when the process is killed.
func lock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
