package sealer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/fixtures"
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

const code = "29010000000017"

// house is everything below the command, on a fresh database, with one seal and one clerk who may use it.
type house struct {
	t                   testing.TB
	db                  *store.DB
	now                 time.Time
	filesDir            string
	access              *access.Service
	authority           *ca.Authority
	register            *register.Register
	sealer              *sealer.Service
	registrar, approver access.Actor
	clerk               access.Actor
	certificate         *chain.Certificate
	keys                *keystore.Ring
	template            []byte // of seals that are remade; nil: their picture
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newHouse(t testing.TB, db *store.DB) *house {
	t.Helper()
	ctx := t.Context()
	h := &house{t: t, db: db, now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), filesDir: filepath.Join(t.TempDir(), "files")}
	clock := func() time.Time { return h.now }
	for _, migrate := range []func(context.Context, *store.DB) error{ledger.Migrate, access.Migrate, ca.Migrate, register.Migrate, sealer.Migrate} {
		must(t, migrate(ctx, db))
	}
	options := keystore.Options{Passphrase: []byte("only a test"), Iterations: 1000}
	keys, err := keystore.Create(filepath.Join(t.TempDir(), "keys"), options)
	must(t, err)
	root, err := keystore.Create(filepath.Join(t.TempDir(), "root"), options)
	must(t, err)
	ledgerKey, err := keys.Ring(keystore.PurposeLedger).Generate(ctx, "ledger", keystore.PurposeLedger)
	must(t, err)
	l := ledger.New(db, ledgerKey, clock)
	h.access = access.New(db, l, clock)
	actor := func(id string, roles ...access.Role) access.Actor {
		a, err := h.access.CreateActor(ctx, access.Actor{ID: id, Name: id, Organisation: id + "'s archive", Roles: roles})
		must(t, err)
		return a
	}
	h.registrar, h.approver, h.clerk = actor("registrar", access.RoleRegistrar), actor("approver", access.RoleApprover), actor("clerk", access.RoleOperator)
	ring := keys.Ring(keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeSealMaker, keystore.PurposeTSA)
	made, err := ca.Establish(ctx, ca.Ceremony{DB: db, Ledger: l, Clock: clock, Root: root.Ring(keystore.PurposeRoot), Keys: ring,
		Officers: [2]string{"registrar", "approver"}, Organisation: "临江省档案局", BaseURL: "http://127.0.0.1:1"})
	must(t, err)
	h.authority, err = ca.Open(ctx, ca.Config{DB: db, Ledger: l, Keys: ring, Clock: clock})
	must(t, err)
	maker, err := keys.Ring(keystore.PurposeSealMaker).Get(ctx, ca.KeySealMaker)
	must(t, err)
	h.register = register.New(register.Config{DB: db, Ledger: l, Access: h.access, Clock: clock,
		Certificates: func(ctx context.Context, c *chain.Certificate, at time.Time) (chain.Status, error) {
			return h.authority.Status(ctx, c, h.authority.IssuerOf(c), at)
		},
		Maker: register.Maker{Certificate: made.SealMaker.Raw, Key: maker, VendorID: "yinxin"}})
	blobs, err := files.OpenFolder(h.filesDir)
	must(t, err)
	anchors, err := h.authority.Anchors(ctx)
	must(t, err)
	sealing := keys.Ring(keystore.PurposeSealing)
	h.keys = sealing
	h.sealer = sealer.New(sealer.Config{DB: db, Files: blobs, Ledger: l, Register: h.register, Keys: sealing, Clock: clock,
		Chain: &chain.Verifier{Anchors: anchors, Revocation: h.authority}, MaxSize: 1 << 20,
		TimeStamps: h.authority, Evidence: h.authority})
	key, err := sealing.Generate(ctx, "seal", keystore.PurposeSealing)
	must(t, err)
	archive := fixtures.Archive("云山市")
	r := ca.Request{Profile: ca.ProfileInstitution, Public: key.Public(), Organisation: archive.Name, CreditCode: archive.CreditCode, SealCode: code}
	h.certificate, err = h.authority.Issue(ctx, h.agree(access.KindIssueCertificate, r.Subject()), r)
	must(t, err)
	o := register.Order{Code: code, Name: archive.Name, Organisation: archive.Name, CreditCode: archive.CreditCode, Type: 1, Width: 42, Height: 42,
		Template: picture(t), Picture: picture(t), Custody: register.Central, KeyName: "seal", Certificate: h.certificate.Raw}
	_, err = h.register.Make(ctx, h.agree(access.KindMakeSeal, o.Subject()), o)
	must(t, err)
	h.allow(h.clerk.ID, 0)
	return h
}

// picture is a red disc: what matters here is that it is a picture.
func picture(t testing.TB) []byte {
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
	must(t, png.Encode(&b, img))
	return b.Bytes()
}

func (h *house) agree(kind access.Kind, subject []byte) string {
	h.t.Helper()
	id, err := h.access.Request(h.t.Context(), h.registrar, kind, subject)
	must(h.t, err)
	must(h.t, h.access.Approve(h.t.Context(), h.approver, id))
	return id
}

func (h *house) allow(actor string, quota int) {
	h.t.Helper()
	g := register.Grant{SealCode: code, Actor: actor, From: h.now, Until: h.now.AddDate(2, 0, 0), Quota: quota}
	_, err := h.register.Allow(h.t.Context(), h.agree(access.KindGrant, g.Subject()), g)
	must(h.t, err)
}

func original(t testing.TB) []byte {
	t.Helper()
	b, err := fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: 3, Pages: 1})
	must(t, err)
	return b
}

func (h *house) upload(b []byte) sealer.Document {
	h.t.Helper()
	d, err := h.sealer.Upload(h.t.Context(), h.clerk, "复制件.pdf", bytes.NewReader(b))
	must(h.t, err)
	return d
}

func order(d sealer.Document, key string) sealer.Order {
	return sealer.Order{Document: d.ID, Seal: code, Places: []sealer.Place{{Placement: pdf.Placement{Page: 1, X: 20, Y: 20}}}, IdempotencyKey: key}
}

func (h *house) bytes(d sealer.Document) []byte {
	h.t.Helper()
	var b bytes.Buffer
	must(h.t, h.sealer.Copy(h.t.Context(), &b, d))
	return b.Bytes()
}

func (h *house) verdict(b []byte) verify.Verdict {
	return verify.File(h.t.Context(), "test.pdf", bytes.NewReader(b), int64(len(b)),
		verify.Options{Chain: h.sealer.Chain, At: h.now, SealStatus: sealer.SealStatus(h.register)}).Verdict
}

func (h *house) count(query string) (n int) {
	h.t.Helper()
	must(h.t, h.db.Read().QueryRowContext(h.t.Context(), query).Scan(&n))
	return n
}

func (h *house) stored() (n int) {
	h.t.Helper()
	must(h.t, h.sealer.Files.List(h.t.Context(), func(string, int64) error { n++; return nil }))
	return n
}

func wants(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != want {
		t.Fatalf("%v, want %s", err, want)
	}
}

func each(t *testing.T, fn func(t *testing.T, h *house)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, newHouse(t, db)) })
}

// alone is each for tests whose subject is not the database.
func alone(t *testing.T, fn func(t *testing.T, h *house)) {
	fn(t, newHouse(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db"))))
}

func TestASealedDocumentBeginsWithTheOriginalAndIsValid(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := original(t)
		once, err := h.sealer.Seal(t.Context(), h.clerk, order(h.upload(b), ""))
		must(t, err)
		elsewhere := order(once.Document, "")
		elsewhere.Places[0].Y = 120
		twice, err := h.sealer.Seal(t.Context(), h.clerk, elsewhere)
		must(t, err)
		first, second := h.bytes(once.Document), h.bytes(twice.Document)
		if !bytes.HasPrefix(first, b) || !bytes.HasPrefix(second, first) {
			t.Fatal("bytes before the update changed")
		}
		for name, b := range map[string][]byte{"once": first, "twice": second} {
			if v := h.verdict(b); v != verify.Valid {
				t.Errorf("sealed %s: %s", name, v)
			}
		}
	})
}

func TestOneIdempotencyKeyReleasesOneDocument(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := order(h.upload(original(t)), "key-1")
		var mu sync.Mutex
		results := map[string]int{}
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				r, err := h.sealer.Seal(t.Context(), h.clerk, o)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					results[fault.CodeOf(err)]++
				} else {
					results[r.Document.ID]++
				}
			})
		}
		all.Wait()
		delete(results, "sealing.in-progress")
		if len(results) != 1 {
			t.Fatalf("results %v", results)
		}
		again, err := h.sealer.Seal(t.Context(), h.clerk, o)
		must(t, err)
		if !again.Replayed || results[again.Document.ID] == 0 {
			t.Fatalf("the replay gave %+v, not one of %v", again, results)
		}
		o.Places = []sealer.Place{{Placement: pdf.Placement{Page: 1, X: 21, Y: 20}}}
		_, err = h.sealer.Seal(t.Context(), h.clerk, o)
		wants(t, err, "sealing.key-reused")
		if n := h.count(`SELECT COUNT(*) FROM sealing WHERE state = 'released'`); n != 1 {
			t.Fatalf("%d released", n)
		}
	})
}

func TestAnAbandonedIntentNeverReleasesLate(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := order(h.upload(original(t)), "slow")
		objects := h.stored()
		// While the key takes longer than the lease, somebody else cleans up.
		h.sealer.Intended = func(string) {
			h.now = h.now.Add(time.Minute)
			n, err := h.sealer.Recover(t.Context())
			if err != nil || n != 1 {
				t.Errorf("recovered %d: %v", n, err)
			}
		}
		_, err := h.sealer.Seal(t.Context(), h.clerk, o)
		wants(t, err, "sealing.abandoned")
		if n := h.count(`SELECT COUNT(*) FROM sealing WHERE state = 'released'`); n != 0 {
			t.Fatalf("%d released", n)
		}
		if h.stored() != objects {
			t.Error("the update of the abandoned sealing was kept")
		}
		if n := h.count(`SELECT used FROM seal_grant`); n != 0 {
			t.Errorf("%d uses counted", n)
		}
		h.sealer.Intended = nil
		r, err := h.sealer.Seal(t.Context(), h.clerk, o)
		must(t, err)
		if r.Replayed {
			t.Error("nothing could be replayed")
		}
	})
}

func TestARefusedOrderLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		d := h.upload(original(t))
		objects := h.stored()
		refused := func(name, want string, by access.Actor, o sealer.Order) {
			t.Helper()
			_, err := h.sealer.Seal(ctx, by, o)
			if err == nil || fault.CodeOf(err) != want {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
		o := order(d, "")
		o.Document = "d_unknown"
		refused("an unknown document", "document.not-found", h.clerk, o)
		o = order(d, "")
		o.Seal = "00000000000000"
		refused("an unknown seal", "seal.not-found", h.clerk, o)
		o = order(d, "")
		o.Places[0].Page = 9
		refused("a page that is not there", "pdf.no-such-page", h.clerk, o)
		o.Places[0].Placement = pdf.Placement{Page: 1, X: 500, Y: 20}
		refused("a place outside the page", "pdf.outside-page", h.clerk, o)
		stranger, err := h.access.CreateActor(ctx, access.Actor{ID: "stranger", Name: "stranger", Organisation: "elsewhere", Roles: []access.Role{access.RoleOperator}})
		must(t, err)
		refused("no grant", "seal.not-granted", stranger, order(d, ""))
		h.allow("stranger", 0)
		refused("a document of another archive", "document.not-found", stranger, order(d, ""))
		locked, err := fixtures.PDF(fixtures.ShapeEncryptedAES256, fixtures.PDFOptions{Seed: 1})
		must(t, err)
		refused("an encrypted document", "pdf.encrypted", h.clerk, order(h.upload(locked), ""))
		must(t, h.authority.SuspendAtOnce(ctx, h.registrar, h.certificate.Serial, "test"))
		refused("a certificate on hold", "seal.certificate-revoked", h.clerk, order(d, ""))
		if n := h.count(`SELECT COUNT(*) FROM sealing`); n != 0 || h.stored() != objects+1 {
			t.Errorf("%d sealings and %d objects are left", n, h.stored()-objects)
		}
	})
}

func TestAnExpiredCertificateSealsNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.upload(original(t))
		h.now = h.certificate.NotAfter
		_, err := h.sealer.Seal(t.Context(), h.clerk, order(d, ""))
		must(t, err)
		h.now = h.certificate.NotAfter.Add(time.Second)
		_, err = h.sealer.Seal(t.Context(), h.clerk, order(d, ""))
		wants(t, err, "seal.expired")
	})
}

func TestAQuotaCountsOnlyReleasedDocuments(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE seal_grant SET quota = 1`)
			return err
		}))
		d := h.upload(original(t))
		o := order(d, "")
		o.Places[0].Page = 9
		_, err := h.sealer.Seal(t.Context(), h.clerk, o)
		wants(t, err, "pdf.no-such-page")
		_, err = h.sealer.Seal(t.Context(), h.clerk, order(d, ""))
		must(t, err)
		_, err = h.sealer.Seal(t.Context(), h.clerk, order(d, ""))
		wants(t, err, "seal.quota-exhausted")
	})
}

// brokenReader gives some bytes and then fails, like a connection that was closed.
type brokenReader struct{ good io.Reader }

func (r brokenReader) Read(p []byte) (int, error) {
	n, err := r.good.Read(p)
	if err == io.EOF {
		err = errors.New("connection reset")
	}
	return n, err
}

func TestABrokenUploadKeepsNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, cancel := context.WithCancel(t.Context())
		for name, c := range map[string]struct {
			ctx  context.Context
			r    io.Reader
			want string
		}{
			"closed mid-way": {ctx, brokenReader{bytes.NewReader(original(t))}, "document.upload-broken"},
			"empty":          {ctx, bytes.NewReader(nil), "document.empty"},
			"too large":      {ctx, bytes.NewReader(make([]byte, 1<<20+1)), "document.too-large"},
		} {
			_, err := h.sealer.Upload(c.ctx, h.clerk, "x.pdf", c.r)
			if err == nil || fault.CodeOf(err) != c.want {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
		}
		cancel()
		_, err := h.sealer.Upload(ctx, h.clerk, "x.pdf", bytes.NewReader(original(t)))
		wants(t, err, "document.upload-broken")
		if h.stored() != 0 || h.count(`SELECT COUNT(*) FROM document`) != 0 {
			t.Error("something was kept")
		}
		left, err := filepath.Glob(filepath.Join(h.filesDir, "*", "*"))
		must(t, err)
		for _, name := range left {
			if info, err := os.Stat(name); err != nil || !info.IsDir() {
				t.Errorf("left behind: %s", name)
			}
		}
	})
}

func TestADamagedStoredFileIsNeitherSealedNorHandedOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.upload(original(t))
		must(t, filepath.WalkDir(h.filesDir, func(name string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			b[len(b)/2] ^= 1
			return os.WriteFile(name, b, 0o600)
		}))
		var out bytes.Buffer
		err := h.sealer.Copy(t.Context(), &out, d)
		wants(t, err, "document.damaged")
		if int64(out.Len()) >= d.Size {
			t.Error("a damaged document went out complete")
		}
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE document SET sm3 = $1`, fmt.Sprintf("%064x", 1))
			return err
		}))
		_, err = h.sealer.Seal(t.Context(), h.clerk, order(d, ""))
		wants(t, err, "document.damaged")
	})
}

func TestNamesOfUploadsAreCleaned(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for name, want := range map[string]string{"../../etc/passwd": "passwd", `C:\文件\复制件.pdf`: "复制件.pdf", "a\x00b\nc.pdf": "abc.pdf", "": "document.pdf", "..": "document.pdf"} {
			d, err := h.sealer.Upload(t.Context(), h.clerk, name, bytes.NewReader(original(t)))
			must(t, err)
			if d.Name != want {
				t.Errorf("%q became %q, want %q", name, d.Name, want)
			}
		}
	})
}
