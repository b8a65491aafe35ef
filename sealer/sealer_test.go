package sealer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
	"yinxin/sealer/sealertest"
	"yinxin/sealer/verify"
)

const code = sealertest.Code

// house is everything below the command, on a fresh database, with one seal and one clerk who may use it.
type house struct {
	t                   testing.TB
	world               *sealertest.World
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
	h := &house{t: t, db: db, now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	w := sealertest.New(t, db, func() time.Time { return h.now })
	h.filesDir, h.access, h.authority, h.register, h.sealer, h.keys = w.FilesDir, w.Access, w.Authority, w.Register, w.Sealer, w.Keys
	h.registrar, h.approver, h.clerk, h.certificate = w.Registrar, w.Approver, w.Clerk, w.Certificate
	h.world = w
	return h
}

func picture(t testing.TB) []byte { return sealertest.Picture(t) }

func (h *house) agree(kind access.Kind, subject []byte) string {
	h.t.Helper()
	return h.world.Agree(kind, subject)
}

func (h *house) allow(actor string, quota int) {
	h.t.Helper()
	h.world.Allow(actor, quota)
}

func original(t testing.TB) []byte { return sealertest.Original(t) }

func (h *house) upload(b []byte) sealer.Document {
	h.t.Helper()
	return h.world.Upload(b)
}

func order(d sealer.Document, key string) sealer.Order { return sealertest.Order(d, key) }

func (h *house) bytes(d sealer.Document) []byte {
	h.t.Helper()
	return h.world.Bytes(d)
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
