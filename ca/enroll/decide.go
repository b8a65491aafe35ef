package enroll

import (
	"context"
	"encoding/json"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

// Examine is the first person's word that everything is in order: the original is here and of wet ink, no error is left
// and each doubt has an officer's reason. It asks the second person to approve this version with everything that it takes
// (see Planner). Errors: enroll.wet-ink, enroll.findings, those of access.RequestPlan.
func (s *Service) Examine(ctx context.Context, by access.Actor, ref Ref) (Application, error) {
	return s.take(ctx, by, ref, StepExamine, "", func(a *act) error {
		ver, err := s.loadVersion(ctx, a.tx, a.r)
		if err != nil {
			return err
		}
		findings, err := s.inOrder(ctx, a, ver)
		if err != nil {
			return err
		}
		d, err := s.dossier(ctx, a.tx, a.r, ver)
		if err != nil {
			return err
		}
		parts, err := s.Planner.Plan(ctx, a.tx, d)
		if err != nil {
			return err
		}
		if len(parts) == 0 {
			return ErrPlan.New()
		}
		id, err := s.Access.RequestPlanIn(ctx, a.tx, a.by(), planKind, ver.subject, parts)
		if err != nil {
			return err
		}
		a.r.examination, a.r.examinationVersion, a.r.examinationDigest = id, a.r.version, ver.digest
		a.data["request"], a.data["digest"], a.data["parts"] = id, ver.digest, itoa(len(parts))
		return insertExamination(ctx, a, findings)
	})
}

// inOrder refuses an application that must not be approved as it is, and gives the doubts that were put aside.
func (s *Service) inOrder(ctx context.Context, a *act, ver version) ([]Finding, error) {
	if a.r.original == "" || a.r.inkVersion != a.r.version {
		return nil, ErrInk.New()
	}
	findings, err := s.judge(ctx, a.tx, a.r, ver)
	if err != nil {
		return nil, err
	}
	var open []Finding
	for _, f := range findings {
		if f.stands() {
			open = append(open, f)
		}
	}
	return findings, refuse(open)
}

func insertExamination(ctx context.Context, a *act, findings []Finding) error {
	text, err := json.Marshal(findings)
	if err != nil {
		return err
	}
	_, err = a.tx.ExecContext(ctx, `INSERT INTO enroll_examination (id, application, version, digest, kind, examiner, examined, findings)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		a.r.examination, a.r.id, a.r.version, a.r.examinationDigest, string(planKind), a.v.ID, store.Time(a.now), string(text))
	return err
}

// Approve is the second person's consent to exactly the version that was examined, and to all that it takes. Neither the
// examiner nor whoever made this version may give it. Errors: access.same-person, access.expired, enroll.findings when
// something has turned up since.
func (s *Service) Approve(ctx context.Context, by access.Actor, ref Ref) (Application, error) {
	return s.take(ctx, by, ref, StepApprove, "", func(a *act) error {
		ver, err := s.loadVersion(ctx, a.tx, a.r)
		if err != nil {
			return err
		}
		if ver.by == a.v.ID {
			return access.ErrSamePerson.New()
		}
		if _, err := s.inOrder(ctx, a, ver); err != nil {
			return err
		}
		if err := s.Access.ApproveIn(ctx, a.tx, a.by(), a.r.examination); err != nil {
			return err
		}
		approval, err := s.Access.Redeem(ctx, a.tx, a.r.examination, planKind, ver.subject)
		if err != nil {
			return err
		}
		a.r.approval, a.r.approved = approval.ID(), a.now
		a.data["approval"], a.data["requester"], a.data["digest"] = approval.ID(), approval.Requester(), a.r.examinationDigest
		return s.confirmWithdrawn(ctx, a)
	})
}
