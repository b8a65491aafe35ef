package client

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"yinxin/api"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/webhook"
)

// The errors of what was received and does not prove what it should.
var (
	ErrProof = fault.Spec{Kind: fault.Refused, Code: "server.proof",
		ZH: "服务器给出的存证证明不是这次盖章的。", EN: "The proof that the server gave is not one of this sealing."}
	ErrRewritten = fault.Spec{Kind: fault.Refused, Code: "server.ledger-rewritten",
		ZH: "服务器的存证台账不是从所保存的检查点延续而来。", EN: "The ledger of the server does not begin with the one of the checkpoint that was kept."}
	ErrReplayed = fault.Spec{Kind: fault.Denied, Code: "webhook.replayed",
		ZH: "这次回调已经收到过。", EN: "This call was received before."}
)

// Proofs are the ledger's entries of a sealing with their inclusion proofs, verified here under the ledger's public key
// that the caller got by another way: what the server says of itself is not believed. An entry has its place within a second;
// until then the server is asked again as it wishes. Errors: server.proof, ledger.proof, ledger.checkpoint, ledger.pending.
func (c *Client) Proofs(ctx context.Context, sealing string, key *ecdsa.PublicKey) ([]ledger.Proof, error) {
	answer, err := call[struct{ Proofs []api.LedgerProof }](ctx, c, http.MethodGet, "/v1/sealings/"+url.PathEscape(sealing)+"/proofs", "", nil)
	if err != nil {
		return nil, err
	}
	if len(answer.Proofs) == 0 {
		return nil, ErrProof.New()
	}
	list := make([]ledger.Proof, 0, len(answer.Proofs))
	for _, given := range answer.Proofs {
		p, err := proved(given, sealing, key)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// proved verifies one proof. What it gives was read from the leaf, which the proof covers, and not from what stands beside it.
func proved(given api.LedgerProof, subject string, key *ecdsa.PublicKey) (p ledger.Proof, err error) {
	leaf, err := base64.StdEncoding.DecodeString(given.Entry.Leaf)
	if err != nil {
		return p, ErrProof.Because(err)
	}
	if p.Entry, err = ledger.ParseEntry(given.Entry.Position, leaf); err != nil {
		return p, ErrProof.Because(err)
	}
	if p.Entry.Subject != subject {
		return p, ErrProof.With("%s", p.Entry.Subject)
	}
	if p.Checkpoint, err = ledger.ParseCheckpoint(given.Checkpoint, key); err != nil {
		return p, err
	}
	p.Hashes = given.Hashes
	return p, p.Verify(key)
}

// Checkpoint is the newest checkpoint of the ledger, to be kept elsewhere. Error: ledger.checkpoint.
func (c *Client) Checkpoint(ctx context.Context, key *ecdsa.PublicKey) (ledger.Checkpoint, error) {
	var note strings.Builder
	if err := c.fetch(ctx, "/v1/ledger/checkpoint", &note, ""); err != nil {
		return ledger.Checkpoint{}, err
	}
	return ledger.ParseCheckpoint(note.String(), key)
}

// Continued is the newest checkpoint of a ledger that is proved to begin with the ledger of a checkpoint that was kept:
// nothing in it was changed or taken away since. Errors: server.ledger-rewritten, ledger.checkpoint.
func (c *Client) Continued(ctx context.Context, kept ledger.Checkpoint, key *ecdsa.PublicKey) (ledger.Checkpoint, error) {
	now, err := c.Checkpoint(ctx, key)
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	if now.Size < kept.Size {
		return ledger.Checkpoint{}, ErrRewritten.With("%d < %d", now.Size, kept.Size)
	}
	answer, err := call[struct{ Hashes [][]byte }](ctx, c, http.MethodGet, fmt.Sprintf("/v1/ledger/consistency?from=%d&to=%d", kept.Size, now.Size), "", nil)
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	if err := now.Continues(kept, answer.Hashes); err != nil {
		return ledger.Checkpoint{}, ErrRewritten.Because(err)
	}
	return now, nil
}

const webhooksPath = "/v1/webhooks"

// AddWebhook has the server call an address when something of these kinds happens. The answer has the secret, once.
func (c *Client) AddWebhook(ctx context.Context, address string, kinds ...string) (api.Webhook, error) {
	return call[api.Webhook](ctx, c, http.MethodPost, webhooksPath, "", map[string]any{"url": address, "kinds": kinds})
}

// Webhooks lists the caller's.
func (c *Client) Webhooks(ctx context.Context) ([]api.Webhook, error) {
	list, err := call[struct{ Webhooks []api.Webhook }](ctx, c, http.MethodGet, webhooksPath, "", nil)
	return list.Webhooks, err
}

// RemoveWebhook ends one.
func (c *Client) RemoveWebhook(ctx context.Context, id string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, webhooksPath+"/"+url.PathEscape(id), "", nil)
	return err
}

// ResumeWebhook has a suspended one called again.
func (c *Client) ResumeWebhook(ctx context.Context, id string) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, webhooksPath+"/"+url.PathEscape(id)+"/resume", "", nil)
	return err
}

// PingWebhook sends a test call.
func (c *Client) PingWebhook(ctx context.Context, id string) error {
	_, err := call[struct{ Delivery string }](ctx, c, http.MethodPost, webhooksPath+"/"+url.PathEscape(id)+"/ping", "", nil)
	return err
}

// Deliveries are the calls of a webhook in thirty days, the newest first.
func (c *Client) Deliveries(ctx context.Context, webhook string) ([]api.WebhookDelivery, error) {
	list, err := call[struct{ Deliveries []api.WebhookDelivery }](ctx, c, http.MethodGet, webhooksPath+"/"+url.PathEscape(webhook)+"/deliveries?limit=200", "", nil)
	return list.Deliveries, err
}

// Redeliver sends a call again.
func (c *Client) Redeliver(ctx context.Context, webhook, delivery string) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, webhooksPath+"/"+url.PathEscape(webhook)+"/deliveries/"+url.PathEscape(delivery)+"/redeliver", "", nil)
	return err
}

// Event is what a call tells.
type Event struct {
	ID      string            `json:"id"` // of the delivery
	Kind    string            `json:"kind"`
	Time    time.Time         `json:"time"`
	Subject string            `json:"subject"` // identifier of what it is about
	Data    map[string]string `json:"data"`
}

// Receiver takes the calls of a webhook.
type Receiver struct {
	Secret string
	Clock  func() time.Time
	// First says whether a delivery was never seen before, and remembers it for ten minutes at least: in a store that
	// outlives the process and that all processes share.
	First func(ctx context.Context, delivery string) (bool, error)
}

const maxCall = 1 << 20

// Event reads a call and believes it only if it was signed under the secret, is not older than five minutes, and was not
// received before. Errors: webhook.signature, webhook.time, webhook.replayed (answer these with 2xx: it was acted on), server.unexpected-answer.
func (r Receiver) Event(q *http.Request) (e Event, err error) {
	body, err := io.ReadAll(io.LimitReader(q.Body, maxCall+1))
	if err != nil {
		return e, err
	}
	if len(body) > maxCall {
		return e, ErrAnswer.With("> %d", maxCall)
	}
	delivery, err := webhook.Check(r.Secret, q.Header, body, r.Clock())
	if err != nil {
		return e, err
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&e); err != nil || e.ID != delivery {
		return Event{}, ErrAnswer.Because(err)
	}
	first, err := r.First(q.Context(), delivery)
	if err != nil {
		return Event{}, err
	}
	if !first {
		return Event{}, ErrReplayed.With("%s", delivery)
	}
	return e, nil
}
