package officer

import (
	"strings"

	"yinxin/api/web"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/internal/fault"
)

// editPage is the form to be filled in.
type editPage struct {
	ID       string
	Number   string
	Revision int64
	Seen     int
	Unit     string
	Units    []enroll.Unit // to choose from, for a new application of a registrar
	Form     form.Application
	// Size is the size of the seal as somebody wrote it.
	Size  string
	Wrong map[string][]string // sentences by field
	// Changed are the lines of the history since the form was opened, and Theirs what stands in the record now where that
	// is something else than what was written.
	Changed []string
	Theirs  []difference

	SealTypes, UnitTypes        []option
	Businesses, Scopes, Methods []choice
}

type choice struct {
	option
	Chosen bool
}

type difference struct{ Label, Mine, Theirs string }

var titleNew = web.Text{ZH: "新建申请", EN: "New application"}

func (p *pages) askNew(q *web.Request) error {
	d := &editPage{Form: form.Application{AppliedOn: q.Now().Format("2006-01-02"), SealType: form.SealOfficial}}
	unit, _, err := p.Desk.Enroll.Stands(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	known, err := p.Desk.Enroll.Units(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	if wanted := q.URL.Query().Get("unit"); q.Actor.Has(registrar) && wanted != "" {
		unit = wanted
	}
	for _, u := range known {
		if u.ID == unit {
			d.Unit, d.Form.Unit.Name, d.Form.Unit.CreditCode, d.Form.Seal.Name = u.ID, u.Name, u.CreditCode, u.Name
		}
	}
	return p.showForm(q, d, nil)
}

func (p *pages) create(q *web.Request) error {
	filled, size, err := filledIn(q)
	unit := q.PostFormValue("unit")
	if err == nil {
		var a enroll.Application
		if a, err = p.Desk.Enroll.Create(q.Context(), q.Actor, unit, filled); err == nil {
			return q.Go(applications+"/"+a.ID, "created")
		}
	}
	if !sayable(err) {
		return err
	}
	return p.showForm(q, &editPage{Unit: unit, Form: filled, Size: size}, err)
}

func (p *pages) askEdit(q *web.Request) error {
	a, err := p.editable(q)
	if err != nil {
		return err
	}
	history, err := p.Desk.Enroll.History(q.Context(), q.Actor, a.ID)
	if err != nil {
		return err
	}
	return p.showForm(q, &editPage{ID: a.ID, Number: a.Number, Revision: a.Revision, Seen: len(history), Unit: a.Unit, Form: a.Form}, nil)
}

// editable is an application that the reader may edit now.
func (p *pages) editable(q *web.Request) (enroll.Application, error) {
	a, err := p.Desk.Enroll.Application(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return a, err
	}
	possible, err := p.Desk.Enroll.Possible(q.Context(), q.Actor, a.ID)
	if err != nil {
		return a, err
	}
	for _, s := range possible {
		if s == enroll.StepEdit {
			return a, nil
		}
	}
	return a, enroll.ErrState.Saying(a.State.Label(), string(a.State))
}

func (p *pages) edit(q *web.Request) error {
	id := q.PathValue("id")
	filled, size, err := filledIn(q)
	ref := refOf(q, id)
	if err == nil {
		var a enroll.Application
		if a, err = p.Desk.Enroll.Edit(q.Context(), q.Actor, ref, filled); err == nil {
			return q.Go(applications+"/"+a.ID, "saved")
		}
	}
	if !sayable(err, fault.NotFound) {
		return err
	}
	now, other := p.Desk.Enroll.Application(q.Context(), q.Actor, id)
	if other != nil {
		return other
	}
	history, other := p.Desk.Enroll.History(q.Context(), q.Actor, id)
	if other != nil {
		return other
	}
	d := &editPage{ID: id, Number: now.Number, Revision: ref.Revision, Seen: len(history), Unit: now.Unit, Form: filled, Size: size}
	if fault.Has(err, enroll.ErrConflict) {
		// Whoever saves once more has seen both.
		d.Revision, d.Changed = now.Revision, since(told(history, q.Language), q.PostFormValue("seen"))
		mine, theirs := fieldsOf(filled, q), map[string]string{}
		for _, f := range fieldsOf(now.Form, q) {
			theirs[f.Member] = f.Value
		}
		for _, f := range mine {
			if other, there := theirs[f.Member]; there && other != f.Value && f.Member != "agreement.accepted" {
				d.Theirs = append(d.Theirs, difference{f.Label, f.Value, other})
			}
		}
	}
	return p.showForm(q, d, err)
}

// filledIn reads the form. What an application has besides, number and agreement, is the service's to keep.
func filledIn(q *web.Request) (f form.Application, size string, err error) {
	if err := q.ParseForm(); err != nil {
		return f, "", enroll.ErrField.Because(err)
	}
	v := func(name string) string { return strings.TrimSpace(q.PostForm.Get(name)) }
	f = form.Application{SealType: form.SealType(v("sealType")), SealTypeOther: v("sealTypeOther"), FormerName: v("formerName"),
		Unit:     form.Unit{Name: v("unit.name"), Type: form.UnitType(v("unit.type")), TypeOther: v("unit.typeOther"), CreditCode: v("unit.creditCode"), Phone: v("unit.phone"), Address: v("unit.address")},
		Approver: v("approver"), Purpose: v("purpose"), Handler: form.Handler{Name: v("handler.name"), Email: v("handler.email"), Address: v("handler.address")},
		AppliedOn: v("appliedOn"), Seal: form.Seal{Name: v("seal.name"), Code: v("seal.code")}, Key: form.Key{Holder: v("key.holder"), Serial: v("key.serial")},
		Personal: form.Personal{HandlerIdentity: v("personal.handlerIdentity"), HandlerMobile: v("personal.handlerMobile"), KeyHolderIdentity: v("personal.keyHolderIdentity")}}
	for _, b := range q.PostForm["businesses"] {
		f.Businesses = append(f.Businesses, form.Business(b))
	}
	for _, s := range q.PostForm["scopes"] {
		f.Scopes = append(f.Scopes, form.Scope(s))
	}
	for _, m := range q.PostForm["methods"] {
		f.Methods = append(f.Methods, form.Method(m))
	}
	if size = v("seal.size"); size != "" {
		parsed, ok := form.ParseSize(size)
		if !ok {
			return f, size, errSize.At(fault.Field("seal.size"))
		}
		f.Seal.Size = parsed
	}
	return f, size, nil
}

var errSize = fault.Spec{Kind: fault.Invalid, Code: "page.size", ZH: "印章尺寸请填写毫米数，如 42 或 40×30。", EN: "Write the size of the seal in millimetres: 42, or 40×30."}

func (p *pages) showForm(q *web.Request, d *editPage, problem error) error {
	ctx := q.Context()
	if d.Size == "" {
		d.Size = d.Form.Seal.Size.String()
	}
	d.Wrong = map[string][]string{}
	page := web.Page{Title: titleNew, Trail: []web.Item{{Path: applications, Label: titleApplications}}, Data: d, Problem: problem, Styles: styles, Scripts: []string{"office.js"}}
	if d.ID != "" {
		page.Title = web.Text{ZH: "修改申请", EN: "Edit the application"}
		page.Trail = append(page.Trail, web.Item{Path: applications + "/" + d.ID, Label: web.Text{ZH: d.Number, EN: d.Number}})
	}
	if f, known := fault.Of(problem); known && f.Place.Field != "" {
		d.Wrong[f.Place.Field] = append(d.Wrong[f.Place.Field], f.Sentence(q.Language))
	} else if d.ID != "" && problem == nil {
		found, err := p.Desk.Enroll.Findings(ctx, q.Actor, d.ID)
		if err != nil {
			return err
		}
		for _, f := range found {
			d.Wrong[f.Field] = append(d.Wrong[f.Field], q.T(f.ZH, f.EN))
		}
	}
	if d.ID == "" && q.Actor.Has(registrar) {
		known, err := p.Desk.Enroll.Units(ctx, q.Actor)
		if err != nil {
			return err
		}
		d.Units = known
	}
	d.choices(q)
	return q.Show("edit", page)
}

func (d *editPage) choices(q *web.Request) {
	for _, t := range form.SealTypes() {
		d.SealTypes = append(d.SealTypes, option{string(t), sealTypeWords.of(string(t), q.Language)})
	}
	for _, t := range []form.UnitType{form.UnitAdministrative, form.UnitInstitution, form.UnitAssociation, form.UnitOther} {
		d.UnitTypes = append(d.UnitTypes, option{string(t), unitTypeWords.of(string(t), q.Language)})
	}
	for _, b := range form.Businesses() {
		d.Businesses = append(d.Businesses, choice{option{string(b), businessWords.of(string(b), q.Language)}, d.Form.Has(b)})
	}
	for _, s := range form.Scopes() {
		c := choice{option: option{string(s), scopeWords.of(string(s), q.Language)}}
		for _, has := range d.Form.Scopes {
			c.Chosen = c.Chosen || has == s
		}
		d.Scopes = append(d.Scopes, c)
	}
	for _, m := range form.Methods() {
		c := choice{option: option{string(m), methodWords.of(string(m), q.Language)}}
		for _, has := range d.Form.Methods {
			c.Chosen = c.Chosen || has == m
		}
		d.Methods = append(d.Methods, c)
	}
}
