package officer

import (
	"net/url"
	"slices"
	"strings"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer/register"
)

// change is what a request changes about one thing: how it stands now, and how it stands after the request is carried out.
type change struct{ What, Now, After, Path string }

// changesOf says what a request changes. Of what has no state before it, like a plan, its parts say it.
func (p *pages) changesOf(q *web.Request, people *web.People, r access.Pending) ([]change, error) {
	switch r.Kind {
	case access.KindGrantRole:
		return p.roleChange(q, people, r)
	case access.KindGrant:
		return p.grantChange(q, people, r)
	case access.KindRevokeCertificate, access.KindSuspendCertificate, access.KindResumeCertificate:
		return p.certificateChange(q, r)
	case access.KindResumeSeal, access.KindCancelSeal, access.KindSuspendSeal:
		return p.sealChange(q, r)
	case access.KindImportAnchor:
		return p.anchorChange(q, r)
	case access.KindConfirmSuspension, access.KindLiftSuspension:
		return p.suspensionChange(q, r)
	}
	return nil, nil
}

func (p *pages) roleChange(q *web.Request, people *web.People, r access.Pending) ([]change, error) {
	actor, role, ok := access.ParseGrantSubject(r.Subject)
	if !ok {
		return nil, nil
	}
	who, err := people.Of(actor)
	if err != nil {
		return nil, err
	}
	roles := slices.Clone(who.Roles)
	if !slices.Contains(roles, role) {
		roles = append(roles, role)
	}
	now := q.Roles(who.Roles)
	if now == "" {
		now = q.T("没有角色", "no role")
	}
	return []change{{What: q.T("角色：", "Roles of ") + who.Name + q.T("（", " (") + who.ID + q.T("）", ")"), Now: now, After: q.Roles(roles)}}, nil
}

func (p *pages) grantChange(q *web.Request, people *web.People, r access.Pending) ([]change, error) {
	g, err := register.ParseGrant(r.Subject)
	if err != nil {
		return nil, nil
	}
	who, err := people.Of(g.Actor)
	if err != nil {
		return nil, err
	}
	terms := func(g register.Grant) string {
		uses := q.T("次数不限", "any number of uses")
		if g.Quota > 0 {
			uses = q.T("上限 ", "at most ") + web.Number(g.Quota) + q.T(" 次", " uses")
		}
		return civil.Day(g.From) + " – " + civil.Day(g.Until) + q.T("，", ", ") + uses
	}
	held, err := p.Register.Grants(q.Context(), q.Actor, register.GrantFilter{Seal: g.SealCode, Actor: g.Actor, State: register.GrantRuns})
	if err != nil {
		return nil, err
	}
	now := q.T("没有有效的授权", "no grant in force")
	if len(held) > 0 {
		var all []string
		for _, h := range held {
			all = append(all, terms(h.Grant))
		}
		now = strings.Join(all, q.T("；", "; "))
	}
	after := terms(g)
	if len(held) > 0 && r.Used.IsZero() {
		after = q.T("另加：", "as well: ") + after
	}
	return []change{{What: who.Name + q.T(" 使用印章 ", " uses seal ") + g.SealCode, Now: now, After: after, Path: seals + "/" + url.PathEscape(g.SealCode)}}, nil
}

func (p *pages) certificateChange(q *web.Request, r access.Pending) ([]change, error) {
	serial := serialOf(r)
	found, err := p.Authorities.Find(q.Context(), serial)
	if fault.Has(err, ca.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	after := map[access.Kind]string{access.KindRevokeCertificate: "revoked", access.KindSuspendCertificate: "held", access.KindResumeCertificate: "good"}[r.Kind]
	what := q.T("证书 ", "Certificate ") + serial
	if found.Certificate != nil {
		what = found.Certificate.Subject.String()
	}
	return []change{{What: what, Now: certificateWords.of(string(found.State), q.Language), After: certificateWords.of(after, q.Language), Path: certificates + "/" + url.PathEscape(serial)}}, nil
}

func (p *pages) sealChange(q *web.Request, r access.Pending) ([]change, error) {
	card, err := p.Register.Card(q.Context(), q.Actor, sealOf(r))
	if err != nil {
		if _, known := fault.Of(err); known {
			return nil, nil
		}
		return nil, err
	}
	after := map[access.Kind]string{access.KindResumeSeal: "active", access.KindCancelSeal: "cancelled", access.KindSuspendSeal: "suspended"}[r.Kind]
	return []change{{What: card.Name + q.T("（", " (") + card.Code + q.T("）", ")"), Now: sealStateWords.of(string(card.State), q.Language), After: sealStateWords.of(after, q.Language),
		Path: seals + "/" + url.PathEscape(card.Code)}}, nil
}

func (p *pages) anchorChange(q *web.Request, r access.Pending) ([]change, error) {
	asked, err := ca.ParseAnchorRequest(r.Subject)
	if err != nil {
		return nil, nil
	}
	c, err := chain.ParseCertificate(asked.Certificate)
	if err != nil {
		return nil, nil
	}
	all, err := p.Authority.ImportedAnchors(q.Context())
	if err != nil {
		return nil, err
	}
	now := q.T("不信任", "not trusted")
	for _, a := range all {
		if a.Removed.IsZero() && a.Certificate.FingerprintText() == c.FingerprintText() {
			now = q.T("信任，用于", "trusted for ") + web.AnchorPurposes(a.Purposes, q.Language)
		}
	}
	return []change{{What: asked.Name + q.T("（", " (") + c.Subject.String() + q.T("）", ")"), Now: now, After: q.T("信任，用于", "trusted for ") + web.AnchorPurposes(asked.Purposes, q.Language)}}, nil
}

func (p *pages) suspensionChange(q *web.Request, r access.Pending) ([]change, error) {
	x, err := p.suspensionOf(q, func(x enroll.Suspension) bool { return x.Request == r.ID })
	if fault.Has(err, enroll.ErrSuspension) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	after := "confirmed"
	if r.Kind == access.KindLiftSuspension {
		after = "lifted"
	}
	return []change{{What: x.Name, Now: suspensionWords.of(string(x.State), q.Language), After: suspensionWords.of(after, q.Language), Path: suspensions + "/" + url.PathEscape(x.ID)}}, nil
}
