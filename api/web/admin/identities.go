package admin

import (
	"yinxin/api/web"
	"yinxin/internal/login"
)

// linked is an account at an identity provider by which somebody signs in.
type linked struct {
	login.Link
	Label web.Text
}

func (p pages) links(q *web.Request, actorID string) (all []linked, err error) {
	list, err := p.Login.Links(q.Context(), q.Actor, actorID)
	for _, l := range list {
		all = append(all, linked{Link: l, Label: web.Provider(p.OIDC, l.Outside)})
	}
	return all, err
}

// link links somebody to an account at an identity provider that is set up.
func (p pages) link(q *web.Request) error {
	offer, err := p.OIDC.Offer(q.PostFormValue("provider"))
	if err == nil {
		_, err = p.Login.LinkFromAfar(q.Context(), q.Actor, q.PathValue("id"), login.Outside{Issuer: offer.Issuer, Claim: offer.Claim, Subject: q.PostFormValue("subject")})
	}
	return p.after(q, err, "linked")
}

func (p pages) endLink(q *web.Request) error {
	return p.after(q, p.Login.Unlink(q.Context(), q.Actor, q.PathValue("id"), q.PostFormValue("link")), "unlinked")
}
