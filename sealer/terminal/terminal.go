// Package terminal is the server's side of sealing with USB Keys (分散式用章): terminals paired with a person, tasks for a
// clerk's terminals, and the two phases of each sealing, of which package sealer knows the inside (docs/terminal.md).
//
// Of people: OpenPairing, Terminals, End, ConfirmKey; Create, Task, Tasks, Cancel, Retry. Of terminals: Pair, Authenticate, and with
// the Terminal that this gives Waiting, Claim, Release, Prepare, File, Complete, Decline. Recover should run now and then. Logins by
// USB Key: Ask and SignIn for browsers; Login, AnswerLogin, DeclineLogin and OfferKey for terminals.
//
// # Promises
//
// A terminal acts for the person who paired it and nobody else, as long as neither has ended, and seals only while that is an operator.
// A task is seen by its clerk and by who made it. One terminal at a time has a task. Each item is sealed at most once: its
// sealings share one idempotency key, and the database holds one signature that was taken for it. A signature is taken only
// from the terminal that the manifest was for, with its nonce, in its time, by the certificate that it named; grant, seal and
// certificate are checked when it is prepared and again when it is completed. What a process left undone when it died is
// done by Recover in any other: a signature that was taken is completed, everything else goes back to where it was.
//
// The key derived from a pairing code is in the database while the code lives, five minutes: who can read the database in that time
// could pair a terminal, which without the clerk's USB Key seals nothing.
package terminal

import (
	"context"
	"embed"
	"io"
	"sync"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/login"
	"yinxin/internal/store"
	"yinxin/keystore"
	"yinxin/sealer"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date.
func Migrate(ctx context.Context, db *store.DB) error {
	return db.Migrate(ctx, "terminal", migrations)
}

// DefaultTaskLife is how long a task waits for its clerk where Config does not say.
const DefaultTaskLife = 24 * time.Hour

// Config is what a Service works with.
type Config struct {
	DB     *store.DB
	Ledger *ledger.Ledger
	Access *access.Service
	Sealer *sealer.Service
	Keys   *keystore.Ring // of purpose manifest
	Clock  func() time.Time
	Random io.Reader
	// Logins, if set, are signed in by USB Key at the terminals. Name is what the installation is called, for people who are asked.
	Logins *login.Service
	Name   string
	// TaskLife is how long a task waits for its clerk; 0 is DefaultTaskLife.
	TaskLife time.Duration
	// MinimumAgent is the oldest version of an agent that is good enough (release.IsVersion), for advice to people; empty: any.
	MinimumAgent string
	// Done, if set, is told of every task in which no item waits any more, in the transaction that records it; owner is who made the task. A task whose
	// failed items are retried is done again.
	Done func(ctx context.Context, tx *store.Tx, owner, task string, data map[string]string) error
	// Poll is how often somebody who waits for a task looks for those that another process was given; 0 is 5 s.
	Poll time.Duration
}

// Service is the room's door. It is safe for concurrent use.
type Service struct {
	Config
	news news
}

// New gives a Service over its tables.
func New(c Config) *Service {
	if c.TaskLife == 0 {
		c.TaskLife = DefaultTaskLife
	}
	if c.Poll == 0 {
		c.Poll = 5 * time.Second
	}
	return &Service{Config: c}
}

func (s *Service) record(ctx context.Context, tx *store.Tx, kind, actor, subject string, data map[string]string) error {
	_, err := s.Ledger.Append(ctx, tx, ledger.Event{Time: s.Clock(), Kind: kind, Actor: actor, Subject: subject, Data: data})
	return err
}

// news tells those who wait in this process that there may be something for them.
type news struct {
	mu sync.Mutex
	at chan struct{}
}

func (n *news) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.at == nil {
		n.at = make(chan struct{})
	}
	return n.at
}

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.at != nil {
		close(n.at)
		n.at = nil
	}
}
