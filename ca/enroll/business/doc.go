// Package business carries out what an approved application asks for: the six businesses of annex 1 (新申请, 机构变更,
// 印模变更, Key 补办, Key 解锁, 注销), the renewals that follow from them, and the suspension of a user.
//
// It stands between registration (package enroll), which knows what was approved, the authority, which issues, and the
// register of seals, of which it knows what it declares itself (Seals). At the examination of an application it says
// which acts the application takes; each becomes a part of the plan that two people approve, and is carried out under
// the approval of that part, once. Acts of the phase "issue" make certificates and, in the same transaction, the seals
// that list them, which wait; acts of the phase "accept" follow when the holder has accepted: seals are put into use,
// grants begin, old certificates are revoked.
package business

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"embed"
	"strings"
	"time"

	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/workday"
	"yinxin/ca/escrow"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/keystore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date. Those of access, ca and enroll must exist.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "business", migrations) }

// SealingKeys is custody of the keys of central seals. Names are chosen here.
type SealingKeys interface {
	Generate(ctx context.Context, name string) (*ecdsa.PublicKey, error)
	// Request is a certification request (PKCS#10) of a key, signed by it.
	Request(ctx context.Context, name string) ([]byte, error)
	// Retire ends the use of a key; one that is retired already stays so.
	Retire(ctx context.Context, name string) error
}

// Config is what this room works with.
type Config struct {
	DB        *store.DB
	Ledger    *ledger.Ledger
	Access    *access.Service
	Authority *ca.Authority
	Enroll    *enroll.Service // set after New, since registration asks this room for plans
	Seals     Seals
	Keys      SealingKeys
	// Authorities make certificates of institutions in place of the own authority; nil: there is only that.
	Authorities *backend.Backends
	// Institutions names the authority that makes the certificates of central seals; empty: the own one.
	Institutions string
	Escrow       *escrow.Centre
	// Safe seals the SO PINs of tokens.
	Safe  *keystore.Safe
	Clock func() time.Time
	// Calendar knows the working days; nil is Monday to Friday.
	Calendar *workday.Calendar
	// AcceptDays is after how many working days silence counts as acceptance of a renewal.
	AcceptDays int
}

// Service is the room's door. It is safe for concurrent use.
type Service struct {
	Config
}

// New gives a Service over tables that Migrate has made.
func New(c Config) *Service {
	if c.Calendar == nil {
		c.Calendar = &workday.Calendar{}
	}
	return &Service{c}
}

// newKeyName is the name of a new key of a central seal.
func newKeyName(sealCode string) string {
	return "seal-" + sealCode + "-" + strings.ToLower(rand.Text()[:8])
}

func isRevoked(err error) bool { return fault.Has(err, ca.ErrRevoked) }

func isHeld(err error) bool { return fault.Has(err, ca.ErrHeld) }
