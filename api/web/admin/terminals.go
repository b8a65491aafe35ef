package admin

import (
	"slices"
	"strings"

	"yinxin/api/web"
	"yinxin/internal/fault"
	"yinxin/sealer/terminal"
)

var titleTerminals = web.Text{ZH: "签章终端", EN: "Terminals"}

func terminalState(t terminal.Terminal, q *web.Request) (word, class, key string) {
	if t.Ended.IsZero() {
		return q.T("在用", "in use"), "good", "paired"
	}
	return q.T("已解除", "ended"), "none", "ended"
}

// terminals lists the terminals of all people; those that ended stay for 30 days.
func (p pages) terminals(q *web.Request) error {
	all, err := p.Terminals.Terminals(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	people := q.People(p.Access)
	query := q.URL.Query()
	text, state := strings.ToLower(strings.TrimSpace(query.Get("text"))), query.Get("state")
	l := web.List{File: q.T("签章终端", "terminals"), Empty: web.Text{ZH: "还没有配对的终端；各人员在“我的账号”的“签章终端”页配对。", EN: "No terminal is paired; people pair them on a page of their account."},
		Filters: []web.Filter{{Name: "text", Label: web.Text{ZH: "终端、姓名或用户名", EN: "Terminal, name or account"}}, {Name: "state", Label: web.Text{ZH: "状态", EN: "State"}, Options: []web.Option{
			{Value: "paired", Label: web.Text{ZH: "在用", EN: "in use"}}, {Value: "outdated", Label: web.Text{ZH: "在用，签章助手须更新", EN: "in use, agent to be updated"}}, {Value: "ended", Label: web.Text{ZH: "已解除", EN: "ended"}}}}},
		Columns: []web.Column{{Label: web.Text{ZH: "终端", EN: "Terminal"}}, {Label: web.Text{ZH: "人员", EN: "Person"}}, {Label: web.Text{ZH: "单位", EN: "Organisation"}}, {Label: web.Text{ZH: "配对", EN: "Paired"}},
			{Label: web.Text{ZH: "最近联络", EN: "Last seen"}}, {Label: web.Text{ZH: "签章助手", EN: "Agent"}}, {Label: web.Text{ZH: "状态", EN: "State"}}, {Label: web.Text{ZH: "解除", EN: "Ended"}}}}
	return q.ShowList("terminals", web.Page{Title: titleTerminals}, l, web.Behind(all, func(t terminal.Terminal) string { return t.ID }, func(t terminal.Terminal) (web.Row, bool, error) {
		clerk, err := people.Of(t.Clerk.ID)
		word, class, key := terminalState(t, q)
		if err != nil || state != "" && state != key && (state != string(t.Standing) || key != "paired") || !strings.Contains(strings.ToLower(t.Name+"\n"+clerk.Name+"\n"+clerk.ID), text) {
			return web.Row{}, false, err
		}
		return web.Row{Cells: []web.Cell{{Text: t.Name, Path: terminals + "/" + t.ID}, {Text: clerk.Name, Fine: clerk.ID}, {Text: clerk.Organisation}, {Text: web.Minute(t.Paired)},
			{Text: web.Minute(t.LastSeen)}, q.AgentCell(t.Agent, t.Standing), {Text: word, Class: class}, {Text: web.Minute(t.Ended), Fine: t.Reason}}}, true, nil
	}))
}

type terminalPage struct {
	terminal.Terminal
	Who, EndedBy web.Person
	Text, Class  string
	Runs         web.Cell // the agent
	Minimum      string
}

func (p pages) terminal(q *web.Request) error { return p.showTerminal(q, nil) }

var errNoTerminal = fault.Spec{Kind: fault.NotFound, Code: "page.no-terminal", ZH: "没有这台终端。", EN: "There is no such terminal."}

func (p pages) showTerminal(q *web.Request, problem error) error {
	all, err := p.Terminals.Terminals(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(t terminal.Terminal) bool { return t.ID == q.PathValue("id") })
	if i < 0 {
		return errNoTerminal.New()
	}
	v := terminalPage{Terminal: all[i]}
	v.Text, v.Class, _ = terminalState(all[i], q)
	v.Runs, v.Minimum = q.AgentCell(v.Agent, v.Standing), p.Terminals.MinimumAgent
	people := q.People(p.Access)
	if v.Who, err = people.Of(v.Clerk.ID); err != nil {
		return err
	}
	if v.EndedBy, err = people.Of(v.Terminal.EndedBy); err != nil {
		return err
	}
	return q.Show("terminal", web.Page{Title: web.Text{ZH: v.Name, EN: v.Name}, Trail: []web.Item{{Path: terminals, Label: titleTerminals}}, Data: v, Problem: problem})
}

// endTerminal ends a pairing at once.
func (p pages) endTerminal(q *web.Request) error {
	if err := p.Terminals.End(q.Context(), q.Actor, q.PathValue("id"), strings.TrimSpace(q.PostFormValue("reason"))); err != nil {
		return p.showTerminal(q, err)
	}
	return q.Go(terminals, "unpaired")
}
