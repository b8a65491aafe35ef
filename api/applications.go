package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
)

// Application is an application with personal fields masked.
type Application struct {
	ID         string `json:"id" example:"app_k3v6m2x7"`
	Number     string `json:"number" doc:"On the form, and in its QR code." example:"SQ20261126-K3V6M2X7"`
	Unit       string `json:"unit" doc:"Identifier of the applying unit."`
	State      string `json:"state" enum:"draft,submitted,gathered,received,original-received,returned,examined,approved,issued,accepted,objected,closed,withdrawn,rejected,expired"`
	StateLabel string `json:"state_label" doc:"In Chinese." example:"草稿"`
	// Since is when it came into its state.
	Since    time.Time        `json:"since"`
	Revision int64            `json:"revision" doc:"Counts all changes; as ETag it goes into If-Match."`
	Version  int              `json:"version" doc:"Counts edits of what is approved."`
	Created  time.Time        `json:"created"`
	By       string           `json:"by" doc:"The actor who began it."`
	Batch    string           `json:"batch,omitempty"`
	Form     form.Application `json:"form" doc:"Annex 1. Identity and mobile numbers are masked."`
	Original *Original        `json:"original,omitempty"`
	Ink      *Ink             `json:"ink,omitempty"`
	// Examination is the approval that waits or was given.
	Examination string       `json:"examination,omitempty" doc:"Identifier of the approval with the plan."`
	Approved    time.Time    `json:"approved,omitzero"`
	Issued      time.Time    `json:"issued,omitzero"`
	ObjectUntil time.Time    `json:"object_until,omitzero" doc:"Silence until then is acceptance."`
	Attachments []Attachment `json:"attachments"`
	Roster      *RosterInfo  `json:"roster,omitempty"`
}

// Original says that the paper is here.
type Original struct {
	On     string `json:"on" format:"date" doc:"YYYY-MM-DD, Chinese time." example:"2026-11-26"`
	Number string `json:"number" minLength:"1" maxLength:"64" doc:"Number of the 机要 delivery." example:"机要2026-0017"`
	By     string `json:"by,omitempty" readOnly:"true"`
}

// Ink is an officer's word on the imprints of the original.
type Ink struct {
	By      string        `json:"by"`
	Reading *form.Reading `json:"reading,omitempty"`
}

// RosterInfo describes the roster of an application without its persons.
type RosterInfo struct {
	ID       string `json:"id"`
	FilledOn string `json:"filled_on"`
	Persons  int    `json:"persons"`
	SM3      string `json:"sm3"`
}

func applicationOf(a enroll.Application) Application {
	v := Application{ID: a.ID, Number: a.Number, Unit: a.Unit, State: string(a.State), StateLabel: a.State.Label(), Since: a.Since.UTC(), Revision: a.Revision,
		Version: a.Version, Created: a.Created.UTC(), By: a.By, Batch: a.Batch, Form: a.Form, Examination: a.Examination, Approved: a.Approved.UTC(),
		Issued: a.Issued.UTC(), ObjectUntil: a.ObjectUntil.UTC(), Attachments: make([]Attachment, 0, len(a.Attachments))}
	if a.Original != nil {
		v.Original = &Original{On: a.Original.On, Number: a.Original.Number, By: a.Original.By}
	}
	if a.InkBy != "" {
		v.Ink = &Ink{By: a.InkBy, Reading: a.Reading}
	}
	for _, at := range a.Attachments {
		v.Attachments = append(v.Attachments, attachmentOf(at))
	}
	if a.Roster != nil {
		v.Roster = &RosterInfo{ID: a.Roster.ID, FilledOn: a.Roster.FilledOn, Persons: a.Roster.Persons, SM3: a.Roster.Digest}
	}
	return v
}

// ApplicationSummary is an application in a list.
type ApplicationSummary struct {
	ID         string    `json:"id"`
	Number     string    `json:"number"`
	Unit       string    `json:"unit"`
	UnitName   string    `json:"unit_name" doc:"As on the form."`
	SealName   string    `json:"seal_name"`
	Businesses []string  `json:"businesses"`
	State      string    `json:"state"`
	StateLabel string    `json:"state_label"`
	Since      time.Time `json:"since"`
	Created    time.Time `json:"created"`
	Revision   int64     `json:"revision"`
	Batch      string    `json:"batch,omitempty"`
}

func summaryOf(a enroll.Summary) ApplicationSummary {
	v := ApplicationSummary{ID: a.ID, Number: a.Number, Unit: a.Unit, UnitName: a.UnitName, SealName: a.SealName, Businesses: []string{}, State: string(a.State),
		StateLabel: a.State.Label(), Since: a.Since.UTC(), Created: a.Created.UTC(), Revision: a.Revision, Batch: a.Batch}
	for _, b := range a.Businesses {
		v.Businesses = append(v.Businesses, string(b))
	}
	return v
}

type applicationOutput struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     Application
}

func showApplication(a enroll.Application, err error) (*applicationOutput, error) {
	if err != nil {
		return nil, err
	}
	return &applicationOutput{ETag: tagOf(a.Revision), Body: applicationOf(a)}, nil
}

const applicationPath = "/v1/applications"

func (s *server) applications() {
	type created struct {
		Body struct {
			Unit string           `json:"unit" minLength:"1" maxLength:"64" doc:"Identifier of the applying unit."`
			Form form.Application `json:"form" doc:"Annex 1; number, agreement and salt are the service's to give."`
		}
	}
	operate(s, huma.Operation{OperationID: "create-application", Method: http.MethodPost, Path: applicationPath, Tags: []string{tagApplications},
		Summary:       "Begin an application",
		Description:   "A draft: by a handler of the unit, or by a registrar who enters a paper form. What is missing or wrong stands in its findings.",
		DefaultStatus: http.StatusCreated, RequestBody: formExample(), Responses: s.answers(400, 401, 403, 404, 408, 413, 415, 422)},
		unitSide(), func(ctx context.Context, in *created) (*applicationOutput, error) {
			out, err := showApplication(s.Registration.Enroll.Create(ctx, actorOf(ctx), in.Body.Unit, in.Body.Form))
			if err == nil {
				out.Location = applicationPath + "/" + out.Body.ID
			}
			return out, err
		})
	operate(s, huma.Operation{OperationID: "get-application", Method: http.MethodGet, Path: applicationPath + "/{id}", Tags: []string{tagApplications},
		Summary: "Read an application", Description: "Personal fields are masked.", Responses: s.reading()},
		registrationReaders(), func(ctx context.Context, in *Named) (*applicationOutput, error) {
			return showApplication(s.Registration.Enroll.Application(ctx, actorOf(ctx), in.ID))
		})
	type edited struct {
		Reference
		Body form.Application
	}
	operate(s, huma.Operation{OperationID: "edit-application", Method: http.MethodPut, Path: applicationPath + "/{id}/form", Tags: []string{tagApplications},
		Summary:     "Replace the fields of the form",
		Description: "Makes another version: what was confirmed, examined or approved of the one before is void. A masked field that comes back as it was shown keeps its value.",
		Responses:   s.changing()},
		unitSide(), func(ctx context.Context, in *edited) (*applicationOutput, error) {
			ref, err := in.ref()
			if err != nil {
				return nil, err
			}
			return showApplication(s.Registration.Enroll.Edit(ctx, actorOf(ctx), ref, in.Body))
		})
	s.listApplications()
}

func (s *server) listApplications() {
	type filter struct {
		Paging
		State []string `query:"state,explode" maxItems:"15" enum:"draft,submitted,gathered,received,original-received,returned,examined,approved,issued,accepted,objected,closed,withdrawn,rejected,expired" doc:"Only in these states."`
		Unit  string   `query:"unit" maxLength:"64"`
		Area  string   `query:"area" maxLength:"6"`
		Batch string   `query:"batch" maxLength:"64"`
		Text  string   `query:"text" maxLength:"100" doc:"Stands in the number, the unit's or the seal's name."`
	}
	type listed struct {
		Body struct {
			Applications []ApplicationSummary `json:"applications"`
			Next         string               `json:"next,omitempty" doc:"For after, when there may be more."`
		}
	}
	operate(s, huma.Operation{OperationID: "list-applications", Method: http.MethodGet, Path: applicationPath, Tags: []string{tagApplications},
		Summary:     "List applications",
		Description: "Those that the caller may see, the newest first: a unit its own, a city bureau those of its area that it gathers, officers and auditors all.", Responses: s.answers(401, 403, 422)},
		registrationReaders(), func(ctx context.Context, in *filter) (*listed, error) {
			f := enroll.Filter{Unit: in.Unit, Area: in.Area, Batch: in.Batch, Text: in.Text, Before: in.After, Limit: in.Limit}
			for _, state := range in.State {
				f.States = append(f.States, enroll.State(state))
			}
			list, err := s.Registration.Enroll.List(ctx, actorOf(ctx), f)
			if err != nil {
				return nil, err
			}
			out := &listed{}
			out.Body.Applications = make([]ApplicationSummary, 0, len(list))
			for _, a := range list {
				out.Body.Applications = append(out.Body.Applications, summaryOf(a))
			}
			if len(list) == in.Limit {
				out.Body.Next = list[len(list)-1].ID
			}
			return out, nil
		})
}
