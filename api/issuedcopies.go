package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/sealer/issuance"
)

// IssuedRecord is what whoever has the code of an issued copy may know: what stands on the paper.
type IssuedRecord struct {
	Number      string             `json:"number" doc:"出证编号."`
	Case        string             `json:"case" doc:"业务编号."`
	Holding     string             `json:"holding" doc:"保管单位."`
	Receiving   string             `json:"receiving" doc:"接收单位."`
	Applicant   string             `json:"applicant" doc:"Masked."`
	Identity    string             `json:"identity" doc:"Masked."`
	Purpose     string             `json:"purpose"`
	Reference   *ArchivalReference `json:"reference"`
	Day         string             `json:"day" doc:"出证日期."`
	Seal        string             `json:"seal" doc:"Code of the seal."`
	Pages       int                `json:"pages" doc:"With the note."`
	Withdrawn   bool               `json:"withdrawn" doc:"The issuer took it back: it must not be relied on."`
	WithdrawnAt time.Time          `json:"withdrawn_at,omitzero"`
	Notice      string             `json:"notice" doc:"What this proves, in Chinese."`
}

// What a record proves, and what it does not.
const (
	noticeIssued    = "本页只证明系统曾出具此件，请逐页比对纸质件。"
	noticeWithdrawn = "此件已由出证单位撤回，请勿采信。"
)

func issuedRecordOf(p issuance.Public) IssuedRecord {
	r := IssuedRecord{Number: p.Number, Case: p.Case, Holding: p.Holding, Receiving: p.Receiving, Applicant: p.Applicant, Identity: p.Identity, Purpose: p.Purpose,
		Reference: referenceOf(p.Reference), Day: p.Day, Seal: p.Seal, Pages: p.Pages, WithdrawnAt: p.WithdrawnAt.UTC(), Notice: noticeIssued}
	if !p.WithdrawnAt.IsZero() {
		r.Withdrawn, r.Notice = true, noticeWithdrawn
	}
	return r
}

// issuedCopies serves anyone who holds a copy. Codes come in bodies and not in addresses, which are logged on the way.
func (s *server) issuedCopies() {
	describe := func(id, path, summary, description string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Tags: []string{"verifying"}, Summary: summary, Description: description}
	}
	body := func(v any) *huma.RequestBody {
		return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(v)}}}
	}
	look := describe("look-up-issued-copy", "/v1/issued-copies/lookup", "Look an issued copy up by its code", "Shows what stands on the paper, and whether it was withdrawn. How often one address may ask is limited.")
	look.RequestBody = body(IssuedCode{})
	look.Responses = with(s.answers(400, 404, 408, 413, 415, 429), http.StatusOK, &huma.Response{Description: "The record",
		Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(IssuedRecord{})}}})
	s.stream(look, anyone(), s.limit(s.limits.codes, func(w http.ResponseWriter, r *http.Request) {
		var in IssuedCode
		err := readJSON(r, &in)
		var p issuance.Public
		if err == nil {
			p, err = s.Issuance.Lookup(r.Context(), in.Code)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.giveJSON(w, r, http.StatusOK, issuedRecordOf(p))
	}))
	pages := describe("issued-copy-pages", "/v1/issued-copies/pages", "See the pages of an issued copy", "For whoever has the code and the date of issue, to compare with the paper. A wrong date is answered as an unknown code is; ten of them in a day close the pages until the next.")
	pages.RequestBody = body(IssuedCodeAndDay{})
	pages.Responses = with(s.answers(400, 404, 408, 413, 415, 422, 429, 503), http.StatusOK, &huma.Response{Description: "The copy", Content: binary("application/pdf")})
	s.stream(pages, anyone(), s.limit(s.limits.codes, func(w http.ResponseWriter, r *http.Request) {
		var in IssuedCodeAndDay
		if err := readJSON(r, &in); err != nil {
			s.fail(w, r, err)
			return
		}
		d, err := s.Issuance.Pages(r.Context(), in.Code, in.Day)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		s.giveDocument(w, r, d, nil)
	}))
}

// IssuedCode is the code of a copy.
type IssuedCode struct {
	Code string `json:"code" minLength:"1" maxLength:"200" doc:"验证码, as it is printed: hyphens, blanks and case do not matter." example:"PE3X-9PU4-WEAN-PD4P-82QG"`
}

// IssuedCodeAndDay is the code of a copy with the date of its issue.
type IssuedCodeAndDay struct {
	Code string `json:"code" minLength:"1" maxLength:"200" doc:"验证码, as it is printed."`
	Day  string `json:"day" minLength:"1" maxLength:"10" doc:"出证日期." example:"2026-11-26"`
}
