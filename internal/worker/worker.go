// Package worker runs a hidden command of this program as a process of its own, for work on hostile input whose memory
// and time nobody can foresee. Run starts it; Confine is what the process calls first.
package worker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"time"

	"yinxin/internal/selflimit"
)

// MaxReason is how much of a reason goes from the worker to the person, in bytes.
const MaxReason = 200

// Call is a process to run.
type Call struct {
	Program string // the file of the program; empty for the one that is running
	Name    string // the argument that makes it a worker
	In      io.Reader
	Out     io.Writer // may have been written to when the process fails
	Time    time.Duration
}

// Ended is how the process ended by itself.
type Ended struct {
	Status int    // of exit; 2 and -1 where memory ran out: Go ends with 2, the kernel kills
	Reason string // the first line that it wrote on its standard error, without anything that is no plain character
	Late   bool   // it took longer than Time, and was ended
}

// Memory reports whether the process ended for want of memory.
func (e Ended) Memory() bool { return e.Status == 2 || e.Status == -1 }

// Run runs the process to its end. An error is of the context, or says that the process could not be run.
func Run(ctx context.Context, c Call) (Ended, error) {
	if c.Program == "" {
		var err error
		if c.Program, err = os.Executable(); err != nil {
			return Ended{}, err
		}
	}
	limited, cancel := context.WithTimeout(ctx, c.Time)
	defer cancel()
	process := exec.CommandContext(limited, c.Program, c.Name)
	// Nothing of the environment is handed over: neither settings of libraries nor secrets of the service.
	process.Env = []string{"HOME=/nonexistent", "GOTRACEBACK=none"}
	process.Dir = os.TempDir()
	reason := &head{left: 4 * MaxReason}
	process.Stdin, process.Stdout, process.Stderr = c.In, c.Out, reason
	process.WaitDelay = time.Second
	err := process.Run()
	switch {
	case ctx.Err() != nil:
		return Ended{}, ctx.Err()
	case limited.Err() != nil:
		return Ended{Late: true}, nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return Ended{Status: exit.ExitCode(), Reason: reason.line()}, nil
	}
	return Ended{}, err
}

// Confine bounds the memory of this process, in bytes, for the garbage collector as well.
func Confine(bytes int64) error {
	if err := selflimit.Memory(bytes); err != nil {
		return err
	}
	debug.SetMemoryLimit(bytes * 3 / 4)
	return nil
}

// head keeps the beginning of what is written to it.
type head struct {
	bytes.Buffer
	left int
}

func (h *head) Write(p []byte) (int, error) {
	n := min(len(p), h.left)
	h.left -= n
	h.Buffer.Write(p[:n])
	return len(p), nil
}

func (h *head) line() string {
	text, _, _ := strings.Cut(h.String(), "\n")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, text)
	if len(text) > MaxReason {
		text = strings.ToValidUTF8(text[:MaxReason], "")
	}
	return text
}
