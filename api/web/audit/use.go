package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"yinxin/api/web"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer/register"
)

var errMonth = fault.Spec{Kind: fault.Invalid, Code: "audit.month", ZH: "月份写作 2026-11，止月不早于起月，最多 120 个月。", EN: "A month is written 2026-11; the last is not before the first, and there are at most 120."}

// used is how often something was used.
type used struct {
	Name, Fine string
	Unit       string // to which a seal belongs
	Count      int
}

// usePage is a chart with its table beside it.
type usePage struct {
	Chart chart
	Total int
	Tabs  []tab
}

type tab struct {
	Path    string
	Label   web.Text
	Current bool
}

// ways are by what uses are counted.
var ways = []struct {
	path  string
	label web.Text
	head  []web.Column
	count func(p pages, q *web.Request, uses span) ([]used, error)
}{
	{"/audit/use", web.Text{ZH: "按单位", EN: "By unit"}, []web.Column{{Label: web.Text{ZH: "单位", EN: "Unit"}}}, pages.byUnit},
	{"/audit/use/seals", web.Text{ZH: "按印章", EN: "By seal"}, []web.Column{{Label: web.Text{ZH: "印章", EN: "Seal"}}, {Label: web.Text{ZH: "编码", EN: "Code"}}, {Label: web.Text{ZH: "单位", EN: "Unit"}}}, pages.bySeal},
	{"/audit/use/months", web.Text{ZH: "按月", EN: "By month"}, []web.Column{{Label: web.Text{ZH: "月份", EN: "Month"}}}, pages.byMonth},
}

// span is from the first of a month until the first of another, in China.
type span struct{ from, until time.Time }

// maxMonths bounds what is counted at once.
const maxMonths = 120

// spanOf reads the span that was asked for; without one it is the twelve months up to now.
func spanOf(q *web.Request) (s span, err error) {
	now := q.Now().In(civil.China)
	month := func(name string, otherwise time.Time) (time.Time, error) {
		text := q.URL.Query().Get(name)
		if text == "" {
			return otherwise, nil
		}
		at, err := time.ParseInLocation("2006-01", text, civil.China)
		if err != nil {
			return at, errMonth.With("%.20q", text).Because(err)
		}
		return at, nil
	}
	if s.until, err = month("until", time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, civil.China)); err != nil {
		return s, err
	}
	if s.from, err = month("from", s.until.AddDate(0, -11, 0)); err != nil {
		return s, err
	}
	s.until = s.until.AddDate(0, 1, 0)
	if !s.from.Before(s.until) || s.from.AddDate(0, maxMonths, 0).Before(s.until) {
		return s, errMonth.New()
	}
	return s, nil
}

// use counts what was sealed in one of the ways.
func (p pages) use(way int) web.Handler {
	return func(q *web.Request) error {
		s, err := spanOf(q)
		if err != nil {
			return err
		}
		w := ways[way]
		list, err := w.count(p, q, s)
		if err != nil {
			return err
		}
		data := usePage{Chart: barsOf(list, q.Language)}
		if w.path == "/audit/use/months" {
			data.Chart = columnsOf(list)
		}
		for _, u := range list {
			data.Total += u.Count
		}
		for i, other := range ways {
			data.Tabs = append(data.Tabs, tab{other.path, other.label, i == way})
		}
		table := web.List{File: q.T("用印统计-", "use-") + w.label.In(q.Language), Empty: web.Text{ZH: "这段时间没有用印记录。", EN: "Nothing was sealed in this time."},
			Filters: []web.Filter{{Name: "from", Label: web.Text{ZH: "起月", EN: "From"}, Kind: "month"}, {Name: "until", Label: web.Text{ZH: "止月", EN: "Until"}, Kind: "month"}},
			Columns: append(slices.Clone(w.head), web.Column{Label: web.Text{ZH: "次数", EN: "Uses"}, Number: true}, web.Column{Label: web.Text{ZH: "占比", EN: "Share"}, Number: true})}
		return q.ShowList("use", web.Page{Title: titleUse, Data: data, Styles: styles}, table, func(string, int) (rows []web.Row, next string, err error) {
			for _, u := range list {
				cells := []web.Cell{{Text: u.Name}}
				if len(w.head) > 1 {
					cells = append(cells, web.Cell{Text: u.Fine}, web.Cell{Text: u.Unit})
				}
				share := 0.0
				if data.Total > 0 {
					share = 100 * float64(u.Count) / float64(data.Total)
				}
				rows = append(rows, web.Row{Cells: append(cells, web.Cell{Text: fmt.Sprint(u.Count)}, web.Cell{Text: fmt.Sprintf("%.1f %%", share)})})
			}
			return rows, "", nil
		})
	}
}

// cards are all seals by their codes.
func (p pages) cards(q *web.Request) (map[string]register.Card, error) {
	all := map[string]register.Card{}
	for f := (register.CardFilter{Limit: 1000}); ; {
		page, err := p.Register.Cards(q.Context(), q.Actor, f)
		if err != nil {
			return nil, err
		}
		for _, c := range page {
			all[c.Code], f.After = c, c.Code
		}
		if len(page) < f.Limit {
			return all, nil
		}
	}
}

// counted adds up uses by a key, the most frequent first.
func (p pages) counted(q *web.Request, s span, key func(register.Card, string) used) ([]used, error) {
	cards, err := p.cards(q)
	if err != nil {
		return nil, err
	}
	uses, err := p.Sealer.Uses(q.Context(), q.Actor, s.from, s.until)
	if err != nil {
		return nil, err
	}
	by := map[used]int{}
	for _, u := range uses {
		by[key(cards[u.Seal], u.Seal)] += u.Count
	}
	list := make([]used, 0, len(by))
	for u, n := range by {
		u.Count = n
		list = append(list, u)
	}
	slices.SortFunc(list, func(a, b used) int {
		return cmp.Or(b.Count-a.Count, cmp.Compare(a.Name, b.Name), cmp.Compare(a.Fine, b.Fine))
	})
	return list, nil
}

func (p pages) byUnit(q *web.Request, s span) ([]used, error) {
	return p.counted(q, s, func(c register.Card, code string) used { return used{Name: cmp.Or(c.Organisation, code)} })
}

func (p pages) bySeal(q *web.Request, s span) ([]used, error) {
	return p.counted(q, s, func(c register.Card, code string) used {
		return used{Name: cmp.Or(c.Name, code), Fine: code, Unit: c.Organisation}
	})
}

func (p pages) byMonth(q *web.Request, s span) (list []used, err error) {
	uses, err := p.Sealer.Uses(q.Context(), q.Actor, s.from, s.until)
	if err != nil {
		return nil, err
	}
	by := map[string]int{}
	for _, u := range uses {
		by[u.Month] += u.Count
	}
	for m := s.from; m.Before(s.until); m = m.AddDate(0, 1, 0) {
		name := m.Format("2006-01")
		list = append(list, used{Name: name, Count: by[name]})
	}
	return list, nil
}
