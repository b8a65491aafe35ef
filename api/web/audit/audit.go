// Package audit is the pages of auditors: what was sealed, the ledger, and its proofs, which are checked in front of the
// reader.
package audit

import (
	"context"
	"embed"
	"net/http"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/sealer"
	"yinxin/sealer/register"
)

//go:embed all:templates assets
var files embed.FS

var styles = []string{"audit.css"}

// Config is what these pages work with.
type Config struct {
	Sealer   *sealer.Service
	Register *register.Register
	Access   *access.Service
	Ledger   *ledger.Ledger // with its key
	// Restores are those from backups, which explain that the ledger does not have what a kept checkpoint says.
	Restores func(context.Context) ([]ca.Restore, error)
}

type pages struct {
	Config
	// whole lets one reader at a time have the whole ledger checked.
	whole chan struct{}
}

var auditors = []access.Role{access.RoleAuditor}

// Area gives the pages.
func Area(c Config) web.Area {
	p := pages{Config: c, whole: make(chan struct{}, 1)}
	get := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Path: path, Roles: auditors, Handle: h}
	}
	return web.Area{Name: "audit", Files: files,
		Menu: []web.Item{{Path: "/audit/sealings", Label: titleSealings, Roles: auditors}, {Path: "/audit/use", Label: titleUse, Roles: auditors},
			{Path: "/audit/ledger", Label: web.Text{ZH: "日志条目", EN: "Entries"}, Roles: auditors, Group: titleLedger}, {Path: "/audit/check", Label: titleCheck, Roles: auditors, Group: titleLedger}},
		Routes: []web.Route{get("/audit/sealings", p.sealings), get("/audit/sealings/{id}", p.sealing), get("/audit/use", p.use(0)), get("/audit/use/seals", p.use(1)), get("/audit/use/months", p.use(2)),
			get("/audit/ledger", p.entries), get("/audit/ledger/{id}", p.entry), get("/audit/check", p.ask),
			{Method: http.MethodPost, Path: "/audit/check", Roles: auditors, Handle: p.compare}}}
}

var (
	titleSealings = web.Text{ZH: "用印日志", EN: "Sealings"}
	titleUse      = web.Text{ZH: "用印统计", EN: "Use"}
	titleLedger   = web.Text{ZH: "审计日志", EN: "Ledger"}
	titleCheck    = web.Text{ZH: "日志核对", EN: "Check the ledger"}
)

// sealings is the log of all uses of seals.
func (p pages) sealings(q *web.Request) error {
	query := q.URL.Query()
	f := sealer.Filter{Seal: query.Get("seal"), State: query.Get("state"), Caller: query.Get("caller")}
	var err error
	if f.From, f.Until, err = web.Days(query); err != nil {
		return err
	}
	list := web.List{File: q.T("用印日志", "sealings"), Empty: web.Text{ZH: "还没有用印记录。", EN: "Nothing was sealed yet."},
		Filters: append([]web.Filter{{Name: "seal", Label: web.Text{ZH: "印章编码", EN: "Code of the seal"}}, {Name: "caller", Label: web.Text{ZH: "用印人", EN: "Who"}},
			{Name: "state", Label: web.Text{ZH: "状态", EN: "State"}, Options: web.SealingStates}}, web.FromUntil...),
		Columns: []web.Column{{Label: web.Text{ZH: "时间", EN: "Time"}}, {Label: web.Text{ZH: "编号", EN: "Identifier"}}, {Label: web.Text{ZH: "用印人", EN: "Who"}}, {Label: web.Text{ZH: "印章", EN: "Seal"}},
			{Label: web.Text{ZH: "状态", EN: "State"}}, {Label: web.Text{ZH: "SM3 摘要", EN: "SM3 digest"}}}}
	return q.ShowList("list", web.Page{Title: titleSealings}, list, func(after string, limit int) (rows []web.Row, next string, err error) {
		f.After, f.Limit = after, limit
		found, next, err := p.Sealer.Log(q.Context(), q.Actor, f)
		for _, l := range found {
			word, class := web.SealingWord(l.State, q.Language)
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: civil.Minute(l.Intended)}, {Text: l.ID, Path: "/audit/sealings/" + l.ID}, {Text: l.Caller}, {Text: l.Seal},
				{Text: word, Class: class, Fine: l.Failure}, {Text: l.SM3(), Code: true}}})
		}
		return rows, next, err
	})
}

// maxProofs is how many entries of one sealing are looked at: it has two or three.
const maxProofs = 20

// shownSealing is a sealing with who had it made, what allowed it, what was sealed, and its entries in the ledger.
type shownSealing struct {
	sealer.Recorded
	Word, Class string
	By          web.Person
	Grant       *register.GrantCard // nil: there is none any more
	Places      web.Places
	Entries     []proved
}

func (p pages) sealing(q *web.Request) error {
	r, err := p.Sealer.Recorded(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	s := shownSealing{Recorded: r}
	s.Word, s.Class = web.SealingWord(r.State, q.Language)
	people := q.People(p.Access)
	if s.By, err = people.Of(r.Caller); err != nil {
		return err
	}
	s.Places = web.PlacesOf(r.Details.Marks)
	if g, err := p.Register.GrantCard(q.Context(), q.Actor, r.Grant); err == nil {
		s.Grant = &g
	} else if _, known := fault.Of(err); !known {
		return err
	}
	proofs, err := p.Ledger.Proofs(q.Context(), r.ID, maxProofs)
	if err != nil && !fault.Has(err, ledger.ErrPending) {
		return err
	}
	for _, proof := range proofs {
		checked, err := p.check(q, people, proof)
		if err != nil {
			return err
		}
		s.Entries = append(s.Entries, checked)
	}
	return q.Show("sealing", web.Page{Title: web.Text{ZH: "用印 " + r.ID, EN: "Sealing " + r.ID}, Trail: []web.Item{{Path: "/audit/sealings", Label: titleSealings}}, Data: s, Styles: styles})
}
