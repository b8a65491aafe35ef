// Package admin is the pages of administrators: people, their accounts, sessions, roles and API keys; who may use which
// seal, whose certificates are trusted, the terminals of clerks, what runs in the background, and what the service listens on.
package admin

import (
	"context"
	"crypto/rand"
	"embed"
	"net/http"
	"slices"
	"strings"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/jobs"
	"yinxin/internal/login"
	"yinxin/internal/login/oidc"
	"yinxin/sealer/register"
	"yinxin/sealer/terminal"
)

//go:embed all:templates
var files embed.FS

// Config is what these pages work with.
type Config struct {
	Access   *access.Service
	Login    *login.Service
	OIDC     *oidc.Providers // nil: there are none
	Register *register.Register
	// Authority has the trust anchors; Retrust lets a change of them count at once in this process, nil: it comes to count.
	Authority *ca.Authority
	Retrust   func(ctx context.Context) error
	// Jobs is the work in the background. Nil: there is no page of it.
	Jobs *jobs.Desk
	// Terminals are those of clerks. Nil: there is no page of them.
	Terminals *terminal.Service
	// Listeners are what the service listens on. Nil: there is no page of them.
	Listeners []Listener
	// Receive takes a whole upload of one of the types, at most max bytes; done gives its room back.
	Receive func(r *http.Request, max int64, media ...string) (name string, data []byte, done func(), err error)
}

type pages struct{ Config }

var (
	administrators = []access.Role{access.RoleAdministrator}
	readers        = []access.Role{access.RoleAdministrator, access.RoleAuditor}
)

const (
	people    = "/admin/people"
	grants    = "/admin/grants"
	anchors   = "/admin/anchors"
	work      = "/admin/jobs"
	terminals = "/admin/terminals"
	listeners = "/admin/listeners"
)

var notices = map[string]web.Text{
	"added": {ZH: "已登记。还没有角色，也没有密码。", EN: "Recorded, without a role and without a password."}, "unlocked": {ZH: "账号已解锁。", EN: "The account is open again."},
	"ended": {ZH: "已结束。", EN: "It has ended."}, "asked": {ZH: "已提交，等待另一人审批。", EN: "Asked for: another person approves."}, "withdrawn": {ZH: "角色已收回。", EN: "The role was taken away."},
	"retired": {ZH: "该人员已停用，不能再登录。", EN: "They are retired and can sign in no more."}, "given": {ZH: "角色已授予。", EN: "The role was given."},
	"linked": {ZH: "已关联，该人员可用统一身份认证登录。", EN: "Linked: they can sign in at the identity provider."}, "unlinked": {ZH: "关联已解除，经由它的登录已结束。", EN: "The link and the sessions opened by it have ended."},
	"usb-key-ended": {ZH: "已解除，用它登录的会话已结束。", EN: "The USB Key and the sessions opened by it have ended."},
	"granted":       {ZH: "授权已生效。", EN: "The grant is made."}, "grant-ended": {ZH: "授权已终止，立即生效。", EN: "The grant has ended, at once."},
	"anchored": {ZH: "信任锚已导入。", EN: "The trust anchor was imported."}, "anchor-removed": {ZH: "已移除，立即生效。", EN: "The trust has ended, at once."},
	"job-retried": {ZH: "已安排立即重试。", EN: "It runs again at once."}, "job-cancelled": {ZH: "任务已取消。", EN: "The job was cancelled."}, "job-discarded": {ZH: "任务已移出列表。", EN: "The job is off the list."},
	"unpaired":      {ZH: "配对已解除，立即生效。", EN: "The pairing has ended, at once."},
	"list-imported": {ZH: "吊销列表已导入。", EN: "The revocation list was imported."},
}

// Area gives the pages.
func Area(c Config) web.Area {
	p := pages{c}
	area := web.Area{Name: "admin", Files: files, Notices: notices, Routes: p.routes(), Menu: []web.Item{
		{Path: people, Label: titlePeople, Roles: administrators},
		{Path: grants, Label: titleGrants, Roles: readers, Group: web.Holdings},
		{Path: anchors, Label: titleAnchors, Roles: readers, Group: web.Holdings},
	}}
	if p.Terminals != nil {
		area.Menu = append(area.Menu, web.Item{Path: terminals, Label: titleTerminals, Roles: administrators})
	}
	if p.Jobs != nil {
		area.Menu = append(area.Menu, web.Item{Path: work, Label: titleJobs, Roles: administrators})
		area.Tiles = p.tiles
	}
	if p.Listeners != nil {
		area.Menu = append(area.Menu, web.Item{Path: listeners, Label: titleListeners, Roles: readers, Group: web.Holdings})
	}
	return area
}

func (p pages) routes() []web.Route {
	var all []web.Route
	get := func(path string, roles []access.Role, h web.Handler) {
		all = append(all, web.Route{Method: http.MethodGet, Path: path, Roles: roles, Handle: h})
	}
	post := func(path string, h web.Handler) {
		all = append(all, web.Route{Method: http.MethodPost, Path: path, Roles: administrators, Handle: h})
	}
	upload := func(path string, max int64, h web.Handler) {
		all = append(all, web.Route{Method: http.MethodPost, Path: path, Roles: administrators, Handle: h, Body: max})
	}
	get(people, administrators, p.list)
	get(people+"/new", administrators, p.ask)
	post(people+"/new", p.add)
	get(people+"/{id}", administrators, p.one)
	post(people+"/{id}/password", p.password)
	post(people+"/{id}/unlock", p.unlock)
	post(people+"/{id}/end-session", p.endSession)
	post(people+"/{id}/ask-role", p.askRole)
	post(people+"/{id}/give-role", p.giveRole)
	post(people+"/{id}/withdraw-role", p.withdrawRole)
	post(people+"/{id}/retire", p.retire)
	post(people+"/{id}/link", p.link)
	post(people+"/{id}/end-link", p.endLink)
	post(people+"/{id}/end-usb-key", p.endUSBKey)
	post(people+"/{id}/keys", p.makeKey)
	post(people+"/{id}/end-key", p.endKey)

	get(grants, readers, p.grants)
	get(grants+"/new", administrators, p.askGrant)
	post(grants+"/new", p.requestGrant)
	get(grants+"/{id}", readers, p.grant)
	post(grants+"/{id}/end", p.endGrant)
	post(grants+"/requests/{id}/carry-out", p.makeGrant)

	get(anchors, readers, p.anchors)
	get(anchors+"/new", administrators, p.askAnchor)
	upload(anchors+"/new", 2*chain.MaxCertificate+64<<10, p.requestAnchor) // as a file or as text
	upload(anchors+"/lists", ca.MaxForeignCRL+1<<20, p.importCRL)
	get(anchors+"/{id}", readers, p.anchor)
	post(anchors+"/{id}/remove", p.removeAnchor)
	post(anchors+"/requests/{id}/carry-out", p.importAnchor)

	if p.Terminals != nil {
		get(terminals, administrators, p.terminals)
		get(terminals+"/{id}", administrators, p.terminal)
		post(terminals+"/{id}/end", p.endTerminal)
	}
	if p.Jobs != nil {
		get(work, administrators, p.jobs)
		get(work+"/{id}", administrators, p.job)
		post(work+"/{id}/retry", p.changeJob("job-retried", p.Jobs.Retry))
		post(work+"/{id}/cancel", p.changeJob("job-cancelled", p.Jobs.Cancel))
		post(work+"/{id}/discard", p.changeJob("job-discarded", p.Jobs.Discard))
	}
	if p.Listeners != nil {
		get(listeners, readers, p.listeners)
	}
	return all
}

var titlePeople = web.Text{ZH: "人员", EN: "People"}

// list shows everybody who is not retired. A text filters what a page of people holds; the list goes on behind it.
func (p pages) list(q *web.Request) error {
	text := strings.ToLower(strings.TrimSpace(q.URL.Query().Get("text")))
	role := access.Role(q.URL.Query().Get("role"))
	roles := web.Filter{Name: "role", Label: web.Text{ZH: "角色", EN: "Role"}}
	for r, word := range web.RoleWords {
		roles.Options = append(roles.Options, web.Option{Value: string(r), Label: word})
	}
	slices.SortFunc(roles.Options, func(a, b web.Option) int { return strings.Compare(a.Value, b.Value) })
	list := web.List{File: q.T("人员", "people"), Filters: []web.Filter{{Name: "text", Label: web.Text{ZH: "姓名、用户名或单位", EN: "Name, account or organisation"}}, roles},
		Columns: []web.Column{{Label: web.Text{ZH: "用户名", EN: "Account"}}, {Label: web.Text{ZH: "姓名", EN: "Name"}}, {Label: web.Text{ZH: "单位", EN: "Organisation"}}, {Label: web.Text{ZH: "角色", EN: "Roles"}}}}
	return q.ShowList("people", web.Page{Title: titlePeople}, list, func(after string, limit int) (rows []web.Row, next string, err error) {
		for len(rows) < limit {
			found, err := p.Access.Actors(q.Context(), after, limit)
			if err != nil {
				return nil, "", err
			}
			for _, a := range found {
				if len(rows) == limit {
					return rows, after, nil
				}
				after = a.ID
				if role != "" && !a.Has(role) || text != "" && !strings.Contains(strings.ToLower(a.ID+"\n"+a.Name+"\n"+a.Organisation), text) {
					continue
				}
				rows = append(rows, web.Row{Cells: []web.Cell{{Text: a.ID, Path: people + "/" + a.ID}, {Text: a.Name}, {Text: a.Organisation}, {Text: q.Roles(a.Roles)}}})
			}
			if len(found) < limit {
				return rows, "", nil
			}
		}
		return rows, after, nil
	})
}

func (p pages) ask(q *web.Request) error { return p.askAgain(q, access.Actor{}, nil) }

func (p pages) askAgain(q *web.Request, a access.Actor, problem error) error {
	return q.Show("new", web.Page{Title: web.Text{ZH: "登记人员", EN: "Record somebody"}, Trail: []web.Item{{Path: people, Label: titlePeople}}, Data: a, Problem: problem})
}

func (p pages) add(q *web.Request) error {
	a := access.Actor{ID: strings.TrimSpace(q.PostFormValue("id")), Name: strings.TrimSpace(q.PostFormValue("name")), Organisation: strings.TrimSpace(q.PostFormValue("organisation"))}
	made, err := p.Access.CreateActor(q.Context(), a)
	if err != nil {
		return p.askAgain(q, a, err)
	}
	return q.Go(people+"/"+made.ID, "added")
}

// person is what the page of somebody shows. Secret is a password or key that was just made: it is shown this once.
type person struct {
	access.Actor
	Roles    []roleLine
	Missing  []roleLine
	Asked    []roleRequest
	Account  login.Account
	Locked   bool
	Sessions []login.OpenSession
	Keys     []access.APIKey
	Links    []linked
	USBKeys  []usbKey
	Offers   []oidc.Offer
	Scopes   []string
	Networks []networkLine
	Password string
	Secret   string
	Self     bool
}

type networkLine struct {
	Network string
	Word    web.Text
}

var networks = []networkLine{{access.GovernmentNetwork, web.Text{ZH: "政务外网", EN: "government network"}}, {access.Internet, web.Text{ZH: "互联网", EN: "internet"}}}

type roleLine struct {
	Role access.Role
	Word web.Text
}

func (p pages) one(q *web.Request) error { return p.show(q, person{}, nil) }

// show shows somebody, with what was just made for them.
func (p pages) show(q *web.Request, v person, problem error) error {
	ctx := q.Context()
	var err error
	if v.Actor, err = p.Access.Actor(ctx, q.PathValue("id")); err != nil {
		return err
	}
	if v.Account, err = p.Login.Account(ctx, v.ID); err != nil {
		return err
	}
	if v.Sessions, err = p.Login.Sessions(ctx, q.Actor, v.ID); err != nil {
		return err
	}
	if v.Keys, err = p.Access.Keys(ctx, v.ID); err != nil {
		return err
	}
	if v.Links, err = p.links(q, v.ID); err != nil {
		return err
	}
	if v.USBKeys, err = p.usbKeys(q, v.Actor); err != nil {
		return err
	}
	v.Offers = p.OIDC.Offered("")
	v.Locked, v.Scopes, v.Networks, v.Self = v.Account.LockedUntil.After(q.Now()), access.Scopes, networks, v.ID == q.Actor.ID
	for r, word := range web.RoleWords {
		line := roleLine{r, word}
		if v.Has(r) {
			v.Roles = append(v.Roles, line)
		} else if len(v.Actor.Roles) == 0 || r.Side() == v.Actor.Roles[0].Side() {
			v.Missing = append(v.Missing, line)
		}
	}
	if v.Asked, err = p.roleRequests(q, v.ID); err != nil {
		return err
	}
	for _, lines := range [][]roleLine{v.Roles, v.Missing} {
		slices.SortFunc(lines, func(a, b roleLine) int { return strings.Compare(string(a.Role), string(b.Role)) })
	}
	return q.Show("person", web.Page{Title: web.Text{ZH: v.Name, EN: v.Name}, Trail: []web.Item{{Path: people, Label: titlePeople}}, Data: v, Problem: problem})
}

// roleRequest asks for a role for somebody: it waits for the second person, or was approved and is to be carried out.
type roleRequest struct {
	web.Decision
	Role access.Role
	Word web.Text
}

func (p pages) roleRequests(q *web.Request, actorID string) (all []roleRequest, err error) {
	const limit = 1000
	ready, err := p.Access.Ready(q.Context(), access.KindGrantRole, limit)
	if err != nil {
		return nil, err
	}
	open, err := p.Access.ListOpen(q.Context(), access.Filter{Kind: access.KindGrantRole, Limit: limit})
	if err != nil {
		return nil, err
	}
	people := q.People(p.Access)
	for _, one := range append(ready, open...) {
		who, role, ok := access.ParseGrantSubject(one.Subject)
		if !ok || who != actorID {
			continue
		}
		decision, err := people.Decision(one)
		if err != nil {
			return nil, err
		}
		all = append(all, roleRequest{decision, role, web.RoleWords[role]})
	}
	return all, nil
}

// after leads back to somebody's page, or shows it with what was wrong.
func (p pages) after(q *web.Request, err error, notice string) error {
	if err != nil {
		return p.show(q, person{}, err)
	}
	return q.Go(people+"/"+q.PathValue("id"), notice)
}

// password sets a password made up here, which is shown this once and changed at the first login.
func (p pages) password(q *web.Request) error {
	word := strings.ToLower(rand.Text()[:16])
	if err := p.Login.ResetPassword(q.Context(), q.Actor, q.PathValue("id"), word); err != nil {
		return p.show(q, person{}, err)
	}
	return p.show(q, person{Password: word}, nil)
}

func (p pages) unlock(q *web.Request) error {
	return p.after(q, p.Login.Unlock(q.Context(), q.Actor, q.PathValue("id")), "unlocked")
}

func (p pages) endSession(q *web.Request) error {
	return p.after(q, p.Login.EndSession(q.Context(), q.Actor, q.PathValue("id"), q.PostFormValue("session")), "ended")
}

// askRole asks for a role; an approver decides, and then it is given.
func (p pages) askRole(q *web.Request) error {
	why := strings.TrimSpace(q.PostFormValue("reason"))
	err := enroll.CheckReason(why)
	if err == nil {
		_, err = p.Access.RequestBecause(q.Context(), q.Actor, access.KindGrantRole, access.GrantSubject(q.PathValue("id"), access.Role(q.PostFormValue("role"))), why)
	}
	return p.after(q, err, "asked")
}

func (p pages) giveRole(q *web.Request) error {
	return p.after(q, p.Access.GrantRole(q.Context(), strings.TrimSpace(q.PostFormValue("approval")), q.PathValue("id"), access.Role(q.PostFormValue("role"))), "given")
}

func (p pages) withdrawRole(q *web.Request) error {
	return p.after(q, p.Access.WithdrawRole(q.Context(), q.Actor, q.PathValue("id"), access.Role(q.PostFormValue("role"))), "withdrawn")
}

func (p pages) retire(q *web.Request) error {
	if err := p.Access.RetireActor(q.Context(), q.Actor, q.PathValue("id")); err != nil {
		return p.show(q, person{}, err)
	}
	return q.Go(people, "retired")
}

func (p pages) makeKey(q *web.Request) error {
	t := access.KeyTerms{Label: strings.TrimSpace(q.PostFormValue("label")), Only: access.Only{Scopes: q.PostForm["scope"], Seals: strings.Fields(q.PostFormValue("seals")),
		Networks: q.PostForm["network"]}}
	if days := map[string]int{"30": 30, "90": 90, "365": 365}[q.PostFormValue("days")]; days > 0 {
		t.Expires = q.Now().AddDate(0, 0, days)
	}
	secret, err := p.Access.MakeKey(q.Context(), q.Actor, q.PathValue("id"), t)
	return p.show(q, person{Secret: secret}, err)
}

func (p pages) endKey(q *web.Request) error {
	id := q.PostFormValue("key")
	keys, err := p.Access.Keys(q.Context(), q.PathValue("id"))
	if err == nil && !slices.ContainsFunc(keys, func(k access.APIKey) bool { return k.ID == id }) {
		err = access.ErrKeyNotFound.New()
	}
	if err == nil {
		err = p.Access.RevokeKey(q.Context(), q.Actor.ID, id)
	}
	return p.after(q, err, "ended")
}
