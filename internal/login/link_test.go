package login

import (
	"context"
	"testing"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/login/oidc"
	"yinxin/internal/login/oidc/oidctest"
)

// outside is a provider at which somebody signs in.
type outside struct {
	*oidc.Providers
	provider *oidctest.Provider
	who      Outside
}

func (r *room) outside() outside {
	r.t.Helper()
	const base = "http://127.0.0.1:1"
	p := oidctest.New(r.t, base+oidc.Path("gov")+"/callback")
	r.t.Setenv("YINXIN_OIDC_SECRET_GOV", oidctest.ClientSecret)
	// The provider's clock is that of the machine.
	all, err := oidc.New(oidc.Options{Settings: oidc.Settings{{Name: "gov", ZH: "省", Issuer: p.Issuer, ClientID: oidctest.ClientID}}, BaseURL: base, DB: r.DB, Clock: time.Now})
	must(r.t, err)
	return outside{all, p, Outside{Issuer: p.Issuer, Claim: "sub", Subject: oidctest.Subject}}
}

// identity signs in at the provider.
func (r *room) identity(o outside) oidc.Identity {
	r.t.Helper()
	target, secret, err := o.Begin(context.Background(), "gov", "", "/home")
	must(r.t, err)
	back := o.provider.SignIn(r.t, target)
	who, _, err := o.Finish(context.Background(), "gov", "", secret, oidc.Answer{Code: back.Get("code"), State: back.Get("state")})
	must(r.t, err)
	return who
}

func (r *room) come(who oidc.Identity) (Session, string, error) {
	return r.ByOIDC(context.Background(), who, Origin{Address: "192.0.2.1", Agent: "test"})
}

func TestOnlyWhoIsLinkedSignsInByAProvider(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		o := r.outside()
		who := r.identity(o)
		_, token, err := r.come(who)
		r.wants(err, ErrStranger)
		if f, _ := fault.Of(err); token != "" || f.Detail() != "tell an administrator this identifier: "+oidctest.Subject {
			t.Errorf("%q %v", token, err)
		}
		if n := r.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'login.stranger'`); n != 1 {
			t.Errorf("%d entries", n)
		}
		clerk, _ := r.in()
		_, err = r.Link(ctx, clerk.Actor, "clerk", o.who)
		r.wants(err, access.ErrRole)
		_, err = r.LinkFromAfar(ctx, clerk.Actor, "clerk", o.who)
		r.wants(err, access.ErrRole)
		_, err = r.Link(ctx, r.admin, "nobody", o.who)
		r.wants(err, access.ErrActorNotFound)
		_, err = r.Link(ctx, r.admin, "clerk", Outside{Issuer: o.who.Issuer, Claim: "sub", Subject: "a\nb"})
		r.wants(err, ErrLink)
		must(t, r.SetPassword(ctx, r.admin, "clerk", "set-by-an-administrator"))
		link, err := r.LinkFromAfar(ctx, r.admin, "clerk", o.who)
		must(t, err)
		_, err = r.Link(ctx, r.admin, "other", o.who)
		r.wants(err, ErrLinked)

		in, token, err := r.come(who)
		must(t, err)
		if in.Actor.ID != "clerk" || in.Method != "oidc:gov" || in.MustChange {
			t.Errorf("%+v", in)
		}
		r.stands(token, true)
		logins, err := r.History(ctx, in.Actor, "clerk", Span{Limit: 1})
		must(t, err)
		if len(logins) != 1 || logins[0].Method != "oidc:gov" || logins[0].Refusal != "" {
			t.Errorf("%+v", logins)
		}
		links, err := r.Links(ctx, in.Actor, "clerk")
		must(t, err)
		if len(links) != 1 || links[0].ID != link.ID || links[0].Outside != o.who || links[0].Here || links[0].By != "admin" {
			t.Errorf("%+v", links)
		}
		_, err = r.Links(ctx, in.Actor, "other")
		r.wants(err, access.ErrRole)

		// The link of another issuer, or of another claim, is another one.
		_, err = r.Link(ctx, r.admin, "other", Outside{Issuer: "https://elsewhere.example", Claim: "sub", Subject: oidctest.Subject})
		must(t, err)
		_, err = r.Link(ctx, r.admin, "other", Outside{Issuer: o.who.Issuer, Claim: "employee_number", Subject: oidctest.Subject})
		must(t, err)
		if in, _, err := r.come(who); err != nil || in.Actor.ID != "clerk" {
			t.Errorf("%+v %v", in, err)
		}

		r.wants(r.Unlink(ctx, in.Actor, "clerk", link.ID), access.ErrRole)
		r.wants(r.Unlink(ctx, r.admin, "other", link.ID), ErrLinkNotFound)
		must(t, r.Unlink(ctx, r.admin, "clerk", link.ID))
		r.wants(r.Unlink(ctx, r.admin, "clerk", link.ID), ErrLinkNotFound)
		r.stands(token, false)
		_, _, err = r.come(who)
		r.wants(err, ErrStranger)
	})
}

func TestALinkFromAfarNeverSpeaksForAnOfficer(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		o := r.outside()
		who := r.identity(o)
		officers := r.officers()
		_, err := r.LinkFromAfar(ctx, r.admin, "registrar", o.who)
		r.wants(err, ErrLinkOfficer)

		// Linked from afar before the role was given.
		link, err := r.LinkFromAfar(ctx, r.admin, "other", o.who)
		must(t, err)
		_, token, err := r.come(who)
		must(t, err)
		r.stands(token, true)
		r.promote(officers, "other")
		r.stands(token, false)
		_, _, err = r.come(who)
		r.wants(err, ErrLinkOfficer)
		if n := r.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'login.refused' AND subject = 'other'`); n != 1 {
			t.Errorf("%d entries", n)
		}
		must(t, r.Unlink(ctx, r.admin, "other", link.ID))
		_, err = r.Link(ctx, r.admin, "other", o.who)
		must(t, err)
		in, token, err := r.come(who)
		must(t, err)
		if !in.Actor.Has(access.RoleApprover) {
			t.Errorf("%+v", in)
		}
		r.stands(token, true)
	})
}

func TestWhoIsRetiredDoesNotSignInByAProvider(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		o := r.outside()
		who := r.identity(o)
		_, err := r.Link(ctx, r.admin, "clerk", o.who)
		must(t, err)
		_, token, err := r.come(who)
		must(t, err)
		must(t, r.Access.RetireActor(ctx, r.admin, "clerk"))
		r.stands(token, false)
		_, _, err = r.come(who)
		r.wants(err, ErrRetired)
		// Recorded anew, the same person signs in as the new one.
		_, err = r.Link(ctx, r.admin, "other", o.who)
		must(t, err)
		in, _, err := r.come(who)
		must(t, err)
		if in.Actor.ID != "other" {
			t.Errorf("%+v", in)
		}
	})
}
