package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"yinxin/sealer/imprint"
	"yinxin/sealer/registration"
)

// TemplateOrder says what a seal template is made of.
type TemplateOrder struct {
	Attachment string `json:"attachment,omitempty" maxLength:"64" doc:"Empty: the newest scan of the form with the application's code."`
	Page       int    `json:"page,omitempty" minimum:"0" maximum:"40" doc:"Of the attachment, counted from 1."`
	Box        string `json:"box,omitempty" enum:"both,first,second,page" doc:"both, the default, compares 印模1 and 印模2 and fills the gaps of one from the other. page is for a page on which the boxes cannot be found."`
	Code       string `json:"code,omitempty" pattern:"^[0-9]{14}$" doc:"The seal's, if the authority assigned one; a code is made otherwise."`
	Reason     string `json:"reason,omitempty" maxLength:"200" doc:"Why a template with a warning is accepted. Without it, such a template is shown and not stored."`
	DryRun     bool   `json:"dry_run,omitempty" doc:"Only look."`
}

// SealTemplate is what the imprints on a form gave.
type SealTemplate struct {
	Stored     bool           `json:"stored" doc:"Whether this is the application's template now. What is to be stamped again never is, a warning only with a reason."`
	Verdict    string         `json:"verdict" enum:"usable,warn,stamp-again"`
	Code       string         `json:"code,omitempty" doc:"The seal's, 14 digits."`
	Attachment string         `json:"attachment,omitempty"`
	Page       int            `json:"page,omitempty"`
	Box        string         `json:"box,omitempty"`
	Precise    bool           `json:"precise" doc:"Otherwise a person has to look whether the boxes were found in their places."`
	Width      float64        `json:"width_mm"`
	Height     float64        `json:"height_mm"`
	Reason     string         `json:"reason,omitempty"`
	Gates      []imprint.Gate `json:"gates"`
	Picture    []byte         `json:"picture,omitempty" doc:"PNG at 300 dpi, in base64."`
}

func (s *server) templates() {
	const path = applicationPath + "/{id}/template"
	type made struct {
		Status int
		Body   SealTemplate
	}
	operate(s, huma.Operation{OperationID: "make-template", Method: http.MethodPost, Path: path, Tags: []string{tagIssuing},
		Summary:     "Make the seal's template from the imprints on the form",
		Description: "201: stored; 200: only looked at, the verdict and the gates say why.", Responses: with(s.changing(503), http.StatusCreated, &huma.Response{Description: "Stored",
			Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(SealTemplate{})}}})},
		registrars(), func(ctx context.Context, in *told[TemplateOrder]) (*made, error) {
			ref, err := in.ref()
			if err != nil {
				return nil, err
			}
			ctx, cancel := context.WithTimeout(ctx, s.VerifyTime)
			defer cancel()
			o := in.Body
			t, err := s.Registration.MakeTemplate(ctx, actorOf(ctx), ref, registration.Order{Attachment: o.Attachment, Page: o.Page, Box: registration.Box(o.Box),
				Code: o.Code, Reason: o.Reason, Dry: o.DryRun})
			if err != nil {
				return nil, err
			}
			out := &made{Status: http.StatusOK, Body: SealTemplate{Stored: t.Stored, Verdict: string(t.Verdict), Code: t.Code, Attachment: t.Attachment, Page: t.Page,
				Box: string(t.Box), Precise: t.Precise, Width: t.Width, Height: t.Height, Gates: t.Gates, Picture: t.Picture}}
			if t.Stored {
				out.Status, out.Body.Reason = http.StatusCreated, o.Reason
			}
			return out, nil
		})
	type kept struct{ Body SealTemplate }
	operate(s, huma.Operation{OperationID: "get-template", Method: http.MethodGet, Path: path, Tags: []string{tagIssuing},
		Summary: "The seal's template", Description: "Without its picture: see template.png.", Responses: s.reading()},
		registrationReaders(), func(ctx context.Context, in *Named) (*kept, error) {
			t, err := s.Registration.Template(ctx, actorOf(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			out := &kept{SealTemplate{Stored: true, Verdict: "usable", Code: t.Code, Width: t.Width, Height: t.Height, Reason: t.Reason, Gates: []imprint.Gate{}}}
			if t.Verdict == "warn" {
				out.Body.Verdict = t.Verdict
			}
			var of struct {
				Attachment, Box string
				Page            int
				Precise         bool
				Imprint         struct{ Gates []imprint.Gate }
			}
			// Templates that came in another way have other measures, or none.
			if json.Unmarshal([]byte(t.Measures), &of) == nil {
				out.Body.Attachment, out.Body.Box, out.Body.Page, out.Body.Precise = of.Attachment, of.Box, of.Page, of.Precise
				out.Body.Gates = append(out.Body.Gates, of.Imprint.Gates...)
			}
			return out, nil
		})
	s.stream(huma.Operation{OperationID: "template-picture", Method: http.MethodGet, Path: path + ".png", Tags: []string{tagIssuing},
		Summary: "The seal's template as a picture", Description: "PNG, 600 dpi, transparent.",
		Parameters: []*huma.Param{parameter("path", "id", "Identifier of the application.", true)},
		Responses:  with(s.reading(), http.StatusOK, &huma.Response{Description: "The picture", Content: binary("image/png")})},
		registrationReaders(), func(w http.ResponseWriter, r *http.Request) {
			t, err := s.Registration.Template(r.Context(), actorOf(r.Context()), chi.URLParam(r, "id"))
			if err != nil {
				s.fail(w, r, err)
				return
			}
			s.giveFile(w, r, "image/png", "template.png", t.Template)
		})
}
