package officer

import (
	"slices"
	"strings"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer/registration"
)

// shown is what a page of an application shows beside the application.
type shown struct {
	problem  error
	open     string // the step whose form is open
	personal *enroll.Unmasked
}

// applicationPage is what the template gets.
type applicationPage struct {
	enroll.Application
	StateWord, StateClass string
	Late                  bool
	Days                  int
	Fields                []field
	Findings              []finding
	Errors, Doubts        int
	Persons               []enroll.Person
	Attachments           []scan
	History               []string
	Changed               []string // since the page was opened that somebody acted on
	Steps                 []offer
	Acts                  []act
	Acting                bool   // acts that wait for CarryOut
	Keys                  int    // people who have yet to come with a USB Key
	Unlocks               string // the token whose SO PIN is to be released
	Template              *registration.Kept
	TemplateWarns         bool
	Batches               []enroll.Batch
	Agreement             string
	AgreementText         string
	Remarkable            []option
	Personal              *enroll.Unmasked
	Today                 string
	Open                  string

	// May are the steps that are possible now, by name.
	May map[string]bool
	// AsksReason says that whoever looks at scans says why: an officer, not the unit.
	AsksReason bool
	// Own says that the reader examined or made this version and may not approve it.
	Own bool
	// Registers is for what only a registrar does.
	Registers bool
}

// scan is an attachment and its kind in words.
type scan struct {
	enroll.Attachment
	Word string
}

// field is a row of the form.
type field struct {
	Member, Label, Value string
	Findings             []finding
	Masked               bool
}

type finding struct {
	Key, Label, Field, Sentence, Class string
	Error                              bool
	Confirmed                          *enroll.Confirmation
	// On says that the field stands on the page.
	On bool
}

// offer is a step that is possible now.
type offer struct {
	Name, Label, Needs string
	Ends, Main, Open   bool
}

type act struct {
	business.Act
	Word, Phase string
	KeyPath     string // the page of the USB Key, for those who may see it
}

type option struct{ Value, Label string }

func (p *pages) application(q *web.Request) error { return p.show(q, q.PathValue("id"), shown{}) }

// show is the page of one application.
func (p *pages) show(q *web.Request, id string, s shown) error {
	data, err := p.gatherPage(q, id)
	if err != nil {
		return err
	}
	data.Open, data.Personal = s.open, s.personal
	for i := range data.Steps {
		data.Steps[i].Open = data.Steps[i].Name == s.open
	}
	if s.personal != nil {
		data.reveal(s.personal.Personal)
	}
	if fault.Has(s.problem, enroll.ErrConflict) {
		data.Changed = since(data.History, q.PostFormValue("seen"))
	}
	return q.Show("application", web.Page{Title: web.Text{ZH: "申请 " + data.Number, EN: "Application " + data.Number}, Trail: []web.Item{{Path: applications, Label: titleApplications}},
		Data: data, Problem: s.problem, Scripts: []string{"viewer.js", "office.js"}, Styles: styles, Wide: true})
}

// since is the part of a history behind the lines that somebody had seen.
func since(history []string, seen string) []string {
	n := 0
	for _, c := range seen {
		if c < '0' || c > '9' || n > len(history) {
			return nil
		}
		n = n*10 + int(c-'0')
	}
	if seen == "" || n > len(history) {
		return nil
	}
	return history[n:]
}

// gatherPage reads everything that the page shows.
func (p *pages) gatherPage(q *web.Request, id string) (*applicationPage, error) {
	ctx, e := q.Context(), p.Desk.Enroll
	a, err := e.Application(ctx, q.Actor, id)
	if err != nil {
		return nil, err
	}
	d := &applicationPage{Application: a, StateWord: stateWords.of(string(a.State), q.Language), StateClass: stateClass(a.State), May: map[string]bool{},
		Registers: q.Actor.Has(registrar), Today: civil.Day(q.Now())}
	d.Days = int(q.Now().Sub(a.Since).Hours() / 24)
	d.Late = late(a.State, d.Days)
	possible, err := e.Possible(ctx, q.Actor, id)
	if err != nil {
		return nil, err
	}
	for _, s := range possible {
		d.May[string(s)] = true
	}
	unit, _, err := e.Stands(ctx, q.Actor)
	if err != nil {
		return nil, err
	}
	d.AsksReason = unit != a.Unit
	found, err := e.Findings(ctx, q.Actor, id)
	if err != nil {
		return nil, err
	}
	d.addFindings(q, found)
	if a.Roster != nil {
		if d.Persons, err = e.Persons(ctx, q.Actor, id); err != nil {
			return nil, err
		}
	}
	history, err := e.History(ctx, q.Actor, id)
	if err != nil {
		return nil, err
	}
	d.History = told(history, q.Language)
	for _, at := range a.Attachments {
		d.Attachments = append(d.Attachments, scan{at, attachmentWords.of(string(at.Kind), q.Language)})
	}
	if err := p.addActs(q, d); err != nil {
		return nil, err
	}
	return d, p.addSteps(q, d)
}

func (d *applicationPage) addFindings(q *web.Request, found []enroll.Finding) {
	d.Fields = fieldsOf(d.Form, q)
	for _, f := range found {
		v := finding{Key: f.Key(), Label: fieldLabel(f.Field, q.Language), Field: f.Field, Sentence: q.T(f.ZH, f.EN), Error: f.Severity == form.Error, Confirmed: f.Confirmed, Class: "doubt"}
		if q.Language == "zh" && f.Label != "" {
			v.Label = f.Label
		}
		switch {
		case v.Error:
			v.Class = "bad"
			d.Errors++
		case v.Confirmed != nil:
			v.Class = "good"
		default:
			d.Doubts++
		}
		for i := range d.Fields {
			if m := d.Fields[i].Member; m == f.Field || m == "agreement.accepted" && strings.HasPrefix(f.Field, "agreement.") ||
				m == strings.TrimSuffix(f.Field, "Other") {
				v.On, v.Field = true, m
				d.Fields[i].Findings = append(d.Fields[i].Findings, v)
				break
			}
		}
		d.Findings = append(d.Findings, v)
	}
	for _, f := range d.Fields {
		d.Remarkable = append(d.Remarkable, option{f.Member, f.Label})
	}
	for _, kind := range []enroll.AttachmentKind{enroll.AttachForm, enroll.AttachCredit, enroll.AttachIdentity} {
		d.Remarkable = append(d.Remarkable, option{"attachments." + string(kind), q.T("附件：", "Scan: ") + attachmentWords.of(string(kind), q.Language)})
	}
	d.Remarkable = append(d.Remarkable, option{"roster", q.T("使用人信息汇总表", "Roster")})
}

func (p *pages) addActs(q *web.Request, d *applicationPage) error {
	acts, err := p.Desk.Business.Acts(q.Context(), d.ID)
	if err != nil {
		return err
	}
	d.Acts = actsOf(acts, q)
	overseen := slices.ContainsFunc(overseers, q.Actor.Has)
	for i, a := range acts {
		personal := a.Kind == "certificate" && a.Profile == ca.ProfilePersonal && a.Phase == "issue"
		if personal && overseen && (a.Done || d.State == enroll.StateApproved) {
			d.Acts[i].KeyPath = keyPath(d.ID, a.Actor)
		}
		if d.State == enroll.StateApproved && !a.Done && personal {
			d.Keys++
		}
		if d.State == enroll.StateApproved && !a.Done && a.Kind == "unlock" {
			d.Unlocks = a.Object
		}
		d.Acting = d.Acting || d.State == enroll.StateApproved && !a.Done && a.Phase == "issue" && a.Actor == "" && a.Kind != "unlock"
	}
	if !d.Form.NeedsImprint() {
		return nil
	}
	kept, err := p.Desk.Template(q.Context(), q.Actor, d.ID)
	if fault.Has(err, registration.ErrNoTemplate) {
		return nil
	}
	if err != nil {
		return err
	}
	d.Template, d.TemplateWarns = &kept, kept.Verdict == "warn"
	return nil
}

func actsOf(acts []business.Act, q *web.Request) []act {
	var list []act
	for _, a := range acts {
		v := act{Act: a, Word: actWords.of(a.Kind, q.Language), Phase: q.T("批准后", "after the approval")}
		if a.Phase == "accept" {
			v.Phase = q.T("接受后", "after the acceptance")
		}
		if a.Profile != "" {
			v.Word += q.T("（", " (") + profileWords.of(string(a.Profile), q.Language) + q.T("）", ")")
		}
		list = append(list, v)
	}
	return list
}

// addSteps offers what is possible now to the reader's roles.
func (p *pages) addSteps(q *web.Request, d *applicationPage) error {
	ctx, e := q.Context(), p.Desk.Enroll
	for _, s := range moves {
		if !d.May[string(s.step)] || s.needs == needsFinding || !slices.ContainsFunc(s.roles, q.Actor.Has) {
			continue
		}
		switch s.needs {
		case needsAgreement:
			if d.State != enroll.StateDraft && d.State != enroll.StateReturned {
				continue
			}
			now, err := e.Agreement(ctx, "")
			if fault.Has(err, enroll.ErrNoAgreement) {
				continue
			}
			if err != nil {
				return err
			}
			if d.Form.Agreement.Accepted && d.Form.Agreement.Version == now.Version {
				continue
			}
			d.Agreement, d.AgreementText = now.Version, now.Text
		case needsBatch:
			all, err := e.Batches(ctx, q.Actor)
			if err != nil {
				return err
			}
			area, err := p.areaOf(q, d.Unit)
			if err != nil {
				return err
			}
			for _, b := range all {
				if b.HandedIn.IsZero() && b.Area == area {
					d.Batches = append(d.Batches, b)
				}
			}
		case needsInk:
			if d.InkBy != "" {
				continue
			}
		}
		if s.step == enroll.StepApprove {
			own, err := p.ownRequest(q, d.Examination)
			if err != nil {
				return err
			}
			if d.Own = own; own {
				continue
			}
		}
		o := offer{Name: s.name, Label: s.label.In(q.Language), Needs: s.needs, Ends: s.ends, Main: s.main}
		if s.step == enroll.StepExamine && (d.Errors > 0 || d.Doubts > 0 || d.InkBy == "") {
			o.Main = false
		}
		d.Steps = append(d.Steps, o)
	}
	return nil
}

func (p *pages) areaOf(q *web.Request, unit string) (string, error) {
	known, err := p.Desk.Enroll.Units(q.Context(), q.Actor)
	for _, u := range known {
		if u.ID == unit {
			return u.Area, nil
		}
	}
	return "", err
}

// ownRequest says whether the reader made a request, which they may then not decide.
func (p *pages) ownRequest(q *web.Request, request string) (bool, error) {
	if request == "" {
		return false, nil
	}
	pending, err := p.Access.Pending(q.Context(), request)
	return pending.Requester == q.Actor.ID, err
}

// fieldsOf are the rows of the form, in its order, as words.
func fieldsOf(f form.Application, q *web.Request) []field {
	join := func(words []string) string { return strings.Join(words, q.T("、", ", ")) }
	var kinds, scopes, methods []string
	for _, b := range f.Businesses {
		kinds = append(kinds, businessWords.of(string(b), q.Language))
	}
	for _, s := range f.Scopes {
		scopes = append(scopes, scopeWords.of(string(s), q.Language))
	}
	for _, m := range f.Methods {
		methods = append(methods, methodWords.of(string(m), q.Language))
	}
	agreed := q.T("未同意", "not accepted")
	if f.Agreement.Accepted {
		agreed = q.T("已阅读并同意 ", "read and accepted ") + f.Agreement.Version
	}
	rows := []field{{Member: "sealType", Value: strings.TrimSpace(sealTypeWords.of(string(f.SealType), q.Language) + " " + f.SealTypeOther)}, {Member: "businesses", Value: join(kinds)}}
	add := func(needed bool, member, value string) {
		if needed || value != "" {
			rows = append(rows, field{Member: member, Value: value, Masked: strings.HasPrefix(member, "personal.")})
		}
	}
	add(f.Has(form.OrganisationChange), "formerName", f.FormerName)
	add(f.ConcernsSeal(), "seal.code", f.Seal.Code)
	add(f.ConcernsKey(), "key.holder", f.Key.Holder)
	add(f.ConcernsKey(), "personal.keyHolderIdentity", f.Personal.KeyHolderIdentity)
	add(f.ConcernsKey(), "key.serial", f.Key.Serial)
	for _, row := range [][2]string{{"scopes", join(scopes)}, {"methods", join(methods)}, {"unit.name", f.Unit.Name},
		{"unit.type", strings.TrimSpace(unitTypeWords.of(string(f.Unit.Type), q.Language) + " " + f.Unit.TypeOther)}, {"approver", f.Approver}, {"purpose", f.Purpose},
		{"unit.creditCode", f.Unit.CreditCode}, {"unit.phone", f.Unit.Phone}, {"unit.address", f.Unit.Address}, {"handler.name", f.Handler.Name},
		{"personal.handlerIdentity", f.Personal.HandlerIdentity}, {"personal.handlerMobile", f.Personal.HandlerMobile}, {"handler.email", f.Handler.Email},
		{"handler.address", f.Handler.Address}, {"agreement.accepted", agreed}, {"appliedOn", f.AppliedOn}, {"seal.name", f.Seal.Name}, {"seal.size", f.Seal.Size.String()}} {
		add(true, row[0], row[1])
	}
	for i := range rows {
		rows[i].Label = fieldLabel(rows[i].Member, q.Language)
	}
	return rows
}

// reveal puts personal data in the clear into the rows of the form.
func (d *applicationPage) reveal(personal form.Personal) {
	for i := range d.Fields {
		switch d.Fields[i].Member {
		case "personal.handlerIdentity":
			d.Fields[i].Value = personal.HandlerIdentity
		case "personal.handlerMobile":
			d.Fields[i].Value = personal.HandlerMobile
		case "personal.keyHolderIdentity":
			d.Fields[i].Value = personal.KeyHolderIdentity
		default:
			continue
		}
		d.Fields[i].Masked = false
	}
}

// unmask shows personal data on this one page, which is recorded before anything is shown.
func (p *pages) unmask(q *web.Request) error {
	id := q.PathValue("id")
	open, err := p.Desk.Enroll.Unmask(q.Context(), q.Actor, id, strings.TrimSpace(q.PostFormValue("reason")))
	if err != nil {
		return p.again(q, id, "unmask", err)
	}
	return p.show(q, id, shown{personal: &open})
}
