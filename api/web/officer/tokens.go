package officer

import (
	"bytes"
	"encoding/pem"
	"net/url"
	"slices"
	"strings"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/ca/enroll/business"
	"yinxin/internal/fault"
	"yinxin/sealer/register"
)

var titleTokens = web.Text{ZH: "Key 保管登记", EN: "Keys in custody"}

func (p *pages) tokens(q *web.Request) error {
	filters := []web.Filter{{Name: "state", Label: web.Text{ZH: "SO PIN", EN: "SO PIN"}, Options: []web.Option{{Value: "released", Label: web.Text{ZH: "已发放、待确认", EN: "released, not confirmed"}}}},
		{Name: "serial", Label: web.Text{ZH: "Key 序列号", EN: "Serial number"}}}
	l := web.List{File: q.T("Key保管登记", "tokens"), Filters: filters, Empty: web.Text{ZH: "没有登记保管的 USB Key。", EN: "No USB Key is in custody."}, Columns: []web.Column{{Label: web.Text{ZH: "Key 序列号", EN: "Serial number"}},
		{Label: web.Text{ZH: "持有人", EN: "Holder"}}, {Label: web.Text{ZH: "登记时间", EN: "Registered"}}, {Label: web.Text{ZH: "登记人", EN: "By"}}, {Label: web.Text{ZH: "SO PIN", EN: "SO PIN"}}}}
	query := q.URL.Query()
	f := business.TokenFilter{Serial: strings.TrimSpace(query.Get("serial")), Released: query.Get("state") == "released"}
	return q.ShowList("list", web.Page{Title: titleTokens, Trail: []web.Item{{Path: keys, Label: titleKeys}}, Styles: styles}, l, func(after string, limit int) ([]web.Row, string, error) {
		f.After, f.Limit = after, limit
		found, err := p.Desk.Business.Tokens(q.Context(), q.Actor, f)
		if err != nil {
			return nil, "", err
		}
		var rows []web.Row
		for _, t := range found {
			row := web.Row{Cells: []web.Cell{{Text: t.Serial, Path: tokens + "/" + t.Serial}, {Text: t.Name}, {Text: web.Minute(t.Created)}, {Text: t.By}, {Text: q.T("保管中", "in custody"), Class: "good"}}}
			if !t.Released.IsZero() {
				row.Cells[4] = web.Cell{Text: q.T("已发放、待确认", "released, not confirmed"), Class: "doubt", Fine: web.Minute(t.Released)}
			}
			rows = append(rows, row)
		}
		if len(found) < limit {
			return rows, "", nil
		}
		return rows, found[len(found)-1].Serial, nil
	})
}

// tokenPage is one Key in custody: whose it is, what is on it, and what can be done when its end is near, when its PIN is
// locked and when it is lost.
type tokenPage struct {
	business.Token
	Certificates []heldRow
	Registers    bool
	Unit, Person string // in registration
	Renewable    string // serial number of the signing certificate that is good
}

func (p *pages) token(q *web.Request) error { return p.showToken(q, nil) }

func (p *pages) showToken(q *web.Request, problem error) error {
	t, err := p.Desk.Business.Token(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	d := tokenPage{Token: t, Registers: q.Actor.Has(registrar)}
	if d.Certificates, err = p.heldRows(q, t.Holder); err != nil {
		return err
	}
	for _, c := range slices.Backward(d.Certificates) { // the oldest good one: a successor waits beside it
		if c.Profile == ca.ProfilePersonal && c.State == ca.RecordGood {
			d.Renewable = c.Serial
		}
	}
	if d.Unit, d.Person, err = p.Desk.Business.PersonOf(q.Context(), q.Actor, t.Holder); err != nil {
		return err
	}
	return q.Show("token", web.Page{Title: web.Text{ZH: "USB Key " + t.Serial, EN: "USB Key " + t.Serial}, Trail: []web.Item{{Path: keys, Label: titleKeys}, {Path: tokens, Label: titleTokens}}, Data: d, Problem: problem, Styles: styles})
}

// confirmPIN records that a token has the SO PIN that was to be set.
func (p *pages) confirmPIN(q *web.Request) error {
	serial := q.PathValue("id")
	err := p.Desk.Business.ConfirmSOPIN(q.Context(), q.Actor, serial)
	if err == nil {
		return q.Go(tokens+"/"+url.PathEscape(serial), "confirmed")
	}
	if !sayable(err, fault.NotFound) {
		return err
	}
	return p.showToken(q, err)
}

// keySeal is an instance of a seal as a file, for a Key.
func (p *pages) keySeal(q *web.Request) error {
	if _, err := p.Register.Card(q.Context(), q.Actor, q.PathValue("id")); err != nil {
		return err
	}
	in, err := p.Register.Instance(q.Context(), q.PathValue("instance"))
	if err != nil {
		return err
	}
	if in.SealCode != q.PathValue("id") || in.Custody != register.UserKey {
		return errNoSealFile.New()
	}
	return download(q, "application/octet-stream", in.SealCode+".esl", in.Seal)
}

var errNoSealFile = fault.Spec{Kind: fault.NotFound, Code: "page.no-seal-file", ZH: "没有这枚 USB Key 印章文件。", EN: "There is no such seal of a USB Key."}

// renewKeyPage asks for a request by the present key of a Key.
type renewKeyPage struct{ Serial string }

var titleRenewKey = web.Text{ZH: "更新 USB Key 证书", EN: "Renew a USB Key"}

func (p *pages) askRenewKey(q *web.Request) error {
	return p.showRenewKey(q, q.URL.Query().Get("serial"), nil)
}

func (p *pages) showRenewKey(q *web.Request, serial string, problem error) error {
	return q.Show("renew-key", web.Page{Title: titleRenewKey, Trail: []web.Item{{Path: renewals, Label: titleRenewals}}, Data: renewKeyPage{serial}, Problem: problem, Styles: styles})
}

func (p *pages) renewKey(q *web.Request) error {
	request, err := requestOf(q.Request)
	text := strings.TrimSpace(q.PostFormValue("serial"))
	var r business.Renewal
	if err == nil {
		serial, bad := ca.ParseSerial(text)
		if bad != nil {
			err = ca.ErrNotFound.With("%.64s", text)
		} else {
			r, err = p.Desk.Business.RenewKey(q.Context(), q.Actor, serial, request)
		}
	}
	if err == nil {
		return q.Go(renewals+"/"+r.ID, "renewed")
	}
	if !sayable(err) {
		return err
	}
	return p.showRenewKey(q, text, err)
}

// renewalCertificates are the new certificates of a renewal, the signing certificate first, for the Key.
func (p *pages) renewalCertificates(q *web.Request) error {
	r, err := p.Desk.Business.Renewal(q.Context(), q.PathValue("id"))
	if err != nil {
		return err
	}
	var all bytes.Buffer
	for _, c := range r.Certificates {
		record, err := p.Authority.Certificate(q.Context(), c.Successor)
		if err != nil {
			return err
		}
		if record.Certificate == nil {
			return ca.ErrNotFound.New()
		}
		all.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: record.Certificate.Raw}))
	}
	return download(q, "application/x-pem-file", r.ID+".pem", all.Bytes())
}
