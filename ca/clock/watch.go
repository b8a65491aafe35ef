package clock

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// Reading is what a reference said: its clock is Offset ahead of ours, give or take Uncertainty.
type Reading struct {
	Offset, Uncertainty time.Duration
}

// Reference is something else that knows the time. It is safe for concurrent use.
type Reference interface {
	// Name says which one it is, in logs.
	Name() string
	// Read compares it with our clock. Errors: ErrReference.
	Read(ctx context.Context, now func() time.Time) (Reading, error)
}

// Config is what a Watch works with. Now is needed; the rest has defaults.
type Config struct {
	Now func() time.Time
	// Steady is the time since some moment, which nobody sets. Nil: the monotonic reading of Now; a Now without one is
	// never seen to jump.
	Steady     func() time.Duration
	References []Reference
	// Accuracy is how far the clock may be off; 0 is a second. What a reference says counts if it is that exact.
	Accuracy time.Duration
	// Interval is how often references are asked; 0 is a minute.
	Interval time.Duration
	// Patience is how long the clock is relied on after it was confirmed; 0 is 15 minutes.
	Patience time.Duration
	// Settle is how long a clock without references must run evenly after a jump; 0 is a minute.
	Settle time.Duration
	// Answer is how long a reference may take; 0 is 3 s.
	Answer time.Duration
}

// Watch watches the clock. It is safe for concurrent use.
type Watch struct {
	Config
	start time.Time

	asking sync.Mutex // one round of questions at a time
	lock   sync.Mutex
	// The wall clock and the steady one when they were last held against each other.
	wall   time.Time
	steady time.Duration
	seen   bool
	// jumped: a jump was noticed at jumpedAt and nothing has confirmed the clock since.
	jumped   bool
	jumpedAt time.Duration
	jumps    int
	asked    time.Duration // the last round of questions
	rounds   int
	// confirmed is when a majority last agreed; off, that the last majority did not.
	confirmed     time.Duration
	everConfirmed bool
	off           error
}

// New begins to watch.
func New(c Config) *Watch {
	c.Accuracy = cmp.Or(c.Accuracy, time.Second)
	c.Interval = cmp.Or(c.Interval, time.Minute)
	c.Patience = cmp.Or(c.Patience, 15*time.Minute)
	c.Settle = cmp.Or(c.Settle, time.Minute)
	c.Answer = cmp.Or(c.Answer, 3*time.Second)
	return &Watch{Config: c, start: c.Now()}
}

// Check says whether the clock can be relied on now. It asks the references itself when nobody else did for long, or
// when the clock jumped. Errors: ErrJumped, ErrOff, ErrUnconfirmed.
func (w *Watch) Check(ctx context.Context) error {
	if w.look(2 * w.Interval) {
		w.ask(ctx)
	}
	return w.state()
}

// Run asks the references every Interval until ctx ends. A change of what Check would say is handed to report, nil when
// the clock is good again.
func (w *Watch) Run(ctx context.Context, report func(error)) {
	ticker := time.NewTicker(w.Interval)
	defer ticker.Stop()
	var last error
	for {
		if w.look(0) {
			w.ask(ctx)
		}
		if err := w.state(); ctx.Err() == nil && (err == nil) != (last == nil) {
			report(err)
			last = err
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (w *Watch) times() (wall time.Time, steady time.Duration) {
	now := w.Now()
	if w.Steady != nil {
		return now.Round(0), w.Steady()
	}
	return now.Round(0), now.Sub(w.start)
}

// look notices jumps, and says whether the references should be asked: they were not for age, or something is wrong.
func (w *Watch) look(age time.Duration) (ask bool) {
	w.lock.Lock()
	defer w.lock.Unlock()
	wall, steady := w.times()
	w.notice(wall, steady)
	if len(w.References) == 0 {
		if w.jumped && steady-w.jumpedAt >= w.Settle {
			w.jumped = false
		}
		return false
	}
	since := steady - w.asked
	return w.rounds == 0 || since >= age || (w.jumped || w.off != nil || !w.everConfirmed) && since >= w.Interval/12
}

// notice holds the wall clock against the steady one. It needs the lock.
func (w *Watch) notice(wall time.Time, steady time.Duration) {
	if !w.seen {
		w.wall, w.steady, w.seen = wall, steady, true
		return
	}
	// Small steps in one direction add up, so the two times stay what they are until the clock is confirmed.
	if jump := wall.Sub(w.wall) - (steady - w.steady); jump.Abs() > w.Accuracy/2 || steady < w.steady {
		w.jumped, w.jumpedAt = true, steady
		w.jumps++
		w.wall, w.steady = wall, steady
	}
}

// state is what Check says.
func (w *Watch) state() error {
	w.lock.Lock()
	defer w.lock.Unlock()
	_, steady := w.times()
	switch {
	case w.jumped:
		return ErrJumped.New()
	case len(w.References) == 0:
		return nil
	case w.off != nil:
		return w.off
	case !w.everConfirmed || steady-w.confirmed > w.Patience:
		return ErrUnconfirmed.New()
	}
	return nil
}

// ask asks all references at once.
func (w *Watch) ask(ctx context.Context) {
	_, round := w.counts()
	w.asking.Lock()
	defer w.asking.Unlock()
	before, now := w.counts()
	if now != round {
		return // somebody has just asked for us
	}
	// A caller who leaves must not make the references look dead.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Answer)
	defer cancel()
	readings := make([]Reading, len(w.References))
	failures := make([]error, len(w.References))
	var wait sync.WaitGroup
	for i, r := range w.References {
		wait.Go(func() { readings[i], failures[i] = r.Read(ctx, w.Now) })
	}
	wait.Wait()
	w.conclude(readings, failures, before)
}

// counts gives how many jumps and rounds of questions there were.
func (w *Watch) counts() (jumps, rounds int) {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.jumps, w.rounds
}

// conclude lets the majority of those decide whose reading is exact enough. A jump during the questions spoils them.
func (w *Watch) conclude(readings []Reading, failures []error, before int) {
	w.lock.Lock()
	defer w.lock.Unlock()
	wall, steady := w.times()
	w.notice(wall, steady)
	w.asked = steady
	w.rounds++
	usable, agree := 0, 0
	var furthest time.Duration
	for i, r := range readings {
		if failures[i] != nil || r.Uncertainty > w.Accuracy || r.Uncertainty < 0 {
			continue
		}
		usable++
		if r.Offset.Abs() <= w.Accuracy {
			agree++
		} else if r.Offset.Abs() > furthest.Abs() {
			furthest = r.Offset
		}
	}
	switch {
	case w.jumps != before || usable == 0:
		return
	case 2*agree > usable:
		w.off, w.jumped = nil, false
		w.confirmed, w.everConfirmed = steady, true
		w.wall, w.steady = wall, steady
	default:
		w.off = ErrOff.With("%s", furthest)
	}
}
