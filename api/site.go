package api

import (
	"context"
	"net/http"

	"yinxin/api/web"
	"yinxin/api/web/admin"
	"yinxin/api/web/audit"
	"yinxin/api/web/clerk"
	"yinxin/api/web/copies"
	"yinxin/api/web/desk"
	"yinxin/api/web/home"
	"yinxin/api/web/officer"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/jobs"
	"yinxin/internal/login"
	"yinxin/sealer"
	"yinxin/sealer/verify"
	"yinxin/sealer/view"
)

// areas are the pages for people who sign in.
func (s *server) areas() []web.Area {
	var all []web.Area
	// Each area is built here, where the rooms that it needs are there.
	seals := clerk.Config{Sealer: s.Sealer, Register: s.Register, Terminals: s.Terminals, Batches: s.Batches, Clock: s.Clock, MaxUpload: s.MaxUpload,
		Ledger: s.Ledger, Verdict: s.verdictOf, Agents: s.Agents, Stopping: s.stopping(), Count: s.countSeal}
	if s.Issuance != nil {
		seals.Bind = s.Issuance.Bind
	}
	all = append(all, clerk.Area(seals))
	if s.Registration != nil {
		all = append(all, officer.Area(officer.Config{Desk: s.Registration, Access: s.Access, Authority: s.Authority, Authorities: s.Authorities, Register: s.Register,
			Receive: s.received, Time: s.VerifyTime}))
	}
	administration := admin.Config{Access: s.Access, Login: s.Login, OIDC: s.OIDC, Register: s.Register, Authority: s.Authority, Retrust: s.Retrust, Receive: s.received,
		Terminals: s.Terminals, Listeners: s.Listeners}
	if s.Jobs != nil {
		administration.Jobs = &jobs.Desk{Jobs: s.Jobs, Access: s.Access, Ledger: s.Ledger}
	}
	all = append(all, admin.Area(administration))
	if s.Ledger.Public() != nil {
		auditor := audit.Config{Sealer: s.Sealer, Register: s.Register, Access: s.Access, Ledger: s.Ledger}
		if s.Authority != nil {
			auditor.Restores = s.Authority.Restores
		}
		all = append(all, audit.Area(auditor))
	}
	if s.Issuance != nil {
		all = append(all, desk.Area(desk.Config{Issuance: s.Issuance, Register: s.Register, Draw: s.Sealer.Draw, Clock: s.Clock, StepTime: s.VerifyTime, Count: s.countSeal}))
		all = append(all, copies.Area(copies.Config{Issuance: s.Issuance, Draw: s.drawn, Telephone: s.telephone()}))
	}
	var keys home.Keys
	if s.Terminals != nil && s.Terminals.Logins != nil {
		keys = s.Terminals
	}
	return append(all, home.Area(home.Config{Login: s.Login, OIDC: s.OIDC, Keys: keys, Terminals: s.Terminals, Agents: s.Agents, Tiles: func(ctx context.Context, actor access.Actor) ([]web.Tile, error) {
		var tiles []web.Tile
		for _, a := range all {
			if a.Tiles == nil {
				continue
			}
			some, err := a.Tiles(ctx, actor)
			if err != nil {
				return nil, err
			}
			tiles = append(tiles, some...)
		}
		return tiles, nil
	}}))
}

// drawn draws a page for somebody without an account, among those for whom pages are compared.
func (s *server) drawn(ctx context.Context, d sealer.Document, number int, dpi float64) (*view.Picture, error) {
	leave, err := s.await(ctx, s.comparing)
	if err != nil {
		return nil, err
	}
	defer leave()
	return s.Sealer.Draw(ctx, d, number, dpi)
}

// signedIn serves the pages for people who sign in.
func (s *server) signedIn() error {
	site, err := web.NewSite(web.SiteConfig{Login: s.Login, Clock: s.Clock, Log: s.Log, Secure: s.Secure, Language: languageOf,
		Problem: func(r *http.Request, err error, language string) (int, string, string, string) {
			p := s.problem(r.Context(), err)
			return p.Status, p.Code, sentenceOf(p, language), p.RequestID
		}}, s.areas()...)
	if err != nil {
		return err
	}
	s.site = site
	for _, a := range site.Assets() {
		s.handle(http.MethodGet, a.Path, anyone(), func(w http.ResponseWriter, r *http.Request) { s.give(w, r, a.Type, a.Body) })
	}
	for _, route := range site.Routes() {
		s.handle(route.Method, route.Path, caller{page: &route, anyone: route.Anyone, everybody: route.Everybody, roles: route.Roles}, nil)
	}
	return nil
}

// admitPage lets those through to a page who may see it; who is not signed in is led to the login.
func (s *server) admitPage(who caller) http.HandlerFunc {
	admitted := func(w http.ResponseWriter, r *http.Request) {
		in, err := s.session(r)
		switch {
		case err != nil && who.anyone && fault.Has(err, login.ErrNoSession):
			err = nil
		case err != nil:
		case in.MustChange && !who.page.Unchanged && !who.anyone:
			http.Redirect(w, r, "/account/password", http.StatusSeeOther)
			return
		case !who.anyone && !who.admits(in.Actor):
			err = errClosed.New()
		}
		factsOf(r.Context()).actor = in.Actor.ID
		if err != nil {
			who.page.Refuse(w, r, in, err)
			return
		}
		who.page.Serve(w, r, in)
	}
	if !who.page.Limited {
		return admitted
	}
	return saying(func(w http.ResponseWriter, r *http.Request, err error) { who.page.Refuse(w, r, login.Session{}, err) }, s.stranger(s.limits.codes, admitted))
}

// session is who is signed in in the browser that asks.
func (s *server) session(r *http.Request) (login.Session, error) {
	if s.site == nil {
		return login.Session{}, login.ErrNoSession.New()
	}
	return s.Login.Session(r.Context(), s.site.Token(r))
}

// actorOfSession lets the scripts of the pages call the API.
func (s *server) actorOfSession(r *http.Request) (access.Actor, error) {
	in, err := s.session(r)
	if fault.Has(err, login.ErrNoSession) {
		return access.Actor{}, errKeyMissing.New()
	}
	if err == nil && in.MustChange {
		err = errClosed.New()
	}
	return in.Actor, err
}

// sameOrigin refuses what the page of another site has a browser send. Requests with a key of their own are not sent by
// a browser on its own; one with a cookie may be, whatever else is in its header: the name and password of an address, too.
func (s *server) sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" || r.Header.Get("Cookie") != "" {
			if err := protection.Check(r); err != nil {
				s.fail(w, r, errCrossOrigin.Because(err))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

var errCrossOrigin = fault.Spec{Kind: fault.Denied, Code: "request.cross-origin",
	ZH: "请求来自其他网站的页面，已拒绝。", EN: "The request was sent by a page of another site and is refused."}

// telephone looks up where anyone may ask at an archive; nil where units are not recorded here.
func (s *server) telephone() func(ctx context.Context, archive string) (string, error) {
	if s.Registration == nil {
		return nil
	}
	return s.Registration.Enroll.Telephone
}

// contact is where anyone may ask about a seal of the register.
func (s *server) contact(ctx context.Context, code string) (verify.Contact, error) {
	unit, err := s.Register.Organisation(ctx, code)
	if err != nil || s.Registration == nil {
		return verify.Contact{}, err
	}
	number, err := s.Registration.Enroll.Telephone(ctx, unit)
	return verify.Contact{Unit: unit, Telephone: number}, err
}

// stopping is closed when the service is about to stop.
func (s *server) stopping() <-chan struct{} {
	if s.Stopping == nil {
		return nil
	}
	return s.Stopping.Done()
}
