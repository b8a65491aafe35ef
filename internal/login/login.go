package login

import (
	"context"
	"embed"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "login", migrations) }

const (
	maxFailures = 5
	lockTime    = 15 * time.Minute
	idleTime    = 30 * time.Minute
	lifeTime    = 12 * time.Hour
)

// Config is what the room works with.
type Config struct {
	DB     *store.DB
	Ledger *ledger.Ledger
	Access *access.Service
	Clock  func() time.Time
}

// Service is the room's door. It is safe for concurrent use.
type Service struct {
	Config
	hashing   chan struct{} // bounds the memory that hashing takes
	strangers strangers
	askers    askers
}

// New gives a Service over tables that Migrate has made.
func New(c Config) *Service { return &Service{Config: c, hashing: make(chan struct{}, 2)} }

func (s *Service) record(ctx context.Context, tx *store.Tx, kind, actor, subject string, data map[string]string) error {
	_, err := s.Ledger.Append(ctx, tx, ledger.Event{Time: s.Clock(), Kind: kind, Actor: actor, Subject: subject, Data: data})
	return err
}
