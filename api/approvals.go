package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/ca/enroll"
	"yinxin/internal/access"
)

// Approval is a request that two people decide.
type Approval struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind" example:"certificate.revoke"`
	State     string    `json:"state" enum:"open,approved,rejected,voided"`
	Requester string    `json:"requester"`
	Why       string    `json:"why,omitempty" doc:"The requester's reason."`
	Created   time.Time `json:"created"`
	Expires   time.Time `json:"expires"`
	Decider   string    `json:"decider,omitempty" doc:"Who approved or rejected it."`
	Decided   time.Time `json:"decided,omitzero"`
	Reason    string    `json:"reason,omitempty" doc:"Of a rejection, or the remark with an approval."`
	Used      time.Time `json:"used,omitzero" doc:"When what was approved was carried out."`
	Parent    string    `json:"parent,omitempty" doc:"The plan of which it is a part."`
	SM3       string    `json:"sm3" doc:"Digest of the subject."`
	OwnStep   string    `json:"own_step,omitempty" doc:"Where it is decided, when not here." example:"POST /v1/applications/{id}/approve"`
	Subject   any       `json:"subject,omitempty" doc:"Exactly what is decided: JSON, or a text. Not in lists."`
}

func approvalOf(p access.Pending, whole bool) Approval {
	v := Approval{ID: p.ID, Kind: string(p.Kind), State: p.State, Requester: p.Requester, Why: p.Why, Created: p.Created.UTC(), Expires: p.Expires.UTC(),
		Decider: p.Decider, Decided: p.Decided.UTC(), Reason: p.Reason, Used: p.Used.UTC(),
		Parent: p.Parent, SM3: p.Digest, OwnStep: ownSteps[p.Kind]}
	if p.Voided {
		v.State = "voided"
	}
	switch {
	case !whole:
	case json.Valid(p.Subject):
		v.Subject = json.RawMessage(p.Subject)
	case utf8.Valid(p.Subject):
		v.Subject = string(p.Subject)
	default:
		v.Subject = p.Subject // in base64
	}
	return v
}

// ownSteps are where requests are decided whose approval changes more than the request.
var ownSteps = map[access.Kind]string{
	access.KindApproveApplication: "POST /v1/applications/{id}/approve",
	access.KindConfirmSuspension:  "POST /v1/suspensions/{id}/approve",
	access.KindLiftSuspension:     "POST /v1/suspensions/{id}/approve",
}

const approvalPath = "/v1/approvals"

func (s *server) approvals() {
	type filter struct {
		Paging
		Kind      string `query:"kind" maxLength:"40" doc:"Only of this kind."`
		Requester string `query:"requester" maxLength:"64"`
	}
	type approvalList struct { // named, since two operations give it
		Approvals []Approval `json:"approvals"`
		Next      string     `json:"next,omitempty"`
	}
	type listed struct{ Body approvalList }
	operate(s, huma.Operation{OperationID: "list-approvals", Method: http.MethodGet, Path: approvalPath, Tags: []string{"approvals"},
		Summary: "List what waits for a decision", Description: "The oldest first, without what is decided.", Responses: s.answers(401, 403, 422)},
		overseers(), func(ctx context.Context, in *filter) (*listed, error) {
			list, err := s.Access.ListOpen(ctx, access.Filter{Kind: access.Kind(in.Kind), Requester: in.Requester, After: in.After, Limit: in.Limit})
			out := &listed{}
			out.Body.Approvals, out.Body.Next = showApprovals(list, in.Limit, false)
			return out, err
		})
	type one struct{ Body Approval }
	operate(s, huma.Operation{OperationID: "get-approval", Method: http.MethodGet, Path: approvalPath + "/{id}", Tags: []string{"approvals"},
		Summary: "Show a request", Description: "With exactly what is decided.", Responses: s.reading()},
		overseers(), func(ctx context.Context, in *Named) (*one, error) {
			p, err := s.Access.Pending(ctx, in.ID)
			return &one{approvalOf(p, true)}, err
		})
	type asked struct {
		Named
		Paging
	}
	operate(s, huma.Operation{OperationID: "approval-parts", Method: http.MethodGet, Path: approvalPath + "/{id}/parts", Tags: []string{"approvals"},
		Summary: "The parts of a plan", Description: "They are decided together with it.", Responses: s.reading()},
		overseers(), func(ctx context.Context, in *asked) (*listed, error) {
			if _, err := s.Access.Pending(ctx, in.ID); err != nil {
				return nil, err
			}
			list, err := s.Access.ListParts(ctx, in.ID, in.After, in.Limit)
			out := &listed{}
			out.Body.Approvals, out.Body.Next = showApprovals(list, in.Limit, true)
			return out, err
		})
	s.decisions()
}

// showApprovals are requests as a list shows them, and where it goes on.
func showApprovals(list []access.Pending, limit int, whole bool) (shown []Approval, next string) {
	shown = make([]Approval, 0, len(list))
	for _, p := range list {
		shown = append(shown, approvalOf(p, whole))
	}
	if len(list) == limit {
		next = list[len(list)-1].ID
	}
	return shown, next
}

func (s *server) decisions() {
	done(s, huma.Operation{OperationID: "approve", Method: http.MethodPost, Path: approvalPath + "/{id}/approve", Tags: []string{"approvals"},
		Summary:     "Agree, as the second person",
		Description: "Not where own_step names another place: there, the approval changes more than the request.", Responses: s.answers(401, 403, 404, 409, 422)},
		approvers(), func(ctx context.Context, by access.Actor, in *Named) error {
			return s.Access.Approve(ctx, by, in.ID)
		})
	type refused struct {
		ID   string `path:"id" maxLength:"64"`
		Body Reason
	}
	done(s, huma.Operation{OperationID: "reject", Method: http.MethodPost, Path: approvalPath + "/{id}/reject", Tags: []string{"approvals"},
		Summary: "Refuse", Responses: s.answers(400, 401, 403, 404, 409, 413, 415, 422)},
		approvers(), func(ctx context.Context, by access.Actor, in *refused) error {
			if err := enroll.CheckReason(in.Body.Reason); err != nil {
				return err
			}
			return s.Access.Reject(ctx, by, in.ID, in.Body.Reason)
		})
}
