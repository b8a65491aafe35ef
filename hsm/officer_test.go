//go:build cgo

package hsm

import (
	"bytes"
	"context"
	"testing"
	"time"

	"yinxin/hsm/tokentest"
)

// counted counts the PINs that reach the module outside of a login of the user.
type counted struct {
	cryptoki
	officer, set, made int
	onSetPIN           func() error
}

func (c *counted) LoginOfficer(h handle, pin []byte) error {
	c.officer++
	return c.cryptoki.LoginOfficer(h, pin)
}

func (c *counted) SetPIN(h handle, old, pin []byte) error {
	c.set++
	if c.onSetPIN != nil {
		if err := c.onSetPIN(); err != nil {
			return err
		}
	}
	return c.cryptoki.SetPIN(h, old, pin)
}

func (c *counted) InitToken(slot uint, pin []byte, label string) error {
	c.made++
	return c.cryptoki.InitToken(slot, pin, label)
}

// officer has the token "seal" in slot 0 with nobody at work on it, and counts.
func officer(t *testing.T, lines ...string) (*world, *counted) {
	w := newWorld(t, "sansec", lines...)
	c := &counted{cryptoki: w.module.c}
	w.module.c = c
	return w, c
}

var theToken = Selection{Label: "seal"}

func octets(pin string) []byte { return []byte(pin) }

func (w *world) userPINIs(pin string) {
	w.Helper()
	w.config.PIN = source(pin)
	token, err := Activate(context.Background(), w.module, w.config)
	w.must(err)
	w.must(token.Close())
}

func (w *world) state() TokenInfo {
	w.Helper()
	slot, err := w.module.find(theToken)
	w.must(err)
	return *slot.Token
}

func TestATokenIsMadeNew(t *testing.T) {
	w, c := officer(t)
	ctx := context.Background()
	one := uint(1)
	fresh := Selection{Slot: &one}
	for name, n := range map[string]NewToken{
		"no label":               {Officer: octets("12345678"), User: octets("123456")},
		"a label of 33 bytes":    {Label: "一二三四五六七八九十一", Officer: octets("12345678"), User: octets("123456")},
		"a user PIN of 3 digits": {Label: "x", Officer: octets("12345678"), User: octets("123")},
		"no SO PIN":              {Label: "x", User: octets("123456")},
	} {
		if err := w.module.Initialise(ctx, fresh, n, false); err == nil || c.made > 0 {
			t.Errorf("%s: %v, %d calls", name, err, c.made)
		}
	}
	n := NewToken{Label: "新印章", Officer: octets("12345678"), User: octets("123456")}
	w.must(w.module.Initialise(ctx, fresh, n, false))
	if !bytes.Equal(n.Officer, make([]byte, 8)) || !bytes.Equal(n.User, make([]byte, 6)) {
		t.Error("the PINs were not wiped")
	}
	w.config.Token = Selection{Label: "新印章"}
	w.userPINIs("123456")

	// Made new again: by its own SO PIN only, and what was on it is gone.
	w.config.PIN = source(tokentest.UserPIN)
	w.config.Token = theToken
	token := w.activate()
	w.generate(token, "k")
	w.want(w.module.Initialise(ctx, theToken, NewToken{"seal", octets(tokentest.SOPIN), octets("123456")}, false), ErrTokenInUse)
	w.must(token.Close())
	before := c.made
	w.want(w.module.Initialise(ctx, theToken, NewToken{"seal", octets("87654321"), octets("123456")}, false), ErrSOPINWrong)
	w.want(w.module.Initialise(ctx, theToken, NewToken{"seal", octets(tokentest.SOPIN), octets("123456")}, false), ErrSOPINLow)
	if c.made != before+1 {
		t.Errorf("%d SO PINs reached the token, not 1", c.made-before)
	}
	w.must(w.module.Initialise(ctx, theToken, NewToken{"seal", octets(tokentest.SOPIN), octets("123456")}, true))
	w.userPINIs("123456")
	contents, err := w.module.Look(theToken, w.config.Profile)
	if w.must(err); len(contents.Keys) != 0 {
		t.Error("a key outlived its token")
	}
}

func TestALockedTokenIsUnlocked(t *testing.T) {
	w, c := officer(t, "tries = 2")
	ctx := context.Background()
	for range 2 {
		_ = w.module.ChangePIN(ctx, theToken, octets("000000"), octets("123456"), true)
	}
	if !w.state().PINLocked {
		t.Fatal("not locked")
	}
	c.set = 0
	w.want(w.module.ChangePIN(ctx, theToken, octets(tokentest.UserPIN), octets("123456"), true), ErrPINLocked)
	if c.set != 0 {
		t.Error("a locked PIN was tried")
	}
	w.want(w.module.Unlock(ctx, theToken, octets(tokentest.SOPIN), NewPINs{User: octets("12")}, false), ErrNewPIN)
	w.want(w.module.Unlock(ctx, theToken, octets("87654321"), NewPINs{User: octets("123456")}, false), ErrSOPINWrong)
	w.want(w.module.Unlock(ctx, theToken, octets(tokentest.SOPIN), NewPINs{User: octets("123456")}, false), ErrSOPINLow)
	if c.officer != 1 {
		t.Errorf("%d SO PINs reached the token, not 1", c.officer)
	}

	// The device fails between the two PINs: the user can work, and the same again does the rest.
	next := "9999888877776666"
	c.onSetPIN = func() error { return rvDeviceError }
	w.want(w.module.Unlock(ctx, theToken, octets(tokentest.SOPIN), NewPINs{octets("123456"), octets(next)}, true), ErrSOPINKept)
	w.userPINIs("123456")
	c.onSetPIN = nil
	w.must(w.module.Unlock(ctx, theToken, octets(tokentest.SOPIN), NewPINs{octets("123456"), octets(next)}, false))
	w.userPINIs("123456")
	w.want(w.module.Unlock(ctx, theToken, octets(tokentest.SOPIN), NewPINs{User: octets("123456")}, false), ErrSOPINWrong)
	w.want(w.module.Unlock(ctx, theToken, octets(tokentest.SOPIN), NewPINs{User: octets("123456")}, true), ErrSOPINLocked)
	before := c.officer
	w.want(w.module.Unlock(ctx, theToken, octets(next), NewPINs{User: octets("123456")}, true), ErrSOPINLocked)
	if c.officer != before {
		t.Error("a locked SO PIN was tried")
	}
}

func TestPINsAreChanged(t *testing.T) {
	w, c := officer(t)
	ctx := context.Background()
	w.want(w.module.ChangePIN(ctx, theToken, octets("000000"), octets("123456"), false), ErrPINWrong)
	w.want(w.module.ChangePIN(ctx, theToken, octets(tokentest.UserPIN), octets("123456"), false), ErrPINLow)
	if c.set != 1 {
		t.Errorf("%d PINs reached the token, not 1", c.set)
	}
	w.want(w.module.ChangePIN(ctx, theToken, octets(tokentest.UserPIN), octets("1"), true), ErrNewPIN)
	w.must(w.module.ChangePIN(ctx, theToken, octets(tokentest.UserPIN), octets("123456"), true))
	w.userPINIs("123456")
	w.must(w.module.ChangeOfficerPIN(ctx, theToken, octets(tokentest.SOPIN), octets("11112222"), false))
	w.must(w.module.Unlock(ctx, theToken, octets("11112222"), NewPINs{User: octets("654321")}, false))
	w.userPINIs("654321")
}

func TestWhatATokenShowsWithoutAPIN(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.activate()
	k := w.generate(token, "one")
	ctx := context.Background()
	w.must(token.StoreData(ctx, Data{Application: "yinxin", Label: "open", Value: []byte("o")}, false))
	w.must(token.StoreData(ctx, Data{Application: "yinxin", Label: "private", Value: []byte("p")}, true))
	w.must(token.Close())
	contents, err := w.module.Look(theToken, w.config.Profile)
	w.must(err)
	if len(contents.Keys) != 1 || !samePublic(contents.Keys[0].Public, k.Public()) || contents.Keys[0].Algorithm != SM2 || contents.Keys[0].Label != "one" {
		t.Errorf("%+v", contents.Keys)
	}
	if len(contents.Data) != 1 || contents.Data[0].Label != "open" {
		t.Errorf("%+v", contents.Data)
	}
	if contents, err = w.module.Look(theToken, Profile{}); err != nil || len(contents.Keys) != 1 || contents.Keys[0].Public != nil {
		t.Errorf("without a profile: %+v, %v", contents.Keys, err)
	}
}

// SoftHSM calls the SO PIN of a new token locked, and gives the token another slot when it is initialised.
func TestTokensOfAnotherModuleAreSetUp(t *testing.T) {
	m, err := Open(tokentest.SoftHSM(t, "first"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	slots, err := m.Slots()
	must(err)
	var fresh Selection
	for _, slot := range slots {
		if slot.Token != nil && !slot.Token.Initialised {
			fresh.Slot = &slot.ID
		}
	}
	ctx := context.Background()
	must(m.Initialise(ctx, fresh, NewToken{"second", octets("12345678"), octets("123456")}, false))
	second := Selection{Label: "second"}
	must(m.ChangePIN(ctx, second, octets("123456"), octets("1234567"), false))
	must(m.Unlock(ctx, second, octets("12345678"), NewPINs{octets("654321"), octets("87654321")}, false))
	must(m.ChangeOfficerPIN(ctx, second, octets("87654321"), octets("12345678"), false))
	must(m.Initialise(ctx, second, NewToken{"third", octets("12345678"), octets("123456")}, false))
	standard, err := ReadProfiles("")
	must(err)
	token, err := Activate(ctx, m, Config{Token: Selection{Label: "third"}, Profile: standard["standard"], Clock: time.Now, KeepAlive: -1, PIN: source("123456")})
	must(err)
	must(token.Close())
}
