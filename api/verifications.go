package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/api/web"
	"yinxin/internal/fault"
	"yinxin/internal/truetype"
	"yinxin/sealer/verify"
	"yinxin/sealer/verify/sheet"
)

func (s *server) verifications() {
	s.stream(huma.Operation{OperationID: "verify", Method: http.MethodPost, Path: "/v1/verifications", Tags: []string{"verifying"},
		Summary: "Verify a PDF",
		Description: "The body is the PDF, or a form whose field “file” is. A bad file is no error: the verdict then says so. " +
			"The file is deleted when it has been verified; nothing of it is kept.",
		Parameters: []*huma.Param{
			{In: "query", Name: "lang", Description: "Language of the sentences; otherwise Accept-Language counts.", Schema: &huma.Schema{Type: "string", Enum: []any{"zh", "en"}}},
			{In: "query", Name: "format", Description: "The report as data, or as a document to print and keep.", Schema: &huma.Schema{Type: "string", Enum: []any{"json", "html", "pdf"}, Default: "json"}},
			{In: "query", Name: "second-opinion", Description: "Have every SM2 value checked again by a second implementation.", Schema: &huma.Schema{Type: "boolean"}},
			parameter("header", "X-File-Name", "File name in UTF-8, percent-encoded; it is only repeated in the report.", false)},
		RequestBody: upload(),
		Responses: with(s.answers(400, 408, 413, 415, 429, 503), http.StatusOK, &huma.Response{Description: "The report",
			Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(verify.Report{})},
				"text/html": {Schema: &huma.Schema{Type: "string"}}, "application/pdf": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}})},
		anyone(), s.stranger(s.limits.verifications, s.verification))
	s.stream(huma.Operation{OperationID: "document-as-sealed", Method: http.MethodPost, Path: "/v1/verifications/as-sealed", Tags: []string{"verifying"},
		Summary: "The document as it was sealed",
		Description: "The body is the PDF, or a form whose field “file” is; the answer is its beginning, as long as asSealedBytes of the report says: the document " +
			"as it was when the signature was made. That the signature is genuine is for the report to say. The file is deleted when it was answered; nothing of it is kept.",
		Parameters: []*huma.Param{parameter("query", "signature", "Number of the signature in the order of the report, from 1, or the name of its field.", true),
			parameter("header", "X-File-Name", "File name in UTF-8, percent-encoded; the answer is named after it.", false)},
		RequestBody: upload(),
		Responses:   with(s.answers(400, 404, 408, 413, 415, 422, 429, 503), http.StatusOK, &huma.Response{Description: "The document", Content: binary("application/pdf")})},
		anyone(), s.stranger(s.limits.verifications, s.asSealed))
	s.stream(huma.Operation{OperationID: "verify-certificates", Method: http.MethodPost, Path: "/v1/verifications/certificates", Tags: []string{"verifying"},
		Summary: "Verify certificates",
		Description: "The body is a file of at most 32 certificates in PEM, DER or PKCS #7 (.p7b), or a form whose field “file” is: at most 256 KiB. The other certificates " +
			"of the file help to reach a trusted one. A private key is refused. Nothing of the file is kept.",
		Parameters: []*huma.Param{
			{In: "query", Name: "lang", Description: "Language of the sentences; otherwise Accept-Language counts.", Schema: &huma.Schema{Type: "string", Enum: []any{"zh", "en"}}},
			{In: "query", Name: "at", Description: "Also say what is known of the certificates at that time, which is not in the future.", Schema: &huma.Schema{Type: "string", Format: "date-time"}},
			parameter("header", "X-File-Name", "File name in UTF-8, percent-encoded; it is only repeated in the report.", false)},
		RequestBody: uploadOf(certificateMedia...),
		Responses: with(s.answers(400, 408, 413, 415, 422, 429, 503), http.StatusOK, &huma.Response{Description: "The report",
			Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(verify.CertificatesReport{})}}})},
		anyone(), s.stranger(s.limits.verifications, s.certificateVerification))
}

func (s *server) verification(w http.ResponseWriter, r *http.Request) {
	format, lang := r.URL.Query().Get("format"), languageOf(r)
	if !slices.Contains([]string{"", "json", "html", "pdf"}, format) {
		s.fail(w, r, errInvalid.At(fault.Field("format")))
		return
	}
	if o := r.URL.Query().Get("second-opinion"); o != "" && o != "true" && o != "false" {
		s.fail(w, r, errInvalid.At(fault.Field("second-opinion")))
		return
	}
	report, err := s.verify(r, lang)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var document bytes.Buffer
	media := "application/json"
	switch format {
	case "html":
		media, err = "text/html; charset=utf-8", sheet.HTML(&document, report, lang)
	case "pdf":
		var font []byte
		if font, err = s.font(); err == nil {
			media, err = "application/pdf", sheet.PDF(&document, report, lang, font)
		}
	default:
		s.giveJSON(w, r, http.StatusOK, report)
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store") // it describes somebody's file
	h.Set("Content-Disposition", attachment(strings.TrimPrefix(strings.TrimSuffix(report.File, ".pdf")+"-verification."+format, "-")))
	s.give(w, r, media, document.Bytes())
}

// font reads the font of PDF reports. Errors: font.not-found.
func (s *server) font() ([]byte, error) {
	path, err := truetype.Find()
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// signatureAsked is which signature of a file a request is about: its number or its field.
func signatureAsked(r *http.Request) (string, error) {
	which := r.URL.Query().Get("signature")
	if which == "" || len(which) > 200 {
		return "", errInvalid.At(fault.Field("signature"))
	}
	return which, nil
}

// asSealed gives the document of a signature as it was when it was sealed.
func (s *server) asSealed(w http.ResponseWriter, r *http.Request) {
	if err := s.giveAsSealed(w, r); err != nil {
		s.fail(w, r, err)
	}
}

// giveAsSealed has answered when it gives no error.
func (s *server) giveAsSealed(w http.ResponseWriter, r *http.Request) error {
	which, err := signatureAsked(r)
	if err != nil {
		return err
	}
	f, done, err := s.taken(r)
	if err != nil {
		return err
	}
	defer done()
	var found *io.SectionReader
	if err := s.judging(r.Context(), func(ctx context.Context) (err error) {
		found, err = verify.AsSealed(ctx, f, f.size, which)
		return err
	}); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", attachment(strings.TrimPrefix(strings.TrimSuffix(f.name, ".pdf")+"-as-sealed.pdf", "-")))
	h.Set("Content-Length", strconv.FormatInt(found.Size(), 10))
	h.Set("Cache-Control", "no-store")
	if _, err := io.Copy(w, found); err != nil {
		s.Log.DebugContext(r.Context(), "answer not sent", "request", factsOf(r.Context()).id, "error", err)
	}
	return nil
}

// verify takes the file of a request and judges it. Whatever happens, nothing of the file is left afterwards.
func (s *server) verify(r *http.Request, lang string) (report *verify.Report, err error) {
	f, done, err := s.taken(r)
	if err != nil {
		return nil, err
	}
	defer done()
	return s.judged(r, f, lang)
}

// judged is the report on a file.
func (s *server) judged(r *http.Request, f scratch, lang string) (report *verify.Report, err error) {
	err = s.judging(r.Context(), func(ctx context.Context) error {
		o := s.Verify
		o.At, o.Language, o.Contact, o.SecondOpinion = s.Clock(), lang, s.contact, r.URL.Query().Get("second-opinion") == "true"
		report = verify.File(ctx, f.name, f, f.size, o)
		return nil
	})
	return report, err
}

// taken is the file of a request, in the scratch space until done is called: nothing of it is left then.
func (s *server) taken(r *http.Request) (f scratch, done func(), err error) {
	leave, err := s.uploading.take(r.Context(), impatient())
	if err != nil {
		return f, nil, err
	}
	if f, err = s.arrived(r, s.MaxVerify, pdfMedia); err != nil {
		leave()
		return f, nil, err
	}
	f.name = displayName(f.name)
	return f, func() { f.close(); leave() }, nil
}

// arrived puts the file of a request into the scratch space, with the name that the caller gave it.
func (s *server) arrived(r *http.Request, max int64, media ...string) (scratch, error) {
	name, body, err := fileOf(r, max, media...)
	if err != nil {
		return scratch{}, err
	}
	f, err := s.scratchFile()
	if err != nil {
		return scratch{}, err
	}
	f.name = name
	if f.size, err = f.fill(body); err == nil && f.size == 0 {
		err = errNoFile.New()
	}
	if err != nil {
		f.close()
		return scratch{}, err
	}
	drain(r)
	return f, nil
}

// judging does what a verification does, when it is its turn and for as long as one may take. It is called once the file
// is there: whoever uploads slowly must not keep others from being verified.
func (s *server) judging(ctx context.Context, do func(ctx context.Context) error) error {
	leave, err := s.await(ctx, s.verifying)
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, s.VerifyTime)
	defer cancel()
	return do(ctx)
}

// await waits for a place among those at work.
func (s *server) await(ctx context.Context, at *places) (leave func(), err error) {
	patience := time.NewTimer(s.Patience)
	defer patience.Stop()
	return at.take(ctx, patience.C)
}

const scratchPattern = "verify-*.pdf"

// prepareScratch makes the folder and removes what a process left that died.
func prepareScratch(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(dir, scratchPattern))
	if err != nil {
		return err
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// scratch is a file that exists only as long as it is open.
type scratch struct {
	*os.File
	name string
	size int64
}

// head reads the first n octets, or fewer where there are no more.
func (f scratch) head(n int64) ([]byte, error) {
	data := make([]byte, min(n, f.size))
	if _, err := f.ReadAt(data, 0); err != nil {
		return nil, errScratch.Because(err)
	}
	return data, nil
}

func (f scratch) close() { _ = f.Close() } // nothing was to be kept

func (s *server) scratchFile() (scratch, error) {
	f, err := os.CreateTemp(s.Scratch, scratchPattern)
	if err != nil {
		return scratch{}, errScratch.Because(err)
	}
	// Unlinked at once: not even a process that is killed leaves somebody's document behind.
	if err := os.Remove(f.Name()); err != nil {
		return scratch{}, errScratch.Because(err)
	}
	return scratch{File: f}, nil
}

// fill copies the body into the file, telling a broken upload from a full disk.
func (f scratch) fill(body io.Reader) (int64, error) {
	from := &source{Reader: body}
	n, err := io.CopyBuffer(struct{ io.Writer }{f.File}, from, make([]byte, 256<<10))
	switch {
	case from.err != nil:
		return n, broken(from.err)
	case err != nil:
		return n, errScratch.Because(err)
	}
	return n, nil
}

// source remembers whether it was the reading that failed.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// languageOf is the language that a caller wants to read: "zh" unless English is asked for, by ?lang or by
// Accept-Language.
func languageOf(r *http.Request) string {
	chosen := r.URL.Query().Get("lang")
	if chosen == "" {
		if c, err := r.Cookie(web.LanguageCookie); err == nil {
			chosen = c.Value
		}
	}
	if chosen == "zh" || chosen == "en" {
		return chosen
	}
	if english := preference(r.Header.Get("Accept-Language"), "en"); english > 0 && english > preference(r.Header.Get("Accept-Language"), "zh") {
		return "en"
	}
	return "zh"
}

// preference is the weight that an Accept-Language field gives a language (RFC 9110 clause 12.5.4), the highest of its
// variants; 0 when it is not named.
func preference(field, language string) (weight float64) {
	if len(field) > 1000 {
		return 0
	}
	for item := range strings.SplitSeq(field, ",") {
		tag, parameter, _ := strings.Cut(strings.ReplaceAll(item, " ", ""), ";")
		base, _, _ := strings.Cut(tag, "-")
		if !strings.EqualFold(base, language) {
			continue
		}
		q := 1.0
		if value, ok := strings.CutPrefix(parameter, "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(value, 64); err != nil {
				q = 0
			}
		}
		weight = max(weight, q)
	}
	return weight
}

// sentenceOf is an error for the page.
func sentenceOf(p *Problem, lang string) string {
	if lang == "en" {
		return p.MessageEN
	}
	return p.Message
}
