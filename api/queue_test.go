package api

import (
	"context"
	"testing"
	"time"
)

func TestAQueueLetsOneThroughAtATimeAndForgetsItself(t *testing.T) {
	var q queues
	ctx, never := t.Context(), make(chan time.Time)
	past := make(chan time.Time, 1)
	past <- time.Time{}
	first := q.take(ctx, "order", never)
	if first == nil {
		t.Fatal("nobody was before the first one")
	}
	if q.take(ctx, "order", past) != nil {
		t.Fatal("two are through at once")
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if q.take(ended, "order", never) != nil {
		t.Fatal("two are through at once")
	}
	other := q.take(ctx, "another order", never)
	if other == nil {
		t.Fatal("another order waited for this one")
	}
	other()
	second := make(chan func())
	go func() { second <- q.take(ctx, "order", never) }()
	first()
	(<-second)()
	if len(q.open) != 0 {
		t.Fatalf("left behind: %v", q.open)
	}
}
