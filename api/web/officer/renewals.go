package officer

import (
	"net/url"
	"strings"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/ca/enroll/business"
	"yinxin/internal/fault"
)

var titleRenewals = web.Text{ZH: "到期续期", EN: "Renewals"}

func (p *pages) renewals(q *web.Request) error {
	filters := []web.Filter{{Name: "state", Label: web.Text{ZH: "状态", EN: "State"}}}
	for _, s := range []string{"waiting", "in-use", "objected"} {
		filters[0].Options = append(filters[0].Options, web.Option{Value: s, Label: renewalWords[s]})
	}
	l := web.List{File: q.T("续期", "renewals"), Filters: filters, Empty: web.Text{ZH: "没有证书续期。证书到期前，系统会自动准备续期。", EN: "There is no renewal. They are prepared before certificates end."},
		Columns: []web.Column{{Label: web.Text{ZH: "印章或持有人", EN: "Seal or holder"}}, {Label: web.Text{ZH: "状态", EN: "State"}}, {Label: web.Text{ZH: "已准备", EN: "Made"}}, {Label: web.Text{ZH: "异议期限", EN: "Objections until"}}, {Label: web.Text{ZH: "证书数", EN: "Certificates"}, Number: true}}}
	return q.ShowList("renewals", web.Page{Title: titleRenewals, Styles: styles, Data: q.Actor.Has(registrar)}, l, func(after string, limit int) ([]web.Row, string, error) {
		found, err := p.Desk.Business.ListRenewals(q.Context(), business.RenewalFilter{State: business.RenewalState(q.URL.Query().Get("state")), After: after, Limit: limit})
		if err != nil {
			return nil, "", err
		}
		var rows []web.Row
		people := q.People(p.Access)
		for _, r := range found {
			holder, err := people.Of(r.Holder)
			if err != nil {
				return nil, "", err
			}
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: r.Seal + holder.Name, Path: renewals + "/" + r.ID}, {Text: renewalWords.of(string(r.State), q.Language), Class: renewalClass[string(r.State)]},
				{Text: web.Minute(r.Made)}, {Text: web.Minute(r.AcceptBy)}, {Text: web.Number(len(r.Certificates))}}})
		}
		if len(found) < limit {
			return rows, "", nil
		}
		return rows, found[len(found)-1].ID, nil
	})
}

type renewalPage struct {
	business.Renewal
	Word, Class string
	Rows        []renewed
	May         bool
	Registers   bool
	Name        string      // of the holder of a USB Key
	Seals       []sealOfKey // on the USB Key, renewed
	Open        string
}

type sealOfKey struct{ ID, Code string }

type renewed struct {
	New, Old, Authority string
	Instances           int
}

func (p *pages) renewal(q *web.Request) error { return p.showRenewal(q, "", nil) }

func (p *pages) showRenewal(q *web.Request, open string, problem error) error {
	r, err := p.Desk.Business.Renewal(q.Context(), q.PathValue("id"))
	if err != nil {
		return err
	}
	d := renewalPage{Renewal: r, Word: renewalWords.of(string(r.State), q.Language), Class: renewalClass[string(r.State)], May: r.State == business.RenewalWaiting && q.Actor.Has(registrar), Registers: q.Actor.Has(registrar), Open: open}
	holder, err := q.People(p.Access).Of(r.Holder)
	if err != nil {
		return err
	}
	d.Name = holder.Name
	for _, c := range r.Certificates {
		d.Rows = append(d.Rows, renewed{ca.SerialText(c.Successor), ca.SerialText(c.Predecessor), c.Authority, len(c.Instances)})
		for _, id := range c.Instances {
			if r.Holder == "" {
				continue
			}
			in, err := p.Register.Instance(q.Context(), id)
			if err != nil {
				return err
			}
			d.Seals = append(d.Seals, sealOfKey{id, in.SealCode})
		}
	}
	return q.Show("renewal", web.Page{Title: web.Text{ZH: "续期 " + r.Seal + d.Name, EN: "Renewal " + r.Seal + d.Name}, Trail: []web.Item{{Path: renewals, Label: titleRenewals}}, Data: d, Problem: problem, Styles: styles})
}

func (p *pages) afterRenewal(q *web.Request, open string, err error) error {
	if err == nil {
		return q.Go(renewals+"/"+url.PathEscape(q.PathValue("id")), "done")
	}
	if !sayable(err, fault.NotFound) {
		return err
	}
	return p.showRenewal(q, open, err)
}

func (p *pages) acceptRenewal(q *web.Request) error {
	return p.afterRenewal(q, "", p.Desk.Business.AcceptRenewal(q.Context(), q.Actor, q.PathValue("id")))
}

func (p *pages) objectToRenewal(q *web.Request) error {
	return p.afterRenewal(q, "object", p.Desk.Business.ObjectToRenewal(q.Context(), q.Actor, q.PathValue("id"), strings.TrimSpace(q.PostFormValue("reason"))))
}
