package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

// Area is what one city bureau gathers.
type Area struct {
	Code string `json:"code" pattern:"^[0-9]{6}$" doc:"GB/T 2260." example:"222400"`
	Name string `json:"name" minLength:"1" maxLength:"100" example:"延边朝鲜族自治州"`
}

// UnitInput is a unit as it is recorded.
type UnitInput struct {
	ID         string `json:"id,omitempty" maxLength:"64" doc:"Empty for a new unit."`
	Name       string `json:"name" minLength:"1" maxLength:"100" doc:"The full legal name." example:"延吉市档案馆"`
	CreditCode string `json:"credit_code,omitempty" maxLength:"18" doc:"统一社会信用代码 (GB 32100); empty as long as it is not known."`
	Area       string `json:"area" pattern:"^[0-9]{6}$" example:"222400"`
	Direct     bool   `json:"direct,omitempty" doc:"Hands in to the province itself."`
	Expected   bool   `json:"expected,omitempty" doc:"Is expected to apply: its city bureau's batches name it while it is missing."`
	Telephone  string `json:"telephone,omitempty" maxLength:"40" doc:"Where anyone may ask: shown to whoever verifies its documents. Of the fixed network, or a service number." example:"0433-2512345"`
}

// Unit is a body that applies or is expected to.
type Unit struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	CreditCode string `json:"credit_code"`
	Area       string `json:"area"`
	Direct     bool   `json:"direct"`
	Expected   bool   `json:"expected"`
	Telephone  string `json:"telephone,omitempty"`
}

func unitOf(u enroll.Unit) Unit {
	return Unit{ID: u.ID, Name: u.Name, CreditCode: u.CreditCode, Area: u.Area, Direct: u.Direct, Expected: u.Expected, Telephone: u.Telephone}
}

// Member is somebody who acts for a unit or an area: exactly one of both.
type Member struct {
	Actor        string    `json:"actor"`
	Name         string    `json:"name"`
	Organisation string    `json:"organisation"`
	Unit         string    `json:"unit,omitempty"`
	Area         string    `json:"area,omitempty"`
	Since        time.Time `json:"since"`
	By           string    `json:"by"`
}

func (s *server) units() {
	s.areaRoutes()
	// Named: of a body without a name that two operations give, the document describes another one for the second.
	type unitList struct {
		Units []Unit `json:"units"`
		Next  string `json:"next,omitempty"`
	}
	type listed struct{ Body unitList }
	type filter struct {
		Paging
		Area string `query:"area" maxLength:"6" doc:"Only this area's."`
	}
	operate(s, huma.Operation{OperationID: "list-units", Method: http.MethodGet, Path: "/v1/units", Tags: []string{tagRegistration},
		Summary: "List units", Description: "Those that the caller may see, by area and name.", Responses: s.reading()},
		registrationReaders(), func(ctx context.Context, in *filter) (*listed, error) {
			all, err := s.Registration.Enroll.Units(ctx, actorOf(ctx))
			if err != nil {
				return nil, err
			}
			some := []Unit{}
			for _, u := range all {
				if in.Area == "" || u.Area == in.Area {
					some = append(some, unitOf(u))
				}
			}
			out := &listed{}
			out.Body.Units, out.Body.Next = page(some, in.Paging, func(u Unit) string { return u.ID })
			return out, nil
		})
	type given struct {
		Body struct {
			Units []UnitInput `json:"units" minItems:"1" maxItems:"200"`
		}
	}
	operate(s, huma.Operation{OperationID: "set-units", Method: http.MethodPost, Path: "/v1/units", Tags: []string{tagRegistration},
		Summary:     "Record units",
		Description: "New ones get an identifier; one with an identifier takes the new particulars.", Responses: s.answers(400, 401, 403, 404, 413, 415, 422)},
		caretakers(), func(ctx context.Context, in *given) (*listed, error) {
			units := make([]enroll.Unit, len(in.Body.Units))
			for i, u := range in.Body.Units {
				units[i] = enroll.Unit{ID: u.ID, Name: u.Name, CreditCode: u.CreditCode, Area: u.Area, Direct: u.Direct, Expected: u.Expected, Telephone: u.Telephone}
			}
			recorded, err := s.Registration.Enroll.SetUnits(ctx, actorOf(ctx), units)
			if err != nil {
				return nil, err
			}
			out := &listed{}
			for _, u := range recorded {
				out.Body.Units = append(out.Body.Units, unitOf(u))
			}
			return out, nil
		})
	s.members()
}

func (s *server) areaRoutes() {
	type body struct {
		Areas []Area `json:"areas" minItems:"1" maxItems:"200"`
	}
	type given struct{ Body body }
	type listed struct {
		Body struct {
			Areas []Area `json:"areas" maxItems:"200"` // none before the first were recorded
		}
	}
	operate(s, huma.Operation{OperationID: "list-areas", Method: http.MethodGet, Path: "/v1/areas", Tags: []string{tagRegistration},
		Summary: "List areas", Responses: s.answers(401, 403)},
		anyOf(append(registrationReaders().roles, access.RoleAdministrator)...), func(ctx context.Context, _ *struct{}) (*listed, error) {
			areas, err := s.Registration.Enroll.Areas(ctx)
			out := &listed{}
			out.Body.Areas = []Area{}
			for _, a := range areas {
				out.Body.Areas = append(out.Body.Areas, Area(a))
			}
			return out, err
		})
	done(s, huma.Operation{OperationID: "set-areas", Method: http.MethodPost, Path: "/v1/areas", Tags: []string{tagRegistration},
		Summary: "Record areas", Description: "One that is there takes the new name.", Responses: s.answers(400, 401, 403, 413, 415, 422)},
		caretakers(), func(ctx context.Context, by access.Actor, in *given) error {
			areas := make([]enroll.Area, len(in.Body.Areas))
			for i, a := range in.Body.Areas {
				areas[i] = enroll.Area(a)
			}
			return s.Registration.Enroll.SetAreas(ctx, by, areas)
		})
}

func (s *server) members() {
	type listed struct {
		Body struct {
			Members []Member `json:"members"`
			Next    string   `json:"next,omitempty"`
		}
	}
	operate(s, huma.Operation{OperationID: "list-members", Method: http.MethodGet, Path: "/v1/members", Tags: []string{tagRegistration},
		Summary: "List who acts for whom", Responses: s.answers(401, 403, 422)},
		anyOf(append(overseers().roles, access.RoleAdministrator)...), func(ctx context.Context, in *Paging) (*listed, error) {
			list, err := s.Registration.Enroll.Members(ctx, actorOf(ctx), in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			out := &listed{}
			out.Body.Members = []Member{}
			for _, m := range list {
				out.Body.Members = append(out.Body.Members, Member(m))
			}
			if len(list) == in.Limit {
				out.Body.Next = list[len(list)-1].Actor
			}
			return out, nil
		})
	type given struct {
		Actor string `path:"actor" maxLength:"64"`
		Body  struct {
			Unit string `json:"unit,omitempty" maxLength:"64" doc:"For an applicant: the unit."`
			Area string `json:"area,omitempty" maxLength:"6" doc:"For a city bureau: its area's code."`
		}
	}
	done(s, huma.Operation{OperationID: "assign-member", Method: http.MethodPut, Path: "/v1/members/{actor}", Tags: []string{tagRegistration},
		Summary:     "Say for whom somebody acts",
		Description: "Once: somebody who moves gets a new account.", Responses: s.answers(400, 401, 403, 404, 409, 413, 415, 422)},
		registrars(), func(ctx context.Context, by access.Actor, in *given) error {
			switch {
			case (in.Body.Unit == "") == (in.Body.Area == ""):
				return errInvalid.At(fault.Field("unit"))
			case in.Body.Unit != "":
				return s.Registration.Enroll.AssignUnit(ctx, by, in.Actor, in.Body.Unit)
			}
			return s.Registration.Enroll.AssignArea(ctx, by, in.Actor, in.Body.Area)
		})
}
