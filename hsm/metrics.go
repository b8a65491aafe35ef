package hsm

import (
	"sync/atomic"
	"time"
)

// Metrics are figures of a token since it was activated. The counters never decrease.
type Metrics struct {
	Signatures    uint64        // that were given out
	Failures      uint64        // calls that ended with an error of the device
	Refused       uint64        // calls that ended without the device: breaker, PIN, time
	Retries       uint64        // second tries after sessions were lost
	Logins        uint64        // C_Login calls: tries of a PIN that reached the token
	Generations   uint64        // times that sessions were begun anew, the first included
	SessionsMade  uint64        // C_OpenSession calls that succeeded
	SignBusy      time.Duration // time within C_Sign, over all sessions
	Waited        time.Duration // time that callers waited for a session
	Sessions      int           // that may work side by side, now
	Busy          int           // of them, at work now
	Paused, Ready bool          // breaker open; logged in
}

type counters struct {
	signatures, failures, refused, retries, logins, generations, sessions atomic.Uint64
	signBusy, waited                                                      atomic.Int64
	busy                                                                  atomic.Int64
}

// Metrics are the figures now.
func (t *Token) Metrics() Metrics {
	n := &t.count
	t.lock.Lock()
	ready, limit := t.ready, t.limit
	t.lock.Unlock()
	return Metrics{Signatures: n.signatures.Load(), Failures: n.failures.Load(), Refused: n.refused.Load(), Retries: n.retries.Load(),
		Logins: n.logins.Load(), Generations: n.generations.Load(), SessionsMade: n.sessions.Load(),
		SignBusy: time.Duration(n.signBusy.Load()), Waited: time.Duration(n.waited.Load()),
		Sessions: limit, Busy: int(n.busy.Load()), Paused: t.breaker.isOpen(), Ready: ready}
}
