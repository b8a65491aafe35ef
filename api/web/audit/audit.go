// Package audit is the pages of auditors: what was sealed, the ledger, and its proofs, which are checked in front of the
// reader.
package audit

import (
	"embed"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/api/web"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/sealer"
)

//go:embed all:templates
var files embed.FS

// Config is what these pages work with.
type Config struct {
	Sealer *sealer.Service
	Ledger *ledger.Ledger // with its key
}

type pages struct{ Config }

var auditors = []access.Role{access.RoleAuditor}

// Area gives the pages.
func Area(c Config) web.Area {
	p := pages{c}
	get := func(path string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Path: path, Roles: auditors, Handle: h}
	}
	return web.Area{Name: "audit", Files: files,
		Menu: []web.Item{{Path: "/audit/sealings", Label: titleSealings, Roles: auditors}, {Path: "/audit/use", Label: titleUse, Roles: auditors}, {Path: "/audit/ledger", Label: titleLedger, Roles: auditors}},
		Routes: []web.Route{get("/audit/sealings", p.sealings), get("/audit/sealings/{id}", p.sealing), get("/audit/use", p.use),
			get("/audit/ledger", p.entries), get("/audit/ledger/{id}", p.entry)}}
}

var (
	titleSealings = web.Text{ZH: "用印日志", EN: "Sealings"}
	titleUse      = web.Text{ZH: "用印统计", EN: "Use"}
	titleLedger   = web.Text{ZH: "审计日志", EN: "Ledger"}
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
				{Text: word, Class: class, Fine: l.Failure}, {Text: l.SM3}}})
		}
		return rows, next, err
	})
}

// proved is an entry of the ledger with what became of the check of its proof.
type proved struct {
	ledger.Entry
	Data   []pair
	Hashes int
	Size   int64  // of the ledger that the checkpoint signs
	Wrong  string // why the proof does not hold; empty: it does
	Open   bool   // it has no place yet
}

type pair struct{ Name, Value string }

// check verifies a proof with the public key, as anyone else would.
func (p pages) check(proof ledger.Proof) proved {
	out := proved{Entry: proof.Entry, Hashes: len(proof.Hashes), Size: proof.Checkpoint.Size}
	for name, value := range proof.Entry.Data {
		out.Data = append(out.Data, pair{name, value})
	}
	slices.SortFunc(out.Data, func(a, b pair) int { return strings.Compare(a.Name, b.Name) })
	if err := p.Ledger.Check(proof); err != nil {
		out.Wrong = fault.CodeOf(err)
	}
	return out
}

// maxProofs is how many entries of one sealing are looked at: it has two or three.
const maxProofs = 20

// shownSealing is a sealing with its entries in the ledger.
type shownSealing struct {
	sealer.Recorded
	Word, Class string
	Entries     []proved
}

func (p pages) sealing(q *web.Request) error {
	r, err := p.Sealer.Recorded(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	s := shownSealing{Recorded: r}
	s.Word, s.Class = web.SealingWord(r.State, q.Language)
	proofs, err := p.Ledger.Proofs(q.Context(), r.ID, maxProofs)
	if err != nil && !fault.Has(err, ledger.ErrPending) {
		return err
	}
	for _, proof := range proofs {
		s.Entries = append(s.Entries, p.check(proof))
	}
	return q.Show("sealing", web.Page{Title: web.Text{ZH: "用印 " + r.ID, EN: "Sealing " + r.ID}, Trail: []web.Item{{Path: "/audit/sealings", Label: titleSealings}}, Data: s})
}

// perPage is how many entries of the ledger stand on one page; the newest are looked up from the checkpoint.
const perPage = 50

// ledgerPage is a part of the ledger, the newest entries first.
type ledgerPage struct {
	Size    int64
	At      time.Time
	Entries []ledger.Entry
	Newer   int64 // where the page before ends; -1: there is none
	Older   int64 // where the next page ends; -1: there is none
}

func (p pages) entries(q *web.Request) error {
	c, err := p.Ledger.Checkpoint(q.Context())
	if err != nil {
		return err
	}
	until, err := strconv.ParseInt(q.URL.Query().Get("until"), 10, 64)
	if err != nil || until <= 0 || until > c.Size {
		until = c.Size
	}
	from := max(0, until-perPage)
	page := ledgerPage{Size: c.Size, Newer: -1, Older: -1}
	if until < c.Size {
		page.Newer = min(c.Size, until+perPage)
	}
	if from > 0 {
		page.Older = from
	}
	if err := p.Ledger.Entries(q.Context(), from, until, func(e ledger.Entry) error { page.Entries = append(page.Entries, e); return nil }); err != nil {
		return err
	}
	slices.Reverse(page.Entries)
	return q.Show("ledger", web.Page{Title: titleLedger, Data: page})
}

func (p pages) entry(q *web.Request) error {
	checked := proved{Open: true}
	proof, err := p.Ledger.Inclusion(q.Context(), q.PathValue("id"))
	if err == nil {
		checked = p.check(proof)
	} else if !fault.Has(err, ledger.ErrPending) {
		return err
	}
	return q.Show("entry", web.Page{Title: web.Text{ZH: "日志条目", EN: "An entry of the ledger"}, Trail: []web.Item{{Path: "/audit/ledger", Label: titleLedger}}, Data: checked})
}

// used is how often something was used, for a bar of the chart.
type used struct {
	Name  string
	Count int
	Width int // of the bar, of 1000
}

// use counts the sealings of the last twelve months, by month and by seal.
func (p pages) use(q *web.Request) error {
	now := q.Now().In(civil.China)
	from := time.Date(now.Year(), now.Month()-11, 1, 0, 0, 0, 0, civil.China)
	counts, err := p.Sealer.Uses(q.Context(), q.Actor, from)
	if err != nil {
		return err
	}
	months, seals := map[string]int{}, map[string]int{}
	for _, c := range counts {
		months[c.Month] += c.Count
		seals[c.Seal] += c.Count
	}
	var byMonth, bySeal []used
	for m := from; !m.After(now); m = m.AddDate(0, 1, 0) {
		name := fmt.Sprintf("%04d-%02d", m.Year(), m.Month())
		byMonth = append(byMonth, used{Name: name, Count: months[name]})
	}
	for seal, n := range seals {
		bySeal = append(bySeal, used{Name: seal, Count: n})
	}
	slices.SortFunc(bySeal, func(a, b used) int { return b.Count - a.Count })
	return q.Show("use", web.Page{Title: titleUse, Data: map[string][]used{"Months": bars(byMonth), "Seals": bars(bySeal[:min(len(bySeal), 30)])}})
}

func bars(list []used) []used {
	most := 1
	for _, u := range list {
		most = max(most, u.Count)
	}
	for i := range list {
		list[i].Width = list[i].Count * 1000 / most
	}
	return list
}
