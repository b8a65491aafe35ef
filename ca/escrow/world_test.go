package escrow_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/escrow"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
)

// world is an authority and a key centre over one database, with people and a clock that the test moves.
type world struct {
	*escrow.Centre
	t         testing.TB
	db        *store.DB
	access    *access.Service
	ledger    *ledger.Ledger
	authority *ca.Authority
	keys      *keystore.Store
	shares    []escrow.Handout // in force

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

func must(t interface {
	Helper()
	Fatal(args ...any)
}, err error) {
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

var officers = []string{"qian", "sun", "zhou"}

// newWorld establishes the authority; the key centre is left to the test.
func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, db: db, now: time.Date(2026, 3, 5, 8, 0, 0, 123456000, time.UTC)}
	storetest.Migrate(t, db, ledger.Migrate, access.Migrate, ca.Migrate, escrow.Migrate)
	w.ledger = ledger.New(db, nil, w.time)
	w.access = access.New(db, w.ledger, w.time)
	var err error
	w.registrar, err = w.access.CreateActor(ctx, access.Actor{ID: "zhang", Name: "张三", Roles: []access.Role{access.RoleRegistrar}})
	must(t, err)
	w.approver, err = w.access.CreateActor(ctx, access.Actor{ID: "li", Name: "李四", Roles: []access.Role{access.RoleApprover}})
	must(t, err)
	for _, id := range append(officers, "wu", "zheng") {
		_, err := w.access.CreateActor(ctx, access.Actor{ID: id, Name: id})
		must(t, err)
	}
	dir := t.TempDir()
	options := keystore.Options{Passphrase: []byte("test"), Iterations: 1}
	w.keys, err = keystore.Create(filepath.Join(dir, "keys"), options)
	must(t, err)
	root, err := keystore.Create(filepath.Join(dir, "root"), options)
	must(t, err)
	purposes := []keystore.Purpose{keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeSealMaker, keystore.PurposeTSA}
	_, err = ca.Establish(ctx, ca.Ceremony{DB: db, Ledger: w.ledger, Clock: w.time, Root: root.Ring(keystore.PurposeRoot), Keys: w.keys.Ring(purposes...),
		Officers: [2]string{"zhang", "li"}, Organisation: "某某省档案馆", BaseURL: "http://pki.example.cn/yx"})
	must(t, err)
	w.authority, err = ca.Open(ctx, ca.Config{DB: db, Ledger: w.ledger, Keys: w.keys.Ring(purposes...), Clock: w.time})
	must(t, err)
	w.Centre = w.open()
	return w
}

// open gives the key centre as another process would see it.
func (w *world) open() *escrow.Centre {
	return escrow.New(escrow.Config{DB: w.db, Ledger: w.ledger, Access: w.access, Clock: w.time, Standing: func(ctx context.Context, c *chain.Certificate) error {
		r, err := w.authority.Certificate(ctx, c.Serial)
		if err == nil && r.State != ca.RecordGood {
			err = ca.ErrRevoked.New()
		}
		return err
	}})
}

func eachWorld(t *testing.T, fn func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, newWorld(t, db)) })
}

// sqliteWorld is for tests whose subject is not the database.
func sqliteWorld(t testing.TB) *world {
	return newWorld(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")))
}

// established puts a recovery key in force of which two of three officers have to come.
func (w *world) established() *world {
	w.t.Helper()
	handouts, err := w.Establish(context.Background(), [2]string{"zhang", "li"}, escrow.Division{Threshold: 2, Officers: officers})
	must(w.t, err)
	w.activate(handouts)
	return w
}

func (w *world) activate(handouts []escrow.Handout) {
	w.t.Helper()
	must(w.t, w.Activate(context.Background(), w.registrar, sharesOf(handouts)...))
	w.shares = handouts
}

func sharesOf(handouts []escrow.Handout) []keystore.Share {
	list := make([]keystore.Share, len(handouts))
	for i, h := range handouts {
		list[i] = h.Share
	}
	return list
}

// approve takes a subject through two people.
func (w *world) approve(k access.Kind, subject []byte) string {
	w.t.Helper()
	id, err := w.access.Request(context.Background(), w.registrar, k, subject)
	must(w.t, err)
	must(w.t, w.access.Approve(context.Background(), w.approver, id))
	return id
}

func newKey(t testing.TB) *sm2.PrivateKey {
	t.Helper()
	k, err := sm2.GenerateKey(rand.Reader)
	must(t, err)
	return k
}

// person is a holder with a software key in place of a USB Key.
type person struct {
	token      *sm2.PrivateKey
	signing    *chain.Certificate
	id         string // of the key in escrow
	encryption *chain.Certificate
}

func (w *world) signer(name string) person {
	w.t.Helper()
	p := person{token: newKey(w.t)}
	r := ca.Request{Profile: ca.ProfilePersonal, Public: &p.token.PublicKey, Organisation: "某某市档案馆", CommonName: name}
	var err error
	p.signing, err = w.authority.Issue(context.Background(), w.approve(access.KindIssueCertificate, r.Subject()), r)
	must(w.t, err)
	return p
}

// request is that of an encryption certificate; its key is made after the approval.
func request(name string, public *ecdsa.PublicKey) ca.Request {
	return ca.Request{Profile: ca.ProfileEncryption, Public: public, Organisation: "某某市档案馆", CommonName: name}
}

// issue makes a person with both certificates.
func (w *world) issue(name string) person {
	w.t.Helper()
	p := w.signer(name)
	pair, err := w.Make(context.Background(), escrow.Holder{ID: "user-" + name, Signing: p.signing})
	must(w.t, err)
	defer pair.Close()
	approval := w.approve(access.KindIssueCertificate, request(name, nil).Terms())
	p.encryption, err = w.authority.Issue(context.Background(), approval, request(name, pair.Public()), pair)
	must(w.t, err)
	p.id = pair.ID()
	return p
}

// session opens an approved session.
func (w *world) session(o escrow.Order) escrow.Session {
	w.t.Helper()
	s, err := w.Start(context.Background(), w.registrar, w.approve(o.Kind(), o.Subject()), o)
	must(w.t, err)
	return s
}

func (w *world) present(session string, handouts ...escrow.Handout) {
	w.t.Helper()
	for _, h := range handouts {
		_, err := w.Present(context.Background(), access.Actor{ID: h.Officer}, session, h.Share)
		must(w.t, err)
	}
}

// exec changes the database behind the room's back.
func (w *world) exec(query string, args ...any) error {
	return w.db.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(context.Background(), query, args...)
		return err
	})
}

func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	var n int
	must(w.t, w.db.Read().QueryRowContext(context.Background(), query, args...).Scan(&n))
	return n
}

func (w *world) stateOf(id string) string {
	w.t.Helper()
	var state string
	must(w.t, w.db.Read().QueryRowContext(context.Background(), `SELECT state FROM escrow_key WHERE id = $1`, id).Scan(&state))
	return state
}
