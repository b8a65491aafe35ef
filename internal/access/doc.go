// Package access says who acts, in which role, and which two people stand behind a decision: actors, roles, API keys,
// and the one mechanism for approvals.
//
// A registrar makes a Request: a kind and the exact bytes of what shall be done. A different person, an approver, says
// Approve. The room that does it calls Redeem inside its own transaction, with the kind and the bytes it is about to
// act on; that uses the approval up. An Approval can be made nowhere else, so a function that takes one, or that
// redeems one, cannot be reached by one person alone:
//
//	id, err := service.Request(ctx, registrar, access.KindIssueCertificate, request.Subject())
//	err = service.Approve(ctx, approver, id)
//	err = db.Write(ctx, func(tx *store.Tx) error {
//		approval, err := service.Redeem(ctx, tx, id, access.KindIssueCertificate, request.Subject())
//		…
//	})
//
// # Promises
//
// Requester and approver differ: this package checks it, and so does the database (CHECK, and composite foreign keys
// from the approval to its request). Roles are read from the database at the moment of the act; what a caller's Actor
// claims does not count. A request and an approval end after 30 days; one rejection ends a request; an approval is
// redeemed once, also when two try at the same moment. Every step is appended to the ledger in the same transaction.
// A role is granted by approval, except for the founding ones of a new installation (CreateActor until CloseFounding).
// API keys are stored as hashes and shown once.
//
// It does not know passwords, sessions or HTTP.
package access

import (
	"context"
	"embed"
	"time"

	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "access", migrations) }

// Service is the room's door. It is safe for concurrent use.
type Service struct {
	db     *store.DB
	ledger *ledger.Ledger
	clock  func() time.Time
}

// New gives a Service over tables that Migrate has made.
func New(db *store.DB, l *ledger.Ledger, clock func() time.Time) *Service {
	return &Service{db: db, ledger: l, clock: clock}
}
