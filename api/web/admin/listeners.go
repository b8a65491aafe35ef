package admin

import (
	"slices"
	"strings"

	"yinxin/api/web"
	"yinxin/sealer/register"
)

// Listener is an address that the service listens on. Network is its label, which 用章范围 of seals speaks of; empty: none.
type Listener struct {
	Address, Network string
	TLS              bool
	// Clients may show certificates (mTLS); Required refuses those without.
	Clients, Required bool
}

var titleListeners = web.Text{ZH: "监听地址", EN: "Listeners"}

func networkWord(network string, q *web.Request) string {
	for _, n := range networks {
		if n.Network == network {
			return n.Word.In(q.Language)
		}
	}
	return q.T("未标注", "no label")
}

type listenerLine struct {
	Listener
	Label, Protection, Clients, Serves string
}

// listeners shows what the service listens on, and below it for each seal where its 用章范围 lets it be used.
func (p pages) listeners(q *web.Request) error {
	var lines []listenerLine
	for _, l := range p.Listeners {
		line := listenerLine{Listener: l, Label: networkWord(l.Network, q), Protection: q.T("未加密（由本机代理加密）", "plain (for a proxy on this machine)"), Clients: q.T("不要求", "not asked for"),
			Serves: q.T("全部印章（不按用章范围限制）", "all seals, whatever their scope")}
		if l.TLS {
			line.Protection = "TLS 1.2+"
		}
		switch {
		case l.Required:
			line.Clients = q.T("必须出示（mTLS）", "required (mTLS)")
		case l.Clients:
			line.Clients = q.T("可以出示（mTLS）", "accepted (mTLS)")
		}
		if l.Network != "" {
			line.Serves = q.T("用章范围包括“"+line.Label+"”或未登记范围的印章", "seals whose scope has it, or that have none on record")
		}
		lines = append(lines, line)
	}
	query := q.URL.Query()
	text, network := strings.TrimSpace(query.Get("text")), query.Get("network")
	usable := web.Filter{Name: "network", Label: web.Text{ZH: "可用于", EN: "Usable on"}}
	for _, n := range networks {
		usable.Options = append(usable.Options, web.Option{Value: n.Network, Label: n.Word})
	}
	l := web.List{File: q.T("用章范围", "scopes"), Filters: []web.Filter{{Name: "text", Label: web.Text{ZH: "印章编码、名称或单位", EN: "Code, name or unit"}}, usable}, Empty: web.Text{ZH: "还没有印章。", EN: "There is no seal yet."},
		Columns: []web.Column{{Label: web.Text{ZH: "印章编码", EN: "Code"}}, {Label: web.Text{ZH: "印章名称", EN: "Name"}}, {Label: web.Text{ZH: "单位", EN: "Unit"}}, {Label: web.Text{ZH: "用章范围", EN: "Scope"}}, {Label: web.Text{ZH: "可经由", EN: "Can be used over"}}}}
	return q.ShowList("listeners", web.Page{Title: titleListeners, Data: lines}, l, func(after string, limit int) (rows []web.Row, next string, err error) {
		for {
			found, err := p.Register.Cards(q.Context(), q.Actor, register.CardFilter{Text: text, After: after, Limit: limit})
			if err != nil {
				return nil, "", err
			}
			for _, c := range found {
				if len(rows) == limit {
					return rows, after, nil
				}
				after = c.Code
				if c.State == register.Cancelled || network != "" && !c.UsableOn(network) {
					continue
				}
				rows = append(rows, web.Row{Cells: []web.Cell{{Text: c.Code}, {Text: c.Name}, {Text: c.Organisation}, {Text: p.scopeOf(c, q)}, p.over(c, q)}})
			}
			if len(found) < limit {
				return rows, "", nil
			}
		}
	})
}

func (p pages) scopeOf(c register.Card, q *web.Request) string {
	var words []string
	for _, n := range c.Networks {
		words = append(words, networkWord(n, q))
	}
	if len(words) == 0 {
		return q.T("未登记（不限）", "none on record: all")
	}
	return strings.Join(words, q.T("、", ", "))
}

// over names the listeners on which a seal can be used.
func (p pages) over(c register.Card, q *web.Request) web.Cell {
	var addresses []string
	for _, l := range p.Listeners {
		if c.UsableOn(l.Network) && !slices.Contains(addresses, l.Address) {
			addresses = append(addresses, l.Address)
		}
	}
	if len(addresses) == 0 {
		return web.Cell{Text: q.T("无（均不在范围内）", "none is within its scope"), Class: "doubt"}
	}
	return web.Cell{Text: strings.Join(addresses, q.T("、", ", "))}
}
