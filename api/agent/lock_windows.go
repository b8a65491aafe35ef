package agent

import (
	"os"

	"golang.org/x/sys/windows"
)

// lock takes the file for this process; it ends with the file, also when the process is killed.
func lock(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
}
