package hsm

import (
	"context"
	"crypto/rand"
	"io"
	"sync"
	"time"

	"yinxin/internal/fault"
)

// PINSource gives the PIN of a token that nobody attends, from where its operator keeps it. The octets are wiped after use.
type PINSource func(context.Context) ([]byte, error)

// Config says which token to use and how. Only Token, Profile and Clock must be set.
type Config struct {
	Token   Selection
	Profile Profile
	// Clock tells the time.
	Clock func() time.Time
	// PIN makes the token an unattended one, an HSM: it logs in by itself, also after sessions were lost. Without it a person
	// gives the PIN (Login), and gives it again after the token was pulled out.
	PIN PINSource
	// Insist lets the first login happen although few tries of the PIN are left.
	Insist bool
	// Sessions is how many signatures may be under way: 0 is 8. The token's own limit counts if it is lower.
	Sessions int
	// Timeout is how long a caller waits at most for the token: 0 is 30 s.
	Timeout time.Duration
	// KeepAlive is how often an idle token is looked at: 0 is 1 s, less than 0 never.
	KeepAlive time.Duration
	// Failures in a row open the breaker: 0 is 5. Pause is how long it stays open at first: 0 is 1 s; at most 30 s.
	Failures int
	Pause    time.Duration
}

const (
	defaultSessions = 8
	maxSessions     = 1024
	longestPause    = 30 * time.Second
	maxTimeout      = 10 * time.Minute
)

func (c Config) complete() (Config, error) {
	if c.Clock == nil || c.Token == (Selection{}) || c.Profile.Name == "" {
		return c, ErrOptions.With("token, profile, clock")
	}
	if c.Sessions < 0 || c.Sessions > maxSessions || c.Timeout < 0 || c.Timeout > maxTimeout || c.Failures < 0 || c.Pause < 0 || c.Pause > longestPause {
		return c, ErrOptions.With("sessions 0 … %d, timeout 0 … %v, pause 0 … %v", maxSessions, maxTimeout, longestPause)
	}
	c.Sessions = orElse(c.Sessions, defaultSessions)
	c.Timeout = orElse(c.Timeout, 30*time.Second)
	c.KeepAlive = orElse(c.KeepAlive, time.Second)
	c.Failures = orElse(c.Failures, 5)
	c.Pause = orElse(c.Pause, time.Second)
	return c, nil
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Token is a token in use: a pool of sessions and a login. It is safe for concurrent use.
//
// Sessions have a generation. When the token was pulled out, or lost its sessions in another way, the next caller begins a
// new generation, all others wait for that one, and each repeats its work once. An anchor session that does no work holds
// the login.
type Token struct {
	config  Config
	module  *Module
	c       cryptoki
	info    TokenInfo // as it was when activated
	breaker *breaker
	count   counters
	keys    keyCache

	// calls is held for reading while a call is under way in the module, for writing while sessions are begun anew: an old
	// handle must not be used when the module may have given the same number out again.
	calls sync.RWMutex
	work  chan func(*worker) error // what waits for a worker
	most  int                      // workers, if the token has sessions for them

	lock       sync.Mutex // guards what follows
	slot       uint
	generation uint64
	ready      bool
	renewing   *renewal
	anchor     handle
	anchorOnly bool // the token has no other session
	limit      int  // workers now
	latch      *fault.Fault
	pending    *pin
	proven     [32]byte // proof of the PIN that was right last
	closed     bool

	salt    [32]byte // of the proof
	stop    chan struct{}
	members sync.WaitGroup // calls, renewals, keep-alive
}

type pin struct {
	octets []byte
	insist bool
}

// Activate begins to use a token. An unattended one logs in at once; an attended one waits for Login. The module must stay
// open until the token was closed. Errors: hsm.options, hsm.token-not-found, hsm.token-ambiguous, hsm.token-in-use, those of
// a login.
func Activate(ctx context.Context, m *Module, c Config) (*Token, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	slot, err := m.find(c.Token)
	if err != nil {
		return nil, err
	}
	if err := m.take(slot.Token.Serial); err != nil {
		return nil, err
	}
	limit := c.Sessions
	for _, most := range []int{slot.Token.MaxSessions, slot.Token.maxWriting} {
		if most > 0 {
			limit = min(limit, max(most-1, 1)) // one is the anchor
		}
	}
	t := &Token{config: c, module: m, c: m.c, info: *slot.Token, slot: slot.ID, generation: 1, most: limit, stop: make(chan struct{}),
		breaker: &breaker{clock: c.Clock, threshold: c.Failures, first: c.Pause, longest: longestPause}, work: make(chan func(*worker) error, maxWaiting)}
	if _, err := io.ReadFull(rand.Reader, t.salt[:]); err != nil {
		m.leave(t.info.Serial)
		return nil, err
	}
	if c.PIN != nil {
		if c.Insist {
			t.pending = &pin{insist: true}
		}
		patience := time.NewTimer(c.Timeout)
		defer patience.Stop()
		if err := t.begin(ctx, patience); err != nil {
			_ = t.Close()
			return nil, err
		}
	}
	if c.KeepAlive > 0 {
		t.members.Go(t.keepAlive)
	}
	return t, nil
}

// Info is what the token said of itself as it was activated.
func (t *Token) Info() TokenInfo { return t.info }

// Profile is the profile by which the token is used.
func (t *Token) Profile() Profile { return t.config.Profile }

// Close ends all sessions and with them the login. Calls under way end first; when one does not within the token's
// timeout, Close answers hsm.timeout; the token counts as in use until the call comes back.
func (t *Token) Close() error {
	t.lock.Lock()
	if t.closed {
		t.lock.Unlock()
		return nil
	}
	t.closed = true
	t.forget()
	t.lock.Unlock()
	close(t.stop)
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.members.Wait()
		t.calls.Lock()
		defer t.calls.Unlock()
		_ = t.c.CloseAllSessions(t.slot) // a token that was pulled out has none any more
		t.module.leave(t.info.Serial)
	}()
	timer := time.NewTimer(t.config.Timeout)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return ErrTimeout.New()
	}
}

// forget wipes a PIN that waits to be used. The caller holds t.lock.
func (t *Token) forget() {
	if t.pending != nil {
		clear(t.pending.octets)
		t.pending = nil
	}
}

// keepAlive looks at the token from time to time, so that a removal is known before somebody wants to sign, and so that a
// network HSM does not take the connection for dead.
func (t *Token) keepAlive() {
	ticker := time.NewTicker(t.config.KeepAlive)
	defer ticker.Stop()
	for {
		select {
		case <-t.stop:
			return
		case <-ticker.C:
			t.look()
		}
	}
}

// look is one look of keepAlive. It asks GetSlotInfo instead of waiting for an event: the binding does not tell an event
// from a module that knows none.
func (t *Token) look() {
	t.calls.RLock()
	defer t.calls.RUnlock()
	t.lock.Lock()
	ready, generation, slot, anchor, only := t.ready, t.generation, t.slot, t.anchor, t.anchorOnly
	t.lock.Unlock()
	info, err := t.c.Slot(slot)
	there := err == nil && info.present
	switch {
	case !ready:
		if there && t.breaker.isOpen() {
			t.breaker.hint()
		}
		return
	case !there:
		t.invalidate(generation)
		return
	case only: // somebody may be at work in it, and will notice
		return
	}
	state, err := t.c.SessionState(anchor)
	if err != nil || t.loginNeeded() && state != stateReadUser && state != stateWriteUser {
		t.invalidate(generation)
		return
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	t.widen(t.limit + 1)
}

func (t *Token) loginNeeded() bool { return t.info.flags&flagLoginRequired != 0 }
