// Package filelock locks whole files between processes. A lock belongs to the open file: it ends with the file, also
// when the process is killed, and two opens of one file in one process exclude each other.
package filelock

import (
	"context"
	"os"
	"time"
)

// longestPause is how long Take sleeps at most between two looks.
const longestPause = 10 * time.Millisecond

// Take waits until f is locked for the caller, or ctx ends: then the error is that of ctx. Any other error is of the
// file system.
func Take(ctx context.Context, f *os.File) error {
	for pause := 250 * time.Microsecond; ; pause = min(2*pause, longestPause) {
		if taken, err := Try(f); taken || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
