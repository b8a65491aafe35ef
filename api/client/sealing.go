package client

import (
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"time"

	"yinxin/api"
	"yinxin/sealer/verify"
)

const pdfType = "application/pdf"

// Upload stores a document of size bytes; size -1 is not known.
func (c *Client) Upload(ctx context.Context, name string, file io.Reader, size int64) (api.Document, error) {
	return put[api.Document](ctx, c, "/v1/documents", name, pdfType, file, size)
}

// Document describes a document.
func (c *Client) Document(ctx context.Context, id string) (api.Document, error) {
	return call[api.Document](ctx, c, http.MethodGet, "/v1/documents/"+url.PathEscape(id), "", nil)
}

// Fetch streams a document out.
func (c *Client) Fetch(ctx context.Context, d api.Document, w io.Writer) error {
	return c.fetch(ctx, request{method: http.MethodGet, path: "/v1/documents/" + url.PathEscape(d.ID) + "/content"}, w, d.SM3)
}

// Seals lists the seals that the caller was ever granted.
func (c *Client) Seals(ctx context.Context) ([]api.Seal, error) {
	list, err := call[struct{ Seals []api.Seal }](ctx, c, http.MethodGet, "/v1/seals", "", nil)
	return list.Seals, err
}

// SealStatus is the state of a seal at a time; the zero time is now.
func (c *Client) SealStatus(ctx context.Context, code string, at time.Time) (api.SealStatus, error) {
	path := "/v1/seals/" + url.PathEscape(code) + "/status"
	if !at.IsZero() {
		path += "?" + url.Values{"at": {at.UTC().Format(time.RFC3339)}}.Encode()
	}
	return call[api.SealStatus](ctx, c, http.MethodGet, path, "", nil)
}

// Preview plans a sealing and draws the pages with the seal in place.
func (c *Client) Preview(ctx context.Context, o api.PreviewOrder) (api.Preview, error) {
	return call[api.Preview](ctx, c, http.MethodPost, "/v1/previews", "", o)
}

// Seal seals a stored document. The same key with the same order gives the same result again.
func (c *Client) Seal(ctx context.Context, key string, o api.SealingOrder) (api.Sealing, error) {
	return call[api.Sealing](ctx, c, http.MethodPost, "/v1/sealings", key, o)
}

// SealFile seals a document in one call: file goes in, and the sealed one comes out through w. It gives the identifier of
// the sealing. What was written to w when an error comes is not a document.
func (c *Client) SealFile(ctx context.Context, key, name string, file io.Reader, terms api.SealingTerms, w io.Writer) (sealing string, err error) {
	order, err := json.Marshal(terms)
	if err != nil {
		return "", err
	}
	read, write := io.Pipe()
	form := multipart.NewWriter(write)
	go func() {
		write.CloseWithError(func() error {
			part, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="order"`}, "Content-Type": {"application/json"}})
			if err == nil {
				_, err = part.Write(order)
			}
			if err == nil {
				part, err = form.CreateFormFile("file", name)
			}
			if err == nil {
				_, err = io.Copy(part, file)
			}
			if err == nil {
				err = form.Close()
			}
			return err
		}())
	}()
	defer read.Close() // lets the writer go when the server did not read to the end
	answer, err := c.send(ctx, request{method: http.MethodPost, path: "/v1/sealed-documents", stream: read, size: -1,
		header: http.Header{"Content-Type": {form.FormDataContentType()}, "Idempotency-Key": {key}}})
	if err != nil {
		return "", err
	}
	sealing = answer.Header.Get("X-Sealing-Id")
	return sealing, receive(ctx, answer, w, "")
}

// Sealing is what is on record of a sealing.
func (c *Client) Sealing(ctx context.Context, id string) (api.SealingRecord, error) {
	return call[api.SealingRecord](ctx, c, http.MethodGet, "/v1/sealings/"+url.PathEscape(id), "", nil)
}

// Verify has a file verified.
func (c *Client) Verify(ctx context.Context, name string, file io.Reader, size int64) (verify.Report, error) {
	return put[verify.Report](ctx, c, "/v1/verifications", name, pdfType, file, size)
}

// AsSealed writes the document as it was when a signature was made, to which its number in the report or the name of its
// field.
func (c *Client) AsSealed(ctx context.Context, name, signature string, file io.Reader, size int64, w io.Writer) error {
	header := http.Header{"Content-Type": {pdfType}}
	if name != "" {
		header.Set("X-File-Name", url.PathEscape(name))
	}
	return c.fetch(ctx, request{method: http.MethodPost, path: "/v1/verifications/as-sealed?" + url.Values{"signature": {signature}}.Encode(),
		header: header, stream: file, size: size}, w, "")
}

// BatchFile is a document of a batch, with what the caller calls it.
type BatchFile struct {
	Document  string `json:"document"`
	Reference string `json:"reference,omitempty"`
}

// CreateBatch has up to 10,000 stored documents sealed in the same way, in the background.
func (c *Client) CreateBatch(ctx context.Context, key, title string, terms api.SealingTerms, files []BatchFile) (api.SealingBatch, error) {
	return call[api.SealingBatch](ctx, c, http.MethodPost, "/v1/sealing-batches", key, map[string]any{"title": title, "order": terms, "files": files})
}

// Batch is a batch as it stands.
func (c *Client) Batch(ctx context.Context, id string) (api.SealingBatch, error) {
	return call[api.SealingBatch](ctx, c, http.MethodGet, batchPath(id), "", nil)
}

// BatchFiles lists the documents of a batch behind a number, in a state or in all.
func (c *Client) BatchFiles(ctx context.Context, id, state string, after int) ([]api.SealingBatchFile, error) {
	query := url.Values{"after": {strconv.Itoa(after)}}
	if state != "" {
		query.Set("state", state)
	}
	list, err := call[struct{ Files []api.SealingBatchFile }](ctx, c, http.MethodGet, batchPath(id)+"/files?"+query.Encode(), "", nil)
	return list.Files, err
}

// CancelBatch ends a batch: what was not begun is not sealed.
func (c *Client) CancelBatch(ctx context.Context, id string) (api.SealingBatch, error) {
	return call[api.SealingBatch](ctx, c, http.MethodPost, batchPath(id)+"/cancel", "", nil)
}

// RetryBatch takes up what failed.
func (c *Client) RetryBatch(ctx context.Context, id string) (api.SealingBatch, error) {
	return call[api.SealingBatch](ctx, c, http.MethodPost, batchPath(id)+"/retry", "", nil)
}

// BatchResults writes a ZIP file with the sealed documents.
func (c *Client) BatchResults(ctx context.Context, id string, w io.Writer) error {
	return c.fetch(ctx, request{method: http.MethodGet, path: batchPath(id) + "/results.zip"}, w, "")
}

// Await follows a batch until no document waits any more; seen, if not nil, is told of each look at it.
func (c *Client) Await(ctx context.Context, id string, every time.Duration, seen func(api.SealingBatch)) (api.SealingBatch, error) {
	for {
		b, err := c.Batch(ctx, id)
		if err != nil {
			return b, err
		}
		if seen != nil {
			seen(b)
		}
		if b.State != "running" {
			return b, nil
		}
		if err := c.Pause(ctx, every); err != nil {
			return b, err
		}
	}
}

func batchPath(id string) string { return "/v1/sealing-batches/" + url.PathEscape(id) }

// KeyTaskItem is a document that a clerk is to seal with a USB Key, and how.
type KeyTaskItem struct {
	Document string            `json:"document"`
	Order    *api.SealingTerms `json:"order,omitempty"`
}

// NewKeyTask asks a clerk to seal documents with a USB Key. Clerk empty is the caller.
type NewKeyTask struct {
	Clerk  string            `json:"clerk,omitempty"`
	Origin string            `json:"origin,omitempty"`
	Note   string            `json:"note,omitempty"`
	Order  *api.SealingTerms `json:"order,omitempty"`
	Items  []KeyTaskItem     `json:"items"`
}

// AskClerk makes a task.
func (c *Client) AskClerk(ctx context.Context, key string, t NewKeyTask) (api.KeyTask, error) {
	return call[api.KeyTask](ctx, c, http.MethodPost, "/v1/key-tasks", key, t)
}

// KeyTask is a task as it stands.
func (c *Client) KeyTask(ctx context.Context, id string) (api.KeyTask, error) {
	return call[api.KeyTask](ctx, c, http.MethodGet, "/v1/key-tasks/"+url.PathEscape(id), "", nil)
}

// LookUp finds an issued copy by its code.
func (c *Client) LookUp(ctx context.Context, code string) (api.IssuedRecord, error) {
	return call[api.IssuedRecord](ctx, c, http.MethodPost, "/v1/issued-copies/lookup", "", api.IssuedCode{Code: code})
}
