package api

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"yinxin/hsm"
	"yinxin/internal/fault"
)

// A device that is left alone for a while says for how long; what does not know says two seconds.
func TestARefusalForNowSaysWhenToTryAgain(t *testing.T) {
	s := &server{Config: Config{Log: slog.New(slog.DiscardHandler)}}
	for wait, want := range map[time.Duration]string{0: "2", time.Millisecond: "1", 3200 * time.Millisecond: "4", 30 * time.Second: "30"} {
		p := s.problem(context.Background(), hsm.ErrPaused.New().RetryIn(wait))
		if p.Status != 503 || p.Code != hsm.ErrPaused.Code || p.header.Get("Retry-After") != want {
			t.Errorf("%v: %d %s", wait, p.Status, p.header.Get("Retry-After"))
		}
	}
	if p := s.problem(context.Background(), fault.Spec{Kind: fault.Unavailable}.New()); p.header.Get("Retry-After") != "2" {
		t.Errorf("%v", p.header)
	}
}
