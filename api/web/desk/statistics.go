package desk

import (
	"yinxin/api/web"
	"yinxin/sealer/issuance"
)

// bar is one line of the chart: a number, and its length in the drawing.
type bar struct {
	Label web.Text
	Count int
	Y     int // of its top, in units of the drawing
	Width int
	Class string
}

// Of the drawing, in its units.
const (
	barPitch = 30
	barSpan  = 380
)

// numbers are the statistics of a year as drawn.
type numbers struct {
	issuance.Statistics
	Bars           []bar
	Height         int
	Earlier, Later int
}

func (p pages) statistics(q *web.Request) error {
	year, err := p.year(q)
	if err != nil {
		return err
	}
	st, err := p.Issuance.Statistics(q.Context(), q.Actor, year)
	if err != nil {
		return err
	}
	t := st.Total
	n := numbers{Statistics: st, Earlier: year - 1, Later: year + 1, Bars: []bar{
		{Label: web.Text{ZH: "收到申请", EN: "asked"}, Count: t.Requested, Class: "all"}, {Label: web.Text{ZH: "查到", EN: "found"}, Count: t.Found, Class: "good"},
		{Label: web.Text{ZH: "未查到", EN: "not found"}, Count: t.Missing, Class: "none"}, {Label: web.Text{ZH: "不予开放", EN: "not open"}, Count: t.Closed, Class: "none"},
		{Label: web.Text{ZH: "按期答复", EN: "in time"}, Count: t.InTime, Class: "good"}, {Label: web.Text{ZH: "超期", EN: "overdue"}, Count: t.Late, Class: "bad"},
		{Label: web.Text{ZH: "已出具", EN: "issued"}, Count: t.Issued, Class: "good"}, {Label: web.Text{ZH: "已撤回", EN: "withdrawn"}, Count: t.Withdrawn, Class: "bad"}}}
	most := 1
	for _, b := range n.Bars {
		most = max(most, b.Count)
	}
	for i := range n.Bars {
		n.Bars[i].Y, n.Bars[i].Width = i*barPitch, n.Bars[i].Count*barSpan/most
	}
	n.Height = len(n.Bars) * barPitch
	l := web.List{File: q.T("异地出证统计", "remote-issuing"), Columns: []web.Column{{Label: web.Text{ZH: "档案馆", EN: "Archive"}}}}
	for _, b := range n.Bars {
		l.Columns = append(l.Columns, web.Column{Label: b.Label, Number: true})
	}
	l.Columns = append(l.Columns, web.Column{Label: web.Text{ZH: "未答复", EN: "open"}, Number: true}, web.Column{Label: web.Text{ZH: "已取消", EN: "taken back"}, Number: true})
	return q.ShowList("statistics", web.Page{Title: titleStatistics, Trail: []web.Item{{Path: "/desk", Label: titleDesk}}, Data: n, Styles: []string{"desk.css"}}, l,
		func(string, int) (rows []web.Row, next string, err error) {
			for _, a := range st.Archives {
				cells := []web.Cell{{Text: a.Archive}}
				for _, v := range []int{a.Requested, a.Found, a.Missing, a.Closed, a.InTime, a.Late, a.Issued, a.Withdrawn, a.Open, a.Cancelled} {
					cells = append(cells, web.Cell{Text: web.Number(v)})
				}
				rows = append(rows, web.Row{Cells: cells})
			}
			return rows, "", nil
		})
}
