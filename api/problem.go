package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer/terminal/manifest"
)

// Problem is the body of every error (RFC 9457), with our members code, message, message_en and place.
type Problem struct {
	Title     string       `json:"title" doc:"The phrase of the HTTP status." example:"Unprocessable Content"`
	Status    int          `json:"status" doc:"The HTTP status." example:"422"`
	Code      string       `json:"code" doc:"What is wrong, as a program reads it. A code never changes its meaning." example:"seal.suspended"`
	Message   string       `json:"message" doc:"What is wrong, in Chinese, for a person." example:"印章已停用，不能盖章。"`
	MessageEN string       `json:"message_en" doc:"The same in English." example:"The seal is suspended and cannot be used."`
	Place     *fault.Place `json:"place,omitempty" doc:"Where in the input the error is."`
	Errors    []FieldError `json:"errors,omitempty" doc:"Each field that is not as described, when code is request.invalid."`
	// Findings are of a roster that was not imported.
	Findings  []RosterFinding `json:"findings,omitempty" doc:"What is wrong with a roster, when code is enroll.roster."`
	RequestID string          `json:"request_id" doc:"The identifier under which the operator finds the request in the log."`

	header http.Header
}

// FieldError is one field that does not fit the description of the API.
type FieldError struct {
	Place   fault.Place `json:"place"`
	Message string      `json:"message" doc:"What was expected, in English." example:"expected number >= 0"`
}

// Error makes a Problem the error of a huma operation.
func (p *Problem) Error() string { return p.Code }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are the header fields that belong to the status.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is the media type of problems.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

var (
	_ huma.StatusError       = (*Problem)(nil)
	_ huma.HeadersError      = (*Problem)(nil)
	_ huma.ContentTypeFilter = (*Problem)(nil)
)

// statusOf maps a fault to HTTP: the only place that does. A few codes say more than their kind.
func statusOf(f *fault.Fault) int {
	switch f.Code {
	case "sealing.key-reused", "issuance.key-reused": // draft-ietf-httpapi-idempotency-key-header clause 2.7
		return http.StatusUnprocessableEntity
	case errMethod.Code:
		return http.StatusMethodNotAllowed
	case errMediaType.Code:
		return http.StatusUnsupportedMediaType
	case errNotAcceptable.Code:
		return http.StatusNotAcceptable
	case errUnconditional.Code: // RFC 6585 clause 3
		return http.StatusPreconditionRequired
	case enroll.ErrConflict.Code: // what If-Match named is not the present state
		return http.StatusPreconditionFailed
	case errTooSlow.Code:
		return http.StatusRequestTimeout
	case errTooMany.Code, errTooManyAtOnce.Code, errKeyRate.Code, errSealRate.Code, "issuance.guessing": // the rate limiter has said when to come back
		return http.StatusTooManyRequests
	}
	switch f.Kind {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Refused:
		return http.StatusUnprocessableEntity
	case fault.Denied:
		return http.StatusForbidden
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// problem turns an error into what the caller may know, and tells the log what only the operator may know.
func (s *server) problem(ctx context.Context, err error) *Problem {
	var done *Problem
	if errors.As(err, &done) {
		return done
	}
	f, known := fault.Of(err)
	switch {
	case known:
	case store.IsBadText(err):
		f = errText.Because(err)
	default:
		f = errInternal.Because(err)
	}
	p := &Problem{Status: statusOf(f), Code: f.Code, Message: f.Sentence("zh"), MessageEN: f.Sentence("en"), header: http.Header{}}
	if f.Place != (fault.Place{}) {
		place := f.Place
		p.Place = &place
	}
	switch p.Status {
	case http.StatusInternalServerError:
		// The detail of an internal error is an internal, too.
		p.Message, p.MessageEN, p.Place = f.ZH, f.EN, nil
		s.Log.ErrorContext(ctx, "request failed", "request", factsOf(ctx).id, "error", err)
	case http.StatusServiceUnavailable:
		seconds := 2
		if wait := f.RetryAfter(); wait > 0 {
			seconds = int((wait + time.Second - 1) / time.Second)
		}
		p.header.Set("Retry-After", strconv.Itoa(seconds))
		s.Log.WarnContext(ctx, "request refused for now", "request", factsOf(ctx).id, "error", err)
	case http.StatusTooManyRequests:
		if wait := f.RetryAfter(); wait > 0 { // otherwise the rate limiter has said it
			p.header.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		}
	case http.StatusUnauthorized:
		challenge := `Bearer realm="yinxin"`
		if strings.HasPrefix(f.Code, "terminal.") {
			challenge = manifest.Scheme + ` realm="yinxin"`
		}
		if f.Code == access.ErrUnknownKey.Code {
			challenge += `, error="invalid_token"`
		}
		p.header.Set("WWW-Authenticate", challenge)
	}
	return p.finish(ctx)
}

func (p *Problem) finish(ctx context.Context) *Problem {
	p.Title, p.RequestID = http.StatusText(p.Status), factsOf(ctx).id
	factsOf(ctx).code = p.Code
	return p
}

// fail answers with a problem, if nothing was sent yet. An answer that had begun is cut off, so that it cannot be
// taken for complete.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problem(r.Context(), err)
	if sent(w) {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Disposition", "Etag", "Last-Modified", "Location"} {
		h.Del(name) // those of the answer that did not come about
	}
	s.giveProblem(w, r, p)
}

// giveProblem answers with a problem, nothing having been sent yet.
func (s *server) giveProblem(w http.ResponseWriter, r *http.Request, p *Problem) {
	h := w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	h.Set("Content-Type", problemType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	if err := json.NewEncoder(w).Encode(p); err != nil {
		s.Log.DebugContext(r.Context(), "answer not sent", "request", factsOf(r.Context()).id, "error", err)
	}
}

// reshape is the huma transformer that gives huma's own errors the shape of ours.
func (s *server) reshape(ctx huma.Context, _ string, body any) (any, error) {
	m, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	r, _ := humachi.Unwrap(ctx)
	spec := errInternal
	switch m.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		spec = errInvalid
	case http.StatusRequestEntityTooLarge:
		spec = errTooLarge
	case http.StatusRequestTimeout:
		spec = errTooSlow
	case http.StatusUnsupportedMediaType:
		spec = errMediaType
	case http.StatusNotAcceptable:
		spec = errNotAcceptable
	}
	p := &Problem{Status: m.Status, Code: spec.Code, Message: spec.ZH, MessageEN: spec.EN}
	if spec.Code == errInternal.Code {
		s.Log.ErrorContext(r.Context(), "request failed", "request", factsOf(r.Context()).id, "error", m.Detail)
		return p.finish(r.Context()), nil
	}
	for _, e := range m.Errors {
		p.Errors = append(p.Errors, FieldError{fault.Field(strings.TrimPrefix(e.Location, "body.")), e.Message})
	}
	p.sayFirst(spec)
	return p.finish(r.Context()), nil
}

// sayFirst lets the first field stand for all of them in the sentence, so that a log line says enough.
func (p *Problem) sayFirst(spec fault.Spec) {
	if len(p.Errors) > 0 && p.Errors[0].Place.Field != "" {
		first := spec.With("%s", p.Errors[0].Message).At(p.Errors[0].Place)
		p.Place, p.Message, p.MessageEN = &first.Place, first.Sentence("zh"), first.Sentence("en")
	}
}
