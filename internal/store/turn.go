package store

import (
	"context"
	"errors"
	"os"
	"time"

	"yinxin/internal/filelock"
)

// turnSuffix makes the name of the file whose lock is the turn, beside the database. The file is empty and stays.
const turnSuffix = "-turn"

// turn says which process is next at SQLite's write lock. Whoever waits for that lock looks for it now and then, ever
// more seldom, and a process that writes without pause takes it again within microseconds of giving it back: the others
// would hardly ever find it free. A process has the turn from before BEGIN IMMEDIATE until it has the lock, so that one
// which has just committed waits behind the one that waits already.
type turn struct {
	file *os.File
}

func openTurn(database string) (*turn, error) {
	file, err := os.OpenFile(database+turnSuffix, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &turn{file: file}, nil
}

// take waits as long as SQLite waits for its lock. Errors: store.busy, store.unavailable.
func (t *turn) take() error {
	ctx, cancel := context.WithTimeout(context.Background(), busyMilliseconds*time.Millisecond)
	defer cancel()
	err := filelock.Take(ctx, t.file)
	if errors.Is(err, context.DeadlineExceeded) {
		return errBusy.New()
	}
	if err != nil {
		return errUnavailable.Because(err)
	}
	return nil
}

func (t *turn) giveBack() { _ = filelock.Release(t.file) }

func (t *turn) close() error { return t.file.Close() }
