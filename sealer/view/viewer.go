package view

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"yinxin/sealer/pdf"
)

const (
	minMemory = 64 << 20
	maxMemory = 2 << 30
	// MinDPI and MaxDPI are the coarsest and the finest resolution in which Render draws.
	MinDPI = 10
	MaxDPI = 1200
)

// Config says how pages are shown. Only Path and Args are needed.
type Config struct {
	// Path and Args are the program that runs Work on its standard input and output, and its arguments with its name
	// first, as in exec.Cmd. It starts without environment.
	Path string
	Args []string
	// Workers is how many requests are served at once, each by a process; 1 if 0.
	Workers int
	// Spare keeps one process more ready than those at work, so that one which had to be ended costs nobody its start.
	Spare bool
	// Timeout is how long one request may take, without the wait for a free worker; 10 s if 0.
	Timeout time.Duration
	// MaxPixels is the size of the largest picture; 25 million if 0, which is A4 at 500 dpi.
	MaxPixels int64
	// Memory is what the PDFium module of a worker may use, bytes: 384 MiB if 0, at least 64 MiB, at most 2 GiB. A
	// worker's process may take about twice as much for a moment, while the module grows.
	Memory int64
	// Documents is how many requests a process serves before another takes its place; 200 if 0.
	Documents int
	// CacheDir is a folder for the compiled module (about 20 MB, machine code): with it a worker starts in a twentieth
	// of a second instead of two. It is made if missing, and not used if others may write in it. Empty: no cache.
	CacheDir string
	// Report is told of a worker that hung when it started, which another one replaces: nil for nobody.
	Report func(error)
	// Fonts are TrueType or OpenType files for text whose font a document only names, which Chinese documents often do.
	// A worker reads them when it starts. Without a font for a script, such text is not drawn; it is found all the same.
	Fonts []string
}

// Viewer shows pages and finds text. It is safe for concurrent use.
type Viewer struct {
	config Config
	slots  chan struct{} // a token for every request at work
	ctx    context.Context
	stop   context.CancelCauseFunc
	// startTimes are those of the package; tests have no patience.
	startTimes []time.Duration

	mu     sync.Mutex
	idle   []*process
	alive  int  // processes, those that are starting included
	spare  bool // a spare process is starting
	closed bool
	work   sync.WaitGroup // requests and starting processes
}

// New makes a Viewer. It starts no process before the first request, or Warm.
func New(c Config) *Viewer {
	c.Workers = max(c.Workers, 1)
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	if c.MaxPixels <= 0 {
		c.MaxPixels = 25_000_000
	}
	if c.Memory <= 0 {
		c.Memory = 384 << 20
	}
	c.Memory = min(max(c.Memory, minMemory), maxMemory)
	if c.Documents <= 0 {
		c.Documents = 200
	}
	v := &Viewer{config: c, slots: make(chan struct{}, c.Workers), startTimes: startTimes}
	v.ctx, v.stop = context.WithCancelCause(context.Background())
	return v
}

// Close ends all workers and waits for them. Requests under way fail with view.closed. It may be called twice.
func (v *Viewer) Close() {
	v.mu.Lock()
	v.closed = true
	idle := v.idle
	v.idle = nil
	v.alive -= len(idle)
	v.mu.Unlock()
	v.stop(ErrClosed.New())
	for _, p := range idle {
		p.end()
	}
	v.work.Wait()
}

// Warm starts a worker if none is ready, so that the first request does not wait for it. Error: view.worker.
func (v *Viewer) Warm(ctx context.Context) error {
	return v.with(ctx, func(context.Context, *process) (bool, error) { return false, nil })
}

// Picture is a page as an image.
type Picture struct {
	PNG           []byte // 8 bits of red, green and blue
	Width, Height int    // pixels
	DPI           float64
}

// Render draws a page, counted from 1, as it is displayed: cropped, rotated, with annotations and form fields, on
// white. A pixel is 1/dpi inch of the page times its UserUnit, as in PageSize. size is the document's in bytes; r is
// read where PDFium needs it, and only during the call. Errors: view.unreadable, view.encrypted, view.no-page,
// view.resolution, view.too-large, view.timeout, view.worker, view.closed, those of ctx and of r.
func (v *Viewer) Render(ctx context.Context, r io.ReaderAt, size int64, page int, dpi float64) (*Picture, error) {
	if !(dpi >= MinDPI && dpi <= MaxDPI) {
		return nil, ErrResolution.With("%g: %d–%d dpi", dpi, MinDPI, MaxDPI)
	}
	var b bytes.Buffer
	a, err := v.request(ctx, request{Op: opRender, Size: size, Page: page, DPI: dpi, MaxPixels: v.config.MaxPixels}, r, &b)
	if err != nil {
		return nil, err
	}
	head, err := png.DecodeConfig(bytes.NewReader(b.Bytes()))
	if err != nil || head.Width != a.Width || head.Height != a.Height || int64(a.Width)*int64(a.Height) > v.config.MaxPixels {
		return nil, ErrWorker.Because(errFrame)
	}
	return &Picture{PNG: b.Bytes(), Width: a.Width, Height: a.Height, DPI: dpi}, nil
}

// Find finds a keyword in the text of pages. The result has at least one match, in the order of pages, and within a page
// from top to bottom and left to right as displayed; exactly one if the query asks for the n-th. Text of annotations
// and form fields is not searched, nor what is only a picture. Errors: view.keyword, view.not-found, and those of Render.
func (v *Viewer) Find(ctx context.Context, r io.ReaderAt, size int64, q Query) ([]Match, error) {
	if n := len(normal(q.Text, q.FoldCase)); n == 0 || n > maxKeyword {
		return nil, ErrQuery.With("%d: 1–%d", n, maxKeyword)
	}
	if len(q.Pages) > 1000 {
		return nil, ErrTooLarge.With("%d > 1000", len(q.Pages))
	}
	a, err := v.request(ctx, request{Op: opFind, Size: size, Query: &q}, r, nil)
	if err != nil {
		return nil, err
	}
	if len(a.Matches) == 0 || len(a.Matches) > maxMatches || q.Nth != 0 && len(a.Matches) != 1 {
		return nil, ErrWorker.Because(errFrame)
	}
	for _, m := range a.Matches {
		if m.Page < 1 || len(q.Pages) > 0 && !slices.Contains(q.Pages, m.Page) || !solid(m.Rect) || len(m.Lines) == 0 ||
			slices.ContainsFunc(m.Lines, func(line pdf.Rect) bool { return !solid(line) }) {
			return nil, ErrWorker.Because(errFrame)
		}
	}
	return a.Matches, nil
}

// Pages gives the sizes of all pages. Errors: those of Render.
func (v *Viewer) Pages(ctx context.Context, r io.ReaderAt, size int64) ([]PageSize, error) {
	a, err := v.request(ctx, request{Op: opPages, Size: size}, r, nil)
	if err != nil {
		return nil, err
	}
	if len(a.Pages) == 0 || slices.ContainsFunc(a.Pages, func(s PageSize) bool { return !positive(s.Width) || !positive(s.Height) }) {
		return nil, ErrWorker.Because(errFrame)
	}
	return a.Pages, nil
}

// request has a worker serve q.
func (v *Viewer) request(ctx context.Context, q request, r io.ReaderAt, picture *bytes.Buffer) (a answer, err error) {
	if q.Size <= 0 {
		return a, ErrUnreadable.With("%d bytes", q.Size)
	}
	if q.Size > maxDocument {
		return a, ErrTooLarge.With("%d > %d bytes", q.Size, int64(maxDocument))
	}
	err = v.with(ctx, func(ctx context.Context, p *process) (broken bool, err error) {
		a, broken, err = p.exchange(ctx, v.config.Timeout, q, r, picture)
		return broken, err
	})
	return a, err
}

// with has do use a ready process while no other request uses it, and takes care of the process afterwards.
func (v *Viewer) with(ctx context.Context, do func(context.Context, *process) (broken bool, err error)) error {
	if err := v.enter(); err != nil {
		return err
	}
	defer v.work.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(v.ctx, cancel)()
	select {
	case v.slots <- struct{}{}:
	case <-ctx.Done():
		return v.reason(ctx.Err())
	}
	defer func() { <-v.slots }()
	p, err := v.take(ctx)
	if err != nil {
		return v.reason(err)
	}
	broken, err := do(ctx, p)
	v.give(p, broken)
	return v.reason(err)
}

// reason is err, or view.closed when the viewer ended what failed.
func (v *Viewer) reason(err error) error {
	if err == context.Canceled && v.ctx.Err() != nil {
		return ErrClosed.New()
	}
	return err
}

func (v *Viewer) enter() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return ErrClosed.New()
	}
	v.work.Add(1)
	return nil
}

// take gives an idle process, or starts one.
func (v *Viewer) take(ctx context.Context) (*process, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if n := len(v.idle); n > 0 {
		p := v.idle[n-1]
		v.idle = v.idle[:n-1]
		v.refill()
		return p, nil
	}
	v.alive++
	v.mu.Unlock()
	p, err := v.start(ctx)
	v.mu.Lock()
	if err != nil {
		v.alive--
		return nil, err
	}
	v.refill()
	return p, nil
}

// give takes a process back, or ends it when it is broken, has served its time, or holds too much.
func (v *Viewer) give(p *process, broken bool) {
	v.mu.Lock()
	keep := !broken && !v.closed && p.served < v.config.Documents && p.held < v.config.Memory+processMemory/2
	if keep {
		v.idle = append(v.idle, p)
	} else {
		v.alive--
		if !v.closed {
			v.refill()
		}
	}
	v.mu.Unlock()
	if !keep {
		p.end()
	}
}

// refill starts the spare process if there is to be one and none is idle. The caller holds mu and counts in work.
func (v *Viewer) refill() {
	if !v.config.Spare || v.closed || v.spare || len(v.idle) > 0 || v.alive > v.config.Workers {
		return
	}
	v.alive++
	v.spare = true
	v.work.Add(1)
	go func() {
		defer v.work.Done()
		p, err := v.start(v.ctx)
		v.mu.Lock()
		v.spare = false
		switch {
		case err != nil: // the next request will meet the reason
			v.alive--
		case v.closed:
			v.alive--
		default:
			v.idle = append(v.idle, p)
			p = nil
		}
		v.mu.Unlock()
		if p != nil {
			p.end()
		}
	}()
}

func (v *Viewer) start(ctx context.Context) (*process, error) {
	h := hello{Memory: v.config.Memory, Fonts: v.config.Fonts, Seconds: int(v.config.Timeout/time.Second) + 5}
	if cacheUsable(v.config.CacheDir) {
		h.CacheDir = v.config.CacheDir
	}
	var hung error
	for _, atMost := range v.startTimes {
		p, err := startProcess(ctx, v.config.Path, v.config.Args, h, atMost)
		if !errors.Is(err, errLate) {
			return p, err
		}
		hung = err
		if v.config.Report != nil {
			v.config.Report(err)
		}
	}
	return nil, hung
}

// cacheUsable makes the folder if it is missing. What lies in it is run as machine code, so nobody else may write there.
func cacheUsable(dir string) bool {
	if dir == "" || os.MkdirAll(dir, 0o700) != nil {
		return false
	}
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && (runtime.GOOS == "windows" || info.Mode().Perm()&0o022 == 0)
}
