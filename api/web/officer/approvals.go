package officer

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

var titleApprovals = web.Text{ZH: "审批", EN: "Approvals"}

// waiting is a request in the list.
type waiting struct {
	web.Decision
	Word, About string
	Own         bool
}

type approvalsPage struct {
	Open  []waiting
	Ready []waiting
	May   bool
	Next  string
	Kind  string
	Kinds []option
}

// approvals lists what waits for a second person, and what was approved and is to be carried out.
func (p *pages) approvals(q *web.Request) error {
	ctx := q.Context()
	// Several are looked at one after the other.
	if picked := q.URL.Query()["pick"]; len(picked) > 0 {
		return q.Go(approvals+"/"+url.PathEscape(picked[0])+"?"+url.Values{"then": picked[1:]}.Encode(), "")
	}
	const limit = 100
	d := approvalsPage{May: q.Actor.Has(approver), Kind: q.URL.Query().Get("kind")}
	open, err := p.Access.ListOpen(ctx, access.Filter{Kind: access.Kind(d.Kind), After: q.URL.Query().Get("after"), Limit: limit})
	if err != nil {
		return err
	}
	if len(open) == limit {
		d.Next = open[limit-1].ID
	}
	ready, err := p.Access.Ready(ctx, access.Kind(d.Kind), limit)
	if err != nil {
		return err
	}
	if d.Open, err = p.describe(q, open); err != nil {
		return err
	}
	if d.Ready, err = p.describe(q, ready); err != nil {
		return err
	}
	for kind := range kindWords {
		d.Kinds = append(d.Kinds, option{kind, kindWords.of(kind, q.Language)})
	}
	slices.SortFunc(d.Kinds, func(a, b option) int { return strings.Compare(a.Value, b.Value) })
	return q.Show("approvals", web.Page{Title: titleApprovals, Data: d, Styles: styles, Scripts: []string{"office.js"}})
}

func (p *pages) describe(q *web.Request, requests []access.Pending) ([]waiting, error) {
	people := q.People(p.Access)
	var list []waiting
	for _, r := range requests {
		behind, err := people.Decision(r)
		if err != nil {
			return nil, err
		}
		w := waiting{Decision: behind, Word: kindWords.of(string(r.Kind), q.Language), Own: r.Requester == q.Actor.ID}
		switch {
		case r.Kind == access.KindApproveApplication:
			a, err := p.Desk.Enroll.Examined(q.Context(), q.Actor, r.ID)
			if err != nil && !fault.Has(err, enroll.ErrNotFound) {
				return nil, err
			}
			w.About = strings.TrimSpace(a.Number + " " + a.Form.Unit.Name)
		case sealOf(r) != "":
			w.About = sealOf(r)
		case r.Kind == access.KindGrantRole:
			actor, role, _ := access.ParseGrantSubject(r.Subject)
			who, err := people.Of(actor)
			if err != nil {
				return nil, err
			}
			w.About = who.Name + " · " + q.Roles([]access.Role{role})
		case r.Kind == access.KindImportAnchor:
			if a, err := ca.ParseAnchorRequest(r.Subject); err == nil {
				w.About = a.Name
			}
		default:
			w.About = serialOf(r)
		}
		list = append(list, w)
	}
	return list, nil
}

// approvalPage is one request with everything that is decided, in words, beside where it comes from.
type approvalPage struct {
	waiting
	StateWord, StateClass string
	Changes               []change
	Words                 []saying
	Parts                 []part
	Expired               bool
	Application           *applicationPage
	Suspension            *enroll.Suspension
	Seal                  string
	Serial                string
	May                   bool // decide it
	CarryOut              string
	Then                  []string
	Rest                  int
	Remarks               bool // a remark is kept with the consent
}

type part struct {
	Word  string
	Words []saying
}

func (p *pages) approval(q *web.Request) error { return p.showApproval(q, nil) }

func (p *pages) showApproval(q *web.Request, problem error) error {
	ctx := q.Context()
	r, err := p.Access.Pending(ctx, q.PathValue("id"))
	if err != nil {
		return err
	}
	described, err := p.describe(q, []access.Pending{r})
	if err != nil {
		return err
	}
	d := approvalPage{waiting: described[0], Words: wordsOf(r.Subject, q), Expired: q.Now().After(r.Expires), Seal: sealOf(r), Serial: serialOf(r), Then: q.URL.Query()["then"]}
	if q.Method == "POST" {
		d.Then = q.PostForm["then"]
	}
	d.Rest, d.Remarks = len(d.Then), !r.Kind.OwnStep()
	d.StateWord, d.StateClass = stateOf(r, d.Expired, q)
	d.May = q.Actor.Has(approver) && r.State == "open" && !r.Voided && !d.Expired && !d.Own && r.Parent == ""
	if d.Changes, err = p.changesOf(q, q.People(p.Access), r); err != nil {
		return err
	}
	parts, err := p.Access.Parts(ctx, r.ID) // all: what is not shown is not decided
	if err != nil {
		return err
	}
	for _, one := range parts {
		d.Parts = append(d.Parts, part{kindWords.of(string(one.Kind), q.Language), wordsOf(one.Subject, q)})
	}
	if err := p.addSource(q, &d, r); err != nil {
		return err
	}
	return q.Show("approval", web.Page{Title: web.Text{ZH: "审批：" + kindWords.of(string(r.Kind), "zh"), EN: "Decision: " + kindWords.of(string(r.Kind), "en")}, Trail: []web.Item{{Path: approvals, Label: titleApprovals}},
		Data: d, Problem: problem, Styles: styles, Scripts: []string{"viewer.js", "office.js"}, Wide: true})
}

func stateOf(r access.Pending, expired bool, q *web.Request) (word, class string) {
	switch {
	case r.Voided:
		return q.T("已作废", "void"), "none"
	case r.State == "open" && expired:
		return q.T("已过期", "expired"), "none"
	case r.State == "open":
		return q.T("待审批", "waits"), "doubt"
	case r.State == "approved" && !r.Kind.OwnStep() && r.Parent == "": // the steps of others are their consent
		switch {
		case !r.Used.IsZero():
			return q.T("已办理", "carried out"), "good"
		case q.Now().After(r.Decided.Add(access.Term)):
			return q.T("已批准，逾期未办理", "approved, not carried out in time"), "none"
		}
		return q.T("已批准，待办理", "approved, to be carried out"), "good"
	case r.State == "approved":
		return q.T("已批准", "approved"), "good"
	}
	return q.T("已驳回", "refused"), "bad"
}

// addSource reads where a request comes from, and where it goes on.
func (p *pages) addSource(q *web.Request, d *approvalPage, r access.Pending) error {
	switch r.Kind {
	case access.KindApproveApplication:
		a, err := p.Desk.Enroll.Examined(q.Context(), q.Actor, r.ID)
		if fault.Has(err, enroll.ErrNotFound) {
			return nil
		}
		if err == nil {
			d.Application, err = p.gatherPage(q, a.ID)
		}
		return err
	case access.KindConfirmSuspension, access.KindLiftSuspension:
		x, err := p.suspensionOf(q, func(x enroll.Suspension) bool { return x.Request == r.ID })
		if fault.Has(err, enroll.ErrSuspension) {
			return nil
		}
		d.Suspension = &x
		return err
	}
	if !q.Actor.Has(registrar) || r.State != "approved" || r.Voided {
		return nil
	}
	ready, err := p.Access.Ready(q.Context(), r.Kind, 1000)
	if err != nil || !slices.ContainsFunc(ready, func(o access.Pending) bool { return o.ID == r.ID }) {
		return err
	}
	switch r.Kind {
	case access.KindRevokeCertificate, access.KindSuspendCertificate, access.KindResumeCertificate:
		if d.Serial != "" {
			d.CarryOut = certificates + "/" + url.PathEscape(d.Serial) + "/carry-out"
		}
	case access.KindResumeSeal:
		if d.Seal != "" {
			d.CarryOut = seals + "/" + url.PathEscape(d.Seal) + "/carry-out"
		}
	}
	return nil
}

// approve is the consent of the second person, in the step that the request belongs to.
func (p *pages) approve(q *web.Request) error {
	return p.decide(q, "approved", func(r access.Pending) error {
		switch r.Kind {
		case access.KindApproveApplication:
			a, err := p.Desk.Enroll.Examined(q.Context(), q.Actor, r.ID)
			if err == nil {
				_, err = p.Desk.Enroll.Approve(q.Context(), q.Actor, refOf(q, a.ID))
			}
			return err
		case access.KindConfirmSuspension, access.KindLiftSuspension:
			x, err := p.suspensionOf(q, func(x enroll.Suspension) bool { return x.Request == r.ID })
			if err == nil {
				_, err = p.Desk.Enroll.ApproveDecision(q.Context(), q.Actor, refOf(q, x.ID))
			}
			return err
		}
		remark := strings.TrimSpace(q.PostFormValue("remark"))
		if remark != "" {
			if err := enroll.CheckReason(remark); err != nil {
				return err
			}
		}
		return p.Access.ApproveBecause(q.Context(), q.Actor, r.ID, remark)
	})
}

func (p *pages) reject(q *web.Request) error {
	reason := strings.TrimSpace(q.PostFormValue("reason"))
	return p.decide(q, "rejected", func(r access.Pending) error {
		switch r.Kind {
		case access.KindApproveApplication:
			a, err := p.Desk.Enroll.Examined(q.Context(), q.Actor, r.ID)
			if err == nil {
				_, err = p.Desk.Enroll.Reject(q.Context(), q.Actor, refOf(q, a.ID), reason)
			}
			return err
		case access.KindConfirmSuspension, access.KindLiftSuspension:
			x, err := p.suspensionOf(q, func(x enroll.Suspension) bool { return x.Request == r.ID })
			if err == nil {
				_, err = p.Desk.Enroll.RejectDecision(q.Context(), q.Actor, refOf(q, x.ID), reason)
			}
			return err
		}
		if err := enroll.CheckReason(reason); err != nil {
			return err
		}
		return p.Access.Reject(q.Context(), q.Actor, r.ID, reason)
	})
}

// decide takes a decision and goes on to the next request that was picked.
func (p *pages) decide(q *web.Request, notice string, take func(access.Pending) error) error {
	if err := q.ParseForm(); err != nil {
		return enroll.ErrField.Because(err)
	}
	r, err := p.Access.Pending(q.Context(), q.PathValue("id"))
	if err != nil {
		return err
	}
	if err := take(r); err != nil {
		if !sayable(err) {
			return err
		}
		return p.showApproval(q, err)
	}
	then := q.PostForm["then"]
	if len(then) == 0 {
		return q.Go(approvals, notice)
	}
	return q.Go(approvals+"/"+url.PathEscape(then[0])+"?"+url.Values{"then": then[1:]}.Encode(), notice)
}

// suspensionOf finds a suspension that the reader may see.
func (p *pages) suspensionOf(q *web.Request, is func(enroll.Suspension) bool) (enroll.Suspension, error) {
	all, err := p.Desk.Enroll.Suspensions(q.Context(), q.Actor, "")
	if err != nil {
		return enroll.Suspension{}, err
	}
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i], nil
	}
	return enroll.Suspension{}, enroll.ErrSuspension.New()
}

// endOf is the last second of a day.
func endOf(day time.Time) time.Time { return day.AddDate(0, 0, 1).Add(-time.Second) }
