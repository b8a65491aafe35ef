package officer

import (
	"slices"
	"strings"

	"yinxin/api/web"
	"yinxin/ca/enroll"
	"yinxin/internal/fault"
)

var (
	titleUnits   = web.Text{ZH: "单位", EN: "Units"}
	titleMembers = web.Text{ZH: "经办人与市级人员", EN: "Who acts for whom"}
)

type unitsPage struct {
	Areas  []enroll.Area
	Unit   enroll.Unit
	May    bool
	People bool
}

func (p *pages) units(q *web.Request) error { return p.showUnits(q, enroll.Unit{}, nil) }

func (p *pages) showUnits(q *web.Request, given enroll.Unit, problem error) error {
	areas, err := p.Desk.Enroll.Areas(q.Context())
	if err != nil {
		return err
	}
	names, area := map[string]string{}, web.Filter{Name: "area", Label: web.Text{ZH: "地区", EN: "Area"}}
	for _, a := range areas {
		names[a.Code] = a.Name
		area.Options = append(area.Options, web.Option{Value: a.Code, Label: web.Text{ZH: a.Name, EN: a.Name}})
	}
	d := unitsPage{Areas: areas, Unit: given, May: q.Actor.Has(registrar), People: slices.ContainsFunc(overseers, q.Actor.Has)}
	l := web.List{File: q.T("单位", "units"), Filters: []web.Filter{{Name: "text", Label: web.Text{ZH: "名称或代码", EN: "Name or code"}}, area}, Columns: []web.Column{{Label: web.Text{ZH: "单位名称", EN: "Name"}},
		{Label: web.Text{ZH: "统一社会信用代码", EN: "Credit code"}}, {Label: web.Text{ZH: "地区", EN: "Area"}}, {Label: web.Text{ZH: "报送", EN: "Hands in"}}, {Label: web.Text{ZH: "应申请", EN: "Expected"}}}}
	query := q.URL.Query()
	return q.ShowList("units", web.Page{Title: titleUnits, Styles: styles, Data: d, Problem: problem}, l, func(after string, limit int) ([]web.Row, string, error) {
		all, err := p.Desk.Enroll.Units(q.Context(), q.Actor)
		if err != nil {
			return nil, "", err
		}
		text := strings.TrimSpace(query.Get("text"))
		var rows []web.Row
		behind := after == ""
		for _, u := range all {
			if !behind {
				behind = u.ID == after
				continue
			}
			if query.Get("area") != "" && query.Get("area") != u.Area || text != "" && !strings.Contains(u.Name, text) && !strings.Contains(u.CreditCode, text) {
				continue
			}
			way, expected := q.T("经市级", "to the city"), ""
			if u.Direct {
				way = q.T("直报省级", "to the province")
			}
			if u.Expected {
				expected = q.T("是", "yes")
			}
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: u.Name, Path: units + "/" + u.ID}, {Text: u.CreditCode}, {Text: names[u.Area]}, {Text: way}, {Text: expected}}})
			if len(rows) == limit {
				return rows, u.ID, nil
			}
		}
		return rows, "", nil
	})
}

func (p *pages) setUnit(q *web.Request) error {
	v := func(name string) string { return strings.TrimSpace(q.PostFormValue(name)) }
	u := enroll.Unit{ID: v("id"), Name: v("name"), CreditCode: v("credit"), Area: v("area"), Direct: v("direct") != "", Expected: v("expected") != "", Telephone: v("telephone")}
	recorded, err := p.Desk.Enroll.SetUnits(q.Context(), q.Actor, []enroll.Unit{u})
	if err == nil {
		return q.Go(units+"/"+recorded[0].ID, "saved")
	}
	if !sayable(err) {
		return err
	}
	return p.showUnits(q, u, err)
}

type unitPage struct {
	enroll.Unit
	AreaName     string
	Areas        []enroll.Area
	Holders      []enroll.Holder
	Applications []summary
	May          bool
	MaySuspend   bool
}

func (p *pages) unit(q *web.Request) error {
	ctx, e := q.Context(), p.Desk.Enroll
	all, err := e.Units(ctx, q.Actor)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(u enroll.Unit) bool { return u.ID == q.PathValue("id") })
	if i < 0 {
		return enroll.ErrUnit.New()
	}
	d := unitPage{Unit: all[i], May: q.Actor.Has(registrar), MaySuspend: slices.ContainsFunc(lookers, q.Actor.Has)}
	if d.Areas, err = e.Areas(ctx); err != nil {
		return err
	}
	for _, a := range d.Areas {
		if a.Code == d.Area {
			d.AreaName = a.Name
		}
	}
	if d.Holders, err = e.Holders(ctx, q.Actor, d.ID); err != nil {
		return err
	}
	list, err := e.List(ctx, q.Actor, enroll.Filter{Unit: d.ID})
	if err != nil {
		return err
	}
	for _, a := range list {
		d.Applications = append(d.Applications, summary{a, stateWords.of(string(a.State), q.Language), stateClass(a.State)})
	}
	return q.Show("unit", web.Page{Title: web.Text{ZH: d.Name, EN: d.Name}, Trail: []web.Item{{Path: units, Label: titleUnits}}, Data: d, Styles: styles})
}

type membersPage struct {
	Units             []enroll.Unit
	Areas             []enroll.Area
	May               bool
	Actor, Unit, Area string
}

func (p *pages) members(q *web.Request) error { return p.showMembers(q, membersPage{}, nil) }

func (p *pages) showMembers(q *web.Request, d membersPage, problem error) error {
	ctx, e := q.Context(), p.Desk.Enroll
	var err error
	if d.Units, err = e.Units(ctx, q.Actor); err != nil {
		return err
	}
	if d.Areas, err = e.Areas(ctx); err != nil {
		return err
	}
	d.May = q.Actor.Has(registrar)
	names := map[string]string{}
	for _, u := range d.Units {
		names[u.ID] = u.Name
	}
	for _, a := range d.Areas {
		names[a.Code] = a.Name
	}
	l := web.List{File: q.T("人员", "members"), Columns: []web.Column{{Label: web.Text{ZH: "用户", EN: "Account"}}, {Label: web.Text{ZH: "姓名", EN: "Name"}}, {Label: web.Text{ZH: "代表", EN: "Acts for"}}, {Label: web.Text{ZH: "自", EN: "Since"}}, {Label: web.Text{ZH: "登记人", EN: "Recorded by"}}}}
	return q.ShowList("members", web.Page{Title: titleMembers, Trail: []web.Item{{Path: units, Label: titleUnits}}, Styles: styles, Data: d, Problem: problem}, l, func(after string, limit int) ([]web.Row, string, error) {
		found, err := e.Members(ctx, q.Actor, after, limit)
		if err != nil {
			return nil, "", err
		}
		var rows []web.Row
		for _, m := range found {
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: m.Actor}, {Text: m.Name}, {Text: names[m.Unit+m.Area]}, {Text: web.Minute(m.Since)}, {Text: m.By}}})
		}
		if len(found) < limit {
			return rows, "", nil
		}
		return rows, found[len(found)-1].Actor, nil
	})
}

func (p *pages) assign(q *web.Request) error {
	d := membersPage{Actor: strings.TrimSpace(q.PostFormValue("actor")), Unit: q.PostFormValue("unit"), Area: q.PostFormValue("area")}
	var err error
	switch {
	case (d.Unit == "") == (d.Area == ""):
		err = enroll.ErrField.At(fault.Field("unit"))
	case d.Unit != "":
		err = p.Desk.Enroll.AssignUnit(q.Context(), q.Actor, d.Actor, d.Unit)
	default:
		err = p.Desk.Enroll.AssignArea(q.Context(), q.Actor, d.Actor, d.Area)
	}
	if err == nil {
		return q.Go(root+"/members", "assigned")
	}
	if !sayable(err) {
		return err
	}
	return p.showMembers(q, d, err)
}
