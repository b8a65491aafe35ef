package officer

import (
	"net/url"
	"slices"
	"strings"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/sealer/register"
)

var titleSeals = web.Text{ZH: "印章", EN: "Seals"}

func (p *pages) seals(q *web.Request) error {
	query := q.URL.Query()
	filters := []web.Filter{{Name: "text", Label: web.Text{ZH: "编码、名称或单位", EN: "Code, name or unit"}}, {Name: "state", Label: web.Text{ZH: "状态", EN: "State"}}}
	for _, s := range []string{"making", "active", "suspended", "collected", "cancelled"} {
		filters[1].Options = append(filters[1].Options, web.Option{Value: s, Label: sealStateWords[s]})
	}
	l := web.List{File: q.T("印章", "seals"), Filters: filters, Columns: []web.Column{{Label: web.Text{ZH: "印章编码", EN: "Code"}}, {Label: web.Text{ZH: "印章名称", EN: "Name"}}, {Label: web.Text{ZH: "单位", EN: "Unit"}},
		{Label: web.Text{ZH: "状态", EN: "State"}}, {Label: web.Text{ZH: "自", EN: "Since"}}, {Label: web.Text{ZH: "由", EN: "By"}}, {Label: web.Text{ZH: "原因", EN: "Why"}}}}
	return q.ShowList("list", web.Page{Title: titleSeals, Styles: styles}, l, func(after string, limit int) ([]web.Row, string, error) {
		found, err := p.Register.Cards(q.Context(), q.Actor, register.CardFilter{State: register.State(query.Get("state")), Text: strings.TrimSpace(query.Get("text")), After: after, Limit: limit})
		if err != nil {
			return nil, "", err
		}
		var rows []web.Row
		for _, c := range found {
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: c.Code, Path: seals + "/" + c.Code}, {Text: c.Name}, {Text: c.Organisation},
				{Text: sealStateWords.of(string(c.State), q.Language), Class: sealStateClass[string(c.State)]}, {Text: web.Minute(c.Since)}, {Text: c.Actor}, {Text: p.why(c.Reason, q)}}})
		}
		if len(found) < limit {
			return rows, "", nil
		}
		return rows, found[len(found)-1].Code, nil
	})
}

// why is the reason of a state in words: reasons of the service itself are codes.
func (p *pages) why(reason string, q *web.Request) string {
	switch {
	case strings.HasPrefix(reason, "approval "):
		return q.T("已批准", "approved")
	case strings.HasPrefix(reason, "instance "):
		return q.T("电子印章启用", "put into use")
	}
	return labelled{"made": {ZH: "已制作", EN: "made"}, "cancelled": {ZH: "注销", EN: "cancelled"}, "resumed": {ZH: "恢复使用", EN: "put back into use"}, "activated": {ZH: "启用", EN: "put into use"}}.of(reason, q.Language)
}

type sealPage struct {
	register.Card
	Word, Class        string
	Lines              []sealLine
	Held               []instance
	Now                register.Standing // with its certificates
	NowWord, NowClass  string
	MaySuspend, MayAsk bool
	Ready              []waiting
	Open               string
}

type sealLine struct {
	register.Standing
	Word, Class, Why string
}

type instance struct {
	register.Instance
	Word, Serial string
}

func (p *pages) seal(q *web.Request) error { return p.showSeal(q, "", nil) }

func (p *pages) showSeal(q *web.Request, open string, problem error) error {
	ctx := q.Context()
	card, err := p.Register.Card(ctx, q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	d := sealPage{Card: card, Word: sealStateWords.of(string(card.State), q.Language), Class: sealStateClass[string(card.State)], Open: open}
	for _, h := range card.History {
		d.Lines = append(d.Lines, sealLine{h, sealStateWords.of(string(h.State), q.Language), sealStateClass[string(h.State)], p.why(h.Reason, q)})
	}
	for _, in := range card.Instances {
		v := instance{Instance: in, Word: q.T("集中式", "central")}
		if in.Custody == register.UserKey {
			v.Word = q.T("USB Key：", "USB Key: ") + in.Holder
		}
		if c, err := chain.ParseCertificate(in.Certificate); err == nil {
			v.Serial = ca.SerialText(c.Serial)
		}
		d.Held = append(d.Held, v)
	}
	if d.Now, err = p.Register.StateAt(ctx, card.Code, q.Now()); err != nil {
		return err
	}
	d.NowWord, d.NowClass = sealStateWords.of(string(d.Now.State), q.Language), sealStateClass[string(d.Now.State)]
	d.MaySuspend = card.State == register.Active && (q.Actor.Has(registrar) || q.Actor.Has(approver))
	d.MayAsk = card.State == register.Suspended && q.Actor.Has(registrar)
	ready, err := p.Access.Ready(ctx, access.KindResumeSeal, 1000)
	if err != nil {
		return err
	}
	ready = slices.DeleteFunc(ready, func(r access.Pending) bool { return sealOf(r) != card.Code })
	if d.Ready, err = p.describe(q, ready); err != nil {
		return err
	}
	return q.Show("seal", web.Page{Title: web.Text{ZH: card.Name, EN: card.Name}, Trail: []web.Item{{Path: seals, Label: titleSeals}}, Data: d, Problem: problem, Styles: styles, Scripts: []string{"office.js"}})
}

// sealPicture is the picture of a seal in use, for those who may see its card.
func (p *pages) sealPicture(q *web.Request) error {
	card, err := p.Register.Card(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	if len(card.Instances) == 0 {
		return errNoPicture.New()
	}
	return q.File("image/png", card.Instances[0].Picture)
}

var errNoPicture = fault.Spec{Kind: fault.NotFound, Code: "page.no-picture", ZH: "这枚印章目前没有可用的图像。", EN: "There is no picture of this seal that is in use."}

func (p *pages) afterSeal(q *web.Request, open string, err error, path, notice string) error {
	if err == nil {
		return q.Go(path, notice)
	}
	if !sayable(err, fault.NotFound) {
		return err
	}
	return p.showSeal(q, open, err)
}

func (p *pages) suspendSeal(q *web.Request) error {
	reason := strings.TrimSpace(q.PostFormValue("reason"))
	err := enroll.CheckReason(reason)
	if err == nil {
		err = p.Register.Suspend(q.Context(), q.Actor, q.PathValue("id"), reason)
	}
	return p.afterSeal(q, "suspend", err, seals+"/"+url.PathEscape(q.PathValue("id")), "suspended")
}

// askResume asks for the second person's word: putting a seal back into use takes two.
func (p *pages) askResume(q *web.Request) error {
	card, err := p.Register.Card(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	why, id := strings.TrimSpace(q.PostFormValue("reason")), ""
	if err = enroll.CheckReason(why); err == nil {
		id, err = p.Access.RequestBecause(q.Context(), q.Actor, access.KindResumeSeal, register.ResumeSubject(card.Code), why)
	}
	return p.afterSeal(q, "resume", err, approvals+"/"+id, "requested")
}

func (p *pages) resumeSeal(q *web.Request) error {
	err := p.Register.Resume(q.Context(), q.PostFormValue("request"), q.PathValue("id"))
	return p.afterSeal(q, "", err, seals+"/"+url.PathEscape(q.PathValue("id")), "done")
}
