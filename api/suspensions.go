package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/ca/enroll"
	"yinxin/internal/access"
)

// Suspension is a user of seals who was stopped at once, until two people make it final or lift it.
type Suspension struct {
	ID          string    `json:"id"`
	Holder      string    `json:"holder"`
	Name        string    `json:"name"`
	Unit        string    `json:"unit"`
	Seal        string    `json:"seal,omitempty" doc:"Name of the seal that is meant; without it all that the person has."`
	Cause       string    `json:"cause" enum:"roster,emergency"`
	Application string    `json:"application,omitempty" doc:"Whose roster said so."`
	Reason      string    `json:"reason"`
	Opened      time.Time `json:"opened"`
	By          string    `json:"by"`
	State       string    `json:"state" enum:"open,confirmed,lifted"`
	Revision    int64     `json:"revision"`
	Request     string    `json:"request,omitempty" doc:"What waits for the second person, or was decided."`
	Decided     time.Time `json:"decided,omitzero"`
}

func suspensionOf(x enroll.Suspension) Suspension {
	return Suspension{ID: x.ID, Holder: x.Holder, Name: x.Name, Unit: x.Unit, Seal: x.SealName, Cause: string(x.Cause), Application: x.Application, Reason: x.Reason,
		Opened: x.Opened.UTC(), By: x.By, State: string(x.State), Revision: x.Revision, Request: x.Request, Decided: x.Decided.UTC()}
}

type suspensionOutput struct {
	ETag string `header:"ETag"`
	Body Suspension
}

func showSuspension(x enroll.Suspension, err error) (*suspensionOutput, error) {
	if err != nil {
		return nil, err
	}
	return &suspensionOutput{ETag: tagOf(x.Revision), Body: suspensionOf(x)}, nil
}

const suspensionPath = "/v1/suspensions"

func (s *server) suspensions() {
	e := s.Registration.Enroll
	type filter struct {
		Paging
		State string `query:"state" enum:"open,confirmed,lifted" doc:"Only in this state."`
		Unit  string `query:"unit" maxLength:"64"`
	}
	type listed struct {
		Body struct {
			Suspensions []Suspension `json:"suspensions"`
			Next        string       `json:"next,omitempty"`
		}
	}
	operate(s, huma.Operation{OperationID: "list-suspensions", Method: http.MethodGet, Path: suspensionPath, Tags: []string{tagRegistration},
		Summary: "List suspended users of seals", Description: "Those that the caller may see, the newest first, of the newest thousand.", Responses: s.answers(401, 403, 422)},
		registrationReaders(), func(ctx context.Context, in *filter) (*listed, error) {
			all, err := e.Suspensions(ctx, actorOf(ctx), enroll.SuspensionState(in.State))
			if err != nil {
				return nil, err
			}
			some := []Suspension{}
			for _, x := range all {
				if in.Unit == "" || x.Unit == in.Unit {
					some = append(some, suspensionOf(x))
				}
			}
			out := &listed{}
			out.Body.Suspensions, out.Body.Next = page(some, in.Paging, func(x Suspension) string { return x.ID })
			return out, nil
		})
	type given struct {
		Body struct {
			Holder string `json:"holder" minLength:"1" maxLength:"64" doc:"See the roster of an application."`
			Seal   string `json:"seal,omitempty" maxLength:"200" doc:"Name of one seal that is meant: the person goes on using the others. Without it, the whole USB Key."`
			Reason
		}
	}
	operate(s, huma.Operation{OperationID: "suspend-user", Method: http.MethodPost, Path: suspensionPath, Tags: []string{tagRegistration},
		Summary:       "Stop a user of seals at once",
		Description:   "An emergency, without paper: by an officer or the user's own unit. Grants end, certificates that serve what is meant alone go on hold. Two people make it final or lift it later.",
		DefaultStatus: http.StatusCreated, Responses: s.answers(400, 401, 403, 404, 408, 409, 413, 415, 422)},
		anyOf(access.RoleApplicant, access.RoleRegistrar, access.RoleApprover), func(ctx context.Context, in *given) (*suspensionOutput, error) {
			if in.Body.Seal != "" {
				return showSuspension(e.SuspendSealAtOnce(ctx, actorOf(ctx), in.Body.Holder, in.Body.Seal, in.Body.Reason.Reason))
			}
			return showSuspension(e.SuspendAtOnce(ctx, actorOf(ctx), in.Body.Holder, in.Body.Reason.Reason))
		})
	s.suspensionDecisions(e)
}

func (s *server) suspensionDecisions(e *enroll.Service) {
	step := func(name, summary, description string) huma.Operation {
		return huma.Operation{OperationID: name + "-suspension", Method: http.MethodPost, Path: suspensionPath + "/{id}/" + name, Tags: []string{tagRegistration},
			Summary: summary, Description: description, Responses: s.changing()}
	}
	type wanted struct {
		Reference
		Body struct {
			Decision string `json:"decision" enum:"confirm,lift" doc:"confirm ends what was meant and revokes the certificates that serve it alone; lift releases them."`
		}
	}
	operate(s, step("request", "Ask for a decision", "To make a suspension final, or to lift it."), registrars(), func(ctx context.Context, in *wanted) (*suspensionOutput, error) {
		ref, err := in.ref()
		if err != nil {
			return nil, err
		}
		return showSuspension(e.RequestDecision(ctx, actorOf(ctx), ref, in.Body.Decision == "confirm"))
	})
	operate(s, step("approve", "Approve what was asked for", "It is carried out at once."), approvers(), func(ctx context.Context, in *Reference) (*suspensionOutput, error) {
		ref, err := in.ref()
		if err != nil {
			return nil, err
		}
		return showSuspension(e.ApproveDecision(ctx, actorOf(ctx), ref))
	})
	operate(s, step("reject", "Refuse it", "The user stays suspended, and another decision can be asked for."), approvers(), func(ctx context.Context, in *told[Reason]) (*suspensionOutput, error) {
		ref, err := in.ref()
		if err != nil {
			return nil, err
		}
		return showSuspension(e.RejectDecision(ctx, actorOf(ctx), ref, in.Body.Reason))
	})
}
