package view

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"yinxin/internal/fault"
)

// processMemory is what a worker's process may have beside twice the module's memory (growing it copies it), in bytes:
// the compiler, the caches, and Go's own arenas, which count in steps of 64 MiB.
const processMemory = 768 << 20

// Work is the worker and the whole life of its process: it serves requests from in to out, and ends the process when in
// ends, also in the middle of a request, since nobody waits for the result. It returns only when something is wrong.
// It takes rights away from the process (see the package comment) and does not give them back.
func Work(in io.Reader, out io.Writer) error { return work(in, out, nil) }

// work is Work with a hook that tests use to misbehave: it may act on a request before it is served.
func work(in io.Reader, out io.Writer, hook func(request)) error {
	w := &worker{frames: make(chan frame), out: out, hook: hook}
	go w.listen(bufio.NewReaderSize(in, headSize+blockSize))
	first := <-w.frames
	var h hello
	if err := json.Unmarshal(first.payload, &h); err != nil || first.kind != kindHello || h.Memory < minMemory || h.Memory > maxMemory {
		return errors.Join(err, errFrame)
	}
	harden()
	debug.SetMemoryLimit(2*h.Memory + 128<<20)
	var err error
	if w.engine, err = newEngine(h); err != nil {
		return err
	}
	debug.FreeOSMemory() // compiling took a quarter of a gigabyte
	meter, err := confine(h)
	if err != nil {
		return err
	}
	if err := writeFrame(out, kindReady, nil); err != nil {
		return err
	}
	for f := range w.frames {
		if f.kind != kindRequest {
			return errFrame
		}
		if err := meter(); err != nil {
			return err
		}
		if err := w.serve(f.payload); err != nil {
			return err
		}
	}
	return nil
}

type frame struct {
	kind    kind
	payload []byte
}

type worker struct {
	frames chan frame
	out    io.Writer
	engine *engine
	hook   func(request)
}

// listen reads frames in a goroutine of its own, so that the end of the viewer is noticed while a page is drawn.
func (w *worker) listen(in io.Reader) {
	for {
		k, payload, err := readFrame(in, kindHello, kindRequest, kindData, kindNoData)
		if errors.Is(err, io.EOF) {
			os.Exit(0)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		w.frames <- frame{k, payload}
	}
}

// serve answers one request. An error means that the worker must end; the viewer was told why if it can be.
func (w *worker) serve(payload []byte) error {
	var q request
	if err := json.Unmarshal(payload, &q); err != nil {
		return errors.Join(err, errFrame)
	}
	if w.hook != nil {
		w.hook(q)
	}
	s := newSource(q.Size, w.fetch)
	a, err := w.do(q, s)
	if s.failed != nil && errors.Is(s.failed, errPipe) {
		return s.failed
	}
	if err == nil {
		a.Held = held()
		return writeJSON(w.out, kindAnswer, a)
	}
	var c crashed
	f := failed{Code: ErrWorker.Code, Cause: err.Error(), Fatal: true}
	if errors.As(err, &c) {
		f.Detail, f.DetailZH = c.doing, c.doing
	} else if reason, ok := fault.Of(err); ok {
		f = failed{Code: reason.Code, Detail: reason.Detail(), DetailZH: reason.DetailZH(), Page: reason.Place.Page, Cause: err.Error()}
	}
	f.Cause = f.Cause[:min(len(f.Cause), 2000)]
	if err := writeJSON(w.out, kindFailed, f); err != nil {
		return err
	}
	if f.Fatal {
		return err
	}
	return nil
}

func (w *worker) do(q request, s *source) (answer, error) {
	p, err := w.engine.open(s)
	if err != nil {
		return answer{}, err
	}
	var a answer
	switch q.Op {
	case opPages:
		a.Pages, err = p.sizes()
	case opFind:
		a.Matches, err = p.find(*q.Query)
	case opRender:
		a.Width, a.Height, err = w.render(p, q)
	default:
		err = crash(string(q.Op), errFrame)
	}
	var c crashed
	if errors.As(err, &c) {
		return a, err // nothing of this instance is called again
	}
	if failure := p.Close(); failure != nil {
		return a, crash("closing", failure)
	}
	return a, err
}

func (w *worker) render(p *paper, q request) (width, height int, err error) {
	drawn, err := p.render(q.Page, q.DPI, q.MaxPixels)
	if err != nil {
		return 0, 0, err
	}
	out := bufio.NewWriterSize(parts{w.out}, partSize)
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(out, drawn); err != nil {
		return 0, 0, crash("writing the picture", err)
	}
	return drawn.Rect.Dx(), drawn.Rect.Dy(), out.Flush()
}

// parts sends what is written to it as part frames.
type parts struct{ w io.Writer }

func (p parts) Write(b []byte) (int, error) {
	for i := 0; i < len(b); i += partSize {
		if err := writeFrame(p.w, kindPart, b[i:min(i+partSize, len(b))]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

var errPipe = errors.New("the viewer does not answer as it should")

// fetch asks the viewer for bytes of the document.
func (w *worker) fetch(off int64, n int) ([]byte, error) {
	if err := writeFrame(w.out, kindNeed, needPayload(off, n)); err != nil {
		return nil, errors.Join(errPipe, err)
	}
	switch f := <-w.frames; {
	case f.kind == kindNoData:
		return nil, io.ErrUnexpectedEOF
	case f.kind == kindData && len(f.payload) == n:
		return f.payload, nil
	default:
		return nil, errPipe
	}
}

// held is how much memory the process has from the system. What big documents took is given back first.
func held() int64 {
	const keep = 128 << 20
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.Sys-m.HeapReleased > keep {
		debug.FreeOSMemory()
		runtime.ReadMemStats(&m)
	}
	return int64(m.Sys - m.HeapReleased)
}
