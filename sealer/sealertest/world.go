// Package sealertest builds, for tests, everything below the command on a fresh database: an authority, a register with one seal,
// a sealer, two officers, and a clerk who may use the seal.
package sealertest

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/files"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
)

// Code is the code of the seal, which belongs to the archive of Town.
const (
	Code = "29010000000017"
	Town = "云山市"
)

// World is what New builds.
type World struct {
	t                   testing.TB
	DB                  *store.DB
	Clock               func() time.Time
	FilesDir            string
	Ledger              *ledger.Ledger
	Access              *access.Service
	Authority           *ca.Authority
	Register            *register.Register
	Sealer              *sealer.Service
	Registrar, Approver access.Actor
	Clerk               access.Actor
	Certificate         *chain.Certificate
	Keys                *keystore.Ring // of sealing keys; the seal's is named "seal"
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// New builds a world whose time is that of the clock. rooms are those to be migrated besides its own.
func New(t testing.TB, db *store.DB, clock func() time.Time, rooms ...storetest.Room) *World {
	t.Helper()
	ctx := t.Context()
	w := &World{t: t, DB: db, Clock: clock, FilesDir: filepath.Join(t.TempDir(), "files")}
	storetest.Migrate(t, db, append([]storetest.Room{ledger.Migrate, access.Migrate, ca.Migrate, register.Migrate, sealer.Migrate}, rooms...)...)
	options := keystore.Options{Passphrase: []byte("only a test"), Iterations: 1000}
	keys, err := keystore.Create(filepath.Join(t.TempDir(), "keys"), options)
	must(t, err)
	root, err := keystore.Create(filepath.Join(t.TempDir(), "root"), options)
	must(t, err)
	ledgerKey, err := keys.Ring(keystore.PurposeLedger).Generate(ctx, "ledger", keystore.PurposeLedger)
	must(t, err)
	w.Ledger = ledger.New(db, ledgerKey, clock)
	w.Access = access.New(db, w.Ledger, clock)
	w.Registrar, w.Approver, w.Clerk = w.Actor("registrar", access.RoleRegistrar), w.Actor("approver", access.RoleApprover), w.Actor("clerk", access.RoleOperator)
	ring := keys.Ring(keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeSealMaker, keystore.PurposeTSA)
	made, err := ca.Establish(ctx, ca.Ceremony{DB: db, Ledger: w.Ledger, Clock: clock, Root: root.Ring(keystore.PurposeRoot), Keys: ring,
		Officers: [2]string{"registrar", "approver"}, Organisation: "临江省档案局", BaseURL: "http://127.0.0.1:1"})
	must(t, err)
	w.Authority, err = ca.Open(ctx, ca.Config{DB: db, Ledger: w.Ledger, Keys: ring, Clock: clock})
	must(t, err)
	maker, err := keys.Ring(keystore.PurposeSealMaker).Get(ctx, ca.KeySealMaker)
	must(t, err)
	w.Register = register.New(register.Config{DB: db, Ledger: w.Ledger, Access: w.Access, Clock: clock,
		Certificates: func(ctx context.Context, c *chain.Certificate, at time.Time) (chain.Status, error) {
			return w.Authority.Status(ctx, c, w.Authority.IssuerOf(c), at)
		},
		Maker: register.Maker{Certificate: made.SealMaker.Raw, Key: maker, VendorID: "yinxin"}})
	blobs, err := files.OpenFolder(w.FilesDir)
	must(t, err)
	anchors, err := w.Authority.Anchors(ctx)
	must(t, err)
	w.Keys = keys.Ring(keystore.PurposeSealing)
	w.Sealer = sealer.New(sealer.Config{DB: db, Files: blobs, Ledger: w.Ledger, Register: w.Register, Keys: w.Keys, Clock: clock,
		Chain: &chain.Verifier{Anchors: anchors, Revocation: w.Authority}, MaxSize: 1 << 20,
		TimeStamps: w.Authority, Evidence: w.Authority})
	key, err := w.Keys.Generate(ctx, "seal", keystore.PurposeSealing)
	must(t, err)
	archive := fixtures.Archive(Town)
	r := ca.Request{Profile: ca.ProfileInstitution, Public: key.Public(), Organisation: archive.Name, CreditCode: archive.CreditCode, SealCode: Code}
	w.Certificate, err = w.Authority.Issue(ctx, w.Agree(access.KindIssueCertificate, r.Subject()), r)
	must(t, err)
	o := register.Order{Code: Code, Name: archive.Name, Organisation: archive.Name, CreditCode: archive.CreditCode, Type: 1, Width: 42, Height: 42,
		Template: Picture(t), Picture: Picture(t), Custody: register.Central, KeyName: "seal", Certificate: w.Certificate.Raw}
	_, err = w.Register.Make(ctx, w.Agree(access.KindMakeSeal, o.Subject()), o)
	must(t, err)
	w.Allow(w.Clerk.ID, 0)
	return w
}

// Picture is a red disc: what matters here is that it is a picture.
func Picture(t testing.TB) []byte {
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

// Actor makes an actor of an archive of its own.
func (w *World) Actor(id string, roles ...access.Role) access.Actor {
	w.t.Helper()
	a, err := w.Access.CreateActor(w.t.Context(), access.Actor{ID: id, Name: id, Organisation: id + "'s archive", Roles: roles})
	must(w.t, err)
	return a
}

// Agree asks and approves: the way every decision has to go.
func (w *World) Agree(kind access.Kind, subject []byte) string {
	w.t.Helper()
	id, err := w.Access.Request(w.t.Context(), w.Registrar, kind, subject)
	must(w.t, err)
	must(w.t, w.Access.Approve(w.t.Context(), w.Approver, id))
	return id
}

// Allow grants the use of the seal for two years; quota 0 is without a limit.
func (w *World) Allow(actor string, quota int) {
	w.t.Helper()
	now := w.Clock()
	g := register.Grant{SealCode: Code, Actor: actor, From: now, Until: now.AddDate(2, 0, 0), Quota: quota}
	_, err := w.Register.Allow(w.t.Context(), w.Agree(access.KindGrant, g.Subject()), g)
	must(w.t, err)
}

// Original is a made-up copy of one page.
func Original(t testing.TB) []byte {
	t.Helper()
	b, err := fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: 3, Pages: 1})
	must(t, err)
	return b
}

// Upload stores a document of the clerk's.
func (w *World) Upload(b []byte) sealer.Document {
	w.t.Helper()
	d, err := w.Sealer.Upload(w.t.Context(), w.Clerk, "复制件.pdf", bytes.NewReader(b))
	must(w.t, err)
	return d
}

// Order seals a document on its first page.
func Order(d sealer.Document, key string) sealer.Order {
	return sealer.Order{Document: d.ID, Seal: Code, Places: []sealer.Place{{Placement: pdf.Placement{Page: 1, X: 20, Y: 20}}}, IdempotencyKey: key}
}

// Bytes is a document as it is handed out.
func (w *World) Bytes(d sealer.Document) []byte {
	w.t.Helper()
	var b bytes.Buffer
	must(w.t, w.Sealer.Copy(w.t.Context(), &b, d))
	return b.Bytes()
}
