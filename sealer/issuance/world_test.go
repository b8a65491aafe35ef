package issuance_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"yinxin/ca/enroll"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/internal/truetype"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/issuance"
	"yinxin/sealer/issuance/compose"
	"yinxin/sealer/pdf/normalise"
	"yinxin/sealer/sealertest"
	"yinxin/sealer/verify"
)

// TestMain lets the test program be the workers that pages go through.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case compose.WorkerName:
			os.Exit(compose.Work(os.Stdin, os.Stdout, os.Stderr))
		case normalise.WorkerName:
			os.Exit(normalise.Work(os.Stdin, os.Stdout, os.Stderr))
		}
	}
	os.Exit(m.Run())
}

// The archives: A, where the applicant stands; B, which holds the file and has the seal of sealertest; C, which has no part.
var (
	archiveA = fixtures.Archive("青河市").Name
	archiveB = fixtures.Archive(sealertest.Town).Name
	archiveC = fixtures.Archive("白石市").Name
)

type house struct {
	*sealertest.World
	t       testing.TB
	now     time.Time
	service *issuance.Service
	// People of the archives; the platform, another program of the same role, and the auditor.
	a, b, b2, c, platform, other, auditor access.Actor
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func got[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func wants(t testing.TB, err error, code string) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != code {
		t.Fatalf("%v, want %s", err, code)
	}
}

func newHouse(t testing.TB, db *store.DB) *house {
	t.Helper()
	font, err := truetype.Find()
	if err != nil {
		t.Skip("no font: ", err)
	}
	// Thursday, 10 o'clock in China.
	h := &house{t: t, now: time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC)}
	h.World = sealertest.New(t, db, func() time.Time { return h.now }, issuance.Migrate)
	h.Sealer.MaxSize = 64 << 20
	person := func(id, organisation string, role access.Role) access.Actor {
		return got(h.Access.CreateActor(t.Context(), access.Actor{ID: id, Name: id, Organisation: organisation, Roles: []access.Role{role}}))(t)
	}
	h.a, h.b, h.b2, h.c = person("at-a", archiveA, access.RoleOperator), person("at-b", archiveB, access.RoleOperator), person("at-b-too", archiveB, access.RoleOperator), person("at-c", archiveC, access.RoleOperator)
	h.platform, h.other = person("the-platform", "临江省档案局", access.RolePlatform), person("another-platform", "第二平台", access.RolePlatform)
	h.auditor = person("the-auditor", "临江省档案局", access.RoleAuditor)
	for _, id := range []string{h.b.ID, h.platform.ID} {
		h.Allow(id, 0)
	}
	keys := got(keystore.Create(filepath.Join(t.TempDir(), "personal"), keystore.Options{Passphrase: []byte("only a test"), Iterations: 1000}))(t)
	safe := got(keys.Ring(keystore.PurposePersonalData).CreateSafe(t.Context(), enroll.SafeName, keystore.PurposePersonalData))(t)
	h.service = issuance.New(issuance.Config{DB: db, Ledger: h.Ledger, Access: h.Access, Register: h.Register, Sealer: h.Sealer, Safe: safe,
		Verify: verify.Options{Chain: h.Sealer.Chain, SealStatus: sealer.SealStatus(h.Register)}, Clock: func() time.Time { return h.now },
		Address: "https://seal.example/c/", Font: font})
	return h
}

func each(t *testing.T, fn func(t *testing.T, h *house)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, newHouse(t, db)) })
}

// alone is each for tests whose subject is not the database.
func alone(t *testing.T, fn func(t *testing.T, h *house)) {
	fn(t, newHouse(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db"))))
}

const (
	identity = "220102199003072326"
	fullName = "欧阳明月"
)

var reference = issuance.Reference{Fonds: "J021", File: "0137", Item: "0012", Pages: 3, Number: "J021-WS·2009-0137-0012"}

func request() issuance.Request {
	return issuance.Request{Holding: archiveB, Applicant: issuance.Applicant{Name: fullName, Identity: identity, Purpose: "办理退休手续",
		Sought: "本人 1988 年招工审批表"}}
}

// opened is a case that waits for B.
func (h *house) opened() issuance.Case {
	h.t.Helper()
	c, _, err := h.service.Open(h.t.Context(), h.a, request())
	must(h.t, err)
	return c
}

// found is a case with its three pages in: two of a PDF and a scan.
func (h *house) found(by access.Actor, id string) issuance.Case {
	h.t.Helper()
	ctx := h.t.Context()
	_, err := h.service.Answer(ctx, by, id, issuance.Answer{Result: issuance.Held, Reference: reference})
	must(h.t, err)
	_, err = h.service.AddPages(ctx, by, id, "正文.pdf", got(fixtures.ArchivalCopy(7, 2))(h.t))
	must(h.t, err)
	c, err := h.service.AddPages(ctx, by, id, "附页.jpg", scanned(h.t, 827, 1169))
	must(h.t, err)
	return c
}

// issued is a case whose copy waits for A.
func (h *house) issued() issuance.Case {
	h.t.Helper()
	c := h.found(h.b, h.opened().ID)
	c, err := h.service.Issue(h.t.Context(), h.b, c.ID, issuance.Order{Seal: sealertest.Code})
	must(h.t, err)
	return c
}

// file is the issued copy as A fetches it.
func (h *house) file(id string) []byte {
	h.t.Helper()
	d, err := h.service.Document(h.t.Context(), h.a, id)
	must(h.t, err)
	return h.Bytes(d)
}

func (h *house) receive(id string, b []byte) (issuance.Case, error) {
	return h.service.Receive(h.t.Context(), h.a, id, bytes.NewReader(b), int64(len(b)))
}

func (h *house) count(query string, args ...any) (n int) {
	h.t.Helper()
	must(h.t, h.DB.Read().QueryRowContext(h.t.Context(), query, args...).Scan(&n))
	return n
}

// scanned is a JPEG with some lines on it.
func scanned(t testing.TB, width, height int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetGray(x, y, color.Gray{235})
			if y%40 < 3 && x > 80 && x < width-80 {
				img.SetGray(x, y, color.Gray{60})
			}
		}
	}
	var b bytes.Buffer
	must(t, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

// codeOn is the verification code of a copy.
func codeOn(t testing.TB, b []byte) string {
	t.Helper()
	return issuance.Grouped(got(issuance.CodeInFile(t.Context(), io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))))(t))
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}
