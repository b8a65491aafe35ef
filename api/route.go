package api

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"yinxin/api/web"
	"yinxin/internal/access"
)

// caller is who may call a route. The zero value is nobody, so that a route without a rule is closed.
type caller struct {
	anyone    bool
	terminal  bool           // a paired terminal, by its signature
	everybody bool           // whoever signed in
	page      *web.SiteRoute // a page, for a session instead of a key
	roles     []access.Role  // any one of them
	scope     string         // the part of the API, for keys that are narrowed
	sandbox   bool           // sandbox keys, too
}

// admits says whether somebody who is known may call.
func (c caller) admits(a access.Actor) bool {
	return c.everybody || slices.ContainsFunc(c.roles, a.Has)
}

// anyone needs no account.
func anyone() caller { return caller{anyone: true} }

// sealUsers are those who may hold a grant to use a seal. Which seal is for the register to say.
func sealUsers() caller {
	return caller{roles: []access.Role{access.RolePlatform, access.RoleOperator}}
}

// sealTesters are sealUsers, with sandbox keys, too: what they do leaves nothing behind but documents marked 测试.
func sealTesters() caller {
	who := sealUsers()
	who.sandbox = true
	return who
}

// rule is what a route declared.
type rule struct {
	method, path string
	who          caller
}

// callerKey is where an operation of huma carries its caller.
const (
	callerKey = "caller"
	bodyKey   = "body" // and how large a body may be
)

// handle registers a route: the one door to the router.
func (s *server) handle(method, path string, who caller, h http.HandlerFunc) {
	s.rules = append(s.rules, rule{method, path, who})
	s.router.Method(method, path, s.admit(who, h))
}

// stream registers a route that handles its own bodies, and describes it in the OpenAPI document.
func (s *server) stream(op huma.Operation, who caller, h http.HandlerFunc) {
	who.scope = scopeOf(op)
	s.declare(&op, who)
	s.huma.OpenAPI().AddOperation(&op)
	s.handle(op.Method, op.Path, who, h)
}

// operate registers a JSON operation. Whatever error the handler gives becomes a problem.
func operate[I, O any](s *server, op huma.Operation, who caller, h func(context.Context, *I) (*O, error)) {
	who.scope = scopeOf(op)
	s.declare(&op, who)
	most := cmp.Or(op.MaxBodyBytes, maxJSON)
	op.MaxBodyBytes = 2 * most // adapter.Handle has enforced it by then
	op.BodyReadTimeout = -1    // and the pace
	op.Metadata = map[string]any{callerKey: who, bodyKey: most}
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
	s.declareInput(op.Path, op.Method)
}

// scopes say to which part of the API an operation belongs, by its first tag. One without is reached by no narrowed key.
var scopes = map[string]string{"sealing": access.ScopeSealing, "terminals": access.ScopeTerminals, tagRemote: access.ScopeIssuances, "webhooks": access.ScopeWebhooks,
	"ledger": access.ScopeLedger, tagCertificates: access.ScopeCertificates, "approvals": access.ScopeRegistration,
	tagApplications: access.ScopeRegistration, tagIssuing: access.ScopeRegistration, tagRegistration: access.ScopeRegistration, "service": access.ScopeService}

func scopeOf(op huma.Operation) string {
	if len(op.Tags) == 0 {
		return ""
	}
	return scopes[op.Tags[0]]
}

// maxJSON is the largest JSON body in bytes, if an operation does not say another.
const maxJSON int64 = 64 << 10

// adapter lets huma register its operations through handle.
type adapter struct{ s *server }

func (a adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	who, _ := op.Metadata[callerKey].(caller)
	most, _ := op.Metadata[bodyKey].(int64)
	a.s.handle(op.Method, op.Path, who, func(w http.ResponseWriter, r *http.Request) {
		// Read here and not by huma, which answers 500 when a caller goes away in the middle.
		body, err := io.ReadAll(&limited{r.Body, most, most})
		if err != nil {
			a.s.fail(w, r, broken(err))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !who.anyone {
			w.Header().Set("Cache-Control", "no-store")
		}
		handler(humachi.NewContext(op, r, w))
	})
}

func (a adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.s.router.ServeHTTP(w, r) }

// admit lets those through who may call.
func (s *server) admit(who caller, h http.HandlerFunc) http.HandlerFunc {
	switch {
	case who.page != nil:
		return s.admitPage(who)
	case who.anyone:
		return h
	case who.terminal:
		return s.admitTerminal(h)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		actor, err := s.authenticate(r)
		switch {
		case err != nil:
		case !who.admits(actor):
			err = errClosed.New()
		case actor.Sandbox && !who.sandbox:
			err = access.ErrKeySandbox.New()
		case !actor.Reaches(who.scope):
			err = access.ErrKeyScope.With("%s", who.scope)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		factsOf(r.Context()).actor = actor.ID
		if s.tooManyOf(w, r, actor) {
			return
		}
		h(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, actor)))
	}
}

func (s *server) authenticate(r *http.Request) (access.Actor, error) {
	field := r.Header.Get("Authorization")
	if field == "" {
		return s.actorOfSession(r)
	}
	scheme, secret, _ := strings.Cut(field, " ")
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return access.Actor{}, errKeyMissing.New()
	}
	ctx := r.Context()
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		ctx = access.WithClientCertificate(ctx, r.TLS.PeerCertificates[0].Raw)
	}
	return s.Access.Authenticate(ctx, strings.TrimSpace(secret))
}

type actorKey struct{}

// actorOf is who is asking, in the handlers of routes that are not for anyone.
func actorOf(ctx context.Context) access.Actor {
	a, _ := ctx.Value(actorKey{}).(access.Actor)
	return a
}

func (s *server) noRoute(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errNoRoute.New()) }

func (s *server) noMethod(w http.ResponseWriter, r *http.Request) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
		asked := method
		if method == http.MethodHead {
			asked = http.MethodGet // answered by the same route
		}
		if s.router.Match(chi.NewRouteContext(), asked, r.URL.Path) {
			w.Header().Add("Allow", method)
		}
	}
	s.fail(w, r, errMethod.New())
}
