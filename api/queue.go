package api

import (
	"context"
	"sync"
	"time"
)

// queues let one caller at a time through for each name, or as many as each says. The zero value is ready.
type queues struct {
	each int
	lock sync.Mutex
	open map[string]*queue
}

type queue struct {
	place chan struct{} // holds a token for each who is through
	users int           // through or waiting; the last one takes the queue away
}

// take waits for the turn of a name and gives what ends it, or nil when patience or the context ended first.
func (q *queues) take(ctx context.Context, name string, patience <-chan time.Time) (done func()) {
	q.lock.Lock()
	mine := q.open[name]
	if mine == nil {
		mine = &queue{place: make(chan struct{}, max(1, q.each))}
		if q.open == nil {
			q.open = map[string]*queue{}
		}
		q.open[name] = mine
	}
	mine.users++
	q.lock.Unlock()
	leave := func() {
		q.lock.Lock()
		defer q.lock.Unlock()
		if mine.users--; mine.users == 0 {
			delete(q.open, name)
		}
	}
	select { // a free place is taken also by whoever has no patience
	case mine.place <- struct{}{}:
		return func() { <-mine.place; leave() }
	default:
	}
	select {
	case mine.place <- struct{}{}:
		return func() { <-mine.place; leave() }
	case <-patience:
	case <-ctx.Done():
	}
	leave()
	return nil
}

// places are for those who may be at work at the same time. Of those who have no account, one address gets half of them at
// most, so that nobody can keep all others out.
type places struct {
	all  chan struct{}
	mine queues // by address
}

func newPlaces(n int) *places {
	return &places{all: make(chan struct{}, n), mine: queues{each: n / 2}}
}

// take waits for a place until patience ends. Errors: request.too-many-at-once, service.busy, request.broken-off.
func (p *places) take(ctx context.Context, patience <-chan time.Time) (leave func(), err error) {
	mine := func() {}
	if address := addressOf(ctx); address != "" {
		if mine = p.mine.take(ctx, address, patience); mine == nil {
			if ctx.Err() != nil {
				return nil, errBroken.Because(ctx.Err())
			}
			return nil, errTooManyAtOnce.New().RetryIn(atOnceWait)
		}
	}
	leave = func() { <-p.all; mine() }
	select {
	case p.all <- struct{}{}:
		return leave, nil
	default:
	}
	select {
	case p.all <- struct{}{}:
		return leave, nil
	case <-patience:
		err = errBusy.New()
	case <-ctx.Done():
		err = errBroken.Because(ctx.Err())
	}
	mine()
	return nil, err
}

// atOnceWait is when an address that has its half of the places may try again: most verifications take less.
const atOnceWait = 5 * time.Second

// impatient is the patience of whoever does not wait.
func impatient() <-chan time.Time {
	now := make(chan time.Time)
	close(now)
	return now
}
