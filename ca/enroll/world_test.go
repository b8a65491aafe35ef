package enroll

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"yinxin/ca/enroll/form"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/files"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
)

// world is registration on fresh tables, with people and units, and a clock that the test moves.
type world struct {
	*Service
	t       testing.TB
	db      *store.DB
	ring    *keystore.Ring
	folder  string // of scans
	keysDir string // of the keystore
	lock    sync.Mutex
	now     time.Time
	planner *planner
	stopper *stopper

	registrar, second, approver, both, auditor, admin, operator access.Actor
	city, otherCity                                             access.Actor
	handler                                                     map[string]access.Actor // by unit
	units                                                       map[string]Unit
}

// The units: two of one city, one of another, one that hands in directly.
const (
	unitA      = "unit-a"
	unitB      = "unit-b"
	unitFar    = "unit-far"
	unitDirect = "unit-direct"
	areaOne    = "227100"
	areaTwo    = "227200"
)

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

// planner asks for one certificate per application, and one per person.
type planner struct {
	err     error
	nothing bool
}

func (p *planner) Plan(_ context.Context, _ *store.Tx, d Dossier) ([]access.Part, error) {
	if p.nothing {
		return nil, nil
	}
	parts := []access.Part{{Kind: access.KindIssueCertificate, Subject: fmt.Appendf(nil, "certificate of %s, version %d", d.ID, d.Version)}}
	for _, person := range d.Persons {
		if person.Status == StatusActive {
			parts = append(parts, access.Part{Kind: access.KindGrant, Subject: []byte(person.Holder)})
		}
	}
	return parts, p.err
}

// stopper writes whom it stopped in the caller's transaction, so that a rollback takes it back.
type stopper struct {
	err       error
	access    *access.Service
	withdrawn []User
}

func (s *stopper) SuspendUser(ctx context.Context, tx *store.Tx, _ access.Actor, u User, _ string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO test_stopped (holder) VALUES ($1)`, u.Holder)
	if s.err != nil {
		return s.err
	}
	return err
}

func (s *stopper) PlanDecision(_ context.Context, _ *store.Tx, u User, confirm bool) ([]access.Part, error) {
	return []access.Part{{Kind: access.KindRevokeCertificate, Subject: fmt.Appendf(nil, "%s %t", u.Holder, confirm)}}, nil
}

// Decided carries the one act out.
func (s *stopper) Decided(ctx context.Context, tx *store.Tx, _ access.Actor, u User, request string, confirm bool) error {
	if s.err != nil {
		return s.err
	}
	parts, err := s.access.Parts(ctx, request)
	if err != nil {
		return err
	}
	_, err = s.access.Redeem(ctx, tx, parts[0].ID, access.KindRevokeCertificate, fmt.Appendf(nil, "%s %t", u.Holder, confirm))
	return err
}

func (s *stopper) Withdrawn(_ context.Context, _ *store.Tx, _ access.Actor, u User) error {
	s.withdrawn = append(s.withdrawn, u)
	return nil
}

func eachWorld(t *testing.T, fn func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, newWorld(t, db)) })
}

func newWorld(t testing.TB, db *store.DB) *world {
	ctx := context.Background()
	w := &world{t: t, db: db, now: time.Date(2026, 3, 5, 2, 0, 0, 0, time.UTC), planner: &planner{}, stopper: &stopper{},
		handler: map[string]access.Actor{}, units: map[string]Unit{}, folder: filepath.Join(t.TempDir(), "files")}
	storetest.Migrate(t, db, ledger.Migrate, access.Migrate, Migrate)
	w.must(db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE test_stopped (holder TEXT NOT NULL)`)
		return err
	}))
	w.keysDir = filepath.Join(t.TempDir(), "keys")
	keys, err := keystore.Create(w.keysDir, keystore.Options{Passphrase: []byte("test"), Iterations: 1})
	w.must(err)
	w.ring = keys.Ring(keystore.PurposePersonalData)
	safe, err := w.ring.CreateSafe(ctx, SafeName, keystore.PurposePersonalData)
	w.must(err)
	folder, err := files.OpenFolder(w.folder)
	w.must(err)
	l := ledger.New(db, nil, w.time)
	w.stopper.access = access.New(db, l, w.time)
	w.Service = New(Config{Regions: fixtures.Regions(), DB: db, Ledger: l, Access: w.stopper.access, Safe: safe, Files: folder, Planner: w.planner,
		Suspender: w.stopper, Clock: w.time})
	w.populate(ctx)
	return w
}

func (w *world) populate(ctx context.Context) {
	create := func(id string, roles ...access.Role) access.Actor {
		a, err := w.Access.CreateActor(ctx, access.Actor{ID: id, Name: "用户" + id, Organisation: "临江省档案局", Roles: roles})
		w.must(err)
		return a
	}
	w.registrar, w.second = create("registrar", access.RoleRegistrar), create("second", access.RoleRegistrar)
	w.approver, w.both = create("approver", access.RoleApprover), create("both", access.RoleApprover, access.RoleRegistrar)
	w.auditor, w.admin = create("auditor", access.RoleAuditor), create("admin", access.RoleAdministrator)
	w.operator = create("operator", access.RoleOperator)
	w.city, w.otherCity = create("city", access.RoleCity), create("other-city", access.RoleCity)
	w.must(w.SetAreas(ctx, w.admin, []Area{{areaOne, "云山市"}, {areaTwo, "青岚市"}}))
	for i, id := range []string{unitA, unitB, unitFar, unitDirect} {
		o := fixtures.Organisations(7, 8)[i]
		u := Unit{ID: id, Name: o.Name, CreditCode: o.CreditCode, Area: areaOne, Direct: id == unitDirect, Expected: true}
		if id == unitFar {
			u.Area = areaTwo
		}
		w.units[id] = u
		_, err := w.SetUnits(ctx, w.registrar, []Unit{u})
		w.must(err)
		w.handler[id] = create("handler-"+id, access.RoleApplicant)
		w.must(w.AssignUnit(ctx, w.registrar, "handler-"+id, id))
	}
	w.must(w.AssignArea(ctx, w.registrar, "city", areaOne))
	w.must(w.AssignArea(ctx, w.registrar, "other-city", areaTwo))
	_, err := w.PublishAgreement(ctx, w.registrar, "2026-01", "协议全文")
	w.must(err)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// with takes the application out of an answer that must not be an error.
func (w *world) with(a Application, err error) Application {
	w.t.Helper()
	w.must(err)
	return a
}

func wantCode(t testing.TB, err error, spec fault.Spec) {
	t.Helper()
	if !fault.Has(err, spec) {
		t.Errorf("error %v, want %s", err, spec.Code)
	}
}

// The numbers of people that must not be seen anywhere.
var (
	handlerPerson = fixtures.MakePerson(rand.New(rand.NewPCG(1, 1)))
	userPerson    = fixtures.MakePerson(rand.New(rand.NewPCG(1, 2)))
	otherPerson   = fixtures.MakePerson(rand.New(rand.NewPCG(1, 3)))
)

// filled is a form without fault.
func (w *world) filled(unit string) form.Application {
	u := w.units[unit]
	return form.Application{SealType: form.SealOfficial, Businesses: []form.Business{form.New}, Scopes: []form.Scope{form.Internet},
		Methods:  []form.Method{form.Central},
		Unit:     form.Unit{Name: u.Name, Type: form.UnitInstitution, CreditCode: u.CreditCode, Phone: "0499-2345678", Address: "临江省云山市兰台街1号"},
		Approver: "临江省档案局", Purpose: "出具档案证明", Handler: form.Handler{Name: handlerPerson.Name, Email: "u@archive.example", Address: "兰台街1号"},
		AppliedOn: civil.Day(w.time()), Seal: form.Seal{Name: u.Name, Size: form.Round(42)},
		Personal: form.Personal{HandlerIdentity: handlerPerson.IdentityNumber, HandlerMobile: handlerPerson.Mobile}}
}

// person is a row of the roster of an application.
func (w *world) person(unit string, row int, p fixtures.Person, status Status) Person {
	u := w.units[unit]
	return Person{Row: row, Name: p.Name, Unit: u.Name, Sex: p.Sex, IDType: "111", Post: p.Duty, Status: status, Use: "全省档案信息资源共享平台",
		SealName: u.Name, Identity: p.IdentityNumber, Mobile: p.Mobile}
}

// The scans: pictures whose bytes hold a mark that must not be seen anywhere.
var (
	scanPNG   = scanOf("form")
	scanJPEG  = scanOf("card")
	scanOther = scanOf("code")
)

// scanOf is a small PNG with a text chunk.
func scanOf(what string) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		panic(err)
	}
	text := []byte("tEXtComment\x00nobody may see this " + what)
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(text)-4))
	chunk = binary.BigEndian.AppendUint32(append(chunk, text...), crc32.ChecksumIEEE(text))
	head := 8 + 25 // signature and IHDR
	return slices.Concat(b.Bytes()[:head], chunk, b.Bytes()[head:])
}

// draft is an application with everything that it needs.
func (w *world) draft(unit string) Application {
	w.t.Helper()
	ctx, by := context.Background(), w.handler[unit]
	a := w.with(w.Create(ctx, by, unit, w.filled(unit)))
	a = w.with(w.AcceptAgreement(ctx, by, a.Ref(), "2026-01"))
	for _, scan := range []struct {
		kind    AttachmentKind
		content []byte
	}{{AttachForm, scanPNG}, {AttachCredit, scanJPEG}, {AttachIdentity, scanOther}} {
		a = w.with(w.AddAttachment(ctx, by, a.Ref(), Scan{Kind: scan.kind, Content: scan.content}))
	}
	return a
}

// submitted and the rest carry a direct unit's application on.
func (w *world) submitted() Application {
	w.t.Helper()
	return w.with(w.Submit(context.Background(), w.handler[unitDirect], w.draft(unitDirect).Ref()))
}

func (w *world) received() Application {
	w.t.Helper()
	return w.with(w.Receive(context.Background(), w.registrar, w.submitted().Ref()))
}

func (w *world) original() Application {
	w.t.Helper()
	return w.with(w.ReceiveOriginal(context.Background(), w.registrar, w.received().Ref(), "2026-03-05", "机要2026-0017"))
}

func (w *world) inked() Application {
	w.t.Helper()
	return w.ink(w.original())
}

func (w *world) ink(a Application) Application {
	w.t.Helper()
	return w.with(w.ConfirmInk(context.Background(), w.registrar, a.Ref(), w.reading(a)))
}

func (w *world) reading(a Application) form.Reading {
	return form.Reading{StampedUnit: a.Form.Unit.Name, ImprintText: a.Form.Seal.Name, Measured: a.Form.Seal.Size, Centre: form.Star}
}

func (w *world) examined() Application {
	w.t.Helper()
	return w.with(w.Examine(context.Background(), w.registrar, w.inked().Ref()))
}

func (w *world) approved() Application {
	w.t.Helper()
	return w.with(w.Approve(context.Background(), w.approver, w.examined().Ref()))
}

// carryOut redeems every part, as the rooms that issue do, and marks the application in the last transaction.
func (w *world) carryOut(a Application) error {
	ctx := context.Background()
	parts, err := w.Access.Parts(ctx, a.Examination)
	if err != nil {
		return err
	}
	return w.db.Write(ctx, func(tx *store.Tx) error {
		for _, part := range parts {
			if _, err := w.Access.Redeem(ctx, tx, part.ID, part.Kind, part.Subject); err != nil {
				return err
			}
		}
		return w.MarkIssued(ctx, tx, a.ID, 0)
	})
}

func (w *world) issued() Application {
	w.t.Helper()
	a := w.approved()
	w.must(w.carryOut(a))
	return w.again(a)
}

func (w *world) again(a Application) Application {
	w.t.Helper()
	return w.with(w.Application(context.Background(), w.registrar, a.ID))
}
