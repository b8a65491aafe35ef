package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/sealer/registration"
)

// Attachment describes a scan without its content. It has no file name: people put numbers of persons into those.
type Attachment struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind" enum:"form,credit-code,identity,other"`
	Label   string    `json:"label" example:"申请表"`
	Media   string    `json:"media" example:"application/pdf"`
	Size    int64     `json:"size" doc:"Bytes."`
	SM3     string    `json:"sm3"`
	Matched string    `json:"matched" enum:"code,hand" doc:"By the QR code on the form, or by hand."`
	Added   time.Time `json:"added"`
	By      string    `json:"by"`
}

func attachmentOf(a enroll.Attachment) Attachment {
	return Attachment{ID: a.ID, Kind: string(a.Kind), Label: a.Kind.Label(), Media: a.Media, Size: a.Size, SM3: a.Digest, Matched: a.Matched, Added: a.Added.UTC(), By: a.By}
}

// Scan is what became of the pages of a scan.
type Scan struct {
	Pages []ScanPage `json:"pages"`
}

// ScanPage is what became of one page.
type ScanPage struct {
	Page       int     `json:"page"`
	Outcome    string  `json:"outcome" enum:"attached,unmatched,refused" doc:"unmatched: no code of an application that the caller may see; attach it by hand."`
	Number     string  `json:"number,omitempty" doc:"Of the application, as the QR code says."`
	Code       string  `json:"code,omitempty" doc:"Why it was refused, or could not be looked at." example:"attachment.no-picture"`
	Message    string  `json:"message,omitempty"`
	MessageEN  string  `json:"message_en,omitempty"`
	ID         string  `json:"application,omitempty"`
	Revision   int64   `json:"revision,omitempty" doc:"Of the application afterwards."`
	Attachment string  `json:"attachment,omitempty"`
	DPI        float64 `json:"dpi,omitempty"`
	Precise    bool    `json:"precise,omitempty" doc:"Whether the places of the boxes are certain; otherwise somebody should look."`
}

// scanMedia are the types of scans; what a file is, its content says.
var scanMedia = []string{"application/pdf", "image/jpeg", "image/png", "image/tiff"}

const attachmentsPath = applicationPath + "/{id}/attachments"

func (s *server) attachments() {
	scans := with(s.answers(400, 401, 403, 408, 413, 415, 422, 503), http.StatusOK, &huma.Response{Description: "Looked at, page by page",
		Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(Scan{})}}})
	s.stream(huma.Operation{OperationID: "upload-scan", Method: http.MethodPost, Path: "/v1/scans", Tags: []string{tagApplications},
		Summary:     "Upload a scan of stamped forms",
		Description: "PDF, JPEG, PNG or TIFF, at most 64 MiB and 40 pages, of one application or many. Each page with the QR code of an application that the caller may see is attached to it, as a page of its own; the same scan again changes nothing. Pages without a code are returned as unmatched: upload the file again with the application and the page.",
		RequestBody: uploadOf(scanMedia...), Responses: scans}, unitSide(), s.scan)
	attached := with(s.changing(503), http.StatusCreated, &huma.Response{Description: "Attached", Headers: etagHeader(),
		Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(Application{})}}})
	page := parameter("query", "page", "Only this page of the file, counted from 1.", false)
	page.Schema = &huma.Schema{Type: "integer"}
	kind := parameter("query", "kind", "What it is.", true)
	kind.Schema.Enum = []any{"form", "credit-code", "identity", "other"}
	s.stream(huma.Operation{OperationID: "attach", Method: http.MethodPost, Path: attachmentsPath, Tags: []string{tagApplications},
		Summary:     "Attach a scan by hand",
		Description: "PDF, JPEG, PNG or TIFF; at most 10 MiB are kept of one attachment. Makes another version of the application.",
		Parameters:  []*huma.Param{parameter("path", "id", "Identifier of the application.", true), ifMatchParameter(), kind, page},
		RequestBody: uploadOf(scanMedia...), Responses: attached}, unitSide(), s.attach)
	type removed struct {
		Reference
		Attachment string `path:"attachment" maxLength:"64"`
	}
	operate(s, huma.Operation{OperationID: "remove-attachment", Method: http.MethodDelete, Path: attachmentsPath + "/{attachment}", Tags: []string{tagApplications},
		Summary: "Take a scan away", Description: "Makes another version of the application. The content stays on record.", Responses: s.changing()},
		unitSide(), func(ctx context.Context, in *removed) (*applicationOutput, error) {
			ref, err := in.ref()
			if err != nil {
				return nil, err
			}
			return showApplication(s.Registration.Enroll.RemoveAttachment(ctx, actorOf(ctx), ref, in.Attachment))
		})
	s.stream(huma.Operation{OperationID: "open-attachment", Method: http.MethodPost, Path: attachmentsPath + "/{attachment}/content", Tags: []string{tagApplications},
		Summary:     "See a scan",
		Description: "To the handler of the unit, and to an officer with a reason. Each look is in history and ledger, which is why it is no GET.",
		Parameters:  []*huma.Param{parameter("path", "id", "Identifier of the application.", true), parameter("path", "attachment", "Identifier of the attachment.", true)},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(LookReason{})}}},
		Responses: with(s.answers(400, 401, 403, 404, 408, 413, 415), http.StatusOK, &huma.Response{Description: "The scan",
			Content: map[string]*huma.MediaType{"application/pdf": {}, "image/jpeg": {}, "image/png": {}, "image/tiff": {}}})},
		anyOf(access.RoleApplicant, access.RoleRegistrar, access.RoleApprover), s.openAttachment)
}

// LookReason is why somebody looks at a scan.
type LookReason struct {
	Reason string `json:"reason,omitempty" maxLength:"200" doc:"Needed from officers." example:"核对经办人身份"`
}

func (s *server) scan(w http.ResponseWriter, r *http.Request) {
	name, data, done, err := s.received(r, registration.MaxScan, scanMedia...)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer done()
	ctx, cancel := context.WithTimeout(r.Context(), s.VerifyTime)
	defer cancel()
	pages, err := s.Registration.Scan(ctx, actorOf(ctx), name, data)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	out := Scan{Pages: make([]ScanPage, 0, len(pages))}
	for _, p := range pages {
		out.Pages = append(out.Pages, scanPageOf(p))
	}
	s.giveJSON(w, r, http.StatusOK, out)
}

func scanPageOf(p registration.Page) ScanPage {
	v := ScanPage{Page: p.Page, Outcome: string(p.Outcome), Number: p.Number, DPI: hundredth(p.DPI), Precise: p.Precise}
	if p.Outcome == registration.Attached {
		v.ID, v.Revision, v.Attachment = p.Application.ID, p.Application.Revision, p.Attachment
	}
	if f, ok := fault.Of(p.Problem); ok {
		v.Code, v.Message, v.MessageEN = f.Code, f.Sentence("zh"), f.Sentence("en")
	}
	return v
}

func (s *server) attach(w http.ResponseWriter, r *http.Request) {
	ref, err := refOf(chi.URLParam(r, "id"), r.Header.Get("If-Match"))
	page := 0
	if text := r.URL.Query().Get("page"); err == nil && text != "" {
		if page, err = strconv.Atoi(text); err != nil || page < 1 {
			err = errInvalid.At(fault.Field("page"))
		}
	}
	if err == nil {
		_, err = s.Registration.Enroll.Application(r.Context(), actorOf(r.Context()), ref.ID)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	name, data, done, err := s.received(r, registration.MaxScan, scanMedia...)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer done()
	ctx, cancel := context.WithTimeout(r.Context(), s.VerifyTime)
	defer cancel()
	a, err := s.Registration.Attach(ctx, actorOf(ctx), ref, enroll.AttachmentKind(r.URL.Query().Get("kind")), name, data, page)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("ETag", tagOf(a.Revision))
	s.giveJSON(w, r, http.StatusCreated, applicationOf(a))
}

func (s *server) openAttachment(w http.ResponseWriter, r *http.Request) {
	var why LookReason
	if err := readJSON(r, &why); err != nil {
		s.fail(w, r, err)
		return
	}
	at, content, err := s.Registration.Enroll.OpenAttachment(r.Context(), actorOf(r.Context()), chi.URLParam(r, "id"), chi.URLParam(r, "attachment"), why.Reason)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.giveFile(w, r, at.Media, at.Kind.Label()+extensions[at.Media], content)
}

var extensions = map[string]string{"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "image/tiff": ".tif"}

// received takes a whole upload: into the scratch space while it comes, so that slow callers cost no memory, and into
// memory when there is room. done gives the room back.
func (s *server) received(r *http.Request, max int64, media ...string) (name string, data []byte, done func(), err error) {
	fail := func(err error) (string, []byte, func(), error) { return "", nil, nil, err }
	select {
	case s.arriving <- struct{}{}:
		defer func() { <-s.arriving }()
	default:
		return fail(errBusy.New())
	}
	f, err := s.arrived(r, max, media...)
	if err != nil {
		return fail(err)
	}
	defer f.close()
	if done, err = s.await(r.Context(), s.scanning); err != nil {
		return fail(err)
	}
	if data, err = f.head(f.size); err != nil {
		done()
		return fail(err)
	}
	return f.name, data, done, nil
}
