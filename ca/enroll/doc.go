// Package enroll is registration: from a unit's application to what two people approved, and then through the hands of
// those who carry it out, to acceptance by the holder.
//
//	service, err := enroll.New(enroll.Config{DB: db, Ledger: l, Access: a, Safe: safe, Files: files, Planner: planner, …})
//	application, err := service.Create(ctx, handler, unit, filled)
//	application, err = service.Submit(ctx, handler, application.Ref())
//	…
//	application, err = service.Examine(ctx, registrar, application.Ref())
//	application, err = service.Approve(ctx, approver, application.Ref())
//
// Every act names the revision of the application that the actor saw (Ref): whoever comes second with an old one gets
// enroll.conflict and looks again. The states and who may take which step stand in one table, in state.go.
//
// # Promises
//
// No application is approved without two people, a paper original, wet ink confirmed by an officer, no error left and a
// reason for each doubt that an officer put aside. The database holds to that (CHECKs and composite foreign keys onto
// access_approval): a row that says approved needs a used approval of exactly its version, so an edit, which makes
// another version, takes the application back. What has been approved and is being carried out is not edited any more.
//
// Each step is one transaction: state, history, ledger, and the approval where there is one.
//
// A handler sees the applications of their unit, a city bureau those of its area that do not go to the province
// directly; everything else does not exist for them (enroll.not-found). Roles are read when they matter.
//
// Identity numbers, mobiles and scans are sealed with SM4-GCM by a safe of the keystore, each bound to its table, row
// and column. What lists, views, errors, history and ledger show is masked; Unmask and OpenAttachment show it to an
// officer, with a reason, and the ledger has it. Reasons that look as if they held such a number are refused.
//
// It issues no certificate and makes no seal: a Planner says which acts an application takes, a Suspender stops a user
// at once.
//
// Standards: 吉档字〔2025〕8号, annexes 1 and 2.
package enroll

import (
	"context"
	"crypto/rand"
	"embed"
	"io"
	"time"

	"yinxin/ca/enroll/workday"
	"yinxin/internal/access"
	"yinxin/internal/files"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/keystore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date. Those of access must exist.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "enroll", migrations) }

// Config is what registration works with. Terms that are zero are the defaults.
type Config struct {
	DB     *store.DB
	Ledger *ledger.Ledger
	Access *access.Service
	// Safe seals personal data: see SafeName.
	Safe      *keystore.Safe
	Files     files.Store
	Planner   Planner
	Suspender Suspender
	// Seals answers what is known of an existing seal; nil: nothing is compared.
	Seals Seals
	// DocumentTypes are the 证件类型 accepted in rosters beside 111: see roster.Rules.
	DocumentTypes map[string]string
	// Regions are beginnings of region codes, of two to six digits, that are known beside GB/T 2260: new districts,
	// development zones whose authorities give credit codes.
	Regions []string
	// Effects happen with a step, in its transaction: with acceptance, say, what was issued is put into use.
	Effects map[Step]Effect
	Clock   func() time.Time
	// Random makes salts; nil is the operating system's.
	Random io.Reader
	// Calendar knows the working days; nil is Monday to Friday.
	Calendar *workday.Calendar
	// AcceptDays is after how many working days silence counts as acceptance.
	AcceptDays int
	// IdleTerm is how long a draft or a returned application may lie untouched before it expires.
	IdleTerm time.Duration
}

// SafeName is the safe for personal data in the keystore (keystore.PurposePersonalData).
const SafeName = "registration"

// The defaults of Config.
const (
	DefaultAcceptDays = 5
	DefaultIdleTerm   = 180 * 24 * time.Hour
)

// Service is the room's door. It is safe for concurrent use.
type Service struct {
	Config
}

// New gives a Service over tables that Migrate has made.
func New(c Config) *Service {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Calendar == nil {
		c.Calendar = &workday.Calendar{}
	}
	if c.AcceptDays == 0 {
		c.AcceptDays = DefaultAcceptDays
	}
	if c.IdleTerm == 0 {
		c.IdleTerm = DefaultIdleTerm
	}
	return &Service{Config: c}
}
