package admin

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"yinxin/api/web"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer/register"
)

var titleGrants = web.Text{ZH: "用印授权", EN: "Use grants"}

var grantStates = map[register.GrantState]struct {
	word  web.Text
	class string
}{
	register.GrantRuns: {web.Text{ZH: "有效", EN: "in force"}, "good"}, register.GrantComing: {web.Text{ZH: "未到期限", EN: "not yet"}, "note"},
	register.GrantUsedUp: {web.Text{ZH: "次数用完", EN: "used up"}, "doubt"}, register.GrantExpired: {web.Text{ZH: "已到期", EN: "expired"}, "none"},
	register.GrantEnded: {web.Text{ZH: "已终止", EN: "ended"}, "bad"},
}

// asked is a request as a page of administration shows it.
type asked struct {
	web.Decision
	About []web.Cell
}

// requests are those of a kind that wait for the second person, and those that were approved and are to be carried out.
type requests struct {
	Open, Ready []asked
	May         bool       // carry out, ask for more
	Heads       []web.Text // over what each is about
	At          string     // the list of what is made
}

const maxRequests = 100

// whoAgreed is who asked for something and who agreed, and who ended it since.
type whoAgreed struct {
	Decision web.Decision
	Ended    web.Person
}

func (p pages) agreed(q *web.Request, request, endedBy string) (v whoAgreed, err error) {
	people := q.People(p.Access)
	asked, err := p.Access.Pending(q.Context(), request)
	if err != nil {
		return v, err
	}
	if v.Decision, err = people.Decision(asked); err != nil {
		return v, err
	}
	v.Ended, err = people.Of(endedBy)
	return v, err
}

// requested reads the requests of a kind; about says what one is about.
func (p pages) requested(q *web.Request, k access.Kind, r requests, people *web.People, about func(access.Pending) ([]web.Cell, error)) (requests, error) {
	r.May = q.Actor.Has(access.RoleAdministrator)
	open, err := p.Access.ListOpen(q.Context(), access.Filter{Kind: k, Limit: maxRequests})
	if err != nil {
		return r, err
	}
	ready, err := p.Access.Ready(q.Context(), k, maxRequests)
	if err != nil {
		return r, err
	}
	describe := func(list []access.Pending) (all []asked, err error) {
		for _, one := range list {
			var a asked
			if a.Decision, err = people.Decision(one); err != nil {
				return nil, err
			}
			if a.About, err = about(one); err != nil {
				return nil, err
			}
			all = append(all, a)
		}
		return all, nil
	}
	if r.Open, err = describe(open); err != nil {
		return r, err
	}
	r.Ready, err = describe(ready)
	return r, err
}

func uses(g register.Grant, q *web.Request) (limit, left string) {
	if g.Quota == 0 {
		return q.T("不限", "no limit"), q.T("不限", "no limit")
	}
	return web.Number(g.Quota), web.Number(g.Left())
}

// grants lists who may use which seal, below what waits for a second person.
func (p pages) grants(q *web.Request) error { return p.showGrants(q, nil) }

func (p pages) showGrants(q *web.Request, problem error) error {
	query := q.URL.Query()
	people := q.People(p.Access)
	waiting, err := p.requested(q, access.KindGrant, requests{At: grants, Heads: []web.Text{{ZH: "印章", EN: "Seal"}, {ZH: "被授权人", EN: "Who"}, {ZH: "有效期", EN: "Period"}, {ZH: "次数上限", EN: "Uses"}}}, people, func(r access.Pending) ([]web.Cell, error) {
		g, err := register.ParseGrant(r.Subject)
		if err != nil {
			return []web.Cell{{Text: q.T("无法读取", "not readable")}}, nil
		}
		who, err := people.Of(g.Actor)
		limit, _ := uses(g, q)
		return []web.Cell{{Text: g.SealCode}, {Text: who.Name, Fine: g.Actor}, {Text: web.Minute(g.From) + " – " + web.Minute(g.Until)}, {Text: limit}}, err
	})
	if err != nil {
		return err
	}
	states := web.Filter{Name: "state", Label: web.Text{ZH: "状态", EN: "State"}}
	for _, s := range register.GrantStates {
		states.Options = append(states.Options, web.Option{Value: string(s), Label: grantStates[s].word})
	}
	l := web.List{File: q.T("用印授权", "grants"), Filters: []web.Filter{{Name: "text", Label: web.Text{ZH: "印章、单位或用户名", EN: "Seal, unit or account"}}, states},
		Empty: web.Text{ZH: "还没有用印授权。", EN: "There is no grant yet."},
		Columns: []web.Column{{Label: web.Text{ZH: "印章", EN: "Seal"}}, {Label: web.Text{ZH: "被授权人", EN: "Who"}}, {Label: web.Text{ZH: "类别", EN: "Kind"}},
			{Label: web.Text{ZH: "自", EN: "From"}}, {Label: web.Text{ZH: "至", EN: "Until"}}, {Label: web.Text{ZH: "次数上限", EN: "Uses"}, Number: true}, {Label: web.Text{ZH: "剩余", EN: "Left"}, Number: true},
			{Label: web.Text{ZH: "状态", EN: "State"}}, {Label: web.Text{ZH: "申请 / 审批", EN: "Asked / agreed"}}}}
	return q.ShowList("grants", web.Page{Title: titleGrants, Data: waiting, Problem: problem}, l, func(after string, limit int) ([]web.Row, string, error) {
		found, err := p.Register.Grants(q.Context(), q.Actor, register.GrantFilter{Text: strings.TrimSpace(query.Get("text")), State: register.GrantState(query.Get("state")), After: after, Limit: limit})
		if err != nil {
			return nil, "", err
		}
		var rows []web.Row
		for _, g := range found {
			who, err := people.Of(g.Actor)
			if err != nil {
				return nil, "", err
			}
			asker, err := people.Of(g.Requester)
			if err != nil {
				return nil, "", err
			}
			agreed, err := people.Of(g.Approver)
			if err != nil {
				return nil, "", err
			}
			most, left := uses(g.Grant, q)
			s := grantStates[g.State]
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: g.SealCode, Path: grants + "/" + g.ID, Fine: g.SealName}, {Text: who.Name, Fine: g.Actor}, {Text: who.Kind},
				{Text: web.Minute(g.From)}, {Text: web.Minute(g.Until)}, {Text: most}, {Text: left}, {Text: s.word.In(q.Language), Class: s.class}, {Text: asker.Name + " / " + agreed.Name, Fine: g.Requester + " / " + g.Approver}}})
		}
		if len(found) < limit {
			return rows, "", nil
		}
		return rows, found[len(found)-1].ID, nil
	})
}

// grantForm is what is asked for, as it was typed.
type grantForm struct {
	Seal, Actor, From, Until, Quota string
	Why                             string
	Seals                           []register.Card
	Users                           []access.Actor
}

// maxOffered is how many seals and people are offered to choose from; others are typed.
const maxOffered = 1000

func (p pages) askGrant(q *web.Request) error {
	query := q.URL.Query()
	return p.askGrantAgain(q, grantForm{Seal: query.Get("seal"), Actor: query.Get("actor"), From: civil.Day(q.Now()), Until: civil.Day(q.Now().AddDate(1, 0, 0))}, nil)
}

func (p pages) askGrantAgain(q *web.Request, f grantForm, problem error) (err error) {
	if f.Seals, err = p.Register.Cards(q.Context(), q.Actor, register.CardFilter{Limit: maxOffered}); err != nil {
		return err
	}
	f.Seals = slices.DeleteFunc(f.Seals, func(c register.Card) bool { return c.State == register.Cancelled || c.State == register.Collected })
	everybody, err := p.Access.Actors(q.Context(), "", maxOffered)
	if err != nil {
		return err
	}
	f.Users = slices.DeleteFunc(everybody, func(a access.Actor) bool { return !a.Has(access.RoleOperator) && !a.Has(access.RolePlatform) })
	return q.Show("grant-new", web.Page{Title: web.Text{ZH: "申请用印授权", EN: "Ask for a grant"}, Trail: []web.Item{{Path: grants, Label: titleGrants}}, Data: f, Problem: problem})
}

var errGrantForm = fault.Spec{Kind: fault.Invalid, Code: "page.grant",
	ZH: "请填写起止日期；次数上限填整数，不限时留空。", EN: "Give the first and the last day; the number of uses is a whole number, or empty for no limit."}

func (f grantForm) read() (register.Grant, error) {
	g := register.Grant{SealCode: f.Seal, Actor: f.Actor}
	from, until, err := web.Days(url.Values{"from": {f.From}, "until": {f.Until}})
	switch {
	case err != nil || from.IsZero() || until.IsZero():
		return g, errGrantForm.At(fault.Field("until")).Because(err)
	case f.Quota != "":
		if g.Quota, err = strconv.Atoi(f.Quota); err != nil || g.Quota < 1 {
			return g, errGrantForm.At(fault.Field("quota")).Because(err)
		}
	}
	g.From, g.Until = from, until
	return g, nil
}

// requestGrant asks; an approver decides.
func (p pages) requestGrant(q *web.Request) error {
	value := func(name string) string { return strings.TrimSpace(q.PostFormValue(name)) }
	f := grantForm{Seal: value("seal"), Actor: value("actor"), From: value("from"), Until: value("until"), Quota: value("quota"), Why: value("reason")}
	g, err := f.read()
	if err == nil {
		err = enroll.CheckReason(f.Why)
	}
	if err == nil {
		_, err = p.Register.AskGrant(q.Context(), q.Actor, g, f.Why)
	}
	if err != nil {
		return p.askGrantAgain(q, f, err)
	}
	return q.Go(grants, "asked")
}

// makeGrant makes what was approved.
func (p pages) makeGrant(q *web.Request) error {
	g, err := p.Register.MakeGrant(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return p.showGrants(q, err)
	}
	return q.Go(grants+"/"+g.ID, "granted")
}

// grantPage is one grant, and with which keys it can be used.
type grantPage struct {
	register.GrantCard
	Who         web.Person
	By          whoAgreed
	Text, Class string
	Most, Rest  string
	Keys        []access.APIKey
	May         bool // end it
}

func (p pages) grant(q *web.Request) error { return p.showGrant(q, nil) }

func (p pages) showGrant(q *web.Request, problem error) error {
	ctx := q.Context()
	g, err := p.Register.GrantCard(ctx, q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	v := grantPage{GrantCard: g, Text: grantStates[g.State].word.In(q.Language), Class: grantStates[g.State].class,
		May: q.Actor.Has(access.RoleAdministrator) && g.State != register.GrantEnded && g.State != register.GrantExpired}
	v.Most, v.Rest = uses(g.Grant, q)
	if v.Who, err = q.People(p.Access).Of(g.Actor); err != nil {
		return err
	}
	if v.By, err = p.agreed(q, g.Approval, g.EndedBy); err != nil {
		return err
	}
	if v.Keys, err = p.Access.Keys(ctx, g.Actor); err != nil {
		return err
	}
	v.Keys = slices.DeleteFunc(v.Keys, func(k access.APIKey) bool {
		return k.Revoked || !k.Expires.IsZero() && !k.Expires.After(q.Now()) || !k.Reaches(access.ScopeSealing) || k.CheckSeal(g.SealCode) != nil
	})
	title := fmt.Sprintf("%s · %s", g.SealCode, v.Who.Name)
	return q.Show("grant", web.Page{Title: web.Text{ZH: title, EN: title}, Trail: []web.Item{{Path: grants, Label: titleGrants}}, Data: v, Problem: problem})
}

// endGrant ends a grant at once: one person may, since it only narrows what is possible.
func (p pages) endGrant(q *web.Request) error {
	if err := p.Register.EndGrant(q.Context(), q.Actor, q.PathValue("id"), strings.TrimSpace(q.PostFormValue("reason"))); err != nil {
		return p.showGrant(q, err)
	}
	return q.Go(grants+"/"+q.PathValue("id"), "grant-ended")
}
