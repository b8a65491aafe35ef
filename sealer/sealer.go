// Package sealer puts electronic seals on PDF documents: the use cases of central sealing (集中式用章).
//
// A document is uploaded once (Upload) and hashed with SM3 while it arrives; Seal then plans an incremental update,
// hashes only that update, records the intent, signs, checks the result with the project's own verifier and records
// it. Sealing does not grow with the document.
//
// What an Order asks for can be looked at first (Preview). Where the signature is made elsewhere, Prepare plans and keeps
// the update, and Complete takes the value, in this process or another; Discard gives it up. Extend adds to a sealed
// document what proves its certificates for long. Documents are looked through before they are sealed (package intake).
//
// Promises: nothing is released without an intent and a result on record; at most one document is released per
// caller and idempotency key; the sealed document begins with the original, byte for byte. A signature that was made
// by a process which then died is never released: its intent is abandoned (Recover) and the key is free again.
//
// Authorisation happens here, by the register's grants; callers only say who is asking. What it does not do: make seals,
// which is the register's work, judge documents of others (package verify), or speak HTTP.
package sealer

import (
	"context"
	"embed"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/tsa"
	"yinxin/internal/files"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/keystore"
	"yinxin/sealer/intake"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date.
func Migrate(ctx context.Context, db *store.DB) error {
	return db.Migrate(ctx, "sealer", migrations)
}

// keys is what the sealer needs of the keystore: a ring of purpose sealing.
type keys interface {
	Get(ctx context.Context, name string) (keystore.Key, error)
}

// Config is what a Service works with.
type Config struct {
	DB       *store.DB
	Files    files.Store
	Ledger   *ledger.Ledger
	Register *register.Register
	Keys     keys
	Chain    *chain.Verifier // anchors and live revocation of the service's own CA
	Clock    func() time.Time
	// MaxSize is the largest document in bytes; 0 means 4 GiB.
	MaxSize int64
	// Lease is how long an intent may stay open before it counts as abandoned; 0 means 10 s.
	Lease time.Duration
	// TimeStamps stamps what is sealed, unless an order does without. Nil: there is no authority.
	TimeStamps tsa.Source
	// Evidence gives what proves certificates for long. Nil: long-term orders are refused.
	Evidence Evidence
	// Viewer finds keywords and draws previews. Nil: orders that need it are refused.
	Viewer Viewer
	// Intake is the policy for what documents hold beside their pages; nil is intake.DefaultPolicy.
	Intake intake.Policy
	// Font is a TrueType font with Chinese for text lines; empty: orders with lines are refused.
	Font string
	// KeepPDFA refuses what would make a document no longer PDF/A that claims to be; otherwise it is only said.
	KeepPDFA bool
	// Filter and SubFilter name the profile seal in the file; empty means /GM.PKILite and /GM.sm2seal.
	Filter, SubFilter pdf.Name
	// Released, if set, is told of every document that is released, in the transaction that records it.
	Released func(ctx context.Context, tx *store.Tx, caller, sealing string, data map[string]string) error
	// Intended, if set, is called after an intent was recorded and before the key signs. Fault tests stop here.
	Intended func(sealingID string)
}

// Service seals. It is safe for concurrent use.
type Service struct {
	Config
	prepared preparedCache
	font     fontCache
}

// New gives a Service over its tables; Recover should follow.
func New(c Config) *Service {
	if c.MaxSize == 0 {
		c.MaxSize = 4 << 30
	}
	if c.Lease == 0 {
		c.Lease = 10 * time.Second
	}
	if c.Filter == "" {
		c.Filter, c.SubFilter = "GM.PKILite", "GM.sm2seal"
	}
	return &Service{Config: c}
}
