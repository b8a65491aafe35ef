package officer

import (
	"context"
	"strconv"
	"strings"

	"yinxin/api/web"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

// A step asks for what it needs to be told.
const (
	needsNothing   = ""
	needsReason    = "reason"
	needsRemarks   = "remarks"
	needsOriginal  = "original"
	needsInk       = "ink"
	needsBatch     = "batch"
	needsAgreement = "agreement"
	needsFinding   = "finding" // stands beside the finding, not among the steps
)

// step is a step of an application as a page offers it.
type step struct {
	name  string
	step  enroll.Step
	label web.Text
	roles []access.Role
	needs string
	// ends says that it cannot be taken back, which is asked about first.
	ends bool
	// main is what usually comes next.
	main bool
	take func(ctx context.Context, e *enroll.Service, by access.Actor, ref enroll.Ref, q *web.Request) (enroll.Application, error)
}

func plain(f func(*enroll.Service, context.Context, access.Actor, enroll.Ref) (enroll.Application, error)) func(context.Context, *enroll.Service, access.Actor, enroll.Ref, *web.Request) (enroll.Application, error) {
	return func(ctx context.Context, e *enroll.Service, by access.Actor, ref enroll.Ref, _ *web.Request) (enroll.Application, error) {
		return f(e, ctx, by, ref)
	}
}

func reasoned(f func(*enroll.Service, context.Context, access.Actor, enroll.Ref, string) (enroll.Application, error)) func(context.Context, *enroll.Service, access.Actor, enroll.Ref, *web.Request) (enroll.Application, error) {
	return func(ctx context.Context, e *enroll.Service, by access.Actor, ref enroll.Ref, q *web.Request) (enroll.Application, error) {
		return f(e, ctx, by, ref, strings.TrimSpace(q.PostFormValue("reason")))
	}
}

// moves are all steps of an application that a page offers, in the order in which it shows them.
var moves = []step{
	{name: "accept-agreement", step: enroll.StepEdit, label: web.Text{ZH: "同意服务协议", EN: "Accept the agreement"}, roles: unitSide, needs: needsAgreement, main: true,
		take: func(ctx context.Context, e *enroll.Service, by access.Actor, ref enroll.Ref, q *web.Request) (enroll.Application, error) {
			return e.AcceptAgreement(ctx, by, ref, q.PostFormValue("version"))
		}},
	{name: "submit", step: enroll.StepSubmit, label: web.Text{ZH: "提交", EN: "Hand in"}, roles: unitSide, main: true, take: plain((*enroll.Service).Submit)},
	{name: "recall", step: enroll.StepRecall, label: web.Text{ZH: "收回", EN: "Take back"}, roles: unitSide, take: plain((*enroll.Service).Recall)},
	{name: "gather", step: enroll.StepGather, label: web.Text{ZH: "汇总到批次", EN: "Put into a batch"}, roles: citySide, needs: needsBatch, main: true,
		take: func(ctx context.Context, e *enroll.Service, by access.Actor, ref enroll.Ref, q *web.Request) (enroll.Application, error) {
			return e.Gather(ctx, by, ref, q.PostFormValue("batch"))
		}},
	{name: "release", step: enroll.StepRelease, label: web.Text{ZH: "移出批次", EN: "Take out of the batch"}, roles: citySide, take: plain((*enroll.Service).Release)},
	{name: "receive", step: enroll.StepReceive, label: web.Text{ZH: "接收", EN: "Receive"}, roles: registrars, main: true, take: plain((*enroll.Service).Receive)},
	{name: "original", step: enroll.StepOriginal, label: web.Text{ZH: "登记收到原件", EN: "Record the original"}, roles: registrars, needs: needsOriginal, main: true,
		take: func(ctx context.Context, e *enroll.Service, by access.Actor, ref enroll.Ref, q *web.Request) (enroll.Application, error) {
			return e.ReceiveOriginal(ctx, by, ref, q.PostFormValue("on"), strings.TrimSpace(q.PostFormValue("number")))
		}},
	{name: "ink", step: enroll.StepInk, label: web.Text{ZH: "核对原件印模", EN: "Check the imprints on the original"}, roles: registrars, needs: needsInk, main: true, take: takeInk},
	{name: "confirm-finding", step: enroll.StepConfirm, label: web.Text{ZH: "确认可以通过", EN: "Let it pass"}, roles: registrars, needs: needsFinding,
		take: func(ctx context.Context, e *enroll.Service, by access.Actor, ref enroll.Ref, q *web.Request) (enroll.Application, error) {
			return e.Confirm(ctx, by, ref, q.PostFormValue("finding"), strings.TrimSpace(q.PostFormValue("reason")))
		}},
	{name: "examine", step: enroll.StepExamine, label: web.Text{ZH: "审核通过，提交审批", EN: "In order: ask for approval"}, roles: registrars, main: true, take: plain((*enroll.Service).Examine)},
	{name: "approve", step: enroll.StepApprove, label: web.Text{ZH: "批准", EN: "Approve"}, roles: approvers, main: true, ends: true, take: plain((*enroll.Service).Approve)},
	{name: "accept", step: enroll.StepAccept, label: web.Text{ZH: "接受证书和印章", EN: "Accept what was issued"}, roles: unitSide, main: true, ends: true, take: plain((*enroll.Service).Accept)},
	{name: "object", step: enroll.StepObject, label: web.Text{ZH: "提出异议", EN: "Object"}, roles: unitSide, needs: needsReason, take: reasoned((*enroll.Service).Object)},
	{name: "settle", step: enroll.StepSettle, label: web.Text{ZH: "异议解决，接受", EN: "Accept after the objection"}, roles: []access.Role{applicant}, needs: needsReason, main: true, take: reasoned((*enroll.Service).Settle)},
	{name: "close", step: enroll.StepClose, label: web.Text{ZH: "办结", EN: "Close"}, roles: registrars, needs: needsReason, take: reasoned((*enroll.Service).Close)},
	{name: "return", step: enroll.StepReturn, label: web.Text{ZH: "退回更正", EN: "Send back"}, roles: []access.Role{city, registrar, approver}, needs: needsRemarks, take: takeReturn},
	{name: "reject", step: enroll.StepReject, label: web.Text{ZH: "不予批准", EN: "Reject for good"}, roles: officers, needs: needsReason, ends: true, take: reasoned((*enroll.Service).Reject)},
	{name: "abort", step: enroll.StepAbort, label: web.Text{ZH: "中止办理", EN: "Give up"}, roles: registrars, needs: needsReason, ends: true, take: reasoned((*enroll.Service).Abort)},
	{name: "withdraw", step: enroll.StepWithdraw, label: web.Text{ZH: "撤回申请", EN: "Withdraw"}, roles: unitSide, needs: needsReason, ends: true, take: reasoned((*enroll.Service).Withdraw)},
}

func takeInk(ctx context.Context, e *enroll.Service, by access.Actor, ref enroll.Ref, q *web.Request) (enroll.Application, error) {
	reading := form.Reading{StampedUnit: strings.TrimSpace(q.PostFormValue("stampedUnit")), ImprintText: strings.TrimSpace(q.PostFormValue("imprintText")), Centre: form.Centre(q.PostFormValue("centre"))}
	if text := strings.TrimSpace(q.PostFormValue("measured")); text != "" {
		size, ok := form.ParseSize(text)
		if !ok {
			return enroll.Application{}, enroll.ErrField.At(fault.Field("measured"))
		}
		reading.Measured = size
	}
	return e.ConfirmInk(ctx, by, ref, reading)
}

// takeReturn sends back with the remarks that were written; empty rows are none.
func takeReturn(ctx context.Context, e *enroll.Service, by access.Actor, ref enroll.Ref, q *web.Request) (enroll.Application, error) {
	if err := q.ParseForm(); err != nil {
		return enroll.Application{}, enroll.ErrField.Because(err)
	}
	var remarks []enroll.Remark
	fields, reasons := q.PostForm["field"], q.PostForm["remark"]
	for i := range min(len(fields), len(reasons), 100) {
		if reason := strings.TrimSpace(reasons[i]); reason != "" {
			remarks = append(remarks, enroll.Remark{Field: fields[i], Reason: reason})
		}
	}
	if len(remarks) == 0 {
		return enroll.Application{}, enroll.ErrReason.At(fault.Field("remark"))
	}
	return e.Return(ctx, by, ref, remarks)
}

// refOf is the application as the page showed it.
func refOf(q *web.Request, id string) enroll.Ref {
	text := q.PostFormValue("revision")
	if text == "" {
		text = q.URL.Query().Get("revision")
	}
	revision, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		revision = -1 // of no application: whoever says nothing has seen nothing
	}
	return enroll.Ref{ID: id, Revision: revision}
}

// move takes a step and shows the application again: with what was wrong, and where somebody else was faster, with what
// they did.
func (p *pages) move(s step) web.Handler {
	return func(q *web.Request) error {
		id := q.PathValue("id")
		a, err := s.take(q.Context(), p.Desk.Enroll, q.Actor, refOf(q, id), q)
		if err == nil {
			return q.Go(applications+"/"+a.ID, "done")
		}
		return p.again(q, id, s.name, err)
	}
}

// again shows the application with an error that its reader can do something about.
func (p *pages) again(q *web.Request, id, open string, err error) error {
	if !sayable(err, fault.NotFound) {
		return err
	}
	return p.show(q, id, shown{problem: err, open: open})
}

// carryOut does what was approved and needs nobody with a USB Key.
func (p *pages) carryOut(q *web.Request) error {
	id := q.PathValue("id")
	if _, err := p.Desk.Enroll.Application(q.Context(), q.Actor, id); err != nil {
		return err
	}
	if err := p.Desk.Business.CarryOut(q.Context(), q.Actor, id); err != nil {
		return p.again(q, id, "", err)
	}
	return q.Go(applications+"/"+id, "done")
}
