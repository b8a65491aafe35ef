package home

import (
	"context"
	"net/http"
	"time"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/login"
	"yinxin/internal/release"
	"yinxin/sealer/terminal"
)

func (p pages) terminalRoutes() []web.Route {
	routes := []web.Route{
		{Method: http.MethodGet, Path: web.TerminalsPath, Everybody: true, Handle: p.terminals},
		{Method: http.MethodPost, Path: web.TerminalsPath, Everybody: true, Handle: p.pair},
		{Method: http.MethodPost, Path: web.TerminalsPath + "/{id}/remove", Everybody: true, Handle: p.unpair},
		{Method: http.MethodGet, Path: "/account/agents/{name}", Everybody: true, Handle: func(q *web.Request) error { return q.GiveAgent(p.Agents, q.PathValue("name")) }},
	}
	if p.Keys == nil {
		return routes
	}
	return append(routes, web.Route{Method: http.MethodPost, Path: "/account/keys/confirm", Everybody: true, Limited: true, Handle: p.confirmKey},
		web.Route{Method: http.MethodPost, Path: "/account/keys/end", Everybody: true, Handle: p.endKey})
}

// shownTerminals are the terminals and USB Keys of somebody, and the code that pairs another terminal, right after it was asked for.
type shownTerminals struct {
	List     []ownTerminal
	Ended    []terminal.Terminal // by somebody else
	Minimum  string              // version of the agent; set when one of the list should be updated
	Code     string
	Expires  time.Time
	Files    []web.AgentFile // programs for terminals that can be had here
	SignIn   bool            // with a USB Key
	Offered  []shownKey
	Keys     []shownKey
	Password bool // it is asked for before a Key counts
}

// ownTerminal is a terminal in use with the agent that it runs.
type ownTerminal struct {
	terminal.Terminal
	Runs web.Cell
}

// shownKey is a USB Key with whose certificate somebody signs in, or would.
type shownKey struct {
	login.Key
	Who, Issuer, Serial string
	Until               time.Time
	Terminal            string // its name
	Void                bool   // it lets its owner in no more, who decides as one of two now
}

func (p pages) terminals(q *web.Request) error { return p.showTerminals(q, shownTerminals{}, nil) }

func (p pages) showTerminals(q *web.Request, s shownTerminals, problem error) error {
	all, err := p.Terminals.Terminals(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, t := range all {
		if t.Clerk.ID != q.Actor.ID { // an administrator sees those of others on a page of their own
			continue
		}
		names[t.ID] = t.Name
		switch {
		case t.Ended.IsZero():
			s.List = append(s.List, ownTerminal{t, q.AgentCell(t.Agent, t.Standing)})
			if t.Standing != release.OK {
				s.Minimum = p.Terminals.MinimumAgent
			}
		case t.EndedBy != q.Actor.ID:
			s.Ended = append(s.Ended, t)
		}
	}
	s.Files, s.SignIn = web.AgentFiles(p.Agents), p.Keys != nil
	if s.SignIn {
		if err := p.keysOf(q.Context(), q, &s, names); err != nil {
			return err
		}
	}
	return q.Show("terminals", web.Page{Title: web.TitleTerminals, Trail: []web.Item{{Path: "/account", Label: titleAccount}}, Data: s, Problem: problem, Styles: []string{"key.css"}})
}

// keysOf fills in the USB Keys of who is signed in.
func (p pages) keysOf(ctx context.Context, q *web.Request, s *shownTerminals, names map[string]string) error {
	keys, err := p.Login.KeysOf(ctx, q.Actor, q.Actor.ID)
	if err != nil {
		return err
	}
	account, err := p.Login.Account(ctx, q.Actor.ID)
	s.Password = account.Password
	for _, k := range keys {
		v := shownKey{Key: k, Terminal: names[k.Terminal], Void: !k.Here && q.Actor.Officer()}
		if c, err := chain.ParseCertificate(k.Certificate); err == nil { // it was read when it was offered
			v.Who, v.Issuer, v.Serial, v.Until = c.Subject.String(), c.Issuer.String(), ca.SerialText(c.Serial), c.NotAfter
		}
		if k.Confirmed.IsZero() {
			s.Offered = append(s.Offered, v)
		} else {
			s.Keys = append(s.Keys, v)
		}
	}
	return err
}

// pair shows a code, this once: it is not in the address and not kept.
func (p pages) pair(q *web.Request) error {
	code, expires, err := p.Terminals.OpenPairing(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	return p.showTerminals(q, shownTerminals{Code: code.Text(), Expires: expires}, nil)
}

// tiles tells somebody of agents that they should update.
func (p pages) tiles(ctx context.Context, actor access.Actor) ([]web.Tile, error) {
	if p.Terminals == nil {
		return nil, nil
	}
	n, err := p.Terminals.CountAdvised(ctx, actor)
	if err != nil || n == 0 {
		return nil, err
	}
	return []web.Tile{{Label: web.Text{ZH: "签章助手须更新的终端", EN: "terminals whose agent should be updated"}, Path: web.TerminalsPath, Count: n, Urgent: true}}, nil
}

func (p pages) unpair(q *web.Request) error {
	if err := p.Terminals.End(q.Context(), q.Actor, q.PathValue("id"), ""); err != nil {
		return err
	}
	return q.Go(web.TerminalsPath, "removed")
}

// confirmKey lets who is signed in sign in with a USB Key that their terminal offered.
func (p pages) confirmKey(q *web.Request) error {
	err := p.Keys.ConfirmKey(q.Context(), q.Session, q.PostFormValue("key"), q.PostFormValue("password"), q.Origin())
	if _, known := fault.Of(err); known {
		return p.showTerminals(q, shownTerminals{}, err)
	}
	if err != nil {
		return err
	}
	return q.Go(web.TerminalsPath, "key")
}

func (p pages) endKey(q *web.Request) error {
	if err := p.Login.EndKey(q.Context(), q.Actor, q.Actor.ID, q.PostFormValue("key")); err != nil {
		return err
	}
	return q.Go(web.TerminalsPath, "key-ended")
}
