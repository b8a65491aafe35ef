package access

import (
	"context"
	"time"

	"yinxin/internal/store"
)

// Part is one act of a plan: what Request takes.
type Part struct {
	Kind    Kind
	Subject []byte
}

// OwnStep reports whether requests of a kind are decided by a step of the room that they belong to, which changes its own
// records with them: ApproveIn and RejectIn, never Approve and Reject.
func (k Kind) OwnStep() bool {
	return k == KindApproveApplication || k == KindConfirmSuspension || k == KindLiftSuspension
}

// decidedHere refuses what another room decides.
func (s *Service) decidedHere(ctx context.Context, tx *store.Tx, id string) error {
	r, err := readRequest(ctx, tx, id)
	if err == nil && r.Kind.OwnStep() {
		err = ErrOwnStep.With("%s", r.Kind)
	}
	return err
}

// MaxParts is the largest number of parts of a plan.
const MaxParts = 50_000

// RequestPlan asks for one decision over a subject and everything that it takes: each part becomes a request of its own
// that is decided together with the plan and nothing else, and is then redeemed by itself (see Parts for their
// identifiers). Errors: those of Request, also for a part.
func (s *Service) RequestPlan(ctx context.Context, by Actor, k Kind, subject []byte, parts []Part) (id string, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		id, err = s.RequestPlanIn(ctx, tx, by, k, subject, parts)
		return err
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// RequestPlanIn is RequestPlan in a transaction of the caller.
func (s *Service) RequestPlanIn(ctx context.Context, tx *store.Tx, by Actor, k Kind, subject []byte, parts []Part) (id string, err error) {
	return s.requestIn(ctx, tx, by, asked{kind: k, subject: subject}, parts)
}

// requestIn asks for what plan says in its kind, subject and reason.
func (s *Service) requestIn(ctx context.Context, tx *store.Tx, by Actor, plan asked, parts []Part) (id string, err error) {
	k := plan.kind
	if len(parts) > MaxParts {
		return "", ErrSubject.With("%d parts", len(parts))
	}
	need := []Role{RoleRegistrar}
	if (k == KindGrantRole || k == KindGrant || k == KindImportAnchor) && len(parts) == 0 {
		need = append(need, RoleAdministrator) // who may do what, and who is trusted, is asked for from the pages of administration, too
	}
	if _, err := s.Acting(ctx, tx, by, need...); err != nil {
		return "", err
	}
	now := s.clock()
	plan.id, plan.by, plan.at = store.NewID("req_"), by.ID, now
	if err := s.ask(ctx, tx, plan); err != nil {
		return "", err
	}
	for i, part := range parts {
		err := s.ask(ctx, tx, asked{id: store.NewID("req_"), kind: part.Kind, subject: part.Subject, by: by.ID, at: now, parent: plan.id, part: i + 1})
		if err != nil {
			return "", err
		}
	}
	return plan.id, nil
}

// RequestOutsideIn asks for a decision in the name of another installation, in a transaction of the caller: by is a
// requester, or a registrar, and k is the issuing or the revocation of a certificate. The room that takes the order says
// that by may have it. Errors: access.role, access.subject, access.actor-not-found.
func (s *Service) RequestOutsideIn(ctx context.Context, tx *store.Tx, by Actor, k Kind, subject []byte) (id string, err error) {
	if k != KindIssueCertificate && k != KindRevokeCertificate {
		return "", ErrSubject.With("%s", k)
	}
	if _, err := s.Acting(ctx, tx, by, RoleRequester, RoleRegistrar); err != nil {
		return "", err
	}
	id = store.NewID("req_")
	return id, s.ask(ctx, tx, asked{id: id, kind: k, subject: subject, by: by.ID, at: s.clock()})
}

// asked is one row of a request.
type asked struct {
	id      string
	kind    Kind
	subject []byte
	why     string
	by      string
	at      time.Time
	parent  string
	part    int
}

func (s *Service) ask(ctx context.Context, tx *store.Tx, a asked) error {
	if len(a.subject) == 0 || len(a.subject) > MaxSubject || a.kind == "" || len(a.kind) > 64 {
		return ErrSubject.New()
	}
	if a.kind == KindGrantRole {
		if err := askedSeparated(ctx, tx, a.subject); err != nil {
			return err
		}
	}
	var parent, part any
	data := map[string]string{"kind": string(a.kind), "digest": digestText(a.subject)}
	if a.parent != "" {
		parent, part, data["plan"] = a.parent, a.part, a.parent
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO access_request (id, kind, subject, digest, requester, state, created, expires, reason, parent, part, why)
		VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, '', $8, $9, $10)`,
		a.id, string(a.kind), a.subject, data["digest"], a.by, store.Time(a.at), store.Time(a.at.Add(Term)), parent, part, a.why)
	if err != nil {
		return err
	}
	return s.record(ctx, tx, a.at, "approval.requested", a.by, a.id, data)
}

// Void ends a request and its parts in whatever state, because what it was about has changed: an open one can no longer
// be decided, and of an approved one what was not redeemed yet can no longer be. One person does it, since it only
// narrows what is possible; who may is for the caller to say. Errors: access.request-not-found, access.part. Voiding
// again does nothing.
func (s *Service) Void(ctx context.Context, tx *store.Tx, by Actor, id string) error {
	r, err := readRequest(ctx, tx, id)
	if err != nil {
		return err
	}
	if r.Parent != "" {
		return ErrPart.With("%s", r.Parent)
	}
	now := s.clock()
	result, err := tx.ExecContext(ctx, `UPDATE access_request SET voided = $1 WHERE (id = $2 OR parent = $2) AND voided IS NULL`, store.Time(now), id)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return s.record(ctx, tx, now, "approval.voided", by.ID, id, map[string]string{"kind": string(r.Kind), "state": r.State})
}

// Prolong lets what is left of an approved plan be redeemed until a later time, at most a year from now: its work was begun
// within the term, and what is left waits for somebody outside, the holder's acceptance or another authority. What ran
// out already stays so. The caller says in which step it does it; it is on record. Errors: access.request-not-found,
// access.part.
func (s *Service) Prolong(ctx context.Context, tx *store.Tx, id string, until time.Time) error {
	r, err := readRequest(ctx, tx, id)
	if err != nil {
		return err
	}
	if r.Parent != "" {
		return ErrPart.With("%s", r.Parent)
	}
	now := s.clock()
	if year := now.AddDate(1, 0, 0); until.After(year) {
		until = year
	}
	result, err := tx.ExecContext(ctx, `UPDATE access_approval SET expires = $1 WHERE used = 0 AND expires > $2 AND expires < $1
		AND id IN (SELECT id FROM access_request WHERE parent = $3 AND voided IS NULL)`, store.Time(until), store.Time(now), id)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return s.record(ctx, tx, now, "approval.prolonged", "", id, map[string]string{"kind": string(r.Kind), "until": store.Time(until)})
}
