package clock

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"yinxin/internal/fault"
)

// machine has a clock that can be set and one that cannot.
type machine struct {
	lock   sync.Mutex
	wall   time.Time
	steady time.Duration
}

func (m *machine) now() time.Time {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.wall
}

func (m *machine) since() time.Duration {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.steady
}

func (m *machine) pass(d time.Duration) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.wall, m.steady = m.wall.Add(d), m.steady+d
}

func (m *machine) set(by time.Duration) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.wall = m.wall.Add(by)
}

// teller is a reference that knows the true time: the machine's steady clock from a beginning.
type teller struct {
	m           *machine
	lies        time.Duration
	uncertainty time.Duration
	err         error
	asked       int
	meanwhile   func()
}

func (r *teller) Name() string { return "teller" }

func (r *teller) Read(context.Context, func() time.Time) (Reading, error) {
	r.asked++
	if r.meanwhile != nil {
		r.meanwhile()
	}
	truth := begin.Add(r.m.since()).Add(r.lies)
	return Reading{Offset: truth.Sub(r.m.now()), Uncertainty: r.uncertainty}, r.err
}

var begin = time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC)

func newMachine(references ...*teller) (*machine, *Watch) {
	m := &machine{wall: begin}
	c := Config{Now: m.now, Steady: m.since}
	for _, r := range references {
		r.m = m
		c.References = append(c.References, r)
	}
	return m, New(c)
}

func want(t *testing.T, w *Watch, spec *fault.Spec, when string) {
	t.Helper()
	err := w.Check(t.Context())
	if spec == nil && err != nil || spec != nil && !fault.Has(err, *spec) {
		t.Errorf("%s: %v", when, err)
	}
}

func TestAJumpIsNoticedAndForgottenWhenTheClockRunsEvenly(t *testing.T) {
	for name, by := range map[string]time.Duration{"forwards": 501 * time.Millisecond, "backwards": -501 * time.Millisecond, "by a year": 365 * 24 * time.Hour} {
		m, w := newMachine()
		want(t, w, nil, name+": at first")
		m.pass(time.Hour)
		want(t, w, nil, name+": an hour later")
		m.set(by)
		want(t, w, &ErrJumped, name+": set")
		m.pass(time.Minute - time.Nanosecond)
		want(t, w, &ErrJumped, name+": a moment before it has settled")
		m.pass(time.Nanosecond)
		want(t, w, nil, name+": settled")
	}
	m, w := newMachine()
	want(t, w, nil, "at first")
	m.set(500 * time.Millisecond)
	want(t, w, nil, "half of what is allowed")
	m.pass(time.Second)
	m.set(time.Millisecond)
	want(t, w, &ErrJumped, "small steps add up")
	m.pass(30 * time.Second)
	m.set(time.Second)
	want(t, w, &ErrJumped, "set again while it settles")
	m.pass(59 * time.Second)
	want(t, w, &ErrJumped, "the term begins anew")
}

func TestTheMajorityOfTheReferencesDecides(t *testing.T) {
	down := errors.New("down")
	for name, test := range map[string]struct {
		references []*teller
		want       *fault.Spec
	}{
		"one agrees":                         {[]*teller{{}}, nil},
		"just within":                        {[]*teller{{lies: time.Second}}, nil},
		"just outside":                       {[]*teller{{lies: time.Second + 1}}, &ErrOff},
		"just outside, behind":               {[]*teller{{lies: -time.Second - 1}}, &ErrOff},
		"one lies":                           {[]*teller{{}, {lies: time.Hour}, {}}, nil},
		"two lie":                            {[]*teller{{}, {lies: time.Hour}, {lies: -time.Hour}}, &ErrOff},
		"one against one":                    {[]*teller{{}, {lies: time.Hour}}, &ErrOff},
		"one is down":                        {[]*teller{{}, {err: down}}, nil},
		"all are down":                       {[]*teller{{err: down}, {err: down}}, &ErrUnconfirmed},
		"one is not exact enough":            {[]*teller{{uncertainty: time.Second + 1}}, &ErrUnconfirmed},
		"a vague one lies, an exact one not": {[]*teller{{}, {lies: time.Hour, uncertainty: time.Minute}}, nil},
	} {
		_, w := newMachine(test.references...)
		want(t, w, test.want, name)
	}
}

func TestReferencesAreAskedAgainAndMissedAfterAWhile(t *testing.T) {
	r := &teller{}
	m, w := newMachine(r)
	want(t, w, nil, "at first")
	m.pass(2*time.Minute - 1)
	want(t, w, nil, "within two intervals")
	if r.asked != 1 {
		t.Errorf("asked %d times", r.asked)
	}
	m.pass(1)
	want(t, w, nil, "after two intervals")
	if r.asked != 2 {
		t.Errorf("asked %d times", r.asked)
	}
	r.err = errors.New("down")
	m.pass(15 * time.Minute)
	want(t, w, nil, "in the last moment of patience")
	m.pass(1)
	want(t, w, &ErrUnconfirmed, "after it")
	r.err = nil
	m.pass(time.Minute)
	m.pass(time.Minute)
	want(t, w, nil, "there again")
	m.set(-time.Hour)
	want(t, w, &ErrJumped, "a jump just after the question")
	m.pass(5 * time.Second)
	want(t, w, &ErrJumped, "contradicted as well")
	m.set(time.Hour)
	m.pass(5 * time.Second)
	want(t, w, nil, "set right, and confirmed")
}

// A clock that is set while the references are asked is not confirmed by what they said before.
func TestAJumpDuringTheQuestionsSpoilsThem(t *testing.T) {
	r := &teller{}
	m, w := newMachine(r)
	want(t, w, nil, "at first")
	m.pass(2 * time.Minute)
	r.meanwhile = func() { m.set(time.Hour); r.lies = time.Hour } // the answer fits the clock as it is now
	want(t, w, &ErrJumped, "set during the question")
	r.meanwhile, r.lies = nil, 0
	m.pass(6 * time.Second)
	want(t, w, &ErrJumped, "an hour ahead")
	m.set(-time.Hour)
	m.pass(6 * time.Second)
	want(t, w, nil, "set right")
}

func TestACallerWhoLeavesDoesNotMakeTheReferencesLookDead(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	m := &machine{wall: begin}
	w := New(Config{Now: m.now, Steady: m.since, References: []Reference{Server{Called: "s", Time: func(ctx context.Context) (time.Time, error) {
		return m.now(), ctx.Err()
	}}}})
	if err := w.Check(gone); err != nil {
		t.Error(err)
	}
}

func TestWithoutASteadyClockTheMonotonicReadingCounts(t *testing.T) {
	now := time.Now()
	step := time.Duration(0)
	w := New(Config{Now: func() time.Time { return now.Add(step) }})
	for range 5 {
		if err := w.Check(t.Context()); err != nil {
			t.Error(err)
		}
		step += time.Hour // both readings move
	}
}
