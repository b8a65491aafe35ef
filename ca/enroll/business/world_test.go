package business_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"image"
	"image/png"
	mrand "math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"crypto/ecdsa"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/csr"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/ca/escrow"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/files"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
	"yinxin/sealer/register"
)

// world is the whole of registration over one database: authority, key centre, register of seals, people and a unit, and
// a clock that the test moves.
type world struct {
	*business.Service
	t        *testing.T
	db       *store.DB
	access   *access.Service
	enroll   *enroll.Service
	register *register.Register
	keys     *keystore.Store
	unit     enroll.Unit
	shares   []escrow.Handout // of the recovery key
	letters  int              // that were enqueued

	registrar, approver, handler, platform access.Actor

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

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) want(err error, spec fault.Spec) {
	w.t.Helper()
	if !fault.Has(err, spec) {
		w.t.Errorf("error %v, want %s", err, spec.Code)
	}
}

func eachWorld(t *testing.T, fn func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, newWorld(t, db)) })
}

func sqliteWorld(t *testing.T) *world {
	return newWorld(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")))
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, db: db, now: time.Date(2026, 3, 5, 2, 0, 0, 0, time.UTC)}
	storetest.Migrate(t, db, ledger.Migrate, access.Migrate, ca.Migrate, escrow.Migrate, register.Migrate,
		enroll.Migrate, business.Migrate)
	l := ledger.New(db, nil, w.time)
	w.access = access.New(db, l, w.time)
	create := func(id string, roles ...access.Role) access.Actor {
		a, err := w.access.CreateActor(ctx, access.Actor{ID: id, Name: "用户" + id, Organisation: "临江省档案局", Roles: roles})
		w.must(err)
		return a
	}
	w.registrar, w.approver = create("registrar", access.RoleRegistrar), create("approver", access.RoleApprover)
	w.handler, w.platform = create("handler", access.RoleApplicant), create("platform", access.RolePlatform)

	options := keystore.Options{Passphrase: []byte("test"), Iterations: 1}
	var err error
	w.keys, err = keystore.Create(filepath.Join(t.TempDir(), "keys"), options)
	w.must(err)
	root, err := keystore.Create(filepath.Join(t.TempDir(), "root"), options)
	w.must(err)
	ring := w.keys.Ring(keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeSealMaker, keystore.PurposeTSA)
	made, err := ca.Establish(ctx, ca.Ceremony{DB: db, Ledger: l, Clock: w.time, Root: root.Ring(keystore.PurposeRoot), Keys: ring,
		Officers: [2]string{"registrar", "approver"}, Organisation: "临江省档案局", BaseURL: "http://pki.example.cn/yx"})
	w.must(err)
	authority, err := ca.Open(ctx, ca.Config{DB: db, Ledger: l, Keys: ring, Clock: w.time})
	w.must(err)
	maker, err := ring.Get(ctx, ca.KeySealMaker)
	w.must(err)
	w.register = register.New(register.Config{DB: db, Ledger: l, Access: w.access, Clock: w.time,
		Maker: register.Maker{Certificate: made.SealMaker.Raw, Key: maker, VendorID: "yinxin"}})
	safes := w.keys.Ring(keystore.PurposePersonalData)
	safe, err := safes.CreateSafe(ctx, enroll.SafeName, keystore.PurposePersonalData)
	w.must(err)
	w.Service = business.New(business.Config{DB: db, Ledger: l, Access: w.access, Authority: authority, Seals: w.register.ForBusiness(),
		Keys: business.RingKeys{Ring: w.keys.Ring(keystore.PurposeSealing)}, Escrow: w.centre(l, authority), Safe: safe,
		Clock: w.time, AcceptDays: 5})
	folder, err := files.OpenFolder(filepath.Join(t.TempDir(), "files"))
	w.must(err)
	w.enroll = enroll.New(enroll.Config{Regions: fixtures.Regions(), DB: db, Ledger: l, Access: w.access, Safe: safe, Files: folder, Planner: w.Service, Suspender: w.Service,
		Seals: w.Service, Effects: w.Effects(), Resealers: []enroll.Resealer{w.Service}, Clock: w.time})
	w.Service.Enroll = w.enroll
	w.populate(ctx)
	return w
}

// centre is a key centre whose recovery key is in force.
func (w *world) centre(l *ledger.Ledger, authority *ca.Authority) *escrow.Centre {
	ctx := w.t.Context()
	c := escrow.New(escrow.Config{DB: w.db, Ledger: l, Access: w.access, Clock: w.time, Standing: func(ctx context.Context, c *chain.Certificate) error {
		r, err := authority.Certificate(ctx, c.Serial)
		if err == nil && r.State != ca.RecordGood {
			err = ca.ErrRevoked.New()
		}
		return err
	}})
	for _, id := range []string{"qian", "sun"} {
		_, err := w.access.CreateActor(ctx, access.Actor{ID: id, Name: id})
		w.must(err)
	}
	handouts, err := c.Establish(ctx, [2]string{"registrar", "approver"}, escrow.Division{Officers: []string{"qian", "sun"}, Threshold: 2})
	w.must(err)
	w.shares = handouts
	w.must(c.Activate(ctx, w.registrar, handouts[0].Share, handouts[1].Share))
	return c
}

func (w *world) populate(ctx context.Context) {
	o := fixtures.Organisations(7, 1)[0]
	w.must(w.enroll.SetAreas(ctx, w.registrar, []enroll.Area{{Code: "227100", Name: "云山市"}}))
	w.unit = enroll.Unit{ID: "unit", Name: o.Name, CreditCode: o.CreditCode, Area: "227100", Direct: true, Expected: true}
	_, err := w.enroll.SetUnits(ctx, w.registrar, []enroll.Unit{w.unit})
	w.must(err)
	w.must(w.enroll.AssignUnit(ctx, w.registrar, "handler", "unit"))
	_, err = w.enroll.PublishAgreement(ctx, w.registrar, "2026-01", "协议全文")
	w.must(err)
}

var (
	handlerPerson = fixtures.MakePerson(mrand.New(mrand.NewPCG(1, 1)))
	userPerson    = fixtures.MakePerson(mrand.New(mrand.NewPCG(1, 2)))
	otherPerson   = fixtures.MakePerson(mrand.New(mrand.NewPCG(1, 3)))
)

// filled is a form without fault for a business.
func (w *world) filled(b ...form.Business) form.Application {
	return form.Application{SealType: form.SealOfficial, Businesses: b, Scopes: []form.Scope{form.Internet}, Methods: []form.Method{form.Central},
		Unit:     form.Unit{Name: w.unit.Name, Type: form.UnitInstitution, CreditCode: w.unit.CreditCode, Phone: "0499-2345678", Address: "临江省云山市兰台街1号"},
		Approver: "临江省档案局", Purpose: "出具档案证明", Handler: form.Handler{Name: handlerPerson.Name, Email: "u@archive.example", Address: "兰台街1号"},
		AppliedOn: w.time().Format(time.DateOnly), Seal: form.Seal{Name: w.unit.Name, Size: form.Round(42)},
		Personal: form.Personal{HandlerIdentity: handlerPerson.IdentityNumber, HandlerMobile: handlerPerson.Mobile}}
}

func (w *world) person(row int, p fixtures.Person, status enroll.Status) enroll.Person {
	return enroll.Person{Row: row, Name: p.Name, Unit: w.unit.Name, Sex: p.Sex, IDType: "111", Post: p.Duty, Status: status, Use: "全省档案信息资源共享平台",
		SealName: w.unit.Name, Identity: p.IdentityNumber, Mobile: p.Mobile}
}

// with takes the application out of an answer that must not be an error.
func (w *world) with(a enroll.Application, err error) enroll.Application {
	w.t.Helper()
	w.must(err)
	return a
}

func (w *world) again(a enroll.Application) enroll.Application {
	w.t.Helper()
	return w.with(w.enroll.Application(w.t.Context(), w.registrar, a.ID))
}

// submitted files an application with everything that it needs.
func (w *world) submitted(f form.Application, roster ...enroll.Person) enroll.Application {
	w.t.Helper()
	ctx := w.t.Context()
	a := w.with(w.enroll.Create(ctx, w.handler, "unit", f))
	a = w.with(w.enroll.AcceptAgreement(ctx, w.handler, a.Ref(), "2026-01"))
	for _, kind := range []enroll.AttachmentKind{enroll.AttachForm, enroll.AttachCredit, enroll.AttachIdentity} {
		a = w.with(w.enroll.AddAttachment(ctx, w.handler, a.Ref(), enroll.Scan{Kind: kind, Content: picture(w.t, 8)}))
	}
	if len(roster) > 0 {
		a = w.with(w.enroll.AttachRoster(ctx, w.handler, a.Ref(), w.time().Format(time.DateOnly), roster))
	}
	return w.with(w.enroll.Submit(ctx, w.handler, a.Ref()))
}

// inked carries an application to where it can be examined, with a template of its imprints if it has any.
func (w *world) inked(a enroll.Application) enroll.Application {
	w.t.Helper()
	ctx := w.t.Context()
	a = w.with(w.enroll.Receive(ctx, w.registrar, a.Ref()))
	a = w.with(w.enroll.ReceiveOriginal(ctx, w.registrar, a.Ref(), w.time().Format(time.DateOnly), "机要2026-0017"))
	reading := form.Reading{StampedUnit: a.Form.Unit.Name}
	if a.Form.NeedsImprint() {
		reading.ImprintText, reading.Measured, reading.Centre = a.Form.Seal.Name, a.Form.Seal.Size, form.Star
		_, err := w.SetTemplate(ctx, w.registrar, a.ID, a.Version, business.Template{Width: 42, Height: 42, Template: picture(w.t, 20), Picture: picture(w.t, 10),
			Verdict: "pass", Measures: "{}"})
		w.must(err)
	}
	a = w.with(w.enroll.ConfirmInk(ctx, w.registrar, a.Ref(), reading))
	findings, err := w.enroll.Findings(ctx, w.registrar, a.ID)
	w.must(err)
	for _, f := range findings {
		if f.Severity == form.Confirm {
			a = w.with(w.enroll.Confirm(ctx, w.registrar, a.Ref(), f.Key(), "已与申请单位核实"))
		}
	}
	return a
}

func (w *world) approved(f form.Application, roster ...enroll.Person) enroll.Application {
	w.t.Helper()
	ctx := w.t.Context()
	a := w.with(w.enroll.Examine(ctx, w.registrar, w.inked(w.submitted(f, roster...)).Ref()))
	return w.with(w.enroll.Approve(ctx, w.approver, a.Ref()))
}

// accepted carries an approved application out, but for USB Keys, and has the handler accept it.
func (w *world) accepted(a enroll.Application) enroll.Application {
	w.t.Helper()
	w.must(w.CarryOut(w.t.Context(), w.registrar, a.ID))
	return w.with(w.enroll.Accept(w.t.Context(), w.handler, w.again(a).Ref()))
}

// picture is different each time, as imprints are.
func picture(t *testing.T, width int) []byte {
	t.Helper()
	i := image.NewAlpha(image.Rect(0, 0, width, width))
	_, _ = rand.Read(i.Pix)
	var b bytes.Buffer
	if err := png.Encode(&b, i); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// token is a USB Key in software.
type token struct{ *sm2.PrivateKey }

func newToken(t *testing.T) token {
	t.Helper()
	k, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return token{k}
}

func (k token) Public() *ecdsa.PublicKey { return &k.PrivateKey.PublicKey }

func (k token) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return k.PrivateKey.Sign(rand.Reader, e[:], nil)
}

func (k token) request(t *testing.T) []byte {
	t.Helper()
	der, err := csr.Create(t.Context(), k, csr.Template{})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// actorOf is the actor that a person on a roster became.
func (w *world) actorOf(p fixtures.Person) access.Actor {
	w.t.Helper()
	ctx := w.t.Context()
	holder, err := w.enroll.HolderIn(ctx, w.db.Read(), "unit", p.IdentityNumber)
	w.must(err)
	var id string
	w.must(w.db.Read().QueryRowContext(ctx, `SELECT actor FROM business_user WHERE holder = $1`, holder).Scan(&id))
	a, err := w.access.Actor(ctx, id)
	w.must(err)
	return a
}

// state is what OCSP and verifiers are told of a certificate now.
func (w *world) state(der []byte) ca.Record {
	w.t.Helper()
	c, err := chain.ParseCertificate(der)
	w.must(err)
	r, err := w.Authority.Certificate(w.t.Context(), c.Serial)
	w.must(err)
	return r
}

// code is the code of the only seal.
func (w *world) code() string {
	w.t.Helper()
	var code string
	w.must(w.db.Read().QueryRowContext(w.t.Context(), `SELECT code FROM seal`).Scan(&code))
	return code
}

// usable is the instance with which an actor may seal now; an error's code otherwise.
func (w *world) usable(a access.Actor) (register.Instance, string) {
	w.t.Helper()
	in, err := w.register.AuthoriseSigner(w.t.Context(), a, w.code())
	if err != nil {
		return in, fault.CodeOf(err)
	}
	return in, ""
}
