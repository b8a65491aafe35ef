package admin

import (
	"encoding/pem"
	"io"
	"slices"
	"strings"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
)

var titleAnchors = web.Text{ZH: "信任锚", EN: "Trust anchors"}

// purposes are in the order in which they are offered.
var purposes = []ca.AnchorPurpose{ca.AnchorSigner, ca.AnchorSealMaker, ca.AnchorTimeStamp}

// anchorState says whether an anchor counts now.
func anchorState(a ca.Anchor, q *web.Request) (word, class, key string) {
	switch {
	case !a.Removed.IsZero():
		return q.T("已移除", "removed"), "bad", "removed"
	case q.Now().After(a.Certificate.NotAfter):
		return q.T("证书已过期", "certificate expired"), "none", "expired"
	}
	return q.T("信任", "trusted"), "good", "trusted"
}

// anchorsPage is what stands above the list: requests; and the lists of others that were imported.
type anchorsPage struct {
	requests
	Lists []foreignList
}

type foreignList struct {
	ca.ForeignCRL
	Name string // of the anchor
	Late bool   // a newer one should be there
}

func (p pages) anchors(q *web.Request) error { return p.showAnchors(q, nil) }

func (p pages) showAnchors(q *web.Request, problem error) error {
	query := q.URL.Query()
	people := q.People(p.Access)
	heads := []web.Text{{ZH: "名称", EN: "Name"}, {ZH: "证书主体", EN: "Subject"}, {ZH: "SM3 指纹", EN: "SM3"}, {ZH: "用途", EN: "Purposes"}}
	waiting, err := p.requested(q, access.KindImportAnchor, requests{At: anchors, Heads: heads}, people, func(r access.Pending) ([]web.Cell, error) {
		a, err := ca.ParseAnchorRequest(r.Subject)
		if err != nil {
			return []web.Cell{{Text: q.T("无法读取", "not readable")}}, nil
		}
		c, err := chain.ParseCertificate(a.Certificate)
		if err != nil {
			return []web.Cell{{Text: a.Name}, {Text: q.T("无法读取", "not readable")}}, nil
		}
		return []web.Cell{{Text: a.Name}, {Text: c.Subject.String()}, {Text: c.FingerprintText(), Code: true}, {Text: web.AnchorPurposes(a.Purposes, q.Language)}}, nil
	})
	if err != nil {
		return err
	}
	all, err := p.Authority.ImportedAnchors(q.Context())
	if err != nil {
		return err
	}
	d := anchorsPage{requests: waiting}
	lists, err := p.Authority.ForeignCRLs(q.Context())
	if err != nil {
		return err
	}
	for _, l := range lists {
		f := foreignList{ForeignCRL: l, Name: l.Anchor, Late: !l.NextUpdate.IsZero() && q.Now().After(l.NextUpdate)}
		if i := slices.IndexFunc(all, func(a ca.Anchor) bool { return a.ID == l.Anchor }); i >= 0 {
			f.Name = all[i].Name
		}
		d.Lists = append(d.Lists, f)
	}
	l := web.List{File: q.T("信任锚", "anchors"), Empty: web.Text{ZH: "还没有导入其他机构的信任锚。", EN: "No anchor of another authority was imported yet."},
		Filters: []web.Filter{{Name: "text", Label: web.Text{ZH: "名称、主体或指纹", EN: "Name, subject or SM3"}}, {Name: "state", Label: web.Text{ZH: "状态", EN: "State"}, Options: []web.Option{
			{Value: "trusted", Label: web.Text{ZH: "信任", EN: "trusted"}}, {Value: "expired", Label: web.Text{ZH: "证书已过期", EN: "certificate expired"}}, {Value: "removed", Label: web.Text{ZH: "已移除", EN: "removed"}}}}},
		Columns: []web.Column{{Label: heads[0]}, {Label: heads[1]}, {Label: heads[2]}, {Label: heads[3]}, {Label: web.Text{ZH: "证书有效期", EN: "Certificate valid"}}, {Label: web.Text{ZH: "导入", EN: "Imported"}},
			{Label: web.Text{ZH: "申请 / 审批", EN: "Asked / agreed"}}, {Label: web.Text{ZH: "状态", EN: "State"}}}}
	text, state := strings.ToLower(strings.TrimSpace(query.Get("text"))), query.Get("state")
	return q.ShowList("anchors", web.Page{Title: titleAnchors, Data: d, Problem: problem}, l, web.Behind(all, func(a ca.Anchor) string { return a.ID }, func(a ca.Anchor) (web.Row, bool, error) {
		word, class, key := anchorState(a, q)
		if state != "" && state != key || !strings.Contains(strings.ToLower(a.Name+"\n"+a.Certificate.Subject.String()+"\n"+a.Certificate.FingerprintText()), text) {
			return web.Row{}, false, nil
		}
		asker, err := people.Of(a.Requester)
		if err != nil {
			return web.Row{}, false, err
		}
		agreed, err := people.Of(a.Approver)
		if err != nil {
			return web.Row{}, false, err
		}
		return web.Row{Cells: []web.Cell{{Text: a.Name, Path: anchors + "/" + a.ID}, {Text: a.Certificate.Subject.String()}, {Text: a.Certificate.FingerprintText(), Code: true}, {Text: web.AnchorPurposes(a.Purposes, q.Language)},
			{Text: civil.Day(a.Certificate.NotBefore) + " – " + civil.Day(a.Certificate.NotAfter)}, {Text: web.Minute(a.Imported)}, {Text: asker.Name + " / " + agreed.Name, Fine: a.Requester + " / " + a.Approver}, {Text: word, Class: class}}}, true, nil
	}))
}

// anchorForm is what is asked for; with a certificate that was read, what its readers say of it.
type anchorForm struct {
	Text, Name, Organisations string
	Why                       string
	Purposes                  []purpose
	Certificate               *chain.Certificate
	Readings                  []ca.Reading
	Lenient                   bool
}

type purpose struct {
	Value  ca.AnchorPurpose
	Word   web.Text
	Chosen bool
}

func (p pages) askAnchor(q *web.Request) error { return p.askAnchorAgain(q, anchorForm{}, nil) }

func (p pages) askAnchorAgain(q *web.Request, f anchorForm, problem error) error {
	chosen := q.PostForm["purpose"]
	for _, one := range purposes {
		f.Purposes = append(f.Purposes, purpose{one, web.AnchorPurposeWords[one], slices.Contains(chosen, string(one))})
	}
	return q.Show("anchor-new", web.Page{Title: web.Text{ZH: "申请导入信任锚", EN: "Ask for a trust anchor"}, Trail: []web.Item{{Path: anchors, Label: titleAnchors}}, Data: f, Problem: problem})
}

var errNoCertificate = fault.Spec{Kind: fault.Invalid, Code: "page.no-certificate", ZH: "没有选择证书文件，也没有粘贴证书文本。", EN: "No certificate was chosen, and none was pasted."}

// certificateOf reads a certificate from a form: a file in DER or PEM, or its text.
func certificateOf(q *web.Request) ([]byte, error) {
	data := []byte(strings.TrimSpace(q.PostFormValue("text")))
	if f, _, err := q.FormFile("certificate"); err == nil {
		defer f.Close()
		if data, err = io.ReadAll(io.LimitReader(f, chain.MaxCertificate+1)); err != nil {
			return nil, err
		}
	}
	if len(data) == 0 {
		return nil, errNoCertificate.New()
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "CERTIFICATE") {
			return block.Bytes, nil
		}
	}
	return data, nil
}

// requestAnchor shows what the readers of certificates say of a file, and with a name and purposes asks for the anchor; an
// approver decides.
func (p pages) requestAnchor(q *web.Request) error {
	der, err := certificateOf(q)
	f := anchorForm{Name: strings.TrimSpace(q.PostFormValue("name")), Organisations: q.PostFormValue("organisations")}
	if err == nil {
		f.Certificate, f.Readings, f.Lenient, err = ca.ReadForeign(der)
	}
	if err != nil {
		return p.askAnchorAgain(q, f, err)
	}
	f.Text = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate.Raw}))
	if q.PostFormValue("step") != "ask" {
		if f.Name == "" {
			f.Name = f.Certificate.Subject.CommonName
		}
		return p.askAnchorAgain(q, f, nil)
	}
	r := ca.AnchorRequest{Name: f.Name, Certificate: f.Certificate.Raw}
	for _, one := range q.PostForm["purpose"] {
		r.Purposes = append(r.Purposes, ca.AnchorPurpose(one))
	}
	for line := range strings.Lines(f.Organisations) {
		if line = strings.TrimSpace(line); line != "" {
			r.Organisations = append(r.Organisations, line)
		}
	}
	f.Why = strings.TrimSpace(q.PostFormValue("reason"))
	if err = enroll.CheckReason(f.Why); err == nil {
		_, err = p.Authority.AskAnchor(q.Context(), q.Actor, r, f.Why)
	}
	if err != nil {
		return p.askAnchorAgain(q, f, err)
	}
	return q.Go(anchors, "asked")
}

// importAnchor imports what was approved.
func (p pages) importAnchor(q *web.Request) error {
	id, err := p.Authority.ImportApproved(q.Context(), q.PathValue("id"))
	if err != nil {
		return p.showAnchors(q, err)
	}
	return p.trustChanged(q, anchors+"/"+id, "anchored")
}

// trustChanged lets what changed count in this process at once; other processes look for it themselves.
func (p pages) trustChanged(q *web.Request, path, notice string) error {
	if p.Retrust != nil {
		if err := p.Retrust(q.Context()); err != nil {
			return err
		}
	}
	return q.Go(path, notice)
}

type anchorPage struct {
	ca.Anchor
	By          whoAgreed
	Text, Class string
	For         string
	May         bool
}

func (p pages) anchor(q *web.Request) error { return p.showAnchor(q, nil) }

func (p pages) showAnchor(q *web.Request, problem error) error {
	all, err := p.Authority.ImportedAnchors(q.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(a ca.Anchor) bool { return a.ID == q.PathValue("id") })
	if i < 0 {
		return ca.ErrAnchorNotFound.New()
	}
	v := anchorPage{Anchor: all[i], For: web.AnchorPurposes(all[i].Purposes, q.Language), May: q.Actor.Has(access.RoleAdministrator) && all[i].Removed.IsZero()}
	v.Text, v.Class, _ = anchorState(all[i], q)
	if v.By, err = p.agreed(q, v.Approval, v.RemovedBy); err != nil {
		return err
	}
	return q.Show("anchor", web.Page{Title: web.Text{ZH: v.Name, EN: v.Name}, Trail: []web.Item{{Path: anchors, Label: titleAnchors}}, Data: v, Problem: problem})
}

// removeAnchor ends the trust at once: one person may, since it only narrows what is believed.
func (p pages) removeAnchor(q *web.Request) error {
	why := strings.TrimSpace(q.PostFormValue("reason"))
	err := enroll.CheckReason(why)
	if err == nil {
		err = p.Authority.RemoveAnchor(q.Context(), q.Actor, q.PathValue("id"), why)
	}
	if err != nil {
		return p.showAnchor(q, err)
	}
	return p.trustChanged(q, anchors+"/"+q.PathValue("id"), "anchor-removed")
}

// importCRL takes a revocation list of another authority; the anchor that vouches for it was decided by two.
func (p pages) importCRL(q *web.Request) error {
	_, data, done, err := p.Receive(q.Request, ca.MaxForeignCRL, "application/pkix-crl", "application/x-pem-file")
	if err == nil {
		defer done()
		_, err = p.Authority.ImportCRL(q.Context(), q.Actor, data)
	}
	if err != nil {
		return p.showAnchors(q, err)
	}
	return q.Go(anchors, "list-imported")
}
