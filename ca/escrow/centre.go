package escrow

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date; those of internal/access and of ca must be there.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "escrow", migrations) }

// The terms where Config says nothing.
const (
	// DefaultSessionTerm is how long a session waits for its shares.
	DefaultSessionTerm = 15 * time.Minute
	// MinRetention is how many years a key stays after its last certificate's end, at least: what 电子签名法 article 24 asks of
	// the records of a certificate.
	MinRetention = 5
	// DefaultRecoveryAge is how old an intent is that no process can still be working on.
	DefaultRecoveryAge = time.Minute
	// DefaultRetention is how many years a key stays after its last certificate's end.
	DefaultRetention = 10
)

const (
	maxDeliveries = 10 // these three stand in the tables' constraints as well
	maxRounds     = 3
	maxRefused    = 5
)

// Config is what a Centre works with.
type Config struct {
	DB     *store.DB
	Ledger *ledger.Ledger
	Access *access.Service
	Clock  func() time.Time
	// Standing gives an error for a certificate that is revoked or suspended now: no key is handed out to its holder. Nil
	// asks nobody.
	Standing func(ctx context.Context, c *chain.Certificate) error
	// Random makes keys and nonces; nil is the operating system's.
	Random io.Reader
	// SessionTerm is how long a session waits for its shares; 0 is DefaultSessionTerm, and an hour the most.
	SessionTerm time.Duration
	// Retention is after how many years from the end of its last certificate a key may be destroyed; 0 is DefaultRetention, and
	// less than MinRetention is MinRetention.
	Retention int
	// RecoveryAge is how old an intent without result must be for Recover to void it; 0 is DefaultRecoveryAge. An issuance
	// takes milliseconds, and one that is voided while it works fails.
	RecoveryAge time.Duration
}

// Centre is the key centre. It holds no secret but the shares of open sessions, and is safe for concurrent use.
type Centre struct {
	Config

	lock     sync.Mutex
	sessions map[string]*session

	// interrupt, if set, is called between the steps of a change, in tests of what happens meanwhile.
	interrupt func(step string)
}

func (c *Centre) at(step string) {
	if c.interrupt != nil {
		c.interrupt(step)
	}
}

// New gives the key centre over tables that Migrate has made. It may not be established yet.
func New(c Config) *Centre {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.SessionTerm <= 0 {
		c.SessionTerm = DefaultSessionTerm
	}
	c.SessionTerm = min(c.SessionTerm, time.Hour)
	if c.RecoveryAge <= 0 {
		c.RecoveryAge = DefaultRecoveryAge
	}
	if c.Retention == 0 {
		c.Retention = DefaultRetention
	}
	c.Retention = max(c.Retention, MinRetention)
	return &Centre{Config: c, sessions: map[string]*session{}}
}

// recoveryKey is the public half of a recovery key.
type recoveryKey struct {
	generation int
	public     *ecdsa.PublicKey
}

// sealingKeys are the recovery keys under which a key is to be sealed now: the current one, and one that is about to
// replace it.
func sealingKeys(ctx context.Context, q store.Querier) ([]recoveryKey, error) {
	rows, err := q.QueryContext(ctx, `SELECT generation, public_key, state FROM escrow_recovery_key WHERE state IN ('pending', 'current') ORDER BY generation`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []recoveryKey
	established := false
	for rows.Next() {
		var k recoveryKey
		var point []byte
		var state string
		if err := rows.Scan(&k.generation, &point, &state); err != nil {
			return nil, err
		}
		if k.public, err = sm2.NewPublicKey(point); err != nil {
			return nil, ErrDamaged.With("generation %d", k.generation).Because(err)
		}
		established = established || state == "current"
		list = append(list, k)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if !established {
		return nil, ErrNotEstablished.New()
	}
	return list, nil
}

func (c *Centre) record(ctx context.Context, tx *store.Tx, kind, actor, subject string, data map[string]string) error {
	_, err := c.Ledger.Append(ctx, tx, ledger.Event{Time: c.Clock(), Kind: kind, Actor: actor, Subject: subject, Data: data})
	return err
}

func isMissing(err error) bool { return errors.Is(err, sql.ErrNoRows) }
