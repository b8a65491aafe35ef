package clerk

import (
	"time"

	"yinxin/api/web"
	"yinxin/internal/civil"
	"yinxin/sealer"
)

var sealingStates = []web.Option{{Value: "released", Label: web.Text{ZH: "已盖章", EN: "sealed"}}, {Value: "failed", Label: web.Text{ZH: "失败", EN: "failed"}},
	{Value: "abandoned", Label: web.Text{ZH: "已放弃", EN: "abandoned"}}, {Value: "intended", Label: web.Text{ZH: "进行中", EN: "under way"}}}

var sealingClasses = map[string]string{"released": "good", "failed": "bad", "abandoned": "none", "intended": "note"}

func sealingWord(state, language string) (word, class string) {
	for _, o := range sealingStates {
		if o.Value == state {
			return o.Label.In(language), sealingClasses[state]
		}
	}
	return state, "none"
}

func (p pages) log(q *web.Request) error {
	query := q.URL.Query()
	cards, err := p.Register.Seals(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	seals := web.Filter{Name: "seal", Label: web.Text{ZH: "印章", EN: "Seal"}}
	names := map[string]string{}
	for _, c := range cards {
		names[c.Code] = c.Name
		seals.Options = append(seals.Options, web.Option{Value: c.Code, Label: web.Text{ZH: c.Name, EN: c.Name}})
	}
	f := sealer.Filter{Seal: query.Get("seal"), State: query.Get("state"), Caller: q.Actor.ID}
	if f.From, f.Until, err = days(query.Get("from"), query.Get("until")); err != nil {
		return err
	}
	list := web.List{File: q.T("用印记录", "sealings"), Empty: web.Text{ZH: "还没有用印记录。", EN: "Nothing was sealed yet."},
		Filters: []web.Filter{seals, {Name: "state", Label: web.Text{ZH: "状态", EN: "State"}, Options: sealingStates},
			{Name: "from", Label: web.Text{ZH: "从", EN: "From"}, Kind: "date"}, {Name: "until", Label: web.Text{ZH: "至", EN: "Until"}, Kind: "date"}},
		Columns: []web.Column{{Label: web.Text{ZH: "时间", EN: "Time"}}, {Label: web.Text{ZH: "文件", EN: "Document"}}, {Label: web.Text{ZH: "印章", EN: "Seal"}},
			{Label: web.Text{ZH: "状态", EN: "State"}}, {Label: web.Text{ZH: "SM3 摘要", EN: "SM3 digest"}}}}
	return q.ShowList("log", web.Page{Title: titleLog, Styles: []string{"clerk.css"}}, list, func(after string, limit int) (rows []web.Row, next string, err error) {
		f.After, f.Limit = after, limit
		found, next, err := p.Sealer.Log(q.Context(), q.Actor, f)
		for _, l := range found {
			word, class := sealingWord(l.State, q.Language)
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: civil.Minute(l.Intended)}, {Text: l.Name, Path: "/clerk/sealings/" + l.ID},
				{Text: names[l.Seal], Fine: l.Seal}, {Text: word, Class: class, Fine: l.Failure}, {Text: l.SM3}}})
		}
		return rows, next, err
	})
}

// days reads the days of a filter; until is the beginning of the day after.
func days(from, until string) (a, b time.Time, err error) {
	if from != "" {
		if a, err = civil.ParseDay(from); err != nil {
			return a, b, err
		}
	}
	if until != "" {
		if b, err = civil.ParseDay(until); err != nil {
			return a, b, err
		}
		b = b.AddDate(0, 0, 1)
	}
	return a, b, nil
}

// shownSealing is what the page of a sealing shows.
type shownSealing struct {
	sealer.Recorded
	Name, SealName, SM3 string
	Word, Class         string
	Size                int64
}

func (p pages) sealed(q *web.Request) error {
	r, err := p.Sealer.Recorded(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	s := shownSealing{Recorded: r}
	s.Word, s.Class = sealingWord(r.State, q.Language)
	id := r.Result
	if id == "" {
		id = r.Document
	}
	d, err := p.Sealer.Document(q.Context(), q.Actor, id)
	if err != nil {
		return err
	}
	s.Name, s.SM3, s.Size = d.Name, d.SM3, d.Size
	seals, err := p.Register.Seals(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	for _, l := range seals {
		if l.Code == r.Seal {
			s.SealName = l.Name
		}
	}
	return q.Show("sealing", web.Page{Title: web.Text{ZH: "盖章：" + d.Name, EN: "Sealed: " + d.Name}, Trail: []web.Item{{Path: "/clerk/log", Label: titleLog}},
		Data: s, Styles: []string{"clerk.css"}})
}
