package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
)

// stepRoute describes a step of an application.
func (s *server) stepRoute(name, summary, description string) huma.Operation {
	return huma.Operation{OperationID: name + "-application", Method: http.MethodPost, Path: applicationPath + "/{id}/" + name, Tags: []string{tagApplications},
		Summary: summary, Description: description, Responses: s.changing()}
}

// plain registers a step that takes nothing but the application.
func (s *server) plain(op huma.Operation, who caller, take func(context.Context, access.Actor, enroll.Ref) (enroll.Application, error)) {
	operate(s, op, who, func(ctx context.Context, in *Reference) (*applicationOutput, error) {
		ref, err := in.ref()
		if err != nil {
			return nil, err
		}
		return showApplication(take(ctx, actorOf(ctx), ref))
	})
}

// told is the input of a step that takes a body.
type told[B any] struct {
	Reference
	Body B
}

// telling registers a step that takes a body.
func telling[B any](s *server, op huma.Operation, who caller, take func(ctx context.Context, by access.Actor, ref enroll.Ref, body B) (enroll.Application, error)) {
	operate(s, op, who, func(ctx context.Context, in *told[B]) (*applicationOutput, error) {
		ref, err := in.ref()
		if err != nil {
			return nil, err
		}
		return showApplication(take(ctx, actorOf(ctx), ref, in.Body))
	})
}

// reasoned registers a step that takes a reason.
func (s *server) reasoned(op huma.Operation, who caller, take func(context.Context, access.Actor, enroll.Ref, string) (enroll.Application, error)) {
	telling(s, op, who, func(ctx context.Context, by access.Actor, ref enroll.Ref, body Reason) (enroll.Application, error) {
		return take(ctx, by, ref, body.Reason)
	})
}

// Remark is why an application goes back.
type Remark struct {
	Field  string `json:"field" minLength:"1" maxLength:"64" doc:"A member of the form, or another part such as roster." example:"seal.name"`
	Reason string `json:"reason" minLength:"1" maxLength:"200" example:"印章名称与印模文字不一致"`
}

// AgreementChoice is the version that a unit has read.
type AgreementChoice struct {
	Version string `json:"version" minLength:"1" maxLength:"40" example:"2026-01"`
}

// ReturnRemarks are all that is wrong.
type ReturnRemarks struct {
	Remarks []Remark `json:"remarks" minItems:"1" maxItems:"100"`
}

// FindingConfirmation lets a doubtful point pass.
type FindingConfirmation struct {
	Finding string `json:"finding" minLength:"1" maxLength:"200" doc:"The key of the finding." example:"form.unit-kind@unit.type"`
	Reason
}

// ClosingReason is needed to close an objection.
type ClosingReason struct {
	Reason string `json:"reason,omitempty" maxLength:"200" doc:"Needed where the holder has objected."`
}

// BatchChoice is the batch into which an application goes.
type BatchChoice struct {
	Batch string `json:"batch" minLength:"1" maxLength:"64"`
}

func (s *server) applicationSteps() {
	e := s.Registration.Enroll
	telling(s, s.stepRoute("accept-agreement", "Accept the agreement in force", "Ticks 已阅读并同意 for the unit."), unitSide(),
		func(ctx context.Context, by access.Actor, ref enroll.Ref, body AgreementChoice) (enroll.Application, error) {
			return e.AcceptAgreement(ctx, by, ref, body.Version)
		})
	s.plain(s.stepRoute("submit", "Hand in", "To the city bureau, or from a direct unit to the province. A user whom the roster calls withdrawn is suspended at once."), unitSide(), e.Submit)
	s.plain(s.stepRoute("recall", "Take back to a draft", "What nobody has gathered or received yet."), unitSide(), e.Recall)
	s.reasoned(s.stepRoute("withdraw", "End at the unit's wish", "As long as nothing of it has been carried out."), unitSide(), e.Withdraw)
	telling(s, s.stepRoute("gather", "Put into a batch", "A submitted application into an open batch of its area."), citySide(),
		func(ctx context.Context, by access.Actor, ref enroll.Ref, body BatchChoice) (enroll.Application, error) {
			return e.Gather(ctx, by, ref, body.Batch)
		})
	s.plain(s.stepRoute("release", "Take out of its batch", "As long as that has not been handed in."), citySide(), e.Release)
	telling(s, s.stepRoute("return", "Send back to the unit", "With a remark for each field that is wrong."),
		anyOf(access.RoleCity, access.RoleRegistrar, access.RoleApprover),
		func(ctx context.Context, by access.Actor, ref enroll.Ref, body ReturnRemarks) (enroll.Application, error) {
			remarks := make([]enroll.Remark, len(body.Remarks))
			for i, r := range body.Remarks {
				remarks[i] = enroll.Remark(r)
			}
			return e.Return(ctx, by, ref, remarks)
		})
	s.officerSteps(e)
	s.reasoned(s.stepRoute("abort", "Give up what cannot be finished", "What was begun under an approval that has run out, or an act of which is impossible: the acts that are left are void, and what was made counts as objected to. Before anything was carried out, edit, return and withdraw serve."), registrars(), e.Abort)
	s.plain(s.stepRoute("accept", "Accept what was issued", "The holder's word that the data are right: by the handler, or a registrar who has it in writing. What waited is put into use."), unitSide(), e.Accept)
	s.reasoned(s.stepRoute("object", "Object to what was issued", "Within the term. What was issued goes on hold."), unitSide(), e.Object)
	s.reasoned(s.stepRoute("settle", "Accept after an objection was answered", ""), anyOf(access.RoleApplicant), e.Settle)
	telling(s, s.stepRoute("close", "Close", "What was accepted, or an objection that led to another application."), registrars(),
		func(ctx context.Context, by access.Actor, ref enroll.Ref, body ClosingReason) (enroll.Application, error) {
			return e.Close(ctx, by, ref, body.Reason)
		})
}

// officerSteps are those of the registration authority until its decision.
func (s *server) officerSteps(e *enroll.Service) {
	s.plain(s.stepRoute("receive", "Receive", "What a city bureau has handed in, or a direct unit's application."), registrars(), e.Receive)
	telling(s, s.stepRoute("original", "Record the paper original", "The day on which it came and the number of its delivery."), registrars(),
		func(ctx context.Context, by access.Actor, ref enroll.Ref, body Original) (enroll.Application, error) {
			return e.ReceiveOriginal(ctx, by, ref, body.On, body.Number)
		})
	telling(s, s.stepRoute("ink", "Confirm wet ink on the original", "With what the officer reads there, which is then compared with the form."), registrars(),
		func(ctx context.Context, by access.Actor, ref enroll.Ref, body form.Reading) (enroll.Application, error) {
			return e.ConfirmInk(ctx, by, ref, body)
		})
	telling(s, s.stepRoute("confirm-finding", "Let a doubtful point pass", "For this version only."), registrars(),
		func(ctx context.Context, by access.Actor, ref enroll.Ref, body FindingConfirmation) (enroll.Application, error) {
			return e.Confirm(ctx, by, ref, body.Finding, body.Reason.Reason)
		})
	s.plain(s.stepRoute("examine", "Confirm that everything is in order", "Asks an approver to approve this version with everything that it takes."), registrars(), e.Examine)
	s.plain(s.stepRoute("approve", "Approve", "The second person's consent to the version that was examined and to its whole plan."), approvers(), e.Approve)
	s.reasoned(s.stepRoute("reject", "Reject for good", "An approver's decision on an examined application, a registrar's before that."), officers(), e.Reject)
}
