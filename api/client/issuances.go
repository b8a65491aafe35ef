package client

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"yinxin/api"
)

// NewIssuance asks another archive for a file that it holds.
type NewIssuance struct {
	Receiving string        `json:"receiving,omitempty"` // where the applicant stands; the platform says it
	Holding   string        `json:"holding"`
	Number    string        `json:"number,omitempty"` // the caller's own case number
	Applicant api.Applicant `json:"applicant"`
}

// OpenIssuance opens a case.
func (c *Client) OpenIssuance(ctx context.Context, key string, n NewIssuance) (api.Issuance, error) {
	return call[api.Issuance](ctx, c, http.MethodPost, "/v1/issuances", key, n)
}

// Issuance is a case as it stands.
func (c *Client) Issuance(ctx context.Context, id string) (api.Issuance, error) {
	return call[api.Issuance](ctx, c, http.MethodGet, casePath(id), "", nil)
}

// IssuanceFilter says which cases to list; the zero value is all.
type IssuanceFilter struct {
	Side    string // out: asked of others; in: asked of the own archive
	State   string
	Overdue bool
	After   string // the case behind which the list goes on
}

// Issuances lists cases, the newest first, without parts and copies; next is where to go on, empty at the end.
func (c *Client) Issuances(ctx context.Context, f IssuanceFilter) (list []api.Issuance, next string, err error) {
	query := url.Values{}
	for name, value := range map[string]string{"side": f.Side, "state": f.State, "after": f.After} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if f.Overdue {
		query.Set("overdue", "true")
	}
	page, err := call[struct {
		Issuances []api.Issuance
		Next      string
	}](ctx, c, http.MethodGet, "/v1/issuances?"+query.Encode(), "", nil)
	return page.Issuances, page.Next, err
}

// IssuanceArchives are those that can be asked.
func (c *Client) IssuanceArchives(ctx context.Context) ([]string, error) {
	list, err := call[struct{ Archives []string }](ctx, c, http.MethodGet, "/v1/issuance-archives", "", nil)
	return list.Archives, err
}

// CancelIssuance takes a request back, before it is answered.
func (c *Client) CancelIssuance(ctx context.Context, id string) (api.Issuance, error) {
	return call[api.Issuance](ctx, c, http.MethodPost, casePath(id)+"/cancel", "", nil)
}

// Answer is what the holding archive answers: found with its reference, or not-found or not-open with a reason.
type Answer struct {
	Result    string                 `json:"result"`
	Reason    string                 `json:"reason,omitempty"`
	Reference *api.ArchivalReference `json:"reference,omitempty"`
}

// AnswerIssuance answers a case.
func (c *Client) AnswerIssuance(ctx context.Context, id string, a Answer) (api.Issuance, error) {
	return call[api.Issuance](ctx, c, http.MethodPost, casePath(id)+"/answer", "", a)
}

// AddIssuancePages puts a PDF behind the pages of a case.
func (c *Client) AddIssuancePages(ctx context.Context, id, name string, file io.Reader, size int64) (api.Issuance, error) {
	return put[api.Issuance](ctx, c, casePath(id)+"/pages", name, file, size)
}

// ClearIssuancePages takes all pages out again.
func (c *Client) ClearIssuancePages(ctx context.Context, id string) (api.Issuance, error) {
	return call[api.Issuance](ctx, c, http.MethodDelete, casePath(id)+"/pages", "", nil)
}

// DiscardIssuance takes a composed copy apart that was not sealed: pages and answer can be changed again.
func (c *Client) DiscardIssuance(ctx context.Context, id string) (api.Issuance, error) {
	return call[api.Issuance](ctx, c, http.MethodPost, casePath(id)+"/discard", "", nil)
}

// Issue composes the copy of a case and has it sealed. Called again it gives what was issued.
func (c *Client) Issue(ctx context.Context, id, seal string, byKey bool) (api.Issuance, error) {
	return call[api.Issuance](ctx, c, http.MethodPost, casePath(id)+"/issue", "", map[string]any{"seal": seal, "by_key": byKey})
}

// IssuedCopy writes the issued copy.
func (c *Client) IssuedCopy(ctx context.Context, id string, w io.Writer) error {
	return c.fetch(ctx, casePath(id)+"/copy", w, "")
}

// ReceiveIssuance hands in the copy as it arrived: the server verifies it.
func (c *Client) ReceiveIssuance(ctx context.Context, id string, file io.Reader, size int64) (api.Issuance, error) {
	return put[api.Issuance](ctx, c, casePath(id)+"/receive", "", file, size)
}

// DeliverIssuance records that the copy was handed over: printed or file, after the applicant's identity was checked.
func (c *Client) DeliverIssuance(ctx context.Context, id, manner string, identityChecked bool) (api.Issuance, error) {
	return call[api.Issuance](ctx, c, http.MethodPost, casePath(id)+"/deliver", "", map[string]any{"manner": manner, "identity_checked": identityChecked})
}

// WithdrawIssuance takes an issued copy back.
func (c *Client) WithdrawIssuance(ctx context.Context, id, reason string) (api.Issuance, error) {
	return call[api.Issuance](ctx, c, http.MethodPost, casePath(id)+"/withdraw", "", api.IssuanceReason{Reason: reason})
}

func casePath(id string) string { return "/v1/issuances/" + url.PathEscape(id) }
