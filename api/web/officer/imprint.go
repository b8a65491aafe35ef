package officer

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"strings"

	"yinxin/api/web"
	"yinxin/ca/enroll"
	"yinxin/internal/fault"
	"yinxin/sealer/imprint"
	"yinxin/sealer/registration"
)

// imprintPage is the seal before and after: what was stamped, and the template.
type imprintPage struct {
	enroll.Application
	Seen          int
	Kept          bool // there is a template
	Looked        bool // what is shown was just made, and is kept only if Stored
	Stored        bool
	Verdict       string
	VerdictClass  string
	Reason        string
	Code          string
	Box           string
	Precise       bool
	Width, Height float64 // mm
	Picture       template.URL
	Sources       []source
	Changes       template.URL
	Gates         []gate
	Facts         []saying
	Compared      *kinship
	Overlay       template.URL
	May           bool // make another one
	Acceptable    bool // a reason keeps it
	AsksReason    bool
	Sheets        bool // the contact sheet may be asked for
	Order         order
}

type source struct {
	URL           template.URL
	Width, Height float64
}

type gate struct {
	Title, Word, Class, Value, Limit, Sentence string
	Acceptable                                 bool
}

type kinship struct{ Word, Class, Sentence, Mismatch string }

// order is what was asked for, to be asked for again.
type order struct{ Box, Shape, Polarity, Colour, Reason string }

func (p *pages) imprint(q *web.Request) error { return p.showImprint(q, nil, order{}, nil) }

// makeTemplate looks at the imprints, or makes the template of them.
func (p *pages) makeTemplate(q *web.Request) error {
	id := q.PathValue("id")
	o := order{Box: q.PostFormValue("box"), Shape: q.PostFormValue("shape"), Polarity: q.PostFormValue("polarity"), Colour: q.PostFormValue("colour"), Reason: strings.TrimSpace(q.PostFormValue("reason"))}
	ctx, cancel := context.WithTimeout(q.Context(), p.Time)
	defer cancel()
	made, err := p.Desk.MakeTemplate(ctx, q.Actor, refOf(q, id), registration.Order{Box: registration.Box(o.Box), Shape: imprint.Shape(o.Shape), Polarity: imprint.Polarity(o.Polarity),
		Colour: imprint.Colour(o.Colour), Code: strings.TrimSpace(q.PostFormValue("code")), Reason: o.Reason, Dry: q.PostFormValue("keep") == ""})
	if sayable(err, fault.NotFound) || fault.Has(err, registration.ErrNoForm) {
		return p.showImprint(q, nil, o, err)
	}
	if err != nil {
		return err
	}
	if made.Stored {
		return q.Go(applications+"/"+id+"/imprint", "template")
	}
	return p.showImprint(q, &made, o, nil)
}

func (p *pages) showImprint(q *web.Request, made *registration.Made, o order, problem error) error {
	ctx, e, id := q.Context(), p.Desk.Enroll, q.PathValue("id")
	a, err := e.Application(ctx, q.Actor, id)
	if err != nil {
		return err
	}
	history, err := e.History(ctx, q.Actor, id)
	if err != nil {
		return err
	}
	unit, _, err := e.Stands(ctx, q.Actor)
	if err != nil {
		return err
	}
	d := &imprintPage{Application: a, Seen: len(history), AsksReason: unit != a.Unit, Order: o, Sheets: q.Actor.Has(applicant) || q.Actor.Has(registrar) || q.Actor.Has(approver)}
	d.May = q.Actor.Has(registrar) && (a.State == enroll.StateReceived || a.State == enroll.StateOriginal || a.State == enroll.StateDraft || a.State == enroll.StateReturned ||
		a.State == enroll.StateSubmitted || a.State == enroll.StateGathered)
	if made != nil {
		err = d.showMade(q, made)
	} else {
		err = p.showKept(q, d)
	}
	if err != nil {
		return err
	}
	return q.Show("imprint", web.Page{Title: web.Text{ZH: "印模处理", EN: "Imprint and template"}, Data: d, Problem: problem, Styles: styles, Scripts: []string{"office.js"}, Wide: true,
		Trail: []web.Item{{Path: applications, Label: titleApplications}, {Path: applications + "/" + id, Label: web.Text{ZH: a.Number, EN: a.Number}}}})
}

func (d *imprintPage) showMade(q *web.Request, made *registration.Made) error {
	d.Kept, d.Looked, d.Code, d.Box, d.Precise = true, true, made.Code, string(made.Box), made.Precise
	d.Width, d.Height, d.Picture = made.Width, made.Height, dataOf("image/png", made.Picture)
	d.judge(q, made.Result, made.Kinship())
	if made.Compared != nil {
		d.Overlay = dataOf("image/png", made.Compared.Picture)
	}
	pictures, changes, err := made.Pictures()
	if err != nil {
		return err
	}
	for _, s := range pictures {
		d.Sources = append(d.Sources, source{dataOf("image/png", s.PNG), s.Width, s.Height})
	}
	d.Changes = dataOf("image/png", changes)
	return nil
}

func (p *pages) showKept(q *web.Request, d *imprintPage) error {
	kept, err := p.Desk.Template(q.Context(), q.Actor, d.ID)
	if fault.Has(err, registration.ErrNoTemplate) {
		return nil
	}
	if err != nil {
		return err
	}
	d.Kept, d.Stored, d.Code, d.Box, d.Precise, d.Reason = true, true, kept.Code, string(kept.Box), kept.Precise, kept.Reason
	d.Width, d.Height = kept.Width, kept.Height
	d.Picture = dataOf("image/png", kept.Template.Picture)
	d.Verdict, d.VerdictClass = verdictWords.of(kept.Verdict, q.Language), verdictClass[kept.Verdict]
	if kept.Result != nil {
		d.judge(q, kept.Result, kept.Compared)
	}
	return nil
}

// judge shows what the gates say, each with its number and limits.
func (d *imprintPage) judge(q *web.Request, r *imprint.Result, k *registration.Kinship) {
	d.Verdict, d.VerdictClass = verdictWords.of(string(r.Verdict), q.Language), verdictClass[string(r.Verdict)]
	d.Acceptable = d.Looked && r.Verdict == imprint.Warn
	for _, g := range r.Gates {
		v := gate{Title: q.T(g.Title, gateWords[g.Name]), Word: verdictWords.of(string(g.Verdict), q.Language), Class: verdictClass[string(g.Verdict)], Value: measure(g.Value, g.Unit, q), Sentence: q.T(g.ZH, g.EN), Acceptable: g.Acceptable}
		if g.Verdict == imprint.Warn && !g.Acceptable {
			d.Acceptable = false
		}
		var limits []string
		if g.WarnAt != 0 {
			limits = append(limits, q.T("提示 ", "doubtful at ")+measure(g.WarnAt, g.Unit, q))
		}
		if g.RefuseAt != 0 {
			limits = append(limits, q.T("不合格 ", "refused at ")+measure(g.RefuseAt, g.Unit, q))
		}
		v.Limit = strings.Join(limits, q.T("，", ", "))
		d.Gates = append(d.Gates, v)
	}
	m := r.Measures
	d.Facts = []saying{{q.T("扫描分辨率", "Resolution"), fmt.Sprintf("%.0f dpi", m.Scale.X)}, {q.T("实测尺寸", "Measured"), fmt.Sprintf("%.2f × %.2f mm", m.Width, m.Height)},
		{q.T("与申报相差", "Against the form"), fmt.Sprintf("%+.2f mm", m.SizeDifference)}, {q.T("倾斜", "Leaned"), fmt.Sprintf("%.2f°", m.Angle)},
		{q.T("采用印模", "Imprints used"), fmt.Sprint(m.Fused)}, {q.T("两次一致", "Agreement of both"), fmt.Sprintf("%.1f %%", 100*m.Match)},
		{q.T("由另一印模补全", "Filled from the other"), fmt.Sprintf("%.2f mm²", m.CompletedArea)}, {q.T("黑字下补连", "Carried over under print"), fmt.Sprintf("%.2f mm²", m.BridgedArea)}}
	if k != nil {
		d.Compared = &kinship{verdictWords.of(string(k.Outcome), q.Language), verdictClass[string(k.Outcome)], q.T(k.ZH, k.EN), fmt.Sprintf("%.2f mm²", k.Mismatch)}
	}
}

// measure writes a number with its unit.
func measure(v float64, unit string, q *web.Request) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	switch unit {
	case "ratio":
		return fmt.Sprintf("%.1f %%", 100*v)
	case "degrees":
		return fmt.Sprintf("%.2f°", v)
	case "dpi":
		return fmt.Sprintf("%.0f dpi", v)
	}
	return strings.TrimSpace(fmt.Sprintf("%.2f %s", v, unit))
}

// contactSheet is the page by which the template is judged: it shows parts of the scan, so it is recorded.
func (p *pages) contactSheet(q *web.Request) error {
	ctx, cancel := context.WithTimeout(q.Context(), p.Time)
	defer cancel()
	var out bytes.Buffer
	if err := p.Desk.Sheet(ctx, q.Actor, q.PathValue("id"), strings.TrimSpace(q.PostFormValue("reason")), &out); err != nil {
		return err
	}
	return download(q, "application/pdf", "印模对照单.pdf", out.Bytes())
}

func dataOf(media string, content []byte) template.URL {
	if len(content) == 0 {
		return ""
	}
	return template.URL("data:" + media + ";base64," + base64.StdEncoding.EncodeToString(content))
}
