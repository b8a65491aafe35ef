package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

// anyOf lets those in who hold one of the roles. What they may see and do is for the rooms to say.
func anyOf(roles ...access.Role) caller { return caller{roles: roles} }

// The callers of registration.
func registrationReaders() caller {
	return anyOf(access.RoleApplicant, access.RoleCity, access.RoleRegistrar, access.RoleApprover, access.RoleAuditor)
}
func unitSide() caller   { return anyOf(access.RoleApplicant, access.RoleRegistrar) }
func citySide() caller   { return anyOf(access.RoleCity, access.RoleRegistrar) }
func officers() caller   { return anyOf(access.RoleRegistrar, access.RoleApprover) }
func approvers() caller  { return anyOf(access.RoleApprover) }
func caretakers() caller { return anyOf(access.RoleRegistrar, access.RoleAdministrator) }
func overseers() caller  { return anyOf(access.RoleRegistrar, access.RoleApprover, access.RoleAuditor) }
func batchReaders() caller {
	return anyOf(access.RoleCity, access.RoleRegistrar, access.RoleApprover, access.RoleAuditor)
}
func keyHolders() caller { return anyOf(access.RoleOperator, access.RoleRegistrar) }
func renewalReaders() caller {
	return anyOf(access.RoleOperator, access.RoleRegistrar, access.RoleApprover, access.RoleAuditor)
}

// Tags of the OpenAPI document.
const (
	tagRegistration = "registration"
	tagApplications = "applications"
	tagIssuing      = "issuing"
	tagCertificates = "certificates"
)

// registration makes the routes of the registration authority.
func (s *server) registration() {
	s.loosenForms()
	s.units()
	s.agreements()
	s.applications()
	s.applicationSteps()
	s.dossiers()
	s.rosters()
	s.attachments()
	s.templates()
	s.issuing()
	s.renewals()
	s.suspensions()
	s.batches()
}

// loosenForms lets callers leave out what a form does not say: which fields it takes depends on its business, and whether
// it is right is for the findings to say.
func (s *server) loosenForms() {
	s.schema(form.Application{})
	s.schema(form.Reading{})
	for name, schema := range s.huma.OpenAPI().Components.Schemas.Map() {
		if strings.HasPrefix(name, formPrefix) {
			schema.Required = nil
			schema.PrecomputeMessages()
		}
	}
}

// Reference names what is to be changed, as the caller saw it.
type Reference struct {
	ID      string `path:"id" maxLength:"64" doc:"Identifier."`
	IfMatch string `header:"If-Match" doc:"The ETag of what the caller saw, such as \"7\". Without it the answer is 428; when somebody else has changed it since, 412." example:"\"7\""`
}

func (r Reference) ref() (enroll.Ref, error) { return refOf(r.ID, r.IfMatch) }

// refOf reads an If-Match field (RFC 9110 clause 13.1.1) with exactly one strong tag: a change is made to what somebody saw.
func refOf(id, match string) (enroll.Ref, error) {
	if match == "" {
		return enroll.Ref{}, errUnconditional.New()
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(match), `"`)
	text, closed := strings.CutSuffix(text, `"`)
	revision, err := strconv.ParseInt(text, 10, 64)
	if !ok || !closed || err != nil || tagOf(revision) != strings.TrimSpace(match) {
		return enroll.Ref{}, errInvalid.At(fault.Field("If-Match"))
	}
	return enroll.Ref{ID: id, Revision: revision}, nil
}

// tagOf is the ETag of a revision.
func tagOf(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// Named is the input of a route that reads one thing.
type Named struct {
	ID string `path:"id" maxLength:"64" doc:"Identifier."`
}

// Paging is how a list is read piece by piece.
type Paging struct {
	After string `query:"after" maxLength:"64" doc:"Goes on behind this one: the next of the answer before."`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many."`
}

// page cuts a piece out of a list that is whole, and says where the next one begins; key names an element.
func page[T any](list []T, p Paging, key func(T) string) (piece []T, next string) {
	if p.After != "" {
		rest := []T{}
		for i, v := range list {
			if key(v) == p.After {
				rest = list[i+1:]
				break
			}
		}
		list = rest
	}
	if len(list) <= p.Limit {
		return list, ""
	}
	return list[:p.Limit], key(list[p.Limit-1])
}

// Reason is why somebody does something. It is kept, so it must hold no personal data.
type Reason struct {
	Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"Why. It is kept and shown: identity and mobile numbers are refused." example:"与申请单位电话核实"`
}

// nothing is the answer of what changes something that has no representation of its own.
type nothing struct{}

// done registers an operation that answers 204.
func done[I any](s *server, op huma.Operation, who caller, do func(ctx context.Context, by access.Actor, in *I) error) {
	op.DefaultStatus = http.StatusNoContent
	operate(s, op, who, func(ctx context.Context, in *I) (*nothing, error) {
		if err := do(ctx, actorOf(ctx), in); err != nil {
			return nil, err
		}
		return &nothing{}, nil
	})
}

// changing are the statuses of an operation that changes something as the caller saw it.
func (s *server) changing(more ...int) map[string]*huma.Response {
	return s.answers(append(more, 400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 428)...)
}

// reading are those of one that reads.
func (s *server) reading() map[string]*huma.Response { return s.answers(401, 403, 404, 422) }
