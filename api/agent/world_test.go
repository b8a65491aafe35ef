//go:build cgo && !windows

package agent

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/fixtures"
	"yinxin/hsm"
	"yinxin/hsm/tokentest"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/files"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
	"yinxin/sealer/verify"
)

const (
	code  = "29010000000017"
	label = "clerk"
)

// world is an installation with a clerk whose seal is on a soft token, as certificate, seal and key.
type world struct {
	t         testing.TB
	db        *store.DB
	now       *manual
	ledger    *ledger.Ledger
	access    *access.Service
	authority *ca.Authority
	register  *register.Register
	sealer    *sealer.Service
	chain     *chain.Verifier
	people    [2]access.Actor
	clerk     access.Actor

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
	ctx := t.Context()
	w := &world{t: t, now: &manual{at: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}}
	w.db = storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db"))
	clock := w.now.read
	for _, migrate := range []func(context.Context, *store.DB) error{ledger.Migrate, access.Migrate, ca.Migrate, register.Migrate, sealer.Migrate} {
		w.must(migrate(ctx, w.db))
	}
	keys, err := keystore.Create(filepath.Join(t.TempDir(), "keys"), keystore.Options{Passphrase: []byte("only a test"), Iterations: 1000})
	w.must(err)
	ring := keys.Ring(keystore.PurposeRoot, keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeSealMaker, keystore.PurposeTSA,
		keystore.PurposeLedger, keystore.PurposeSealing)
	ledgerKey, err := ring.Generate(ctx, "ledger", keystore.PurposeLedger)
	w.must(err)
	w.ledger = ledger.New(w.db, ledgerKey, clock)
	w.access = access.New(w.db, w.ledger, clock)
	archive := fixtures.Archive("云山市")
	actor := func(id, organisation string, roles ...access.Role) access.Actor {
		a, err := w.access.CreateActor(ctx, access.Actor{ID: id, Name: id, Organisation: organisation, Roles: roles})
		w.must(err)
		return a
	}
	w.people = [2]access.Actor{actor("registrar", "省局", access.RoleRegistrar), actor("approver", "省局", access.RoleApprover)}
	w.clerk = actor("clerk", archive.Name, access.RoleOperator)
	made, err := ca.Establish(ctx, ca.Ceremony{DB: w.db, Ledger: w.ledger, Clock: clock, Root: ring, Keys: ring,
		Officers: [2]string{"registrar", "approver"}, Organisation: "临江省档案局", BaseURL: "http://127.0.0.1:1"})
	w.must(err)
	w.authority, err = ca.Open(ctx, ca.Config{DB: w.db, Ledger: w.ledger, Keys: ring, Clock: clock})
	w.must(err)
	maker, err := ring.Get(ctx, ca.KeySealMaker)
	w.must(err)
	w.register = register.New(register.Config{DB: w.db, Ledger: w.ledger, Access: w.access, Clock: clock,
		Certificates: func(ctx context.Context, c *chain.Certificate, at time.Time) (chain.Status, error) {
			return w.authority.Status(ctx, c, w.authority.IssuerOf(c), at)
		},
		Maker: register.Maker{Certificate: made.SealMaker.Raw, Key: maker, VendorID: "yinxin"}})
	anchors, err := w.authority.Anchors(ctx)
	w.must(err)
	w.chain = &chain.Verifier{Anchors: anchors, Revocation: w.authority}
	blobs, err := files.OpenFolder(filepath.Join(t.TempDir(), "files"))
	w.must(err)
	w.sealer = sealer.New(sealer.Config{DB: w.db, Files: blobs, Ledger: w.ledger, Register: w.register, Keys: ring, Clock: clock, Chain: w.chain, MaxSize: 8 << 20,
		TimeStamps: w.authority, Evidence: w.authority})
	w.device = Device{Module: module, Profile: "sansec"}
	w.tokens = tokentest.NewFolder(t)
	w.tokens.Ready(t, 0, label)
	w.instance = w.keyUser()
	g := register.Grant{SealCode: code, Actor: w.clerk.ID, From: w.now.read(), Until: w.now.read().AddDate(2, 0, 0)}
	_, err = w.register.Allow(ctx, w.agree(access.KindGrant, g.Subject()), g)
	w.must(err)
	return w
}

func (w *world) agree(kind access.Kind, subject []byte) string {
	w.t.Helper()
	id, err := w.access.Request(w.t.Context(), w.people[0], kind, subject)
	w.must(err)
	w.must(w.access.Approve(w.t.Context(), w.people[1], id))
	return id
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
		w.must(token.StoreData(ctx, hsm.Data{Application: Application, Label: sealPrefix + code, Value: in.Seal}, false))
	})
	return in
}

// make has the certificate issued and the seal made.
func (w *world) make(public *ecdsa.PublicKey) register.Instance {
	w.t.Helper()
	archive := fixtures.Archive("云山市")
	r := ca.Request{Profile: ca.ProfileInstitution, Public: public, Organisation: archive.Name, CreditCode: archive.CreditCode, SealCode: code}
	certificate, err := w.authority.Issue(w.t.Context(), w.agree(access.KindIssueCertificate, r.Subject()), r)
	w.must(err)
	o := register.Order{Code: code, Name: archive.Name, Organisation: archive.Name, CreditCode: archive.CreditCode, Type: 1, Width: 42, Height: 42,
		Template: redDisc(w.t), Picture: redDisc(w.t), Custody: register.UserKey, Holder: w.clerk.ID, Certificate: certificate.Raw}
	in, err := w.register.Make(w.t.Context(), w.agree(access.KindMakeSeal, o.Subject()), o)
	w.must(err)
	return in
}

// redDisc is a picture: what matters here is that it is a picture.
func redDisc(t testing.TB) []byte {
	t.Helper()
	img := image.NewPaletted(image.Rect(0, 0, 100, 100), color.Palette{color.Transparent, color.RGBA{200, 0, 0, 255}})
	for y := range 100 {
		for x := range 100 {
			if (x-50)*(x-50)+(y-50)*(y-50) < 2500 {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
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
		verify.Options{Chain: w.chain, At: w.now.read(), SealStatus: sealer.SealStatus(w.register)}).Verdict
}

// clerk is a desk whose answers a test chooses; the zero value agrees to everything and knows the PIN.
type clerk struct {
	sync.Mutex
	pins    []string // given one after the other; then the right one
	refuse  bool     // declines
	retry   func(error) bool
	onAgree func(Question)
	onPIN   func(PINQuestion)

	asked    []Question
	askedPIN []PINQuestion
	told     []string // codes
	progress []Progress
}

var _ Desk = (*clerk)(nil)

func (c *clerk) Agree(_ context.Context, q Question) (bool, error) {
	c.Lock()
	c.asked = append(c.asked, q)
	c.Unlock()
	if c.onAgree != nil {
		c.onAgree(q)
	}
	return !c.refuse, nil
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
