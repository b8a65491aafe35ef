package home

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"yinxin/api/web"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/login"
	"yinxin/internal/login/oidc"
)

// The cookie of a login that is under way at a provider, and how long it may take: package oidc looks, too.
const (
	flowCookie = "yinxin-oidc"
	flowTime   = 10 * time.Minute
)

// leaveFor sends the browser to an identity provider.
func (p pages) leaveFor(q *web.Request) error {
	next := web.Inside(q.URL.Query().Get("next"), "/home")
	target, secret, err := p.OIDC.Begin(q.Context(), q.PathValue("provider"), access.NetworkOf(q.Context()), next)
	if err != nil {
		return p.entryAgain(q, next, err)
	}
	q.Hold(flowCookie, secret, flowTime)
	http.Redirect(q.W, q.Request, target, http.StatusSeeOther)
	return nil
}

// comeBack signs in whom the provider has sent back.
func (p pages) comeBack(q *web.Request) error {
	answer, ctx := q.URL.Query(), q.Context()
	secret := q.Held(flowCookie)
	q.Hold(flowCookie, "", 0)
	who, next, err := p.OIDC.Finish(ctx, q.PathValue("provider"), access.NetworkOf(ctx), secret,
		oidc.Answer{Code: answer.Get("code"), State: answer.Get("state"), Issuer: answer.Get("iss"), Error: answer.Get("error")})
	next = web.Inside(next, "/home")
	if err != nil {
		return p.entryAgain(q, next, err)
	}
	session, token, err := p.Login.ByOIDC(ctx, who, q.Origin())
	if err != nil {
		return p.entryAgain(q, next, err)
	}
	return p.enter(q, session, token, next)
}

// entryAgain shows the login page with what went wrong elsewhere. Its links lead to the login page, not to the address
// that the provider sent the browser to.
func (p pages) entryAgain(q *web.Request, next string, err error) error {
	q.URL = &url.URL{Path: "/login", RawQuery: url.Values{"next": {next}}.Encode()}
	if _, known := fault.Of(err); !known {
		return err
	}
	return p.show(q, entry{Next: next}, err)
}

// way is an identity provider on the login page.
type way struct {
	Label web.Text
	Path  string
}

func (p pages) ways(q *web.Request, next string) (all []way) {
	for _, o := range p.OIDC.Offered(access.NetworkOf(q.Context())) {
		all = append(all, way{Label: web.Text{ZH: o.ZH, EN: o.EN}, Path: oidc.Path(o.Name) + "?" + url.Values{"next": {next}}.Encode()})
	}
	return all
}

// afterLogout is where signing out leads: for who came from a provider to a page that offers to sign out there as well.
func afterLogout(method string) string {
	if name, ok := strings.CutPrefix(method, login.MethodOIDC); ok {
		return "/login?" + url.Values{"from": {name}}.Encode()
	}
	return "/login"
}

// there is where somebody who has signed out here may do so at the provider they came from; nil: nowhere.
func (p pages) there(q *web.Request) *way {
	name := q.URL.Query().Get("from")
	o, err := p.OIDC.Offer(name)
	target := p.OIDC.Leave(name)
	if err != nil || target == "" || q.Actor.ID != "" {
		return nil
	}
	return &way{Label: web.Text{ZH: o.ZH, EN: o.EN}, Path: target}
}

// linked is an account at a provider by which one signs in.
type linked struct {
	login.Link
	Label web.Text
}

func (p pages) links(q *web.Request) (all []linked, err error) {
	list, err := p.Login.Links(q.Context(), q.Actor, q.Actor.ID)
	for _, l := range list {
		all = append(all, linked{Link: l, Label: web.Provider(p.OIDC, l.Outside)})
	}
	return all, err
}
