package api

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/register"
)

// Sealing is a document that was sealed and released.
type Sealing struct {
	ID        string    `json:"id" doc:"Identifier of the sealing, as in the ledger."`
	Document  Document  `json:"document" doc:"The sealed document, a new one; the original stays as it is."`
	Original  string    `json:"original" doc:"Identifier of the document that was sealed."`
	Seal      string    `json:"seal" doc:"Code of the seal."`
	Time      time.Time `json:"time" doc:"The signing time in the signature."`
	ByteRange string    `json:"byte_range" doc:"What the signature covers, as in the file."`
	Details   Details   `json:"details"`
}

// Details are what a sealing did and what the person should know about it.
type Details struct {
	Profile   string    `json:"profile" enum:"seal,cms-gm,cms"`
	Field     string    `json:"field" doc:"Name of the signature field."`
	Marks     []Mark    `json:"marks" doc:"Where the seal shows."`
	Notes     []Note    `json:"notes" doc:"What the plan decided by itself."`
	Findings  []Finding `json:"findings" doc:"What was noticed in the document before it was sealed."`
	Recovered string    `json:"recovered,omitempty" doc:"The code of the damage, if the file's cross-reference was damaged and built anew."`
}

// Mark is one place where the seal shows.
type Mark struct {
	Kind   string  `json:"kind" enum:"seal,field,straddle"`
	Page   int     `json:"page"`
	X      float64 `json:"x_mm" doc:"Left edge, in millimetres from the left of the page as displayed."`
	Y      float64 `json:"y_mm" doc:"Lower edge, in millimetres from the bottom of the page as displayed."`
	Width  float64 `json:"width_mm"`
	Height float64 `json:"height_mm"`
	Part   int     `json:"part,omitempty" doc:"Which strip of a straddle seal, counted from 1."`
	Parts  int     `json:"parts,omitempty" doc:"Of how many."`
}

// Note is a remark about the plan.
type Note struct {
	Code      string `json:"code"`
	Page      int    `json:"page,omitempty"`
	Message   string `json:"message"`
	MessageEN string `json:"message_en"`
}

// Finding is something in the document that a person should look at before relying on its seal.
type Finding struct {
	Code      string `json:"code"`
	Severity  string `json:"severity" enum:"info,warning,danger"`
	Page      int    `json:"page,omitempty"`
	Object    string `json:"object,omitempty" doc:"The object of the file, such as 12 0 R."`
	Message   string `json:"message"`
	MessageEN string `json:"message_en"`
}

// DetailsOf describes what a sealing did.
func DetailsOf(d sealer.Details) Details {
	out := Details{Profile: string(d.Profile), Field: d.Field, Recovered: d.Recovered,
		Marks: make([]Mark, 0, len(d.Marks)), Notes: make([]Note, 0, len(d.Notes)), Findings: make([]Finding, 0, len(d.Findings))}
	for _, m := range d.Marks {
		out.Marks = append(out.Marks, Mark{Kind: string(m.Kind), Page: m.Page, X: hundredth(m.Shown.X1), Y: hundredth(m.Shown.Y1),
			Width: hundredth(m.Shown.Width()), Height: hundredth(m.Shown.Height()), Part: m.Part, Parts: m.Parts})
	}
	for _, n := range d.Notes {
		out.Notes = append(out.Notes, Note{n.Code, n.Page, n.ZH, n.EN})
	}
	for _, f := range d.Findings {
		out.Findings = append(out.Findings, Finding{string(f.Code), string(f.Severity), f.Page, f.Object, f.ZH, f.EN})
	}
	return out
}

// hundredth rounds millimetres to the hundredth: what the file says is finer than any printer.
func hundredth(mm float64) float64 { return math.Round(mm*100) / 100 }

// Seal is a seal that the caller was ever granted.
type Seal struct {
	Code         string  `json:"code" doc:"14 digits."`
	Name         string  `json:"name"`
	Organisation string  `json:"organisation"`
	State        string  `json:"state" enum:"making,active,suspended,collected,cancelled"`
	Width        float64 `json:"width_mm"`
	Height       float64 `json:"height_mm"`
	ValidFrom    string  `json:"valid_from,omitempty" doc:"RFC 3339."`
	ValidUntil   string  `json:"valid_until,omitempty" doc:"RFC 3339."`
	Usable       bool    `json:"usable" doc:"Whether the caller could seal with it now."`
	Reason       string  `json:"reason,omitempty" doc:"The code with which sealing would be refused." example:"seal.suspended"`
	UsesLeft     *int    `json:"uses_left,omitempty" doc:"How many uses the grant leaves, if it counts them."`
}

type sealInput struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$" doc:"Chosen by the caller, new for every order: the same key with the same order gives the same result again, with another order it is refused."`
	Body SealingOrder
}

type sealOutput struct {
	Status   int
	Location string `header:"Location"`
	Replayed string `header:"Idempotency-Replayed" doc:"true, when the key was used before and this is its stored result."`
	Body     Sealing
}

func (s *server) sealings() {
	operate(s, huma.Operation{OperationID: "seal-document", Method: http.MethodPost, Path: "/v1/sealings", Tags: []string{"sealing"},
		Summary:       "Seal a document",
		Description:   "The result is a new document, which begins with the original byte for byte. A repeated request with the same Idempotency-Key is answered 200 with the stored result.",
		DefaultStatus: http.StatusCreated, RequestBody: orderExamples(),
		Responses: with(s.answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503), http.StatusOK, &huma.Response{Description: "Sealed before, with the same key",
			Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(Sealing{})}}})},
		sealTesters(), s.seal)

	type listed struct {
		Body struct {
			Seals []Seal `json:"seals"`
		}
	}
	operate(s, huma.Operation{OperationID: "list-seals", Method: http.MethodGet, Path: "/v1/seals", Tags: []string{"sealing"},
		Summary: "List one's seals", Description: "All seals that the caller was ever granted, usable or not.", Responses: s.answers(401, 403)},
		sealTesters(), func(ctx context.Context, _ *struct{}) (*listed, error) {
			seals, err := s.Register.Seals(ctx, actorOf(ctx))
			if err != nil {
				return nil, err
			}
			out := &listed{}
			out.Body.Seals = make([]Seal, 0, len(seals))
			for _, l := range seals {
				out.Body.Seals = append(out.Body.Seals, sealOf(l))
			}
			return out, nil
		})
}

func sealOf(l register.Listed) Seal {
	return Seal{Code: l.Code, Name: l.Name, Organisation: l.Organisation, State: string(l.State), Width: l.Width, Height: l.Height,
		ValidFrom: l.ValidFrom, ValidUntil: l.ValidUntil, Usable: l.Usable, Reason: l.Reason, UsesLeft: l.Left}
}

func (s *server) seal(ctx context.Context, in *sealInput) (*sealOutput, error) {
	o, err := in.Body.Order()
	if err != nil {
		return nil, err
	}
	if err := s.countSeals(ctx, s.Register.Authorise, o.Seal); err != nil {
		return nil, err
	}
	// Keys of the API are their own: none can meet a key that another door made up.
	o.IdempotencyKey = "api:" + in.Key
	done, err := s.sealOnce(ctx, o)
	if err != nil {
		return nil, err
	}
	out := &sealOutput{Status: http.StatusCreated, Location: documentPath + done.Document.ID, Body: Sealing{ID: done.ID, Document: documentOf(done.Document),
		Original: o.Document, Seal: done.Seal, Time: done.Time.UTC(), ByteRange: done.ByteRange, Details: DetailsOf(done.Details)}}
	if done.Replayed {
		out.Status, out.Replayed = http.StatusOK, strconv.FormatBool(true)
	}
	return out, nil
}

// sealOnce seals; a repetition that meets its first attempt still at work waits for it a little, so that the impatient
// caller gets the result and not an error. In this process the repetitions queue; for one that another process works
// on, the database is asked again and again.
func (s *server) sealOnce(ctx context.Context, o sealer.Order) (sealer.Sealed, error) {
	ctx, cancel := context.WithTimeout(ctx, sealTime)
	defer cancel()
	by := actorOf(ctx)
	patience := time.NewTimer(s.Patience)
	defer patience.Stop()
	done := s.repeats.take(ctx, by.ID+" "+o.IdempotencyKey, patience.C)
	if done == nil {
		return s.Sealer.Seal(ctx, by, o) // says what is the matter: in progress, or ended
	}
	defer done()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		sealed, err := s.Sealer.Seal(ctx, by, o)
		if fault.CodeOf(err) != "sealing.in-progress" {
			return sealed, err
		}
		select {
		case <-time.After(wait):
		case <-patience.C:
			return sealed, err
		case <-ctx.Done():
			return sealed, err
		}
	}
}

// sealTime is the longest that one sealing may take.
const sealTime = time.Minute
