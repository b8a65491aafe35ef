package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/internal/access"
)

// APIKey is a key of a person or program, without its secret.
type APIKey struct {
	ID       string    `json:"id"`
	Actor    string    `json:"actor"`
	Label    string    `json:"label"`
	Scopes   []string  `json:"scopes" doc:"The parts of the API that it reaches; empty: all that its owner may call."`
	Seals    []string  `json:"seals" doc:"Codes of the seals that it may use; empty: all that its owner was granted."`
	Networks []string  `json:"networks" doc:"The labels of the listeners on which it counts; empty: on all."`
	Sandbox  bool      `json:"sandbox" doc:"Seals for trial alone."`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires,omitzero"`
	Bound    string    `json:"certificate,omitempty" doc:"SM3 of the client certificate with which alone it counts."`
	Used     time.Time `json:"last_used,omitzero" doc:"To the hour."`
	Revoked  bool      `json:"revoked"`
}

// MadeKey is a key with its secret, which is given this once.
type MadeKey struct {
	Secret string `json:"secret" doc:"For the header field Authorization: Bearer …"`
}

// NewKey asks for a key.
type NewKey struct {
	Label    string    `json:"label" minLength:"1" maxLength:"200" doc:"What it is for."`
	Scopes   []string  `json:"scopes,omitempty" maxItems:"20" doc:"Only these parts of the API: sealing, terminals, issuances, webhooks, ledger, certificates, registration, service."`
	Seals    []string  `json:"seals,omitempty" maxItems:"100" doc:"Only these seals, by their codes."`
	Networks []string  `json:"networks,omitempty" maxItems:"2" doc:"Only over listeners with these labels: government-network (政务外网), internet (互联网)."`
	Sandbox  bool      `json:"sandbox,omitempty" doc:"It seals for trial alone: every page and the reason of the signature say 测试, and nothing counts against a grant."`
	Expires  time.Time `json:"expires,omitzero" doc:"When it ends by itself."`
	Bound    string    `json:"certificate,omitempty" maxLength:"64" doc:"SM3 of the DER of a client certificate, in hex: the key counts only over a connection with it (mTLS)."`
}

func apiKeyOf(k access.APIKey) APIKey {
	return APIKey{ID: k.ID, Actor: k.Actor, Label: k.Label, Scopes: append([]string{}, k.Scopes...), Seals: append([]string{}, k.Seals...), Networks: append([]string{}, k.Networks...), Sandbox: k.Sandbox, Created: k.Created.UTC(),
		Expires: k.Expires.UTC(), Used: k.Used.UTC(), Bound: k.Certificate, Revoked: k.Revoked}
}

// apiKeys lets administrators make, list and end keys. A key that is narrowed itself reaches this only with the scope service.
func (s *server) apiKeys() {
	administrators := caller{roles: []access.Role{access.RoleAdministrator}}
	const path = "/v1/actors/{actor}/keys"
	type of struct {
		Actor string `path:"actor" maxLength:"64" doc:"Whose keys."`
	}
	type listed struct {
		Body struct {
			Keys []APIKey `json:"keys"`
		}
	}
	operate(s, huma.Operation{OperationID: "list-api-keys", Method: http.MethodGet, Path: path, Tags: []string{"service"}, Summary: "List the API keys of an actor",
		Responses: s.answers(401, 403, 404)}, caller{roles: []access.Role{access.RoleAdministrator, access.RoleAuditor}},
		func(ctx context.Context, in *of) (*listed, error) {
			if _, err := s.Access.Actor(ctx, in.Actor); err != nil {
				return nil, err
			}
			keys, err := s.Access.Keys(ctx, in.Actor)
			if err != nil {
				return nil, err
			}
			out := &listed{}
			out.Body.Keys = make([]APIKey, 0, len(keys))
			for _, k := range keys {
				out.Body.Keys = append(out.Body.Keys, apiKeyOf(k))
			}
			return out, nil
		})
	type wanted struct {
		Actor string `path:"actor" maxLength:"64" doc:"Whose key it is to be."`
		Body  NewKey
	}
	type made struct{ Body MadeKey }
	operate(s, huma.Operation{OperationID: "make-api-key", Method: http.MethodPost, Path: path, Tags: []string{"service"}, Summary: "Make an API key",
		Description:   "The secret is given this once. Whoever has it acts as the actor, within the limits of the key.",
		DefaultStatus: http.StatusCreated, Responses: s.answers(400, 401, 403, 404, 408, 413, 415, 422)}, administrators,
		func(ctx context.Context, in *wanted) (*made, error) {
			secret, err := s.Access.MakeKey(ctx, actorOf(ctx), in.Actor, access.KeyTerms{Label: in.Body.Label,
				Only: access.Only{Scopes: in.Body.Scopes, Seals: in.Body.Seals, Networks: in.Body.Networks, Sandbox: in.Body.Sandbox}, Expires: in.Body.Expires, Certificate: in.Body.Bound})
			return &made{MadeKey{secret}}, err
		})
	type ended struct {
		Actor string `path:"actor" maxLength:"64" doc:"Whose key it is."`
		Key   string `path:"key" maxLength:"64" doc:"Identifier of the key."`
	}
	operate(s, huma.Operation{OperationID: "end-api-key", Method: http.MethodDelete, Path: path + "/{key}", Tags: []string{"service"}, Summary: "End an API key at once",
		DefaultStatus: http.StatusNoContent, Responses: s.answers(401, 403, 404)}, administrators,
		func(ctx context.Context, in *ended) (*struct{}, error) {
			keys, err := s.Access.Keys(ctx, in.Actor)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(keys, func(k access.APIKey) bool { return k.ID == in.Key }) {
				return nil, access.ErrKeyNotFound.New()
			}
			return nil, s.Access.RevokeKey(ctx, actorOf(ctx).ID, in.Key)
		})
}
