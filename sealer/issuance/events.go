package issuance

import (
	"context"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

// The kinds of events that programs are told of; the ledger has the same.
const (
	EventRequested = "issuance.requested" // a case was opened
	EventAnswered  = "issuance.answered"
	EventIssued    = "issuance.issued"  // the sealed copy can be fetched
	EventRefused   = "issuance.refused" // what the receiving archive handed in is not the copy
	EventReceived  = "issuance.received"
	EventDelivered = "issuance.delivered"
	EventCancelled = "issuance.cancelled"
	EventWithdrawn = "issuance.withdrawn"
	EventOverdue   = "issuance.overdue" // the term passed without an answer
)

// Events are all of them. What the holding archive does before it issues is none of the receiving archive's business.
var Events = []string{EventRequested, EventAnswered, EventIssued, EventRefused, EventReceived, EventDelivered, EventCancelled, EventWithdrawn, EventOverdue}

var isEvent = func() map[string]bool {
	m := map[string]bool{}
	for _, e := range Events {
		m[e] = true
	}
	return m
}()

// Tell tells an actor's program of an event of a case, in the transaction of what happened; package webhook has it.
type Tell func(ctx context.Context, tx *store.Tx, owner, kind, id string, data map[string]string) error

// tell tells everybody who may see a case: the clerks of both archives, and the programs of the platform that opened it.
// The data are number, archives, state and result: nothing personal, and no reason, which may be.
func (s *Service) tell(ctx context.Context, tx *store.Tx, kind, id string) error {
	if s.Told == nil || !isEvent[kind] {
		return nil
	}
	r, err := s.scan(tx.QueryRowContext(ctx, selectCase+` WHERE id = $1`, id).Scan)
	if err != nil {
		return err
	}
	data := map[string]string{"number": r.Number, "receiving": r.Receiving, "holding": r.Holding, "state": string(r.State), "due": store.Time(r.DueAt)}
	if r.Result != "" {
		data["result"] = string(r.Result)
	}
	opener := ""
	if r.platform {
		opener = r.opener
	}
	owners, err := store.Column[string](tx.QueryContext(ctx, `SELECT DISTINCT a.id FROM access_actor a JOIN access_role r ON r.actor = a.id
		WHERE a.retired IS NULL AND a.organisation <> '' AND (r.role = $1 AND a.organisation IN ($2, $3) OR r.role = $4 AND a.organisation = $5) ORDER BY a.id`,
		string(access.RoleOperator), r.Receiving, r.Holding, string(access.RolePlatform), opener))
	if err != nil {
		return err
	}
	for _, owner := range owners {
		if err := s.Told(ctx, tx, owner, kind, id, data); err != nil {
			return err
		}
	}
	return nil
}

// sweepStep is how many cases one transaction of Sweep takes.
const sweepStep = 100

// Sweep notes the cases whose term has passed without an answer, each once, and tells of them. It may be interrupted.
func (s *Service) Sweep(ctx context.Context) error {
	for n := sweepStep; n == sweepStep; {
		err := s.DB.Write(ctx, func(tx *store.Tx) error {
			now := store.Time(s.Clock())
			list, err := store.Column[string](tx.QueryContext(ctx, `UPDATE issuance_case SET overdue_at = $1 WHERE overdue_at IS NULL AND id IN
				(SELECT id FROM issuance_case WHERE state = 'requested' AND overdue_at IS NULL AND due_at <= $1 ORDER BY due_at, id LIMIT $2) RETURNING id`, now, sweepStep))
			n = len(list)
			for _, id := range list {
				if err == nil {
					err = s.record(ctx, tx, EventOverdue, access.Actor{}, id, nil)
				}
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
