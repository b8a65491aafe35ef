package ca

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"math/big"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
)

// world is an established authority with two officers and a clock that the test moves.
type world struct {
	*Authority
	t        testing.TB
	db       *store.DB
	access   *access.Service
	ledger   *ledger.Ledger
	keys     *keystore.Store
	rootKeys *keystore.Store
	made     *Establishment

	registrar, approver access.Actor

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

func wantCode(t testing.TB, err error, spec fault.Spec) {
	t.Helper()
	if !fault.Has(err, spec) {
		t.Errorf("error %v, want %s", err, spec.Code)
	}
}

const testBase = "http://pki.example.cn:8080/yx"

// found prepares everything that a ceremony needs.
func found(t testing.TB, db *store.DB) (*world, Ceremony) {
	ctx := context.Background()
	w := &world{t: t, db: db, now: time.Date(2026, 3, 5, 8, 0, 0, 123456000, time.UTC)}
	storetest.Migrate(t, db, ledger.Migrate, access.Migrate, Migrate)
	w.ledger = ledger.New(db, nil, w.time)
	w.access = access.New(db, w.ledger, w.time)
	var err error
	w.registrar, err = w.access.CreateActor(ctx, access.Actor{ID: "zhang", Name: "张三", Roles: []access.Role{access.RoleRegistrar}})
	must(t, err)
	w.approver, err = w.access.CreateActor(ctx, access.Actor{ID: "li", Name: "李四", Roles: []access.Role{access.RoleApprover}})
	must(t, err)
	_, err = w.access.CreateActor(ctx, access.Actor{ID: "operator", Name: "王五", Roles: []access.Role{access.RoleOperator}})
	must(t, err)
	options := keystore.Options{Passphrase: []byte("test"), Iterations: 1}
	dir := t.TempDir()
	w.keys, err = keystore.Create(filepath.Join(dir, "keys"), options)
	must(t, err)
	w.rootKeys, err = keystore.Create(filepath.Join(dir, "root"), options)
	must(t, err)
	return w, Ceremony{DB: db, Ledger: w.ledger, Clock: w.time, Root: w.rootKeys.Ring(keystore.PurposeRoot),
		Keys:     w.keys.Ring(keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeSealMaker, keystore.PurposeTSA),
		Officers: [2]string{"zhang", "li"}, Organisation: "某某省档案馆", BaseURL: testBase + "/"}
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	w, c := found(t, db)
	var err error
	w.made, err = Establish(context.Background(), c)
	must(t, err)
	w.Authority = w.open()
	return w
}

func (w *world) config() Config {
	return Config{DB: w.db, Ledger: w.ledger, Keys: w.keys.Ring(keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeTSA), Clock: w.time}
}

func (w *world) open() *Authority {
	w.t.Helper()
	a, err := Open(context.Background(), w.config())
	must(w.t, err)
	return a
}

// first is the issuing CA, of several the first.
func (w *world) first() *issuingCA { return w.issuers[0] }

func eachWorld(t *testing.T, fn func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, newWorld(t, db)) })
}

// sqliteWorld is for tests whose subject is not the database.
func sqliteWorld(t testing.TB) *world {
	return newWorld(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")))
}

func newKey(t testing.TB) *ecdsa.PublicKey {
	t.Helper()
	k, err := sm2.GenerateKey(rand.Reader)
	must(t, err)
	return &k.PublicKey
}

const (
	testName     = "某某市档案馆"
	testCode     = "12220000412345670E"
	testSealCode = "22000012345678"
)

func institution(t testing.TB) Request {
	return Request{Profile: ProfileInstitution, Public: newKey(t), Organisation: testName, CreditCode: testCode, SealCode: testSealCode}
}

// approve takes a subject through two people.
func (w *world) approve(t testing.TB, k access.Kind, subject []byte) string {
	t.Helper()
	id, err := w.access.Request(context.Background(), w.registrar, k, subject)
	must(t, err)
	must(t, w.access.Approve(context.Background(), w.approver, id))
	return id
}

func (w *world) issue(t testing.TB, r Request) *chain.Certificate {
	t.Helper()
	c, err := w.Issue(context.Background(), w.approve(t, access.KindIssueCertificate, r.Subject()), r)
	must(t, err)
	return c
}

func (w *world) revoke(t testing.TB, serial *big.Int, reason Reason) {
	t.Helper()
	must(t, w.Revoke(context.Background(), w.approve(t, access.KindRevokeCertificate, RevokeSubject(serial, reason)), serial, reason))
}

func (w *world) suspend(t testing.TB, serial *big.Int) {
	t.Helper()
	must(t, w.Suspend(context.Background(), w.approve(t, access.KindSuspendCertificate, SuspendSubject(serial)), serial))
}

func (w *world) crl(t testing.TB) *chain.CRL {
	t.Helper()
	der, err := w.CRL(context.Background(), FirstIssuer)
	must(t, err)
	crl, err := chain.ParseCRL(der)
	must(t, err)
	return crl
}

// exec changes the database behind the authority's back.
func (w *world) exec(query string, args ...any) error {
	return w.db.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(context.Background(), query, args...)
		return err
	})
}

func (w *world) count(t testing.TB, query string, args ...any) int {
	t.Helper()
	var n int
	must(t, w.db.Read().QueryRowContext(context.Background(), query, args...).Scan(&n))
	return n
}
