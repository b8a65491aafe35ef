package api

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/escrow"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/fetch"
	"yinxin/internal/files"
	"yinxin/internal/jobs"
	"yinxin/internal/ledger"
	"yinxin/internal/login"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/internal/truetype"
	"yinxin/internal/webhook"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/batch"
	"yinxin/sealer/issuance"
	"yinxin/sealer/register"
	"yinxin/sealer/terminal"
	"yinxin/sealer/verify"
)

const sealCode = "29010000000017"

// world is an installation with everything in it that the API serves, over real rooms.
type world struct {
	t           *testing.T
	dir         string
	log         *journal
	db          *store.DB
	access      *access.Service
	register    *register.Register
	authority   *ca.Authority
	sealer      *sealer.Service
	certificate *chain.Certificate // of the seal
	server      *server
	http        *httptest.Server
	keys        map[string]string // API keys by actor
	people      [2]access.Actor   // registrar, approver
	founded     atomic.Bool
	work        *jobs.Jobs // in the background, when somebody runs it
	ledgerKey   *ecdsa.PublicKey
}

// journal collects the log, which tests read while handlers write.
type journal struct {
	sync.Mutex
	bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.Lock()
	defer j.Unlock()
	return j.Buffer.Write(p)
}

func (j *journal) text() string {
	j.Lock()
	defer j.Unlock()
	return j.Buffer.String()
}

// await waits until a line of the log has the words.
func (j *journal) await(t *testing.T, words string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(j.text(), words); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("the log never says %q: %s", words, j.text())
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func got[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// newWorld founds an installation: CA, actors with keys, one central seal granted to the platform and to a clerk.
// change may adjust the API's configuration.
func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	ctx := t.Context()
	called.skips(t)
	w := &world{t: t, dir: t.TempDir(), log: &journal{}, keys: map[string]string{}}
	// The founding lies an hour back: signing times are whole seconds, and nothing is in force before its first one.
	clock := func() time.Time {
		if w.founded.Load() {
			return time.Now()
		}
		return time.Now().Add(-time.Hour)
	}
	w.db = storetest.Open(t, filepath.Join(w.dir, "yinxin.db"))
	storetest.Migrate(t, w.db, ledger.Migrate, access.Migrate, ca.Migrate, backend.Migrate, register.Migrate, sealer.Migrate, jobs.Migrate, batch.Migrate, webhook.Migrate, login.Migrate, terminal.Migrate,
		escrow.Migrate, enroll.Migrate, business.Migrate, issuance.Migrate)
	keys := got(keystore.Create(filepath.Join(w.dir, "keys"), keystore.Options{Passphrase: []byte("only a test"), Iterations: 1000}))(t)
	ring := keys.Ring(keystore.PurposeRoot, keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeSealMaker, keystore.PurposeTSA,
		keystore.PurposeLedger, keystore.PurposeSealing, keystore.PurposePersonalData)
	ledgerKey := got(ring.Generate(ctx, "ledger", keystore.PurposeLedger))(t)
	w.ledgerKey = ledgerKey.Public()
	l := ledger.New(w.db, ledgerKey, clock)
	w.access = access.New(w.db, l, clock)
	archive := fixtures.Archive("云山市")
	w.people = [2]access.Actor{w.actor("registrar", "省局", access.RoleRegistrar), w.actor("approver", "省局", access.RoleApprover)}
	for _, a := range []access.Actor{
		w.people[0], w.people[1], w.actor("handler", "一个单位", access.RoleApplicant), w.actor("neighbour", "别的单位", access.RoleApplicant),
		w.actor("city", "云山市档案局", access.RoleCity), w.actor("administrator", "省局", access.RoleAdministrator),
		w.actor("platform", "省局", access.RolePlatform), w.actor("clerk", archive.Name, access.RoleOperator),
		w.actor("stranger", "别的单位", access.RoleOperator), w.actor("auditor", "省局", access.RoleAuditor), w.actor("nobody", "省局"),
		w.actor("requester", "别的省局", access.RoleRequester), w.actor("requester-2", "第三个省局", access.RoleRequester),
	} {
		w.keys[a.ID] = got(w.access.CreateKey(ctx, a.ID, "test"))(t)
	}
	_, err := ca.Establish(ctx, ca.Ceremony{DB: w.db, Ledger: l, Clock: clock, Root: ring, Keys: ring, Officers: [2]string{"registrar", "approver"},
		Organisation: "临江省档案局", BaseURL: "http://pki.example", Issuing: []ca.IssuingCeremony{
			{Profiles: []ca.Profile{ca.ProfileInstitution, ca.ProfileSealMaker, ca.ProfileTSA}},
			{ID: "person", Name: "个人签发证书", Profiles: []ca.Profile{ca.ProfilePersonal, ca.ProfileEncryption}}}})
	must(t, err)
	w.authority = got(ca.Open(ctx, ca.Config{DB: w.db, Ledger: l, Clock: clock, Keys: keys.Ring(keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeTSA)}))(t)
	maker := got(w.authority.Current(ctx, ca.ProfileSealMaker))(t)
	makerKey := got(ring.Get(ctx, ca.KeySealMaker))(t)
	w.register = register.New(register.Config{DB: w.db, Ledger: l, Access: w.access, Clock: clock, Certificates: backend.Standing(w.authority),
		Maker: register.Maker{Certificate: maker.Raw, Key: makerKey, VendorID: "yinxin"}})
	trusted := &chain.Verifier{Anchors: got(w.authority.Anchors(ctx))(t), Revocation: w.authority}
	w.sealer = sealer.New(sealer.Config{DB: w.db, Files: got(files.OpenFolder(filepath.Join(w.dir, "files")))(t), Ledger: l, Register: w.register,
		Chain: trusted, Clock: clock, Keys: keys.Ring(keystore.PurposeSealing), MaxSize: 32 << 20})
	w.makeSeal(archive, got(ring.Generate(ctx, "seal", keystore.PurposeSealing))(t))
	w.founded.Store(true)
	must(t, w.authority.PublishCRL(ctx))
	c := Config{Login: login.New(login.Config{DB: w.db, Ledger: l, Access: w.access, Clock: clock}), Sealer: w.sealer, Register: w.register, Access: w.access, Authority: w.authority, Ledger: l,
		Verify: verify.Options{Chain: trusted, SealStatus: sealer.SealStatus(w.register)}, Scratch: filepath.Join(w.dir, "scratch"), Clock: clock,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	w.wireRegistration(&c, l, ring)
	font, _ := truetype.Find() // without one nothing can be issued, and all else can
	c.Issuance = issuance.New(issuance.Config{DB: w.db, Ledger: l, Access: w.access, Register: w.register, Sealer: w.sealer, Safe: c.Registration.Enroll.Safe,
		Verify: c.Verify, Clock: clock, Font: font})
	c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = io.WriteString(w, "yinxin_token_ready 1\n")
	})
	c.Desk = backend.NewDesk(backend.Config{DB: w.db, Ledger: l, Access: w.access, Authority: w.authority, Clock: clock})
	work := got(jobs.New(jobs.Config{DB: w.db, Clock: clock, Log: slog.New(slog.DiscardHandler), Poll: 50 * time.Millisecond}))(t)
	t.Cleanup(func() { work.Close() })
	c.Batches = batch.New(batch.Config{DB: w.db, Ledger: l, Access: w.access, Register: w.register, Sealer: w.sealer, Clock: clock, Log: c.Log}, work)
	w.work, c.Jobs = work, work
	c.Listeners = []Listener{{Address: "10.0.0.5:443", Network: register.GovernmentNetwork, TLS: true, Clients: true, Required: true}, {Address: "0.0.0.0:443", Network: register.Internet, TLS: true}, {Address: "127.0.0.1:8470"}}
	c.Webhooks = webhook.New(webhook.Config{DB: w.db, Ledger: l, Safe: got(ring.CreateSafe(ctx, "webhooks", keystore.PurposePersonalData))(t), Clock: clock, Log: c.Log,
		Client: fetch.New(fetch.Options{Private: true}), Plain: true}, work)
	w.sealer.Released = func(ctx context.Context, tx *store.Tx, caller, sealing string, data map[string]string) error {
		return c.Webhooks.Emit(ctx, tx, caller, webhook.KindReleased, sealing, data)
	}
	c.Terminals = terminal.New(terminal.Config{DB: w.db, Ledger: l, Access: w.access, Sealer: w.sealer, Keys: keys.Ring(keystore.PurposeManifest), Clock: clock, Random: rand.Reader,
		Logins: c.Login, Name: "临江省电子印章系统"})
	for _, f := range change {
		f(&c)
	}
	w.server = got(newServer(c))(t)
	w.http = httptest.NewServer(underContract(t, w.server.huma.OpenAPI(), w.server.router))
	w.http.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(w.http.Close)
	return w
}

func (w *world) actor(id, organisation string, roles ...access.Role) access.Actor {
	w.t.Helper()
	return got(w.access.CreateActor(w.t.Context(), access.Actor{ID: id, Name: id, Organisation: organisation, Roles: roles}))(w.t)
}

// approved asks and approves: the way every decision has to go.
func (w *world) approved(kind access.Kind, subject []byte) string {
	w.t.Helper()
	id := got(w.access.Request(w.t.Context(), w.people[0], kind, subject))(w.t)
	must(w.t, w.access.Approve(w.t.Context(), w.people[1], id))
	return id
}

func (w *world) makeSeal(archive fixtures.Organisation, key keystore.Key) {
	w.t.Helper()
	ctx := w.t.Context()
	r := ca.Request{Profile: ca.ProfileInstitution, Public: key.Public(), Organisation: archive.Name, CreditCode: archive.CreditCode, SealCode: sealCode}
	w.certificate = got(w.authority.Issue(ctx, w.approved(access.KindIssueCertificate, r.Subject()), r))(w.t)
	picture := drawn(w.t, archive.Name)
	o := register.Order{Code: sealCode, Name: archive.Name, Organisation: archive.Name, CreditCode: archive.CreditCode, Type: 1, Width: 42, Height: 42,
		Template: picture, Picture: picture, Custody: register.Central, KeyName: key.Name(), Certificate: w.certificate.Raw}
	got(w.register.Make(ctx, w.approved(access.KindMakeSeal, o.Subject()), o))(w.t)
	for _, actor := range []string{"platform", "clerk"} {
		g := register.Grant{SealCode: sealCode, Actor: actor, From: time.Now().Add(-time.Minute), Until: time.Now().Add(time.Hour)}
		got(w.register.Allow(ctx, w.approved(access.KindGrant, g.Subject()), g))(w.t)
	}
}

// drawn is the picture of a seal: red on nothing.
func drawn(t *testing.T, name string) []byte {
	t.Helper()
	ink, err := fixtures.DrawSeal(fixtures.OfficialSeal(name), 300)
	if err != nil {
		t.Skip("no font for the seal: ", err)
	}
	colours := color.Palette{}
	for a := range 16 {
		colours = append(colours, color.NRGBA{0xd0, 0x10, 0x18, uint8(a * 17)})
	}
	p := image.NewPaletted(ink.Bounds(), colours)
	for i, a := range ink.Pix {
		p.Pix[i] = a / 16
	}
	var b bytes.Buffer
	must(t, png.Encode(&b, p))
	return b.Bytes()
}

// answer is what came back.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

func (a answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
}

// problem checks that the answer is a whole problem with the status and code.
func (a answer) problem(status int, code string) Problem {
	a.t.Helper()
	var p Problem
	a.into(&p)
	if a.status != status || p.Status != status || p.Code != code || p.Message == "" || p.MessageEN == "" || p.RequestID == "" ||
		p.RequestID != a.header.Get("X-Request-Id") || a.header.Get("Content-Type") != "application/problem+json" {
		a.t.Fatalf("got %d %s %s, want %d %s", a.status, a.header.Get("Content-Type"), a.body, status, code)
	}
	return p
}

func (a answer) is(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("got %d %s, want %d", a.status, a.body, status)
	}
	return a
}

// call sends a request as an actor ("" is nobody) with header fields "Name: value".
func (w *world) call(actor, method, path string, body io.Reader, fields ...string) answer {
	w.t.Helper()
	r := got(http.NewRequestWithContext(w.t.Context(), method, w.http.URL+path, body))(w.t)
	if actor != "" {
		r.Header.Set("Authorization", "Bearer "+w.keys[actor])
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Set(name, value)
	}
	response := got(w.http.Client().Do(r))(w.t)
	defer response.Body.Close()
	return answer{w.t, response.StatusCode, response.Header, got(io.ReadAll(response.Body))(w.t)}
}

// signIn gives the cookie of a session of an actor, past the password: hashing takes a tenth of a second.
func (w *world) signIn(actor string) string {
	w.t.Helper()
	token := strings.ToLower(rand.Text() + rand.Text())
	hash := sm3.Sum([]byte(token))
	must(w.t, w.db.Write(w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(w.t.Context(), `INSERT INTO login_session (id, actor, method, address, agent, created, seen) VALUES ($1, $2, 'password', '', '', $3, $3)`,
			hex.EncodeToString(hash[:]), actor, store.Time(time.Now()))
		return err
	}))
	return "yinxin-session=" + token
}

// over is the world as callers reach it over a listener with a label.
func (w *world) over(network string) *world {
	w.t.Helper()
	there := &world{t: w.t, keys: w.keys, http: httptest.NewUnstartedServer(w.http.Config.Handler)}
	there.http.Config.BaseContext = func(net.Listener) context.Context { return access.WithNetwork(context.Background(), network) }
	there.http.Start()
	there.http.Client().CheckRedirect = w.http.Client().CheckRedirect
	w.t.Cleanup(there.http.Close)
	return there
}

const (
	asPDF  = "Content-Type: application/pdf"
	asJSON = "Content-Type: application/json"
)

func (w *world) uploaded(actor string, data []byte) Document {
	w.t.Helper()
	var d Document
	w.call(actor, "POST", "/v1/documents", bytes.NewReader(data), asPDF, "X-File-Name: copy.pdf").is(201).into(&d)
	return d
}

func order(document string) map[string]any {
	return map[string]any{"document": document, "seal": sealCode, "placement": map[string]any{"page": 1, "from": "bottom-right", "x": 20, "y": 30}}
}

func (w *world) order(actor, key string, o map[string]any) answer {
	w.t.Helper()
	return w.call(actor, "POST", "/v1/sealings", bytes.NewReader(got(json.Marshal(o))(w.t)), asJSON, "Idempotency-Key: "+key)
}

// sealedFile is a sealed PDF, fetched through the API.
func (w *world) sealedFile() (original, sealed []byte) {
	w.t.Helper()
	original = onePage(w.t)
	var done Sealing
	w.order("platform", "sealed-file", order(w.uploaded("platform", original).ID)).into(&done)
	return original, w.call("platform", "GET", "/v1/documents/"+done.Document.ID+"/content", nil).is(200).body
}

func onePage(t *testing.T) []byte {
	t.Helper()
	return got(fixtures.PDF(fixtures.Shapes()[0], fixtures.PDFOptions{}))(t)
}

// kept lists the files in a folder of the installation.
func (w *world) kept(folder string) (list []string) {
	w.t.Helper()
	must(w.t, filepath.WalkDir(filepath.Join(w.dir, folder), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, path)
		}
		return err
	}))
	return list
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
