package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/ca/backend"
	"yinxin/internal/access"
)

// requesters are other installations, and registrars who order for one.
func requesters() caller { return anyOf(access.RoleRequester, access.RoleRegistrar) }

// registrars ask for what two people decide.
func registrars() caller { return caller{roles: []access.Role{access.RoleRegistrar}} }

type requestInput struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$" doc:"Chosen by the caller, new for every request: the same key with the same request gives what became of the first."`
	Body backend.WireOrder
}

type requestOutput struct {
	Location string `header:"Location"`
	Body     backend.WireOutcome
}

// certificateRequests is the desk at which other installations order certificates. An approver of this house decides on
// each, outside of this interface.
func (s *server) certificateRequests() {
	const path = "/v1/certificate-requests"
	answer := func(out backend.WireOutcome, err error) (*requestOutput, error) {
		if err != nil {
			return nil, err
		}
		return &requestOutput{Location: path + "/" + out.ID, Body: out}, nil
	}
	operate(s, huma.Operation{OperationID: "request-certificate", Method: http.MethodPost, Path: path, Tags: []string{"certificates"},
		Summary:       "Ask for a certificate",
		Description:   "For the key of another installation, whose actor has the role requester (外部申请方). Accepted means on record: an approver decides. Ask again at the address of the request.",
		DefaultStatus: http.StatusAccepted, Responses: s.answers(400, 401, 403, 408, 409, 413, 415, 422, 503)},
		requesters(), func(ctx context.Context, in *requestInput) (*requestOutput, error) {
			return answer(s.Desk.Submit(ctx, actorOf(ctx), in.Key, in.Body))
		})
	type named struct {
		ID string `path:"id" maxLength:"64"`
	}
	operate(s, huma.Operation{OperationID: "certificate-request", Method: http.MethodGet, Path: path + "/{id}", Tags: []string{"certificates"},
		Summary: "What became of a request", Description: "Of one's own requests only.", Responses: s.answers(401, 403, 404, 503)},
		requesters(), func(ctx context.Context, in *named) (*requestOutput, error) {
			return answer(s.Desk.Outcome(ctx, actorOf(ctx), in.ID))
		})
	type revocation struct {
		ID   string `path:"id" maxLength:"64"`
		Body backend.WireRevocation
	}
	operate(s, huma.Operation{OperationID: "request-revocation", Method: http.MethodPost, Path: path + "/{id}/revocation", Tags: []string{"certificates"},
		Summary:       "Ask for the end of a certificate",
		Description:   "The certificate is on hold at once, and revoked when an approver has decided. Asking again changes nothing.",
		DefaultStatus: http.StatusAccepted, Responses: s.answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503)},
		requesters(), func(ctx context.Context, in *revocation) (*requestOutput, error) {
			return answer(s.Desk.Revoke(ctx, actorOf(ctx), in.ID, in.Body.Reason))
		})
}
