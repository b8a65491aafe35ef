package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/internal/access"
	"yinxin/internal/release"
	"yinxin/sealer/terminal"
	"yinxin/sealer/terminal/manifest"
)

// PairingCode is shown to the person, who types it at the terminal.
type PairingCode struct {
	Code    string    `json:"code" doc:"20 characters in groups of four. Whoever has it can pair a terminal with the caller, once, until it expires." example:"7K2M-XXXX-XXXX-XXXX-XXXX"`
	Expires time.Time `json:"expires"`
}

// PairedTerminal is a terminal of a person.
type PairedTerminal struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	Clerk    string      `json:"clerk" doc:"Identifier of the person whose it is: it seals for an operator, and signs anybody in."`
	Paired   time.Time   `json:"paired"`
	LastSeen time.Time   `json:"last_seen,omitzero" doc:"To the minute; absent: never."`
	Agent    PairedAgent `json:"agent"`
	Ended    time.Time   `json:"ended,omitzero" doc:"Absent: it is in use."`
	EndedBy  string      `json:"ended_by,omitempty" doc:"Identifier of who ended it."`
	Reason   string      `json:"reason,omitempty" doc:"Why it was ended."`
}

// PairedAgent is what the agent at a terminal said it is.
type PairedAgent struct {
	Version  string           `json:"version,omitempty" doc:"As the agent said when it was last seen, or as it was paired; absent: not known." example:"v1.2.0"`
	Platform string           `json:"platform,omitempty" example:"windows/amd64"`
	State    release.Standing `json:"state" enum:"ok,outdated,unknown" doc:"Against minimum_agent of the installation: outdated is older, unknown says no version that can be compared. An agent of any state goes on working."`
}

// PairedTerminalOf describes a terminal.
func PairedTerminalOf(t terminal.Terminal) PairedTerminal {
	out := PairedTerminal{ID: t.ID, Name: t.Name, Clerk: t.Clerk.ID, Paired: t.Paired.UTC(), EndedBy: t.EndedBy, Reason: t.Reason,
		Agent: PairedAgent{Version: t.Agent.Version, Platform: t.Agent.Platform, State: t.Standing}}
	if !t.LastSeen.IsZero() {
		out.LastSeen = t.LastSeen.UTC()
	}
	if !t.Ended.IsZero() {
		out.Ended = t.Ended.UTC()
	}
	return out
}

const terminalsPath = "/v1/terminals"

// terminals are the routes of people for their terminals.
func (s *server) terminals() {
	// Of people, whatever they do here; terminal.person says so once more.
	owners := caller{roles: []access.Role{access.RoleOperator, access.RoleAdministrator, access.RoleRegistrar, access.RoleApprover, access.RoleAuditor,
		access.RoleApplicant, access.RoleCity}}
	type code struct{ Body PairingCode }
	operate(s, huma.Operation{OperationID: "open-pairing", Method: http.MethodPost, Path: terminalsPath + "/pairings", Tags: []string{"terminals"},
		Summary:       "Get a code to pair a terminal with",
		Description:   "For the caller. It is good for five minutes, once, and ends the one before; five wrong tries end it, too.",
		DefaultStatus: http.StatusCreated, Responses: s.answers(401, 403, 409, 503)},
		owners, func(ctx context.Context, _ *struct{}) (*code, error) {
			c, expires, err := s.Terminals.OpenPairing(ctx, actorOf(ctx))
			return &code{PairingCode{c.Text(), expires.UTC()}}, err
		})
	type listed struct {
		Body struct {
			Terminals []PairedTerminal `json:"terminals"`
		}
	}
	operate(s, huma.Operation{OperationID: "list-terminals", Method: http.MethodGet, Path: terminalsPath, Tags: []string{"terminals"},
		Summary: "List one's terminals", Description: "The newest first; an administrator sees those of all people. Ended ones stay for 30 days.", Responses: s.answers(401, 403)},
		owners, func(ctx context.Context, _ *struct{}) (*listed, error) {
			list, err := s.Terminals.Terminals(ctx, actorOf(ctx))
			out := &listed{}
			out.Body.Terminals = make([]PairedTerminal, 0, len(list))
			for _, t := range list {
				out.Body.Terminals = append(out.Body.Terminals, PairedTerminalOf(t))
			}
			return out, err
		})
	type ended struct {
		Named
		Reason string `query:"reason" maxLength:"200" doc:"Why: of another's terminal it is needed. Without identity or mobile numbers." example:"电脑遗失"`
	}
	operate(s, huma.Operation{OperationID: "end-terminal", Method: http.MethodDelete, Path: terminalsPath + "/{id}", Tags: []string{"terminals"},
		Summary: "End a pairing", Description: "At once. What the terminal had claimed is free for others. An administrator ends those of others, too, and says why; the reason is on record.", DefaultStatus: http.StatusNoContent, Responses: s.answers(400, 401, 403, 404, 422)},
		owners, func(ctx context.Context, in *ended) (*struct{}, error) {
			return nil, s.Terminals.End(ctx, actorOf(ctx), in.ID, in.Reason)
		})
}

// aTerminal is the caller of routes that only a paired terminal may call, with requests that it signs.
func aTerminal() caller { return caller{terminal: true} }

type terminalKey struct{}

// terminalOf is which terminal is asking, in the handlers of routes for terminals.
func terminalOf(ctx context.Context) terminal.Terminal {
	t, _ := ctx.Value(terminalKey{}).(terminal.Terminal)
	return t
}

// admitTerminal lets those through whose request a paired terminal has signed, with its body, which is read here.
func (s *server) admitTerminal(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(&limited{r.Body, maxJSON, maxJSON})
		if err != nil {
			s.fail(w, r, broken(err))
			return
		}
		t, err := s.Terminals.Authenticate(r.Context(), terminal.Request{Authorisation: r.Header.Get("Authorization"), Method: r.Method, Target: r.URL.RequestURI(),
			Body: body, UserAgent: r.UserAgent()})
		if err != nil {
			s.fail(w, r, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		factsOf(r.Context()).actor = t.Clerk.ID
		ctx := context.WithValue(context.WithValue(r.Context(), actorKey{}, t.Clerk), terminalKey{}, t)
		h(w, r.WithContext(ctx))
	}
}

// pairing is the route by which a terminal is paired: it needs no account, so an address has few tries.
func (s *server) pairing() {
	s.stream(huma.Operation{OperationID: "pair-terminal", Method: http.MethodPost, Path: manifest.RoutePair, Tags: []string{"terminals"},
		Summary:     "Pair a terminal",
		Description: "By the terminal itself, with the code that its person was shown (docs/terminal.md). Both messages carry a MAC under a key that is derived from the code.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(manifest.PairingRequest{})}}},
		Responses: with(s.answers(400, 403, 408, 409, 413, 415, 429), http.StatusOK, &huma.Response{Description: "Paired",
			Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(manifest.PairingAnswer{})}}})},
		anyone(), s.limit(s.limits.pair, func(w http.ResponseWriter, r *http.Request) {
			var request manifest.PairingRequest
			err := readJSON(r, &request)
			var answer manifest.PairingAnswer
			if err == nil {
				answer, err = s.Terminals.Pair(r.Context(), request, r.UserAgent())
			}
			if err != nil {
				s.fail(w, r, err)
				return
			}
			w.Header().Set("Cache-Control", "no-store")
			s.giveJSON(w, r, http.StatusOK, answer)
		}))
}
