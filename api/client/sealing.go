package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"yinxin/api"
	"yinxin/sealer/verify"
)

// Document describes a document.
func (c *Client) Document(ctx context.Context, id string) (api.Document, error) {
	return call[api.Document](ctx, c, http.MethodGet, documentsPath+"/"+url.PathEscape(id), "", nil)
}

// FindDocument is the newest document that the caller has with an SM3, in hex. Those of others are not found: document.not-found.
func (c *Client) FindDocument(ctx context.Context, sum string) (api.Document, error) {
	return call[api.Document](ctx, c, http.MethodGet, documentsPath+"?"+url.Values{"sm3": {sum}}.Encode(), "", nil)
}

// Fetch streams a document out.
func (c *Client) Fetch(ctx context.Context, d api.Document, w io.Writer) error {
	return c.fetch(ctx, documentsPath+"/"+url.PathEscape(d.ID)+"/content", w, d.SM3)
}

// Extend makes a new document of a sealed one, whose signatures can be verified when their certificates have ended.
func (c *Client) Extend(ctx context.Context, id string) (api.Document, error) {
	return call[api.Document](ctx, c, http.MethodPost, documentsPath+"/"+url.PathEscape(id)+"/extensions", "", nil)
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

// Sealing is what is on record of a sealing.
func (c *Client) Sealing(ctx context.Context, id string) (api.SealingRecord, error) {
	return call[api.SealingRecord](ctx, c, http.MethodGet, "/v1/sealings/"+url.PathEscape(id), "", nil)
}

// Verify has a file verified.
func (c *Client) Verify(ctx context.Context, name string, file io.Reader, size int64) (verify.Report, error) {
	q, f := fileRequest("/v1/verifications", name, file, size)
	q.repeatable = f.again
	return sent[verify.Report](ctx, c, q)
}

// VerifyCertificates has the certificates of a file judged now and, where at is not the zero time, at that time.
func (c *Client) VerifyCertificates(ctx context.Context, name string, at time.Time, file io.Reader, size int64) (verify.CertificatesReport, error) {
	path := "/v1/verifications/certificates"
	if !at.IsZero() {
		path += "?" + url.Values{"at": {at.UTC().Format(time.RFC3339)}}.Encode()
	}
	q, f := fileRequest(path, name, file, size)
	q.header.Set("Content-Type", "application/octet-stream") // PEM, DER or PKCS #7
	q.repeatable = f.again
	return sent[verify.CertificatesReport](ctx, c, q)
}

// AsSealed writes the document as it was when a signature was made, to which its number in the report or the name of its
// field.
func (c *Client) AsSealed(ctx context.Context, name, signature string, file io.Reader, size int64, w io.Writer) error {
	q, f := fileRequest("/v1/verifications/as-sealed?"+url.Values{"signature": {signature}}.Encode(), name, file, size)
	q.repeatable = f.again
	answer, err := c.send(ctx, q)
	if err != nil {
		return err
	}
	return receive(ctx, answer, w, "")
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

// Batches lists the caller's, the newest first, behind the batch after; next is where to go on, empty at the end.
func (c *Client) Batches(ctx context.Context, after string) (list []api.SealingBatch, next string, err error) {
	page, err := call[struct {
		Batches []api.SealingBatch
		Next    string
	}](ctx, c, http.MethodGet, "/v1/sealing-batches"+behind(after), "", nil)
	return page.Batches, page.Next, err
}

// behind is the query of a list that goes on.
func behind(after string) string {
	if after == "" {
		return ""
	}
	return "?" + url.Values{"after": {after}}.Encode()
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
	return c.fetch(ctx, batchPath(id)+"/results.zip", w, "")
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

// KeyTasks lists those that the caller is to do or has asked for, the newest first, behind the task after; next is where to
// go on, empty at the end.
func (c *Client) KeyTasks(ctx context.Context, after string) (list []api.KeyTask, next string, err error) {
	page, err := call[struct {
		Tasks []api.KeyTask
		Next  string
	}](ctx, c, http.MethodGet, "/v1/key-tasks"+behind(after), "", nil)
	return page.Tasks, page.Next, err
}

// CancelKeyTask ends a task: what is open is declined.
func (c *Client) CancelKeyTask(ctx context.Context, id string) (api.KeyTask, error) {
	return call[api.KeyTask](ctx, c, http.MethodPost, "/v1/key-tasks/"+url.PathEscape(id)+"/cancel", "", nil)
}

// RetryKeyTask queues what failed again.
func (c *Client) RetryKeyTask(ctx context.Context, id string) (api.KeyTask, error) {
	return call[api.KeyTask](ctx, c, http.MethodPost, "/v1/key-tasks/"+url.PathEscape(id)+"/retry", "", nil)
}

// LookUp finds an issued copy by its code.
func (c *Client) LookUp(ctx context.Context, code string) (api.IssuedRecord, error) {
	return call[api.IssuedRecord](ctx, c, http.MethodPost, "/v1/issued-copies/lookup", "", api.IssuedCode{Code: code})
}
