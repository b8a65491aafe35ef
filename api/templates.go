package api

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"yinxin/internal/access"
	"yinxin/sealer/imprint"
	"yinxin/sealer/imprint/sheet"
	"yinxin/sealer/registration"
)

// TemplateOrder says what a seal template is made of.
type TemplateOrder struct {
	Attachment string `json:"attachment,omitempty" maxLength:"64" doc:"Empty: the newest scan of the form with the application's code."`
	Page       int    `json:"page,omitempty" minimum:"0" maximum:"40" doc:"Of the attachment, counted from 1."`
	Box        string `json:"box,omitempty" enum:"both,first,second,page" doc:"both, the default, compares 印模1 and 印模2 and fills the gaps of one from the other. page is for a page on which the boxes cannot be found."`
	Code       string `json:"code,omitempty" pattern:"^[0-9]{14}$" doc:"The seal's, if the authority assigned one; a code is made otherwise."`
	Shape      string `json:"shape,omitempty" enum:"round,ellipse,rectangle,frameless" doc:"As an officer sees it; otherwise as the form says or the scan shows."`
	Polarity   string `json:"polarity,omitempty" enum:"positive,negative" doc:"positive is 阳文, characters of ink; negative is 阴文. Otherwise as the scan shows."`
	Colour     string `json:"colour,omitempty" enum:"red,blue,green,purple" doc:"Of the ink; red otherwise."`
	Show       bool   `json:"show,omitempty" doc:"Also answer with the imprints as they were scanned, and with the map of what was filled in."`
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

	Measures *TemplateMeasures `json:"measures,omitempty"`
	Compared *TemplateKinship  `json:"compared,omitempty" doc:"For a change: how the imprints compare with the template in use. It stops nothing, since a change may be to another seal."`
	Imprints []ScannedImprint  `json:"imprints,omitempty" doc:"If they were asked for: the imprints as they were scanned, the better one first."`
	Changes  []byte            `json:"changes,omitempty" doc:"If it was asked for: PNG on the canvas of the template, in base64. Grey is ink of the better imprint, blue was completed from the other one, orange was carried over under black print."`
}

// TemplateKinship is how imprints compare with the template in use.
type TemplateKinship struct {
	Outcome    string          `json:"outcome" enum:"same,different,cannot-tell"`
	Sentence   string          `json:"sentence" doc:"In Chinese."`
	SentenceEN string          `json:"sentence_en"`
	Mismatch   float64         `json:"mismatch_mm2" doc:"Ink that only one of them shows, in the worst window of 2 mm."`
	Places     []TemplatePlace `json:"places,omitempty" doc:"Where they disagree, worst first."`
	PNG        []byte          `json:"png,omitempty" doc:"If pictures were asked for: both over each other, in base64. Grey is ink of both, blue of the template in use alone, red of the new imprint alone."`
}

// TemplatePlace is a part of a template, in millimetres from its left and upper edge.
type TemplatePlace struct {
	Left   float64 `json:"left_mm"`
	Top    float64 `json:"top_mm"`
	Right  float64 `json:"right_mm"`
	Bottom float64 `json:"bottom_mm"`
}

func templateKinshipOf(k *registration.Kinship) *TemplateKinship {
	if k == nil {
		return nil
	}
	t := &TemplateKinship{Outcome: string(k.Outcome), Sentence: k.ZH, SentenceEN: k.EN, Mismatch: k.Mismatch}
	for _, p := range k.Places {
		t.Places = append(t.Places, TemplatePlace{p.Left, p.Top, p.Right, p.Bottom})
	}
	return t
}

// ScannedImprint is a part of the scan.
type ScannedImprint struct {
	Width  float64 `json:"width_mm"`
	Height float64 `json:"height_mm"`
	PNG    []byte  `json:"png" doc:"At most 300 dpi, in base64."`
}

// show adds what the template was made from.
func (t *SealTemplate) show(made registration.Made) error {
	pictures, changes, err := made.Pictures()
	if err != nil {
		return err
	}
	for _, p := range pictures {
		t.Imprints = append(t.Imprints, ScannedImprint{p.Width, p.Height, p.PNG})
	}
	t.Changes = changes
	if made.Compared != nil {
		t.Compared.PNG = made.Compared.Picture
	}
	return nil
}

// TemplateMeasures are figures about the imprints that were used. The evidence has all of them.
type TemplateMeasures struct {
	DPI            float64 `json:"dpi" doc:"Of the scan."`
	Shape          string  `json:"shape" enum:"round,ellipse,rectangle,frameless"`
	Polarity       string  `json:"polarity" enum:"positive,negative"`
	Width          float64 `json:"width_mm" doc:"As measured."`
	Height         float64 `json:"height_mm"`
	SizeDifference float64 `json:"size_difference_mm" doc:"Measured minus declared."`
	Angle          float64 `json:"angle_degrees" doc:"How far the imprint leaned, clockwise; it is upright in the template."`
	Fused          int     `json:"fused" doc:"Imprints that went into the template."`
	Match          float64 `json:"match" doc:"Share of the strokes on which two imprints agree."`
	Mismatch       float64 `json:"mismatch_mm2" doc:"Ink that one of them lacks, in the worst window of 2 mm."`
	MissingStrokes float64 `json:"missing_strokes"`
	Eroded         float64 `json:"eroded_mm" doc:"Taken off every side of crept ink."`
	CompletedArea  float64 `json:"completed_mm2" doc:"Shown by one imprint only."`
	BridgedArea    float64 `json:"bridged_mm2" doc:"Carried over from around it, under black print."`
}

func measuresOf(r *imprint.Result) *TemplateMeasures {
	if r == nil {
		return nil
	}
	m := r.Measures
	return &TemplateMeasures{DPI: m.Scale.X, Shape: string(m.Shape), Polarity: string(m.Polarity), Width: m.Width, Height: m.Height, SizeDifference: m.SizeDifference,
		Angle: m.Angle, Fused: m.Fused, Match: m.Match, Mismatch: m.Mismatch, MissingStrokes: m.MissingStrokes, Eroded: m.Eroded,
		CompletedArea: m.CompletedArea, BridgedArea: m.BridgedArea}
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
				Shape: imprint.Shape(o.Shape), Polarity: imprint.Polarity(o.Polarity), Colour: imprint.Colour(o.Colour), Code: o.Code, Reason: o.Reason, Dry: o.DryRun})
			if err != nil {
				return nil, err
			}
			out := &made{Status: http.StatusOK, Body: SealTemplate{Stored: t.Stored, Verdict: string(t.Verdict), Code: t.Code, Attachment: t.Attachment, Page: t.Page,
				Box: string(t.Box), Precise: t.Precise, Width: t.Width, Height: t.Height, Gates: t.Gates, Picture: t.Picture,
				Measures: measuresOf(t.Result), Compared: templateKinshipOf(t.Kinship())}}
			if o.Show {
				if err := out.Body.show(t); err != nil {
					return nil, err
				}
			}
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
			out := &kept{SealTemplate{Stored: true, Verdict: string(imprint.Usable), Code: t.Code, Attachment: t.Attachment, Page: t.Page, Box: string(t.Box),
				Precise: t.Precise, Width: t.Width, Height: t.Height, Reason: t.Reason, Gates: []imprint.Gate{}}}
			if t.Verdict == "warn" {
				out.Body.Verdict = t.Verdict
			}
			if t.Result != nil {
				out.Body.Gates = append(out.Body.Gates, t.Result.Gates...)
				out.Body.Measures, out.Body.Compared = measuresOf(t.Result), templateKinshipOf(t.Compared)
			}
			return out, nil
		})
	s.templatePictures(path)
	s.templateEvidence(path)
}

// templatePictures are the template as files. They show the seal and nothing of the scan.
func (s *server) templatePictures(path string) {
	give := func(id, suffix, media, name, summary, description string, content func(ctx context.Context, by access.Actor, application string) ([]byte, error)) {
		s.stream(huma.Operation{OperationID: id, Method: http.MethodGet, Path: path + suffix, Tags: []string{tagIssuing}, Summary: summary, Description: description,
			Parameters: []*huma.Param{parameter("path", "id", "Identifier of the application.", true)},
			Responses:  with(s.answers(401, 403, 404, 422, 503), http.StatusOK, &huma.Response{Description: "The file", Content: binary(media)})},
			registrationReaders(), func(w http.ResponseWriter, r *http.Request) {
				ctx, cancel := context.WithTimeout(r.Context(), s.VerifyTime)
				defer cancel()
				file, err := content(ctx, actorOf(ctx), chi.URLParam(r, "id"))
				if err != nil {
					s.fail(w, r, err)
					return
				}
				s.giveFile(w, r, media, name, file)
			})
	}
	desk := s.Registration
	give("template-picture", ".png", "image/png", "template.png", "The seal's template as a picture", "PNG, 600 dpi, transparent.",
		func(ctx context.Context, by access.Actor, application string) ([]byte, error) {
			t, err := desk.Template(ctx, by, application)
			return t.Template.Template, err
		})
	give("template-thumbnail", "/thumbnail.png", "image/png", "thumbnail.png", "The seal's template as a small picture for lists", "PNG, 128 pixels, transparent.",
		func(ctx context.Context, by access.Actor, application string) ([]byte, error) {
			t, err := desk.Template(ctx, by, application)
			if err != nil {
				return nil, err
			}
			return imprint.Thumbnail(t.Template.Template, imprint.ThumbnailSide)
		})
	give("template-svg", ".svg", "image/svg+xml", "template.svg", "The outline of the seal's template as SVG", "In the true size of the seal.",
		func(ctx context.Context, by access.Actor, application string) ([]byte, error) {
			v, err := desk.Outline(ctx, by, application)
			if err != nil {
				return nil, err
			}
			return v.SVG(), nil
		})
	give("template-pdf", ".pdf", "application/pdf", "template.pdf", "The outline of the seal's template as PDF", "A page of the true size of the seal: paths, without transparency.",
		func(ctx context.Context, by access.Actor, application string) ([]byte, error) {
			v, err := desk.Outline(ctx, by, application)
			if err != nil {
				return nil, err
			}
			var out bytes.Buffer
			err = sheet.Outline(&out, v, "印章模板")
			return out.Bytes(), err
		})
}

// templateEvidence are the files that show parts of the scan.
func (s *server) templateEvidence(path string) {
	open := func(id, suffix, media, name, summary, description string, write func(context.Context, access.Actor, string, string, io.Writer) error) {
		s.stream(huma.Operation{OperationID: id, Method: http.MethodPost, Path: path + suffix, Tags: []string{tagIssuing}, Summary: summary,
			Description: description + " To the handler of the unit, and to an officer with a reason. Each look is in history and ledger, which is why it is no GET.",
			Parameters:  []*huma.Param{parameter("path", "id", "Identifier of the application.", true)},
			RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(LookReason{})}}},
			Responses:   with(s.answers(400, 401, 403, 404, 408, 413, 415, 503), http.StatusOK, &huma.Response{Description: "The file", Content: binary(media)})},
			anyOf(access.RoleApplicant, access.RoleRegistrar, access.RoleApprover), func(w http.ResponseWriter, r *http.Request) {
				var why LookReason
				if err := readJSON(r, &why); err != nil {
					s.fail(w, r, err)
					return
				}
				ctx, cancel := context.WithTimeout(r.Context(), s.VerifyTime)
				defer cancel()
				var out bytes.Buffer
				if err := write(ctx, actorOf(ctx), chi.URLParam(r, "id"), why.Reason, &out); err != nil {
					s.fail(w, r, err)
					return
				}
				s.giveFile(w, r, media, name, out.Bytes())
			})
	}
	open("open-template-sheet", "/sheet", "application/pdf", "sheet.pdf", "See the page by which the template is judged",
		"The imprints as they were scanned, the template, where it does not come straight from an imprint, every gate and measure.", s.Registration.Sheet)
	open("open-template-evidence", "/evidence", "application/zip", "evidence.zip", "Fetch the evidence of the template",
		"What the template was made from, by which it can be made again: the imprints as they were scanned, what was filled in, all measures, the parameters and the version of the method.",
		func(ctx context.Context, by access.Actor, application, reason string, w io.Writer) error {
			evidence, _, err := s.Registration.Evidence(ctx, by, application, reason)
			if err == nil {
				_, err = w.Write(evidence)
			}
			return err
		})
}
