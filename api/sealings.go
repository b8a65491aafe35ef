package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
)

// Placement says where the seal stands.
type Placement struct {
	Page int     `json:"page" minimum:"-1" maximum:"10000000" doc:"Page, counted from 1; -1 is the last page." example:"1"`
	From string  `json:"from,omitempty" enum:"bottom-left,bottom-right,top-left,top-right" default:"bottom-left" doc:"The corner of the page, as displayed, from which x and y are measured to the nearest corner of the seal."`
	X    float64 `json:"x" minimum:"0" maximum:"5000" doc:"Millimetres." example:"120"`
	Y    float64 `json:"y" minimum:"0" maximum:"5000" doc:"Millimetres." example:"40"`
}

// SealingOrder asks for a document to be sealed.
type SealingOrder struct {
	Document  string    `json:"document" minLength:"1" maxLength:"64" doc:"Identifier of the document."`
	Seal      string    `json:"seal" pattern:"^[0-9]{14}$" doc:"Code of the seal: 14 digits." example:"29010000000017"`
	Placement Placement `json:"placement"`
	Reason    string    `json:"reason,omitempty" maxLength:"200" doc:"Why it is sealed; stands in the signature dictionary of the file."`
	Location  string    `json:"location,omitempty" maxLength:"200" doc:"Where it is sealed; stands in the signature dictionary of the file."`
}

// Sealing is a document that was sealed and released.
type Sealing struct {
	ID        string    `json:"id" doc:"Identifier of the sealing, as in the ledger."`
	Document  Document  `json:"document" doc:"The sealed document, a new one; the original stays as it is."`
	Original  string    `json:"original" doc:"Identifier of the document that was sealed."`
	Seal      string    `json:"seal" doc:"Code of the seal."`
	Time      time.Time `json:"time" doc:"The signing time in the signature."`
	ByteRange string    `json:"byte_range" doc:"What the signature covers, as in the file."`
}

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
		DefaultStatus: http.StatusCreated,
		Responses: with(s.answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503), http.StatusOK, &huma.Response{Description: "Sealed before, with the same key",
			Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(Sealing{})}}})},
		sealUsers(), s.seal)

	type listed struct {
		Body struct {
			Seals []Seal `json:"seals"`
		}
	}
	operate(s, huma.Operation{OperationID: "list-seals", Method: http.MethodGet, Path: "/v1/seals", Tags: []string{"sealing"},
		Summary: "List one's seals", Description: "All seals that the caller was ever granted, usable or not.", Responses: s.answers(401, 403)},
		sealUsers(), func(ctx context.Context, _ *struct{}) (*listed, error) {
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
	o := sealer.Order{Document: in.Body.Document, Seal: in.Body.Seal, Reason: in.Body.Reason, Location: in.Body.Location,
		Placement: pdf.Placement{Page: in.Body.Placement.Page, From: corner(in.Body.Placement.From), X: in.Body.Placement.X, Y: in.Body.Placement.Y},
		// Keys of the API are their own: none can meet a key that another door made up.
		IdempotencyKey: "api:" + in.Key}
	done, err := s.sealOnce(ctx, o)
	if err != nil {
		return nil, err
	}
	out := &sealOutput{Status: http.StatusCreated, Location: documentPath + done.Document.ID, Body: Sealing{ID: done.ID, Document: documentOf(done.Document),
		Original: o.Document, Seal: done.Seal, Time: done.Time.UTC(), ByteRange: done.ByteRange}}
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

func corner(name string) pdf.Corner {
	switch name {
	case "bottom-right":
		return pdf.BottomRight
	case "top-left":
		return pdf.TopLeft
	case "top-right":
		return pdf.TopRight
	}
	return pdf.BottomLeft
}
