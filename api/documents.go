package api

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"yinxin/sealer"
)

// Document describes a stored document.
type Document struct {
	ID        string    `json:"id" doc:"Identifier, for sealing and fetching." example:"d_k3v6m2x7"`
	Name      string    `json:"name" doc:"File name." example:"档案复制件.pdf"`
	Size      int64     `json:"size" doc:"Bytes."`
	SM3       string    `json:"sm3" doc:"SM3 digest of the bytes, hexadecimal."`
	CreatedAt time.Time `json:"created_at"`
}

func documentOf(d sealer.Document) Document {
	return Document{ID: d.ID, Name: d.Name, Size: d.Size, SM3: d.SM3, CreatedAt: d.CreatedAt.UTC().Truncate(time.Microsecond)} // as the database keeps it
}

const documentPath = "/v1/documents/"

func (s *server) documents() {
	s.stream(huma.Operation{OperationID: "upload-document", Method: http.MethodPost, Path: "/v1/documents", Tags: []string{"sealing"},
		Summary: "Upload a document",
		Description: "The body is the PDF, or a form whose field “file” is. It is hashed with SM3 while it arrives. Nothing is kept of an upload that breaks off. " +
			"Whoever declares the digest and sends Expect: 100-continue is answered before the bytes, if the caller has a document with this content; those of others do not count.",
		Parameters: []*huma.Param{
			parameter("header", "X-File-Name", "File name in UTF-8, percent-encoded. Content-Disposition with filename* serves, too.", false),
			parameter("header", digestField, "sm3=:…: with the SM3 of the PDF in base64 (RFC 9530). Other algorithms are not looked at, nor the field of a form. Other bytes are refused as document.digest.", false)},
		RequestBody: upload(),
		Responses: with(with(s.answers(400, 401, 403, 408, 413, 415, 503), http.StatusCreated, &huma.Response{Description: "Stored",
			Headers: map[string]*huma.Header{"Location": {Schema: &huma.Schema{Type: "string"}}},
			Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(Document{})}}}),
			http.StatusOK, &huma.Response{Description: "Uploaded before, under the name that it had then; nothing is stored anew",
				Headers: map[string]*huma.Header{"Location": {Schema: &huma.Schema{Type: "string"}}},
				Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(Document{})}}})},
		sealTesters(), s.upload)

	type one struct {
		ID string `path:"id" maxLength:"64" doc:"Identifier of the document."`
	}
	type described struct{ Body Document }
	operate(s, huma.Operation{OperationID: "get-document", Method: http.MethodGet, Path: documentPath + "{id}", Tags: []string{"sealing"},
		Summary: "Describe a document", Responses: s.answers(401, 403, 404)},
		sealTesters(), func(ctx context.Context, in *one) (*described, error) {
			d, err := s.Sealer.Document(ctx, actorOf(ctx), in.ID)
			return &described{documentOf(d)}, err
		})

	type content struct {
		SM3 string `query:"sm3" required:"true" pattern:"^[0-9a-f]{64}$" doc:"SM3 digest of the bytes, hexadecimal."`
	}
	operate(s, huma.Operation{OperationID: "find-document", Method: http.MethodGet, Path: "/v1/documents", Tags: []string{"sealing"},
		Summary: "Find a document by its content", Description: "The newest with this digest that the caller has, so that it need not be uploaded again. Those of others are not found.",
		Responses: s.answers(400, 401, 403, 404, 422)},
		sealTesters(), func(ctx context.Context, in *content) (*described, error) {
			d, err := s.Sealer.DocumentOf(ctx, actorOf(ctx), in.SM3)
			return &described{documentOf(d)}, err
		})

	s.stream(huma.Operation{OperationID: "get-document-content", Method: http.MethodGet, Path: documentPath + "{id}/content", Tags: []string{"sealing"},
		Summary:     "Fetch a document",
		Description: "The bytes are hashed again on their way out. When they are not those that were stored, the connection is cut before the end.",
		Parameters: []*huma.Param{parameter("path", "id", "Identifier of the document.", true),
			tagParameter()},
		Responses: with(notModified(s.answers(404)), http.StatusOK, &huma.Response{Description: "The document", Content: binary("application/pdf"),
			Headers: map[string]*huma.Header{"ETag": {Description: "The SM3 digest.", Schema: &huma.Schema{Type: "string"}},
				"Content-Disposition": {Schema: &huma.Schema{Type: "string"}}}})},
		sealTesters(), s.content)
}

func (s *server) upload(w http.ResponseWriter, r *http.Request) {
	name, body, err := file(r, s.MaxUpload)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	d, known, err := s.stored(r, name, body)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Location", documentPath+d.ID)
	status := http.StatusCreated
	if known {
		status = http.StatusOK
	}
	s.giveJSON(w, r, status, documentOf(d))
}

// stored stores a document that is uploaded, unless its digest is declared and the caller has it.
func (s *server) stored(r *http.Request, name string, body io.Reader) (d sealer.Document, known bool, err error) {
	ctx, sum := r.Context(), ""
	if mediaOf(r) != "multipart/form-data" { // a form's digest is not that of its file
		if sum, err = digestOf(r.Header); err != nil {
			return d, false, err
		}
	}
	if sum == "" {
		d, err = s.Sealer.Upload(ctx, actorOf(ctx), name, body)
		return d, false, err
	}
	d, known, err = s.Sealer.UploadOnce(ctx, actorOf(ctx), name, sum, body)
	if known && r.Header.Get("Expect") == "" {
		// It is being sent: whoever writes when the connection is closed may never see the answer.
		if _, err := io.Copy(io.Discard, body); err != nil {
			return d, known, broken(err)
		}
	}
	return d, known, err
}

func (s *server) content(w http.ResponseWriter, r *http.Request) {
	d, err := s.Sealer.Document(r.Context(), actorOf(r.Context()), chi.URLParam(r, "id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "private, no-cache")
	if tag := tagOfDocument(d); matches(r.Header.Get("If-None-Match"), tag) {
		w.Header().Set("ETag", tag)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.giveDocument(w, r, d, nil)
}

func tagOfDocument(d sealer.Document) string { return `"` + d.SM3 + `"` }

// giveDocument streams a document out, from memory if its content is at hand.
func (s *server) giveDocument(w http.ResponseWriter, r *http.Request, d sealer.Document, content []byte) {
	h := w.Header()
	h.Set("ETag", tagOfDocument(d))
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Length", strconv.FormatInt(d.Size, 10))
	h.Set("Content-Disposition", attachment(d.Name))
	h.Set("Last-Modified", d.CreatedAt.UTC().Format(http.TimeFormat))
	if r.Method == http.MethodHead {
		return
	}
	if content != nil {
		s.send(w, r, content)
		return
	}
	if err := s.Sealer.Copy(r.Context(), w, d); err != nil {
		s.fail(w, r, err) // cuts the connection, when bytes have gone out
	}
}

// matches says whether an If-None-Match field names the tag (RFC 9110 clause 13.1.2, weak comparison).
func matches(field, tag string) bool {
	for given := range strings.SplitSeq(field, ",") {
		given = strings.TrimPrefix(strings.TrimSpace(given), "W/")
		if given == tag || given == "*" {
			return true
		}
	}
	return false
}
