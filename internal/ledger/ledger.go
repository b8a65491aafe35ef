package ledger

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"embed"
	"encoding/base32"
	"encoding/binary"
	"sync"
	"time"

	"yinxin/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of the ledger up to date.
func Migrate(ctx context.Context, db *store.DB) error {
	return db.Migrate(ctx, "ledger", migrations)
}

// Signer is the key of the ledger.
type Signer interface {
	// Public is an SM2 key.
	Public() *ecdsa.PublicKey
	// SignDigest signs e = SM3(Z ‖ message) and gives the DER SEQUENCE {r, s}.
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}

// Ledger appends events and makes the tree grow. It is safe for concurrent use.
type Ledger struct {
	db     *store.DB
	key    Signer
	clock  func() time.Time
	holder string // this Ledger's name in the lease

	identifiers sync.Mutex
	last        [10]byte // microseconds and counter of the last identifier

	sequencing sync.Mutex
	trusted    Checkpoint // the newest that this Ledger has signed or checked
}

// New makes a Ledger on tables that Migrate has made. One that only appends and reads may have no key (nil).
func New(db *store.DB, key Signer, clock func() time.Time) *Ledger {
	return &Ledger{db: db, key: key, clock: clock, holder: rand.Text()}
}

// Public verifies the checkpoints; nil for a Ledger without key.
func (l *Ledger) Public() *ecdsa.PublicKey {
	if l == nil || l.key == nil {
		return nil
	}
	return l.key.Public()
}

// alphabet is in ascending order, so that identifiers sort as the numbers that they spell.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// newIdentifier gives an identifier that sorts after all earlier ones of this Ledger: the order of events within a
// transaction, and nearly that across processes, becomes their order in the tree. It is 8 bytes of microseconds, 2 of
// a counter, 6 random.
func (l *Ledger) newIdentifier(now time.Time) string {
	var id [16]byte
	_, _ = rand.Read(id[10:]) // never fails, says crypto/rand
	l.identifiers.Lock()
	defer l.identifiers.Unlock()
	micros := uint64(max(0, now.UnixMicro()))
	if last := binary.BigEndian.Uint64(l.last[:]); micros > last {
		binary.BigEndian.PutUint64(l.last[:], micros)
		l.last[8], l.last[9] = 0, 0
	} else if count := binary.BigEndian.Uint16(l.last[8:]) + 1; count != 0 {
		binary.BigEndian.PutUint16(l.last[8:], count)
	} else {
		binary.BigEndian.PutUint64(l.last[:], last+1)
		l.last[8], l.last[9] = 0, 0
	}
	copy(id[:], l.last[:])
	return base32.NewEncoding(alphabet).WithPadding(base32.NoPadding).EncodeToString(id[:])
}

// Append writes the event in the caller's transaction and gives its identifier, which later finds the entry and its
// proof. A zero Time becomes now. Errors: ledger.event, and those of the transaction.
func (l *Ledger) Append(ctx context.Context, tx *store.Tx, e Event) (id string, err error) {
	now := l.clock()
	if e.Time.IsZero() {
		e.Time = now
	}
	id = l.newIdentifier(now)
	e = e.clean()
	entry, err := encodeEntry(id, e)
	if err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO ledger_event (id, time, kind, actor, subject, entry)
		VALUES ($1, $2, $3, $4, $5, $6)`, id, store.Time(e.Time), e.Kind, e.Actor, e.Subject, string(entry))
	if err != nil {
		return "", err
	}
	return id, nil
}
