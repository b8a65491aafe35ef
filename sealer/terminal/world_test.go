package terminal_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/login"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
	"yinxin/sealer/sealertest"
	"yinxin/sealer/terminal"
	"yinxin/sealer/terminal/manifest"
	"yinxin/sealer/verify"
)

const code = sealertest.Code

// world is everything below the API on a fresh database, with a clerk who holds an instance of the seal on a USB Key. That key lies in the
// sealer's keystore, where nobody looks for it.
type world struct {
	*sealertest.World
	t                          testing.TB
	db                         *store.DB
	now                        time.Time
	access                     *access.Service
	authority                  *ca.Authority
	register                   *register.Register
	sealer                     *sealer.Service
	service                    *terminal.Service
	logins                     *login.Service
	registrar, admin           access.Actor
	clerk, colleague, platform access.Actor // of one archive
	elsewhere, foreign         access.Actor // of another: a clerk and a program
	certificate                *chain.Certificate
	usb                        keystore.Key
	keys                       *keystore.Store
	uploads                    uint64 // each is another document
	agent                      string // the User-Agent of every terminal
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != want {
		t.Fatalf("%v, want %s", err, want)
	}
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, newWorld(t, db)) })
}

// alone is each for tests whose subject is not the database.
func alone(t *testing.T, fn func(t *testing.T, w *world)) {
	fn(t, newWorld(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db"))))
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, db: db, now: time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)}
	base := sealertest.New(t, db, func() time.Time { return w.now }, terminal.Migrate, login.Migrate)
	w.World, w.access, w.authority, w.register, w.sealer = base, base.Access, base.Authority, base.Register, base.Sealer
	w.clerk, w.registrar = base.Clerk, base.Registrar
	w.logins = login.New(login.Config{DB: db, Ledger: base.Ledger, Access: w.access, Clock: base.Clock})
	var err error
	w.keys, err = keystore.Create(filepath.Join(t.TempDir(), "more keys"), keystore.Options{Passphrase: []byte("only a test"), Iterations: 1000})
	must(t, err)
	actor := func(id, organisation string, roles ...access.Role) access.Actor {
		a, err := w.access.CreateActor(ctx, access.Actor{ID: id, Name: id, Organisation: organisation, Roles: roles})
		must(t, err)
		return a
	}
	archive := w.clerk.Organisation
	w.admin, w.colleague, w.platform = actor("admin", "", access.RoleAdministrator), actor("colleague", archive, access.RoleOperator), actor("platform", archive, access.RolePlatform)
	w.elsewhere, w.foreign = actor("elsewhere", "other archive", access.RoleOperator), actor("foreign", "other archive", access.RolePlatform)
	w.service = terminal.New(terminal.Config{DB: db, Ledger: base.Ledger, Access: w.access, Sealer: w.sealer, Keys: w.keys.Ring(keystore.PurposeManifest),
		Clock: base.Clock, Random: rand.Reader, Logins: w.logins, Name: "临江省电子印章系统"})
	w.usb = w.makeSeal("usb")
	return w
}

// makeSeal makes a key and an instance of the seal on it, in the hands of the clerk, which supersedes the one before.
func (w *world) makeSeal(name string) keystore.Key {
	w.t.Helper()
	ctx := w.t.Context()
	key, err := w.Keys.Generate(ctx, name, keystore.PurposeSealing)
	must(w.t, err)
	archive := fixtures.Archive(sealertest.Town)
	r := ca.Request{Profile: ca.ProfileInstitution, Public: key.Public(), Organisation: archive.Name, CreditCode: archive.CreditCode, SealCode: code}
	w.certificate, err = w.authority.Issue(ctx, w.Agree(access.KindIssueCertificate, r.Subject()), r)
	must(w.t, err)
	o := register.Order{Code: code, Name: archive.Name, Organisation: archive.Name, CreditCode: archive.CreditCode, Type: 1, Width: 42, Height: 42,
		Template: sealertest.Picture(w.t), Picture: sealertest.Picture(w.t), Custody: register.UserKey, Holder: w.clerk.ID, Certificate: w.certificate.Raw}
	_, err = w.register.Make(ctx, w.Agree(access.KindMakeSeal, o.Subject()), o)
	must(w.t, err)
	return key
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	must(w.t, w.db.Write(w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(w.t.Context(), query, args...)
		return err
	}))
}

func (w *world) count(query string, args ...any) (n int) {
	w.t.Helper()
	must(w.t, w.db.Read().QueryRowContext(w.t.Context(), query, args...).Scan(&n))
	return n
}

func (w *world) used() int { return w.count(`SELECT SUM(used) FROM seal_grant`) }

func (w *world) stored() (n int) {
	w.t.Helper()
	must(w.t, w.sealer.Files.List(w.t.Context(), func(string, int64) error { n++; return nil }))
	return n
}

func (w *world) upload(by access.Actor) string {
	w.t.Helper()
	w.uploads++
	b, err := fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: w.uploads, Pages: 1})
	must(w.t, err)
	d, err := w.sealer.Upload(w.t.Context(), by, "复制件.pdf", bytes.NewReader(b))
	must(w.t, err)
	return d.ID
}

func order(document string) sealer.Order {
	return sealer.Order{Document: document, Seal: code, Places: []sealer.Place{{Placement: pdf.Placement{Page: 1, X: 20, Y: 20}}}}
}

// ask makes a task of n items for the clerk.
func (w *world) ask(n int) terminal.Task {
	w.t.Helper()
	t := terminal.NewTask{IdempotencyKey: store.NewID("once_")}
	for range n {
		t.Orders = append(t.Orders, order(w.upload(w.clerk)))
	}
	made, _, err := w.service.Create(w.t.Context(), w.clerk, t)
	must(w.t, err)
	return made
}

// anotherNode is a second process over the same database and files.
func (w *world) anotherNode() *terminal.Service {
	c := w.service.Config
	c.Sealer = sealer.New(w.sealer.Config)
	return terminal.New(c)
}

// box is a terminal as it stands at the clerk's place: its own key, and what it pinned.
type box struct {
	*world
	key    *sm2.PrivateKey
	id     string
	pinned *ecdsa.PublicKey
}

func (b *box) Public() *ecdsa.PublicKey { return &b.key.PublicKey }

func (b *box) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return b.key.Sign(rand.Reader, e[:], nil)
}

// pair pairs a terminal with a clerk.
func (w *world) pair(clerk access.Actor) *box {
	w.t.Helper()
	shown, _, err := w.service.OpenPairing(w.t.Context(), clerk)
	must(w.t, err)
	typed, err := manifest.ParseCode(shown.Text())
	must(w.t, err)
	b := &box{world: w}
	b.key, err = sm2.GenerateKey(rand.Reader)
	must(w.t, err)
	request, err := typed.Request("窗口", b.Public(), rand.Reader)
	must(w.t, err)
	answer, err := w.service.Pair(w.t.Context(), request, w.agent)
	must(w.t, err)
	b.pinned, err = typed.CheckAnswer(request, answer)
	must(w.t, err)
	if answer.Clerk.ID != clerk.ID {
		w.t.Fatalf("paired with %+v", answer.Clerk)
	}
	b.id = answer.Terminal
	return b
}

// at is the terminal as the service knows it after a signed request.
func (b *box) at() terminal.Terminal {
	b.t.Helper()
	t, err := b.try()
	must(b.t, err)
	return t
}

func (b *box) try() (terminal.Terminal, error) {
	b.t.Helper()
	header, err := manifest.Authorise(b.t.Context(), b, b.id, http.MethodGet, manifest.RouteTasks, nil, b.now)
	must(b.t, err)
	return b.service.Authenticate(b.t.Context(), terminal.Request{Authorisation: header, Method: http.MethodGet, Target: manifest.RouteTasks, UserAgent: b.agent})
}

func (b *box) claim(task string) manifest.Claim {
	b.t.Helper()
	c, err := b.service.Claim(b.t.Context(), b.at(), task)
	must(b.t, err)
	return c
}

func (b *box) expect(task string, item manifest.Item) manifest.Expected {
	return manifest.Expected{Key: b.pinned, Terminal: b.id, Clerk: b.clerk.ID, Task: task, Item: item.ID, Document: item.Document.ID, Seal: item.Seal, Now: b.now}
}

// prepare has an item prepared and verifies the manifest as a terminal does.
func (b *box) prepare(task string, item manifest.Item) *manifest.Manifest {
	b.t.Helper()
	e, err := b.service.Prepare(b.t.Context(), b.at(), task, item.ID)
	must(b.t, err)
	m, err := manifest.Verify(e, b.expect(task, item))
	must(b.t, err)
	return m
}

// sign does what the USB Key does.
func (b *box) sign(m *manifest.Manifest) manifest.Completion {
	b.t.Helper()
	return manifest.Completion{Job: m.Job, Nonce: m.Nonce, Signature: signed(b.t, b.usb, m.ToBeSigned), Certificate: b.certificate.Raw}
}

func signed(t testing.TB, key keystore.Key, message []byte) []byte {
	t.Helper()
	e, err := keystore.Digest(key.Public(), message)
	must(t, err)
	value, err := key.SignDigest(t.Context(), e)
	must(t, err)
	return value
}

// item reads an item as the clerk sees it.
func (w *world) item(task string, n int) terminal.Item {
	w.t.Helper()
	t, err := w.service.Task(w.t.Context(), w.clerk, task)
	must(w.t, err)
	return t.Items[n]
}

func (w *world) verdict(document string) verify.Verdict {
	w.t.Helper()
	d, err := w.sealer.Document(w.t.Context(), w.clerk, document)
	must(w.t, err)
	var b bytes.Buffer
	must(w.t, w.sealer.Copy(w.t.Context(), &b, d))
	return verify.File(w.t.Context(), "test.pdf", bytes.NewReader(b.Bytes()), int64(b.Len()),
		verify.Options{Chain: w.sealer.Chain, At: w.now, SealStatus: sealer.SealStatus(w.register)}).Verdict
}
