// Package desk is the pages of remote issuing (异地出证): what one's archive asks of others and what others ask of it, one case
// with the steps of both sides, the register and the numbers of a year.
package desk

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"net/http"
	"net/url"
	"strings"
	"time"

	"yinxin/api/web"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/issuance"
	"yinxin/sealer/register"
	"yinxin/sealer/view"
)

//go:embed all:templates assets
var files embed.FS

// Config is what these pages work with.
type Config struct {
	Issuance *issuance.Service
	Register *register.Register
	// Draw draws a page of a document.
	Draw  func(ctx context.Context, d sealer.Document, number int, dpi float64) (*view.Picture, error)
	Clock func() time.Time
	// Count counts an order for a seal, and refuses one too many.
	Count func(ctx context.Context, by access.Actor, seal string) error
	// StepTime bounds what one step takes: composing, sealing, verifying.
	StepTime time.Duration
}

type pages struct{ Config }

// maxUpload is the largest form with pages, in bytes.
const maxUpload = 4 * issuance.MaxPart

var (
	operators = []access.Role{access.RoleOperator}

	titleDesk       = web.Text{ZH: "异地出证", EN: "Remote issuing"}
	titleNew        = web.Text{ZH: "新建出证申请", EN: "Ask another archive"}
	titleStatistics = web.Text{ZH: "出证统计", EN: "Statistics"}
	titleCheck      = web.Text{ZH: "核验并接收", EN: "Check and take"}
)

// Area gives the pages.
func Area(c Config) web.Area {
	p := pages{c}
	route := func(method, path string, body int64, h web.Handler) web.Route {
		return web.Route{Method: method, Path: path, Roles: operators, Body: body, Handle: h}
	}
	get := func(path string, h web.Handler) web.Route { return route(http.MethodGet, path, 0, h) }
	post := func(path string, h web.Handler) web.Route { return route(http.MethodPost, path, 0, h) }
	return web.Area{Name: "desk", Files: files, Tiles: p.tiles, Notices: notices,
		Menu: []web.Item{{Path: "/desk", Label: web.Text{ZH: "出证业务", EN: "Cases"}, Roles: operators, Group: titleDesk},
			{Path: "/desk/statistics", Label: titleStatistics, Roles: operators, Group: titleDesk}},
		Routes: []web.Route{
			get("/desk", p.list), get("/desk/register.xlsx", p.register), get("/desk/statistics", p.statistics),
			get("/desk/new", p.ask), post("/desk/new", p.open),
			get("/desk/{id}", p.show), post("/desk/{id}/cancel", p.cancel), post("/desk/{id}/answer", p.answer), post("/desk/{id}/unmask", p.unmask),
			route(http.MethodPost, "/desk/{id}/pages", maxUpload, p.addPages), post("/desk/{id}/arrange", p.arrange),
			get("/desk/{id}/parts/{number}/pages/{page}", p.picture), get("/desk/{id}/preview", p.preview),
			post("/desk/{id}/issue", p.issue), post("/desk/{id}/discard", p.discard), post("/desk/{id}/withdraw", p.withdraw),
			get("/desk/{id}/check", p.check), route(http.MethodPost, "/desk/{id}/receive", issuance.MaxPart+1<<20, p.receive), post("/desk/{id}/deliver", p.deliver),
		}}
}

var notices = map[string]web.Text{
	"opened":    {ZH: "申请已提交，等待对方档案馆答复。", EN: "The request was sent; the other archive has to answer."},
	"existed":   {ZH: "这项申请已经提交过，没有重复建立。", EN: "This request had been sent before; it was not opened twice."},
	"cancelled": {ZH: "申请已取消。", EN: "The request was taken back."},
	"answered":  {ZH: "答复已登记。", EN: "The answer is recorded."},
	"pages":     {ZH: "页面已更新，请核对缩略图。", EN: "The pages were changed: look at them."},
	"issued":    {ZH: "复制件已盖章并出具，已自动验证。", EN: "The copy is sealed and issued; it was verified."},
	"waits":     {ZH: "已提交到您的签章终端，请用 UKey 盖章。", EN: "The copy waits at your terminal for your USB Key."},
	"discarded": {ZH: "组稿已撤销，可以重新整理页面。", EN: "The composed copy was taken apart; pages can be changed."},
	"received":  {ZH: "复制件验证通过，已接收。", EN: "The copy passed its verification and is taken."},
	"delivered": {ZH: "已登记交付。", EN: "That it was handed over is recorded."},
	"withdrawn": {ZH: "复制件已撤回，凭验证码查询的人会看到。", EN: "The copy is withdrawn; whoever looks it up is told."},
}

// tiles say what waits for an archive.
func (p pages) tiles(ctx context.Context, actor access.Actor) ([]web.Tile, error) {
	if !actor.Has(access.RoleOperator) {
		return nil, nil
	}
	w, err := p.Issuance.Waiting(ctx, actor)
	if err != nil {
		return nil, err
	}
	return []web.Tile{
		{Label: web.Text{ZH: "异地出证：待我馆答复", EN: "requests to answer"}, Path: "/desk?side=in&state=requested", Count: w.Answer},
		{Label: web.Text{ZH: "其中已超期", EN: "of these overdue"}, Path: "/desk?side=in&state=overdue", Count: w.Overdue, Urgent: true},
		{Label: web.Text{ZH: "已查到，待出具", EN: "found, to be issued"}, Path: "/desk?side=in&state=found", Count: w.Issue},
		{Label: web.Text{ZH: "已出具，待核验接收", EN: "to check and take"}, Path: "/desk?side=out&state=issued", Count: w.Receive},
		{Label: web.Text{ZH: "已接收，待交付申请人", EN: "to hand over"}, Path: "/desk?side=out&state=received", Count: w.Deliver},
	}, nil
}

// stateLook is a state in words, and the colour of its badge.
var stateLooks = map[issuance.State]struct{ en, class string }{
	issuance.Requested: {"waits for an answer", "note"}, issuance.Found: {"found", "note"}, issuance.Composed: {"waits for its seal", "note"},
	issuance.Issued: {"issued", "good"}, issuance.Received: {"taken", "good"}, issuance.Delivered: {"handed over", "good"},
	issuance.Declined: {"not provided", "none"}, issuance.Cancelled: {"taken back", "none"}, issuance.Withdrawn: {"withdrawn", "bad"},
}

func stateWord(s issuance.State) web.Text { return web.Text{ZH: s.Label(), EN: stateLooks[s].en} }

// overdue is the choice of the filter that is no state.
const overdue = "overdue"

func stateOptions() []web.Option {
	list := []web.Option{{Value: overdue, Label: web.Text{ZH: "超期未答复", EN: "overdue"}}}
	for _, s := range []issuance.State{issuance.Requested, issuance.Found, issuance.Composed, issuance.Issued, issuance.Received, issuance.Delivered,
		issuance.Declined, issuance.Cancelled, issuance.Withdrawn} {
		list = append(list, web.Option{Value: string(s), Label: stateWord(s)})
	}
	return list
}

// filterOf is the filter that an address says.
func filterOf(v url.Values) issuance.Filter {
	f := issuance.Filter{Side: v.Get("side"), State: issuance.State(v.Get("state")), From: v.Get("from"), Until: v.Get("until"), Text: strings.TrimSpace(v.Get("text"))}
	if f.State == overdue {
		f.State, f.Overdue = "", true
	}
	return f
}

func (p pages) list(q *web.Request) error {
	query := q.URL.Query()
	l := web.List{Empty: web.Text{ZH: "还没有异地出证业务。", EN: "There is no case yet."},
		Filters: []web.Filter{{Name: "side", Label: web.Text{ZH: "方向", EN: "Direction"}, Options: []web.Option{
			{Value: "in", Label: web.Text{ZH: "转入（请我馆查）", EN: "asked of us"}}, {Value: "out", Label: web.Text{ZH: "转出（我馆请查）", EN: "asked by us"}}}},
			{Name: "state", Label: web.Text{ZH: "状态", EN: "State"}, Options: stateOptions()}, {Name: "from", Label: web.Text{ZH: "申请日期自", EN: "Opened from"}, Kind: "date"},
			{Name: "until", Label: web.Text{ZH: "至", EN: "until"}, Kind: "date"}, {Name: "text", Label: web.Text{ZH: "编号、档号、档案馆", EN: "Number or archive"}}},
		Columns: []web.Column{{Label: web.Text{ZH: "业务编号", EN: "Case"}}, {Label: web.Text{ZH: "方向", EN: "Direction"}}, {Label: web.Text{ZH: "对方档案馆", EN: "Other archive"}},
			{Label: web.Text{ZH: "申请人", EN: "Applicant"}}, {Label: web.Text{ZH: "查找内容", EN: "Sought"}}, {Label: web.Text{ZH: "申请时间", EN: "Opened"}},
			{Label: web.Text{ZH: "答复期限", EN: "Term"}}, {Label: web.Text{ZH: "状态", EN: "State"}}}}
	f := filterOf(query)
	query.Del("after")
	data := struct{ Register string }{"/desk/register.xlsx?" + query.Encode()}
	return q.ShowList("list", web.Page{Title: titleDesk, Data: data, Styles: []string{"desk.css"}}, l, func(after string, limit int) (rows []web.Row, next string, err error) {
		f.After, f.Limit = after, limit
		found, err := p.Issuance.Cases(q.Context(), q.Actor, f)
		for _, c := range found {
			rows = append(rows, p.row(q, c))
		}
		if len(found) == limit {
			next = found[limit-1].ID
		}
		return rows, next, err
	})
}

func (p pages) row(q *web.Request, c issuance.Case) web.Row {
	direction, other := q.T("转入", "in"), c.Receiving
	if c.Receiving == q.Actor.Organisation {
		direction, other = q.T("转出", "out"), c.Holding
	}
	term := web.Cell{Text: civil.Minute(c.DueAt)}
	if c.Overdue && c.State == issuance.Requested {
		term.Text, term.Class = q.T("已超期 ", "overdue ")+civil.Minute(c.DueAt), "bad"
	}
	return web.Row{Cells: []web.Cell{{Text: c.Number, Path: "/desk/" + c.ID}, {Text: direction}, {Text: other}, {Text: c.Applicant.Name},
		{Text: short(c.Applicant.Sought, 24)}, {Text: civil.Minute(c.OpenedAt)}, term, {Text: stateWord(c.State).In(q.Language), Class: stateLooks[c.State].class}}}
}

func short(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

func (p pages) register(q *web.Request) error {
	var b bytes.Buffer
	if err := p.Issuance.Export(q.Context(), q.Actor, filterOf(q.URL.Query()), &b); err != nil {
		return err
	}
	q.W.Header().Set("Content-Disposition", `attachment; filename="register.xlsx"; filename*=UTF-8''`+url.PathEscape("异地出证登记簿.xlsx"))
	return q.Attachment("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b.Bytes())
}

// request is the form of a new request, as typed.
type request struct {
	Archives                                 []string
	Key                                      string // so that a request is opened once, however often it is sent
	Holding, Name, Identity, Purpose, Sought string
}

func (p pages) ask(q *web.Request) error { return p.askAgain(q, request{}, nil) }

func (p pages) askAgain(q *web.Request, r request, problem error) error {
	all, err := p.Issuance.Archives(q.Context())
	if err != nil {
		return err
	}
	for _, name := range all {
		if name != q.Actor.Organisation {
			r.Archives = append(r.Archives, name)
		}
	}
	r.Key = strings.ToLower(rand.Text())
	return q.Show("new", web.Page{Title: titleNew, Trail: []web.Item{{Path: "/desk", Label: titleDesk}}, Data: r, Problem: problem, Styles: []string{"desk.css"}})
}

func (p pages) open(q *web.Request) error {
	typed := func(name string) string { return strings.TrimSpace(q.PostFormValue(name)) }
	r := request{Holding: typed("holding"), Name: typed("name"), Identity: typed("identity"), Purpose: typed("purpose"), Sought: strings.Join(strings.Fields(typed("sought")), " ")}
	key := typed("key")
	if key == "" || len(key) > 100 {
		return p.askAgain(q, r, errForm.New())
	}
	c, existed, err := p.Issuance.Open(q.Context(), q.Actor, issuance.Request{Holding: r.Holding, Key: "page:" + key,
		Applicant: issuance.Applicant{Name: r.Name, Identity: r.Identity, Purpose: r.Purpose, Sought: r.Sought}})
	if _, known := fault.Of(err); known {
		return p.askAgain(q, r, err)
	}
	if err != nil {
		return err
	}
	said := "opened"
	if existed {
		said = "existed"
	}
	return q.Go("/desk/"+c.ID, said)
}

var errForm = fault.Spec{Kind: fault.Invalid, Code: "desk.form", ZH: "表单不完整，请重新打开页面再提交。", EN: "The form is incomplete: open the page again."}
