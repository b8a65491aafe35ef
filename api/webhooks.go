package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/internal/access"
	"yinxin/internal/webhook"
)

// Webhook is an address where the caller's program is told of what happens.
type Webhook struct {
	ID       string    `json:"id"`
	URL      string    `json:"url"`
	Kinds    []string  `json:"kinds"`
	State    string    `json:"state" enum:"active,suspended" doc:"Suspended after twenty calls in a row that did not arrive."`
	Failures int       `json:"failures" doc:"Calls given up since the last that arrived."`
	Created  time.Time `json:"created"`
	Secret   string    `json:"secret,omitempty" doc:"Under which calls are signed. It is given once, when the webhook is made."`
}

// WebhookDelivery is a call as it is on record, for thirty days.
type WebhookDelivery struct {
	ID       string    `json:"id" doc:"As in Yinxin-Delivery."`
	Kind     string    `json:"kind"`
	Subject  string    `json:"subject" doc:"Identifier of what it is about."`
	State    string    `json:"state" enum:"waiting,delivered,failed"`
	Tries    int       `json:"tries"`
	Answer   string    `json:"answer,omitempty" doc:"Of the last try: an HTTP status, or the code of why there was none."`
	Created  time.Time `json:"created"`
	Finished time.Time `json:"finished,omitzero"`
}

func webhookOf(e webhook.Endpoint) Webhook {
	return Webhook{ID: e.ID, URL: e.URL, Kinds: e.Kinds, State: e.State, Failures: e.Failures, Created: e.Created.UTC()}
}

const webhookPath = "/v1/webhooks"

func (s *server) webhooks() {
	type made struct{ Body Webhook }
	type wanted struct {
		Body struct {
			URL   string   `json:"url" format:"uri" maxLength:"2000" doc:"An https address. Redirects are not followed." example:"https://platform.example/yinxin"`
			Kinds []string `json:"kinds" minItems:"1" maxItems:"20" enum:"sealing.released,batch.done,key-task.done,issuance.requested,issuance.answered,issuance.issued,issuance.refused,issuance.received,issuance.delivered,issuance.cancelled,issuance.withdrawn,issuance.overdue" doc:"What to tell of."`
		}
	}
	operate(s, huma.Operation{OperationID: "add-webhook", Method: http.MethodPost, Path: webhookPath, Tags: []string{"webhooks"},
		Summary: "Be told of what happens",
		Description: "Calls are POSTs with a JSON body, signed with HMAC-SM3: Yinxin-Signature is v1= and the hex of HMAC-SM3(secret, Yinxin-Delivery “.” Yinxin-Timestamp “.” body). " +
			"Refuse a time more than five minutes off, and a delivery that you have seen. What does not arrive is tried again for about six hours.",
		DefaultStatus: http.StatusCreated, Responses: s.answers(400, 401, 403, 408, 409, 413, 415, 422)},
		sealUsers(), func(ctx context.Context, in *wanted) (*made, error) {
			e, secret, err := s.Webhooks.Add(ctx, actorOf(ctx), in.Body.URL, in.Body.Kinds)
			out := webhookOf(e)
			out.Secret = secret
			return &made{out}, err
		})
	type listed struct {
		Body struct {
			Webhooks []Webhook `json:"webhooks"`
		}
	}
	operate(s, huma.Operation{OperationID: "list-webhooks", Method: http.MethodGet, Path: webhookPath, Tags: []string{"webhooks"},
		Summary: "List one's webhooks", Responses: s.answers(401, 403)},
		sealUsers(), func(ctx context.Context, _ *struct{}) (*listed, error) {
			list, err := s.Webhooks.List(ctx, actorOf(ctx))
			out := &listed{}
			out.Body.Webhooks = make([]Webhook, 0, len(list))
			for _, e := range list {
				out.Body.Webhooks = append(out.Body.Webhooks, webhookOf(e))
			}
			return out, err
		})
	done(s, huma.Operation{OperationID: "remove-webhook", Method: http.MethodDelete, Path: webhookPath + "/{id}", Tags: []string{"webhooks"},
		Summary: "Be told no more", Responses: s.reading()}, sealUsers(),
		func(ctx context.Context, by access.Actor, in *Named) error { return s.Webhooks.Remove(ctx, by, in.ID) })
	done(s, huma.Operation{OperationID: "resume-webhook", Method: http.MethodPost, Path: webhookPath + "/{id}/resume", Tags: []string{"webhooks"},
		Summary: "Be told again", Description: "Of what happens from now on.", Responses: s.reading()}, sealUsers(),
		func(ctx context.Context, by access.Actor, in *Named) error { return s.Webhooks.Resume(ctx, by, in.ID) })
	s.webhookDeliveries()
}

func (s *server) webhookDeliveries() {
	type pinged struct {
		Body struct {
			Delivery string `json:"delivery"`
		}
	}
	operate(s, huma.Operation{OperationID: "ping-webhook", Method: http.MethodPost, Path: webhookPath + "/{id}/ping", Tags: []string{"webhooks"},
		Summary: "Send a call to see whether it arrives", DefaultStatus: http.StatusAccepted, Responses: s.reading()},
		sealUsers(), func(ctx context.Context, in *Named) (*pinged, error) {
			out := &pinged{}
			var err error
			out.Body.Delivery, err = s.Webhooks.Ping(ctx, actorOf(ctx), in.ID)
			return out, err
		})
	type some struct {
		Named
		Limit int `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	type listed struct {
		Body struct {
			Deliveries []WebhookDelivery `json:"deliveries"`
		}
	}
	operate(s, huma.Operation{OperationID: "webhook-deliveries", Method: http.MethodGet, Path: webhookPath + "/{id}/deliveries", Tags: []string{"webhooks"},
		Summary: "What was sent", Description: "The newest first, those of thirty days.", Responses: s.reading()},
		sealUsers(), func(ctx context.Context, in *some) (*listed, error) {
			list, err := s.Webhooks.Deliveries(ctx, actorOf(ctx), in.ID, in.Limit)
			out := &listed{}
			out.Body.Deliveries = make([]WebhookDelivery, 0, len(list))
			for _, d := range list {
				w := WebhookDelivery{ID: d.ID, Kind: d.Kind, Subject: d.Subject, State: d.State, Tries: d.Tries, Answer: d.Answer, Created: d.Created.UTC()}
				if !d.Finished.IsZero() {
					w.Finished = d.Finished.UTC()
				}
				out.Body.Deliveries = append(out.Body.Deliveries, w)
			}
			return out, err
		})
	type which struct {
		Named
		Delivery string `path:"delivery" maxLength:"64"`
	}
	done(s, huma.Operation{OperationID: "redeliver", Method: http.MethodPost, Path: webhookPath + "/{id}/deliveries/{delivery}/redeliver", Tags: []string{"webhooks"},
		Summary: "Send a call again", Responses: s.reading()}, sealUsers(),
		func(ctx context.Context, by access.Actor, in *which) error {
			return s.Webhooks.Redeliver(ctx, by, in.ID, in.Delivery)
		})
}
