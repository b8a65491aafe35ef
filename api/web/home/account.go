package home

import (
	"yinxin/api/web"
	"yinxin/internal/fault"
	"yinxin/internal/login"
	"yinxin/sealer/terminal/manifest"
)

var (
	titleAccount  = web.Text{ZH: "我的账号", EN: "My account"}
	titlePassword = web.Text{ZH: "修改密码", EN: "Change the password"}
)

// account is what the page of one's own account shows.
type account struct {
	login.Account
	Sessions []login.OpenSession
	Here     string // the session that asks
	Links    []linked
	Keys     bool // there is a page of terminals and USB Keys
}

// account shows where somebody is signed in, and their last logins.
func (p pages) account(q *web.Request) error {
	ctx, me := q.Context(), q.Actor.ID
	data := account{Here: q.Session.ID(), Keys: p.Terminals != nil}
	var err error
	if data.Account, err = p.Login.Account(ctx, me); err != nil {
		return err
	}
	if data.Sessions, err = p.Login.Sessions(ctx, q.Actor, me); err != nil {
		return err
	}
	if data.Links, err = p.links(q); err != nil {
		return err
	}
	span := login.Span{}
	if span.From, span.Until, err = web.Days(q.URL.Query()); err != nil {
		return err
	}
	list := web.List{File: q.T("登录记录", "logins"), Filters: append([]web.Filter{}, web.FromUntil...),
		Columns: []web.Column{{Label: web.Text{ZH: "时间", EN: "Time"}}, {Label: web.Text{ZH: "方式", EN: "How"}}, {Label: web.Text{ZH: "来自", EN: "From where"}}, {Label: web.Text{ZH: "结果", EN: "Result"}}}}
	return q.ShowList("account", web.Page{Title: titleAccount, Data: data}, list, func(after string, limit int) (rows []web.Row, next string, err error) {
		span.Before, span.Limit = after, limit
		logins, err := p.Login.History(ctx, q.Actor, me, span)
		for _, l := range logins {
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: web.Minute(l.At)}, {Text: web.LoginMethod(l.Method, q.Language)}, {Text: l.Address}, outcome(q, l)}})
		}
		if len(logins) == limit {
			next = logins[limit-1].ID
		}
		return rows, next, err
	})
}

func outcome(q *web.Request, l login.Login) web.Cell {
	switch l.Refusal {
	case "":
		return web.Cell{Text: q.T("成功", "signed in"), Class: "good"}
	case "locked":
		return web.Cell{Text: q.T("失败，账号锁定", "refused, account closed"), Class: "bad"}
	}
	word := q.T("失败", "refused")
	if why, known := refusals[l.Reason]; known {
		word += q.T("：", ": ") + why.In(q.Language)
	}
	return web.Cell{Text: word, Class: "doubt"}
}

// refusals say why logins by USB Key came to nothing, where it is worth knowing for their owner.
var refusals = map[string]web.Text{
	login.ErrKeyExpired.Code:             {ZH: "无人确认", EN: "nobody confirmed it"},
	manifest.ReasonLoginDeclined:         {ZH: "在终端上被拒绝", EN: "declined at the terminal"},
	"terminal.login-certificate":         {ZH: "不是本人的 UKey", EN: "another's USB Key"},
	"terminal.login-no-certificate":      {ZH: "没有可用的 UKey 证书", EN: "no certificate that counts"},
	"terminal.login-certificate-expired": {ZH: "UKey 证书过期", EN: "the certificate of the USB Key has expired"},
	"terminal.login-certificate-revoked": {ZH: "UKey 证书已吊销或停用", EN: "the certificate of the USB Key is revoked or on hold"},
	"terminal.login-signature":           {ZH: "签名不符", EN: "the signature is not right"},
}

func (p pages) endSession(q *web.Request) error {
	id := q.PostFormValue("session")
	if id == q.Session.ID() {
		return p.signOut(q)
	}
	if err := p.Login.EndSession(q.Context(), q.Actor, q.Actor.ID, id); err != nil {
		return err
	}
	return q.Go("/account", "ended")
}

func (p pages) endOthers(q *web.Request) error {
	if _, err := p.Login.EndOthers(q.Context(), q.Session); err != nil {
		return err
	}
	return q.Go("/account", "others")
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
	err := p.Login.ChangePassword(q.Context(), q.Session, q.PostFormValue("old"), q.PostFormValue("password"), q.Origin())
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
