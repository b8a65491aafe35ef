package enroll

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"yinxin/ca/enroll/form"
	"yinxin/ca/number"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Application is an application as it is shown: personal fields masked.
type Application struct {
	ID       string
	Number   string // of the form
	Unit     string // the applying unit's identifier
	State    State
	Since    time.Time
	Revision int64 // see Ref
	Version  int   // counts edits
	Created  time.Time
	By       string // who began it
	Batch    string // empty outside of one
	Form     form.Application
	// Original is nil until the paper has arrived.
	Original *Original
	// InkBy is the officer who confirmed wet ink on the original of this version; empty while nobody did. Reading is what
	// that officer read off it.
	InkBy   string
	Reading *form.Reading
	// Examination is the request for the second person's decision (internal/access); its parts are the plan.
	Examination string
	Approved    time.Time
	Issued      time.Time
	// ObjectUntil is the end of the holder's term: silence until then is acceptance.
	ObjectUntil time.Time
	Attachments []Attachment
	Roster      *RosterInfo
}

// Ref is the application at the revision that is shown.
func (a Application) Ref() Ref { return Ref{ID: a.ID, Revision: a.Revision} }

// Original says that the paper form has arrived.
type Original struct {
	On     string // YYYY-MM-DD, Chinese time
	Number string // 机要 number
	By     string // the officer who received it
}

// Create begins a draft for a unit: by a handler of that unit, or by a registrar who enters a paper form. Number,
// agreement and salt of the form are the service's to give. Errors: enroll.unit-not-found, enroll.denied.
func (s *Service) Create(ctx context.Context, by access.Actor, unit string, filled form.Application) (Application, error) {
	filled, err := tidy(filled)
	if err != nil {
		return Application{}, err
	}
	var view Application
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		v, err := s.viewer(ctx, tx, by)
		if err != nil {
			return err
		}
		u, err := readUnit(ctx, tx, unit)
		if err != nil {
			return err
		}
		now := s.Clock()
		r := &record{id: store.NewID("app_"), unit: u.ID, area: u.Area, direct: u.Direct, state: StateDraft, since: now, created: now, by: v.ID}
		if !v.sees(r) {
			return ErrUnit.New()
		}
		a := &act{tx: tx, v: v, r: r, now: now, step: StepCreate, to: StateDraft, parties: v.parties(r), data: map[string]string{"unit": u.ID}}
		if !a.is(partyUnit) && !a.is(partyRegistrar) {
			return ErrDenied.With("%s", StepCreate)
		}
		r.number = newNumber(now)
		filled := filled
		filled.Agreement = form.Agreement{}
		if err := s.addVersion(ctx, tx, r, filled, "", v.ID, now); err != nil {
			return err
		}
		if err := r.insert(ctx, tx); err != nil {
			return err
		}
		if err := s.remember(ctx, a, ""); err != nil {
			return err
		}
		view, err = s.view(ctx, tx, v, r)
		return err
	})
	return view, err
}

// newNumber is the number of an application, for people and for the code on the form: the day and eight random
// characters, none of which looks like another.
func newNumber(now time.Time) string {
	return "SQ" + now.In(civil.China).Format("20060102") + "-" + rand.Text()[:8]
}

// tidy is a form as it can be stored: the texts that are kept in the clear hold no number of a person. Whether it is right
// is for Findings to say.
func tidy(f form.Application) (form.Application, error) {
	text, err := json.Marshal(f)
	if err != nil { // a size that is no number
		return f, ErrField.At(fault.Field("seal.size"))
	}
	if f, err = form.Decode(text); err != nil {
		return f, err
	}
	for member, text := range map[string]string{"sealTypeOther": f.SealTypeOther, "formerName": f.FormerName, "unit.name": f.Unit.Name,
		"unit.typeOther": f.Unit.TypeOther, "unit.address": f.Unit.Address, "approver": f.Approver, "purpose": f.Purpose,
		"handler.name": f.Handler.Name, "handler.address": f.Handler.Address, "seal.name": f.Seal.Name, "key.holder": f.Key.Holder} {
		if err := checkImpersonal(member, text); err != nil {
			return f, err
		}
	}
	// 单位固定电话 has as many digits as a mobile has; the name of a mailbox often is one.
	if number.Mobile(number.NormalMobile(f.Unit.Phone)) == nil {
		return f, ErrPersonal.At(fault.Field("unit.phone"))
	}
	return f, checkImpersonal("handler.email", f.Handler.Email)
}

// Edit replaces the fields of the form, which makes another version: what was confirmed, examined or approved of the one
// before is void, and a form that says something else than the paper that arrived needs another original when the unit
// edits it. A masked field that comes back as it was shown keeps its value. Errors: enroll.under-way, those of form.Decode.
func (s *Service) Edit(ctx context.Context, by access.Actor, ref Ref, filled form.Application) (Application, error) {
	filled, err := tidy(filled)
	if err != nil {
		return Application{}, err
	}
	return s.take(ctx, by, ref, StepEdit, "", func(a *act) error {
		before, err := s.loadVersion(ctx, a.tx, a.r)
		if err != nil {
			return err
		}
		filled := filled
		filled.Agreement = before.form.Agreement
		filled.Personal = unmasked(filled.Personal, before.form.Personal)
		if !a.is(partyRegistrar) && !sameForm(filled, before.form) {
			a.r.original, a.r.originalNumber, a.r.originalBy = "", "", ""
		}
		a.data["what"] = "form"
		return s.edited(ctx, a, filled, before.roster)
	})
}

// edited is the end of every edit.
func (s *Service) edited(ctx context.Context, a *act, f form.Application, roster string) error {
	if err := s.reopen(ctx, a); err != nil {
		return err
	}
	if a.r.state == StateExamined || a.r.state == StateApproved {
		a.to = StateOriginal
	}
	return s.addVersion(ctx, a.tx, a.r, f, roster, a.v.ID, a.now)
}

// masked is the personal fields as they are shown.
func masked(p form.Personal) form.Personal {
	return form.Personal{HandlerIdentity: number.MaskIdentity(p.HandlerIdentity), HandlerMobile: number.MaskMobile(p.HandlerMobile),
		KeyHolderIdentity: number.MaskIdentity(p.KeyHolderIdentity)}
}

// unmasked takes the value of before for each field that came back masked.
func unmasked(p, before form.Personal) form.Personal {
	m := masked(before)
	keep := func(value *string, mask, was string) {
		if was != "" && *value == mask {
			*value = was
		}
	}
	keep(&p.HandlerIdentity, m.HandlerIdentity, before.HandlerIdentity)
	keep(&p.HandlerMobile, m.HandlerMobile, before.HandlerMobile)
	keep(&p.KeyHolderIdentity, m.KeyHolderIdentity, before.KeyHolderIdentity)
	return p
}

// Application reads one application: enroll.not-found also for one that the actor may not see.
func (s *Service) Application(ctx context.Context, by access.Actor, id string) (Application, error) {
	var view Application
	err := s.show(ctx, by, id, func(q store.Querier, v viewer, r *record) error {
		var err error
		view, err = s.view(ctx, q, v, r)
		return err
	})
	return view, err
}

// ByNumber finds an application by the number on its form.
func (s *Service) ByNumber(ctx context.Context, by access.Actor, number string) (Application, error) {
	var id string
	err := s.DB.Read().QueryRowContext(ctx, `SELECT COALESCE((SELECT id FROM enroll_application WHERE number = $1), '')`, key(number)).Scan(&id)
	if err != nil {
		return Application{}, err
	}
	return s.Application(ctx, by, id)
}

func (s *Service) view(ctx context.Context, q store.Querier, _ viewer, r *record) (Application, error) {
	ver, err := s.loadVersion(ctx, q, r)
	if err != nil {
		return Application{}, err
	}
	a := Application{ID: r.id, Number: r.number, Unit: r.unit, State: r.state, Since: r.since, Revision: r.revision, Version: r.version,
		Created: r.created, By: r.by, Batch: r.batch, Form: ver.form, InkBy: r.inkBy, Examination: r.examination,
		Approved: r.approved, Issued: r.issued, ObjectUntil: r.until}
	a.Form.Personal = masked(ver.form.Personal)
	if r.original != "" {
		a.Original = &Original{On: r.original, Number: r.originalNumber, By: r.originalBy}
	}
	if r.inkBy != "" {
		reading := r.reading
		a.Reading = &reading
	}
	if a.Attachments, err = readAttachments(ctx, q, r.id); err != nil {
		return a, err
	}
	a.Roster, err = readRosterInfo(ctx, q, ver.roster)
	return a, err
}

// AcceptAgreement ticks 已阅读并同意 for the unit: only the version in force, enroll.agreement otherwise.
func (s *Service) AcceptAgreement(ctx context.Context, by access.Actor, ref Ref, agreement string) (Application, error) {
	return s.take(ctx, by, ref, StepEdit, "", func(a *act) error {
		current, err := currentAgreement(ctx, a.tx)
		if err != nil {
			return err
		}
		if agreement == "" || agreement != current.Version {
			return ErrAgreement.With("%s", current.Version)
		}
		before, err := s.loadVersion(ctx, a.tx, a.r)
		if err != nil {
			return err
		}
		f := before.form
		f.Agreement = form.Agreement{Accepted: true, Version: agreement, At: a.now.UTC().Format(time.RFC3339), By: a.v.ID}
		a.data["what"], a.data["agreement"], a.data["agreement.digest"] = "agreement", agreement, current.Digest
		return s.edited(ctx, a, f, before.roster)
	})
}
