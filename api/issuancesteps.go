package api

import (
	"bytes"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"yinxin/sealer/issuance"
)

// IssuanceReason is why something is done with a case.
type IssuanceReason struct {
	Reason string `json:"reason" minLength:"1" maxLength:"800" doc:"Up to 200 characters, without anybody's numbers." example:"复制件缺页"`
}

// issuanceSteps are the steps of both sides that take JSON.
func (s *server) issuanceSteps() {
	one := issuancePath + "/{id}"
	statuses := s.answers(400, 401, 403, 404, 409, 413, 415, 422, 503)
	step := func(id, path, summary, description string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodPost, Path: one + path, Tags: []string{tagRemote}, Summary: summary, Description: description, Responses: statuses}
	}
	operate(s, step("cancel-issuance", "/cancel", "Take a request back", "By the receiving archive, before the answer."),
		sealUsers(), func(ctx context.Context, in *Named) (*issuanceOutput, error) {
			return showIssuance(s.Issuance.Cancel(ctx, actorOf(ctx), in.ID))
		})
	type answered struct {
		Named
		Body struct {
			Result    string             `json:"result" enum:"found,not-found,not-open"`
			Reason    string             `json:"reason,omitempty" maxLength:"800" doc:"Needed, unless it was found."`
			Reference *ArchivalReference `json:"reference,omitempty" doc:"Needed when it was found."`
		}
	}
	operate(s, step("answer-issuance", "/answer", "Answer a request", "By the holding archive. What was found can be answered anew until the copy is composed."),
		sealUsers(), func(ctx context.Context, in *answered) (*issuanceOutput, error) {
			a := issuance.Answer{Result: issuance.Result(in.Body.Result), Reason: in.Body.Reason}
			if r := in.Body.Reference; r != nil {
				a.Reference = issuance.Reference{Fonds: r.Fonds, File: r.File, Item: r.Item, Pages: r.Pages, Number: r.Number}
			}
			return showIssuance(s.Issuance.Answer(ctx, actorOf(ctx), in.ID, a))
		})
	type issued struct {
		Named
		Body struct {
			Seal  string `json:"seal" minLength:"14" maxLength:"14" pattern:"^[0-9]{14}$" doc:"Code of a seal of the holding archive."`
			ByKey bool   `json:"by_key,omitempty" doc:"With the USB Key on the caller's terminal: repeat the request when it was sealed there."`
		}
	}
	operate(s, step("issue-copy", "/issue", "Compose, seal and issue the copy",
		"Pages, note, watermark, QR code and verification code become one PDF, with the seal on the note and over the edges of all pages. It can be repeated after an error or a lost answer: one case leads to one copy."),
		sealUsers(), func(ctx context.Context, in *issued) (*issuanceOutput, error) {
			if err := s.countSeals(ctx, s.Register.AuthoriseSigner, in.Body.Seal); err != nil {
				return nil, err
			}
			ctx, cancel := context.WithTimeout(ctx, s.VerifyTime)
			defer cancel()
			return showIssuance(s.Issuance.Issue(ctx, actorOf(ctx), in.ID, issuance.Order{Seal: in.Body.Seal, ByKey: in.Body.ByKey}))
		})
	operate(s, step("discard-composed-copy", "/discard", "Take a composed copy apart", "By the holding archive, before it was sealed: pages and answer can be changed again."),
		sealUsers(), func(ctx context.Context, in *Named) (*issuanceOutput, error) {
			return showIssuance(s.Issuance.Discard(ctx, actorOf(ctx), in.ID))
		})
	type delivered struct {
		Named
		Body struct {
			Manner          string `json:"manner" enum:"printed,file"`
			IdentityChecked bool   `json:"identity_checked" doc:"The identity document of whoever took it was looked at."`
		}
	}
	operate(s, step("deliver-issuance", "/deliver", "Record that the copy was handed over", "By the receiving archive, after it took the copy."),
		sealUsers(), func(ctx context.Context, in *delivered) (*issuanceOutput, error) {
			return showIssuance(s.Issuance.Deliver(ctx, actorOf(ctx), in.ID, issuance.Delivery{Manner: issuance.Manner(in.Body.Manner), IdentityChecked: in.Body.IdentityChecked}))
		})
	type reasoned struct {
		Named
		Body IssuanceReason
	}
	operate(s, step("withdraw-issuance", "/withdraw", "Withdraw an issued copy", "By one person of the holding archive. It cannot be undone; whoever looks the copy up is told."),
		sealUsers(), func(ctx context.Context, in *reasoned) (*issuanceOutput, error) {
			return showIssuance(s.Issuance.Withdraw(ctx, actorOf(ctx), in.ID, in.Body.Reason))
		})
	type unmasked struct{ Body Applicant }
	operate(s, step("unmask-issuance", "/unmask", "See the applicant unmasked", "For people of the two archives. Each look is in the ledger, with its reason."),
		sealUsers(), func(ctx context.Context, in *reasoned) (*unmasked, error) {
			a, err := s.Issuance.Applicant(ctx, actorOf(ctx), in.ID, in.Body.Reason)
			if err != nil {
				return nil, err
			}
			return &unmasked{applicantOf(a)}, nil
		})
	operate(s, huma.Operation{OperationID: "clear-issuance-pages", Method: http.MethodDelete, Path: one + "/pages", Tags: []string{tagRemote}, Summary: "Take all pages out again",
		Description: "By the holding archive, before the copy is composed.", Responses: s.answers(401, 403, 404, 409)},
		sealUsers(), func(ctx context.Context, in *Named) (*issuanceOutput, error) {
			return showIssuance(s.Issuance.ClearPages(ctx, actorOf(ctx), in.ID))
		})
}

// issuanceCopies are the steps in which files move.
func (s *server) issuanceCopies() {
	id := parameter("path", "id", "Identifier of the case.", true)
	shown := &huma.Response{Description: "The case", Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(Issuance{})}}}
	s.stream(huma.Operation{OperationID: "add-issuance-pages", Method: http.MethodPost, Path: issuancePath + "/{id}/pages", Tags: []string{tagRemote},
		Summary: "Put pages in", Description: "By the holding archive: a PDF, or scanned pages, at most 64 MiB. They go behind those that are there.",
		Parameters:  []*huma.Param{id, parameter("header", "X-File-Name", "File name in UTF-8, percent-encoded.", false)},
		RequestBody: uploadOf(scanMedia...), Responses: with(s.answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503), http.StatusCreated, shown)},
		sealUsers(), s.addIssuancePages)
	s.stream(huma.Operation{OperationID: "get-issued-copy", Method: http.MethodGet, Path: issuancePath + "/{id}/copy", Tags: []string{tagRemote},
		Summary: "Fetch the issued copy", Parameters: []*huma.Param{id},
		Responses: with(s.answers(401, 403, 404, 409, 422), http.StatusOK, &huma.Response{Description: "The copy", Content: binary("application/pdf")})},
		sealUsers(), func(w http.ResponseWriter, r *http.Request) {
			d, err := s.Issuance.Document(r.Context(), actorOf(r.Context()), chi.URLParam(r, "id"))
			if err != nil {
				s.fail(w, r, err)
				return
			}
			w.Header().Set("Cache-Control", "no-store")
			s.giveDocument(w, r, d, nil)
		})
	s.stream(huma.Operation{OperationID: "receive-issued-copy", Method: http.MethodPost, Path: issuancePath + "/{id}/receive", Tags: []string{tagRemote},
		Summary:     "Check and take the issued copy",
		Description: "By the receiving archive. The body is the PDF that it has: it is verified, and taken only if it is valid, bears the seal of the holding archive and holds the code of this case.",
		Parameters:  []*huma.Param{id}, RequestBody: upload(), Responses: with(s.answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503), http.StatusOK, shown)},
		sealUsers(), s.receiveIssuedCopy)
}

func (s *server) addIssuancePages(w http.ResponseWriter, r *http.Request) {
	if _, err := s.Issuance.Case(r.Context(), actorOf(r.Context()), chi.URLParam(r, "id")); err != nil {
		s.fail(w, r, err) // before the body is taken in
		return
	}
	name, data, done, err := s.received(r, issuance.MaxPart, scanMedia...)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer done()
	ctx, cancel := context.WithTimeout(r.Context(), s.VerifyTime)
	defer cancel()
	c, err := s.Issuance.AddPages(ctx, actorOf(ctx), chi.URLParam(r, "id"), name, data)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.giveJSON(w, r, http.StatusCreated, issuanceOf(c))
}

func (s *server) receiveIssuedCopy(w http.ResponseWriter, r *http.Request) {
	if _, err := s.Issuance.Case(r.Context(), actorOf(r.Context()), chi.URLParam(r, "id")); err != nil {
		s.fail(w, r, err)
		return
	}
	f, err := s.arrived(r, s.MaxVerify, pdfMedia)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer f.close()
	var c issuance.Case
	err = s.judging(r.Context(), func(ctx context.Context) (err error) {
		c, err = s.Issuance.Receive(ctx, actorOf(ctx), chi.URLParam(r, "id"), f, f.size)
		return err
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.giveJSON(w, r, http.StatusOK, issuanceOf(c))
}

func (s *server) issuanceRegister(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var b bytes.Buffer
	err := s.Issuance.Export(r.Context(), actorOf(r.Context()), issuance.Filter{Side: q.Get("side"), State: issuance.State(q.Get("state")), From: q.Get("from"), Until: q.Get("until")}, &b)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.giveFile(w, r, workbook, "异地出证登记簿.xlsx", b.Bytes())
}
