package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"yinxin/api"
)

// CertificateFilter says which certificates to list; the zero value is all.
type CertificateFilter struct {
	Profile string
	Name    string // common name: a person, or the code of a seal
	State   string
	Before  time.Time // only those made before
	After   string    // the serial number behind which the list goes on
	Limit   int       // 0: as the server has it
}

// Certificates lists certificates without their bytes, the newest first; next is the After of the rest, empty at the end. With a
// state, a list may be short and yet go on.
func (c *Client) Certificates(ctx context.Context, f CertificateFilter) (list []api.Certificate, next string, err error) {
	query := url.Values{}
	for name, value := range map[string]string{"profile": f.Profile, "name": f.Name, "state": f.State, "after": f.After} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if !f.Before.IsZero() {
		query.Set("before", f.Before.UTC().Format(time.RFC3339Nano))
	}
	if f.Limit > 0 {
		query.Set("limit", strconv.Itoa(f.Limit))
	}
	page, err := call[struct {
		Certificates []api.Certificate
		Next         string
	}](ctx, c, http.MethodGet, "/v1/certificates?"+query.Encode(), "", nil)
	return page.Certificates, page.Next, err
}

// Certificate is a certificate with its state and its PEM, by its serial number in hexadecimal or its SM3 fingerprint.
func (c *Client) Certificate(ctx context.Context, serial string) (api.Certificate, error) {
	return call[api.Certificate](ctx, c, http.MethodGet, certificatePath(serial), "", nil)
}

// HoldCertificate suspends a certificate at once: the emergency, which one officer may declare.
func (c *Client) HoldCertificate(ctx context.Context, serial, reason string) (api.Certificate, error) {
	return call[api.Certificate](ctx, c, http.MethodPost, certificatePath(serial)+"/hold", "", api.Reason{Reason: reason})
}

// RequestCertificateChange asks for revocation, suspension or resumption, which an approver decides.
func (c *Client) RequestCertificateChange(ctx context.Context, serial string, change api.CertificateChange) (api.Approval, error) {
	return call[api.Approval](ctx, c, http.MethodPost, certificatePath(serial)+"/requests", "", change)
}

// ChangeCertificate carries out what was approved, once.
func (c *Client) ChangeCertificate(ctx context.Context, serial, request string) (api.Certificate, error) {
	return call[api.Certificate](ctx, c, http.MethodPost, certificatePath(serial)+"/changes", "", map[string]string{"request": request})
}

func certificatePath(serial string) string { return "/v1/certificates/" + url.PathEscape(serial) }

// Approvals lists what waits for a second person, the oldest first, behind the request after; next is where to go on, empty at
// the end.
func (c *Client) Approvals(ctx context.Context, after string) (list []api.Approval, next string, err error) {
	page, err := call[struct {
		Approvals []api.Approval
		Next      string
	}](ctx, c, http.MethodGet, "/v1/approvals"+behind(after), "", nil)
	return page.Approvals, page.Next, err
}

// Approval is a request with exactly what is decided.
func (c *Client) Approval(ctx context.Context, id string) (api.Approval, error) {
	return call[api.Approval](ctx, c, http.MethodGet, approvalPath(id), "", nil)
}

// Approve agrees, as the second person.
func (c *Client) Approve(ctx context.Context, id string) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, approvalPath(id)+"/approve", "", nil)
	return err
}

// Reject refuses, with the reason.
func (c *Client) Reject(ctx context.Context, id, reason string) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, approvalPath(id)+"/reject", "", api.Reason{Reason: reason})
	return err
}

func approvalPath(id string) string { return "/v1/approvals/" + url.PathEscape(id) }

// Keys lists the API keys of an actor, without their secrets.
func (c *Client) Keys(ctx context.Context, actor string) ([]api.APIKey, error) {
	list, err := call[struct{ Keys []api.APIKey }](ctx, c, http.MethodGet, keysPath(actor), "", nil)
	return list.Keys, err
}

// MakeKey makes an API key for an actor. Its secret is given this once.
func (c *Client) MakeKey(ctx context.Context, actor string, k api.NewKey) (api.MadeKey, error) {
	return call[api.MadeKey](ctx, c, http.MethodPost, keysPath(actor), "", k)
}

// EndKey ends an API key at once.
func (c *Client) EndKey(ctx context.Context, actor, id string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, keysPath(actor)+"/"+url.PathEscape(id), "", nil)
	return err
}

func keysPath(actor string) string { return "/v1/actors/" + url.PathEscape(actor) + "/keys" }
