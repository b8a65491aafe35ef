package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/sealer/issuance"
)

const (
	issuancePath = "/v1/issuances"
	tagRemote    = "remote-issuing"
)

// Issuance is a case of remote issuing (异地出证). The applicant is masked.
type Issuance struct {
	ID          string             `json:"id"`
	Number      string             `json:"number" doc:"业务编号: the platform's own, or one of ours." example:"YD-2026-000042"`
	State       string             `json:"state" enum:"requested,found,composed,issued,received,delivered,declined,cancelled,withdrawn"`
	Label       string             `json:"label" doc:"The state in Chinese." example:"待答复"`
	Receiving   string             `json:"receiving" doc:"接收单位, where the applicant stands."`
	Holding     string             `json:"holding" doc:"保管单位, which holds the file."`
	Applicant   Applicant          `json:"applicant"`
	OpenedAt    time.Time          `json:"opened_at"`
	DueAt       time.Time          `json:"due_at" doc:"The answer must come before."`
	Overdue     bool               `json:"overdue" doc:"The answer came after its term, or still does not come."`
	Result      string             `json:"result,omitempty" enum:"found,not-found,not-open"`
	Reason      string             `json:"reason,omitempty" doc:"Of an answer that is no copy."`
	AnsweredAt  time.Time          `json:"answered_at,omitzero"`
	Reference   *ArchivalReference `json:"reference,omitempty"`
	Parts       []IssuancePart     `json:"parts,omitempty" doc:"For the holding archive alone."`
	Copy        *IssuedCopy        `json:"copy,omitempty" doc:"For the receiving archive once it was issued."`
	ReceivedAt  time.Time          `json:"received_at,omitzero"`
	DeliveredAt time.Time          `json:"delivered_at,omitzero"`
	Manner      string             `json:"manner,omitempty" enum:"printed,file"`
	ClosedAt    time.Time          `json:"closed_at,omitzero" doc:"When it was declined or cancelled."`
}

// Applicant is who asks, for what, and why.
type Applicant struct {
	Name     string `json:"name" minLength:"1" maxLength:"50"`
	Identity string `json:"identity" minLength:"1" maxLength:"40" doc:"身份证号."`
	Purpose  string `json:"purpose" minLength:"1" maxLength:"60" doc:"用途: it is printed on the note." example:"办理退休手续"`
	Sought   string `json:"sought" minLength:"1" maxLength:"500" doc:"What is sought." example:"本人 1988 年招工审批表"`
}

// ArchivalReference names a file of an archive.
type ArchivalReference struct {
	Fonds  string `json:"fonds" maxLength:"12" doc:"全宗号." example:"J021"`
	File   string `json:"file,omitempty" maxLength:"8" doc:"案卷号." example:"0137"`
	Item   string `json:"item,omitempty" maxLength:"8" doc:"件号." example:"0012"`
	Pages  int    `json:"pages" minimum:"1" maximum:"500" doc:"页数 of the copy."`
	Number string `json:"number" maxLength:"320" doc:"档号: begins with the fonds, ends with the item." example:"J021-WS·2009-0137-0012"`
}

// IssuancePart is a file of pages.
type IssuancePart struct {
	Number int    `json:"number"`
	Name   string `json:"name" doc:"Given here: names of files that come in are not kept."`
	Pages  int    `json:"pages"`
}

// IssuedCopy is the copy of a case.
type IssuedCopy struct {
	Number      string    `json:"number" doc:"出证编号." example:"CZ-2026-000042"`
	Seal        string    `json:"seal"`
	Pages       int       `json:"pages" doc:"With the note."`
	Day         string    `json:"day" doc:"出证日期, as printed." example:"2026-11-26"`
	IssuedAt    time.Time `json:"issued_at,omitzero"`
	Size        int64     `json:"size,omitempty"`
	SM3         string    `json:"sm3,omitempty"`
	WithdrawnAt time.Time `json:"withdrawn_at,omitzero"`
	Withdrawal  string    `json:"withdrawal,omitempty" doc:"Why it was withdrawn."`
}

func applicantOf(a issuance.Applicant) Applicant {
	return Applicant{Name: a.Name, Identity: a.Identity, Purpose: a.Purpose, Sought: a.Sought}
}

func issuanceOf(c issuance.Case) Issuance {
	v := Issuance{ID: c.ID, Number: c.Number, State: string(c.State), Label: c.State.Label(), Receiving: c.Receiving, Holding: c.Holding,
		Applicant: applicantOf(c.Applicant), OpenedAt: c.OpenedAt.UTC(), DueAt: c.DueAt.UTC(), Overdue: c.Overdue, Result: string(c.Result), Reason: c.Reason,
		AnsweredAt: c.AnsweredAt.UTC(), ReceivedAt: c.ReceivedAt.UTC(), DeliveredAt: c.DeliveredAt.UTC(), Manner: string(c.Manner), ClosedAt: c.ClosedAt.UTC()}
	if r := c.Reference; r != (issuance.Reference{}) {
		v.Reference = referenceOf(r)
	}
	for _, p := range c.Parts {
		v.Parts = append(v.Parts, IssuancePart{p.Number, p.Name, p.Pages})
	}
	if p := c.Copy; p != nil {
		v.Copy = &IssuedCopy{Number: p.Number, Seal: p.Seal, Pages: p.Pages, Day: p.Day, IssuedAt: p.IssuedAt.UTC(), Size: p.Size, SM3: p.SM3,
			WithdrawnAt: p.WithdrawnAt.UTC(), Withdrawal: p.Withdrawal}
	}
	return v
}

func referenceOf(r issuance.Reference) *ArchivalReference {
	return &ArchivalReference{Fonds: r.Fonds, File: r.File, Item: r.Item, Pages: r.Pages, Number: r.Number}
}

type issuanceOutput struct {
	Status   int
	Location string `header:"Location"`
	Body     Issuance
}

func showIssuance(c issuance.Case, err error) (*issuanceOutput, error) {
	if err != nil {
		return nil, err
	}
	return &issuanceOutput{Status: http.StatusOK, Body: issuanceOf(c)}, nil
}

// issuances registers what archives and the platform do with cases.
func (s *server) issuances() {
	s.issuanceDesk()
	s.issuanceSteps()
	s.issuanceCopies()
	s.issuanceReports()
	s.issuedCopies()
}

// issuanceDesk opens, lists and reads cases.
func (s *server) issuanceDesk() {
	type opening struct {
		Key  string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$" doc:"Chosen by the caller, new for every request: the same key with the same request gives the same case."`
		Body struct {
			Receiving string    `json:"receiving,omitempty" maxLength:"800" doc:"A clerk's own archive may be left out; the platform says it."`
			Holding   string    `json:"holding" maxLength:"800" doc:"One of GET /v1/issuance-archives."`
			Number    string    `json:"number,omitempty" maxLength:"64" doc:"The caller's own case number. The same number with the same request gives the same case."`
			Applicant Applicant `json:"applicant"`
		}
	}
	operate(s, huma.Operation{OperationID: "open-issuance", Method: http.MethodPost, Path: issuancePath, Tags: []string{tagRemote},
		Summary:       "Ask another archive for a file",
		Description:   "The term of the answer begins: four working days, unless the service is set otherwise. A repetition is answered 200.",
		DefaultStatus: http.StatusCreated, Responses: with(s.answers(400, 401, 403, 404, 409, 413, 415, 422), http.StatusOK, &huma.Response{Description: "Opened before, with the same key or number",
			Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(Issuance{})}}})},
		sealUsers(), func(ctx context.Context, in *opening) (*issuanceOutput, error) {
			b := in.Body
			c, existed, err := s.Issuance.Open(ctx, actorOf(ctx), issuance.Request{Receiving: b.Receiving, Holding: b.Holding, Number: b.Number, Key: in.Key,
				Applicant: issuance.Applicant{Name: b.Applicant.Name, Identity: b.Applicant.Identity, Purpose: b.Applicant.Purpose, Sought: b.Applicant.Sought}})
			out, err := showIssuance(c, err)
			if err == nil {
				out.Location = issuancePath + "/" + c.ID
				if !existed {
					out.Status = http.StatusCreated
				}
			}
			return out, err
		})
	operate(s, huma.Operation{OperationID: "get-issuance", Method: http.MethodGet, Path: issuancePath + "/{id}", Tags: []string{tagRemote},
		Summary: "Read a case", Description: "For the two archives, and the platform that opened it.", Responses: s.answers(401, 403, 404)},
		sealUsers(), func(ctx context.Context, in *Named) (*issuanceOutput, error) {
			return showIssuance(s.Issuance.Case(ctx, actorOf(ctx), in.ID))
		})
	type listed struct {
		Body struct {
			Issuances []Issuance `json:"issuances"`
			Next      string     `json:"next,omitempty" doc:"For after, where there may be more."`
		}
	}
	operate(s, huma.Operation{OperationID: "list-issuances", Method: http.MethodGet, Path: issuancePath, Tags: []string{tagRemote},
		Summary: "List cases", Description: "The newest first, without parts and copies.", Responses: s.answers(400, 401, 403, 422)},
		sealUsers(), func(ctx context.Context, in *issuanceFilter) (*listed, error) {
			f := in.filter()
			list, err := s.Issuance.Cases(ctx, actorOf(ctx), f)
			if err != nil {
				return nil, err
			}
			out := &listed{}
			out.Body.Issuances = make([]Issuance, 0, len(list))
			for _, c := range list {
				out.Body.Issuances = append(out.Body.Issuances, issuanceOf(c))
			}
			if len(list) == f.Limit {
				out.Body.Next = list[len(list)-1].ID
			}
			return out, nil
		})
	type archives struct {
		Body struct {
			Archives []string `json:"archives"`
		}
	}
	operate(s, huma.Operation{OperationID: "list-issuance-archives", Method: http.MethodGet, Path: "/v1/issuance-archives", Tags: []string{tagRemote},
		Summary: "Archives that can be asked", Responses: s.answers(401, 403)},
		sealUsers(), func(ctx context.Context, _ *struct{}) (*archives, error) {
			out := &archives{}
			var err error
			out.Body.Archives, err = s.Issuance.Archives(ctx)
			return out, err
		})
}

// issuanceFilter narrows a list or the register.
type issuanceFilter struct {
	Side    string `query:"side" enum:"out,in" doc:"out: what one's archive asked for; in: what others ask of it."`
	State   string `query:"state" enum:"requested,found,composed,issued,received,delivered,declined,cancelled,withdrawn"`
	Overdue bool   `query:"overdue" doc:"Only what waits for an answer beyond its term."`
	From    string `query:"from" maxLength:"10" doc:"First day on which it was opened." example:"2026-01-01"`
	Until   string `query:"until" maxLength:"10" doc:"Last day." example:"2026-12-31"`
	After   string `query:"after" maxLength:"64"`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
}

func (f issuanceFilter) filter() issuance.Filter {
	return issuance.Filter{Side: f.Side, State: issuance.State(f.State), Overdue: f.Overdue, From: f.From, Until: f.Until, After: f.After, Limit: f.Limit}
}

// issuanceReaders read numbers: auditors all, clerks those of their archive.
func issuanceReaders() caller { return anyOf(access.RoleOperator, access.RoleAuditor) }

// IssuanceTally counts the cases that an archive was asked in.
type IssuanceTally struct {
	Archive   string `json:"archive,omitempty"`
	Requested int    `json:"requested"`
	Found     int    `json:"found"`
	NotFound  int    `json:"not_found"`
	NotOpen   int    `json:"not_open"`
	Cancelled int    `json:"cancelled"`
	Open      int    `json:"open" doc:"No answer yet."`
	InTime    int    `json:"in_time"`
	Overdue   int    `json:"overdue" doc:"Answered after the term, or still open after it."`
	Issued    int    `json:"issued" doc:"Copies, withdrawn ones included."`
	Withdrawn int    `json:"withdrawn"`
}

func tallyOf(t issuance.Tally) IssuanceTally {
	return IssuanceTally{t.Archive, t.Requested, t.Found, t.Missing, t.Closed, t.Cancelled, t.Open, t.InTime, t.Late, t.Issued, t.Withdrawn}
}

// IssuanceStatistics are the numbers of a year.
type IssuanceStatistics struct {
	Year     int             `json:"year"`
	Archives []IssuanceTally `json:"archives" doc:"By the archive that holds the files."`
	Total    IssuanceTally   `json:"total"`
}

// issuanceReports gives numbers and the register.
func (s *server) issuanceReports() {
	type asked struct {
		Year int `query:"year" minimum:"0" maximum:"9000" doc:"Absent: this year."`
	}
	type counted struct{ Body IssuanceStatistics }
	operate(s, huma.Operation{OperationID: "issuance-statistics", Method: http.MethodGet, Path: "/v1/issuance-statistics", Tags: []string{tagRemote},
		Summary: "Count a year", Description: "Everything for an auditor; for a clerk what their own archive was asked.", Responses: s.answers(400, 401, 403, 422)},
		issuanceReaders(), func(ctx context.Context, in *asked) (*counted, error) {
			st, err := s.Issuance.Statistics(ctx, actorOf(ctx), cmp.Or(in.Year, s.Clock().In(civil.China).Year()))
			if err != nil {
				return nil, err
			}
			return &counted{IssuanceStatisticsOf(st)}, nil
		})
	s.stream(huma.Operation{OperationID: "issuance-register", Method: http.MethodGet, Path: "/v1/issuance-register.xlsx", Tags: []string{tagRemote},
		Summary: "异地出证登记簿", Description: "A workbook of the cases that the caller may see, applicants masked. That it was fetched is on record.",
		Parameters: []*huma.Param{parameter("query", "side", "out or in.", false), parameter("query", "state", "State.", false),
			parameter("query", "from", "First day on which cases were opened.", false), parameter("query", "until", "Last day.", false)},
		Responses: with(s.answers(400, 401, 403), http.StatusOK, &huma.Response{Description: "The workbook", Content: binary(workbook)})},
		sealUsers(), s.issuanceRegister)
}

const workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
