package officer

import (
	"net/url"
	"strings"

	"yinxin/api/web"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

var titleSuspensions = web.Text{ZH: "停用", EN: "Suspensions"}

func (p *pages) suspensions(q *web.Request) error {
	known, err := p.Desk.Enroll.Units(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, u := range known {
		names[u.ID] = u.Name
	}
	filters := []web.Filter{{Name: "state", Label: web.Text{ZH: "状态", EN: "State"}}}
	for _, s := range []string{"open", "confirmed", "lifted"} {
		filters[0].Options = append(filters[0].Options, web.Option{Value: s, Label: suspensionWords[s]})
	}
	l := web.List{File: q.T("停用", "suspensions"), Filters: filters, Empty: web.Text{ZH: "没有停用的使用人。", EN: "No user of a seal is suspended."}, Columns: []web.Column{{Label: web.Text{ZH: "使用人", EN: "User"}}, {Label: web.Text{ZH: "单位", EN: "Unit"}},
		{Label: web.Text{ZH: "印章", EN: "Seal"}}, {Label: web.Text{ZH: "状态", EN: "State"}}, {Label: web.Text{ZH: "原因", EN: "Why"}}, {Label: web.Text{ZH: "停用时间", EN: "Suspended"}}}}
	may := q.Actor.Has(applicant) || q.Actor.Has(registrar) || q.Actor.Has(approver)
	return q.ShowList("suspensions", web.Page{Title: titleSuspensions, Styles: styles, Data: may}, l, func(after string, limit int) ([]web.Row, string, error) {
		all, err := p.Desk.Enroll.Suspensions(q.Context(), q.Actor, enroll.SuspensionState(q.URL.Query().Get("state")))
		if err != nil {
			return nil, "", err
		}
		var rows []web.Row
		behind := after == ""
		for _, x := range all {
			if !behind {
				behind = x.ID == after
				continue
			}
			seal := x.SealName
			if seal == "" {
				seal = q.T("全部", "all")
			}
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: x.Name, Path: suspensions + "/" + x.ID}, {Text: names[x.Unit]}, {Text: seal},
				{Text: suspensionWords.of(string(x.State), q.Language), Class: suspensionClass[string(x.State)]}, {Text: x.Reason, Fine: causeWords.of(string(x.Cause), q.Language)}, {Text: web.Minute(x.Opened)}}})
			if len(rows) == limit {
				return rows, x.ID, nil
			}
		}
		return rows, "", nil
	})
}

type suspendPage struct {
	Units   []enroll.Unit
	Unit    string
	Holders []enroll.Holder
	Holder  string
	Seal    string
	Reason  string
}

var titleSuspend = web.Text{ZH: "紧急停用使用人", EN: "Suspend a user of seals"}

func (p *pages) askSuspend(q *web.Request) error {
	return p.showSuspend(q, suspendPage{Unit: q.URL.Query().Get("unit"), Holder: q.URL.Query().Get("holder")}, nil)
}

func (p *pages) showSuspend(q *web.Request, d suspendPage, problem error) error {
	var err error
	if d.Units, err = p.Desk.Enroll.Units(q.Context(), q.Actor); err != nil {
		return err
	}
	if d.Unit == "" && len(d.Units) == 1 {
		d.Unit = d.Units[0].ID
	}
	if d.Unit != "" {
		if d.Holders, err = p.Desk.Enroll.Holders(q.Context(), q.Actor, d.Unit); err != nil {
			return err
		}
	}
	return q.Show("suspend", web.Page{Title: titleSuspend, Trail: []web.Item{{Path: suspensions, Label: titleSuspensions}}, Data: d, Problem: problem, Styles: styles})
}

func (p *pages) suspend(q *web.Request) error {
	d := suspendPage{Unit: q.PostFormValue("unit"), Holder: q.PostFormValue("holder"), Seal: strings.TrimSpace(q.PostFormValue("seal")), Reason: strings.TrimSpace(q.PostFormValue("reason"))}
	var x enroll.Suspension
	var err error
	if d.Seal != "" {
		x, err = p.Desk.Enroll.SuspendSealAtOnce(q.Context(), q.Actor, d.Holder, d.Seal, d.Reason)
	} else {
		x, err = p.Desk.Enroll.SuspendAtOnce(q.Context(), q.Actor, d.Holder, d.Reason)
	}
	if err == nil {
		return q.Go(suspensions+"/"+x.ID, "suspended")
	}
	if !sayable(err, fault.NotFound) {
		return err
	}
	return p.showSuspend(q, d, err)
}

type suspensionPage struct {
	enroll.Suspension
	Word, Class, Cause, UnitName string
	Request                      *waiting
	MayAsk, MayDecide            bool
}

func (p *pages) suspension(q *web.Request) error { return p.showSuspension(q, nil) }

func (p *pages) showSuspension(q *web.Request, problem error) error {
	x, err := p.suspensionOf(q, func(x enroll.Suspension) bool { return x.ID == q.PathValue("id") })
	if err != nil {
		return err
	}
	d := suspensionPage{Suspension: x, Word: suspensionWords.of(string(x.State), q.Language), Class: suspensionClass[string(x.State)], Cause: causeWords.of(string(x.Cause), q.Language)}
	known, err := p.Desk.Enroll.Units(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	for _, u := range known {
		if u.ID == x.Unit {
			d.UnitName = u.Name
		}
	}
	waits := false
	if x.Request != "" {
		r, err := p.Access.Pending(q.Context(), x.Request)
		if err != nil {
			return err
		}
		described, err := p.describe(q, []access.Pending{r})
		if err != nil {
			return err
		}
		d.Request, waits = &described[0], r.State == "open" && !r.Voided && q.Now().Before(r.Expires)
	}
	d.MayAsk = x.State == "open" && !waits && q.Actor.Has(registrar)
	d.MayDecide = x.State == "open" && waits && q.Actor.Has(approver)
	return q.Show("suspension", web.Page{Title: web.Text{ZH: "停用：" + x.Name, EN: "Suspension: " + x.Name}, Trail: []web.Item{{Path: suspensions, Label: titleSuspensions}}, Data: d, Problem: problem, Styles: styles})
}

func (p *pages) afterSuspension(q *web.Request, err error, notice string) error {
	if err == nil {
		return q.Go(suspensions+"/"+url.PathEscape(q.PathValue("id")), notice)
	}
	if !sayable(err, fault.NotFound) {
		return err
	}
	return p.showSuspension(q, err)
}

func (p *pages) askDecision(q *web.Request) error {
	decision := q.PostFormValue("decision")
	if decision != "confirm" && decision != "lift" {
		return p.afterSuspension(q, enroll.ErrField.At(fault.Field("decision")), "")
	}
	_, err := p.Desk.Enroll.RequestDecision(q.Context(), q.Actor, refOf(q, q.PathValue("id")), decision == "confirm")
	return p.afterSuspension(q, err, "requested")
}

func (p *pages) approveDecision(q *web.Request) error {
	_, err := p.Desk.Enroll.ApproveDecision(q.Context(), q.Actor, refOf(q, q.PathValue("id")))
	return p.afterSuspension(q, err, "approved")
}

func (p *pages) rejectDecision(q *web.Request) error {
	_, err := p.Desk.Enroll.RejectDecision(q.Context(), q.Actor, refOf(q, q.PathValue("id")), strings.TrimSpace(q.PostFormValue("reason")))
	return p.afterSuspension(q, err, "rejected")
}
