//go:build cgo

package hsm

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/internal/fault"
)

// signaturesEnvironment makes the test of pull-outs longer: `make pull-outs` sets it.
const signaturesEnvironment = "YINXIN_SIGNATURES"

func signaturesWanted(t *testing.T) int {
	n := 150
	if text := os.Getenv(signaturesEnvironment); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// Eight sign while the token is pulled out and put in again: every answer is a good signature or a clean refusal, and each
// pull-out costs one login.
func TestPullOutsUnderLoad(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.activate()
	k := w.generate(token, "one")
	public := k.Public().(*ecdsa.PublicKey)
	each := signaturesWanted(t)
	signed, refused := make(chan struct{}, 8), make(chan struct{}, 8)
	stop := make(chan struct{})
	var pulls int64
	var puller, signers sync.WaitGroup
	puller.Go(func() {
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			case <-refused:
				w.clock.advance(time.Second) // time goes by: a refusal may have come after the token was back
			case <-signed:
				if n%100 != 0 {
					continue
				}
				w.folder.Pull(t, 0)
				pulls++
				// Somebody notices, since all want more; a refusal that is older than this pull does not count.
				for token.Metrics().Ready || w.isThere() {
					select {
					case <-refused:
					case <-signed:
					case <-stop:
						w.folder.Insert(t, 0)
						return
					}
				}
				w.folder.Insert(t, 0)
				w.clock.advance(longestPause)
			}
		}
	})
	var refusals atomic.Int64
	for i := range 8 {
		signers.Go(func() {
			for n := 0; n < each; {
				message := fmt.Sprintf("档案 %d %d", i, n)
				e := digest(k, message)
				signature, err := k.SignDigest(context.Background(), e)
				if err == nil {
					if !sm2.VerifyASN1(public, e, signature) {
						t.Error("a signature of something else")
						return
					}
					n++
					signed <- struct{}{}
					continue
				}
				if f, ok := fault.Of(err); !ok || f.Kind != fault.Unavailable {
					t.Errorf("not a clean refusal: %v", err)
					return
				}
				refusals.Add(1)
				refused <- struct{}{}
			}
		})
	}
	signers.Wait()
	close(stop)
	puller.Wait()
	m := token.Metrics()
	// How many were refused depends on who was at work just then: all may have waited until the token was back.
	if pulls < int64(8*each/200) {
		t.Errorf("only %d pull-outs", pulls)
	}
	logins := w.spy.logins.Load()
	t.Logf("%d signatures, %d pull-outs, %d refusals, %d logins, %d generations", m.Signatures, pulls, refusals.Load(), logins, m.Generations)
	if logins != int64(m.Logins) || logins > pulls+1 || logins < pulls || m.Generations != m.Logins {
		t.Errorf("%d logins for %d pull-outs, %+v", logins, pulls, m)
	}
	if m.Signatures != uint64(8*each+1) { // and the self-test
		t.Errorf("%d signatures", m.Signatures)
	}
}

// isThere asks the module, past the pool.
func (w *world) isThere() bool {
	info, err := w.spy.Slot(0)
	return err == nil && info.present
}

func TestATokenThatGoesAtASignatureIsUsedAgain(t *testing.T) {
	w := newWorld(t, "sansec")
	k := w.generate(w.activate(), "one")
	w.folder.Fault(t, 0, "remove_at_signature = 2")
	w.signs(k)
	_, err := k.SignDigest(context.Background(), digest(k, "档案"))
	w.want(err, ErrRemoved)
	w.folder.Fault(t, 0)
	w.folder.Insert(t, 0)
	w.signs(k)
}

// A session that is lost alone, a login that is lost, a handle that is no more: the work is done again, once.
func TestWhatIsLostIsRepeatedOnce(t *testing.T) {
	for _, rv := range []returnValue{rvDeviceRemoved, rvDeviceError, rvTokenNotPresent, rvSessionHandle, rvSessionClosed, rvNotLoggedIn, rvObjectHandle, rvKeyHandle} {
		t.Run(rv.Error(), func(t *testing.T) {
			w := newWorld(t, "sansec")
			token := w.activate()
			k := w.generate(token, "one")
			w.spy.signs.Store(0)
			w.spy.onSign = func() error {
				if w.spy.signs.Load() == 1 {
					return rv
				}
				return nil
			}
			w.signs(k)
			w.spy.onSign = func() error { return rv }
			w.spy.signs.Store(0)
			if _, err := k.SignDigest(context.Background(), digest(k, "档案")); !fault.Has(err, ErrDevice) && !fault.Has(err, ErrRemoved) {
				t.Errorf("%v", err)
			}
			if n := w.spy.signs.Load(); n != 2 {
				t.Errorf("%d tries", n)
			}
			w.spy.onSign = nil
			w.signs(k)
			if m := token.Metrics(); m.Retries != 2 || m.Failures != 1 || m.Generations != 4 {
				t.Errorf("%+v", m)
			}
		})
	}
}

// Any other error is not repeated, and its session is not used again: an operation may be left in it.
func TestASessionWithAnErrorIsNotUsedAgain(t *testing.T) {
	w := newWorld(t, "sansec")
	w.config.Sessions = 1
	token := w.activate()
	k := w.generate(token, "one")
	w.spy.onSign = func() error { return returnValue(0x150) }
	w.spy.signs.Store(0)
	_, err := k.SignDigest(context.Background(), digest(k, "档案"))
	w.want(err, ErrDevice)
	if f, _ := fault.Of(err); f.Detail() != "CKR 0x00000150" || w.spy.signs.Load() != 1 {
		t.Errorf("%v, %d tries", err, w.spy.signs.Load())
	}
	w.spy.onSign = nil
	made := token.Metrics().SessionsMade
	w.signs(k)
	w.signs(k)
	if m := token.Metrics(); m.SessionsMade != made+1 || m.Generations != 1 {
		t.Errorf("%+v", m)
	}
}

// forgetful tells nobody how many sessions it can have.
type forgetful struct{ cryptoki }

func (f forgetful) Token(slot uint) (TokenInfo, error) {
	info, err := f.cryptoki.Token(slot)
	info.MaxSessions, info.maxWriting = 0, 0
	return info, err
}

func TestATokenWithFewSessionsServesMany(t *testing.T) {
	for name, c := range map[string]struct {
		lines, faults []string
		tells         bool
		sessions      int
	}{
		"three, and it says so":     {[]string{"sessions = 3"}, nil, true, 2},
		"three, and it says naught": {[]string{"sessions = 3"}, nil, false, 0},
		"only one":                  {nil, []string{"one_session = 1"}, false, 1},
		"only one, and it says so":  {[]string{"sessions = 1"}, nil, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "sansec", c.lines...)
			if c.faults != nil {
				w.folder.Fault(t, 0, c.faults...)
			}
			if !c.tells {
				w.module.c = forgetful{w.spy}
			}
			token := w.activate()
			k := w.generate(token, "one")
			var group sync.WaitGroup
			for range 16 {
				group.Go(func() {
					for range 5 {
						w.signs(k)
					}
				})
			}
			group.Wait()
			if m := token.Metrics(); c.sessions > 0 && m.Sessions != c.sessions || m.Sessions > 7 || m.Busy != 0 || m.Generations != 1 {
				t.Errorf("%+v", m)
			}
			token.look()
			w.signs(k)
		})
	}
}

func TestSessionsThatBecomeFreeAreUsedAgain(t *testing.T) {
	w := newWorld(t, "sansec")
	w.config.Sessions = 2
	token := w.activate()
	k := w.generate(token, "one")
	token.work <- func(*worker) error { return rvSessionCount } // one worker ends
	w.signs(k)
	for token.Metrics().Sessions != 1 {
		runtime.Gosched()
	}
	token.look()
	if m := token.Metrics(); m.Sessions != 2 {
		t.Errorf("%+v", m)
	}
	w.signs(k)
}

// Eight work side by side, and never a ninth.
func TestAsManyWorkAsThereAreSessions(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.activate()
	k := w.generate(token, "one")
	inside, all, most := 0, make(chan struct{}), 0
	var lock sync.Mutex
	var once sync.Once
	w.spy.onSign = func() error {
		lock.Lock()
		inside++
		most = max(most, inside)
		if inside == 8 {
			once.Do(func() { close(all) })
		}
		lock.Unlock()
		<-all
		lock.Lock()
		inside--
		lock.Unlock()
		return nil
	}
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() { w.signs(k) })
	}
	group.Wait()
	if most > 8 {
		t.Errorf("%d at once", most)
	}
}

func TestACallerCanGiveUp(t *testing.T) {
	w := newWorld(t, "sansec")
	w.config.Sessions = 1
	token := w.activate()
	k := w.generate(token, "one")
	release, begun := make(chan struct{}), make(chan struct{}, 1)
	w.spy.onSign = func() error { begun <- struct{}{}; <-release; return nil }
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-begun; cancel() }()
	if _, err := k.SignDigest(ctx, digest(k, "档案")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	// The only session still works; who waits for it can give up, too.
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	if _, err := k.SignDigest(ctx, digest(k, "档案")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	w.spy.onSign = nil
	close(release)
	w.signs(k)
	if m := token.Metrics(); m.Failures != 0 {
		t.Errorf("%+v", m)
	}
}

// late is a context whose end shows only to who asks: the module's answer is always first.
type late struct {
	context.Context
	gone atomic.Bool
}

func (*late) Done() <-chan struct{} { return nil }

func (l *late) Err() error {
	if l.gone.Load() {
		return context.Canceled
	}
	return nil
}

// Whoever gives up hears that, and not a bare number of the module that came at the same time.
func TestWhoGaveUpHearsNoNumberOfTheModule(t *testing.T) {
	w := newWorld(t, "sansec")
	k := w.generate(w.activate(), "one")
	ctx := &late{Context: context.Background()}
	w.spy.onSign = func() error { ctx.gone.Store(true); return rvFunctionFailed }
	if _, err := k.SignDigest(ctx, digest(k, "档案")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestATokenThatDoesNotAnswerIsNotWaitedForEver(t *testing.T) {
	w := newWorld(t, "sansec")
	w.config.Sessions = 1
	token := w.activate()
	k := w.generate(token, "one")
	release := make(chan struct{})
	var hangs atomic.Bool
	hangs.Store(true)
	w.spy.onSign = func() error {
		if hangs.Load() {
			<-release
		}
		return nil
	}
	token.config.Timeout = time.Millisecond
	for range 5 {
		_, err := k.SignDigest(context.Background(), digest(k, "档案"))
		w.want(err, ErrTimeout)
	}
	_, err := k.SignDigest(context.Background(), digest(k, "档案"))
	w.want(err, ErrPaused)
	hangs.Store(false)
	token.config.Timeout = time.Minute
	close(release)
	w.clock.advance(time.Second)
	w.signs(k)
}

// A module is not taken out of memory under a call that has not come back.
func TestAModuleStaysWhileACallIsUnderWay(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.activate()
	k := w.generate(token, "one")
	w.want(w.module.Close(), ErrTokenInUse)
	release, begun := make(chan struct{}), make(chan struct{})
	w.spy.onSign = func() error { close(begun); <-release; return nil }
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-begun; cancel() }()
	if _, err := k.SignDigest(ctx, digest(k, "档案")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	token.config.Timeout = time.Millisecond
	w.want(token.Close(), ErrTimeout)
	w.want(w.module.Close(), ErrTokenInUse)
	close(release)
	for err := w.module.Close(); err != nil; err = w.module.Close() {
		w.want(err, ErrTokenInUse)
		runtime.Gosched()
	}
}

// When a token was closed nothing of it goes on.
func TestACloseLeavesNothingRunning(t *testing.T) {
	w := newWorld(t, "sansec")
	w.config.KeepAlive = time.Millisecond
	before := runtime.NumGoroutine()
	token, err := Activate(context.Background(), w.module, w.config)
	w.must(err)
	k := w.generate(token, "one")
	w.signs(k)
	if runtime.NumGoroutine() < before+8 {
		t.Error("there are no workers: this test shows nothing")
	}
	w.must(token.Close())
	for n := 0; runtime.NumGoroutine() > before; n++ {
		if n == 1_000_000 {
			t.Fatalf("%d goroutines stay", runtime.NumGoroutine()-before)
		}
		runtime.Gosched()
	}
	_, err = k.SignDigest(context.Background(), digest(k, "档案"))
	w.want(err, ErrClosed)
}

func TestTheBreaker(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.activate()
	k := w.generate(token, "one")
	w.folder.Pull(t, 0)
	sign := func() error {
		_, err := k.SignDigest(context.Background(), digest(k, "档案"))
		return err
	}
	for range 5 {
		w.want(sign(), ErrRemoved)
	}
	paused := func(longest time.Duration) {
		t.Helper()
		looks := w.spy.tokens.Load()
		err := sign()
		w.want(err, ErrPaused)
		if f, ok := fault.Of(err); !ok || f.RetryAfter() <= 0 || f.RetryAfter() > longest || f.Kind != fault.Unavailable {
			t.Errorf("%v, retry after %v", err, f.RetryAfter())
		}
		if w.spy.tokens.Load() != looks {
			t.Error("the token was touched")
		}
	}
	for _, pause := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		paused(pause * time.Second)
		w.clock.advance(pause*time.Second - 1)
		paused(1)
		w.clock.advance(1)
		w.want(sign(), ErrRemoved) // one finds out
	}
	if !token.Metrics().Paused {
		t.Error("not paused")
	}
	token.look()
	paused(30 * time.Second) // nothing to see yet
	w.folder.Insert(t, 0)
	token.look()
	w.signs(k)
	if m := token.Metrics(); m.Paused || m.Generations != 2 || m.Logins != 2 {
		t.Errorf("%+v", m)
	}
}

// After a pause one caller finds out, the others are refused meanwhile.
func TestOneCallerProbes(t *testing.T) {
	clock := &manual{}
	b := &breaker{clock: clock.now, threshold: 2, first: time.Second, longest: time.Minute}
	b.fail()
	if b.allow() != 0 {
		t.Error("open after one failure")
	}
	b.fail()
	b.fail() // one that was under way
	if b.allow() != time.Second {
		t.Error("not open")
	}
	clock.advance(time.Second)
	if b.allow() != 0 || b.allow() == 0 {
		t.Error("not one probe")
	}
	b.abstain()
	if b.allow() != 0 {
		t.Error("the probe that learnt nothing is not repeated")
	}
	b.fail()
	if b.allow() != 2*time.Second {
		t.Error("the pause is not longer")
	}
	clock.advance(2 * time.Second)
	if b.allow() != 0 {
		t.Error("no probe")
	}
	b.succeed()
	if b.isOpen() || b.allow() != 0 || b.allow() != 0 {
		t.Error("still open")
	}
}

// The look notices what nobody has asked for.
func TestALookNotices(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.activate()
	k := w.generate(token, "one")
	token.look()
	if m := token.Metrics(); !m.Ready || m.Generations != 1 {
		t.Errorf("%+v", m)
	}
	w.folder.Pull(t, 0)
	token.look()
	if token.Metrics().Ready {
		t.Error("pulled out, and ready")
	}
	w.folder.Insert(t, 0)
	w.signs(k)
	w.must(w.spy.cryptoki.CloseAllSessions(0)) // another part of the program
	token.look()
	if token.Metrics().Ready {
		t.Error("logged out, and ready")
	}
	w.signs(k)
}
