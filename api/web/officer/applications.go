package officer

import (
	"strings"
	"time"

	"yinxin/api/web"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/internal/civil"
)

var titleApplications = web.Text{ZH: "申请", EN: "Applications"}

// overdue is after how many days an application that waits for an office is called late.
const overdue = 10

// list shows the applications that somebody may see.
func (p *pages) list(q *web.Request) error {
	e := p.Desk.Enroll
	query := q.URL.Query()
	f := enroll.Filter{Unit: query.Get("unit"), Area: query.Get("area"), Batch: query.Get("batch"), Text: strings.TrimSpace(query.Get("text")), Business: form.Business(query.Get("kind"))}
	for _, s := range query["state"] {
		if s != "" {
			f.States = append(f.States, enroll.State(s))
		}
	}
	f.From, f.Until = dayOf(query.Get("from")), dayOf(query.Get("to"))
	if !f.Until.IsZero() {
		f.Until = f.Until.AddDate(0, 0, 1)
	}
	filters := []web.Filter{{Name: "text", Label: web.Text{ZH: "编号、单位或印章", EN: "Number, unit or seal"}}, {Name: "state", Label: web.Text{ZH: "状态", EN: "State"}},
		{Name: "kind", Label: web.Text{ZH: "业务类型", EN: "Business"}}}
	for _, s := range states {
		filters[1].Options = append(filters[1].Options, web.Option{Value: string(s), Label: stateWords[string(s)]})
	}
	for _, b := range form.Businesses() {
		filters[2].Options = append(filters[2].Options, web.Option{Value: string(b), Label: businessWords[string(b)]})
	}
	if !q.Actor.Has(applicant) || q.Actor.Has(registrar) {
		more, err := p.placeFilters(q)
		if err != nil {
			return err
		}
		filters = append(filters, more...)
	}
	filters = append(filters, web.Filter{Name: "from", Label: web.Text{ZH: "自", EN: "From"}, Kind: "date"}, web.Filter{Name: "to", Label: web.Text{ZH: "至", EN: "Until"}, Kind: "date"})
	l := web.List{File: q.T("申请", "applications"), Filters: filters, Empty: web.Text{ZH: "还没有申请。", EN: "There is no application yet."},
		Columns: []web.Column{{Label: web.Text{ZH: "申请编号", EN: "Number"}}, {Label: web.Text{ZH: "申请单位", EN: "Unit"}}, {Label: web.Text{ZH: "印章名称", EN: "Seal"}},
			{Label: web.Text{ZH: "业务类型", EN: "Business"}}, {Label: web.Text{ZH: "状态", EN: "State"}}, {Label: web.Text{ZH: "在此状态（天）", EN: "Days in it"}, Number: true}, {Label: web.Text{ZH: "新建", EN: "Begun"}}}}
	return q.ShowList("applications", web.Page{Title: titleApplications, Styles: styles, Data: q.Actor.Has(applicant) || q.Actor.Has(registrar)}, l, func(after string, limit int) ([]web.Row, string, error) {
		f.Before, f.Limit = after, min(limit, enroll.MaxList)
		found, err := e.List(q.Context(), q.Actor, f)
		if err != nil {
			return nil, "", err
		}
		var rows []web.Row
		for _, a := range found {
			days := int(q.Now().Sub(a.Since).Hours() / 24)
			age := web.Cell{Text: web.Number(days)}
			if late(a.State, days) {
				age.Class, age.Fine = "bad", q.T("超期", "overdue")
			}
			var kinds []string
			for _, b := range a.Businesses {
				kinds = append(kinds, businessWords.of(string(b), q.Language))
			}
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: a.Number, Path: applications + "/" + a.ID}, {Text: a.UnitName}, {Text: a.SealName}, {Text: strings.Join(kinds, q.T("、", ", "))},
				{Text: stateWords.of(string(a.State), q.Language), Class: stateClass(a.State)}, age, {Text: web.Minute(a.Created)}}})
		}
		if len(found) < f.Limit {
			return rows, "", nil
		}
		return rows, found[len(found)-1].ID, nil
	})
}

// late says whether an application has waited too long in the hands of an office.
func late(s enroll.State, days int) bool {
	switch s {
	case enroll.StateSubmitted, enroll.StateGathered, enroll.StateReceived, enroll.StateOriginal, enroll.StateExamined, enroll.StateApproved, enroll.StateObjected:
		return days >= overdue
	}
	return false
}

// placeFilters choose an area and a unit, of those that somebody may see.
func (p *pages) placeFilters(q *web.Request) ([]web.Filter, error) {
	area, unit := web.Filter{Name: "area", Label: web.Text{ZH: "地区", EN: "Area"}}, web.Filter{Name: "unit", Label: web.Text{ZH: "单位", EN: "Unit"}}
	areas, err := p.Desk.Enroll.Areas(q.Context())
	if err != nil {
		return nil, err
	}
	for _, a := range areas {
		area.Options = append(area.Options, web.Option{Value: a.Code, Label: web.Text{ZH: a.Name, EN: a.Name}})
	}
	known, err := p.Desk.Enroll.Units(q.Context(), q.Actor)
	if err != nil {
		return nil, err
	}
	for _, u := range known {
		unit.Options = append(unit.Options, web.Option{Value: u.ID, Label: web.Text{ZH: u.Name, EN: u.Name}})
	}
	if q.Actor.Has(city) && !q.Actor.Has(registrar) {
		return []web.Filter{unit}, nil
	}
	return []web.Filter{area, unit}, nil
}

// dayOf reads a date of a filter; zero for what is none.
func dayOf(text string) time.Time {
	day, err := civil.ParseDay(text)
	if err != nil {
		return time.Time{}
	}
	return day
}

var styles = []string{"officer.css"}
