// Package register keeps the seals: their pictures, their electronic instances, the states they went through and who
// may use which seal when.
//
// A seal is known by its code (14 digits; esID of the structure, CN of the certificate). Make brings a seal into
// being, under an approval by two people; Authorise answers the one question of every use: may this actor use this
// seal now, and with which instance; StateAt answers a verifier: was the seal in force at that time.
//
// An instance is valid as long as the certificate that it lists (GB/T 38540-2020, certList): a renewed certificate
// needs a new instance, which supersedes the old one. Documents sealed with the old one stay valid.
package register

import (
	"context"
	"crypto/ecdsa"
	"embed"
	"sync"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date.
func Migrate(ctx context.Context, db *store.DB) error {
	return db.Migrate(ctx, "register", migrations)
}

// MakerKey signs seals. The keystore's ring of purpose seal-maker gives one.
type MakerKey interface {
	Public() *ecdsa.PublicKey
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}

// Maker is the seal maker: its certificate (DER) and its key.
type Maker struct {
	Certificate []byte
	Key         MakerKey
	VendorID    string // vid of SES_Header
}

// Config is what a Register works with. Maker may be empty where no seals are made.
type Config struct {
	DB     *store.DB
	Ledger *ledger.Ledger
	Access *access.Service
	Maker  Maker
	Clock  func() time.Time
	// Certificates says what the state of a certificate that an instance lists is at a time; whoever issued it knows. Nil:
	// nothing is known against any.
	Certificates Certificates
}

// Certificates is what is asked about certificates, whenever somebody asks about a seal: nothing of it is kept here.
type Certificates func(ctx context.Context, c *chain.Certificate, at time.Time) (chain.Status, error)

// Register is the register of seals. It is safe for concurrent use.
type Register struct {
	Config
	digests sync.Map // of instances for the trust list, by their IDs
	made    madeInstances
}

// New gives the register over its tables.
func New(c Config) *Register { return &Register{Config: c} }

// Custody says where the key of an instance lies.
type Custody string

const (
	// Central is a key held by the service (集中式用章).
	Central Custody = "central"
	// UserKey is a key on a person's USB Key (分散式用章).
	UserKey Custody = "key"
)

// Instance is one electronic seal: a picture and name bound to one certificate.
type Instance struct {
	ID          string
	SealCode    string
	SealName    string
	Custody     Custody
	Holder      string
	KeyName     string // in the keystore; empty for UserKey
	Certificate []byte // DER
	Seal        []byte // DER SESeal
	Picture     []byte // PNG
	Width       float64
	Height      float64 // mm
	ValidFrom   time.Time
	ValidUntil  time.Time
}
