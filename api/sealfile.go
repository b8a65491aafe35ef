package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/internal/fault"
	"yinxin/sealer"
)

const (
	sealFilePath = "/v1/sealed-documents"
	orderField   = "order"
)

// sealFiles is sealing in one call: the document comes in, and goes out sealed.
func (s *server) sealFiles() {
	order := s.schema(SealingTerms{})
	s.stream(huma.Operation{OperationID: "seal-file", Method: http.MethodPost, Path: sealFilePath, Tags: []string{"sealing"},
		Summary: "Seal a document in one call",
		Description: "The body is a form: first the field “order” in JSON, then the field “file” with the PDF. The answer is the sealed PDF, of which the service keeps a copy. " +
			"Of a document that is refused nothing is kept. An Idempotency-Key stands for the order and the bytes of the document.",
		Parameters: []*huma.Param{parameter("header", "Idempotency-Key", "Chosen by the caller, new for every order.", true)},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {
			Schema: &huma.Schema{Type: "object", Required: []string{orderField, fileField},
				Properties: map[string]*huma.Schema{orderField: order, fileField: {Type: "string", Format: "binary"}}},
			Encoding: map[string]*huma.Encoding{orderField: {ContentType: "application/json"}, fileField: {ContentType: "application/pdf"}}}}},
		Responses: with(s.answers(400, 401, 403, 408, 409, 413, 415, 422, 503), http.StatusOK, &huma.Response{Description: "The sealed document",
			Headers: map[string]*huma.Header{
				"Location":             {Description: "The sealed document.", Schema: &huma.Schema{Type: "string"}},
				"X-Sealing-Id":         {Description: "Identifier of the sealing, as in the ledger.", Schema: &huma.Schema{Type: "string"}},
				"Idempotency-Replayed": {Description: "true, when the key was used before and this is its stored result.", Schema: &huma.Schema{Type: "string"}},
				"ETag":                 {Description: "The SM3 digest.", Schema: &huma.Schema{Type: "string"}}},
			Content: binary("application/pdf")})},
		sealTesters(), s.sealFile)
}

func (s *server) sealFile(w http.ResponseWriter, r *http.Request) {
	done, err := s.sealForm(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Location", documentPath+done.Document.ID)
	h.Set("X-Sealing-Id", done.ID)
	h.Set("Cache-Control", "no-store")
	if done.Replayed {
		h.Set("Idempotency-Replayed", strconv.FormatBool(true))
	}
	content, _ := done.Content()
	s.giveDocument(w, r, done.Document, content)
}

// sealForm reads the form of a request, order and file, and seals the file while it arrives.
func (s *server) sealForm(r *http.Request) (sealer.Sealed, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" || len(key) > 200 || strings.ContainsFunc(key, func(c rune) bool { return c < '!' || c > '~' }) {
		return sealer.Sealed{}, errInvalid.At(fault.Field("Idempotency-Key"))
	}
	if mediaOf(r) != "multipart/form-data" {
		return sealer.Sealed{}, errMediaType.With("multipart/form-data")
	}
	if r.ContentLength > s.MaxUpload+2*formOverhead {
		return sealer.Sealed{}, tooLarge(s.MaxUpload)
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{&limited{r.Body, s.MaxUpload + 2*formOverhead, s.MaxUpload}, r.Body}
	form, err := r.MultipartReader()
	if err != nil {
		return sealer.Sealed{}, errMediaType.Because(err)
	}
	part, err := form.NextPart()
	if err != nil && err != io.EOF {
		return sealer.Sealed{}, broken(err)
	}
	if err == io.EOF || part.FormName() != orderField {
		return sealer.Sealed{}, errInvalid.Saying("表单的第一项应为 order", "the first field of the form is the order").At(fault.Field(orderField))
	}
	o, err := s.orderOf(r.Context(), part)
	if err != nil {
		return sealer.Sealed{}, err
	}
	if err := s.countSeals(r.Context(), s.Register.Authorise, o.Seal); err != nil {
		return sealer.Sealed{}, err
	}
	if part, err = form.NextPart(); err != nil && err != io.EOF {
		return sealer.Sealed{}, broken(err)
	}
	if err == io.EOF || part.FormName() != fileField {
		return sealer.Sealed{}, errNoFile.At(fault.Field(fileField))
	}
	o.IdempotencyKey = "file:" + key // keys of this door are its own
	ctx, cancel := context.WithTimeout(r.Context(), s.sealFileTime())
	defer cancel()
	return s.Sealer.SealFile(ctx, actorOf(ctx), part.FileName(), &limited{part, s.MaxUpload, s.MaxUpload}, o)
}

// sealFileTime is the longest that a call may take, with its body: the pace of the body has a limit of its own.
func (s *server) sealFileTime() time.Duration {
	return sealTime + s.Grace + time.Duration(s.MaxUpload/max(s.Rate, 1))*time.Second
}

// orderOf reads the order in a form and holds it against its description.
func (s *server) orderOf(ctx context.Context, part *multipart.Part) (sealer.Order, error) {
	body, err := io.ReadAll(&limited{part, maxJSON, maxJSON})
	if err != nil {
		return sealer.Order{}, broken(err)
	}
	var loose map[string]any
	if err := json.Unmarshal(body, &loose); err != nil {
		return sealer.Order{}, errInvalid.At(fault.Field(orderField)) // the cause could quote what was sent
	}
	var wrong huma.ValidateResult
	huma.Validate(s.huma.OpenAPI().Components.Schemas, s.schema(SealingTerms{}), huma.NewPathBuffer([]byte(orderField), len(orderField)), huma.ModeWriteToServer, loose, &wrong)
	if len(wrong.Errors) > 0 {
		p := &Problem{Status: http.StatusUnprocessableEntity, Code: errInvalid.Code, Message: errInvalid.ZH, MessageEN: errInvalid.EN}
		for _, e := range wrong.Errors {
			if detail, ok := e.(*huma.ErrorDetail); ok {
				p.Errors = append(p.Errors, FieldError{fault.Field(detail.Location), detail.Message})
			}
		}
		p.sayFirst(errInvalid)
		return sealer.Order{}, p.finish(ctx)
	}
	var terms SealingTerms
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&terms); err != nil {
		return sealer.Order{}, errInvalid.At(fault.Field(orderField))
	}
	return terms.Order()
}
