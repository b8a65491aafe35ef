//go:build cgo && !windows

package agent

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca"
	"yinxin/fixtures"
	"yinxin/hsm"
	"yinxin/hsm/tokentest"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/login"
	"yinxin/internal/store/storetest"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
	"yinxin/sealer/sealertest"
	"yinxin/sealer/terminal"
	"yinxin/sealer/verify"
)

const (
	code  = sealertest.Code
	label = "clerk"
)

// world is an installation with a clerk whose seal is on a soft token, as certificate, seal and key.
type world struct {
	*sealertest.World
	t        testing.TB
	now      *manual
	tokens   tokentest.Folder
	device   Device
	instance register.Instance
}

// manual is a clock that stands still until it is moved.
type manual struct {
	sync.Mutex
	at time.Time
}

func (m *manual) read() time.Time {
	m.Lock()
	defer m.Unlock()
	return m.at
}

func (m *manual) move(d time.Duration) {
	m.Lock()
	defer m.Unlock()
	m.at = m.at.Add(d)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func wants(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != want {
		t.Fatalf("%v, want %s", err, want)
	}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	module := tokentest.Module(t) // skips before anything is made
	w := &world{t: t, now: &manual{at: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}}
	w.World = sealertest.New(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")), w.now.read, terminal.Migrate, login.Migrate)
	w.device = Device{Module: module, Profile: "sansec"}
	w.tokens = tokentest.NewFolder(t)
	w.tokens.Ready(t, 0, label)
	w.instance = w.keyUser()
	return w
}

// token logs in to the soft token for a moment.
func (w *world) token(use func(*hsm.Token)) {
	w.t.Helper()
	u, err := w.device.unlock(w.t.Context(), &clerk{}, PINQuestion{}, w.now.read)
	w.must(err)
	defer u.close()
	use(u.token)
}

// keyUser brings key, certificate and seal onto the token, as yinxin token import does.
func (w *world) keyUser() register.Instance {
	w.t.Helper()
	ctx := w.t.Context()
	var in register.Instance
	w.token(func(token *hsm.Token) {
		key, err := token.Generate(ctx, hsm.NewKey{Algorithm: hsm.SM2, Label: "seal"})
		w.must(err)
		in = w.make(key.Public().(*ecdsa.PublicKey))
		w.must(token.StoreCertificate(ctx, hsm.Certificate{ID: key.Info().ID, Label: "seal", DER: in.Certificate}))
		w.must(token.StoreData(ctx, hsm.Data{Application: Application, Label: SealPrefix + code, Value: in.Seal}, false))
	})
	return in
}

// make has the certificate issued and the seal made.
func (w *world) make(public *ecdsa.PublicKey) register.Instance {
	w.t.Helper()
	archive := fixtures.Archive(sealertest.Town)
	r := ca.Request{Profile: ca.ProfileInstitution, Public: public, Organisation: archive.Name, CreditCode: archive.CreditCode, SealCode: code}
	certificate, err := w.Authority.Issue(w.t.Context(), w.Agree(access.KindIssueCertificate, r.Subject()), r)
	w.must(err)
	o := register.Order{Code: code, Name: archive.Name, Organisation: archive.Name, CreditCode: archive.CreditCode, Type: 1, Width: 42, Height: 42,
		Template: sealertest.Picture(w.t), Picture: sealertest.Picture(w.t), Custody: register.UserKey, Holder: w.Clerk.ID, Certificate: certificate.Raw}
	in, err := w.Register.Make(w.t.Context(), w.Agree(access.KindMakeSeal, o.Subject()), o)
	w.must(err)
	return in
}

func original(t testing.TB, seed uint64) []byte {
	t.Helper()
	b, err := fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: seed, Pages: 2})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func places() []sealer.Place {
	return []sealer.Place{{Placement: pdf.Placement{Page: 1, X: 20, Y: 20}}}
}

func (w *world) verdict(b []byte) verify.Verdict {
	return verify.File(w.t.Context(), "test.pdf", bytes.NewReader(b), int64(len(b)),
		verify.Options{Chain: w.Sealer.Chain, At: w.now.read(), SealStatus: sealer.SealStatus(w.Register)}).Verdict
}

// clerk is a desk whose answers a test chooses; the zero value agrees to everything and knows the PIN.
type clerk struct {
	sync.Mutex
	later   bool     // puts it off
	pins    []string // given one after the other; then the right one
	answer  Answer   // Later counts as Yes
	retry   func(error) bool
	onAgree func(Question)
	onPIN   func(PINQuestion)

	asked    []Question
	logins   []LoginQuestion
	askedPIN []PINQuestion
	told     []string // codes
	progress []Progress
}

var _ Desk = (*clerk)(nil)

func (c *clerk) Agree(_ context.Context, q Question) (Answer, error) {
	c.Lock()
	c.asked = append(c.asked, q)
	c.Unlock()
	if c.onAgree != nil {
		c.onAgree(q)
	}
	if c.later {
		return Later, nil
	}
	return cmp.Or(c.answer, Yes), nil
}

func (c *clerk) AgreeLogin(_ context.Context, q LoginQuestion) (Answer, error) {
	c.Lock()
	defer c.Unlock()
	c.logins = append(c.logins, q)
	if c.later {
		return Later, nil
	}
	return cmp.Or(c.answer, Yes), nil
}

func (c *clerk) PIN(_ context.Context, q PINQuestion) ([]byte, error) {
	c.Lock()
	c.askedPIN = append(c.askedPIN, q)
	pin := tokentest.UserPIN
	if len(c.pins) > 0 {
		pin, c.pins = c.pins[0], c.pins[1:]
	}
	c.Unlock()
	if c.onPIN != nil {
		c.onPIN(q)
	}
	if pin == "" {
		return nil, ErrDeclined.New()
	}
	return []byte(pin), nil
}

func (c *clerk) Retry(_ context.Context, err error) (bool, error) {
	c.Lock()
	c.told = append(c.told, fault.CodeOf(err))
	c.Unlock()
	return c.retry != nil && c.retry(err), nil
}

func (c *clerk) Tell(_ context.Context, err error) {
	c.Lock()
	defer c.Unlock()
	c.told = append(c.told, fault.CodeOf(err))
}

func (c *clerk) Progress(_ context.Context, p Progress) {
	c.Lock()
	defer c.Unlock()
	c.progress = append(c.progress, p)
}

// otherKey is a key that is on no token.
func (w *world) otherKey() *sm2.PrivateKey {
	w.t.Helper()
	key, err := newKey()
	w.must(err)
	return key
}
