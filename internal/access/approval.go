package access

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Kind is the kind of thing that two people decide.
type Kind string

// The kinds. Which bytes are the subject is said where the kind is redeemed.
const (
	KindIssueCertificate   Kind = "certificate.issue"
	KindRevokeCertificate  Kind = "certificate.revoke"
	KindSuspendCertificate Kind = "certificate.suspend"
	KindResumeCertificate  Kind = "certificate.resume"
	KindMakeSeal           Kind = "seal.make"
	KindCancelSeal         Kind = "seal.cancel"
	KindSuspendSeal        Kind = "seal.suspend"
	KindResumeSeal         Kind = "seal.resume"
	KindGrant              Kind = "seal.grant"
	KindGrantRole          Kind = "role.grant"
	KindApproveApplication Kind = "application.approve" // a plan: see RequestPlan
	KindConfirmSuspension  Kind = "suspension.confirm"  // of a user of seals: a plan
	KindLiftSuspension     Kind = "suspension.lift"     // a plan
	KindRecoverKey         Kind = "key.recover"
	KindDestroyKey         Kind = "key.destroy"   // in escrow, after its term
	KindChangeEscrow       Kind = "escrow.change" // another recovery key, or another split of it
	KindUnlockKey          Kind = "key.unlock"
	KindImportAnchor       Kind = "anchor.import"
)

const (
	// RenewalTerm is how many years an approval carries renewals of what was made under it.
	RenewalTerm = 5
	// Term is how long a request waits for a decision, and then how long an approval waits to be used.
	Term = 30 * 24 * time.Hour
	// MaxSubject is the largest subject in bytes.
	MaxSubject = 256 << 10
)

// Approval is the proof that two people decided something. Only Redeem makes one.
type Approval struct {
	id                  string
	kind                Kind
	digest              [32]byte
	requester, approver string
	approved            time.Time
}

// ID is the identifier of the request that was approved.
func (a Approval) ID() string { return a.id }

// Kind is what kind of thing was approved.
func (a Approval) Kind() Kind { return a.kind }

// Requester is the ID of the actor who asked.
func (a Approval) Requester() string { return a.requester }

// Approver is the ID of the actor who agreed.
func (a Approval) Approver() string { return a.approver }

// Approved is when the second person agreed.
func (a Approval) Approved() time.Time { return a.approved }

// Covers reports whether exactly this was approved. The zero Approval covers nothing.
func (a Approval) Covers(k Kind, subject []byte) bool {
	digest := sm3.Sum(subject)
	return a.id != "" && a.kind == k && subtle.ConstantTimeCompare(digest[:], a.digest[:]) == 1
}

// Request asks for a decision. by must be a registrar now, or an administrator for the grant of a role or of a seal's use or a trust anchor; subject is the exact bytes of what shall be done, at most
// MaxSubject. Errors: access.role, access.subject, access.actor-not-found, access.separated.
func (s *Service) Request(ctx context.Context, by Actor, k Kind, subject []byte) (id string, err error) {
	return s.RequestPlan(ctx, by, k, subject, nil)
}

// RequestBecause is Request with the requester's reason, which is kept beside the request and stands on its page: at most
// 200 characters, without personal data.
func (s *Service) RequestBecause(ctx context.Context, by Actor, k Kind, subject []byte, why string) (id string, err error) {
	if !validText(why) {
		return "", ErrSubject.At(fault.Field("why"))
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		id, err = s.requestIn(ctx, tx, by, asked{kind: k, subject: subject, why: why}, nil)
		return err
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// Approve is the consent of the second person: an approver who is not the requester; that of a plan is consent to all
// its parts. Errors: access.role, access.same-person, access.decided, access.expired, access.voided, access.part,
// access.request-not-found, access.own-step.
func (s *Service) Approve(ctx context.Context, by Actor, id string) error {
	return s.ApproveBecause(ctx, by, id, "")
}

// ApproveBecause is Approve with a remark that is kept with the decision: at most 200 characters, without personal data.
func (s *Service) ApproveBecause(ctx context.Context, by Actor, id, remark string) error {
	if !validText(remark) {
		return ErrSubject.At(fault.Field("reason"))
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		if err := s.decidedHere(ctx, tx, id); err != nil {
			return err
		}
		return s.approveIn(ctx, tx, by, id, remark)
	})
}

// ApproveIn is Approve in a transaction of the caller.
func (s *Service) ApproveIn(ctx context.Context, tx *store.Tx, by Actor, id string) error {
	return s.approveIn(ctx, tx, by, id, "")
}

func (s *Service) approveIn(ctx context.Context, tx *store.Tx, by Actor, id, remark string) error {
	now := s.clock()
	all, err := s.decide(ctx, tx, by, id, decision{state: "approved", reason: remark, at: now})
	if err != nil {
		return err
	}
	for _, r := range all {
		_, err := tx.ExecContext(ctx, `INSERT INTO access_approval (id, kind, digest, requester, approver, request_state, approved, expires, used)
			VALUES ($1, $2, $3, $4, $5, 'approved', $6, $7, 0)`,
			r.ID, string(r.Kind), r.Digest, r.Requester, by.ID, store.Time(now), store.Time(now.Add(Term)))
		if err != nil {
			return err
		}
		err = s.record(ctx, tx, now, "approval.granted", by.ID, r.ID, map[string]string{"kind": string(r.Kind), "requester": r.Requester})
		if err != nil {
			return err
		}
	}
	return nil
}

// Reject ends a request. The reason is kept with it, at most 200 characters; it must not hold personal data.
func (s *Service) Reject(ctx context.Context, by Actor, id, reason string) error {
	if !validText(reason) {
		return ErrSubject.At(fault.Field("reason"))
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		if err := s.decidedHere(ctx, tx, id); err != nil {
			return err
		}
		return s.RejectIn(ctx, tx, by, id, reason)
	})
}

// RejectIn is Reject in a transaction of the caller.
func (s *Service) RejectIn(ctx context.Context, tx *store.Tx, by Actor, id, reason string) error {
	if !validText(reason) {
		return ErrSubject.At(fault.Field("reason"))
	}
	now := s.clock()
	all, err := s.decide(ctx, tx, by, id, decision{state: "rejected", reason: reason, at: now})
	if err != nil {
		return err
	}
	r := all[0]
	return s.record(ctx, tx, now, "approval.rejected", by.ID, id, map[string]string{"kind": string(r.Kind), "requester": r.Requester})
}

// decision is what an approver says of a request.
type decision struct {
	state, reason string
	at            time.Time
}

// decide closes an open request and its parts in the name of an approver who did not make it; the request comes first
// in the answer.
func (s *Service) decide(ctx context.Context, tx *store.Tx, by Actor, id string, d decision) ([]Pending, error) {
	r, err := readRequest(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if _, err := s.Acting(ctx, tx, by, RoleApprover); err != nil {
		return nil, err
	}
	switch {
	case r.Parent != "":
		return nil, ErrPart.With("%s", r.Parent)
	case r.Requester == by.ID:
		return nil, ErrSamePerson.New()
	case r.Voided:
		return nil, ErrVoided.New()
	case r.State != "open":
		return nil, ErrDecided.With("%s", r.State)
	case !d.at.Before(r.Expires):
		return nil, ErrExpired.New()
	}
	parts, err := readParts(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	all := append([]Pending{r}, parts...)
	for _, r := range all {
		// The condition on state decides between two who act at the same moment.
		result, err := tx.ExecContext(ctx, `UPDATE access_request SET state = $1, decider = $2, decided = $3, reason = $4 WHERE id = $5 AND state = 'open' AND voided IS NULL`,
			d.state, by.ID, store.Time(d.at), d.reason, r.ID)
		if err != nil {
			return nil, err
		}
		if err := store.ExactlyOne(result, ErrDecided.New()); err != nil {
			return nil, err
		}
	}
	return all, nil
}
