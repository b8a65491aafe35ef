package officer

import (
	"context"
	"encoding/base64"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"

	"yinxin/api/web"
	"yinxin/ca/csr"
	"yinxin/ca/enroll/business"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
)

var titleKeys = web.Text{ZH: "制发 Key", EN: "USB Keys"}

var keyWords = labelled{"waiting": {ZH: "等待制发", EN: "to be made"}, "issued": {ZH: "已制证、待写入", EN: "issued, to be written"},
	"written": {ZH: "已写入、待交付", EN: "written, to be handed over"}, "handed-over": {ZH: "已交付", EN: "handed over"}}

var keyClass = map[string]string{"waiting": "doubt", "issued": "note", "written": "note", "handed-over": "good"}

// keys lists whose USB Keys approved applications make: by default what is still to be done.
func (p *pages) keys(q *web.Request) error {
	filters := []web.Filter{{Name: "state", Label: web.Text{ZH: "进度", EN: "State"}, Options: []web.Option{{Value: "all", Label: web.Text{ZH: "全部（含已交付）", EN: "All, also handed over"}}}}}
	for _, s := range business.KeyStates {
		filters[0].Options = append(filters[0].Options, web.Option{Value: string(s), Label: keyWords[string(s)]})
	}
	l := web.List{File: q.T("制发Key", "usb-keys"), Filters: filters, Empty: web.Text{ZH: "没有等待制发的 USB Key。", EN: "No USB Key waits to be made or handed over."},
		Columns: []web.Column{{Label: web.Text{ZH: "使用人", EN: "User"}}, {Label: web.Text{ZH: "单位", EN: "Unit"}}, {Label: web.Text{ZH: "印章", EN: "Seal"}}, {Label: web.Text{ZH: "申请", EN: "Application"}},
			{Label: web.Text{ZH: "进度", EN: "State"}}, {Label: web.Text{ZH: "Key 序列号", EN: "Serial number of the Key"}}, {Label: web.Text{ZH: "交付日期", EN: "Handed over"}}}}
	state := q.URL.Query().Get("state")
	f := business.KeyFilter{State: business.KeyState(state), Open: state == ""}
	if state == "all" {
		f.State = ""
	}
	return q.ShowList("keys", web.Page{Title: titleKeys, Styles: styles}, l, func(after string, limit int) ([]web.Row, string, error) {
		f.After, f.Limit = after, limit
		found, err := p.Desk.Business.USBKeys(q.Context(), q.Actor, f)
		if err != nil {
			return nil, "", err
		}
		var rows []web.Row
		for _, k := range found {
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: k.Name, Path: keyPath(k.Application, k.Actor)}, {Text: k.UnitName}, {Text: k.SealName}, {Text: k.Number, Path: applications + "/" + k.Application},
				{Text: keyWords.of(string(k.State), q.Language), Class: keyClass[string(k.State)]}, {Text: k.Token}, {Text: k.On}}})
		}
		if len(found) < limit {
			return rows, "", nil
		}
		return rows, found[len(found)-1].Place(), nil
	})
}

func keyPath(application, actor string) string {
	return keys + "/" + url.PathEscape(application) + "/" + url.PathEscape(actor)
}

// keyPage is the USB Key of one person and what is to be done with it.
type keyPage struct {
	business.PersonalKey
	Word, Class  string
	Tokens       []business.Token // of this person, in custody
	Certificates []heldRow
	Registers    bool
	Today        string
	Serial       string // that was typed
	Again        bool   // the token is registered already, and may have been initialised again
	Answer       template.URL
	Open, Typed  string // step, and number of a receipt
}

type heldRow struct {
	business.Held
	Word, Class, Kind string
}

// keyShown is what a page shows beside the Key.
type keyShown struct {
	problem error
	open    string
	serial  string
	again   bool
	answer  []byte
}

func (p *pages) key(q *web.Request) error { return p.showKey(q, keyShown{}) }

func (p *pages) showKey(q *web.Request, s keyShown) error {
	k, err := p.Desk.Business.USBKey(q.Context(), q.Actor, q.PathValue("id"), q.PathValue("actor"))
	if err != nil {
		return err
	}
	d := keyPage{PersonalKey: k, Word: keyWords.of(string(k.State), q.Language), Class: keyClass[string(k.State)], Registers: q.Actor.Has(registrar),
		Today: civil.Day(q.Now()), Serial: s.serial, Again: s.again, Open: s.open, Typed: strings.TrimSpace(q.PostFormValue("receipt"))}
	if d.Tokens, err = p.Desk.Business.Tokens(q.Context(), q.Actor, business.TokenFilter{Holder: k.Actor, Limit: 20}); err != nil {
		return err
	}
	if d.Certificates, err = p.heldRows(q, k.Actor); err != nil {
		return err
	}
	if s.answer != nil {
		d.Answer = template.URL("data:application/octet-stream;base64," + base64.StdEncoding.EncodeToString(s.answer))
	}
	return q.Show("key", web.Page{Title: web.Text{ZH: k.Name + " 的 USB Key", EN: "USB Key of " + k.Name}, Trail: []web.Item{{Path: keys, Label: titleKeys}}, Data: d, Problem: s.problem, Styles: styles})
}

func (p *pages) heldRows(q *web.Request, actor string) ([]heldRow, error) {
	held, err := p.Desk.Business.HeldBy(q.Context(), q.Actor, actor)
	var rows []heldRow
	for _, h := range held {
		rows = append(rows, heldRow{h, certificateWords.of(string(h.State), q.Language), certificateClass[string(h.State)], profileWords.of(string(h.Profile), q.Language)})
	}
	return rows, err
}

// afterKey goes on, or shows the Key again with what was wrong.
func (p *pages) afterKey(q *web.Request, s keyShown, notice string) error {
	if s.problem == nil {
		return q.Go(keyPath(q.PathValue("id"), q.PathValue("actor")), notice)
	}
	if !sayable(s.problem, fault.NotFound) {
		return s.problem
	}
	return p.showKey(q, s)
}

// pinPage shows the SO PIN of a token, this once: it is in no address, is not kept, and a browser may not keep it either.
type pinPage struct {
	Token, Now, Next string
	Back             string
}

func (p *pages) showPIN(q *web.Request, pin business.SOPIN, back string, trail []web.Item, problem error) error {
	return q.Show("so-pin", web.Page{Title: web.Text{ZH: "SO PIN（只显示这一次）", EN: "SO PIN, shown once"}, Trail: trail, Problem: problem, Styles: styles, Scripts: []string{"office.js"},
		Data: pinPage{Token: pin.Token, Now: pin.Now, Next: pin.Next, Back: back}})
}

// registerToken takes a Key into custody. A page that is loaded again must not make another SO PIN: of a token that is
// registered it has to be said that it was initialised again.
func (p *pages) registerToken(q *web.Request) error {
	ctx, b := q.Context(), p.Desk.Business
	id, actor, serial := q.PathValue("id"), q.PathValue("actor"), strings.TrimSpace(q.PostFormValue("serial"))
	s := keyShown{open: "register", serial: serial}
	if _, err := b.USBKey(ctx, q.Actor, id, actor); err != nil {
		return err
	}
	if q.PostFormValue("again") == "" {
		if _, err := b.Token(ctx, q.Actor, serial); err == nil {
			s.problem, s.again = errRegistered.With("%s", serial), true
			return p.afterKey(q, s, "")
		}
	}
	pin, err := b.RegisterToken(ctx, q.Actor, serial, actor)
	if err != nil {
		s.problem = err
		return p.afterKey(q, s, "")
	}
	back := keyPath(id, actor)
	return p.showPIN(q, pin, back, []web.Item{{Path: keys, Label: titleKeys}, {Path: back, Label: web.Text{ZH: "USB Key", EN: "USB Key"}}}, nil)
}

var errRegistered = fault.Spec{Kind: fault.Conflict, Code: "page.token-registered",
	ZH: "这把 Key 已经登记。重新登记会换发 SO PIN，只有重新初始化过的 Key 才须重新登记。",
	EN: "This Key is registered. Registering it anew gives it another SO PIN, which only a Key that was initialised again needs."}

// requestOf reads a PKCS#10 from a form: a file, or text.
func requestOf(r *http.Request) ([]byte, error) {
	f, _, err := r.FormFile("request")
	switch {
	case err == nil:
		defer f.Close()
		return io.ReadAll(io.LimitReader(f, csr.MaxRequest+1))
	case strings.TrimSpace(r.PostFormValue("text")) != "":
		return []byte(r.PostFormValue("text")), nil
	}
	return nil, errNoRequest.New()
}

var errNoRequest = fault.Spec{Kind: fault.Invalid, Code: "page.no-request", ZH: "没有选择证书请求文件（PKCS#10）。", EN: "No certification request (PKCS#10) was chosen."}

// issueKey makes the certificates and seals of a Key, and hands out the answer, which only that Key can open.
func (p *pages) issueKey(q *web.Request) error {
	var made business.Key
	request, err := requestOf(q.Request)
	if err == nil {
		made, err = p.Desk.Business.IssueKey(q.Context(), q.Actor, q.PathValue("id"), q.PathValue("actor"), request)
	}
	if err != nil {
		return p.afterKey(q, keyShown{problem: err, open: "issue"}, "")
	}
	return p.showKey(q, keyShown{answer: made.Answer})
}

// confirmKey records that the Key has its encryption key.
func (p *pages) confirmKey(q *web.Request) error {
	k, err := p.Desk.Business.USBKey(q.Context(), q.Actor, q.PathValue("id"), q.PathValue("actor"))
	if err != nil {
		return err
	}
	if k.Escrow == "" {
		err = business.ErrNotDone.New()
	} else {
		err = p.Desk.Business.Escrow.Confirm(q.Context(), q.Actor, k.Escrow)
	}
	return p.afterKey(q, keyShown{problem: err, open: "confirm"}, "written")
}

func (p *pages) handOver(q *web.Request) error {
	h := business.HandOver{Token: q.PostFormValue("token"), On: q.PostFormValue("on"), Receipt: strings.TrimSpace(q.PostFormValue("receipt"))}
	err := p.Desk.Business.HandOver(q.Context(), q.Actor, q.PathValue("id"), q.PathValue("actor"), h)
	return p.afterKey(q, keyShown{problem: err, open: "hand-over", serial: h.Token}, "handed-over")
}

// releasePIN is Key 解锁. What was released is out of custody, and shown whatever failed after it.
func (p *pages) releasePIN(q *web.Request) error {
	id := q.PathValue("id")
	a, err := p.Desk.Enroll.Application(q.Context(), q.Actor, id)
	if err != nil {
		return err
	}
	pin, err := p.Desk.Business.ReleaseSOPIN(q.Context(), q.Actor, id)
	if pin.Now == "" {
		return p.again(q, id, "", err)
	}
	return p.showPIN(q, pin, tokens+"/"+pin.Token, []web.Item{{Path: applications, Label: titleApplications}, {Path: applications + "/" + id, Label: web.Text{ZH: a.Number, EN: a.Number}}}, err)
}

// keyTiles say for how many people a registrar has to make or hand over a Key.
func (p *pages) keyTiles(ctx context.Context, by access.Actor) ([]web.Tile, error) {
	open, err := p.Desk.Business.CountOpenUSBKeys(ctx, by)
	if err != nil || open == 0 {
		return nil, err
	}
	return []web.Tile{{Label: web.Text{ZH: "USB Key 待制发、待交付", EN: "USB Keys to be made or handed over"}, Path: keys, Count: open, Urgent: true}}, nil
}
