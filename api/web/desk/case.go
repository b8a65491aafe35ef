package desk

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/api/web"
	"yinxin/internal/fault"
	"yinxin/sealer/issuance"
	"yinxin/sealer/register"
)

// shownCase is a case as one of the two archives sees it.
type shownCase struct {
	issuance.Case
	Word, Class  string
	Asks, Holds  bool // which side the reader is on
	Waits        bool // for an answer
	Late         bool
	Answerable   bool
	Editable     bool // pages can be changed
	Withdrawable bool
	Put          int // pages put in
	Steps        []moment
	Seals        []register.Listed
	Full         *issuance.Applicant // unmasked, this once
	Typed        typed
	Task         string // of the USB Key
}

// moment is a step of the timeline.
type moment struct {
	Name web.Text
	At   time.Time
	Fine string
	Done bool
	Bad  bool
}

// typed is what stands in the forms of a case.
type typed struct{ Result, Reason, Fonds, File, Item, Pages, Number string }

func (p pages) show(q *web.Request) error { return p.showAgain(q, nil, nil) }

// showAgain shows a case as it is now, with what was wrong with a step.
func (p pages) showAgain(q *web.Request, problem error, change func(*shownCase)) error {
	c, err := p.Issuance.Case(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	s := shownCase{Case: c, Word: stateWord(c.State).In(q.Language), Class: stateLooks[c.State].class,
		Asks: c.Receiving == q.Actor.Organisation, Holds: c.Holding == q.Actor.Organisation, Waits: c.State == issuance.Requested, Late: c.Overdue}
	s.Answerable = s.Holds && (s.Waits || c.State == issuance.Found)
	s.Editable = s.Holds && c.State == issuance.Found
	s.Withdrawable = s.Holds && slices.Contains([]issuance.State{issuance.Issued, issuance.Received, issuance.Delivered}, c.State)
	for _, part := range c.Parts {
		s.Put += part.Pages
	}
	s.Typed = typed{Result: string(c.Result), Fonds: c.Reference.Fonds, File: c.Reference.File, Item: c.Reference.Item, Number: c.Reference.Number}
	if c.Reference.Pages > 0 {
		s.Typed.Pages = strconv.Itoa(c.Reference.Pages)
	}
	if c.Copy != nil && c.State == issuance.Composed {
		s.Task = c.Copy.Task
	}
	if s.Holds && (s.Editable || c.State == issuance.Composed) {
		if s.Seals, err = p.seals(q, c.Holding); err != nil {
			return err
		}
	}
	s.Steps = timeline(c, q.Language)
	if change != nil {
		change(&s)
	}
	page := web.Page{Title: web.Text{ZH: "出证业务 " + c.Number, EN: "Case " + c.Number}, Trail: []web.Item{{Path: "/desk", Label: titleDesk}}, Data: s, Problem: problem,
		Styles: []string{"desk.css"}}
	if s.Task != "" {
		page.Scripts = []string{"task.js"}
	}
	return q.Show("case", page)
}

// seals are those of the archive that the actor may use now.
func (p pages) seals(q *web.Request, organisation string) ([]register.Listed, error) {
	list, err := p.Register.Seals(q.Context(), q.Actor)
	return slices.DeleteFunc(list, func(l register.Listed) bool { return !l.Usable || l.Organisation != organisation }), err
}

func timeline(c issuance.Case, language string) []moment {
	list := []moment{{Name: web.Text{ZH: "提出申请", EN: "Asked"}, At: c.OpenedAt, Done: true, Fine: c.Receiving}}
	add := func(zh, en string, at time.Time, fine string, bad bool) {
		list = append(list, moment{Name: web.Text{ZH: zh, EN: en}, At: at, Done: !at.IsZero(), Fine: fine, Bad: bad})
	}
	if c.State == issuance.Cancelled {
		add("取消申请", "Taken back", c.ClosedAt, "", true)
		return list
	}
	answer := web.Text{ZH: "期限 " + web.Minute(c.DueAt), EN: "until " + web.Minute(c.DueAt)}
	if c.Result != "" {
		answer = web.Text{ZH: c.Result.Label(), EN: string(c.Result)}
	}
	add("答复", "Answered", c.AnsweredAt, answer.In(language), c.Overdue)
	if c.State == issuance.Declined {
		return list
	}
	var issued, withdrawn time.Time
	number := ""
	if c.Copy != nil {
		issued, withdrawn, number = c.Copy.IssuedAt, c.Copy.WithdrawnAt, c.Copy.Number
	}
	add("盖章出具", "Sealed and issued", issued, number, false)
	if withdrawn.IsZero() || !c.ReceivedAt.IsZero() {
		add("核验接收", "Checked and taken", c.ReceivedAt, "", false)
	}
	if withdrawn.IsZero() || !c.DeliveredAt.IsZero() {
		add("交付申请人", "Handed over", c.DeliveredAt, manner(c.Manner).In(language), false)
	}
	if !withdrawn.IsZero() {
		add("撤回", "Withdrawn", withdrawn, c.Copy.Withdrawal, true)
	}
	return list
}

func manner(m issuance.Manner) web.Text {
	switch m {
	case issuance.Printed:
		return web.Text{ZH: "纸质件", EN: "printed"}
	case issuance.AsFile:
		return web.Text{ZH: "电子文件", EN: "as a file"}
	}
	return web.Text{}
}

// after leads on after a step, or shows the case as it is with what was wrong.
func (p pages) after(q *web.Request, err error, said string, change func(*shownCase)) error {
	if f, known := fault.Of(err); known && f.Kind != fault.NotFound && f.Kind != fault.Internal {
		return p.showAgain(q, err, change)
	}
	if err != nil {
		return err
	}
	return q.Go("/desk/"+q.PathValue("id"), said)
}

func (p pages) cancel(q *web.Request) error {
	_, err := p.Issuance.Cancel(q.Context(), q.Actor, q.PathValue("id"))
	return p.after(q, err, "cancelled", nil)
}

func (p pages) answer(q *web.Request) error {
	value := func(name string) string { return strings.TrimSpace(q.PostFormValue(name)) }
	t := typed{value("result"), value("reason"), value("fonds"), value("file"), value("item"), value("pages"), value("number")}
	a := issuance.Answer{Result: issuance.Result(t.Result)}
	if a.Result == issuance.Held {
		count, _ := strconv.Atoi(t.Pages) // what is no number is refused as no page
		a.Reference = issuance.Reference{Fonds: t.Fonds, File: t.File, Item: t.Item, Pages: count, Number: t.Number}
	} else {
		a.Reason = t.Reason
	}
	_, err := p.Issuance.Answer(q.Context(), q.Actor, q.PathValue("id"), a)
	return p.after(q, err, "answered", func(s *shownCase) { s.Typed = t })
}

// unmask shows the applicant once, in the answer itself: the address shows them no more.
func (p pages) unmask(q *web.Request) error {
	a, err := p.Issuance.Applicant(q.Context(), q.Actor, q.PathValue("id"), strings.TrimSpace(q.PostFormValue("reason")))
	if err != nil {
		return p.after(q, err, "", nil)
	}
	return p.showAgain(q, nil, func(s *shownCase) { s.Full = &a })
}

func (p pages) issue(q *web.Request) error {
	ctx, cancel := context.WithTimeout(q.Context(), p.StepTime)
	defer cancel()
	code := q.PostFormValue("seal")
	list, err := p.Register.Seals(ctx, q.Actor)
	if err != nil {
		return err
	}
	key := slices.ContainsFunc(list, func(l register.Listed) bool { return l.Code == code && l.Custody == register.UserKey })
	if err := p.Count(ctx, q.Actor, code); err != nil {
		return p.after(q, err, "", nil)
	}
	_, err = p.Issuance.Issue(ctx, q.Actor, q.PathValue("id"), issuance.Order{Seal: code, ByKey: key})
	if fault.Has(err, issuance.ErrWaiting) {
		return q.Go("/desk/"+q.PathValue("id"), "waits")
	}
	return p.after(q, err, "issued", nil)
}

func (p pages) discard(q *web.Request) error {
	_, err := p.Issuance.Discard(q.Context(), q.Actor, q.PathValue("id"))
	return p.after(q, err, "discarded", nil)
}

func (p pages) withdraw(q *web.Request) error {
	_, err := p.Issuance.Withdraw(q.Context(), q.Actor, q.PathValue("id"), strings.TrimSpace(q.PostFormValue("reason")))
	return p.after(q, err, "withdrawn", nil)
}

func (p pages) deliver(q *web.Request) error {
	_, err := p.Issuance.Deliver(q.Context(), q.Actor, q.PathValue("id"), issuance.Delivery{Manner: issuance.Manner(q.PostFormValue("manner")), IdentityChecked: q.PostFormValue("identity_checked") != ""})
	return p.after(q, err, "delivered", nil)
}
