package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"yinxin/ca/enroll"
)

// Agreement is one version of 《CA数字证书电子认证服务协议》.
type Agreement struct {
	Version   string    `json:"version" example:"2026-01"`
	Text      string    `json:"text"`
	SM3       string    `json:"sm3" doc:"Digest of the text in UTF-8, hexadecimal."`
	Published time.Time `json:"published"`
}

func agreementOf(a enroll.Agreement) Agreement {
	return Agreement{Version: a.Version, Text: a.Text, SM3: a.Digest, Published: a.Published.UTC()}
}

// maxAgreement is the longest agreement in bytes.
const maxAgreement = 1 << 20

func (s *server) agreements() {
	type out struct{ Body Agreement }
	type named struct {
		Version string `path:"version" maxLength:"40"`
	}
	read := func(ctx context.Context, version string) (*out, error) {
		a, err := s.Registration.Enroll.Agreement(ctx, version)
		return &out{agreementOf(a)}, err
	}
	operate(s, huma.Operation{OperationID: "current-agreement", Method: http.MethodGet, Path: "/v1/agreement", Tags: []string{tagRegistration},
		Summary: "The agreement in force", Responses: s.reading()},
		registrationReaders(), func(ctx context.Context, _ *struct{}) (*out, error) { return read(ctx, "") })
	operate(s, huma.Operation{OperationID: "get-agreement", Method: http.MethodGet, Path: "/v1/agreements/{version}", Tags: []string{tagRegistration},
		Summary: "A version of the agreement", Responses: s.reading()},
		registrationReaders(), func(ctx context.Context, in *named) (*out, error) { return read(ctx, in.Version) })
	s.stream(huma.Operation{OperationID: "publish-agreement", Method: http.MethodPut, Path: "/v1/agreements/{version}", Tags: []string{tagRegistration},
		Summary:     "Put a version of the agreement in force",
		Description: "The body is the text, at most 1 MiB. A version never changes: publishing it again is 409.",
		Parameters:  []*huma.Param{parameter("path", "version", "At most 40 characters.", true)},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: "string"}}}},
		Responses: with(s.answers(400, 401, 403, 408, 409, 413, 415), http.StatusCreated, &huma.Response{Description: "In force",
			Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(Agreement{})}}})},
		caretakers(), func(w http.ResponseWriter, r *http.Request) {
			if mediaOf(r) != "text/plain" {
				s.fail(w, r, errMediaType.With("text/plain; charset=utf-8"))
				return
			}
			text, err := io.ReadAll(&limited{r.Body, maxAgreement, maxAgreement})
			if err != nil {
				s.fail(w, r, broken(err))
				return
			}
			a, err := s.Registration.Enroll.PublishAgreement(r.Context(), actorOf(r.Context()), chi.URLParam(r, "version"), string(text))
			if err != nil {
				s.fail(w, r, err)
				return
			}
			s.giveJSON(w, r, http.StatusCreated, agreementOf(a))
		})
}
