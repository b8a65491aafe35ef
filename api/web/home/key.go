package home

import (
	"context"
	"net/url"
	"time"

	"yinxin/api/web"
	"yinxin/internal/fault"
	"yinxin/internal/login"
)

var titleKey = web.Text{ZH: "使用 UKey 登录", EN: "Sign in with a USB Key"}

// The cookie of a login by USB Key, and how long a browser has it: longer than the login waits, so that the page can say that it is over.
const (
	keyCookie = "yinxin-key-login"
	keyTime   = 15 * time.Minute
)

// Keys begins and ends logins by USB Key, and takes the Keys that are offered for them; sealer/terminal has them.
type Keys interface {
	ConfirmKey(ctx context.Context, in login.Session, id, password string, from login.Origin) error
	Ask(ctx context.Context, name string, from login.Origin) (login.Challenge, string, error)
	SignIn(ctx context.Context, token string, from login.Origin) (login.Session, string, error)
}

// keyLogin is what the page of a login by USB Key shows.
type keyLogin struct {
	Name, Next string
	Waits      bool // one was asked for in this browser
	Challenge  login.Challenge
}

// Signed and Over are how a login stands.
func (k keyLogin) Signed() bool { return k.Challenge.State == login.ChallengeSigned }

// Over says that its time has passed, or that nobody knows of it any more.
func (k keyLogin) Over() bool { return !k.Waits || k.Challenge.State == login.ChallengeOver }

// keyState is what the browser that asks waits for.
func (p pages) keyState(q *web.Request) (keyLogin, error) {
	data := keyLogin{Next: web.Inside(q.URL.Query().Get("next"), "/home")}
	c, err := p.Login.Asked(q.Context(), q.Held(keyCookie))
	if fault.Has(err, login.ErrNoChallenge) {
		return data, nil
	}
	data.Waits, data.Challenge = err == nil, c
	return data, err
}

func (p pages) showKey(q *web.Request, data keyLogin, problem error) error {
	return q.Show("key", web.Page{Title: titleKey, Data: data, Problem: problem, Scripts: []string{"key.js"}, Styles: []string{"key.css"}})
}

func (p pages) askKey(q *web.Request) error {
	data, err := p.keyState(q)
	if err != nil {
		return err
	}
	if q.Actor.ID != "" && !data.Waits {
		return q.Go(data.Next, "")
	}
	return p.showKey(q, data, nil)
}

// followKey gives the part of the page that changes, to its script.
func (p pages) followKey(q *web.Request) error {
	data, err := p.keyState(q)
	if err != nil {
		return err
	}
	return q.Part("key", "state", data)
}

func (p pages) beginKey(q *web.Request) error {
	data := keyLogin{Name: q.PostFormValue("name"), Next: web.Inside(q.PostFormValue("next"), "/home")}
	_, token, err := p.Keys.Ask(q.Context(), data.Name, q.Origin())
	if fault.Has(err, login.ErrKeyTooMany) || fault.Has(err, login.ErrKeyBusy) {
		return p.showKey(q, data, err)
	}
	if err != nil {
		return err
	}
	q.Hold(keyCookie, token, keyTime)
	return q.Go("/login/key?next="+url.QueryEscape(data.Next), "")
}

// leaveKey forgets the login that this browser asked for. It ends by itself.
func (p pages) leaveKey(q *web.Request) error {
	q.Hold(keyCookie, "", 0)
	return q.Go("/login/key?next="+url.QueryEscape(web.Inside(q.PostFormValue("next"), "/home")), "")
}

func (p pages) signInByKey(q *web.Request) error {
	next := web.Inside(q.PostFormValue("next"), "/home")
	session, token, err := p.Keys.SignIn(q.Context(), q.Held(keyCookie), q.Origin())
	if fault.Has(err, login.ErrKeyWaits) {
		data, state := p.keyState(q)
		if state != nil {
			return state
		}
		data.Next = next
		return p.showKey(q, data, err)
	}
	if f, known := fault.Of(err); known && f.Kind != fault.Internal && f.Kind != fault.Unavailable {
		q.Hold(keyCookie, "", 0)
		return p.showKey(q, keyLogin{Next: next}, err)
	}
	if err != nil {
		return err
	}
	q.Hold(keyCookie, "", 0)
	return p.enter(q, session, token, next)
}
