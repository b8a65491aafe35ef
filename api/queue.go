package api

import (
	"context"
	"sync"
	"time"
)

// queues let one caller at a time through for each name. The zero value is ready.
type queues struct {
	lock sync.Mutex
	open map[string]*queue
}

type queue struct {
	place chan struct{} // holds one token while somebody is through
	users int           // through or waiting; the last one takes the queue away
}

// take waits for the turn of a name and gives what ends it, or nil when patience or the context ended first.
func (q *queues) take(ctx context.Context, name string, patience <-chan time.Time) (done func()) {
	q.lock.Lock()
	mine := q.open[name]
	if mine == nil {
		mine = &queue{place: make(chan struct{}, 1)}
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
	select {
	case mine.place <- struct{}{}:
		return func() { <-mine.place; leave() }
	case <-patience:
	case <-ctx.Done():
	}
	leave()
	return nil
}
