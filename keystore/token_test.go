//go:build cgo && unix

package keystore_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"yinxin/hsm"
	"yinxin/hsm/tokentest"
	"yinxin/internal/fault"
	"yinxin/keystore"
	"yinxin/keystore/keytest"
)

// device is a keystore whose keys are on a soft token.
type device struct {
	folder
	tokens tokentest.Folder
	token  *hsm.Token
}

func newDevice(t *testing.T) device {
	t.Helper()
	path := tokentest.Module(t)
	d := device{folder: folder{filepath.Join(t.TempDir(), "keys")}, tokens: tokentest.NewFolder(t)}
	d.tokens.Ready(t, 0, "seal")
	module, err := hsm.Open(path)
	must(t, err)
	d.token = activate(t, module, "sansec")
	t.Cleanup(func() {
		must(t, d.token.Close())
		must(t, module.Close())
	})
	return d
}

func activate(t *testing.T, module *hsm.Module, profile string) *hsm.Token {
	t.Helper()
	profiles, err := hsm.ReadProfiles("")
	must(t, err)
	p, err := profiles.Named(profile)
	must(t, err)
	token, err := hsm.Activate(context.Background(), module, hsm.Config{Token: hsm.Selection{Label: "seal"}, Profile: p, Clock: time.Now,
		PIN: func(context.Context) ([]byte, error) { return []byte(tokentest.UserPIN), nil }})
	must(t, err)
	return token
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, err error, spec fault.Spec) {
	t.Helper()
	if !fault.Has(err, spec) {
		t.Errorf("%v, not %s", err, spec.Code)
	}
}

func (d device) Secrets() []string { return append(d.folder.Secrets(), tokentest.UserPIN) }

func (d device) Open(t *testing.T) *keystore.Store {
	t.Helper()
	s := d.folder.Open(t)
	must(t, s.Attach("hsm", d.token))
	must(t, s.MakeOn("hsm", purposes...))
	return s
}

func (d device) Holds(t *testing.T) int {
	t.Helper()
	list, err := d.token.Keys(context.Background())
	must(t, err)
	return len(list)
}

func TestKeysOnTokens(t *testing.T) {
	keytest.Run(t, func(t *testing.T) keytest.Place { return newDevice(t) })
}

func TestKeysInFilesAndOnTokensLiveTogether(t *testing.T) {
	ctx := context.Background()
	d := newDevice(t)
	s := d.folder.Open(t)
	ring := s.Ring(keystore.PurposeSealing, keystore.PurposeIssuing)
	before, err := ring.Generate(ctx, "before", keystore.PurposeSealing)
	must(t, err)
	want(t, s.MakeOn("hsm", keystore.PurposeSealing), keystore.ErrTokenMissing)
	want(t, s.Attach("../hsm", d.token), keystore.ErrName)
	must(t, s.Attach("hsm", d.token))
	want(t, s.MakeOn("hsm", keystore.PurposePersonalData), keystore.ErrPurpose)
	must(t, s.MakeOn("hsm", keystore.PurposeSealing))
	after, err := ring.Generate(ctx, "after", keystore.PurposeSealing)
	must(t, err)
	_, err = ring.Generate(ctx, "issuing", keystore.PurposeIssuing)
	must(t, err)
	list, err := ring.List(ctx)
	must(t, err)
	where := map[string]string{}
	for _, info := range list {
		where[info.Name] = info.Token
	}
	if len(list) != 3 || where["after"] != "hsm" || where["before"] != "" || where["issuing"] != "" {
		t.Errorf("%+v", where)
	}
	for _, k := range []keystore.Key{before, after} {
		_, err := k.SignDigest(ctx, [32]byte{1})
		must(t, err)
	}
	// Without the token its keys are there and do not sign.
	s = d.folder.Open(t)
	k, err := s.Ring(keystore.PurposeSealing).Get(ctx, "after")
	must(t, err)
	if !k.Public().Equal(after.Public()) {
		t.Error("another key")
	}
	_, err = k.SignDigest(ctx, [32]byte{1})
	want(t, err, keystore.ErrTokenMissing)
	ring = s.Ring(keystore.PurposeSealing)
	want(t, ring.SetState(ctx, "after", keystore.StateDestroyed), keystore.ErrTokenMissing)
	if k.State() != keystore.StateActive {
		t.Error("destroyed without the token")
	}
	must(t, ring.SetState(ctx, "after", keystore.StateSuspended))
}

func TestAPulledOutTokenRefusesAndDoesNotLoseItsKeys(t *testing.T) {
	ctx := context.Background()
	d := newDevice(t)
	s := d.Open(t)
	ring := s.Ring(keystore.PurposeSealing)
	k, err := ring.Generate(ctx, "seal", keystore.PurposeSealing)
	must(t, err)
	d.tokens.Pull(t, 0)
	_, err = k.SignDigest(ctx, [32]byte{1})
	want(t, err, hsm.ErrRemoved)
	want(t, ring.SetState(ctx, "seal", keystore.StateDestroyed), hsm.ErrRemoved)
	if k.State() != keystore.StateActive {
		t.Error("destroyed, and not on the token")
	}
	d.tokens.Insert(t, 0)
	_, err = k.SignDigest(ctx, [32]byte{1})
	must(t, err)
}

func TestAKeyThatIsOnTheTokenAlreadyIsAdopted(t *testing.T) {
	ctx := context.Background()
	d := newDevice(t)
	s := d.Open(t)
	made, err := d.token.Generate(ctx, hsm.NewKey{Algorithm: hsm.SM2, ID: []byte("given")})
	must(t, err)
	sealing, issuing := s.Ring(keystore.PurposeSealing), s.Ring(keystore.PurposeIssuing)
	_, err = sealing.Adopt(ctx, "seal", keystore.PurposeIssuing, "hsm", []byte("given"))
	want(t, err, keystore.ErrPurpose)
	_, err = sealing.Adopt(ctx, "../seal", keystore.PurposeSealing, "hsm", []byte("given"))
	want(t, err, keystore.ErrName)
	_, err = sealing.Adopt(ctx, "seal", keystore.PurposeSealing, "nowhere", []byte("given"))
	want(t, err, keystore.ErrTokenMissing)
	_, err = sealing.Adopt(ctx, "seal", keystore.PurposeSealing, "hsm", []byte("none"))
	want(t, err, hsm.ErrKeyNotFound)
	k, err := sealing.Adopt(ctx, "seal", keystore.PurposeSealing, "hsm", []byte("given"))
	must(t, err)
	if !k.Public().Equal(made.Public()) {
		t.Error("another key")
	}
	_, err = k.SignDigest(ctx, [32]byte{1})
	must(t, err)
	// Nobody reaches it a second time, under another name or for another purpose.
	_, err = sealing.Adopt(ctx, "seal", keystore.PurposeSealing, "hsm", []byte("given"))
	want(t, err, keystore.ErrTokenKeyTaken)
	_, err = issuing.Adopt(ctx, "issuing", keystore.PurposeIssuing, "hsm", []byte("given"))
	want(t, err, keystore.ErrTokenKeyTaken)

	// The key under the identifier is exchanged on the token: it is not used, and not destroyed for the other one.
	must(t, d.token.DestroyKey(ctx, []byte("given")))
	_, err = d.token.Generate(ctx, hsm.NewKey{Algorithm: hsm.SM2, ID: []byte("given")})
	must(t, err)
	_, err = k.SignDigest(ctx, [32]byte{1})
	want(t, err, keystore.ErrTokenKey)
	want(t, sealing.SetState(ctx, "seal", keystore.StateDestroyed), keystore.ErrTokenKey)
	if d.Holds(t) != 1 {
		t.Error("another's key was destroyed")
	}
	// A key that is gone already can be destroyed: so ends what a crash has begun.
	must(t, d.token.DestroyKey(ctx, []byte("given")))
	must(t, sealing.SetState(ctx, "seal", keystore.StateDestroyed))
	if k.State() != keystore.StateDestroyed {
		t.Error(k.State())
	}
}

// A damaged file stops its own key: others are made on the token all the same, and none is adopted that may be in it.
func TestADamagedFileHindersNoOtherKeyOnTheToken(t *testing.T) {
	ctx := context.Background()
	d := newDevice(t)
	s := d.Open(t)
	ring := s.Ring(keystore.PurposeSealing)
	_, err := ring.Generate(ctx, "one", keystore.PurposeSealing)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(d.Dir(), "keys", "one.json"), []byte("{"), 0o600))
	s = d.Open(t)
	ring = s.Ring(keystore.PurposeSealing)
	k, err := ring.Generate(ctx, "two", keystore.PurposeSealing)
	must(t, err)
	_, err = k.SignDigest(ctx, [32]byte{1})
	must(t, err)
	_, err = d.token.Generate(ctx, hsm.NewKey{Algorithm: hsm.SM2, ID: []byte("given")})
	must(t, err)
	_, err = ring.Adopt(ctx, "three", keystore.PurposeSealing, "hsm", []byte("given"))
	want(t, err, keystore.ErrDamaged)
}

// A key that fails its self-test does not sign, and yet can be destroyed.
func TestAKeyThatSignsWronglyCanBeDestroyed(t *testing.T) {
	ctx := context.Background()
	d := newDevice(t)
	_, err := d.Open(t).Ring(keystore.PurposeSealing).Generate(ctx, "seal", keystore.PurposeSealing)
	must(t, err)
	must(t, d.token.Close())
	d.tokens.Fault(t, 0, "wrong_encoding = 1")
	module, err := hsm.Open(tokentest.Module(t))
	must(t, err)
	defer func() { must(t, module.Close()) }()
	d.token = activate(t, module, "sansec")
	defer func() { must(t, d.token.Close()) }()
	ring := d.Open(t).Ring(keystore.PurposeSealing)
	k, err := ring.Get(ctx, "seal")
	must(t, err)
	_, err = k.SignDigest(ctx, [32]byte{1})
	want(t, err, hsm.ErrSelfTest)
	must(t, ring.SetState(ctx, "seal", keystore.StateDestroyed))
	if n := d.Holds(t); n != 0 {
		t.Errorf("%d keys", n)
	}
}

// While a key waits to be destroyed on a token that does not answer, other keys can be suspended.
func TestASilentTokenHoldsUpNoOtherKey(t *testing.T) {
	ctx := context.Background()
	d := newDevice(t)
	s := d.Open(t)
	ring := s.Ring(keystore.PurposeSealing)
	_, err := ring.Generate(ctx, "gone", keystore.PurposeSealing)
	must(t, err)
	_, err = ring.Generate(ctx, "other", keystore.PurposeSealing)
	must(t, err)
	lock, err := os.Open(filepath.Join(d.tokens.Path, "0", "lock")) // under which the module changes the token's files
	must(t, err)
	must(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	destroyed, suspended := make(chan error, 1), make(chan error, 1)
	go func() { destroyed <- ring.SetState(ctx, "gone", keystore.StateDestroyed) }()
	for d.token.Metrics().Busy == 0 {
		runtime.Gosched()
	}
	go func() { suspended <- ring.SetState(ctx, "other", keystore.StateSuspended) }()
	select {
	case err = <-suspended:
		must(t, err)
	case <-time.After(20 * time.Second):
		t.Error("the other key waits for the token")
	}
	must(t, lock.Close())
	must(t, <-destroyed)
}

// An HSM without SM2 holds keys for TLS, not for a keystore.
func TestATokenWithoutSM2HoldsNoKeysOfAKeystore(t *testing.T) {
	module, err := hsm.Open(tokentest.SoftHSM(t, "seal"))
	must(t, err)
	token := activate(t, module, "standard")
	defer module.Close()
	defer token.Close()
	s := folder{filepath.Join(t.TempDir(), "keys")}.Open(t)
	want(t, s.Attach("hsm", token), keystore.ErrTokenUnfit)
}

// A token may be there later than the keystore, and what its PIN lacks is the operator's matter: whoever wants a signature
// is told to come again.
func TestATokenIsAskedForWhenItsKeyIsNeeded(t *testing.T) {
	ctx := context.Background()
	d := newDevice(t)
	s := d.folder.Open(t)
	asked, answer := 0, error(hsm.ErrTokenNotFound.New())
	must(t, s.AttachLater("hsm", func(context.Context) (*hsm.Token, error) {
		asked++
		if answer != nil {
			return nil, answer
		}
		return d.token, nil
	}))
	must(t, s.MakeOn("hsm", keystore.PurposeSealing))
	ring := s.Ring(keystore.PurposeSealing)
	list, err := ring.List(ctx)
	if must(t, err); len(list) != 0 || asked != 0 {
		t.Errorf("%d keys, asked %d times", len(list), asked)
	}
	_, err = ring.Generate(ctx, "seal", keystore.PurposeSealing)
	want(t, err, hsm.ErrTokenNotFound)
	answer = hsm.ErrPINWrong.New()
	_, err = ring.Generate(ctx, "seal", keystore.PurposeSealing)
	want(t, err, keystore.ErrTokenWaits)
	if f, _ := fault.Of(err); f.Kind != fault.Unavailable || f.Detail() != hsm.ErrPINWrong.Code {
		t.Errorf("%v: %s", f.Kind, f.Detail())
	}
	answer = nil
	k, err := ring.Generate(ctx, "seal", keystore.PurposeSealing)
	must(t, err)
	_, err = k.SignDigest(ctx, [32]byte{1})
	must(t, err)
	answer = hsm.ErrPINLocked.New()
	_, err = k.SignDigest(ctx, [32]byte{1})
	want(t, err, keystore.ErrTokenWaits)
}

func TestAPINThatIsWrongSinceIsTheOperatorsMatter(t *testing.T) {
	ctx := context.Background()
	d := newDevice(t)
	must(t, d.token.Close())
	module, err := hsm.Open(tokentest.Module(t))
	must(t, err)
	defer module.Close()
	profiles, err := hsm.ReadProfiles("")
	must(t, err)
	pin := tokentest.UserPIN
	token, err := hsm.Activate(ctx, module, hsm.Config{Token: hsm.Selection{Label: "seal"}, Profile: profiles["sansec"], Clock: time.Now, KeepAlive: -1,
		PIN: func(context.Context) ([]byte, error) { return []byte(pin), nil }})
	must(t, err)
	defer token.Close()
	s := d.folder.Open(t)
	must(t, s.Attach("hsm", token))
	must(t, s.MakeOn("hsm", keystore.PurposeSealing))
	k, err := s.Ring(keystore.PurposeSealing).Generate(ctx, "seal", keystore.PurposeSealing)
	must(t, err)
	pin = "000000"
	d.tokens.Pull(t, 0)
	_, err = k.SignDigest(ctx, [32]byte{1})
	want(t, err, hsm.ErrRemoved)
	d.tokens.Insert(t, 0)
	logins := token.Metrics().Logins
	for range 3 {
		_, err = k.SignDigest(ctx, [32]byte{1})
		want(t, err, keystore.ErrTokenWaits)
	}
	if n := token.Metrics().Logins - logins; n != 1 {
		t.Errorf("%d wrong PINs reached the token", n)
	}
}
