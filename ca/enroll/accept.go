package enroll

import (
	"context"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// MarkIssued records, in the transaction of the last act, that what was approved has been carried out, but for later acts
// that wait for the holder's acceptance: every other part of the plan was redeemed. The holder's term begins. Error:
// enroll.unfinished.
func (s *Service) MarkIssued(ctx context.Context, tx *store.Tx, id string, later int) error {
	return s.takeAlone(ctx, tx, id, StepIssue, func(a *act) error {
		used, all, err := s.Access.PartsUsed(ctx, tx, a.r.examination)
		if err != nil {
			return err
		}
		if used+later != all || all == 0 {
			return ErrUnfinished.With("%d / %d", used, all)
		}
		a.r.issued, a.r.until = a.now, s.Calendar.After(a.now, s.AcceptDays)
		a.data["parts"], a.data["until"] = itoa(all), store.Time(a.r.until)
		// What waits for the acceptance must not run out in the holder's term, or while an objection is answered.
		return s.Access.Prolong(ctx, tx, a.r.examination, a.r.until.Add(access.Term))
	})
}

// Accept is the holder's word that the data are right: by the handler, or by a registrar who has it in writing.
func (s *Service) Accept(ctx context.Context, by access.Actor, ref Ref) (Application, error) {
	return s.take(ctx, by, ref, StepAccept, "", nil)
}

// Object is the holder's word that something is wrong, within the term: enroll.term-over from its last moment on.
func (s *Service) Object(ctx context.Context, by access.Actor, ref Ref, reason string) (Application, error) {
	if err := checkReason(reason); err != nil {
		return Application{}, err
	}
	return s.take(ctx, by, ref, StepObject, reason, func(a *act) error {
		if !a.now.Before(a.r.until) {
			return ErrTerm.New()
		}
		return nil
	})
}

// Abort gives up what was begun under an approval and cannot be finished, because the approval has run out or an act is
// impossible: the acts that are left are void, and what was made is treated as objected to, to be revoked and closed.
// Before anything was carried out, Edit, Return and Withdraw serve: enroll.nothing-done.
func (s *Service) Abort(ctx context.Context, by access.Actor, ref Ref, reason string) (Application, error) {
	if err := checkReason(reason); err != nil {
		return Application{}, err
	}
	return s.take(ctx, by, ref, StepAbort, reason, func(a *act) error {
		used, all, err := s.Access.PartsUsed(ctx, a.tx, a.r.examination)
		if err != nil {
			return err
		}
		if used == 0 {
			return ErrNothingDone.New()
		}
		a.r.issued, a.r.until, a.r.aborted = a.now, a.now, true
		a.data["parts"], a.data["done"] = itoa(all), itoa(used)
		return s.Access.Void(ctx, a.tx, a.by(), a.r.examination)
	})
}

// Settle is the holder's acceptance after an objection was answered: enroll.unfinished for what was aborted, which is
// never accepted.
func (s *Service) Settle(ctx context.Context, by access.Actor, ref Ref, reason string) (Application, error) {
	if err := checkReason(reason); err != nil {
		return Application{}, err
	}
	return s.take(ctx, by, ref, StepSettle, reason, func(a *act) error {
		if a.r.aborted {
			return ErrUnfinished.New()
		}
		return nil
	})
}

// Close ends an application that was accepted, or whose objection led to another one; the handler's authority ends with
// it. An objection is closed with a reason.
func (s *Service) Close(ctx context.Context, by access.Actor, ref Ref, reason string) (Application, error) {
	if reason != "" {
		if err := checkReason(reason); err != nil {
			return Application{}, err
		}
	}
	return s.take(ctx, by, ref, StepClose, reason, func(a *act) error {
		if a.r.state == StateObjected && reason == "" {
			return ErrReason.At(fault.Field("reason"))
		}
		return nil
	})
}
