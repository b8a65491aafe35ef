package hsm

import (
	"sync"
	"time"
)

// breaker leaves a token alone after several failures in a row: requests then end at once instead of queueing up before a
// device that does not answer. After a pause, twice as long each time, one caller finds out whether it is back.
type breaker struct {
	clock     func() time.Time
	threshold int
	first     time.Duration
	longest   time.Duration

	lock     sync.Mutex
	failures int
	pause    time.Duration
	until    time.Time
	probing  bool
}

// allow answers how long to wait, 0 for go ahead. Who may go ahead reports by succeed, fail or abstain.
func (b *breaker) allow() time.Duration {
	b.lock.Lock()
	defer b.lock.Unlock()
	if b.failures < b.threshold {
		return 0
	}
	if left := b.until.Sub(b.clock()); left > 0 {
		return left
	}
	if b.probing {
		return b.first
	}
	b.probing = true
	return 0
}

func (b *breaker) succeed() {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.failures, b.pause, b.probing = 0, 0, false
}

func (b *breaker) fail() {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.failures++
	wasProbe := b.probing
	b.probing = false
	if b.failures < b.threshold || !wasProbe && b.clock().Before(b.until) {
		return // those who were under way as it opened do not make it longer
	}
	b.pause = min(max(2*b.pause, b.first), b.longest)
	b.until = b.clock().Add(b.pause)
}

// abstain is the report of a caller who learnt nothing about the token: it gave up, or was refused for another reason.
func (b *breaker) abstain() {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.probing = false
}

// hint ends the pause: the token was seen in its slot again.
func (b *breaker) hint() {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.until = time.Time{}
}

func (b *breaker) isOpen() bool {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.failures >= b.threshold
}
