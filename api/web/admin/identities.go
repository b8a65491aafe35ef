package admin

import (
	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/access"
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

// usbKey is a USB Key with which somebody signs in.
type usbKey struct {
	login.Key
	Who, Serial string
	Void        bool // it lets them in no more, who decide as one of two now
}

func (p pages) usbKeys(q *web.Request, whose access.Actor) (all []usbKey, err error) {
	list, err := p.Login.KeysOf(q.Context(), q.Actor, whose.ID)
	for _, k := range list {
		if k.Confirmed.IsZero() {
			continue
		}
		v := usbKey{Key: k, Void: !k.Here && whose.Officer()}
		if c, err := chain.ParseCertificate(k.Certificate); err == nil { // it was read when it was offered
			v.Who, v.Serial = c.Subject.String(), ca.SerialText(c.Serial)
		}
		all = append(all, v)
	}
	return all, err
}

func (p pages) endUSBKey(q *web.Request) error {
	return p.after(q, p.Login.EndKey(q.Context(), q.Actor, q.PathValue("id"), q.PostFormValue("key")), "usb-key-ended")
}
