package home

import (
	"context"
	"net/url"

	"yinxin/api/web"
	"yinxin/internal/fault"
	"yinxin/internal/login"
)

var titleKey = web.Text{ZH: "使用 UKey 登录", EN: "Sign in with a USB Key"}

// Keys begins and ends logins by USB Key; sealer/terminal has them.
type Keys interface {
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

// Over says that its time has passed.
func (k keyLogin) Over() bool { return k.Challenge.State == login.ChallengeOver }

// keyState is what the browser that asks waits for.
func (p pages) keyState(q *web.Request) (keyLogin, error) {
	data := keyLogin{Next: web.Inside(q.URL.Query().Get("next"), "/home")}
	c, err := p.Login.Asked(q.Context(), q.Asking())
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
	q.KeepAsking(token)
	return q.Go("/login/key?next="+url.QueryEscape(data.Next), "")
}

// leaveKey forgets the login that this browser asked for. It ends by itself.
func (p pages) leaveKey(q *web.Request) error {
	q.KeepAsking("")
	return q.Go("/login/key?next="+url.QueryEscape(web.Inside(q.PostFormValue("next"), "/home")), "")
}

func (p pages) signInByKey(q *web.Request) error {
	next := web.Inside(q.PostFormValue("next"), "/home")
	_, token, err := p.Keys.SignIn(q.Context(), q.Asking(), q.Origin())
	if fault.Has(err, login.ErrKeyWaits) {
		data, state := p.keyState(q)
		if state != nil {
			return state
		}
		data.Next = next
		return p.showKey(q, data, err)
	}
	if f, known := fault.Of(err); known && f.Kind != fault.Internal && f.Kind != fault.Unavailable {
		q.KeepAsking("")
		return p.showKey(q, keyLogin{Next: next}, err)
	}
	if err != nil {
		return err
	}
	return p.enter(q, token, next)
}

// enter gives the browser the session of who has signed in. Whoever was signed in before has left.
func (p pages) enter(q *web.Request, token, next string) error {
	if q.Session.Actor.ID != "" {
		if err := p.Login.End(q.Context(), q.Session); err != nil {
			return err
		}
	}
	q.Keep(token)
	if q.Asking() != "" {
		q.KeepAsking("")
	}
	return q.Go(next, "")
}
