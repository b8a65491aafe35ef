package officer

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/sealer/verify"
)

var titleCertificates = web.Text{ZH: "证书", EN: "Certificates"}

func (p *pages) certificates(q *web.Request) error {
	query := q.URL.Query()
	filters := []web.Filter{{Name: "name", Label: web.Text{ZH: "姓名或印章编码", EN: "Name or code of the seal"}}, {Name: "profile", Label: web.Text{ZH: "类型", EN: "Kind"}}, {Name: "state", Label: web.Text{ZH: "状态", EN: "State"}}}
	for _, profile := range ca.EndProfiles() {
		filters[1].Options = append(filters[1].Options, web.Option{Value: string(profile), Label: profileWords[string(profile)]})
	}
	for _, state := range []string{"good", "held", "revoked", "pending", "failed"} {
		filters[2].Options = append(filters[2].Options, web.Option{Value: state, Label: certificateWords[state]})
	}
	l := web.List{File: q.T("证书", "certificates"), Filters: filters, Columns: []web.Column{{Label: web.Text{ZH: "序列号", EN: "Serial number"}}, {Label: web.Text{ZH: "主体", EN: "Subject"}}, {Label: web.Text{ZH: "类型", EN: "Kind"}},
		{Label: web.Text{ZH: "状态", EN: "State"}}, {Label: web.Text{ZH: "有效期至", EN: "Valid until"}}, {Label: web.Text{ZH: "签发", EN: "Issued"}}}}
	return q.ShowList("list", web.Page{Title: titleCertificates, Styles: styles}, l, func(after string, limit int) ([]web.Row, string, error) {
		f := ca.Filter{Profile: ca.Profile(query.Get("profile")), Name: strings.TrimSpace(query.Get("name")), Limit: limit}
		if after != "" {
			f.After, _ = ca.ParseSerial(after)
		}
		var rows []web.Row
		// With a state a page may take several looks: what does not fit is not shown.
		for range 20 {
			found, err := p.Authority.Certificates(q.Context(), f)
			if err != nil {
				return nil, "", err
			}
			for _, r := range found {
				f.After = r.Serial
				if query.Get("state") != "" && query.Get("state") != string(r.State) {
					continue
				}
				rows = append(rows, certificateRow(r, q))
				if len(rows) == limit {
					return rows, ca.SerialText(f.After), nil
				}
			}
			if len(found) < limit {
				return rows, "", nil
			}
		}
		return rows, ca.SerialText(f.After), nil
	})
}

func certificateRow(r ca.Record, q *web.Request) web.Row {
	subject, until, fine := "", "", ""
	if r.Certificate != nil {
		subject, until = r.Certificate.Subject.String(), web.Minute(r.Certificate.NotAfter)
		if left := r.Certificate.NotAfter.Sub(q.Now()); r.State == ca.RecordGood && left < 60*24*time.Hour {
			fine = q.T("还有 "+strconv.Itoa(int(left.Hours()/24))+" 天到期", strconv.Itoa(int(left.Hours()/24))+" days left")
		}
	}
	serial := ca.SerialText(r.Serial)
	return web.Row{Cells: []web.Cell{{Text: serial, Path: certificates + "/" + serial}, {Text: subject}, {Text: profileWords.of(string(r.Profile), q.Language)},
		{Text: certificateWords.of(string(r.State), q.Language), Class: certificateClass[string(r.State)]}, {Text: until, Fine: fine}, {Text: web.Minute(r.Created)}}}
}

type certificatePage struct {
	backend.Issued
	Serial                        string
	Word, Class, Kind, ReasonWord string
	Subject, Issuer, Fingerprint  string
	NotBefore, NotAfter           time.Time
	Foreign                       bool
	MayHold, MayAsk, MayResume    bool
	Reasons                       []option
	Ready                         []waiting
	Open                          string
}

func (p *pages) certificate(q *web.Request) error { return p.showCertificate(q, "", nil) }

func (p *pages) showCertificate(q *web.Request, open string, problem error) error {
	found, err := p.Authorities.Find(q.Context(), q.PathValue("id"))
	if err != nil {
		return err
	}
	d := certificatePage{Issued: found, Serial: ca.SerialText(found.Record.Serial), Word: certificateWords.of(string(found.State), q.Language), Class: certificateClass[string(found.State)],
		Kind: profileWords.of(string(found.Profile), q.Language), Foreign: found.Authority != backend.BuiltIn, Open: open}
	if !found.Since.IsZero() {
		d.ReasonWord = verify.ReasonWord(int(found.Reason), q.Language)
	}
	if c := found.Certificate; c != nil {
		d.Subject, d.Issuer, d.Fingerprint, d.NotBefore, d.NotAfter = c.Subject.String(), c.Issuer.String(), c.FingerprintText(), c.NotBefore, c.NotAfter
		lives := found.State == ca.RecordGood || found.State == ca.RecordHeld
		d.MayHold = found.State == ca.RecordGood && !d.Foreign
		d.MayAsk = lives && q.Actor.Has(registrar)
		d.MayResume = d.MayAsk && found.State == ca.RecordHeld && !d.Foreign
	}
	d.MayHold = d.MayHold && (q.Actor.Has(registrar) || q.Actor.Has(approver))
	for _, r := range []int{5, 1, 3, 4, 9, 0} {
		d.Reasons = append(d.Reasons, option{strconv.Itoa(r), verify.ReasonWord(r, q.Language)})
	}
	ready, err := p.Access.Ready(q.Context(), "", 1000)
	if err != nil {
		return err
	}
	ready = slices.DeleteFunc(ready, func(r access.Pending) bool {
		return !strings.HasPrefix(string(r.Kind), "certificate.") || serialOf(r) != d.Serial
	})
	if d.Ready, err = p.describe(q, ready); err != nil {
		return err
	}
	return q.Show("certificate", web.Page{Title: web.Text{ZH: "证书 " + d.Serial, EN: "Certificate " + d.Serial}, Trail: []web.Item{{Path: certificates, Label: titleCertificates}}, Data: d, Problem: problem, Styles: styles})
}

// afterCertificate shows a certificate again with what was wrong, or goes on.
func (p *pages) afterCertificate(q *web.Request, open string, err error, path, notice string) error {
	if err == nil {
		return q.Go(path, notice)
	}
	if !sayable(err, fault.NotFound) {
		return err
	}
	return p.showCertificate(q, open, err)
}

func (p *pages) hold(q *web.Request) error {
	reason := strings.TrimSpace(q.PostFormValue("reason"))
	serial, err := ca.ParseSerial(q.PathValue("id"))
	if err != nil {
		return ca.ErrNotFound.New()
	}
	if err = enroll.CheckReason(reason); err == nil {
		err = p.Authority.SuspendAtOnce(q.Context(), q.Actor, serial, reason)
	}
	return p.afterCertificate(q, "hold", err, certificates+"/"+url.PathEscape(q.PathValue("id")), "held")
}

func (p *pages) askChange(q *web.Request) error {
	reason, err := strconv.Atoi(q.PostFormValue("code"))
	if q.PostFormValue("change") != string(backend.ChangeRevoke) {
		reason, err = 0, nil
	}
	if err != nil {
		err = ca.ErrReason.Because(err)
	}
	change := backend.Change(q.PostFormValue("change"))
	if change != backend.ChangeRevoke && change != backend.ChangeSuspend && change != backend.ChangeResume {
		err = errors.Join(err, enroll.ErrField.At(fault.Field("change")))
	}
	why := strings.TrimSpace(q.PostFormValue("reason"))
	if err == nil {
		err = enroll.CheckReason(why)
	}
	var id string
	if err == nil {
		var kind access.Kind
		var subject []byte
		if kind, subject, err = p.Authorities.Ask(q.Context(), q.PathValue("id"), change, ca.Reason(reason)); err == nil {
			id, err = p.Access.RequestBecause(q.Context(), q.Actor, kind, subject, why)
		}
	}
	return p.afterCertificate(q, string(change), err, approvals+"/"+id, "requested")
}

func (p *pages) carryOutChange(q *web.Request) error {
	err := p.Authorities.CarryOut(q.Context(), q.PathValue("id"), q.PostFormValue("request"))
	return p.afterCertificate(q, "", err, certificates+"/"+url.PathEscape(q.PathValue("id")), "done")
}
