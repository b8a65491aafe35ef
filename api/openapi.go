package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/sealer/terminal/manifest"
)

// apiVersion is the version of the interface, not of the program.
const apiVersion = "1.0.0"

const (
	keyScheme      = "apiKey"
	terminalScheme = "terminal"
)

// describe is the frame of the OpenAPI document and of huma.
func describe(s *server) huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Yinxin 印信", Version: apiVersion,
				Description: "Electronic seals on PDF documents: upload, seal, fetch, verify. Every error is a problem (RFC 9457) with a stable code."},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{keyScheme: {Type: "http", Scheme: "bearer",
					Description: "An API key, yx_…, in the field Authorization."},
					terminalScheme: {Type: "http", Scheme: manifest.Scheme, Description: "The signature of a paired terminal over the request, in the field Authorization (docs/terminal.md)."}},
			},
			Tags: []*huma.Tag{{Name: "sealing", Description: "For programs and people who hold a grant."},
				{Name: "terminals", Description: "分散式用章: sealing with USB Keys. For clerks, programs that ask them, and their terminals."},
				{Name: "verifying", Description: "For anyone."}, {Name: "pki", Description: "Certificates and their state, for anyone."},
				{Name: "certificates", Description: "For officers, and for other installations that have their certificates made here."},
				{Name: "approvals", Description: "What two people decide."},
				{Name: "registration", Description: "Areas, units, agreement, batches of city bureaus, suspended users."},
				{Name: "applications", Description: "机构印章证书申请表 and what comes with it, for units, city bureaus and officers."},
				{Name: "issuing", Description: "Seal templates, certificates and seals of approved applications, USB Keys, renewals."},
				{Name: "webhooks", Description: "Calls to programs when something has happened."},
				{Name: "ledger", Description: "The record that the service cannot change unseen."},
				{Name: tagRemote, Description: "异地出证: copies of files for people who stand in another archive."},
				{Name: "service"}},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{s.reshape},
	}
}

// formPrefix precedes the names of what is on the form of annex 1.
const formPrefix = "Form"

// schemaName names the parts of a verification report after it: "Problem" and "Signature" alone would mean too much.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case strings.HasSuffix(t.PkgPath(), "sealer/verify") && name != "Report":
		return "Report" + name
	case strings.HasSuffix(t.PkgPath(), "enroll/form"):
		return formPrefix + name
	case strings.HasSuffix(t.PkgPath(), "terminal/manifest"):
		return "Terminal" + name
	}
	return name
}

// declare puts into an operation's description who may call it, and what admit answers to others.
func (s *server) declare(op *huma.Operation, who caller) {
	op.Responses = maps.Clone(op.Responses) // operations may share a list, and huma writes into it
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	if op.Method != http.MethodGet { // from the page of another site; a body that does not come, or does not end, also where none is wanted
		s.alsoAnswers(op, http.StatusBadRequest, http.StatusForbidden, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge)
	}
	switch {
	case who.terminal:
		op.Security = []map[string][]string{{terminalScheme: {}}}
		s.alsoAnswers(op, http.StatusUnauthorized, http.StatusForbidden)
	case !who.anyone:
		op.Security = []map[string][]string{{keyScheme: {}}}
		s.alsoAnswers(op, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests)
	}
}

// declareInput puts into the description of an operation of huma what comes of input that is not as described.
func (s *server) declareInput(path, method string) {
	item := s.huma.OpenAPI().Paths[path]
	op := map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodDelete: item.Delete}[method]
	if len(op.Parameters) > 0 {
		s.alsoAnswers(op, http.StatusUnprocessableEntity)
	}
	if op.RequestBody != nil {
		s.alsoAnswers(op, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	}
}

// alsoAnswers adds problems to those of an operation.
func (s *server) alsoAnswers(op *huma.Operation, statuses ...int) {
	for status, response := range s.answers(statuses...) {
		if op.Responses[status] == nil {
			op.Responses[status] = response
		}
	}
}

// answers describes a response for each status, the errors as problems. What every route has, declare adds.
func (s *server) answers(errors ...int) map[string]*huma.Response {
	list := map[string]*huma.Response{}
	for _, status := range append(errors, http.StatusInternalServerError) {
		list[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status),
			Content: map[string]*huma.MediaType{problemType: {Schema: s.schema(Problem{})}}}
	}
	return list
}

// with adds a response to those of answers.
func with(list map[string]*huma.Response, status int, r *huma.Response) map[string]*huma.Response {
	list[strconv.Itoa(status)] = r
	return list
}

// schema is the schema of a value's type, kept in the document's components.
func (s *server) schema(v any) *huma.Schema {
	return s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(v), true, "")
}

// notModified adds the answer to a caller who has a copy under the tag, which give and the documents know.
func notModified(list map[string]*huma.Response) map[string]*huma.Response {
	return with(list, http.StatusNotModified, &huma.Response{Description: "The caller's copy is the same"})
}

// tagParameter describes If-None-Match of a route that answers with an ETag.
func tagParameter() *huma.Param {
	return parameter("header", "If-None-Match", "The ETag of a copy that the caller has.", false)
}

// binary is the content of a body that is not JSON.
func binary(media string) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{media: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}
}

// upload describes a file as a body of its own or in a form.
func upload() *huma.RequestBody { return uploadOf("application/pdf") }

// uploadOf describes a file of one of the types as a body of its own or in a form.
func uploadOf(types ...string) *huma.RequestBody {
	content := binary("application/octet-stream")
	for _, media := range types {
		content[media] = binary(media)[media]
	}
	content["multipart/form-data"] = &huma.MediaType{Schema: &huma.Schema{Type: "object", Required: []string{fileField},
		Properties: map[string]*huma.Schema{fileField: {Type: "string", Format: "binary"}}}}
	return &huma.RequestBody{Required: true, Content: content}
}

// ifMatchParameter describes If-Match of a route that handles its own bodies.
func ifMatchParameter() *huma.Param {
	return parameter("header", "If-Match", "The ETag of what the caller saw. Without it the answer is 428; when somebody else has changed it since, 412.", true)
}

// etagHeader describes the ETag of an answer.
func etagHeader() map[string]*huma.Header {
	return map[string]*huma.Header{"ETag": {Description: "The revision, for If-Match.", Schema: &huma.Schema{Type: "string"}}}
}

// parameter describes a parameter of a route that handles its own bodies.
func parameter(in, name, doc string, required bool) *huma.Param {
	return &huma.Param{In: in, Name: name, Description: doc, Required: required, Schema: &huma.Schema{Type: "string"}}
}

// openAPI adds the route of the document itself and fixes its text.
func (s *server) openAPI() error {
	s.stream(huma.Operation{OperationID: "openapi", Method: http.MethodGet, Path: "/v1/openapi.json", Tags: []string{"service"},
		Summary: "This document", Parameters: []*huma.Param{tagParameter()}, Responses: with(notModified(s.answers()), http.StatusOK,
			&huma.Response{Description: "OpenAPI 3.1", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: "object"}}}})},
		anyone(), func(w http.ResponseWriter, r *http.Request) { s.give(w, r, "application/json", s.spec) })
	schemas := s.huma.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel") // huma's own error, which reshape replaces
	delete(schemas, "ErrorDetail")
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(s.huma.OpenAPI()); err != nil {
		return err
	}
	s.spec = text.Bytes()
	return nil
}
