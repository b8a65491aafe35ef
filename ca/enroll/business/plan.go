package business

import (
	"context"
	"slices"
	"time"

	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// facts are what the plan of an application is made from.
type facts struct {
	form  form.Application
	users []user // of the roster who may use the seal from now on
	gone  []user // whom the roster withdraws
	image template
	now   time.Time
}

// user is a person on the roster.
type user struct {
	Holder string
	Actor  string
	Name   string
	Unit   string
}

// planner gathers acts.
type planner struct {
	*Service
	ctx  context.Context
	q    store.Querier
	f    facts
	acts []act
}

func (p *planner) add(a act) { p.acts = append(p.acts, a) }

var _ enroll.Planner = (*Service)(nil)

// Plan implements enroll.Planner: it says which acts an application takes and keeps them for CarryOut. Who is on the
// roster becomes an actor, without any right yet. Errors: business.no-template, business.code-taken, business.no-users,
// business.user-missing, business.no-key, business.renewal-waits,
// business.seal-ended, business.nothing.
func (s *Service) Plan(ctx context.Context, tx *store.Tx, d enroll.Dossier) ([]access.Part, error) {
	f := facts{form: d.Form, now: s.Clock()}
	var err error
	if f.image, err = readTemplate(ctx, tx, d.ID, d.Version); err != nil {
		return nil, err
	}
	if f.users, f.gone, err = s.usersOf(ctx, tx, d); err != nil {
		return nil, err
	}
	acts, err := s.plan(ctx, tx, f)
	if err != nil {
		return nil, err
	}
	parts := make([]access.Part, len(acts))
	for i, a := range acts {
		parts[i] = s.part(a)
	}
	return parts, saveActs(ctx, tx, d.ID, d.Version, acts)
}

// plan says which acts the application takes.
func (s *Service) plan(ctx context.Context, q store.Querier, f facts) ([]act, error) {
	p := &planner{Service: s, ctx: ctx, q: q, f: f}
	var err error
	switch {
	case f.form.Has(form.New):
		err = p.newSeal()
	case f.form.Has(form.OrganisationChange), f.form.Has(form.ImprintChange):
		err = p.change()
	case f.form.Has(form.KeyReplacement):
		err = p.replaceKey()
	case f.form.Has(form.KeyUnlock):
		err = p.unlock()
	case f.form.Has(form.Cancellation):
		err = p.cancel()
	default:
		err = ErrNoBusiness.New()
	}
	if err == nil {
		err = p.dismiss()
	}
	if err == nil && len(p.acts) == 0 {
		err = ErrNothing.New()
	}
	return p.acts, err
}

func (p *planner) method(m form.Method) bool { return slices.Contains(p.f.form.Methods, m) }

// newSeal is 新申请: certificates and seals for the service's key and for each user, and who may use them.
func (p *planner) newSeal() error {
	f := p.f.form
	if p.f.image.code == "" {
		return ErrNoTemplate.New()
	}
	_, err := p.Seals.Registered(p.ctx, p.f.image.code)
	if err == nil {
		return ErrCodeTaken.With("%s", p.f.image.code)
	}
	if !isNotFound(err) {
		return err
	}
	order := SealOrder{Code: p.f.image.code, Name: f.Seal.Name, Organisation: f.Unit.Name, CreditCode: f.Unit.CreditCode,
		Width: p.f.image.width, Height: p.f.image.height, Template: p.f.image.template, Picture: p.f.image.picture}
	for _, scope := range f.Scopes {
		order.Networks = append(order.Networks, string(scope))
	}
	if p.method(form.Central) {
		p.central(order, true)
		// Central seals are for the programs of the province.
		platforms, err := p.Access.WithRole(p.ctx, p.q, access.RolePlatform)
		if err != nil {
			return err
		}
		for _, platform := range platforms {
			p.grant(order.Code, platform)
		}
	}
	if p.method(form.Distributed) {
		return p.users(order)
	}
	return nil
}

// central makes the instance for the key in the service, with a certificate or for the present one.
func (p *planner) central(o SealOrder, certificate bool) {
	if certificate {
		p.add(act{Kind: actCertificate, Phase: phaseIssue, Group: groupCentral, Authority: p.Institutions, Certificate: &certificateTerms{Profile: ca.ProfileInstitution,
			Organisation: o.Organisation, CreditCode: o.CreditCode, SealCode: o.Code}})
	}
	p.add(act{Kind: actSeal, Phase: phaseIssue, Group: groupCentral, Seal: &o})
}

// users makes certificates and an instance for everybody on the roster.
func (p *planner) users(o SealOrder) error {
	if len(p.f.users) == 0 {
		return ErrNoUsers.New()
	}
	for _, u := range p.f.users {
		if err := p.operator(u.Actor); err != nil {
			return err
		}
		p.key(u, o)
		p.grant(o.Code, u.Actor)
	}
	return nil
}

// key makes the two certificates of a USB Key and the instances on it.
func (p *planner) key(u user, orders ...SealOrder) {
	for _, profile := range []ca.Profile{ca.ProfilePersonal, ca.ProfileEncryption} {
		p.add(act{Kind: actCertificate, Phase: phaseIssue, Group: u.Actor, Certificate: &certificateTerms{Profile: profile, Organisation: u.Unit, CommonName: u.Name}})
	}
	for _, o := range orders {
		o.Holder = u.Actor
		p.add(act{Kind: actSeal, Phase: phaseIssue, Group: u.Actor, Seal: &o})
	}
}

// operator makes somebody a seal user who is not one yet.
func (p *planner) operator(actorID string) error {
	actor, err := p.Access.ActorIn(p.ctx, p.q, actorID)
	if err == nil && !actor.Has(access.RoleOperator) {
		p.add(act{Kind: actRole, Phase: phaseAccept, Actor: actorID})
	}
	return err
}

// grant lets an actor use the seal as long as its certificates are renewed without another decision.
func (p *planner) grant(code, actor string) {
	p.add(act{Kind: actGrant, Phase: phaseAccept, Grant: p.grantFrom(p.f.now, code, actor)})
}

func (s *Service) grantFrom(now time.Time, code, actor string) *SealGrant {
	from := now.UTC().Truncate(time.Second)
	return &SealGrant{Code: code, Actor: actor, From: from, Until: access.RenewableUntil(from)}
}

// standing finds a seal that has not ended.
func (p *planner) standing(code string) (RegisteredSeal, error) {
	s, err := p.Seals.Registered(p.ctx, code)
	if err == nil && s.State == stateCancelled {
		err = ErrSealEnded.With("%s", code)
	}
	return s, err
}

// change is 机构变更 and 印模变更, alone or on one form.
func (p *planner) change() error {
	f := p.f.form
	old, err := p.standing(f.Seal.Code)
	if err != nil {
		return err
	}
	o := SealOrder{Code: old.Code, Name: old.Name, Organisation: old.Organisation, CreditCode: old.CreditCode, Width: old.Width, Height: old.Height,
		Template: old.Template, Picture: old.Picture}
	if f.Has(form.ImprintChange) {
		if len(p.f.image.picture) == 0 {
			return ErrNoTemplate.New()
		}
		o.Name, o.Width, o.Height, o.Template, o.Picture = f.Seal.Name, p.f.image.width, p.f.image.height, p.f.image.template, p.f.image.picture
	}
	renamed := f.Has(form.OrganisationChange)
	if renamed {
		o.Organisation, o.CreditCode = f.Unit.Name, f.Unit.CreditCode
	}
	if o.Name != old.Name || renamed {
		o.FormerName = old.Name
	}
	inUse, err := p.Seals.InstancesInUse(p.ctx, o.Code)
	if err != nil {
		return err
	}
	for _, in := range inUse {
		if next, err := p.Seals.WaitingRenewal(p.ctx, in.ID); err != nil {
			return err
		} else if next != nil && !p.leaves(in.Holder) {
			return ErrRenewalWaits.New() // it repeats the seal as it was
		}
		switch {
		case in.Holder == "":
			p.central(o, renamed)
			if renamed {
				err = p.revokeCertificate(in.Certificate, ca.ReasonAffiliationChanged, phaseAccept)
			}
		case !renamed && !p.leaves(in.Holder):
			// The certificate of the user stays; the new instance lists it.
			o := o
			o.Holder = in.Holder
			p.add(act{Kind: actSeal, Phase: phaseIssue, Group: groupPresent + in.Holder, Seal: &o})
		case renamed && !p.leaves(in.Holder) && !p.stays(in.Holder):
			err = ErrUserMissing.New()
		}
		if err != nil {
			return err
		}
	}
	return p.changeUsers(o, inUse, renamed)
}

// stays and leaves say what the roster says of a user.
func (p *planner) stays(actor string) bool { return among(p.f.users, actor) }

func (p *planner) leaves(actor string) bool { return among(p.f.gone, actor) }

func among(users []user, actor string) bool {
	return slices.ContainsFunc(users, func(u user) bool { return u.Actor == actor })
}

// changeUsers gives the users of the roster what they need: all of them when the unit has another name, otherwise those
// who are new.
func (p *planner) changeUsers(o SealOrder, inUse []SealInstance, renamed bool) error {
	for _, u := range p.f.users {
		has := slices.ContainsFunc(inUse, func(in SealInstance) bool { return in.Holder == u.Actor })
		if has && !renamed {
			continue
		}
		if !has {
			if err := p.operator(u.Actor); err != nil {
				return err
			}
			p.grant(o.Code, u.Actor)
		}
		p.key(u, o)
		if renamed {
			if err := p.revokeHoldings(u.Actor, ca.ReasonAffiliationChanged, phaseAccept); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaceKey is Key 补办: what the old Key held is revoked at once, a new one gets the same.
func (p *planner) replaceKey() error {
	u, err := p.keyHolder()
	if err != nil {
		return err
	}
	codes, err := p.Seals.GrantedOnKey(p.ctx, u.Actor)
	if err != nil {
		return err
	}
	if err := p.revokeHoldings(u.Actor, ca.ReasonKeyCompromise, phaseIssue); err != nil {
		return err
	}
	var orders []SealOrder
	for _, code := range codes {
		s, err := p.Seals.Registered(p.ctx, code)
		if err != nil {
			return err
		}
		orders = append(orders, SealOrder{Code: s.Code, Name: s.Name, Organisation: s.Organisation, CreditCode: s.CreditCode, Width: s.Width, Height: s.Height,
			Template: s.Template, Picture: s.Picture})
	}
	if len(orders) == 0 {
		return ErrNoKey.With("%s", p.f.form.Key.Holder)
	}
	p.key(u, orders...)
	return nil
}

// unlock is Key 解锁, of a token that is registered for the person whom the form names: the approver sees no more of it
// than its serial number.
func (p *planner) unlock() error {
	u, err := p.keyHolder()
	if err != nil {
		return err
	}
	token := p.f.form.Key.Serial
	var registered int
	err = p.q.QueryRowContext(p.ctx, `SELECT COUNT(*) FROM business_token WHERE serial = $1 AND holder = $2`, token, u.Actor).Scan(&registered)
	if err == nil && registered == 0 {
		err = ErrNoKey.With("%s", token)
	}
	p.add(act{Kind: actUnlock, Phase: phaseIssue, Token: token})
	return err
}

// keyHolder is the one person whose Key the application is about.
func (p *planner) keyHolder() (user, error) {
	if len(p.f.users) != 1 {
		return user{}, ErrNoKey.With("%s", p.f.form.Key.Holder)
	}
	return p.f.users[0], nil
}

// cancel is 注销: the seal ends, and every certificate that stands for it alone.
func (p *planner) cancel() error {
	code := p.f.form.Seal.Code
	if _, err := p.standing(code); err != nil {
		return err
	}
	inUse, err := p.Seals.InstancesInUse(p.ctx, code)
	if err != nil {
		return err
	}
	p.add(act{Kind: actCancel, Phase: phaseIssue, Code: code})
	for _, in := range inUse {
		if in.Holder == "" {
			err = p.revokeCentral(in, ca.ReasonCessationOfOperation, phaseIssue)
		} else if last, e := p.last(in.Holder, code); e != nil {
			err = e
		} else if last {
			err = p.revokeHoldings(in.Holder, ca.ReasonCessationOfOperation, phaseIssue)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// revokeCentral revokes the certificate of a central seal, and that of a renewal which waits.
func (p *planner) revokeCentral(in SealInstance, reason ca.Reason, when phase) error {
	if err := p.revokeCertificate(in.Certificate, reason, when); err != nil {
		return err
	}
	next, err := p.Seals.WaitingRenewal(p.ctx, in.ID)
	if err != nil || next == nil {
		return err
	}
	return p.revokeCertificate(next, reason, when)
}

// last reports whether a person has no other seal than this.
func (p *planner) last(actor, code string) (bool, error) {
	list, err := p.Seals.InstancesOf(p.ctx, actor)
	return !slices.ContainsFunc(list, func(in SealInstance) bool { return in.Code != code }), err
}

func isNotFound(err error) bool {
	f, ok := fault.Of(err)
	return ok && f.Kind == fault.NotFound
}
