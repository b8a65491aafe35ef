package enroll

import (
	"context"

	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Submit hands a draft or a corrected application in: to the city bureau, or from a direct unit to the province. The
// agreement in force must have been accepted and the form must hold no error of its own; the scans may follow. A user whom
// the roster says is withdrawn (US02) is suspended at once. Errors: enroll.agreement, enroll.findings.
func (s *Service) Submit(ctx context.Context, by access.Actor, ref Ref) (Application, error) {
	return s.take(ctx, by, ref, StepSubmit, "", func(a *act) error {
		ver, err := s.loadVersion(ctx, a.tx, a.r)
		if err != nil {
			return err
		}
		current, err := currentAgreement(ctx, a.tx)
		if err != nil {
			return err
		}
		if !ver.form.Agreement.Accepted || ver.form.Agreement.Version != current.Version {
			return ErrAgreement.With("%s", current.Version)
		}
		findings, err := s.judge(ctx, a.tx, a.r, ver)
		if err != nil {
			return err
		}
		var wrong []Finding
		for _, f := range findings {
			if f.Severity == form.Error && f.Code != findingAttachment.Code {
				wrong = append(wrong, f)
			}
		}
		if err := refuse(wrong); err != nil {
			return err
		}
		return s.suspendWithdrawn(ctx, a, ver.roster)
	})
}

// refuse names what stands in the way.
func refuse(findings []Finding) error {
	if len(findings) == 0 {
		return nil
	}
	zh, en := "", ""
	for i, f := range findings {
		if i == 5 {
			zh, en = zh+"……", en+" …"
			break
		}
		if i > 0 {
			zh, en = zh+"；", en+"; "
		}
		zh, en = zh+f.Label+"："+f.ZH, en+f.Field+": "+f.EN
	}
	return ErrFindings.Saying(zh, en).At(fault.Field(findings[0].Field))
}

// Recall takes an application back to a draft that nobody has gathered or received yet.
func (s *Service) Recall(ctx context.Context, by access.Actor, ref Ref) (Application, error) {
	return s.take(ctx, by, ref, StepRecall, "", nil)
}

// Receive is the province's receipt: of what a city bureau has handed in, or of a direct unit's application. One whose
// original is here already, after a correction that did not touch the form, goes on from there. Error:
// enroll.not-handed-in.
func (s *Service) Receive(ctx context.Context, by access.Actor, ref Ref) (Application, error) {
	return s.take(ctx, by, ref, StepReceive, "", func(a *act) error {
		if !a.r.direct {
			handed, err := handedIn(ctx, a.tx, a.r.batch)
			if err != nil {
				return err
			}
			if a.r.state != StateGathered || !handed {
				return ErrNotHandedIn.New()
			}
		}
		if a.r.original != "" {
			a.to = StateOriginal
		}
		return nil
	})
}

// ReceiveOriginal records that the stamped paper has arrived: the day (YYYY-MM-DD) and the number of the 机要 delivery.
func (s *Service) ReceiveOriginal(ctx context.Context, by access.Actor, ref Ref, on, number string) (Application, error) {
	day, err := civil.ParseDay(on)
	if err != nil || day.After(s.Clock()) {
		return Application{}, ErrField.At(fault.Field("on"))
	}
	if !validText(number, 60) {
		return Application{}, ErrField.At(fault.Field("number"))
	}
	return s.take(ctx, by, ref, StepOriginal, "", func(a *act) error {
		a.r.original, a.r.originalNumber, a.r.originalBy = on, number, a.v.ID
		a.data["on"], a.data["delivery"] = on, number
		return nil
	})
}

// ConfirmInk is an officer's word that the imprints on the original are of wet ink and not printed, together with what
// the officer reads there, which is then compared with the form. It counts for this version only.
func (s *Service) ConfirmInk(ctx context.Context, by access.Actor, ref Ref, reading form.Reading) (Application, error) {
	if !validText(reading.StampedUnit, 100) || reading.ImprintText != "" && !validText(reading.ImprintText, 100) || len(reading.Centre) > 40 {
		return Application{}, ErrField.At(fault.Field("reading"))
	}
	for _, text := range []string{reading.StampedUnit, reading.ImprintText} {
		if err := checkImpersonal("reading", text); err != nil {
			return Application{}, err
		}
	}
	return s.take(ctx, by, ref, StepInk, "", func(a *act) error {
		a.r.inkVersion, a.r.inkBy, a.r.reading = a.r.version, a.v.ID, reading
		return nil
	})
}

// Return sends an application back to the unit, with a remark for each field that is wrong. An examination is void.
func (s *Service) Return(ctx context.Context, by access.Actor, ref Ref, remarks []Remark) (Application, error) {
	if err := checkRemarks(remarks); err != nil {
		return Application{}, err
	}
	return s.take(ctx, by, ref, StepReturn, "", func(a *act) error {
		if handed, err := handedIn(ctx, a.tx, a.r.batch); err != nil {
			return err
		} else if handed && !a.is(partyRegistrar) && !a.is(partyApprover) {
			return ErrHandedIn.New()
		}
		a.remarks = remarks
		a.r.batch = ""
		return s.reopen(ctx, a)
	})
}

// Withdraw ends an application at the unit's wish, as long as nothing of it has been carried out.
func (s *Service) Withdraw(ctx context.Context, by access.Actor, ref Ref, reason string) (Application, error) {
	if err := checkReason(reason); err != nil {
		return Application{}, err
	}
	return s.take(ctx, by, ref, StepWithdraw, reason, func(a *act) error { return s.reopen(ctx, a) })
}

// Reject ends an application for good: an approver's decision on an examined one, a registrar's before that.
func (s *Service) Reject(ctx context.Context, by access.Actor, ref Ref, reason string) (Application, error) {
	if err := checkReason(reason); err != nil {
		return Application{}, err
	}
	return s.take(ctx, by, ref, StepReject, reason, func(a *act) error {
		if a.r.state != StateExamined {
			return nil
		}
		if err := s.Access.RejectIn(ctx, a.tx, a.by(), a.r.examination, reason); err != nil {
			return err
		}
		a.r.forgetExamination()
		return nil
	})
}

// handedIn reports whether a batch has gone to the province; the empty batch has not.
func handedIn(ctx context.Context, q store.Querier, batch string) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM enroll_batch WHERE id = $1 AND state = 'handed-in'`, batch).Scan(&n)
	return n > 0, err
}
