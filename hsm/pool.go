package hsm

import (
	"context"
	"errors"

	"yinxin/internal/fault"
)

// session is one session during one call.
type session struct {
	c          cryptoki
	handle     handle
	generation uint64
}

// errStale: the sessions were begun anew before the call came to use one.
var errStale = errors.New("hsm: sessions of an older generation")

// run does work in a session and gives its result. The work may be done twice, after sessions were lost. A caller that
// gives up gets its context's error at once; the work then ends by itself.
func run[T any](ctx context.Context, t *Token, use func(session) (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	if wait := t.breaker.allow(); wait > 0 {
		t.count.refused.Add(1)
		return none, ErrPaused.New().RetryIn(wait)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, t.config.Timeout, ErrTimeout.New())
	defer cancel()
	retried, narrowed := false, 0
	for {
		value, generation, err := once(ctx, t, use)
		var f *fault.Fault
		switch {
		case err == nil:
			t.breaker.succeed()
			return value, nil
		case answered(err, rvSessionCount) && narrowed <= maxSessions:
			narrowed++ // the caller's permit is gone, another one is waited for
		case (dead(err) || err == errStale) && !retried:
			t.invalidate(generation)
			t.count.retries.Add(1)
			retried = true
		case dead(err):
			t.invalidate(generation)
			return none, t.failed(deviceFault(err))
		case err == errStale:
			return none, t.failed(ErrRemoved.Because(err))
		case errors.As(err, &f), ctx.Err() != nil:
			return none, t.refusedBy(ctx, err)
		default:
			return none, t.failed(deviceFault(err))
		}
	}
}

// failed tells the breaker of a failure of the device.
func (t *Token) failed(err error) error {
	t.count.failures.Add(1)
	t.breaker.fail()
	return err
}

// refusedBy sorts the errors that are not of the device: those of the caller, of the PIN, of a key. Only a token that did
// not answer in time has failed.
func (t *Token) refusedBy(ctx context.Context, err error) error {
	if fault.Has(err, ErrTimeout) || fault.Has(context.Cause(ctx), ErrTimeout) {
		return t.failed(ErrTimeout.New())
	}
	t.count.refused.Add(1)
	t.breaker.abstain()
	return err
}

type result[T any] struct {
	value T
	err   error
}

// once does the work once. The work has a goroutine of its own, since nothing ends a call in a module: the caller can go,
// and the session is free when the call ends.
func once[T any](ctx context.Context, t *Token, use func(session) (T, error)) (T, uint64, error) {
	var none T
	if err := t.permit(ctx); err != nil {
		return none, 0, err
	}
	generation, err := t.begin(ctx)
	if err == nil {
		err = t.join()
	}
	if err != nil {
		t.permits <- struct{}{}
		return none, generation, err
	}
	done := make(chan result[T], 1)
	go func() {
		defer t.members.Done()
		value, err := within(t, generation, use)
		if answered(err, rvSessionCount) {
			t.narrow()
		} else {
			t.permits <- struct{}{}
		}
		done <- result[T]{value, err}
	}()
	select {
	case r := <-done:
		return r.value, generation, r.err
	case <-ctx.Done():
		return none, generation, ctx.Err()
	}
}

// within uses a session of the generation, a waiting or a new one.
func within[T any](t *Token, generation uint64, use func(session) (T, error)) (T, error) {
	var none T
	t.calls.RLock()
	defer t.calls.RUnlock()
	s, err := t.session(generation)
	if err != nil {
		return none, err
	}
	t.count.busy.Add(1)
	value, err := use(s)
	t.count.busy.Add(-1)
	t.back(s, err)
	return value, err
}

func (t *Token) session(generation uint64) (session, error) {
	s := session{c: t.c, generation: generation}
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.generation != generation || !t.ready {
		return s, errStale
	}
	if t.anchorOnly {
		s.handle = t.anchor
		return s, nil
	}
	if n := len(t.idle); n > 0 {
		s.handle, t.idle = t.idle[n-1], t.idle[:n-1]
		return s, nil
	}
	slot := t.slot
	t.lock.Unlock()
	h, err := t.openSession(slot)
	t.lock.Lock()
	s.handle = h
	return s, err
}

// openSession prefers a session that can write; a token that is write-protected has none.
func (t *Token) openSession(slot uint) (handle, error) {
	h, err := t.c.OpenSession(slot, true)
	if answered(err, rvTokenWriteProtected) {
		h, err = t.c.OpenSession(slot, false)
	}
	if err == nil {
		t.count.sessions.Add(1)
	}
	return h, err
}

// back takes a session back. One in which the module refused something may still have an operation under way (CKR_BUFFER_TOO_SMALL
// leaves it): it is closed, for the next one's signature must not be of this one's digest.
func (t *Token) back(s session, err error) {
	var rv returnValue
	refused := errors.As(err, &rv)
	t.lock.Lock()
	current, anchor := t.generation == s.generation, t.anchorOnly
	if current && !refused && !anchor {
		t.idle = append(t.idle, s.handle)
	}
	t.lock.Unlock()
	switch {
	case !current || !refused || dead(err):
	case anchor:
		t.invalidate(s.generation)
	default:
		_ = t.c.CloseSession(s.handle)
	}
}

// permit waits for the right to use a session.
func (t *Token) permit(ctx context.Context) error {
	select {
	case <-t.permits:
		return nil
	default:
	}
	began := t.config.Clock()
	defer func() { t.count.waited.Add(int64(t.config.Clock().Sub(began))) }()
	select {
	case <-t.permits:
		return nil
	case <-t.stop:
		return ErrClosed.New()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// narrow keeps a permit out of circulation: the token has no more sessions. When none is left, the anchor is the only
// session, and works.
func (t *Token) narrow() {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.limit > 1 {
		t.limit--
		return
	}
	t.anchorOnly = true
	t.permits <- struct{}{}
}

// widen puts a permit back in circulation: somebody else may have ended a session.
func (t *Token) widen() {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.limit < cap(t.permits) && !t.anchorOnly {
		t.limit++
		t.permits <- struct{}{}
	}
}

// invalidate ends a generation; an older one has ended already.
func (t *Token) invalidate(generation uint64) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.generation != generation || !t.ready {
		return
	}
	t.generation++
	t.ready, t.idle, t.anchorOnly = false, nil, false
}

// timed adds the time of work to a sum.
func timed[T any](t *Token, work func() (T, error)) (T, error) {
	began := t.config.Clock()
	value, err := work()
	t.count.signBusy.Add(int64(t.config.Clock().Sub(began)))
	return value, err
}
