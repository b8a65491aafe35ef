package view

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"yinxin/internal/fault"
)

// startTimes are how long a worker may take until it is ready: the first that is started for a request, and the one that
// is started in its place when it hangs. Compiling the module takes about two seconds of processor time, and the machine
// may be busy.
var startTimes = []time.Duration{15 * time.Second, 45 * time.Second}

// errLate is a worker that was not ready in time.
var errLate = errors.New("the worker was not ready in time")

// process is one worker as its viewer sees it. It serves one request at a time.
type process struct {
	cmd    *exec.Cmd
	in     *os.File // its standard input
	out    *os.File
	frames *bufio.Reader
	report *head
	ended  chan struct{} // closed when the process is gone
	exit   error         // after ended
	served int           // requests
	held   int64         // bytes, as the worker said last
}

// startProcess starts a worker and waits until it is ready, at most for a time. The error of a worker that hangs says where
// it hung, where the system lets a process be asked.
func startProcess(ctx context.Context, path string, args []string, h hello, atMost time.Duration) (*process, error) {
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, ErrWorker.Because(err)
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		return nil, ErrWorker.Because(errors.Join(err, childIn.Close(), in.Close()))
	}
	p := &process{in: in, out: out, frames: bufio.NewReaderSize(out, headSize+partSize), report: &head{}, ended: make(chan struct{})}
	p.cmd = &exec.Cmd{Path: path, Args: args}
	p.cmd.Env = []string{} // nothing of the service's environment is a worker's business
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = childIn, childOut, p.report
	p.cmd.SysProcAttr = childAttributes()
	p.cmd.WaitDelay = time.Second // for standard error, should anything else hold it open
	started := make(chan error, 1)
	go p.run(started)
	err = <-started
	err = errors.Join(err, childIn.Close(), childOut.Close())
	if err == nil {
		err = p.greet(ctx, h, atMost)
	}
	if err != nil {
		p.end()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, ErrWorker.Because(p.explain(err))
	}
	return p, nil
}

// run starts the process and waits for it on one thread of its own: the system ties the child's life to the thread that
// started it, and Go may end any other thread at any time.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.ended)
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.exit = p.cmd.Wait()
	}
}

func (p *process) greet(ctx context.Context, h hello, atMost time.Duration) error {
	late, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	defer context.AfterFunc(late, func() {
		if ctx.Err() == nil && p.ask() {
			select {
			case <-p.ended:
			case <-time.After(time.Second):
			}
		}
		p.kill()
	})()
	err := writeJSON(p.in, kindHello, h)
	if err == nil {
		_, _, err = readFrame(p.frames, kindReady)
	}
	if err != nil && ctx.Err() == nil && late.Err() != nil {
		return fmt.Errorf("%w (%s): %w", errLate, atMost, err)
	}
	return err
}

// ask has a process that hangs write to its standard error what it is doing, and end.
func (p *process) ask() bool {
	return p.cmd.Process != nil && p.cmd.Process.Signal(syscall.SIGQUIT) == nil
}

func (p *process) kill() {
	if p.cmd.Process != nil {
		_ = p.cmd.Process.Kill() // it may have ended by itself
	}
}

// end kills the process and waits until it is gone.
func (p *process) end() {
	p.kill()
	<-p.ended
	_ = errors.Join(p.in.Close(), p.out.Close())
}

// explain adds to an error what the process said and how it ended, if it did.
func (p *process) explain(err error) error {
	select {
	case <-p.ended:
		return fmt.Errorf("%w; the worker: %v %s", err, p.exit, p.report)
	default:
		return err
	}
}

// exchange has the worker serve a request for the document r; the picture, if it is one, is appended to picture. When
// broken is true the process must be ended.
func (p *process) exchange(ctx context.Context, timeout time.Duration, q request, r io.ReaderAt, picture *bytes.Buffer) (a answer, broken bool, err error) {
	p.served++
	watch, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	unwatch := context.AfterFunc(watch, p.kill)
	var unread error
	a, err = p.converse(q, r, picture, &unread)
	killed := !unwatch()
	switch _, orderly := fault.Of(err); {
	case ctx.Err() != nil && (err != nil || killed):
		return a, true, ctx.Err()
	case unread != nil:
		// Whatever PDFium made of bytes that it did not get, this is the reason.
		return a, killed || err != nil && !orderly || fault.Has(err, ErrWorker), unread
	case err == nil:
		p.held = a.Held
		return a, killed, nil
	case killed:
		return a, true, ErrTimeout.With("%s", timeout)
	case orderly:
		return a, fault.Has(err, ErrWorker), err
	}
	p.end()
	return a, true, ErrWorker.Because(p.explain(err))
}

// converse talks to the worker until it answers. An error that is a fault is the worker's own.
func (p *process) converse(q request, r io.ReaderAt, picture *bytes.Buffer, unread *error) (answer, error) {
	if err := writeJSON(p.in, kindRequest, q); err != nil {
		return answer{}, err
	}
	for {
		k, payload, err := readFrame(p.frames, kindNeed, kindPart, kindAnswer, kindFailed)
		if err != nil {
			return answer{}, err
		}
		switch k {
		case kindNeed:
			if err := p.supply(payload, q.Size, r, unread); err != nil {
				return answer{}, err
			}
		case kindPart:
			if int64(picture.Len()+len(payload)) > maxPicture(q) {
				return answer{}, errFrame
			}
			picture.Write(payload)
		case kindAnswer:
			var a answer
			err := json.Unmarshal(payload, &a)
			return a, err
		case kindFailed:
			return answer{}, refusal(payload)
		}
	}
}

// maxPicture is more than any picture needs: a PNG of three bytes a pixel, stored.
func maxPicture(q request) int64 {
	if q.Op != opRender {
		return 0
	}
	return 4*q.MaxPixels + 1<<20
}

func (p *process) supply(need []byte, size int64, r io.ReaderAt, unread *error) error {
	off, n, err := parseNeed(need, size)
	if err != nil {
		return err
	}
	data := make([]byte, n)
	if got, err := r.ReadAt(data, off); got < n {
		if *unread == nil {
			*unread = fmt.Errorf("reading the document at %d: %w", off, errors.Join(err, io.ErrUnexpectedEOF))
		}
		return writeFrame(p.in, kindNoData, nil)
	}
	return writeFrame(p.in, kindData, data)
}

// refusal is the fault that a worker reports.
func refusal(payload []byte) error {
	var f failed
	if err := json.Unmarshal(payload, &f); err != nil {
		return err
	}
	spec, known := workerFaults(f.Code)
	if !known || f.Fatal != (f.Code == ErrWorker.Code) {
		return errFrame
	}
	reason := spec.Because(errors.New(f.Cause))
	if f.Detail != "" {
		reason = reason.Saying(f.DetailZH, f.Detail)
	}
	if f.Page != 0 {
		reason = reason.At(fault.Page(f.Page))
	}
	return reason
}

// head keeps the first bytes that a worker writes to its standard error: Go's report of a crash begins with the reason.
type head struct {
	mu   sync.Mutex
	text []byte
}

// Write never fails and keeps no more than a page.
func (t *head) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b[:min(len(b), 4096-len(t.text))]...)
	return len(b), nil
}

func (t *head) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
