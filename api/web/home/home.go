// Package home is the way in for people: signing in and out, the start page with what waits, and one's own account.
package home

import (
	"context"
	"embed"
	"net/http"

	"yinxin/api/web"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/login"
	"yinxin/internal/login/oidc"
	"yinxin/sealer/terminal"
)

//go:embed all:templates assets
var files embed.FS

// Config is what these pages work with.
type Config struct {
	Login *login.Service
	// OIDC are the identity providers at which people may sign in. Nil: there are none.
	OIDC *oidc.Providers
	// Keys lets people sign in by USB Key; nil: it is not offered.
	Keys Keys
	// Terminals pairs people's terminals, and Agents is a folder with the programs for them, as make agents leaves them; nil: there are none.
	Terminals *terminal.Service
	Agents    string
	// Tiles gathers what waits for somebody, from all other areas.
	Tiles func(ctx context.Context, actor access.Actor) ([]web.Tile, error)
}

type pages struct{ Config }

// Area gives the pages.
func Area(c Config) web.Area {
	p := pages{c}
	routes := []web.Route{
		{Method: http.MethodGet, Path: "/login", Anyone: true, Handle: p.ask},
		{Method: http.MethodPost, Path: "/login", Anyone: true, Limited: true, Handle: p.signIn},
		{Method: http.MethodGet, Path: "/login/oidc/{provider}", Anyone: true, Limited: true, Handle: p.leaveFor},
		{Method: http.MethodGet, Path: "/login/oidc/{provider}/callback", Anyone: true, Limited: true, Handle: p.comeBack},
		{Method: http.MethodPost, Path: "/logout", Everybody: true, Unchanged: true, Handle: p.signOut},
		{Method: http.MethodGet, Path: "/home", Everybody: true, Handle: p.start},
		{Method: http.MethodGet, Path: "/account", Everybody: true, Handle: p.account},
		{Method: http.MethodPost, Path: "/account/end-session", Everybody: true, Handle: p.endSession},
		{Method: http.MethodPost, Path: "/account/end-others", Everybody: true, Handle: p.endOthers},
		{Method: http.MethodGet, Path: "/account/password", Everybody: true, Unchanged: true, Handle: p.askPassword},
		{Method: http.MethodPost, Path: "/account/password", Everybody: true, Unchanged: true, Handle: p.changePassword},
	}
	if c.Keys != nil {
		routes = append(routes,
			web.Route{Method: http.MethodGet, Path: "/login/key", Anyone: true, Handle: p.askKey},
			web.Route{Method: http.MethodPost, Path: "/login/key", Anyone: true, Limited: true, Handle: p.beginKey},
			web.Route{Method: http.MethodGet, Path: "/login/key/state", Anyone: true, Handle: p.followKey},
			web.Route{Method: http.MethodPost, Path: "/login/key/continue", Anyone: true, Limited: true, Handle: p.signInByKey},
			web.Route{Method: http.MethodPost, Path: "/login/key/leave", Anyone: true, Handle: p.leaveKey})
	}
	if c.Terminals != nil {
		routes = append(routes, p.terminalRoutes()...)
	}
	return web.Area{Name: "home", Files: files, Routes: routes,
		Notices: map[string]web.Text{"password": {ZH: "密码已修改，其他地方的登录已失效。", EN: "The password was changed; other sessions have ended."},
			"paired": {ZH: "请在终端上输入配对码。", EN: "Type the code at the terminal."}, "removed": {ZH: "终端已解除配对。", EN: "The terminal is paired no more."},
			"key": {ZH: "UKey 已登记，可用它登录。", EN: "You can sign in with the USB Key now."}, "key-ended": {ZH: "已解除，不能再用这把 UKey 登录。", EN: "Nobody signs in with this USB Key any more."},
			"left":  {ZH: "已退出登录。", EN: "You have signed out."},
			"ended": {ZH: "该登录已结束。", EN: "That session has ended."}, "others": {ZH: "其他地方的登录均已结束。", EN: "All other sessions have ended."}}}
}

var (
	titleLogin = web.Text{ZH: "登录", EN: "Sign in"}
	titleStart = web.Text{ZH: "工作台", EN: "Start"}
)

// entry is what the login form shows.
type entry struct {
	Name, Next string
	Keys       bool  // a USB Key will do as well
	Ways       []way // identity providers
	There      *way  // where one may sign out as well
}

// show shows the login form, with what was wrong.
func (p pages) show(q *web.Request, e entry, problem error) error {
	e.Keys, e.Ways, e.There = p.Keys != nil, p.ways(q, e.Next), p.there(q)
	return q.Show("login", web.Page{Title: titleLogin, Data: e, Problem: problem})
}

func (p pages) ask(q *web.Request) error {
	next := web.Inside(q.URL.Query().Get("next"), "/home")
	if q.Actor.ID != "" {
		return q.Go(next, "")
	}
	return p.show(q, entry{Next: next}, nil)
}

func (p pages) signIn(q *web.Request) error {
	next := web.Inside(q.PostFormValue("next"), "/home")
	name := q.PostFormValue("name")
	session, token, err := p.Login.ByPassword(q.Context(), name, q.PostFormValue("password"), q.Origin())
	if fault.Has(err, login.ErrRefused) || fault.Has(err, login.ErrLocked) {
		return p.show(q, entry{Name: name, Next: next}, err)
	}
	if err != nil {
		return err
	}
	return p.enter(q, session, token, next)
}

// enter gives the browser a session that was just opened.
func (p pages) enter(q *web.Request, session login.Session, token, next string) error {
	if q.Session.Actor.ID != "" { // whoever was signed in before has left
		if err := p.Login.End(q.Context(), q.Session); err != nil {
			return err
		}
	}
	q.Keep(token)
	if session.MustChange {
		next = "/account/password"
	}
	return q.Go(next, "")
}

func (p pages) signOut(q *web.Request) error {
	if err := p.Login.End(q.Context(), q.Session); err != nil {
		return err
	}
	q.Keep("")
	return q.Go(afterLogout(q.Session.Method), "left")
}

func (p pages) start(q *web.Request) error {
	tiles, err := p.Tiles(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	own, err := p.tiles(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	tiles = append(tiles, own...)
	return q.Show("start", web.Page{Title: titleStart, Data: tiles})
}
