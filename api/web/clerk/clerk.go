// Package clerk is the pages of people who seal: their seals, new sealings of a document, tasks for a USB Key, the
// terminals paired with them, batches, and what they sealed.
package clerk

import (
	"context"
	"embed"
	"encoding/json"
	"html/template"
	"math"
	"net/http"
	"time"

	"yinxin/api/web"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/sealer"
	"yinxin/sealer/batch"
	"yinxin/sealer/issuance/compose"
	"yinxin/sealer/register"
	"yinxin/sealer/terminal"
)

//go:embed all:templates assets
var files embed.FS

// Config is what these pages work with.
type Config struct {
	Sealer   *sealer.Service
	Register *register.Register
	// Terminals serves sealing with USB Keys. Nil: there is none.
	Terminals *terminal.Service
	// Batches seals many documents for one order. Nil: there are none.
	Batches *batch.Service
	Clock   func() time.Time
	// MaxUpload is the largest document in bytes.
	MaxUpload int64
	// Count counts an order for a seal, and refuses one too many.
	Count func(ctx context.Context, by access.Actor, seal string) error
	// Bind makes a PDF of scanned pages.
	Bind func(ctx context.Context, list ...compose.Scan) ([]byte, error)
	// Ledger proves what is on record.
	Ledger *ledger.Ledger
	// Verdict verifies a document as anyone who holds it could, and gives what the page for that says, as HTML.
	Verdict func(ctx context.Context, d sealer.Document, language string) (template.HTML, error)
	// Agents is a folder with the programs for terminals, as make agents leaves them. Empty: there are none to be had.
	Agents string
	// Stopping ends when the service is about to stop.
	Stopping <-chan struct{}
}

type pages struct{ Config }

// maxBatchBody is the largest form of a batch, in bytes.
const maxBatchBody = 4 << 30

var clerks = []access.Role{access.RoleOperator}

// Area gives the pages.
func Area(c Config) web.Area {
	p := pages{c}
	get := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Path: path, Roles: clerks, Handle: h}
	}
	post := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodPost, Path: path, Roles: clerks, Handle: h}
	}
	area := web.Area{Name: "clerk", Files: files,
		Menu: []web.Item{{Path: "/clerk", Label: titleSeals, Roles: clerks}, {Path: "/clerk/new", Label: titleNew, Roles: clerks},
			{Path: "/clerk/log", Label: titleLog, Roles: clerks}},
		Notices: map[string]web.Text{
			"sealed": {ZH: "盖章完成，文件已自动验证。", EN: "The document is sealed, and was verified."},
		},
		Routes: []web.Route{
			get("/clerk", p.seals), get("/clerk/seals/{code}/picture", p.picture),
			get("/clerk/new", p.choose), {Method: http.MethodPost, Path: "/clerk/new", Roles: clerks, Body: c.MaxUpload + 1<<20, Handle: p.receive},
			get("/clerk/documents/{id}", p.desk), get("/clerk/documents/{id}/pages/{number}", p.page), post("/clerk/documents/{id}/seal", p.seal),
			get("/clerk/sealings/{id}", p.sealed), get("/clerk/sealings/{id}/verification", p.verified), get("/clerk/log", p.log),
		}}
	if c.Batches != nil {
		area.Menu = append(area.Menu, web.Item{Path: "/clerk/batches", Label: titleBatches, Roles: clerks})
		area.Routes = append(area.Routes, get("/clerk/batches", p.batches), get("/clerk/batches/new", p.askBatch),
			web.Route{Method: http.MethodPost, Path: "/clerk/batches/new", Roles: clerks, Body: maxBatchBody, Handle: p.makeBatch},
			get("/clerk/batches/{id}", p.batch), get("/clerk/batches/{id}/events", p.batchEvents), post("/clerk/batches/{id}/cancel", p.cancelBatch), post("/clerk/batches/{id}/retry", p.retryBatch))
	}
	if c.Terminals != nil {
		group := web.Text{ZH: "UKey", EN: "USB Key"}
		area.Menu = append(area.Menu, web.Item{Path: "/clerk/tasks", Label: titleTasks, Roles: clerks, Group: group}, web.Item{Path: web.TerminalsPath, Label: web.TitleTerminals, Roles: clerks, Group: group})
		area.Routes = append(area.Routes, get("/clerk/tasks", p.tasks), get("/clerk/tasks/{id}", p.task), get("/clerk/tasks/{id}/events", p.taskEvents),
			post("/clerk/tasks/{id}/cancel", p.cancelTask), post("/clerk/tasks/{id}/retry", p.retryTask))
		area.Tiles = p.tiles
	}
	return area
}

var (
	titleSeals = web.Text{ZH: "我的印章", EN: "My seals"}
	titleNew   = web.Text{ZH: "新建盖章", EN: "New sealing"}
	titleLog   = web.Text{ZH: "用印记录", EN: "My log"}
	titleTasks = web.Text{ZH: "UKey 任务", EN: "USB Key tasks"}
)

// sealCard is a seal as its user sees it.
type sealCard struct {
	register.Listed
	Word, Class string // of the state
	Key         bool   // its key is on the user's USB Key
	ValidUntil  time.Time
	Days        int // until the certificate ends; -1 when that is far away
	From, Until time.Time
	Why         string // a sentence, when it cannot be used
}

// soon is from how many days before its end a certificate is spoken of.
const soon = 60

func (p pages) cards(q *web.Request) ([]sealCard, error) {
	list, err := p.Register.Seals(q.Context(), q.Actor)
	if err != nil {
		return nil, err
	}
	now := p.Clock()
	cards := make([]sealCard, 0, len(list))
	for _, l := range list {
		c := sealCard{Listed: l, Key: l.Custody == register.UserKey, Days: -1}
		c.Word, c.Class = stateWord(l.State, q.Language)
		for text, to := range map[string]*time.Time{l.ValidUntil: &c.ValidUntil, l.GrantedFrom: &c.From, l.GrantedUntil: &c.Until} {
			*to, _ = time.Parse(time.RFC3339, text) // empty where there is none
		}
		if left := c.ValidUntil.Sub(now).Hours() / 24; !c.ValidUntil.IsZero() && left < soon {
			c.Days = int(math.Max(0, math.Floor(left)))
		}
		if !l.Usable {
			c.Class, c.Why = "bad", p.why(l.Reason, q.Language)
		}
		cards = append(cards, c)
	}
	return cards, nil
}

var stateWords = map[register.State]struct {
	word  web.Text
	class string
}{
	register.Making: {web.Text{ZH: "制作中", EN: "being made"}, "note"}, register.Active: {web.Text{ZH: "已启用", EN: "in use"}, "good"},
	register.Suspended: {web.Text{ZH: "已停用", EN: "suspended"}, "doubt"}, register.Collected: {web.Text{ZH: "已收缴", EN: "collected"}, "none"},
	register.Cancelled: {web.Text{ZH: "已注销", EN: "cancelled"}, "none"},
}

func stateWord(s register.State, language string) (word, class string) {
	w := stateWords[s]
	return w.word.In(language), w.class
}

// reasons are said otherwise here than where a seal is refused.
var reasons = map[string]web.Text{
	"seal.not-granted":         {ZH: "您没有生效中的用印授权。", EN: "You have no grant in force."},
	"seal.quota-exhausted":     {ZH: "本次授权的次数已用完。", EN: "All uses of the grant are made."},
	"seal.suspended":           {ZH: "印章已停用。", EN: "The seal is suspended."},
	"seal.cancelled":           {ZH: "印章已注销或收缴。", EN: "The seal is cancelled or collected."},
	"seal.not-ready":           {ZH: "印章尚在制作或等待接受。", EN: "The seal is being made, or waits to be accepted."},
	"seal.expired":             {ZH: "印章已过有效期。", EN: "The seal has expired."},
	"seal.certificate-revoked": {ZH: "印章的证书已撤销。", EN: "The certificate of the seal is revoked."},
}

// why is the sentence of a code.
func (p pages) why(code, language string) string {
	if t, ok := reasons[code]; ok {
		return t.In(language)
	}
	if s, ok := fault.Find(code); ok {
		return web.Text{ZH: s.ZH, EN: s.EN}.In(language)
	}
	return web.Text{ZH: "没有完成（" + code + "）。", EN: "Not done (" + code + ")."}.In(language)
}

func (p pages) seals(q *web.Request) error {
	cards, err := p.cards(q)
	if err != nil {
		return err
	}
	return q.Show("seals", web.Page{Title: titleSeals, Data: cards, Styles: []string{"clerk.css"}})
}

func (p pages) picture(q *web.Request) error {
	png, err := p.Register.Picture(q.Context(), q.Actor, q.PathValue("code"))
	if err != nil {
		return err
	}
	return q.File("image/png", png)
}

// asJSON is what a page's script reads from a data element.
func asJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}
