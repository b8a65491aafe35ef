package api

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"yinxin/ca/enroll"
)

// ApplicationFinding is something wrong or doubtful with an application.
type ApplicationFinding struct {
	Key       string        `json:"key" doc:"Names it when it is confirmed." example:"form.unit-kind@unit.type"`
	Severity  string        `json:"severity" enum:"error,confirm" doc:"error: to be corrected; confirm: an officer may let it pass with a reason."`
	Code      string        `json:"code"`
	Field     string        `json:"field"`
	Label     string        `json:"label" doc:"The label on the form."`
	Message   string        `json:"message"`
	MessageEN string        `json:"message_en"`
	Confirmed *Confirmation `json:"confirmed,omitempty"`
}

// Confirmation is an officer's reason to let a doubtful point pass.
type Confirmation struct {
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// HistoryLine is one thing that happened to an application.
type HistoryLine struct {
	At           time.Time `json:"at"`
	Actor        string    `json:"actor,omitempty" doc:"Absent: the service, as time passed."`
	Name         string    `json:"name,omitempty"`
	Organisation string    `json:"organisation,omitempty"`
	Step         string    `json:"step" example:"submit"`
	From         string    `json:"from,omitempty"`
	To           string    `json:"to"`
	Version      int       `json:"version"`
	Reason       string    `json:"reason,omitempty"`
	Remarks      []Remark  `json:"remarks,omitempty"`
	Sentence     string    `json:"sentence" doc:"In Chinese: when, who, what, why." example:"2026年11月26日 10:05　张三（延吉市档案馆）提交申请。"`
}

// PersonalData is what Unmask shows.
type PersonalData struct {
	HandlerIdentity   string           `json:"handler_identity"`
	HandlerMobile     string           `json:"handler_mobile"`
	KeyHolderIdentity string           `json:"key_holder_identity,omitempty"`
	Persons           []PersonalNumber `json:"persons,omitempty" doc:"Of the roster."`
}

// PersonalNumber is a person of a roster in the clear.
type PersonalNumber struct {
	Row      int    `json:"row"`
	Name     string `json:"name"`
	Identity string `json:"identity"`
	Mobile   string `json:"mobile,omitempty"`
}

// dossiers are what is known of an application besides its fields.
func (s *server) dossiers() {
	s.findingRoutes()
	type seen struct {
		ID   string `path:"id" maxLength:"64"`
		Body Reason
	}
	type shown struct{ Body PersonalData }
	operate(s, huma.Operation{OperationID: "unmask-application", Method: http.MethodPost, Path: applicationPath + "/{id}/unmask", Tags: []string{tagApplications},
		Summary:     "See personal data",
		Description: "The only answer with identity and mobile numbers in the clear. Who looked, when and why is in history and ledger before anything is shown.",
		Responses:   s.answers(400, 401, 403, 404, 413, 415, 422)},
		officers(), func(ctx context.Context, in *seen) (*shown, error) {
			u, err := s.Registration.Enroll.Unmask(ctx, actorOf(ctx), in.ID, in.Body.Reason)
			if err != nil {
				return nil, err
			}
			out := &shown{PersonalData{HandlerIdentity: u.Personal.HandlerIdentity, HandlerMobile: u.Personal.HandlerMobile, KeyHolderIdentity: u.Personal.KeyHolderIdentity}}
			for _, p := range u.Persons {
				out.Body.Persons = append(out.Body.Persons, PersonalNumber{p.Row, p.Name, p.Identity, p.Mobile})
			}
			return out, nil
		})
	s.stream(huma.Operation{OperationID: "print-application", Method: http.MethodGet, Path: applicationPath + "/{id}/form.pdf", Tags: []string{tagApplications},
		Summary:     "The form for printing",
		Description: "One page of A4 with the application's QR code, to be stamped and signed. It holds personal data; each printing is in the history, and an officer says why.",
		Parameters: []*huma.Param{parameter("path", "id", "Identifier of the application.", true),
			parameter("query", "reason", "Why, without personal data; needed from everybody but the unit.", false)},
		Responses: with(s.reading(), http.StatusOK, &huma.Response{Description: "The form", Content: binary("application/pdf")})},
		unitSide(), func(w http.ResponseWriter, r *http.Request) {
			var pdf bytes.Buffer
			if err := s.Registration.Print(r.Context(), actorOf(r.Context()), chi.URLParam(r, "id"), r.URL.Query().Get("reason"), &pdf); err != nil {
				s.fail(w, r, err)
				return
			}
			s.giveFile(w, r, "application/pdf", "申请表.pdf", pdf.Bytes())
		})
}

func (s *server) findingRoutes() {
	type findings struct {
		Body struct {
			Findings []ApplicationFinding `json:"findings"`
		}
	}
	operate(s, huma.Operation{OperationID: "application-findings", Method: http.MethodGet, Path: applicationPath + "/{id}/findings", Tags: []string{tagApplications},
		Summary: "What is wrong or doubtful", Description: "Of the present version, in the order of the form.", Responses: s.reading()},
		registrationReaders(), func(ctx context.Context, in *Named) (*findings, error) {
			list, err := s.Registration.Enroll.Findings(ctx, actorOf(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			out := &findings{}
			out.Body.Findings = make([]ApplicationFinding, 0, len(list))
			for _, f := range list {
				out.Body.Findings = append(out.Body.Findings, findingOf(f))
			}
			return out, nil
		})
	type history struct {
		Body struct {
			History []HistoryLine `json:"history"`
			Next    string        `json:"next,omitempty"`
		}
	}
	type asked struct {
		Named
		Paging
	}
	operate(s, huma.Operation{OperationID: "application-history", Method: http.MethodGet, Path: applicationPath + "/{id}/history", Tags: []string{tagApplications},
		Summary: "What happened to an application", Description: "The oldest first.", Responses: s.reading()},
		registrationReaders(), func(ctx context.Context, in *asked) (*history, error) {
			list, err := s.Registration.Enroll.History(ctx, actorOf(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			numbered := make([]int, len(list))
			for i := range list {
				numbered[i] = i
			}
			piece, next := page(numbered, in.Paging, func(i int) string { return strconv.Itoa(i + 1) })
			out := &history{}
			out.Body.History, out.Body.Next = make([]HistoryLine, 0, len(piece)), next
			for _, i := range piece {
				out.Body.History = append(out.Body.History, lineOf(list[i]))
			}
			return out, nil
		})
}

func findingOf(f enroll.Finding) ApplicationFinding {
	v := ApplicationFinding{Key: f.Key(), Severity: string(f.Severity), Code: f.Code, Field: f.Field, Label: f.Label, Message: f.ZH, MessageEN: f.EN}
	if f.Confirmed != nil {
		v.Confirmed = &Confirmation{f.Confirmed.Reason, f.Confirmed.By, f.Confirmed.At.UTC()}
	}
	return v
}

func lineOf(l enroll.Line) HistoryLine {
	v := HistoryLine{At: l.At.UTC(), Actor: l.Actor, Name: l.Name, Organisation: l.Organisation, Step: string(l.Step), From: string(l.From), To: string(l.To),
		Version: l.Version, Reason: l.Reason, Sentence: l.Sentence()}
	for _, r := range l.Remarks {
		v.Remarks = append(v.Remarks, Remark(r))
	}
	return v
}
