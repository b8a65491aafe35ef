//go:build cgo

package hsm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"yinxin/hsm/tokentest"
	"yinxin/internal/fault"
)

// attended is a token with a key "one" that a person attends.
func (w *world) attended() *Token {
	w.Helper()
	token, err := Activate(context.Background(), w.module, w.config)
	w.must(err)
	w.generate(token, "one")
	w.must(token.Close())
	w.config.PIN = nil
	w.spy.logins.Store(0)
	return w.activate()
}

// eightAsk: eight ask for the keys at once and must get the same fault, with so many logins and looks at the token in all.
func (w *world) eightAsk(token *Token, spec fault.Spec, logins int64) {
	w.Helper()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			_, err := token.Keys(context.Background())
			w.want(err, spec)
		})
	}
	group.Wait()
	if n := w.spy.logins.Load(); n != logins {
		w.Errorf("%d logins, not %d", n, logins)
	}
}

func TestAWrongPINReachesTheTokenOnce(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.attended()
	ctx := context.Background()
	w.eightAsk(token, ErrPINNeeded, 0)
	given := []byte("135790")
	err := token.Login(ctx, given, false)
	w.want(err, ErrPINWrong)
	if strings.Contains(fmt.Sprintf("%v %+v", err, errors.Unwrap(err)), "135790") {
		t.Errorf("the PIN is in %v", err)
	}
	if given[0] != 0 || given[5] != 0 {
		t.Error("the PIN was not wiped")
	}
	looks := w.spy.tokens.Load()
	w.eightAsk(token, ErrPINWrong, 1)
	token.look()
	if w.spy.tokens.Load() != looks {
		t.Error("the token was touched")
	}
	// The soft token says that fewer tries are left: a person has to know.
	w.want(token.Login(ctx, []byte(tokentest.UserPIN), false), ErrPINLow)
	w.eightAsk(token, ErrPINLow, 1)
	w.must(token.Login(ctx, []byte(tokentest.UserPIN), true))
	k, err := token.Key(ctx, Selector{ID: []byte("one")})
	w.must(err)
	w.signs(k)
	if n := w.spy.logins.Load(); n != 2 || token.Metrics().Logins != 2 {
		t.Errorf("%d logins", n)
	}
	// Who is asked for the PIN again must know it, also while the token is logged in.
	w.want(token.Login(ctx, []byte("135790"), true), ErrPINWrong)
	w.eightAsk(token, ErrPINWrong, 3)
	for range 2 {
		w.must(token.Login(ctx, []byte(tokentest.UserPIN), true))
		w.signs(k)
	}
	if m := token.Metrics(); m.Retries != 0 || m.Logins != 5 {
		t.Errorf("%+v", m)
	}
	w.must(token.Logout(ctx))
	w.eightAsk(token, ErrPINNeeded, 5)
}

func TestAnUnattendedTokenWithAWrongPINIsLeftAlone(t *testing.T) {
	w := newWorld(t, "sansec")
	pin := tokentest.UserPIN
	w.config.PIN = func(context.Context) ([]byte, error) { return []byte(pin), nil }
	token := w.activate()
	k := w.generate(token, "one")
	pin = "135790" // somebody changed the file
	w.spy.logins.Store(0)
	w.folder.Pull(t, 0)
	_, err := k.SignDigest(context.Background(), digest(k, "档案"))
	w.want(err, ErrRemoved)
	w.folder.Insert(t, 0)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			_, err := k.SignDigest(context.Background(), digest(k, "档案"))
			w.want(err, ErrPINWrong)
		})
	}
	group.Wait()
	if n := w.spy.logins.Load(); n != 1 {
		t.Errorf("%d logins", n)
	}
	pin = tokentest.UserPIN
	w.want(token.Login(context.Background(), nil, false), ErrPINLow)
	w.must(token.Login(context.Background(), nil, true))
	w.signs(k)
}

func TestALockedPIN(t *testing.T) {
	w := newWorld(t, "sansec", "tries = 1")
	w.config.Insist = true
	token := w.attended()
	// With one try the token says from the beginning that it is the last.
	w.want(token.Login(context.Background(), []byte("135790"), false), ErrPINLow)
	w.want(token.Login(context.Background(), []byte("135790"), true), ErrPINLocked)
	w.eightAsk(token, ErrPINLocked, 1)
	w.want(token.Login(context.Background(), []byte(tokentest.UserPIN), false), ErrPINLocked)
	w.eightAsk(token, ErrPINLocked, 1)
}

// Where it is not known whether the token has counted the try, a PIN that was never right is not tried again.
func TestAPINWhoseFateIsUnknownIsNotTriedAgain(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.attended()
	w.spy.onLogin = func() error { return rvDeviceError }
	w.want(token.Login(context.Background(), []byte(tokentest.UserPIN), false), ErrPINNeeded)
	w.eightAsk(token, ErrPINNeeded, 1)
	w.spy.onLogin = nil
	w.must(token.Login(context.Background(), []byte(tokentest.UserPIN), false))
	w.must(token.Close())

	// The PIN of an HSM that was right once is another matter.
	w.config.PIN = source(tokentest.UserPIN)
	token = w.activate()
	k, err := token.Key(context.Background(), Selector{ID: []byte("one")})
	w.must(err)
	w.folder.Pull(t, 0)
	token.look()
	w.folder.Insert(t, 0)
	w.spy.onLogin = func() error { return rvDeviceError }
	_, err = k.SignDigest(context.Background(), digest(k, "档案"))
	w.want(err, ErrDevice)
	w.spy.onLogin = nil
	w.signs(k)

	// Unless the source has another one now: of that nothing is known.
	token.config.PIN = source("135790")
	w.must(w.spy.cryptoki.CloseAllSessions(0))
	w.spy.onLogin = func() error { return rvDeviceError }
	w.spy.logins.Store(0)
	for range 2 {
		_, err = k.SignDigest(context.Background(), digest(k, "档案"))
		w.want(err, ErrPINNeeded)
	}
	if n := w.spy.logins.Load(); n != 1 {
		t.Errorf("%d logins", n)
	}
}

func TestAnAttendedTokenAsksAgainAfterItWasPulledOut(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.attended()
	ctx := context.Background()
	w.must(token.Login(ctx, []byte(tokentest.UserPIN), false))
	k, err := token.Key(ctx, Selector{ID: []byte("one")})
	w.must(err)
	w.folder.Pull(t, 0)
	_, err = k.SignDigest(ctx, digest(k, "档案"))
	w.want(err, ErrRemoved)
	w.want(token.Login(ctx, []byte(tokentest.UserPIN), false), ErrRemoved)
	w.folder.Insert(t, 0)
	_, err = k.SignDigest(ctx, digest(k, "档案"))
	w.want(err, ErrPINNeeded)
	w.must(token.Login(ctx, []byte(tokentest.UserPIN), false))
	w.signs(k)
	if n := w.spy.logins.Load(); n != 2 {
		t.Errorf("%d logins", n)
	}
}

func TestATokenIsKnownByItsSerialNumber(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.activate()
	k := w.generate(token, "one")
	ctx := context.Background()
	at := func(slot string) string { return filepath.Join(w.folder.Path, slot) }
	// It comes back in another slot: it is the same one.
	w.folder.Pull(t, 0)
	_, err := k.SignDigest(ctx, digest(k, "档案"))
	w.want(err, ErrRemoved)
	w.must(os.RemoveAll(at("1")))
	w.must(os.Rename(at("0"), at("1")))
	w.must(os.Mkdir(at("0"), 0o700))
	w.folder.Insert(t, 1)
	w.signs(k)
	_, err = Activate(ctx, w.module, w.config)
	w.want(err, ErrTokenInUse)
	w.must(token.Close())
	w.must(w.module.Close())

	// Another one comes in its place, with the same name.
	w.must(os.RemoveAll(at("0")))
	w.folder.Ready(t, 0, "seal")
	w.open(tokentest.Module(t))
	_, err = Activate(ctx, w.module, w.config)
	w.want(err, ErrTokenAmbiguous)
	slot := uint(1)
	w.config.Token.Slot = &slot
	token = w.activate()
	k, err = token.Key(ctx, Selector{ID: []byte("one")})
	w.must(err)
	w.folder.Pull(t, 0)
	w.folder.Pull(t, 1)
	_, err = k.SignDigest(ctx, digest(k, "档案"))
	w.want(err, ErrRemoved)
	w.must(os.RemoveAll(at("2")))
	w.must(os.Rename(at("1"), at("2")))
	w.must(os.Rename(at("0"), at("1")))
	w.must(os.Mkdir(at("0"), 0o700))
	w.folder.Insert(t, 1)
	_, err = k.SignDigest(ctx, digest(k, "档案"))
	w.want(err, ErrOtherToken)
}

func TestATokenThatIsNotThere(t *testing.T) {
	w := newWorld(t, "sansec")
	ctx := context.Background()
	w.config.Token = Selection{Label: "nobody"}
	_, err := Activate(ctx, w.module, w.config)
	w.want(err, ErrTokenNotFound)
	w.config.Token = Selection{}
	_, err = Activate(ctx, w.module, w.config)
	w.want(err, ErrOptions)
	w.config.Token = Selection{Label: "seal"}
	w.config.PIN = source("135790")
	_, err = Activate(ctx, w.module, w.config)
	w.want(err, ErrPINWrong)
	w.config.PIN = func(context.Context) ([]byte, error) { return nil, errors.New("no file") }
	w.config.Insist = true
	_, err = Activate(ctx, w.module, w.config)
	w.want(err, ErrPINNeeded)
	if n := w.spy.logins.Load(); n != 1 {
		t.Errorf("%d logins", n)
	}
	w.config.PIN = source(tokentest.UserPIN)
	token := w.activate()
	w.must(token.Close())
	_, err = token.Keys(ctx)
	w.want(err, ErrClosed)
	w.want(token.Login(ctx, []byte(tokentest.UserPIN), false), ErrClosed)
}

// A source that is out of order for a while is asked again: nothing has reached the token.
func TestASourceWithoutAPINIsAskedAgain(t *testing.T) {
	w := newWorld(t, "sansec")
	var sourceErr error
	w.config.PIN = func(context.Context) ([]byte, error) { return []byte(tokentest.UserPIN), sourceErr }
	token := w.activate()
	k := w.generate(token, "one")
	w.spy.logins.Store(0)
	sourceErr = errors.New("the safe is closed")
	w.must(w.spy.cryptoki.CloseAllSessions(0))
	_, err := k.SignDigest(context.Background(), digest(k, "档案"))
	w.want(err, ErrPINNeeded)
	sourceErr = nil
	w.signs(k)
	if n := w.spy.logins.Load(); n != 1 {
		t.Errorf("%d logins", n)
	}
}

// Who has just given the PIN does not wait for the end of a pause.
func TestALoginEndsThePause(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.attended()
	ctx := context.Background()
	w.must(token.Login(ctx, []byte(tokentest.UserPIN), false))
	k, err := token.Key(ctx, Selector{ID: []byte("one")})
	w.must(err)
	w.folder.Pull(t, 0)
	for range 5 {
		_, err := k.SignDigest(ctx, digest(k, "档案"))
		w.want(err, ErrRemoved)
	}
	_, err = k.SignDigest(ctx, digest(k, "档案"))
	w.want(err, ErrPaused)
	w.folder.Insert(t, 0)
	w.must(token.Login(ctx, []byte(tokentest.UserPIN), false))
	w.signs(k)
}
