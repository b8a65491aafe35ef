//go:build cgo

package hsm

import (
	"context"
	"crypto/ecdsa"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	tjfoc "github.com/tjfoc/gmsm/sm2"

	"yinxin/hsm/tokentest"
	"yinxin/internal/fault"
	"yinxin/internal/oid"
)

// spy counts what reaches the module, and can stand in for faults that the soft token does not show.
type spy struct {
	cryptoki
	logins, signs, closes, tokens atomic.Int64
	onSign                        func() error
	onGenerate                    func(public []attribute) []attribute
	onLogin                       func() error
}

func (s *spy) Login(h handle, pin []byte) error {
	s.logins.Add(1)
	if s.onLogin != nil {
		if err := s.onLogin(); err != nil {
			return err
		}
	}
	return s.cryptoki.Login(h, pin)
}

func (s *spy) Token(slot uint) (TokenInfo, error) {
	s.tokens.Add(1)
	return s.cryptoki.Token(slot)
}

func (s *spy) CloseAllSessions(slot uint) error {
	s.closes.Add(1)
	return s.cryptoki.CloseAllSessions(slot)
}

func (s *spy) GenerateKeyPair(h handle, how mechanism, public, private []attribute) (handle, handle, error) {
	if s.onGenerate != nil {
		public = s.onGenerate(public)
	}
	return s.cryptoki.GenerateKeyPair(h, how, public, private)
}

func (s *spy) Sign(h, key handle, how mechanism, data []byte) ([]byte, error) {
	s.signs.Add(1)
	if s.onSign != nil {
		if err := s.onSign(); err != nil {
			return nil, err
		}
	}
	return s.cryptoki.Sign(h, key, how, data)
}

// manual is a clock that stands still until it is moved.
type manual struct {
	lock sync.Mutex
	at   time.Time
}

func (m *manual) now() time.Time {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.at
}

func (m *manual) advance(d time.Duration) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.at = m.at.Add(d)
}

type world struct {
	testing.TB
	folder tokentest.Folder
	module *Module
	spy    *spy
	config Config
	clock  *manual
}

// newWorld has the soft token with slot 0 initialised; lines are of softtoken.conf.
func newWorld(t testing.TB, profile string, lines ...string) *world {
	t.Helper()
	path := tokentest.Module(t)
	w := &world{TB: t, folder: tokentest.NewFolder(t, lines...), clock: &manual{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	w.folder.Ready(t, 0, "seal")
	w.open(path)
	profiles, err := ReadProfiles("")
	w.must(err)
	p, err := profiles.Named(profile)
	w.must(err)
	w.config = Config{Token: Selection{Label: "seal"}, Profile: p, Clock: w.clock.now, PIN: source(tokentest.UserPIN), KeepAlive: -1}
	return w
}

func (w *world) open(path string) {
	w.Helper()
	real, err := filepath.EvalSymlinks(path)
	w.must(err)
	w.module, err = open(real, func(path string) (cryptoki, error) {
		c, err := load(path)
		w.spy = &spy{cryptoki: c}
		return w.spy, err
	})
	w.must(err)
	m := w.module
	w.Cleanup(func() {
		if err := m.Close(); !fault.Has(err, ErrClosed) { // some tests close it themselves
			w.must(err)
		}
	})
}

func source(pin string) PINSource {
	return func(context.Context) ([]byte, error) { return []byte(pin), nil }
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) want(err error, spec fault.Spec) {
	w.Helper()
	if !fault.Has(err, spec) {
		w.Errorf("%v, not %s", err, spec.Code)
	}
}

func (w *world) activate() *Token {
	w.Helper()
	token, err := Activate(context.Background(), w.module, w.config)
	w.must(err)
	w.Cleanup(func() { w.must(token.Close()) })
	return token
}

func (w *world) generate(t *Token, id string) *Key {
	w.Helper()
	k, err := t.Generate(context.Background(), NewKey{Algorithm: SM2, ID: []byte(id), Label: id})
	w.must(err)
	return k
}

func digest(k *Key, message string) []byte {
	z, err := sm2.CalculateZA(k.Public().(*ecdsa.PublicKey), []byte(oid.SM2UserID))
	if err != nil {
		panic(err)
	}
	h := sm3.New()
	h.Write(z)
	h.Write([]byte(message))
	return h.Sum(nil)
}

// good reports whether a signature is good for two implementations that did not make it.
func good(public *ecdsa.PublicKey, message string, signature []byte) bool {
	//lint:ignore SA1019 the other library takes coordinates
	other := tjfoc.PublicKey{Curve: tjfoc.P256Sm2(), X: public.X, Y: public.Y}
	return sm2.VerifyASN1WithSM2(public, []byte(oid.SM2UserID), []byte(message), signature) && other.Verify([]byte(message), signature)
}

func (w *world) signs(k *Key) {
	w.Helper()
	signature, err := k.SignDigest(context.Background(), digest(k, "档案"))
	w.must(err)
	if !good(k.Public().(*ecdsa.PublicKey), "档案", signature) {
		w.Error("the signature is not good")
	}
}
