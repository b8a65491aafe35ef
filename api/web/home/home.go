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
)

//go:embed templates
var files embed.FS

// Config is what these pages work with.
type Config struct {
	Login *login.Service
	// Tiles gathers what waits for somebody, from all areas.
	Tiles func(ctx context.Context, actor access.Actor) ([]web.Tile, error)
}

type pages struct{ Config }

// Area gives the pages.
func Area(c Config) web.Area {
	p := pages{c}
	return web.Area{Name: "home", Files: files,
		Notices: map[string]web.Text{"password": {ZH: "密码已修改，其他地方的登录已失效。", EN: "The password was changed; other sessions have ended."},
			"left": {ZH: "已退出登录。", EN: "You have signed out."}},
		Routes: []web.Route{
			{Method: http.MethodGet, Path: "/login", Anyone: true, Handle: p.ask},
			{Method: http.MethodPost, Path: "/login", Anyone: true, Limited: true, Handle: p.signIn},
			{Method: http.MethodPost, Path: "/logout", Everybody: true, Unchanged: true, Handle: p.signOut},
			{Method: http.MethodGet, Path: "/home", Everybody: true, Handle: p.start},
			{Method: http.MethodGet, Path: "/account", Everybody: true, Handle: p.account},
			{Method: http.MethodGet, Path: "/account/password", Everybody: true, Unchanged: true, Handle: p.askPassword},
			{Method: http.MethodPost, Path: "/account/password", Everybody: true, Unchanged: true, Handle: p.changePassword},
		}}
}

var (
	titleLogin    = web.Text{ZH: "登录", EN: "Sign in"}
	titleStart    = web.Text{ZH: "工作台", EN: "Start"}
	titleAccount  = web.Text{ZH: "我的账号", EN: "My account"}
	titlePassword = web.Text{ZH: "修改密码", EN: "Change the password"}
)

// entry is what the login form shows.
type entry struct{ Name, Next string }

func (p pages) ask(q *web.Request) error {
	next := web.Inside(q.URL.Query().Get("next"), "/home")
	if q.Actor.ID != "" {
		return q.Go(next, "")
	}
	return q.Show("login", web.Page{Title: titleLogin, Data: entry{Next: next}})
}

func (p pages) signIn(q *web.Request) error {
	next := web.Inside(q.PostFormValue("next"), "/home")
	name := q.PostFormValue("name")
	session, token, err := p.Login.ByPassword(q.Context(), name, q.PostFormValue("password"), q.Origin())
	if fault.Has(err, login.ErrRefused) || fault.Has(err, login.ErrLocked) {
		return q.Show("login", web.Page{Title: titleLogin, Data: entry{Name: name, Next: next}, Problem: err})
	}
	if err != nil {
		return err
	}
	if q.Session.Actor.ID != "" { // whoever was signed in before has left
		if err := p.Login.End(q.Context(), q.Session); err != nil {
			return err
		}
	}
	q.Keep(token)
	if session.MustChange {
		return q.Go("/account/password", "")
	}
	return q.Go(next, "")
}

func (p pages) signOut(q *web.Request) error {
	if err := p.Login.End(q.Context(), q.Session); err != nil {
		return err
	}
	q.Keep("")
	return q.Go("/login", "left")
}

func (p pages) start(q *web.Request) error {
	tiles, err := p.Tiles(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	return q.Show("start", web.Page{Title: titleStart, Data: tiles})
}

func (p pages) account(q *web.Request) error {
	return q.Show("account", web.Page{Title: titleAccount, Data: q.Session})
}

func (p pages) askPassword(q *web.Request) error {
	return q.Show("password", web.Page{Title: titlePassword, Data: q.Session})
}

func (p pages) changePassword(q *web.Request) error {
	again := func(err error) error {
		return q.Show("password", web.Page{Title: titlePassword, Data: q.Session, Problem: err})
	}
	if q.PostFormValue("password") != q.PostFormValue("again") {
		return again(errTwice.At(fault.Field("again")))
	}
	err := p.Login.ChangePassword(q.Context(), q.Session, q.PostFormValue("old"), q.PostFormValue("password"))
	if _, known := fault.Of(err); known {
		return again(err)
	}
	if err != nil {
		return err
	}
	if q.Session.MustChange {
		return q.Go("/home", "password")
	}
	return q.Go("/account", "password")
}

var errTwice = fault.Spec{Kind: fault.Invalid, Code: "login.twice", ZH: "两次输入的新密码不一致。", EN: "The new password was not typed the same twice."}
