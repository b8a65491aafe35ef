package backend

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/csr"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
)

// house is an installation: an authority with two officers.
type house struct {
	t         testing.TB
	db        *store.DB
	access    *access.Service
	ledger    *ledger.Ledger
	authority *ca.Authority
	root      *chain.Certificate

	registrar, approver, operator, outside access.Actor
}

// world is our house, and others.
type world struct {
	*house
	licensed *house // a licensed authority, whose anchor is imported
	stranger *house // one whose anchor is not

	lock sync.Mutex
	now  time.Time
}

func (w *world) time() time.Time {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.now = w.now.Add(d)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t testing.TB, what string, err error, spec fault.Spec) {
	t.Helper()
	if !fault.Has(err, spec) {
		t.Errorf("%s: error %v, want %s", what, err, spec.Code)
	}
}

func found(t testing.TB, db *store.DB, clock func() time.Time, name string) *house {
	ctx := context.Background()
	h := &house{t: t, db: db}
	storetest.Migrate(t, db, ledger.Migrate, access.Migrate, ca.Migrate, Migrate)
	h.ledger = ledger.New(db, nil, clock)
	h.access = access.New(db, h.ledger, clock)
	for _, a := range []struct {
		who  *access.Actor
		id   string
		role access.Role
	}{{&h.registrar, "zhang", access.RoleRegistrar}, {&h.approver, "li", access.RoleApprover}, {&h.operator, "wang", access.RoleOperator},
		{&h.outside, "another-house", access.RoleRequester}} {
		made, err := h.access.CreateActor(ctx, access.Actor{ID: a.id, Name: a.id, Roles: []access.Role{a.role}})
		must(t, err)
		*a.who = made
	}
	keys, err := keystore.Create(filepath.Join(t.TempDir(), "keys"), keystore.Options{Passphrase: []byte("test"), Iterations: 1})
	must(t, err)
	made, err := ca.Establish(ctx, ca.Ceremony{DB: db, Ledger: h.ledger, Clock: clock, Root: keys.Ring(keystore.PurposeRoot),
		Keys:     keys.Ring(keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeSealMaker, keystore.PurposeTSA),
		Officers: [2]string{"zhang", "li"}, Organisation: name, BaseURL: "http://pki.example.cn"})
	must(t, err)
	h.root = made.Root
	h.authority, err = ca.Open(ctx, ca.Config{DB: db, Ledger: h.ledger, Clock: clock, Keys: keys.Ring(keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeTSA)})
	must(t, err)
	return h
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC)}
	w.house = found(t, db, w.time, "某某省档案馆")
	dir := t.TempDir()
	w.licensed = found(t, storetest.Open(t, filepath.Join(dir, "licensed.db")), w.time, "持证机构")
	return w
}

// andStranger founds the third house.
func (w *world) andStranger() *house {
	if w.stranger == nil {
		w.stranger = found(w.t, storetest.Open(w.t, filepath.Join(w.t.TempDir(), "stranger.db")), w.time, "陌生机构")
	}
	return w.stranger
}

func eachWorld(t *testing.T, fn func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, newWorld(t, db)) })
}

func sqliteWorld(t testing.TB) *world {
	return newWorld(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")))
}

func (w *world) config() Config {
	return Config{DB: w.db, Ledger: w.ledger, Access: w.access, Authority: w.authority, Clock: w.time,
		Status: func() chain.RevocationSource { return w.licensed.authority },
		Pause:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

// trust writes an anchor, and certificates under it, into a file.
func trust(t testing.TB, list ...*chain.Certificate) string {
	name := filepath.Join(t.TempDir(), "trust.pem")
	must(t, os.WriteFile(name, inPEM(list...), 0o600))
	return name
}

const fileName = "吉林CA"

func (w *world) file(t testing.TB) *File {
	t.Helper()
	all, err := Open(t.Context(), w.config(), []Setting{{Name: fileName, Kind: KindFile, Trust: trust(t, w.licensed.root)}})
	must(t, err)
	f, err := all.File(fileName)
	must(t, err)
	return f
}

// device signs as a USB Key does.
type device struct{ *sm2.PrivateKey }

func (d device) Public() *ecdsa.PublicKey { return &d.PublicKey }

func (d device) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return sm2.SignASN1(rand.Reader, d.PrivateKey, e[:], nil)
}

const (
	testUnit     = "某某市档案馆"
	testCode     = "12220000412345670E"
	testSealCode = "22000012345678"
)

// order is an approved order for a new key.
func (w *world) order(t testing.TB, change ...func(r *ca.Request)) Order {
	t.Helper()
	key, err := sm2.GenerateKey(rand.Reader)
	must(t, err)
	r := ca.Request{Profile: ca.ProfileInstitution, Public: &key.PublicKey, Organisation: testUnit, CreditCode: testCode, SealCode: testSealCode}
	for _, f := range change {
		f(&r)
	}
	request, err := csr.Create(t.Context(), device{key}, csr.Template{})
	must(t, err)
	return Order{Approval: w.approve(t, access.KindIssueCertificate, r.Subject()), Request: r, CSR: request}
}

func person(r *ca.Request) {
	*r = ca.Request{Profile: ca.ProfilePersonal, Public: r.Public, Organisation: testUnit, CommonName: "王五"}
}

// approve takes a subject through two people of a house.
func (h *house) approve(t testing.TB, k access.Kind, subject []byte) string {
	t.Helper()
	id, err := h.access.Request(context.Background(), h.registrar, k, subject)
	must(t, err)
	must(t, h.access.Approve(context.Background(), h.approver, id))
	return id
}

// certify is what an authority does with an order that came in a file, its officers' slips included.
func (h *house) certify(t testing.TB, o Order, change ...func(r *ca.Request)) *chain.Certificate {
	t.Helper()
	r := o.Request
	for _, f := range change {
		f(&r)
	}
	c, err := h.authority.Issue(context.Background(), h.approve(t, access.KindIssueCertificate, r.Subject()), r)
	must(t, err)
	return c
}

func (h *house) count(t testing.TB, query string, args ...any) int {
	t.Helper()
	var n int
	must(t, h.db.Read().QueryRowContext(context.Background(), query, args...).Scan(&n))
	return n
}

func (h *house) exec(query string, args ...any) error {
	return h.db.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(context.Background(), query, args...)
		return err
	})
}

func fields(list []Difference) string {
	text := ""
	for _, d := range list {
		text += d.Field + " "
	}
	return text
}

// escort is a companion that remembers and, when told to, fails.
type escort struct {
	fail  string
	steps string
}

func (e *escort) step(name string) error {
	e.steps += name + " "
	if e.fail == name {
		return fmt.Errorf("the %s step failed", name)
	}
	return nil
}

func (e *escort) Intend(context.Context, *store.Tx) error            { return e.step("intend") }
func (e *escort) Make(_ context.Context, _ *chain.Certificate) error { return e.step("make") }
func (e *escort) Complete(context.Context, *store.Tx, *chain.Certificate) error {
	return e.step("complete")
}
